//! One poll of one feed, as a list of steps. Every choice is in `rules`; every byte comes through [`Fetch`].

mod details;
mod plan;
mod told;

pub use told::{Outcome, Polled, Told};

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::content::RawHash;
use crate::model::entry::Listing;
use crate::model::feed::{FeedState, Subscription};
use crate::model::http::{FetchError, FetchOutcome, Freshness, HttpValidators, Page, Share};
use crate::model::poll::{Coverage, Reading};
use crate::model::time::Timestamp;
use crate::rules::settle::{self, Answer};
use crate::service::poll::details::{Details, complete};
use crate::service::poll::plan::{Rest, plan};
use crate::source::Source;
use crate::store::{Store, StoreError};

/// Pages of one listing that are asked at most: an index and what it leads to.
const LIST_PAGES: usize = 4;

/// Everything a poll needs, besides the feed.
pub struct Desk<W> {
    /// Who fetches.
    pub web: W,
    /// Who remembers.
    pub store: Store,
    /// Permits for reading and normalising: pages are a stranger's and cost CPU and memory, so few at once.
    pub readers: Arc<Semaphore>,
    /// Detail pages asked in one poll of one feed; the rest waits for the next.
    pub details_per_poll: usize,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
}

/// One feed to ask.
pub struct Job {
    /// Our order.
    pub subscription: Subscription,
    /// Its adapter.
    pub source: &'static dyn Source,
    /// What we remember of it.
    pub state: FeedState,
}

/// Polls a feed and records the outcome, whatever it is. Only the store can make this fail.
///
/// Of thousands of polls most wait for their first answer, so what comes after it is kept on the heap, and only then.
pub async fn poll<W: Fetch>(desk: &Desk<W>, job: Job) -> Result<Polled, StoreError> {
    let (at, started) = ((desk.clock)(), Instant::now());
    let job = Arc::new(job);
    let mut share = Share::default();
    let answer = ask(desk, &job, at, &mut share).await?;
    let record = settle::settle(&job.state, at, started.elapsed(), answer);
    let told = Told::of(&record);
    let recorded = Box::pin(desk.store.record(record)).await?;
    drop(share); // the words are on the disk: other pages may come
    Ok(Polled { told, recorded })
}

async fn ask<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    at: Timestamp,
    share: &mut Share,
) -> Result<Answer, StoreError> {
    let first = job.source.first(&job.subscription);
    let request = job
        .subscription
        .request(first, job.state.validators.clone());
    match desk.web.fetch(request).await {
        Ok(FetchOutcome::Fresh {
            page,
            validators,
            freshness,
            share: taken,
            ..
        }) => {
            *share = taken;
            Box::pin(answered(
                desk,
                job,
                at,
                share,
                (page, validators, freshness),
            ))
            .await
        }
        Ok(FetchOutcome::NotModified {
            validators,
            freshness,
            ..
        }) => Ok(Answer::NotModified {
            validators,
            freshness,
        }),
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => Ok(Answer::RateLimited {
            retry_after,
            status,
        }),
        Ok(FetchOutcome::Gone) => Ok(Answer::Gone),
        Err(error) => Ok(Answer::Unfetched(error)),
    }
}

/// Reads what came, and what it leads to.
async fn answered<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    at: Timestamp,
    share: &mut Share,
    (page, validators, freshness): (Page, Option<HttpValidators>, Freshness),
) -> Result<Answer, StoreError> {
    let (same, document) = settle::same_document(&job.state, &page.bytes);
    if same {
        return Ok(Answer::SameBytes {
            validators,
            freshness,
        });
    }
    let list = match list(desk, job, page, share).await {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    let store = desk.store.clone();
    let plan = match offload(desk, job, move |job| plan(job, &store, list.listing, at)).await {
        Ok(plan) => plan?,
        Err(defect) => return Ok(Answer::Defect(defect)),
    };
    if !plan.teasers.is_empty() {
        *share = Share::default(); // whoever waits for a share may hold none
    }
    let details = complete(desk, job, plan.teasers, plan.rest.known, at).await;
    Ok(conclude(
        list.pages,
        (validators, freshness, document),
        plan.rest,
        details,
    ))
}

/// A listing, and how many pages it took.
struct List {
    listing: Listing,
    pages: usize,
}

/// Reads the first page, and the pages it leads to.
async fn list<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    page: Page,
    share: &mut Share,
) -> Result<List, Box<Answer>> {
    let mut listing = read(desk, job, page).await?;
    let mut pages = 1;
    while let Some(next) = listing.more.take() {
        if pages == LIST_PAGES {
            listing
                .notes
                .push(format!("the listing goes on after {LIST_PAGES} pages"));
            break;
        }
        pages += 1;
        *share = Share::default(); // whoever waits for a share may hold none
        let page = match desk.web.fetch(job.subscription.request(next, None)).await {
            Ok(FetchOutcome::Fresh { page, .. }) => page,
            Ok(FetchOutcome::RateLimited {
                retry_after,
                status,
            }) => {
                return Err(Box::new(Answer::RateLimited {
                    retry_after,
                    status,
                }));
            }
            Ok(other) => {
                let error = FetchError::Useless(format!("page {pages} of the listing: {other:?}"));
                return Err(Box::new(Answer::Unfetched(error)));
            }
            Err(error) => return Err(Box::new(Answer::Unfetched(error))),
        };
        let further = read(desk, job, page).await?;
        listing.leads.extend(further.leads);
        listing.skipped.extend(further.skipped);
        listing.notes.extend(further.notes);
        listing.more = further.more;
        listing.info.title = listing.info.title.take().or(further.info.title);
    }
    Ok(List { listing, pages })
}

async fn read<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    page: Page,
) -> Result<Listing, Box<Answer>> {
    match offload(desk, job, move |job| {
        job.source.read(&job.subscription, &page)
    })
    .await
    {
        Ok(Ok(listing)) => Ok(listing),
        Ok(Err(error)) => Err(Box::new(Answer::Unread(error))),
        Err(defect) => Err(Box::new(Answer::Defect(defect))),
    }
}

/// Runs a step that costs CPU on another thread, few at once. `Err` is a panic: our defect, and this feed's failure only.
async fn offload<W: Fetch, T: Send + 'static>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    step: impl FnOnce(&Job) -> T + Send + 'static,
) -> Result<T, String> {
    let _permit = desk.readers.clone().acquire_owned().await;
    let job = Arc::clone(job);
    tokio::task::spawn_blocking(move || step(&job))
        .await
        .map_err(|error| match error.try_into_panic() {
            Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
                (Some(text), _) => (*text).to_owned(),
                (_, Some(text)) => text.clone(),
                _ => "a panic".to_owned(),
            },
            Err(cancelled) => cancelled.to_string(),
        })
}

/// Puts the answer together.
fn conclude(
    pages: usize,
    (validators, freshness, document): (Option<HttpValidators>, Freshness, RawHash),
    rest: Rest,
    details: Details,
) -> Answer {
    let Rest {
        listing,
        mut articles,
        known,
    } = rest;
    articles.extend(details.articles);
    // Oldest first, so that numbers grow with the days: listings are mostly newest first, and dates decide where there are any.
    articles.reverse();
    articles.sort_by_key(|article| article.published.or(article.updated));
    let whole = !details.left && details.trouble.is_none();
    // Validators and the document's hash speak of the first page; with more than one they do not vouch for the listing.
    let single = pages == 1;
    let reading = Reading {
        info: listing.info,
        articles,
        known,
        skipped: listing.skipped.into_iter().chain(details.skipped).collect(),
        missed: details.missed,
        notes: listing.notes,
        document: (whole && single).then_some(document),
        coverage: if whole {
            Coverage::Whole(validators.filter(|_| single))
        } else {
            Coverage::Partial
        },
    };
    Answer::Read {
        reading: Box::new(reading),
        freshness,
        trouble: details.trouble,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;
    use crate::fetch::FetchSettings;
    use crate::fetch::client::Client;
    use crate::model::feed::Options;
    use crate::model::http::AllowedHosts;
    use crate::model::time::Zone;
    use crate::source;

    /// All polls of a cycle exist from its beginning.
    #[test]
    fn a_poll_that_waits_is_small() {
        let scratch = tempfile::tempdir().unwrap();
        let desk = Desk {
            web: Client::new(FetchSettings::default()).unwrap(),
            store: Store::open(&scratch.path().join("store.db")).unwrap(),
            readers: Arc::new(Semaphore::new(1)),
            details_per_poll: 1,
            clock: || Timestamp::from_millis(0),
        };
        let subscription = Subscription {
            id: "a".parse().unwrap(),
            source: "feed".to_owned(),
            title: None,
            language: "und".to_owned(),
            zone: Zone::utc(),
            archive: None,
            schedule: None,
            allow_hosts: AllowedHosts::default(),
            options: Options::default(),
        };
        let job = Job {
            state: FeedState::new(subscription.id.clone()),
            source: source::source("feed").unwrap(),
            subscription,
        };
        let size = size_of_val(&poll(&desk, job));
        assert!(size <= 3_000, "{size} bytes");
    }
}
