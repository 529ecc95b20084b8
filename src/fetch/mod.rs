//! Asking publishers over HTTP: one client, its limits, and how close together requests may come.

pub mod client;
pub mod decode;
pub mod headers;
pub mod hosts;

use std::future::Future;

use crate::model::http::{FetchError, FetchOutcome, Request};

/// Somebody who fetches. The program has one over HTTP, tests have a map.
pub trait Fetch: Send + Sync + 'static {
    /// Asks once, following redirects, and gives back a whole answer or none. Never retries.
    fn fetch(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<FetchOutcome, FetchError>> + Send;
}
