//! Fetching against an origin on loopback that plays scripts, rule by rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feedmill::fetch::client::Client;
use feedmill::fetch::{Fetch, FetchSettings};
use feedmill::model::credentials::{Credentials, Scheme};
use feedmill::model::http::{
    Ask, Dated, FetchError, FetchOutcome, Freshness, HostSet, HttpValidators, Method, Page, Request,
};
use feedmill::model::urls::PageUrl;

use crate::support::script::{Act, Origin, Seen, Step, answer, raw};

const FEED: &[u8] = b"<feed><title>made up</title></feed>";

/// No pauses: they have tests of their own.
fn settings() -> FetchSettings {
    FetchSettings {
        host_delay: Duration::ZERO,
        contact: Some(url("https://mill.example/about")),
        ..FetchSettings::default()
    }
}

fn client() -> Client {
    Client::new(settings()).unwrap()
}

fn url(text: &str) -> PageUrl {
    PageUrl::parse(text).unwrap()
}

fn get(address: &str) -> Request {
    conditional(address, None)
}

/// For a feed that may be asked on loopback, as all in here are unless they say otherwise.
fn conditional(address: &str, validators: Option<HttpValidators>) -> Request {
    Request {
        validators,
        allowed: allowed(&["127.0.0.1", "127.0.0.9"]),
        ..Request::new(Ask::get(url(address)), "f".parse().unwrap())
    }
}

fn allowed(hosts: &[&str]) -> HostSet {
    HostSet::parse(hosts).unwrap()
}

fn pair(address: &str, etag: Option<&[u8]>, last_modified: Option<&[u8]>) -> HttpValidators {
    HttpValidators {
        url: url(address),
        etag: etag.map(Box::from),
        last_modified: last_modified.map(Box::from),
    }
}

/// Page, validators, freshness and move of a 200.
fn fresh(
    outcome: Result<FetchOutcome, FetchError>,
) -> (Page, Option<HttpValidators>, Freshness, Option<PageUrl>) {
    match outcome.unwrap() {
        FetchOutcome::Fresh {
            page,
            validators,
            freshness,
            moved_to,
            ..
        } => (page, validators, freshness, moved_to),
        other => panic!("{other:?}"),
    }
}

async fn fetch(step: Step) -> Result<FetchOutcome, FetchError> {
    let origin = Origin::start([step]);
    client().fetch(get(&origin.url("/feed"))).await
}

fn check_error(outcome: Result<FetchOutcome, FetchError>, words: &str) {
    let error = outcome.expect_err("an error").to_string();
    assert!(error.contains(words), "`{error}` lacks `{words}`");
}

#[tokio::test]
async fn p_01_p_16_p_17_p_160_p_162_p_163_every_request_looks_the_same() {
    let cookie = "Set-Cookie: a=b";
    let origin = Origin::start([
        answer("200 OK", &[cookie, "ETag: \"a\""], FEED),
        answer("302 Found", &[cookie, "Location: /other"], b""),
        answer("200 OK", &[], FEED),
    ]);
    let client = client();
    let address = origin.url("/f?b=2&a=%7e&");
    let (_, validators, ..) = fresh(client.fetch(get(&address)).await);
    fresh(
        client
            .fetch(conditional(&format!("{address}#top"), validators))
            .await,
    );

    let log = origin.log();
    let lines: Vec<_> = log.iter().map(Seen::line).collect();
    assert_eq!(
        lines,
        [
            "GET /f?b=2&a=%7e& HTTP/1.1",
            "GET /f?b=2&a=%7e& HTTP/1.1",
            "GET /other HTTP/1.1"
        ]
    );
    let agent = format!(
        "user-agent: feedmill/{} (+https://mill.example/about)",
        env!("CARGO_PKG_VERSION")
    );
    for seen in &log {
        let lines = seen.without(&["if-none-match"]);
        assert_eq!(
            lines,
            [
                "accept: application/atom+xml, application/rss+xml, application/feed+json, \
                 application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, */*;q=0.5",
                &agent,
                "accept-encoding: gzip, br, zstd",
                &format!("host: 127.0.0.1:{}", origin.port()),
                "",
            ]
        );
    }
    let conditions: Vec<_> = log
        .iter()
        .map(|seen| seen.header("if-none-match").len())
        .collect();
    assert_eq!(conditions, [0, 1, 0]);
}

#[tokio::test]
async fn p_02_p_03_p_04_validators_come_back_byte_for_byte() {
    let four_kib = [b'x'; 4096];
    let client = client();
    let check = async |etag: Option<&[u8]>, last_modified: Option<&[u8]>| {
        let mut lines = Vec::new();
        lines.extend(etag.map(|value| [b"ETag: ", value].concat()));
        lines.extend(last_modified.map(|value| [b"Last-Modified: ", value].concat()));
        lines.push(format!("Content-Length: {}", FEED.len()).into_bytes());
        let origin = Origin::start([
            raw("200 OK", &lines, FEED),
            answer("304 Not Modified", &[], b""),
        ]);
        let address = origin.url("/");
        let (_, validators, ..) = fresh(client.fetch(get(&address)).await);
        let again = client.fetch(conditional(&address, validators)).await;
        let both = etag.is_some() || last_modified.is_some();
        assert_eq!(again.is_ok(), both, "{again:?}");
        let log = origin.log();
        let sent = |name| log[1].header(name).first().cloned();
        assert_eq!(sent("if-none-match").as_deref(), etag);
        assert_eq!(sent("if-modified-since").as_deref(), last_modified);
    };
    for etag in [
        &b"\"a\""[..],
        b"W/\"a\"",
        b"\"a-gzip\"",
        b"abc",
        b"\"a,b c\"",
        b"\"\xe9\xff\"",
        &four_kib,
    ] {
        check(Some(etag), None).await;
    }
    for date in [
        &b"Sun, 06 Nov 1994 08:49:37 GMT"[..],
        b"1994-11-06T08:49:37Z",
        b"Sun Nov  6 08:49:37 1994",
        b"never",
    ] {
        check(None, Some(date)).await;
    }
    check(Some(b"\"a\""), Some(b"t1")).await;
    check(None, None).await;
}

#[tokio::test]
async fn p_02_two_etags_are_none() {
    let step = answer("200 OK", &["ETag: \"a\"", "ETag: \"b\""], FEED);
    assert_eq!(fresh(fetch(step).await).1, None);
}

#[tokio::test]
async fn p_05_and_p_06_each_200_speaks_for_itself() {
    let origin = Origin::start([
        answer("200 OK", &["ETag: \"b\"", "Last-Modified: t1"], FEED),
        answer("200 OK", &["Last-Modified: t2"], FEED),
        answer("404 Not Found", &["ETag: \"evil\""], FEED),
    ]);
    let (address, client) = (origin.url("/"), client());
    let known = pair(&address, Some(b"\"a\""), Some(b"t1"));
    let (_, second, ..) = fresh(client.fetch(conditional(&address, Some(known))).await);
    assert_eq!(second, Some(pair(&address, Some(b"\"b\""), Some(b"t1"))));
    let (_, third, ..) = fresh(client.fetch(conditional(&address, second)).await);
    assert_eq!(third, Some(pair(&address, None, Some(b"t2"))));
    check_error(
        client.fetch(conditional(&address, third)).await,
        "HTTP status 404 (not found)",
    );
    assert_eq!(origin.log()[2].header("if-none-match").len(), 0);
}

#[tokio::test]
async fn p_07_to_p_09_a_304_may_renew_validators_and_freshness() {
    let check = async |lines: &[&str], etag: Option<&[u8]>, seconds: Option<u64>| {
        let origin = Origin::start([answer("304 Not Modified", lines, b"")]);
        let address = origin.url("/");
        let known = pair(&address, Some(b"\"a\""), Some(b"t1"));
        let outcome = client()
            .fetch(conditional(&address, Some(known)))
            .await
            .unwrap();
        assert_eq!(
            outcome,
            FetchOutcome::NotModified {
                validators: etag.map(|etag| pair(&address, Some(etag), Some(b"t1"))),
                freshness: Freshness(seconds.map(Duration::from_secs)),
                dated: Dated::default(),
                moved_to: None,
                private: false,
            }
        );
    };
    check(&[], None, None).await;
    check(
        &[
            "ETag: \"b\"",
            "Last-Modified: t1",
            "Cache-Control: max-age=60",
        ],
        Some(b"\"b\""),
        Some(60),
    )
    .await;
    check(&["ETag: \"b\"", "Last-Modified: t9"], None, None).await;
}

#[tokio::test]
async fn p_10_a_304_nobody_asked_for_breaks_http() {
    check_error(
        fetch(answer("304 Not Modified", &[], b"")).await,
        "malformed answer: status 304",
    );
}

#[tokio::test]
async fn p_15_validators_go_only_to_the_address_that_gave_them() {
    let origin = Origin::start([
        answer("302 Found", &["Location: /b", "ETag: \"evil\""], b""),
        answer("200 OK", &["ETag: \"b\""], FEED),
        answer("302 Found", &["Location: /b"], b""),
        answer("304 Not Modified", &[], b""),
    ]);
    let client = client();
    let (page, validators, _, moved) = fresh(client.fetch(get(&origin.url("/a"))).await);
    assert_eq!((page.url.path(), moved), ("/b", None));
    assert_eq!(
        validators,
        Some(pair(&origin.url("/b"), Some(b"\"b\""), None))
    );
    let again = client
        .fetch(conditional(&origin.url("/a"), validators))
        .await;
    assert!(
        matches!(again, Ok(FetchOutcome::NotModified { .. })),
        "{again:?}"
    );
    let sent: Vec<_> = origin
        .log()
        .iter()
        .map(|seen| (seen.line(), seen.header("if-none-match")))
        .collect();
    let line = |path: &str| format!("GET {path} HTTP/1.1");
    assert_eq!(
        sent,
        [
            (line("/a"), vec![]),
            (line("/b"), vec![]),
            (line("/a"), vec![]),
            (line("/b"), vec![b"\"b\"".to_vec()]),
        ]
    );
}

#[tokio::test]
async fn p_20_what_a_page_says_of_itself_arrives() {
    let lines = [
        "Content-Type: Text/XML; charset=\"GB2312\"",
        "Cache-Control: max-age=7200",
        "Age: 1800",
    ];
    let (page, validators, freshness, moved) = fresh(fetch(answer("200 OK", &lines, FEED)).await);
    assert_eq!(page.media_type.as_deref(), Some("text/xml"));
    assert_eq!(page.charset.as_deref(), Some("GB2312"));
    assert_eq!(page.bytes, FEED);
    assert_eq!((validators, moved), (None, None));
    assert_eq!(freshness, Freshness(Some(Duration::from_mins(90))));
}

#[tokio::test]
async fn p_30_to_p_32_being_told_to_wait() {
    let check = async |status: &str, wait: &str, outcome| {
        let lines = [
            "Date: Sun, 06 Nov 1994 08:49:37 GMT",
            wait,
            "Location: /next",
        ];
        assert_eq!(fetch(answer(status, &lines, b"later")).await, outcome);
    };
    let told = |status, seconds: Option<u64>| {
        Ok(FetchOutcome::RateLimited {
            status,
            retry_after: seconds.map(Duration::from_secs),
        })
    };
    let status = |status| {
        Err(FetchError::Status {
            status,
            retry_after: None,
        })
    };
    check(
        "429 Too Many Requests",
        "Retry-After: 86400",
        told(429, Some(86400)),
    )
    .await;
    check(
        "429 Too Many Requests",
        "Retry-After: Sun, 06 Nov 1994 08:59:37 GMT",
        told(429, Some(600)),
    )
    .await;
    check(
        "429 Too Many Requests",
        "Retry-After: soon",
        told(429, None),
    )
    .await;
    check(
        "503 Service Unavailable",
        "Retry-After: 60",
        told(503, Some(60)),
    )
    .await;
    check("503 Service Unavailable", "Retry-After: 0", status(503)).await;
    check("302 Found", "Retry-After: 30", told(302, Some(30))).await;
    check("410 Gone", "X: y", Ok(FetchOutcome::Gone)).await;
    check("500 Oops", "X: y", status(500)).await;
    check("403 Forbidden", "Retry-After: -5", status(403)).await;
    check("300 Multiple Choices", "X: y", status(300)).await;
}

#[tokio::test]
async fn p_42_a_challenge_is_a_refusal_whatever_its_status() {
    for status in ["200 OK", "403 Forbidden", "429 Too Many", "503 Busy"] {
        let lines = [
            "cf-mitigated: Challenge",
            "ETag: \"evil\"",
            "Set-Cookie: a=b",
        ];
        let origin = Origin::start([answer(status, &lines, FEED), answer("200 OK", &[], FEED)]);
        let outcome = client().fetch(get(&origin.url("/"))).await;
        check_error(outcome, "with a challenge for browsers (refuses us)");
        assert_eq!(origin.log().len(), 1, "not tried again");
    }
    let plain = fetch(answer("200 OK", &["cf-mitigated: no"], FEED)).await;
    assert!(plain.is_ok(), "{plain:?}");
}

#[tokio::test]
async fn p_71_a_304_has_a_move_too() {
    let origin = Origin::start([
        answer("308 Moved", &["Location: /b"], b""),
        answer("302 Found", &["Location: /c"], b""),
        answer("304 Not Modified", &[], b""),
    ]);
    let known = pair(&origin.url("/c"), Some(b"\"a\""), None);
    let outcome = client()
        .fetch(conditional(&origin.url("/a"), Some(known)))
        .await;
    assert_eq!(
        outcome,
        Ok(FetchOutcome::NotModified {
            validators: None,
            freshness: Freshness(None),
            dated: Dated::default(),
            moved_to: Some(url(&origin.url("/b"))),
            private: false,
        })
    );
}

#[tokio::test]
async fn p_52_each_timeout_is_enforced() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", FEED.len());
    let head = || Act::Send(head.clone().into_bytes());
    let millis = Duration::from_millis;
    let drip = |bytes: &[u8], pause: u64| {
        bytes
            .iter()
            .flat_map(|byte| [Act::Send(vec![*byte]), Act::Pause(millis(pause))])
            .collect::<Vec<_>>()
    };
    let settings = FetchSettings {
        first_byte: millis(150),
        idle: millis(100),
        total: millis(300),
        ..settings()
    };
    let client = Client::new(settings).unwrap();
    let check = async |step: Step, stage: &'static str, limit: Duration| {
        let origin = Origin::start([step]);
        let start = Instant::now();
        let outcome = client.fetch(get(&origin.url("/"))).await;
        assert_eq!(
            outcome,
            Err(FetchError::Timeout {
                stage,
                host: "127.0.0.1".into(),
                limit,
            })
        );
        assert!(start.elapsed() < millis(2000), "{:?}", start.elapsed());
    };
    check(vec![Act::Hold], "first byte", millis(150)).await;
    check(
        drip(b"HTTP/1.1 200 OK\r\nX: yyyyyyyy", 20),
        "first byte",
        millis(150),
    )
    .await;
    check(vec![head(), Act::Hold], "next byte", millis(100)).await;
    check(
        [vec![head()], drip(FEED, 40)].concat(),
        "whole answer",
        millis(300),
    )
    .await;
    // Redirects share one total: none of these is slow by itself.
    let origin = Origin::start((0..5).map(|n| {
        let onward = answer("302 Found", &[&format!("Location: /{n}")], b"");
        [vec![Act::Pause(millis(90))], onward].concat()
    }));
    let outcome = client.fetch(get(&origin.url("/"))).await;
    check_error(outcome, "no whole answer from `127.0.0.1` within 300ms");
}

#[tokio::test]
async fn p_53_a_short_body_is_no_body() {
    let check = async |head: &str, body: &[u8], words: &str| {
        let bytes = [head.as_bytes(), b"\r\n\r\n", body].concat();
        check_error(fetch(vec![Act::Send(bytes), Act::Close]).await, words);
    };
    let whole = "the answer is not whole: ";
    check("HTTP/1.1 200 OK\r\nContent-Length: 1000", FEED, whole).await;
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        b"5\r\n<feed",
        whole,
    )
    .await;
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        b"6\r\n<feed>\r\n",
        whole,
    )
    .await;
    let half = &gz(FEED)[..30];
    check(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30",
        half,
        whole,
    )
    .await;
    // Told to be over by the connection's end alone, it is whole as far as anybody can say.
    let step = vec![
        Act::Send([b"HTTP/1.0 200 OK\r\n\r\n", FEED].concat()),
        Act::Close,
    ];
    assert_eq!(fresh(fetch(step).await).0.bytes, FEED);
}

#[tokio::test]
async fn p_54_bytes_after_an_answer_are_not_the_next_one() {
    let junk = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".to_vec();
    let mut first = answer("304 Not Modified", &[], b"");
    if let Some(Act::Send(bytes)) = first.first_mut() {
        bytes.extend_from_slice(&junk);
    }
    let origin = Origin::start([first, answer("200 OK", &[], FEED)]);
    let (address, client) = (origin.url("/"), client());
    let known = pair(&address, Some(b"\"a\""), None);
    assert!(
        client
            .fetch(conditional(&address, Some(known)))
            .await
            .is_ok()
    );
    assert_eq!(fresh(client.fetch(get(&address)).await).0.bytes, FEED);
}

#[tokio::test]
async fn p_56_a_malformed_answer_is_an_error() {
    let check = async |bytes: Vec<u8>, words: &str| {
        check_error(fetch(vec![Act::Send(bytes), Act::Close]).await, words);
    };
    check(b"220 mail.example ESMTP\r\n".to_vec(), "malformed answer: ").await;
    check(
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n".to_vec(),
        "malformed answer: ",
    )
    .await;
    check(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        "malformed answer: ",
    )
    .await;
    check(
        b"".to_vec(),
        "the answer is not whole: the connection was closed before there was any",
    )
    .await;
    let lines = |count: usize, size: usize| {
        let line = format!("X: {}\r\n", "y".repeat(size)).repeat(count);
        format!("HTTP/1.1 200 OK\r\n{line}\r\n").into_bytes()
    };
    check(lines(101, 1), "malformed answer: ").await;
    check(lines(70, 1000), "malformed answer: a head of ").await;
    check(lines(1, 600_000), "malformed answer: ").await;
}

#[tokio::test]
async fn p_70_and_p_71_only_permanent_redirects_move() {
    let check = async |hops: &[&str], moved: Option<&str>| {
        let origin = Origin::start(hops.iter().enumerate().map(|(n, status)| {
            answer(status, &[&format!("Location: /{n}")], b"<html>moved</html>")
        }));
        origin.then(answer("200 OK", &[], FEED));
        let (page, _, _, moved_to) = fresh(client().fetch(get(&origin.url("/a"))).await);
        assert_eq!(page.url.path(), format!("/{}", hops.len() - 1));
        assert_eq!(moved_to, moved.map(|path| url(&origin.url(path))));
    };
    check(&["301 Moved"], Some("/0")).await;
    check(&["308 Moved", "301 Moved"], Some("/1")).await;
    check(&["301 Moved", "307 Not here"], Some("/0")).await;
    check(&["302 Not here", "301 Moved"], None).await;
    check(&["303 Not here"], None).await;
}

#[tokio::test]
async fn p_75_loops_and_bad_targets_are_errors() {
    let to = |target: &str| answer("302 Found", &[&format!("Location: {target}")], b"");
    let check = async |steps: Vec<Step>, words: &str, requests: usize| {
        let origin = Origin::start(steps);
        check_error(client().fetch(get(&origin.url("/a/feed"))).await, words);
        assert_eq!(origin.log().len(), requests);
    };
    check(
        vec![to("/b"), to("/a/feed")],
        "redirect not followed: it leads in a circle",
        2,
    )
    .await;
    let six = (1..=6).map(|n| to(&format!("/{n}"))).collect();
    check(six, "redirect not followed: more than 5", 6).await;
    check(vec![answer("302 Found", &[], b"")], "names no target", 1).await;
    check(vec![to("http://")], "redirect not followed: ", 1).await;
    check(
        vec![to("file:///etc/passwd")],
        "not an http or https address",
        1,
    )
    .await;
    check(vec![to("http://127.0.0.1:25/")], "refused: port 25", 1).await;
    let origin = Origin::start([to("../f"), answer("200 OK", &[], FEED)]);
    let (page, ..) = fresh(client().fetch(get(&origin.url("/a/feed"))).await);
    assert_eq!(page.url.path(), "/f");
}

#[tokio::test]
async fn p_76_a_sources_headers_stay_with_its_origin() {
    let away = Origin::start([answer("200 OK", &[], FEED)]);
    let home = Origin::start([
        answer("302 Found", &["Location: /b"], b""),
        answer(
            "302 Found",
            &[&format!("Location: {}", away.url("/c"))],
            b"",
        ),
    ]);
    let mut request = get(&home.url("/a"));
    request.ask.headers = vec![
        ("Referer", "https://news.example/".into()),
        ("Authorization", "Basic eA==".into()),
    ];
    fresh(client().fetch(request).await);
    for name in ["referer", "authorization"] {
        assert!(
            home.log().iter().all(|seen| seen.header(name).len() == 1),
            "{name}"
        );
        assert!(
            away.log().iter().all(|seen| seen.header(name).is_empty()),
            "{name}"
        );
    }
    let mut request = get(&home.url("/a"));
    request.ask.headers = vec![("X", "a\r\nEvil: b".into())];
    check_error(client().fetch(request).await, "refused: the header `X`");
}

#[tokio::test]
async fn p_169_credentials_are_shown_to_their_origin_alone() {
    let away = Origin::start([
        answer("302 Found", &["Location: /d"], b""),
        answer("200 OK", &[], FEED),
        answer("200 OK", &[], FEED),
    ]);
    let home = Origin::start([
        answer("302 Found", &["Location: /b"], b""),
        answer(
            "302 Found",
            &[&format!("Location: {}", away.url("/c"))],
            b"",
        ),
        answer("200 OK", &[], FEED),
    ]);
    let basic = Scheme::Basic {
        user: "讀者".to_owned(),
        password: "a:b".to_owned(),
    };
    let token = Scheme::Bearer {
        token: "abc".to_owned(),
    };
    let with = |to: &str, scheme: &Scheme| Request {
        credentials: Some(Credentials::new(&url(&home.url("/")), scheme.clone())),
        ..get(to)
    };
    fresh(client().fetch(with(&home.url("/a"), &basic)).await);
    fresh(client().fetch(with(&home.url("/a"), &token)).await);
    fresh(client().fetch(with(&away.url("/a"), &basic)).await);
    let shown = |log: Vec<Seen>| -> Vec<Vec<Vec<u8>>> {
        log.iter()
            .map(|seen| seen.header("authorization"))
            .collect()
    };
    // RFC 7617 §2.1: UTF-8, then Base64.
    let basic = vec![b"Basic 6K6A6ICFOmE6Yg==".to_vec()];
    assert_eq!(
        shown(home.log()),
        [basic.clone(), basic, vec![b"Bearer abc".to_vec()]]
    );
    assert_eq!(shown(away.log()), vec![Vec::<Vec<u8>>::new(); 3]);
}

#[tokio::test]
async fn a_post_carries_json_and_becomes_a_get_after_303() {
    let origin = Origin::start([
        answer("307 Not here", &["Location: /b"], b""),
        answer("303 See", &["Location: /c"], b""),
        answer("200 OK", &[], FEED),
    ]);
    let mut request = get(&origin.url("/a"));
    request.ask.method = Method::PostJson("{\"page\":1}".into());
    // Nothing to make conditional about a POST.
    request.validators = Some(pair(&origin.url("/a"), Some(b"\"a\""), None));
    fresh(client().fetch(request).await);
    let log = origin.log();
    for (seen, line) in log.iter().zip(["POST /a HTTP/1.1", "POST /b HTTP/1.1"]) {
        assert_eq!(seen.line(), line);
        assert_eq!(seen.body, b"{\"page\":1}");
        assert_eq!(seen.header("content-type"), [b"application/json".to_vec()]);
        assert!(seen.header("if-none-match").is_empty());
    }
    assert_eq!(log[2].line(), "GET /c HTTP/1.1");
    assert!(log[2].body.is_empty() && log[2].header("content-type").is_empty());
}

fn gz(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn p_80_to_p_85_codings_are_undone_by_us() {
    let zstd = |plain: &[u8]| zstd::bulk::compress(plain, 1).unwrap();
    let check = async |coding: &str, body: &[u8]| {
        let line = format!("Content-Encoding: {coding}");
        let (page, ..) = fresh(fetch(answer("200 OK", &[&line], body)).await);
        assert_eq!(page.bytes, FEED, "{coding}");
    };
    check("gzip", &gz(FEED)).await;
    check("X-GZIP", &gz(FEED)).await;
    check("zstd", &zstd(FEED)).await;
    check("gzip, zstd", &zstd(&gz(FEED))).await;
    // An uncompressed brotli stream by hand (RFC 7932 §9.2): window of 16 bits, one uncompressed block, an empty last one.
    let length = u32::try_from(FEED.len() - 1).unwrap();
    let head = (length << 4) | (1 << 20);
    let br = [&head.to_le_bytes()[..3], FEED, b"\x03"].concat();
    check("br", &br).await;
    let halves = [gz(&FEED[..10]), gz(&FEED[10..]), b"\r\n".to_vec()].concat();
    check("gzip", &halves).await;
    check("gzip", FEED).await;
    check("identity", &gz(FEED)).await;
    let step = answer("200 OK", &["Content-Encoding: utf-8"], FEED);
    check_error(
        fetch(step).await,
        "malformed answer: the content coding `utf-8` is unknown",
    );
    let bomb = zstd(&vec![b' '; 4 << 20]);
    let step = answer("200 OK", &["Content-Encoding: zstd"], &bomb);
    check_error(fetch(step).await, "over the limit of 1048576 bytes");
}

#[tokio::test]
async fn bodies_have_a_limit_on_the_wire_and_decoded() {
    let small = FetchSettings {
        max_wire: 1000,
        max_decoded: 2000,
        ..settings()
    };
    let client = Client::new(small).unwrap();
    let check = async |step: Step, words: Option<&str>| {
        let origin = Origin::start([step]);
        let outcome = client.fetch(get(&origin.url("/"))).await;
        match words {
            Some(words) => check_error(outcome, words),
            None => assert!(outcome.is_ok(), "{outcome:?}"),
        }
    };
    let chunked = |length: usize| {
        let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
        raw(
            "200 OK",
            &[b"Transfer-Encoding: chunked".to_vec()],
            body.as_bytes(),
        )
    };
    let wire = Some("answer over the limit of 1000 bytes");
    check(answer("200 OK", &[], &[b'x'; 1000]), None).await;
    check(answer("200 OK", &[], &[b'x'; 1001]), wire).await;
    check(chunked(1000), None).await;
    check(chunked(1001), wire).await;
    // Refused by what it says, without waiting for it.
    let gigabytes = raw("200 OK", &[b"Content-Length: 9999999999".to_vec()], b"");
    check([gigabytes, vec![Act::Hold]].concat(), wire).await;
    let zipped = |length| {
        answer(
            "200 OK",
            &["Content-Encoding: gzip"],
            &gz(&vec![b'x'; length]),
        )
    };
    check(zipped(2000), None).await;
    check(
        zipped(2001),
        Some("decoded answer over the limit of 2000 bytes"),
    )
    .await;
}

#[tokio::test]
async fn a_long_body_is_decoded_too() {
    // Over 256 KiB on the wire, so decoded off the thread; hardly compressible, as a hash is.
    let mut plain = b"<feed>".to_vec();
    let mut hash = [0; 32];
    while plain.len() < 400_000 {
        hash = *blake3::hash(&hash).as_bytes();
        plain.extend_from_slice(&hash);
    }
    let step = answer("200 OK", &["Content-Encoding: gzip"], &gz(&plain));
    assert_eq!(fresh(fetch(step).await).0.bytes, plain);
}

#[tokio::test]
async fn p_88_an_answer_without_a_body_is_of_no_use() {
    let useless = "an answer without a use: ";
    for body in [&b""[..], b" \r\n\t "] {
        check_error(fetch(answer("200 OK", &[], body)).await, useless);
    }
    let empty = raw(
        "200 OK",
        &[b"Transfer-Encoding: chunked".to_vec()],
        b"0\r\n\r\n",
    );
    check_error(fetch(empty).await, useless);
    check_error(
        fetch(answer("200 OK", &["Content-Encoding: gzip"], &gz(b" "))).await,
        useless,
    );
    for status in [
        "204 No Content",
        "205 Reset Content",
        "206 Partial Content",
        "226 IM Used",
    ] {
        let body = if status.starts_with("204") {
            &b""[..]
        } else {
            FEED
        };
        check_error(
            fetch(answer(status, &["ETag: \"evil\""], body)).await,
            useless,
        );
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let check = async |address: &str, words: &str| {
        let error = client().fetch(get(address)).await.expect_err("no answer");
        assert_eq!(error.to_string(), words);
    };
    // Nobody else listens on this address, so the port cannot be taken by another test meanwhile.
    let gone = Origin::start([]).port();
    check(
        &format!("http://127.0.0.9:{gone}/"),
        "no connection to `127.0.0.9`: connection refused",
    )
    .await;
    let mail = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mail.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = mail.accept().unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(200));
    });
    check(
        &format!("https://127.0.0.1:{port}/"),
        "no secure connection to `127.0.0.1`: what answers there does not speak TLS",
    )
    .await;
    check(
        "http://127.0.0.1:22/",
        "refused: port 22 is not one for web pages",
    )
    .await;
    // A label longer than DNS has room for, so that no resolver is asked.
    let name = format!("{}.invalid", "a".repeat(64));
    let outcome = client().fetch(get(&format!("http://{name}/"))).await;
    check_error(outcome, &format!("the name `{name}` does not resolve: "));
}

/// The certificate is made up; nobody trusts it.
#[tokio::test]
async fn p_50_a_certificate_nobody_vouches_for_is_refused() {
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![
            include_bytes!("../fixtures/fetch/self-signed.cert.der")
                .to_vec()
                .into(),
        ],
        include_bytes!("../fixtures/fetch/self-signed.key.der")
            .to_vec()
            .try_into()
            .unwrap(),
    )
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut heard = Vec::new();
        let _ = rustls::StreamOwned::new(connection, stream).read_to_end(&mut heard);
        heard
    });
    let outcome = client()
        .fetch(get(&format!("https://127.0.0.1:{port}/")))
        .await;
    check_error(
        outcome,
        "no secure connection to `127.0.0.1`: its certificate is from no authority this machine trusts",
    );
    assert_eq!(server.join().unwrap(), b"", "nothing was asked");
}

#[tokio::test]
async fn p_55_a_kept_connection_that_was_closed_is_replaced() {
    let closed = [answer("200 OK", &[], FEED), vec![Act::Close]].concat();
    let origin = Origin::start([closed.clone(), closed.clone(), closed.clone(), closed]);
    let client = Client::new(FetchSettings {
        host_delay: Duration::from_millis(20),
        ..settings()
    })
    .unwrap();
    for _ in 0..4 {
        fresh(client.fetch(get(&origin.url("/"))).await);
    }
    assert_eq!(origin.log().len(), 4);
}

/// Two at once, so that the connection of the first is kept for the second, which finds it closed without an answer.
async fn second_finds_it_closed(
    next: Step,
    ask: Ask,
) -> (Result<FetchOutcome, FetchError>, Vec<usize>) {
    let origin = Origin::start([answer("200 OK", &[], FEED), vec![Act::Close], next]);
    let client = client();
    let mut second = get(&origin.url("/"));
    second.ask = Ask {
        url: url(&origin.url("/")),
        ..ask
    };
    let first = client.fetch(get(&origin.url("/")));
    let (first, second) = tokio::join!(first, client.fetch(second));
    fresh(first);
    let connections = origin.log().iter().map(|seen| seen.connection).collect();
    (second, connections)
}

#[tokio::test]
async fn p_55_a_kept_connection_that_closes_without_an_answer_costs_one_more_try() {
    let plain = || Ask::get(url("http://a.example/"));
    let good = answer("200 OK", &[], FEED);
    let (outcome, connections) = second_finds_it_closed(good.clone(), plain()).await;
    fresh(outcome);
    assert_eq!(connections, [0, 0, 1]);

    let words = "the connection was closed before there was any";
    let (outcome, connections) = second_finds_it_closed(vec![Act::Close], plain()).await;
    check_error(outcome, words);
    assert_eq!(connections, [0, 0, 1], "one more, not two");

    // What a POST did before the connection was closed, nobody knows.
    let post = Ask {
        method: Method::PostJson("{}".into()),
        ..plain()
    };
    let (outcome, connections) = second_finds_it_closed(good, post).await;
    check_error(outcome, words);
    assert_eq!(connections, [0, 0]);
}

#[tokio::test]
async fn p_55_a_new_connection_that_closes_without_an_answer_is_an_error_at_once() {
    let origin = Origin::start([vec![Act::Close], answer("200 OK", &[], FEED)]);
    let client = client();
    let (one, two) = (get(&origin.url("/1")), get(&origin.url("/2")));
    // The second makes the first one's connection worth keeping.
    let (one, two) = tokio::join!(client.fetch(one), client.fetch(two));
    check_error(one, "the connection was closed before there was any");
    fresh(two);
    assert_eq!(origin.log().len(), 2);
}

#[tokio::test]
async fn one_origin_is_asked_one_at_a_time_with_a_pause() {
    let pause = Duration::from_millis(60);
    let slow = || {
        [
            vec![Act::Pause(Duration::from_millis(30))],
            answer("200 OK", &[], FEED),
        ]
        .concat()
    };
    let origin = Origin::start((0..4).map(|_| slow()));
    let client = Client::new(FetchSettings {
        host_delay: pause,
        ..settings()
    })
    .unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (client, request) = (client.clone(), get(&origin.url("/")));
            tokio::spawn(async move { client.fetch(request).await })
        })
        .collect();
    for task in tasks {
        fresh(task.await.unwrap());
    }
    let log = origin.log();
    for (one, next) in log.iter().zip(&log[1..]) {
        let gap = next.at - one.at;
        assert!(gap >= Duration::from_millis(90), "{gap:?}");
    }
    // The first did not know that others would come; they share one connection.
    assert!(log[3].connection <= 1, "{}", log[3].connection);
}

/// The certificate authorities are the machine's own affair, so this runs in a process of its own that has none.
#[test]
fn f11_without_authorities_on_the_machine_there_is_a_client_all_the_same() {
    const INSIDE: &str = "FEEDMILL_TEST_WITHOUT_AUTHORITIES";
    if std::env::var_os(INSIDE).is_none() {
        let nowhere = tempfile::tempdir().unwrap();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("fetch::f11_without_authorities_on_the_machine_there_is_a_client_all_the_same")
            .env(INSIDE, "1")
            .env("SSL_CERT_FILE", nowhere.path().join("none.pem"))
            .env("SSL_CERT_DIR", nowhere.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("no certificate authorities on this machine"),
            "{said}"
        );
        return;
    }
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stdout)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        fresh(fetch(answer("200 OK", &[], FEED)).await);
    });
}

#[allow(
    dead_code,
    reason = "compiling it says that a fetch may move between threads"
)]
fn fetching_is_send(client: &Client, request: Request) -> impl Send + use<'_> {
    client.fetch(request)
}
