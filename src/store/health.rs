//! How feeds are doing: what they are judged by, what they were judged to be, and when that changed.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::health::{Change, HealthEvent, Standing, State};
use crate::model::ids::FeedId;
use crate::rules::health::{Answer, Evidence, Poll};
use crate::store::columns::{Cells, count};
use crate::store::error::StoreError;
use crate::store::feeds::{HISTORY, number_of};
use crate::store::shapes::{PollNotes, short};

/// How many changes are kept, of all feeds together.
const KEPT: i64 = 10_000;

/// The lengths of how many entries are kept.
const LENGTHS: usize = 40;

/// What a feed was last judged to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Which feed.
    pub feed: FeedId,
    /// `None`: it never was.
    pub standing: Option<Standing>,
    /// Every poll of it is to be judged, even one that brings nothing.
    pub closely: bool,
}

/// What a feed is judged to be, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which feed.
    pub feed: FeedId,
    /// What it is now.
    pub standing: Standing,
    /// As [`Watched::closely`].
    pub closely: bool,
    /// Where it is another state than before.
    pub change: Option<Change>,
}

/// Adds entries to what a feed ever had. `lengths`: of their texts in characters, oldest first; `None` where only the list's
/// words for them are here, which say nothing of how its texts are (P-164).
pub(super) fn keep_lengths(
    transaction: &Connection,
    feed: i64,
    lengths: &[Option<u32>],
) -> Result<(), StoreError> {
    if lengths.is_empty() {
        return Ok(());
    }
    let before: Option<String> = transaction
        .prepare_cached("SELECT lengths FROM feed WHERE num = ?1")?
        .query_row([feed], |row| row.get(0))?;
    let before: Vec<u32> = before
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let newest: Vec<u32> = lengths
        .iter()
        .rev()
        .copied()
        .flatten()
        .chain(before)
        .take(LENGTHS)
        .collect();
    transaction
        .prepare_cached("UPDATE feed SET entries = entries + ?2, lengths = ?3 WHERE num = ?1")?
        .execute(params![
            feed,
            count(lengths.len()),
            serde_json::to_string(&newest).ok()
        ])?;
    Ok(())
}

/// Keeps what feeds were judged to be. Inside the caller's transaction.
pub(super) fn keep(
    transaction: &Connection,
    judged: &[Judged],
) -> Result<Vec<HealthEvent>, StoreError> {
    let mut events = Vec::new();
    for judged in judged {
        let feed = number_of(transaction, &judged.feed)?;
        let Standing { state, since, why } = &judged.standing;
        transaction
            .prepare_cached(
                "UPDATE feed SET state = ?2, state_since = ?3, state_why = ?4, closely = ?5 WHERE num = ?1",
            )?
            .execute(params![feed, state.word(), since.millis(), short(why), judged.closely])?;
        let Some(change) = &judged.change else {
            continue;
        };
        let number: i64 = transaction
            .prepare_cached(
                "INSERT INTO health (feed, at, from_state, to_state, why) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING n",
            )?
            .query_row(
                params![
                    feed,
                    change.at.millis(),
                    change.from.word(),
                    change.to.word(),
                    short(&change.why),
                ],
                |row| row.get(0),
            )?;
        transaction
            .prepare_cached("DELETE FROM health WHERE n <= ?1")?
            .execute([number - KEPT])?;
        events.push(HealthEvent {
            number: u64::try_from(number).unwrap_or_default(),
            feed: judged.feed.clone(),
            change: Change {
                why: short(&change.why),
                ..change.clone()
            },
        });
    }
    Ok(events)
}

/// What every feed was last judged to be, by id.
pub(super) fn watched(connection: &Connection) -> Result<Vec<Watched>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT num, id, state, state_since, state_why, closely FROM feed ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "feed", "num")?;
        all.push(Watched {
            feed: cells.feed("id")?,
            standing: standing(&cells)?,
            closely: cells.get("closely")?,
        });
    }
    Ok(all)
}

/// From the columns `state`, `state_since` and `state_why`.
fn standing(cells: &Cells<'_, '_>) -> Result<Option<Standing>, StoreError> {
    if cells.get::<Option<String>>("state")?.is_none() {
        return Ok(None);
    }
    Ok(Some(Standing {
        state: state(cells, "state")?,
        since: cells.time("state_since")?,
        why: cells.get("state_why")?,
    }))
}

fn state(cells: &Cells<'_, '_>, column: &'static str) -> Result<State, StoreError> {
    cells.parsed(column, |word| {
        State::named(word).ok_or_else(|| format!("`{word}` is no state"))
    })
}

/// What a feed is judged by.
pub(super) fn evidence(
    connection: &Connection,
    feed: &FeedId,
) -> Result<Option<Evidence>, StoreError> {
    connection
        .prepare_cached(
            "SELECT num, learned, next_poll, entries, lengths, state, state_since, state_why FROM feed WHERE id = ?1",
        )?
        .query_row([feed.as_str()], |row| {
            Ok(Cells::of(row, "feed", "num").and_then(|cells| {
                Ok(Evidence {
                    standing: standing(&cells)?,
                    learned: cells.json("learned")?,
                    next_poll: cells.maybe_time("next_poll")?,
                    polls: polls(connection, cells.get("num")?)?,
                    entries_ever: cells.count("entries")?,
                    lengths: cells.json("lengths")?,
                })
            }))
        })
        .optional()?
        .transpose()
}

fn polls(connection: &Connection, feed: i64) -> Result<Vec<Poll>, StoreError> {
    // What was left out counts where nothing else was there; elsewhere the JSON is not read.
    let mut statement = connection.prepare_cached(
        "SELECT n, at, result, why, new + revised + reprint + known AS held,
                iif(new + revised + reprint + known = 0, more, NULL) AS more
           FROM poll WHERE feed = ?1 ORDER BY n DESC LIMIT ?2",
    )?;
    let mut rows = statement.query([feed, HISTORY])?;
    let mut polls = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "poll", "n")?;
        let result: String = cells.get("result")?;
        let why: Option<String> = cells.get("why")?;
        let more: PollNotes = cells.json("more")?;
        polls.push(Poll {
            at: cells.time("at")?,
            answer: Answer::recorded(&result, why.as_deref()),
            entries: cells.count("held")?,
            left_out: more.skipped.len() as u64,
        });
    }
    Ok(polls)
}

/// The last changes, newest first.
pub(super) fn events(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<HealthEvent>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.n, h.at, h.from_state, h.to_state, h.why, f.id
           FROM health h JOIN feed f ON f.num = h.feed ORDER BY h.n DESC LIMIT ?1",
    )?;
    let mut rows = statement.query([count(limit)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "health", "n")?;
        events.push(HealthEvent {
            number: cells.count("n")?,
            feed: cells.feed("id")?,
            change: Change {
                from: state(&cells, "from_state")?,
                to: state(&cells, "to_state")?,
                at: cells.time("at")?,
                why: cells.get("why")?,
            },
        });
    }
    Ok(events)
}
