//! The search: its index beside the daemon, and who asks it.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::app::follower::Follower;
use crate::app::press;
use crate::config::Config;
use crate::model::ids::FeedId;
use crate::serve::search::Search;
use crate::service::{indexing, shelf};
use crate::store::Store;

/// Keeps the index up to the articles.
pub(super) fn follower(store: Store) -> Follower {
    Follower {
        name: "the search index",
        catch_up: Box::new(move || Ok(indexing::catch_up(&store)?)),
    }
}

/// Answers readers, by the configuration as it is at the time.
pub(super) fn search(config: watch::Receiver<Arc<Config>>, store: Store) -> Search {
    Search::new(Box::new(move |query, asked| {
        let config = Arc::clone(&config.borrow());
        let press = press(&config, &store).map_err(|error| format!("{error:#}"))?;
        shelf::search(&press, query, asked).map_err(|error| error.to_string())
    }))
}

/// Takes everything that is stored into the index, so many slices at most, and says whether there is more.
pub async fn catch_up(store: &Store, slices: usize) -> anyhow::Result<bool> {
    for _ in 0..slices {
        let store = store.clone();
        let slice = spawn_blocking(move || indexing::catch_up(&store)).await;
        if !slice.context("a defect in feedmill: the search index was not built")?? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The operator's tags of each feed.
pub fn tags(config: &Config) -> HashMap<FeedId, Vec<String>> {
    let all = config.subscriptions.iter().chain(&config.disabled);
    all.map(|feed| (feed.id.clone(), feed.tags.clone()))
        .collect()
}
