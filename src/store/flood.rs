//! What of a poll's new entries is withheld: the backlog of a new feed, and floods. Judged inside the transaction that
//! stores them, with the whole listing in view.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::learned::{Learned, Rhythm};
use crate::model::poll::{Burst, Flood, PollRecord, Reading, Recorded, Verdict};
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::flood::{self, Fate, Next};
use crate::store::columns::{Cells, count, key_columns};
use crate::store::error::StoreError;
use crate::store::withheld;

/// What a feed was before a poll.
struct Before {
    polls: u64,
    last_success: Option<Timestamp>,
    rhythm: Rhythm,
    largest: usize,
}

/// An entry that the poll stored for the first time.
struct Entered<'a> {
    key: &'a EntryKey,
    seq: ArticleSeq,
    /// Its words were there before the poll.
    reprint: bool,
    date: Option<Timestamp>,
}

/// Withholds what is to be withheld of the new entries of a poll. Gives back what the feed's rhythm is where they are to
/// teach it nothing.
pub(super) fn guard(
    transaction: &Connection,
    feed: i64,
    poll: &PollRecord,
    reading: &Reading,
    recorded: &mut Recorded,
) -> Result<Option<Rhythm>, StoreError> {
    if reading.roll.strange.is_empty() {
        return Ok(None);
    }
    let mut entered = entered(reading, recorded);
    let mut left: HashSet<&EntryKey> = reading.roll.strange.iter().collect();
    for entry in &entered {
        left.remove(entry.key);
    }
    let backlog: HashSet<&EntryKey> = reading.roll.backlog.iter().collect();
    let waiting = awaited(transaction, feed)?;
    // A listing may have ten thousand entries: their keys are looked at where they are.
    let reason = |key: &EntryKey| {
        let now = backlog.contains(key).then_some(Reason::Backlog);
        waiting.get(key).copied().or(now)
    };
    for why in Reason::ALL {
        let of = entered
            .iter()
            .filter(|entry| reason(entry.key) == Some(why));
        let come: Vec<ArticleSeq> = of.map(|entry| entry.seq).collect();
        withheld::withhold(transaction, &come, why, poll.at)?;
    }
    for entry in &entered {
        if waiting.contains_key(entry.key) {
            forget(transaction, feed, entry.key)?;
        }
    }
    let later = left.iter().filter(|key| backlog.contains(**key));
    await_them(transaction, feed, poll.at, later.copied(), Reason::Backlog)?;
    entered.retain(|entry| reason(entry.key).is_none());
    left.retain(|key| reason(key).is_none());
    let before = before(transaction, feed)?;
    let Some(success) = before
        .last_success
        .filter(|_| !reading.roll.first && before.polls >= flood::POLLS)
    else {
        return Ok(None);
    };
    let most = flood::most(
        &before.rhythm,
        poll.at.since(success),
        before.largest,
        reading.roll.pass,
    );
    let is_old = |entry: &Entered<'_>| flood::is_old(entry.date, success);
    let news = || entered.iter().filter(|entry| !entry.reprint);
    let old = news().filter(|entry| is_old(entry)).count();
    let fresh = news().count() - old + left.len();
    let (why, chosen): (Reason, Vec<ArticleSeq>) = match flood::judge(fresh, old, most) {
        Fate::Pass => return Ok(None),
        Fate::Archive => {
            let old = news().filter(|entry| is_old(entry));
            (Reason::Backlog, old.map(|entry| entry.seq).collect())
        }
        Fate::Wait => (Reason::Flood, news().map(|entry| entry.seq).collect()),
    };
    withheld::withhold(transaction, &chosen, why, poll.at)?;
    recorded.burst = Some(Burst {
        entries: chosen.len(),
        most,
        why,
    });
    if why != Reason::Flood {
        return Ok(None);
    }
    await_them(transaction, feed, poll.at, left.into_iter(), Reason::Flood)?;
    transaction
        .prepare_cached(
            "INSERT INTO flood (feed, since, entries, most, polls, state, largest) VALUES (?1, ?2, ?3, ?4, 0, 'waits', 0)
             ON CONFLICT (feed) DO UPDATE SET since = excluded.since, most = excluded.most, polls = 0, state = 'waits',
                 entries = iif(state = 'released', 0, entries) + excluded.entries",
        )?
        .execute(params![feed, poll.at.millis(), count(fresh + old), count(most)])?;
    Ok(Some(before.rhythm.after_poll(success, poll.at, &[], false)))
}

/// What a poll taught, where its new entries are to teach the feed's rhythm nothing: then that is given.
pub(super) fn taught(learned: &Learned, rhythm: Option<Rhythm>) -> Cow<'_, Learned> {
    match rhythm {
        Some(rhythm) => Cow::Owned(Learned {
            rhythm,
            ..learned.clone()
        }),
        None => Cow::Borrowed(learned),
    }
}

/// What was decided of its new entries as a whole, in plain words.
pub(super) fn told(recorded: &Recorded) -> impl Iterator<Item = String> {
    let burst = recorded.burst.map(|burst| match burst.why {
        Reason::Flood => format!(
            "a flood: {} new entries wait, since no more than {} at once are believed",
            burst.entries, burst.most
        ),
        _ => format!(
            "{} new entries are old ones that were put in: they are not in the merged feed",
            burst.entries
        ),
    });
    let released = recorded.released;
    let released = (released > 0)
        .then(|| format!("{released} entries of a flood are shown: they are still in the feed"));
    burst.into_iter().chain(released)
}

/// The entries that this poll stored for the first time.
fn entered<'a>(reading: &'a Reading, recorded: &Recorded) -> Vec<Entered<'a>> {
    let first = recorded
        .articles
        .iter()
        .filter(|(_, _, verdict)| matches!(verdict, Verdict::New))
        .map(|(_, seq, _)| *seq)
        .min();
    // One for each article, in the same order.
    let all = reading.articles.iter().zip(&recorded.articles);
    all.filter_map(|(article, (_, seq, verdict))| {
        let reprint = match verdict {
            Verdict::New => false,
            // Words that came twice in one poll are as new as those that came once.
            Verdict::Reprint(words) => first.is_none_or(|first| *words < first),
            Verdict::Revised(_) | Verdict::Known(_) => return None,
        };
        Some(Entered {
            key: &article.key,
            seq: *seq,
            reprint,
            date: article.published.or(article.updated),
        })
    })
    .collect()
}

fn before(transaction: &Connection, feed: i64) -> Result<Before, StoreError> {
    transaction
        .prepare_cached(
            "SELECT f.num, f.polls, f.last_success, f.learned, coalesce(b.largest, 0) AS largest
               FROM feed f LEFT JOIN flood b ON b.feed = f.num WHERE f.num = ?1",
        )?
        .query_row([feed], |row| {
            Ok(Cells::of(row, "feed", "num").and_then(|cells| {
                Ok(Before {
                    polls: cells.count("polls")?,
                    last_success: cells.maybe_time("last_success")?,
                    rhythm: cells.json::<Learned>("learned")?.rhythm,
                    largest: cells.count("largest")?,
                })
            }))
        })?
}

/// After a good poll: a flood that is there to stay is released. `listed`: the known entries of the document; `None` where
/// nothing changed. Says how many entries are shown again.
pub(super) fn follow(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    listed: Option<&[ArticleSeq]>,
) -> Result<usize, StoreError> {
    let row: Option<(i64, u32, String)> = transaction
        .prepare_cached(
            "SELECT since, polls, state FROM flood WHERE feed = ?1 AND state <> 'released'",
        )?
        .query_row([feed], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((since, polls, state)) = row else {
        return Ok(0);
    };
    if state == "left" && listed.is_none() {
        return Ok(0); // it is as far away as it was
    }
    let since = Timestamp::from_millis(since);
    let waiting = waiting(transaction, feed)?;
    if waiting.is_empty() {
        // Somebody released them.
        released(transaction, feed)?;
        return Ok(0);
    }
    let listed = listed.map(|listed| {
        let listed: HashSet<&ArticleSeq> = listed.iter().collect();
        waiting
            .iter()
            .filter(|(entry, _)| listed.contains(entry))
            .count()
    });
    let (polls, state) = match flood::next(waiting.len(), listed, polls, since, at) {
        Next::Waits(polls) => (polls, "waits"),
        Next::Left => (0, "left"),
        Next::Stays => {
            let (old, fresh): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|(_, date)| flood::is_old(Some(*date), since));
            let numbers = |all: Vec<(ArticleSeq, Timestamp)>| -> Vec<ArticleSeq> {
                all.into_iter().map(|(entry, _)| entry).collect()
            };
            let (old, fresh) = (numbers(old), numbers(fresh));
            // Each under a number of its own, by which the archive meets it.
            withheld::release(transaction, &old, Reason::Flood)?;
            withheld::withhold(transaction, &old, Reason::Backlog, at)?;
            let shown = withheld::release(transaction, &fresh, Reason::Flood)?;
            released(transaction, feed)?;
            return Ok(shown);
        }
    };
    transaction
        .prepare_cached("UPDATE flood SET polls = ?2, state = ?3 WHERE feed = ?1")?
        .execute(params![feed, polls, state])?;
    Ok(0)
}

/// The entries of a feed's flood that wait, with their dates.
fn waiting(
    transaction: &Connection,
    feed: i64,
) -> Result<Vec<(ArticleSeq, Timestamp)>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT e.first_seq, e.date FROM withheld h JOIN entry e ON e.first_seq = h.entry
          WHERE e.feed = ?1 AND h.why = 'flood' ORDER BY e.first_seq",
    )?;
    let mut rows = statement.query([feed])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "entry", "first_seq")?;
        found.push((cells.seq("first_seq")?, cells.time("date")?));
    }
    Ok(found)
}

fn released(transaction: &Connection, feed: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE flood SET state = 'released', largest = max(largest, entries) WHERE feed = ?1",
        )?
        .execute([feed])?;
    transaction
        .prepare_cached("DELETE FROM awaited WHERE feed = ?1 AND why = 'flood'")?
        .execute([feed])?;
    Ok(())
}

/// The floods that wait, by feed.
pub(super) fn floods(connection: &Connection) -> Result<HashMap<FeedId, Flood>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.feed AS num, f.id AS feed, b.since, b.most, b.state,
                (SELECT count(*) FROM withheld h JOIN entry e ON e.first_seq = h.entry
                  WHERE e.feed = b.feed AND h.why = 'flood') AS waiting
           FROM flood b JOIN feed f ON f.num = b.feed WHERE b.state <> 'released'",
    )?;
    let mut rows = statement.query([])?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "flood", "num")?;
        let flood = Flood {
            since: cells.time("since")?,
            most: cells.count("most")?,
            waiting: cells.count("waiting")?,
            left: cells.get::<String>("state")? == "left",
        };
        if flood.waiting > 0 {
            found.insert(cells.feed("feed")?, flood);
        }
    }
    Ok(found)
}

/// Entries of an earlier listing that are withheld when they come.
fn awaited(transaction: &Connection, feed: i64) -> Result<HashMap<EntryKey, Reason>, StoreError> {
    let mut statement =
        transaction.prepare_cached("SELECT feed, kind, key, why FROM awaited WHERE feed = ?1")?;
    let mut rows = statement.query([feed])?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "awaited", "feed")?;
        let key = cells.key(&cells.get::<String>("key")?)?;
        let why: String = cells.get("why")?;
        let why = Reason::named(&why).ok_or_else(|| cells.bad("why", &"not a reason of ours"))?;
        found.insert(key, why);
    }
    Ok(found)
}

fn await_them<'a>(
    transaction: &Connection,
    feed: i64,
    at: Timestamp,
    keys: impl Iterator<Item = &'a EntryKey>,
    why: Reason,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO awaited (feed, kind, key, why, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    for key in keys {
        let (kind, text) = key_columns(key);
        statement.execute(params![feed, kind, text, why.name(), at.millis()])?;
    }
    Ok(())
}

fn forget(transaction: &Connection, feed: i64, key: &EntryKey) -> Result<(), StoreError> {
    let (kind, text) = key_columns(key);
    transaction
        .prepare_cached("DELETE FROM awaited WHERE feed = ?1 AND kind = ?2 AND key = ?3")?
        .execute(params![feed, kind, text])?;
    Ok(())
}
