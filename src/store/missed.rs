//! Entries whose own pages were lost when they were asked.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::model::article::Article;
use crate::model::entry::EntryKey;
use crate::model::ids::FeedId;
use crate::model::poll::{Missed, Reading};
use crate::model::time::Timestamp;
use crate::store::columns::{Cells, key_columns};
use crate::store::error::StoreError;

/// What nobody asked for this long is forgotten: its entry has left the list.
const FORGOTTEN: Duration = Duration::from_hours(60 * 24);

/// Counts the misses of a poll, and forgets those that are mended or long past. Inside the poll's transaction.
pub(super) fn keep(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    reading: &Reading,
) -> Result<(), StoreError> {
    let mut count = transaction.prepare_cached(
        "INSERT INTO missed (feed, kind, key, times, last) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT (feed, kind, key) DO UPDATE SET times = times + 1, last = excluded.last",
    )?;
    for key in &reading.missed {
        let (kind, text) = key_columns(key);
        count.execute(params![feed, kind, text, at.millis()])?;
    }
    mend(transaction, feed, &reading.articles)?;
    if !reading.missed.is_empty() {
        transaction
            .prepare_cached("DELETE FROM missed WHERE feed = ?1 AND last < ?2")?
            .execute(params![feed, at.minus(FORGOTTEN).millis()])?;
    }
    Ok(())
}

/// Forgets that these were missed. Only what came by a page of its own can have been.
pub(super) fn mend(
    transaction: &Connection,
    feed: i64,
    articles: &[Article],
) -> Result<(), StoreError> {
    let mut mend = transaction
        .prepare_cached("DELETE FROM missed WHERE feed = ?1 AND kind = ?2 AND key = ?3")?;
    for article in articles.iter().filter(|article| article.teaser.is_some()) {
        let (kind, text) = key_columns(&article.key);
        mend.execute(params![feed, kind, text])?;
    }
    Ok(())
}

/// Which of these entries were missed before, how often, and when last.
pub(super) fn missed(
    connection: &Connection,
    feed: &FeedId,
    keys: &[EntryKey],
) -> Result<HashMap<EntryKey, Missed>, StoreError> {
    let mut found = HashMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT m.feed, m.times, m.last FROM missed m JOIN feed f ON f.num = m.feed
          WHERE f.id = ?1 AND m.kind = ?2 AND m.key = ?3",
    )?;
    for key in keys {
        let (kind, text) = key_columns(key);
        let mut rows = statement.query(params![feed.as_str(), kind, text])?;
        if let Some(row) = rows.next()? {
            let cells = Cells::of(row, "missed", "feed")?;
            found.insert(
                key.clone(),
                Missed {
                    times: cells.get("times")?,
                    last: Timestamp::from_millis(cells.get("last")?),
                },
            );
        }
    }
    Ok(found)
}
