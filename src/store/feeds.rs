//! What is remembered of feeds, and the history of their polls.

use std::time::Duration;

use rusqlite::{Connection, Params, Row, params};

use crate::model::article::Article;
use crate::model::content::RawHash;
use crate::model::entry::Skipped;
use crate::model::feed::{FeedInfo, FeedState, NotBefore};
use crate::model::http::HttpValidators;
use crate::model::ids::FeedId;
use crate::model::learned::Learned;
use crate::model::poll::{Coverage, PollRecord, PollResult, Recorded, Verdict};
use crate::model::time::Timestamp;
use crate::store::alias;
use crate::store::columns::{Cells, count};
use crate::store::error::StoreError;
use crate::store::flood;
use crate::store::ledger::Ledger;
use crate::store::missed;
use crate::store::pages;
use crate::store::press::Press;
use crate::store::revisions;
use crate::store::shapes::{FeedInfoShape, PollNotes, page, short, to_json};

/// How many polls of a feed are remembered.
pub(super) const HISTORY: i64 = 50;

/// A poll as it is remembered, so that its decisions can be read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastPoll {
    /// When it was.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// `read`, `unchanged`, `rate-limited`, `gone` or `failed`.
    pub result: String,
    /// Why it was not `read` or `unchanged`.
    pub why: Option<String>,
    /// How many articles were new, revised, reprints and known.
    pub counts: (u64, u64, u64, u64),
    /// When it was to be asked next.
    pub next: Timestamp,
    /// Why then.
    pub why_next: String,
    /// Repairs and evidence.
    pub notes: Vec<String>,
    /// Entries left out.
    pub skipped: Vec<Skipped>,
}

/// Writes a poll, all of it: articles, what is remembered of the feed, history. Inside the caller's transaction.
pub(super) fn record(
    transaction: &Connection,
    press: &mut Press,
    poll: &PollRecord,
    page_bytes: u64,
) -> Result<Recorded, StoreError> {
    let feed = number_of(transaction, &poll.feed)?;
    let mut recorded = Recorded::default();
    let mut rhythm = None;
    match &poll.result {
        PollResult::Read(reading) => {
            alias::keep(transaction, feed, poll.at, &reading.roll.aliases)?;
            recorded = enter(transaction, press, feed, poll.at, &reading.articles)?;
            if poll.failures == 0 {
                recorded.released =
                    flood::follow(transaction, feed, poll.at, Some(&reading.roll.listed))?;
            }
            rhythm = flood::guard(transaction, feed, poll, reading, &mut recorded)?;
            recorded.withdrawn = revisions::keep(transaction, feed, poll.at, reading)?;
            let waits = recorded.waits;
            let validators = match &reading.coverage {
                Coverage::Whole(validators) => validators.as_ref().filter(|_| !waits),
                Coverage::Partial => None,
            };
            // With something left behind, the same bytes have to be read again: they are not marked as read.
            let document = reading
                .document
                .filter(|_| reading.coverage != Coverage::Partial && !waits);
            keep_validators(transaction, feed, validators)?;
            let brought = recorded
                .articles
                .iter()
                .any(|(_, _, verdict)| !matches!(verdict, Verdict::Known(_)));
            keep_info(transaction, &poll.feed, feed, &reading.info, brought)?;
            transaction
                .prepare_cached("UPDATE feed SET document = ?2 WHERE num = ?1")?
                .execute(params![feed, document.map(RawHash::to_bytes)])?;
            missed::keep(transaction, feed, poll.at, reading)?;
            pages::keep(transaction, press, feed, &reading.visits, page_bytes)?;
        }
        PollResult::Unchanged {
            validators: Some(Coverage::Whole(validators)),
        } => keep_validators(transaction, feed, validators.as_ref())?,
        PollResult::Unchanged {
            validators: Some(Coverage::Partial),
        } => {
            keep_validators(transaction, feed, None)?;
            transaction
                .prepare_cached("UPDATE feed SET document = NULL WHERE num = ?1")?
                .execute([feed])?;
        }
        // The pair stays as it is (P-06, P-07).
        PollResult::Unchanged { validators: None }
        | PollResult::RateLimited { .. }
        | PollResult::Gone
        | PollResult::Failed { .. } => {}
    }
    if matches!(poll.result, PollResult::Unchanged { .. }) {
        recorded.released = flood::follow(transaction, feed, poll.at, None)?;
    }
    let learned = flood::taught(&poll.learned, rhythm);
    let n = keep_times(transaction, feed, poll, &learned)?;
    keep_history(transaction, feed, n, poll, &recorded)?;
    Ok(recorded)
}

/// Stores what of these articles is new to the store, in this order.
fn enter(
    transaction: &Connection,
    press: &mut Press,
    feed: i64,
    at: Timestamp,
    articles: &[Article],
) -> Result<Recorded, StoreError> {
    let mut recorded = Recorded::default();
    let mut ledger = Ledger::open(transaction, press, feed, at)?;
    for article in articles {
        let (seq, verdict) = ledger.enter(article)?;
        recorded.articles.push((article.key.clone(), seq, verdict));
    }
    (recorded.held, recorded.waits) = ledger.held;
    ledger.close()?;
    Ok(recorded)
}

/// Writes articles that were read again from kept pages: what a poll does with its articles, and no poll.
pub(super) fn revise(
    transaction: &Connection,
    press: &mut Press,
    feed: &FeedId,
    at: Timestamp,
    articles: &[Article],
) -> Result<Recorded, StoreError> {
    let feed = number_of(transaction, feed)?;
    let mut recorded = Recorded::default();
    let mut ledger = Ledger::open(transaction, press, feed, at)?;
    for article in articles {
        let (seq, verdict) = ledger.rewrite(article)?;
        recorded.articles.push((article.key.clone(), seq, verdict));
    }
    ledger.close()?;
    missed::mend(transaction, feed, articles)?;
    Ok(recorded)
}

/// The feed's number, given at its first poll or import.
pub(super) fn number_of(transaction: &Connection, feed: &FeedId) -> Result<i64, StoreError> {
    transaction
        .prepare_cached("INSERT INTO feed (id) VALUES (?1) ON CONFLICT (id) DO NOTHING")?
        .execute([feed.as_str()])?;
    Ok(transaction
        .prepare_cached("SELECT num FROM feed WHERE id = ?1")?
        .query_row([feed.as_str()], |row| row.get(0))?)
}

/// Replaces the stored pair as one unit (P-05): what the new one lacks is forgotten.
fn keep_validators(
    transaction: &Connection,
    feed: i64,
    validators: Option<&HttpValidators>,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE feed SET validators_url = ?2, etag = ?3, last_modified = ?4 WHERE num = ?1",
        )?
        .execute(params![
            feed,
            validators.map(|pair| pair.url.as_str()),
            validators.and_then(|pair| pair.etag.as_deref()),
            validators.and_then(|pair| pair.last_modified.as_deref()),
        ])?;
    Ok(())
}

/// What the feed says of itself. The time it says it last changed is believed with something new only: many print the time
/// of day there, and it stands in our output (F-05, F-08).
fn keep_info(
    transaction: &Connection,
    name: &FeedId,
    feed: i64,
    info: &FeedInfo,
    brought: bool,
) -> Result<(), StoreError> {
    let mut info = info.clone();
    if !brought {
        info.updated = state(transaction, name)?.and_then(|state| state.info.updated);
    }
    transaction
        .prepare_cached("UPDATE feed SET info = ?2 WHERE num = ?1")?
        .execute(params![feed, to_json(&FeedInfoShape::from(&info))])?;
    Ok(())
}

/// Times and counters, which every poll replaces. Gives back how many polls there were.
fn keep_times(
    transaction: &Connection,
    feed: i64,
    poll: &PollRecord,
    learned: &Learned,
) -> Result<i64, StoreError> {
    let answered = matches!(
        poll.result,
        PollResult::Read(_) | PollResult::Unchanged { .. }
    );
    // A list whose every page failed was read, and is a failure.
    let good = answered && poll.failures == 0;
    Ok(transaction
        .prepare_cached(
            "UPDATE feed SET last_poll = ?2, last_success = iif(?3, ?2, last_success), failures = ?4,
                             fresh_until = ?5, not_before = ?6, not_before_why = ?7, next_poll = ?8,
                             why_next = ?9, learned = ?10, polls = polls + 1
              WHERE num = ?1 RETURNING polls",
        )?
        .query_row(
            params![
                feed,
                poll.at.millis(),
                good,
                poll.failures,
                poll.fresh_until.map(Timestamp::millis),
                poll.not_before.as_ref().map(|not| not.until.millis()),
                poll.not_before.as_ref().map(|not| &not.why),
                poll.next.millis(),
                short(&poll.why_next),
                to_json(learned),
            ],
            |row| row.get(0),
        )?)
}

fn keep_history(
    transaction: &Connection,
    feed: i64,
    n: i64,
    poll: &PollRecord,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let (result, why) = match &poll.result {
        PollResult::Read(_) if poll.failures > 0 => {
            let held = poll.not_before.as_ref().map(|held| &held.why);
            ("failed", Some(short(held.unwrap_or(&poll.why_next))))
        }
        PollResult::Read(_) => ("read", None),
        PollResult::Unchanged { .. } => ("unchanged", None),
        PollResult::RateLimited { status } => {
            ("rate-limited", Some(format!("HTTP status {status}")))
        }
        PollResult::Gone => ("gone", Some("HTTP status 410".to_owned())),
        PollResult::Failed { why } => ("failed", Some(short(why))),
    };
    let (new, revised, reprint, mut known) = recorded.counts();
    let told = flood::told(recorded).chain(recorded.in_words());
    let mut told: Vec<String> = told.collect();
    let mut skipped: &[Skipped] = &[];
    if let PollResult::Read(reading) = &poll.result {
        known = known.saturating_add(reading.known);
        told.extend(reading.notes.iter().cloned());
        skipped = &reading.skipped;
    }
    let notes = PollNotes::of(&told, skipped);
    transaction
        .prepare_cached(
            "INSERT INTO poll (feed, n, at, took, result, why, new, revised, reprint, known, next, why_next, more)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            feed,
            n,
            poll.at.millis(),
            i64::try_from(poll.took.as_millis()).unwrap_or(i64::MAX),
            result,
            why,
            count(new),
            count(revised),
            count(reprint),
            count(known),
            poll.next.millis(),
            short(&poll.why_next),
            to_json(&notes),
        ])?;
    transaction
        .prepare_cached("DELETE FROM poll WHERE feed = ?1 AND n <= ?2")?
        .execute([feed, n - HISTORY])?;
    Ok(())
}

macro_rules! select_states {
    ($rest:literal) => {
        concat!(
            "SELECT num, id, last_poll, last_success, failures, fresh_until, not_before, not_before_why, next_poll,
                    why_next, learned, document, validators_url, etag, last_modified, info
               FROM feed ",
            $rest
        )
    };
}

/// What is remembered of every feed that was ever polled or imported, by id.
pub(super) fn states(connection: &Connection) -> Result<Vec<FeedState>, StoreError> {
    select_states(connection, select_states!("ORDER BY id"), [])
}

/// The same of one feed.
pub(super) fn state(
    connection: &Connection,
    feed: &FeedId,
) -> Result<Option<FeedState>, StoreError> {
    let found = select_states(connection, select_states!("WHERE id = ?1"), [feed.as_str()])?;
    Ok(found.into_iter().next())
}

fn select_states(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<FeedState>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(feed_state(row)?);
    }
    Ok(states)
}

fn feed_state(row: &Row<'_>) -> Result<FeedState, StoreError> {
    let cells = Cells::of(row, "feed", "num")?;
    let info: FeedInfoShape = cells.json("info")?;
    let validators = match cells.get::<Option<String>>("validators_url")? {
        None => None,
        Some(url) => Some(HttpValidators {
            url: page(&url).map_err(|why| cells.bad("validators_url", &why))?,
            etag: cells.get("etag")?,
            last_modified: cells.get("last_modified")?,
        }),
    };
    let not_before = match cells.maybe_time("not_before")? {
        None => None,
        Some(until) => Some(NotBefore {
            until,
            why: cells.get("not_before_why")?,
        }),
    };
    Ok(FeedState {
        id: cells.feed("id")?,
        info: info.read().map_err(|why| cells.bad("info", &why))?,
        validators,
        document: cells.maybe_raw("document")?,
        last_poll: cells.maybe_time("last_poll")?,
        last_success: cells.maybe_time("last_success")?,
        failures: cells.count("failures")?,
        fresh_until: cells.maybe_time("fresh_until")?,
        not_before,
        next_poll: cells.maybe_time("next_poll")?,
        why_next: cells.get("why_next")?,
        learned: cells.json("learned")?,
    })
}

/// The last polls of a feed, newest first.
pub(super) fn history(
    connection: &Connection,
    feed: &FeedId,
    limit: usize,
) -> Result<Vec<PastPoll>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT p.n, p.at, p.took, p.result, p.why, p.new, p.revised, p.reprint, p.known, p.next, p.why_next, p.more
           FROM poll p JOIN feed f ON f.num = p.feed
          WHERE f.id = ?1 ORDER BY p.n DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![feed.as_str(), count(limit)])?;
    let mut polls = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "poll", "n")?;
        let more: PollNotes = cells.json("more")?;
        polls.push(PastPoll {
            at: cells.time("at")?,
            took: Duration::from_millis(cells.count("took")?),
            result: cells.get("result")?,
            why: cells.get("why")?,
            counts: (
                cells.count("new")?,
                cells.count("revised")?,
                cells.count("reprint")?,
                cells.count("known")?,
            ),
            next: cells.time("next")?,
            why_next: cells.get("why_next")?,
            notes: more.notes,
            skipped: more
                .skipped
                .into_iter()
                .map(|(what, why)| Skipped { what, why })
                .collect(),
        });
    }
    Ok(polls)
}
