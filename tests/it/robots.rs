//! What is asked of a publisher that no order names: as its robots.txt allows (RFC 9309, P-164).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use feedmill::fetch::Fetch;
use feedmill::model::feed::Subscription;
use feedmill::model::health::Standing;
use feedmill::model::http::{FetchError, FetchOutcome, Request};
use feedmill::model::urls::PageUrl;
use feedmill::rules::health::judge;
use feedmill::service::poll::{Ended, Outcome, Polled, poll};
use feedmill::service::robots::{Crawling, Ruling};
use feedmill::store::Store;
use tokio::sync::Semaphore;

use crate::support::mill::Mill;
use crate::support::newsroom;
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, Say, Web, now};

const HOUR: Duration = Duration::from_hours(1);

/// A list of teasers whose pages have words, and what stands at /robots.txt.
fn room(titles: &[&str], robots: impl IntoIterator<Item = Say>) -> Room {
    let room = Room::new();
    room.web.script("/robots.txt", robots);
    list(&room, titles);
    room
}

fn list(room: &Room, titles: &[&str]) {
    let line = |title: &&str| format!("teaser {title} /{title}.html {title} /d/{title}\n");
    let lines: String = titles.iter().map(line).collect();
    room.web
        .set("/f", Say::Tagged(lines, "\"a\"", "then", None));
    for title in titles {
        room.web
            .set(&format!("/d/{title}"), Say::Page(format!("words {title}")));
    }
}

fn says(text: &str) -> [Say; 1] {
    [Say::Page(text.to_owned())]
}

const CLOSED: &str = "user-agent: *\ndisallow: /";

fn partial(room: &Room) -> Vec<bool> {
    let all = room.store.since(None, 100).unwrap();
    all.iter().map(|stored| stored.article.partial).collect()
}

fn noted(polled: &Polled, what: &str) {
    let notes = &polled.told.notes;
    assert!(notes.iter().any(|note| note.contains(what)), "{notes:?}");
}

#[tokio::test]
async fn p_164_a_feed_is_polled_and_what_is_behind_it_not_asked_where_all_is_forbidden() {
    let room = room(&["b", "a"], says(CLOSED));
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt"]);
    assert_eq!(
        (&polled.told.outcome, polled.told.failures),
        (&Outcome::Read, 0)
    );
    assert!(polled.told.skipped.is_empty(), "{:?}", polled.told.skipped);
    noted(
        &polled,
        "2 entries are kept as the list has them: robots.txt of https://lines.example.org forbids it (disallow: /)",
    );
    assert_eq!(room.titles(), ["a", "b"], "nothing is lost");
    assert_eq!(partial(&room), [true, true]);
    assert!(room.state("f").validators.is_some(), "all is dealt with");

    list(&room, &["c", "b", "a"]);
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f"], "nobody asks twice");
    assert_eq!((polled.told.known, room.titles().len()), (2, 3));
    noted(&polled, "2 entries are here as the list has them");
}

#[tokio::test]
async fn p_164_what_is_forbidden_makes_no_source_thin() {
    let titles: Vec<String> = (0..60)
        .map(|n| format!("a-rather-long-title-{n:02}"))
        .collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut room = room(&titles[..40], says("user-agent: nobody\ndisallow: /"));
    room.details = 100;
    room.poll("f").await;
    room.later(HOUR * 25);
    room.web.script("/robots.txt", says(CLOSED));
    list(&room, &titles);
    room.poll("f").await;
    let feed = "f".parse().unwrap();
    let evidence = room.store.evidence(&feed).unwrap().unwrap();
    assert_eq!(evidence.entries_ever, 60);
    assert!(evidence.lengths.iter().all(|length| *length > 300));
    assert_eq!(
        room.web
            .paths()
            .iter()
            .filter(|path| *path == "/robots.txt")
            .count(),
        2
    );
    let before = Standing::new(now());
    let (state, why) = judge(&before, &evidence.facts(), now());
    assert_eq!(state.word(), "fine", "{why}");
}

#[tokio::test]
async fn p_164_no_robots_txt_and_an_empty_one_allow_all() {
    for none in [
        Say::Status(404, None),
        Say::Status(403, None),
        Say::Gone,
        Say::Page("\n".to_owned()),
    ] {
        let room = room(&["b", "a"], [none]);
        room.poll("f").await;
        assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/b", "/d/a"]);
        assert_eq!(partial(&room), [false, false]);
    }
}

#[tokio::test]
async fn p_164_what_cannot_be_had_puts_off_and_loses_nothing() {
    for trouble in [
        Say::Status(503, None),
        Say::Status(500, None),
        Say::Timeout,
        Say::Limited(Some(60)),
    ] {
        let room = room(&["b", "a"], [trouble.clone(), Say::Page(String::new())]);
        let polled = room.poll("f").await;
        assert_eq!(room.web.paths(), ["/f", "/robots.txt"], "{trouble:?}");
        assert_eq!(
            (&polled.told.outcome, polled.told.failures),
            (&Outcome::Partial, 0),
            "{trouble:?}: no failure of the feed"
        );
        noted(&polled, "2 entries wait for another poll: robots.txt of");
        assert!(room.titles().is_empty() && room.state("f").validators.is_none());

        room.later(HOUR / 2);
        room.poll("f").await;
        assert_eq!(room.web.paths(), ["/f"], "not at every poll");
        room.later(HOUR / 2);
        room.poll("f").await;
        assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/b", "/d/a"]);
        assert_eq!(partial(&room), [false, false]);
    }
}

#[tokio::test]
async fn p_164_robots_txt_is_asked_once_a_day_and_not_again_after_a_restart() {
    let mut room = room(&["a"], says("user-agent: *\ndisallow: /d/b"));
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/a"]);
    let path = room.store.path().to_owned();
    room.store.close().await.unwrap();
    room.store = Store::open(&path).unwrap();
    room.later(Duration::from_secs(24 * 3600 - 1));
    list(&room, &["c", "b", "a"]);
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/d/c"]);
    room.later(Duration::from_secs(1));
    room.web
        .script("/robots.txt", says("user-agent: *\ndisallow: /d/d"));
    list(&room, &["e", "d", "c", "b", "a"]);
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/e"]);
    assert_eq!(room.titles().len(), 5);
}

#[tokio::test]
async fn p_164_whoever_has_leave_asks_no_robots_txt() {
    let room = room(&["b", "a"], says(CLOSED));
    let mut job = room.job("f");
    job.subscription.ignore_robots = true;
    let Ok(Ended::Recorded(_)) = poll(&room.desk(), job).await else {
        panic!("not recorded")
    };
    assert_eq!(room.web.paths(), ["/f", "/d/b", "/d/a"]);
}

#[tokio::test]
async fn p_164_another_route_may_be_allowed() {
    let room = room(&[], says("user-agent: *\ndisallow: /one"));
    room.web
        .set("/f", Say::Page("teaser a /a.html a /one /two\n".into()));
    room.web.set("/two", Say::Page("words a".into()));
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/two"]);
    assert_eq!(partial(&room), [false]);
    // Its trouble is the entry's trouble then.
    room.web
        .set("/f", Say::Page("teaser b /b.html b /one /three\n".into()));
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/three"]);
    assert!(polled.told.skipped[0].why.contains("404"));
}

#[tokio::test]
async fn p_164_what_is_forbidden_costs_nothing_of_the_budget() {
    let mut room = room(
        &["d", "c", "b", "a"],
        says("user-agent: *\ndisallow: /d/c\ndisallow: /d/d"),
    );
    room.details = 2;
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/b", "/d/a"]);
    assert_eq!(polled.told.outcome, Outcome::Read);
}

#[tokio::test]
async fn p_164_an_entry_that_was_read_whole_stays_so() {
    let room = room(&["a"], says(""));
    room.poll("f").await;
    room.later(HOUR * 25);
    room.web.script("/robots.txt", says(CLOSED));
    room.web
        .set("/f", Say::Page("teaser a /a.html A /d/a\n".into()));
    room.web.requests();
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt"]);
    assert_eq!(
        (room.titles(), partial(&room)),
        (vec!["a".to_owned()], vec![false])
    );
    assert_eq!(polled.told.known, 1);
    noted(&polled, "1 entries stay as they were read before");
}

/// Answers when it is let, and counts.
struct Slow {
    asked: AtomicUsize,
    leave: Semaphore,
}

impl Fetch for Slow {
    async fn fetch(&self, _: Request) -> Result<FetchOutcome, FetchError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.leave.acquire().await.unwrap().forget();
        Ok(FetchOutcome::Gone)
    }
}

#[tokio::test]
async fn p_164_polls_that_need_the_same_robots_txt_make_one_request() {
    let slow = Slow {
        asked: AtomicUsize::new(0),
        leave: Semaphore::new(0),
    };
    let crawling = Crawling::default();
    let order = Subscription::new("a".parse().unwrap(), "dw");
    let page = PageUrl::parse("https://a.example/x").unwrap();
    let ask = async || {
        let mut met = HashMap::new();
        crawling
            .ruling((&slow, None), &order, &page, now(), &mut met)
            .await
    };
    let (a, b, c, ()) = tokio::join!(ask(), ask(), ask(), async { slow.leave.add_permits(9) });
    assert_eq!([a, b, c], [const { Ruling::Allowed }; 3]);
    assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn p_164_every_origin_has_its_own() {
    let web = Web::default();
    let crawling = Crawling::default();
    let order = Subscription::new("a".parse().unwrap(), "dw");
    let mut met = HashMap::new();
    for page in [
        "https://a.example/x",
        "https://a.example:443/y",
        "https://a.example:8443/x",
        "http://a.example/x?robots",
        "https://b.a.example/x",
    ] {
        let page = PageUrl::parse(page).unwrap();
        let ruling = crawling.ruling((&web, None), &order, &page, now(), &mut met);
        assert_eq!(ruling.await, Ruling::Allowed);
    }
    let asked: Vec<String> = web
        .requests()
        .iter()
        .map(|request| request.ask.url.to_string())
        .collect();
    assert_eq!(
        asked,
        [
            "https://a.example/robots.txt",
            "https://a.example:8443/robots.txt",
            "http://a.example/robots.txt",
            "https://b.a.example/robots.txt"
        ]
    );
}

#[test]
fn p_164_the_whole_program_follows_to_a_robots_txt_and_tells_what_it_forbids() {
    let origin = newsroom::open();
    origin.set("/robots.txt", Reply::status(302).header("Location", "/r1"));
    for (from, to) in [
        ("/r1", "/r2"),
        ("/r2", "/r3"),
        ("/r3", "/r4"),
        ("/r4", "/r5"),
    ] {
        origin.set(from, Reply::status(301).header("Location", to));
    }
    let rules = "User-agent: *\nAllow: /\n\nUser-agent: FeedMill\nDisallow: /api/\n";
    origin.set("/r5", Reply::ok("text/plain", rules));
    let mill = Mill::new(&newsroom::feeds_toml(&origin));
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!(run.status, 0, "{run:?}");
    let asked = |what: &str| {
        let log = origin.log();
        log.iter()
            .filter(|seen| seen.path.starts_with(what))
            .count()
    };
    assert_eq!(
        (asked("/robots.txt"), asked("/r5")),
        (1, 1),
        "for all feeds there"
    );
    assert_eq!(asked("/api/"), 0);
    assert!(asked("/rain/") > 0);
    assert_eq!(
        run.err.matches("(disallow: /api/)").count(),
        1,
        "{}",
        run.err
    );
    let titles: Vec<Vec<String>> = mill.list();
    let of_dw = titles.iter().filter(|line| line[3] == "dw").count();
    assert_eq!(of_dw, 3, "{titles:?}");
    let why = mill.run(&["why", "dw"]);
    assert!(
        why.out.contains("robots.txt of http://127.0.0.1"),
        "{why:?}"
    );
    assert_eq!(mill.run(&["fetch", "--once"]).status, 0);
    assert_eq!(
        asked("/robots.txt"),
        1,
        "it is remembered by the next process"
    );
    assert_eq!(asked("/api/"), 0);
}

/// A page behind an entry may be a redirect to another house, whose robots.txt is asked before what came is read.
#[test]
fn p_164_what_a_redirect_leads_to_is_not_read_where_it_may_not_be_asked() {
    let elsewhere = Origin::start([
        ("/open/a", Reply::ok("text/html", PAGE)),
        ("/closed/b", Reply::ok("text/html", PAGE)),
        (
            "/robots.txt",
            Reply::ok("text/plain", "user-agent: *\ndisallow: /closed"),
        ),
    ]);
    let list = "<ul><li><a href=/a>one</a></li><li><a href=/b>two</a></li><li><a href=/c>three</a></li></ul>";
    let to = |url: String| Reply::status(302).header("Location", &url);
    let origin = Origin::start([
        ("/list", Reply::ok("text/html", list)),
        ("/a", to(elsewhere.url("/open/a"))),
        ("/b", to(elsewhere.url("/closed/b"))),
        ("/c", to("/shut/c".to_owned())),
        ("/shut/c", Reply::ok("text/html", PAGE)),
        (
            "/robots.txt",
            Reply::ok("text/plain", "user-agent: *\ndisallow: /shut"),
        ),
    ]);
    let block = format!(
        "[[feed]]\nid = \"s\"\nsource = \"scrape\"\nurl = \"{}\"\nitems = \"li\"\npage_body = \"div\"\n\
         allow_hosts = [\"127.0.0.1\"]\n",
        origin.url("/list")
    );
    let mill = Mill::new(&block);
    for result in ["read", "unchanged"] {
        let report = mill.fetch(0);
        assert_eq!(report["feeds"][0]["result"], result, "{report}");
    }
    let store = Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap();
    let mut partial: Vec<(String, bool)> = store
        .since(None, 10)
        .unwrap()
        .into_iter()
        .map(|stored| (stored.article.title, stored.article.partial))
        .collect();
    partial.sort();
    let expected = [("one", false), ("three", true), ("two", true)];
    assert_eq!(partial, expected.map(|(title, p)| (title.to_owned(), p)));
    let asked = |of: &Origin, path: &str| of.log().iter().filter(|r| r.path == path).count();
    assert_eq!(asked(&elsewhere, "/robots.txt"), 1);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(asked(&origin, path), 1, "{path} is dealt with");
    }
}

const PAGE: &str = "<div><p>Words of the page itself, that no list has.</p></div>";
