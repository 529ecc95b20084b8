//! What is told of a poll after the store has taken its articles.

use std::time::Duration;

use crate::model::entry::Skipped;
use crate::model::http::{FetchError, FetchOutcome};
use crate::model::ids::FeedId;
use crate::model::poll::{Coverage, PollRecord, PollResult, Recorded};
use crate::model::time::Timestamp;
use crate::rules::health;

/// What came of a poll, as recorded.
pub struct Polled {
    /// What was decided.
    pub told: Told,
    /// What the store made of its articles.
    pub recorded: Recorded,
}

/// A poll's record without the words, for telling people after the store has taken it.
pub struct Told {
    /// Which feed.
    pub feed: FeedId,
    /// How long it took.
    pub took: Duration,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// What came of it, in one word of [`Outcome`].
    pub outcome: Outcome,
    /// Why the feed is left alone from now on, if it is.
    pub held: Option<String>,
    /// Entries that were there before, unchanged.
    pub known: usize,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
    /// Repairs and evidence.
    pub notes: Vec<String>,
    /// When it was asked.
    pub at: Timestamp,
    /// When it is asked next.
    pub next: Timestamp,
    /// Why then.
    pub why_next: String,
    /// What came over the wire, as far as that is known.
    pub seen: Seen,
    /// As [`health::is_calm`].
    pub calm: bool,
}

/// What a poll saw of its publisher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The status of the answer to its first request; `None` where there was no answer.
    pub status: Option<u16>,
    /// Bytes of all bodies that came, after their content coding was undone.
    pub bytes: u64,
    /// How old the first answer was when it came, where it tells (RFC 9111 §4.2.3).
    pub age: Option<Duration>,
}

impl Seen {
    /// Of the answer to its first request, that came at this time; its bytes are not counted yet.
    pub(super) fn of(answer: &Result<FetchOutcome, FetchError>, came: Timestamp) -> Self {
        let (status, age) = match answer {
            Ok(FetchOutcome::Fresh { dated, .. }) => (Some(200), dated.age(came)),
            Ok(FetchOutcome::NotModified { dated, .. }) => (Some(304), dated.age(came)),
            Ok(FetchOutcome::Gone) => (Some(410), None),
            Ok(FetchOutcome::RateLimited { status, .. })
            | Err(FetchError::Status { status, .. }) => (Some(*status), None),
            Err(_) => (None, None),
        };
        Self {
            status,
            bytes: 0,
            age,
        }
    }
}

/// What came of a poll, in one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Read whole.
    Read,
    /// Read, and something is left for the next poll.
    Partial,
    /// Nothing to read.
    Unchanged,
    /// Told to stay away, for a while or for good.
    Away,
    /// Anything else, in plain words.
    Failed(String),
}

impl Told {
    /// What there is to tell of a record.
    pub fn of(record: &PollRecord, seen: Seen) -> Self {
        let mut told = Self {
            feed: record.feed.clone(),
            took: record.took,
            failures: record.failures,
            outcome: Outcome::Unchanged,
            held: record.not_before.as_ref().map(|held| held.why.clone()),
            known: 0,
            skipped: Vec::new(),
            notes: Vec::new(),
            at: record.at,
            next: record.next,
            why_next: record.why_next.clone(),
            seen,
            calm: health::is_calm(record),
        };
        told.outcome = match &record.result {
            PollResult::Read(reading) => {
                told.known = reading.known;
                told.skipped.clone_from(&reading.skipped);
                told.notes.clone_from(&reading.notes);
                if reading.coverage == Coverage::Partial {
                    Outcome::Partial
                } else {
                    Outcome::Read
                }
            }
            PollResult::Unchanged { .. } => Outcome::Unchanged,
            PollResult::RateLimited { .. } | PollResult::Gone => Outcome::Away,
            PollResult::Failed { why } => Outcome::Failed(why.clone()),
        };
        told
    }
}
