//! One poll of one feed that is shown and not kept: what was asked and answered, what its source found and missed, and
//! what would be stored. For people who write selectors or wonder what is wrong.

mod ask;

use std::time::Duration;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::entry::{Draft, EntryKey, Lead, Listing, Skipped, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::identity;
use crate::rules::normalise::{self, words};
use crate::service::trial::ask::{Permits, ask, at_hand};
use crate::source::Source;

/// Entries that are shown.
const SHOWN: usize = 5;

/// What is to be tried.
pub struct Order {
    /// Our order for the feed.
    pub subscription: Subscription,
    /// Its adapter.
    pub source: &'static dyn Source,
    /// The list page, where it is at hand; then nothing is asked.
    pub page: Option<Page>,
    /// The page of the first entry, likewise.
    pub detail: Option<Page>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Trial {
    /// Requests and pages, in order.
    pub steps: Vec<Step>,
    /// What the source saw where it looked for entries.
    pub looked: Vec<String>,
    /// Repairs, and what was missed.
    pub notes: Vec<String>,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
    /// What the publisher calls the feed.
    pub title: Option<String>,
    /// How many entries there are.
    pub entries: usize,
    /// How many of them have what, as the list has it.
    pub have: Vec<(&'static str, usize)>,
    /// The first ones, as they would be stored.
    pub first: Vec<Entry>,
    /// The first one with its own page, where the list only points at it.
    pub whole: Option<Result<Entry, String>>,
    /// The next page of the list; it was not asked.
    pub next: Option<PageUrl>,
    /// Why there is nothing, where there is nothing.
    pub failed: Option<String>,
    /// The list page as it came.
    pub page: Option<Page>,
}

/// One request and its answer.
#[derive(Debug)]
pub struct Step {
    /// `list` or `entry`.
    pub what: &'static str,
    /// `GET`, `POST`, `file` for a page that was at hand, or `not asked` for one that robots.txt forbids. What was asked
    /// for robots.txt is no step.
    pub method: &'static str,
    /// What was asked.
    pub url: PageUrl,
    /// How long it took; waiting for our own limits counts.
    pub took: Duration,
    /// The page, or why there is none.
    pub answer: Result<Sheet, String>,
}

/// A page, from outside.
#[derive(Debug)]
pub struct Sheet {
    /// Where it came from, after redirects.
    pub url: PageUrl,
    /// `Content-Type` without parameters.
    pub media_type: Option<String>,
    /// Its `charset` parameter.
    pub label: Option<String>,
    /// Bytes, content codings undone.
    pub bytes: usize,
    /// The charset it was read in.
    pub charset: &'static str,
    /// Why in this one, in words that follow "by".
    pub evidence: &'static str,
    /// Places that could not be read.
    pub replaced: usize,
}

/// An entry as it would be stored.
#[derive(Debug, Default)]
pub struct Entry {
    /// On one line.
    pub title: String,
    /// Its page.
    pub link: Option<PageUrl>,
    /// The publisher's id.
    pub id: Option<String>,
    /// Its date, and whose word it is.
    pub dated: (Option<Timestamp>, String),
    /// Characters of its words; `None` where only its own page has them.
    pub body: Option<usize>,
    /// Names of its authors.
    pub authors: Vec<String>,
    /// Its picture.
    pub image: Option<PageUrl>,
    /// What is to be said of it besides.
    pub remark: Option<String>,
}

/// Asks, reads and shows; nothing is stored. Pages of the list beyond the first are asked only until there is an entry.
pub async fn trial<W: Fetch>(web: &W, order: Order, at: Timestamp) -> Trial {
    let mut trial = Trial::default();
    if let Err(why) = list(web, &order, at, &mut trial).await {
        trial.failed = Some(why);
    }
    trial
}

async fn list<W: Fetch>(
    web: &W,
    order: &Order,
    at: Timestamp,
    trial: &mut Trial,
) -> Result<(), String> {
    let first = order.source.first(&order.subscription);
    let mut page = match &order.page {
        Some(page) => at_hand(order, "list", page, trial),
        None => ask(web, order, "list", first, trial).await?,
    };
    trial.page = Some(page.clone());
    let mut pages = 1;
    let listing = loop {
        let listing = read(order, &page, at, trial).await?;
        match listing.more.clone() {
            // An index that only says where the list is.
            Some(more)
                if listing.leads.is_empty()
                    && order.page.is_none()
                    && pages < order.source.pages(&order.subscription) =>
            {
                pages += 1;
                page = ask(web, order, "list", more, trial).await?;
            }
            _ => break listing,
        }
    };
    take(listing, order, at, web, trial).await;
    if trial.entries == 0 {
        return Err("the page was read, and there is no entry in it".to_owned());
    }
    Ok(())
}

async fn take<W: Fetch>(
    listing: Listing,
    order: &Order,
    at: Timestamp,
    web: &W,
    trial: &mut Trial,
) {
    let keys = identity::keys(&listing.leads, false);
    trial.title = listing.info.title;
    trial.entries = listing.leads.len();
    trial.skipped.extend(listing.skipped);
    trial.next = listing.more.map(|more| more.url);
    trial.have = have(&listing.leads);
    let mut teaser = None;
    for (place, (lead, key)) in listing.leads.into_iter().zip(keys).take(SHOWN).enumerate() {
        match lead {
            Lead::Whole(draft) => trial.first.push(stored(*draft, key, at)),
            Lead::Teaser(pointed) => {
                trial.first.push(Entry::pointed(&pointed.draft));
                if place == 0 {
                    teaser = Some((*pointed, key));
                }
            }
        }
    }
    if let Some((teaser, key)) = teaser {
        let draft = whole(web, order, teaser, at, trial).await;
        trial.whole = draft.map(|draft| draft.map(|draft| stored(draft, key, at)));
    }
}

/// The first entry's own page; `None` where it may not be asked.
async fn whole<W: Fetch>(
    web: &W,
    order: &Order,
    teaser: Teaser,
    at: Timestamp,
    trial: &mut Trial,
) -> Option<Result<Draft, String>> {
    let complete = |route, page: Page| {
        let (source, subscription, teaser) =
            (order.source, order.subscription.clone(), teaser.clone());
        guarded(move || source.complete(&subscription, &teaser, route, &page))
    };
    if let Some(page) = &order.detail {
        let page = at_hand(order, "entry", page, trial);
        return Some(complete(0, page).await);
    }
    if order.page.is_some() {
        return None;
    }
    let mut last = Err("it has no page of its own".to_owned());
    let mut permits = Permits::new(web, &order.subscription, at);
    for (route, ask_for) in teaser.details.iter().enumerate() {
        last = match permits.page(order, ask_for, trial).await {
            Ok(page) => complete(route, page).await,
            Err(why) => Err(why),
        };
        if last.is_ok() {
            break;
        }
    }
    Some(last)
}

/// Reads a list page, and says what stands on it.
async fn read(
    order: &Order,
    page: &Page,
    at: Timestamp,
    trial: &mut Trial,
) -> Result<Listing, String> {
    let (source, subscription, page) = (order.source, order.subscription.clone(), page.clone());
    let read = move || {
        let looked = source.explain(&subscription, &page, at);
        Ok((looked, source.read_at(&subscription, &page, at)))
    };
    let (looked, listing) = guarded::<_, String>(read).await?;
    trial.looked.extend(looked);
    let mut listing = listing.map_err(|error| error.to_string())?;
    trial.notes.append(&mut listing.notes);
    Ok(listing)
}

/// Runs a reader on another thread, so that one that panics is told like any other failure.
async fn guarded<T: Send + 'static, E: ToString + Send + 'static>(
    step: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(step).await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(error) => Err(format!("a defect in feedmill: {error}")),
    }
}

fn have(leads: &[Lead]) -> Vec<(&'static str, usize)> {
    let count = |has: fn(&Draft) -> bool| {
        let drafts = leads.iter().map(|lead| match lead {
            Lead::Whole(draft) => draft,
            Lead::Teaser(teaser) => &teaser.draft,
        });
        drafts.filter(|draft| has(draft)).count()
    };
    vec![
        ("id", count(|draft| draft.id.is_some())),
        ("link", count(|draft| draft.link.is_some())),
        ("title", count(|draft| draft.title.is_some())),
        (
            "date",
            count(|draft| draft.published.is_some() || draft.updated.is_some()),
        ),
        ("summary", count(|draft| draft.summary.is_some())),
        ("body", count(|draft| draft.body.is_some())),
        ("author", count(|draft| !draft.authors.is_empty())),
        ("image", count(|draft| draft.thumbnail.is_some())),
    ]
}

/// A draft as it would be stored, or why it would not.
fn stored(draft: Draft, key: Option<EntryKey>, at: Timestamp) -> Entry {
    let said = draft.published.or(draft.updated);
    let pointed = Entry::pointed(&draft);
    match normalise::normalise(key, draft, None, at) {
        Ok(article) => Entry::of(&article, said),
        Err(unfit) => Entry {
            remark: Some(format!("would not be stored: {unfit}")),
            ..pointed
        },
    }
}

impl Entry {
    fn pointed(draft: &Draft) -> Self {
        Self {
            title: draft.title.clone().unwrap_or_default(),
            link: draft.link.clone(),
            id: draft.id.as_ref().map(|id| id.as_str().to_owned()),
            dated: dated(draft.published.or(draft.updated), None),
            body: None,
            authors: draft.authors.clone(),
            image: draft.thumbnail.clone(),
            remark: Some("its words are on its own page".to_owned()),
        }
    }

    fn of(article: &Article, said: Option<Timestamp>) -> Self {
        Self {
            title: article.title.clone(),
            link: article.link.clone(),
            id: article.id.as_ref().map(|id| id.as_str().to_owned()),
            dated: dated(article.published.or(article.updated), said),
            body: Some(words(&article.body).chars().count()),
            authors: article.authors.clone(),
            image: article.thumbnail.clone(),
            remark: article
                .partial
                .then(|| "it has no body: its summary stands in".to_owned()),
        }
    }
}

/// A date and whose word it is. `said` is what the publisher said, where that was not believed.
fn dated(date: Option<Timestamp>, said: Option<Timestamp>) -> (Option<Timestamp>, String) {
    let why = match (date, said) {
        (Some(_), _) => "by the publisher".to_owned(),
        (None, Some(said)) => format!("{said} cannot be true; it takes the time it is first seen"),
        (None, None) => "none was found; it takes the time it is first seen".to_owned(),
    };
    (date, why)
}
