//! The same entry with other words: what becomes a revision, what is held back, what a publisher takes back.

use std::collections::HashMap;
use std::fmt::Write as _;

use feedmill::model::article::Article;
use feedmill::model::content::{Content, ContentHash, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::ids::EntryId;
use feedmill::model::poll::{PollRecord, PollResult, Reading, Verdict};
use feedmill::model::time::Timestamp;
use feedmill::store::{ListQuery, Store};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::mill::{Mill, plain, words};
use crate::support::origin::{Origin, Reply};
use crate::support::record;

/// An Atom feed of these entries (id, `updated`, words), and what stands behind them.
fn atom(entries: &[(&str, Option<&str>, &str)], behind: &str) -> Reply {
    let mut text = String::from(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\">\
         <id>tag:news.example.org,2025:feed</id><title>Made-up news</title><updated>2025-11-01T06:00:00Z</updated>",
    );
    for (id, updated, words) in entries {
        let updated = updated.map(|date| format!("<updated>{date}</updated>"));
        write!(
            text,
            "<entry><id>tag:news.example.org,2025:{id}</id><title>Title {id}</title>\
             <link href=\"https://news.example.org/{id}\"/>{}<content type=\"html\"><![CDATA[{words}]]></content></entry>",
            updated.unwrap_or_default()
        )
        .unwrap();
    }
    Reply::ok("application/atom+xml", text + behind + "</feed>").validated()
}

fn one(updated: Option<&str>, words: &str) -> Reply {
    atom(&[("1", updated, words)], "")
}

fn mill(origin: &Origin) -> Mill {
    Mill::new(&plain("a", &origin.url("/a")))
}

fn polled(origin: &Origin, mill: &Mill, reply: Reply) -> Value {
    origin.set("/a", reply);
    mill.fetch(0)["feeds"][0].clone()
}

fn show(mill: &Mill, number: &str) -> Value {
    let run = mill.run(&["show", "--json", number]);
    assert_eq!(run.status, 0, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

/// The latest revision.
fn last(mill: &Mill) -> Value {
    let list = mill.list();
    let numbers = list.iter().map(|row| row[0].parse::<u64>().unwrap());
    show(mill, &numbers.max().unwrap().to_string())
}

fn body(shown: &Value) -> &str {
    shown["body"]["text"].as_str().unwrap()
}

fn why(mill: &Mill, what: &str) -> (String, Value) {
    let run = mill.run(&["why", what]);
    let json = mill.run(&["why", what, "--json"]);
    assert_eq!((run.status, json.status), (0, 0), "{run:?}");
    (run.out, serde_json::from_str(&json.out).unwrap())
}

/// P-126: a feed that prints the time of day is written 24 times, and is no news.
#[test]
fn a_feed_that_prints_the_time_of_day_does_not_republish_for_ever() {
    let told = |minute: u32| format!("{}<p>It is 12:{minute:02} now.</p>", words(1));
    let origin = Origin::start([("/a", one(None, &told(0)))]);
    let mill = mill(&origin);
    mill.fetch(0);
    let first = last(&mill);
    for minute in 1..=40 {
        polled(&origin, &mill, one(None, &told(minute)));
    }
    assert_eq!(mill.list().len(), 25, "24 writes after the first");
    let shown = last(&mill);
    assert_eq!(body(&shown), told(24));
    assert_eq!(shown["updated"], first["updated"]);
    assert_eq!(mill.feed().matches("<entry").count(), 1);
    let (told_to_people, json) = why(&mill, &shown["number"].to_string());
    assert!(
        told_to_people.contains("frozen since") && told_to_people.contains("24 changes"),
        "{told_to_people}"
    );
    assert_eq!(json["held"]["why"], "spent", "{json:#}");
    assert_eq!(json["quiet_changes"], 24);
    let show = mill.run(&["show", &shown["number"].to_string()]).out;
    assert!(show.contains("frozen"), "{show}");
    // A capped entry costs no write, and its feed goes on.
    let report = polled(
        &origin,
        &mill,
        atom(&[("1", None, &told(50)), ("2", None, &words(2))], ""),
    );
    assert_eq!(
        (&report["new"], &report["revised"]),
        (&1.into(), &0.into()),
        "{report}"
    );
}

/// P-127: A, B, A, B.
#[test]
fn two_origins_behind_one_name_do_not_republish() {
    let (a, b, c) = (words(1), words(2), words(3));
    let origin = Origin::start([("/a", one(None, &a))]);
    let mill = mill(&origin);
    mill.fetch(0);
    for _ in 0..6 {
        polled(&origin, &mill, one(None, &b));
        polled(&origin, &mill, one(None, &a));
    }
    assert_eq!(mill.list().len(), 3, "A, B, and A again");
    let shown = last(&mill);
    assert_eq!(body(&shown), a);
    let (_, json) = why(&mill, &shown["number"].to_string());
    assert_eq!(json["held"]["why"], "returned", "{json:#}");
    // Words that were never here thaw it.
    let report = polled(&origin, &mill, one(None, &c));
    assert_eq!(report["revised"], 1, "{report}");
    let shown = last(&mill);
    assert_eq!(body(&shown), c);
    let (_, json) = why(&mill, &shown["number"].to_string());
    assert_eq!(json["held"], Value::Null, "{json:#}");
    assert_eq!(mill.feed().matches("<entry").count(), 1);
}

#[test]
fn a_change_of_mind_is_shown() {
    let (a, b) = (words(1), words(2));
    let origin = Origin::start([("/a", one(None, &a))]);
    let mill = mill(&origin);
    mill.fetch(0);
    let updated = last(&mill)["updated"].clone();
    polled(&origin, &mill, one(None, &b));
    polled(&origin, &mill, one(None, &a));
    let shown = last(&mill);
    assert_eq!((body(&shown), &shown["updated"]), (a.as_str(), &updated));
    assert_eq!(shown["revision_of"], 0);
}

/// F-07, P-125: the publisher's date moves ours, and only forward.
#[test]
fn updated_is_the_publishers_word() {
    let dates = [
        "2025-11-01T06:00:00Z",
        "2025-11-01T09:00:00Z",
        "2025-11-01T12:00:00Z",
    ];
    let origin = Origin::start([("/a", one(Some(dates[0]), &words(1)))]);
    let mill = mill(&origin);
    mill.fetch(0);
    let updated = |date: &str, seed: u32| {
        polled(&origin, &mill, one(Some(date), &words(seed)));
        let shown = last(&mill);
        let body = body(&shown).to_owned();
        (shown["updated"].as_str().unwrap().to_owned(), body)
    };
    assert_eq!(
        updated(dates[0], 2),
        (dates[0].to_owned(), words(2)),
        "undated"
    );
    assert_eq!(
        updated(dates[1], 3),
        (dates[1].to_owned(), words(3)),
        "dated"
    );
    assert_eq!(
        updated(dates[2], 3),
        (dates[2].to_owned(), words(3)),
        "the date alone"
    );
    assert_eq!(
        updated(dates[0], 4),
        (dates[2].to_owned(), words(3)),
        "an older edition"
    );
    assert!(
        mill.feed()
            .contains("<updated>2025-11-01T12:00:00Z</updated>")
    );
}

const GONE: &str = "<at:deleted-entry ref=\"tag:news.example.org,2025:1\" when=\"2025-11-02T06:00:00Z\">\
                    <at:comment>A wrong report.</at:comment></at:deleted-entry>\
                    <at:deleted-entry ref=\"tag:news.example.org,2025:nobody\" when=\"2025-11-02T06:00:00Z\"/>";

/// RFC 6721.
#[test]
fn an_entry_that_is_taken_back_keeps_its_words_and_says_so() {
    let two = ("2", None, words(2));
    let two = (two.0, two.1, two.2.as_str());
    let origin = Origin::start([("/a", atom(&[("1", None, &words(1)), two], ""))]);
    // The same id in a feed of somebody else's.
    origin.set("/b", atom(&[("1", None, &words(3)), two], ""));
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.fetch(0);
    let before = mill.feed();
    let report = polled(&origin, &mill, atom(&[two], GONE));
    assert!(
        report["notes"]
            .to_string()
            .contains("1 entries were withdrawn"),
        "{report}"
    );
    let again = polled(
        &origin,
        &mill,
        atom(&[two], &GONE.replace("report", "story")),
    );
    assert!(
        !again["notes"].to_string().contains("withdrawn"),
        "once: {again}"
    );
    let number = |source: &str, title: &str| {
        let list = mill.list();
        let found = list.iter().find(|row| row[3] == source && row[4] == title);
        found.unwrap()[0].clone()
    };
    let shown = show(&mill, &number("a", "Title 1"));
    assert_eq!(body(&shown), words(1), "the words stay");
    assert_eq!(shown["withdrawn"]["how"], "deleted-entry", "{shown:#}");
    assert_eq!(shown["withdrawn"]["comment"], "A wrong report.");
    assert_eq!(shown["withdrawn"]["said"], "2025-11-02T06:00:00Z");
    assert_eq!(
        show(&mill, &number("b", "Title 1"))["withdrawn"],
        Value::Null
    );
    assert_eq!(
        show(&mill, &number("a", "Title 2"))["withdrawn"],
        Value::Null
    );
    assert_eq!(mill.feed(), before, "what is published stays");
    let (told, _) = why(&mill, &number("a", "Title 1"));
    assert!(
        told.contains("withdrawn") && told.contains("A wrong report."),
        "{told}"
    );
    let json = mill.run(&["list", "--json"]).out;
    assert_eq!(
        json.matches("\"withdrawn\": \"deleted-entry\"").count(),
        1,
        "{json}"
    );
    // It comes back, while the feed goes on to say that it went.
    let back = Some("2025-11-03T06:00:00Z");
    polled(&origin, &mill, atom(&[("1", back, &words(1)), two], GONE));
    let shown = show(&mill, &number("a", "Title 1"));
    assert!(shown["withdrawn"]["back"].is_string(), "{shown:#}");
    assert_eq!(
        mill.run(&["list", "--json"])
            .out
            .matches("\"withdrawn\": \"")
            .count(),
        0
    );
}

/// An entry that stands beside its own tombstone went only if it is the older of the two.
#[test]
fn what_is_still_there_was_not_taken_back() {
    let undated = atom(&[("1", None, &words(1))], GONE);
    let older = atom(&[("1", Some("2025-11-01T06:00:00Z"), &words(1))], GONE);
    for (reply, gone) in [(undated, false), (older, true)] {
        let origin = Origin::start([("/a", reply)]);
        let mill = mill(&origin);
        mill.fetch(0);
        assert_eq!(last(&mill)["withdrawn"].is_object(), gone);
    }
}

/// 410 for an entry's own page; 404 is a loss.
#[test]
fn a_page_that_is_gone_for_good_takes_its_entry_back() {
    let origin = Origin::start::<&str>([]);
    let feed = |words: &str| {
        let link = origin.url("/1.html");
        Reply::ok(
            "application/rss+xml",
            format!(
                "<rss version=\"2.0\"><channel><title>Made-up news</title><item><guid isPermaLink=\"false\">1</guid>\
                 <title>Title</title><link>{link}</link><description><![CDATA[{words}]]></description></item></channel></rss>"
            ),
        )
    };
    let page = Reply::ok(
        "text/html; charset=utf-8",
        format!(
            "<html><body><h1>Title</h1><div>{}</div></body></html>",
            words(1)
        ),
    );
    for (status, gone) in [(404, false), (410, true)] {
        origin.set("/a", feed("<p>short</p>"));
        origin.set("/1.html", page.clone());
        let block = plain("a", &origin.url("/a")).trim_end().to_owned() + "\nfulltext = \"page\"\n";
        let mill = Mill::new(&block);
        mill.fetch(0);
        assert!(body(&last(&mill)).contains("<p>"), "its page was read");
        let had = body(&last(&mill)).to_owned();
        origin.set("/1.html", Reply::status(status));
        origin.set("/a", feed("<p>shorter</p>"));
        mill.run(&["fetch", "--once"]);
        let shown = last(&mill);
        assert_eq!(body(&shown), had, "the words stay");
        assert_eq!(shown["withdrawn"].is_object(), gone, "{shown:#}");
        if gone {
            assert_eq!(shown["withdrawn"]["how"], "gone");
        }
    }
}

/// A page is not asked at every poll for a teaser that prints the time of day.
#[test]
fn a_counter_in_a_teaser_does_not_cost_a_request_a_poll() {
    let origin = Origin::start::<&str>([]);
    let feed = |poll: u32| {
        let link = origin.url("/1.html");
        Reply::ok(
            "application/rss+xml",
            format!(
                "<rss version=\"2.0\"><channel><title>Made-up news</title><item><guid isPermaLink=\"false\">1</guid>\
                 <title>Title</title><link>{link}</link><description>阅读 {poll}</description></item></channel></rss>"
            ),
        )
    };
    origin.set("/a", feed(0));
    origin.set(
        "/1.html",
        Reply::ok(
            "text/html; charset=utf-8",
            format!(
                "<html><body><h1>Title</h1><div>{}</div></body></html>",
                words(1)
            ),
        ),
    );
    let block = plain("a", &origin.url("/a")).trim_end().to_owned() + "\nfulltext = \"page\"\n";
    let mill = Mill::new(&block);
    for poll in 0..40 {
        origin.set("/a", feed(poll));
        mill.fetch(0);
    }
    let asked = origin.log();
    let asked = asked.iter().filter(|request| request.path == "/1.html");
    assert_eq!(asked.count(), 25, "the first, and 24");
    assert!(mill.list().len() <= 25);
}

// The store, with a clock of its own.

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + secs)
}

fn article(text: &str, updated: Option<i64>) -> Article {
    let id = EntryId::new("1");
    Article {
        key: EntryKey::Id(id.clone().unwrap()),
        id,
        link: None,
        title: "Title".to_owned(),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: updated.map(at),
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::plain(text),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        content: ContentHash::from_bytes(*blake3::hash(text.as_bytes()).as_bytes()),
        raw: RawHash::of([Some(text.as_bytes())]),
        teaser: None,
    }
}

fn poll(time: i64, articles: Vec<Article>) -> PollRecord {
    let reading = Reading {
        document: Some(RawHash(7)),
        ..record::reading(articles)
    };
    let result = PollResult::Read(Box::new(reading));
    record::poll("a".parse().unwrap(), at(time), result)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// What may be taken at a later poll has to be read again then: the same bytes are not passed over.
#[test]
fn a_revert_that_stays_is_shown_in_the_end() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Store::open(&scratch.path().join("store.db")).unwrap();
    let runtime = runtime();
    let feed = "a".parse().unwrap();
    let seen = |hour: i64, text: &str| {
        let recorded =
            runtime.block_on(store.record(poll(hour * 3_600, vec![article(text, None)])));
        let document = store.feed_state(&feed).unwrap().unwrap().document;
        (recorded.unwrap().held, document.is_some())
    };
    for (hour, text) in (0..).zip(["A", "B", "A"]) {
        assert_eq!(seen(hour, text), (0, true));
    }
    for hour in 3..27 {
        assert_eq!(seen(hour, "B"), (1, false), "hour {hour}");
    }
    assert_eq!(seen(27, "B"), (0, true), "a day later");
    let latest = store.latest(1).unwrap().remove(0);
    assert_eq!(
        (latest.article.body.text.as_str(), latest.revised),
        ("B", at(0))
    );
    drop(store);
}

#[derive(Clone, Debug)]
struct Document {
    text: String,
    updated: Option<i64>,
    later: i64,
}

fn document() -> impl Strategy<Value = Document> {
    let text = prop_oneof!["[AB]", "[a-z]{5}", "at [01][0-9]:[0-5][0-9]"];
    let updated = prop_oneof![
        Just(None),
        (-5_000_i64..90_000).prop_map(Some),
        Just(Some(i64::MAX))
    ];
    (
        text,
        updated,
        prop_oneof![Just(60_i64), Just(3_600), 0..90_000_i64],
    )
        .prop_map(|(text, updated, later)| Document {
            text,
            updated,
            later,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any documents for one entry: bounded revisions, `updated` that never moves back, new once (P-126, P-127, F-07).
    #[test]
    fn an_entry_is_new_once_whatever_comes(documents in proptest::collection::vec(document(), 40..120)) {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(&scratch.path().join("store.db")).unwrap();
        let runtime = runtime();
        let (mut now, mut verdicts) = (0, HashMap::new());
        for document in &documents {
            now += document.later;
            let updated = document.updated.map(|secs| secs.min(now));
            let recorded = runtime.block_on(store.record(poll(now, vec![article(&document.text, updated)]))).unwrap();
            let word = match recorded.articles[0].2 {
                Verdict::New => "new",
                Verdict::Revised(_) => "revised",
                Verdict::Known(_) => "known",
                Verdict::Reprint(_) => "reprint",
            };
            *verdicts.entry(word).or_insert(0_u64) += 1;
        }
        prop_assert_eq!(verdicts.get("new"), Some(&1));
        prop_assert_eq!(verdicts.get("reprint"), None);
        let query = ListQuery { limit: usize::MAX, ..ListQuery::default() };
        let mut all = store.list(&query).unwrap();
        all.reverse();
        prop_assert_eq!(all.len() as u64, 1 + verdicts.get("revised").copied().unwrap_or(0));
        prop_assert!(all.is_sorted_by_key(|article| article.revised));
        let days = (u64::try_from(now).unwrap() / 86_400) + 1;
        prop_assert!(all.len() as u64 <= 1 + 24 + 24 * days);
        prop_assert_eq!(store.latest(9).unwrap().len(), 1);
    }
}
