//! `/search?q=…` of a running daemon: what is found, as a feed.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::support::check_atom;
use crate::support::daemon::{Daemon, PATIENCE, settings};
use crate::support::mill::{Mill, plain, rss};
use crate::support::origin::{Origin, Reply};

const RSS: &str = "application/rss+xml";
const HOME: &str = "https://river.example.net/";

/// A daemon that has read a public feed and a private one, and has both in its index.
fn start() -> (Origin, Mill, Daemon) {
    let open = rss(&[
        ("rain", "颱風來襲", "<p>氣象台預測，明早將有驟雨。</p>"),
        ("sun", "放晴 &amp; \"quiet\"", "<p>天氣轉好，不再下雨。</p>"),
    ]);
    let closed = rss(&[("diary", "日記", "<p>今天也下雨，只給自己看。</p>")]);
    let origin = Origin::start([
        ("/open", Reply::ok(RSS, open)),
        ("/closed", Reply::ok(RSS, closed)),
    ]);
    let private = plain("closed", &origin.url("/closed"))
        .trim_end()
        .to_owned()
        + "\nprivate = true\n\n";
    let mill = Mill::new(&(plain("open", &origin.url("/open")) + &private));
    mill.write(
        "feedmill.toml",
        &settings(&format!(
            "proxies = [\"127.0.0.1\"]\n[feed]\npublic_url = \"{HOME}\"\n"
        )),
    );
    let daemon = Daemon::start(&mill, Duration::from_secs(10));
    (origin, mill, daemon)
}

/// Head and body of an answer, to a stranger who has asked nothing before or to one of this name.
fn ask(daemon: &mut Daemon, path: &str, more: &str) -> (String, String) {
    static STRANGER: AtomicU16 = AtomicU16::new(0);
    let [high, low] = STRANGER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let who = if more.contains("X-Forwarded-For") {
        more.to_owned()
    } else {
        format!("{more}X-Forwarded-For: 10.1.{high}.{low}\r\n")
    };
    let mut stream = std::net::TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: a\r\n{who}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Waits until as many are found.
fn wait(daemon: &mut Daemon, path: &str, entries: usize) -> (String, String) {
    let by = Instant::now() + PATIENCE;
    loop {
        let (head, body) = ask(daemon, path, "");
        if status(&head) == 200 && body.matches("<entry").count() == entries {
            return (head, body);
        }
        assert!(
            Instant::now() < by,
            "never: {path}\n{head}\n{body}\n{}",
            daemon.log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// 雨
const RAIN: &str = "/search?q=%E9%9B%A8";

#[test]
fn a_search_is_a_feed_with_an_id_of_its_own_and_shows_nothing_private() {
    let (_origin, _mill, mut daemon) = start();
    let (head, body) = wait(&mut daemon, RAIN, 2);
    assert_eq!(
        header(&head, "content-type"),
        Some("application/atom+xml; charset=utf-8")
    );
    assert_eq!(header(&head, "cache-control"), Some("public, max-age=60"));
    assert_eq!(header(&head, "last-modified"), None);
    assert!(
        check_atom::check(&body).is_empty(),
        "{:?}",
        check_atom::check(&body)
    );
    assert!(body.contains("颱風來襲") && body.contains("放晴"), "{body}");
    assert!(!body.contains("日記"), "{body}");
    assert!(
        body.contains(&format!(
            "rel=\"self\" type=\"application/atom+xml\" href=\"{HOME}search?q=%E9%9B%A8\""
        )),
        "{body}"
    );
    let id = |body: &str| {
        body.split("<id>")
            .nth(1)
            .unwrap()
            .split("</id>")
            .next()
            .unwrap()
            .to_owned()
    };
    let (_, same) = ask(
        &mut daemon,
        "/search?q=%E3%80%80%E2%80%9C%E9%9B%A8%E2%80%9D",
        "",
    );
    assert_eq!(id(&same), id(&body), "the same asked otherwise");
    let (head, other) = ask(&mut daemon, "/search?q=%E5%A4%A9%E6%B0%94", "");
    assert_eq!(status(&head), 200);
    assert_ne!(id(&other), id(&body));
    assert!(other.contains("放晴") && !other.contains("颱風"), "{other}");
    let (_, none) = ask(&mut daemon, "/search?q=source:closed", "");
    assert_eq!(none.matches("<entry").count(), 0, "{none}");
    assert!(
        check_atom::check(&none).is_empty(),
        "{:?}",
        check_atom::check(&none)
    );
}

#[test]
fn who_has_it_is_told_so_and_what_comes_is_found() {
    let (origin, _mill, mut daemon) = start();
    let (head, _) = wait(&mut daemon, RAIN, 2);
    let tag = header(&head, "etag").unwrap().to_owned();
    let question = format!("If-None-Match: {tag}\r\n");
    let (head, body) = ask(&mut daemon, RAIN, &question);
    assert_eq!((status(&head), body.as_str()), (304, ""), "{head}");
    assert_eq!(header(&head, "etag"), Some(tag.as_str()));
    let (head, _) = ask(
        &mut daemon,
        RAIN,
        "Accept-Encoding: gzip, identity;q=0\r\nRange: bytes=0-0\r\n",
    );
    assert_eq!(header(&head, "content-encoding"), Some("gzip"));
    drop(origin);
}

#[test]
fn what_cannot_be_understood_is_400_and_says_where() {
    let (_origin, _mill, mut daemon) = start();
    for (path, detail) in [
        ("/search", "expected one query"),
        ("/search?q=a&q=b", "expected one query"),
        ("/search?q=", "column 1: expected a word"),
        ("/search?q=%22open", "column 1: expected a closing \\\""),
        ("/search?q=a+soruce:b", "column 3: `soruce` is no field"),
        ("/search?q=after:x", "column 7: expected a date"),
        ("/search?q=%00%FF%E2%80%AE", "expected a word"),
    ] {
        let (head, body) = ask(&mut daemon, path, "");
        assert_eq!(status(&head), 400, "{path}: {head}");
        assert_eq!(
            header(&head, "content-type"),
            Some("application/problem+json"),
            "{head}"
        );
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["type"], "urn:feedmill:problem:query");
        assert!(body.contains(detail), "{path}: {body}");
    }
    let long = format!("/search?q={}", "a".repeat(1_025));
    assert!(ask(&mut daemon, &long, "").1.contains("at most 1024 bytes"));
    for hostile in [
        "%27%3B+DROP+TABLE+article%3B--",
        "NEAR%28a%2Cb%29",
        "%22+OR+1%3D1+--+x%22",
        "a%2A%2Fb",
        "%3Cscript%3E",
    ] {
        let (head, body) = ask(&mut daemon, &format!("/search?q={hostile}"), "");
        assert_eq!(status(&head), 200, "{hostile}: {head}\n{body}");
        assert!(
            check_atom::check(&body).is_empty(),
            "{hostile}: {:?}",
            check_atom::check(&body)
        );
    }
}

#[test]
fn one_client_cannot_search_without_end() {
    let (_origin, _mill, mut daemon) = start();
    let me = "X-Forwarded-For: 192.0.2.7\r\n";
    let answers: Vec<u16> = (0..70)
        .map(|n| status(&ask(&mut daemon, &format!("/search?q=word{n}"), me).0))
        .collect();
    assert_eq!(answers[..60], [200; 60]);
    assert!(answers[60..].contains(&429), "{answers:?}");
    // The same one again and again is a feed that is asked too often.
    let other = "X-Forwarded-For: 192.0.2.8\r\n";
    let answers: Vec<u16> = (0..8)
        .map(|_| status(&ask(&mut daemon, RAIN, other).0))
        .collect();
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 429, 429]);
}
