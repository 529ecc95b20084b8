//! How feeds are doing: judged after polls and by the clock, told once, and shown in every place where it is shown.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use feedmill::model::health::State;
use feedmill::service::report::FeedReport;
use feedmill::service::watch::{Glance, Watch};

use crate::support::check_atom;
use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, Say, now};

const HOUR: Duration = Duration::from_hours(1);

/// One feed, polled and watched.
struct Ward {
    room: Room,
    watch: Watch,
    said: Vec<State>,
}

impl Ward {
    fn new() -> Self {
        let room = Room::new();
        let watch = Watch::new(room.store.clone()).unwrap();
        Self {
            room,
            watch,
            said: Vec::new(),
        }
    }

    /// An hour passes, and the feed answers this; then its state.
    async fn poll(&mut self, say: Say) -> State {
        self.room.later(HOUR);
        self.room.web.set("/f", say);
        let report = FeedReport::from(self.room.poll("f").await);
        let events = self.watch.polled(Glance::of(&report), now()).await.unwrap();
        self.said.extend(events.iter().map(|event| event.change.to));
        self.watch.state(&"f".parse().unwrap())
    }

    /// What was said since the last time this was asked.
    fn said(&mut self) -> Vec<State> {
        std::mem::take(&mut self.said)
    }
}

/// A list of entries that come whole, the newest first.
fn list(titles: &[&str]) -> Say {
    let line = |title: &&str| format!("whole - /{title}.html {title}\n");
    Say::Page(titles.iter().map(line).collect())
}

fn teasers(titles: &[&str]) -> Say {
    let line = |title: &&str| format!("teaser - /{title}.html {title} /d/{title}\n");
    Say::Page(titles.iter().map(line).collect())
}

#[tokio::test]
async fn an_honestly_empty_feed_is_not_broken() {
    let mut ward = Ward::new();
    for _ in 0..8 {
        assert_eq!(ward.poll(Say::Page(String::new())).await, State::Fine);
    }
    assert_eq!(ward.said(), []);
}

#[tokio::test]
async fn a_feed_that_empties_is_empty_once_and_then_fine_again() {
    let mut ward = Ward::new();
    ward.poll(list(&["b", "a"])).await;
    for expected in [
        State::Fine,
        State::Fine,
        State::Empty,
        State::Empty,
        State::Empty,
    ] {
        // The same bytes from the second time on: they are not read again, and are as empty as before.
        assert_eq!(ward.poll(Say::Page(String::new())).await, expected);
    }
    assert_eq!(ward.poll(list(&["c"])).await, State::Fine);
    assert_eq!(ward.said(), [State::Empty, State::Fine]);
    let kept = ward.room.store.health_events(10).unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|event| (event.number, event.change.to))
        .collect();
    assert_eq!(kept, [(2, State::Fine), (1, State::Empty)]);
}

#[tokio::test]
async fn trouble_is_named_once_and_its_end_too() {
    let status = |status| Say::Status(status, None);
    for (say, polls, state) in [
        (status(403), 3, State::Blocked),
        (Say::Limited(Some(1)), 3, State::Blocked),
        (status(500), 3, State::Failing),
        (Say::Timeout, 3, State::Failing),
        (
            Say::Page("a page of another shape".to_owned()),
            3,
            State::Redesigned,
        ),
        (Say::Gone, 2, State::Gone),
    ] {
        let mut ward = Ward::new();
        ward.poll(list(&["a"])).await;
        for poll in 1..=polls + 2 {
            let expected = if poll < polls { State::Fine } else { state };
            assert_eq!(ward.poll(say.clone()).await, expected, "{say:?} {poll}");
            if poll == polls {
                // Whoever starts anew knows what was said.
                ward.watch = Watch::new(ward.room.store.clone()).unwrap();
            }
        }
        for _ in 0..2 {
            ward.poll(Say::Same("", "", None)).await;
        }
        assert_eq!(ward.said(), [state, State::Fine], "{say:?}");
    }
}

#[tokio::test]
async fn a_list_without_a_page_behind_it_is_thin() {
    let mut ward = Ward::new();
    ward.room.web.set("/d/a", Say::Page("words a".to_owned()));
    ward.poll(teasers(&["a"])).await;
    for title in ["b", "c", "d"] {
        ward.room
            .web
            .set(&format!("/d/{title}"), Say::Status(403, None));
    }
    for _ in 0..4 {
        ward.poll(teasers(&["d", "c", "b"])).await;
    }
    assert_eq!(ward.said(), [State::Thin]);
}

#[tokio::test]
async fn a_feed_whose_texts_become_short_is_thin() {
    let mut ward = Ward::new();
    for n in 0..15 {
        // The words are the title, forty times.
        let title = format!("{n}-{}", "long".repeat(20));
        assert_eq!(ward.poll(list(&[&title])).await, State::Fine);
    }
    for n in 0..5 {
        ward.poll(list(&[&format!("{n}")])).await;
    }
    assert_eq!(ward.said(), [State::Thin]);
}

/// A feed with an entry an hour for two weeks.
async fn hourly() -> Ward {
    let mut ward = Ward::new();
    for n in 1..=14 * 24 {
        // With the entry before it, so that none can have been missed.
        let state = ward
            .poll(list(&[&format!("{n}"), &format!("{}", n - 1)]))
            .await;
        assert_eq!(state, State::Fine, "{n}");
    }
    ward
}

#[tokio::test]
async fn a_silence_is_noticed_by_polls() {
    let mut ward = hourly().await;
    for _ in 0..24 * 7 {
        ward.poll(Say::Same("", "", None)).await;
    }
    assert_eq!(ward.said(), [State::Late, State::Silent]);
    ward.poll(list(&["back"])).await;
    assert_eq!(ward.said(), [State::Fine]);
}

#[tokio::test]
async fn p_49_a_silence_is_noticed_by_the_clock_but_not_one_of_our_own() {
    let mut ward = hourly().await;
    let feed = "f".parse().unwrap();
    let due = ward.room.state("f").next_poll.unwrap();
    // Nobody asked for a week, though it was due: who was silent?
    ward.room.later(HOUR * 24 * 7);
    let events = ward.watch.by_the_clock([&feed], now()).await.unwrap();
    assert!(now() > due && events.is_empty(), "{events:?}");
    // It is not due for a long time, and silence grows.
    let mut ward = hourly().await;
    ward.poll(Say::Limited(Some(24 * 3600 * 10))).await;
    let mut said = Vec::new();
    for _ in 0..24 * 7 {
        ward.room.later(HOUR);
        let events = ward.watch.by_the_clock([&feed], now()).await.unwrap();
        said.extend(events.into_iter().map(|event| event.change.to));
    }
    assert_eq!(said, [], "one bad poll: nothing else can be told from it");
    let mut ward = hourly().await;
    ward.poll(Say::Tagged(
        "whole - /x.html x\n".to_owned(),
        "\"a\"",
        "",
        Some(3600 * 24),
    ))
    .await;
    let due = ward.room.state("f").next_poll.unwrap();
    assert!(
        due >= now().plus(HOUR * 24),
        "fresh for a day by its own word"
    );
    for _ in 0..24 {
        ward.room.later(HOUR);
        let events = ward.watch.by_the_clock([&feed], now()).await.unwrap();
        said.extend(events.into_iter().map(|event| event.change.to));
    }
    assert_eq!(said, [State::Late]);
}

/// What is wrong with a health feed as Atom. Its entries are ours, so they have neither a source nor numbers of articles.
pub fn faults(document: &str) -> Vec<String> {
    let mut faults = check_atom::check(document);
    faults.retain(|fault| {
        !fault.contains(" fm:")
            && fault != "entry: 0 source, not 1"
            && !fault.contains("inline HTML")
    });
    faults
}

fn empty_of_use() -> Reply {
    let items = "<item><guid>1</guid></item><item><guid>2</guid></item>";
    let text = format!("<rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>");
    Reply::ok("application/rss+xml", text).validated()
}

fn xml(items: &[(&str, &str, &str)]) -> Reply {
    Reply::ok("application/rss+xml", rss(items)).validated()
}

fn status(mill: &Mill, code: i32) -> serde_json::Value {
    let run = mill.run(&["status", "--json"]);
    assert_eq!(run.status, code, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn a_change_shows_in_the_log_and_in_the_status_whoever_polls() {
    let body = words(1);
    let origin = Origin::start([("/f", xml(&[("1", "one", &body)])), ("/g", xml(&[]))]);
    let feeds = plain("f", &origin.url("/f")) + &plain("g", &origin.url("/g"));
    let mill = Mill::new(&feeds);
    let first = mill.run(&["fetch", "--once"]);
    assert_eq!(first.status, 0, "{first:?}");
    let line = first
        .err
        .lines()
        .find(|line| line.contains("feed.id=f"))
        .unwrap();
    for field in ["status=200", "bytes=", "next=", "why_next="] {
        assert!(line.contains(field), "P-151: {field} in {line}");
    }
    assert_eq!(status(&mill, 0)[0]["state"], "fine");
    // Nothing in it can be used; from the second time on it is not even sent.
    origin.set("/f", empty_of_use());
    for poll in 1..=4 {
        let run = mill.run(&["fetch", "--once"]);
        let told = run
            .err
            .lines()
            .filter(|line| line.contains("health"))
            .count();
        assert_eq!(told, usize::from(poll == 3), "{poll}: {}", run.err);
    }
    let asked: Vec<u16> = origin
        .log()
        .iter()
        .filter(|r| r.path == "/f")
        .map(|r| r.answered)
        .collect();
    assert_eq!(asked, [200, 200, 304, 304, 304]);
    let told = status(&mill, 1);
    assert_eq!(
        (&told[0]["state"], &told[1]["state"]),
        (&"thin".into(), &"fine".into()),
        "{told}"
    );
    assert!(
        told[0]["state_why"]
            .as_str()
            .unwrap()
            .contains("none could be used"),
        "{told}"
    );
    assert!(told[0]["state_since"].as_str().unwrap().ends_with('Z'));
    let table = mill.run(&["status"]).out;
    assert!(
        table
            .lines()
            .any(|line| line.starts_with(" f") && line.contains("thin")),
        "{table}"
    );
    origin.set("/f", xml(&[("2", "two", &words(2))]));
    let run = mill.run(&["fetch", "--once"]);
    assert!(
        run.err.contains("state=\"fine\" before=\"thin\""),
        "{}",
        run.err
    );
    assert_eq!(status(&mill, 0)[0]["state"], "fine");
}

/// The daemon; killed when dropped.
struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    fn start(mill: &Mill) -> Self {
        let mut child = mill
            .command(&["run"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let rest = line.split("address=").nth(1)?;
                Some(rest.split_whitespace().next()?.to_owned())
            })
            .expect("it says where it serves");
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).count());
        Self { child, address }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Asks until the answer is as it should be.
    fn wait(&self, path: &str, is_it: impl Fn(u16, &str) -> bool) -> String {
        for _ in 0..300 {
            let (status, body) = self.get(path);
            if is_it(status, &body) {
                return body;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path}: {:?}", self.get(path));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_daemon_tells_how_its_feeds_are_doing() {
    let origin = Origin::start([("/f", xml(&[("1", "one", &words(1))]))]);
    let mill = Mill::new(&plain("f", &origin.url("/f")));
    mill.fetch(0);
    origin.set("/f", empty_of_use());
    for _ in 0..3 {
        mill.fetch(0);
    }
    // A second feed that is due at once, and cannot be had: no reason to call the daemon ill.
    mill.write(
        "feeds.toml",
        &(plain("f", &origin.url("/f")) + &plain("lost", &origin.url("/no"))),
    );
    mill.write(
        "feedmill.toml",
        &format!("{EAGER}[serve]\nlisten = \"127.0.0.1:0\"\n"),
    );
    let daemon = Daemon::start(&mill);
    let metrics = daemon.wait("/metrics", |_, body| {
        body.contains("feedmill_polls_total{feed=\"lost\",result=\"failed\"} 1")
            && body.contains("feedmill_feeds{state=\"thin\"} 1")
    });
    assert!(
        metrics.contains("feedmill_feed_state{feed=\"f\",state=\"thin\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("feedmill_ingesting 1"), "{metrics}");
    assert!(!metrics.contains("feedmill_day_requests 0\n"), "{metrics}");
    daemon.wait("/metrics", |_, body| {
        body.contains("feedmill_archive_files 1")
    });
    assert_eq!(daemon.get("/healthz"), (200, "ok\n".to_owned()));
    let document = daemon.wait("/health.atom", |status, _| status == 200);
    assert_eq!(faults(&document), Vec::<String>::new(), "{document}");
    let feed = feed_rs::parser::parse(document.as_bytes()).unwrap();
    let [entry] = &feed.entries[..] else {
        panic!("{document}");
    };
    assert_eq!(entry.title.as_ref().unwrap().content, "内容变少/thin: f");
    let text = entry.content.as_ref().unwrap().body.as_ref().unwrap();
    for part in [
        "none could be used",
        "What to do: Open one of its newest articles",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let ids = (feed.id.clone(), entry.id.clone());
    drop(daemon);
    let daemon = Daemon::start(&mill);
    let again = daemon.wait("/health.atom", |status, _| status == 200);
    let again = feed_rs::parser::parse(again.as_bytes()).unwrap();
    assert_eq!((again.id, again.entries[0].id.clone()), ids, "for good");
}

#[test]
fn a_health_feed_is_bounded_and_valid_whatever_stands_in_it() {
    use feedmill::model::health::{Change, HealthEvent};
    use feedmill::output::health::{ENTRIES, Head, render};
    let head = Head {
        store_id: [7; 16],
        title: crate::support::hostile::evil(),
        author: String::new(),
        home: crate::support::hostile::url("https://news.example.org/"),
    };
    let events: Vec<HealthEvent> = (1..=300)
        .rev()
        .map(|number| HealthEvent {
            number,
            feed: "f".parse().unwrap(),
            change: Change {
                from: State::Fine,
                to: State::ALL[usize::try_from(number).unwrap() % 10],
                at: crate::support::hostile::at(i64::try_from(number).unwrap()),
                why: crate::support::hostile::evil(),
            },
        })
        .collect();
    let document = String::from_utf8(render(&head, &events)).unwrap();
    assert_eq!(faults(&document), Vec::<String>::new());
    assert_eq!(document.matches("<entry>").count(), ENTRIES);
    let empty = String::from_utf8(render(&head, &[])).unwrap();
    assert_eq!(faults(&empty), Vec::<String>::new(), "{empty}");
    // An older change keeps its id when newer ones come.
    let id = |document: &str| document.rsplit("<id>").next().unwrap()[..45].to_owned();
    let fewer = String::from_utf8(render(&head, &events[50..ENTRIES])).unwrap();
    assert_eq!(id(&document), id(&fewer));
}
