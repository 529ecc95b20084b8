//! Reading the configuration again, while everything goes on: by order, and by itself when a file has changed. A wrong one
//! is refused whole, and the old one stays.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{Level, debug, error, info, warn};

use crate::app::notify::Manager;
use crate::app::told::one_line;
use crate::app::{configuration, roster};
use crate::config::{Config, Places, Settings};
use crate::service::scheduler::Roster;

/// How often the files are looked at. A change counts once two looks in a row saw the same.
const LOOK: Duration = Duration::from_secs(2);

/// The files of the configuration as they were at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    paths: Vec<PathBuf>,
    marks: Vec<Option<Mark>>,
}

/// What changes with a file: device and inode (a rename put another there), size, times of its bytes and of its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    file: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    /// Looks at every file that could be part of the configuration.
    pub fn at(places: &Places) -> Self {
        Self::take(places.candidates())
    }

    fn take(paths: Vec<PathBuf>) -> Self {
        let mark = |path: &PathBuf| {
            let file = fs::metadata(path).ok()?;
            Some(Mark {
                file: (file.dev(), file.ino()),
                size: file.size(),
                written: (file.mtime(), file.mtime_nsec()),
                changed: (file.ctime(), file.ctime_nsec()),
            })
        };
        Self {
            marks: paths.iter().map(mark).collect(),
            paths,
        }
    }

    async fn again(&self) -> Self {
        let paths = self.paths.clone();
        // A file system may let us wait.
        let look = spawn_blocking(move || Self::take(paths)).await;
        look.unwrap_or_else(|_| self.clone())
    }
}

/// Reads the configuration again.
pub struct Reloader {
    /// Where it is.
    pub places: Places,
    /// Its files as they were before what holds now was read.
    pub look: Look,
    /// What holds now.
    pub config: watch::Sender<Arc<Config>>,
    /// Who is polled now.
    pub enrolled: watch::Sender<Arc<Roster>>,
    /// Rung when there is something to publish anew.
    pub changed: Arc<Notify>,
    /// Who is told.
    pub manager: Manager,
    /// Sets what is logged.
    pub level: Box<dyn Fn(Level) + Send + Sync>,
}

impl Reloader {
    /// Reads again at every order, and whenever a file was changed and is quiet.
    pub async fn run(mut self, mut orders: mpsc::Receiver<()>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = self.look.clone();
        loop {
            tokio::select! {
                order = orders.recv() => {
                    if order.is_none() {
                        return;
                    }
                }
                _ = looks.tick() => {
                    let look = self.look.again().await;
                    let quiet = look == last;
                    last = look;
                    if !quiet || last == self.look {
                        continue;
                    }
                    info!("the configuration has changed: it is read again");
                }
            }
            // Whatever changes from here on is seen at the next look.
            self.look = self.look.again().await;
            last = self.look.clone();
            self.manager.reloading();
            let refused = self.reload().await.err();
            self.manager.reloaded(refused);
        }
    }

    /// An error is why the new one was refused, in one line.
    async fn reload(&self) -> Result<(), String> {
        let places = self.places.clone();
        let read = spawn_blocking(move || configuration(&places)).await;
        let read = read.map_err(|error| {
            error!(%error, "a defect in feedmill: the configuration could not be read; the old one stays");
            error.to_string()
        })?;
        let mut read = read.map_err(|problems| {
            for problem in problems.list() {
                let problem = one_line(&problem.to_string());
                error!(problem, "the configuration is wrong");
            }
            let count = problems.list().len();
            error!(
                problems = count,
                "the new configuration is refused whole, and the old one stays"
            );
            let first = problems.list().first().map(ToString::to_string);
            one_line(&first.unwrap_or_default())
        })?;
        let old = Arc::clone(&self.config.borrow());
        let waiting = adopt(&old.settings, &mut read.settings);
        if !waiting.is_empty() {
            warn!(
                settings = waiting.join(", "),
                "these settings were changed and take effect at the next start; everything else holds from now on"
            );
        }
        let roster = roster(&read).map_err(|error| {
            error!(
                error = format!("{error:#}"),
                "the new configuration is refused, and the old one stays"
            );
            format!("{error:#}")
        })?;
        if read == *old {
            debug!("nothing in the configuration has changed");
        }
        info!(feeds = roster.len(), "the configuration was read again");
        (self.level)(read.settings.log.level);
        self.manager.feeds(roster.len());
        self.config.send_replace(Arc::new(read));
        self.enrolled.send_replace(Arc::new(roster));
        self.changed.notify_one();
        Ok(())
    }
}

/// Puts back what cannot change while the daemon runs, and names it: where the store is, how publishers are asked (who is
/// being asked, and when a host was last, belongs to the client that asked), and the listener.
fn adopt(running: &Settings, new: &mut Settings) -> Vec<&'static str> {
    let mut waiting = Vec::new();
    if new.data != running.data {
        // Feed and archive lie below it: they move with the store, or not at all.
        waiting.push("data");
        new.data.clone_from(&running.data);
        new.feed.path.clone_from(&running.feed.path);
        new.archive.path.clone_from(&running.archive.path);
        new.store.clone_from(&running.store);
        new.backup.path.clone_from(&running.backup.path);
    }
    macro_rules! fixed {
        ($($section:ident),*) => {
            $(if new.$section != running.$section {
                waiting.push(concat!("[", stringify!($section), "]"));
                new.$section.clone_from(&running.$section);
            })*
        };
    }
    fixed!(store, fetch, schedule, serve);
    waiting
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_cannot_change_is_put_back_and_named() {
        let running = Settings {
            data: "/one".into(),
            ..Settings::default()
        };
        let mut new = running.clone();
        assert!(adopt(&running, &mut new).is_empty());
        new.feed.title = "another".to_owned();
        new.log.level = Level::DEBUG;
        new.feed.path = "/elsewhere/feed.atom".into();
        let live = new.clone();
        assert!(adopt(&running, &mut new).is_empty(), "all of it at once");
        assert_eq!(new, live);

        new.fetch.per_host += 1;
        new.schedule.starts_per_second += 1;
        new.serve.enabled = false;
        assert_eq!(
            adopt(&running, &mut new),
            ["[fetch]", "[schedule]", "[serve]"]
        );
        assert_eq!(new, live, "the rest holds");

        new.data = "/two".into();
        new.store.path = "/two/feedmill.sqlite".into();
        new.feed.path = "/two/feed.atom".into();
        assert_eq!(adopt(&running, &mut new), ["data"]);
        assert_eq!(new.feed.path, running.feed.path);
        assert_eq!(new.store, running.store);
    }

    #[test]
    fn every_way_to_change_a_file_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let mut places = Places::below(directory.path());
        places.system = directory.path().join("etc");
        let path = directory.path().join("feeds.toml");
        let mut last = Look::at(&places);
        let mut changes = |what: &str| {
            let look = Look::take(last.paths.clone());
            assert_ne!(look, last, "{what}");
            last = look;
            assert_eq!(Look::at(&places), last, "nothing changes by looking");
        };
        fs::write(&path, "one").unwrap();
        changes("made");
        fs::write(&path, "three").unwrap();
        changes("written");
        let other = directory.path().join("other");
        fs::write(&other, "three").unwrap();
        fs::rename(&other, &path).unwrap();
        changes("another put in its place");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        changes("made readable");
        fs::write(directory.path().join("feedmill.toml"), "").unwrap();
        changes("settings where there were none");
        fs::remove_file(&path).unwrap();
        changes("removed");
    }
}
