//! Who works beside the scheduler of a daemon, and how they end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::store::Store;

/// How long each part may take to end, after the polls had [`Pace::grace`]: with all of them still less than the 30 s
/// after which we are killed (`TimeoutStopSec` in systemd/feedmill.service).
const PATIENCE: Duration = Duration::from_secs(4);

/// Who works beside the scheduler.
pub(super) struct Crew {
    /// Who waits for orders, or for time to pass: may be dropped at any moment.
    pub ears: Vec<JoinHandle<()>>,
    pub watchman: JoinHandle<()>,
    pub publisher: JoinHandle<()>,
    /// Who keeps house and what follows the articles: each ends by itself after the order to.
    pub hands: Vec<JoinHandle<()>>,
    pub server: Option<JoinHandle<()>>,
}

impl Crew {
    /// Lets everybody finish, those first whom others wait for.
    pub async fn retire(self, retire: &watch::Sender<bool>, store: &Store) -> anyhow::Result<()> {
        for ear in self.ears {
            ear.abort();
        }
        in_time("judging health", self.watchman).await;
        let _ = retire.send(true);
        in_time("publishing", self.publisher).await;
        // Together they have as long as any other part.
        let hands = async {
            for hand in self.hands {
                if let Err(error) = hand.await {
                    error!(%error, "a defect in feedmill: a part broke down");
                }
            }
        };
        if timeout(PATIENCE, hands).await.is_err() {
            warn!(part = "housekeeping", "did not end in time and is left");
        }
        if let Some(server) = self.server {
            in_time("the server", server).await;
        }
        if let Ok(closed) = timeout(PATIENCE, store.close()).await {
            closed?;
        } else {
            warn!("the store did not close in time; the next start tidies up");
        }
        info!("stopped");
        Ok(())
    }
}

/// Waits for a part to end, but not for ever: what it leaves undone, the next start does.
async fn in_time(part: &str, task: JoinHandle<()>) {
    match timeout(PATIENCE, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => error!(part, %error, "a defect in feedmill: a part broke down"),
        Err(_) => warn!(part, "did not end in time and is left"),
    }
}
