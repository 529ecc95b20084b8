//! Requests and answers: which version, which document, which of its codings, and the headers around it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version as HttpVersion};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::model::time::Timestamp;
use crate::serve::accept::Limits;
use crate::serve::conditional::{
    Coding, Conditions, Current, coding, merges_feeds, not_modified, tags,
};
use crate::serve::delta::{Delta, delta};
use crate::serve::gallery;
use crate::serve::library::{Coded, Document, Kept, Place, Shown, Version};
use crate::serve::limits::{Buckets, Cost};
use crate::serve::problem::{Problem, number, text};
use crate::serve::search::{self, Search};

/// What every answer carries (F-45, F-46). Nothing we serve runs or frames anything; a script that got through all else
/// is dead here.
pub(super) const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; sandbox",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "ETag, Last-Modified, Link",
    ),
];

/// The page for people is shown by browsers: it has a style, and links one may follow (F-60).
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What never changes may be kept without asking again (F-49).
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// A small page that is made when it is asked for: health, metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 200, or 503 where that is what it says.
    pub status: StatusCode,
    /// What it is.
    pub media_type: &'static str,
    /// Its words.
    pub body: String,
}

/// Makes a [`Page`]. Called on the async thread: it looks at memory and at nothing slower.
pub type Maker = Box<dyn Fn() -> Page + Send + Sync>;

/// Who asks for a document that is about to be made waits so long for it.
const COMING: Duration = Duration::from_secs(10);

/// Everything the server knows.
pub struct Site {
    /// What is served, `None` until there is a first version (F-39).
    pub latest: watch::Receiver<Option<Arc<Version>>>,
    /// What is made when it is asked for, by its path (`/healthz`, `/metrics`). It is there before the first version, and
    /// goes before a document of the same path.
    pub live: HashMap<&'static str, Maker>,
    /// Who searches; `None` where nobody does.
    pub search: Option<Search>,
    /// How often one client may ask; `None` where something in front of us sees to that.
    pub buckets: Option<Buckets>,
    /// How much one client may hold open.
    pub limits: Limits,
    /// Proxies of our own. A connection from one is as many clients as its `X-Forwarded-For` says; from anybody else
    /// that header is not read.
    pub proxies: Vec<IpAddr>,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
    /// When the buckets began to fill.
    pub since: Instant,
}

/// The address a connection comes from, as the accept loop saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub IpAddr);

/// The site as a service.
pub(super) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .fallback(document)
        .layer(middleware::from_fn(reading_only))
        .with_state(site)
}

/// Lets nothing in that is no question, and nothing out without the headers of [`ALWAYS`].
async fn reading_only(request: Request, next: Next) -> Response {
    let has_body = !request.body().is_end_stream();
    let hosts = request.headers().get_all(header::HOST).iter().count();
    // RFC 9112 §3.2: HTTP/1.0 may do without.
    let host_missing = hosts == 0 && request.version() > HttpVersion::HTTP_10;
    let mut response = match *request.method() {
        _ if has_body => Problem::BODY.response(),
        _ if hosts > 1 || host_missing => Problem::MALFORMED.response(),
        Method::GET | Method::HEAD => next.run(request).await,
        Method::OPTIONS => preflight(),
        _ => Problem::METHOD.with(header::ALLOW, METHODS),
    };
    let headers = response.headers_mut();
    if has_body {
        // What follows on this connection is a body nobody reads, or a request smuggled as one.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in ALWAYS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, METHODS);
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "If-None-Match, If-Modified-Since, A-IM",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn page(page: Page) -> Response {
    let mut response = Response::new(Body::from(page.body));
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(page.media_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn document(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path();
    if let Some(maker) = site.live.get(path) {
        return page(maker());
    }
    if path == search::PATH
        && let Some(who) = &site.search
    {
        return search::answer(&site, who, request).await;
    }
    // One look: whatever is published while we answer, this request sees this version (F-40).
    let early = || Problem::EARLY.with(header::RETRY_AFTER, HeaderValue::from_static("5"));
    let Some(version) = look(&site, path).await else {
        return early();
    };
    if gallery::name(path).is_some() {
        return gallery::answer(&site, request, &version).await;
    }
    match version.place(path) {
        Some(Place::Coming) => early(),
        Some(Place::Here(shown)) => site.answer(&request, path, &Offer::of(shown)),
        Some(Place::Kept(kept)) => match read(kept, &version.readers).await {
            Ok((document, last_modified)) => {
                let offer = Offer {
                    document: &document,
                    last_modified,
                    caching: HeaderValue::from_static(FOR_EVER),
                    shown: None,
                };
                site.answer(&request, path, &offer)
            }
            Err(error) => {
                tracing::error!(path, %error, "an archive document cannot be read");
                Problem::BROKEN.response()
            }
        },
        Some(Place::Gone) => Problem::GONE.response(),
        None => elsewhere(path, &version),
    }
}

/// The latest version; one in which the document at this path is there, where it is about to be.
async fn look(site: &Site, path: &str) -> Option<Arc<Version>> {
    let version = site.latest.borrow().clone()?;
    if version.place(path) != Some(&Place::Coming) {
        return Some(version);
    }
    let mut latest = site.latest.clone();
    let is_there = |version: &Option<Arc<Version>>| {
        version
            .as_ref()
            .is_some_and(|version| version.place(path) != Some(&Place::Coming))
    };
    let _ = timeout(COMING, latest.wait_for(is_there)).await;
    latest.borrow().clone()
}

/// A document in a file, and when it was written. A few are read at once, and none on the async thread.
async fn read(kept: &Kept, readers: &Semaphore) -> io::Result<(Document, Timestamp)> {
    let _turn = readers.acquire().await.map_err(io::Error::other)?;
    let kept = kept.clone();
    let read = spawn_blocking(move || {
        let bytes = fs::read(&kept.file)?;
        let written = fs::metadata(&kept.file)?.modified()?;
        let since = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = Timestamp::EPOCH.plus(Duration::from_secs(since.as_secs()));
        let document = Document::kept(kept.media_type, bytes, fs::read(&kept.gzip).ok());
        Ok((document, written))
    });
    read.await.map_err(io::Error::other)?
}

/// A document as it is offered.
pub(super) struct Offer<'a> {
    pub(super) document: &'a Document,
    pub(super) last_modified: Timestamp,
    pub(super) caching: HeaderValue,
    /// Where it may be had in part.
    pub(super) shown: Option<&'a Shown>,
}

impl<'a> Offer<'a> {
    fn of(shown: &'a Shown) -> Self {
        let divisible = !shown.document.contents().entries.is_empty();
        Self {
            document: &shown.document,
            last_modified: shown.last_modified,
            caching: caching(shown.max_age),
            shown: divisible.then_some(shown),
        }
    }

    /// F-31: what an answer depends on.
    fn vary(&self) -> HeaderValue {
        HeaderValue::from_static(match self.shown {
            Some(_) => "Accept-Encoding, A-IM, If-None-Match",
            None => "Accept-Encoding",
        })
    }
}

impl Site {
    pub(super) fn answer(&self, request: &Request, path: &str, offer: &Offer<'_>) -> Response {
        let document = offer.document;
        let headers = request.headers();
        let conditions = conditions(headers);
        if let Some(refused) = self.too_often(request, path, cost(request, &conditions)) {
            return refused;
        }
        let accept = lines(headers, &header::ACCEPT_ENCODING);
        let Some(coding) = coding(&accept, |coding| document.coded(coding).is_some()) else {
            return Problem::CODING.with(header::VARY, offer.vary());
        };
        let now = (self.clock)();
        let current = Current {
            tag: &|coding| document.coded(coding).map(|coded| &*coded.etag),
            coding,
            last_modified: offer.last_modified,
            now,
        };
        let chosen = document.coded(coding).unwrap_or(document.identity());
        if let Some(named) = not_modified(&conditions, &current) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            let coded = document.coded(named).unwrap_or(chosen);
            label(&mut response, offer, coded, now);
            return response;
        }
        if merges_feeds(&lines(headers, &HeaderName::from_static("a-im")))
            && let Some(shown) = offer.shown
            && let Some(named) = conditions.joined()
            && let Some(delta) = delta(shown, &tags(&named).unwrap_or_default(), chosen.bytes.len())
        {
            let mut response = part(document, delta);
            label(&mut response, offer, document.identity(), now);
            // RFC 3229 §10.8: a cache that knows no deltas must not take it for the whole.
            let caching = HeaderValue::from_static("no-store, im");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, caching);
            return response;
        }
        let mut response = whole(document, coding, chosen);
        label(&mut response, offer, chosen, now);
        response
    }

    /// What a client is told that asks too often.
    pub(super) fn too_often(&self, request: &Request, path: &str, cost: Cost) -> Option<Response> {
        let client = self.client(request)?;
        let buckets = self.buckets.as_ref()?;
        let taken = buckets.take(client, path, cost, self.since.elapsed());
        let seconds = taken.err()?.as_millis().div_ceil(1000);
        let wait = number("", seconds.try_into().unwrap_or(u64::MAX));
        Some(Problem::OFTEN.with(header::RETRY_AFTER, wait))
    }

    /// Who asks: the peer, or whom our own proxy says it asks for.
    fn client(&self, request: &Request) -> Option<IpAddr> {
        let Peer(peer) = *request.extensions().get::<Peer>()?;
        Some(forwarded(peer, request.headers(), &self.proxies))
    }
}

/// What a header says, line by line.
fn lines<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Vec<&'r [u8]> {
    let all = headers.get_all(name).into_iter();
    all.map(HeaderValue::as_bytes).collect()
}

/// What a client has already.
pub(super) fn conditions(headers: &HeaderMap) -> Conditions<'_> {
    Conditions {
        none_match: lines(headers, &header::IF_NONE_MATCH),
        modified_since: lines(headers, &header::IF_MODIFIED_SINCE),
    }
}

/// What an answer costs at the most.
pub(super) fn cost(request: &Request, set: &Conditions<'_>) -> Cost {
    if set.is_empty() && request.method() == Method::GET {
        Cost::Whole
    } else {
        Cost::Question
    }
}

/// The last address of `X-Forwarded-For` that is no proxy of ours, as far as each hop is one: what stands before it was
/// written by a stranger.
fn forwarded(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    for hop in lines.join(",").rsplit(',') {
        if !proxies.contains(&client) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        client = before.to_canonical();
    }
    client
}

/// What 200, 226 and 304 have in common (F-28).
fn label(response: &mut Response, offer: &Offer<'_>, coded: &Coded, now: Timestamp) {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, text(&coded.etag));
    headers.insert(header::VARY, offer.vary());
    headers.insert(header::CACHE_CONTROL, offer.caching.clone());
    // F-27: several versions within a second are dated ahead; a date is given once it is past.
    if offer.last_modified <= now {
        headers.insert(header::LAST_MODIFIED, date(offer.last_modified));
    }
}

fn whole(document: &Document, coding: Coding, coded: &Coded) -> Response {
    let mut response = Response::new(Body::from(coded.bytes.clone()));
    let headers = response.headers_mut();
    let media_type = document.media_type();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    if coding != Coding::Identity {
        let name = HeaderValue::from_static(coding.name());
        headers.insert(header::CONTENT_ENCODING, name);
    }
    if media_type.starts_with("text/html") {
        let policy = HeaderValue::from_static(PAGE_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// 226: what is new since the copy the client has (F-36). Its tag is that of the document as it is now.
fn part(document: &Document, delta: Delta) -> Response {
    let mut response = Response::new(Body::from(delta.bytes));
    *response.status_mut() = StatusCode::IM_USED;
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(document.media_type());
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert("im", HeaderValue::from_static("feed"));
    headers.insert("delta-base", text(&delta.base));
    response
}

/// F-35: what is fresh for so long may be shown for as long again while somebody asks, and for a day while we are away.
fn caching(max_age: Duration) -> HeaderValue {
    let seconds = max_age.as_secs();
    text(&format!(
        "public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=86400"
    ))
}

fn date(time: Timestamp) -> HeaderValue {
    let since = Duration::from_millis(u64::try_from(time.millis()).unwrap_or_default());
    text(&httpdate::fmt_http_date(UNIX_EPOCH + since))
}

/// F-43: a path written in a roundabout way is put right once, if it leads anywhere.
fn elsewhere(path: &str, version: &Version) -> Response {
    match straight(path).filter(|straight| version.place(straight).is_some()) {
        // It begins with one slash and is ours, so it cannot lead to another host.
        Some(straight) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response
                .headers_mut()
                .insert(header::LOCATION, text(&straight));
            response
        }
        None => Problem::NOT_FOUND.response(),
    }
}

/// The path without empty and dot segments; `None` where it has none.
fn straight(path: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let straight = format!("/{}", kept.join("/"));
    (straight != path).then_some(straight)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::serve::library::Library;

    #[test]
    fn a_forwarded_address_is_believed_from_our_proxies_alone() {
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
            }
            let proxies = ["127.0.0.1", "10.0.0.1"].map(|address| address.parse().unwrap());
            let client = forwarded(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(client.to_string(), expected, "{peer} {lines:?}");
        };
        check("192.0.2.1", &["198.51.100.1"], "192.0.2.1");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1");
        check(
            "127.0.0.1",
            &["203.0.113.9", "198.51.100.1, 10.0.0.1"],
            "198.51.100.1",
        );
        check("127.0.0.1", &["unknown"], "127.0.0.1");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    /// One path with one document.
    fn site(document: Document) -> Site {
        let library = Library::default();
        let shown = Shown::new(Arc::new(document), "x", Timestamp::EPOCH, Duration::ZERO);
        let places = HashMap::from([("/x".to_owned(), Place::Here(shown))]);
        library.publish(places, Timestamp::EPOCH);
        Site {
            latest: library.latest(),
            search: None,
            live: HashMap::new(),
            buckets: None,
            limits: Limits::default(),
            proxies: Vec::new(),
            clock: || Timestamp::EPOCH,
            since: Instant::now(),
        }
    }

    /// What would show that an answer made something: bytes that are not the version's own.
    #[tokio::test]
    async fn f_32_an_answer_is_the_very_bytes_of_the_version() {
        let words = b"<p>words</p>".repeat(1000);
        let site = site(Document::new("text/plain", words).unwrap());
        let version = site.latest.borrow().clone().unwrap();
        let Some(Place::Here(shown)) = version.place("/x") else {
            panic!("nothing there")
        };
        for turn in 0..10_000 {
            let coding = Coding::ALL.into_iter().nth(turn % 4).unwrap();
            let coded = shown.document.coded(coding).unwrap();
            let request = |tag: &str| {
                let request = Request::builder().uri("/x");
                let request = request.header(header::ACCEPT_ENCODING, coding.name());
                let request = request.header(header::IF_NONE_MATCH, tag);
                request.body(Body::empty()).unwrap()
            };
            let whole = site.answer(&request("\"other\""), "/x", &Offer::of(shown));
            let sent = axum::body::to_bytes(whole.into_body(), usize::MAX)
                .await
                .unwrap();
            assert_eq!(sent.as_ptr(), coded.bytes.as_ptr(), "{coding:?}");
            let same = site.answer(&request(&coded.etag), "/x", &Offer::of(shown));
            assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
            assert!(same.body().is_end_stream());
        }
    }

    #[test]
    fn f_43_paths_are_put_straight() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(straight(path).as_deref(), expected, "{path}");
        };
        check("/feed.atom", None);
        check("//feed.atom", Some("/feed.atom"));
        check("/a/../feed.atom", Some("/feed.atom"));
        check("/../../feed.atom", Some("/feed.atom"));
        check("/./a//b/.", Some("/a/b"));
        check("//example.com/x", Some("/example.com/x"));
        check("/%2e%2e/feed.atom", None);
    }
}
