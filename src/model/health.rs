//! The states a source can be in, and the change from one to another.

use std::fmt;

use crate::model::ids::FeedId;
use crate::model::time::Timestamp;

/// The state of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// All is as it was. An empty feed that was always empty is fine.
    #[default]
    Fine,
    /// Silent for longer than it is used to.
    Late,
    /// Silent for so long that something has happened.
    Silent,
    /// Answers well, without any of the entries it had.
    Empty,
    /// Answers well, with far less than it had: short texts, or no pages behind its list.
    Thin,
    /// We are not welcome.
    Blocked,
    /// It is somewhere else now.
    Moved,
    /// Its pages have another shape.
    Redesigned,
    /// It cannot be had.
    Failing,
    /// Gone by its own word.
    Gone,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Fine,
        Self::Late,
        Self::Silent,
        Self::Empty,
        Self::Thin,
        Self::Blocked,
        Self::Moved,
        Self::Redesigned,
        Self::Failing,
        Self::Gone,
    ];

    /// One word, for machines and for people. Never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Empty => "empty",
            Self::Thin => "thin",
            Self::Blocked => "blocked",
            Self::Moved => "moved",
            Self::Redesigned => "redesigned",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// The state with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fine => "fine",
            Self::Late => "late: silent for longer than it is used to",
            Self::Silent => "silent: it should have brought something long ago",
            Self::Empty => "empty: it answers well, without the entries it had",
            Self::Thin => "thin: it brings far less of its articles than it did",
            Self::Blocked => "blocked: it refuses us",
            Self::Moved => "moved: it has another address",
            Self::Redesigned => "redesigned: its pages have a shape we do not know",
            Self::Failing => "failing: it cannot be had",
            Self::Gone => "gone: by its own word",
        })
    }
}

/// The state a source is in, since when, and why: what is stored with a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Why, in plain words, as of the last poll.
    pub why: String,
}

/// A source came into another state: an entry of the health feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state it was in.
    pub from: State,
    /// The state it is in.
    pub to: State,
    /// When this was noticed.
    pub at: Timestamp,
    /// Why, in plain words.
    pub why: String,
}

/// A change as it is kept and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthEvent {
    /// Its number: given once, growing.
    pub number: u64,
    /// Whose.
    pub feed: FeedId,
    /// What.
    pub change: Change,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, why, .. } = self;
        write!(f, "{} after {}: {why}", to.word(), from.word())
    }
}
