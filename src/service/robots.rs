//! Whether a page that the program found by itself may be asked (P-164). robots.txt is asked once in its time, however many
//! want to know, and remembered in the store.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fetch::Fetch;
use crate::model::feed::Subscription;
use crate::model::http::Ask;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::robots::{Kept, Said};
use crate::store::Store;

/// So many rules are compared beside the runtime's one thread.
const MANY: usize = 1_000;

/// What may be done about a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Ask it.
    Allowed,
    /// Do not, by this line.
    Forbidden(String),
    /// Not now: nobody knows, for this reason.
    PutOff(String),
}

/// Who is asking for robots.txt, and who was told of it.
#[derive(Debug, Default)]
pub struct Crawling {
    origins: Mutex<HashMap<String, Slot>>,
    told: Mutex<HashSet<FeedId>>,
}

/// Held while one asks; the others find here what came.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Kept>>>>;

/// What is known of the origins one poll meets: it is looked up once.
pub type Met = HashMap<String, Result<Arc<Kept>, String>>;

impl Crawling {
    /// Whether this page may be asked for this feed. Without a store nothing is remembered.
    pub async fn ruling<W: Fetch>(
        &self,
        (web, store): (&W, Option<&Store>),
        order: &Subscription,
        url: &PageUrl,
        now: Timestamp,
        met: &mut Met,
    ) -> Ruling {
        if order.ignore_robots {
            return Ruling::Allowed;
        }
        let origin = url.origin();
        let kept = if let Some(kept) = met.get(&origin) {
            kept.clone()
        } else {
            let kept = self.kept((web, store), order, url, now).await;
            met.insert(origin.clone(), kept.clone());
            kept
        };
        let kept = match kept {
            Ok(kept) => kept,
            Err(why) => return Ruling::PutOff(put_off(&origin, &why)),
        };
        let forbids = match &kept.said {
            Said::Unreachable(why) => return Ruling::PutOff(put_off(&origin, why)),
            Said::Rules(rules) if rules.len() < MANY => rules.forbids(url),
            Said::Rules(_) => {
                let (kept, url) = (Arc::clone(&kept), url.clone());
                let compare = move || match &kept.said {
                    Said::Rules(rules) => rules.forbids(&url),
                    Said::Unreachable(_) => None,
                };
                match tokio::task::spawn_blocking(compare).await {
                    Ok(forbids) => forbids,
                    Err(error) => return Ruling::PutOff(put_off(&origin, &error.to_string())),
                }
            }
        };
        forbids.map_or(Ruling::Allowed, |line| {
            let why = format!("robots.txt of {origin} forbids it ({line})");
            if lock(&self.told).insert(order.id.clone()) {
                tracing::info!(
                    feed.id = %order.id, why,
                    "a page its list points at is not asked: such entries are kept as the list has them"
                );
            }
            Ruling::Forbidden(why)
        })
    }

    /// What the origin of this page said: as remembered, or asked now.
    async fn kept<W: Fetch>(
        &self,
        (web, store): (&W, Option<&Store>),
        order: &Subscription,
        url: &PageUrl,
        now: Timestamp,
    ) -> Result<Arc<Kept>, String> {
        let origin = url.origin();
        let slot = Arc::clone(lock(&self.origins).entry(origin.clone()).or_default());
        let kept = {
            let mut held = slot.lock().await;
            if let Some(kept) = held.clone().filter(|kept| kept.holds(now)) {
                Ok(kept)
            } else {
                let kept = find((web, store), order, url, now).await.map(Arc::new);
                *held = kept.as_ref().ok().cloned();
                kept
            }
        };
        let mut origins = lock(&self.origins);
        // The list's and ours: nobody else waits for it, and what came is in the store.
        if Arc::strong_count(&slot) <= 2 {
            origins.remove(&origin);
        }
        kept
    }
}

/// In the store, or at the origin. It is asked on behalf of the feed that wants to know, under all the limits there are.
async fn find<W: Fetch>(
    (web, store): (&W, Option<&Store>),
    order: &Subscription,
    url: &PageUrl,
    now: Timestamp,
) -> Result<Kept, String> {
    let origin = url.origin();
    let before = match store {
        Some(store) => store.robots(&origin).map_err(|error| error.to_string())?,
        None => None,
    };
    if let Some(kept) = before.filter(|kept| kept.holds(now)) {
        return Ok(kept);
    }
    let place = url.join("/robots.txt").map_err(|error| error.to_string())?;
    let said = Said::of(web.fetch(order.request(Ask::get(place), None)).await)?;
    match &said {
        Said::Rules(rules) => {
            tracing::debug!(origin, rules = rules.len(), "robots.txt was asked");
        }
        Said::Unreachable(why) => {
            tracing::info!(origin, why, "robots.txt cannot be had: pages there wait");
        }
    }
    let kept = Kept {
        origin,
        asked: now,
        said,
    };
    if let Some(store) = store {
        let done = store.keep_robots(kept.clone()).await;
        done.map_err(|error| error.to_string())?;
    }
    Ok(kept)
}

fn put_off(origin: &str, why: &str) -> String {
    format!("robots.txt of {origin} cannot be had: {why}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
