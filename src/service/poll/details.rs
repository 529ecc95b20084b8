//! The pages of entries that a listing only points at.

use std::sync::Arc;
use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::entry::{Draft, EntryKey, Skipped, Teaser};
use crate::model::http::{Ask, FetchError, FetchOutcome, Request};
use crate::model::time::Timestamp;
use crate::rules::cadence;
use crate::rules::settle::Trouble;
use crate::service::poll::plan::{name, take};
use crate::service::poll::{Desk, Job, offload};

/// What came of the detail pages.
#[derive(Default)]
pub(super) struct Details {
    /// Entries that were had whole.
    pub articles: Vec<Article>,
    /// Entries that were not.
    pub skipped: Vec<Skipped>,
    /// Something is left that the next poll can have.
    pub left: bool,
    asked: usize,
    /// Every page failed, or we were told to stay away.
    pub trouble: Option<Trouble>,
}

/// Asks for the detail pages, the listing's first (its newest) first, one after the other.
pub(super) async fn complete<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teasers: Vec<(Option<EntryKey>, Teaser)>,
    at: Timestamp,
) -> Details {
    let mut done = Details::default();
    let mut failed = 0;
    for (key, teaser) in teasers {
        if done.asked == desk.details_per_poll {
            done.left = true;
            break;
        }
        done.asked += 1;
        let what = name(&teaser.draft);
        let hash = teaser.draft.raw_hash();
        match detail(desk, job, teaser).await {
            Ok(draft) => take(
                draft,
                key,
                Some(hash),
                at,
                &mut done.articles,
                &mut done.skipped,
            ),
            Err(miss) => {
                failed += 1;
                done.left |= miss.passing;
                done.skipped.push(Skipped {
                    what,
                    why: miss.why.clone(),
                });
                if failed == done.asked || miss.retry_after.is_some() {
                    done.trouble = Some(Trouble {
                        why: format!("detail pages cannot be had: {}", miss.why),
                        retry_after: miss.retry_after,
                    });
                }
                if miss.retry_after.is_some() {
                    done.left = true;
                    break;
                }
            }
        }
    }
    if failed < done.asked {
        done.trouble = done.trouble.filter(|trouble| trouble.retry_after.is_some());
    }
    done
}

/// Why an entry's page was not had.
struct Miss {
    why: String,
    /// Whether asking again later can help: a time-out can pass, a 404 or an unknown shape is not worth a request each poll.
    passing: bool,
    retry_after: Option<Duration>,
}

/// One entry's page, by the best route that works.
async fn detail<W: Fetch>(desk: &Desk<W>, job: &Arc<Job>, teaser: Teaser) -> Result<Draft, Miss> {
    let teaser = Arc::new(teaser);
    let mut first_miss: Option<Miss> = None;
    for (route, ask) in teaser.details.iter().enumerate() {
        match one_route(desk, job, &teaser, route, ask.clone()).await {
            Ok(draft) => return Ok(draft),
            Err(miss) if miss.retry_after.is_some() => return Err(miss),
            Err(miss) => {
                first_miss = Some(match first_miss {
                    Some(first) => Miss {
                        passing: first.passing || miss.passing,
                        ..first
                    },
                    None => miss,
                });
            }
        }
    }
    Err(first_miss.unwrap_or_else(|| Miss {
        why: "no route to its page".to_owned(),
        passing: false,
        retry_after: None,
    }))
}

async fn one_route<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    route: usize,
    ask: Ask,
) -> Result<Draft, Miss> {
    let miss = |why: String, passing| Miss {
        why,
        passing,
        retry_after: None,
    };
    let page = match desk
        .web
        .fetch(Request {
            ask,
            validators: None,
        })
        .await
    {
        Ok(FetchOutcome::Fresh { page, .. }) => page,
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => {
            let retry_after = Some(retry_after.unwrap_or(cadence::RETRY_AFTER_DEFAULT));
            return Err(Miss {
                why: format!("HTTP status {status}"),
                passing: true,
                retry_after,
            });
        }
        Ok(FetchOutcome::Gone) => return Err(miss("HTTP status 410 (gone)".to_owned(), false)),
        Ok(FetchOutcome::NotModified { .. }) => {
            return Err(miss("304 to a request without validators".to_owned(), true));
        }
        Err(error) => {
            let lasting = matches!(
                error,
                FetchError::Status {
                    status: 400..=499,
                    ..
                } | FetchError::TooLarge { .. }
            );
            return Err(miss(error.to_string(), !lasting));
        }
    };
    let teaser = Arc::clone(teaser);
    let read = move |job: &Job| {
        job.source
            .complete(&job.subscription, &teaser, route, &page)
    };
    match offload(desk, job, read).await {
        Ok(Ok(draft)) => Ok(draft),
        Ok(Err(error)) => Err(miss(error.to_string(), false)),
        Err(defect) => Err(miss(format!("a defect in feedmill: {defect}"), false)),
    }
}
