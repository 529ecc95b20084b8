//! Recognising entries: by the key they have, by another they came under, and by what else they left behind.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::{Candidate, Recognised, Trace};
use crate::model::time::Timestamp;
use crate::store::columns::{self, Cells, count, key_columns};
use crate::store::error::StoreError;
use crate::store::ledger::known_entry;
use crate::store::revisions::known_entries;

/// Other keys that are kept of one entry, the newest: a feed that makes up its ids at every poll does not fill the store.
const KEPT: usize = 8;

/// Of so many articles with one link, or entries with one text, the newest are looked at: more of them identify nothing.
const LOOKED_AT: usize = 64;

/// And of what is found so much: two are one too many, unless one of them is in the listing.
const FOUND: usize = 8;

/// The entry of this feed, by its number, that came under this key: its own, or else another.
pub(super) fn find(
    connection: &Connection,
    feed: i64,
    key: &EntryKey,
) -> Result<Option<i64>, StoreError> {
    let (kind, text) = key_columns(key);
    Ok(connection
        .prepare_cached("SELECT entry FROM alias WHERE feed = ?1 AND kind = ?2 AND key = ?3")?
        .query_row(params![feed, kind, text], |row| row.get(0))
        .optional()?)
}

/// Which of these entries of a feed are known, under this key or another.
pub(super) fn recognised(
    connection: &Connection,
    feed: &FeedId,
    keys: &[EntryKey],
) -> Result<HashMap<EntryKey, Recognised>, StoreError> {
    let mut found = HashMap::with_capacity(keys.len());
    let Some(feed) = number(connection, feed)? else {
        return Ok(found);
    };
    let mut own = connection.prepare_cached(known_entries!(
        "WHERE e.feed = ?1 AND e.kind = ?2 AND e.key = ?3"
    ))?;
    let mut other = connection.prepare_cached(known_entries!(
        "WHERE e.first_seq = (SELECT entry FROM alias WHERE feed = ?1 AND kind = ?2 AND key = ?3)"
    ))?;
    for key in keys {
        let (kind, text) = key_columns(key);
        let mut rows = own.query(params![feed, kind, text])?;
        if let Some(row) = rows.next()? {
            let cells = Cells::of(row, "entry", "first_seq")?;
            let entry = Recognised {
                key: key.clone(),
                first: cells.seq("first_seq")?,
                known: known_entry(&cells)?,
            };
            found.insert(key.clone(), entry);
            continue;
        }
        let mut rows = other.query(params![feed, kind, text])?;
        if let Some(row) = rows.next()? {
            found.insert(key.clone(), recognised_in(row)?);
        }
    }
    Ok(found)
}

/// The entries of a feed that each of these may be; none of a feed that has none.
pub(super) fn candidates(
    connection: &Connection,
    feed: &FeedId,
    traces: &[Trace],
) -> Result<Vec<Vec<Candidate>>, StoreError> {
    let nobody = || vec![Vec::new(); traces.len()];
    let Some(feed) = number(connection, feed)? else {
        return Ok(nobody());
    };
    let any = connection
        .prepare_cached("SELECT 1 FROM entry WHERE feed = ?1 LIMIT 1")?
        .exists([feed])?;
    if !any {
        return Ok(nobody());
    }
    traces
        .iter()
        .map(|trace| candidates_of(connection, feed, trace))
        .collect()
}

fn candidates_of(
    connection: &Connection,
    feed: i64,
    trace: &Trace,
) -> Result<Vec<Candidate>, StoreError> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut note = |row: &Row<'_>, link: bool| -> Result<(), StoreError> {
        let entry = recognised_in(row)?;
        match found.iter_mut().find(|one| one.entry.first == entry.first) {
            Some(one) if link => one.link = true,
            Some(one) => one.words = true,
            None => found.push(Candidate {
                kinds: kinds(connection, &entry)?,
                entry,
                link,
                words: !link,
            }),
        }
        Ok(())
    };
    let mut by_key = connection.prepare_cached(known_entries!(
        "WHERE e.feed = ?1 AND e.kind IN (1, 2) AND e.key = ?2"
    ))?;
    let mut by_link = connection.prepare_cached(known_entries!(
        "WHERE e.feed = ?1
           AND e.first_seq IN (SELECT entry FROM (SELECT entry FROM article WHERE link = ?2 AND link <> ''
                                                   ORDER BY seq DESC LIMIT ?3))
         ORDER BY e.first_seq DESC LIMIT ?4"
    ))?;
    for link in &trace.links {
        let mut rows = by_key.query(params![feed, link])?;
        while let Some(row) = rows.next()? {
            note(row, true)?;
        }
        let limits = (count(LOOKED_AT), count(FOUND));
        let mut rows = by_link.query(params![feed, link, limits.0, limits.1])?;
        while let Some(row) = rows.next()? {
            note(row, true)?;
        }
    }
    if let Some(words) = &trace.words {
        let mut statement = connection.prepare_cached(known_entries!(
            "WHERE e.feed = ?1
               AND e.first_seq IN (SELECT o.first_seq FROM words d JOIN entry o ON o.words = d.first_seq
                                    WHERE d.content = ?2 ORDER BY o.first_seq DESC LIMIT ?3)
             ORDER BY e.first_seq DESC LIMIT ?4"
        ))?;
        let limits = (count(LOOKED_AT), count(FOUND));
        let mut rows = statement.query(params![feed, words.as_bytes(), limits.0, limits.1])?;
        while let Some(row) = rows.next()? {
            note(row, false)?;
        }
    }
    Ok(found)
}

/// What an entry is known by: an id, a link, words.
fn kinds(connection: &Connection, entry: &Recognised) -> Result<[bool; 3], StoreError> {
    let mut kinds = [false; 3];
    let own = key_columns(&entry.key).0;
    let mut statement = connection.prepare_cached("SELECT kind FROM alias WHERE entry = ?1")?;
    let other = statement
        .query_map([columns::number(entry.first)?], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    for kind in other.into_iter().chain([own]) {
        let place = usize::try_from(kind - 1).unwrap_or_default();
        if let Some(known) = kinds.get_mut(place) {
            *known = true;
        }
    }
    Ok(kinds)
}

/// Keeps the keys under which known entries came. Inside the poll's transaction.
pub(super) fn keep(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    aliases: &[(EntryKey, EntryKey)],
) -> Result<(), StoreError> {
    for (other, own) in aliases {
        let (kind, text) = key_columns(own);
        let entry: Option<i64> = transaction
            .prepare_cached(
                "SELECT first_seq FROM entry WHERE feed = ?1 AND kind = ?2 AND key = ?3",
            )?
            .query_row(params![feed, kind, text], |row| row.get(0))
            .optional()?;
        let Some(entry) = entry else { continue };
        let (kind, text) = key_columns(other);
        transaction
            .prepare_cached(
                "INSERT INTO alias (feed, kind, key, entry, since) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (feed, kind, key) DO UPDATE SET entry = excluded.entry, since = excluded.since",
            )?
            .execute(params![feed, kind, text, entry, at.millis()])?;
        transaction
            .prepare_cached(
                "DELETE FROM alias WHERE entry = ?1 AND (kind, key) NOT IN
                   (SELECT kind, key FROM alias WHERE entry = ?1 ORDER BY since DESC, kind, key LIMIT ?2)",
            )?
            .execute(params![entry, count(KEPT)])?;
    }
    Ok(())
}

/// The other keys of an entry, by the number of its first revision; the newest first.
pub(super) fn others(
    connection: &Connection,
    entry: ArticleSeq,
) -> Result<Vec<EntryKey>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry, kind, key FROM alias WHERE entry = ?1 ORDER BY since DESC, kind, key",
    )?;
    let mut rows = statement.query([columns::number(entry)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "alias", "entry")?;
        found.push(cells.key(&cells.get::<String>("key")?)?);
    }
    Ok(found)
}

/// Notes that another feed had this entry's id first (P-124). Who had it is found by the id alone: it is an IRI, which
/// names one thing everywhere. Inside the poll's transaction.
pub(super) fn keep_borrowed(
    transaction: &Connection,
    entry: i64,
    feed: i64,
    id: &str,
) -> Result<(), StoreError> {
    let owner: Option<i64> = transaction
        .prepare_cached(
            "SELECT min(first_seq) FROM entry WHERE key = ?1 AND kind = 1 AND feed <> ?2 AND first_seq < ?3",
        )?
        .query_row(params![id, feed, entry], |row| row.get(0))?;
    if let Some(owner) = owner {
        transaction
            .prepare_cached("INSERT INTO borrowed (entry, owner) VALUES (?1, ?2)")?
            .execute([entry, owner])?;
    }
    Ok(())
}

fn number(connection: &Connection, feed: &FeedId) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT num FROM feed WHERE id = ?1")?
        .query_row([feed.as_str()], |row| row.get(0))
        .optional()?)
}

fn recognised_in(row: &Row<'_>) -> Result<Recognised, StoreError> {
    let cells = Cells::of(row, "entry", "first_seq")?;
    Ok(Recognised {
        key: cells.key(&cells.get::<String>("key")?)?,
        first: cells.seq("first_seq")?,
        known: known_entry(&cells)?,
    })
}
