//! A client whose silences outlive it: they are kept in the store, and taken up at the next start (P-33, P-34).

use tracing::warn;

use crate::app::now;
use crate::fetch::Fetch;
use crate::fetch::client::Client;
use crate::model::http::{FetchError, FetchOutcome, Request};
use crate::rules::silence::KeptSilence;
use crate::store::{Store, StoreError};

/// A [`Client`] that remembers in a [`Store`] who told it to stay away.
pub struct Mindful {
    client: Client,
    store: Store,
    /// Held while the list is read and written, so that an older one does not replace a newer one.
    keeping: tokio::sync::Mutex<()>,
}

impl Mindful {
    /// Takes up the silences that were kept and still last.
    pub fn new(client: Client, store: Store) -> Result<Self, StoreError> {
        let now = now();
        for held in store
            .silences()?
            .into_iter()
            .filter_map(|kept| kept.held(now))
        {
            client.restore_silence(held);
        }
        Ok(Self {
            client,
            store,
            keeping: tokio::sync::Mutex::new(()),
        })
    }

    async fn keep(&self) {
        let _keeping = self.keeping.lock().await;
        let now = now();
        let silences = self.client.silences().into_iter();
        let silences: Vec<_> = silences.map(|held| KeptSilence::of(held, now)).collect();
        if silences.is_empty() {
            return; // what was kept before is over, and says so itself
        }
        if let Err(error) = self.store.keep_silences(silences).await {
            warn!(%error, "who told us to stay away could not be kept for the next start");
        }
    }
}

impl Fetch for Mindful {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let outcome = self.client.fetch(request).await;
        if may_silence(&outcome) {
            Box::pin(self.keep()).await;
        }
        outcome
    }
}

/// Whether a silence may have begun with this answer.
fn may_silence(outcome: &Result<FetchOutcome, FetchError>) -> bool {
    match outcome {
        Ok(FetchOutcome::RateLimited { status, .. })
        | Err(FetchError::Status { status, .. } | FetchError::Challenged { status, .. }) => {
            matches!(status, 429 | 503)
        }
        _ => false,
    }
}
