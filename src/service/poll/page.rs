//! One page behind an entry, where it may be asked at all.

use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::http::{Ask, FetchError, FetchOutcome, Page};
use crate::model::urls::PageUrl;
use crate::rules::cadence;
use crate::service::poll::{Desk, Job};
use crate::service::robots::{Met, Ruling};

/// Why an entry's page was not had.
pub(super) struct Miss {
    pub why: String,
    pub kind: MissKind,
    pub retry_after: Option<Duration>,
    /// Some page was asked.
    pub sent: bool,
}

impl Miss {
    /// A page was asked, and is of no use.
    pub fn new(why: String, kind: MissKind) -> Self {
        Self {
            why,
            kind,
            retry_after: None,
            sent: true,
        }
    }

    /// We were told to stay away.
    fn told(why: String, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(why, MissKind::Passing)
        }
    }
}

/// Whether asking again can help, the least hopeful first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MissKind {
    /// robots.txt does not let us ask it.
    Forbidden,
    /// The page is gone (404, 410): not worth a request at every poll.
    Lost,
    /// It was refused, or could not be read as it was.
    Unread,
    /// Whether it may be asked cannot be known now.
    PutOff,
    /// A time-out and the like: the next poll may have it.
    Passing,
}

/// Asks for one page, which no order names: where robots.txt allows it (P-164).
pub(super) async fn page<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    ask: Ask,
    bytes: &mut u64,
    met: &mut Met,
) -> Result<Page, Miss> {
    may_ask(desk, job, &ask.url, met).await?;
    let asked = ask.url.without_fragment();
    let page = match desk.web.fetch(job.subscription.request(ask, None)).await {
        Ok(FetchOutcome::Fresh { page, .. }) => page,
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => {
            let retry_after = retry_after.unwrap_or(cadence::RETRY_AFTER_DEFAULT);
            return Err(Miss::told(format!("HTTP status {status}"), retry_after));
        }
        Ok(FetchOutcome::Gone) => {
            return Err(Miss::new(
                "HTTP status 410 (gone)".to_owned(),
                MissKind::Lost,
            ));
        }
        Ok(FetchOutcome::NotModified { .. }) => {
            return Err(Miss::new(
                "304 to a request without validators".to_owned(),
                MissKind::Passing,
            ));
        }
        Err(FetchError::Silenced { left, why, .. }) => return Err(Miss::told(why, left)),
        Err(error) => {
            let kind = match error {
                FetchError::Status { status: 404, .. } => MissKind::Lost,
                FetchError::Status {
                    status: 400..=499, ..
                }
                | FetchError::TooLarge { .. } => MissKind::Unread,
                _ => MissKind::Passing,
            };
            return Err(Miss::new(error.to_string(), kind));
        }
    };
    *bytes += page.bytes.len() as u64;
    if page.url != asked {
        // What a redirect led to is had before anybody can know where it is; it is not read where it may not be asked.
        may_ask(desk, job, &page.url, met)
            .await
            .map_err(|miss| Miss { sent: true, ..miss })?;
    }
    Ok(page)
}

async fn may_ask<W: Fetch>(
    desk: &Desk<W>,
    job: &Job,
    url: &PageUrl,
    met: &mut Met,
) -> Result<(), Miss> {
    let who = (&desk.web, Some(&desk.store));
    let now = (desk.clock)();
    let ruling = desk.crawling.ruling(who, &job.subscription, url, now, met);
    let (why, kind) = match ruling.await {
        Ruling::Allowed => return Ok(()),
        Ruling::Forbidden(why) => (why, MissKind::Forbidden),
        Ruling::PutOff(why) => (why, MissKind::PutOff),
    };
    Err(Miss {
        sent: false,
        ..Miss::new(why, kind)
    })
}
