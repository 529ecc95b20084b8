//! feeds.toml changed by a command: only what has to change does, every remark and blank stays where a person put it.
//!
//! What is written is checked by [`Config::load_text`](crate::config::Config::load_text) before it is saved; nothing
//! here decides what a feed may say.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, Document, Item, Key, Value};

use crate::model::ids::FeedId;
use crate::model::urls::FeedUrl;

/// Why feeds.toml was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No TOML.
    #[error("{} cannot be changed before it is mended: {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What TOML says.
        why: String,
    },
    /// The feeds are not in blocks.
    #[error("{}: the feeds are not written as [[feed]] blocks; change it by hand", .0.display())]
    NotBlocks(PathBuf),
    /// Nobody has this id.
    #[error("no feed `{id}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        id: FeedId,
        /// All ids.
        known: String,
    },
    /// Somebody else wrote it since it was read.
    #[error("{} was changed by somebody else at the same moment; nothing is written", .0.display())]
    Changed(PathBuf),
    /// The system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A block to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name.
    pub id: FeedId,
    /// Where it is.
    pub url: FeedUrl,
    /// The adapter; `None` for `feed`, which is what a block without one says.
    pub source: Option<String>,
    /// The name people see; `None` for the publisher's own.
    pub title: Option<String>,
    /// Words it is grouped by.
    pub tags: Vec<String>,
    /// Further keys: a value that is TOML counts as such, anything else is text.
    pub further: Vec<(String, String)>,
}

impl Block {
    fn lines(&self) -> Vec<String> {
        let text = |key: &str, value: &str| format!("{key} = {}", Value::from(value));
        let mut lines = vec!["[[feed]]".to_owned(), text("id", self.id.as_str())];
        lines.extend(self.source.iter().map(|source| text("source", source)));
        lines.extend(self.title.iter().map(|title| text("title", title)));
        lines.push(text("url", self.url.page().as_str()));
        if !self.tags.is_empty() {
            let tags = self
                .tags
                .iter()
                .map(|tag| Value::from(tag.as_str()).to_string());
            lines.push(format!("tags = [{}]", tags.collect::<Vec<_>>().join(", ")));
        }
        for (key, value) in &self.further {
            let value = value.parse().unwrap_or_else(|_| Value::from(value));
            lines.push(format!("{} = {}", Key::new(key), value.to_string().trim()));
        }
        lines
    }
}

/// The file as it was read, and as it is to be.
#[derive(Clone, Debug)]
pub struct FeedsFile {
    path: PathBuf,
    before: Option<String>,
    text: String,
}

impl FeedsFile {
    /// Reads the file; one that is not there yet is empty. A link is followed: its target is what is changed.
    pub fn read(path: &Path) -> Result<Self, EditError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = read(&path)?;
        let text = before.clone().unwrap_or_default();
        Ok(Self { path, before, text })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is to be written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ids in use, in their order, disabled feeds too.
    pub fn ids(&self) -> Result<Vec<String>, EditError> {
        let document = self.document()?;
        let ids = blocks(&document, &self.path)?
            .into_iter()
            .flatten()
            .filter_map(|table| table.get("id")?.as_str().map(str::to_owned));
        Ok(ids.collect())
    }

    /// Puts blocks behind everything else. What was there before stays byte for byte.
    pub fn add(&mut self, added: &[Block]) -> Result<(), EditError> {
        blocks(&self.document()?, &self.path)?;
        let end = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        for block in added {
            if !self.text.is_empty() {
                if !self.text.ends_with('\n') {
                    self.text.push_str(end);
                }
                self.text.push_str(end);
            }
            for line in block.lines() {
                self.text.push_str(&line);
                self.text.push_str(end);
            }
        }
        Ok(())
    }

    /// Takes a block out: from its `[[feed]]` line to its last key, with the remarks between and directly below. What
    /// stands above it stays.
    pub fn remove(&mut self, id: &FeedId) -> Result<(), EditError> {
        let document = self.document()?;
        let all = blocks(&document, &self.path)?;
        let found = all
            .into_iter()
            .flatten()
            .find(|table| table.get("id").and_then(Item::as_str) == Some(id.as_str()));
        let Some(table) = found else {
            return Err(EditError::Unknown {
                id: id.clone(),
                known: self.ids()?.join(", "),
            });
        };
        let values = table.iter().filter_map(|(_, item)| item.span());
        let spans = table.span().into_iter().chain(values);
        let Some(span) = spans.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)) else {
            return Err(EditError::NotBlocks(self.path.clone()));
        };
        let lines = whole_lines(&self.text, span);
        drop(document);
        self.text.replace_range(lines, "");
        Ok(())
    }

    /// Replaces the file, whole or not at all: written beside it, synced, renamed. Its mode and owner stay.
    pub fn save(self) -> Result<(), EditError> {
        let path = self.path.as_path();
        let failed = |action: &'static str| {
            move |source| EditError::Io {
                action,
                path: path.to_owned(),
                source,
            }
        };
        // Commands that change it at once queue here; whoever comes second sees that it is not what it read.
        let held = match File::open(path) {
            Ok(file) => {
                file.lock().map_err(failed("lock"))?;
                Some(file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("open")(error)),
        };
        if read(path)? != self.before {
            return Err(EditError::Changed(path.to_owned()));
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = directory.join(format!(".{name}.{}.new", std::process::id()));
        let written = write(&beside, self.text.as_bytes(), held.as_ref())
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| File::open(directory)?.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written.map_err(failed("write"))
    }

    fn document(&self) -> Result<Document<&str>, EditError> {
        Document::parse(self.text.as_str()).map_err(|error| EditError::Unreadable {
            file: self.path.clone(),
            why: error.message().to_owned(),
        })
    }
}

/// The blocks; `None` where there are none yet.
fn blocks<'d>(
    document: &'d Document<&str>,
    path: &Path,
) -> Result<Option<&'d ArrayOfTables>, EditError> {
    match document.get("feed") {
        None => Ok(None),
        Some(Item::ArrayOfTables(blocks)) => Ok(Some(blocks)),
        Some(_) => Err(EditError::NotBlocks(path.to_owned())),
    }
}

/// The lines a block takes: those of its span, remarks right below, and the blank lines after them.
fn whole_lines(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.get(..span.start).and_then(|above| above.rfind('\n'));
    let start = start.map_or(0, |at| at + 1);
    let mut end = span.end;
    let line_end = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find('\n').map_or(rest.len(), |at| at + 1)
    };
    end = line_end(end);
    let (mut blank, mut remarks) = (false, true);
    while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        let line = rest.lines().next().unwrap_or_default().trim();
        remarks &= line.starts_with('#');
        blank |= line.is_empty();
        if !remarks && !line.is_empty() || blank && !line.is_empty() {
            break;
        }
        end = line_end(end);
    }
    start..end
}

fn read(path: &Path) -> Result<Option<String>, EditError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EditError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

fn write(path: &Path, bytes: &[u8], like: Option<&File>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if like.is_some() {
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    if let Some(like) = like {
        let (old, new) = (like.metadata()?, file.metadata()?);
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const FILE: &str = "# head\n\n# about a\n[[feed]]\nid = \"a\"   # a name\n# between\nurl = \"https://a.example/\"\n# below a\n\n# free\n\n[[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n\n# the end\n";

    fn of(text: &str) -> FeedsFile {
        FeedsFile {
            path: PathBuf::from("feeds.toml"),
            before: None,
            text: text.to_owned(),
        }
    }

    fn block(id: &str) -> Block {
        Block {
            id: id.parse().unwrap(),
            url: FeedUrl::parse("https://c.example/").unwrap(),
            source: None,
            title: Some("say \"hi\" \\ 新闻".to_owned()),
            tags: vec!["News".to_owned(), "a\"b".to_owned()],
            further: vec![
                ("list".to_owned(), "[1, 2]".to_owned()),
                ("odd key".to_owned(), "no \"toml\"".to_owned()),
            ],
        }
    }

    #[test]
    fn a_block_is_put_behind_everything_and_changes_nothing_before_it() {
        for before in ["", "# only a remark", FILE, "[[feed]]\r\nid = \"a\"\r\n"] {
            let mut file = of(before);
            file.add(&[block("c")]).unwrap();
            assert!(file.text().starts_with(before), "{}", file.text());
            let read: toml_edit::DocumentMut = file.text().parse().unwrap();
            let last = read["feed"]
                .as_array_of_tables()
                .unwrap()
                .iter()
                .last()
                .unwrap();
            assert_eq!(last["title"].as_str(), Some("say \"hi\" \\ 新闻"));
            assert_eq!(last["tags"].as_array().unwrap().len(), 2);
            assert_eq!(last["list"].as_array().unwrap().len(), 2);
            assert_eq!(last["odd key"].as_str(), Some("no \"toml\""));
            let bare = file.text().matches('\n').count() - file.text().matches("\r\n").count();
            assert_eq!(bare == 0, before.contains('\r'));
        }
    }

    #[test]
    fn a_block_goes_and_what_stands_around_it_stays() {
        let check = |id: &str, left: &str| {
            let mut file = of(FILE);
            file.remove(&id.parse().unwrap()).unwrap();
            assert_eq!(file.text(), left);
        };
        check(
            "a",
            "# head\n\n# about a\n# free\n\n[[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n\n# the end\n",
        );
        check(
            "b",
            &format!(
                "{}# the end\n",
                FILE.split("[[feed]]\nid = \"b\"").next().unwrap()
            ),
        );
        let error = of(FILE).remove(&"c".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("a, b"), "{error}");
    }

    #[test]
    fn what_was_added_can_be_taken_out_again() {
        let mut file = of(FILE);
        file.add(&[block("c")]).unwrap();
        file.remove(&"c".parse().unwrap()).unwrap();
        assert_eq!(file.text().trim_end(), FILE.trim_end());
    }

    #[test]
    fn other_forms_are_left_to_people() {
        for text in [
            "feed = []",
            "feed = 1",
            "[feed]\nid = \"a\"",
            "feed = [{id = \"a\"}]",
        ] {
            assert!(of(text).add(&[block("c")]).is_err(), "{text}");
            assert!(of(text).remove(&"a".parse().unwrap()).is_err(), "{text}");
        }
        assert!(matches!(
            of("[[feed").ids(),
            Err(EditError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_through_links() {
        let scratch = tempfile::tempdir().unwrap();
        let (real, link) = (
            scratch.path().join("real.toml"),
            scratch.path().join("feeds.toml"),
        );
        fs::write(&real, FILE).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let change = |id: &str| {
            let mut file = FeedsFile::read(&link).unwrap();
            file.add(&[block(id)]).unwrap();
            file
        };
        let (first, second) = (change("c"), change("d"));
        first.save().unwrap();
        assert!(matches!(second.save(), Err(EditError::Changed(_))));
        let text = fs::read_to_string(&real).unwrap();
        assert!(
            text.contains("id = \"c\"") && !text.contains("id = \"d\""),
            "{text}"
        );
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            fs::read_dir(scratch.path()).unwrap().count(),
            2,
            "a temporary is left"
        );
    }
}
