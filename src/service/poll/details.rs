//! The pages of entries that a listing only points at.

use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::entry::{Draft, EntryKey, Skipped, Teaser};
use crate::model::http::{Ask, FetchError, FetchOutcome, Page};
use crate::model::time::Timestamp;
use crate::rules::cadence;
use crate::rules::settle::Trouble;
use crate::service::poll::plan::{Behind, Due, name, take};
use crate::service::poll::{Desk, Job, fulltext, offload};

/// What came of the detail pages.
#[derive(Default)]
pub(super) struct Details {
    /// Entries that were had whole.
    pub articles: Vec<Article>,
    /// Entries that were not.
    pub skipped: Vec<Skipped>,
    /// Of those, the ones that are not worth a request at every poll.
    pub missed: Vec<EntryKey>,
    /// Something is left that the next poll can have.
    pub left: bool,
    /// What was done otherwise than ordered.
    pub notes: Vec<String>,
    asked: usize,
    /// Bytes of the pages that came.
    pub bytes: u64,
    /// Every page failed, or we were told to stay away.
    pub trouble: Option<Trouble>,
}

/// Asks for the detail pages, the listing's first (its newest) first, one after the other. `known` entries of the listing
/// need none.
pub(super) async fn complete<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teasers: Vec<Due>,
    known: usize,
    at: Timestamp,
) -> Details {
    let mut done = Details::default();
    // Pages that nobody could have read as they are: lost one by one, or all of them because their form is new.
    let mut unread = Vec::new();
    let (mut failed, mut last) = (0, None);
    let (mut kept, mut why_kept) = (0_usize, String::new());
    for due in teasers {
        let Due {
            key,
            teaser,
            behind,
        } = due;
        if done.asked == desk.details_per_poll {
            done.left = true;
            break;
        }
        done.asked += 1;
        let what = name(&teaser.draft);
        let hash = teaser.draft.raw_hash();
        let (had, feeds_own) = match behind {
            Behind::Detail => (detail(desk, job, teaser, &mut done.bytes).await, None),
            Behind::Page { had } => {
                let own = (!had).then(|| teaser.draft.clone());
                (
                    fulltext::article(desk, job, teaser, &mut done.bytes).await,
                    own,
                )
            }
        };
        let miss = match had {
            Ok(draft) => {
                take(
                    draft,
                    key,
                    Some(hash),
                    at,
                    &mut done.articles,
                    &mut done.skipped,
                );
                continue;
            }
            Err(miss) => miss,
        };
        failed += 1;
        let kind = if behind == Behind::Detail {
            miss.kind
        } else {
            MissKind::Lost // it is not asked at every poll: what there is of it stays
        };
        if let Some(own) = feeds_own {
            kept += 1;
            why_kept.clone_from(&miss.why);
            let own = Draft {
                note: Some(format!("the feed's own words: {}", miss.why)),
                ..own
            };
            done.missed.extend(key.clone());
            take(own, key, None, at, &mut done.articles, &mut done.skipped);
        } else {
            match kind {
                MissKind::Passing => done.left = true,
                MissKind::Lost => done.missed.extend(key),
                MissKind::Unread => unread.extend(key),
            }
            done.skipped.push(Skipped {
                what,
                why: miss.why.clone(),
            });
        }
        let told_to_stay_away = miss.retry_after.is_some();
        last = Some(miss);
        if told_to_stay_away {
            done.left = true;
            break;
        }
    }
    if kept > 0 {
        done.notes.push(format!(
            "the feed's own words, since the page could not be had or had less: {kept} (the last: {why_kept})"
        ));
    }
    // One page that fails is that entry's trouble. It is the feed's when nothing speaks for the feed.
    let all_failed = failed == done.asked && (known == 0 || failed >= IN_A_ROW);
    done.trouble = last
        .filter(|miss| all_failed || miss.retry_after.is_some())
        .map(|miss| Trouble {
            why: format!("detail pages cannot be had: {}", miss.why),
            retry_after: miss.retry_after,
        });
    if done.trouble.is_none() {
        done.missed.extend(unread);
    }
    done
}

/// So many pages that fail without one that does not are the feed's failure.
const IN_A_ROW: usize = 3;

/// Why an entry's page was not had.
pub(super) struct Miss {
    pub why: String,
    pub kind: MissKind,
    pub retry_after: Option<Duration>,
}

impl Miss {
    pub fn new(why: String, kind: MissKind) -> Self {
        Self {
            why,
            kind,
            retry_after: None,
        }
    }
}

/// Whether asking again can help, the least hopeful first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MissKind {
    /// The page is gone (404, 410): not worth a request at every poll.
    Lost,
    /// It was refused, or could not be read as it was.
    Unread,
    /// A time-out and the like: the next poll may have it.
    Passing,
}

/// One entry's page, by the best route that works.
async fn detail<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: Teaser,
    bytes: &mut u64,
) -> Result<Draft, Miss> {
    let teaser = Arc::new(teaser);
    let mut first_miss: Option<Miss> = None;
    for (route, ask) in teaser.details.iter().enumerate() {
        match one_route(desk, job, &teaser, (route, ask.clone()), bytes).await {
            Ok(draft) => return Ok(draft),
            Err(miss) if miss.retry_after.is_some() => return Err(miss),
            Err(miss) => {
                first_miss = Some(match first_miss {
                    Some(first) => Miss {
                        kind: first.kind.max(miss.kind),
                        ..first
                    },
                    None => miss,
                });
            }
        }
    }
    Err(first_miss.unwrap_or_else(|| Miss {
        why: "no route to its page".to_owned(),
        kind: MissKind::Unread,
        retry_after: None,
    }))
}

async fn one_route<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    (route, ask): (usize, Ask),
    bytes: &mut u64,
) -> Result<Draft, Miss> {
    let page = page(desk, job, ask, bytes).await?;
    let teaser = Arc::clone(teaser);
    let read = move |job: &Job| {
        job.source
            .complete(&job.subscription, &teaser, route, &page)
    };
    match offload(desk, job, read).await {
        Ok(Ok(draft)) => Ok(draft),
        Ok(Err(error)) => Err(Miss::new(error.to_string(), MissKind::Unread)),
        Err(defect) => Err(Miss::new(
            format!("a defect in feedmill: {defect}"),
            MissKind::Unread,
        )),
    }
}

/// Asks for one page behind an entry.
pub(super) async fn page<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    ask: Ask,
    bytes: &mut u64,
) -> Result<Page, Miss> {
    let miss = Miss::new;
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
    Ok(page)
}
