//! What is let go by order, what stays in any case, and that nothing of it comes back as new.

use std::fmt::Write as _;

use feedmill::model::ids::FeedId;
use feedmill::store::Store;
use rusqlite::Connection;

use crate::support::daemon::{self, Daemon, PATIENCE};
use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

/// A feed of these entries, each with words of its own.
fn document(guids: &[u32]) -> String {
    let items: Vec<_> = guids
        .iter()
        .map(|seed| (format!("g{seed}"), format!("Title {seed}"), words(*seed)))
        .collect();
    let items: Vec<_> = items
        .iter()
        .map(|(guid, title, body)| (guid.as_str(), title.as_str(), body.as_str()))
        .collect();
    rss(&items)
}

fn reply(text: impl Into<Vec<u8>>) -> Reply {
    Reply::ok("application/rss+xml", text)
}

/// A feed `a` of five entries, of which the newest two are shown.
fn five(keep: &str) -> (Origin, Mill) {
    let origin = Origin::start([("/a", reply(document(&[5, 4, 3, 2, 1])))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    settings(&mill, keep);
    mill.fetch(0);
    (origin, mill)
}

fn settings(mill: &Mill, keep: &str) {
    mill.write(
        "feedmill.toml",
        &format!("{EAGER}[feed]\nentries = 2\n[keep]\n{keep}\n"),
    );
}

fn raw(mill: &Mill) -> Connection {
    Connection::open(mill.path("data/feedmill.sqlite")).unwrap()
}

/// Makes everything that is stored so many days older.
fn age(mill: &Mill, days: i64) {
    let store = raw(mill);
    let millis = days * 86_400_000;
    store
        .execute("UPDATE article SET recorded = recorded - ?1", [millis])
        .unwrap();
    store
        .execute("UPDATE visit SET at = at - ?1", [millis])
        .unwrap();
}

fn prune(mill: &Mill, args: &[&str]) -> serde_json::Value {
    let run = mill.run(&[&["prune", "--json"], args].concat());
    assert_eq!(run.status, 0, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

/// What went, as `feed tier count`.
fn gone(told: &serde_json::Value) -> Vec<String> {
    let line = |line: &serde_json::Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("feed"), text("tier"), line["count"])
    };
    told["gone"].as_array().unwrap().iter().map(line).collect()
}

fn held(told: &serde_json::Value) -> Vec<String> {
    let line =
        |line: &serde_json::Value| format!("{} {}", line["count"], line["why"].as_str().unwrap());
    told["held"].as_array().unwrap().iter().map(line).collect()
}

/// Which of the articles still have words.
fn with_words(mill: &Mill) -> Vec<i64> {
    raw(mill)
        .prepare("SELECT seq FROM article WHERE body <> '' ORDER BY seq")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn counts(told: &serde_json::Value) -> [u64; 3] {
    let feed = &told["feeds"][0];
    ["new", "revised", "reprints"].map(|name| feed[name].as_u64().unwrap())
}

/// What goes does not come back: a clock that is years ahead of all that is stored lets nothing go at once.
#[test]
fn a_clock_that_leaps_ahead_is_not_believed_at_once() {
    let (_origin, mill) = five("body = \"2y\"");
    age(&mill, 800);
    raw(&mill)
        .execute("UPDATE feed SET last_poll = last_poll - 800 * 86400000", [])
        .unwrap();
    let said = mill.run(&["prune", "--dry-run"]).out;
    assert!(said.contains("the clock is far ahead"), "{said}");
    let mut runs = 0;
    let told = loop {
        let told = prune(&mill, &[]);
        runs += 1;
        if !gone(&told).is_empty() || runs > 40 {
            break told;
        }
        assert!(told["counted_up_to"].is_string(), "{told}");
    };
    assert_eq!(gone(&told), ["a bodies 3"]);
    assert_eq!(runs, 24, "a month at each run: 24 of 31 days are two years");
    // One that was asked just now knows the time.
    let (_origin, mill) = five("body = \"2y\"");
    age(&mill, 800);
    let told = prune(&mill, &["--dry-run"]);
    assert_eq!(
        (gone(&told), &told["counted_up_to"]),
        (vec!["a bodies 3".to_owned()], &serde_json::Value::Null)
    );
}

/// A service that serves, or served, shows what no archive document has yet, however few entries the feed is to have.
#[test]
fn what_is_served_stays_for_an_order_by_hand() {
    let (_origin, mill) = five("body = \"30d\"");
    age(&mill, 31);
    assert_eq!(gone(&prune(&mill, &["--dry-run"])), ["a bodies 3"]);
    std::fs::create_dir(mill.path("data/sealed")).unwrap();
    let told = prune(&mill, &["--dry-run"]);
    assert_eq!(gone(&told), [""; 0]);
    assert_eq!(held(&told).len(), 1, "{told}");
}

#[test]
fn words_go_by_age_and_everybody_is_told() {
    let (origin, mill) = five("body = \"30d\"");
    let before = (mill.archive(), mill.feed());
    assert_eq!(gone(&prune(&mill, &[])), [""; 0], "too young");
    age(&mill, 31);

    let told = prune(&mill, &["--dry-run"]);
    assert_eq!(gone(&told), ["a bodies 3"]);
    assert_eq!(held(&told), ["2 shown in a feed"]);
    assert!(told["bytes"].as_u64().unwrap() > 1_000, "{told}");
    assert_eq!(with_words(&mill), [0, 1, 2, 3, 4], "only told");

    let told = prune(&mill, &[]);
    assert_eq!(gone(&told), ["a bodies 3"]);
    assert_eq!(with_words(&mill), [3, 4]);
    assert_eq!(gone(&prune(&mill, &[])), [""; 0], "it goes once");

    let show = mill.run(&["show", "0"]);
    assert_eq!(show.status, 0, "{show:?}");
    assert!(show.out.contains("its words were let go on "), "{show:?}");
    assert!(show.out.contains("by `body` (30d) in [keep]"), "{show:?}");
    assert!(show.out.contains("Title 1"), "{show:?}");
    let raw = mill.run(&["show", "--raw", "0"]);
    assert_eq!(raw.status, 2, "{raw:?}");
    assert!(raw.err.contains("were let go on "), "{raw:?}");
    let why = mill.run(&["why", "0"]);
    assert!(why.out.contains("its words were let go on "), "{why:?}");
    let json: serde_json::Value =
        serde_json::from_str(&mill.run(&["show", "--json", "0"]).out).unwrap();
    assert_eq!(json["pruned"]["tier"], "bodies");

    // The archive has them all, and can still be proven.
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{verify:?}");
    assert!(verify.out.contains("5 proven, 0 wrong"), "{verify:?}");
    std::fs::write(
        mill.path("data/archive")
            .join(before.0.keys().next().unwrap()),
        "other",
    )
    .unwrap();
    assert_eq!(mill.run(&["archive", "verify"]).status, 1, "by the digest");
    std::fs::write(
        mill.path("data/archive")
            .join(before.0.keys().next().unwrap()),
        before.0.values().next().unwrap(),
    )
    .unwrap();

    // The same again, in another order and with a blank more, is known.
    origin.set("/a", reply(document(&[1, 2, 3, 4, 5]) + "\n"));
    assert_eq!(counts(&mill.fetch(0)), [0, 0, 0]);
    assert!(mill.archive() == before.0);
    let entries = |feed: &str| feed.split_once("<entry").unwrap().1.to_owned();
    assert_eq!(entries(&mill.feed()), entries(&before.1));
    assert_eq!(with_words(&mill), [3, 4]);
    // Other words are a revision, whole.
    origin.set("/a", reply(document(&[1]).replace(&words(1), &words(77))));
    assert_eq!(counts(&mill.fetch(0)), [0, 1, 0]);
    assert_eq!(with_words(&mill), [3, 4, 5]);
}

#[test]
fn a_bare_entry_is_a_tombstone_and_its_words_are_known() {
    let (origin, mill) = five("metadata = \"30d\"");
    age(&mill, 31);
    assert_eq!(gone(&prune(&mill, &[])), ["a metadata 3"]);
    let show = mill.run(&["show", "1"]);
    assert!(
        show.out.contains("its words, its title and all else"),
        "{show:?}"
    );
    assert!(!show.out.contains("Title 2"), "{show:?}");
    let left: i64 = raw(&mill)
        .query_row(
            "SELECT count(*) FROM article WHERE pruned IS NOT NULL
                AND title = '' AND link IS NULL AND id IS NULL AND summary IS NULL AND more IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 3);
    assert_eq!(mill.run(&["archive", "verify"]).status, 0);

    origin.set("/a", reply(document(&[1, 2, 3, 4, 5]) + "\n"));
    assert_eq!(counts(&mill.fetch(0)), [0, 0, 0]);

    // Somebody else brings words of one that is gone: a reprint, whole in its own feed, and no story of its own.
    let archive = mill.archive();
    origin.set(
        "/b",
        reply(
            document(&[2])
                .replace("g2", "other")
                .replace("Title 2", "Again"),
        ),
    );
    let feeds = plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"));
    mill.write("feeds.toml", &feeds);
    let told = mill.fetch(0);
    assert_eq!(told["feeds"][1]["reprints"], 1, "{told}");
    assert_eq!(mill.archive(), archive, "one file for the same words");
    assert!(!mill.feed().contains("Again"), "old words are no news");
    let show = mill.run(&["show", "--raw", "5"]);
    assert_eq!((show.status, show.out), (0, words(2)));
}

#[test]
fn what_is_not_archived_stays() {
    let (_origin, mill) = five("body = \"30d\"");
    age(&mill, 31);
    raw(&mill)
        .execute("UPDATE meta SET archive_cursor = 0", [])
        .unwrap();
    let told = prune(&mill, &[]);
    assert_eq!(gone(&told), ["a bodies 1"]);
    assert_eq!(held(&told), ["4 not archived yet"]);
    assert_eq!(with_words(&mill), [1, 2, 3, 4]);
    // Whatever went before its turn gets no empty file.
    raw(&mill)
        .execute_batch("UPDATE meta SET archive_cursor = NULL; DELETE FROM archive_file")
        .unwrap();
    let files = mill.archive();
    std::fs::remove_dir_all(mill.path("data/archive")).unwrap();
    mill.fetch(0);
    let mut expected = files;
    expected.pop_first();
    assert_eq!(mill.archive(), expected);
}

#[test]
fn a_feed_keeps_its_newest_by_count_and_by_size() {
    let (_origin, mill) = five("count = 3");
    assert_eq!(gone(&prune(&mill, &[])), ["a bodies 2"]);
    assert_eq!(with_words(&mill), [2, 3, 4]);

    let (_origin, mill) = five("");
    let size: i64 = raw(&mill)
        .query_row("SELECT octet_length(body) FROM article", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(size * 3 > 1024, "{size}");
    let keep = format!("size = \"{}B\"", size * 3 + 3);
    // Another feed's order does not count here; its own comes before the settings.
    settings(&mill, "count = 1");
    let mut feeds = std::fs::read_to_string(mill.path("feeds.toml")).unwrap();
    feeds = feeds.trim_end().to_owned();
    mill.write(
        "feeds.toml",
        &format!("{feeds}\nkeep = {{ count = \"forever\", {keep} }}\n"),
    );
    assert_eq!(gone(&prune(&mill, &["--feed", "b"])), [""; 0], "nobody's");
    assert_eq!(gone(&prune(&mill, &["--feed", "a"])), ["a bodies 2"]);
    assert_eq!(with_words(&mill), [2, 3, 4]);
    let show = mill.run(&["show", "0"]);
    assert!(show.out.contains("in `keep` of its feed"), "{show:?}");
}

#[test]
fn replaced_revisions_go_first_by_when_they_were_replaced() {
    let (origin, mill) = five("revisions = \"30d\"");
    age(&mill, 400);
    origin.set("/a", reply(document(&[5]).replace(&words(5), &words(50))));
    assert_eq!(counts(&mill.fetch(0)), [0, 1, 0]);
    assert_eq!(gone(&prune(&mill, &[])), [""; 0], "replaced just now");
    age(&mill, 31);
    assert_eq!(gone(&prune(&mill, &[])), ["a revisions 1"]);
    assert_eq!(with_words(&mill), [0, 1, 2, 3, 5], "the first of g5 went");
    assert_eq!(mill.run(&["archive", "verify"]).status, 0);
}

#[test]
fn pages_go_by_themselves_or_with_the_words_and_bring_nothing_back() {
    let origin = Origin::start::<&str>([]);
    let names = ["1", "2", "3"];
    let mut items = String::new();
    for name in names {
        let html = format!(
            "<html><body><div class=a>{}</div></body></html>",
            words(name.parse().unwrap())
        );
        origin.set(
            format!("/{name}.html"),
            Reply::ok("text/html; charset=utf-8", html),
        );
        let _ = write!(
            items,
            "<item><guid isPermaLink=\"false\">{name}</guid><title>T{name}</title><link>{}</link>\
             <description>摘要{name}。</description></item>",
            origin.url(&format!("/{name}.html"))
        );
    }
    origin.set(
        "/a",
        reply(format!(
            "<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"
        )),
    );
    let mill = Mill::new(
        &(plain("a", &origin.url("/a")).trim_end().to_owned()
            + "\nfulltext = { selector = \".a\" }\n"),
    );
    settings(&mill, "pages = \"30d\"");
    mill.fetch(0);
    let visits = || {
        let store = Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap();
        let feed: FeedId = "a".parse().unwrap();
        store.visits(&feed).unwrap().len()
    };
    let kept = || -> i64 {
        raw(&mill)
            .query_row("SELECT kept FROM meta", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!((visits(), kept() > 0), (3, true));
    // Two are shown; the words of the third go, and its pages with them.
    settings(&mill, "body = \"30d\"");
    age(&mill, 31);
    assert_eq!(gone(&prune(&mill, &[])), ["a bodies 1"]);
    assert_eq!((visits(), with_words(&mill).len()), (2, 2));
    let with_pages_alone: i64 = raw(&mill)
        .query_row(
            "SELECT count(*) FROM visit v JOIN entry e ON (e.feed, e.kind, e.key) = (v.feed, v.kind, v.key)
               JOIN article a ON a.seq = e.latest_seq WHERE a.body = ''",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(with_pages_alone, 0);

    settings(&mill, "pages = \"40d\"");
    assert_eq!(gone(&prune(&mill, &[])), [""; 0]);
    raw(&mill)
        .execute(
            "UPDATE visit SET at = at - 864000000 WHERE num = (SELECT max(num) FROM visit)",
            [],
        )
        .unwrap();
    assert_eq!(gone(&prune(&mill, &[])), ["a pages 1"]);
    assert_eq!((visits(), with_words(&mill).len()), (1, 2));
    settings(&mill, "pages = \"30d\"");
    assert_eq!(gone(&prune(&mill, &[])), ["a pages 1"]);
    assert_eq!((visits(), kept()), (0, 0));

    // Should pages have stayed, they bring no words back.
    let (_, mill) = (
        origin.take_log(),
        Mill::new(&std::fs::read_to_string(mill.path("feeds.toml")).unwrap()),
    );
    mill.fetch(0);
    raw(&mill)
        .execute_batch(
            "INSERT INTO pruning (at, tier, rule) VALUES (1, 'bodies', 'made up');
             UPDATE article SET body = '', pruned = 1",
        )
        .unwrap();
    let feeds = std::fs::read_to_string(mill.path("feeds.toml")).unwrap();
    mill.write("feeds.toml", &feeds.replace("\".a\"", "\"div\""));
    let run = mill.run(&["reextract", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (&told["revised"], &told["passed"]),
        (&0.into(), &3.into()),
        "{told}"
    );
}

#[test]
fn without_an_order_nothing_goes_and_a_store_at_work_is_only_looked_at() {
    let (_origin, mill) = five("");
    age(&mill, 36_000);
    assert_eq!(gone(&prune(&mill, &[])), [""; 0]);
    settings(&mill, "body = \"1d\"");
    let held = Store::open(&mill.path("data/feedmill.sqlite")).unwrap();
    assert_eq!(gone(&prune(&mill, &["--dry-run"])), ["a bodies 3"]);
    let run = mill.run(&["prune"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("is in use by process "), "{run:?}");
    drop(held);
    let run = mill.run(&["prune", "--compact"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.out.contains("a     bodies") && run.out.contains("3 went, "),
        "{run:?}"
    );
    assert!(
        run.out.contains("2 stay for now: shown in a feed"),
        "{run:?}"
    );
    let free: i64 = raw(&mill)
        .pragma_query_value(None, "freelist_count", |row| row.get(0))
        .unwrap();
    assert_eq!(free, 0);
    assert_eq!(mill.run(&["archive", "verify"]).status, 0);
}

#[test]
fn a_window_made_larger_shows_what_is_left() {
    let (_origin, mill) = five("body = \"30d\"");
    age(&mill, 31);
    prune(&mill, &[]);
    mill.write("feedmill.toml", EAGER);
    mill.fetch(0);
    let feed = mill.feed();
    assert_eq!(feed.matches("<entry").count(), 5, "{feed}");
    assert_eq!(feed.matches("are not kept here any more").count(), 3);
    assert!(feed.contains("Title 1"));
}

#[test]
fn the_service_lets_go_by_itself() {
    let origin = Origin::start([("/a", reply(document(&[1])))]);
    let mill = daemon::mill(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    origin.set("/a", reply(document(&[1]).replace(&words(1), &words(50))));
    mill.fetch(0);
    age(&mill, 31);
    mill.write(
        "feedmill.toml",
        &daemon::settings("[keep]\nrevisions = \"30d\"\n"),
    );
    let mut daemon = Daemon::start(&mill, PATIENCE);
    daemon.until("let go", |log| {
        log.contains("let go feed.id=a tier=\"revisions\" count=1")
    });
    daemon.stop();
    assert!(mill.path("data/sealed").is_dir(), "somebody served");
    assert_eq!(with_words(&mill), [1]);
    let last: i64 = raw(&mill)
        .query_row("SELECT last_prune FROM meta", [], |row| row.get(0))
        .unwrap();
    assert!(last > 0);
}

#[test]
fn orders_are_checked_where_they_stand() {
    let check = |settings: &str, feed: &str, expected: &str| {
        let mill = Mill::new(&format!(
            "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n{feed}\n"
        ));
        mill.write("feedmill.toml", settings);
        let run = mill.run(&["check"]);
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.err.contains(expected), "{run:?}\n{expected}");
    };
    check(
        "\n[keep]\nbody = \"2m\"",
        "",
        "feedmill.toml:3: `body` in [keep]: `2m` is not a number of days",
    );
    check(
        "[keep]\nbody = 2",
        "",
        "feedmill.toml:2: `body` in [keep]: wants a number of days",
    );
    check(
        "[keep]\nbody = \"0d\"",
        "",
        "`0d` is not between 1d and 100y",
    );
    check(
        "[keep]\nbody = \"3y\"\nmetadata = \"2y\"",
        "",
        "feedmill.toml:3: `metadata` in [keep]: is shorter than `body`",
    );
    check(
        "[keep]\nbodies = \"3y\"",
        "",
        "unknown key `bodies` in [keep]",
    );
    check(
        "",
        "keep = \"2y\"",
        "feeds.toml:4: `keep` in [[feed]] \"a\": wants what is kept how long",
    );
    check(
        "",
        "keep = { count = 0 }",
        "feeds.toml:4: `count` in `keep` in [[feed]] \"a\": `0` is not between",
    );
    check(
        "",
        "keep = { age = \"2y\" }",
        "feeds.toml:4: unknown key `age` in `keep`",
    );
    check(
        "[backup]\nevery = \"1m\"",
        "",
        "feedmill.toml:2: `every` in [backup]: `1m` is not between 1h and 365d",
    );
    check(
        "[backup]\nkeep = { newest = 0 }",
        "",
        "`newest` in `keep` in [backup]: `0` is not between",
    );
    check(
        "[backup]\npath = \"archive\"\n[archive]\npath = \"archive\"",
        "",
        "[archive] and [backup] have the same `path`",
    );
}
