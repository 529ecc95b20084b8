//! Copies of articles: what they are found by, what pairs were judged to be, and who was taken out.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::content::Content;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::rules::similar::{Evidence, Kinship, Print, Sketch};
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::press::Unpressed;

/// Rows kept of one line of one feed.
const LINE_ROWS: i64 = 64;

/// The latest revision of an entry, as far as copies are looked for by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The number of its first revision.
    pub entry: ArticleSeq,
    /// The revision.
    pub seq: ArticleSeq,
    /// Its feed.
    pub feed: FeedId,
    /// What it sorts by.
    pub date: Timestamp,
    /// The first article with its words.
    pub words: ArticleSeq,
    /// Its title.
    pub title: String,
    /// Its words.
    pub body: Content,
}

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The number of its first revision.
    pub entry: ArticleSeq,
    /// The revision.
    pub seq: ArticleSeq,
    /// What it sorted by.
    pub date: Timestamp,
    /// What it is found by.
    pub print: Print,
    /// Hashes of the lines at its ends.
    pub lines: Vec<u64>,
}

/// What two entries are to each other, and why; `a` has the lower number.
#[derive(Clone, Debug, PartialEq)]
pub struct Kin {
    /// The first revision of one.
    pub a: ArticleSeq,
    /// The first revision of the other.
    pub b: ArticleSeq,
    /// What they are.
    pub kinship: Kinship,
    /// Why.
    pub evidence: Evidence,
}

/// What became of some articles.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    /// Everything up to here is dealt with.
    pub cursor: ArticleSeq,
    /// Entries that were looked at, in place of what was known of them.
    pub printed: Vec<Printed>,
    /// All that these are to others.
    pub kin: Vec<Kin>,
}

/// Begins to follow by these rules: what was found by others is forgotten, and looked for from the beginning.
pub(super) fn begin(transaction: &Connection, recipe: u8, window: i64) -> Result<(), StoreError> {
    let same = transaction
        .prepare_cached("SELECT 1 FROM grouping WHERE recipe = ?1 AND window = ?2")?
        .exists(params![recipe, window])?;
    if !same {
        transaction.execute_batch(
            "DELETE FROM kin; DELETE FROM print; DELETE FROM feed_line; DELETE FROM grouping",
        )?;
        transaction.execute(
            "INSERT INTO grouping (one, recipe, window) VALUES (1, ?1, ?2)",
            params![recipe, window],
        )?;
    }
    Ok(())
}

/// The entries of the next articles that are their latest revisions, and the number up to which that is; `None` where
/// there are no more.
pub(super) fn next(
    connection: &Connection,
    limit: usize,
) -> Result<Option<(Vec<ArticleSeq>, ArticleSeq)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.seq, a.entry, e.latest_seq FROM article a JOIN entry e ON e.first_seq = a.entry
          WHERE a.seq > coalesce((SELECT cursor FROM grouping), -1) ORDER BY a.seq LIMIT ?1",
    )?;
    let mut rows = statement.query([count(limit)])?;
    let (mut entries, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "article", "seq")?;
        let seq = cells.seq("seq")?;
        last = Some(seq);
        if cells.seq("latest_seq")? == seq {
            entries.push(cells.seq("entry")?);
        }
    }
    Ok(last.map(|last| (entries, last)))
}

/// The latest revision of an entry; `None` where it is no longer kept.
pub(super) fn subject(
    connection: &Connection,
    entry: ArticleSeq,
) -> Result<Option<Subject>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.first_seq, e.latest_seq, e.date, e.words, f.id AS feed, a.title, a.body_kind, a.body
           FROM entry e JOIN article a ON a.seq = e.latest_seq LEFT JOIN feed f ON f.num = e.feed
          WHERE e.first_seq = ?1",
    )?;
    let mut rows = statement.query([number(entry)?])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let cells = Cells::of(row, "entry", "first_seq")?;
    Ok(Some(Subject {
        entry,
        seq: cells.seq("latest_seq")?,
        feed: cells.feed("feed")?,
        date: cells.time("date")?,
        words: cells.seq("words")?,
        title: cells.get("title")?,
        body: Content {
            kind: cells.content_kind("body_kind")?,
            text: cells.get::<Unpressed>("body")?.0,
        },
    }))
}

/// What this entry is found by.
pub(super) fn printed(
    connection: &Connection,
    entry: ArticleSeq,
) -> Result<Option<Printed>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM print WHERE entry = ?1")?;
    let mut rows = statement.query([number(entry)?])?;
    rows.next()?.map(read_print).transpose()
}

/// What entries of these dates are found by, both ends included: after this one, in the order of dates and numbers.
pub(super) fn prints(
    connection: &Connection,
    dates: (Timestamp, Timestamp),
    after: Option<(Timestamp, ArticleSeq)>,
    limit: usize,
) -> Result<Vec<Printed>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM print WHERE (date, entry) > (?1, ?2) AND date <= ?3 ORDER BY date, entry LIMIT ?4",
    )?;
    let (date, entry) = match after {
        Some((date, entry)) => (date.millis(), number(entry)?),
        None => (dates.0.millis(), -1),
    };
    let mut rows = statement.query(params![date, entry, dates.1.millis(), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_print(row)?);
    }
    Ok(found)
}

/// The date of the newest entry that is found by something.
pub(super) fn newest(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let millis: Option<i64> = connection
        .prepare_cached("SELECT max(date) FROM print")?
        .query_row([], |row| row.get(0))?;
    Ok(millis.map(Timestamp::from_millis))
}

fn read_print(row: &rusqlite::Row<'_>) -> Result<Printed, StoreError> {
    let cells = Cells::of(row, "print", "entry")?;
    let lines: Vec<u8> = cells.get("lines")?;
    Ok(Printed {
        entry: cells.seq("entry")?,
        seq: cells.seq("seq")?,
        date: cells.time("date")?,
        print: Print {
            len: cells.count("len")?,
            title: cells.count("title")?,
            lead: cells.count("lead")?,
            sketch: Sketch(cells.get("sketch")?),
        },
        lines: lines
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect(),
    })
}

/// The entries of a feed that have this line at one of their ends; some dozen at most.
pub(super) fn line_entries(
    connection: &Connection,
    feed: &FeedId,
    line: u64,
) -> Result<BTreeSet<ArticleSeq>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.entry FROM feed f JOIN feed_line l ON l.feed = f.num WHERE f.id = ?1 AND l.line = ?2",
    )?;
    let mut rows = statement.query(params![feed.as_str(), line.cast_signed()])?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        found.insert(Cells::of(row, "feed_line", "entry")?.seq("entry")?);
    }
    Ok(found)
}

/// Writes down what became of some articles, and says whether a group is another one by it. The same again changes
/// nothing.
pub(super) fn keep(transaction: &Connection, grouped: &Grouped) -> Result<bool, StoreError> {
    let mut before = BTreeSet::new();
    for printed in &grouped.printed {
        keep_print(transaction, printed)?;
        let mut statement = transaction.prepare_cached(
            "DELETE FROM kin WHERE a = ?1 OR b = ?1 RETURNING a, b, kind IN ('near', 'subset')",
        )?;
        let mut rows = statement.query([number(printed.entry)?])?;
        while let Some(row) = rows.next()? {
            if row.get(2)? {
                before.insert((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            }
        }
    }
    let mut after = BTreeSet::new();
    for kin in &grouped.kin {
        let evidence = &kin.evidence;
        let (a, b) = (number(kin.a)?, number(kin.b)?);
        if kin.kinship.groups() {
            after.insert((a, b));
        }
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO kin (a, b, kind, jaccard, containment, estimate, title, lead, numbers,
                                             shorter, longer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                a,
                b,
                kin.kinship.name(),
                evidence.jaccard,
                evidence.containment,
                evidence.estimate,
                evidence.title,
                evidence.lead,
                evidence.numbers,
                count(evidence.lens.0),
                count(evidence.lens.1),
            ])?;
    }
    transaction
        .prepare_cached("UPDATE grouping SET cursor = max(coalesce(cursor, -1), ?1)")?
        .execute([number(grouped.cursor)?])?;
    Ok(before != after)
}

fn keep_print(transaction: &Connection, printed: &Printed) -> Result<(), StoreError> {
    let entry = number(printed.entry)?;
    let feed: Option<i64> = transaction
        .prepare_cached("SELECT feed FROM entry WHERE first_seq = ?1")?
        .query_row([entry], |row| row.get(0))
        .optional()?;
    let Some(feed) = feed else {
        return Ok(());
    };
    let before = self::printed(transaction, printed.entry)?;
    for line in before.iter().flat_map(|before| &before.lines) {
        transaction
            .prepare_cached("DELETE FROM feed_line WHERE feed = ?1 AND line = ?2 AND entry = ?3")?
            .execute(params![feed, line.cast_signed(), entry])?;
    }
    for line in &printed.lines {
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO feed_line (feed, line, entry) SELECT ?1, ?2, ?3
                  WHERE (SELECT count(*) FROM feed_line WHERE feed = ?1 AND line = ?2) < ?4",
            )?
            .execute(params![feed, line.cast_signed(), entry, LINE_ROWS])?;
    }
    let lines: Vec<u8> = printed
        .lines
        .iter()
        .flat_map(|line| line.to_le_bytes())
        .collect();
    let print = &printed.print;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO print (entry, seq, date, len, title, lead, sketch, lines)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            entry,
            number(printed.seq)?,
            printed.date.millis(),
            print.len,
            print.title,
            print.lead,
            print.sketch.0,
            lines,
        ])?;
    Ok(())
}

/// What an entry is to others, by the numbers of these.
pub(super) fn kin(connection: &Connection, entry: ArticleSeq) -> Result<Vec<Kin>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM kin WHERE a = ?1 OR b = ?1 ORDER BY a, b")?;
    let mut rows = statement.query([number(entry)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "kin", "a")?;
        let name: String = cells.get("kind")?;
        found.push(Kin {
            a: cells.seq("a")?,
            b: cells.seq("b")?,
            kinship: Kinship::named(&name)
                .ok_or_else(|| cells.bad("kind", &"not a kinship of ours"))?,
            evidence: Evidence {
                jaccard: cells.get("jaccard")?,
                containment: cells.get("containment")?,
                estimate: cells.get("estimate")?,
                title: cells.get("title")?,
                lead: cells.get("lead")?,
                numbers: cells.get("numbers")?,
                lens: (cells.count("shorter")?, cells.count("longer")?),
            },
        });
    }
    Ok(found)
}

/// Takes an entry out of its group, or lets it back in; says whether that is news.
pub(super) fn part(
    transaction: &Connection,
    entry: ArticleSeq,
    since: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let entry = number(entry)?;
    let changed = match since {
        Some(since) => transaction
            .prepare_cached("INSERT OR IGNORE INTO parted (entry, since) VALUES (?1, ?2)")?
            .execute(params![entry, since.millis()])?,
        None => transaction
            .prepare_cached("DELETE FROM parted WHERE entry = ?1")?
            .execute([entry])?,
    };
    Ok(changed > 0)
}

/// Since when an entry is out of its group.
pub(super) fn parted(
    connection: &Connection,
    entry: ArticleSeq,
) -> Result<Option<Timestamp>, StoreError> {
    let millis: Option<i64> = connection
        .prepare_cached("SELECT since FROM parted WHERE entry = ?1")?
        .query_row([number(entry)?], |row| row.get(0))
        .optional()?;
    Ok(millis.map(Timestamp::from_millis))
}
