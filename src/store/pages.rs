//! The pages behind entries as they came. Each body is there once, under its BLAKE3; visits name bodies. The oldest
//! visits go when there is more than is to be kept.

use std::sync::atomic::Ordering;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::article::Article;
use crate::model::ids::FeedId;
use crate::model::poll::Recorded;
use crate::model::time::Timestamp;
use crate::model::visit::{Form, Frame, KeptPage, Visit};
use crate::store::Store;
use crate::store::columns::{Cells, count, key_columns};
use crate::store::error::StoreError;
use crate::store::press::{Press, Unpressed};
use crate::store::retention::entry_of_latest;
use crate::store::shapes::page;
use crate::store::teaser::TeaserShape;
use crate::store::writer::Command;

impl Store {
    /// From now on so many bytes of pages are kept, pressed as they are: with the next feed that is read, the oldest
    /// above that go. 0, as it is at the start: none.
    pub fn keep_pages(&self, bytes: u64) {
        self.shared.page_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Whether any are.
    pub fn keeps_pages(&self) -> bool {
        self.shared.page_bytes.load(Ordering::Relaxed) > 0
    }

    /// The last visit to each entry of a feed that is kept, oldest first, by numbers to ask for it by.
    pub fn visits(&self, feed: &FeedId) -> Result<Vec<i64>, StoreError> {
        self.shared.readers.read(|c| visits(c, feed))
    }

    /// The visit of this number, unless it has gone.
    pub fn visit(&self, number: i64) -> Result<Option<Visit>, StoreError> {
        self.shared.readers.read(|c| visit(c, number))
    }

    /// Stores articles that were read again from kept pages, all or none: judged and numbered as those of a poll, but
    /// no poll of their feed.
    pub async fn revise(
        &self,
        feed: &FeedId,
        at: Timestamp,
        articles: Vec<Article>,
    ) -> Result<Recorded, StoreError> {
        let feed = feed.clone();
        self.ask(|reply| Command::Revise(feed, at, articles, reply))
            .await
    }
}

/// Keeps these visits, and lets go of the oldest of all while there are more than `budget` bytes. Inside the poll's
/// transaction.
pub(super) fn keep(
    transaction: &Connection,
    press: &mut Press,
    feed: i64,
    visits: &[Visit],
    budget: u64,
) -> Result<(), StoreError> {
    let before = kept(transaction)?;
    let mut bytes = before;
    if budget > 0 {
        for visit in visits {
            bytes += keep_visit(transaction, press, feed, visit)?;
        }
    }
    let budget = i64::try_from(budget).unwrap_or(i64::MAX);
    while bytes > budget {
        match drop_oldest(transaction)? {
            Some(less) => bytes -= less,
            None => bytes = 0,
        }
    }
    if bytes != before {
        transaction
            .prepare_cached("UPDATE meta SET kept = ?1")?
            .execute([bytes])?;
    }
    Ok(())
}

fn kept(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection
        .prepare_cached("SELECT kept FROM meta")?
        .query_row([], |row| row.get(0))?)
}

/// Gives back how many bytes it takes.
fn keep_visit(
    transaction: &Connection,
    press: &mut Press,
    feed: i64,
    visit: &Visit,
) -> Result<i64, StoreError> {
    let (kind, key) = key_columns(&visit.key);
    // Only maps with keys that are no text could fail to become JSON, and the shape has none.
    let teaser = serde_json::to_string(&TeaserShape::from(&visit.teaser)).unwrap_or_default();
    let (number, mut bytes): (i64, i64) = transaction
        .prepare_cached(
            "INSERT INTO visit (feed, kind, key, at, source, form, teaser) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             RETURNING num, octet_length(teaser)",
        )?
        .query_row(
            params![
                feed,
                kind,
                key,
                visit.at.millis(),
                visit.source,
                visit.form.name(),
                press.press(&teaser),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    for (n, page) in visit.pages.iter().enumerate() {
        let (body, new) = keep_body(transaction, &page.body)?;
        bytes += new;
        transaction
            .prepare_cached(
                "INSERT INTO visited (visit, n, route, asked, url, media_type, charset, fetched, page)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                number,
                count(n),
                count(page.route),
                page.asked.as_str(),
                page.url.as_str(),
                page.media_type,
                page.charset,
                page.fetched.millis(),
                body,
            ])?;
    }
    Ok(bytes)
}

/// The body's number, and how many bytes it takes that were not there.
fn keep_body(transaction: &Connection, body: &Frame) -> Result<(i64, i64), StoreError> {
    let known = transaction
        .prepare_cached("SELECT num FROM page WHERE digest = ?1")?
        .query_row([body.digest], |row| row.get(0))
        .optional()?;
    if let Some(number) = known {
        return Ok((number, 0));
    }
    transaction
        .prepare_cached("INSERT INTO page (digest, body) VALUES (?1, ?2)")?
        .execute(params![body.digest, body.bytes])?;
    Ok((transaction.last_insert_rowid(), count(body.bytes.len())))
}

/// Lets go of the oldest visit, and of the bodies that no other names. Gives back how many bytes that were.
fn drop_oldest(transaction: &Connection) -> Result<Option<i64>, StoreError> {
    let oldest: Option<i64> = transaction
        .prepare_cached("SELECT num FROM visit ORDER BY num LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    oldest.map_or(Ok(None), |visit| drop_visit(transaction, visit))
}

/// Lets go of a visit, and of the bodies that no other names. Gives back how many bytes that were; `None`: it had gone.
fn drop_visit(transaction: &Connection, visit: i64) -> Result<Option<i64>, StoreError> {
    let teaser: Option<i64> = transaction
        .prepare_cached("SELECT octet_length(teaser) FROM visit WHERE num = ?1")?
        .query_row([visit], |row| row.get(0))
        .optional()?;
    let Some(mut bytes) = teaser else {
        return Ok(None);
    };
    let bodies = transaction
        .prepare_cached("SELECT DISTINCT page FROM visited WHERE visit = ?1")?
        .query_map([visit], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    transaction
        .prepare_cached("DELETE FROM visited WHERE visit = ?1")?
        .execute([visit])?;
    for body in bodies {
        let gone: Option<i64> = transaction
            .prepare_cached(
                "DELETE FROM page WHERE num = ?1 AND NOT EXISTS (SELECT 1 FROM visited WHERE page = ?1)
                 RETURNING octet_length(body)",
            )?
            .query_row([body], |row| row.get(0))
            .optional()?;
        bytes += gone.unwrap_or(0);
    }
    transaction
        .prepare_cached("DELETE FROM visit WHERE num = ?1")?
        .execute([visit])?;
    Ok(Some(bytes))
}

/// Lets go of these visits, whatever the budget. Inside the caller's transaction; says how many there were.
pub(super) fn drop_visits(transaction: &Connection, visits: &[i64]) -> Result<usize, StoreError> {
    let (mut gone, mut bytes) = (0, 0);
    for visit in visits {
        if let Some(less) = drop_visit(transaction, *visit)? {
            gone += 1;
            bytes += less;
        }
    }
    if gone > 0 {
        transaction
            .prepare_cached("UPDATE meta SET kept = max(kept - ?1, 0)")?
            .execute([bytes])?;
    }
    Ok(gone)
}

/// Lets go of the pages of an entry, where this article is its latest revision.
pub(super) fn forget(transaction: &Connection, seq: i64) -> Result<(), StoreError> {
    let Some((feed, kind, key)) = entry_of_latest(transaction, seq)? else {
        return Ok(());
    };
    let visits = transaction
        .prepare_cached("SELECT num FROM visit WHERE feed = ?1 AND kind = ?2 AND key = ?3")?
        .query_map(params![feed, kind, key], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    drop_visits(transaction, &visits)?;
    Ok(())
}

fn visits(connection: &Connection, feed: &FeedId) -> Result<Vec<i64>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT max(v.num) AS last FROM visit v JOIN feed f ON f.num = v.feed
              WHERE f.id = ?1 GROUP BY v.kind, v.key ORDER BY last",
        )?
        .query_map([feed.as_str()], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

fn visit(connection: &Connection, number: i64) -> Result<Option<Visit>, StoreError> {
    let visit = connection
        .prepare_cached(
            "SELECT num, kind, key, at, source, form, teaser FROM visit WHERE num = ?1",
        )?
        .query_row([number], |row| {
            Ok(Cells::of(row, "visit", "num").and_then(|cells| head(&cells)))
        })
        .optional()?
        .transpose()?;
    let Some(mut visit) = visit else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT d.visit, d.route, d.asked, d.url, d.media_type, d.charset, d.fetched, p.digest, p.body
           FROM visited d LEFT JOIN page p ON p.num = d.page WHERE d.visit = ?1 ORDER BY d.n",
    )?;
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "visited", "visit")?;
        visit.pages.push(KeptPage {
            route: cells.count("route")?,
            asked: cells.parsed("asked", page)?,
            url: cells.parsed("url", page)?,
            media_type: cells.get("media_type")?,
            charset: cells.get("charset")?,
            fetched: cells.time("fetched")?,
            body: Frame {
                digest: cells.get("digest")?,
                bytes: cells.get("body")?,
            },
        });
    }
    Ok(Some(visit))
}

/// A visit without its pages.
fn head(cells: &Cells<'_, '_>) -> Result<Visit, StoreError> {
    let key: String = cells.get("key")?;
    let form: String = cells.get("form")?;
    let form = Form::ALL.iter().find(|(_, name)| *name == form);
    let Unpressed(teaser) = cells.get("teaser")?;
    let teaser: TeaserShape =
        serde_json::from_str(&teaser).map_err(|error| cells.bad("teaser", &error))?;
    Ok(Visit {
        key: cells.key(&key)?,
        at: cells.time("at")?,
        source: cells.get("source")?,
        form: form
            .ok_or_else(|| cells.bad("form", &"no form of pages"))?
            .0,
        teaser: teaser.read().map_err(|error| cells.bad("teaser", &error))?,
        pages: Vec::new(),
    })
}
