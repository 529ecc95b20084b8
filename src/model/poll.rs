//! One poll of one feed: what is known before, what is recorded after.

use std::time::Duration;

use crate::model::article::Article;
use crate::model::content::{ContentHash, RawHash};
use crate::model::entry::{EntryKey, Skipped};
use crate::model::feed::{FeedInfo, NotBefore};
use crate::model::hints::Hints;
use crate::model::http::HttpValidators;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::learned::Learned;
use crate::model::revision::{How, Temper, Withdrawal};
use crate::model::time::Timestamp;
use crate::model::visit::Visit;
use crate::model::withheld::Reason;

/// The only way to write a poll. Everything in it is stored together or not at all, so there can be no validators
/// without the articles they vouch for, and no failure without a next time.
#[derive(Clone, Debug, PartialEq)]
pub struct PollRecord {
    /// Which feed.
    pub feed: FeedId,
    /// When it was asked.
    pub at: Timestamp,
    /// How long it took, requests included.
    pub took: Duration,
    /// When it is due next by its rhythm.
    pub next: Timestamp,
    /// Why then, in plain words.
    pub why_next: String,
    /// Not before then, not even by order. Replaces the stored one.
    pub not_before: Option<NotBefore>,
    /// The server's word that nothing is new before then. Replaces the stored one.
    pub fresh_until: Option<Timestamp>,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// What is known of the feed now. Replaces what was.
    pub learned: Learned,
    /// What came of it.
    pub result: PollResult,
}

/// What came of a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum PollResult {
    /// A document that was read.
    Read(Box<Reading>),
    /// 304, or the same bytes again: nothing to read.
    Unchanged {
        /// Validators that replace the stored pair; `None` keeps it.
        validators: Option<Coverage>,
    },
    /// Told to stay away.
    RateLimited {
        /// 429 or 503.
        status: u16,
    },
    /// 410.
    Gone,
    /// Anything else, in plain words.
    Failed {
        /// Why.
        why: String,
    },
}

/// A document that was read, and what it held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What the feed says of itself.
    pub info: FeedInfo,
    /// Articles that are new or changed, oldest first. What of them is new, revised or a reprint the store judges in its transaction.
    pub articles: Vec<Article>,
    /// What it says of when to ask.
    pub hints: Hints,
    /// How many entries it held.
    pub entries: u32,
    /// Whether one of them was known; if not, others may have come and gone unseen (P-133).
    pub met: bool,
    /// Who its entries are.
    pub roll: Roll,
    /// The dates of those that were not known.
    pub arrivals: Vec<Option<Timestamp>>,
    /// Entries that were there before, unchanged.
    pub known: usize,
    /// Entries that were left out, and why.
    pub skipped: Vec<Skipped>,
    /// Of those, the ones whose own pages are lost as far as we know: they are not asked again at once.
    pub missed: Vec<EntryKey>,
    /// The pages behind its entries that came, to be kept.
    pub visits: Vec<Visit>,
    /// Entries that stand in it as they are stored, while another edition of them is held back.
    pub standing: Vec<EntryKey>,
    /// Entries that their publisher takes back.
    pub withdrawn: Vec<Withdrawal>,
    /// Entries in it that were taken back before by a word in their feed.
    pub back: Vec<EntryKey>,
    /// Repairs and evidence, in plain words.
    pub notes: Vec<String>,
    /// Hash of the document's bytes, where all of it was read.
    pub document: Option<RawHash>,
    /// How much of the page was dealt with.
    pub coverage: Coverage,
}

/// Who the entries of a document are, looked at as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roll {
    /// The first numbers of those that are known.
    pub listed: Vec<ArticleSeq>,
    /// The keys of those that are not, read or not.
    pub strange: Vec<EntryKey>,
    /// It is the first document of its feed at this address.
    pub first: bool,
    /// Then: those of `strange` that are its backlog (P-132).
    pub backlog: Vec<EntryKey>,
    /// So many of `strange` are news whatever its rhythm: more may be a flood.
    pub pass: usize,
    /// Keys under which known entries came for the first time, each with the entry's own (P-121, P-123).
    pub aliases: Vec<(EntryKey, EntryKey)>,
    /// Its ids are not believed (P-122).
    pub lying: bool,
    /// When the document was made, by its server's word.
    pub made: Option<Timestamp>,
    /// It is older than one that was read before: what is known stays as it is (P-135).
    pub older: bool,
}

/// Validators vouch for all of a page, or there are none to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// Everything on the page is dealt with; these replace the stored validators (`None`: it had none).
    Whole(Option<HttpValidators>),
    /// Something was left for the next poll (a detail page that failed, or over this poll's budget): the stored
    /// validators are dropped, so that the next poll sees the page again.
    #[default]
    Partial,
}

/// What the store knows of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// Its latest revision.
    pub latest: ArticleSeq,
    /// Hash of that revision as published.
    pub raw: RawHash,
    /// Hash of the teaser that led to it.
    pub teaser: Option<RawHash>,
    /// Its `atom:updated`, as we show it.
    pub revised: Timestamp,
    /// The publisher's date of its last change, of that revision; `None` also where the revision is no longer kept.
    pub updated: Option<Timestamp>,
    /// The publisher's date, likewise.
    pub published: Option<Timestamp>,
    /// How it changes.
    pub temper: Temper,
    /// How its publisher took it back, if it did and it did not come back.
    pub withdrawn: Option<How>,
}

/// An entry as the store recognises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Its own key: the first it came by.
    pub key: EntryKey,
    /// The number of its first revision.
    pub first: ArticleSeq,
    /// The rest.
    pub known: KnownEntry,
}

/// What an unknown entry of a listing may be recognised by, besides its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Its link, and what the link was before its scheme changed.
    pub links: Vec<String>,
    /// Its words.
    pub words: Option<ContentHash>,
}

/// A known entry that an unknown one of a listing may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The known one.
    pub entry: Recognised,
    /// It had the same link.
    pub link: bool,
    /// It has the same words.
    pub words: bool,
    /// It is known by an id, a link, words.
    pub kinds: [bool; 3],
}

/// Far more new entries than a feed's rhythm lets expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// How many are withheld.
    pub entries: usize,
    /// How many would have passed.
    pub most: usize,
    /// Why they are: a flood, or an archive that was put in.
    pub why: Reason,
}

/// A flood as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// When it came.
    pub since: Timestamp,
    /// How many would have passed.
    pub most: usize,
    /// How many of its entries are withheld.
    pub waiting: usize,
    /// They have left the feed again.
    pub left: bool,
}

/// An entry whose own page was lost when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// How often.
    pub times: u32,
    /// When last.
    pub last: Timestamp,
}

/// What an article is to what is already stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Neither entry nor words were here before.
    New,
    /// The entry was; these are other words. Names its latest revision.
    Revised(ArticleSeq),
    /// Entry and words were. Names the latest revision.
    Known(ArticleSeq),
    /// The words were here before, in another entry. Names the first article that carries them.
    Reprint(ArticleSeq),
}

/// What the store made of a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Every article of the poll with its key and verdict, in the poll's order; the number is the one given, or for
    /// [`Verdict::Known`] the one it has.
    pub articles: Vec<(EntryKey, ArticleSeq, Verdict)>,
    /// How many entries came otherwise than they are stored and stay as they are; their verdict is
    /// [`Verdict::Known`].
    pub held: usize,
    /// Some of those may be taken as they are at a later poll: the page has to be read again.
    pub waits: bool,
    /// How many entries were taken back by their publisher, that were not before.
    pub withdrawn: usize,
    /// Too many of them at once.
    pub burst: Option<Burst>,
    /// How many entries were shown again, since the flood they came in is there to stay.
    pub released: usize,
}

impl Recorded {
    /// What there is to tell of entries that stay as they are or were taken back.
    pub fn in_words(&self) -> impl Iterator<Item = String> {
        let told =
            |count: usize, what: &str| (count > 0).then(|| format!("{count} entries {what}"));
        let held = told(
            self.held,
            "came otherwise than they are stored and stay as they are: `feedmill why` says of each why",
        );
        let withdrawn = told(
            self.withdrawn,
            "were withdrawn by their publisher; their words stay",
        );
        held.into_iter().chain(withdrawn)
    }

    /// How many there are of each: new, revised, reprints, known.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        self.articles.iter().fold(
            (0, 0, 0, 0),
            |(n, r, p, k), (_, _, verdict)| match verdict {
                Verdict::New => (n + 1, r, p, k),
                Verdict::Revised(_) => (n, r + 1, p, k),
                Verdict::Reprint(_) => (n, r, p + 1, k),
                Verdict::Known(_) => (n, r, p, k + 1),
            },
        )
    }
}
