//! What the operator's rules do to entries. Derived: it can be judged anew at any time, and nothing is ever deleted by it.

use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;

/// What a rule does to the entries it matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// It is not shown in the merged feed and the tags' feeds.
    Drop,
    /// It is marked.
    Highlight,
    /// It gets a tag, as if its subscription had it.
    Tag(String),
}

impl Act {
    /// Its name in the store.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Highlight => "highlight",
            Self::Tag(_) => "tag",
        }
    }

    /// The tag it gives; empty where it gives none.
    pub fn tag(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Drop | Self::Highlight => "",
        }
    }

    /// The act of this name, with this tag.
    pub fn named(name: &str, tag: &str) -> Option<Self> {
        match (name, tag) {
            ("drop", "") => Some(Self::Drop),
            ("highlight", "") => Some(Self::Highlight),
            ("tag", tag) if !tag.is_empty() => Some(Self::Tag(tag.to_owned())),
            _ => None,
        }
    }
}

/// A rule as a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Its name.
    pub name: String,
    /// The query it matches by.
    pub query: String,
    /// What it does; never empty.
    pub acts: Vec<Act>,
}

/// What rules say of an entry that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The tags they give it, each once.
    pub tags: Vec<String>,
    /// Whether one of them marks it.
    pub highlight: bool,
}

/// What the rules say of one article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which revision was judged.
    pub seq: ArticleSeq,
    /// Its entry.
    pub entry: ArticleSeq,
    /// The rules that match, by their place, with what they do.
    pub acts: Vec<(usize, Act)>,
}

/// All entries judged by one list of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Which: only ever grows.
    pub number: i64,
    /// The print of the rules, and of what else verdicts depend on.
    pub print: [u8; 32],
    /// The rules, in their order.
    pub rules: Vec<RuleText>,
    /// Articles up to this number are judged.
    pub cursor: Option<ArticleSeq>,
    /// Since when it is what is shown; `None` where it is not yet.
    pub since: Option<Timestamp>,
}

/// Which verdicts hold, and which are being made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// What is shown. `None`: nobody ever wrote a rule.
    pub standing: Option<Round>,
    /// What will be, once everything is judged.
    pub coming: Option<Round>,
    /// Whether there are verdicts of rounds that are over.
    pub over: bool,
    /// The last article there is.
    pub last: Option<ArticleSeq>,
}

/// What can be ordered of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin to judge everything by these rules. What was begun before is given up.
    Begin {
        /// As [`Round::print`].
        print: [u8; 32],
        /// As [`Round::rules`].
        rules: Vec<RuleText>,
    },
    /// Give up what was begun.
    Abandon,
    /// Keep verdicts of a round. A revision that is not the latest any more is passed over: the latest is still to come.
    Keep {
        /// The round; where it is no more, nothing is kept.
        round: i64,
        /// In the order of their numbers.
        judged: Vec<Judged>,
        /// All up to here were judged.
        cursor: Option<ArticleSeq>,
    },
    /// Show by this round from now on, if everything is judged.
    Stand {
        /// The round.
        round: i64,
    },
    /// Throw away some verdicts of rounds that are over.
    Sweep,
}
