//! The daemon's grouper: looks for copies behind the polls, and wakes the publisher where a group changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::error;

use crate::config::Config;
use crate::service::grouping::Grouping;
use crate::store::Store;

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_mins(1);

/// Who looks for copies.
pub struct Grouper {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    news: Arc<Notify>,
    changed: Arc<Notify>,
}

impl Grouper {
    /// Looks for copies as the configuration of the time says, and tells `changed` of groups. May be dropped at any moment:
    /// what was not written down is found by the next start. Wants to hear when something was stored.
    pub fn start(
        config: watch::Receiver<Arc<Config>>,
        store: Store,
        changed: &Arc<Notify>,
    ) -> (JoinHandle<()>, Arc<Notify>) {
        let news = Arc::new(Notify::new());
        let grouper = Self {
            config,
            store,
            news: Arc::clone(&news),
            changed: Arc::clone(changed),
        };
        (tokio::spawn(grouper.run()), news)
    }

    async fn run(mut self) {
        let mut grouping = None;
        loop {
            if let Err(error) = self.catch_up(&mut grouping).await {
                error!(
                    error = format!("{error:#}"),
                    "copies could not be looked for; it is tried again in a minute"
                );
                grouping = None;
                let again = Arc::clone(&self.news);
                tokio::spawn(async move {
                    sleep(AGAIN).await;
                    again.notify_one();
                });
            }
            tokio::select! {
                () = self.news.notified() => {}
                Ok(()) = self.config.changed() => {}
            }
        }
    }

    async fn catch_up(&self, grouping: &mut Option<Grouping>) -> anyhow::Result<()> {
        let settings = self.config.borrow().settings.groups.clone();
        if !settings.enabled {
            *grouping = None;
            return Ok(());
        }
        let mut own = match grouping.take() {
            Some(own) if own.window() == settings.window => own,
            _ => Grouping::open(self.store.clone(), settings.window).await?,
        };
        let mut changed = false;
        loop {
            let found;
            // It takes its time, and nobody waits for it.
            (own, found) = spawn_blocking(move || {
                let found = own.look();
                (own, found)
            })
            .await?;
            let Some(grouped) = found? else { break };
            changed |= self.store.keep_grouped(grouped).await?;
        }
        *grouping = Some(own);
        if changed {
            self.changed.notify_one();
        }
        Ok(())
    }
}
