//! How entries change, and which their publishers took back.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::article::Article;
use crate::model::content::RawHash;
use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::{KnownEntry, Reading};
use crate::model::revision::{Held, Hold, How, Temper, Withdrawal, Withdrawn};
use crate::model::time::Timestamp;
use crate::rules::revision::{Before, Change, LOOKED_BACK, change, only_the_clock};
use crate::store::articles;
use crate::store::columns::{Cells, count, key_columns, number};
use crate::store::error::StoreError;

/// What [`known_entry`](super::ledger::known_entry) reads besides, of the entry `e`.
macro_rules! known_entries {
    ($rest:literal) => {
        concat!(
            "SELECT e.first_seq, e.latest_seq, e.kind, e.key, e.raw, e.teaser, e.first_seen, e.revised, a.updated, a.published,
                    r.quiet, r.held, r.since, r.raw AS held_raw, r.stays, r.seen, r.last, w.how
               FROM entry e
               LEFT JOIN article a ON a.seq = e.latest_seq
               LEFT JOIN restless r ON r.entry = e.first_seq
               LEFT JOIN withdrawn w ON w.entry = e.first_seq AND w.back IS NULL ",
            $rest
        )
    };
}
pub(super) use known_entries;

/// What becomes of an article of an entry that is here.
pub(super) fn judge(
    transaction: &Connection,
    entry: i64,
    known: &KnownEntry,
    article: &Article,
    at: Timestamp,
) -> Result<Change, StoreError> {
    let revisions = if known.raw == article.raw {
        Vec::new()
    } else {
        revisions(transaction, entry)?
    };
    let before = Before {
        known,
        revisions: &revisions,
    };
    change(article, &before, at, || {
        let stored = articles::article(transaction, known.latest)?;
        Ok(stored.is_some_and(|stored| only_the_clock(&stored.article, article)))
    })
}

/// The latest revisions of an entry, newest first.
fn revisions(
    transaction: &Connection,
    entry: i64,
) -> Result<Vec<(RawHash, Timestamp)>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT seq, raw, recorded FROM article WHERE entry = ?1 ORDER BY seq DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![entry, count(LOOKED_BACK)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "article", "seq")?;
        found.push((cells.raw("raw")?, cells.time("recorded")?));
    }
    Ok(found)
}

/// Keeps how an entry changes, where that is otherwise than it was.
pub(super) fn keep_temper(
    transaction: &Connection,
    entry: i64,
    before: &Temper,
    now: &Temper,
) -> Result<(), StoreError> {
    if before == now {
        return Ok(());
    }
    let held = now.held.as_ref();
    transaction
        .prepare_cached(
            "INSERT INTO restless (entry, quiet, held, since, raw, stays, seen, last)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (entry) DO UPDATE SET quiet = excluded.quiet, held = excluded.held, since = excluded.since,
               raw = excluded.raw, stays = excluded.stays, seen = excluded.seen, last = excluded.last",
        )?
        .execute(params![
            entry,
            now.quiet,
            held.map(|held| held.why.name()),
            held.map(|held| held.since.millis()),
            held.map(|held| held.raw.to_bytes()),
            held.map(|held| held.stays.millis()),
            held.map(|held| held.seen),
            held.map(|held| held.last.millis()),
        ])?;
    Ok(())
}

/// From the columns of [`known_entries`].
pub(super) fn temper(cells: &Cells<'_, '_>) -> Result<Temper, StoreError> {
    let quiet: Option<u32> = cells.get("quiet")?;
    let held = match cells.get::<Option<String>>("held")? {
        None => None,
        Some(name) => Some(Held {
            why: Hold::named(&name).ok_or_else(|| cells.bad("held", &"not a reason of ours"))?,
            since: cells.time("since")?,
            raw: cells.raw("held_raw")?,
            stays: cells.time("stays")?,
            seen: cells.count("seen")?,
            last: cells.time("last")?,
        }),
    };
    Ok(Temper {
        quiet: quiet.unwrap_or(0),
        held,
    })
}

/// From the column `how`.
pub(super) fn how(cells: &Cells<'_, '_>) -> Result<Option<How>, StoreError> {
    let Some(name) = cells.get::<Option<String>>("how")? else {
        return Ok(None);
    };
    How::named(&name)
        .map(Some)
        .ok_or_else(|| cells.bad("how", &"not a way of ours"))
}

/// How the entry of this article changes.
pub(super) fn temper_of(connection: &Connection, entry: ArticleSeq) -> Result<Temper, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry, quiet, held, since, raw AS held_raw, stays, seen, last FROM restless WHERE entry = ?1",
    )?;
    let mut rows = statement.query([number(entry)?])?;
    match rows.next()? {
        None => Ok(Temper::default()),
        Some(row) => temper(&Cells::of(row, "restless", "entry")?),
    }
}

/// What a reading says of entries besides their words: those that stand as they are stored, those that are taken back,
/// and those that are there again. Gives back how many were taken back that were not before.
pub(super) fn keep(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    reading: &Reading,
) -> Result<usize, StoreError> {
    for key in &reading.standing {
        if let Some(entry) = entry_of(transaction, feed, key)? {
            transaction
                .prepare_cached("UPDATE restless SET seen = 0 WHERE entry = ?1 AND seen > 0")?
                .execute([entry])?;
        }
    }
    let again = reading
        .articles
        .iter()
        .filter(|article| article.teaser.is_some());
    for (key, how) in reading
        .back
        .iter()
        .map(|key| (key, How::Deleted))
        .chain(again.map(|article| (&article.key, How::Gone)))
    {
        if let Some(entry) = entry_of(transaction, feed, key)? {
            transaction
                .prepare_cached(
                    "UPDATE withdrawn SET back = ?2 WHERE entry = ?1 AND how = ?3 AND back IS NULL",
                )?
                .execute(params![entry, at.millis(), how.name()])?;
        }
    }
    let mut withdrawn = 0;
    for withdrawal in &reading.withdrawn {
        withdrawn += withdraw(transaction, feed, at, withdrawal)?;
    }
    Ok(withdrawn)
}

/// Notes that an entry was taken back, once. Whoever is not known in this feed cannot be.
fn withdraw(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    withdrawal: &Withdrawal,
) -> Result<usize, StoreError> {
    let Some(entry) = entry_of(transaction, feed, &withdrawal.key)? else {
        return Ok(0);
    };
    // A withdrawal that was over before the entry came back is no second one.
    Ok(transaction
        .prepare_cached(
            "INSERT INTO withdrawn (entry, at, how, said, comment, times) VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT (entry) DO UPDATE SET at = excluded.at, how = excluded.how, said = excluded.said,
                comment = excluded.comment, times = times + 1, back = NULL
              WHERE back IS NOT NULL AND (excluded.said IS NULL OR said IS NULL OR excluded.said > said)",
        )?
        .execute(params![
            entry,
            at.millis(),
            withdrawal.how.name(),
            withdrawal.said.map(Timestamp::millis),
            withdrawal.comment,
        ])?)
}

fn entry_of(
    transaction: &Connection,
    feed: i64,
    key: &EntryKey,
) -> Result<Option<i64>, StoreError> {
    let (kind, key) = key_columns(key);
    Ok(transaction
        .prepare_cached("SELECT first_seq FROM entry WHERE feed = ?1 AND kind = ?2 AND key = ?3")?
        .query_row(params![feed, kind, key], |row| row.get(0))
        .optional()?)
}

/// Entries that were taken back, of this feed or of all, by number.
pub(super) fn withdrawn(
    connection: &Connection,
    feed: Option<&FeedId>,
    entry: Option<ArticleSeq>,
) -> Result<Vec<Withdrawn>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT w.entry, w.at, w.how, w.said, w.comment, w.times, w.back
           FROM withdrawn w
           JOIN entry e ON e.first_seq = w.entry
           LEFT JOIN feed f ON f.num = e.feed
          WHERE (?1 IS NULL OR f.id = ?1) AND (?2 IS NULL OR w.entry = ?2)
          ORDER BY w.entry",
    )?;
    let entry = entry.map(number).transpose()?;
    let mut rows = statement.query(params![feed.map(FeedId::as_str), entry])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "withdrawn", "entry")?;
        found.push(Withdrawn {
            entry: cells.seq("entry")?,
            at: cells.time("at")?,
            how: how(&cells)?.ok_or_else(|| cells.bad("how", &"none"))?,
            said: cells.maybe_time("said")?,
            comment: cells.get("comment")?,
            times: cells.get("times")?,
            back: cells.maybe_time("back")?,
        });
    }
    Ok(found)
}

/// The numbers of an entry's revisions, ascending; of an entry by any of them.
pub(super) fn of_entry(
    connection: &Connection,
    seq: ArticleSeq,
) -> Result<Vec<ArticleSeq>, StoreError> {
    let Ok(seq) = number(seq) else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(
        "SELECT seq FROM article WHERE entry = (SELECT entry FROM article WHERE seq = ?1) ORDER BY seq",
    )?;
    let mut rows = statement.query([seq])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Cells::of(row, "article", "seq")?.seq("seq")?);
    }
    Ok(found)
}
