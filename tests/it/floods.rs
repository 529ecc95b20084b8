//! Too many entries at once: the backlog of a new feed, archives that are put in, and floods that wait.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use feedmill::model::withheld::Reason;
use feedmill::store::{Beyond, Choice};

use crate::served::ask;
use crate::support::daemon::{Daemon, PATIENCE, settings};
use crate::support::mill::{EAGER, Mill, plain, words};
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, Say};

const HOUR: Duration = Duration::from_hours(1);

/// An RSS document of entries with this name and these numbers, without dates or all of this year.
fn rss(name: &str, numbers: std::ops::Range<u32>, year: Option<u32>) -> String {
    let item = |n: u32| {
        let date = year.map_or(String::new(), |year| {
            let (day, month) = (
                1 + n % 28,
                ["Jan", "Mar", "May", "Jul"][(n / 28 % 4) as usize],
            );
            format!(
                "<pubDate>{day:02} {month} {year} 0{}:00:00 GMT</pubDate>",
                n / 112 % 10
            )
        });
        format!(
            "<item><guid isPermaLink=\"false\">{name}{n}</guid><title>{name} {n}</title>\
             <link>https://news.example.org/{name}/{n}</link>{date}<description>{}</description></item>",
            words(n + 7919 * u32::from(name.as_bytes()[0])).replace('<', "&lt;")
        )
    };
    numbers.map(item).collect()
}

fn document(items: &str) -> Reply {
    let text = format!(
        "<rss version=\"2.0\"><channel><title>Made-up news</title><link>https://news.example.org/</link>{items}</channel></rss>"
    );
    Reply::ok("application/rss+xml", text)
}

fn news() -> String {
    rss("news", 0..10, Some(2024))
}

/// A feed with ten entries that was polled three times.
fn settled(more: &str) -> (Origin, Mill) {
    let origin = Origin::start([("/a", Reply::status(404))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.write("feedmill.toml", &format!("{EAGER}{more}"));
    for poll in 0..3 {
        origin.set("/a", document(&(news() + &format!("<!-- {poll} -->"))));
        mill.fetch(0);
    }
    (origin, mill)
}

fn entries(feed: &str, name: &str) -> usize {
    feed.matches(&format!("<title type=\"text\">{name} "))
        .count()
}

fn json(mill: &Mill, args: &[&str]) -> serde_json::Value {
    let run = mill.run(args);
    serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"))
}

/// A feed may be called `8`: what `status` says is what helps.
#[test]
fn a_feed_whose_name_is_a_number_is_released_by_it() {
    let origin = Origin::start([("/a", Reply::status(404))]);
    let mill = Mill::new(&plain("8", &origin.url("/a")));
    mill.write("feedmill.toml", EAGER);
    for poll in 0..3 {
        origin.set("/a", document(&(news() + &format!("<!-- {poll} -->"))));
        mill.fetch(0);
    }
    origin.set("/a", document(&(rss("junk", 0..400, None) + &news())));
    mill.run(&["fetch", "--once"]);
    let run = mill.run(&["release", "8"]);
    assert_eq!(run.out, "released 400 entries\n", "{run:?}");
}

#[test]
fn a_flood_waits_and_is_released_by_order() {
    let (origin, mill) = settled("");
    let before = mill.feed();
    assert_eq!(entries(&before, "news"), 10);
    origin.set("/a", document(&(rss("junk", 0..400, None) + &news())));
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(
        run.err.matches("a flood: the new entries wait").count(),
        1,
        "{run:?}"
    );
    assert!(run.err.contains("entries=400"), "{run:?}");
    assert_eq!(entries(&mill.feed(), "junk"), 0);
    assert_eq!(entries(&mill.feed(), "news"), 10);
    assert_eq!(mill.list().len(), 410, "everything is stored");
    assert_eq!(mill.archive().len(), 10);

    let status = &json(&mill, &["status", "--json"])[0];
    assert_eq!(status["flood"]["entries"], 400, "{status}");
    assert!(
        status["why"]
            .as_str()
            .unwrap()
            .contains("feedmill release a"),
        "{status}"
    );
    assert!(
        mill.run(&["status"])
            .out
            .contains("a flood of 400 entries waits")
    );
    let why = json(&mill, &["why", "a", "--json"]);
    assert_eq!(why["withheld"]["flood"], 400);
    assert!(
        why["polls"][0]["notes"]
            .to_string()
            .contains("a flood: 400 new entries wait")
    );
    let junk = mill
        .list()
        .into_iter()
        .find(|line| line[4] == "junk 7")
        .unwrap();
    let article = json(&mill, &["why", &junk[0], "--json"]);
    assert_eq!(article["withheld"], "flood", "{article}");
    assert_eq!(article["in_merged_feed"], false);

    // Still there: neither told again nor shown, and what is new besides is news.
    origin.set(
        "/a",
        document(&(rss("junk", 0..400, None) + &rss("news", 0..11, Some(2024)))),
    );
    let run = mill.run(&["fetch", "--once"]);
    assert!(!run.err.contains("a flood"), "{run:?}");
    assert_eq!(
        (entries(&mill.feed(), "junk"), entries(&mill.feed(), "news")),
        (0, 11)
    );

    // One of them, and then all.
    let run = mill.run(&["release", &junk[0]]);
    assert_eq!(
        (run.status, run.out.as_str()),
        (0, "released 1 entry\n"),
        "{run:?}"
    );
    assert_eq!(entries(&mill.feed(), "junk"), 1);
    assert_eq!(mill.archive().len(), 12);
    let run = mill.run(&["release", "a"]);
    assert_eq!(run.out, "released 399 entries\n", "{run:?}");
    assert_eq!(entries(&mill.feed(), "junk"), 200, "the feed holds no more");
    assert_eq!(mill.archive().len(), 411);
    let run = mill.run(&["release", "--all"]);
    assert_eq!(
        (run.status, run.out.as_str()),
        (1, "nothing was withheld as flood\n")
    );
    assert!(json(&mill, &["status", "--json"])[0]["flood"].is_null());
    assert_eq!(mill.run(&["release", "nobody"]).status, 2);
    assert_eq!(mill.run(&["release", "99999"]).status, 2);

    // Who was released once may come as many again.
    origin.set("/a", document(&(rss("more", 0..500, None) + &news())));
    mill.fetch(0);
    assert!(json(&mill, &["status", "--json"])[0]["flood"].is_null());
    assert!(entries(&mill.feed(), "more") > 0);
}

#[test]
fn a_service_at_work_releases_and_archive_documents_have_it() {
    let (origin, mill) = settled("");
    origin.set("/a", document(&(rss("junk", 0..400, None) + &news())));
    mill.fetch(0);
    mill.write(
        "feedmill.toml",
        &settings(
            "proxies = [\"127.0.0.1\"]\n[feed]\npublic_url = \"https://river.example.net/\"\n",
        ),
    );
    let mut daemon = Daemon::start(&mill, Duration::from_secs(10));
    let body = ask(&mut daemon, "/feed.atom").1;
    assert_eq!((entries(&body, "junk"), entries(&body, "news")), (0, 10));
    let by = Instant::now() + PATIENCE;
    let own = loop {
        let (status, own) = ask(&mut daemon, "/source/a.atom");
        if status == 200 {
            break own;
        }
        assert!(Instant::now() < by, "{own}");
    };
    assert_eq!(
        (entries(&own, "junk"), entries(&own, "news")),
        (0, 10),
        "nowhere"
    );
    let run = mill.run(&["release", "a"]);
    assert_eq!(
        (run.status, run.out.as_str()),
        (0, "released 400 entries\n"),
        "{run:?}"
    );
    let by = Instant::now() + PATIENCE;
    let (mut titles, mut walked) = (BTreeSet::new(), false);
    while !walked {
        assert!(Instant::now() < by, "{}\n{}", titles.len(), daemon.log());
        let mut document = ask(&mut daemon, "/feed.atom").1;
        titles.clear();
        loop {
            let found = document.split("<title type=\"text\">").skip(1);
            let found = found.filter(|text| text.starts_with("junk ") || text.starts_with("news "));
            titles.extend(found.map(|text| text.split('<').next().unwrap().to_owned()));
            let Some((_, older)) = document.split_once("rel=\"prev-archive\"") else {
                break;
            };
            let (_, path) = older.split_once("https://river.example.net").unwrap();
            document = ask(&mut daemon, path.split('"').next().unwrap()).1;
        }
        walked = titles.len() == 410;
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(daemon.log().contains("released by order"));
    daemon.stop();
    assert!(!mill.path("data/orders").exists());
    assert_eq!(mill.archive().len(), 410);
}

#[test]
fn an_archive_that_is_put_in_is_no_news_and_no_flood() {
    let (origin, mill) = settled("");
    let all = rss("old", 0..400, Some(2010)) + &news() + &rss("fresh", 0..2, None);
    origin.set("/a", document(&all));
    let run = mill.run(&["fetch", "--once"]);
    assert!(run.err.contains("old entries were put in"), "{run:?}");
    let feed = mill.feed();
    let shown = ["old", "news", "fresh"].map(|name| entries(&feed, name));
    assert_eq!(shown, [0, 10, 2]);
    assert_eq!(mill.archive().len(), 412, "they are kept like all others");
    assert!(json(&mill, &["status", "--json"])[0]["flood"].is_null());
    assert_eq!(
        json(&mill, &["why", "a", "--json"])["withheld"]["backlog"],
        400
    );
    let run = mill.run(&["release", "--backlog", "a"]);
    assert_eq!(run.out, "released 400 entries\n", "{run:?}");
}

#[test]
fn what_is_known_by_its_words_is_no_flood() {
    let (origin, mill) = settled("");
    origin.set("/a", document(&rss("junk", 0..30, None)));
    mill.fetch(0);
    assert_eq!(entries(&mill.feed(), "junk"), 30, "so many pass");
    // Other ids and links, and a second time as many entries.
    let renamed = rss("junk", 0..30, None)
        .replace("junk", "x")
        .replace("x ", "junk ");
    origin.set("/a", document(&renamed));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["new"], 0, "{report}");
    assert!(json(&mill, &["status", "--json"])[0]["flood"].is_null());
}

#[test]
fn p_132_a_feed_of_five_thousand_leaves_the_window_intact() {
    let origin = Origin::start([
        ("/a", document(&rss("news", 0..100, Some(2024)))),
        ("/b", document(&rss("big", 0..5000, Some(2023)))),
    ]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.write(
        "feedmill.toml",
        &format!("{EAGER}[archive]\nenabled = false\n"),
    );
    mill.fetch(0);
    assert_eq!(entries(&mill.feed(), "news"), 50);
    let before: BTreeSet<String> = mill
        .feed()
        .split("<entry")
        .skip(1)
        .map(str::to_owned)
        .collect();
    mill.write(
        "feeds.toml",
        &(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))),
    );
    mill.fetch(0);
    let feed = mill.feed();
    assert_eq!((entries(&feed, "news"), entries(&feed, "big")), (50, 50));
    let after: BTreeSet<String> = feed.split("<entry").skip(1).map(str::to_owned).collect();
    let gone = before
        .iter()
        .filter(|entry| !after.contains(*entry))
        .count();
    // The last entry of a document has its end behind it.
    assert!(gone <= 1, "{gone}");
    let why = json(&mill, &["why", "b", "--json"]);
    assert_eq!(why["withheld"]["backlog"], 4950);
    // What comes from then on is news.
    let more = rss("late", 0..3, None) + &rss("big", 0..5000, Some(2023));
    origin.set("/b", document(&more));
    mill.fetch(0);
    assert_eq!(entries(&mill.feed(), "late"), 3);
    assert_eq!(entries(&mill.feed(), "big"), 50);
}

#[test]
fn p_132_none_of_a_backlog_may_be_wanted() {
    let origin = Origin::start([("/a", document(&news()))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.write("feedmill.toml", &format!("{EAGER}[feed]\nbacklog = 0\n"));
    mill.fetch(0);
    assert_eq!(entries(&mill.feed(), "news"), 0);
    origin.set("/a", document(&rss("news", 0..12, Some(2024))));
    mill.fetch(0);
    assert_eq!(entries(&mill.feed(), "news"), 2);
}

fn teasers(name: &str, count: usize) -> String {
    (0..count)
        .map(|n| format!("teaser {name}{n} /{name}{n} {name}{n} /d/{name}{n}\n"))
        .collect()
}

fn serve_words(room: &Room, name: &str, count: usize) {
    for n in 0..count {
        let page = Say::Page(format!("words {name}{n}"));
        room.web.set(&format!("/d/{name}{n}"), page);
    }
}

/// A poll of these lines, an hour after the last.
async fn poll(room: &Room, list: &str) -> (usize, usize) {
    room.web.set("/a", Say::Page(list.to_owned()));
    room.later(HOUR);
    let polled = room.poll("a").await;
    (polled.recorded.counts().0, polled.recorded.released)
}

/// How many entries the merged feed shows, and how many of them by a number above this one.
fn shown(room: &Room, last: Option<u64>) -> (usize, usize) {
    let choice = Choice {
        feeds: vec!["a".parse().unwrap()],
        once: true,
        limit: 10_000,
        beyond: Some(Beyond {
            last: last.map(feedmill::model::ids::ArticleSeq),
            most: None,
        }),
        ..Choice::default()
    };
    let lineup = room.store.lineup(&choice).unwrap();
    (lineup.articles.len(), lineup.unsealed.len())
}

fn withheld(room: &Room, why: Reason) -> usize {
    let all = room.store.withheld(None).unwrap();
    all.iter().filter(|one| one.why == why).count()
}

#[tokio::test]
async fn p_132_a_first_listing_is_one_however_many_polls_it_takes() {
    let mut room = Room::new();
    (room.backlog, room.flood) = (35, 30);
    serve_words(&room, "t", 100);
    serve_words(&room, "u", 5);
    let list = teasers("t", 100);
    assert_eq!(poll(&room, &list).await.0, 30);
    assert_eq!(shown(&room, None).0, 30);
    // What is new meanwhile is news, and comes first.
    let list = teasers("u", 5) + &list;
    assert_eq!(poll(&room, &list).await.0, 30);
    assert_eq!(
        shown(&room, None).0,
        40,
        "5 of the 35 that were left, and 5 new ones"
    );
    for _ in 0..3 {
        poll(&room, &list).await;
    }
    assert_eq!(room.store.counts().unwrap().entries, 105);
    assert_eq!(shown(&room, None).0, 40);
    assert_eq!(withheld(&room, Reason::Backlog), 65);
    assert_eq!(withheld(&room, Reason::Flood), 0);
}

#[tokio::test]
async fn a_flood_of_teasers_waits_whole_though_it_comes_in_parts() {
    let mut room = Room::new();
    (room.backlog, room.flood) = (50, 30);
    serve_words(&room, "t", 10);
    serve_words(&room, "junk", 100);
    for n in 6..10 {
        poll(&room, &teasers("t", n)).await;
    }
    let list = teasers("junk", 100) + &teasers("t", 9);
    for _ in 0..4 {
        poll(&room, &list).await;
    }
    assert_eq!(withheld(&room, Reason::Flood), 100);
    assert_eq!(shown(&room, None).0, 9);
}

/// A feed of lines with nine entries, and then with a hundred more.
async fn flooded() -> (Room, String) {
    let mut room = Room::new();
    (room.backlog, room.flood) = (50, 30);
    let lines = |name: &str, count: usize| -> String {
        (0..count)
            .map(|n| format!("whole {name}{n} /{name}{n} {name}{n}\n"))
            .collect()
    };
    for n in 6..10 {
        poll(&room, &lines("t", n)).await;
    }
    let list = lines("junk", 100) + &lines("t", 9);
    assert_eq!(poll(&room, &list).await, (100, 0));
    assert_eq!(withheld(&room, Reason::Flood), 100);
    (room, list)
}

#[tokio::test]
async fn a_flood_that_stays_in_its_feed_is_shown_under_numbers_of_its_own() {
    let (room, list) = flooded().await;
    let newest = room.store.counts().unwrap().next_seq - 1;
    for _ in 0..5 {
        assert_eq!(poll(&room, &list).await, (0, 0));
        assert_eq!(shown(&room, None).0, 9);
    }
    // Six hours have passed.
    assert_eq!(poll(&room, &list).await, (0, 100));
    assert_eq!(
        shown(&room, Some(newest)),
        (109, 100),
        "documents to come have them"
    );
    assert_eq!(withheld(&room, Reason::Flood), 0);
    assert_eq!(room.store.floods().unwrap().len(), 0);
    let notes = room
        .store
        .polls(&"a".parse().unwrap(), 1)
        .unwrap()
        .remove(0)
        .notes;
    assert!(
        notes.iter().any(|note| note.contains("are shown")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_flood_that_leaves_its_feed_again_waits_for_good() {
    let (room, list) = flooded().await;
    let before: String = list
        .lines()
        .skip(100)
        .map(|line| format!("{line}\n"))
        .collect();
    for _ in 0..10 {
        assert_eq!(poll(&room, &before).await.1, 0);
    }
    let floods = room.store.floods().unwrap();
    let flood = floods.values().next().unwrap();
    assert!(flood.left && flood.waiting == 100, "{flood:?}");
    assert_eq!(shown(&room, None).0, 9);
    // It is back, and has to stay as long as any.
    assert_eq!(poll(&room, &list).await, (0, 0));
    assert!(!room.store.floods().unwrap().values().next().unwrap().left);
    assert_eq!(shown(&room, None).0, 9);
}

#[tokio::test]
async fn a_flood_teaches_its_feed_no_rhythm() {
    let (room, _) = flooded().await;
    let rhythm = room.state("a").learned.rhythm;
    assert!(rhythm.habit() < 10.0, "{}", rhythm.habit());
    assert!(rhythm.slow.entries < 20.0, "{rhythm:?}");
}
