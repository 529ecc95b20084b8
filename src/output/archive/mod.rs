//! The archive: one text file for the same words, in three documented formats.

use crate::model::article::StoredArticle;
use crate::model::content::Content;
use crate::model::time::{Timestamp, Zone};

/// What one archive file holds. Which fields a format stores is the format's business; the others stay at their defaults when a file is parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The label of its source (`qq`), the subscription's id.
    pub label: String,
    /// BCP 47.
    pub language: String,
    /// One line.
    pub title: String,
    /// The article's page as archived (percent-encoded where the format asks for it).
    pub link: String,
    /// When it was published.
    pub published: Timestamp,
    /// The summary as archived.
    pub summary: String,
    /// The list picture, or empty.
    pub thumbnail: String,
    /// The words: of the kind this format keeps.
    pub body: Content,
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

/// One format of the archive. `render` after `parse` gives the same bytes back, for every file `parse` accepts (law L1).
pub trait ArchiveFormat: Send + Sync {
    /// Its name in feeds.toml.
    fn name(&self) -> &'static str;

    /// What the file of this article holds. Pure: no clock, no locale.
    fn sheet(&self, article: &StoredArticle, label: &Label) -> Result<Sheet, Unarchivable>;

    /// The file's bytes.
    fn render(&self, sheet: &Sheet, zone: &Zone) -> Result<Vec<u8>, Unarchivable>;

    /// Reads a file, strictly: what it would not have written is an error.
    fn parse(&self, bytes: &[u8], zone: &Zone) -> Result<Sheet, BadFile>;

    /// Whether the bytes have this format's whole header (ARCHIVE-FORMAT §5); for files of unknown origin.
    fn recognises(&self, bytes: &[u8]) -> bool;
}
