//! One run over many hostile origins and one honest one: the honest feed is read, every other one has its own fate, and
//! the process keeps its time and its memory.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::check_atom;
use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::script::{self, Act, answer, raw};

const RSS: &str = "application/rss+xml";
const JSON: &str = "application/feed+json";

/// Peak memory of the whole run, the program's own pages in it: 178 to 225 MiB were seen, by which feeds are read at once. A
/// bomb that went off would be gigabytes.
const MEMORY_KIB: u64 = 256 * 1024;

/// With its timeouts, and the machine busy with other things.
const PATIENCE: Duration = Duration::from_mins(2);

/// What becomes of a feed: read, within limits; or failed, for a reason in which these words are.
enum Fate {
    Read,
    Fails(&'static str),
}

use Fate::{Fails, Read};

fn channel(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\" \
             xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\"><channel><title>Made up</title>{items}</channel></rss>"
    )
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

/// Bytes that grow to this length.
fn bomb(length: usize) -> Reply {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..length >> 20 {
        encoder.write_all(&piece).unwrap();
    }
    Reply::ok(RSS, encoder.finish().unwrap()).header("Content-Encoding", "gzip")
}

fn entities() -> String {
    let mut declared = "<!ENTITY a0 \"aaaaaaaaaa\">".to_owned();
    for level in 1..12 {
        let before = format!("&a{};", level - 1).repeat(10);
        let level = format!("<!ENTITY a{level} \"{before}\">");
        declared.push_str(&level);
    }
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE rss [{declared}]>{}",
        channel("<item><guid>1</guid><title>&a11;</title></item>")
            .split_once("?>")
            .unwrap()
            .1
    )
}

fn json_feed(items: &str) -> String {
    format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Made up\",\"items\":[{items}]}}"
    )
}

fn item(title: &str, body: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">1</guid><title>{title}</title>\
         <description><![CDATA[{body}]]></description></item>"
    )
}

/// The feeds that a plain origin can serve.
#[allow(clippy::too_many_lines)] // a table
fn plots(many: usize) -> Vec<(&'static str, Reply, Fate)> {
    let xml = |text: String| Reply::ok(RSS, text);
    let json = |text: String| Reply::ok(JSON, text);
    let groups = nested("<media:group>", "</media:group>", 50).repeat(1500);
    let contents =
        "<media:content url=\"https://a.example/1.mp4\" type=\"video/mp4\"/>".repeat(90_000);
    let kinds = nested("<itunes:category text=\"x\">", "</itunes:category>", 55).repeat(1500);
    vec![
        (
            "groups",
            xml(channel(
                &item("g", "b").replace("</item>", &format!("{groups}</item>")),
            )),
            Read,
        ),
        (
            "contents",
            xml(channel(
                &item("c", "b").replace("</item>", &format!("{contents}</item>")),
            )),
            Read,
        ),
        (
            "kinds",
            xml(channel(&format!("{kinds}{}", item("k", "b")))),
            Read,
        ),
        (
            "deep",
            xml(channel(&nested("<media:group>", "</media:group>", 4000))),
            Fails("XML depth"),
        ),
        (
            "items",
            xml(channel(&"<item/>".repeat(300_000))),
            Fails("XML elements"),
        ),
        ("blanks", xml(channel(&"<item/>".repeat(150_000))), Read),
        ("bomb", bomb(400 << 20), Fails("limit")),
        (
            "tags",
            xml(channel(&item("t", &"<div>".repeat(400_000)))),
            Read,
        ),
        (
            "pairs",
            xml(channel(&item("p", &nested("<b>", "</b>", 200_000)))),
            Read,
        ),
        ("entities", xml(entities()), Fails("entit")),
        (
            "large",
            xml(channel(&item("l", &"字 ".repeat(50 << 18)))),
            Fails("limit"),
        ),
        (
            "text",
            xml(channel(&item("t", &"字 ".repeat(2 << 20)))),
            Read,
        ),
        (
            "halves",
            json(json_feed(
                r#"{"id":"1","title":"a\ud800b","content_text":"\udc00\udc00 \ud83d"},{"id":"2","title":"\ufffe\u0000","content_text":"c\u0008d\uffff"}"#,
            )),
            Read,
        ),
        (
            "nuls",
            xml(channel(&item(
                "a\0b&#0;&#xFFFE;&#27;[31m",
                "c\0\u{1}\u{fffe}\u{ffff}\u{85}d",
            ))),
            Read,
        ),
        (
            "million",
            json(json_feed(&"{},".repeat(1_000_000))),
            Fails("JSON"),
        ),
        (
            "numbers",
            json(json_feed(&"1,".repeat(2_000_000))),
            Fails("JSON"),
        ),
        (
            "many",
            json(json_feed(
                (0..many)
                    .map(|n| format!("{{\"id\":\"{n}\",\"title\":\"t{n}\"}}"))
                    .collect::<Vec<_>>()
                    .join(",")
                    .as_str(),
            )),
            Read,
        ),
        (
            "arrays",
            json(json_feed(&nested("[", "]", 100_000))),
            Fails("JSON depth"),
        ),
        (
            "round",
            Reply::status(302).header("Location", "/round"),
            Fails("redirect"),
        ),
        (
            "attributes",
            xml(channel(&format!("<item {}/>", "a='b' ".repeat(300_000)))),
            Fails("attributes"),
        ),
        (
            "comment",
            xml(channel(&format!("<!-- {}", "-".repeat(9 << 20)))),
            Fails(""),
        ),
        (
            "cdata",
            xml(channel(&format!(
                "<item><title><![CDATA[{}",
                "]]".repeat(4 << 20)
            ))),
            Fails(""),
        ),
        (
            "evil",
            xml(channel(&item(
                "]]&gt; &lt;script&gt;",
                "<script>alert(1)</script><img src=x onerror=alert(1)><a href=\"java&#10;script:alert(1)\">x</a><svg><math>",
            ))),
            Read,
        ),
    ]
}

/// Feeds that need an origin which breaks HTTP.
fn broken() -> Vec<(&'static str, Vec<Act>, Fate)> {
    let flood: Vec<Vec<u8>> = (0..20_000)
        .map(|n| format!("X-Flood-{n}: {}", "x".repeat(100)).into_bytes())
        .collect();
    let drip = (0..600).flat_map(|_| {
        [
            Act::Send(b" ".to_vec()),
            Act::Pause(Duration::from_millis(100)),
        ]
    });
    let mut slow = vec![Act::Send(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n<rss>".to_vec(),
    )];
    slow.extend(drip);
    vec![
        ("flood", raw("200 OK", &flood, b""), Fails("")),
        (
            "header",
            raw(
                "200 OK",
                &[[&b"X: "[..], &vec![b'x'; 4 << 20]].concat()],
                b"",
            ),
            Fails(""),
        ),
        ("slow", slow, Fails("within")),
        ("mute", vec![Act::Hold], Fails("within")),
        ("rude", vec![Act::Close], Fails("")),
        (
            "noise",
            vec![Act::Send(vec![0xff; 1 << 20]), Act::Close],
            Fails(""),
        ),
        (
            "continues",
            vec![
                Act::Send(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(50_000)),
                Act::Close,
            ],
            Fails(""),
        ),
        (
            "tiny",
            answer(
                "200 OK",
                &[
                    "Content-Type: application/rss+xml",
                    "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip",
                ],
                b"x",
            ),
            Fails(""),
        ),
    ]
}

/// One of the JSON feeds has as many items as the limits let through.
#[test]
fn hostile_feeds_harm_nobody_but_themselves() {
    harm_nobody(99_000);
}

/// `many` is how many items one of the JSON feeds has.
fn harm_nobody(many: usize) {
    let (one, two) = (words(1), words(2));
    let origin = Origin::start([(
        "/honest",
        Reply::ok(RSS, rss(&[("2", "二", &two), ("1", "一", &one)])),
    )]);
    let mut feeds = plain("honest", &origin.url("/honest"));
    let mut fates = vec![("honest", Read)];
    for (name, reply, fate) in plots(many) {
        origin.set(format!("/{name}"), reply);
        feeds += &plain(name, &origin.url(&format!("/{name}")));
        if name == "many" {
            // Thousands of files, each synced, would be a test of the disk.
            feeds = feeds.trim_end().to_owned() + "\narchive = \"none\"\n\n";
        }
        fates.push((name, fate));
    }
    let mut others = Vec::new();
    for (name, step, fate) in broken() {
        let other = script::Origin::start([step]);
        feeds += &plain(name, &other.url("/"));
        fates.push((name, fate));
        others.push(other);
    }
    // An honest one behind all the others is read too.
    origin.set("/last", Reply::ok(RSS, rss(&[("3", "三", &words(3))])));
    feeds += &plain("last", &origin.url("/last"));
    fates.push(("last", Read));
    let mill = Mill::new(&feeds);
    mill.write(
        "feedmill.toml",
        "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\nper_host = 8\nfirst_byte_timeout = \"5s\"\n\
         idle_timeout = \"5s\"\ntotal_timeout = \"15s\"\n",
    );

    let started = Instant::now();
    let output = fs::File::create(mill.path("report.json")).unwrap();
    let errors = fs::File::create(mill.path("errors.txt")).unwrap();
    let mut child = mill
        .command(&["fetch", "--once", "--json"])
        .stdout(Stdio::from(output))
        .stderr(Stdio::from(errors))
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_kib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("still at work after {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    let took = started.elapsed();
    println!("{} feeds, {took:?}, peak {} MiB", fates.len(), peak / 1024);
    let errors = fs::read_to_string(mill.path("errors.txt")).unwrap();
    assert_eq!(status.code(), Some(1), "{errors}");

    let report: Value =
        serde_json::from_str(&fs::read_to_string(mill.path("report.json")).unwrap()).unwrap();
    let reports = report["feeds"].as_array().unwrap();
    assert_eq!(reports.len(), fates.len());
    let mut faults = Vec::new();
    for (report, (name, fate)) in reports.iter().zip(&fates) {
        let (result, why) = (
            report["result"].as_str().unwrap(),
            report["why"].as_str().unwrap(),
        );
        println!(
            "{name:<12}{result:<8}{} ms  {}",
            report["duration_ms"],
            why.chars().take(140).collect::<String>()
        );
        let fits = match fate {
            Read => result == "read",
            Fails(reason) => result == "failed" && !why.is_empty() && why.contains(reason),
        };
        if !fits || why.contains("defect") || why.len() > 2000 {
            faults.push(format!("{name}: {result}: {why}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(peak > 0 && peak < MEMORY_KIB, "peak {peak} KiB");
    assert_eq!(reports[0]["new"], 2);
    assert_eq!(reports[fates.len() - 1]["new"], 1);

    let feed = mill.feed();
    let faults = check_atom::check(&feed);
    assert!(faults.is_empty(), "{faults:#?}");
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{}", verify.out);
    let list = mill.run(&["list", "--feed", "honest", "--tsv"]);
    assert_eq!(list.out.lines().count(), 2);
}

/// The most memory a process ever held.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}
