//! What became of feeds, for people.

use std::time::Duration;

use crate::model::entry::Skipped;
use crate::model::feed::NotBefore;
use crate::model::ids::FeedId;
use crate::model::poll::{Burst, PollRecord, PollResult};
use crate::model::time::Timestamp;
use crate::rules::health::Outage;
use crate::service::poll::{Outcome, Polled, Seen};

/// What became of one feed when it was to be polled.
#[derive(Clone, Debug)]
pub struct FeedReport {
    /// Which feed.
    pub feed: FeedId,
    /// What became of it.
    pub fate: Fate,
    /// Articles by verdict.
    pub counts: Counts,
    /// How long it took.
    pub took: Duration,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
    /// Repairs and evidence.
    pub notes: Vec<String>,
    /// Too many new entries at once.
    pub burst: Option<Burst>,
    /// Entries of a flood that are shown again, since they are still in the feed.
    pub released: usize,
    /// What came over the wire, as far as that is known.
    pub seen: Seen,
    /// What is remembered of it; `None` where nothing is.
    pub record: Option<Remembered>,
}

/// What is remembered of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// When the feed was asked.
    pub at: Timestamp,
    /// When it is asked next.
    pub next: Timestamp,
    /// Why then, in plain words.
    pub why_next: String,
    /// It says nothing new of how a feed that is fine is doing.
    pub calm: bool,
}

/// Articles of a poll by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries with words that were not here before.
    pub new: usize,
    /// Entries that were here with other words.
    pub revised: usize,
    /// Entries whose words were here in another entry.
    pub reprints: usize,
    /// Entries that were here.
    pub known: usize,
}

/// What became of a feed.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Read.
    Read {
        /// Something is left for the next poll.
        partial: bool,
    },
    /// 304, or the same bytes.
    Unchanged,
    /// Not asked.
    LeftAlone(NotBefore),
    /// Asked in vain.
    Failed(String),
    /// Nobody could be reached, so the fault is taken to be ours; nothing is recorded, nobody is blamed (P-49).
    Offline(String),
    /// Stopped by us before it was done; nothing is recorded, nobody is blamed.
    Stopped,
}

impl Fate {
    /// One word for tables and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Read { partial: false } => "read",
            Self::Read { partial: true } => "partial",
            Self::Unchanged => "unchanged",
            Self::LeftAlone(_) => "left-alone",
            Self::Failed(_) => "failed",
            Self::Offline(_) => "offline",
            Self::Stopped => "stopped",
        }
    }
}

impl Fate {
    /// Whether the feed was asked, and answered well.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Unchanged)
    }
}

impl FeedReport {
    /// Of a feed with nothing else to tell.
    pub(super) fn of(feed: FeedId, fate: Fate) -> Self {
        Self {
            feed,
            fate,
            counts: Counts::default(),
            took: Duration::ZERO,
            skipped: Vec::new(),
            notes: Vec::new(),
            burst: None,
            released: 0,
            seen: Seen::default(),
            record: None,
        }
    }

    /// Of a poll that is not recorded, since we are cut off.
    pub(super) fn offline(record: &PollRecord, outage: Outage) -> Self {
        let error = match &record.result {
            PollResult::Failed { why } => why.as_str(),
            _ => "no answer",
        };
        let why = format!(
            "{} of {} hosts are out of reach, so the fault is taken to be here, and nothing is held against the feed: {error}",
            outage.unreached, outage.asked
        );
        Self {
            took: record.took,
            ..Self::of(record.feed.clone(), Fate::Offline(why))
        }
    }

    /// Why, in plain words: the reason of a failure or of being left alone, else what is worth knowing of a good poll.
    pub fn why(&self) -> String {
        match &self.fate {
            Fate::LeftAlone(held) => format!("until {}: {}", held.until, held.why),
            Fate::Failed(why) | Fate::Offline(why) => why.clone(),
            Fate::Stopped => "stopped before it was done".to_owned(),
            Fate::Read { .. } | Fate::Unchanged => match self.skipped.as_slice() {
                [] if self.fate == (Fate::Read { partial: true }) => {
                    "more is left for the next poll".to_owned()
                }
                [] => String::new(),
                [one] => format!("1 entry left out: {}: {}", one.what, one.why),
                [first, ..] => format!(
                    "{} entries left out, the first: {}: {}",
                    self.skipped.len(),
                    first.what,
                    first.why
                ),
            },
        }
    }
}

impl From<Polled> for FeedReport {
    fn from(polled: Polled) -> Self {
        let (new, revised, reprints, again) = polled.recorded.counts();
        let told_of_entries: Vec<String> = polled.recorded.in_words().collect();
        let told = polled.told;
        let held = told.held.unwrap_or_default();
        let fate = match told.outcome {
            Outcome::Failed(why) => Fate::Failed(why),
            Outcome::Away => Fate::Failed(held),
            // Read, but nothing behind it could be had.
            _ if told.failures > 0 => Fate::Failed(held),
            Outcome::Read => Fate::Read { partial: false },
            Outcome::Partial => Fate::Read { partial: true },
            Outcome::Unchanged => Fate::Unchanged,
        };
        Self {
            counts: Counts {
                new,
                revised,
                reprints,
                known: told.known + again,
            },
            took: told.took,
            skipped: told.skipped,
            notes: told.notes.into_iter().chain(told_of_entries).collect(),
            burst: polled.recorded.burst,
            released: polled.recorded.released,
            seen: told.seen,
            record: Some(Remembered {
                at: told.at,
                next: told.next,
                why_next: told.why_next,
                calm: told.calm,
            }),
            ..Self::of(told.feed, fate)
        }
    }
}
