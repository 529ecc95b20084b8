//! What the operator's rules say of entries, in rounds: one that is shown, one that is being judged.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::model::article::StoredArticle;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::ruling::{Act, Judged, Order, Round, Rounds, RuleText};
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::store::articles;
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;
use crate::store::withheld;

/// Verdicts thrown away in one go.
const SWEPT: i64 = 20_000;

/// Articles that are handed out to be judged at once, and about how many bytes of them.
const TOGETHER: i64 = 1_000;
const BYTES: usize = 4 << 20;

/// A [`RuleText`] as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleShape {
    name: String,
    query: String,
    acts: Vec<(String, String)>,
}

impl RuleShape {
    fn of(rule: &RuleText) -> Self {
        let acts = rule.acts.iter();
        Self {
            name: rule.name.clone(),
            query: rule.query.clone(),
            acts: acts
                .map(|act| (act.name().to_owned(), act.tag().to_owned()))
                .collect(),
        }
    }

    fn read(self) -> Result<RuleText, String> {
        let acts = self.acts.iter().map(|(name, tag)| {
            Act::named(name, tag).ok_or_else(|| format!("`{name}` is nothing a rule does"))
        });
        Ok(RuleText {
            acts: acts.collect::<Result<_, _>>()?,
            name: self.name,
            query: self.query,
        })
    }
}

/// Which verdicts hold, and which are being made.
pub(super) fn rounds(connection: &Connection) -> Result<Rounds, StoreError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(seq) FROM article")?
        .query_row([], |row| row.get(0))?;
    Ok(Rounds {
        standing: round(connection, "standing")?,
        coming: round(connection, "coming")?,
        over: connection
            .prepare_cached("SELECT 1 FROM ruling WHERE state = 'over'")?
            .exists([])?,
        last: last.map(seq),
    })
}

fn round(connection: &Connection, state: &str) -> Result<Option<Round>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT round, print, rules, cursor, since FROM ruling WHERE state = ?1")?;
    let mut rows = statement.query([state])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let cells = Cells::of(row, "ruling", "round")?;
    let rules: Vec<RuleShape> = cells.parsed("rules", |text| serde_json::from_str(text))?;
    let rules = rules.into_iter().map(RuleShape::read);
    let cursor: Option<i64> = cells.get("cursor")?;
    Ok(Some(Round {
        number: cells.get("round")?,
        print: cells.get("print")?,
        rules: rules
            .collect::<Result<_, _>>()
            .map_err(|why| cells.bad("rules", &why))?,
        cursor: cursor.map(seq),
        since: cells.maybe_time("since")?,
    }))
}

/// The latest revisions of entries above this number, ascending, some of them; and the number up to which there are no
/// others.
pub(super) fn unjudged(
    connection: &Connection,
    after: Option<ArticleSeq>,
) -> Result<(Vec<StoredArticle>, Option<ArticleSeq>), StoreError> {
    let above = after.map_or(Ok(-1), number)?;
    let numbers = connection
        .prepare_cached(
            "SELECT a.seq FROM article a JOIN entry e ON e.first_seq = a.entry
              WHERE a.seq > ?1 AND e.latest_seq = a.seq ORDER BY a.seq LIMIT ?2",
        )?
        .query_map([above, TOGETHER], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let (mut found, mut bytes) = (Vec::with_capacity(numbers.len()), 0);
    for (place, number) in numbers.iter().enumerate() {
        let article = articles::article(connection, seq(*number))?;
        bytes += article.as_ref().map_or(0, |a| a.article.body.text.len());
        found.extend(article);
        if bytes >= BYTES && place + 1 < numbers.len() {
            return Ok((found, Some(seq(*number))));
        }
    }
    if numbers.len() < usize::try_from(TOGETHER).unwrap_or(usize::MAX) {
        let last: Option<i64> = connection
            .prepare_cached("SELECT max(seq) FROM article")?
            .query_row([], |row| row.get(0))?;
        return Ok((found, last.map(seq)));
    }
    Ok((found, numbers.last().map(|last| seq(*last))))
}

/// The tags that the standing rules give to entries of these feeds.
pub(super) fn tags(connection: &Connection, feeds: &str) -> Result<Vec<String>, StoreError> {
    let Some(round) = round(connection, "standing")? else {
        return Ok(Vec::new());
    };
    let acts = round.rules.iter().flat_map(|rule| &rule.acts);
    let given: BTreeSet<&str> = acts.map(Act::tag).filter(|tag| !tag.is_empty()).collect();
    let mut there = connection.prepare_cached(
        "SELECT 1 FROM ruled r JOIN entry e ON e.first_seq = r.entry
          WHERE r.round = ?1 AND r.what = 'tag' AND r.tag = ?2
            AND e.feed IN (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?3))) LIMIT 1",
    )?;
    let mut tags = Vec::new();
    for tag in given {
        if there.exists(params![round.number, tag, feeds])? {
            tags.push(tag.to_owned());
        }
    }
    Ok(tags)
}

/// What the rules of a round do to an entry, each act with the place of its rule, in their order.
pub(super) fn acts(
    connection: &Connection,
    round: i64,
    entry: i64,
) -> Result<Vec<(usize, Act)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry, rule, what, tag FROM ruled WHERE round = ?1 AND entry = ?2 ORDER BY rule, what, tag",
    )?;
    let mut rows = statement.query([round, entry])?;
    let mut acts = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "ruled", "entry")?;
        let (what, tag): (String, String) = (cells.get("what")?, cells.get("tag")?);
        let act = Act::named(&what, &tag);
        acts.push((
            cells.count("rule")?,
            act.ok_or_else(|| cells.bad("what", &"nothing a rule does"))?,
        ));
    }
    Ok(acts)
}

/// The standing rules that match an article's entry: their names and what they do.
pub(super) fn of_entry(
    connection: &Connection,
    entry: ArticleSeq,
) -> Result<Vec<(String, Act)>, StoreError> {
    let Some(round) = round(connection, "standing")? else {
        return Ok(Vec::new());
    };
    let acts = acts(connection, round.number, number(entry)?)?;
    let named = acts.into_iter().map(|(rule, act)| {
        let rule = round.rules.get(rule);
        (rule.map_or_else(String::new, |rule| rule.name.clone()), act)
    });
    Ok(named.collect())
}

/// What is shown by: the round's number, up to where articles are judged (`None`: all are free to be shown), and since when.
pub(super) struct Standing {
    pub(super) round: i64,
    pub(super) upto: i64,
    pub(super) since: Option<Timestamp>,
}

/// Without rules nothing has to be judged before it is shown.
pub(super) fn standing(connection: &Connection) -> Result<Standing, StoreError> {
    let row: Option<(i64, bool, Option<i64>, Option<i64>)> = connection
        .prepare_cached(
            "SELECT round, rules = '[]', cursor, since FROM ruling WHERE state = 'standing'",
        )?
        .query_row([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    Ok(match row {
        None => Standing {
            round: -1,
            upto: i64::MAX,
            since: None,
        },
        Some((round, free, cursor, since)) => Standing {
            round,
            upto: if free { i64::MAX } else { cursor.unwrap_or(-1) },
            since: since.map(Timestamp::from_millis),
        },
    })
}

/// Does what is ordered, inside the caller's transaction, and says whether it was done (of [`Order::Sweep`]: whether there
/// is more).
pub(super) fn obey(
    transaction: &Connection,
    order: &Order,
    at: Timestamp,
) -> Result<bool, StoreError> {
    match order {
        Order::Begin { print, rules } => {
            abandon(transaction)?;
            let shapes: Vec<RuleShape> = rules.iter().map(RuleShape::of).collect();
            // Structs of texts have no way to fail.
            let json = serde_json::to_string(&shapes).unwrap_or_default();
            transaction
                .prepare_cached(
                    "INSERT INTO ruling (state, print, rules) VALUES ('coming', ?1, ?2)",
                )?
                .execute(params![print, json])?;
            Ok(true)
        }
        Order::Abandon => abandon(transaction),
        Order::Keep {
            round,
            judged,
            cursor,
        } => keep(transaction, *round, judged, *cursor, at),
        Order::Stand { round } => stand(transaction, *round, at),
        Order::Sweep => sweep(transaction),
    }
}

fn abandon(transaction: &Connection) -> Result<bool, StoreError> {
    let given_up = transaction
        .prepare_cached("UPDATE ruling SET state = 'over' WHERE state = 'coming'")?
        .execute([])?;
    Ok(given_up > 0)
}

fn keep(
    transaction: &Connection,
    round: i64,
    judged: &[Judged],
    cursor: Option<ArticleSeq>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let stands: Option<bool> = transaction
        .prepare_cached(
            "SELECT state = 'standing' FROM ruling WHERE round = ?1 AND state <> 'over'",
        )?
        .query_row([round], |row| row.get(0))
        .optional()?;
    let Some(stands) = stands else {
        return Ok(false);
    };
    let (mut dropped, mut free) = (Vec::new(), Vec::new());
    for Judged { seq, entry, acts } in judged {
        let number_of = number(*entry)?;
        let latest = transaction
            .prepare_cached("SELECT 1 FROM entry WHERE first_seq = ?1 AND latest_seq = ?2")?
            .exists([number_of, number(*seq)?])?;
        if !latest {
            continue;
        }
        if seq != entry {
            // What an earlier revision was judged.
            transaction
                .prepare_cached("DELETE FROM ruled WHERE round = ?1 AND entry = ?2")?
                .execute([round, number_of])?;
        }
        for (rule, act) in acts {
            let rule = i64::try_from(*rule).unwrap_or(i64::MAX);
            transaction
                .prepare_cached(
                    "INSERT INTO ruled (round, entry, rule, what, tag) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT DO NOTHING",
                )?
                .execute(params![round, number_of, rule, act.name(), act.tag()])?;
        }
        if acts.iter().any(|(_, act)| *act == Act::Drop) {
            dropped.push(*entry);
        } else {
            free.push(*entry);
        }
    }
    if stands {
        withheld::withhold(transaction, &dropped, Reason::Rule, at)?;
        withheld::release(transaction, &free, Reason::Rule)?;
    }
    if let Some(cursor) = cursor {
        transaction
            .prepare_cached(
                "UPDATE ruling SET cursor = max(coalesce(cursor, -1), ?2) WHERE round = ?1",
            )?
            .execute([round, number(cursor)?])?;
    }
    Ok(true)
}

/// All at once, so that nobody is shown a half of it.
fn stand(transaction: &Connection, round: i64, at: Timestamp) -> Result<bool, StoreError> {
    let ready = transaction
        .prepare_cached(
            "SELECT 1 FROM ruling
              WHERE round = ?1 AND state = 'coming'
                AND (rules = '[]' OR coalesce(cursor, -1) >= coalesce((SELECT max(seq) FROM article), -1))",
        )?
        .exists([round])?;
    if !ready {
        return Ok(false);
    }
    transaction
        .prepare_cached("UPDATE ruling SET state = 'over' WHERE state = 'standing'")?
        .execute([])?;
    transaction
        .prepare_cached("UPDATE ruling SET state = 'standing', since = ?2 WHERE round = ?1")?
        .execute(params![round, at.millis()])?;
    let entries = |sql: &str| -> Result<Vec<ArticleSeq>, StoreError> {
        let mut statement = transaction.prepare_cached(sql)?;
        let found = statement.query_map([round], |row| row.get::<_, i64>(0))?;
        Ok(found.map(|n| n.map(seq)).collect::<Result<_, _>>()?)
    };
    let dropped = entries(
        "SELECT DISTINCT r.entry FROM ruled r WHERE r.round = ?1 AND r.what = 'drop'
            AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = r.entry AND h.why = 'rule')",
    )?;
    let free = entries(
        "SELECT h.entry FROM withheld h WHERE h.why = 'rule'
            AND NOT EXISTS (SELECT 1 FROM ruled r WHERE r.round = ?1 AND r.what = 'drop' AND r.tag = ''
                                                    AND r.entry = h.entry)
          ORDER BY h.entry",
    )?;
    withheld::withhold(transaction, &dropped, Reason::Rule, at)?;
    withheld::release(transaction, &free, Reason::Rule)?;
    Ok(true)
}

fn sweep(transaction: &Connection) -> Result<bool, StoreError> {
    let over: Option<i64> = transaction
        .prepare_cached("SELECT round FROM ruling WHERE state = 'over' ORDER BY round LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(round) = over else {
        return Ok(false);
    };
    let gone = transaction
        .prepare_cached(
            "DELETE FROM ruled WHERE round = ?1 AND entry IN
               (SELECT entry FROM ruled WHERE round = ?1 ORDER BY entry LIMIT ?2)",
        )?
        .execute([round, SWEPT])?;
    if gone == 0 {
        transaction
            .prepare_cached("DELETE FROM ruling WHERE round = ?1")?
            .execute([round])?;
    }
    Ok(true)
}

/// Feeds as a JSON list; their ids need no escaping.
pub(super) fn list<'a>(feeds: impl IntoIterator<Item = &'a FeedId>) -> String {
    let quoted: Vec<String> = feeds
        .into_iter()
        .map(|feed| format!("\"{feed}\""))
        .collect();
    format!("[{}]", quoted.join(","))
}

/// A number of ours: the schema has no negative ones.
fn seq(number: i64) -> ArticleSeq {
    ArticleSeq(u64::try_from(number).unwrap_or_default())
}
