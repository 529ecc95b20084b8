//! Asking and being answered, without a word of any HTTP library.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use url::Host;

use crate::model::credentials::Credentials;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// What a source wants asked. Decided by a pure reader; the poll does the asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where.
    pub url: PageUrl,
    /// How.
    pub method: Method,
    /// Headers this publisher needs (`Referer`, `Origin`), beyond those every request carries.
    pub headers: Vec<(&'static str, String)>,
}

impl Ask {
    /// A plain GET.
    pub fn get(url: PageUrl) -> Self {
        Self {
            url,
            method: Method::Get,
            headers: Vec::new(),
        }
    }
}

/// The two ways publishers' lists are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST with a JSON body.
    PostJson(String),
}

/// An [`Ask`] with what we already have of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to ask.
    pub ask: Ask,
    /// From the last good answer. Sent only to the address that gave them.
    pub validators: Option<HttpValidators>,
    /// The feed it is asked for.
    pub feed: FeedId,
    /// Hosts it may be asked at though they are private, redirects included.
    pub allowed: HostSet,
    /// For the origin they are for alone.
    pub credentials: Option<Credentials>,
    /// Bytes of the answer at most, where that is less than the client takes from anybody.
    pub most: Option<u64>,
}

impl Request {
    /// To ask for a feed, without anything we have or are allowed.
    pub fn new(ask: Ask, feed: FeedId) -> Self {
        Self {
            ask,
            validators: None,
            feed,
            allowed: HostSet::default(),
            credentials: None,
            most: None,
        }
    }
}

/// Hosts, by name or address, each in the form it has in a URL: those that a feed may be asked at though their addresses
/// are not public, or those whose paths belong to different people. A name stands for whatever it resolves to, an
/// address only for itself where it is written in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet(Arc<BTreeSet<Box<str>>>);

impl HostSet {
    /// Reads hosts in any spelling a URL may have, IPv6 with or without brackets. `Err` is the first that is no host, and
    /// why not.
    pub fn parse<S: AsRef<str>>(hosts: &[S]) -> Result<Self, (String, String)> {
        let read = |text: &S| {
            let text = text.as_ref();
            let bad = |why: &str| (text.to_owned(), why.to_owned());
            if text.trim().is_empty() {
                return Err(bad("is empty"));
            }
            if text.contains('*') {
                return Err(bad("has a `*`, and hosts are allowed one by one"));
            }
            let host = match text.parse::<Ipv6Addr>() {
                Ok(address) => Host::Ipv6(address),
                Err(_) => Host::parse(text).map_err(|error| bad(&error.to_string()))?,
            };
            Ok(bare(&host.to_string()).into())
        };
        let hosts: Result<BTreeSet<Box<str>>, _> = hosts.iter().map(read).collect();
        hosts.map(|hosts| Self(Arc::new(hosts)))
    }

    /// Whether this host, as a [`PageUrl`] has it, is one of them.
    pub fn contains(&self, host: &str) -> bool {
        self.0.contains(bare(host))
    }
}

/// Without the dot that says that a name is whole.
fn bare(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Fetched bytes, content codings undone. Only its reader can settle the charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: PageUrl,
    /// `Content-Type` without parameters, lower case.
    pub media_type: Option<String>,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// The values of its `Link` headers (RFC 8288) as they came, bounded; where a page names its feeds.
    pub links: Vec<String>,
    /// The body.
    pub bytes: Vec<u8>,
}

/// `ETag` and `Last-Modified` as one pair, replayed byte for byte, never parsed, and bound to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpValidators {
    /// The address that gave them.
    pub url: PageUrl,
    /// `ETag`, opaque.
    pub etag: Option<Box<[u8]>>,
    /// `Last-Modified`, opaque.
    pub last_modified: Option<Box<[u8]>>,
}

/// A share of somebody's budget of memory, given back when it is dropped. The default is a share of nothing.
#[derive(Default)]
pub struct Share(Option<Box<dyn Send + Sync>>);

impl Share {
    /// A share that is given back by dropping `held`.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(held)))
    }
}

/// What is held is no part of what came.
impl PartialEq for Share {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Share {}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Share"
        } else {
            "no share"
        })
    }
}

/// How long an answer stays fresh by the server's word (RFC 9111 §4.2); `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness(pub Option<Duration>);

/// What an answer says of how old it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dated {
    /// `Age`: for how long caches had it.
    pub age: Option<Duration>,
    /// `Date`: when it was made.
    pub date: Option<Timestamp>,
}

impl Dated {
    /// How old it was when it came (RFC 9111 §4.2.3): by the caches' word, or by our clock against `Date`, whichever is
    /// more. How long the answer took is left out: most of that is our own waiting. `None` where neither is told.
    pub fn age(self, came: Timestamp) -> Option<Duration> {
        self.age.max(self.date.map(|date| came.since(date)))
    }
}

/// An answer we have a plan for; everything else is a [`FetchError`].
#[derive(Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // one at a time, and nearly always the large one
pub enum FetchOutcome {
    /// 200 with a whole body.
    Fresh {
        /// The body.
        page: Page,
        /// Its validators, if it had any.
        validators: Option<HttpValidators>,
        /// How long it stays fresh.
        freshness: Freshness,
        /// How old it says it is.
        dated: Dated,
        /// Where a leading run of permanent redirects (301, 308) led (P-71).
        moved_to: Option<PageUrl>,
        /// Marked `Cache-Control: private`: for us, and not for others (P-23).
        private: bool,
        /// To be held for as long as the page's words are in memory.
        share: Share,
    },
    /// 304 to a conditional request.
    NotModified {
        /// New validators, where the 304 carried some that may be adopted (POLLING P-08).
        validators: Option<HttpValidators>,
        /// Its own word on freshness.
        freshness: Freshness,
        /// How old it says it is.
        dated: Dated,
        /// Where a leading run of permanent redirects (301, 308) led (P-71).
        moved_to: Option<PageUrl>,
        /// Marked `Cache-Control: private`: for us, and not for others (P-23).
        private: bool,
    },
    /// 429, or 503 with `Retry-After`.
    RateLimited {
        /// How long to stay away, if it said so in a form that can be read.
        retry_after: Option<Duration>,
        /// The status, for people.
        status: u16,
    },
    /// 410.
    Gone,
}

/// An answer we did not plan for, or none. A publisher's failure, never ours to hide.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FetchError {
    /// The name does not resolve.
    #[error("the name `{host}` does not resolve: {why}")]
    Dns {
        /// The host.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// No connection.
    #[error("no connection to `{host}`: {why}")]
    Connect {
        /// The host.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The certificate or handshake is not right. Never bypassed.
    #[error("no secure connection to `{host}`: {why}")]
    Tls {
        /// The host.
        host: String,
        /// What TLS says.
        why: String,
    },
    /// Too slow.
    #[error("no {stage} from `{host}` within {limit:?}")]
    Timeout {
        /// `address` (DNS), `connection` (TCP and TLS), `first byte`, `next byte`, `whole answer`.
        stage: &'static str,
        /// The host.
        host: String,
        /// The limit that passed.
        limit: Duration,
    },
    /// A status that is neither good nor planned for.
    #[error("HTTP status {status}{}", hint(*status))]
    Status {
        /// The status code.
        status: u16,
        /// `Retry-After`, if it carried one that can be read.
        retry_after: Option<Duration>,
    },
    /// A challenge that only a browser could answer, with whatever status (`cf-mitigated: challenge`, P-42). It is not
    /// tried.
    #[error("HTTP status {status} with a challenge for browsers (refuses us)")]
    Challenged {
        /// The status code.
        status: u16,
        /// `Retry-After`, if it carried one that can be read.
        retry_after: Option<Duration>,
    },
    /// A redirect that is not followed.
    #[error("redirect not followed: {0}")]
    Redirect(String),
    /// The body broke off, or its coding did.
    #[error("the answer is not whole: {0}")]
    Incomplete(String),
    /// More bytes than we take from a stranger.
    #[error("{what} over the limit of {limit} bytes")]
    TooLarge {
        /// `answer`, `decoded answer`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// 200 without a body, 204, 206 unasked and the like.
    #[error("an answer without a use: {0}")]
    Useless(String),
    /// The answer breaks HTTP.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// The address is not one we connect to.
    #[error("refused: {0}")]
    Refused(String),
    /// Nothing was sent: whoever answers there told us, in answer to another request, to stay away (P-34). No failure
    /// of the feed, and no poll of it.
    #[error("`{origin}` is not asked for {} s more: {why}", left.as_secs())]
    Silenced {
        /// The origin or, beginning with `*.`, the registrable domain that is silent.
        origin: String,
        /// How much longer.
        left: Duration,
        /// What it had answered.
        why: String,
    },
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => " (asks for credentials)",
        403 => " (refuses us)",
        404 => " (not found)",
        451 => " (withheld for legal reasons)",
        500..=599 => " (the server's own trouble)",
        _ => "",
    }
}
