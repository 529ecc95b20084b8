//! The daemon's copier: copies the pictures of what came, beside the polls, and rings when there is something to show.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};
use tracing::{error, info};

use crate::app::mindful::Mindful;
use crate::app::publisher::stopped;
use crate::app::{App, now, press};
use crate::config::Config;
use crate::fetch::Fetch;
use crate::service::images::{Bounds, Copier, CopyError, Round, orders};
use crate::service::poll::Desk;

/// Readers are given another version for what was copied in this long, and not for each picture.
const TOGETHER: Duration = Duration::from_mins(5);

/// What failed is tried again after this, and so is what the day has no room for.
const AGAIN: Duration = Duration::from_mins(10);

/// Articles that come within this are looked at together.
const QUIET: Duration = Duration::from_secs(1);

/// Where copies are, below the data directory.
const FOLDER: &str = "images";

/// Where copies are by this configuration.
pub fn folder(config: &Config) -> std::path::PathBuf {
    config.settings.data.join(FOLDER)
}

/// Who copies by this configuration, at a desk where others work, too.
pub async fn copier<W: Fetch>(config: &Config, desk: &Arc<Desk<W>>) -> anyhow::Result<Copier<W>> {
    let press = press(config, &desk.store)?;
    let orders = spawn_blocking(move || orders(&press)).await??;
    let images = &config.settings.images;
    Ok(Copier {
        desk: Arc::clone(desk),
        dir: folder(config),
        bounds: Bounds {
            space: images.space,
            max: images.max,
            per_article: images.per_article,
            per_day: images.per_day,
        },
        orders: Arc::new(orders),
        entries: config.settings.feed.entries,
    })
}

impl App {
    /// Copies what is due, for as long as `fetch --once` may.
    pub(super) async fn copy<W: Fetch>(&self, desk: &Arc<Desk<W>>) -> anyhow::Result<()> {
        let copier = copier(&self.config, desk).await?;
        if copier.orders.is_empty() {
            return Ok(());
        }
        let by = Instant::now() + self.config.settings.images.once;
        copier.tidy().await?;
        copier.list().await?;
        let mut all = Round::default();
        while Instant::now() < by {
            let Ok(round) = tokio::time::timeout_at(by, copier.round()).await else {
                break;
            };
            let round = round?;
            all = all.and(round);
            if !round.more {
                break;
            }
        }
        told(all);
        Ok(())
    }
}

fn told(round: Round) {
    if round != Round::default() {
        info!(
            copied = round.copied,
            missed = round.missed,
            evicted = round.evicted,
            "pictures were asked for"
        );
    }
}

/// Starts the copier, by this configuration, whatever it is at the time: gives back what is to be rung when articles came.
/// `changed` is rung when there is something to show. The store follows what is ordered now, before anything is polled.
pub async fn start(
    config: watch::Receiver<Arc<Config>>,
    desk: &Arc<Desk<Mindful>>,
    changed: &Arc<Notify>,
    stop: watch::Receiver<bool>,
) -> (Arc<Notify>, JoinHandle<()>) {
    let news = Arc::new(Notify::new());
    let task = CopyTask {
        config,
        desk: Arc::clone(desk),
        news: Arc::clone(&news),
        changed: Arc::clone(changed),
    };
    if let Err(error) = task.follow().await {
        error!(
            error = format!("{error:#}"),
            "pictures cannot be copied yet"
        );
    }
    (news, tokio::spawn(task.run(stop)))
}

/// Who copies while the daemon runs.
struct CopyTask {
    config: watch::Receiver<Arc<Config>>,
    desk: Arc<Desk<Mindful>>,
    news: Arc<Notify>,
    changed: Arc<Notify>,
}

impl CopyTask {
    async fn follow(&self) -> anyhow::Result<()> {
        let config = Arc::clone(&self.config.borrow());
        Ok(copier(&config, &self.desk).await?.follow().await?)
    }

    /// Copies until told to stop, and then at once not.
    async fn run(mut self, stop: watch::Receiver<bool>) {
        tokio::select! {
            () = stopped(stop) => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        let mut tidy = false;
        loop {
            let wait = match self.catch_up(&mut tidy).await {
                Ok(wait) => wait,
                Err(error) => {
                    error!(
                        error = format!("{error:#}"),
                        "pictures cannot be copied; it is tried again in ten minutes"
                    );
                    AGAIN
                }
            };
            tokio::select! {
                () = self.news.notified() => sleep(QUIET).await,
                changed = self.config.changed() => {
                    if changed.is_err() {
                        return; // the daemon is about to end
                    }
                }
                () = sleep(wait) => {}
            }
        }
    }

    /// Copies all that is due; says when to look again, if nothing happens.
    async fn catch_up(&mut self, tidied: &mut bool) -> anyhow::Result<Duration> {
        let config = Arc::clone(&self.config.borrow_and_update());
        let copier = copier(&config, &self.desk).await?;
        copier.follow().await?;
        if copier.orders.is_empty() {
            return Ok(Duration::from_hours(24));
        }
        if !std::mem::replace(tidied, true) {
            copier.tidy().await?;
        }
        copier.list().await?;
        let (mut all, mut since) = (Round::default(), Instant::now());
        loop {
            let round = match copier.round().await {
                Ok(round) => round,
                Err(error) => {
                    self.show(all);
                    return Err(error.into());
                }
            };
            all = all.and(round);
            if !round.more {
                break;
            }
            if since.elapsed() >= TOGETHER {
                self.show(all);
                (all, since) = (Round::default(), Instant::now());
            }
            copier.list().await?;
        }
        self.show(all);
        Ok(next(&copier).await?)
    }

    fn show(&self, round: Round) {
        told(round);
        if round.shows() {
            self.changed.notify_one();
        }
    }
}

/// How long until something is due that there is room for.
async fn next<W: Fetch>(copier: &Copier<W>) -> Result<Duration, CopyError> {
    let store = copier.desk.store.clone();
    let due = spawn_blocking(move || store.next_image()).await;
    let due = due.map_err(|error| CopyError::Defect(error.to_string()))??;
    Ok(due.map_or(AGAIN, |due| {
        // What is due and was not asked has no room today.
        let now = now();
        if due > now { due.since(now) } else { AGAIN }
    }))
}
