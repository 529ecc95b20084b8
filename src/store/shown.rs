//! Which entries are shown together, in light: their numbers, and who else carries their words. What is private is not
//! shown anywhere, so it may neither own words nor carry them (F-63).

mod copies;

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Params, Row, params};

use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::river::{Collapse, CopyPolicy};
use crate::model::ruling::Marks;
use crate::model::time::Timestamp;
use crate::rules::ruling;
use crate::rules::share::{Share, Window};
use crate::store::articles::{CarrierRow, article, whole};
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::ruled;
use crate::store::web::{Web, seq};

/// A choice of feeds whose entries are shown as one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Entries of these feeds.
    pub feeds: Vec<FeedId>,
    /// And those that rules tagged so; of nobody else.
    pub tagged: Option<Tagged>,
    /// Together: as `copies` say, who carries the same words named. Otherwise all entries, for themselves.
    pub once: bool,
    /// What is made of copies where they are shown together.
    pub copies: CopyPolicy,
    /// The newest so many entries, by date.
    pub limit: usize,
    /// Of each feed at most so many of them, as long as others fill the places.
    pub quota: Option<usize>,
    /// And every entry with a revision above this number, however old its date: what no sealed page has yet.
    pub beyond: Option<Beyond>,
}

impl Choice {
    /// What the merged feed is of: so many entries of these feeds, each feed's share of them, copies as they are shown.
    pub fn merged(feeds: Vec<FeedId>, entries: usize, share: Share, copies: CopyPolicy) -> Self {
        Self {
            feeds,
            once: true,
            copies,
            limit: entries,
            quota: share.quota(entries),
            ..Self::default()
        }
    }
}

/// Entries that rules gave a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tagged {
    /// The tag.
    pub tag: String,
    /// Whose entries it may show.
    pub feeds: Vec<FeedId>,
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
    /// What rules say of these; who has no mark is not in it.
    pub marks: Vec<(ArticleSeq, Marks)>,
    /// When an article of these feeds was last stored, or rules last changed.
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

/// A feed that has its share of the list is looked past for so many times the list's length: what is older does not
/// count as another's news, and nobody walks a million entries to fill twenty places.
const LOOKED_AT: usize = 16;

/// Beyond so many feeds it is cheaper to walk all entries by date than those of each feed.
const FEW: usize = 8;

// `?1` is a JSON list of feed ids; `?2` a tag that rules give, in round `?4`, and `?3` a list of those whose entries may be
// shown for it; `?5` the last article that was judged: what is above it waits (F-63 and rules, before anybody sees it). `?6`: each copy is shown.
macro_rules! shown {
    ($($sql:expr),+) => {
        concat!(
            "WITH shown AS (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?1))),
                  others AS (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?3))) ",
            $($sql),+
        )
    };
}

// `+` keeps the planner from the index by feed.
macro_rules! member {
    ($entry:literal) => {
        concat!(
            "(+", $entry, ".feed IN shown OR (+", $entry, ".feed IN others
                AND EXISTS (SELECT 1 FROM ruled r WHERE r.round = ?4 AND r.what = 'tag' AND r.tag = ?2
                                                    AND r.entry = ", $entry, ".first_seq)))
             AND ", $entry, ".first_seq <= ?5 "
        )
    };
}

// An entry owns its words if no other shown entry had them before, or where each copy is shown. Who is withheld owns nothing. An id that another shown
// entry had first is that one's, whatever the words (P-124).
macro_rules! owns {
    () => {
        concat!(
            " AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq)
              AND (?6 OR NOT EXISTS (SELECT 1 FROM entry o
                               WHERE o.words = e.words AND o.first_seq < e.first_seq AND ", member!("o"), "
                                 AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = o.first_seq)))
              AND NOT EXISTS (SELECT 1 FROM borrowed b JOIN entry o ON o.first_seq = b.owner
                               WHERE b.entry = e.first_seq AND ", member!("o"), "
                                 AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = o.first_seq)) "
        )
    };
}

// A feed's own view keeps all of its entries but those that wait for a decision.
macro_rules! waits_not {
    () => {
        " AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq AND h.why = 'flood') "
    };
}

const FEW_OWNERS: &str = shown!(
    "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq, e.feed FROM entry e
      WHERE e.feed IN shown AND e.first_seq <= ?5",
    owns!(),
    "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?7"
);

const FEW_AND_TAGGED_OWNERS: &str = shown!(
    "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq, e.feed FROM entry e
      WHERE e.first_seq <= ?5
        AND e.first_seq IN (SELECT first_seq FROM entry WHERE feed IN shown
                             UNION SELECT entry FROM ruled WHERE round = ?4 AND what = 'tag' AND tag = ?2)
        AND ",
    member!("e"),
    owns!(),
    "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?7"
);

const MANY_OWNERS: &str = shown!(
    "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq, e.feed FROM entry e WHERE ",
    member!("e"),
    owns!(),
    "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?7"
);

const ALL: &str = shown!(
    "SELECT e.latest_seq, e.first_seq, e.words, e.latest_seq, e.feed FROM entry e
      WHERE e.feed IN shown AND e.first_seq <= ?5",
    waits_not!(),
    "ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?7"
);

/// An entry that is shown.
struct Line {
    seq: i64,
    first_seq: i64,
    words: i64,
    /// What brought it, where that is asked.
    cause: i64,
    feed: i64,
    /// It is there for its date.
    dated: bool,
    /// No sealed page has it.
    unsealed: bool,
}

/// What all questions of a choice begin with.
struct Asked {
    feeds: String,
    tag: Option<String>,
    others: String,
    round: i64,
    upto: i64,
    each: bool,
}

// The parameters of `shown!`, and one's own behind them.
macro_rules! with {
    ($asked:expr $(, $more:expr)*) => {
        params![$asked.feeds, $asked.tag, $asked.others, $asked.round, $asked.upto, $asked.each $(, $more)*]
    };
}

/// The entries of a choice.
pub(super) fn lineup(connection: &Connection, choice: &Choice) -> Result<Lineup, StoreError> {
    let standing = ruled::standing(connection)?;
    let tagged = choice.tagged.as_ref();
    let asked = Asked {
        feeds: ruled::list(&choice.feeds),
        tag: tagged.map(|tagged| tagged.tag.clone()),
        others: ruled::list(tagged.map(|tagged| &tagged.feeds).into_iter().flatten()),
        round: standing.round,
        upto: standing.upto,
        each: choice.copies.collapse == Collapse::None,
    };
    let near = choice.once && choice.copies.near;
    let collapsed = near && choice.copies.collapse == Collapse::Near;
    let few = choice.feeds.len() <= FEW;
    let newest = match (choice.once, few, tagged.is_some()) {
        (true, true, false) => FEW_OWNERS,
        (true, true, true) => FEW_AND_TAGGED_OWNERS,
        (true, false, _) => MANY_OWNERS,
        (false, ..) => ALL,
    };
    let mut lines = if collapsed {
        // Some give way, and shares are of those that stay.
        lines(connection, newest, with![asked, count(looked_at(choice))])?
    } else {
        window(connection, newest, &asked, choice)?
    };
    let mut unsealed = Vec::new();
    if let Some(bounds) = choice.beyond {
        let mut known: HashMap<i64, usize> =
            (0..).zip(&lines).map(|(at, line)| (line.seq, at)).collect();
        for line in beyond(connection, &asked, bounds)? {
            unsealed.push((seq(line.cause), seq(line.seq)));
            if let Some(line) = known.get(&line.seq).and_then(|at| lines.get_mut(*at)) {
                line.unsealed = true;
            } else {
                known.insert(line.seq, lines.len());
                lines.push(Line {
                    dated: false,
                    unsealed: true,
                    ..line
                });
            }
        }
    }
    let mut web = Web::default();
    if near || choice.once && asked.each {
        let entries: Vec<i64> = lines.iter().map(|line| line.first_seq).collect();
        web = Web::around(connection, Some((&asked.feeds, asked.upto)), near, &entries)?;
    }
    if collapsed {
        lines = fit(copies::collapse(&mut web, lines), choice);
    }
    Ok(Lineup {
        carriers: if choice.once && !asked.each {
            carriers(connection, &asked, &lines)?
        } else {
            Vec::new()
        },
        reprints: copies::reprints(&mut web, &lines, asked.each),
        marks: marks(connection, &asked, &lines)?,
        changed: changed(connection, &asked, few)?.max(standing.since),
        articles: lines.iter().map(|line| seq(line.seq)).collect(),
        unsealed,
    })
}

/// What rules say of these.
fn marks(
    connection: &Connection,
    asked: &Asked,
    lines: &[Line],
) -> Result<Vec<(ArticleSeq, Marks)>, StoreError> {
    let mut all = Vec::new();
    for line in lines {
        let acts = ruled::acts(connection, asked.round, line.first_seq)?;
        let marks = ruling::marks(acts.iter().map(|(_, act)| act));
        if marks != Marks::default() {
            all.push((seq(line.seq), marks));
        }
    }
    Ok(all)
}

/// The articles of these numbers; one of which nothing is kept any more is not in it.
pub(super) fn articles(
    connection: &Connection,
    numbers: &[ArticleSeq],
) -> Result<Vec<StoredArticle>, StoreError> {
    let found = numbers.iter().map(|seq| article(connection, *seq));
    let found: Vec<StoredArticle> = found
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(whole(found).collect())
}

/// The owners with a revision above the last sealed one, ascending; those that came to own their words by such a
/// revision, since who had the words before them has others now; and those that were released above it. Walked by number,
/// not by feed: a page has a hundred of them.
fn beyond(connection: &Connection, asked: &Asked, bounds: Beyond) -> Result<Vec<Line>, StoreError> {
    let last = bounds.last.map_or(Ok(-1), number)?;
    let most = bounds.most.map_or(-1, count); // SQLite: a negative limit is none
    // A page is never opened again: what waits to be judged may not be passed over by it. What is shown meanwhile may.
    let top = bounds.most.map_or(i64::MAX, |_| asked.upto);
    let mut found = lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, a.seq, e.feed
               FROM article a JOIN entry e ON e.first_seq = a.entry AND e.latest_seq = a.seq
              WHERE a.seq > ?7 AND a.seq <= ?9 AND ",
            member!("e"),
            owns!(),
            "ORDER BY a.seq LIMIT ?8"
        ),
        with![asked, last, most, top],
    )?;
    let all = bounds.most.is_none_or(|most| found.len() < most);
    let end = found.last().filter(|_| !all).map(|line| line.cause);
    let end = end.unwrap_or(top).min(top);
    found.extend(lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, max(n.seq), e.feed
               FROM article n
               JOIN entry p ON p.first_seq = n.entry AND p.latest_seq = n.seq AND p.first_seq <= ?7
               JOIN article b ON b.seq = (SELECT max(seq) FROM article WHERE entry = p.first_seq AND seq <= ?7)
               JOIN entry e ON e.words = b.words
              WHERE n.seq > ?7 AND n.seq <= ?8 AND e.latest_seq <= ?7 AND e.first_seq > p.first_seq
                AND +p.feed IN shown AND NOT ?6 AND ",
            member!("e"),
            owns!(),
            "GROUP BY e.first_seq"
        ),
        with![asked, last, end],
    )?);
    found.extend(lines(
        connection,
        shown!(
            "SELECT e.latest_seq, e.first_seq, e.words, r.cause, e.feed
               FROM revealed r JOIN entry e ON e.first_seq = r.entry
              WHERE r.cause > ?7 AND r.cause <= ?8 AND e.latest_seq <= ?7 AND ",
            member!("e"),
            owns!()
        ),
        with![asked, last, end],
    )?);
    found.sort_by_key(|line| (line.cause, line.seq));
    Ok(found)
}

/// The other shown entries that carry the words of these, of each the oldest first.
fn carriers(
    connection: &Connection,
    asked: &Asked,
    lines: &[Line],
) -> Result<Vec<CarrierRow>, StoreError> {
    let mut statement = connection.prepare_cached(shown!(
        "SELECT e.first_seq, e.latest_seq, e.kind, e.key, f.id AS feed, a.id, a.link, w.content
           FROM entry e
           JOIN article a ON a.seq = e.latest_seq
           JOIN words w ON w.first_seq = ?7
           LEFT JOIN feed f ON f.num = e.feed
          WHERE e.first_seq IN (SELECT first_seq FROM entry WHERE words = ?7
                                 UNION SELECT entry FROM borrowed WHERE owner = ?8)
            AND e.first_seq <> ?8 AND ",
        member!("e"),
        "   AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq)
          ORDER BY e.first_seq"
    ))?;
    let mut carriers = Vec::new();
    for line in lines {
        let mut rows = statement.query(with![asked, line.words, line.first_seq])?;
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
    asked: &Asked,
    few: bool,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = if few {
        "SELECT max(a.recorded) FROM entry e JOIN article a ON a.entry = e.first_seq
          WHERE e.feed IN (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?1)))"
    } else {
        // The newest articles of many feeds: one of the first that are looked at is of one of them.
        "SELECT max(recorded) FROM (SELECT a.recorded
           FROM article a JOIN entry e ON e.first_seq = a.entry
          WHERE e.feed IN (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?1)))
          ORDER BY a.seq DESC LIMIT 1)"
    };
    let millis: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([&asked.feeds], |row| row.get(0))?;
    let tagged: Option<i64> = match &asked.tag {
        None => None,
        Some(tag) => connection
            .prepare_cached(
                "SELECT max(a.recorded)
                   FROM ruled r JOIN entry e ON e.first_seq = r.entry JOIN article a ON a.seq = e.latest_seq
                  WHERE r.round = ?1 AND r.what = 'tag' AND r.tag = ?2
                    AND e.feed IN (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?3)))",
            )?
            .query_row(params![asked.round, tag, asked.others], |row| row.get(0))?,
    };
    Ok(millis.max(tagged).map(Timestamp::from_millis))
}

/// How many entries are looked at where some of them may not stay.
fn looked_at(choice: &Choice) -> usize {
    let times = choice.quota.map_or(2, |_| LOOKED_AT);
    choice.limit.saturating_mul(times)
}

/// Of those that are there for their date as many as are wanted, each feed with its share; and all that no page has.
fn fit(lines: Vec<Line>, choice: &Choice) -> Vec<Line> {
    let mut window = Window::new(choice.limit, choice.quota);
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.dated) {
        if !window.offer(line.feed, place) {
            break;
        }
    }
    let chosen: HashSet<usize> = window.close().into_iter().collect();
    let stays =
        |(place, line): &(usize, Line)| !line.dated || line.unsealed || chosen.contains(place);
    let lines = lines.into_iter().enumerate().filter(stays);
    lines.map(|(_, line)| line).collect()
}

/// The newest, as many as are wanted, each feed with its share. Rows are read one by one: where nobody has more than its
/// share, no more of them than there are places.
fn window(
    connection: &Connection,
    newest: &str,
    asked: &Asked,
    choice: &Choice,
) -> Result<Vec<Line>, StoreError> {
    let most = match choice.quota {
        Some(_) => looked_at(choice),
        None => choice.limit,
    };
    let mut window = Window::new(choice.limit, choice.quota);
    let mut statement = connection.prepare_cached(newest)?;
    let mut rows = statement.query(with![asked, count(most)])?;
    while let Some(row) = rows.next()? {
        let line = line(row)?;
        if !window.offer(line.feed, line) {
            break;
        }
    }
    Ok(window.close())
}

fn lines(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Line>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let lines = statement
        .query_map(params, line)?
        .collect::<Result<_, _>>()?;
    Ok(lines)
}

fn line(row: &Row<'_>) -> Result<Line, rusqlite::Error> {
    Ok(Line {
        seq: row.get(0)?,
        first_seq: row.get(1)?,
        words: row.get(2)?,
        cause: row.get(3)?,
        feed: row.get(4)?,
        dated: true,
        unsealed: false,
    })
}
