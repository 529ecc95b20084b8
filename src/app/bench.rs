//! Judges everything anew by other rules, beside the service: what is published stays by the old ones until all is judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tracing::{error, info};

use crate::app::{judge, now};
use crate::config::Config;
use crate::service::judge::Progress;
use crate::store::Store;

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_mins(1);

/// Who judges by the rules of a configuration, whatever it is at the time.
pub struct Bench {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    changed: Arc<Notify>,
}

impl Bench {
    /// Over a store; `changed` is rung when there is something to publish anew.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, changed: Arc<Notify>) -> Self {
        Self {
            config,
            store,
            changed,
        }
    }

    /// Until the configuration comes to its end. May be dropped at any moment: every slice is kept by itself.
    pub async fn run(mut self) {
        loop {
            let config = Arc::clone(&self.config.borrow_and_update());
            let judge = judge(&config, &self.store);
            loop {
                match self.config.has_changed() {
                    Ok(false) => {}
                    Ok(true) => break,
                    Err(_) => return,
                }
                match judge.step(now()).await {
                    Ok(Progress::More) => {}
                    Ok(Progress::Stands) => {
                        info!(
                            rules = judge.rules.len(),
                            "everything is judged: these rules hold from now on"
                        );
                        self.changed.notify_one();
                    }
                    Ok(Progress::Done) => {
                        if self.config.changed().await.is_err() {
                            return;
                        }
                        break;
                    }
                    Err(error) => {
                        error!(%error, "rules could not be judged by; it is tried again in a minute, and the old ones hold");
                        sleep(AGAIN).await;
                    }
                }
            }
        }
    }
}
