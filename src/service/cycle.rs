//! A cycle: every feed polled once, by order.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::feed::NotBefore;
use crate::model::ids::FeedId;
use crate::model::poll::PollRecord;
use crate::model::time::Timestamp;
use crate::rules::health::our_outage;
use crate::rules::moves::{self, Asked};
use crate::rules::{cadence, learn};
use crate::service::crew::{Crew, End};
use crate::service::poll::{self, Desk, Job, Seen};
use crate::service::report::{Fate, FeedReport};
use crate::store::StoreError;

/// Polls every job that may be asked, and reports each feed as soon as it is done. Returns the reports in the jobs'
/// order. When `stop` ends, running polls are dropped: what they had recorded stays, the rest is as if never begun.
///
/// `named`: somebody asked for these feeds by name, and knows better than an old 410.
pub async fn cycle<W: Fetch>(
    desk: Arc<Desk<W>>,
    jobs: Vec<Job>,
    order: Order,
    stop: impl Future<Output = ()>,
    mut done: impl FnMut(&FeedReport),
) -> Result<Vec<FeedReport>, StoreError> {
    let places: HashMap<FeedId, usize> = jobs
        .iter()
        .map(|job| job.subscription.id.clone())
        .zip(0..)
        .collect();
    let mut reports = Vec::with_capacity(jobs.len());
    let mut report = |report: FeedReport| {
        done(&report);
        reports.push(report);
    };
    let mut crew = Crew::new(Arc::clone(&desk));
    let now = (desk.clock)();
    let twins = twins(&jobs, now);
    for job in jobs {
        if let Some(twin) = twins.get(&job.subscription.id) {
            let held = NotBefore {
                until: now.plus(cadence::CAP_HINT),
                why: format!(
                    "it moved to the address of `{twin}`, which is asked in its place (P-79)"
                ),
            };
            report(FeedReport::of(job.subscription.id, Fate::LeftAlone(held)));
            continue;
        }
        match order.may_ask(&job, now) {
            Ok(()) => crew.start(job),
            Err(held) => report(FeedReport::of(job.subscription.id, Fate::LeftAlone(held))),
        }
    }
    let mut hosts: Vec<(String, bool)> = Vec::new();
    let mut unreached: Vec<Box<PollRecord>> = Vec::new();
    tokio::pin!(stop);
    loop {
        let end = tokio::select! {
            biased;
            end = crew.next() => end,
            () = &mut stop => break,
        };
        match end {
            None => break,
            Some(End { host, end, .. }) => {
                // Who was not asked, since its host is silent, says nothing about our reach.
                let silent =
                    matches!(&end, Ok(Ok(report)) if matches!(report.fate, Fate::LeftAlone(_)));
                if !silent {
                    hosts.push((host, end.is_ok()));
                }
                match end {
                    Ok(done) => report(done?),
                    Err(record) => unreached.push(record),
                }
            }
        }
    }
    for stopped in crew.dismiss().await {
        report(stopped);
    }
    let asked = hosts
        .iter()
        .map(|(host, reached)| (host.as_str(), *reached));
    let outage = our_outage(asked);
    for record in unreached {
        report(match outage {
            Some(outage) => FeedReport::offline(&record, outage),
            None => poll::record_it(&desk.store, *record, Seen::default())
                .await?
                .into(),
        });
    }
    reports.sort_by_key(|report| places.get(&report.feed).copied());
    Ok(reports)
}

/// Feeds that have moved to an address another feed is asked at, and that other (P-79).
fn twins(jobs: &[Job], now: Timestamp) -> HashMap<FeedId, FeedId> {
    if jobs.iter().all(|job| job.state.learned.address.is_none()) {
        return HashMap::new();
    }
    let asked = jobs.iter().map(|job| Asked::of(&job.state, job.url(), now));
    let asked: Vec<Asked> = asked.collect();
    let twin = |of: &Asked| Some((of.feed.clone(), moves::twin(of, asked.iter())?.clone()));
    asked.iter().filter_map(twin).collect()
}

/// Somebody's order to poll now.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// A feed asked less than this ago is left alone (P-64).
    pub user_refresh: Duration,
    /// The feeds were named one by one: even one that said it is gone is asked.
    pub named: bool,
}

impl Order {
    fn may_ask(self, job: &Job, now: Timestamp) -> Result<(), NotBefore> {
        cadence::may_ask(&job.state, now, self.user_refresh)?;
        match job.state.learned.refusal {
            Some(refusal) if !self.named && learn::is_stopped(&job.state.learned) => {
                Err(NotBefore {
                    until: now.plus(cadence::CAP_RETRY_AFTER),
                    why: format!(
                        "HTTP status {}, {} times in a row: asked only by name",
                        refusal.status, refusal.times
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}
