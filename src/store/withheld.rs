//! Entries that are not shown, and those that are shown again.

use rusqlite::{Connection, params};

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::model::withheld::{Reason, Withheld};
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;

/// Keeps entries from being shown. Inside the caller's transaction; the same again changes nothing.
pub(super) fn withhold(
    transaction: &Connection,
    entries: &[ArticleSeq],
    why: Reason,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO withheld (entry, why, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    for entry in entries {
        statement.execute(params![number(*entry)?, why.name(), at.millis()])?;
    }
    Ok(())
}

/// Takes a reason away, and says of how many entries. Those that have no other any more each get a number, under which
/// they are found by those who follow numbers.
pub(super) fn release(
    transaction: &Connection,
    entries: &[ArticleSeq],
    why: Reason,
) -> Result<usize, StoreError> {
    let mut released = 0;
    for entry in entries {
        let entry = number(*entry)?;
        let there = transaction
            .prepare_cached("DELETE FROM withheld WHERE entry = ?1 AND why = ?2")?
            .execute(params![entry, why.name()])?;
        released += there;
        let free = there > 0
            && !transaction
                .prepare_cached("SELECT 1 FROM withheld WHERE entry = ?1")?
                .exists([entry])?;
        if free {
            let cause: i64 = transaction
                .prepare_cached("UPDATE meta SET next_seq = next_seq + 1 RETURNING next_seq - 1")?
                .query_row([], |row| row.get(0))?;
            transaction
                .prepare_cached("INSERT INTO revealed (cause, entry) VALUES (?1, ?2)")?
                .execute([cause, entry])?;
        }
    }
    Ok(released)
}

/// The entries that are withheld, by number.
pub(super) fn list(
    connection: &Connection,
    feed: Option<&FeedId>,
) -> Result<Vec<Withheld>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.entry, h.why, h.since, f.id AS feed
           FROM withheld h
           JOIN entry e ON e.first_seq = h.entry
           LEFT JOIN feed f ON f.num = e.feed
          WHERE ?1 IS NULL OR f.id = ?1
          ORDER BY h.entry, h.why",
    )?;
    let mut rows = statement.query([feed.map(FeedId::as_str)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "withheld", "entry")?;
        let why: String = cells.get("why")?;
        found.push(Withheld {
            entry: cells.seq("entry")?,
            feed: cells.feed("feed")?,
            why: Reason::named(&why).ok_or_else(|| cells.bad("why", &"not a reason of ours"))?,
            since: cells.time("since")?,
        });
    }
    Ok(found)
}
