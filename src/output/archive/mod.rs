//! The archive: one text file for the same words, in three documented formats.

pub mod html;
pub mod hugo;
pub mod manifest;
pub mod name;
mod scalar;
pub mod text;

use crate::model::article::StoredArticle;
use crate::model::content::Content;
use crate::model::time::{Timestamp, Zone};
use crate::rules::normalise::one_line;

/// All formats, in the order in which files of unknown origin are tried: `text`, which has no header, comes last.
pub const FORMATS: &[&dyn ArchiveFormat] = &[&html::Html, &hugo::Hugo, &text::Text];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static dyn ArchiveFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The format these bytes look like, by their whole header. `None` where they are no text at all.
pub fn detect(bytes: &[u8]) -> Option<&'static dyn ArchiveFormat> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognises(bytes))
}

/// What one archive file holds. Which fields a format stores is the format's business; the others stay at their
/// defaults when a file is parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The label of its source (`qq`), the subscription's id.
    pub label: String,
    /// BCP 47.
    pub language: String,
    /// One line.
    pub title: String,
    /// The article's page as archived (percent-encoded where the format asks for it); empty where it has none.
    pub link: String,
    /// When it was published; `None` where the format does not say (`text`).
    pub published: Option<Timestamp>,
    /// The summary as archived.
    pub summary: String,
    /// The list picture, or empty.
    pub thumbnail: String,
    /// The words, exactly as the file has them: of the kind this format keeps.
    pub body: Content,
}

impl Sheet {
    /// A sheet that says nothing but its words.
    pub fn of(body: Content) -> Self {
        Self {
            label: String::new(),
            language: String::new(),
            title: String::new(),
            link: String::new(),
            published: None,
            summary: String::new(),
            thumbnail: String::new(),
            body,
        }
    }
}

/// What a format is told of the subscription an article came by.
#[derive(Clone, Debug)]
pub struct Label {
    /// The subscription's id.
    pub source: String,
    /// BCP 47 of its entries.
    pub language: String,
    /// The zone its wall-clock times are written in.
    pub zone: Zone,
}

/// Why an article cannot be kept in a format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not kept as {format}: {why}")]
pub struct Unarchivable {
    /// The format.
    pub format: &'static str,
    /// Why not.
    pub why: String,
}

/// Why bytes are not a file of a format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a {format} file: line {line}: {why}")]
pub struct BadFile {
    /// The format.
    pub format: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// What was expected there.
    pub why: String,
}

/// One format of the archive.
///
/// `render` after `parse` gives the same bytes back, for every file `parse` accepts (law L1); `parse` after `render`
/// gives the stored fields back, for every sheet `render` accepts (law L2), its date cut to what the format holds. `sheet` of an article whose body came out of
/// `parse` keeps that body as it is.
pub trait ArchiveFormat: Send + Sync {
    /// Its name in feeds.toml.
    fn name(&self) -> &'static str;

    /// What the file of this article holds. Pure: no clock, no locale.
    fn sheet(&self, article: &StoredArticle, label: &Label) -> Result<Sheet, Unarchivable>;

    /// The file's bytes.
    fn render(&self, sheet: &Sheet, zone: &Zone) -> Result<Vec<u8>, Unarchivable>;

    /// Reads a file, strictly: what it would not have written is an error (law L4).
    fn parse(&self, bytes: &[u8], zone: &Zone) -> Result<Sheet, BadFile>;

    /// Whether the bytes have this format's whole header (archive format, section 5); for files of unknown origin.
    fn recognises(&self, bytes: &[u8]) -> bool;
}

/// Where a text stops being one of a format: the byte, and what was expected there.
type Fault = (usize, String);

/// What all formats ask of a whole file: UTF-8, no byte order mark, no carriage return, no NUL.
fn decoded(bytes: &[u8]) -> Result<&str, Fault> {
    let text = str::from_utf8(bytes)
        .map_err(|error| (error.valid_up_to(), "expected UTF-8".to_owned()))?;
    if text.starts_with('\u{feff}') {
        return Err((0, "unexpected byte order mark".to_owned()));
    }
    if let Some(at) = text.find(['\r', '\0']) {
        return Err((at, "unexpected carriage return or NUL".to_owned()));
    }
    Ok(text)
}

/// Says that what a sheet holds in one place would not come back from the file.
fn one_line_only(format: &'static str, what: &str, text: &str) -> Result<(), Unarchivable> {
    if text.contains(['\n', '\r', '\0']) {
        return Err(Unarchivable {
            format,
            why: format!("line break or NUL in the {what}"),
        });
    }
    Ok(())
}

/// The fault in words, with its line.
fn bad_file(format: &'static str, bytes: &[u8], (at, why): Fault) -> BadFile {
    let before = bytes.get(..at).unwrap_or(bytes);
    BadFile {
        format,
        line: 1 + memchr::memchr_iter(b'\n', before).count(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_one_line() {
        let check = |title: &str, expected: &str| assert_eq!(one_line(title), expected);
        check("  甲  乙　丙\u{a0}丁 ", "甲  乙　丙\u{a0}丁");
        check("甲 \r\n\t 乙\u{85}丙\u{2028}丁\u{0}\n", "甲 乙 丙 丁");
    }

    #[test]
    fn formats_are_found_by_name() {
        for known in FORMATS {
            assert_eq!(
                format(known.name()).map(ArchiveFormat::name),
                Some(known.name())
            );
        }
        assert!(format("markdown").is_none());
    }
}
