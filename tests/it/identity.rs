//! Entries that come under another id, under somebody else's, or out of order: each is announced once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedmill::model::ids::ArticleSeq;
use feedmill::service::poll::Polled;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::mill::{EAGER, Mill, plain, words};
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, Say};

/// An entry of a document.
#[derive(Clone, Default)]
struct Item {
    guid: String,
    link: String,
    title: String,
    date: String,
    body: String,
}

/// Entry `n` with an id of this scheme and its own link, title, date and words.
fn item(scheme: &str, n: u32) -> Item {
    Item {
        guid: if scheme.is_empty() {
            String::new()
        } else {
            format!("{scheme}{n}")
        },
        link: format!("https://news.example.org/{n}"),
        title: format!("Title {n}"),
        date: format!("Sat, {:02} Nov 2025 06:00:00 GMT", 1 + n % 28),
        body: words(n + 1),
    }
}

fn items(scheme: &str, numbers: std::ops::Range<u32>) -> Vec<Item> {
    numbers.map(|n| item(scheme, n)).collect()
}

/// An RSS document, made at this minute by its own word. Every one differs from the others.
fn document(items: &[Item], minute: u32) -> Vec<u8> {
    let tag = |name: &str, text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("<{name}>{text}</{name}>")
        }
    };
    let items: String = items
        .iter()
        .map(|item| {
            let guid = tag("guid", &item.guid).replace("<guid>", "<guid isPermaLink=\"false\">");
            let rest = [
                ("link", &item.link),
                ("title", &item.title),
                ("pubDate", &item.date),
            ];
            let rest: String = rest.iter().map(|(name, text)| tag(name, text)).collect();
            format!(
                "<item>{guid}{rest}<description><![CDATA[{}]]></description></item>",
                item.body
            )
        })
        .collect();
    let built = format!(
        "Mon, 01 Dec 2025 {:02}:{:02}:00 GMT",
        minute / 60,
        minute % 60
    );
    format!(
        "<rss version=\"2.0\"><channel><title>Made-up news</title><link>https://news.example.org/</link>\
         <lastBuildDate>{built}</lastBuildDate>{items}</channel></rss>"
    )
    .into_bytes()
}

fn rss(items: &[Item], minute: u32) -> Reply {
    Reply::ok("application/rss+xml", document(items, minute))
}

/// One feed and the program.
struct Desk {
    origin: Origin,
    mill: Mill,
    minute: u32,
}

impl Desk {
    fn new(settings: &str) -> Self {
        let origin = Origin::start([("/a", Reply::status(404))]);
        let mill = Mill::new(&plain("a", &origin.url("/a")));
        mill.write("feedmill.toml", &format!("{EAGER}{settings}"));
        Self {
            origin,
            mill,
            minute: 0,
        }
    }

    /// Polls the feed with these entries: new, revised, reprints, known.
    fn poll(&mut self, items: &[Item]) -> [u64; 4] {
        self.minute += 1;
        self.origin.set("/a", rss(items, self.minute));
        self.fetch()
    }

    fn fetch(&self) -> [u64; 4] {
        counts(&self.mill.fetch(0)["feeds"][0])
    }

    fn json(&self, args: &[&str]) -> Value {
        let run = self.mill.run(args);
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"))
    }

    /// The notes of the last poll.
    fn notes(&self) -> String {
        self.json(&["why", "a", "--json"])["polls"][0]["notes"].to_string()
    }
}

fn counts(feed: &Value) -> [u64; 4] {
    ["new", "revised", "reprints", "known"].map(|name| feed[name].as_u64().unwrap())
}

/// Ids, titles and updates in the merged feed's bytes.
fn ids(feed: &str) -> BTreeSet<String> {
    let entries = feed.split("<entry").skip(1);
    let id = |entry: &str| {
        let (_, id) = entry.split_once("<id>").unwrap();
        id.split('<').next().unwrap().to_owned()
    };
    entries.map(id).collect()
}

#[test]
fn p_123_ids_that_become_https_are_no_news_and_change_nothing_that_is_published() {
    let mut desk = Desk::new("");
    let (old, new) = (
        "http://news.example.org/?p=",
        "https://news.example.org/?p=",
    );
    assert_eq!(desk.poll(&items(old, 0..50)), [50, 0, 0, 0]);
    let feed = desk.mill.feed();
    assert_eq!(ids(&feed).len(), 50);
    assert!(ids(&feed).contains("http://news.example.org/?p=49"));
    assert_eq!(desk.poll(&items(new, 0..50)), [0, 0, 0, 50]);
    assert_eq!(desk.mill.feed(), feed, "not a byte");
    assert!(
        desk.notes().contains("50 entries have another id"),
        "{}",
        desk.notes()
    );
    // Later polls know both, and one that is new is one.
    assert_eq!(desk.poll(&items(new, 1..51)), [1, 0, 0, 49]);
    assert!(!desk.notes().contains("another id"), "{}", desk.notes());
    assert_eq!(desk.poll(&items(old, 0..50)), [0, 0, 0, 50]);
    let article = desk.json(&["why", "https://news.example.org/?p=7", "--json"]);
    assert_eq!(article["entry_id"], "http://news.example.org/?p=7");
    assert_eq!(
        article["other_keys"][0],
        "the id https://news.example.org/?p=7"
    );
    // A correction under the new id is a revision of the old entry.
    let mut mended = items(new, 1..51);
    mended[6].title = "Title 7, mended".to_owned();
    assert_eq!(desk.poll(&mended), [0, 1, 0, 49]);
    assert!(desk.mill.feed().contains("Title 7, mended"));
    assert_eq!(ids(&desk.mill.feed()).len(), 51);
}

#[test]
fn p_123_ids_and_links_that_change_together_are_told_by_their_words() {
    let mut desk = Desk::new("");
    assert_eq!(desk.poll(&items("a", 0..20)), [20, 0, 0, 0]);
    let mut moved = items("b", 0..20);
    for item in &mut moved {
        item.link = item
            .link
            .replace("news.example.org", "www.example.net/news");
    }
    // The links are other ones, which is a change; nothing is new.
    assert_eq!(desk.poll(&moved), [0, 20, 0, 0]);
    assert_eq!(desk.poll(&moved), [0, 0, 0, 20]);
    assert_eq!(ids(&desk.mill.feed()).len(), 20);
}

#[test]
fn p_121_ids_that_are_added_or_dropped_map() {
    for bare in [true, false] {
        let mut desk = Desk::new("");
        let strip = |mut items: Vec<Item>| {
            for item in &mut items {
                if bare {
                    item.link.clear();
                }
            }
            items
        };
        for poll in 0..5 {
            let expected = if poll == 0 {
                [10, 0, 0, 0]
            } else {
                [0, 0, 0, 10]
            };
            assert_eq!(desk.poll(&strip(items("", 0..10))), expected);
        }
        let feed = desk.mill.feed();
        assert_eq!(desk.poll(&strip(items("g", 0..10))), [0, 0, 0, 10], "added");
        assert_eq!(
            desk.poll(&strip(items("", 0..10))),
            [0, 0, 0, 10],
            "dropped"
        );
        assert_eq!(
            desk.poll(&strip(items("g", 0..10))),
            [0, 0, 0, 10],
            "and back"
        );
        assert_eq!(desk.mill.feed(), feed);
        // Begun with ids.
        let mut desk = Desk::new("");
        assert_eq!(desk.poll(&strip(items("g", 0..10))), [10, 0, 0, 0]);
        assert_eq!(desk.poll(&strip(items("", 0..11))), [1, 0, 0, 10]);
        assert_eq!(desk.poll(&strip(items("g", 0..11))), [0, 0, 0, 11]);
    }
}

#[test]
fn another_story_on_a_known_link_is_a_story() {
    let mut desk = Desk::new("");
    let at_the_link = |n: u32| Item {
        link: "https://news.example.org/live".to_owned(),
        ..item("g", n)
    };
    assert_eq!(desk.poll(&[at_the_link(1)]), [1, 0, 0, 0]);
    assert_eq!(desk.poll(&[at_the_link(2)]), [1, 0, 0, 0]);
    assert_eq!(desk.poll(&[at_the_link(3)]), [1, 0, 0, 0]);
    assert_eq!(desk.poll(&[at_the_link(2)]), [0, 0, 0, 1]);
    assert_eq!(ids(&desk.mill.feed()).len(), 3);
}

#[test]
fn p_122_a_constant_id_identifies_nothing_even_when_it_stands_alone() {
    let mut desk = Desk::new("");
    let constant = |numbers| {
        let mut all = items("g", numbers);
        for item in &mut all {
            item.guid = "feed".to_owned();
        }
        all
    };
    assert_eq!(desk.poll(&constant(0..20)), [20, 0, 0, 0]);
    assert!(desk.notes().contains("one id stands on several stories"));
    assert_eq!(desk.poll(&constant(1..21)), [1, 0, 0, 19]);
    assert_eq!(desk.poll(&constant(20..21)), [0, 0, 0, 1]);
    assert_eq!(
        desk.poll(&constant(21..22)),
        [1, 0, 0, 0],
        "not a revision of another"
    );
    assert_eq!(desk.poll(&items("g", 2..22)), [0, 0, 0, 20], "mended later");
}

#[test]
fn p_122_one_id_twice_is_one_entry_and_six_in_a_hundred_are_a_habit() {
    let mut desk = Desk::new("[feed]\nbacklog = 1000\n");
    let mut twice = items("g", 0..10);
    twice.push(item("g", 3));
    assert_eq!(desk.poll(&twice), [10, 0, 0, 0]);
    assert!(
        desk.notes().contains("1 entries stand in it twice"),
        "{}",
        desk.notes()
    );

    let mut desk = Desk::new("[feed]\nbacklog = 1000\n");
    let mut habit = items("g", 0..100);
    for one in habit.iter_mut().take(6) {
        one.guid = "g99".to_owned();
    }
    assert_eq!(desk.poll(&habit), [100, 0, 0, 0], "every link is a story");
    assert_eq!(desk.poll(&items("g", 0..100)), [0, 0, 0, 100]);
    assert_eq!(desk.poll(&habit), [0, 0, 0, 100]);
}

#[test]
fn p_124_an_id_of_another_feed_is_not_taken_over() {
    let origin = Origin::start([("/a", Reply::status(404)), ("/b", Reply::status(404))]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.write("feedmill.toml", &format!("{EAGER}[feed]\nentries = 5\n"));
    let theirs = items("tag:news.example.org,2026:", 1..3);
    origin.set("/a", rss(&theirs, 1));
    assert_eq!(mill.run(&["fetch", "--once", "a"]).status, 0);
    let mut stolen = theirs[0].clone();
    (stolen.title, stolen.body) = ("Stolen".to_owned(), words(900));
    stolen.date = "Sun, 30 Nov 2025 06:00:00 GMT".to_owned();
    origin.set("/b", rss(&[stolen], 1));
    assert_eq!(mill.run(&["fetch", "--once", "b"]).status, 0);
    let feed = mill.feed();
    assert_eq!(ids(&feed).len(), 2);
    assert!(
        feed.contains(">Title 1<") && !feed.contains("Stolen"),
        "{feed}"
    );
    assert_eq!(mill.list().len(), 3, "both are kept");
    // The owner is too old for the feed now. Its id is still not the other's.
    let mut newer = items("tag:news.example.org,2026:", 1..3);
    newer.extend(items("tag:news.example.org,2026:", 10..20));
    origin.set("/a", rss(&newer, 2));
    assert_eq!(mill.run(&["fetch", "--once", "a"]).status, 0);
    let feed = mill.feed();
    assert!(
        !feed.contains(">Title 1<") && !feed.contains("Stolen"),
        "{feed}"
    );
    assert_eq!(ids(&feed).len(), 5);
}

/// Ids that count the editions of a story: an edit is a revision, not another story.
#[test]
fn p_123_an_id_with_the_number_of_its_edition_is_one_story() {
    let mut desk = Desk::new("");
    let mut stories = items("", 0..5);
    for story in &mut stories {
        story.guid = format!("{}#0", story.link);
    }
    assert_eq!(desk.poll(&stories), [5, 0, 0, 0]);
    let before = ids(&desk.mill.feed());
    stories[2].guid = format!("{}#1", stories[2].link);
    stories[2].body += "<p>更正一处。</p>";
    assert_eq!(desk.poll(&stories), [0, 1, 0, 4]);
    stories[2].guid = format!("{}#2", stories[2].link);
    assert_eq!(desk.poll(&stories)[0], 0);
    assert_eq!(ids(&desk.mill.feed()), before);
    // A page of several stories names them by places in it.
    let mut page = items("", 10..13);
    for (n, story) in page.iter_mut().enumerate() {
        story.link = "https://news.example.org/page".to_owned();
        story.guid = format!("{}#{n}", story.link);
    }
    assert_eq!(desk.poll(&page)[0], 3);
}

/// Sites that were set up carelessly have ids that name something on the reader's own machine: each has its own.
#[test]
fn ids_below_localhost_name_nothing_in_common() {
    let origin = Origin::start([("/a", Reply::status(404)), ("/b", Reply::status(404))]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.write("feedmill.toml", EAGER);
    let mut theirs = items("http://localhost/?p=", 0..5);
    origin.set("/a", rss(&theirs, 1));
    for (n, item) in (0..).zip(&mut theirs) {
        (item.title, item.body) = (format!("Another {n}"), words(900 + n));
        item.link = format!("https://other.example.org/{n}");
    }
    origin.set("/b", rss(&theirs, 2));
    mill.fetch(0);
    let feed = mill.feed();
    assert_eq!(ids(&feed).len(), 10, "{feed}");
    assert!(
        ids(&feed).iter().all(|id| id.starts_with("urn:uuid:")),
        "{feed}"
    );
}

#[test]
fn p_130_a_date_in_the_future_arrives_once_and_is_first_seen() {
    let mut desk = Desk::new("");
    let mut future = items("g", 0..3);
    future[1].date = "Thu, 01 Jan 2099 00:00:00 GMT".to_owned();
    assert_eq!(desk.poll(&future), [3, 0, 0, 0]);
    let feed = desk.mill.feed();
    assert!(!feed.contains("2099"), "{feed}");
    // The time has come.
    future[1].date = "Sat, 15 Nov 2025 00:00:00 GMT".to_owned();
    assert_eq!(desk.poll(&future), [0, 0, 0, 3]);
    assert_eq!(desk.mill.feed(), feed);
}

#[test]
fn p_133_a_document_without_a_known_entry_is_a_gap_that_is_told() {
    let mut desk = Desk::new("");
    assert_eq!(desk.poll(&items("g", 0..10)), [10, 0, 0, 0]);
    assert!(desk.json(&["status", "--json"])[0]["gap"].is_null());
    assert_eq!(desk.poll(&items("g", 5..15)), [5, 0, 0, 5]);
    assert!(desk.json(&["status", "--json"])[0]["gap"].is_null());
    assert_eq!(desk.poll(&items("g", 40..50)), [10, 0, 0, 0]);
    let gap = &desk.json(&["status", "--json"])[0]["gap"];
    assert!(gap["entries"].as_u64().unwrap() >= 1, "{gap}");
    assert_eq!(&desk.json(&["why", "a", "--json"])["gap"], gap);
    assert!(
        desk.mill
            .run(&["why", "a"])
            .out
            .contains("came and went unseen")
    );
    // Other ids for all are none.
    let mut desk = Desk::new("");
    desk.poll(&items("g", 0..10));
    desk.poll(&items("h", 0..10));
    assert!(desk.json(&["status", "--json"])[0]["gap"].is_null());
}

#[test]
fn p_135_an_older_copy_rolls_nothing_back() {
    // By the feed's own date, by the server's, by a cache's.
    for how in ["lastBuildDate", "Date", "Age"] {
        let mut desk = Desk::new("");
        let old = items("g", 0..5);
        let mut new = old.clone();
        new[2].title = "Title 2, mended".to_owned();
        assert_eq!(desk.poll(&old), [5, 0, 0, 0]);
        desk.minute += 60;
        desk.origin
            .set("/a", rss(&new, desk.minute).header("Age", "0"));
        assert_eq!(desk.fetch(), [0, 1, 0, 4]);
        let feed = desk.mill.feed();
        let mut late = old.clone();
        late.push(item("g", 9));
        let copy = match how {
            "lastBuildDate" => rss(&late, 1),
            "Age" => rss(&late, desk.minute + 1).header("Age", "86400"),
            _ => {
                let ago = std::time::SystemTime::now() - Duration::from_hours(24);
                let ago = httpdate::fmt_http_date(ago);
                rss(&late, desk.minute + 1).header("Date", &ago)
            }
        };
        desk.origin.set("/a", copy);
        assert_eq!(desk.fetch(), [1, 0, 0, 5], "{how}: a story is a story");
        assert!(
            desk.notes().contains("since this is an older copy"),
            "{how}: {}",
            desk.notes()
        );
        assert!(desk.mill.feed().contains("Title 2, mended"), "{how}");
        assert_ne!(desk.mill.feed(), feed);
        // What is newer counts again.
        new[2].title = "Title 2, mended twice".to_owned();
        desk.minute += 60;
        desk.origin
            .set("/a", rss(&new, desk.minute).header("Age", "0"));
        assert_eq!(desk.fetch(), [0, 1, 0, 4], "{how}");
    }
}

/// What a poll of a feed of lines brought.
async fn lines(room: &Room, list: &str) -> Polled {
    room.web.set("/a", Say::Page(list.to_owned()));
    room.later(Duration::from_hours(1));
    room.poll("a").await
}

#[tokio::test]
async fn a_renamed_teaser_costs_no_request() {
    let room = Room::new();
    let list = |scheme: &str| -> String {
        (0..10)
            .map(|n| format!("teaser {scheme}{n} /{n} t{n} /d/{n}\n"))
            .collect()
    };
    for n in 0..10 {
        room.web
            .set(&format!("/d/{n}"), Say::Page(format!("words t{n}")));
    }
    assert_eq!(lines(&room, &list("a")).await.recorded.counts().0, 10);
    room.web.paths();
    let again = lines(&room, &list("b")).await;
    assert_eq!(again.recorded.counts(), (0, 0, 0, 0));
    assert_eq!(again.told.known, 10);
    assert_eq!(room.web.paths(), ["/a"]);
    lines(&room, &list("b")).await;
    assert_eq!(room.web.paths(), ["/a"]);
    let kept = room.store.since(None, 100).unwrap();
    assert_eq!(kept.len(), 10);
    let others: BTreeMap<ArticleSeq, usize> = kept
        .iter()
        .map(|kept| (kept.seq, room.store.other_keys(kept.seq).unwrap().len()))
        .collect();
    assert!(others.values().all(|count| *count == 1), "{others:?}");
}

#[tokio::test]
async fn ids_made_up_anew_at_every_poll_fill_nothing() {
    let room = Room::new();
    for poll in 0..30 {
        let list: String = (0..5)
            .map(|n| format!("whole {poll}-{n} /{n} t{n}\n"))
            .collect();
        let new = lines(&room, &list).await.recorded.counts().0;
        assert_eq!(new, if poll == 0 { 5 } else { 0 });
    }
    assert_eq!(room.store.counts().unwrap().entries, 5);
    assert_eq!(room.store.other_keys(ArticleSeq(0)).unwrap().len(), 8);
}

/// A document: which stories in which order, each under an id of which scheme (0: none).
fn documents() -> impl Strategy<Value = Vec<Vec<(usize, usize)>>> {
    let story = (0..8_usize, 0..4_usize);
    let document = prop::collection::vec(story, 0..8).prop_map(|mut stories| {
        let mut seen = BTreeSet::new();
        stories.retain(|(story, _)| seen.insert(*story));
        stories
    });
    prop::collection::vec(document, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever documents come in whatever order, under whatever ids: a story is announced once.
    #[test]
    fn p_127_no_interleaving_announces_a_story_twice(documents in documents()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (stories, entries) = runtime.block_on(async {
            let room = Room::new();
            let mut stories = BTreeSet::new();
            for document in &documents {
                let list: String = document
                    .iter()
                    .map(|(story, scheme)| {
                        let id = match scheme {
                            0 => "-".to_owned(),
                            scheme => format!("s{scheme}:{story}"),
                        };
                        format!("whole {id} /{story} story{story}\n")
                    })
                    .collect();
                stories.extend(document.iter().map(|(story, _)| *story));
                lines(&room, &list).await;
            }
            (stories.len() as u64, room.store.counts().unwrap())
        });
        prop_assert_eq!(entries.entries, stories);
        prop_assert_eq!(entries.articles, stories, "and never revised");
    }
}
