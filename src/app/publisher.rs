//! Publishes what came: feeds for readers, then the feed's file and the archive.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, error};

use crate::app::copier::folder;
use crate::app::watchman::health_feed;
use crate::app::{SEALED, judge, now, press, search, told};
use crate::config::Config;
use crate::output::gallery::Gallery;
use crate::serve::library::Library;
use crate::serve::search::Search;
use crate::serve::shelve;
use crate::service::judge::Progress;
use crate::service::publish::{Press, PublishError, Published};
use crate::service::shelf::{Filled, Publication, Shelf};
use crate::store::Store;

/// What came is published when nothing has come for this long, but not later than that after it came: with rendering it
/// is there within 5 s (F-66).
const QUIET: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(4);

/// From one version to the next at least (F-66): what comes in between waits for it.
const APART: Duration = Duration::from_secs(10);

/// What failed is tried again after this.
const AGAIN: Duration = Duration::from_mins(1);

/// A start judges by other rules for so long before it serves; what is left is judged while it serves by the old ones.
const FIRST: Duration = Duration::from_secs(5);

/// How a shelf is filled.
type Fill = fn(&mut Shelf, &Press) -> Result<Filled, PublishError>;

/// Who publishes, and where.
pub struct Publisher {
    config: watch::Receiver<Arc<Config>>,
    store: Store,
    library: Arc<Library>,
    shelf: Shelf,
    sealed: PathBuf,
    /// The health feed as it was last made: the same one is not compressed again.
    health: Option<Publication>,
    /// When readers were last given another version.
    given: Option<Instant>,
    /// Rung after each publication: what follows the articles and is derived from them.
    followers: Vec<Arc<Notify>>,
}

impl Publisher {
    /// By this configuration, whatever it is at the time. Archive documents are kept in the data directory.
    pub fn new(config: watch::Receiver<Arc<Config>>, store: Store, library: Arc<Library>) -> Self {
        let sealed = config.borrow().settings.data.join(SEALED);
        // It says that somebody serves (see `serves`); what cannot be made is said where something is to be sealed.
        if let Err(error) = fs::create_dir_all(&sealed) {
            debug!(%error, "no directory for archive documents");
        }
        Self {
            config,
            store,
            library,
            shelf: Shelf::new(Some(sealed.clone())),
            sealed,
            health: None,
            given: None,
            followers: Vec::new(),
        }
    }

    /// Who searches what is published, by the same configuration.
    pub fn search(&self) -> Search {
        search::search(self.config.clone(), self.store.clone())
    }

    /// Rings this after each publication, whether it could be made or not.
    pub fn followed_by(&mut self, bell: Arc<Notify>) {
        self.followers.push(bell);
    }

    /// Publishes whenever `changed` says so and it has become quiet, and once more when told to stop.
    pub async fn run(mut self, changed: Arc<Notify>, stop: watch::Receiver<bool>) {
        // What `open` did not take the time for.
        if let Err(error) = self.shelve_all().await {
            error!(
                error = format!("{error:#}"),
                "feeds of sources and tags cannot be served before the first publication"
            );
        }
        let mut last = false;
        while !last {
            last = wait(&changed, &stop, self.given).await;
            match self.publish(&stop).await {
                Ok(published) => told::published(&published),
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
                }
            }
            for bell in &self.followers {
                bell.notify_one();
            }
        }
    }

    /// Puts what the store holds where readers find it. Where that fails, they wait for the first publication.
    pub async fn open(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        self.judge_all(&config).await;
        self.judge(&config).await;
        let done = match press(&config, &self.store) {
            Ok(press) => self
                .shelve(&Arc::new(press), Shelf::front)
                .await
                .map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            error!(
                error = format!("{error:#}"),
                "nothing can be served before the first publication"
            );
        }
        self.given = None;
    }

    /// Everything the store holds, for readers.
    async fn shelve_all(&mut self) -> anyhow::Result<()> {
        let config = Arc::clone(&self.config.borrow());
        self.judge(&config).await;
        let press = Arc::new(press(&config, &self.store)?);
        self.shelve(&press, Shelf::fill).await?;
        self.given = None;
        Ok(())
    }

    /// Brings readers and files up to the store. Readers come before files: a full disk keeps nobody from the news.
    async fn publish(&mut self, stop: &watch::Receiver<bool>) -> anyhow::Result<Published> {
        let config = Arc::clone(&self.config.borrow());
        self.judge(&config).await;
        let press = Arc::new(press(&config, &self.store)?);
        let shelved = loop {
            match self.shelve(&press, Shelf::fill).await {
                Ok(true) if !*stop.borrow() => {}
                done => break done,
            }
        };
        let runtime = Handle::current();
        let published = spawn_blocking(move || runtime.block_on(press.publish())).await??;
        shelved?;
        Ok(published)
    }

    /// Judges everything by the rules of the configuration, as far as that does not keep readers waiting.
    async fn judge_all(&self, config: &Config) {
        let judge = judge(config, &self.store);
        let by = Instant::now() + FIRST;
        while Instant::now() < by {
            match judge.step(now()).await {
                Ok(Progress::Done) => return,
                Ok(Progress::More | Progress::Stands) => {}
                Err(error) => {
                    error!(%error, "rules could not be judged by yet");
                    return;
                }
            }
        }
    }

    /// Judges what came by the rules that stand. What is not judged is not shown, so this may fail.
    async fn judge(&self, config: &Config) {
        if let Err(error) = judge(config, &self.store).follow(now()).await {
            error!(%error, "what came could not be judged by rules, and is not shown before it is");
        }
    }

    /// Renders, compresses and publishes what readers are served, and says whether there is more to do at once.
    async fn shelve(&mut self, press: &Arc<Press>, fill: Fill) -> anyhow::Result<bool> {
        // Should rendering break down, an empty one is left.
        let empty = Shelf::new(Some(self.sealed.clone()));
        let mut stand = std::mem::replace(&mut self.shelf, empty);
        let stock = Arc::clone(press);
        // That takes its time, and no reader waits for it.
        let filled;
        (self.shelf, filled) = spawn_blocking(move || {
            let filled = fill(&mut stand, &stock);
            (stand, filled)
        })
        .await?;
        let Filled {
            mut publications,
            unfinished,
            images,
            ..
        } = filled?;
        let gallery = Gallery::new(folder(&self.config.borrow()), &images);
        self.library.show_images(gallery);
        // What readers see now stays until everything older is where they can find it (F-48).
        let seen = self.library.latest().borrow().clone();
        if !unfinished || seen.is_none_or(|version| version.is_partial()) {
            let health = Some(health_feed(press)?);
            if self.health != health {
                self.health = health;
            }
            publications.extend(self.health.clone());
            let anew = shelve(&self.library, publications, now()).await?;
            self.given = if anew {
                Some(Instant::now())
            } else {
                self.given
            };
        }
        Ok(unfinished)
    }
}

/// Waits until something came and it is quiet, and the version that was `given` has stood for a while. True: told to stop.
async fn wait(changed: &Notify, stop: &watch::Receiver<bool>, given: Option<Instant>) -> bool {
    tokio::select! {
        biased;
        () = stopped(stop.clone()) => return true,
        () = changed.notified() => {}
    }
    let came = Instant::now();
    let earliest = given.map_or(came, |given| given + APART);
    let by = earliest.max(came + LATEST);
    loop {
        let quiet = (Instant::now() + QUIET).max(earliest).min(by);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits as the publisher does, for this long, and says when it would have published. Something comes every so often.
    async fn times(every: Duration, stops_after: Duration, until: Duration) -> Vec<Duration> {
        let begin = Instant::now();
        let changed = Arc::new(Notify::new());
        let (_order, stop) = watch::channel(false);
        let source = Arc::clone(&changed);
        tokio::spawn(async move {
            while begin.elapsed() < stops_after {
                source.notify_one();
                sleep(every).await;
            }
        });
        let (mut given, mut all) = (None, Vec::new());
        while tokio::time::timeout_at(begin + until, wait(&changed, &stop, given))
            .await
            .is_ok()
        {
            given = Some(Instant::now());
            all.push(begin.elapsed());
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn f_66_news_is_seen_in_seconds_and_versions_are_ten_seconds_apart() {
        let seconds = Duration::from_secs;
        let once = times(seconds(1), seconds(1), seconds(60)).await;
        assert_eq!(once, [QUIET], "it was quiet at once");
        let busy = times(Duration::from_millis(500), seconds(60), seconds(60)).await;
        assert!(
            busy.first().is_some_and(|first| *first <= seconds(5)),
            "{busy:?}"
        );
        let gaps = busy
            .iter()
            .zip(busy.iter().skip(1))
            .map(|(a, b)| b.saturating_sub(*a));
        assert!(
            gaps.clone()
                .all(|gap| gap >= seconds(10) && gap <= seconds(15)),
            "{busy:?}"
        );
        assert!(busy.len() >= 5, "{busy:?}");
        let seldom = times(seconds(20), seconds(60), seconds(60)).await;
        let waits: Vec<_> = seldom.iter().map(|time| time.as_secs() % 20).collect();
        assert_eq!(waits, [2, 2, 2], "{seldom:?}");
    }
}
