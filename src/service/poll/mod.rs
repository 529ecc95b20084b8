//! One poll of one feed, as a list of steps. Every choice is in `rules`; every byte comes through [`Fetch`].

mod desk;
mod details;
mod fulltext;
mod orders;
mod page;
mod plan;
mod recognise;
mod told;

pub use desk::{Clock, Desk, Job, PriceTag};
pub use told::{Outcome, Polled, Seen, Told};

pub(super) use fulltext::find;

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::content::RawHash;
use crate::model::entry::{EntryKey, Listing};
use crate::model::feed::NotBefore;
use crate::model::http::{Ask, FetchError, FetchOutcome, Freshness, HttpValidators, Page, Share};
use crate::model::poll::{Coverage, PollRecord, Reading};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::health;
use crate::rules::settle::{self, Answer};
use crate::service::poll::details::{Details, complete};
use crate::service::poll::orders::{First, doubt_mass_moves, keep_private, settle};
use crate::service::poll::plan::{Rest, Sight, plan};
use crate::store::{Store, StoreError};

/// Polls a feed and records the outcome, whatever it is. Only the store can make this fail.
///
/// Of thousands of polls most wait for their first answer, so what comes after it is kept on the heap, and only then.
pub async fn poll<W: Fetch>(desk: &Desk<W>, job: Job) -> Result<Ended, StoreError> {
    let (at, started) = ((desk.clock)(), Instant::now());
    let job = Arc::new(job);
    let mut hand = Box::<Hand>::default();
    let first = Box::new(First::of(&job, at));
    let answer = ask(desk, &job, &first, at, &mut hand).await?;
    if let Answer::Unfetched(FetchError::Silenced { origin, left, why }) = &answer {
        return Ok(Ended::Silenced(NotBefore {
            until: (desk.clock)().plus(*left),
            why: format!("{origin}: {why}"),
        }));
    }
    let Hand {
        share,
        seen,
        private,
    } = *hand;
    let unreached = matches!(&answer, Answer::Unfetched(error) if health::is_unreached(error));
    let mut record = settle(desk, &job, &first, at, started.elapsed(), answer);
    keep_private(&job, &mut record, private);
    doubt_mass_moves(&desk.store, &job, &mut record)?;
    if unreached {
        return Ok(Ended::Unreached(Box::new(record)));
    }
    let polled = Box::pin(record_it(&desk.store, record, seen)).await?;
    drop(share); // the words are on the disk: other pages may come
    Ok(Ended::Recorded(Box::new(polled)))
}

/// Writes what came of a poll.
pub async fn record_it(
    store: &Store,
    record: PollRecord,
    seen: Seen,
) -> Result<Polled, StoreError> {
    let told = Told::of(&record, seen);
    let recorded = store.record(record).await?;
    Ok(Polled { told, recorded })
}

/// How a poll ended.
pub enum Ended {
    /// What came of it is written.
    Recorded(Box<Polled>),
    /// Nothing of its host could be reached. Whether the host is to blame only others can tell (P-49), so nothing is
    /// written yet.
    Unreached(Box<PollRecord>),
    /// It was not asked, since its host told another feed to stay away (P-34). Nothing is written.
    Silenced(NotBefore),
}

/// What a poll holds while it is under way.
#[derive(Default)]
struct Hand {
    share: Share,
    seen: Seen,
    /// Whether the answer is for us alone, where it says so or not.
    private: Option<bool>,
}

async fn ask<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    first: &First,
    at: Timestamp,
    hand: &mut Hand,
) -> Result<Answer, StoreError> {
    let outcome = desk.web.fetch(first.request.clone()).await;
    hand.seen = Seen::of(&outcome, (desk.clock)());
    match outcome {
        Ok(FetchOutcome::Fresh {
            page,
            validators,
            freshness,
            moved_to,
            private,
            share: taken,
            dated,
        }) => {
            let now = (desk.clock)();
            hand.share = taken;
            hand.private = Some(private);
            hand.seen.bytes = page.bytes.len() as u64;
            let came = Came {
                bytes: hand.seen.bytes,
                validators,
                freshness,
                moved_to,
                made: dated.age(now).map(|age| now.minus(age)),
            };
            Box::pin(answered(desk, job, at, hand, page, came)).await
        }
        Ok(FetchOutcome::NotModified {
            validators,
            freshness,
            moved_to,
            private,
            dated: _,
        }) => {
            hand.private = private.then_some(true); // it need not repeat what the 200 said
            Ok(Answer::NotModified {
                validators,
                freshness,
                moved_to,
            })
        }
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

/// What came with a page.
struct Came {
    bytes: u64,
    validators: Option<HttpValidators>,
    freshness: Freshness,
    moved_to: Option<PageUrl>,
    /// When it was made, by its server's word.
    made: Option<Timestamp>,
}

/// Reads what came, and what it leads to.
async fn answered<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    at: Timestamp,
    hand: &mut Hand,
    page: Page,
    came: Came,
) -> Result<Answer, StoreError> {
    let (same, document) = settle::same_document(&job.state, &page.bytes);
    if same {
        return Ok(Answer::SameBytes {
            validators: came.validators,
            freshness: came.freshness,
            bytes: came.bytes,
            moved_to: came.moved_to,
        });
    }
    let list = match list(desk, job, page, hand).await {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    let store = desk.store.clone();
    let sight = Sight {
        at,
        backlog: desk.backlog,
        flood: desk.flood,
        made: came.made,
    };
    let plan = match offload(desk, job, move |job| plan(job, &store, list.listing, sight)).await {
        Ok(Ok(plan)) => plan,
        // One feed's rows: no reason to stop polling the others.
        Ok(Err(error)) => return Ok(Answer::Defect(format!("the store cannot be read: {error}"))),
        Err(defect) => return Ok(Answer::Defect(defect)),
    };
    if !plan.teasers.is_empty() {
        hand.share = Share::default(); // whoever waits for a share may hold none
    }
    let details = complete(desk, job, plan.teasers, &plan.rest, at).await;
    hand.seen.bytes += details.bytes;
    Ok(conclude(list.pages, document, came, plan.rest, details))
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
    hand: &mut Hand,
) -> Result<List, Box<Answer>> {
    let here = page.url.clone();
    let mut listing = read(desk, job, page).await?;
    let mut pages = 1;
    let most = job.source.pages(&job.subscription);
    let mut asked = vec![job.source.first(&job.subscription), Ask::get(here)];
    while let Some(next) = listing.more.take() {
        if asked.contains(&next) {
            let note = format!("the listing leads back to {}, which was read", next.url);
            listing.notes.push(note);
            break;
        }
        if pages >= most {
            let note = format!("the listing goes on after page {pages}");
            listing.notes.push(note);
            break;
        }
        asked.push(next.clone());
        pages += 1;
        hand.share = Share::default(); // whoever waits for a share may hold none
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
        hand.seen.bytes += page.bytes.len() as u64;
        let further = read(desk, job, page).await?;
        listing.leads.extend(further.leads);
        listing.withdrawn.extend(further.withdrawn);
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
    let fetched = (desk.clock)();
    match offload(desk, job, move |job| {
        job.source.read_at(&job.subscription, &page, fetched)
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
fn conclude(pages: usize, document: RawHash, came: Came, rest: Rest, details: Details) -> Answer {
    let Rest {
        listing,
        mut articles,
        known,
        whole: _,
        entries,
        met,
        changes,
        roll,
    } = rest;
    articles.extend(details.articles);
    let unknown: HashSet<&EntryKey> = roll.strange.iter().collect();
    let arrivals = articles
        .iter()
        .filter(|article| unknown.contains(&article.key))
        .map(|article| article.published.or(article.updated))
        .collect();
    // Oldest first, so that numbers grow with the days: listings are mostly newest first, and dates decide where there are any.
    articles.reverse();
    articles.sort_by_key(|article| article.published.or(article.updated));
    let whole = !details.left && !changes.waits && details.trouble.is_none();
    // Validators and the document's hash speak of the first page; with more than one they do not vouch for the listing.
    let single = pages == 1;
    let reading = Reading {
        info: listing.info,
        hints: listing.hints,
        entries,
        met,
        arrivals,
        roll,
        articles,
        known: known + details.known,
        skipped: listing.skipped.into_iter().chain(details.skipped).collect(),
        missed: details.missed,
        visits: details.visits,
        standing: changes.standing,
        withdrawn: changes.withdrawn.into_iter().chain(details.gone).collect(),
        back: changes.back,
        notes: listing.notes.into_iter().chain(details.notes).collect(),
        document: (whole && single).then_some(document),
        coverage: if whole {
            Coverage::Whole(came.validators.filter(|_| single))
        } else {
            Coverage::Partial
        },
    };
    Answer::Read {
        reading: Box::new(reading),
        freshness: came.freshness,
        trouble: details.trouble,
        bytes: came.bytes,
        moved_to: came.moved_to,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use tokio::sync::Semaphore;

    use super::*;
    use crate::fetch::FetchSettings;
    use crate::fetch::client::Client;
    use crate::model::feed::{FeedState, Subscription};

    use crate::rules::schedule::Floors;
    use crate::service::robots::Crawling;
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
            backlog: 50,
            flood: 30,
            price: PriceTag::default(),
            floors: Floors::default(),
            crawling: Crawling::default(),
            clock: Arc::new(|| Timestamp::from_millis(0)),
        };
        let subscription = Subscription::new("a".parse().unwrap(), "feed");
        let state = FeedState::new(subscription.id.clone());
        let job = Job::new(subscription, source::source("feed").unwrap(), state);
        let size = size_of_val(&poll(&desk, job));
        assert!(size <= 3_500, "{size} bytes");
    }
}
