//! One poll of one feed, as a list of steps. Every choice is in `rules`; every byte comes through [`Fetch`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::content::RawHash;
use crate::model::entry::{Draft, EntryKey, Lead, Listing, Skipped, Teaser};
use crate::model::feed::{FeedState, Subscription};
use crate::model::http::{Ask, FetchError, FetchOutcome, Freshness, HttpValidators, Page, Request};
use crate::model::poll::{Coverage, PollRecord, Reading, Recorded};
use crate::model::time::Timestamp;
use crate::rules::settle::{Answer, Trouble};
use crate::rules::{cadence, identity, normalise, settle};
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

/// What came of a poll, as recorded.
pub struct Polled {
    /// What was decided.
    pub record: PollRecord,
    /// What the store made of its articles.
    pub recorded: Recorded,
}

/// Polls a feed and records the outcome, whatever it is. Only the store can make this fail.
pub async fn poll<W: Fetch>(desk: &Desk<W>, job: Job) -> Result<Polled, StoreError> {
    let (at, started) = ((desk.clock)(), Instant::now());
    let job = Arc::new(job);
    let answer = ask(desk, &job, at).await?;
    let record = settle::settle(&job.state, at, started.elapsed(), answer);
    let recorded = desk.store.record(record.clone()).await?;
    Ok(Polled { record, recorded })
}

async fn ask<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    at: Timestamp,
) -> Result<Answer, StoreError> {
    let first = job.source.first(&job.subscription);
    let request = Request {
        ask: first,
        validators: job.state.validators.clone(),
    };
    let (page, validators, freshness) = match desk.web.fetch(request).await {
        Ok(FetchOutcome::Fresh {
            page,
            validators,
            freshness,
            ..
        }) => (page, validators, freshness),
        Ok(FetchOutcome::NotModified {
            validators,
            freshness,
        }) => {
            return Ok(Answer::NotModified {
                validators,
                freshness,
            });
        }
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => {
            return Ok(Answer::RateLimited {
                retry_after,
                status,
            });
        }
        Ok(FetchOutcome::Gone) => return Ok(Answer::Gone),
        Err(error) => return Ok(Answer::Unfetched(error)),
    };
    let (same, document) = settle::same_document(&job.state, &page.bytes);
    if same {
        return Ok(Answer::SameBytes {
            validators,
            freshness,
        });
    }
    let list = match list(desk, job, page).await {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    let store = desk.store.clone();
    let plan = match offload(desk, job, move |job| plan(job, &store, list.listing, at)).await {
        Ok(plan) => plan?,
        Err(defect) => return Ok(Answer::Defect(defect)),
    };
    let details = complete(desk, job, plan.teasers, at).await;
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
async fn list<W: Fetch>(desk: &Desk<W>, job: &Arc<Job>, page: Page) -> Result<List, Box<Answer>> {
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
        let page = match desk
            .web
            .fetch(Request {
                ask: next,
                validators: None,
            })
            .await
        {
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

/// What is to be done about a listing.
struct Plan {
    teasers: Vec<(Option<EntryKey>, Teaser)>,
    rest: Rest,
}

/// What is already done about it.
struct Rest {
    listing: Listing,
    articles: Vec<Article>,
    known: usize,
}

/// Recognises the entries of a listing: what is unchanged is counted and left, what came whole becomes an article, and
/// what is only pointed at has to be asked for.
fn plan(job: &Job, store: &Store, mut listing: Listing, at: Timestamp) -> Result<Plan, StoreError> {
    let keys = identity::keys(&listing.leads);
    let mut places: HashMap<&EntryKey, Vec<usize>> = HashMap::new();
    for (place, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            places.entry(key).or_default().push(place);
        }
    }
    let repeated: HashSet<usize> = places
        .values()
        .filter(|same| same.len() > 1)
        .flat_map(|same| {
            let kept = identity::preferred(&listing.leads, same);
            same.iter()
                .copied()
                .filter(move |place| Some(*place) != kept)
        })
        .collect();
    let wanted: Vec<EntryKey> = keys.iter().flatten().cloned().collect();
    let entries = store.known(&job.subscription.id, &wanted)?;
    // A feed that was subscribed to without a language speaks its own, if it says which.
    let spoken = listing
        .info
        .language
        .clone()
        .filter(|_| job.subscription.language == "und");
    let (mut teasers, mut articles, mut known) = (Vec::new(), Vec::new(), 0);
    for (place, (lead, key)) in std::mem::take(&mut listing.leads)
        .into_iter()
        .zip(keys)
        .enumerate()
    {
        if repeated.contains(&place) {
            continue;
        }
        let entry = key.as_ref().and_then(|key| entries.get(key));
        match lead {
            Lead::Whole(mut draft) => {
                draft.language = draft.language.or_else(|| spoken.clone());
                if entry.is_some_and(|entry| entry.raw == draft.raw_hash()) {
                    known += 1;
                } else {
                    take(*draft, key, None, at, &mut articles, &mut listing.skipped);
                }
            }
            Lead::Teaser(teaser) => {
                if entry.is_some_and(|entry| entry.teaser == Some(teaser.draft.raw_hash())) {
                    known += 1;
                } else {
                    teasers.push((key, *teaser));
                }
            }
        }
    }
    Ok(Plan {
        teasers,
        rest: Rest {
            listing,
            articles,
            known,
        },
    })
}

/// Normalises a draft; one that is unfit costs that entry and nothing else.
fn take(
    draft: Draft,
    key: Option<EntryKey>,
    teaser: Option<RawHash>,
    at: Timestamp,
    articles: &mut Vec<Article>,
    skipped: &mut Vec<Skipped>,
) {
    let what = name(&draft);
    match normalise::normalise(key, draft, teaser, at) {
        Ok(article) => articles.push(article),
        Err(unfit) => skipped.push(Skipped {
            what,
            why: unfit.to_string(),
        }),
    }
}

fn name(draft: &Draft) -> String {
    let link = draft.link.as_ref().map(ToString::to_string);
    let id = || {
        draft
            .id
            .as_ref()
            .map(|id| id.as_str().chars().take(200).collect())
    };
    let title = || {
        draft
            .title
            .as_ref()
            .map(|title| title.chars().take(80).collect())
    };
    link.or_else(id)
        .or_else(title)
        .unwrap_or_else(|| "an entry without id, link and title".to_owned())
}

/// What came of the detail pages.
#[derive(Default)]
struct Details {
    articles: Vec<Article>,
    skipped: Vec<Skipped>,
    /// Something is left that the next poll can have.
    left: bool,
    asked: usize,
    trouble: Option<Trouble>,
}

/// Asks for the detail pages, the listing's first (its newest) first, one after the other.
async fn complete<W: Fetch>(
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
        notes: listing.notes,
        document: (whole && single).then_some(document),
        coverage: if whole {
            Coverage::Whole(validators.filter(|_| single))
        } else {
            Coverage::Partial
        },
    };
    Answer::Read {
        reading,
        freshness,
        trouble: details.trouble,
    }
}
