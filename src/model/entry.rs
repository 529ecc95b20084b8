//! What a publisher shows: a listing of entries, each whole or only pointed at.

use crate::model::content::{Content, ContentHash, RawHash};
use crate::model::feed::FeedInfo;
use crate::model::hints::Hints;
use crate::model::http::Ask;
use crate::model::ids::EntryId;
use crate::model::revision::Withdrawal;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// One page of a feed or list, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// What the feed says about itself.
    pub info: FeedInfo,
    /// What it says of when to ask.
    pub hints: Hints,
    /// Its entries, in document order.
    pub leads: Vec<Lead>,
    /// The page that has to be asked next to know the rest of this listing.
    pub more: Option<Ask>,
    /// Entries it takes back (RFC 6721).
    pub withdrawn: Vec<Withdrawal>,
    /// Entries that could not be read: one bad entry costs that entry, not the feed.
    pub skipped: Vec<Skipped>,
    /// What had to be mended to read the page, in plain words (`charset: GBK by prolog`).
    pub notes: Vec<String>,
}

/// An entry as a listing carries it.
#[derive(Clone, Debug, PartialEq)]
pub enum Lead {
    /// The listing carries it whole.
    Whole(Box<Draft>),
    /// The listing only points at it.
    Teaser(Box<Teaser>),
}

impl Lead {
    /// The publisher's id.
    pub fn id(&self) -> Option<&EntryId> {
        match self {
            Self::Whole(draft) => draft.id.as_ref(),
            Self::Teaser(teaser) => teaser.draft.id.as_ref(),
        }
    }

    /// When it was last changed, by the publisher.
    pub fn updated(&self) -> Option<Timestamp> {
        match self {
            Self::Whole(draft) => draft.updated,
            Self::Teaser(teaser) => teaser.draft.updated,
        }
    }

    /// The entry's own page.
    pub fn link(&self) -> Option<&PageUrl> {
        match self {
            Self::Whole(draft) => draft.link.as_ref(),
            Self::Teaser(teaser) => teaser.draft.link.as_ref(),
        }
    }
}

/// An entry of which only the outside is known. It cannot become an article before a detail page was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Teaser {
    /// What the listing says of it; `body` is empty.
    pub draft: Draft,
    /// Where the whole entry is: the best route first, the others are fallbacks.
    pub details: Vec<Ask>,
}

/// An entry as published, with everything the publisher gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// `atom:id`, `guid`, JSON Feed `id`. Never made up: an absent id stays absent.
    pub id: Option<EntryId>,
    /// The entry's own page, as delivered.
    pub link: Option<PageUrl>,
    /// The title as plain text.
    pub title: Option<String>,
    /// When it was published, by the publisher.
    pub published: Option<Timestamp>,
    /// When it was last changed, by the publisher.
    pub updated: Option<Timestamp>,
    /// The date the publisher's editing system prints inside the article, where that is another one (DW).
    pub cms_date: Option<Timestamp>,
    /// Names of its authors.
    pub authors: Vec<String>,
    /// BCP 47, where the entry says its own.
    pub language: Option<String>,
    /// Categories or tags.
    pub categories: Vec<String>,
    /// A teaser or summary.
    pub summary: Option<Content>,
    /// The words.
    pub body: Option<Content>,
    /// The lead or list picture.
    pub thumbnail: Option<PageUrl>,
    /// Attached media.
    pub enclosures: Vec<Enclosure>,
    /// `atom:source`: the feed it came from, where this feed is itself an aggregate.
    pub origin: Option<FeedInfo>,
    /// What had to be done otherwise than ordered, in plain words (`the feed's own words: HTTP status 404`).
    pub note: Option<String>,
}

impl Draft {
    /// A hash of all that a change would be an update of: title, link, words, authors, categories, enclosures.
    /// Dates are left out: a feed that prints the time of day does not publish anew (POLLING P-125, P-126).
    pub fn raw_hash(&self) -> RawHash {
        let title = self.title.as_deref();
        let link = self.link.as_ref().map(PageUrl::as_str);
        let summary = self.summary.as_ref().map(|c| c.text.as_str());
        let body = self.body.as_ref().map(|c| c.text.as_str());
        let thumbnail = self.thumbnail.as_ref().map(PageUrl::as_str);
        let single = [title, link, summary, body, thumbnail].into_iter();
        // A list's items are all present, so an absent part can only be the end of a list.
        let authors = self.authors.iter().map(|s| Some(s.as_str())).chain([None]);
        let categories = self
            .categories
            .iter()
            .map(|s| Some(s.as_str()))
            .chain([None]);
        let enclosures = self.enclosures.iter().map(|e| Some(e.url.as_str()));
        RawHash::of(
            single
                .chain(authors)
                .chain(categories)
                .chain(enclosures)
                .map(|part| part.map(str::as_bytes)),
        )
    }
}

/// Attached media (`enclosure`, `link rel=enclosure`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// Where it is.
    pub url: PageUrl,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its length in bytes.
    pub length: Option<u64>,
}

/// How an entry is recognised when it comes again; best evidence first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKey {
    /// The publisher's id.
    Id(EntryId),
    /// Its link, where it has no id.
    Link(PageUrl),
    /// Its words, where it has neither.
    Content(ContentHash),
}

/// An entry that was left out of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which: its id, link, title or position, whichever is known.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A page that could not be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// It is something else.
    #[error("not {expected}: {found}")]
    Other {
        /// What it should have been (`a feed`).
        expected: &'static str,
        /// What it looks like (`an HTML page titled …`).
        found: String,
    },
    /// It has a shape we do not know; the first thing missing is named, so that a redesign is noticed.
    #[error("no {field} in {page}: the page has a shape we do not know")]
    Missing {
        /// The first field that was looked for and not found (`data.stories`).
        field: String,
        /// Where (`the story list`).
        page: &'static str,
    },
    /// It breaks off or breaks the rules of its format.
    #[error("broken {format}: {why}")]
    Broken {
        /// `XML`, `JSON`, `HTML`.
        format: &'static str,
        /// What the parser says, with position.
        why: String,
    },
    /// It is larger or deeper than we read from a stranger.
    #[error("{what} over the limit of {limit}")]
    Limit {
        /// `XML depth`, `entries`.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The publisher says so itself (`{"ret":404,"msg":"…"}`).
    #[error("the publisher answers with an error: {0}")]
    Refused(String),
}
