//! Requests over the HTTP library, each along its own [`Route`]. The library follows no redirect, knows no proxy, no cookie
//! and no content coding, and gets its addresses from nobody but the route.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, USER_AGENT,
};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use tower::util::MapRequestLayer;

use crate::fetch::FetchSettings;
use crate::fetch::patience::Patience;
use crate::fetch::redirect::Trail;
use crate::fetch::route::{OnRoute, Route, note};
use crate::fetch::why::{Stage, explain, was_closed};
use crate::model::credentials::Scheme;
use crate::model::http::{FetchError, HttpValidators, Method};
use crate::model::urls::PageUrl;

/// Feeds first, then what they hide in; the same for every request, since a server may choose by it (P-16).
const FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, */*;q=0.5";

/// What `fetch/decode.rs` undoes, in this order for ever (P-80): an `ETag` may depend on it.
const CODINGS: &str = "gzip, br, zstd";

/// A kept connection is closed after this long: longer than the pause between two requests to one host, shorter than the
/// 30 s of P-149.
const KEPT: Duration = Duration::from_secs(15);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The contact page cannot stand in a header.
    #[error("the contact page `{0}` cannot stand in a header")]
    Contact(String),
    /// TLS cannot be had.
    #[error("TLS cannot start")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refuses.
    #[error("the HTTP client cannot start")]
    Library(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is closed. So it is after most requests: a feed is asked once a poll, and thousands of idle connections would
    /// fill the table of open files.
    Not,
    /// It is kept for all.
    ForAll,
    /// It is kept for those feeds alone that may ask this host wherever it is.
    ForAllowed,
}

impl Keep {
    /// Whether others want it (`busy`), and whether the feed may ask the host wherever it is (`allowed`).
    pub fn when(busy: bool, allowed: bool) -> Self {
        match (busy, allowed) {
            (false, _) => Self::Not,
            (true, false) => Self::ForAll,
            (true, true) => Self::ForAllowed,
        }
    }
}

/// The library's clients. A connection is known to one of them alone.
#[derive(Debug)]
pub struct Transport {
    closing: reqwest::Client,
    for_all: reqwest::Client,
    for_allowed: reqwest::Client,
}

impl Transport {
    /// Uses the certificate authorities of the machine, or those compiled in where it has none.
    pub fn new(settings: &FetchSettings) -> Result<Self, ClientError> {
        let headers = constant_headers(settings.contact.as_ref())?;
        let tls = tls()?;
        let build = |kept: usize| {
            reqwest::Client::builder()
                .default_headers(headers.clone())
                // Shared by all, with its memory of sessions.
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(OnRoute)
                .connector_layer(MapRequestLayer::new(note))
                .connect_timeout(settings.connect)
                // Every wait of ours has a limit already; the kernel need not be told of others, in four calls a connection.
                .tcp_keepalive(None)
                .tcp_keepalive_interval(None)
                .tcp_keepalive_retries(None)
                .tcp_user_timeout(None)
                .pool_max_idle_per_host(kept)
                .pool_idle_timeout(KEPT)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .http1_only()
                .build()
                .map_err(|error| ClientError::Library(error.into()))
        };
        Ok(Self {
            closing: build(0)?,
            for_all: build(settings.per_host)?,
            for_allowed: build(settings.per_host)?,
        })
    }

    fn client(&self, keep: Keep) -> &reqwest::Client {
        match keep {
            Keep::Not => &self.closing,
            Keep::ForAll => &self.for_all,
            Keep::ForAllowed => &self.for_allowed,
        }
    }

    /// Sends a request and waits for the head of its answer. A GET for which a kept connection turned out to be closed is
    /// sent once more, on a new one, and that is all (P-55).
    pub async fn send(
        &self,
        letter: &Letter<'_>,
        route: &Arc<Route>,
        keep: Keep,
        settings: &FetchSettings,
        patience: &mut Patience<'_>,
    ) -> Result<Response, FetchError> {
        let host = letter.trail.url().host();
        let mut execute = async |client: &reqwest::Client| {
            let sending = route.send(client.execute(letter.request(client)?));
            patience
                .wait("first byte", settings.first_byte, host, sending)
                .await
        };
        let sent = match execute(self.client(keep)).await? {
            Err(error)
                if *letter.trail.method() == Method::Get
                    && !route.was_dialed()
                    && was_closed(&error) =>
            {
                execute(&self.closing).await?
            }
            sent => sent,
        };
        sent.map_err(|error| failure(&error, Stage::Head, host, settings))
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

/// What is asked of one address, however often it has to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Where and how.
    pub trail: &'a Trail,
    /// The source's own headers, for the origin first asked.
    pub own: &'a HeaderMap,
    /// Who asks, where this address may know.
    pub credentials: Option<&'a Scheme>,
    /// What we have of the answer already.
    pub conditional: Option<&'a HttpValidators>,
}

impl Letter<'_> {
    fn request(&self, client: &reqwest::Client) -> Result<reqwest::Request, FetchError> {
        let url = self.trail.url().as_url().clone();
        let builder = match self.trail.method() {
            Method::Get => client.get(url),
            Method::PostJson(json) => client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(json.clone()),
        };
        // Both mark their header as sensitive, so that nothing prints it.
        let builder = match self.credentials {
            Some(Scheme::Basic { user, password }) => builder.basic_auth(user, Some(password)),
            Some(Scheme::Bearer { token }) => builder.bearer_auth(token),
            None => builder,
        };
        let mut request = builder
            .build()
            .map_err(|error| FetchError::Refused(error.to_string()))?;
        let headers = request.headers_mut();
        if self.trail.is_home() {
            headers.extend(self.own.clone());
        }
        if let Some(known) = self.conditional {
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
}

/// What the library's error means. TCP and TLS are one stage: it has one limit for both and does not tell which it was.
pub fn failure(
    error: &reqwest::Error,
    stage: Stage,
    host: &str,
    settings: &FetchSettings,
) -> FetchError {
    if error.is_dns() {
        explain(error, Stage::Name, host)
    } else if error.is_connect() && error.is_timeout() {
        FetchError::Timeout {
            stage: "connection",
            host: host.to_owned(),
            limit: settings.connect,
        }
    } else if error.is_connect() {
        explain(error, Stage::Connection, host)
    } else {
        explain(error, stage, host)
    }
}
