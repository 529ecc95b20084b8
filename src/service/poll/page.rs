//! One page behind an entry, where it may be asked at all; and what is kept of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::entry::{Draft, EntryKey};
use crate::model::http::{Ask, FetchError, FetchOutcome, Page};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::model::visit::{Form, KeptPage, Visit};
use crate::rules::cadence;
use crate::service::poll::{Desk, Job, offload};
use crate::service::robots::{Met, Ruling};
use crate::store::press_page;

/// Why an entry's page was not had.
pub(super) struct Miss {
    pub why: String,
    pub kind: MissKind,
    pub retry_after: Option<Duration>,
    /// Some page was asked.
    pub sent: bool,
    /// Some page is gone by its publisher's word (410).
    pub gone: bool,
}

impl Miss {
    /// A page was asked, and is of no use.
    pub fn new(why: String, kind: MissKind) -> Self {
        Self {
            why,
            kind,
            retry_after: None,
            sent: true,
            gone: false,
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

/// What came of pages behind entries in one poll.
#[derive(Default)]
pub(super) struct Came {
    /// Bytes of all pages.
    pub bytes: u64,
    /// The place of the address that is being asked among its entry's.
    pub route: usize,
    /// Pages of the entry that is being asked for, to be kept.
    pages: Vec<KeptPage>,
    /// Why they are not.
    lost: Option<String>,
    /// Bytes of all pages that are to be kept, pressed.
    pressed: usize,
}

/// No reader takes a larger page, so none is kept for one.
const LARGEST_KEPT: usize = 8 << 20;

/// The most that is held of one poll's pages, pressed: they wait in memory for the poll to be recorded.
const MOST_KEPT: usize = 4 << 20;

impl Came {
    fn keep(&mut self, page: KeptPage) {
        let pressed = self.pressed + page.body.bytes.len();
        if pressed > MOST_KEPT {
            self.lost = Some(format!("over {MOST_KEPT} bytes in one poll"));
        } else {
            self.pressed = pressed;
            self.pages.push(page);
        }
    }

    fn spoilt(&mut self, error: &io::Error) {
        self.lost = Some(error.to_string());
    }

    /// The visit to an entry that is over: with all of its pages, or none at all. An error says why none.
    pub fn visit(
        &mut self,
        job: &Job,
        key: Option<&EntryKey>,
        form: Form,
        teaser: &Draft,
        at: Timestamp,
    ) -> Result<Option<Visit>, String> {
        self.route = 0;
        let pages = std::mem::take(&mut self.pages);
        if let Some(why) = self.lost.take() {
            let given_up: usize = pages.iter().map(|page| page.body.bytes.len()).sum();
            self.pressed -= given_up;
            return Err(why);
        }
        // What cannot be recognised is not stored either.
        let Some(key) = key.filter(|_| !pages.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(Visit {
            key: key.clone(),
            at,
            source: job.subscription.source.clone(),
            form,
            teaser: teaser.clone(),
            pages,
        }))
    }
}

/// Asks for one page, which no order names: where robots.txt allows it (P-164).
pub(super) async fn page<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    ask: Ask,
    came: &mut Came,
    met: &mut Met,
) -> Result<Page, Miss> {
    may_ask(desk, job, &ask.url, met).await?;
    let asked = ask.url.clone();
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
            return Err(Miss {
                gone: true,
                ..Miss::new("HTTP status 410 (gone)".to_owned(), MissKind::Lost)
            });
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
    came.bytes += page.bytes.len() as u64;
    if page.url != asked.without_fragment() {
        // What a redirect led to is had before anybody can know where it is; it is not read where it may not be asked.
        may_ask(desk, job, &page.url, met)
            .await
            .map_err(|miss| Miss { sent: true, ..miss })?;
    }
    keep(desk, job, asked, page, came).await
}

/// Presses a page that is to be kept, on a reading thread, before anybody tries to read it.
async fn keep<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    asked: PageUrl,
    page: Page,
    came: &mut Came,
) -> Result<Page, Miss> {
    if !desk.store.keeps_pages() || page.bytes.len() > LARGEST_KEPT {
        return Ok(page);
    }
    let step = move |_: &Job| (press_page(&page.bytes), page);
    let unread = |why| Miss::new(why, MissKind::Unread);
    let (body, page) = offload(desk, job, step)
        .await
        .map_err(|defect| unread(format!("a defect in feedmill: {defect}")))?;
    match body {
        Ok(body) => came.keep(KeptPage {
            route: came.route,
            asked,
            url: page.url.clone(),
            media_type: page.media_type.clone(),
            charset: page.charset.clone(),
            fetched: (desk.clock)(),
            body,
        }),
        Err(error) => came.spoilt(&error),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;
    use crate::model::feed::{FeedState, Subscription};
    use crate::model::ids::EntryId;
    use crate::model::visit::Frame;
    use crate::source;

    #[test]
    fn a_visit_is_kept_with_all_of_its_pages_or_none() {
        let subscription = Subscription::new("a".parse().unwrap(), "feed");
        let state = FeedState::new(subscription.id.clone());
        let job = Job::new(subscription, source::source("feed").unwrap(), state);
        let page = |bytes| KeptPage {
            route: 0,
            asked: job.url().clone(),
            url: job.url().clone(),
            media_type: None,
            charset: None,
            fetched: Timestamp::EPOCH,
            body: Frame {
                digest: [0; 32],
                bytes: vec![0; bytes],
            },
        };
        let key = EntryKey::Id(EntryId::new("1").unwrap());
        let mut came = Came::default();
        let mut pages = |sizes: &[usize]| {
            for size in sizes {
                came.keep(page(*size));
            }
            came.visit(
                &job,
                Some(&key),
                Form::Article,
                &Draft::default(),
                Timestamp::EPOCH,
            )
            .map(|visit| visit.map_or(0, |visit| visit.pages.len()))
        };
        assert_eq!(pages(&[MOST_KEPT / 2, MOST_KEPT / 4]), Ok(2));
        assert!(pages(&[MOST_KEPT / 4, 1]).is_err());
        assert_eq!(pages(&[]), Ok(0));
        assert_eq!(pages(&[MOST_KEPT / 4]), Ok(1));
        assert!(pages(&[1]).is_err());
    }
}
