//! What people ask for: words, phrases and fields, as one language for searches, saved searches and rules.
//!
//! A query is clauses that must all hold. A clause is one condition, or several with `OR` between them, of which one is
//! enough. So `OR` joins its neighbours and nothing needs brackets: `source:a OR source:b 选举` is news of the election
//! in either source. `docs/search.md` is the language for its users.

mod error;
mod lexer;
mod parse;
mod plan;

use std::fmt::Write as _;

pub use error::{QueryError, Why};
pub use plan::Plan;

use crate::model::article::Article;
use crate::model::ids::FeedId;
use crate::model::time::{Timestamp, Zone};
use crate::rules::html;
use crate::rules::terms::SearchText;

/// Longer queries are none, in bytes.
pub const MAX_BYTES: usize = 1024;

/// Queries of more conditions are none.
pub const MAX_CONDITIONS: usize = 32;

/// A query that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// All must hold. Never empty.
    clauses: Vec<Clause>,
}

/// Conditions of which one must hold. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Clause(Vec<Condition>);

/// A condition, or its opposite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Condition {
    not: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Words(Place, Needle),
    Source(FeedId),
    /// As [`plain`] makes it.
    Tag(String),
    /// On this instant or later.
    After(Timestamp),
    /// Before this instant.
    Before(Timestamp),
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Title and body.
    Anywhere,
    Title,
    Author,
    Category,
}

/// Words as they are looked for; not empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Needle {
    text: SearchText,
    /// Whether the last word only needs to begin so.
    prefix: bool,
}

/// The texts of an article in the form they are searched in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searchable {
    /// Its title.
    pub title: SearchText,
    /// Its words.
    pub body: SearchText,
    /// Its authors.
    pub authors: Vec<SearchText>,
    /// The publisher's categories.
    pub categories: Vec<SearchText>,
}

impl Searchable {
    /// Of an article.
    pub fn of(article: &Article) -> Self {
        let all = |texts: &[String]| texts.iter().map(|text| SearchText::of(text)).collect();
        Self {
            title: SearchText::of(&article.title),
            body: SearchText::of(&html::words(&article.body)),
            authors: all(&article.authors),
            categories: all(&article.categories),
        }
    }

    /// All of them.
    pub fn texts(&self) -> impl Iterator<Item = &SearchText> {
        [&self.title, &self.body]
            .into_iter()
            .chain(&self.authors)
            .chain(&self.categories)
    }
}

/// An article as a query sees it.
#[derive(Clone, Copy, Debug)]
pub struct Haystack<'a> {
    /// Its texts.
    pub texts: &'a Searchable,
    /// Its feed.
    pub feed: &'a FeedId,
    /// The operator's tags for that feed.
    pub tags: &'a [String],
    /// The date it is sorted by.
    pub date: Timestamp,
}

impl Query {
    /// Reads a query. Days begin at midnight in `zone`.
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, QueryError> {
        parse::parse(text, zone)
    }

    /// Whether an article is asked for.
    pub fn matches(&self, haystack: &Haystack<'_>) -> bool {
        self.clauses.iter().all(|clause| {
            clause.0.iter().any(|condition| {
                let holds = match &condition.what {
                    What::Words(place, needle) => needle.is_in(haystack.texts, *place),
                    What::Source(feed) => feed == haystack.feed,
                    What::Tag(tag) => tagged(haystack.tags, tag),
                    What::After(time) => haystack.date >= *time,
                    What::Before(time) => haystack.date < *time,
                };
                holds != condition.not
            })
        })
    }

    /// False where no article of this feed, or none of this feed and date, can be asked for: its words need not be read.
    pub fn possible(&self, feed: &FeedId, tags: &[String], date: Option<Timestamp>) -> bool {
        self.clauses.iter().all(|clause| {
            clause.0.iter().any(|condition| {
                let holds = match &condition.what {
                    What::Words(..) => None,
                    What::Source(wanted) => Some(wanted == feed),
                    What::Tag(tag) => Some(tagged(tags, tag)),
                    What::After(time) => date.map(|date| date >= *time),
                    What::Before(time) => date.map(|date| date < *time),
                };
                holds.is_none_or(|holds| holds != condition.not)
            })
        })
    }

    /// Whether it looks at authors or categories: where not, nobody needs to read them.
    pub fn names_people_or_categories(&self) -> bool {
        let mut conditions = self.clauses.iter().flat_map(|clause| &clause.0);
        conditions.any(|condition| {
            matches!(
                condition.what,
                What::Words(Place::Author | Place::Category, _)
            )
        })
    }

    /// Outside of these dates it asks for nothing: from the first on, before the second.
    pub fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let (mut from, mut to) = (None, None);
        for clause in &self.clauses {
            let [condition] = clause.0.as_slice() else {
                continue;
            };
            match (&condition.what, condition.not) {
                (What::After(time), false) | (What::Before(time), true) => {
                    from = from.max(Some(*time));
                }
                (What::Before(time), false) | (What::After(time), true) => {
                    to = Some(to.map_or(*time, |to: Timestamp| to.min(*time)));
                }
                _ => {}
            }
        }
        (from, to)
    }

    /// Whether the operator's tags matter to it.
    pub fn asks_for_tags(&self) -> bool {
        let mut conditions = self.clauses.iter().flat_map(|clause| &clause.0);
        conditions.any(|condition| matches!(condition.what, What::Tag(_)))
    }

    /// What an index can narrow the search down with.
    pub fn plan(&self) -> Plan {
        plan::plan(self)
    }

    /// The words that are wanted, in title or body, with whether the last of them only begins so: what is shown of a hit.
    pub fn wanted(&self) -> impl Iterator<Item = (&SearchText, bool)> {
        let conditions = self.clauses.iter().flat_map(|clause| &clause.0);
        conditions.filter_map(|condition| match &condition.what {
            What::Words(Place::Anywhere | Place::Title, needle) if !condition.not => {
                Some((&needle.text, needle.prefix))
            }
            _ => None,
        })
    }

    /// The same text for queries that ask the same in other words (order, script, width, quotes). It says who a saved
    /// search is, and must not change.
    pub fn normal(&self) -> String {
        let mut clauses: Vec<String> = self
            .clauses
            .iter()
            .map(|clause| {
                let mut parts: Vec<String> = clause.0.iter().map(Condition::normal).collect();
                parts.sort();
                parts.dedup();
                parts.join(" OR ")
            })
            .collect();
        clauses.sort();
        clauses.dedup();
        clauses.join(" ")
    }
}

impl Needle {
    fn is_in(&self, texts: &Searchable, place: Place) -> bool {
        let has = |text: &SearchText| text.has(&self.text, self.prefix);
        match place {
            Place::Anywhere => has(&texts.title) || has(&texts.body),
            Place::Title => has(&texts.title),
            Place::Author => texts.authors.iter().any(has),
            Place::Category => texts.categories.iter().any(has),
        }
    }
}

impl Condition {
    fn normal(&self) -> String {
        let mut out = String::from(if self.not { "-" } else { "" });
        // Writing to a text does not fail.
        let _ = match &self.what {
            What::Words(place, needle) => {
                let field = match place {
                    Place::Anywhere => "",
                    Place::Title => "title:",
                    Place::Author => "author:",
                    Place::Category => "category:",
                };
                let star = if needle.prefix { "*" } else { "" };
                write!(out, "{field}\"{}\"{star}", needle.text.as_str())
            }
            What::Source(feed) => write!(out, "source:{feed}"),
            What::Tag(tag) => write!(out, "tag:\"{tag}\""),
            What::After(time) => write!(out, "after:{time}"),
            What::Before(time) => write!(out, "before:{time}"),
        };
        out
    }
}

fn tagged(tags: &[String], wanted: &str) -> bool {
    tags.iter().any(|tag| lexer::plain(tag) == wanted)
}

#[cfg(test)]
mod tests;
