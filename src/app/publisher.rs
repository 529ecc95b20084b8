//! Publishes what came: feeds for readers, then the feed's file and the archive.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::error;

use crate::app::watchman::health_feed;
use crate::app::{now, press, told};
use crate::config::Config;
use crate::serve::library::Library;
use crate::serve::shelve;
use crate::service::publish::{Press, Published};
use crate::service::shelf::{Filled, Shelf};
use crate::store::Store;

/// What came is published when nothing has come for this long, but not later than that after it came.
const QUIET: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(30);

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_mins(1);

/// Who publishes, and where.
pub struct Publisher {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    library: Arc<Library>,
    shelf: Shelf,
    sealed: PathBuf,
}

impl Publisher {
    /// By this configuration, whatever it is at the time. Archive documents are kept in the data directory.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, library: Arc<Library>) -> Self {
        let sealed = config.borrow().settings.data.join("sealed");
        Self {
            config,
            store,
            library,
            shelf: Shelf::new(Some(sealed.clone())),
            sealed,
        }
    }

    /// Publishes whenever `changed` says so and it has become quiet, and once more when told to stop.
    pub async fn run(mut self, changed: Arc<Notify>, stop: watch::Receiver<bool>) {
        let mut last = false;
        while !last {
            last = wait(&changed, &stop).await;
            let unfinished = match self.publish().await {
                Ok((unfinished, published)) => {
                    told::published(&published);
                    unfinished
                }
                Err(error) => {
                    error!(
                        error = format!("{error:#}"),
                        "nothing, or not everything, was published; it is tried again in a minute"
                    );
                    let again = Arc::clone(&changed);
                    tokio::spawn(async move {
                        sleep(AGAIN).await;
                        again.notify_one();
                    });
                    false
                }
            };
            if unfinished {
                changed.notify_one();
            }
        }
    }

    /// Puts what the store holds where readers find it. Where that fails, they wait for the first publication.
    pub async fn open(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        let done = match press(&config, &self.store) {
            Ok(press) => self.shelve(&Arc::new(press)).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            error!(
                error = format!("{error:#}"),
                "nothing can be served before the first publication"
            );
        }
    }

    /// Brings readers and files up to the store. Says whether there is more to do at once. Readers come before files: a
    /// full disk keeps nobody from the news.
    async fn publish(&mut self) -> anyhow::Result<(bool, Published)> {
        let config = Arc::clone(&self.config.borrow());
        let press = Arc::new(press(&config, &self.store)?);
        let shelved = self.shelve(&press).await;
        let runtime = Handle::current();
        let published = spawn_blocking(move || runtime.block_on(press.publish())).await??;
        Ok((shelved?, published))
    }

    /// Renders, compresses and publishes what readers are served, and says whether there is more to do at once.
    async fn shelve(&mut self, press: &Arc<Press>) -> anyhow::Result<bool> {
        // Should rendering break down, an empty one is left.
        let empty = Shelf::new(Some(self.sealed.clone()));
        let mut stand = std::mem::replace(&mut self.shelf, empty);
        let stock = Arc::clone(press);
        // That takes its time, and no reader waits for it.
        let filled;
        (self.shelf, filled) = spawn_blocking(move || {
            let filled = stand.fill(&stock);
            (stand, filled)
        })
        .await?;
        let Filled {
            mut publications,
            unfinished,
            ..
        } = filled?;
        publications.push(health_feed(press)?);
        shelve(&self.library, publications, now()).await?;
        Ok(unfinished)
    }
}

/// Waits until something came and it is quiet. True: told to stop.
async fn wait(changed: &Notify, stop: &watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        () = stopped(stop.clone()) => return true,
        () = changed.notified() => {}
    }
    let by = Instant::now() + LATEST;
    loop {
        let quiet = (Instant::now() + QUIET).min(by);
        tokio::select! {
            biased;
            () = stopped(stop.clone()) => return true,
            () = changed.notified(), if quiet < by => {}
            () = sleep_until(quiet) => return false,
        }
    }
}

/// Ends when the order comes, or when nobody is left to give it.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
