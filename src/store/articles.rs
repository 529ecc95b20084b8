//! Reading articles back.

use std::collections::HashMap;

use rusqlite::{Connection, Params, params};

use crate::model::article::{Article, StoredArticle};
use crate::model::content::{Content, ContentHash};
use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, EntryId, FeedId};
use crate::model::keep::Pruned;
use crate::model::poll::KnownEntry;
use crate::model::urls::PageUrl;
use crate::store::alias;
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::press::Unpressed;
use crate::store::retention;
use crate::store::shapes::{EnclosureShape, FeedInfoShape, More, page};

/// Which articles to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only those with a higher number.
    pub since: Option<ArticleSeq>,
    /// Only those of this feed.
    pub feed: Option<FeedId>,
    /// At most so many.
    pub limit: usize,
}

/// An entry whose latest revision carries words that another entry had first. Light: without the words themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierRow {
    /// The words.
    pub content: ContentHash,
    /// Its feed.
    pub feed: FeedId,
    /// The number of its first revision.
    pub first_seq: ArticleSeq,
    /// The number of the revision that carries the words: its latest.
    pub seq: ArticleSeq,
    /// How it is recognised.
    pub key: EntryKey,
    /// The publisher's id as given.
    pub id: Option<EntryId>,
    /// Its page.
    pub link: Option<PageUrl>,
}

// Left joins: where a damaged file lacks what a row points at, that is an error and not an article less.
macro_rules! select_articles {
    ($rest:literal) => {
        concat!(
            "SELECT a.seq, a.entry, a.words, a.recorded, a.revised, a.published, a.updated, a.cms_date, a.raw,
                    a.teaser, a.partial, a.id, a.link, a.title, a.more, a.summary_kind, a.summary, a.body_kind,
                    a.body, e.kind, e.key, e.first_seen, f.id AS feed, w.content,
                    g.at AS pruned_at, g.tier AS pruned_tier, g.rule AS pruned_rule
               FROM article a
               LEFT JOIN entry e ON e.first_seq = a.entry
               LEFT JOIN feed f ON f.num = e.feed
               LEFT JOIN words w ON w.first_seq = a.words
               LEFT JOIN pruning g ON g.num = a.pruned ",
            $rest
        )
    };
}

/// The article of this number.
pub(super) fn article(
    connection: &Connection,
    seq: ArticleSeq,
) -> Result<Option<StoredArticle>, StoreError> {
    let Ok(seq) = number(seq) else {
        return Ok(None);
    };
    let found = stored(connection, select_articles!("WHERE a.seq = ?1"), [seq])?;
    Ok(found.into_iter().next())
}

/// Articles with higher numbers, ascending.
pub(super) fn since(
    connection: &Connection,
    after: Option<ArticleSeq>,
    limit: usize,
) -> Result<Vec<StoredArticle>, StoreError> {
    stored(
        connection,
        select_articles!("WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2"),
        params![above(after), count(limit)],
    )
}

/// Articles that match, highest number first.
pub(super) fn list(
    connection: &Connection,
    query: &ListQuery,
) -> Result<Vec<StoredArticle>, StoreError> {
    let (above, limit) = (above(query.since), count(query.limit));
    match &query.feed {
        None => stored(
            connection,
            select_articles!("WHERE a.seq > ?1 ORDER BY a.seq DESC LIMIT ?2"),
            params![above, limit],
        ),
        // The numbers first, from two narrow indexes; whole rows only of those that are wanted.
        Some(feed) => stored(
            connection,
            select_articles!(
                "WHERE a.seq IN (SELECT o.seq
                                   FROM feed g
                                   JOIN entry d ON d.feed = g.num
                                   JOIN article o ON o.entry = d.first_seq
                                  WHERE g.id = ?3 AND o.seq > ?1
                                  ORDER BY o.seq DESC LIMIT ?2)
                 ORDER BY a.seq DESC"
            ),
            params![above, limit, feed.as_str()],
        ),
    }
}

/// The latest revision of each entry, each text once: in the entry that had it first. Newest first.
pub(super) fn latest(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<StoredArticle>, StoreError> {
    let chosen = connection
        .prepare_cached(
            "SELECT e.latest_seq
               FROM entry e
              WHERE NOT EXISTS (SELECT 1 FROM entry o WHERE o.words = e.words AND o.first_seq < e.first_seq)
              ORDER BY e.date DESC, e.latest_seq DESC LIMIT ?1",
        )?
        .query_map([count(limit)], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut articles = Vec::with_capacity(chosen.len());
    for seq in chosen {
        // An entry is remembered longer than its articles are kept, so there may be none.
        articles.extend(whole(stored(
            connection,
            select_articles!("WHERE a.seq = ?1"),
            [seq],
        )?));
    }
    Ok(articles)
}

/// The entries that carry these words too, besides the one that had them first and which [`latest`] shows. In the
/// order of `contents`, of each the oldest first.
pub(super) fn carriers(
    connection: &Connection,
    contents: &[ContentHash],
) -> Result<Vec<CarrierRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.first_seq, e.latest_seq, e.kind, e.key, f.id AS feed, a.id, a.link
           FROM words w
           JOIN entry e ON e.words = w.first_seq
           JOIN article a ON a.seq = e.latest_seq
           LEFT JOIN feed f ON f.num = e.feed
          WHERE w.content = ?1
          ORDER BY e.first_seq LIMIT -1 OFFSET 1",
    )?;
    let mut carriers = Vec::new();
    for content in contents {
        let mut rows = statement.query([content.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let cells = Cells::of(row, "entry", "first_seq")?;
            let key: String = cells.get("key")?;
            carriers.push(CarrierRow {
                content: *content,
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

/// What is known of these entries of a feed, under these keys or others. Those that are not known are not in it.
pub(super) fn known(
    connection: &Connection,
    feed: &FeedId,
    keys: &[EntryKey],
) -> Result<HashMap<EntryKey, KnownEntry>, StoreError> {
    let found = alias::recognised(connection, feed, keys)?;
    Ok(found
        .into_iter()
        .map(|(key, entry)| (key, entry.known))
        .collect())
}

/// Articles the archive has not dealt with, by the number that brought each, above the cursor: its own, or the one under
/// which it was released from a flood. First with their words; without those that wait in a flood, and those whose words
/// are gone. Ascending.
pub(super) fn to_archive(
    connection: &Connection,
    after: Option<ArticleSeq>,
    limit: usize,
) -> Result<Vec<(ArticleSeq, StoredArticle)>, StoreError> {
    let after = above(after);
    let chosen = connection
        .prepare_cached(
            "SELECT a.seq AS cause, a.seq FROM article a
              WHERE a.seq > ?1 AND a.words = a.seq AND a.pruned IS NULL
                AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = a.entry AND h.why = 'flood')
             UNION ALL
             SELECT r.cause, a.seq FROM revealed r JOIN article a ON a.entry = r.entry
              WHERE r.cause > ?1 AND a.seq <= ?1 AND a.words = a.seq AND a.pruned IS NULL
                AND NOT EXISTS (SELECT 1 FROM archive_file f WHERE f.seq = a.seq)
             ORDER BY cause, a.seq LIMIT ?2",
        )?
        .query_map(params![after, count(limit)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let mut articles = Vec::with_capacity(chosen.len());
    for (cause, seq) in chosen {
        let found = stored(connection, select_articles!("WHERE a.seq = ?1"), [seq])?;
        let cause = ArticleSeq(u64::try_from(cause).unwrap_or_default());
        articles.extend(found.into_iter().map(|article| (cause, article)));
    }
    Ok(articles)
}

/// Those of which there is something to show.
pub(super) fn whole(
    articles: impl IntoIterator<Item = StoredArticle>,
) -> impl Iterator<Item = StoredArticle> {
    let is_bare = |article: &StoredArticle| article.pruned.as_ref().is_some_and(Pruned::is_bare);
    articles
        .into_iter()
        .filter(move |article| !is_bare(article))
}

/// The number that all wanted ones are higher than.
fn above(after: Option<ArticleSeq>) -> i64 {
    // Nothing has a number SQLite cannot hold.
    after.map_or(-1, |after| number(after).unwrap_or(i64::MAX))
}

fn stored(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<StoredArticle>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut articles = Vec::new();
    while let Some(row) = rows.next()? {
        articles.push(stored_article(&Cells::of(row, "article", "seq")?)?);
    }
    Ok(articles)
}

fn stored_article(cells: &Cells<'_, '_>) -> Result<StoredArticle, StoreError> {
    let seq = cells.seq("seq")?;
    let words = cells.seq("words")?;
    Ok(StoredArticle {
        seq,
        feed: cells.feed("feed")?,
        first_seq: cells.seq("entry")?,
        first_seen: cells.time("first_seen")?,
        recorded: cells.time("recorded")?,
        revised: cells.time("revised")?,
        reprint_of: (words != seq).then_some(words),
        pruned: retention::of_row(cells)?,
        article: plain_article(cells)?,
    })
}

fn plain_article(cells: &Cells<'_, '_>) -> Result<Article, StoreError> {
    let key: String = cells.get("key")?;
    let more: More = cells.json("more")?;
    let bad = |why: String| cells.bad("more", &why);
    let summary = match cells.get::<Option<String>>("summary")? {
        None => None,
        Some(text) => Some(Content {
            kind: cells.content_kind("summary_kind")?,
            text,
        }),
    };
    let thumbnail = more.thumbnail.as_deref().map(page);
    let enclosures = more.enclosures.into_iter().map(EnclosureShape::read);
    Ok(Article {
        id: cells.entry_id(&key)?,
        link: cells.link(&key)?,
        key: cells.key(&key)?,
        title: cells.get("title")?,
        authors: more.authors,
        language: more.language,
        published: cells.maybe_time("published")?,
        updated: cells.maybe_time("updated")?,
        cms_date: cells.maybe_time("cms_date")?,
        categories: more.categories,
        summary,
        body: Content {
            kind: cells.content_kind("body_kind")?,
            text: cells.get::<Unpressed>("body")?.0,
        },
        partial: cells.get("partial")?,
        thumbnail: thumbnail.transpose().map_err(bad)?,
        enclosures: enclosures.collect::<Result<_, _>>().map_err(bad)?,
        origin: more
            .origin
            .map(FeedInfoShape::read)
            .transpose()
            .map_err(bad)?,
        note: more.note,
        content: ContentHash::from_bytes(cells.get("content")?),
        raw: cells.raw("raw")?,
        teaser: cells.maybe_raw("teaser")?,
    })
}
