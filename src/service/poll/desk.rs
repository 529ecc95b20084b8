//! What polls are made at, and of.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::model::feed::{FeedState, Subscription};
use crate::model::time::Timestamp;
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
    /// What we remember of it.
    pub state: FeedState,
}
