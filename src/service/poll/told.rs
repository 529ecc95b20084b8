//! What is told of a poll after the store has taken its articles.

use std::time::Duration;

use crate::model::entry::Skipped;
use crate::model::ids::FeedId;
use crate::model::poll::{Coverage, PollRecord, PollResult, Recorded};

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
    pub fn of(record: &PollRecord) -> Self {
        let mut told = Self {
            feed: record.feed.clone(),
            took: record.took,
            failures: record.failures,
            outcome: Outcome::Unchanged,
            held: record.not_before.as_ref().map(|held| held.why.clone()),
            known: 0,
            skipped: Vec::new(),
            notes: Vec::new(),
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
