//! The room for copies: who needs some gets it from those that are missed least.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::ImageCopy;
use crate::output::gallery;
use crate::service::images::{CopyError, off};
use crate::store::{Choice, Store, StoreError};

/// The files of one round. One copy is taken in at a time.
pub(super) struct Room {
    pub store: Store,
    pub dir: PathBuf,
    /// Bytes of all copies at most.
    pub space: u64,
    pub orders: Arc<HashMap<FeedId, Subscription>>,
    /// Entries of a feed that are shown at most.
    pub entries: usize,
    pub state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Bytes of all copies, noted in the store or not yet.
    pub bytes: u64,
    /// Copies of this round: their files stay, whatever else has to go.
    pub fresh: HashSet<[u8; 32]>,
    /// Copies that had to go.
    pub evicted: usize,
}

/// Whether a copy was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    In,
    /// There is no room before this round is over.
    NotNow,
    /// It is larger than all the room there is.
    Never,
}

impl Room {
    /// Writes a copy's file, where there is room or some can be made.
    pub async fn take(&self, copy: &ImageCopy, bytes: Vec<u8>) -> Result<Taken, CopyError> {
        if copy.bytes > self.space {
            return Ok(Taken::Never);
        }
        let mut state = self.state.lock().await;
        let (file, known) = (
            gallery::path(&self.dir, copy),
            state.fresh.contains(&copy.digest),
        );
        if !known && !off(move || file.exists()).await? {
            if !self.make(&mut state, copy.bytes).await? {
                return Ok(Taken::NotNow);
            }
            state.bytes = state.bytes.saturating_add(copy.bytes);
        }
        state.fresh.insert(copy.digest);
        let (dir, copy) = (self.dir.clone(), copy.clone());
        off(move || gallery::put(&dir, &copy, &bytes)).await??;
        Ok(Taken::In)
    }

    /// Makes room for so many bytes.
    async fn make(&self, state: &mut State, bytes: u64) -> Result<bool, CopyError> {
        if state.bytes.saturating_add(bytes) <= self.space {
            return Ok(true);
        }
        let noted = self.store.images_kept()?.bytes;
        let unnoted = state.bytes.saturating_sub(noted);
        let Some(most) = self.space.checked_sub(unnoted.saturating_add(bytes)) else {
            return Ok(false);
        };
        let gone = evict(&self.store, &self.orders, self.entries, most).await?;
        state.evicted += gone.len();
        let gone: Vec<ImageCopy> = gone
            .into_iter()
            .filter(|copy| !state.fresh.contains(&copy.digest))
            .collect();
        let less: u64 = gone.iter().map(|copy| copy.bytes).sum();
        state.bytes = state.bytes.saturating_sub(less);
        let dir = self.dir.clone();
        off(move || gallery::remove(&dir, &gone)).await??;
        Ok(state.bytes.saturating_add(bytes) <= self.space)
    }
}

/// Has the store forget copies until there are so many bytes of them at most.
pub(super) async fn evict(
    store: &Store,
    orders: &HashMap<FeedId, Subscription>,
    entries: usize,
    most: u64,
) -> Result<Vec<ImageCopy>, CopyError> {
    let feeds: Vec<FeedId> = orders.keys().cloned().collect();
    let reading = store.clone();
    let shown = off(move || shown(&reading, feeds, entries)).await??;
    Ok(store.evict_images(shown, most).await?)
}

/// The articles that feeds show now.
fn shown(store: &Store, feeds: Vec<FeedId>, entries: usize) -> Result<Vec<ArticleSeq>, StoreError> {
    let mut all = Vec::new();
    for feed in feeds {
        let lineup = store.lineup(&Choice {
            feeds: vec![feed],
            once: false,
            limit: entries,
            ..Choice::default()
        })?;
        all.extend(lineup.articles);
    }
    Ok(all)
}
