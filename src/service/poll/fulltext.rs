//! Articles from their own pages, where a subscription says that its feed has not all of the words.

use std::sync::Arc;

use crate::fetch::Fetch;
use crate::model::entry::{Draft, ReadError, Teaser};
use crate::model::feed::FullText;
use crate::model::http::{Ask, Page};
use crate::rules::charset::{self, Kind};
use crate::rules::extract::{self, Extracted, Wanted};
use crate::rules::markup::depth;
use crate::service::poll::page::{Miss, MissKind, page};
use crate::service::poll::{Desk, Job, offload};
use crate::service::robots::Met;

/// Pages that one article goes on at, at most.
const MORE_PAGES: usize = 10;

/// The entry with the words of its page, and of the pages that goes on at. A page that cannot be had or has less than
/// the feed is a miss; where it is a later one, the article is what came before it.
pub(super) async fn article<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Teaser,
    bytes: &mut u64,
    met: &mut Met,
) -> Result<Draft, Miss> {
    let mut draft = teaser.draft.clone();
    let Some(ask) = teaser.details.first().cloned() else {
        return Err(Miss::new("no link".to_owned(), MissKind::Unread));
    };
    let words = extract::feeds_words(&draft);
    let mut seen = vec![ask.url.clone()];
    let first = page(desk, job, ask, bytes, met).await?;
    seen.push(first.url.without_fragment());
    let first = read(desk, job, first, words.clone()).await?;
    let mut parts = vec![first.html.clone()];
    let (mut next, mut chars) = (first.next.clone(), first.chars);
    while let Some(url) = next.take() {
        // A circle, or pages without end.
        if seen.contains(&url) {
            break;
        }
        if parts.len() > MORE_PAGES {
            draft.note = Some(format!("it goes on after {} pages", parts.len()));
            break;
        }
        seen.push(url.clone());
        let asked = page(desk, job, Ask::get(url), bytes, met).await;
        let further = match asked {
            Ok(page) => read(desk, job, page, String::new()).await,
            Err(miss) => Err(miss),
        };
        match further {
            // What comes again is not the next page.
            Ok(further) if parts.contains(&further.html) => break,
            Ok(further) => {
                chars += further.chars;
                parts.push(further.html);
                next = further.next;
            }
            Err(miss) => {
                let number = parts.len() + 1;
                draft.note = Some(format!("page {number} of it: {}", miss.why));
                break;
            }
        }
    }
    if let Some(why) = extract::thin(chars, &words) {
        return Err(Miss::new(why, MissKind::Unread));
    }
    Ok(extract::merge(draft, first, parts.concat()))
}

/// Reads one page, on a reading thread.
async fn read<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    page: Page,
    words: String,
) -> Result<Extracted, Miss> {
    let step = move |job: &Job| find(job, &page, &words);
    match offload(desk, job, step).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Miss::new(error.to_string(), MissKind::Unread)),
        Err(defect) => Err(Miss::new(
            format!("a defect in feedmill: {defect}"),
            MissKind::Unread,
        )),
    }
}

fn find(job: &Job, page: &Page, words: &str) -> Result<Extracted, ReadError> {
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
    let (ordered, said) = (job.subscription.charset.as_deref(), page.charset.as_deref());
    let text = charset::read(&page.bytes, ordered, said, Kind::Html).text;
    let selector = match &job.subscription.fulltext {
        FullText::Selector(selector) => Some(selector.as_str()),
        _ => None,
    };
    let wanted = Wanted {
        selector,
        words,
        zone: &job.subscription.zone,
    };
    extract::extract(&text, &page.url, wanted)
}
