//! Which entries are shown together, in light: their numbers, and who else carries their words. What is private is not
//! shown anywhere, so it may neither own words nor carry them (F-63).

use std::collections::HashMap;

use rusqlite::{Connection, Params, Row, params};

use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::river::{Collapse, Copies};
use crate::model::time::Timestamp;
use crate::rules::similar::{self, Member};
use crate::store::articles::{CarrierRow, article};
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::web::{self, Web, seq};

/// A choice of feeds whose entries are shown as one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Entries of these feeds and no others.
    pub feeds: Vec<FeedId>,
    /// Together: as `copies` say, who carries the same words named. Otherwise all entries, for themselves.
    pub once: bool,
    /// What is made of copies where they are shown together.
    pub copies: Copies,
    /// The newest so many entries, by date.
    pub limit: usize,
    /// And every entry with a revision above this number, however old its date: what no sealed page has yet.
    pub beyond: Option<Beyond>,
}

/// What no sealed page has yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// Where the sealed pages end.
    pub last: Option<ArticleSeq>,
    /// The oldest so many, and what the last of them brought besides; `None`: all.
    pub most: Option<usize>,
}

/// The entries of a choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineup {
    /// Numbers of the latest revisions: the newest by date first, then those that are there for being unsealed.
    pub articles: Vec<ArticleSeq>,
    /// Those of them that no sealed page has, by the number that brought them: their own, or that of the revision that
    /// left them their words. What one number brought belongs into one page.
    pub unsealed: Vec<(ArticleSeq, ArticleSeq)>,
    /// Who else carries the words of these, where each text is shown once.
    pub carriers: Vec<CarrierRow>,
    /// Who else carries nearly the words of these; or the same, where each copy is shown.
    pub reprints: Vec<Reprint>,
    /// When an article of these feeds was last stored.
    pub changed: Option<Timestamp>,
}

/// A copy of an entry that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reprint {
    /// The first number of the entry that is shown.
    pub of: ArticleSeq,
    /// Its words are other ones.
    pub near: bool,
    /// The copy.
    pub row: CarrierRow,
}

/// Copies of one entry that are named.
const NAMED: usize = 64;

/// Beyond so many feeds it is cheaper to walk all entries by date than those of each feed.
const FEW: usize = 8;

// `?1` is a JSON list of feed ids.
macro_rules! shown {
    ($($sql:expr),+) => {
        concat!(
            "WITH shown AS (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?1))) ",
            $($sql),+
        )
    };
}

// An entry owns its words if no other shown entry had them before. Who is withheld owns nothing.
// Where each copy is shown (the parameter), everybody owns his own.
macro_rules! owns {
    ($each:literal) => {
        concat!(
            " AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq) AND (",
            $each,
            " OR NOT EXISTS (SELECT 1 FROM entry o
                           WHERE o.words = e.words AND o.first_seq < e.first_seq AND o.feed IN shown
                             AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = o.first_seq))) "
        )
    };
}

// A feed's own view keeps all of its entries but those that wait for a decision.
macro_rules! waits_not {
    () => {
        " AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq AND h.why = 'flood') "
    };
}

/// An entry that is shown.
struct Line {
    seq: i64,
    first_seq: i64,
    words: i64,
    /// What brought it, where that is asked.
    cause: i64,
    /// No sealed page has it.
    unsealed: bool,
}

/// The entries of a choice.
pub(super) fn lineup(connection: &Connection, choice: &Choice) -> Result<Lineup, StoreError> {
    let feeds = web::feeds(&choice.feeds);
    let each = choice.copies.collapse == Collapse::None;
    let near = choice.once && choice.copies.near;
    let collapsed = near && choice.copies.collapse == Collapse::Near;
    let few = choice.feeds.len() <= FEW;
    // `+` keeps the planner from the index by feed.
    let newest = match (choice.once, few) {
        (true, true) => shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq FROM entry e WHERE e.feed IN shown",
            owns!("?3"),
            "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?2"
        ),
        (true, false) => shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq FROM entry e WHERE +e.feed IN shown",
            owns!("?3"),
            "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?2"
        ),
        (false, _) => shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq FROM entry e WHERE ?3 >= 0 AND e.feed IN shown",
            waits_not!(),
            "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?2"
        ),
    };
    // Some give way.
    let looked_at = choice.limit * if collapsed { 2 } else { 1 };
    let mut lines = lines(connection, newest, params![feeds, count(looked_at), each])?;
    let by_date = lines.len();
    let mut unsealed = Vec::new();
    if let Some(bounds) = choice.beyond {
        let mut known: HashMap<i64, usize> =
            (0..).zip(&lines).map(|(at, line)| (line.seq, at)).collect();
        for line in beyond(connection, &feeds, bounds, each)? {
            unsealed.push((seq(line.cause), seq(line.seq)));
            if let Some(line) = known.get(&line.seq).and_then(|at| lines.get_mut(*at)) {
                line.unsealed = true;
            } else {
                known.insert(line.seq, lines.len());
                lines.push(line);
            }
        }
    }
    let mut web = Web::default();
    if near || choice.once && each {
        let entries: Vec<i64> = lines.iter().map(|line| line.first_seq).collect();
        web = Web::around(connection, Some(&feeds), near, &entries)?;
    }
    if collapsed {
        lines = collapse(&mut web, lines, by_date, choice.limit);
    }
    Ok(Lineup {
        carriers: if choice.once && !each {
            carriers(connection, &feeds, &lines)?
        } else {
            Vec::new()
        },
        reprints: reprints(&mut web, &lines, each),
        changed: changed(connection, &feeds, few)?,
        articles: lines.iter().map(|line| seq(line.seq)).collect(),
        unsealed,
    })
}

/// Without the lines that give way to another copy of their group: to the one that is [`shown`](similar::shown), in what is
/// shown now or in what was sealed of it. The first `by_date` lines are the newest, of which so many are wanted.
fn collapse(web: &mut Web, lines: Vec<Line>, by_date: usize, limit: usize) -> Vec<Line> {
    // Of the same words one copy is shown in any case.
    let mut owners: HashMap<i64, ArticleSeq> = HashMap::new();
    for (entry, face) in &web.members {
        let owner = owners.entry(face.words).or_insert(*entry);
        *owner = (*owner).min(*entry);
    }
    let mut groups: HashMap<ArticleSeq, Vec<Member>> = HashMap::new();
    for owner in owners.into_values() {
        if let Some(member) = web.members.get(&owner).map(|face| face.member.clone()) {
            groups.entry(web.group(owner)).or_default().push(member);
        }
    }
    let chosen: HashMap<ArticleSeq, ArticleSeq> = groups
        .iter()
        .filter_map(|(group, members)| Some((*group, similar::shown(members)?.entry)))
        .collect();
    let mut left = limit;
    let mut shown = Vec::new();
    for (place, line) in lines.into_iter().enumerate() {
        let entry = seq(line.first_seq);
        let own = chosen
            .get(&web.group(entry))
            .is_none_or(|chosen| *chosen == entry);
        let wanted = place >= by_date || line.unsealed || left > 0;
        if own && wanted {
            left = left.saturating_sub(usize::from(place < by_date));
            shown.push(line);
        }
    }
    shown
}

/// The copies of these lines that are named in them: of a group everybody, but who is named for the same words.
fn reprints(web: &mut Web, lines: &[Line], each: bool) -> Vec<Reprint> {
    let mut found = Vec::new();
    for line in lines {
        let of = seq(line.first_seq);
        if !web.members.contains_key(&of) {
            continue;
        }
        let others = web.of(of).into_iter();
        let others = others.filter(|face| face.row.first_seq != of);
        let named = others.filter(|face| each || face.words != line.words);
        found.extend(named.take(NAMED).map(|face| Reprint {
            of,
            near: face.words != line.words,
            row: face.row,
        }));
    }
    found
}

/// The articles of these numbers; one that is no longer kept is not in it.
pub(super) fn articles(
    connection: &Connection,
    numbers: &[ArticleSeq],
) -> Result<Vec<StoredArticle>, StoreError> {
    let found = numbers.iter().map(|seq| article(connection, *seq));
    found.filter_map(Result::transpose).collect()
}

/// The owners with a revision above the last sealed one, ascending; those that came to own their words by such a
/// revision, since who had the words before them has others now; and those that were released above it. Walked by number,
/// not by feed: a page has a hundred of them.
fn beyond(
    connection: &Connection,
    feeds: &str,
    bounds: Beyond,
    each: bool,
) -> Result<Vec<Line>, StoreError> {
    let last = bounds.last.map_or(Ok(-1), number)?;
    let most = bounds.most.map_or(-1, count); // SQLite: a negative limit is none
    let mut found = lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, a.seq
               FROM article a JOIN entry e ON e.first_seq = a.entry AND e.latest_seq = a.seq
              WHERE a.seq > ?2 AND +e.feed IN shown",
            owns!("?4"),
            "ORDER BY a.seq LIMIT ?3"
        ),
        params![feeds, last, most, each],
    )?;
    let all = bounds.most.is_none_or(|most| found.len() < most);
    let end = found.last().filter(|_| !all).map(|line| line.cause);
    found.extend(lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, max(n.seq)
               FROM article n
               JOIN entry p ON p.first_seq = n.entry AND p.latest_seq = n.seq AND p.first_seq <= ?2
               JOIN article b ON b.seq = (SELECT max(seq) FROM article WHERE entry = p.first_seq AND seq <= ?2)
               JOIN entry e ON e.words = b.words
              WHERE n.seq > ?2 AND n.seq <= ?3 AND e.latest_seq <= ?2 AND e.first_seq > p.first_seq
                AND +p.feed IN shown AND +e.feed IN shown AND NOT ?4",
            owns!("?4"),
            "GROUP BY e.first_seq"
        ),
        params![feeds, last, end.unwrap_or(i64::MAX), each],
    )?);
    found.extend(lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, r.cause
               FROM revealed r JOIN entry e ON e.first_seq = r.entry
              WHERE r.cause > ?2 AND r.cause <= ?3 AND e.latest_seq <= ?2 AND +e.feed IN shown",
            owns!("?4")
        ),
        params![feeds, last, end.unwrap_or(i64::MAX), each],
    )?);
    found.sort_by_key(|line| (line.cause, line.seq));
    Ok(found)
}

/// The other shown entries that carry the words of these, of each the oldest first.
fn carriers(
    connection: &Connection,
    feeds: &str,
    lines: &[Line],
) -> Result<Vec<CarrierRow>, StoreError> {
    let mut statement = connection.prepare_cached(shown!(
        "SELECT e.first_seq, e.latest_seq, e.kind, e.key, f.id AS feed, a.id, a.link, w.content
           FROM entry e
           JOIN article a ON a.seq = e.latest_seq
           JOIN words w ON w.first_seq = e.words
           LEFT JOIN feed f ON f.num = e.feed
          WHERE e.words = ?2 AND e.first_seq <> ?3 AND e.feed IN shown
            AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq)
          ORDER BY e.first_seq"
    ))?;
    let mut carriers = Vec::new();
    for line in lines {
        let mut rows = statement.query(params![feeds, line.words, line.first_seq])?;
        while let Some(row) = rows.next()? {
            let cells = Cells::of(row, "entry", "first_seq")?;
            let key: String = cells.get("key")?;
            carriers.push(CarrierRow {
                content: ContentHash::from_bytes(cells.get("content")?),
                feed: cells.feed("feed")?,
                first_seq: cells.seq("first_seq")?,
                seq: cells.seq("latest_seq")?,
                id: cells.entry_id(&key)?,
                link: cells.link(&key)?,
                key: cells.key(&key)?,
            });
        }
    }
    Ok(carriers)
}

/// When an article of these feeds was last stored.
fn changed(
    connection: &Connection,
    feeds: &str,
    few: bool,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = if few {
        shown!(
            "SELECT max(a.recorded) FROM entry e JOIN article a ON a.entry = e.first_seq WHERE e.feed IN shown"
        )
    } else {
        // The newest articles of many feeds: one of the first that are looked at is of one of them.
        shown!(
            "SELECT max(recorded) FROM (SELECT a.recorded
               FROM article a JOIN entry e ON e.first_seq = a.entry
              WHERE e.feed IN shown ORDER BY a.seq DESC LIMIT 1)"
        )
    };
    let millis: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([feeds], |row| row.get(0))?;
    Ok(millis.map(Timestamp::from_millis))
}

fn lines(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Line>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Line {
            seq: row.get(0)?,
            first_seq: row.get(1)?,
            words: row.get(2)?,
            cause: row.get(3)?,
            unsealed: false,
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    let lines = statement
        .query_map(params, read)?
        .collect::<Result<_, _>>()?;
    Ok(lines)
}
