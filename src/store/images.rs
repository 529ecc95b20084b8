//! Copies of pictures: whose are copied, which addresses wait, which copies there are. The files are not here.

mod work;

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::{ImageCopy, ImageKind};
use crate::model::time::Timestamp;
use crate::store::Store;
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::writer::Command;

pub(super) use work::{Work, done};

/// A day, by which requests are counted.
const DAY: Duration = Duration::from_hours(24);

/// Articles whose pictures are to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Of feeds whose pictures are copied, ascending.
    pub articles: Vec<(ArticleSeq, FeedId)>,
    /// Where it goes on behind them.
    pub next: ArticleSeq,
}

/// Pictures that articles show: the number of each, whose it is, and the addresses.
pub type Listed = Vec<(ArticleSeq, FeedId, Vec<String>)>;

/// An address that is due to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueImage {
    /// Its number in the store.
    pub number: i64,
    /// The address.
    pub url: String,
    /// In whose name.
    pub feed: FeedId,
    /// How often it was asked in vain.
    pub tries: u32,
}

/// What came of asking for a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was copied, and its file is on the disk.
    Copied(ImageCopy),
    /// There is none, and it is not asked again.
    Never(String),
    /// It is asked again.
    Again {
        /// Why there is none.
        why: String,
        /// When.
        due: Timestamp,
        /// How often it was asked in vain by now.
        tries: u32,
    },
}

/// How many copies there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Files.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Store {
    /// From now on the pictures of these feeds are copied, and of no others: of articles that come from now on, where one
    /// was not among them before.
    pub async fn copy_images_of(&self, feeds: Vec<FeedId>) -> Result<(), StoreError> {
        self.images(Work::Follow(feeds)).await.map(|_| ())
    }

    /// The feeds whose pictures are copied, by id.
    pub fn image_feeds(&self) -> Result<Vec<FeedId>, StoreError> {
        self.shared.readers.read(feeds)
    }

    /// Of the next so many articles those whose pictures are to be listed; `None` where all were.
    pub fn unlisted_images(&self, limit: usize) -> Result<Option<Unlisted>, StoreError> {
        self.shared.readers.read(|c| unlisted(c, limit))
    }

    /// Notes the pictures of articles up to `next`: those that nobody asked for yet are due.
    pub async fn list_images(
        &self,
        listed: Listed,
        next: ArticleSeq,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.images(Work::List(listed, next, now)).await.map(|_| ())
    }

    /// The addresses that are due, those first that have been for longest.
    pub fn due_images(&self, now: Timestamp, limit: usize) -> Result<Vec<DueImage>, StoreError> {
        self.shared.readers.read(|c| due(c, now, limit))
    }

    /// When the next address is due.
    pub fn next_image(&self) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = self.shared.readers.read(|c| {
            Ok(
                c.prepare_cached("SELECT min(due) FROM image_url WHERE due IS NOT NULL")?
                    .query_row([], |row| row.get(0))?,
            )
        })?;
        Ok(millis.map(Timestamp::from_millis))
    }

    /// How many were asked on the day of `now`.
    pub fn images_asked(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.shared.readers.read(|c| {
            let asked: Option<i64> = c
                .prepare_cached("SELECT asked FROM image_work WHERE day = ?1")?
                .query_row([day(now)], |row| row.get(0))
                .optional()?;
            Ok(asked.and_then(|asked| asked.try_into().ok()).unwrap_or(0))
        })
    }

    /// Notes what came of addresses, by their numbers, and that so many requests were made.
    pub async fn tried_images(
        &self,
        tried: Vec<(i64, Tried)>,
        asked: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.images(Work::Tried(tried, asked, now))
            .await
            .map(|_| ())
    }

    /// Forgets copies until there are so many bytes of them at most, and says which: their files may go. Those go first that
    /// none of the articles in `shown` shows, and of these the oldest.
    pub async fn evict_images(
        &self,
        shown: Vec<ArticleSeq>,
        bytes: u64,
    ) -> Result<Vec<ImageCopy>, StoreError> {
        self.images(Work::Evict(shown, bytes)).await
    }

    /// How many copies there are.
    pub fn images_kept(&self) -> Result<Kept, StoreError> {
        self.shared.readers.read(|c| {
            let (files, bytes): (i64, i64) = c
                .prepare_cached("SELECT count(*), coalesce(sum(bytes), 0) FROM image")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let natural = |number: i64| u64::try_from(number).unwrap_or(0);
            Ok(Kept {
                files: natural(files),
                bytes: natural(bytes),
            })
        })
    }

    /// All copies.
    pub fn all_images(&self) -> Result<Vec<ImageCopy>, StoreError> {
        self.shared.readers.read(|c| {
            let mut statement =
                c.prepare_cached("SELECT num, digest, kind, bytes FROM image ORDER BY num")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(copy(row)?);
            }
            Ok(found)
        })
    }

    /// The copies that articles of these feeds show.
    pub fn images_of(&self, feeds: &[FeedId]) -> Result<Vec<ImageCopy>, StoreError> {
        self.shared.readers.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT i.num, i.digest, i.kind, i.bytes FROM image i
                  WHERE EXISTS (SELECT 1 FROM image_url x JOIN image_use u ON u.url = x.num
                                  JOIN article a ON a.seq = u.seq JOIN entry e ON e.first_seq = a.entry
                                  JOIN feed f ON f.num = e.feed
                                 WHERE x.image = i.num AND f.id IN (SELECT value FROM json_each(?1)))
                  ORDER BY i.num",
            )?;
            let mut rows = statement.query([list(feeds)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(copy(row)?);
            }
            Ok(found)
        })
    }

    /// The pictures of these articles that there are copies of, by the publishers' addresses.
    pub fn copies_of(
        &self,
        articles: &[ArticleSeq],
    ) -> Result<HashMap<ArticleSeq, Vec<(String, ImageCopy)>>, StoreError> {
        self.shared.readers.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT x.url, i.num, i.digest, i.kind, i.bytes
                   FROM image_use u JOIN image_url x ON x.num = u.url JOIN image i ON i.num = x.image
                  WHERE u.seq = ?1 ORDER BY x.url",
            )?;
            let mut found = HashMap::new();
            for seq in articles {
                let mut rows = statement.query([number(*seq)?])?;
                let mut copies = Vec::new();
                while let Some(row) = rows.next()? {
                    copies.push((row.get("url")?, copy(row)?));
                }
                if !copies.is_empty() {
                    found.insert(*seq, copies);
                }
            }
            Ok(found)
        })
    }

    async fn images(&self, work: Work) -> Result<Vec<ImageCopy>, StoreError> {
        self.ask(|reply| Command::Images(work, reply)).await
    }
}

fn feeds(connection: &Connection) -> Result<Vec<FeedId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, since FROM image_feed ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Cells::of(row, "image_feed", "since")?.feed("id")?);
    }
    Ok(found)
}

fn unlisted(connection: &Connection, limit: usize) -> Result<Option<Unlisted>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.seq, f.id AS feed, a.seq >= c.since AS wanted
           FROM article a
           JOIN entry e ON e.first_seq = a.entry
           JOIN feed f ON f.num = e.feed
           LEFT JOIN image_feed c ON c.id = f.id
          WHERE a.seq >= (SELECT next FROM image_work)
            AND EXISTS (SELECT 1 FROM image_feed)
          ORDER BY a.seq LIMIT ?1",
    )?;
    let mut rows = statement.query([count(limit)])?;
    let (mut articles, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "article", "seq")?;
        let seq = cells.seq("seq")?;
        last = Some(seq);
        if cells.get::<Option<bool>>("wanted")? == Some(true) {
            articles.push((seq, cells.feed("feed")?));
        }
    }
    Ok(last.map(|last| Unlisted {
        articles,
        next: ArticleSeq(last.0 + 1),
    }))
}

fn due(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<DueImage>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT num, url, feed, tries FROM image_url WHERE due <= ?1 ORDER BY due, num LIMIT ?2",
    )?;
    let mut rows = statement.query(params![now.millis(), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "image_url", "num")?;
        found.push(DueImage {
            number: cells.get("num")?,
            url: cells.get("url")?,
            feed: cells.feed("feed")?,
            tries: cells.count("tries")?,
        });
    }
    Ok(found)
}

fn copy(row: &Row<'_>) -> Result<ImageCopy, StoreError> {
    let cells = Cells::of(row, "image", "num")?;
    let kind: String = cells.get("kind")?;
    Ok(ImageCopy {
        digest: cells.get("digest")?,
        kind: ImageKind::named(&kind).ok_or_else(|| cells.bad("kind", &"no kind of ours"))?,
        bytes: cells.count("bytes")?,
    })
}

/// The day of a time.
fn day(time: Timestamp) -> i64 {
    let millis = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    time.millis().div_euclid(millis)
}

/// Feed ids need no escaping.
fn list(feeds: &[FeedId]) -> String {
    let quoted: Vec<String> = feeds.iter().map(|feed| format!("\"{feed}\"")).collect();
    format!("[{}]", quoted.join(","))
}
