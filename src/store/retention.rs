//! Letting go of what is not to be kept any more: light rows to decide by, and the doing, in bounded slices.
//!
//! What stays in any case is `entry` and `words`, by which nothing comes back as new, and the article's row with its
//! numbers, dates and hashes.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::keep::{Pruned, Tier};
use crate::model::time::Timestamp;
use crate::rules::retention::{Line, Order};
use crate::store::Store;
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::pages;
use crate::store::search;
use crate::store::writer::Command;

/// An article that is not bare yet, and what its keeping depends on besides its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Its feed.
    pub feed: FeedId,
    /// What is decided by.
    pub line: Line,
    /// True where it is the first with its words, and has a file where there is an archive.
    pub has_file: bool,
    /// True while its entry is withheld and nobody has decided.
    pub waits: bool,
}

/// A visit whose pages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitLine {
    /// Its number.
    pub number: i64,
    /// Its feed.
    pub feed: FeedId,
    /// When the pages were asked.
    pub at: Timestamp,
    /// Bytes of what the feed said and of the pages, as they are stored. A page that another visit names, too, is counted
    /// with both.
    pub bytes: u64,
}

impl Store {
    /// The next articles below a number that have something left to let go, highest number first.
    pub fn kept_lines(
        &self,
        below: Option<ArticleSeq>,
        limit: usize,
    ) -> Result<Vec<KeptLine>, StoreError> {
        self.shared.readers.read(|c| lines(c, below, limit))
    }

    /// The next visits above a number whose pages are kept, oldest first.
    pub fn visit_lines(&self, above: i64, limit: usize) -> Result<Vec<VisitLine>, StoreError> {
        self.shared.readers.read(|c| visit_lines(c, above, limit))
    }

    /// Lets go of what is ordered, all or none. What has gone already is no error; says of how many something went.
    pub async fn prune(&self, orders: Vec<Order>, at: Timestamp) -> Result<usize, StoreError> {
        self.ask(|reply| Command::Prune(orders, at, reply)).await
    }

    /// Lets go of these visits and of the pages that no other names, all or none.
    pub async fn drop_visits(&self, numbers: Vec<i64>) -> Result<usize, StoreError> {
        self.ask(|reply| Command::DropVisits(numbers, reply)).await
    }

    /// When everything was last gone through for what is to be let go.
    pub fn last_prune(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.readers.read(last_prune)
    }

    /// Notes that everything has been gone through, and up to when ages were counted.
    pub async fn pruned(&self, at: Timestamp, judged: Timestamp) -> Result<(), StoreError> {
        self.ask(|reply| Command::Pruned(at, judged, reply)).await
    }

    /// What the store knows of the time: up to when ages were counted last, or else when a feed was last asked.
    pub fn known_time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.readers.read(known_time)
    }

    /// Writes the database anew without the room that is free in it, and gives that back to the disk. Needs twice its
    /// room meanwhile; nothing else is written until it is done.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.ask(Command::Compact).await
    }
}

fn lines(
    connection: &Connection,
    below: Option<ArticleSeq>,
    limit: usize,
) -> Result<Vec<KeptLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.seq, a.words, a.recorded, f.id AS feed, a.pruned, octet_length(a.body) AS body_bytes,
                octet_length(a.title) + coalesce(octet_length(a.more), 0) + coalesce(octet_length(a.summary), 0)
                  + coalesce(octet_length(a.link), 0) + coalesce(octet_length(a.id), 0) AS rest_bytes,
                iif(a.seq = e.latest_seq, NULL,
                    (SELECT n.recorded FROM article n WHERE n.entry = a.entry AND n.seq > a.seq
                      ORDER BY n.seq LIMIT 1)) AS replaced,
                EXISTS (SELECT 1 FROM withheld h WHERE h.entry = a.entry AND h.why = 'flood') AS waits
           FROM article a
           LEFT JOIN entry e ON e.first_seq = a.entry
           LEFT JOIN feed f ON f.num = e.feed
           LEFT JOIN pruning g ON g.num = a.pruned
          WHERE a.seq < ?1 AND g.tier IS NOT 'metadata'
          ORDER BY a.seq DESC LIMIT ?2",
    )?;
    let below = below.map_or(Ok(i64::MAX), number)?;
    let mut rows = statement.query(params![below, count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "article", "seq")?;
        let seq = cells.seq("seq")?;
        let is_whole = cells.get::<Option<i64>>("pruned")?.is_none();
        found.push(KeptLine {
            feed: cells.feed("feed")?,
            has_file: cells.seq("words")? == seq,
            waits: cells.get("waits")?,
            line: Line {
                seq,
                recorded: cells.time("recorded")?,
                replaced: cells.maybe_time("replaced")?,
                words: is_whole.then(|| cells.count("body_bytes")).transpose()?,
                rest: cells.count("rest_bytes")?,
            },
        });
    }
    Ok(found)
}

fn visit_lines(
    connection: &Connection,
    above: i64,
    limit: usize,
) -> Result<Vec<VisitLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT v.num, v.at, f.id AS feed,
                octet_length(v.teaser) + coalesce((SELECT sum(octet_length(p.body)) FROM visited d
                                                     JOIN page p ON p.num = d.page WHERE d.visit = v.num), 0) AS bytes
           FROM visit v LEFT JOIN feed f ON f.num = v.feed
          WHERE v.num > ?1 ORDER BY v.num LIMIT ?2",
    )?;
    let mut rows = statement.query(params![above, count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "visit", "num")?;
        found.push(VisitLine {
            number: cells.get("num")?,
            feed: cells.feed("feed")?,
            at: cells.time("at")?,
            bytes: cells.count("bytes")?,
        });
    }
    Ok(found)
}

/// Lets go of what is ordered. Inside the caller's transaction.
///
/// `seq = seq` has `SQLite` take the row out and put it in again: a row that only shrinks in its place leaves its page
/// almost empty for good, one that is taken out lets it be joined with its neighbours, and pages become free.
pub(super) fn prune(
    transaction: &Connection,
    orders: &[Order],
    at: Timestamp,
) -> Result<usize, StoreError> {
    let mut gone = 0;
    for order in orders {
        let pruning = pruning(transaction, order, at)?;
        let seq = number(order.seq)?;
        let changed = if order.tier == Tier::Metadata {
            transaction
                .prepare_cached(
                    "UPDATE article SET seq = seq, pruned = ?2, body = '', title = '', id = NULL, link = NULL, more = NULL,
                                        summary = NULL, summary_kind = NULL
                      WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM pruning g WHERE g.num = article.pruned
                                                                               AND g.tier = 'metadata')",
                )?
                .execute([seq, pruning])?
        } else {
            transaction
                .prepare_cached(
                    "UPDATE article SET seq = seq, pruned = ?2, body = '' WHERE seq = ?1 AND pruned IS NULL",
                )?
                .execute([seq, pruning])?
        };
        if changed > 0 {
            forget(transaction, seq, order.tier)?;
        }
        gone += changed;
    }
    Ok(gone)
}

/// The number under which all stands that goes now by this rule.
fn pruning(transaction: &Connection, order: &Order, at: Timestamp) -> Result<i64, StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO pruning (at, tier, rule) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![at.millis(), order.tier.name(), order.rule])?;
    Ok(transaction
        .prepare_cached("SELECT num FROM pruning WHERE at = ?1 AND tier = ?2 AND rule = ?3")?
        .query_row(params![at.millis(), order.tier.name(), order.rule], |row| {
            row.get(0)
        })?)
}

/// The one place where whatever is derived from an article's words hears that they are gone: every index that holds
/// words, or could give them back, lets go of them here, in the same transaction. `tier` says how much went.
fn forget(transaction: &Connection, seq: i64, tier: Tier) -> Result<(), StoreError> {
    // The pages of an entry hold its words, and would bring them back.
    if tier >= Tier::Bodies {
        pages::forget(transaction, seq)?;
    }
    // By its title it is found as long as it has one; words that went are never found, since hits are read again.
    if tier >= Tier::Metadata {
        search::forget(transaction, seq)?;
    }
    Ok(())
}

fn last_prune(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    connection
        .prepare_cached("SELECT one, last_prune FROM meta")?
        .query_row([], |row| {
            Ok(Cells::of(row, "meta", "one").and_then(|cells| cells.maybe_time("last_prune")))
        })?
}

fn known_time(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    connection
        .prepare_cached(
            "SELECT one, coalesce(judged, (SELECT max(last_poll) FROM feed)) AS known FROM meta",
        )?
        .query_row([], |row| {
            Ok(Cells::of(row, "meta", "one").and_then(|cells| cells.maybe_time("known")))
        })?
}

pub(super) fn note(
    transaction: &Connection,
    at: Timestamp,
    judged: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE meta SET last_prune = ?1, judged = ?2")?
        .execute([at.millis(), judged.millis()])?;
    Ok(())
}

/// What was let go of the article of a row with the columns `pruned_at`, `pruned_tier` and `pruned_rule`.
pub(super) fn of_row(cells: &Cells<'_, '_>) -> Result<Option<Pruned>, StoreError> {
    let Some(at) = cells.maybe_time("pruned_at")? else {
        return Ok(None);
    };
    let tier: String = cells.get("pruned_tier")?;
    Ok(Some(Pruned {
        at,
        tier: Tier::named(&tier).ok_or_else(|| cells.bad("pruned_tier", &"no tier of ours"))?,
        rule: cells.get("pruned_rule")?,
    }))
}

/// The feed, kind and key of the entry that this article is the latest revision of.
pub(super) fn entry_of_latest(
    transaction: &Connection,
    seq: i64,
) -> Result<Option<(i64, i64, String)>, StoreError> {
    Ok(transaction
        .prepare_cached(
            "SELECT e.feed, e.kind, e.key FROM article a JOIN entry e ON e.first_seq = a.entry
              WHERE a.seq = ?1 AND e.latest_seq = a.seq",
        )?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?)
}
