//! `feedmill opml`: lists of other readers in, ours out, and nobody asked (P-63).

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use feedmill::rules::opml::{self, BadOpml};

use crate::support::mill::{Mill, plain};
use crate::support::origin::{Origin, Reply};

fn list(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><opml version=\"2.0\"><head><title>Mine</title></head><body>{body}</body></opml>"
    )
}

fn read(body: &str) -> Vec<(String, Option<String>, Vec<String>)> {
    let found = opml::read(list(body).as_bytes()).unwrap();
    let feeds = found.feeds.into_iter();
    feeds
        .map(|feed| (feed.url.to_string(), feed.title, feed.tags))
        .collect()
}

#[test]
fn p_63_outlines_as_readers_write_them() {
    let feeds = read(
        "<outline text='World'><outline TEXT='A &amp; B' xmlurl='https://a.example/f?x=1&amp;y=2'/>\
           <outline text='Deep/er'><outline type='rss' XMLURL='https://b.example/'></outline></outline></outline>\
         <outline title='C' text='c' xmlUrl='feed://c.example/' category='/Tech/Linux,News, Tech'/>\
         <outline text='https://d.example/' xmlUrl='https://d.example/'/>\
         <outline type='rss' url='https://e.example/'/>\
         <outline type='link' url='https://no.example/'/>",
    );
    let row = |url: &str, title: Option<&str>, tags: &[&str]| {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        (url.to_owned(), title.map(str::to_owned), tags)
    };
    assert_eq!(
        feeds,
        [
            row("https://a.example/f?x=1&y=2", Some("A & B"), &["World"]),
            row("https://b.example/", None, &["World", "Deep-er"]),
            row("http://c.example/", Some("C"), &["Tech", "Linux", "News"]),
            row("https://d.example/", None, &[]),
            row("https://e.example/", None, &[]),
        ]
    );
}

#[test]
fn p_63_doubles_are_merged_by_scheme_host_and_port_alone() {
    let feeds = read(
        "<outline text='One'><outline xmlUrl='https://A.example:443/f'/></outline>\
         <outline text='Two'><outline text='T' xmlUrl='HTTPS://a.EXAMPLE/f'/></outline>\
         <outline xmlUrl='https://a.example/F'/><outline xmlUrl='https://a.example/f/'/>\
         <outline xmlUrl='https://a.example/f?'/><outline xmlUrl='http://a.example/f'/>\
         <outline xmlUrl='https://www.a.example/f'/>",
    );
    assert_eq!(feeds.len(), 6, "{feeds:?}");
    assert_eq!(feeds[0].1.as_deref(), Some("T"));
    assert_eq!(feeds[0].2, ["One", "Two"]);
}

#[test]
fn p_63_an_import_asks_nobody_and_keeps_what_is_there() {
    let origin = Origin::start(std::iter::empty::<(&str, Reply)>());
    let (one, two) = (origin.url("/1"), origin.url("/2"));
    let before = format!("# mine\n{}", plain("mine", &one));
    let mill = Mill::new(&before);
    let file = list(&format!(
        "<outline text='World'><outline text='One' xmlUrl='{one}'/><outline text='Two \"2\"' xmlUrl='{two}'/></outline>\
         <outline text='Bad' xmlUrl='file:///etc/passwd'/>"
    ));
    mill.write("in.opml", &file);
    let dry = mill.run(&["opml", "import", "in.opml", "--dry-run"]);
    assert!(dry.out.contains("1 would be added"), "{dry:?}");
    assert_eq!(fs::read_to_string(mill.path("feeds.toml")).unwrap(), before);
    let run = mill.run(&["opml", "import", "in.opml"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(
        run.out.contains("1 added to feeds.toml, 1 there already"),
        "{run:?}"
    );
    assert!(run.err.contains("refused: Bad: "), "{run:?}");
    let text = fs::read_to_string(mill.path("feeds.toml")).unwrap();
    assert!(text.starts_with(&before), "{text}");
    assert_eq!(mill.run(&["check"]).status, 0, "{text}");
    let all = mill.run(&["feeds", "list", "--json"]).out;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all[1]["title"], "Two \"2\"");
    assert_eq!(all[1]["tags"][0], "World");
    // Again changes nothing.
    mill.run(&["opml", "import", "in.opml"]);
    assert_eq!(fs::read_to_string(mill.path("feeds.toml")).unwrap(), text);
    assert!(origin.log().is_empty(), "somebody was asked");
    assert!(!mill.path("data").exists(), "a store was made");
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let mut feeds = String::new();
    for n in 0..500 {
        let block = plain(&format!("f{n}"), &format!("https://h{}.example/{n}", n % 3));
        writeln!(feeds, "{}\ntitle = \"N < & \\\" {n}\"", block.trim_end()).unwrap();
    }
    let block = plain("secret", "https://canary.example/");
    writeln!(feeds, "{}\nprivate = true", block.trim_end()).unwrap();
    let mill = Mill::new(&feeds);
    let run = mill.run(&["opml", "export", "out.opml"]);
    assert_eq!(run.status, 0, "{run:?}");
    let out = fs::read_to_string(mill.path("out.opml")).unwrap();
    roxmltree::Document::parse(&out).unwrap();
    assert!(!out.contains("canary"), "a private feed is in it");
    assert_eq!(mill.run(&["opml", "export"]).out, out);

    // Into a directory without feeds.toml, through a pipe.
    let other = Mill::new("");
    fs::remove_file(other.path("feeds.toml")).unwrap();
    let mut import = other.command(&["opml", "import", "-"]);
    let mut child = import
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(out.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("500 added"));
    let all = other.run(&["feeds", "list", "--json"]).out;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 500);
    assert_eq!(all[499]["title"], "N < & \" 499");
}

#[test]
fn hostile_lists_are_plain_errors() {
    let laughs = "<?xml version='1.0'?><!DOCTYPE opml [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>\
                  <opml><body><outline text='&c;' xmlUrl='https://x.example/'/></body></opml>";
    let found = opml::read(laughs.as_bytes()).unwrap();
    assert!(
        found.feeds[0].title.as_deref().unwrap().len() < 10,
        "{found:?}"
    );
    let feeds: String = (0..=opml::MAX_FEEDS)
        .map(|n| format!("<outline xmlUrl='https://x.example/{n}'/>"))
        .collect();
    for (hostile, why) in [
        (list(&"<outline text='a'>".repeat(100_000)), "depth"),
        (list(&"<outline/>".repeat(300_000)), "elements"),
        (
            list(&format!("<outline {}/>", "a='b' ".repeat(10_000))),
            "attributes",
        ),
        (" ".repeat(opml::MAX_BYTES + 1), "larger than 8 MiB"),
        (list(&feeds), "more than 10000 feeds"),
        ("<html><body>no</body></html>".to_owned(), "not OPML"),
        ("PK\u{3}\u{4}\0\0".to_owned(), "not OPML"),
        (String::new(), "not OPML"),
        (
            "<opml><body><outline xmlUrl='https://x.example/'/>".to_owned(),
            "breaks off",
        ),
    ] {
        let error = opml::read(hostile.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(opml::read(b"\xff\xfe<\0"), Err(BadOpml::NotOpml));
    let mill = Mill::new("# mine\n");
    mill.write("in.opml", "junk");
    let run = mill.run(&["opml", "import", "in.opml"]);
    assert_eq!(
        (run.status, run.err.contains("in.opml: not OPML")),
        (2, true),
        "{run:?}"
    );
    assert_eq!(mill.run(&["opml", "import", "nowhere"]).status, 2);
    assert_eq!(
        fs::read_to_string(mill.path("feeds.toml")).unwrap(),
        "# mine\n"
    );
}
