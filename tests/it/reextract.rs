//! Pages behind entries are kept within a budget, and read again by other rules without a request.

use std::fmt::Write as _;

use feedmill::model::visit::{Form, Visit};
use feedmill::store::{Store, unpress_page};

use crate::support::mill::{EAGER, Mill, words};
use crate::support::origin::{Origin, Reply};

/// A feed of these entries, newest first: each has a short text and links to `/NAME.html` at the origin.
fn feed(origin: &Origin, names: &[&str]) -> Reply {
    feed_saying(origin, names, "摘要")
}

fn feed_saying(origin: &Origin, names: &[&str], said: &str) -> Reply {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Made-up news</title>\
         <link>https://news.example.org/</link><description>made up for tests</description>",
    );
    for name in names {
        let link = origin.url(&format!("/{name}.html"));
        write!(
            text,
            "<item><guid isPermaLink=\"false\">{name}</guid><title>Title {name}</title><link>{link}</link>\
             <pubDate>Sat, 01 Nov 2025 06:00:00 GMT</pubDate><description>{said}{name}。</description></item>"
        )
        .unwrap();
    }
    Reply::ok("application/rss+xml", text + "</channel></rss>").validated()
}

/// A page with two texts, either of which a selector can find: `.a` and `.b`.
fn page(a: u32, b: u32) -> String {
    format!(
        "<html><head><title>Made up</title></head><body><h1>Made up</h1><div class=a>{}</div>\
         <div class=b>{}</div></body></html>",
        words(a),
        words(b)
    )
}

fn html(text: impl Into<Vec<u8>>) -> Reply {
    Reply::ok("text/html; charset=utf-8", text)
}

fn block(origin: &Origin, fulltext: &str) -> String {
    format!(
        "[[feed]]\nid = \"a\"\nurl = \"{}\"\nlanguage = \"zh-CN\"\nallow_hosts = [\"127.0.0.1\"]\nfulltext = {fulltext}\n",
        origin.url("/feed")
    )
}

const BY_A: &str = "{ selector = \".a\" }";
const BY_B: &str = "{ selector = \".b\" }";

fn start(names: &[&str]) -> Origin {
    let origin = Origin::start::<&str>([]);
    origin.set("/feed", feed(&origin, names));
    origin
}

/// The last visits to the entries of feed `a`, oldest first.
fn kept(mill: &Mill) -> Vec<Visit> {
    let store = Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap();
    let visits = store.visits(&"a".parse().unwrap()).unwrap();
    let visit = |number| store.visit(number).unwrap().unwrap();
    visits.into_iter().map(visit).collect()
}

/// The bodies of [`kept`] pages, in order.
fn bodies(mill: &Mill) -> Vec<Vec<u8>> {
    let visits = kept(mill);
    let pages = visits.iter().flat_map(|visit| &visit.pages);
    pages
        .map(|page| unpress_page(&page.body).unwrap())
        .collect()
}

/// Runs `reextract` with these arguments and `--json`.
fn reextract(mill: &Mill, args: &[&str], status: i32) -> serde_json::Value {
    let args = [&["reextract", "--json"], args].concat();
    let run = mill.run(&args);
    assert_eq!(run.status, status, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

/// Revised, new, same, worse, passed, unread.
fn counts(told: &serde_json::Value) -> [u64; 6] {
    ["revised", "new", "same", "worse", "passed", "unread"].map(|name| told[name].as_u64().unwrap())
}

fn body(mill: &Mill, number: &str) -> String {
    let run = mill.run(&["show", "--raw", number]);
    assert_eq!(run.status, 0, "{run:?}");
    run.out
}

/// The first paragraph of some [`words`].
fn first(seed: u32) -> String {
    words(seed).split(['<', '>']).nth(2).unwrap().to_owned()
}

#[test]
fn pages_are_kept_with_the_headers_that_matter() {
    let origin = start(&["1"]);
    let words = b"\xd6\xd0\xce\xc4".repeat(8);
    let gbk = [b"<html><body><div class=a>", words.as_slice(), b"</div>"].concat();
    origin.set(
        "/1.html",
        Reply::status(302).header("Location", "/moved.html"),
    );
    origin.set(
        "/moved.html",
        Reply::ok("Text/HTML; charset=GBK", gbk.clone()),
    );
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    let [visit] = kept(&mill).try_into().unwrap();
    assert_eq!((visit.form, visit.source.as_str()), (Form::Article, "feed"));
    assert_eq!(visit.teaser.title.as_deref(), Some("Title 1"));
    let [page] = visit.pages.as_slice() else {
        panic!("{visit:?}");
    };
    assert_eq!(page.asked.as_str(), origin.url("/1.html"));
    assert_eq!(page.url.as_str(), origin.url("/moved.html"));
    assert_eq!(page.media_type.as_deref(), Some("text/html"));
    assert_eq!(page.charset.as_deref(), Some("GBK"));
    assert!(page.fetched >= visit.at);
    assert_eq!(unpress_page(&page.body).unwrap(), gbk);
    assert_eq!(page.body.digest, *blake3::hash(&gbk).as_bytes());
}

#[test]
fn what_could_not_be_read_is_kept_and_what_has_no_page_is_not() {
    let origin = start(&["1", "2", "3"]);
    origin.set("/1.html", Reply::ok("application/pdf", "%PDF-1.7"));
    origin.set("/2.html", html("<p>短。</p>"));
    // The third is not found: there is no page.
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(1);
    let mut had = bodies(&mill);
    had.sort();
    assert_eq!(had, [b"%PDF-1.7".to_vec(), "<p>短。</p>".into()]);
    // Nothing of it is read any better today, and that is told.
    let told = reextract(&mill, &["--dry-run"], 1);
    assert_eq!(counts(&told), [0, 0, 0, 0, 0, 2], "{told}");

    // A feed whose entries are whole has no pages behind them.
    let mill = Mill::new(&block(&origin, "\"feed\""));
    mill.fetch(0);
    assert!(kept(&mill).is_empty());
}

#[test]
fn the_oldest_pages_go_when_there_is_no_room_and_none_are_kept_by_order() {
    let names: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
    let origin = start(&[]);
    // Nothing that zstd could make small.
    let noise = |seed: u8| -> String {
        let mut state = blake3::hash(&[seed]);
        let mut text = "<div class=a>".to_owned();
        for _ in 0..32 {
            text.push_str(&state.to_hex());
            state = blake3::hash(state.as_bytes());
        }
        text + "</div>"
    };
    for (name, seed) in names.iter().zip(1..) {
        origin.set(format!("/{name}.html"), html(noise(seed)));
    }
    let mill = Mill::new(&block(&origin, BY_A));
    mill.write(
        "feedmill.toml",
        &format!("{EAGER}[store]\npages = \"8KiB\"\n"),
    );
    for name in &names {
        origin.set("/feed", feed(&origin, &[name]));
        mill.fetch(0);
    }
    let database = rusqlite::Connection::open(mill.path("data/feedmill.sqlite")).unwrap();
    let bytes = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let stored = bytes(
        "SELECT (SELECT coalesce(sum(octet_length(body)), 0) FROM page) + (SELECT coalesce(sum(octet_length(teaser)), 0) FROM visit)",
    );
    assert_eq!(bytes("SELECT kept FROM meta"), stored);
    let had: Vec<String> = bodies(&mill)
        .into_iter()
        .map(|body| String::from_utf8(body).unwrap())
        .collect();
    assert!(
        (4_096..=8_192).contains(&stored) && had.len() >= 3,
        "{stored}"
    );
    let newest: Vec<String> = (13 - had.len()..=12)
        .map(|seed| noise(u8::try_from(seed).unwrap()))
        .collect();
    assert_eq!(had, newest);

    mill.write("feedmill.toml", &format!("{EAGER}[store]\npages = 0\n"));
    origin.set("/feed", feed(&origin, &["1", "2"]));
    mill.fetch(0);
    assert!(kept(&mill).is_empty());
    for sql in [
        "SELECT count(*) FROM page",
        "SELECT count(*) FROM visited",
        "SELECT kept FROM meta",
    ] {
        assert_eq!(bytes(sql), 0, "{sql}");
    }
}

#[test]
fn one_body_is_kept_once_however_often_it_comes() {
    let origin = start(&["1", "2"]);
    for name in ["/1.html", "/2.html"] {
        origin.set(name, html(page(1, 2)));
    }
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    assert_eq!(bodies(&mill).len(), 2);
    let database = rusqlite::Connection::open(mill.path("data/feedmill.sqlite")).unwrap();
    let pages: i64 = database
        .query_row("SELECT count(*) FROM page", [], |row| row.get(0))
        .unwrap();
    assert_eq!(pages, 1);
}

#[test]
fn another_selector_is_shown_first_and_then_makes_one_revision_without_a_request() {
    let origin = start(&["1"]);
    origin.set("/1.html", html(page(1, 2)));
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    assert!(body(&mill, "0").contains(&first(1)));
    let told = reextract(&mill, &[], 0);
    assert_eq!(counts(&told), [0, 0, 1, 0, 0, 0], "{told}");
    origin.take_log();

    mill.write("feeds.toml", &block(&origin, BY_B));
    let before = mill.everything(&["feedmill.sqlite-shm", "feedmill.sqlite-wal"]);
    let run = mill.run(&["reextract", "--dry-run"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("1 would be revised"), "{run:?}");
    for line in [format!("- {}", first(1)), format!("+ {}", first(2))] {
        assert!(run.out.contains(&line), "{line}: {run:?}");
    }
    assert_eq!(
        mill.everything(&["feedmill.sqlite-shm", "feedmill.sqlite-wal"]),
        before
    );

    let told = reextract(&mill, &["--feed", "a"], 0);
    assert_eq!(counts(&told), [1, 0, 0, 0, 0, 0], "{told}");
    assert_eq!(
        (&told["entries"][0]["before"], &told["entries"][0]["after"]),
        (&0.into(), &1.into())
    );
    assert!(body(&mill, "1").contains(&first(2)));
    assert!(body(&mill, "0").contains(&first(1)), "the old one stays");
    assert!(mill.feed().contains(&first(2)), "what changed is published");
    assert_eq!(mill.archive().len(), 2);

    let told = reextract(&mill, &[], 0);
    assert_eq!(counts(&told), [0, 0, 1, 0, 0, 0], "{told}");
    assert_eq!(mill.list().len(), 2);
    assert!(origin.take_log().is_empty(), "nobody was asked");

    // The next poll knows it: the feed is unchanged, and so is the entry where the feed has another besides.
    origin.set("/2.html", html(page(3, 4)));
    origin.set("/feed", feed(&origin, &["2", "1"]));
    let told = mill.fetch(0);
    assert_eq!(told["feeds"][0]["new"], 1, "{told}");
    assert_eq!(mill.list().len(), 3);
    let asked: Vec<String> = origin
        .take_log()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert!(!asked.contains(&"/1.html".to_owned()), "{asked:?}");
}

#[test]
fn a_page_that_failed_is_read_when_the_rules_can() {
    // Once where the feed's own words stood in, once where there were none and nothing was stored.
    let origin = start(&["1"]);
    origin.set("/1.html", html(page(1, 2)));
    let mill = Mill::new(&block(&origin, "{ selector = \".c\" }"));
    mill.fetch(1);
    assert!(body(&mill, "0").contains("摘要1"));
    mill.write("feeds.toml", &block(&origin, BY_A));
    let told = reextract(&mill, &[], 0);
    assert_eq!(counts(&told), [1, 0, 0, 0, 0, 0], "{told}");
    assert!(body(&mill, "1").contains(&first(1)));

    origin.set("/list", html("<ul><li><a href=1.html>Title one</a></ul>"));
    let scrape = |body: &str| {
        format!(
            "[[feed]]\nid = \"a\"\nsource = \"scrape\"\nurl = \"{}\"\nitems = \"li\"\npage_body = \"{body}\"\n\
             allow_hosts = [\"127.0.0.1\"]\n",
            origin.url("/list")
        )
    };
    let mill = Mill::new(&scrape(".c"));
    mill.fetch(1);
    assert!(mill.list().is_empty());
    assert_eq!(kept(&mill)[0].form, Form::Detail);
    mill.write("feeds.toml", &scrape(".b"));
    let told = reextract(&mill, &["--dry-run"], 0);
    assert_eq!(counts(&told), [0, 1, 0, 0, 0, 0], "{told}");
    let told = reextract(&mill, &[], 0);
    assert_eq!(counts(&told), [0, 1, 0, 0, 0, 0], "{told}");
    assert!(body(&mill, "0").contains(&first(2)));
    assert_eq!(counts(&reextract(&mill, &[], 0)), [0, 0, 1, 0, 0, 0]);
}

#[test]
fn an_article_on_several_pages_is_read_again_whole() {
    let origin = start(&["1"]);
    let with_next = |page: String, to: &str| {
        page.replace("</body>", &format!("<a href='{to}'>下一页</a></body>"))
    };
    origin.set("/1.html", html(with_next(page(1, 2), "/1_2.html")));
    origin.set("/1_2.html", html(with_next(page(3, 4), "/1_3.html")));
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    let had = body(&mill, "0");
    assert!(had.contains(&first(1)) && had.contains(&first(3)), "{had}");
    assert_eq!(counts(&reextract(&mill, &[], 0)), [0, 0, 1, 0, 0, 0]);
    mill.write("feeds.toml", &block(&origin, BY_B));
    reextract(&mill, &[], 0);
    let has = body(&mill, "1");
    assert!(has.contains(&first(2)) && has.contains(&first(4)), "{has}");
}

#[test]
fn an_article_that_would_lose_its_words_is_told_and_left_alone() {
    let origin = start(&["1", "2"]);
    let short = |long: u32| {
        page(long, 0).replace(
            &words(0),
            "<p>这是二十个字以上的短文，不过比原来的少得多了。</p>",
        )
    };
    origin.set("/1.html", html(short(1)));
    // The feed has more of this one than the selector finds: the rule of polls.
    origin.set(
        "/2.html",
        html(short(2).replace("这是二十个字以上的短文，不过比原来的少得多了。", "二。")),
    );
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    mill.write("feeds.toml", &block(&origin, BY_B));
    let told = reextract(&mill, &[], 0);
    assert_eq!(counts(&told), [0, 0, 0, 2, 0, 0], "{told}");
    assert!(
        told["entries"][0]["why"]
            .as_str()
            .unwrap()
            .contains("stored")
            || told["entries"][1]["why"]
                .as_str()
                .unwrap()
                .contains("stored"),
        "{told}"
    );
    assert_eq!(mill.list().len(), 2);
    let told = reextract(&mill, &["--shorter"], 0);
    assert_eq!(counts(&told), [1, 0, 0, 1, 0, 0], "{told}");
}

#[test]
fn newer_words_from_elsewhere_and_pages_nobody_orders_are_left_alone() {
    let origin = start(&["1"]);
    origin.set("/1.html", html(page(1, 2)));
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    mill.write("feeds.toml", &block(&origin, "\"feed\""));
    assert_eq!(counts(&reextract(&mill, &[], 0)), [0, 0, 0, 0, 1, 0]);
    // The publisher changes the feed's own words, which are taken as ordered.
    origin.set("/feed", feed_saying(&origin, &["1"], "后来的摘要"));
    mill.fetch(0);
    assert!(body(&mill, "1").contains("后来的摘要"));
    mill.write("feeds.toml", &block(&origin, BY_B));
    assert_eq!(counts(&reextract(&mill, &[], 0)), [0, 0, 0, 0, 1, 0]);
    assert_eq!(mill.list().len(), 2);
}

#[test]
fn a_store_in_use_and_a_feed_nobody_knows_are_told_plainly() {
    let origin = start(&["1"]);
    origin.set("/1.html", html(page(1, 2)));
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    let run = mill.run(&["reextract", "--feed", "b"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("no feed `b`"), "{run:?}");
    let held = Store::open(&mill.path("data/feedmill.sqlite")).unwrap();
    let run = mill.run(&["reextract"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("is in use by process"), "{run:?}");
    // To look is no harm.
    assert_eq!(
        counts(&reextract(&mill, &["--dry-run"], 0)),
        [0, 0, 1, 0, 0, 0]
    );
    drop(held);
}

#[test]
fn a_damaged_page_is_that_entrys_trouble() {
    let origin = start(&["1", "2"]);
    origin.set("/1.html", html(page(1, 2)));
    origin.set("/2.html", html(page(3, 4)));
    let mill = Mill::new(&block(&origin, BY_A));
    mill.fetch(0);
    let database = rusqlite::Connection::open(mill.path("data/feedmill.sqlite")).unwrap();
    database
        .execute("UPDATE page SET body = x'00' WHERE num = 1", [])
        .unwrap();
    let told = reextract(&mill, &[], 1);
    assert_eq!(counts(&told), [0, 0, 1, 0, 0, 1], "{told}");
    assert!(
        told["entries"][0]["why"].as_str().unwrap().contains("zstd"),
        "{told}"
    );
}
