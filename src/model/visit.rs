//! Visits: the pages behind an entry as they came, kept so that they can be read again by better rules.

use crate::model::entry::{Draft, EntryKey};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// One time the pages behind an entry were asked, and what came.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Which entry.
    pub key: EntryKey,
    /// When its feed was polled.
    pub at: Timestamp,
    /// Who its feed was read by.
    pub source: String,
    /// What its pages are.
    pub form: Form,
    /// What its feed or list said of it.
    pub teaser: Draft,
    /// Its pages, in the order they were asked; those that could not be read, too.
    pub pages: Vec<KeptPage>,
}

/// What the pages behind an entry are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Pages of a form its source knows: each a route to the same entry.
    Detail,
    /// The article's own pages, of any form: the first, and what it goes on at.
    Article,
}

impl Form {
    /// All, with the names they have in the store.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Detail, "detail"), (Self::Article, "article")];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detail => "detail",
            Self::Article => "article",
        }
    }
}

/// A page, with the headers that matter to whoever reads it again.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPage {
    /// The place of its address among the entry's routes.
    pub route: usize,
    /// The address that was asked.
    pub asked: PageUrl,
    /// Where it came from, after redirects.
    pub url: PageUrl,
    /// `Content-Type` without parameters, lower case.
    pub media_type: Option<String>,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// When it came.
    pub fetched: Timestamp,
    /// The body.
    pub body: Frame,
}

/// A body, pressed. Only the store can make one and undo it.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// BLAKE3 of the body as it came, its content coding undone.
    pub digest: [u8; 32],
    /// The body as a zstd frame.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a frame of {} bytes", self.bytes.len())
    }
}
