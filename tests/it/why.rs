//! `feedmill why`: every answer is looked up in what polls decided.

use serde_json::Value;

use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

fn xml(items: &[(&str, &str, &str)]) -> Reply {
    Reply::ok("application/rss+xml", rss(items)).validated()
}

fn why(mill: &Mill, what: &str) -> Value {
    let run = mill.run(&["why", what, "--json"]);
    assert_eq!(run.status, 0, "{what}: {run:?}");
    serde_json::from_str(&run.out).unwrap()
}

fn has(answer: &Value, field: &str, words: &str) {
    let text = answer[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field}: {answer:#}"));
    assert!(text.contains(words), "{field}: {text}");
}

/// Two feeds, the second with words of the first: numbers 0 and 1 of `a`, then 2 (a reprint) and 3 of `b`.
fn two() -> (Origin, Mill) {
    let (one, two, three) = (words(1), words(2), words(3));
    let a = xml(&[("two", "Two", &two), ("one", "One", &one)]);
    let b = xml(&[("three", "Three", &three), ("copy", "One again", &one)]);
    let origin = Origin::start([("/a", a), ("/b", b)]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    for feed in ["a", "b"] {
        assert_eq!(mill.run(&["fetch", "--once", feed]).status, 0);
    }
    (origin, mill)
}

/// The number of the first article with this title, as `list` prints it.
fn number(mill: &Mill, title: &str) -> String {
    let list = mill.list();
    list.iter().find(|line| line[4] == title).unwrap()[0].clone()
}

/// A number without what `list` puts before it.
fn bare(number: &str) -> u64 {
    number.parse().unwrap()
}

#[test]
fn an_article_is_found_by_all_its_names_and_says_where_it_is_shown() {
    let (_origin, mill) = two();
    let one = number(&mill, "One");
    let article = why(&mill, &one);
    assert_eq!(
        (&article["kind"], &article["verdict"]),
        (&"article".into(), &"new".into())
    );
    assert_eq!(article["in_merged_feed"], true, "{article:#}");
    has(&article, "why_merged_feed", "its place by date is");
    let file = article["archive_file"].as_str().unwrap();
    for name in [
        article["link"].as_str().unwrap(),
        article["entry_id"].as_str().unwrap(),
        article["content_id"].as_str().unwrap(),
        file,
        mill.path(&format!("data/archive/{file}")).to_str().unwrap(),
        "one",
    ] {
        // The words are those of the copy too.
        let found = why(&mill, name);
        let first = if found.is_array() { &found[0] } else { &found };
        assert_eq!(first["number"], bare(&one), "{name}");
    }
    let words = mill.run(&["why", &one]).out;
    for part in [
        "brought by",
        "read; 2 new",
        "in the format hugo",
        "yes: its place",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_reprint_says_of_what_and_what_is_shown_for_it() {
    let (_origin, mill) = two();
    let copy = why(&mill, &number(&mill, "One again"));
    assert_eq!(
        (&copy["verdict"], &copy["in_merged_feed"]),
        (&"reprint".into(), &false.into())
    );
    assert_eq!(copy["same_words_as"], bare(&number(&mill, "One")));
    has(
        &copy,
        "why_merged_feed",
        &format!("no: article {} of a is shown for it", number(&mill, "One")),
    );
    has(&copy, "why_archive", "has the same words, and the file");
    assert_eq!(copy["archive_file"], Value::Null);
}

#[test]
fn what_is_superseded_or_too_old_says_so() {
    let (origin, mill) = two();
    let old = number(&mill, "Two");
    origin.set(
        "/a",
        xml(&[("two", "Two", &words(9)), ("one", "One", &words(1))]),
    );
    mill.fetch(0);
    let list = mill.list();
    let newer = &list.iter().rfind(|line| line[4] == "Two").unwrap()[0];
    has(
        &why(&mill, &old),
        "why_merged_feed",
        &format!("no: superseded by article {newer}"),
    );
    let revision = why(&mill, newer);
    assert_eq!(
        (&revision["verdict"], &revision["in_merged_feed"]),
        (&"revised".into(), &true.into())
    );
    assert_eq!(revision["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(
        why(&mill, "https://news.example.org/two")["number"],
        bare(newer),
        "the latest"
    );

    // A feed of one entry.
    mill.write(
        "feedmill.toml",
        &format!("{}[feed]\nentries = 1\n", crate::support::mill::EAGER),
    );
    let one = why(&mill, &number(&mill, "One"));
    has(&one, "why_merged_feed", "not any more: ");
    mill.fetch(0);
    let one = why(&mill, &number(&mill, "One"));
    has(
        &one,
        "why_merged_feed",
        "have later dates, and the feed holds 1",
    );
    assert_eq!(one["in_merged_feed"], false);
}

#[test]
fn a_feed_tells_what_was_asked_answered_and_decided() {
    let text = rss(&[("two", "Two", &words(2)), ("one", "One", &words(1))]);
    let (bytes, ..) = encoding_rs::GB18030.encode(&text);
    let reply = || Reply::ok("application/rss+xml; charset=gb18030", bytes.to_vec()).validated();
    let origin = Origin::start([("/a", reply()), ("/b", xml(&[]))]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.fetch(0);
    mill.fetch(0);
    let feed = why(&mill, "a");
    assert_eq!(feed["kind"], "feed", "{feed:#}");
    let polls = feed["polls"].as_array().unwrap();
    let results: Vec<_> = polls
        .iter()
        .map(|poll| poll["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["unchanged", "read"]);
    assert!(
        feed["validators"]["etag"]
            .as_str()
            .unwrap()
            .starts_with("W/")
    );
    assert_eq!(feed["health"]["state"], "fine");
    assert!(!feed["why_next"].as_str().unwrap().is_empty());
    assert_eq!(why(&mill, &origin.url("/a"))["feed"], "a", "by its address");
    origin.set("/a", Reply::status(429).header("Retry-After", "7200"));
    mill.run(&["fetch", "--once", "a"]);
    let words = mill.run(&["why", "a"]).out;
    for part in [
        "held back   until",
        "even against an order: HTTP status 429 with Retry-After: 7200 s",
        "rate-limited: HTTP status 429",
        "validators  ETag: W/",
        "rhythm      about",
        "document    charset: gb18030 by",
        "health      fine",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    mill.write("feeds.toml", &plain("b", &origin.url("/b")));
    let gone = why(&mill, "a");
    assert_eq!(gone["subscribed"], false);
}

#[test]
fn what_was_left_out_says_why_and_what_nobody_knows_gets_help() {
    let items =
        "<item><guid>nothing-in-it</guid></item><item><guid>1</guid><title>t</title></item>";
    let text = format!("<rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>");
    let origin = Origin::start([("/f", Reply::ok("application/rss+xml", text))]);
    let mill = Mill::new(
        &(plain("takungpao", &origin.url("/f")) + &plain("never", "http://127.0.0.1:9/")),
    );
    assert_eq!(
        mill.run(&["why", "never"]).status,
        2,
        "there is no store yet"
    );
    mill.run(&["fetch", "--once", "takungpao"]);
    let left_out = why(&mill, "nothing-in-it");
    assert_eq!(
        (&left_out["kind"], &left_out["feed"]),
        (&"left-out".into(), &"takungpao".into())
    );
    has(&left_out, "why", "neither title nor words");
    assert_eq!(why(&mill, "never")["polls"], Value::Array(Vec::new()));
    for (what, help) in [
        ("takunpao", "feeds with a name like it: takungpao"),
        ("99", "articles have the numbers 0 to 0"),
        ("https://nowhere.example/", "is no feed, and no article"),
    ] {
        let run = mill.run(&["why", what]);
        assert_eq!((run.status, run.out.as_str()), (1, ""), "{what}");
        assert!(run.err.contains(help), "{what}: {}", run.err);
    }
}

#[test]
fn f_63_what_is_private_is_shown_to_nobody_and_in_nobodys_way() {
    let (origin, mill) = two();
    let private = plain("a", &origin.url("/a")).trim_end().to_owned() + "\nprivate = true\n\n";
    mill.write("feeds.toml", &(private + &plain("b", &origin.url("/b"))));
    mill.fetch(0);
    has(
        &why(&mill, &number(&mill, "One")),
        "why_merged_feed",
        "its feed is private",
    );
    let copy = why(&mill, &number(&mill, "One again"));
    has(&copy, "why_merged_feed", "its place by date is 2 of");
    assert_eq!(copy["in_merged_feed"], true, "{copy:#}");
}
