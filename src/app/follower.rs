//! What is derived from the articles and follows them: brought up to date after what came is published, in slices, and
//! never in the way of a poll.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::error;

use crate::app::publisher::stopped;

/// Between two slices: whoever polls writes then.
const BREATH: Duration = Duration::from_millis(5);

/// Somebody who follows.
pub struct Follower {
    /// What follows, for the log (`the search index`).
    pub name: &'static str,
    /// Does one slice, and says whether there is more. It runs on a thread that may wait, inside the runtime.
    pub catch_up: Box<dyn Fn() -> anyhow::Result<bool> + Send + Sync>,
}

impl Follower {
    /// Catches up whenever `rung` says that something came, until told to stop: after the slice at hand. What fails is
    /// tried again when something comes the next time.
    pub async fn run(self, rung: Arc<Notify>, stop: watch::Receiver<bool>) {
        let catch_up: Arc<dyn Fn() -> anyhow::Result<bool> + Send + Sync> = self.catch_up.into();
        loop {
            tokio::select! {
                biased;
                () = stopped(stop.clone()) => return,
                () = rung.notified() => {}
            }
            while !*stop.borrow() {
                let slice = Arc::clone(&catch_up);
                match spawn_blocking(move || slice()).await {
                    Ok(Ok(true)) => sleep(BREATH).await,
                    Ok(Ok(false)) => break,
                    Ok(Err(why)) => {
                        error!(
                            what = self.name,
                            error = format!("{why:#}"),
                            "not brought up to date"
                        );
                        break;
                    }
                    Err(panic) => {
                        error!(what = self.name, error = %panic, "a defect in feedmill: not brought up to date");
                        break;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use anyhow::bail;

    use super::*;

    #[tokio::test]
    async fn it_goes_on_while_there_is_more_and_outlives_what_fails() {
        let (turns, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counted, told) = (Arc::clone(&turns), Arc::clone(&done));
        let follower = Follower {
            name: "a test",
            catch_up: Box::new(move || match counted.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Ok(true),
                2 => {
                    told.notify_one();
                    bail!("no room")
                }
                3 => {
                    told.notify_one();
                    panic!("a defect");
                }
                _ => {
                    told.notify_one();
                    Ok(false)
                }
            }),
        };
        let rung = Arc::new(Notify::new());
        let (order, stop) = watch::channel(false);
        let task = tokio::spawn(follower.run(Arc::clone(&rung), stop));
        for expected in [3, 4, 5] {
            rung.notify_one();
            done.notified().await;
            assert_eq!(turns.load(Ordering::SeqCst), expected);
        }
        order.send(true).unwrap();
        task.await.unwrap();
    }
}
