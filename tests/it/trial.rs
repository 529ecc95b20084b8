//! `feedmill try`: what it prints, what it asks, and that it leaves nothing behind.

use std::fs;
use std::path::Path;

use crate::support::mill::{Mill, Run};
use crate::support::origin::{Origin, Reply};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

fn block(url: &str) -> String {
    format!(
        "[[feed]]\nid = \"s\"\nsource = \"scrape\"\nurl = \"{url}\"\nzone = \"Asia/Shanghai\"\nitems = \"li.story\"\n\
         item_title = \"h3\"\nitem_date = \".when\"\ndate_format = \"发布于%Y年%m月%d日 %H:%M\"\nitem_author = \".by\"\n\
         item_image = \".pic img\"\nnext = \"a.next\"\npage_body = \"div.text\"\npage_drop = \".ad\"\n\
         allow_hosts = [\"127.0.0.1\"]\nenabled = false\n\n[[feed]]\nid = \"other\"\nurl = \"https://example.org/\"\n"
    )
}

/// An origin with a list in GB18030 and the page of its first entry, and a mill that subscribed to it.
fn site() -> (Origin, Mill) {
    let page = |name| Reply::ok("text/html", fixture(name)).validated();
    let origin = Origin::start([
        ("/news/page", page("scrape/list_gb18030.html")),
        ("/news/a/1.html", page("scrape/article_gb18030.html")),
    ]);
    let mill = Mill::new(&block(&origin.url("/news/page")));
    (origin, mill)
}

/// Without what differs from run to run: the port, and times.
fn steady(run: &Run, origin: &Origin) -> String {
    let text = run.out.replace(&origin.base_url(), "http://127.0.0.1:PORT");
    let lines = text.lines().map(|line| match line.rsplit_once(", ") {
        Some((before, ms)) if ms.ends_with(" ms") => format!("{before}, N ms\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../fixtures/cli/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_trial_says_what_was_asked_found_and_missed_and_stores_nothing() {
    let (origin, mill) = site();
    let run = mill.run(&["try", "feeds.toml#s"]);
    assert_eq!(run.status, 0, "{run:?}");
    snapshot("try", &steady(&run, &origin));
    let asked: Vec<String> = origin
        .take_log()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(asked, ["/news/page", "/robots.txt", "/news/a/1.html"]);
    assert!(!mill.path("data").exists());
    for target in ["s", "#s"] {
        assert_eq!(mill.run(&["try", target]).status, 0, "{target}");
    }
}

#[test]
fn selectors_are_written_without_asking_again() {
    let (origin, mill) = site();
    let run = mill.run(&["try", "s", "--save", "list.html"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(
        fs::read(mill.path("list.html")).unwrap(),
        fixture("scrape/list_gb18030.html")
    );
    origin.take_log();
    fs::write(
        mill.path("one.html"),
        fixture("scrape/article_gb18030.html"),
    )
    .unwrap();
    let run = mill.run(&[
        "try",
        "s",
        "--file",
        "list.html",
        "--entry-file",
        "one.html",
        "--json",
    ]);
    assert_eq!(run.status, 0, "{run:?}");
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(told["entries"], 4, "{told}");
    assert_eq!(told["steps"][0]["page"]["charset"], "gb18030");
    assert_eq!(told["have"]["date"], 2);
    assert_eq!(told["whole"]["body_characters"], 30, "{told}");
    assert!(told["notes"].to_string().contains("item_date"), "{told}");
    // An address with everything on the command line; nobody is there to be asked.
    let url = "https://example.org/list";
    let run = mill.run(&[
        "try",
        url,
        "--source",
        "scrape",
        "--set",
        "items=li.story h3",
        "--file",
        "list.html",
    ]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(origin.take_log().len(), 0);
}

#[test]
fn no_entry_is_exit_1_with_the_reason_and_a_wrong_order_is_exit_2() {
    let origin = Origin::start([
        (
            "/old",
            Reply::ok("text/html", fixture("scrape/redesigned.html")),
        ),
        ("/busy", Reply::status(429).header("Retry-After", "7")),
    ]);
    let check = |args: &[&str], status: i32, told: &str| {
        let mill = Mill::new(&block(&origin.url("/old")));
        let run = mill.run(&[&["try"], args].concat());
        assert_eq!(run.status, status, "{args:?}: {run:?}");
        let text = run.out + &run.err;
        assert!(text.contains(told), "{args:?}: {text}");
        assert!(!mill.path("data").exists());
    };
    check(&["s"], 1, "no items `li.story` in the list page");
    check(&["s", "--json"], 1, "\"entries\": 0");
    // The guard's word: this address was not allowed by any block.
    check(&[&origin.url("/old")], 1, "refused:");
    let busy = origin.url("/busy");
    let allow = "allow_hosts=[\"127.0.0.1\"]";
    check(&[&busy, "--set", allow], 1, "to be left alone for 7 s");
    check(&["feeds.toml#nobody"], 2, "no feed `nobody`");
    check(&["absent.toml#s"], 2, "absent.toml");
    check(&["not an id"], 2, "neither an address");
    check(&["s", "--source", "feed"], 2, "go with an address");
    check(&["s", "--entry-file", "x"], 2, "--file");
    check(
        &["s", "--file", "absent.html"],
        2,
        "absent.html cannot be read",
    );
    let url = "https://example.org/";
    check(&[url, "--source", "scrape"], 2, "needs `items`");
    check(
        &[url, "--source", "scrape", "--set", "items=li >"],
        2,
        "the command line:",
    );
    check(&[], 2, "FILE#ID|ID|URL");
}

/// Who told us to stay away is not asked by a trial either, and a trial leaves the list of them as it was.
#[test]
fn a_trial_heeds_the_silences_there_are() {
    let origin = Origin::start([("/old", Reply::status(429).header("Retry-After", "3000"))]);
    let mill = Mill::new(&block(&origin.url("/old")).replace("enabled = false\n", ""));
    mill.run(&["fetch", "--once", "s"]);
    assert_eq!(origin.take_log().len(), 1);
    let before = fs::read(mill.path("data/feedmill.sqlite")).unwrap();
    let run = mill.run(&["try", "s"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.out.contains("is not asked for"), "{}", run.out);
    assert_eq!(origin.take_log().len(), 0);
    assert_eq!(fs::read(mill.path("data/feedmill.sqlite")).unwrap(), before);
}

/// The first entry's page was found by the program: it is asked where robots.txt allows it, and who forbids it is told.
#[test]
fn p_164_a_trial_asks_no_page_that_robots_txt_forbids_and_says_so() {
    let (origin, mill) = site();
    let paths = |origin: &Origin| {
        let log = origin.take_log().into_iter();
        log.map(|seen| seen.path).collect::<Vec<_>>()
    };
    origin.set(
        "/robots.txt",
        Reply::ok("text/plain", "User-agent: *\nDisallow: /news/a/\n"),
    );
    let run = mill.run(&["try", "s"]);
    assert_eq!(run.status, 0, "the list has entries: {run:?}");
    assert_eq!(paths(&origin), ["/news/page", "/robots.txt"]);
    snapshot("try_forbidden", &steady(&run, &origin));
    let run = mill.run(&["try", "s", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(told["steps"][1]["method"], "not asked", "{told}");
    let why = told["whole"]["error"].as_str().unwrap();
    assert!(why.contains("forbids it (disallow: /news/a/)"), "{why}");

    origin.set("/robots.txt", Reply::status(503));
    origin.take_log();
    let run = mill.run(&["try", "s"]);
    assert_eq!(paths(&origin), ["/news/page", "/robots.txt"]);
    assert!(
        run.out.contains("cannot be had: HTTP status 503"),
        "{run:?}"
    );

    let leave =
        block(&origin.url("/news/page")).replacen("enabled", "robots = \"ignore\"\nenabled", 1);
    mill.write("feeds.toml", &leave);
    mill.run(&["try", "s"]);
    assert_eq!(paths(&origin), ["/news/page", "/news/a/1.html"]);
}

/// Nor is it shown what a redirect led to where that may not be asked.
#[test]
fn p_164_a_trial_does_not_read_what_a_redirect_led_to_where_it_is_forbidden() {
    let (origin, mill) = site();
    origin.set(
        "/news/a/1.html",
        Reply::status(302).header("Location", "/shut/1.html"),
    );
    let page = fixture("scrape/article_gb18030.html");
    origin.set("/shut/1.html", Reply::ok("text/html", page));
    origin.set(
        "/robots.txt",
        Reply::ok("text/plain", "User-agent: *\nDisallow: /shut/\n"),
    );
    let run = mill.run(&["try", "s"]);
    assert_eq!(run.status, 0, "{run:?}");
    let said = "its page  cannot be had: robots.txt of";
    assert!(run.out.contains(said), "{}", run.out);
}
