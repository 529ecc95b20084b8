//! What is remembered of how an entry changes, and of its withdrawal.

use crate::model::content::RawHash;
use crate::model::entry::EntryKey;
use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;

/// Why what came of an entry is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// All changes that bring no dated new words are used up (P-126).
    Spent,
    /// It has words again that it had before, and not for the first time: its publisher has several editions (P-127).
    Returned,
    /// By the publisher's own date this edition is older than the stored one (P-135).
    Older,
    /// It was revised too often within a day.
    Often,
}

impl Hold {
    /// All of them, with the names they have in the store.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Spent, "spent"),
        (Self::Returned, "returned"),
        (Self::Older, "older"),
        (Self::Often, "often"),
    ];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(hold, _)| *hold == self)
            .map_or("spent", |(_, name)| name)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(hold, _)| *hold)
    }
}

/// What came of an entry and is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why.
    pub why: Hold,
    /// Since when the entry is held for a reason.
    pub since: Timestamp,
    /// Hash of what came, as published.
    pub raw: RawHash,
    /// Since when it was this and nothing else, and how often.
    pub stays: Timestamp,
    /// As above; 0 where the stored edition came in between.
    pub seen: u32,
    /// When it came last, to within some hours.
    pub last: Timestamp,
}

/// How an entry changes without its publisher's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Temper {
    /// Changes so far that brought no dated new words.
    pub quiet: u32,
    /// What is held back now.
    pub held: Option<Held>,
}

/// How its publisher took an entry back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `at:deleted-entry` in its feed (RFC 6721).
    Deleted,
    /// 410 for its own page.
    Gone,
}

impl How {
    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted-entry",
            Self::Gone => "gone",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Deleted, Self::Gone]
            .into_iter()
            .find(|how| how.name() == name)
    }
}

/// A publisher takes an entry of its feed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Which.
    pub key: EntryKey,
    /// How.
    pub how: How,
    /// When, by the publisher.
    pub said: Option<Timestamp>,
    /// What the publisher says of it.
    pub comment: Option<String>,
}

/// An entry that was taken back. Its words are still here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The number of its first revision.
    pub entry: ArticleSeq,
    /// When that was seen.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// When, by the publisher.
    pub said: Option<Timestamp>,
    /// What the publisher says of it.
    pub comment: Option<String>,
    /// How often it was taken back by now.
    pub times: u32,
    /// When it came back.
    pub back: Option<Timestamp>,
}
