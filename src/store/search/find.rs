//! Finding: candidates by the index, newest first, and each looked at in its own words.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{BLOCK, months, state};
use crate::model::article::StoredArticle;
use crate::model::content::Content;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::rules::html;
use crate::rules::query::{Haystack, Plan, Query, Searchable};
use crate::rules::terms::{SearchText, Term};
use crate::store::articles::article;
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;
use crate::store::press::Unpress;
use crate::store::shapes::More;

/// With more feeds than these it is cheaper to look at each candidate's.
const FEW: usize = 8;

/// Copies of the same words that are looked at for one that is shown already.
const COPIES: i64 = 16;

/// What is looked for, and where.
#[derive(Clone, Copy, Debug)]
pub struct Seek<'a> {
    /// What is asked.
    pub query: &'a Query,
    /// The operator's tags, by feed.
    pub tags: &'a HashMap<FeedId, Vec<String>>,
    /// Only articles of these feeds, as readers see them: nothing of a flood, and the same words once, in the entry that
    /// had them first. `None`: every entry there is.
    pub shown: Option<&'a HashSet<FeedId>>,
    /// Only articles below this number: the last one of the page before.
    pub below: Option<ArticleSeq>,
    /// At most so many.
    pub limit: usize,
    /// At most so many are looked at.
    pub most: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Highest number first; the latest revisions of their entries.
    pub articles: Vec<StoredArticle>,
    /// Where it goes on, if there may be more: below this number.
    pub on: Option<ArticleSeq>,
}

/// The articles that are asked for, of those that are in the index.
pub fn find(connection: &Connection, seek: &Seek<'_>) -> Result<Found, StoreError> {
    let mut search = Search::new(connection, seek)?;
    let below = match seek.below {
        Some(seq) => number(seq).unwrap_or(i64::MAX),
        None => i64::MAX,
    };
    if search.feeds.is_empty() || seek.limit == 0 {
        return Ok(Found::default());
    }
    let plan = seek.query.plan();
    let narrow = search.narrow()?;
    if plan.terms.is_empty() && narrow.is_empty() && !plan.characters.is_empty() {
        search.by_blocks(&blocks(&plan), below)?;
    } else if plan.terms.is_empty() && narrow.is_empty() {
        search.walk(below, 0)?;
    } else {
        let parts: Vec<String> = plan
            .terms
            .iter()
            .map(|part| of_terms(part))
            .chain(narrow)
            .collect();
        search.by_terms(&parts.join(" AND "), below)?;
    }
    Ok(search.found)
}

/// A search under way.
struct Search<'a> {
    connection: &'a Connection,
    seek: &'a Seek<'a>,
    /// The feeds whose articles may match, by number.
    feeds: HashMap<i64, FeedId>,
    /// Whether there are feeds that cannot.
    some: bool,
    names: bool,
    /// Made with the first body that is read.
    unpress: Option<Unpress>,
    looked: usize,
    found: Found,
}

/// An entry as far as it can be judged without its words.
struct Light {
    seq: i64,
    first_seq: i64,
    feed: i64,
    words: i64,
    date: Timestamp,
}

impl<'a> Search<'a> {
    fn new(connection: &'a Connection, seek: &'a Seek<'a>) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("SELECT num, id FROM feed")?;
        let mut rows = statement.query([])?;
        let (mut feeds, mut some) = (HashMap::new(), false);
        while let Some(row) = rows.next()? {
            let cells = Cells::of(row, "feed", "num")?;
            let id = cells.feed("id")?;
            let tags = seek.tags.get(&id).map_or(&[][..], Vec::as_slice);
            let may = seek.shown.is_none_or(|shown| shown.contains(&id))
                && seek.query.possible(&id, tags, None);
            if may {
                feeds.insert(cells.get("num")?, id);
            } else {
                some = true;
            }
        }
        Ok(Self {
            connection,
            seek,
            feeds,
            some,
            names: seek.query.names_people_or_categories(),
            unpress: None,
            looked: 0,
            found: Found::default(),
        })
    }

    /// What feeds and dates add to the terms: each an expression of which something must be there.
    fn narrow(&self) -> Result<Vec<String>, StoreError> {
        let mut parts = Vec::new();
        if self.some && self.feeds.len() <= FEW {
            let mut feeds: Vec<String> =
                self.feeds.keys().map(|num| format!("\"f{num}\"")).collect();
            feeds.sort();
            parts.push(format!("({})", feeds.join(" OR ")));
        }
        let (from, to) = self.seek.query.span();
        if from.is_some() || to.is_some() {
            let ends: (Option<i64>, Option<i64>) = self
                .connection
                .prepare_cached(
                    "SELECT (SELECT min(date) FROM entry), (SELECT max(date) FROM entry)",
                )?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if let (Some(first), Some(last)) = ends {
                let (first, last) = (Timestamp::from_millis(first), Timestamp::from_millis(last));
                let from = from.map_or(first, |from| from.max(first));
                let to = to.map_or(last, |to| to.min(last));
                if let Some(months) = months::between(from, to) {
                    let quoted: Vec<String> =
                        months.iter().map(|term| format!("\"{term}\"")).collect();
                    // Nothing is of no month: a term that no article has.
                    let none = || "\"y\"".to_owned();
                    parts.push(if quoted.is_empty() {
                        none()
                    } else {
                        format!("({})", quoted.join(" OR "))
                    });
                }
            }
        }
        Ok(parts)
    }

    fn by_terms(&mut self, expression: &str, below: i64) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC",
        )?;
        let mut rows = statement.query(params![expression, below])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            if let Some(light) = self.light(seq)?
                && self.full(&light)?
            {
                break;
            }
        }
        Ok(())
    }

    fn by_blocks(&mut self, expression: &str, below: i64) -> Result<(), StoreError> {
        let first = number(ArticleSeq(
            state(self.connection)?.block.saturating_mul(BLOCK),
        ))?;
        // What is in no block yet.
        if below > first && self.walk(below, first)? {
            return Ok(());
        }
        let size = i64::try_from(BLOCK).unwrap_or(1);
        let mut statement = self.connection.prepare_cached(
            "SELECT rowid FROM search_block WHERE search_block MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC",
        )?;
        let mut rows = statement.query(params![expression, below.saturating_sub(1) / size])?;
        while let Some(row) = rows.next()? {
            let block: i64 = row.get(0)?;
            let first = block.saturating_mul(size);
            if self.walk(below.min(first.saturating_add(size)), first)? {
                break;
            }
        }
        Ok(())
    }

    /// Looks at every article of these numbers, and says whether that was enough.
    fn walk(&mut self, below: i64, from: i64) -> Result<bool, StoreError> {
        // What is not in the index is found by nobody, however it is asked for.
        let end = number(ArticleSeq(state(self.connection)?.next))?.min(below);
        let mut statement = self.connection.prepare_cached(
            "SELECT a.seq, e.first_seq, e.feed, e.words, e.date
               FROM article a JOIN entry e ON e.first_seq = a.entry AND e.latest_seq = a.seq
              WHERE a.seq < ?1 AND a.seq >= ?2 ORDER BY a.seq DESC",
        )?;
        let mut rows = statement.query([end, from])?;
        while let Some(row) = rows.next()? {
            if self.full(&light(row)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An article's entry, where it is the latest revision of one that is still there.
    fn light(&self, seq: i64) -> Result<Option<Light>, StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT a.seq, e.first_seq, e.feed, e.words, e.date
                   FROM article a JOIN entry e ON e.first_seq = a.entry AND e.latest_seq = a.seq
                  WHERE a.seq = ?1",
            )?
            .query_row([seq], light)
            .optional()?;
        Ok(found)
    }

    /// Keeps an article that is asked for, and says whether that was the last one, or enough were looked at.
    fn full(&mut self, light: &Light) -> Result<bool, StoreError> {
        if self.matches(light)? && !self.is_told_elsewhere(light)? {
            let seq = ArticleSeq(u64::try_from(light.seq).unwrap_or_default());
            self.found.articles.extend(article(self.connection, seq)?);
        }
        let full = self.found.articles.len() >= self.seek.limit || self.looked >= self.seek.most;
        if full {
            self.found.on = Some(ArticleSeq(u64::try_from(light.seq).unwrap_or_default()));
        }
        Ok(full)
    }

    fn matches(&mut self, light: &Light) -> Result<bool, StoreError> {
        let Some(feed) = self.feeds.get(&light.feed).cloned() else {
            return Ok(false);
        };
        let tags = self.seek.tags.get(&feed).map_or(&[][..], Vec::as_slice);
        if !self.seek.query.possible(&feed, tags, Some(light.date)) {
            return Ok(false);
        }
        let shown = self.seek.shown.is_none() || !self.waits(light)?;
        self.looked += 1;
        if !shown {
            return Ok(false);
        }
        let texts = self.texts(light.seq)?;
        Ok(texts.is_some_and(|texts| {
            self.seek.query.matches(&Haystack {
                texts: &texts,
                feed: &feed,
                tags,
                date: light.date,
            })
        }))
    }

    /// Whether an entry is one of a flood.
    fn waits(&self, light: &Light) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM withheld WHERE entry = ?1 AND why = 'flood'")?
            .exists([light.first_seq])?)
    }

    /// Whether another entry that had the same words before is found too, where the same words are shown once.
    fn is_told_elsewhere(&mut self, light: &Light) -> Result<bool, StoreError> {
        if self.seek.shown.is_none() {
            return Ok(false);
        }
        let copies = self
            .connection
            .prepare_cached(
                "SELECT latest_seq, first_seq, feed, words, date FROM entry
                  WHERE words = ?1 AND first_seq < ?2 ORDER BY first_seq LIMIT ?3",
            )?
            .query_map(params![light.words, light.first_seq, COPIES], self::light)?
            .collect::<Result<Vec<_>, _>>()?;
        for copy in copies {
            if self.matches(&copy)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What of an article is searched.
    fn texts(&mut self, seq: i64) -> Result<Option<Searchable>, StoreError> {
        let sql = if self.names {
            "SELECT seq, title, body_kind, body, more FROM article WHERE seq = ?1"
        } else {
            "SELECT seq, title, body_kind, body FROM article WHERE seq = ?1"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([seq])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let cells = Cells::of(row, "article", "seq")?;
        let bad = |why: String| cells.bad("body", &why);
        let unpress = match &mut self.unpress {
            Some(unpress) => unpress,
            none => none.insert(Unpress::new().map_err(|error| bad(error.to_string()))?),
        };
        let body = Content {
            kind: cells.content_kind("body_kind")?,
            text: unpress.text(row.get_ref("body")?).map_err(bad)?,
        };
        let more: More = if self.names {
            cells.json("more")?
        } else {
            More::default()
        };
        let all = |texts: Vec<String>| texts.iter().map(|text| SearchText::of(text)).collect();
        Ok(Some(Searchable {
            title: SearchText::of(&cells.get::<String>("title")?),
            body: SearchText::of(&html::words(&body)),
            authors: all(more.authors),
            categories: all(more.categories),
        }))
    }
}

fn light(row: &Row<'_>) -> rusqlite::Result<Light> {
    Ok(Light {
        seq: row.get(0)?,
        first_seq: row.get(1)?,
        feed: row.get(2)?,
        words: row.get(3)?,
        date: Timestamp::from_millis(row.get(4)?),
    })
}

/// One part of a plan as an expression of FTS5: alternatives, each of terms that must all be there.
fn of_terms(part: &[Vec<Term>]) -> String {
    any(part.iter().map(|terms| {
        let quoted = terms.iter().map(|term| quoted(&term.text, term.prefix));
        quoted.collect()
    }))
}

/// The same of blocks.
fn blocks(plan: &Plan) -> String {
    let part = |part: &Vec<Vec<char>>| {
        any(part.iter().map(|characters| {
            let quoted = characters
                .iter()
                .map(|c| quoted(c.encode_utf8(&mut [0; 4]), false));
            quoted.collect()
        }))
    };
    let parts: Vec<String> = plan.characters.iter().map(part).collect();
    parts.join(" AND ")
}

fn any(alternatives: impl Iterator<Item = Vec<String>>) -> String {
    let all: Vec<String> = alternatives
        .map(|terms| format!("({})", terms.join(" AND ")))
        .collect();
    format!("({})", all.join(" OR "))
}

/// A term as FTS5 takes it for nothing but a term.
fn quoted(term: &str, prefix: bool) -> String {
    let star = if prefix { "*" } else { "" };
    format!("\"{}\"{star}", term.replace('"', "\"\""))
}
