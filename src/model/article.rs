//! Articles: entries normalised and hashed. Ours.

use crate::model::content::{Content, ContentHash, RawHash};
use crate::model::entry::{Enclosure, EntryKey};
use crate::model::feed::FeedInfo;
use crate::model::ids::{ArticleSeq, EntryId, FeedId};
use crate::model::keep::Pruned;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// An entry after `rules::normalise`: one title on one line, plausible dates only, a key and a hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    /// How it is recognised when it comes again.
    pub key: EntryKey,
    /// The publisher's id as given, kept even where the key is another one.
    pub id: Option<EntryId>,
    /// Its own page, as delivered.
    pub link: Option<PageUrl>,
    /// One line, trimmed; may be empty.
    pub title: String,
    /// Non-empty names.
    pub authors: Vec<String>,
    /// BCP 47, where it differs from the subscription's.
    pub language: Option<String>,
    /// The publisher's date, if plausible.
    pub published: Option<Timestamp>,
    /// The publisher's date of the last change, if plausible.
    pub updated: Option<Timestamp>,
    /// The date inside the article (DW).
    pub cms_date: Option<Timestamp>,
    /// Tags.
    pub categories: Vec<String>,
    /// The publisher's summary.
    pub summary: Option<Content>,
    /// The words as published.
    pub body: Content,
    /// True where the body is only a summary, since the publisher gave no more.
    pub partial: bool,
    /// The lead or list picture.
    pub thumbnail: Option<PageUrl>,
    /// Attached media.
    pub enclosures: Vec<Enclosure>,
    /// `atom:source` as the entry carried it.
    pub origin: Option<FeedInfo>,
    /// What had to be done otherwise than ordered, in plain words.
    pub note: Option<String>,
    /// Which words these are.
    pub content: ContentHash,
    /// Hash of the entry as its listing (and page) gave it: the same again needs no work.
    pub raw: RawHash,
    /// Hash of the teaser that led here, where a detail page was read: the same teaser again needs no request.
    pub teaser: Option<RawHash>,
}

/// An article in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredArticle {
    /// Its number.
    pub seq: ArticleSeq,
    /// Whose it is.
    pub feed: FeedId,
    /// The number of the first revision of the same entry; equal to `seq` for a new entry.
    pub first_seq: ArticleSeq,
    /// When the entry was first seen. A dateless entry has this date for good.
    pub first_seen: Timestamp,
    /// When this revision was stored.
    pub recorded: Timestamp,
    /// `atom:updated`: the publisher's if plausible, else when it was recorded; never moves back.
    pub revised: Timestamp,
    /// The first article with the same words, where that is another one: this one carries them too (a reprint).
    pub reprint_of: Option<ArticleSeq>,
    /// What was let go of it: its body is empty then, and of a bare one all else is, too.
    pub pruned: Option<Pruned>,
    /// The article itself.
    pub article: Article,
}

impl StoredArticle {
    /// The date it sorts and is dated by: the publisher's, else when it was first seen.
    pub fn date(&self) -> Timestamp {
        self.article.published.unwrap_or(self.first_seen)
    }
}
