//! The search index: what is not in it yet, taking that in, and finding by it.

mod find;
mod months;

use rusqlite::{Connection, OptionalExtension, params};

pub(super) use find::find;
pub use find::{Found, Seek};

use crate::model::article::StoredArticle;
use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;
use crate::store::articles::article;
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;

/// Numbers of one block.
pub(super) const BLOCK: u64 = 16;

/// Pages of an index below which nobody cares in how many parts it lies.
const WORTH: i64 = 64;

/// Pages of the index that are merged at once: about a megabyte.
const MERGED: i64 = 256;

/// Bytes of bodies in one slice, about.
const SLICE_BYTES: usize = 4 << 20;

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexState {
    /// By which recipe its terms were made; 0 for none.
    pub recipe: u32,
    /// The first number that is not in it.
    pub next: u64,
    /// The first block that is not in it.
    block: u64,
}

/// Articles that are not in the index yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unindexed {
    /// The state they were read in.
    pub state: IndexState,
    /// The first number behind them.
    pub next: u64,
    /// Ascending. Also those whose block is not full yet, though they are in the index.
    pub articles: Vec<StoredArticle>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// What the index takes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// As in [`Unindexed`].
    pub state: IndexState,
    /// As in [`Unindexed`].
    pub next: u64,
    /// Terms of articles, parted by blanks.
    pub articles: Vec<(ArticleSeq, String)>,
    /// Characters of full blocks, likewise, by number; ascending.
    pub blocks: Vec<(u64, String)>,
}

impl Unindexed {
    /// The block of an article, where it is full.
    pub fn full_block(&self, seq: ArticleSeq) -> Option<u64> {
        Some(seq.0 / BLOCK).filter(|block| (block + 1) * BLOCK <= self.next)
    }
}

/// How far the index is.
pub(super) fn state(connection: &Connection) -> Result<IndexState, StoreError> {
    connection
        .prepare_cached("SELECT one, recipe, next, block FROM search_state")?
        .query_row([], |row| {
            Ok(Cells::of(row, "search_state", "one").and_then(|cells| {
                Ok(IndexState {
                    recipe: cells.count("recipe")?,
                    next: cells.count("next")?,
                    block: cells.count("block")?,
                })
            }))
        })?
}

/// How many articles are not in the index, of a recipe.
pub(super) fn behind(connection: &Connection, recipe: u32) -> Result<u64, StoreError> {
    let state = state(connection)?;
    let next = if state.recipe == recipe {
        state.next
    } else {
        0
    };
    connection
        .prepare_cached("SELECT count(*) AS behind, 0 AS one FROM article WHERE seq >= ?1")?
        .query_row([number(ArticleSeq(next))?], |row| {
            Ok(Cells::of(row, "article", "one").and_then(|cells| cells.count("behind")))
        })?
}

/// Latest revisions that are not in the index, so many at most.
pub(super) fn unindexed(connection: &Connection, limit: usize) -> Result<Unindexed, StoreError> {
    let state = state(connection)?;
    let from = state.next.min(state.block.saturating_mul(BLOCK));
    let mut statement = connection.prepare_cached(
        "SELECT a.seq, e.latest_seq = a.seq AS latest
           FROM article a LEFT JOIN entry e ON e.first_seq = a.entry
          WHERE a.seq >= ?1 ORDER BY a.seq LIMIT ?2",
    )?;
    let limit = count(limit).saturating_add(1);
    let mut rows = statement.query(params![number(ArticleSeq(from))?, limit])?;
    let mut slice = Unindexed {
        state,
        next: state.next,
        ..Unindexed::default()
    };
    let (mut read, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "article", "seq")?;
        let seq = cells.seq("seq")?;
        if read + 1 == limit || bytes > SLICE_BYTES {
            slice.more = true;
            break;
        }
        read += 1;
        if cells.get("latest")?
            && let Some(article) = article(connection, seq)?
        {
            bytes += article.article.body.text.len();
            slice.articles.push(article);
        }
        slice.next = slice.next.max(seq.0 + 1);
    }
    Ok(slice)
}

/// Takes terms in, unless the index has gone on since they were read. Inside the caller's transaction.
pub(super) fn index(transaction: &Connection, terms: &Terms) -> Result<bool, StoreError> {
    if state(transaction)? != terms.state {
        return Ok(false);
    }
    for (seq, terms) in &terms.articles {
        let seq = number(*seq)?;
        let found: Option<(i64, i64, i64)> = transaction
            .prepare_cached(
                "SELECT e.first_seq, e.feed, e.date FROM article a JOIN entry e ON e.first_seq = a.entry
                  WHERE a.seq = ?1 AND e.latest_seq = ?1",
            )?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        // It may have been revised meanwhile, or be kept no longer.
        let Some((entry, feed, date)) = found else {
            continue;
        };
        remove(transaction, entry, seq)?;
        let [year, month] = months::names(Timestamp::from_millis(date));
        transaction
            .prepare_cached("INSERT INTO search (rowid, terms) VALUES (?1, ?2)")?
            .execute(params![seq, format!("f{feed} {year} {month} {terms}")])?;
    }
    let mut next_block = terms.state.block;
    for (block, characters) in &terms.blocks {
        transaction
            .prepare_cached("INSERT INTO search_block (rowid, terms) VALUES (?1, ?2)")?
            .execute(params![number(ArticleSeq(*block))?, characters])?;
        next_block = next_block.max(block + 1);
    }
    // Blocks without articles are full too.
    next_block = next_block.max(terms.next / BLOCK);
    transaction
        .prepare_cached("UPDATE search_state SET next = ?1, block = ?2")?
        .execute(params![
            number(ArticleSeq(terms.next))?,
            number(ArticleSeq(next_block))?
        ])?;
    Ok(true)
}

/// Empties the index, to be filled by this recipe. Inside the caller's transaction.
pub(super) fn reset(transaction: &Connection, recipe: u32) -> Result<(), StoreError> {
    for table in ["search", "search_block"] {
        transaction.execute_batch(&format!(
            "INSERT INTO {table} ({table}) VALUES ('delete-all')"
        ))?;
    }
    transaction
        .prepare_cached("UPDATE search_state SET recipe = ?1, next = 0, block = 0")?
        .execute([recipe])?;
    Ok(())
}

/// Whether the index lies in so many parts that it is a good deal longer than it could be: each part has its own list of
/// terms.
pub(super) fn is_scattered(connection: &Connection) -> Result<bool, StoreError> {
    // Parts by their pages, the longest first. Those that are short in all are not worth it.
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM search_idx GROUP BY segid ORDER BY 1 DESC")?;
    let parts: Vec<i64> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let longest = parts.first().copied().unwrap_or(0);
    let all: i64 = parts.iter().sum();
    Ok(all > WORTH && all - longest > longest / 2)
}

/// Merges a little of an index that [`is_scattered`], and says whether anything was done. Inside the caller's
/// transaction.
pub(super) fn gather(transaction: &Connection) -> Result<bool, StoreError> {
    let before = transaction.total_changes();
    for table in ["search", "search_block"] {
        // Less than nothing: all parts into one, and not only those of one length.
        let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', ?1)");
        transaction.prepare_cached(&sql)?.execute([-MERGED])?;
    }
    // Each of the two orders is a change itself.
    Ok(transaction.total_changes() - before > 2)
}

/// Takes an article out of the index, where it is in it. What is left of it in blocks finds nothing. Inside the caller's
/// transaction.
pub(super) fn forget(transaction: &Connection, seq: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM search WHERE rowid = ?1")?
        .execute([seq])?;
    Ok(())
}

/// Takes the revisions of an entry below a number out.
fn remove(transaction: &Connection, entry: i64, below: i64) -> Result<(), StoreError> {
    let mut earlier =
        transaction.prepare_cached("SELECT seq FROM article WHERE entry = ?1 AND seq < ?2")?;
    let earlier: Vec<i64> = earlier
        .query_map([entry, below], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in earlier {
        forget(transaction, seq)?;
    }
    Ok(())
}
