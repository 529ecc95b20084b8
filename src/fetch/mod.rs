//! Asking publishers over HTTP: one client, its limits, and how close together requests may come.

pub mod addresses;
pub mod answer;
pub mod budget;
pub mod client;
pub mod decode;
pub mod guard;
pub mod headers;
pub mod hosts;
pub mod names;
pub mod patience;
pub mod quiet;
pub mod redirect;
pub mod route;
pub mod transport;
pub mod why;

use std::future::Future;
use std::time::Duration;

use crate::model::http::{FetchError, FetchOutcome, HostSet, Request};
use crate::model::urls::PageUrl;
use crate::rules::allowance::PerDay;

/// Somebody who fetches. The program has one over HTTP, tests have a map.
pub trait Fetch: Send + Sync + 'static {
    /// Asks once, following redirects, and gives back a whole answer or none. Never retries.
    fn fetch(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<FetchOutcome, FetchError>> + Send;
}

/// How patient the client is, how much it takes from a stranger, and how many it asks at once. The defaults are the
/// numbers of POLLING 0.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// Until the name is resolved.
    pub dns: Duration,
    /// Until there is a connection, TCP and TLS together; a host with several addresses shares it among them.
    pub connect: Duration,
    /// Until the head of an answer is there, counted from the connecting.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// For the whole answer with all its redirects; waiting for our own limits does not count.
    pub total: Duration,
    /// Bytes of a body on the wire.
    pub max_wire: usize,
    /// Bytes of a body once its content codings are undone.
    pub max_decoded: usize,
    /// A body may grow this many times its size on the wire...
    pub max_ratio: usize,
    /// ...and to this many bytes in any case.
    pub ratio_from: usize,
    /// Redirects followed.
    pub max_hops: usize,
    /// Requests in flight altogether; at least 1.
    pub max_in_flight: usize,
    /// Requests in flight per origin (scheme, host, port); at least 1.
    pub per_host: usize,
    /// Requests in flight per address, whatever the hosts' names (P-140); at least 1.
    pub per_address: usize,
    /// From the end of a request to the start of the next on the same origin.
    pub host_delay: Duration,
    /// The most of a day, of one origin (P-150).
    pub host_per_day: PerDay,
    /// The most of a day, in all.
    pub per_day: PerDay,
    /// Hosts whose paths belong to different people: a 429 there is about one feed alone (P-34).
    pub independent_hosts: HostSet,
    /// The page in the `User-Agent` where a publisher learns who asks (P-160).
    pub contact: Option<PageUrl>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(20),
            total: Duration::from_mins(1),
            max_wire: 10 * MIB,
            max_decoded: 20 * MIB,
            max_ratio: 200,
            ratio_from: MIB,
            max_hops: 5,
            max_in_flight: 32,
            host_per_day: PerDay::OF_A_HOST,
            per_day: PerDay::OF_ALL,
            per_host: 1,
            per_address: 2,
            host_delay: Duration::from_secs(2),
            independent_hosts: HostSet::default(),
            contact: PageUrl::parse(env!("CARGO_PKG_HOMEPAGE")).ok(),
        }
    }
}
