//! What holds for the whole store.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::rhythm::Price;
use crate::rules::silence::KeptSilence;
use crate::store::columns::Cells;
use crate::store::error::StoreError;
use crate::store::shapes::to_json;

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Feeds that were ever polled or imported.
    pub feeds: u64,
    /// Entries ever seen.
    pub entries: u64,
    /// Articles: revisions of entries.
    pub articles: u64,
    /// Different texts.
    pub words: u64,
    /// Files of the archive.
    pub files: u64,
    /// The number the next article will have.
    pub next_seq: u64,
    /// Entries that are withheld, by reason.
    pub withheld: BTreeMap<Reason, u64>,
}

/// How much there is of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCounts {
    /// Which.
    pub feed: FeedId,
    /// Entries ever seen.
    pub entries: u64,
    /// The date of its newest entry.
    pub newest: Option<Timestamp>,
}

/// How much came lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Articles, all of them.
    pub articles: u64,
    /// Articles since then.
    pub recent_articles: u64,
    /// Bytes of files of the archive whose articles came since then.
    pub recent_file_bytes: u64,
    /// When an article was last stored.
    pub latest: Option<Timestamp>,
}

/// How much came since a time.
pub(super) fn growth(connection: &Connection, since: Timestamp) -> Result<Growth, StoreError> {
    let read = |row: &Row<'_>| {
        let cells = Cells::of(row, "meta", "one")?;
        Ok(Growth {
            articles: cells.count("articles")?,
            recent_articles: cells.count("recent")?,
            recent_file_bytes: cells.count("bytes")?,
            latest: cells.maybe_time("last_change")?,
        })
    };
    connection
        .prepare_cached(
            "SELECT one, last_change,
                    (SELECT count(*) FROM article) AS articles,
                    (SELECT count(*) FROM article WHERE recorded >= ?1) AS recent,
                    (SELECT coalesce(sum(f.size), 0) FROM archive_file f JOIN article a ON a.seq = f.seq
                      WHERE a.recorded >= ?1 AND f.size > 0) AS bytes
               FROM meta",
        )?
        .query_row([since.millis()], |row| Ok(read(row)))?
}

fn meta<T>(
    connection: &Connection,
    read: impl FnOnce(&Cells<'_, '_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection
        .prepare_cached("SELECT one, river_id, archive_cursor, last_change FROM meta")?
        .query_row([], |row| {
            Ok(Cells::of(row, "meta", "one").and_then(|cells| read(&cells)))
        })?
}

/// Who this river is: random, given once.
pub(super) fn river_id(connection: &Connection) -> Result<[u8; 16], StoreError> {
    meta(connection, |cells| cells.get("river_id"))
}

/// When an article was last stored.
pub(super) fn last_change(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    meta(connection, |cells| cells.maybe_time("last_change"))
}

/// The last article the archive has dealt with.
pub(super) fn archive_cursor(connection: &Connection) -> Result<Option<ArticleSeq>, StoreError> {
    meta(connection, |cells| {
        let some = cells.get::<Option<i64>>("archive_cursor")?.is_some();
        some.then(|| cells.seq("archive_cursor")).transpose()
    })
}

/// The price of a request, where one was kept.
pub(super) fn price(connection: &Connection) -> Result<Option<Price>, StoreError> {
    let theta: Option<f64> = connection
        .prepare_cached("SELECT price FROM meta")?
        .query_row([], |row| row.get(0))?;
    Ok(theta.map(Price::new))
}

/// Keeps the price.
pub(super) fn keep_price(transaction: &Connection, price: Price) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE meta SET price = ?1")?
        .execute([price.theta])?;
    Ok(())
}

/// The silences that were kept, whether they still last or not.
pub(super) fn silences(connection: &Connection) -> Result<Vec<KeptSilence>, StoreError> {
    connection
        .prepare_cached("SELECT one, silences FROM meta")?
        .query_row([], |row| {
            Ok(Cells::of(row, "meta", "one").and_then(|cells| cells.json("silences")))
        })?
}

/// Keeps these silences, and none that were kept before.
pub(super) fn keep_silences(
    transaction: &Connection,
    silences: &Vec<KeptSilence>,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE meta SET silences = ?1")?
        .execute([to_json(silences)])?;
    Ok(())
}

/// How much there is.
pub(super) fn counts(connection: &Connection) -> Result<Counts, StoreError> {
    let read = |row: &Row<'_>| {
        let cells = Cells::of(row, "meta", "one")?;
        Ok::<_, StoreError>(Counts {
            feeds: cells.count("feeds")?,
            entries: cells.count("entries")?,
            articles: cells.count("articles")?,
            words: cells.count("words")?,
            files: cells.count("files")?,
            next_seq: cells.count("next_seq")?,
            withheld: BTreeMap::new(),
        })
    };
    let mut counts: Counts = connection
        .prepare_cached(
            "SELECT one, next_seq,
                    (SELECT count(*) FROM feed) AS feeds,
                    (SELECT count(*) FROM entry) AS entries,
                    (SELECT count(*) FROM article) AS articles,
                    (SELECT count(*) FROM words) AS words,
                    (SELECT count(*) FROM archive_file) AS files
               FROM meta",
        )?
        .query_row([], |row| Ok(read(row)))??;
    let mut statement =
        connection.prepare_cached("SELECT why, count(*) AS n FROM withheld GROUP BY why")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "withheld", "n")?;
        if let Some(why) = Reason::named(&cells.get::<String>("why")?) {
            counts.withheld.insert(why, cells.count("n")?);
        }
    }
    Ok(counts)
}

/// How much there is of each feed, by id.
pub(super) fn feed_counts(connection: &Connection) -> Result<Vec<FeedCounts>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.num, f.id, count(e.first_seq) AS entries, max(e.date) AS newest
           FROM feed f LEFT JOIN entry e ON e.feed = f.num
          GROUP BY f.num ORDER BY f.id",
    )?;
    let mut rows = statement.query([])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "feed", "num")?;
        counts.push(FeedCounts {
            feed: cells.feed("id")?,
            entries: cells.count("entries")?,
            newest: cells.maybe_time("newest")?,
        });
    }
    Ok(counts)
}
