//! What is written of pictures, each in the caller's transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::ImageCopy;
use crate::model::time::Timestamp;
use crate::store::columns::{count, number};
use crate::store::error::StoreError;
use crate::store::images::{Listed, Tried, copy, day, list};

/// What waits for longer than this is given up: its article is not read any more.
const WAITED: Duration = Duration::from_hours(7 * 24);

/// Addresses that were given up are remembered for so long, or every revision would have them asked again.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// So many of those are forgotten at once.
const FORGET: i64 = 500;

/// What can be done.
#[derive(Debug)]
pub enum Work {
    Follow(Vec<FeedId>),
    List(Listed, ArticleSeq, Timestamp),
    Tried(Vec<(i64, Tried)>, usize, Timestamp),
    Evict(Vec<ArticleSeq>, u64),
}

/// Does it; gives back the copies that were let go.
pub fn done(transaction: &Connection, work: &Work) -> Result<Vec<ImageCopy>, StoreError> {
    match work {
        Work::Follow(feeds) => follow(transaction, feeds)?,
        Work::List(listed, next, now) => take_in(transaction, listed, *next, *now)?,
        Work::Tried(results, asked, now) => {
            for (number, tried) in results {
                note(transaction, *number, tried)?;
            }
            transaction
                .prepare_cached(
                    "UPDATE image_work SET asked = CASE day WHEN ?1 THEN asked ELSE 0 END + ?2, day = ?1",
                )?
                .execute(params![day(*now), count(*asked)])?;
        }
        Work::Evict(shown, bytes) => return evict(transaction, shown, *bytes),
    }
    Ok(Vec::new())
}

fn follow(transaction: &Connection, feeds: &[FeedId]) -> Result<(), StoreError> {
    let feeds = list(feeds);
    let followed: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM image_feed)")?
        .query_row([], |row| row.get(0))?;
    if !followed {
        // Nobody followed the articles meanwhile.
        transaction
            .prepare_cached("UPDATE image_work SET next = (SELECT next_seq FROM meta)")?
            .execute([])?;
    }
    transaction
        .prepare_cached("DELETE FROM image_feed WHERE id NOT IN (SELECT value FROM json_each(?1))")?
        .execute([&feeds])?;
    transaction
        .prepare_cached(
            "INSERT INTO image_feed (id, since) SELECT value, (SELECT next_seq FROM meta) FROM json_each(?1)
              WHERE true ON CONFLICT DO NOTHING",
        )?
        .execute([&feeds])?;
    transaction
        .prepare_cached(
            "UPDATE image_url SET due = NULL, why = 'its feed is not copied any more'
              WHERE due IS NOT NULL AND feed NOT IN (SELECT id FROM image_feed)",
        )?
        .execute([])?;
    Ok(())
}

fn take_in(
    transaction: &Connection,
    listed: &Listed,
    next: ArticleSeq,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut address = transaction.prepare_cached(
        "INSERT INTO image_url (url, feed, listed, due) VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (url) DO UPDATE SET listed = max(listed, excluded.listed) RETURNING num",
    )?;
    let mut shows = transaction.prepare_cached(
        "INSERT INTO image_use (seq, url) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for (seq, feed, urls) in listed {
        for url in urls {
            let url: i64 =
                address.query_row(params![url, feed.as_str(), now.millis()], |row| row.get(0))?;
            shows.execute(params![number(*seq)?, url])?;
        }
    }
    transaction
        .prepare_cached("UPDATE image_work SET next = max(next, ?1)")?
        .execute([number(next)?])?;
    transaction
        .prepare_cached(
            "UPDATE image_url SET due = NULL, why = 'it waited for too long' WHERE due <= ?1 AND listed < ?2",
        )?
        .execute([now.millis(), before(now, WAITED)])?;
    let forgotten = transaction
        .prepare_cached(
            "SELECT num FROM image_url WHERE image IS NULL AND due IS NULL AND listed < ?1 LIMIT ?2",
        )?
        .query_map([before(now, REMEMBERED), FORGET], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    for url in forgotten {
        forget(transaction, url)?;
    }
    Ok(())
}

/// An address with all that shows it.
fn forget(transaction: &Connection, url: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM image_use WHERE url = ?1")?
        .execute([url])?;
    transaction
        .prepare_cached("DELETE FROM image_url WHERE num = ?1")?
        .execute([url])?;
    Ok(())
}

fn note(transaction: &Connection, url: i64, tried: &Tried) -> Result<(), StoreError> {
    match tried {
        Tried::Copied(copy) => {
            let image = keep(transaction, copy)?;
            transaction
                .prepare_cached(
                    "UPDATE image_url SET image = ?2, due = NULL, why = NULL WHERE num = ?1",
                )?
                .execute([url, image])?;
        }
        Tried::Never(why) => {
            transaction
                .prepare_cached("UPDATE image_url SET due = NULL, why = ?2 WHERE num = ?1")?
                .execute(params![url, why])?;
        }
        Tried::Again { why, due, tries } => {
            transaction
                .prepare_cached(
                    "UPDATE image_url SET due = ?2, tries = ?3, why = ?4 WHERE num = ?1 AND due IS NOT NULL",
                )?
                .execute(params![url, due.millis(), tries, why])?;
        }
    }
    Ok(())
}

/// The copy's number.
fn keep(transaction: &Connection, copy: &ImageCopy) -> Result<i64, StoreError> {
    let known = transaction
        .prepare_cached("SELECT num FROM image WHERE digest = ?1")?
        .query_row([copy.digest], |row| row.get(0))
        .optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    let bytes = i64::try_from(copy.bytes).unwrap_or(i64::MAX);
    transaction
        .prepare_cached("INSERT INTO image (digest, kind, bytes) VALUES (?1, ?2, ?3)")?
        .execute(params![copy.digest, copy.kind.name(), bytes])?;
    Ok(transaction.last_insert_rowid())
}

/// The addresses go with their copies: what shows them again later has them asked again.
fn evict(
    transaction: &Connection,
    shown: &[ArticleSeq],
    most: u64,
) -> Result<Vec<ImageCopy>, StoreError> {
    let shown: Vec<String> = shown.iter().map(|seq| seq.0.to_string()).collect();
    let mut statement = transaction.prepare_cached(
        "SELECT i.num, i.digest, i.kind, i.bytes,
                max(u.seq IN (SELECT value FROM json_each(?1))) AS shown, max(u.seq) AS last
           FROM image i
           LEFT JOIN image_url x ON x.image = i.num
           LEFT JOIN image_use u ON u.url = x.num
          GROUP BY i.num ORDER BY coalesce(shown, 0), last NULLS FIRST, i.num",
    )?;
    let mut rows = statement.query([format!("[{}]", shown.join(","))])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((row.get::<_, i64>("num")?, copy(row)?));
    }
    let mut bytes: u64 = all.iter().map(|(_, copy)| copy.bytes).sum();
    let mut gone = Vec::new();
    for (number, copy) in all {
        if bytes <= most {
            break;
        }
        let urls = transaction
            .prepare_cached("SELECT num FROM image_url WHERE image = ?1")?
            .query_map([number], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for url in urls {
            forget(transaction, url)?;
        }
        transaction
            .prepare_cached("DELETE FROM image WHERE num = ?1")?
            .execute([number])?;
        bytes -= copy.bytes;
        gone.push(copy);
    }
    Ok(gone)
}

fn before(now: Timestamp, time: Duration) -> i64 {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    now.millis().saturating_sub(millis)
}
