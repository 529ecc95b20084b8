//! Articles from their own pages, where a subscription says that its feed has not all of the words.

use std::sync::Arc;

use crate::fetch::Fetch;
use crate::model::entry::{Draft, ReadError, Teaser};
use crate::model::feed::{FullText, Subscription};
use crate::model::http::{Ask, Page};
use crate::rules::charset::{self, Kind};
use crate::rules::extract::{self, Extracted, Joined, Wanted};
use crate::rules::markup::depth;
use crate::service::poll::page::{Came, Miss, MissKind, page};
use crate::service::poll::{Desk, Job, offload};
use crate::service::robots::Met;

/// The entry with the words of its page, and of the pages that goes on at. A page that cannot be had or has less than
/// the feed is a miss; where it is a later one, the article is what came before it.
pub(super) async fn article<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Teaser,
    came: &mut Came,
    met: &mut Met,
) -> Result<Draft, Miss> {
    let Some(ask) = teaser.details.first().cloned() else {
        return Err(Miss::new("no link".to_owned(), MissKind::Unread));
    };
    let words = extract::feeds_words(&teaser.draft);
    let asked = ask.url.clone();
    let first = page(desk, job, ask, came, met).await?;
    let url = first.url.clone();
    let first = read(desk, job, first, words.clone()).await?;
    let mut joined = Joined::begin(&asked, &url, first);
    while let Some(url) = joined.goes_on_at() {
        let further = match page(desk, job, Ask::get(url), came, met).await {
            Ok(page) => read(desk, job, page, String::new()).await,
            Err(miss) => Err(miss),
        };
        joined.add(further.map_err(|miss| miss.why));
    }
    let found = joined.finish(teaser.draft.clone(), &words);
    found.map_err(|why| Miss::new(why, MissKind::Unread))
}

/// Reads one page, on a reading thread.
async fn read<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    page: Page,
    words: String,
) -> Result<Extracted, Miss> {
    let step = move |job: &Job| find(&job.subscription, &page, &words);
    match offload(desk, job, step).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Miss::new(error.to_string(), MissKind::Unread)),
        Err(defect) => Err(Miss::new(
            format!("a defect in feedmill: {defect}"),
            MissKind::Unread,
        )),
    }
}

/// Finds the article on its page, as the subscription orders. `words` are what the feed has of it; they may be empty.
pub fn find(subscription: &Subscription, page: &Page, words: &str) -> Result<Extracted, ReadError> {
    let named = page.media_type.as_deref();
    if let Some(other) = named.filter(|named| !named.contains("html") && !named.contains("xml")) {
        return Err(ReadError::Other {
            expected: "a page",
            found: other.to_owned(),
        });
    }
    if page.bytes.len() > depth::PAGE.bytes {
        return Err(ReadError::Limit {
            what: "HTML bytes",
            limit: depth::PAGE.bytes,
        });
    }
    let (ordered, said) = (subscription.charset.as_deref(), page.charset.as_deref());
    let text = charset::read(&page.bytes, ordered, said, Kind::Html).text;
    let selector = match &subscription.fulltext {
        FullText::Selector(selector) => Some(selector.as_str()),
        _ => None,
    };
    let wanted = Wanted {
        selector,
        words,
        zone: &subscription.zone,
    };
    extract::extract(&text, &page.url, wanted)
}
