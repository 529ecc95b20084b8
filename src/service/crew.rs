//! Polls under way, side by side, each its own task, so that none can harm another.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::ids::FeedId;
use crate::model::poll::PollRecord;
use crate::service::poll::{self, Desk, Ended, Job};
use crate::service::report::{Fate, FeedReport};
use crate::store::StoreError;

/// Who is being polled.
pub struct Crew<W> {
    desk: Arc<Desk<W>>,
    polls: JoinSet<Result<Ended, StoreError>>,
    running: HashMap<Id, Running>,
}

struct Running {
    feed: FeedId,
    host: String,
    since: Instant,
}

/// A poll that is over.
pub struct End {
    /// Whose.
    pub feed: FeedId,
    /// The host of its first address.
    pub host: String,
    /// What became of it; or its record, not yet written, where the host was out of reach.
    pub end: Result<Result<FeedReport, StoreError>, Box<PollRecord>>,
}

impl<W: Fetch> Crew<W> {
    /// Nobody yet.
    pub fn new(desk: Arc<Desk<W>>) -> Self {
        Self {
            desk,
            polls: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    /// Begins a poll.
    pub fn start(&mut self, job: Job) {
        let running = Running {
            feed: job.subscription.id.clone(),
            host: job.url().host().to_owned(),
            since: Instant::now(),
        };
        let desk = Arc::clone(&self.desk);
        let task = self
            .polls
            .spawn(async move { poll::poll(&desk, job).await });
        self.running.insert(task.id(), running);
    }

    /// How many are being polled.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// The next poll that is over; `None` where there is none under way. May be dropped and asked again.
    pub async fn next(&mut self) -> Option<End> {
        let (task, outcome) = match self.polls.join_next_with_id().await? {
            Ok((task, outcome)) => (task, Ok(outcome)),
            Err(error) => (error.id(), Err(error)),
        };
        let Running { feed, host, since } = self.running.remove(&task)?;
        let end = match outcome {
            Ok(Ok(Ended::Unreached(record))) => Err(record),
            Ok(Ok(Ended::Recorded(polled))) => Ok(Ok((*polled).into())),
            Ok(Ok(Ended::Silenced(held))) => {
                Ok(Ok(FeedReport::of(feed.clone(), Fate::LeftAlone(held))))
            }
            Ok(Err(error)) => Ok(Err(error)),
            Err(error) => {
                let why = format!("a defect in feedmill: {error}");
                Ok(Ok(FeedReport {
                    took: since.elapsed(),
                    ..FeedReport::of(feed.clone(), Fate::Failed(why))
                }))
            }
        };
        Some(End { feed, host, end })
    }

    /// Drops all polls under way: as if they had never begun.
    pub async fn dismiss(&mut self) -> Vec<FeedReport> {
        self.polls.shutdown().await;
        let stopped = self.running.drain().map(|(_, running)| FeedReport {
            took: running.since.elapsed(),
            ..FeedReport::of(running.feed, Fate::Stopped)
        });
        stopped.collect()
    }
}
