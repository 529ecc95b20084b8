//! Orders for the service at work, from whoever has the same data directory: the store has one writer, and that is it.
//! Each is a file in a folder that the service makes for itself, and is answered by another beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::model::ids::ArticleSeq;
use crate::model::withheld::Reason;
use crate::store::Store;

/// How often the service looks, and whoever waits for it.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_BACK: Duration = Duration::from_millis(50);

/// Whoever gave an order waits this long for its answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// No order is larger.
const LARGEST: u64 = 16 << 20;

/// Entries that are to be shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Numbers of their first revisions.
    pub entries: Vec<u64>,
    /// As far as they are withheld for this reason, by its name.
    pub why: String,
}

/// What became of an order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// So many entries are shown again.
    Released(usize),
    /// It could not be done.
    Failed(String),
}

impl Release {
    /// Does it.
    pub async fn carry_out(&self, store: &Store) -> Answer {
        let Some(why) = Reason::named(&self.why) else {
            return Answer::Failed(format!("`{}` is no reason", self.why));
        };
        let entries = self.entries.iter().copied().map(ArticleSeq).collect();
        match store.release(entries, why).await {
            Ok(count) => Answer::Released(count),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// The folder of one data directory.
#[derive(Clone, Debug)]
pub struct Orders(PathBuf);

impl Orders {
    /// Of this data directory.
    pub fn of(data: &Path) -> Self {
        Self(data.join("orders"))
    }

    /// Makes the folder, for the service alone. What lies in it is from before.
    pub fn open(&self) {
        self.close();
        if let Err(error) = fs::DirBuilder::new().mode(0o700).create(&self.0) {
            warn!(%error, "no folder for orders: `feedmill release` has to wait until the service is stopped");
        }
    }

    /// Takes the folder away: nobody is at work any more.
    pub fn close(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }

    /// Gives an order and waits for its answer. `None`: nobody is at work here, or nobody answers; then it is taken back.
    pub fn give(&self, order: &Release) -> io::Result<Option<Answer>> {
        let Ok(folder) = fs::metadata(&self.0) else {
            return Ok(None);
        };
        let name = format!("{}", std::process::id());
        let (path, beside) = (self.0.join(&name), self.0.join(format!(".{name}")));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec(order)?)?;
        // Who gives the order may be root, and the service is not.
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (folder.uid(), folder.gid()) {
            chown(&beside, Some(folder.uid()), Some(folder.gid()))?;
        }
        fs::rename(&beside, &path)?;
        let answer = self.0.join(format!("{name}.answer"));
        let by = Instant::now() + PATIENCE;
        while Instant::now() < by {
            if let Ok(bytes) = fs::read(&answer) {
                let _ = fs::remove_file(&answer);
                return Ok(Some(serde_json::from_slice(&bytes)?));
            }
            sleep(LOOK_BACK);
        }
        let _ = fs::remove_file(&path);
        Ok(None)
    }

    /// The orders that lie there, each once: they are gone from the folder then.
    fn take(&self) -> Vec<(PathBuf, Release)> {
        let mut found = Vec::new();
        for item in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = item.path();
            let name = item.file_name();
            let is_order = name.to_string_lossy().bytes().all(|b| b.is_ascii_digit());
            if !is_order {
                continue;
            }
            let mut bytes = Vec::new();
            let read =
                fs::File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
            if fs::remove_file(&path).is_err() {
                continue; // what cannot be taken away would come again
            }
            match read.map(|_| serde_json::from_slice(&bytes)) {
                Ok(Ok(order)) => found.push((path, order)),
                Ok(Err(error)) => warn!(%error, "an order that cannot be read"),
                Err(error) => warn!(%error, "an order that cannot be read"),
            }
        }
        found
    }

    fn answer(path: &Path, answer: &Answer) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.answer"));
        fs::write(&beside, serde_json::to_vec(answer)?)?;
        fs::rename(&beside, path.with_file_name(format!("{name}.answer")))
    }

    /// Carries out whatever is ordered, for good. `done` is told when something is shown again.
    pub async fn serve(self, store: Store, done: impl Fn()) {
        let mut clock = tokio::time::interval(LOOK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            for (path, order) in self.take() {
                let answer = order.carry_out(&store).await;
                match &answer {
                    Answer::Released(count) => {
                        info!(entries = count, why = order.why, "released by order");
                        done();
                    }
                    Answer::Failed(error) => warn!(error, "an order was not carried out"),
                }
                if let Err(error) = Self::answer(&path, &answer) {
                    warn!(%error, "an order was carried out, and its answer cannot be written");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_order_is_taken_once_and_what_is_none_is_thrown_away() {
        let scratch = tempfile::tempdir().unwrap();
        let orders = Orders::of(scratch.path());
        let release = Release {
            entries: vec![3, 4],
            why: "flood".to_owned(),
        };
        assert_eq!(orders.give(&release).unwrap(), None, "nobody is at work");
        orders.open();
        let bytes = serde_json::to_vec(&release).unwrap();
        fs::write(orders.0.join("17"), &bytes).unwrap();
        fs::write(orders.0.join("18"), b"{").unwrap();
        fs::write(orders.0.join(".19"), &bytes).unwrap();
        let taken = orders.take();
        let (path, order) = taken.first().unwrap();
        assert_eq!((taken.len(), order), (1, &release));
        assert_eq!(orders.take().len(), 0);
        Orders::answer(path, &Answer::Released(2)).unwrap();
        let answer = fs::read(orders.0.join("17.answer")).unwrap();
        let answer: Answer = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer, Answer::Released(2));
        assert_eq!(orders.take().len(), 0, "an answer is no order");
    }
}
