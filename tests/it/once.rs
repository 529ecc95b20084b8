//! `feedmill fetch --once`, from outside: the built program against an origin on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

const RSS: &str = "application/rss+xml";

fn feed_reply(items: &[(&str, &str, &str)]) -> Reply {
    Reply::ok(RSS, rss(items)).validated()
}

/// Two feeds of two stories each.
fn two_feeds() -> (Origin, Mill) {
    let (one, two, three, four) = (words(1), words(2), words(3), words(4));
    let origin = Origin::start([
        ("/a", feed_reply(&[("a2", "二", &two), ("a1", "一", &one)])),
        (
            "/b",
            feed_reply(&[("b2", "四", &four), ("b1", "三", &three)]),
        ),
    ]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    (origin, mill)
}

#[test]
fn feeds_become_one_feed_and_an_archive() {
    let (_origin, mill) = two_feeds();
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 2, "{report}");
    assert_eq!(report["feeds"][1]["result"], "read", "{report}");
    assert_eq!(mill.archive().len(), 4);
    let feed = mill.feed();
    let document = roxmltree::Document::parse(&feed).unwrap();
    let entries = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2005/Atom", "entry")));
    assert_eq!(entries.count(), 4);
    let numbers: Vec<String> = mill
        .list()
        .into_iter()
        .map(|line| line[0].clone())
        .collect();
    assert_eq!(numbers, ["000", "001", "002", "003"]);
}

#[test]
fn a_second_run_asks_conditionally_and_touches_nothing() {
    let (origin, mill) = two_feeds();
    mill.fetch(0);
    let (before, first) = (mill.published(), origin.take_log());
    assert!(
        first
            .iter()
            .all(|request| request.header("If-None-Match").is_none()),
        "P-01: {first:?}"
    );
    let report = mill.fetch(0);
    let second = origin.take_log();
    assert_eq!(second.len(), 2);
    assert!(
        second.iter().all(|request| request.answered == 304),
        "{second:?}"
    );
    assert_eq!(report["feeds"][0]["result"], "unchanged");
    assert_eq!(report["feed_changed"], false);
    assert_eq!(before, mill.published(), "no byte and no time of any file");
}

#[test]
fn a_feed_without_validators_changes_nothing_either() {
    let origin = Origin::start([("/a", Reply::ok(RSS, rss(&[("1", "一", &words(1))])))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let before = mill.published();
    assert_eq!(mill.fetch(0)["feeds"][0]["result"], "unchanged");
    assert_eq!(before, mill.published());
}

#[test]
fn one_bad_feed_harms_no_other() {
    let bad: Vec<(&str, Reply)> = vec![
        ("error", Reply::status(500)),
        ("missing", Reply::status(404)),
        (
            "page",
            Reply::ok(
                "text/html",
                "<html><head><title>Not here</title></head><body><p>moved</p></body></html>",
            ),
        ),
        (
            "cut",
            Reply::ok(RSS, rss(&[("1", "一", &words(1))])).cut(300),
        ),
        ("noise", Reply::ok(RSS, vec![0xff, 0x00, 0x9c, 0x3c])),
        ("empty", Reply::ok(RSS, "")),
    ];
    let origin = Origin::start([("/good", feed_reply(&[("1", "一", &words(1))]))]);
    let mut feeds = plain("good", &origin.url("/good"));
    for (name, reply) in bad {
        origin.set(format!("/{name}"), reply);
        feeds += &plain(name, &origin.url(&format!("/{name}")));
    }
    feeds += &plain("nobody", "http://127.0.0.1:9/");
    let mill = Mill::new(&feeds);
    let report = mill.fetch(1);
    for feed in report["feeds"].as_array().unwrap() {
        let expected = if feed["feed"] == "good" {
            "read"
        } else {
            "failed"
        };
        assert_eq!(feed["result"], expected, "{feed}");
        assert_eq!(
            feed["why"] == "",
            feed["feed"] == "good",
            "every failure has its reason: {feed}"
        );
    }
    assert_eq!(mill.archive().len(), 1);
    let again = mill.fetch(0);
    for feed in again["feeds"].as_array().unwrap() {
        let expected = if feed["feed"] == "good" {
            "unchanged"
        } else {
            "left-alone"
        };
        assert_eq!(
            feed["result"], expected,
            "backoff holds an order back too: {feed}"
        );
    }
}

#[test]
fn the_same_words_from_two_feeds_are_one_entry_and_one_file_and_nobody_loses_them() {
    let body = words(7);
    let reworked = body
        .replace('。', "．")
        .replace("<p>", "<div>")
        .replace("</p>", "</div>")
        .replace('风', "風");
    let origin = Origin::start([
        ("/a", feed_reply(&[("a1", "原文", &body)])),
        ("/b", feed_reply(&[("b1", "转载", &reworked)])),
    ]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    assert_eq!(mill.run(&["fetch", "--once", "a"]).status, 0);
    let run = mill.run(&["fetch", "--once", "--json", "b"]);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (&report["feeds"][0]["reprints"], &report["feeds"][0]["new"]),
        (&1.into(), &0.into()),
        "{report}"
    );
    let list = mill.list();
    assert_eq!(list.len(), 2, "both are stored");
    assert_eq!(list[0][1], list[1][1], "with one content id");
    assert_eq!(mill.archive().len(), 1, "and one file");
    let feed = mill.feed();
    assert_eq!(feed.matches("<entry").count(), 1);
    assert!(
        feed.contains("https://news.example.org/b1"),
        "the other carrier is named:\n{feed}"
    );
}

#[test]
fn a_revision_is_a_new_number_and_a_new_file_and_the_old_file_stays() {
    let origin = Origin::start([("/a", feed_reply(&[("1", "一", &words(1))]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let before = mill.archive();
    origin.set("/a", feed_reply(&[("1", "一", &words(2))]));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["revised"], 1, "{report}");
    let after = mill.archive();
    assert_eq!(after.len(), 2);
    assert!(
        before
            .iter()
            .all(|(name, bytes)| after.get(name) == Some(bytes))
    );
    assert_eq!(
        mill.feed().matches("<entry").count(),
        1,
        "the merged feed shows the latest"
    );
    origin.set("/a", feed_reply(&[("1", "一！", &words(2))]));
    assert_eq!(
        mill.fetch(0)["feeds"][0]["revised"],
        1,
        "a touch of punctuation is a revision"
    );
    assert_eq!(mill.archive().len(), 2, "but no new words, so no new file");
    assert_eq!(mill.list().len(), 3);
}

#[test]
fn an_order_is_held_back_by_user_refresh_retry_after_and_freshness() {
    let limited = Reply::status(429).header("Retry-After", "3600");
    let fresh = feed_reply(&[("1", "一", &words(1))]).header("Cache-Control", "max-age=600");
    let origin = Origin::start([
        ("/limited", limited),
        ("/fresh", fresh),
        ("/plain", feed_reply(&[("1", "二", &words(2))])),
    ]);
    let feeds: String = ["limited", "fresh", "plain"]
        .map(|id| plain(id, &origin.url(&format!("/{id}"))))
        .concat();
    let mill = Mill::new(&feeds);
    mill.fetch(1);
    mill.write(
        "feedmill.toml",
        &EAGER.replace("user_refresh = \"0s\"", "user_refresh = \"5m\""),
    );
    origin.take_log();
    let report = mill.fetch(0);
    assert_eq!(origin.take_log().len(), 0, "nobody is asked");
    let why = |feed: usize| report["feeds"][feed]["why"].as_str().unwrap().to_owned();
    assert!(why(0).contains("Retry-After: 3600 s"), "{}", why(0));
    assert!(why(1).contains("fresh until then"), "{}", why(1));
    assert!(why(2).contains("user_refresh is 300 s"), "{}", why(2));
}

#[test]
fn p_46_p_169_credentials_open_a_feed_and_are_written_nowhere() {
    const SECRET: &str = "Tuer-und-Tor";
    let origin = Origin::start([("/f", Reply::status(401).header("WWW-Authenticate", "Basic"))]);
    let block = |lines: &str| plain("f", &origin.url("/f")) + lines + "\n";
    let mill = Mill::new(&block(&format!(
        "credentials = {{ user = \"reader\", password = \"{SECRET} old\" }}"
    )));
    let mut written = String::new();
    let mut run = |mill: &Mill, args: &[&str]| {
        let output = mill
            .command(args)
            .env("FEEDMILL_LOG", "trace")
            .output()
            .unwrap();
        written += &String::from_utf8_lossy(&output.stdout);
        written += &String::from_utf8_lossy(&output.stderr);
        output.status.code()
    };
    for status in [1, 0, 0] {
        assert_eq!(run(&mill, &["fetch", "--once"]), Some(status));
    }
    assert_eq!(origin.take_log().len(), 1, "once, and not at once again");
    mill.write("password", &format!("{SECRET}\n"));
    let file = mill.path("password");
    mill.write(
        "feeds.toml",
        &block(&format!(
            "credentials = {{ user = \"reader\", password_file = {file:?} }}"
        )),
    );
    origin.set("/f", feed_reply(&[("1", "一", &words(1))]));
    assert_eq!(run(&mill, &["fetch", "--once"]), Some(0));
    let log = origin.take_log();
    // Base64 of the name and what is in the file, without its last line break.
    let shown = "Basic cmVhZGVyOlR1ZXItdW5kLVRvcg==";
    assert_eq!(log[0].header("authorization"), Some(shown));
    assert_eq!(mill.list().len(), 1);
    assert!(
        !mill.feed().contains("<entry>"),
        "it is for its reader alone"
    );
    for args in [
        &["why", "f"][..],
        &["status", "--json"],
        &["feeds", "list"],
        &["opml", "export"],
        &["check"],
    ] {
        assert_eq!(run(&mill, args), Some(0), "{args:?}");
    }
    assert!(written.contains("TRACE"), "{written}");
    let kept = mill.everything(&["feeds.toml", "password"]);
    assert!(kept.len() > 1000, "{}", kept.len());
    for secret in [SECRET, "cmVhZGVyOl"] {
        assert!(!written.contains(secret), "{written}");
        let secret = secret.as_bytes();
        assert!(!kept.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn exit_2_names_what_is_wrong_and_asks_nobody() {
    let (origin, mill) = two_feeds();
    let run = mill.run(&["fetch", "--once", "c"]);
    assert_eq!(run.status, 2);
    assert!(
        run.err.contains("no feed `c`") && run.err.contains("a, b"),
        "{}",
        run.err
    );
    mill.write(
        "feeds.toml",
        "[[feed]]\nid = \"a\"\nurl = \"gopher:x\"\nspeed = 3\n",
    );
    let run = mill.run(&["check"]);
    assert_eq!(run.status, 2);
    assert!(
        run.err.contains("feeds.toml:3") && run.err.contains("feeds.toml:4"),
        "all of them at once: {}",
        run.err
    );
    assert_eq!(mill.run(&["fetch", "--once"]).status, 2);
    assert!(origin.take_log().is_empty());
}

#[test]
fn without_a_terminal_there_is_one_log_line_a_feed() {
    let (_origin, mill) = two_feeds();
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{run:?}");
    let lines: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.contains("feed.id="))
        .collect();
    assert_eq!(lines.len(), 2, "{}", run.err);
    assert!(
        lines[0].contains("poll.result=\"read\"") && lines[0].contains("new=2"),
        "{}",
        lines[0]
    );
}

#[test]
fn an_article_is_one_line_whatever_its_text() {
    let title = "a&#9;b&#10;c &amp;lt;\\";
    let origin = Origin::start([("/a", feed_reply(&[("1", title, &words(1))]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let list = mill.list();
    assert_eq!((list.len(), list[0].len()), (1, 6), "{list:?}");
    let shown = mill.run(&["show", "0"]);
    assert!(
        shown.out.contains("https://news.example.org/1"),
        "{}",
        shown.out
    );
    assert_eq!(mill.run(&["show", "7"]).status, 2);
    let json: serde_json::Value = serde_json::from_str(&mill.run(&["list", "--json"]).out).unwrap();
    assert_eq!(json[0]["number"], 0);
}

#[test]
fn ctrl_c_stops_cleanly_and_keeps_what_was_done() {
    let slow = feed_reply(&[("2", "二", &words(2))]).after(Duration::from_secs(20));
    let origin = Origin::start([
        ("/a", feed_reply(&[("1", "一", &words(1))])),
        ("/slow", slow),
    ]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("slow", &origin.url("/slow"))));
    let child = mill
        .command(&["fetch", "--once", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !origin.log().iter().any(|request| request.path == "/a") && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert!(
        Instant::now() < deadline + Duration::from_secs(5),
        "it did not wait for the slow one"
    );
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["feeds"][0]["result"], "read", "{report}");
    assert_eq!(report["feeds"][1]["result"], "stopped", "{report}");
    assert_eq!(mill.archive().len(), 1);
    origin.set("/slow", feed_reply(&[("2", "二", &words(2))]));
    assert_eq!(
        mill.fetch(0)["feeds"][1]["new"],
        1,
        "stopping is no failure of the feed"
    );
}

/// Kills the program at 50 moments of a run. Whatever the moment: the store opens, no file is torn, numbers once listed
/// stay, and a run that is left alone completes the work with nothing lost and nothing double.
#[test]
fn kill_9_at_any_moment_loses_nothing_and_leaves_every_file_whole() {
    let stories: Vec<(String, String, String)> = (0..40)
        .map(|n| (format!("k{n}"), format!("第{n}篇"), words(1000 + n)))
        .collect();
    let items: Vec<(&str, &str, &str)> = stories
        .iter()
        .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
        .collect();
    let origin = Origin::start([("/0", Reply::ok(RSS, rss(&items[..10])))]);
    let feeds: String = (0..4)
        .map(|n| plain(&format!("f{n}"), &origin.url(&format!("/{n}"))))
        .collect();
    for n in 0..4 {
        origin.set(format!("/{n}"), feed_reply(&items[n * 10..n * 10 + 10]));
    }
    let reference = Mill::new(&feeds);
    let started = Instant::now();
    reference.fetch(0);
    let whole_run = started.elapsed();
    let expected: std::collections::BTreeSet<String> = reference
        .list()
        .into_iter()
        .map(|line| line[1].clone())
        .collect();
    assert_eq!(expected.len(), 40);

    let mut mill = Mill::new(&feeds);
    let mut listed: Vec<Vec<String>> = Vec::new();
    let mut killed_in_work = 0;
    for round in 0..50u32 {
        let mut child = mill
            .command(&["fetch", "--once", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(whole_run * (round * 7 % 50) / 45);
        child.kill().unwrap();
        killed_in_work += u32::from(!child.wait().unwrap().success());
        let now = if mill.path("data/feedmill.sqlite").exists() {
            mill.run(&["list", "--tsv"])
        } else {
            continue;
        };
        if now.status != 0 {
            // Killed before the store was made: nothing was acknowledged.
            assert!(listed.is_empty() && round < 50, "{now:?}");
            continue;
        }
        let lines: Vec<Vec<String>> = now
            .out
            .lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect();
        assert!(
            lines.starts_with(&listed),
            "what was once listed stays as it was"
        );
        listed = lines;
        for (name, bytes) in mill.archive() {
            if Path::new(&name)
                .extension()
                .is_none_or(|ending| ending != "txt")
            {
                continue; // a temporary file that the next run sweeps
            }
            let text = String::from_utf8(bytes).unwrap();
            assert!(
                text.starts_with("---\ntitle: \"") && text.ends_with(")\n"),
                "{name} is torn:\n{text}"
            );
        }
        if listed.len() == 40 {
            mill.fetch(0);
            complete(&mill, &expected);
            mill = Mill::new(&feeds);
            listed = Vec::new();
        }
    }
    assert!(
        killed_in_work > 10,
        "only {killed_in_work} of 50 kills met a run at work"
    );
    mill.fetch(0);
    complete(&mill, &expected);
}

fn complete(mill: &Mill, expected: &std::collections::BTreeSet<String>) {
    let list = mill.list();
    assert_eq!(list.len(), 40, "nothing lost, nothing double");
    let numbers: std::collections::BTreeSet<&String> = list.iter().map(|line| &line[0]).collect();
    assert_eq!(numbers.len(), 40);
    assert_eq!(
        &list
            .iter()
            .map(|line| line[1].clone())
            .collect::<std::collections::BTreeSet<_>>(),
        expected
    );
    let archive = mill.archive();
    let names: Vec<String> = list
        .iter()
        .map(|line| format!("{}_{}.txt", line[0], line[1]))
        .collect();
    assert_eq!(
        archive.keys().cloned().collect::<Vec<_>>(),
        names,
        "a file for each, and no leftovers"
    );
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{verify:?}");
    assert!(
        fs::read_to_string(mill.path("data/feed.atom"))
            .unwrap()
            .matches("<entry")
            .count()
            == 40
    );
}
