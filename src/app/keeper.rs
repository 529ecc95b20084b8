//! The daemon's housekeeping: once a day what is not to be kept any more goes, and copies of the store are made.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use crate::app::publisher::stopped;
use crate::app::{now, press};
use crate::config::Config;
use crate::model::keep::Keep;
use crate::model::time::Timestamp;
use crate::rules::retention;
use crate::service::backup::{self, Backup};
use crate::service::prune::{Prune, Told};
use crate::service::vitals::Vitals;
use crate::store::Store;

/// The clock on the wall may be set, and the machine may sleep: it is looked at this often at least.
const LOOK: Duration = Duration::from_mins(5);

/// A copy that failed is tried again after this.
const AGAIN: Duration = Duration::from_hours(1);

/// Who keeps house.
pub struct Keeper {
    /// By what holds at the time.
    pub config: watch::Receiver<Arc<Config>>,
    /// What is kept.
    pub store: Store,
    /// Where it is told when the last copy was made.
    pub vitals: Arc<Vitals>,
    /// Rung when something went that may have been on its way to readers.
    pub changed: Arc<Notify>,
}

impl Keeper {
    /// By this configuration, whatever it is at the time.
    pub fn new(
        config: watch::Receiver<Arc<Config>>,
        store: &Store,
        vitals: &Arc<Vitals>,
        changed: &Arc<Notify>,
    ) -> Self {
        Self {
            config,
            store: store.clone(),
            vitals: Arc::clone(vitals),
            changed: Arc::clone(changed),
        }
    }

    /// Works until told to stop; what it is at is left at the next slice.
    pub async fn run(mut self, stop: watch::Receiver<bool>) {
        let mut failed: Option<(Timestamp, String)> = None;
        loop {
            let config = Arc::clone(&self.config.borrow_and_update());
            let wait = match self.due(&config, failed.as_ref()).await {
                Ok((prune, copy)) => {
                    let moment = now();
                    if prune.is_some_and(|due| due <= moment) {
                        self.prune(&config, &stop).await;
                    }
                    if copy.is_some_and(|due| due <= moment) {
                        self.back_up(&config, &stop, &mut failed).await;
                    }
                    let next = prune.into_iter().chain(copy).filter(|due| *due > moment);
                    next.min().map_or(LOOK, |due| due.since(now()).min(LOOK))
                }
                Err(why) => {
                    error!(
                        error = why,
                        "housekeeping waits: what is due cannot be found out"
                    );
                    LOOK
                }
            };
            tokio::select! {
                biased;
                () = stopped(stop.clone()) => return,
                changed = self.config.changed() => if changed.is_err() { return },
                () = sleep(wait) => {}
            }
        }
    }

    /// When there is next something to let go of, and when the next copy is due.
    async fn due(
        &self,
        config: &Arc<Config>,
        failed: Option<&(Timestamp, String)>,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
        let prune = if lets_go(config) {
            let river = self.store.river_id().map_err(|error| error.to_string())?;
            let last = self.store.last_prune().map_err(|error| error.to_string())?;
            Some(retention::next_run(&river, last, now()))
        } else {
            None
        };
        let settings = &config.settings.backup;
        let Some(every) = settings.every else {
            return Ok((prune, None));
        };
        if let Some((at, _)) = failed
            && now().since(*at) < AGAIN.min(every)
        {
            return Ok((prune, Some(at.plus(AGAIN.min(every)))));
        }
        let (store, directory) = (self.store.clone(), settings.path.clone());
        let last = spawn_blocking(move || backup::last(&store, &directory, now()))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.vitals.copied(last);
        Ok((prune, Some(backup::due(last, every, now()))))
    }

    async fn prune(&self, config: &Arc<Config>, stop: &watch::Receiver<bool>) {
        let done = async {
            let order = Prune {
                press: press(config, &self.store)?,
                keep: config.settings.keep,
                feed: None,
                dry_run: false,
                seals: true,
                now: now(),
            };
            let (runtime, stop) = (Handle::current(), stop.clone());
            // It reads the store from end to end: not for a thread that polls wait for.
            let work = move || runtime.block_on(order.run(|| *stop.borrow()));
            anyhow::Ok(spawn_blocking(work).await??)
        };
        match done.await {
            Ok(told) => self.told(&told),
            Err(error) => error!(
                error = format!("{error:#}"),
                "what is not to be kept any more could not be let go; it is tried again"
            ),
        }
    }

    fn told(&self, told: &Told) {
        if let Some(judged) = told.judged {
            warn!(
                %judged,
                "the clock is far ahead of what the store knows: ages are counted up to then, a month further each day; if it is wrong, set it"
            );
        }
        for ((feed, tier), sum) in &told.gone {
            info!(
                feed.id = %feed,
                tier = tier.name(),
                count = sum.count,
                bytes = sum.bytes,
                oldest = %sum.oldest,
                newest = %sum.newest,
                "let go"
            );
        }
        if told.is_empty() {
            debug!(looked_at = told.looked_at, "nothing was to be let go");
        } else {
            self.changed.notify_one();
        }
    }

    async fn back_up(
        &self,
        config: &Arc<Config>,
        stop: &watch::Receiver<bool>,
        failed: &mut Option<(Timestamp, String)>,
    ) {
        let order = Backup {
            store: self.store.clone(),
            directory: config.settings.backup.path.clone(),
            keep: config.settings.backup.keep,
            now: now(),
        };
        let (at, stop) = (order.now, stop.clone());
        let made = spawn_blocking(move || order.run(&mut |_, _| !*stop.borrow())).await;
        let why = match made {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(made))) => {
                info!(
                    file = %made.file.display(),
                    bytes = made.bytes,
                    copying_ms = u64::try_from(made.copying.as_millis()).unwrap_or(u64::MAX),
                    checking_ms = u64::try_from(made.checking.as_millis()).unwrap_or(u64::MAX),
                    removed = made.removed.len(),
                    "the store was copied and the copy checked"
                );
                for (file, why) in &made.left {
                    warn!(file = %file.display(), why, "an older copy was left");
                }
                self.vitals.copied(Some(at));
                *failed = None;
                return;
            }
            Ok(Err(error)) => format!("{:#}", anyhow::Error::from(error)),
            Err(error) => format!("a defect in feedmill: {error}"),
        };
        // Told once; a disk that stays full need not be told of every hour.
        if failed.as_ref().is_some_and(|(_, before)| *before == why) {
            debug!(error = why, "the store could again not be copied");
        } else {
            error!(
                error = why,
                "the store could not be copied; it is tried again"
            );
        }
        *failed = Some((at, why));
    }
}

fn lets_go(config: &Config) -> bool {
    let orders = config.subscriptions.iter().chain(&config.disabled);
    let mut kept = orders.map(|order| order.keep_order().over(&config.settings.keep));
    config.settings.keep != Keep::default() || kept.any(|keep| keep != Keep::default())
}

/// Where copies go: the directory of this order, or that of the settings.
pub fn directory(config: &Config, given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| config.settings.backup.path.clone())
}
