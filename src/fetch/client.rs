//! The HTTP client: one exchange after the other until there is an answer, every wait of it limited. No type of the
//! HTTP library leaves this file.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::fetch::budget::Budget;
use crate::fetch::decode::{self, Limits};
use crate::fetch::hosts::{Gate, Pass};
use crate::fetch::patience::Patience;
use crate::fetch::redirect::Trail;
use crate::fetch::why::{Stage, explain};
use crate::fetch::{Fetch, FetchSettings, guard, headers};
use crate::model::http::{
    Ask, FetchError, FetchOutcome, HttpValidators, Method, Page, Request, Share,
};
use crate::model::urls::PageUrl;

/// Feeds first, then what they hide in; the same for every request, since a server may choose by it (P-16).
const FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, */*;q=0.5";

/// What `fetch/decode.rs` undoes, in this order for ever (P-80): an `ETag` may depend on it.
const CODINGS: &str = "gzip, br, zstd";

/// An answer's head may have this many bytes (P-56).
const MAX_HEAD: usize = 64 * 1024;

/// Connections kept for the next request. Longer than the pause between two on one host, not longer than a poll.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The contact page cannot stand in a header.
    #[error("the contact page `{0}` cannot stand in a header")]
    Contact(String),
    /// The HTTP library refuses.
    #[error("the HTTP client cannot start")]
    Library(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Fetches over HTTP/1.1. Cheap to clone; clones share connections and limits.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: FetchSettings,
    gate: Gate,
    budget: Budget,
    /// For an origin that is asked again soon.
    keeping: reqwest::Client,
    /// For one that is asked once a poll: most feeds. A connection kept for it would be idle until somebody closes
    /// it, and with thousands of feeds they would fill the table of open files.
    closing: reqwest::Client,
}

impl Client {
    /// A client with these limits. Uses the certificate authorities of the machine, or those compiled in where it has none.
    pub fn new(settings: FetchSettings) -> Result<Self, ClientError> {
        let headers = constant_headers(settings.contact.as_ref())?;
        let tls = tls()?;
        let build = |kept: usize| {
            reqwest::Client::builder()
                .default_headers(headers.clone())
                // Shared by both, with its memory of sessions.
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(settings.connect)
                // Every wait of ours has a limit already; the kernel need not be told of others, in four calls a connection.
                .tcp_keepalive(None)
                .tcp_keepalive_interval(None)
                .tcp_keepalive_retries(None)
                .tcp_user_timeout(None)
                .pool_max_idle_per_host(kept)
                .pool_idle_timeout(KEEP_ALIVE)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .http1_only()
                .build()
                .map_err(|error| ClientError::Library(error.into()))
        };
        let (keeping, closing) = (build(settings.per_host)?, build(0)?);
        Ok(Self {
            inner: Arc::new(Inner {
                budget: Budget::default(),
                gate: Gate::new(
                    settings.max_in_flight,
                    settings.per_host,
                    settings.host_delay,
                ),
                settings,
                keeping,
                closing,
            }),
        })
    }
}

/// TLS that trusts the certificate authorities of the machine, or those compiled in where it has none (RELIABILITY F11).
fn tls() -> Result<rustls::ClientConfig, ClientError> {
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ClientError::Library(error.into()))
    };
    let builder = match builder()?.with_platform_verifier() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::warn!(%error, "no certificate authorities on this machine; those compiled in are trusted instead");
            let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
            builder()?.with_root_certificates(roots.collect::<rustls::RootCertStore>())
        }
    };
    let mut tls = builder.with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

fn constant_headers(contact: Option<&PageUrl>) -> Result<HeaderMap, ClientError> {
    let name = concat!("feedmill/", env!("CARGO_PKG_VERSION"));
    let agent = contact.map_or_else(|| name.to_owned(), |url| format!("{name} (+{url})"));
    let agent = HeaderValue::from_str(&agent).map_err(|_| ClientError::Contact(agent))?;
    Ok(HeaderMap::from_iter([
        (USER_AGENT, agent),
        (ACCEPT, HeaderValue::from_static(FEEDS)),
        (ACCEPT_ENCODING, HeaderValue::from_static(CODINGS)),
    ]))
}

impl Fetch for Client {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let Request { ask, validators } = request;
        let own = own_headers(&ask)?;
        let mut trail = Trail::new(&ask.url, ask.method);
        let mut patience = Patience::new(&self.inner.settings);
        loop {
            let conditional = validators
                .as_ref()
                .filter(|known| *trail.method() == Method::Get && known.url == *trail.url());
            let answer = self
                .inner
                .exchange(&trail, &own, conditional, &mut patience)
                .await?;
            let Some((status, location)) = answer.redirect() else {
                let settled = answer.settle(trail, conditional, &self.inner.settings);
                return Box::pin(settled).await;
            };
            trail.follow(status, location, self.inner.settings.max_hops)?;
        }
    }
}

/// The source's own headers, checked.
fn own_headers(ask: &Ask) -> Result<HeaderMap, FetchError> {
    let mut own = HeaderMap::new();
    for (name, value) in &ask.headers {
        let refused = || FetchError::Refused(format!("the header `{name}` cannot be sent"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        // Who we are and what we can decode is not a source's to say (P-16, P-160).
        if header == USER_AGENT || header == ACCEPT_ENCODING {
            return Err(refused());
        }
        own.append(header, HeaderValue::from_str(value).map_err(|_| refused())?);
    }
    Ok(own)
}

/// One answer, its body still as it was on the wire.
struct Answer {
    status: u16,
    headers: HeaderMap,
    /// Read of a 200 only.
    body: Vec<u8>,
    /// What the body takes of the budget.
    share: Share,
}

impl Inner {
    /// Asks one address once.
    async fn exchange(
        &self,
        trail: &Trail,
        own: &HeaderMap,
        conditional: Option<&HttpValidators>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = trail.url();
        guard::admit(url)?;
        let pass = self.gate.enter(&url.origin()).await;
        // On the heap, and only now: thousands may be waiting for the gate, few are behind it.
        Box::pin(self.admitted(&pass, trail, own, conditional, patience)).await
    }

    /// Asks, with the gate's leave.
    async fn admitted(
        &self,
        pass: &Pass,
        trail: &Trail,
        own: &HeaderMap,
        conditional: Option<&HttpValidators>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = trail.url();
        let host = url.host();
        let client = if pass.is_busy() {
            &self.keeping
        } else {
            &self.closing
        };

        let request = request(client, trail, own, conditional)?;
        let limit = self.settings.first_byte;
        let mut response = patience
            .wait("first byte", limit, host, client.execute(request))
            .await?
            .map_err(|error| self.failure(&error, Stage::Head, host))?;

        let status = response.status().as_u16();
        let head = response.headers();
        let bytes: usize = head
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if bytes > MAX_HEAD {
            return Err(FetchError::Malformed(format!("a head of {bytes} bytes")));
        }
        let (mut body, mut share) = (Vec::new(), Share::default());
        if status == 200 {
            let most = self.settings.max_wire;
            let too_large = || FetchError::TooLarge {
                what: "answer",
                limit: u64::try_from(most).unwrap_or(u64::MAX),
            };
            if said_length(head).is_some_and(|said| said > most) {
                return Err(too_large());
            }
            share = self
                .budget
                .share(said_length(head), head.contains_key(CONTENT_ENCODING))
                .await;
            // Room only now that it is our turn. What it says is believed up to a point; growing costs little.
            body.reserve_exact(said_length(head).unwrap_or(0).min(256 * 1024));
            let idle = self.settings.idle;
            while let Some(chunk) = patience
                .wait("next byte", idle, host, response.chunk())
                .await?
                .map_err(|error| self.failure(&error, Stage::Body, host))?
            {
                if body.len() + chunk.len() > most {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
        }
        Ok(Answer {
            status,
            headers: std::mem::take(response.headers_mut()),
            body,
            share,
        })
    }

    fn failure(&self, error: &reqwest::Error, stage: Stage, host: &str) -> FetchError {
        if error.is_dns() {
            explain(error, Stage::Name, host)
        } else if error.is_connect() && error.is_timeout() {
            FetchError::Timeout {
                stage: "connection",
                host: host.to_owned(),
                limit: self.settings.connect,
            }
        } else if error.is_connect() {
            explain(error, Stage::Connection, host)
        } else {
            explain(error, stage, host)
        }
    }
}

fn request(
    client: &reqwest::Client,
    trail: &Trail,
    own: &HeaderMap,
    conditional: Option<&HttpValidators>,
) -> Result<reqwest::Request, FetchError> {
    let url = trail.url().as_url().clone();
    let builder = match trail.method() {
        Method::Get => client.get(url),
        Method::PostJson(json) => client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(json.clone()),
    };
    let mut request = builder
        .build()
        .map_err(|error| FetchError::Refused(error.to_string()))?;
    let headers = request.headers_mut();
    if trail.is_home() {
        headers.extend(own.clone());
    }
    if let Some(known) = conditional {
        let mut replay = |name, value: &Option<Box<[u8]>>| {
            // They came as header values, so they are ones; a store that garbled one loses it here.
            if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_bytes) {
                headers.insert(name, value);
            }
        };
        replay(IF_NONE_MATCH, &known.etag);
        replay(IF_MODIFIED_SINCE, &known.last_modified);
    }
    Ok(request)
}

fn said_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl headers::Lines for HeaderMap {
    fn lines(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl Answer {
    /// Status and target, where this sends us on at once; with a word on when, it is an order to wait (P-30).
    fn redirect(&self) -> Option<(u16, Option<&[u8]>)> {
        let onward = matches!(self.status, 301..=303 | 307 | 308);
        (onward && headers::retry_after(&self.headers).is_none()).then(|| {
            let location = self.headers.get(LOCATION).map(HeaderValue::as_bytes);
            (self.status, location)
        })
    }

    /// What the answer at the end of the trail means.
    async fn settle(
        self,
        trail: Trail,
        conditional: Option<&HttpValidators>,
        settings: &FetchSettings,
    ) -> Result<FetchOutcome, FetchError> {
        let (url, moved_to) = trail.end();
        let status = self.status;
        let retry_after = headers::retry_after(&self.headers);
        match (status, retry_after) {
            (200, _) => self.page(url, moved_to, settings).await,
            (201..=299, _) => Err(FetchError::Useless(format!("status {status}"))),
            (304, _) => {
                let Some(ours) = conditional else {
                    return Err(FetchError::Malformed(
                        "status 304 to a request that was not conditional".to_owned(),
                    ));
                };
                let theirs = headers::validators(&self.headers, &url);
                Ok(FetchOutcome::NotModified {
                    validators: headers::adopt(ours, theirs),
                    freshness: headers::freshness(&self.headers),
                })
            }
            (429, _) | (503 | 301..=303 | 307 | 308, Some(_)) => Ok(FetchOutcome::RateLimited {
                retry_after,
                status,
            }),
            (410, _) => Ok(FetchOutcome::Gone),
            (300..=599, _) => Err(FetchError::Status {
                status,
                retry_after,
            }),
            _ => Err(FetchError::Malformed(format!("status {status}"))),
        }
    }

    async fn page(
        self,
        url: PageUrl,
        moved_to: Option<PageUrl>,
        settings: &FetchSettings,
    ) -> Result<FetchOutcome, FetchError> {
        let codings = headers::content_codings(&self.headers).map_err(|name| {
            FetchError::Malformed(format!("the content coding `{name}` is unknown"))
        })?;
        let limits = Limits {
            decoded: settings.max_decoded,
            ratio: settings.max_ratio,
            ratio_from: settings.ratio_from,
        };
        let body = self.body;
        if body.is_empty() {
            return Err(FetchError::Useless("no body".to_owned()));
        }
        let bytes = if decode::is_long(&body, &codings) {
            tokio::task::spawn_blocking(move || decode::decode(body, &codings, limits))
                .await
                .map_err(|error| FetchError::Malformed(format!("decoding it failed: {error}")))?
        } else {
            decode::decode(body, &codings, limits)
        }?;
        if bytes.trim_ascii().is_empty() {
            return Err(FetchError::Useless("an empty body".to_owned()));
        }
        let (media_type, charset) = headers::content_type(&self.headers);
        Ok(FetchOutcome::Fresh {
            validators: headers::validators(&self.headers, &url),
            freshness: headers::freshness(&self.headers),
            page: Page {
                url,
                media_type,
                charset,
                links: headers::links(&self.headers),
                bytes,
            },
            moved_to,
            share: self.share,
        })
    }
}
