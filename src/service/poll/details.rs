//! The pages of entries that a listing only points at.

use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::entry::{Draft, EntryKey, Skipped, Teaser};
use crate::model::http::{Ask, FetchError, FetchOutcome};
use crate::model::time::Timestamp;
use crate::rules::cadence;
use crate::rules::settle::Trouble;
use crate::service::poll::plan::{Rest, name, take};
use crate::service::poll::{Desk, Job, offload};
use crate::service::robots::{Met, Ruling};

/// What came of the detail pages.
#[derive(Default)]
pub(super) struct Details {
    /// Entries that were had whole.
    pub articles: Vec<Article>,
    /// Entries that were not.
    pub skipped: Vec<Skipped>,
    /// Of those, the ones that are not worth a request at every poll.
    pub missed: Vec<EntryKey>,
    /// Entries that stay as they are, since their pages may not be asked any more.
    pub known: usize,
    /// What robots.txt forbade or put off.
    pub notes: Vec<String>,
    /// Something is left that the next poll can have.
    pub left: bool,
    asked: usize,
    /// Bytes of the pages that came.
    pub bytes: u64,
    /// Every page failed, or we were told to stay away.
    pub trouble: Option<Trouble>,
}

/// Asks for the detail pages, the listing's first (its newest) first, one after the other: those that robots.txt allows
/// (P-164). Of `rest` nothing has to be asked.
pub(super) async fn complete<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teasers: Vec<(Option<EntryKey>, Teaser)>,
    rest: &Rest,
    at: Timestamp,
) -> Details {
    let mut done = Details::default();
    let (mut met, mut barred) = (Met::new(), Barred::default());
    // Pages that nobody could have read as they are: lost one by one, or all of them because their form is new.
    let mut unread = Vec::new();
    let (mut failed, mut last) = (0, None);
    for (key, teaser) in teasers {
        if done.asked == desk.details_per_poll {
            done.left = true;
            break;
        }
        done.asked += 1;
        let what = name(&teaser.draft);
        let hash = Some(teaser.draft.raw_hash());
        let teaser = Arc::new(teaser);
        let miss = match detail(desk, job, &teaser, &mut done.bytes, &mut met).await {
            Ok(draft) => {
                let (articles, skipped) = (&mut done.articles, &mut done.skipped);
                take(draft, key, hash, at, articles, skipped);
                continue;
            }
            Err(miss) => miss,
        };
        done.asked -= usize::from(!miss.sent);
        match miss.kind {
            // What was read before robots.txt forbade it is not to be lost for what the list says.
            MissKind::Forbidden if key.as_ref().is_some_and(|key| rest.whole.contains(key)) => {
                barred.untouched.note(&miss.why);
                done.known += 1;
                continue;
            }
            MissKind::Forbidden => {
                barred.kept.note(&miss.why);
                let (articles, skipped) = (&mut done.articles, &mut done.skipped);
                take(teaser.draft.clone(), key, hash, at, articles, skipped);
                continue;
            }
            MissKind::PutOff => {
                barred.waiting.note(&miss.why);
                done.left = true;
                continue;
            }
            MissKind::Passing => done.left = true,
            MissKind::Lost => done.missed.extend(key),
            MissKind::Unread => unread.extend(key),
        }
        failed += 1;
        done.skipped.push(Skipped {
            what,
            why: miss.why.clone(),
        });
        let told_to_stay_away = miss.retry_after.is_some();
        last = Some(miss);
        if told_to_stay_away {
            break;
        }
    }
    // One page that fails is that entry's trouble. It is the feed's when nothing speaks for the feed.
    let all_failed = failed == done.asked && (rest.known == 0 || failed >= IN_A_ROW);
    done.trouble = last
        .filter(|miss| all_failed || miss.retry_after.is_some())
        .map(|miss| Trouble {
            why: format!("detail pages cannot be had: {}", miss.why),
            retry_after: miss.retry_after,
        });
    if done.trouble.is_none() {
        done.missed.extend(unread);
    }
    done.notes
        .extend(barred.kept.told("are kept as the list has them"));
    done.notes
        .extend(barred.untouched.told("stay as they were read before"));
    done.notes
        .extend(barred.waiting.told("wait for another poll"));
    done
}

/// Entries whose pages were not asked for the sake of robots.txt.
#[derive(Default)]
struct Barred {
    kept: Tally,
    untouched: Tally,
    waiting: Tally,
}

/// How many, and why the first of them.
#[derive(Default)]
struct Tally(usize, String);

impl Tally {
    fn note(&mut self, why: &str) {
        if self.0 == 0 {
            why.clone_into(&mut self.1);
        }
        self.0 += 1;
    }

    fn told(self, what: &str) -> Option<String> {
        let Self(count, why) = self;
        (count > 0).then(|| format!("{count} entries {what}: {why}"))
    }
}

/// So many pages that fail without one that does not are the feed's failure.
const IN_A_ROW: usize = 3;

/// Why an entry's page was not had.
struct Miss {
    why: String,
    kind: MissKind,
    retry_after: Option<Duration>,
    /// Some page was asked.
    sent: bool,
}

/// Whether asking again can help, the least hopeful first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MissKind {
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

/// One entry's page, by the best route that may be asked and works.
async fn detail<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    bytes: &mut u64,
    met: &mut Met,
) -> Result<Draft, Miss> {
    let mut first_miss: Option<Miss> = None;
    for (route, ask) in teaser.details.iter().enumerate() {
        let miss = match may_ask(desk, job, ask, met).await {
            Err(miss) => miss,
            Ok(()) => match one_route(desk, job, teaser, (route, ask.clone()), bytes).await {
                Ok(draft) => return Ok(draft),
                Err(miss) if miss.retry_after.is_some() => return Err(miss),
                Err(miss) => miss,
            },
        };
        first_miss = Some(match first_miss {
            // That another route is forbidden is not why this one failed.
            Some(first) if first.kind == MissKind::Forbidden => miss,
            Some(first) => Miss {
                kind: first.kind.max(miss.kind),
                sent: first.sent || miss.sent,
                ..first
            },
            None => miss,
        });
    }
    Err(first_miss.unwrap_or_else(|| Miss {
        why: "no route to its page".to_owned(),
        kind: MissKind::Unread,
        retry_after: None,
        sent: true,
    }))
}

/// Whether this page may be asked at all: no order names it (P-164).
async fn may_ask<W: Fetch>(
    desk: &Desk<W>,
    job: &Job,
    ask: &Ask,
    met: &mut Met,
) -> Result<(), Miss> {
    let who = (&desk.web, Some(&desk.store));
    let now = (desk.clock)();
    let ruling = desk
        .crawling
        .ruling(who, &job.subscription, &ask.url, now, met);
    let (why, kind) = match ruling.await {
        Ruling::Allowed => return Ok(()),
        Ruling::Forbidden(why) => (why, MissKind::Forbidden),
        Ruling::PutOff(why) => (why, MissKind::PutOff),
    };
    Err(Miss {
        why,
        kind,
        retry_after: None,
        sent: false,
    })
}

async fn one_route<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    (route, ask): (usize, Ask),
    bytes: &mut u64,
) -> Result<Draft, Miss> {
    let miss = |why: String, kind| Miss {
        why,
        kind,
        retry_after: None,
        sent: true,
    };
    let page = match desk.web.fetch(job.subscription.request(ask, None)).await {
        Ok(FetchOutcome::Fresh { page, .. }) => page,
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => {
            let retry_after = Some(retry_after.unwrap_or(cadence::RETRY_AFTER_DEFAULT));
            return Err(Miss {
                why: format!("HTTP status {status}"),
                kind: MissKind::Passing,
                retry_after,
                sent: true,
            });
        }
        Ok(FetchOutcome::Gone) => {
            return Err(miss("HTTP status 410 (gone)".to_owned(), MissKind::Lost));
        }
        Ok(FetchOutcome::NotModified { .. }) => {
            return Err(miss(
                "304 to a request without validators".to_owned(),
                MissKind::Passing,
            ));
        }
        Err(FetchError::Silenced { left, why, .. }) => {
            return Err(Miss {
                why,
                kind: MissKind::Passing,
                retry_after: Some(left),
                sent: true,
            });
        }
        Err(error) => {
            let kind = match error {
                FetchError::Status { status: 404, .. } => MissKind::Lost,
                FetchError::Status {
                    status: 400..=499, ..
                }
                | FetchError::TooLarge { .. } => MissKind::Unread,
                _ => MissKind::Passing,
            };
            return Err(miss(error.to_string(), kind));
        }
    };
    *bytes += page.bytes.len() as u64;
    let teaser = Arc::clone(teaser);
    let read = move |job: &Job| {
        job.source
            .complete(&job.subscription, &teaser, route, &page)
    };
    match offload(desk, job, read).await {
        Ok(Ok(draft)) => Ok(draft),
        Ok(Err(error)) => Err(miss(error.to_string(), MissKind::Unread)),
        Err(defect) => Err(miss(
            format!("a defect in feedmill: {defect}"),
            MissKind::Unread,
        )),
    }
}
