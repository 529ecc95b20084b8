//! A client whose silences outlive it: they are kept in the store, and taken up at the next start (P-33, P-34).

use std::collections::HashMap;
use std::time::Duration;

use tracing::warn;

use crate::app::handed::Handed;
use crate::app::now;
use crate::fetch::Fetch;
use crate::fetch::client::Client;
use crate::model::http::{FetchError, FetchOutcome, Request};
use crate::model::time::Timestamp;
use crate::rules::allowance::Ledger;
use crate::rules::silence::KeptSilence;
use crate::store::{Store, StoreError};

/// Ends of one silence by two clocks may lie this far apart.
const SAME: Duration = Duration::from_mins(1);

/// A [`Client`] that remembers in a [`Store`] who told it to stay away.
pub struct Mindful {
    client: Client,
    store: Store,
    handed: Handed,
    /// What is kept: scopes, and until when. Held while the list is read and written, so that an older one does not replace
    /// a newer one.
    kept: tokio::sync::Mutex<HashMap<String, Timestamp>>,
}

impl Mindful {
    /// Takes up the silences that were kept and still last.
    pub fn new(client: Client, store: Store, handed: Handed) -> Result<Self, StoreError> {
        let now = now();
        let mut restored = HashMap::new();
        for kept in store.silences()? {
            let (scope, until) = (kept.scope.clone(), kept.until);
            if let Some(held) = kept.held(now) {
                restored.insert(scope, until);
                client.restore_silence(held);
            }
        }
        Ok(Self {
            client,
            store,
            handed,
            kept: tokio::sync::Mutex::new(restored),
        })
    }

    /// What of the day's allowance is spent, and how many hosts and domains are not asked now.
    pub fn spent(&self) -> (Ledger, usize) {
        (self.client.ledger(), self.client.silences().len())
    }

    /// Keeps the silences that last. Whoever was held back by one that is kept as it is need not keep it again.
    async fn keep(&self, held_back: Option<(&str, Duration)>) {
        let mut kept = self.kept.lock().await;
        let now = now();
        let is_kept = |(scope, left): (&str, Duration)| {
            let until = kept.get(scope);
            until.is_some_and(|until| until.plus(SAME) >= now.plus(left))
        };
        if held_back.is_some_and(is_kept) {
            return;
        }
        let silences = self.client.silences().into_iter();
        let silences: Vec<_> = silences.map(|held| KeptSilence::of(held, now)).collect();
        if silences.is_empty() {
            return; // what was kept before is over, and says so itself
        }
        let written = silences.iter().map(|one| (one.scope.clone(), one.until));
        let written = written.collect();
        match self.store.keep_silences(silences).await {
            Ok(()) => *kept = written,
            Err(error) => {
                warn!(%error, "who told us to stay away could not be kept for the next start");
            }
        }
    }
}

impl Fetch for Mindful {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        if let Some(outcome) = self.handed.take(&request, now()) {
            return Ok(outcome);
        }
        let outcome = self.client.fetch(request).await;
        if let Err(FetchError::Silenced { origin, left, .. }) = &outcome {
            Box::pin(self.keep(Some((origin, *left)))).await; // it began with our own allowance for a day (P-150)
        } else if may_silence(&outcome) {
            Box::pin(self.keep(None)).await;
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
