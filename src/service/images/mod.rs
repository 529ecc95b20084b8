//! Copies of pictures, for feeds that order them: beside the polls and never in their way. Follows a cursor of its own, in
//! slices, so it can be stopped at any moment; what it was doing is done again.

mod ask;
mod room;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};

use crate::fetch::Fetch;
use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::output::files::FileError;
use crate::output::gallery;
use crate::rules::images;
use crate::service::images::ask::Hand;
use crate::service::images::room::{Room, State};
use crate::service::poll::Desk;
use crate::service::publish::{Press, PublishError};
use crate::store::{DueImage, Listed, StoreError, Tried};

/// Articles looked through at once.
const SLICE: usize = 64;

/// Addresses asked before what came of them is noted.
const BATCH: usize = 32;

/// Hosts asked at once. Each is asked for one picture at a time, so that a poll there waits for one at most.
const HOSTS: usize = 4;

/// How much is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all copies at most.
    pub space: u64,
    /// Bytes of one.
    pub max: u64,
    /// Pictures of one article.
    pub per_article: usize,
    /// Requests in a day.
    pub per_day: usize,
}

/// Why copying cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A defect of ours.
    #[error("a defect in feedmill: {0}")]
    Defect(String),
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Pictures that are copied now.
    pub copied: usize,
    /// Pictures that could not be had, now or for good.
    pub missed: usize,
    /// Copies that had to go.
    pub evicted: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

impl Round {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            copied: self.copied + other.copied,
            missed: self.missed + other.missed,
            evicted: self.evicted + other.evicted,
            more: other.more,
        }
    }

    /// Whether what is published may look different.
    pub fn shows(&self) -> bool {
        self.copied + self.evicted > 0
    }
}

/// Who copies.
pub struct Copier<W> {
    /// Who asks, and who remembers.
    pub desk: Arc<Desk<W>>,
    /// Where the files are.
    pub dir: PathBuf,
    /// How much is copied.
    pub bounds: Bounds,
    /// Whose pictures, as [`orders`] gives them.
    pub orders: Arc<HashMap<FeedId, Subscription>>,
    /// Entries of a feed that are shown at most.
    pub entries: usize,
}

/// The subscriptions whose pictures are copied. What is shown to nobody (F-63) is not: a copy is there to be shown.
pub fn orders(press: &Press) -> Result<HashMap<FeedId, Subscription>, PublishError> {
    if !press.subscriptions.values().any(|feed| feed.copy_images) {
        return Ok(HashMap::new());
    }
    let hidden = press.hidden()?;
    let wanted = press
        .subscriptions
        .iter()
        .filter(|(id, feed)| feed.copy_images && !hidden.contains(id));
    Ok(wanted
        .map(|(id, feed)| (id.clone(), feed.clone()))
        .collect())
}

impl<W: Fetch> Copier<W> {
    /// Has the store follow these orders; of those that are new, from now on.
    pub async fn follow(&self) -> Result<(), CopyError> {
        let mut feeds: Vec<FeedId> = self.orders.keys().cloned().collect();
        feeds.sort();
        let store = self.desk.store.clone();
        let followed = off(move || store.image_feeds()).await??;
        if followed != feeds {
            self.desk.store.copy_images_of(feeds).await?;
        }
        Ok(())
    }

    /// Removes files that the store does not know, and copies there is no room for since the room was made smaller.
    pub async fn tidy(&self) -> Result<usize, CopyError> {
        let (space, store) = (self.bounds.space, &self.desk.store);
        if store.images_kept()?.bytes > space {
            room::evict(store, &self.orders, self.entries, space).await?;
        }
        let (store, dir) = (self.desk.store.clone(), self.dir.clone());
        off(move || Ok(gallery::tidy(&dir, &store.all_images()?)?)).await?
    }

    /// Lists the pictures of articles that came, all of them.
    pub async fn list(&self) -> Result<(), CopyError> {
        loop {
            let (store, most) = (self.desk.store.clone(), self.bounds.per_article);
            let slice = off(move || -> Result<_, StoreError> {
                let Some(unlisted) = store.unlisted_images(SLICE)? else {
                    return Ok(None);
                };
                let numbers: Vec<ArticleSeq> =
                    unlisted.articles.iter().map(|(seq, _)| *seq).collect();
                let listed: Listed = store
                    .articles(&numbers)?
                    .into_iter()
                    .map(|article| {
                        let wanted = images::wanted(&article.article, most);
                        let urls = wanted.iter().map(|url| url.as_str().to_owned());
                        (article.seq, article.feed, urls.collect())
                    })
                    .collect();
                Ok(Some((listed, unlisted.next)))
            });
            let Some((listed, next)) = slice.await?? else {
                return Ok(());
            };
            let now = (self.desk.clock)();
            self.desk.store.list_images(listed, next, now).await?;
        }
    }

    /// Asks for what is due, as much as one round and the day have room for.
    pub async fn round(&self) -> Result<Round, CopyError> {
        let now = (self.desk.clock)();
        let store = self.desk.store.clone();
        let per_day = u64::try_from(self.bounds.per_day).unwrap_or(u64::MAX);
        let (due, kept) = off(move || -> Result<_, StoreError> {
            let left = per_day.saturating_sub(store.images_asked(now)?);
            let most = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            Ok((store.due_images(now, most)?, store.images_kept()?))
        })
        .await??;
        if due.is_empty() {
            return Ok(Round::default());
        }
        let more = due.len() == BATCH;
        let hand = Arc::new(Hand {
            desk: Arc::clone(&self.desk),
            bounds: self.bounds,
            orders: Arc::clone(&self.orders),
            room: Room {
                store: self.desk.store.clone(),
                dir: self.dir.clone(),
                space: self.bounds.space,
                orders: Arc::clone(&self.orders),
                entries: self.entries,
                state: Mutex::new(State {
                    bytes: kept.bytes,
                    ..State::default()
                }),
            },
        });
        let (tried, asked) = ask_all(&hand, due).await?;
        let copied = tried
            .iter()
            .filter(|(_, tried)| matches!(tried, Tried::Copied(_)))
            .count();
        let round = Round {
            copied,
            missed: tried.len() - copied,
            evicted: hand.room.state.lock().await.evicted,
            more,
        };
        let now = (self.desk.clock)();
        self.desk.store.tried_images(tried, asked, now).await?;
        Ok(round)
    }
}

/// Asks for all of these, one after the other at each host; gives back what came of them, and how many were asked.
async fn ask_all<W: Fetch>(
    hand: &Arc<Hand<W>>,
    due: Vec<DueImage>,
) -> Result<(Vec<(i64, Tried)>, usize), CopyError> {
    let mut hosts: HashMap<String, Vec<DueImage>> = HashMap::new();
    for image in due {
        hosts.entry(ask::host(&image.url)).or_default().push(image);
    }
    let turns = Arc::new(Semaphore::new(HOSTS));
    let mut work = JoinSet::new();
    for (_, images) in hosts {
        let (hand, turns) = (Arc::clone(hand), Arc::clone(&turns));
        work.spawn(async move {
            let _turn = turns.acquire_owned().await;
            hand.ask_host(images).await
        });
    }
    let (mut tried, mut asked) = (Vec::new(), 0);
    while let Some(done) = work.join_next().await {
        let (some, count) = done.map_err(|error| CopyError::Defect(error.to_string()))??;
        tried.extend(some);
        asked += count;
    }
    Ok((tried, asked))
}

/// Reads of the disk are not for the runtime's one thread.
async fn off<T: Send + 'static>(step: impl FnOnce() -> T + Send + 'static) -> Result<T, CopyError> {
    spawn_blocking(step)
        .await
        .map_err(|error| CopyError::Defect(error.to_string()))
}
