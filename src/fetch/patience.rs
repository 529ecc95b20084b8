//! How long we wait for one answer: each stage within its own limit, and all of them within the whole (P-52).

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::fetch::FetchSettings;
use crate::model::http::FetchError;

/// What is left of the time for an answer. Only time on the network is taken off.
pub struct Patience<'a> {
    settings: &'a FetchSettings,
    left: Duration,
}

impl<'a> Patience<'a> {
    /// All of it.
    pub fn new(settings: &'a FetchSettings) -> Self {
        Self {
            settings,
            left: settings.total,
        }
    }

    /// Waits for one step, within its own limit and what is left of the whole.
    pub async fn wait<T>(
        &mut self,
        stage: &'static str,
        limit: Duration,
        host: &str,
        step: impl Future<Output = T>,
    ) -> Result<T, FetchError> {
        let started = Instant::now();
        let (stage, allowed, limit) = if limit < self.left {
            (stage, limit, limit)
        } else {
            ("whole answer", self.left, self.settings.total)
        };
        let done = timeout(allowed, step).await;
        self.left = self.left.saturating_sub(started.elapsed());
        done.map_err(|_| FetchError::Timeout {
            stage,
            host: host.to_owned(),
            limit,
        })
    }
}
