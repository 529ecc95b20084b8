//! `feedmill feeds`: what it asks, what it writes, and what it leaves alone.

use std::fs;
use std::time::Duration;

use feedmill::store::Store;
use nix::sys::signal::Signal;

use crate::support::daemon::{self, Daemon};
use crate::support::mill::{Mill, Run, plain, rss, words};
use crate::support::origin::{Origin, Reply};

/// The tests' publishers are on this machine.
const LOCAL: &str = "allow_hosts=[\"127.0.0.1\"]";

fn feed() -> Reply {
    let (one, two) = (words(1), words(2));
    let document = rss(&[("e1", "One", &one), ("e2", "Two", &two)]);
    Reply::ok("application/rss+xml", document).validated()
}

fn page(links: &str) -> Reply {
    let html = format!(
        "<!doctype html><html><head><title>A site</title>{links}</head><body><p>Nothing but words here.</body></html>"
    );
    Reply::ok("text/html; charset=utf-8", html)
}

fn text(mill: &Mill) -> String {
    fs::read_to_string(mill.path("feeds.toml")).unwrap()
}

fn asked(origin: &Origin) -> Vec<String> {
    let log = origin.take_log();
    log.iter()
        .map(|request| format!("{} {} {}", request.method, request.path, request.answered))
        .collect()
}

fn refused(run: &Run, why: &str) {
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.err.contains(why), "{run:?}");
}

const SHIPPED: &str = include_str!("../../feeds.toml");

#[test]
fn p_60_adding_a_feed_is_one_request_and_its_first_poll() {
    let origin = Origin::start([("/feed.xml", feed())]);
    let mill = Mill::new(SHIPPED);
    let run = mill.run(&[
        "feeds",
        "add",
        &origin.url("/feed.xml"),
        "--set",
        LOCAL,
        "--tag",
        "made up",
    ]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("“Made-up news”, 2 entries"), "{run:?}");
    assert!(run.out.contains("first poll: read, 2 new"), "{run:?}");
    assert_eq!(asked(&origin), ["GET /feed.xml 200"]);
    // Every byte that was there is there.
    assert!(text(&mill).starts_with(SHIPPED));
    let tail = &text(&mill)[SHIPPED.len()..];
    let url = origin.url("/feed.xml");
    assert_eq!(
        tail,
        format!(
            "\n[[feed]]\nid = \"127-0-0-1\"\nurl = \"{url}\"\ntags = [\"made up\"]\nallow_hosts = [\"127.0.0.1\"]\n"
        )
    );
    assert_eq!(mill.list().len(), 2);
    // The next request brings the validators of the first.
    let run = mill.run(&["fetch", "--once", "127-0-0-1"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(asked(&origin), ["GET /feed.xml 304"]);
}

#[test]
fn p_60_a_feed_that_was_just_asked_is_not_asked_again() {
    let origin = Origin::start([("/feed.xml", feed())]);
    let mill = Mill::new(&plain("other", "http://127.0.0.1:9/other"));
    mill.write(
        "feedmill.toml",
        "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"1h\"\n",
    );
    let add = || {
        mill.run(&[
            "feeds",
            "add",
            &origin.url("/feed.xml"),
            "--set",
            LOCAL,
            "--id",
            "a",
        ])
    };
    assert_eq!(add().status, 0);
    assert_eq!(asked(&origin), ["GET /feed.xml 200"]);
    assert_eq!(mill.run(&["feeds", "remove", "a"]).status, 0);
    let run = add();
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("left alone until"), "{run:?}");
    assert_eq!(asked(&origin), [""; 0]);
}

#[test]
fn p_61_a_page_with_one_feed_is_taken_with_yes_alone() {
    let origin = Origin::start([
        (
            "/",
            page("<link rel=alternate type='application/rss+xml' title='News' href='/feed.xml'>"),
        ),
        ("/feed.xml", feed()),
    ]);
    let mill = Mill::new("");
    let run = mill.run(&["feeds", "add", &origin.url("/"), "--set", LOCAL]);
    refused(&run, "--yes");
    assert!(run.err.contains(&origin.url("/feed.xml")), "{run:?}");
    assert_eq!(asked(&origin), ["GET / 200"]);
    assert_eq!(text(&mill), "");
    let run = mill.run(&["feeds", "add", &origin.url("/"), "--set", LOCAL, "--yes"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(
        asked(&origin),
        ["GET / 200", "GET /robots.txt 404", "GET /feed.xml 200"]
    );
    assert!(text(&mill).contains("/feed.xml\""), "{}", text(&mill));
    assert_eq!(mill.list().len(), 2);
}

#[test]
fn p_164_a_feed_found_on_a_page_is_asked_as_robots_txt_allows() {
    let origin = Origin::start([
        (
            "/",
            page("<link rel=alternate type='application/rss+xml' title='News' href='/feed.xml'>"),
        ),
        ("/feed.xml", feed()),
        (
            "/robots.txt",
            Reply::ok("text/plain", "user-agent: *\ndisallow: /feed"),
        ),
    ]);
    let mill = Mill::new("");
    let run = mill.run(&["feeds", "add", &origin.url("/"), "--set", LOCAL, "--yes"]);
    refused(&run, "(disallow: /feed)");
    assert_eq!(asked(&origin), ["GET / 200", "GET /robots.txt 200"]);
    assert_eq!(text(&mill), "");
    // Whoever has leave says so, and whoever writes the address has subscribed to it.
    let (url, leave) = (origin.url("/"), "robots=ignore");
    let run = mill.run(&[
        "feeds", "add", &url, "--set", LOCAL, "--set", leave, "--yes",
    ]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(asked(&origin), ["GET / 200", "GET /feed.xml 200"]);
    let mill = Mill::new("");
    let run = mill.run(&["feeds", "add", &origin.url("/feed.xml"), "--set", LOCAL]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(asked(&origin), ["GET /feed.xml 200"]);
}

#[test]
fn p_61_several_feeds_are_listed_and_none_is_an_error_without_guesses() {
    let several =
        page("<link rel=alternate type='application/rss+xml' title='B\u{1b}[31m' href='/b'>")
            .header(
                "Link",
                "</a>; rel=\"alternate\"; type=\"application/atom+xml\"",
            );
    let origin = Origin::start([
        ("/", several),
        ("/none", page("")),
        ("/junk", Reply::ok("text/plain", "just words")),
    ]);
    let mill = Mill::new("# mine\n");
    let run = mill.run(&["feeds", "add", &origin.url("/"), "--set", LOCAL, "--yes"]);
    refused(&run, "names 2 feeds");
    let (a, b) = (
        run.err.find(&origin.url("/a")),
        run.err.find(&origin.url("/b")),
    );
    assert!(a.is_some() && a < b, "{run:?}");
    assert!(!run.err.contains('\u{1b}'), "{run:?}");
    refused(
        &mill.run(&[
            "feeds",
            "add",
            &origin.url("/none"),
            "--set",
            LOCAL,
            "--yes",
        ]),
        "Nothing but words here.",
    );
    refused(
        &mill.run(&["feeds", "add", &origin.url("/junk"), "--set", LOCAL]),
        "just words",
    );
    refused(
        &mill.run(&["feeds", "add", &origin.url("/gone"), "--set", LOCAL]),
        "404",
    );
    assert_eq!(
        asked(&origin),
        [
            "GET / 200",
            "GET /none 200",
            "GET /junk 200",
            "GET /gone 404"
        ]
    );
    assert_eq!(text(&mill), "# mine\n");
}

#[test]
fn p_60_with_the_service_at_work_it_is_one_request_too() {
    let news = |number| {
        let words = words(number);
        Reply::ok("application/rss+xml", rss(&[("1", "題", &words)])).validated()
    };
    let origin = Origin::start([("/a", news(1)), ("/b", news(2))]);
    let mill = daemon::mill(&plain("a", &origin.url("/a")));
    let mut daemon = Daemon::start(&mill, Duration::from_mins(1));
    daemon.until("the first feed", |log| log.contains("feed.id=a"));
    origin.take_log();
    let add = mill.run(&[
        "feeds",
        "add",
        &origin.url("/b"),
        "--id",
        "b",
        "--set",
        LOCAL,
    ]);
    assert_eq!(add.status, 0, "{add:?}");
    assert!(add.err.contains("takes this answer"), "{add:?}");
    daemon.signal(Signal::SIGHUP);
    daemon.until("the second feed", |log| log.contains("feed.id=b"));
    let log = origin.log();
    let asked: Vec<&str> = log.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(asked, ["/b"], "{}", daemon.log());
    daemon.stop();
    assert_eq!(mill.list().len(), 2, "one of each");
    assert!(!mill.path("data/handed").exists());
}

#[test]
fn p_66_addresses_are_checked_before_anything_is_asked() {
    let mill = Mill::new("# mine\n");
    for (bad, why) in [
        ("file:///etc/passwd", "not an http"),
        ("https://x.example/a b", "%20"),
        ("https://user:secret@x.example/", "credentials"),
    ] {
        let run = mill.run(&["feeds", "add", bad]);
        assert_eq!(run.status, 2, "{run:?}");
        assert!(
            run.err.contains(why) && !run.err.contains("secret"),
            "{run:?}"
        );
    }
    let run = mill.run(&["feeds", "add", " feed://x.example/f#top ", "--no-fetch"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.err.contains("`feed:`") && run.err.contains("`#`"),
        "{run:?}"
    );
    assert!(
        text(&mill).ends_with("url = \"http://x.example/f\"\n"),
        "{}",
        text(&mill)
    );
}

#[test]
fn p_79_an_address_that_is_subscribed_already_is_not_asked() {
    let origin = Origin::start([
        ("/feed.xml", feed()),
        ("/old", Reply::status(301).header("Location", "/feed.xml")),
    ]);
    let off = plain("off", "https://off.example/");
    let off = format!("{}\nenabled = false\n", off.trim_end());
    let before = format!("{}{off}", plain("a", &origin.url("/feed.xml")));
    let mill = Mill::new(&before);
    let run = mill.run(&["feeds", "add", &origin.url("/feed.xml#x"), "--set", LOCAL]);
    assert_eq!(
        (run.status, run.err.contains("as `a`")),
        (0, true),
        "{run:?}"
    );
    assert_eq!(asked(&origin), [""; 0]);
    refused(
        &mill.run(&["feeds", "add", "HTTPS://OFF.example:443/"]),
        "disabled",
    );
    // A permanent redirect leads to a feed that is there.
    let run = mill.run(&["feeds", "add", &origin.url("/old"), "--set", LOCAL]);
    assert_eq!(
        (run.status, run.err.contains("as `a`")),
        (0, true),
        "{run:?}"
    );
    assert_eq!(text(&mill), before);
}

#[test]
fn a_feed_that_moved_for_good_is_written_with_its_new_address() {
    let origin = Origin::start([
        ("/feed.xml", feed()),
        ("/old", Reply::status(301).header("Location", "/feed.xml")),
    ]);
    let mill = Mill::new("");
    let run = mill.run(&["feeds", "add", &origin.url("/old"), "--set", LOCAL]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(text(&mill).contains("/feed.xml\""), "{}", text(&mill));
    assert_eq!(asked(&origin), ["GET /old 301", "GET /feed.xml 200"]);
    mill.fetch(0);
    assert_eq!(asked(&origin), ["GET /feed.xml 304"]);
}

#[test]
fn a_store_in_use_makes_it_a_look() {
    let origin = Origin::start([("/feed.xml", feed())]);
    let mill = Mill::new("");
    fs::create_dir(mill.path("data")).unwrap();
    let store = Store::open(&mill.path("data/feedmill.sqlite")).unwrap();
    let run = mill.run(&[
        "feeds",
        "add",
        &origin.url("/feed.xml"),
        "--set",
        LOCAL,
        "--id",
        "a",
    ]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.err.contains("polls the feed itself"), "{run:?}");
    assert!(text(&mill).contains("id = \"a\""));
    assert!(store.feed_states().unwrap().is_empty());
    assert_eq!(asked(&origin), ["GET /feed.xml 200"]);
}

#[test]
fn what_would_not_be_right_is_not_written() {
    let mill = Mill::new(&plain("a", "https://a.example/"));
    let before = text(&mill);
    for (args, why) in [
        (&["--id", "a"][..], "already the name"),
        (&["--id", "A b"], "A b"),
        (&["--tag", "a/b"], "is no tag"),
        (&["--set", "urll=x"], "urll"),
        (&["--set", "archive=pdf"], "pdf"),
        (&["--set", "novalue"], "KEY=VALUE"),
        (&["--source", "kyodo"], "kyodo"),
    ] {
        let args = [&["feeds", "add", "https://b.example/", "--no-fetch"], args].concat();
        let run = mill.run(&args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(run.err.contains(why), "{args:?}: {run:?}");
        assert_eq!(text(&mill), before, "{args:?}");
    }
    mill.write("feeds.toml", "[[feed]\n");
    let run = mill.run(&["feeds", "add", "https://b.example/", "--no-fetch"]);
    assert_eq!(
        (run.status, text(&mill).as_str()),
        (2, "[[feed]\n"),
        "{run:?}"
    );
}

#[test]
fn remove_takes_a_block_and_leaves_the_rest() {
    let mill = Mill::new(SHIPPED);
    let run = mill.run(&["feeds", "remove", "dw"]);
    assert_eq!(run.status, 0, "{run:?}");
    let left = text(&mill);
    assert!(
        !left.contains("id = \"dw\"") && left.contains("id = \"takungpao\""),
        "{left}"
    );
    // What is not of the block is all there, in its order.
    let mut rest = left.lines();
    let gone: Vec<&str> = SHIPPED
        .lines()
        .filter(|line| !rest.clone().any(|left| left == *line))
        .collect();
    assert!(rest.all(|line| SHIPPED.lines().any(|was| was == line)));
    assert_eq!(gone.len(), 7, "{gone:#?}");
    assert_eq!(mill.run(&["check"]).status, 0);
    let run = mill.run(&["feeds", "remove", "dw"]);
    assert_eq!(
        (run.status, run.err.contains("qq, takungpao")),
        (2, true),
        "{run:?}"
    );
    assert_eq!(mill.run(&["feeds", "remove", "qq"]).status, 0);
    let run = mill.run(&["feeds", "remove", "takungpao"]);
    assert_eq!(
        (run.status, run.err.contains("only feed")),
        (2, true),
        "{run:?}"
    );
}

#[test]
fn list_shows_what_is_subscribed() {
    let (one, two) = (
        plain("one", "https://one.example/"),
        plain("two", "https://two.example/"),
    );
    let mill = Mill::new(&format!(
        "{}\ntags = [\"a\"]\n{}\nenabled = false\n",
        one.trim_end(),
        two.trim_end()
    ));
    let run = mill.run(&["feeds", "list"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.out.contains("https://one.example/") && run.out.contains("disabled"),
        "{run:?}"
    );
    let run = mill.run(&["feeds", "list", "--json"]);
    let all: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(all[0]["tags"][0], "a");
    assert_eq!(all[1]["id"], "two");
    assert_eq!(all[1]["enabled"], false);
}
