//! The daemon's grouper: looks for copies behind the polls, and wakes the publisher where a group changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::error;

use crate::app::publisher::stopped;
use crate::config::Config;
use crate::service::grouping::Grouping;
use crate::store::Store;

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_mins(1);

/// Who looks for copies.
pub struct Grouper {
    /// Whether they are looked for, and how far apart.
    pub config: watch::Receiver<Arc<Config>>,
    /// Where.
    pub store: Store,
    /// Something was stored.
    pub stored: Arc<Notify>,
    /// There is something new to be published.
    pub changed: Arc<Notify>,
}

impl Grouper {
    /// Looks whenever something was stored, or the configuration is another one, until told to stop. A slice that is not
    /// written then is looked at again by the next start.
    pub async fn run(mut self, stop: watch::Receiver<bool>) {
        let mut grouping = None;
        loop {
            tokio::select! {
                biased;
                () = stopped(stop.clone()) => return,
                done = self.catch_up(&mut grouping) => {
                    if let Err(error) = done {
                        error!(
                            error = format!("{error:#}"),
                            "copies could not be looked for; it is tried again in a minute"
                        );
                        grouping = None;
                        let again = Arc::clone(&self.stored);
                        tokio::spawn(async move {
                            sleep(AGAIN).await;
                            again.notify_one();
                        });
                    }
                }
            }
            tokio::select! {
                biased;
                () = stopped(stop.clone()) => return,
                () = self.stored.notified() => {}
                // Without anybody to change it there will only be orders to stop.
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
