//! The merged feed: valid whatever the articles are, and nothing of them lost.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]

use feedmill::model::content::Content;
use feedmill::model::ids::EntryId;
use feedmill::model::river::{Carrier, River};
use feedmill::output::{OUTPUTS, output};
use proptest::prelude::*;

use crate::support::check_atom::check;
use crate::support::hostile::{entry, evil, hostile, river, url};

const EMPTY: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:fm="urn:feedmill:ns:1" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="zh-CN">
  <id>tag:example.org,2025:river</id>
  <title type="text">River</title>
  <subtitle type="text">All sources as one</subtitle>
  <updated>2025-02-10T15:07:40Z</updated>
  <author>
    <name>An operator</name>
  </author>
  <link rel="self" type="application/atom+xml" href="https://news.example.org/feed.atom"/>
  <link rel="alternate" type="text/html" href="https://news.example.org/"/>
  <generator version="VERSION">feedmill</generator>
</feed>
"#;

const FULL: &str = r#" xml:lang="en">
    <id>tag:example.org,2025:7</id>
    <title type="text">题目 7</title>
    <updated>2025-02-10T15:07:40Z</updated>
    <published>2025-02-10T15:05:40Z</published>
    <author>
      <name>甲</name>
    </author>
    <link rel="alternate" href="https://example.org/news/7.html"/>
    <link rel="related" href="https://example.net/9" title="Other"/>
    <category term="科技"/>
    <source>
      <id>tag:example.org,2025:feed</id>
      <title type="text">源</title>
      <updated>2025-02-10T15:06:40Z</updated>
      <author>
        <name>编辑部</name>
      </author>
      <link rel="self" href="https://example.org/feed.xml"/>
      <link rel="alternate" href="https://example.org/"/>
      <rights type="text">© 2025 &amp; others</rights>
      <icon>https://example.org/icon.png</icon>
    </source>
    <summary type="text">短</summary>
    <content type="html">&lt;p&gt;正文。&lt;/p&gt;</content>
    <media:thumbnail url="https://example.org/7.jpg?a=1&amp;b=2"/>
    <fm:seq>7</fm:seq>
    <fm:content>0000000000000007</fm:content>
    <fm:feed>qq</fm:feed>
    <fm:original-id>guid 7</fm:original-id>
    <fm:carrier id="tag:example.net,2025:9" feed="dw" title="Other" href="https://example.net/9"/>
    <fm:carrier id="tag:example.org,2025:7" feed="planet" title="Planet" same-id="true"/>
  </entry>
</feed>
"#;

fn render(river: &River) -> String {
    let atom = output("atom").unwrap();
    let document = atom.render(river);
    assert_eq!(document, atom.render(river), "F-09");
    String::from_utf8(document).unwrap()
}

#[track_caller]
fn assert_valid(document: &str) {
    let faults = check(document);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_hostile_river_is_valid() {
    assert_valid(&render(&hostile()));
}

#[test]
fn an_empty_river_is_valid() {
    let document = render(&river(Vec::new()));
    assert_valid(&document);
    let document = document.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert_eq!(document, EMPTY);
}

#[test]
fn an_entry_says_all_it_knows() {
    let mut one = entry(7);
    let article = &mut one.article.article;
    article.id = EntryId::new("guid 7");
    article.summary = Some(Content::plain("短"));
    article.thumbnail = Some(url("https://example.org/7.jpg?a=1&b=2"));
    one.language = "en".to_owned();
    one.carriers = vec![
        Carrier {
            id: "tag:example.net,2025:9".to_owned(),
            feed: "dw".parse().unwrap(),
            source_title: "Other".to_owned(),
            link: Some(url("https://example.net/9")),
            same_id: false,
            near: false,
        },
        Carrier {
            id: "tag:example.org,2025:7".to_owned(),
            feed: "planet".parse().unwrap(),
            source_title: "Planet".to_owned(),
            link: None,
            same_id: true,
            near: false,
        },
    ];
    let document = render(&river(vec![one]));
    assert_valid(&document);
    let entry = document.split_once("<entry").unwrap().1;
    assert_eq!(entry, FULL);
}

#[test]
fn feed_rs_reads_back_what_was_written() {
    let mut river = hostile();
    // feed-rs trims titles and drops the marks that pass through unseen; the words are what is compared.
    river
        .entries
        .retain(|entry| entry.article.article.title != evil());
    let read = feed_rs::parser::parse(render(&river).as_bytes()).unwrap();
    assert_eq!(read.entries.len(), river.entries.len());
    for (read, written) in read.entries.iter().zip(&river.entries) {
        assert_eq!(read.id, written.id);
        let title = read.title.as_ref().unwrap().content.clone();
        let given = &written.article.article.title;
        if !given.is_empty() {
            assert_eq!(title, given.chars().take(1000).collect::<String>());
        }
        let updated = read.updated.unwrap().timestamp();
        assert_eq!(updated, written.article.revised.millis() / 1000);
    }
}

#[test]
fn documents_and_contents_stay_within_their_limits() {
    let long = |seq, body: String| {
        let mut long = entry(seq);
        long.article.article.body = Content::html(body);
        long
    };
    let words = "<p>一段文字。</p>".repeat(9_000);
    assert!(words.len() < 256 * 1024);
    let document = render(&river((1..8).map(|seq| long(seq, words.clone())).collect()));
    assert_valid(&document);
    assert!(document.len() <= 1024 * 1024, "{}", document.len());
    let kept = document.matches("<entry").count();
    assert!((2..7).contains(&kept), "{kept}");
    assert!(
        document.contains("tag:example.org,2025:1<"),
        "the newest stays"
    );

    for body in [
        "<p>一段文字。</p>".repeat(20_000),
        format!("<p>{}</p>", "&amp;".repeat(15_000) + &"字".repeat(100_000)),
    ] {
        let document = render(&river(vec![long(1, body), entry(2)]));
        assert_valid(&document);
        assert!(document.contains("Continues at"));
        assert!(document.contains("tag:example.org,2025:2<"));
    }
}

#[test]
fn an_entry_that_came_twice_stands_once() {
    let document = render(&river(vec![entry(1), entry(1), entry(2)]));
    assert_valid(&document);
    assert_eq!(document.matches("<entry").count(), 2);
}

#[test]
fn outputs_are_found_by_name() {
    for known in OUTPUTS {
        assert_eq!(
            output(known.name()).map(feedmill::output::Output::name),
            Some(known.name())
        );
    }
    assert!(output("gopher").is_none());
}

/// Every rule of the judge, bitten once.
#[test]
fn the_judge_sees_what_is_wrong() {
    let mut one = entry(1);
    one.article.article.summary = Some(Content::plain("S"));
    one.article.article.authors.clear();
    one.article.article.body = Content::html("<p>正文。</p><img src='https://example.org/p'>");
    one.article.article.thumbnail = Some(url("https://example.org/7.jpg"));
    let good = render(&river(vec![one]));
    assert_valid(&good);
    let feed_title = "<title type=\"text\">River</title>";
    let cases = [
        ("</feed>", "", "not well-formed"),
        (
            "http://www.w3.org/2005/Atom",
            "http://example.org/",
            "root is not",
        ),
        ("River", "Ri\u{85}ver", "must not be published"),
        ("River", "Ri\u{FDD0}ver", "must not be published"),
        (" xml:lang=\"zh-CN\"", "", "no xml:lang"),
        (
            " xml:lang=\"zh-CN\"",
            " xml:lang=\"zh CN\"",
            "no language tag",
        ),
        (feed_title, "", "feed: 0 title"),
        (
            feed_title,
            "<title type=\"text\"> </title>",
            "an empty title",
        ),
        (
            feed_title,
            "<title type=\"html\">R</title>",
            "not plain text",
        ),
        (feed_title, "<title>R</title>", "not plain text"),
        (
            feed_title,
            "<title type=\"text\">R\nR</title>",
            "a line break",
        ),
        (
            "<id>tag:example.org,2025:river</id>",
            "<id>river</id>",
            "id is no absolute IRI",
        ),
        (
            "<id>tag:example.org,2025:river</id>",
            "<id>tag:example.org,2025:a b</id>",
            "id is no absolute IRI",
        ),
        (
            "<updated>2025-02-10T15:07:40Z</updated>",
            "<updated>2025-02-30T15:07:40Z</updated>",
            "no date",
        ),
        (
            "<updated>2025-02-10T15:07:40Z</updated>",
            "<updated>10 Feb 2025</updated>",
            "no date",
        ),
        (
            "<published>",
            "<published>x</published><published>",
            "more than one published",
        ),
        (
            "rel=\"self\" type=\"application/atom+xml\"",
            "rel=\"related\"",
            "exactly one self",
        ),
        (
            "rel=\"self\" type=\"application/atom+xml\"",
            "rel=\"self\" type=\"text/xml\"",
            "another type",
        ),
        (
            "rel=\"self\" type=\"application/atom+xml\"",
            "rel=\"self\" type=\"xml\"",
            "no media type",
        ),
        (
            "href=\"https://news.example.org/\"",
            "href=\"/\"",
            "a link to",
        ),
        (
            "href=\"https://news.example.org/\"",
            "href=\"javascript:x\"",
            "a link to",
        ),
        (
            "href=\"https://news.example.org/\"",
            "href=\"https://e.org/\" onclick=\"x\"",
            "no link has",
        ),
        (
            "href=\"https://news.example.org/\"",
            "href=\"https://e.org/\" length=\"x\"",
            "no number",
        ),
        (
            "rel=\"alternate\" type=\"text/html\"",
            "rel=\"stylesheet\"",
            "rel stylesheet",
        ),
        ("<generator", "<entry/><generator", "entry: 0 id"),
        ("<generator", "words<generator", "words between"),
        (
            "media:thumbnail url=\"https:",
            "media:thumbnail url=\"",
            "a thumbnail without",
        ),
        (
            "referrerpolicy=\"no-",
            "referrerpolicy=\"",
            "with a referrer",
        ),
        ("media:thumbnail", "media:player", "has no place"),
        ("<generator", "<content/><generator", "has no place"),
        (
            "<generator",
            "<logo xmlns=\"urn:x\"/><generator",
            "has no place",
        ),
        (
            "<name>An operator</name>",
            "<name> </name>",
            "without a name",
        ),
        ("<name>编辑部</name>", "", "without a name"),
        (
            "<author>\n        <name>编辑部</name>\n      </author>",
            "",
            "nobody wrote it",
        ),
        (
            "<entry>",
            "<entry xml:lang=\"zh-CN\">",
            "repeats the language",
        ),
        ("<entry>", "<entry xml:base=\"https://e.org/\">", "xml:base"),
        ("term=\"科技\"", "term=\"\"", "without a term"),
        (
            "content type=\"html\"",
            "content type=\"text\"",
            "not inline HTML",
        ),
        (
            "&lt;p&gt;正文",
            "&lt;p onclick='x'&gt;正文",
            "an attribute onclick",
        ),
        ("&lt;p&gt;正文", "&lt;script&gt;", "an element script"),
        ("&lt;p&gt;正文", "&lt;a href='javascript:x'&gt;", "href ="),
        ("&lt;p&gt;正文", "&lt;img src='x.png'&gt;", "src ="),
        (
            "&lt;p&gt;正文",
            "&lt;img srcset='https://e.org/a 1x, b 2x'&gt;",
            "srcset =",
        ),
        ("<fm:seq>1</fm:seq>", "", "0 fm:seq"),
        (
            "<fm:seq>",
            "<fm:carrier id=\"x:y\"/><fm:seq>",
            "a carrier without",
        ),
        (
            "<rights type=\"text\">",
            "<rights type=\"text\">x</rights><rights type=\"text\">",
            "more than one rights",
        ),
        (
            "<icon>https://example.org/icon.png",
            "<icon>/icon.png",
            "icon is no",
        ),
    ];
    for (old, new, expected) in cases {
        assert!(good.contains(old), "{old} is not in the document");
        let faults = check(&good.replacen(old, new, 1));
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{expected}: {faults:?}"
        );
    }
    let (before, entry) = good.split_once("  <entry>").unwrap();
    let entry = entry.strip_suffix("</feed>\n").unwrap();
    let twice = format!("{before}<entry>{entry}<entry>{entry}</feed>");
    assert!(check(&twice).iter().any(|fault| fault.contains("one id")));
    let cut = |text: &str, name: &str| {
        let (before, rest) = text.split_once(&format!("<{name} type")).unwrap();
        format!(
            "{before}{}",
            rest.split_once(&format!("</{name}>")).unwrap().1
        )
    };
    let bare = cut(&cut(&good, "summary"), "content");
    assert!(
        check(&bare)
            .iter()
            .any(|fault| fault.contains("neither content nor")),
        "{bare}"
    );
    let long = good.replacen("&lt;p&gt;正文", &"文".repeat(100_000), 1);
    assert!(check(&long).iter().any(|fault| fault.contains("256 KiB")));
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "[\\x00-\\xA0\u{FFFE}\u{202E}<>&\"']{0,20}",
        Just(evil()),
        Just(String::new())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_in_any_field_are_valid(
        texts in proptest::collection::vec(words(), 14),
        seq in 0..u64::MAX,
        seconds in proptest::collection::vec(i64::MIN..i64::MAX, 4),
        dated in any::<bool>(),
    ) {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap();
        let time = |at: usize| feedmill::model::time::Timestamp::from_millis(seconds[at]);
        let mut one = entry(seq);
        let article = &mut one.article.article;
        article.title = text();
        article.authors = vec![text()];
        article.categories = vec![text()];
        article.id = EntryId::new(&text());
        article.body = Content::html(text());
        article.summary = Some(Content::html(text()));
        article.published = dated.then(|| time(0));
        one.article.revised = time(1);
        one.language = text();
        one.source.id = Some(text());
        one.source.title = Some(text());
        one.source.authors = vec![text()];
        one.source.rights = Some(text());
        one.source.updated = dated.then(|| time(2));
        one.id = format!("tag:{}", text());
        let mut all = river(vec![one]);
        all.author = text();
        all.updated = time(3);
        let faults = check(&render(&all));
        prop_assert!(faults.is_empty(), "{:#?}", faults);
    }
}
