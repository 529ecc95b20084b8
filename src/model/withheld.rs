//! Entries that are stored and not shown where they would be.

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;

/// Why an entry is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It came in a flood that nobody has judged yet: it is shown nowhere.
    Flood,
    /// It was there before its feed was subscribed to: its feed's own view has it, the merged feed and the tags' do not
    /// (P-132).
    Backlog,
    /// A rule of the operator's: likewise.
    Rule,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flood, Self::Backlog, Self::Rule];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Backlog => "backlog",
            Self::Rule => "rule",
        }
    }

    /// The reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// An entry that is withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The number of its first revision.
    pub entry: ArticleSeq,
    /// Its feed.
    pub feed: FeedId,
    /// Why.
    pub why: Reason,
    /// Since when.
    pub since: Timestamp,
}
