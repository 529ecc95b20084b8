//! A cycle: feeds polled side by side, each its own task, so that none can harm another.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::entry::Skipped;
use crate::model::feed::NotBefore;
use crate::model::ids::FeedId;
use crate::rules::cadence;
use crate::service::poll::{self, Desk, Job, Outcome, Polled};
use crate::store::StoreError;

/// What became of one feed in a cycle.
#[derive(Clone, Debug)]
pub struct FeedReport {
    /// Which feed.
    pub feed: FeedId,
    /// What became of it.
    pub fate: Fate,
    /// Articles by verdict.
    pub counts: Counts,
    /// How long it took.
    pub took: Duration,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
    /// Repairs and evidence.
    pub notes: Vec<String>,
}

/// Articles of a poll by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries with words that were not here before.
    pub new: usize,
    /// Entries that were here with other words.
    pub revised: usize,
    /// Entries whose words were here in another entry.
    pub reprints: usize,
    /// Entries that were here.
    pub known: usize,
}

/// What became of a feed.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Read.
    Read {
        /// Something is left for the next poll.
        partial: bool,
    },
    /// 304, or the same bytes.
    Unchanged,
    /// Not asked.
    LeftAlone(NotBefore),
    /// Asked in vain.
    Failed(String),
    /// Stopped by us before it was done; nothing is recorded, nobody is blamed.
    Stopped,
}

impl Fate {
    /// One word for tables and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Read { partial: false } => "read",
            Self::Read { partial: true } => "partial",
            Self::Unchanged => "unchanged",
            Self::LeftAlone(_) => "left-alone",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl FeedReport {
    fn of(feed: FeedId, fate: Fate) -> Self {
        Self {
            feed,
            fate,
            counts: Counts::default(),
            took: Duration::ZERO,
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Why, in plain words: the reason of a failure or of being left alone, else what is worth knowing of a good poll.
    pub fn why(&self) -> String {
        match &self.fate {
            Fate::LeftAlone(held) => format!("until {}: {}", held.until, held.why),
            Fate::Failed(why) => why.clone(),
            Fate::Stopped => "stopped before it was done".to_owned(),
            Fate::Read { .. } | Fate::Unchanged => match self.skipped.as_slice() {
                [] if self.fate == (Fate::Read { partial: true }) => {
                    "more is left for the next poll".to_owned()
                }
                [] => String::new(),
                [one] => format!("1 entry left out: {}: {}", one.what, one.why),
                [first, ..] => format!(
                    "{} entries left out, the first: {}: {}",
                    self.skipped.len(),
                    first.what,
                    first.why
                ),
            },
        }
    }
}

impl From<Polled> for FeedReport {
    fn from(polled: Polled) -> Self {
        let (new, revised, reprints, again) = polled.recorded.counts();
        let told = polled.told;
        let held = told.held.unwrap_or_default();
        let fate = match told.outcome {
            Outcome::Failed(why) => Fate::Failed(why),
            Outcome::Away => Fate::Failed(held),
            // Read, but nothing behind it could be had.
            _ if told.failures > 0 => Fate::Failed(held),
            Outcome::Read => Fate::Read { partial: false },
            Outcome::Partial => Fate::Read { partial: true },
            Outcome::Unchanged => Fate::Unchanged,
        };
        Self {
            counts: Counts {
                new,
                revised,
                reprints,
                known: told.known + again,
            },
            took: told.took,
            skipped: told.skipped,
            notes: told.notes,
            ..Self::of(told.feed, fate)
        }
    }
}

/// Polls every job that may be asked, and reports each feed as soon as it is done. Returns the reports in the jobs'
/// order. When `stop` ends, running polls are dropped: what they had recorded stays, the rest is as if never begun.
pub async fn cycle<W: Fetch>(
    desk: Arc<Desk<W>>,
    jobs: Vec<Job>,
    user_refresh: Duration,
    stop: impl Future<Output = ()>,
    mut done: impl FnMut(&FeedReport),
) -> Result<Vec<FeedReport>, StoreError> {
    let order: Vec<FeedId> = jobs.iter().map(|job| job.subscription.id.clone()).collect();
    let mut reports = Vec::with_capacity(jobs.len());
    let mut polls: JoinSet<Result<Polled, StoreError>> = JoinSet::new();
    let mut running = HashMap::new();
    for job in jobs {
        let feed = job.subscription.id.clone();
        if let Err(held) = cadence::may_ask(&job.state, (desk.clock)(), user_refresh) {
            let report = FeedReport::of(feed, Fate::LeftAlone(held));
            done(&report);
            reports.push(report);
            continue;
        }
        let desk = Arc::clone(&desk);
        let task = polls.spawn(async move { poll::poll(&desk, job).await });
        running.insert(task.id(), (feed, Instant::now()));
    }
    tokio::pin!(stop);
    loop {
        let (task, outcome) = tokio::select! {
            biased;
            next = polls.join_next_with_id() => match next {
                None => break,
                Some(Ok((task, outcome))) => (task, Ok(outcome)),
                Some(Err(error)) => (error.id(), Err(error)),
            },
            () = &mut stop => { polls.shutdown().await; break; }
        };
        let Some((feed, since)) = running.remove(&task) else {
            continue;
        };
        let mut report = match outcome {
            Ok(polled) => polled?.into(),
            Err(error) => {
                FeedReport::of(feed, Fate::Failed(format!("a defect in feedmill: {error}")))
            }
        };
        if report.took.is_zero() {
            report.took = since.elapsed();
        }
        done(&report);
        reports.push(report);
    }
    for (feed, _) in running.into_values() {
        let report = FeedReport::of(feed, Fate::Stopped);
        done(&report);
        reports.push(report);
    }
    let place: HashMap<FeedId, usize> = order.into_iter().zip(0..).collect();
    reports.sort_by_key(|report| place.get(&report.feed).copied());
    Ok(reports)
}
