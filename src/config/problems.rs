//! What is wrong with a configuration, and where: all of it at once, in words of the person who wrote the file.

use std::fmt;
use std::path::PathBuf;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the person named it or as it lies below the working directory.
    pub file: PathBuf,
    /// The line, from 1; absent where the file as a whole is the matter.
    pub line: Option<usize>,
    /// What is wrong. One line, except for an error of TOML's own, which brings the line it is about.
    pub message: String,
    /// For an unknown key or section: those that are known there.
    pub allowed: Option<String>,
}

impl fmt::Display for Problem {
    /// `feeds.toml:12: unknown key …; allowed: …`, as editors and terminals turn it into a link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)?;
        match &self.allowed {
            Some(allowed) => write!(f, "; allowed: {allowed}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong: the settings first, then the feeds, each file from its top. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn of(found: Vec<Problem>) -> Self {
        Self(found)
    }

    /// The problems, in the order of their places.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    /// One a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A value as it may be shown: cut to 60 characters, control characters made visible, so that no file can write to
/// the terminal of the person who checks it.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == 60 {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// ` (did you mean …?)`, or nothing where no candidate is near.
pub(super) fn guess<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(60).collect();
    candidates
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.chars().collect();
            (
                edits(&word, &letters),
                letters.len().max(word.len()),
                candidate,
            )
        })
        .filter(|(edits, length, _)| edits * 3 <= *length)
        .min_by_key(|(edits, ..)| *edits)
        .map(|(.., candidate)| candidate)
}

/// How many letters have to be added, dropped, replaced or swapped with their neighbour (optimal string alignment).
fn edits(from: &[char], to: &[char]) -> usize {
    let mut two_ago: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut earlier = None;
    for (row, &a) in from.iter().enumerate() {
        let mut here = vec![row + 1];
        let mut left = row + 1;
        for (column, &b) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (left + 1)
                .min(cell(&above, column + 1) + 1)
                .min(cell(&above, column) + usize::from(a != b));
            let swapped = column > 0 && earlier == Some(b) && to.get(column - 1) == Some(&a);
            if swapped {
                best = best.min(cell(&two_ago, column - 1) + 1);
            }
            here.push(best);
            left = best;
        }
        earlier = Some(a);
        two_ago = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        let keys = ["id", "source", "title", "language", "url"];
        let check =
            |word: &str, near: Option<&str>| assert_eq!(nearest(word, keys), near, "{word}");
        check("urll", Some("url"));
        check("ulr", Some("url"));
        check("Langauge", Some("language"));
        check("sourec", Some("source"));
        check("banana", None);
        check("", None);
        check("大公報", None);
    }

    #[test]
    fn edits_are_counted() {
        let check = |a: &str, b: &str, count: usize| {
            let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(edits(&a, &b), count);
            assert_eq!(edits(&b, &a), count);
        };
        check("", "", 0);
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("ab", "ba", 1);
        check("routes", "route", 1);
    }

    #[test]
    fn values_are_shown_short_and_harmless() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"字".repeat(70)), format!("{}…", "字".repeat(60)));
    }
}
