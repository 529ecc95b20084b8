//! A TOML file as a tree in which every value knows its line.
//!
//! Not a `#[derive(Deserialize)]`: that stops at the first thing wrong, and a person who mends a file wants to hear of
//! all of them. A [`Block`] is asked for its keys one by one; the keys nobody asked for are the unknown ones, and the
//! keys somebody asked for are what is allowed, so the two cannot drift apart.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::problems::{Problem, guess, shown};

/// Nobody writes 4 MiB of subscriptions; a file that is larger is another file.
const LARGEST: u64 = 4 << 20;

/// One file: its name for people, where its lines begin, and what was found wrong in it so far.
pub(super) struct TomlFile {
    shown: PathBuf,
    text: String,
    line_starts: Vec<usize>,
    found: RefCell<Vec<Problem>>,
}

impl TomlFile {
    /// Reads a file, whole and as UTF-8.
    pub(super) fn read(path: &Path, shown: &Path) -> Result<Self, Problem> {
        let problem = |line, message: String| Problem {
            file: shown.to_owned(),
            line,
            message,
            allowed: None,
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| {
                let message = match error.kind() {
                    io::ErrorKind::NotFound => "not found".to_owned(),
                    io::ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
                    io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
                    _ => format!("cannot be read: {error}"),
                };
                problem(None, message)
            })?;
        if bytes.len() as u64 > LARGEST {
            return Err(problem(None, "is larger than 4 MiB".to_owned()));
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(problem(None, "is UTF-16 text: save it as UTF-8".to_owned()));
        }
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            return Err(problem(
                Some(line_of(&bytes, at)),
                "has a NUL byte in it, so it is not a text file".to_owned(),
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
            problem(Some(line), "is not UTF-8 text: save it as UTF-8".to_owned())
        })?;
        Ok(Self::of(text, shown))
    }

    /// A text in the place of a file, held to the same limits.
    pub(super) fn of_text(text: &str, shown: &Path) -> Result<Self, Problem> {
        if text.len() as u64 > LARGEST {
            return Err(Problem {
                file: shown.to_owned(),
                line: None,
                message: "would be larger than 4 MiB".to_owned(),
                allowed: None,
            });
        }
        Ok(Self::of(text.to_owned(), shown))
    }

    fn of(text: String, shown: &Path) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            shown: shown.to_owned(),
            line_starts: std::iter::once(0).chain(after_breaks).collect(),
            text,
            found: RefCell::default(),
        }
    }

    /// The tree, or TOML's own complaint.
    pub(super) fn parse(&self) -> Option<DeTable<'_>> {
        match DeTable::parse(&self.text) {
            Ok(tree) => Some(tree.into_inner()),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.report(at, self.syntax_error(&error), None);
                None
            }
        }
    }

    /// The message of the TOML crate with the line and caret it draws, without the headline: our own prefix says
    /// where. A line too long to look at is left out.
    fn syntax_error(&self, error: &toml::de::Error) -> String {
        let at = error.span().map_or(0, |span| span.start);
        let message = format!("{}{}", shown_all(error.message()), self.typed_wide(at));
        let whole = error.to_string();
        let drawing: Vec<String> = whole.lines().skip(1).take(3).map(shown_all).collect();
        let fits = drawing.len() == 3 && drawing.iter().all(|line| line.chars().count() <= 160);
        if fits {
            format!("{message}\n{}", drawing.join("\n"))
        } else {
            message
        }
    }

    /// Input methods for Chinese write quotes, brackets and equals signs that look right and are not.
    fn typed_wide(&self, at: usize) -> String {
        const WIDE: [(char, char); 8] = [
            ('“', '"'),
            ('”', '"'),
            ('＂', '"'),
            ('＝', '='),
            ('［', '['),
            ('］', ']'),
            ('【', '['),
            ('】', ']'),
        ];
        let line = self.line(at);
        let start = line.checked_sub(1).and_then(|at| self.line_starts.get(at));
        let text = start.and_then(|start| self.text.get(*start..));
        let line = text.and_then(|text| text.lines().next()).unwrap_or("");
        // Every second part is within plain quotes, where any character is at home.
        let mut outside = line.split('"').step_by(2).flat_map(str::chars);
        let found = outside.find_map(|c| WIDE.iter().find(|(wide, _)| *wide == c));
        found.map_or_else(String::new, |(wide, plain)| {
            format!(" (this line has a `{wide}`; TOML knows only the plain `{plain}`)")
        })
    }

    /// The line of an offset, from 1. The end of a file belongs to its last line, as in the drawings of the TOML crate.
    pub(super) fn line(&self, at: usize) -> usize {
        let at = at.min(self.text.len().saturating_sub(1));
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Notes a problem at this offset.
    pub(super) fn report(&self, at: usize, message: String, allowed: Option<String>) {
        self.found.borrow_mut().push(Problem {
            file: self.shown.clone(),
            line: Some(self.line(at)),
            message,
            allowed,
        });
    }

    /// How many problems were noted so far.
    pub(super) fn problems(&self) -> usize {
        self.found.borrow().len()
    }

    /// What was found, from the top of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|problem| problem.line);
        found
    }
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|b| **b == b'\n').count()
}

/// A text of any length without control characters.
fn shown_all(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A table of the file that is asked for its keys.
pub(super) struct Block<'a> {
    file: &'a TomlFile,
    table: &'a DeTable<'a>,
    /// What it is called in messages: `[fetch]`, `[[feed]] "dw"`; empty for the top of the file.
    label: String,
    /// Where it begins.
    at: usize,
    asked: Vec<&'a str>,
}

impl<'a> Block<'a> {
    /// The top of a file.
    pub(super) fn top(file: &'a TomlFile, table: &'a DeTable<'a>) -> Self {
        Self::new(file, table, String::new(), 0)
    }

    /// A table with a name.
    pub(super) fn new(
        file: &'a TomlFile,
        table: &'a DeTable<'a>,
        label: String,
        at: usize,
    ) -> Self {
        Self {
            file,
            table,
            label,
            at,
            asked: Vec::new(),
        }
    }

    /// The value of a key, which is thereby known.
    pub(super) fn value(&mut self, key: &'a str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// The text of a key that somebody else asks for.
    pub(super) fn glance(&self, key: &str) -> Option<&'a str> {
        self.table.get(key)?.get_ref().as_str()
    }

    /// Whether the key is there, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key as this reader takes it; what it does not take is a problem on the value's line.
    pub(super) fn get<T>(
        &mut self,
        key: &'a str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        self.get_or(key, None, read)
    }

    /// Likewise, with a text that is read where the key is absent.
    pub(super) fn get_or<T>(
        &mut self,
        key: &'a str,
        default: Option<&'static str>,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let read = match (self.value(key), default) {
            (Some(value), _) => read(value.get_ref()),
            (None, Some(default)) => read(&DeValue::String(default.into())),
            (None, None) => return None,
        };
        read.map_err(|why| self.report(key, &why)).ok()
    }

    /// Puts the value of a key, where there is one, in the place of its default.
    pub(super) fn set<T>(
        &mut self,
        key: &'a str,
        slot: &mut T,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) {
        if let Some(read) = self.get(key, read) {
            *slot = read;
        }
    }

    /// Where the value of a key is; where the block begins, if it has none.
    pub(super) fn at(&self, key: &str) -> usize {
        self.table
            .get(key)
            .map_or(self.at, |value| value.span().start)
    }

    /// Notes what is wrong with the value of a key.
    pub(super) fn report(&self, key: &str, why: &str) {
        let label = if self.label.is_empty() {
            String::new()
        } else {
            format!(" in {}", self.label)
        };
        self.file
            .report(self.at(key), format!("`{key}`{label}: {why}"), None);
    }

    /// What a table under this key is called in messages.
    pub(super) fn label_of(&self, key: &str) -> String {
        format!("`{key}` in {}", self.label)
    }

    /// Notes what is wrong with the block as a whole.
    pub(super) fn report_whole(&self, why: &str) {
        self.file
            .report(self.at, format!("{}: {}", self.label, shown_all(why)), None);
    }

    /// Lists the keys nobody asked for. `name` writes an allowed key the way it stands in the file.
    pub(super) fn finish(&self, name: impl Fn(&str) -> String) {
        let allowed: Vec<String> = self.asked.iter().map(|key| name(key)).collect();
        let allowed = allowed.join(", ");
        for (key, value) in self.table {
            let word: &str = key.get_ref();
            if self.asked.contains(&word) {
                continue;
            }
            let near = guess(word, self.asked.iter().copied());
            let word = shown(word);
            let what = match (self.label.is_empty(), value.get_ref()) {
                (true, DeValue::Table(_)) => format!("unknown section [{word}]{near}"),
                (true, DeValue::Array(_)) => format!("unknown section [[{word}]]{near}"),
                (true, _) => format!("unknown key `{word}` before any section{near}"),
                (false, _) => format!("unknown key `{word}` in {}{near}", self.label),
            };
            self.file
                .report(key.span().start, what, Some(allowed.clone()));
        }
    }
}
