//! How long what is stored is kept, and what is remembered of what was let go.

use std::time::Duration;

use crate::model::time::Timestamp;

/// How much of something is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bound<T> {
    /// All of it, for good.
    #[default]
    Forever,
    /// As much as this.
    Of(T),
}

impl<T> Bound<T> {
    /// The bound, where there is one.
    pub fn of(self) -> Option<T> {
        match self {
            Self::Forever => None,
            Self::Of(bound) => Some(bound),
        }
    }
}

/// How long what a feed brings is kept in the store. By default all of it, for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The pages behind entries, from when they were asked.
    pub pages: Bound<Duration>,
    /// The words of a revision, from when another took its place.
    pub revisions: Bound<Duration>,
    /// The words of an article, from when it was stored.
    pub body: Bound<Duration>,
    /// Title, link, authors and all else but dates and hashes, from when it was stored.
    pub metadata: Bound<Duration>,
    /// Entries of one feed that keep their words: the newest.
    pub count: Bound<u64>,
    /// Bytes of words of one feed, pressed as they are stored.
    pub size: Bound<u64>,
}

/// What an order says otherwise than the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepOrder {
    /// As [`Keep::pages`].
    pub pages: Option<Bound<Duration>>,
    /// As [`Keep::revisions`].
    pub revisions: Option<Bound<Duration>>,
    /// As [`Keep::body`].
    pub body: Option<Bound<Duration>>,
    /// As [`Keep::metadata`].
    pub metadata: Option<Bound<Duration>>,
    /// As [`Keep::count`].
    pub count: Option<Bound<u64>>,
    /// As [`Keep::size`].
    pub size: Option<Bound<u64>>,
}

impl KeepOrder {
    /// What holds for the feed.
    pub fn over(&self, settings: &Keep) -> Keep {
        Keep {
            pages: self.pages.unwrap_or(settings.pages),
            revisions: self.revisions.unwrap_or(settings.revisions),
            body: self.body.unwrap_or(settings.body),
            metadata: self.metadata.unwrap_or(settings.metadata),
            count: self.count.unwrap_or(settings.count),
            size: self.size.unwrap_or(settings.size),
        }
    }
}

/// What goes, from what is missed least to what is missed most. What stays for good is that the entry and its words were
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// The pages behind entries.
    Pages,
    /// The words of revisions that others have replaced.
    Revisions,
    /// The words of articles.
    Bodies,
    /// All of an article but its dates, hashes and numbers.
    Metadata,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pages, Self::Revisions, Self::Bodies, Self::Metadata];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Revisions => "revisions",
            Self::Bodies => "bodies",
            Self::Metadata => "metadata",
        }
    }

    /// The tier of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// What was let go of an article, when, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// When.
    pub at: Timestamp,
    /// How much of it.
    pub tier: Tier,
    /// The rule: `body = "2y"`.
    pub rule: String,
}

impl Pruned {
    /// True where there is nothing left to show.
    pub fn is_bare(&self) -> bool {
        self.tier == Tier::Metadata
    }

    /// In words, as people are told.
    pub fn told(&self) -> String {
        let what = if self.is_bare() {
            "its words, its title and all else but dates and hashes were let go"
        } else {
            "its words were let go"
        };
        format!("{what} on {} by {}", self.at.rfc3339(), self.rule)
    }
}
