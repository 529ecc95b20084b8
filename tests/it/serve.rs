//! The server over real sockets, by the rules of PUBLISHING and the floods of RELIABILITY F5. The client is raw TCP: what is
//! judged are bytes.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use feedmill::model::time::Timestamp;
use feedmill::output::OUTPUTS;
use feedmill::output::edition::Edition;
use feedmill::serve::accept::Limits;
use feedmill::serve::library::{Document, Library, Place, Shown};
use feedmill::serve::limits::Buckets;
use feedmill::serve::site::{Page, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::support::hostile::{entry, hostile, river};

const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

pub fn clock() -> Timestamp {
    Timestamp::from_secs(784_200_000)
}

pub fn changed() -> Timestamp {
    Timestamp::from_secs(784_111_777)
}

/// A server on loopback with one version of the hostile river.
pub struct House {
    address: SocketAddr,
    pub library: Library,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

fn here(document: Document) -> Place {
    let max_age = Duration::from_mins(10);
    Place::Here(Shown::new(Arc::new(document), "feed", changed(), max_age))
}

fn version(title: &str) -> HashMap<String, Place> {
    let mut river = hostile();
    title.clone_into(&mut river.title);
    let edition = Edition::of(&river);
    let mut places: HashMap<String, Place> = OUTPUTS
        .iter()
        .map(|output| {
            let document = Document::new(output.media_type(), output.write(&edition)).unwrap();
            (format!("/{}", output.file()), here(document))
        })
        .collect();
    places.insert("/old.atom".to_owned(), Place::Gone);
    places
}

fn small(title: &str) -> HashMap<String, Place> {
    let mut river = river(vec![entry(1)]);
    title.clone_into(&mut river.title);
    let atom = OUTPUTS[0];
    let document = Document::new(atom.media_type(), atom.render(&river)).unwrap();
    HashMap::from([("/feed.atom".to_owned(), here(document))])
}

impl House {
    pub async fn empty(adapt: impl FnOnce(&mut Site)) -> Self {
        let library = Library::default();
        let page = |body: &'static str| -> Box<dyn Fn() -> Page + Send + Sync> {
            Box::new(move || Page {
                status: StatusCode::OK,
                media_type: "text/plain; charset=utf-8",
                body: body.to_owned(),
            })
        };
        let mut site = Site {
            latest: library.latest(),
            search: None,
            live: HashMap::from([
                ("/healthz", page("well\n")),
                ("/metrics", page("polls 1\n")),
            ]),
            buckets: None,
            limits: Limits::default(),
            proxies: Vec::new(),
            clock,
            since: Instant::now(),
        };
        adapt(&mut site);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(feedmill::serve::serve(listener, Arc::new(site), async {
            let _ = stopped.await;
        }));
        Self {
            address,
            library,
            stop: Some(stop),
            serving,
        }
    }

    async fn open() -> Self {
        let house = Self::empty(|_| {}).await;
        house.publish(version("River"));
        house
    }

    async fn with(limits: Limits) -> Self {
        let house = Self::empty(|site| site.limits = limits).await;
        house.publish(small("River"));
        house
    }

    fn publish(&self, places: HashMap<String, Place>) {
        assert!(self.library.publish(places, clock()));
    }

    /// One request on a connection of its own; `Host` and `Connection` are added.
    pub async fn ask(&self, line: &str, headers: &[&str]) -> Reply {
        let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        self.say(&(request + "\r\n")).await
    }

    /// Raw bytes, and all that comes back until the server hangs up.
    async fn say(&self, bytes: &str) -> Reply {
        let mut stream = self.dial().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut all));
        read.await.unwrap().unwrap();
        Reply::read(&all)
    }

    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub async fn close(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let headers = head.lines().skip(1).map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: headers.collect(),
            head: head.to_owned(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let first = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice: {}", self.head);
        first
    }

    /// A small problem document of this status (F-34, F-70).
    #[track_caller]
    fn problem(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.head);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert!(self.body.len() <= 300, "{}", self.body.len());
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], status);
        assert!(
            problem["type"]
                .as_str()
                .unwrap()
                .starts_with("urn:feedmill:problem:")
        );
    }
}

pub fn unpacked(reply: &Reply) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let body = &*reply.body;
    match reply.header("content-encoding") {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut bytes),
        Some("br") => brotli_decompressor::Decompressor::new(body, 4096).read_to_end(&mut bytes),
        Some("zstd") => zstd::stream::read::Decoder::new(body)
            .unwrap()
            .read_to_end(&mut bytes),
        Some(other) => panic!("{other}"),
        None => return reply.body.clone(),
    }
    .unwrap();
    bytes
}

#[tokio::test]
async fn f_21_f_22_every_format_is_what_it_says_whatever_is_accepted() {
    let house = House::open().await;
    for output in OUTPUTS {
        for accept in [
            "*/*",
            "text/html, application/xhtml+xml;q=0.9",
            "application/json",
        ] {
            let path = format!("/{}", output.file());
            let reply = house
                .ask(&format!("GET {path}"), &[&format!("Accept: {accept}")])
                .await;
            assert_eq!(reply.status, 200, "{}", reply.head);
            assert_eq!(reply.header("content-type"), Some(output.media_type()));
            assert_eq!(
                reply.body,
                output.render(&{
                    let mut river = hostile();
                    "River".clone_into(&mut river.title);
                    river
                })
            );
        }
    }
    house.close().await;
}

#[tokio::test]
async fn f_23_f_30_f_31_codings_are_chosen_and_tagged() {
    let house = House::open().await;
    let plain = house.ask("GET /feed.atom", &[]).await;
    let mut tags = Vec::new();
    for (accept, coding) in [
        ("", None),
        ("gzip, deflate", Some("gzip")),
        ("gzip, br", Some("br")),
        ("zstd", Some("zstd")),
    ] {
        let reply = house
            .ask("GET /feed.atom", &[&format!("Accept-Encoding: {accept}")])
            .await;
        assert_eq!(reply.header("content-encoding"), coding);
        assert_eq!(unpacked(&reply), plain.body);
        assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
        let hash = blake3::hash(&reply.body).to_hex();
        let tag = reply.header("etag").unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", &hash[..32]));
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
    let none = house
        .ask("GET /feed.atom", &["Accept-Encoding: identity;q=0"])
        .await;
    none.problem(406);
    assert_eq!(none.header("content-encoding"), None);
    assert_eq!(none.header("vary"), Some("Accept-Encoding"));
    house.close().await;
}

#[tokio::test]
async fn f_24_to_f_28_what_is_current_is_not_sent_again() {
    let house = House::open().await;
    let plain = house.ask("GET /feed.atom", &[]).await;
    let plain_tag = format!("If-None-Match: {}", plain.header("etag").unwrap());
    let since = format!("If-Modified-Since: {CHANGED}");
    for (headers, status) in [
        (vec![&*plain_tag], 304),
        (vec![&*plain_tag, "Accept-Encoding: gzip"], 304),
        (vec!["If-None-Match: *"], 304),
        (vec!["If-None-Match: \"a\"", &*plain_tag], 304),
        (vec!["If-None-Match: \"\""], 200),
        (vec!["If-None-Match: \"a\"", &*since], 200),
        (vec![&*since], 304),
        (
            vec!["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"],
            200,
        ),
        (vec!["If-Modified-Since: rubbish"], 200),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = house.ask(&format!("{method} /feed.atom"), &headers).await;
            assert_eq!(reply.status, status, "{headers:?}");
            if status == 304 {
                assert!(reply.body.is_empty());
                for absent in [
                    "content-length",
                    "content-type",
                    "content-encoding",
                    "transfer-encoding",
                ] {
                    assert_eq!(reply.header(absent), None, "{}", reply.head);
                }
            }
            for same in ["vary", "cache-control", "last-modified"] {
                assert_eq!(reply.header(same), plain.header(same), "{same}");
                assert!(reply.header(same).is_some(), "{same}");
            }
            assert!(reply.header("date").is_some());
        }
    }
    // F-25: the answer names the copy the client has.
    let reply = house
        .ask("GET /feed.atom", &[&plain_tag, "Accept-Encoding: gzip"])
        .await;
    assert_eq!(reply.header("etag"), plain.header("etag"));
    assert_eq!(plain.header("last-modified"), Some(CHANGED));
    house.close().await;
}

#[tokio::test]
async fn what_is_about_to_be_made_is_waited_for() {
    let house = House::empty(|_| {}).await;
    let mut places = small("1");
    places.insert("/source/a.atom".to_owned(), Place::Coming);
    house.publish(places);
    assert_eq!(house.ask("GET /feed.atom", &[]).await.status, 200);
    assert_eq!(house.ask("GET /source/b.atom", &[]).await.status, 404);
    let then = async {
        // Whoever asks is waiting by now, and what is published does not bring it yet.
        tokio::task::yield_now().await;
        let mut places = small("2");
        places.insert("/source/a.atom".to_owned(), Place::Coming);
        house.publish(places);
        tokio::task::yield_now().await;
        let mut places = small("2");
        let made = places["/feed.atom"].clone();
        places.insert("/source/a.atom".to_owned(), made);
        house.publish(places);
    };
    let (reply, ()) = tokio::join!(house.ask("GET /source/a.atom", &[]), then);
    assert_eq!(reply.status, 200);
    house.close().await;
}

#[tokio::test]
async fn f_27_a_date_that_is_not_yet_past_is_not_given() {
    let house = House::empty(|site| site.clock = changed).await;
    house.library.publish(small("1"), changed());
    let first = house.ask("GET /feed.atom", &[]).await;
    assert_eq!(first.header("last-modified"), Some(CHANGED));
    house.library.publish(small("2"), changed());
    let second = house.ask("GET /feed.atom", &[]).await;
    assert_eq!(second.header("last-modified"), None);
    let since = format!("If-Modified-Since: {CHANGED}");
    assert_eq!(house.ask("GET /feed.atom", &[&since]).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn f_29_f_33_f_35_head_is_get_without_a_body() {
    let house = House::open().await;
    for extra in ["Accept-Encoding: br", "Range: bytes=0-9", "X: y"] {
        let get = house.ask("GET /feed.rss", &[extra]).await;
        let head = house.ask("HEAD /feed.rss", &[extra]).await;
        assert_eq!((get.status, head.status), (200, 200));
        assert!(head.body.is_empty());
        let but_date = |reply: &Reply| -> Vec<(String, String)> {
            let all = reply.headers.clone().into_iter();
            all.filter(|(name, _)| name != "date").collect()
        };
        assert_eq!(but_date(&get), but_date(&head));
        assert_eq!(
            get.header("content-length"),
            Some(&*get.body.len().to_string())
        );
        assert_eq!(get.header("accept-ranges"), Some("none"));
        assert_eq!(
            get.header("cache-control"),
            Some("public, max-age=600, stale-while-revalidate=600, stale-if-error=86400")
        );
        for never in ["set-cookie", "expires"] {
            assert_eq!(get.header(never), None);
        }
    }
    house.close().await;
}

#[tokio::test]
async fn f_34_f_46_errors_are_small_and_every_answer_is_guarded() {
    let house = House::open().await;
    let nowhere = house.ask("GET /etc/passwd", &[]).await;
    nowhere.problem(404);
    assert_eq!(nowhere.header("cache-control"), Some("public, max-age=300"));
    let gone = house.ask("GET /old.atom", &[]).await;
    gone.problem(410);
    assert_eq!(gone.header("cache-control"), Some("public, max-age=300"));
    for method in ["POST", "DELETE", "PROPFIND"] {
        let refused = house.ask(&format!("{method} /feed.atom"), &[]).await;
        refused.problem(405);
        assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    let health = house.ask("GET /healthz", &[]).await;
    assert_eq!((health.status, &*health.body), (200, &b"well\n"[..]));
    assert_eq!(health.header("cache-control"), Some("no-store"));
    let metrics = house.ask("GET /metrics", &[]).await;
    assert_eq!(metrics.body, b"polls 1\n");
    let feed = house.ask("GET /feed.atom", &[]).await;
    for reply in [nowhere, gone, health, metrics, feed] {
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.ends_with("; sandbox"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            reply.header("cross-origin-resource-policy"),
            Some("cross-origin")
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert!(reply.header("date").is_some());
    }
    house.close().await;
}

#[tokio::test]
async fn f_39_nothing_is_shown_before_there_is_something() {
    let house = House::empty(|_| {}).await;
    let early = house.ask("GET /feed.atom", &[]).await;
    early.problem(503);
    assert_eq!(early.header("retry-after"), Some("5"));
    assert_eq!(early.header("cache-control"), Some("no-store"));
    assert_eq!(house.ask("GET /healthz", &[]).await.status, 200);
    house.publish(small("River"));
    assert_eq!(house.ask("GET /feed.atom", &[]).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn f_40_one_answer_is_of_one_version() {
    let house = House::open().await;
    let versions: Vec<_> = (0..10).map(|n| small(&format!("Version {n}"))).collect();
    let done = Cell::new(false);
    let publish = async {
        for places in versions {
            house.publish(places);
            sleep(Duration::from_millis(5)).await;
        }
        done.set(true);
    };
    let read = async {
        let mut seen = Vec::new();
        while !done.get() {
            let reply = house
                .ask("GET /feed.atom", &["Accept-Encoding: gzip"])
                .await;
            let hash = blake3::hash(&reply.body).to_hex();
            let tag = reply.header("etag").unwrap();
            assert_eq!(tag, format!("\"{}\"", &hash[..32]));
            seen.push((
                reply.header("last-modified").unwrap().to_owned(),
                tag.to_owned(),
            ));
        }
        seen
    };
    let ((), seen) = tokio::join!(publish, read);
    let mut dates: Vec<_> = seen.iter().map(|(date, _)| date.clone()).collect();
    assert!(dates.is_sorted(), "a version went back: {dates:?}");
    dates.dedup();
    assert!(dates.len() > 2, "{dates:?}");
    let mut pairs = seen;
    pairs.dedup();
    assert_eq!(pairs.len(), dates.len(), "a date for each tag");
    house.close().await;
}

#[tokio::test]
async fn f_41_who_asks_too_often_is_told_to_wait() {
    let house = House::empty(|site| site.buckets = Some(Buckets::default())).await;
    house.publish(small("River"));
    let mut told = Vec::new();
    for _ in 0..10 {
        let reply = house.ask("GET /feed.atom", &[]).await;
        if reply.status == 429 {
            reply.problem(429);
            told.push(reply.header("retry-after").unwrap().parse::<u64>().unwrap());
        }
    }
    assert_eq!(told.len(), 4);
    assert!(
        told.iter().all(|wait| (290..=300).contains(wait)),
        "{told:?}"
    );
    // Questions are cheap, and answered for longer.
    assert_eq!(
        house
            .ask("GET /feed.atom", &["If-None-Match: *"])
            .await
            .status,
        304
    );
    assert_eq!(house.ask("HEAD /feed.atom", &[]).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn f_43_old_and_roundabout_requests_are_understood() {
    let house = House::open().await;
    assert_eq!(
        house.say("GET /feed.atom HTTP/1.0\r\n\r\n").await.status,
        200
    );
    let absolute =
        "GET http://elsewhere.example/feed.atom HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(house.say(absolute).await.status, 200);
    let mut hostless = "GET /feed.atom HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned();
    house.say(&hostless).await.problem(400);
    hostless.insert_str(25, "Host: a\r\nHost: b\r\n");
    house.say(&hostless).await.problem(400);
    for roundabout in [
        "//feed.atom",
        "/x/../feed.atom",
        "/./feed.atom",
        "/../../feed.atom",
    ] {
        let reply = house.ask(&format!("GET {roundabout}"), &[]).await;
        assert_eq!(reply.status, 308, "{roundabout}");
        assert_eq!(reply.header("location"), Some("/feed.atom"));
    }
    for nowhere in [
        "//evil.example/",
        "/../../etc/passwd",
        "/feed.atom/",
        "/%2e%2e/feed.atom",
    ] {
        let reply = house.ask(&format!("GET {nowhere}"), &[]).await;
        assert!(
            [404, 308].contains(&reply.status),
            "{nowhere}: {}",
            reply.status
        );
        assert!(reply.header("location").is_none_or(|at| at == "/feed.atom"));
    }
    assert_eq!(house.ask("GET /feed.atom?utm=1", &[]).await.status, 200);
    house.close().await;
}

/// Both are optional, and not offered: whoever asks for them is answered as if the question were not there.
#[tokio::test]
async fn f_38_f_47_neither_dictionaries_nor_digests_are_promised() {
    let house = House::open().await;
    let headers = [
        "Accept-Encoding: dcb, dcz, gzip;q=0.5",
        "Available-Dictionary: :pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:",
        "Want-Repr-Digest: sha-256=1",
    ];
    let reply = house.ask("GET /feed.atom", &headers).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    let plain = house
        .ask("GET /feed.atom", &["Accept-Encoding: gzip"])
        .await;
    assert_eq!(reply.body, plain.body);
    for name in ["use-as-dictionary", "repr-digest", "content-digest"] {
        assert_eq!(reply.header(name), None);
    }
    let vary = reply.header("vary").unwrap();
    assert!(!vary.contains("Available-Dictionary"), "{vary}");
    let only = house
        .ask("GET /feed.atom", &["Accept-Encoding: dcb, identity;q=0"])
        .await;
    only.problem(406);
    house.close().await;
}

#[tokio::test]
async fn f_45_browsers_may_read_from_anywhere() {
    let house = House::open().await;
    let reply = house
        .ask(
            "OPTIONS /feed.json",
            &[
                "Origin: https://e.example",
                "Access-Control-Request-Method: GET",
            ],
        )
        .await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("content-length"), None);
    assert_eq!(
        reply.header("access-control-allow-methods"),
        Some("GET, HEAD")
    );
    let allowed = reply.header("access-control-allow-headers").unwrap();
    assert!(
        ["If-None-Match", "If-Modified-Since", "A-IM"]
            .iter()
            .all(|one| allowed.contains(one))
    );
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("ETag") && exposed.contains("Last-Modified"));
    house.close().await;
}

#[tokio::test]
async fn f_42_bodies_and_swollen_heads_are_refused() {
    let house = House::open().await;
    for body in [
        "GET /feed.atom HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "GET /feed.atom HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n",
        "POST /feed.atom HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let reply = house.say(body).await;
        reply.problem(413);
        assert_eq!(reply.header("connection"), Some("close"));
    }
    // A second request hidden in what the first calls its body is not answered.
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /feed.atom HTTP/1.1\r\nHost: a\r\n\r\n";
    let reply = house.say(smuggled).await;
    assert!([400, 413].contains(&reply.status), "{}", reply.status);
    assert!(!String::from_utf8_lossy(&reply.body).contains("HTTP/1.1"));
    let many = "A: b\r\n".repeat(65);
    let head = format!("GET /feed.atom HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    let refused = house.say(&head).await;
    refused.problem(431);
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    assert!(refused.header("date").is_some());
    for long in [17_000, 60_000] {
        let head = format!(
            "GET /feed.atom HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n",
            "b".repeat(long)
        );
        let mut stream = house.dial().await;
        // The server may hang up before all of it is through.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
            .await
            .unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    }
    for rubbish in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET /feed.atom HTTP/1.1\r\nHost : a\r\n\r\n",
    ] {
        house.say(rubbish).await.problem(400);
    }
    assert_eq!(house.ask("GET /feed.atom", &[]).await.status, 200);
    house.close().await;
}

/// Limits of the usual proportions, short enough for a test.
fn brisk() -> Limits {
    Limits {
        head: Duration::from_millis(300),
        idle: Duration::from_millis(1500),
        stall: Duration::from_millis(300),
        drain: Duration::from_millis(500),
        ..Limits::default()
    }
}

/// How long until the server hangs up, at most four seconds.
async fn ends(stream: &mut TcpStream) -> Option<Duration> {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let ended = timeout(Duration::from_secs(4), stream.read_to_end(&mut bytes)).await;
    ended.ok().map(|_| begun.elapsed())
}

#[tokio::test]
async fn f_42_half_heads_and_silence_end_in_time() {
    let house = House::with(brisk()).await;
    let mut silent = house.dial().await;
    let took = ends(&mut silent).await.expect("a silent connection stays");
    assert!(took < Duration::from_millis(1200), "{took:?}");
    // A dribbled head: a byte now and then buys no time.
    let mut dribbled = house.dial().await;
    let begun = Instant::now();
    for byte in b"GET /feed.atom HTTP/1.1\r\nHost: a\r\nX-Long: "
        .iter()
        .cycle()
        .take(40)
    {
        if dribbled.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert!(ends(&mut dribbled).await.is_some());
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    house.close().await;
}

#[tokio::test]
async fn f_42_an_answered_connection_is_kept_for_a_while_and_no_longer() {
    let house = House::with(brisk()).await;
    let mut stream = house.dial().await;
    let question = b"GET /feed.atom HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n";
    let mut buffer = vec![0; 4096];
    for _ in 0..3 {
        stream.write_all(question).await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 304"));
        // Longer than a head may take.
        sleep(Duration::from_millis(500)).await;
    }
    let took = ends(&mut stream).await.expect("an idle connection stays");
    assert!(took > Duration::from_millis(500), "{took:?}");
    // And after an answer, half a head has no more time than before.
    let mut stream = house.dial().await;
    stream.write_all(question).await.unwrap();
    let _ = stream.read(&mut buffer).await.unwrap();
    stream.write_all(b"GET /feed").await.unwrap();
    let took = ends(&mut stream).await.expect("half a head stays");
    assert!(took < Duration::from_millis(1100), "{took:?}");
    house.close().await;
}

#[tokio::test]
async fn f_42_who_does_not_read_is_cut_off() {
    let limits = Limits {
        idle: Duration::from_mins(1),
        ..brisk()
    };
    let house = House::empty(|site| site.limits = limits).await;
    let large = Document::new("text/plain", vec![b'a'; 16 << 20]).unwrap();
    house.publish(HashMap::from([("/large".to_owned(), here(large))]));
    let mut stream = house.dial().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(1500)).await;
    let mut all = Vec::new();
    let _ = timeout(Duration::from_secs(4), stream.read_to_end(&mut all))
        .await
        .expect("still open");
    assert!(all.len() < 16 << 20, "it was all sent: {}", all.len());
    house.close().await;
}

#[tokio::test]
async fn f_42_one_client_cannot_take_every_place() {
    let house = House::with(Limits {
        head: Duration::from_secs(3),
        ..brisk()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut stream = house.dial().await;
        stream.write_all(b"GET /").await.unwrap();
        held.push(stream);
    }
    sleep(Duration::from_millis(100)).await;
    let mut one_more = house.dial().await;
    assert!(ends(&mut one_more).await.unwrap() < Duration::from_millis(500));
    // Loopback has other clients.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut honest = socket.connect(house.address).await.unwrap();
    honest
        .write_all(b"GET /feed.atom HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    honest.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Reply::read(&answer).status, 200);
    // Places that are given up can be had again.
    held.clear();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(house.ask("GET /feed.atom", &[]).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn f_42_a_crowd_passes_and_honest_readers_wait_their_turn() {
    let house = House::with(Limits {
        in_all: 20,
        per_client: 1000,
        ..brisk()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..60 {
        let mut stream = house.dial().await;
        let _ = stream.write_all(b"GET /feed.atom HTTP/1.1\r\n").await;
        held.push(stream);
    }
    let begun = Instant::now();
    let reply = house.ask("GET /feed.atom", &[]).await;
    assert_eq!(reply.status, 200);
    // Three rounds of 20, of 300 ms each.
    assert!(
        begun.elapsed() > Duration::from_millis(500),
        "there was no crowd"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    for stream in &mut held {
        assert!(ends(stream).await.is_some());
    }
    house.close().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_being_answered_and_nothing_else() {
    let house = House::with(brisk()).await;
    let mut idle = house.dial().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut buffer = [0; 2048];
    let _ = idle.read(&mut buffer).await.unwrap();
    let mut stuck = house.dial().await;
    stuck.write_all(b"GET /").await.unwrap();
    let address = house.address;
    let begun = Instant::now();
    house.close().await;
    assert!(
        begun.elapsed() < Duration::from_millis(1200),
        "{:?}",
        begun.elapsed()
    );
    assert!(ends(&mut idle).await.unwrap() < Duration::from_millis(200));
    assert!(ends(&mut stuck).await.unwrap() < Duration::from_millis(200));
    assert!(TcpStream::connect(address).await.is_err());
}
