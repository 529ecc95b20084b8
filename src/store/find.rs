//! Finding what people mean, and how it stands: for reading decisions back.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;

/// How an article stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Every revision of its entry, ascending.
    pub revisions: Vec<ArticleSeq>,
    /// The entries whose latest revision carries the words that its entry's latest revision carries: the first of them is shown
    /// for all.
    pub carrying: Vec<Carrying>,
    /// The first article with this article's own words: the one that has the file.
    pub words: ArticleSeq,
    /// The name and the format of its own file in the archive.
    pub file: Option<(String, String)>,
    /// The file it was imported from.
    pub imported: Option<String>,
    /// How many entries that are shown stand before its entry by date.
    pub before: u64,
}

/// An entry that carries certain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrying {
    /// Whose.
    pub feed: FeedId,
    /// Its latest revision.
    pub latest: ArticleSeq,
}

/// The latest revisions of entries that have this address or id, in any of their revisions; the article of a file; the
/// articles with words of this content id.
pub(super) fn find(connection: &Connection, what: &str) -> Result<Vec<ArticleSeq>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT latest_seq AS seq FROM entry WHERE key = ?1
          UNION SELECT e.latest_seq FROM alias a JOIN entry e ON e.first_seq = a.entry WHERE a.key = ?1
          UNION SELECT e.latest_seq FROM article a JOIN entry e ON e.first_seq = a.entry
                 WHERE a.link = ?1 OR a.id = ?1
          UNION SELECT seq FROM archive_file WHERE name = ?1
          UNION SELECT seq FROM imported WHERE name = ?1
          UNION SELECT seq FROM article WHERE words IN (SELECT first_seq FROM words
                                                         WHERE lower(hex(substr(content, 1, 8))) = lower(?1))
          ORDER BY seq",
    )?;
    let mut rows = statement.query([what])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Cells::of(row, "entry", "seq")?.seq("seq")?);
    }
    Ok(found)
}

/// The latest revision of the first entry that is wanted.
pub(super) fn find_key(
    connection: &Connection,
    wanted: impl Fn(&FeedId, &EntryKey) -> bool,
) -> Result<Option<ArticleSeq>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.first_seq, e.latest_seq, e.kind, e.key, f.id AS feed
           FROM entry e LEFT JOIN feed f ON f.num = e.feed ORDER BY e.first_seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "entry", "first_seq")?;
        let text: String = cells.get("key")?;
        if wanted(&cells.feed("feed")?, &cells.key(&text)?) {
            return cells.seq("latest_seq").map(Some);
        }
    }
    Ok(None)
}

/// How an article stands. What feeds in `hidden` have is not in the way of others.
pub(super) fn looked(
    connection: &Connection,
    seq: ArticleSeq,
    hidden: &[FeedId],
) -> Result<Option<Looked>, StoreError> {
    let Ok(seq) = number(seq) else {
        return Ok(None);
    };
    let row: Option<(i64, i64, i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT a.entry, a.words, e.words, e.date, e.latest_seq
               FROM article a JOIN entry e ON e.first_seq = a.entry WHERE a.seq = ?1",
        )?
        .query_row([seq], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((entry, words, latest_words, date, latest)) = row else {
        return Ok(None);
    };
    let name = |sql: &str| -> Result<Option<String>, StoreError> {
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement.query_row([seq], |row| row.get(0)).optional()?)
    };
    // Ids of feeds need no escaping.
    let hidden: Vec<String> = hidden.iter().map(|feed| format!("\"{feed}\"")).collect();
    let hidden = format!("[{}]", hidden.join(","));
    let file = connection
        .prepare_cached("SELECT name, format FROM archive_file WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(Some(Looked {
        revisions: numbers(
            connection,
            "SELECT seq FROM article WHERE entry = ?1 ORDER BY seq",
            entry,
        )?,
        carrying: carrying(connection, latest_words, &hidden)?,
        words: ArticleSeq(u64::try_from(words).unwrap_or_default()),
        file,
        imported: name("SELECT name FROM imported WHERE seq = ?1")?,
        before: before(connection, date, latest, &hidden)?,
    }))
}

fn numbers(connection: &Connection, sql: &str, of: i64) -> Result<Vec<ArticleSeq>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([of])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Cells::of(row, "article", "seq")?.seq("seq")?);
    }
    Ok(found)
}

fn carrying(
    connection: &Connection,
    words: i64,
    hidden: &str,
) -> Result<Vec<Carrying>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.first_seq, e.latest_seq, f.id AS feed
           FROM entry e LEFT JOIN feed f ON f.num = e.feed
          WHERE e.words = ?1 AND f.id NOT IN (SELECT value FROM json_each(?2))
            AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq) ORDER BY e.first_seq",
    )?;
    let mut rows = statement.query(params![words, hidden])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "entry", "first_seq")?;
        found.push(Carrying {
            feed: cells.feed("feed")?,
            latest: cells.seq("latest_seq")?,
        });
    }
    Ok(found)
}

/// As the merged feed is put together: each text once, the newest first.
fn before(
    connection: &Connection,
    date: i64,
    latest: i64,
    hidden: &str,
) -> Result<u64, StoreError> {
    let count: i64 = connection
        .prepare_cached(
            "WITH hidden AS (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?3)))
             SELECT count(*) FROM entry e
              WHERE (e.date, e.latest_seq) > (?1, ?2) AND e.feed NOT IN hidden
                AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = e.first_seq)
                AND NOT EXISTS (SELECT 1 FROM entry o WHERE o.words = e.words AND o.first_seq < e.first_seq
                                                        AND o.feed NOT IN hidden
                                                        AND NOT EXISTS (SELECT 1 FROM withheld h
                                                                         WHERE h.entry = o.first_seq))",
        )?
        .query_row(params![date, latest, hidden], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}
