//! Everything a running `feedmill run` serves, from its first address to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::health;
use crate::support::check_atom;
use crate::support::daemon::{Daemon, PATIENCE, settings};
use crate::support::mill::{Mill, plain, rss, words};
use crate::support::newsroom;
use crate::support::origin::{Origin, Reply};

const HOME: &str = "https://river.example.net/";
const WATCHDOG: Duration = Duration::from_secs(10);

/// A directory for a daemon whose public address is [`HOME`], and which believes 127.0.0.1 whom it asks for.
fn mill(feeds: &str) -> Mill {
    let mill = Mill::new(feeds);
    let more =
        format!("proxies = [\"127.0.0.1\"]\n[feed]\nbacklog = 1000000\npublic_url = \"{HOME}\"\n");
    mill.write("feedmill.toml", &settings(&more));
    mill
}

/// What a daemon answers; every question is a stranger's, so nobody asks too often.
pub fn ask(daemon: &mut Daemon, path: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::{AtomicU16, Ordering};
    static STRANGER: AtomicU16 = AtomicU16::new(0);
    let [high, low] = STRANGER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut stream = std::net::TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("Host: a\r\nX-Forwarded-For: 10.0.{high}.{low}\r\nConnection: close");
    write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// Waits for an answer like this.
fn wait(daemon: &mut Daemon, path: &str, wanted: impl Fn(&str) -> bool) -> String {
    let by = Instant::now() + PATIENCE;
    loop {
        let (status, body) = ask(daemon, path);
        if status == 200 && wanted(&body) {
            return body;
        }
        assert!(Instant::now() < by, "never: {path}\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Paths below [`HOME`] that stand in attributes `href` of a document.
fn paths(document: &str) -> BTreeSet<String> {
    let begin = format!("href=\"{HOME}");
    let parts = document.split(&begin).skip(1);
    parts
        .map(|part| format!("/{}", part.split('"').next().unwrap()))
        .collect()
}

/// Every document there is a way to, by its path: from the page and the health feed along the links.
fn walk(daemon: &mut Daemon) -> BTreeMap<String, String> {
    let mut ways = vec!["/".to_owned(), "/health.atom".to_owned()];
    let mut found = BTreeMap::new();
    while let Some(path) = ways.pop() {
        if found.contains_key(&path) {
            continue;
        }
        let (status, body) = ask(daemon, &path);
        assert_eq!(status, 200, "{path}: {body}");
        ways.extend(paths(&body));
        found.insert(path, body);
    }
    found
}

fn many(count: u32) -> Reply {
    let names: Vec<String> = (0..count).map(|number| format!("m{number}")).collect();
    let bodies: Vec<String> = (0..count).map(|number| words(number + 100)).collect();
    let items = names.iter().zip(&bodies);
    let items: Vec<_> = items.map(|(id, body)| (&**id, &**id, &**body)).collect();
    Reply::ok("application/rss+xml", rss(&items)).validated()
}

#[test]
fn f_01_f_44_f_64_all_that_is_served_is_valid_and_stays_where_it_is() {
    let origin = newsroom::open();
    origin.set("/many", many(230));
    let hollow =
        "<rss version=\"2.0\"><channel><title>x</title><item><guid>1</guid></item></channel></rss>";
    origin.set(
        "/thin",
        Reply::ok("application/rss+xml", hollow).validated(),
    );
    let beacon = "<p>See <a href=\"https://news.example.org/b?utm_source=rss\">there</a>\
                  <img src=\"https://count.example.org/1.gif\" width=\"1\" height=\"1\"></p>";
    let counted = rss(&[("counted", "counted", beacon)]);
    origin.set(
        "/counted",
        Reply::ok("application/rss+xml", counted).validated(),
    );
    let of = |id: &str| plain(id, &origin.url(&format!("/{id}")));
    let tagged = of("many").trim_end().to_owned() + "\ntags = [\"many\"]\n\n";
    let feeds = newsroom::feeds_toml(&origin) + "\n" + &tagged + &of("counted") + &of("thin");
    let mill = mill(&feeds);
    let mut daemon = Daemon::start(&mill, WATCHDOG);
    // 240 entries: two archive documents.
    wait(&mut daemon, "/feed.atom", |feed| {
        feed.contains("archive/2.atom")
    });
    let served = walk(&mut daemon);

    let mut expected: BTreeSet<String> = ["/", "/style.css", "/opml", "/health.atom"]
        .map(str::to_owned)
        .into();
    expected.extend([1, 2].map(|number| format!("/archive/{number}.atom")));
    let ids = ["qq", "dw", "takungpao", "plain", "many", "counted", "thin"];
    let views = ids.map(|id| format!("/source/{id}"));
    for view in views
        .iter()
        .map(String::as_str)
        .chain(["/feed", "/tag/many"])
    {
        expected.extend(["atom", "rss", "json"].map(|format| format!("{view}.{format}")));
    }
    // These addresses are in people's readers: they are never changed, only added to (F-44).
    let found: BTreeSet<String> = served.keys().cloned().collect();
    assert_eq!(found, expected);

    for (path, document) in served
        .iter()
        .filter(|(path, _)| path.rsplit('.').next() == Some("atom"))
    {
        let faults = match path.as_str() {
            "/health.atom" => health::faults(document),
            path if path.starts_with("/archive/") => check_atom::check_archive(document),
            _ => check_atom::check(document),
        };
        assert_eq!(faults, Vec::<String>::new(), "{path}");
        let own = format!(
            "rel=\"self\" type=\"application/atom+xml\" href=\"{HOME}{}\"",
            &path[1..]
        );
        assert!(document.contains(&own), "{path} is not where it says");
        // F-64: beacons go, addresses are the publisher's own.
        assert!(!document.contains("count.example.org"), "{path}");
    }
    assert!(served["/source/counted.atom"].contains("b?utm_source=rss"));

    // After a restart everything is where it was, with the same words and ids.
    daemon.stop();
    let mut daemon = Daemon::start(&mill, WATCHDOG);
    let again = walk(&mut daemon);
    let atom = |served: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let atom = served
            .iter()
            .filter(|(path, _)| path.rsplit('.').next() == Some("atom"));
        atom.map(|(path, text)| (path.clone(), text.clone()))
            .collect()
    };
    assert!(atom(&again) == atom(&served), "the same bytes");
    daemon.stop();
}

#[test]
fn f_48_f_66_a_thousand_entries_of_one_poll_are_one_version() {
    let origin = Origin::start([("/many", many(1000).after(Duration::from_secs(3)))]);
    let mill = mill(&plain("many", &origin.url("/many")));
    let mut daemon = Daemon::start(&mill, WATCHDOG);
    let mut seen: Vec<String> = Vec::new();
    // Ten archive documents are not made in one turn, and no reader sees them half done.
    let by = Instant::now() + PATIENCE;
    while seen.last().is_none_or(|feed| !feed.contains("<entry")) {
        assert!(Instant::now() < by, "never\n{}", daemon.log());
        let (status, body) = ask(&mut daemon, "/feed.atom");
        assert_eq!(status, 200);
        if seen.last() != Some(&body) {
            seen.push(body);
        }
    }
    daemon.until("it published", |log| log.contains("files=1000"));
    assert_eq!(ask(&mut daemon, "/feed.atom").1, seen[seen.len() - 1]);
    assert_eq!(seen.len(), 2, "nothing, and then all");
    let (mut ids, mut document) = (BTreeSet::new(), seen.remove(1));
    loop {
        let entries = document.split("<entry").skip(1);
        ids.extend(entries.map(|entry| {
            let (_, id) = entry.split_once("<id>").unwrap();
            id.split('<').next().unwrap().to_owned()
        }));
        let Some((_, older)) = document.split_once("rel=\"prev-archive\"") else {
            break;
        };
        let path = paths(older)
            .into_iter()
            .find(|path| path.starts_with("/archive/"));
        document = ask(&mut daemon, &path.unwrap()).1;
    }
    assert_eq!(
        ids.len(),
        1000,
        "every entry is in the window or in an archive document"
    );
    daemon.stop();
}

#[test]
fn a_first_start_serves_every_feed_long_before_all_archive_documents_are_made() {
    let origin = Origin::start([("/many", many(2000))]);
    let mill = mill(&plain("many", &origin.url("/many")));
    mill.fetch(0);
    let mut daemon = Daemon::start(&mill, WATCHDOG);
    let (status, body) = ask(&mut daemon, "/source/many.atom");
    let made = std::fs::read_dir(mill.path("data/sealed")).unwrap();
    let made = made.filter(|item| {
        let name = item.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".atom")
    });
    let made = made.count();
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("<entry"));
    assert!((1..15).contains(&made), "{made} of twenty");
    daemon.stop();
}
