//! What polls are made at, and of.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::model::feed::{FeedState, Subscription};
use crate::model::http::Ask;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::agenda;
use crate::rules::rhythm::Price;
use crate::rules::schedule::Floors;
use crate::service::robots::Crawling;
use crate::source::Source;
use crate::store::Store;

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
    /// Entries of a feed's first listing that are news, the newest; the others are its backlog (P-132).
    pub backlog: usize,
    /// New entries of one poll that are news whatever its feed's rhythm: more may be a flood.
    pub flood: usize,
    /// The price of a request.
    pub price: PriceTag,
    /// Nobody is asked more often.
    pub floors: Floors,
    /// Which pages may be asked that no order names.
    pub crawling: Crawling,
    /// The wall clock.
    pub clock: Clock,
}

/// A wall clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The price of a request as it is now.
#[derive(Debug, Default)]
pub struct PriceTag(Mutex<Price>);

impl PriceTag {
    /// With this price.
    pub fn new(price: Price) -> Self {
        Self(Mutex::new(price))
    }

    /// What it says.
    pub fn now(&self) -> Price {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on.
    pub fn set(&self, price: Price) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = price;
    }
}

/// One feed to ask.
pub struct Job {
    /// Our order.
    pub subscription: Subscription,
    /// Its adapter.
    pub source: &'static dyn Source,
    /// What we remember of it, as far as it binds these orders.
    pub state: FeedState,
    /// Where its adapter begins.
    pub first: Ask,
}

impl Job {
    /// To ask a feed by this order.
    pub fn new(subscription: Subscription, source: &'static dyn Source, state: FeedState) -> Self {
        let first = source.first(&subscription);
        let credentials = subscription.credentials_mark();
        Self {
            state: agenda::ordered(state, &first.url, credentials),
            subscription,
            source,
            first,
        }
    }

    /// The address in our orders.
    pub fn url(&self) -> &PageUrl {
        &self.first.url
    }
}
