//! The HTTP client: one exchange after the other until there is an answer, every wait of it limited. Why it is no ready-made
//! client: the address that is connected to has to be known, judged and counted before the connection is made.

use std::pin::pin;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap,
    HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use hyper::{Response, Uri};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::fetch::addresses::Seat;
use crate::fetch::budget::Budget;
use crate::fetch::decode::{self, Limits};
use crate::fetch::dial::{Dialer, Line};
use crate::fetch::hosts::{Gate, Pass};
use crate::fetch::names::{Resolve, System};
use crate::fetch::patience::Patience;
use crate::fetch::pool::Pool;
use crate::fetch::quiet::Quiet;
use crate::fetch::redirect::Trail;
use crate::fetch::why::{Stage, explain};
use crate::fetch::{Fetch, FetchSettings, guard, headers};
use crate::model::http::{
    Ask, FetchError, FetchOutcome, HostSet, HttpValidators, Method, Page, Request, Share,
};
use crate::model::ids::FeedId;
use crate::model::urls::PageUrl;
use crate::rules::silence::{Held, Place};

/// Feeds first, then what they hide in; the same for every request, since a server may choose by it (P-16).
const FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, */*;q=0.5";

/// What `fetch/decode.rs` undoes, in this order for ever (P-80): an `ETag` may depend on it.
const CODINGS: &str = "gzip, br, zstd";

/// An answer's head may have this many bytes (P-56).
const MAX_HEAD: usize = 64 * 1024;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The contact page cannot stand in a header.
    #[error("the contact page `{0}` cannot stand in a header")]
    Contact(String),
    /// TLS cannot be had.
    #[error("TLS cannot start")]
    Tls(#[source] rustls::Error),
}

/// Fetches over HTTP/1.1. Cheap to clone; clones share connections and limits. It takes no proxy from the environment:
/// behind one, nobody here would know where a request goes.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: FetchSettings,
    headers: HeaderMap,
    quiet: Quiet,
    gate: Gate,
    budget: Budget,
    dialer: Dialer,
    pool: Pool,
}

impl Client {
    /// A client with these limits. Uses the certificate authorities of the machine, or those compiled in where it has none.
    pub fn new(settings: FetchSettings) -> Result<Self, ClientError> {
        Self::with_resolver(settings, Arc::new(System))
    }

    /// Likewise, with somebody else who knows the addresses of names.
    pub fn with_resolver(
        settings: FetchSettings,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            inner: Arc::new(Inner {
                headers: constant_headers(settings.contact.as_ref())?,
                quiet: Quiet::new(settings.independent_hosts.clone()),
                budget: Budget::default(),
                gate: Gate::new(
                    settings.max_in_flight,
                    settings.per_host,
                    settings.host_delay,
                ),
                dialer: Dialer::new(resolver, Arc::new(tls()?), settings.per_address),
                pool: Pool::default(),
                settings,
            }),
        })
    }
}

impl Client {
    /// The silences that last now, to be remembered across a restart (P-33).
    pub fn silences(&self) -> Vec<Held> {
        self.inner.quiet.list()
    }

    /// Takes up a silence from before; one that lasts longer already stays.
    pub fn restore_silence(&self, held: Held) {
        self.inner.quiet.restore(held);
    }
}

/// TLS that trusts the certificate authorities of the machine, or those compiled in where it has none (RELIABILITY F11).
fn tls() -> Result<rustls::ClientConfig, ClientError> {
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ClientError::Tls)
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
        (ACCEPT, HeaderValue::from_static(FEEDS)),
        (USER_AGENT, agent),
        (ACCEPT_ENCODING, HeaderValue::from_static(CODINGS)),
    ]))
}

impl Fetch for Client {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let own = own_headers(&request.ask)?;
        let mut trail = Trail::new(&request.ask.url, request.ask.method.clone());
        let mut patience = Patience::new(&self.inner.settings);
        loop {
            let conditional = request
                .validators
                .as_ref()
                .filter(|known| *trail.method() == Method::Get && known.url == *trail.url());
            let call = Call {
                trail: &trail,
                own: &own,
                conditional,
                feed: &request.feed,
                allowed: &request.allowed,
            };
            let answer = self.inner.exchange(&call, &mut patience).await?;
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

/// One request to one address: what stays the same however often it has to be sent.
struct Call<'a> {
    trail: &'a Trail,
    own: &'a HeaderMap,
    conditional: Option<&'a HttpValidators>,
    feed: &'a FeedId,
    allowed: &'a HostSet,
}

impl Inner {
    /// Asks one address once.
    async fn exchange(
        &self,
        call: &Call<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = call.trail.url();
        guard::admit(url, call.allowed)?;
        let origin = url.origin();
        let place = Place {
            origin: &origin,
            host: url.host(),
        };
        let errand = self.quiet.leave(place).await?;
        let mut pass = errand.wait(pin!(self.gate.enter(&origin))).await?;
        // On the heap, and only now: thousands may be waiting for the gate, few are behind it.
        let answer = Box::pin(self.admitted(&mut pass, call, patience)).await?;
        let retry_after = headers::retry_after(&answer.headers);
        errand.answered(call.feed, answer.status, retry_after);
        Ok(answer)
    }

    /// Asks, with the gate's leave.
    async fn admitted(
        &self,
        pass: &mut Pass,
        call: &Call<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
        let url = call.trail.url();
        let host = url.host();
        // A connection made for a feed that may go to this private host is not for the others.
        let key = (url.origin(), call.allowed.contains(host));
        let kept = self.pool.take(&key).await;
        let (response, line, seat) = self.send(pass, call, kept, patience).await?;
        let answer = self.receive(response, host, patience).await?;
        drop(seat);
        if pass.is_busy() {
            self.pool.put(key, line);
        }
        Ok(answer)
    }

    /// Sends the request, on the connection that was kept, or on a new one. One that was closed while it was kept costs a
    /// second try, and no more (P-55).
    async fn send(
        &self,
        pass: &mut Pass,
        call: &Call<'_>,
        kept: Option<Line>,
        patience: &mut Patience<'_>,
    ) -> Result<(Response<Incoming>, Line, Seat), FetchError> {
        let host = call.trail.url().host();
        let limit = self.settings.first_byte;
        if let Some(mut line) = kept {
            let seat = self.seat(pass, &[line.address]).await;
            let sending = line.sender.try_send_request(self.request(call)?);
            match patience.wait("first byte", limit, host, sending).await? {
                Ok(response) => return Ok((response, line, seat)),
                Err(error)
                    if error.message().is_some()
                        || (*call.trail.method() == Method::Get && was_closed(error.error())) => {}
                Err(error) => return Err(explain(error.error(), Stage::Head, host)),
            }
        }
        let (mut line, seat) = self.open(pass, call, patience).await?;
        let sending = line.sender.send_request(self.request(call)?);
        let response = patience
            .wait("first byte", limit, host, sending)
            .await?
            .map_err(|error| explain(&error, Stage::Head, host))?;
        Ok((response, line, seat))
    }

    /// A new connection.
    async fn open(
        &self,
        pass: &mut Pass,
        call: &Call<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<(Line, Seat), FetchError> {
        let (url, settings) = (call.trail.url(), &self.settings);
        let mut addresses = self
            .dialer
            .look_up(url, call.allowed, settings, patience)
            .await?;
        // One that is free before one that is not.
        let free = addresses.iter().enumerate().find_map(|(at, address)| {
            let seat = self.dialer.addresses().try_enter(*address)?;
            Some((at, seat))
        });
        let seat = match free {
            Some((at, seat)) => {
                addresses.rotate_left(at);
                seat
            }
            None => self.seat(pass, &addresses).await,
        };
        self.dialer
            .connect(url, &addresses, seat, settings, patience)
            .await
    }

    /// A seat at the first of these addresses. Whoever has to wait for one holds no place of others meanwhile.
    async fn seat(&self, pass: &mut Pass, addresses: &[std::net::IpAddr]) -> Seat {
        let seats = self.dialer.addresses();
        let Some(first) = addresses.first() else {
            return std::future::pending().await; // nobody asks for a seat at no address
        };
        match seats.try_enter(*first) {
            Some(seat) => seat,
            None => self.gate.step_aside(pass, seats.enter(*first)).await,
        }
    }

    /// Takes the answer off the wire.
    async fn receive(
        &self,
        mut response: Response<Incoming>,
        host: &str,
        patience: &mut Patience<'_>,
    ) -> Result<Answer, FetchError> {
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
            while let Some(frame) = patience
                .wait("next byte", idle, host, response.body_mut().frame())
                .await?
            {
                let frame = frame.map_err(|error| explain(&error, Stage::Body, host))?;
                let Ok(chunk) = frame.into_data() else {
                    continue; // trailers
                };
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

    fn request(&self, call: &Call<'_>) -> Result<hyper::Request<Full<Bytes>>, FetchError> {
        let url = call.trail.url().as_url();
        let refused = |why: String| FetchError::Refused(format!("`{url}` cannot be asked: {why}"));
        let target: Uri = url[url::Position::BeforePath..url::Position::AfterQuery]
            .parse()
            .map_err(|error| refused(format!("{error}")))?;
        let mut headers = self.headers.clone();
        let (method, body) = match call.trail.method() {
            Method::Get => (hyper::Method::GET, Bytes::new()),
            Method::PostJson(json) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                (hyper::Method::POST, Bytes::from(json.clone()))
            }
        };
        if call.trail.is_home() {
            headers.extend(call.own.clone());
        }
        if let Some(known) = call.conditional {
            let mut replay = |name, value: &Option<Box<[u8]>>| {
                // They came as header values, so they are ones; a store that garbled one loses it here.
                if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_bytes) {
                    headers.insert(name, value);
                }
            };
            replay(IF_NONE_MATCH, &known.etag);
            replay(IF_MODIFIED_SINCE, &known.last_modified);
        }
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let host = HeaderValue::from_str(host).map_err(|error| refused(error.to_string()))?;
        headers.insert(HOST, host);
        let mut request = hyper::Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Whether a connection was closed before it gave any answer.
fn was_closed(error: &hyper::Error) -> bool {
    let broken = || {
        let cause = std::error::Error::source(error)?.downcast_ref::<std::io::Error>()?;
        Some(matches!(
            cause.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        ))
    };
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || broken().unwrap_or(false)
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
        if headers::is_challenge(&self.headers) {
            return Err(FetchError::Challenged {
                status,
                retry_after,
            });
        }
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
                    moved_to,
                    private: headers::is_private(&self.headers),
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
            private: headers::is_private(&self.headers),
            share: self.share,
        })
    }
}
