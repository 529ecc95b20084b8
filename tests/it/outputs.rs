//! RSS, JSON Feed and OPML: valid whatever the articles are, and at one with the Atom document. Read back by parsers that
//! had no part in writing.

use std::collections::HashSet;

use feedmill::model::content::Content;
use feedmill::model::feed::{FeedInfo, Options, Subscription};
use feedmill::model::river::River;
use feedmill::output::atom::Atom;
use feedmill::output::edition::{Edition, History, MAX_DOCUMENT};
use feedmill::output::opml::{self, Outline};
use feedmill::output::{OUTPUTS, Output, output};
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::support::hostile::{at, entry, evil, hostile, river, url};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const MEDIA: &str = "http://search.yahoo.com/mrss/";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";

fn render(format: &str, river: &River) -> String {
    let format = output(format).unwrap();
    let document = format.render(river);
    assert_eq!(document, format.render(river), "F-09");
    String::from_utf8(document).unwrap()
}

/// Characters that must not be published (F-11), by a list of its own.
fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    (c.is_control() && !"\t\n".contains(c))
        || (0xFDD0..=0xFDEF).contains(&code)
        || code & 0xFFFE == 0xFFFE
}

fn child<'a>(node: Node<'a, '_>, space: &str, name: &str) -> Option<&'a str> {
    node.children()
        .find(|child| {
            child.tag_name().name() == name
                && child.tag_name().namespace().unwrap_or_default() == space
        })
        .map(|found| found.text().unwrap_or_default())
}

fn is_rss_date(text: &str) -> bool {
    let form = "%a, %d %b %Y %H:%M:%S GMT";
    jiff::civil::DateTime::strptime(form, text)
        .is_ok_and(|date| date.strftime(form).to_string() == text)
}

/// What is wrong with an RSS document by F-55.
fn judge_rss(document: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    must(
        !document.contains(is_forbidden),
        "a forbidden character (F-11)",
    );
    let parsed = match Document::parse(document) {
        Ok(parsed) => parsed,
        Err(error) => return vec![error.to_string()],
    };
    let root = parsed.root_element();
    must(root.has_tag_name("rss"), "the root is not rss");
    must(root.attribute("version") == Some("2.0"), "not version 2.0");
    let known = [ATOM, DC, CONTENT, MEDIA];
    must(
        parsed
            .descendants()
            .filter_map(|node| node.tag_name().namespace())
            .all(|space| known.contains(&space)),
        "a namespace nobody knows",
    );
    let Some(channel) = root.children().find(|node| node.has_tag_name("channel")) else {
        return vec!["no channel".to_owned()];
    };
    for required in ["title", "link", "description", "lastBuildDate", "ttl"] {
        must(
            child(channel, "", required).is_some_and(|words| !words.is_empty()),
            &format!("channel: no {required}"),
        );
    }
    let own = channel
        .children()
        .filter(|node| node.has_tag_name((ATOM, "link")));
    must(
        own.filter(|link| {
            link.attribute("rel") == Some("self")
                && link.attribute("type") == Some("application/rss+xml")
        })
        .count()
            == 1,
        "channel: not one self link",
    );
    for item in channel.children().filter(|node| node.has_tag_name("item")) {
        for required in ["title", "description", "guid", "pubDate"] {
            must(
                child(item, "", required).is_some(),
                &format!("item: no {required}"),
            );
        }
        let words = |name: &str| child(item, "", name).unwrap_or_default();
        must(!words("title").is_empty(), "item: an empty title");
        must(is_rss_date(words("pubDate")), "item: pubDate is no date");
        must(
            child(item, DC, "creator").is_some(),
            "item: nobody wrote it",
        );
        must(
            child(item, "", "author").is_none(),
            "item: an author without address",
        );
        let description = dom_query::Document::fragment(words("description"));
        must(
            description.select("*").iter().all(|node| node.is("html")),
            "item: markup in the description",
        );
        for node in item.children().filter(Node::is_element) {
            let permalink = node.attribute("isPermaLink");
            must(
                !node.has_tag_name("guid") || permalink == Some("false"),
                "item: a guid that claims to be an address",
            );
            must(
                ["url", "href"]
                    .iter()
                    .filter_map(|name| node.attribute(*name))
                    .chain(
                        node.has_tag_name("link")
                            .then(|| node.text().unwrap_or_default()),
                    )
                    .all(|address| url(address).as_str() == address),
                "item: an address that is not whole",
            );
            must(
                !node.has_tag_name("enclosure")
                    || ["url", "length", "type"]
                        .iter()
                        .all(|name| node.has_attribute(*name)),
                "item: an enclosure without url, length or type",
            );
        }
    }
    faults
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(all) => all.iter().for_each(|value| strings(value, found)),
        Value::Object(all) => all.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// What is wrong with a JSON Feed by F-56.
fn judge_json(document: &str) -> Vec<String> {
    let feed: Value = match serde_json::from_str(document) {
        Ok(feed) => feed,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let mut texts = Vec::new();
    strings(&feed, &mut texts);
    must(
        !texts.iter().any(|text| text.contains(is_forbidden)),
        "a forbidden character (F-11)",
    );
    must(
        feed["version"] == "https://jsonfeed.org/version/1.1",
        "not version 1.1",
    );
    let names = |value: &Value, known: &[&str]| {
        value
            .as_object()
            .is_some_and(|object| object.keys().all(|key| known.contains(&key.as_str())))
    };
    must(
        names(
            &feed,
            &[
                "_feedmill",
                "authors",
                "description",
                "feed_url",
                "home_page_url",
                "items",
                "language",
                "title",
                "version",
            ],
        ),
        "feed: a key JSON Feed has no word for",
    );
    for key in ["title", "feed_url", "home_page_url"] {
        must(feed[key].is_string(), &format!("feed: no {key}"));
    }
    for item in feed["items"].as_array().into_iter().flatten() {
        must(
            names(
                item,
                &[
                    "_feedmill",
                    "attachments",
                    "authors",
                    "content_html",
                    "content_text",
                    "date_modified",
                    "date_published",
                    "id",
                    "image",
                    "language",
                    "summary",
                    "tags",
                    "title",
                    "url",
                ],
            ),
            "item: a key JSON Feed has no word for",
        );
        must(item["id"].is_string(), "item: no id");
        must(
            item["content_html"].is_string() != item["content_text"].is_string(),
            "item: not one content",
        );
        for date in ["date_published", "date_modified"] {
            let fine = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
            must(
                item[date].as_str().is_none_or(fine),
                &format!("item: {date} is no date"),
            );
        }
        let authors = item["authors"].as_array().map_or(0, Vec::len);
        must(authors > 0, "item: nobody wrote it");
        let attachments = item["attachments"].as_array().into_iter().flatten();
        must(
            attachments
                .into_iter()
                .all(|one| one["url"].is_string() && one["mime_type"].is_string()),
            "item: an attachment without url or type",
        );
        must(
            ["id", "title", "updated"]
                .iter()
                .all(|key| item["_feedmill"]["source"][*key].is_string()),
            "item: a source without id, title or date (F-05)",
        );
    }
    faults
}

#[test]
fn f_55_the_hostile_river_is_valid_rss() {
    for river in [hostile(), river(Vec::new())] {
        let faults = judge_rss(&render("rss", &river));
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn f_56_the_hostile_river_is_a_valid_json_feed() {
    for river in [hostile(), river(Vec::new())] {
        let faults = judge_json(&render("json", &river));
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[test]
fn the_judges_see_what_is_wrong() {
    let mut one = entry(1);
    one.article.article.enclosures = vec![feedmill::model::entry::Enclosure {
        url: url("https://example.org/a.mp3"),
        media_type: Some("audio/mpeg".to_owned()),
        length: Some(1),
    }];
    let river = river(vec![one]);
    let rss = render("rss", &river);
    let json = render("json", &river);
    let check = |judge: fn(&str) -> Vec<String>, good: &str, old: &str, new: &str, fault: &str| {
        assert!(good.contains(old), "{old} is not in {good}");
        let faults = judge(&good.replacen(old, new, 1));
        assert!(
            faults.iter().any(|found| found.contains(fault)),
            "{fault}: {faults:?}"
        );
    };
    for (old, new, fault) in [
        ("</rss>", "", "root node"),
        ("题目", "题\u{85}目", "forbidden"),
        ("version=\"2.0\"", "version=\"0.9\"", "not version"),
        ("<ttl>5</ttl>", "", "no ttl"),
        ("rel=\"self\"", "rel=\"me\"", "self link"),
        ("<guid isPermaLink=\"false\"", "<guid", "claims to be"),
        ("<pubDate>Mon", "<pubDate>Tue", "pubDate is no date"),
        ("<dc:creator>甲</dc:creator>", "", "nobody wrote"),
        ("<![CDATA[正文", "<![CDATA[<b>正文", "markup in"),
        ("https://example.org/news/1.html", "/news/1.html", ""),
        (" length=\"1\"", "", "an enclosure without"),
        (
            "xmlns:dc=\"http://purl.org/dc/",
            "xmlns:dc=\"urn:",
            "namespace",
        ),
    ] {
        if fault.is_empty() {
            let broken = rss.replacen(old, new, 1);
            assert!(std::panic::catch_unwind(|| judge_rss(&broken)).is_err());
        } else {
            check(judge_rss, &rss, old, new, fault);
        }
    }
    for (old, new, fault) in [
        ("{", "[", "at line"),
        ("题目", "题\\u0007目", "forbidden"),
        ("version/1.1", "version/1", "not version"),
        ("\"tags\"", "\"tag\"", "no word for"),
        ("\"content_html\"", "\"summary\"", "not one content"),
        ("\"id\":\"tag:example.org,2025:1\"", "\"id\":1", "no id"),
        (
            "\"date_modified\":\"2025",
            "\"date_modified\":\"x",
            "no date",
        ),
        (
            "\"authors\":[{\"name\":\"甲\"}]",
            "\"authors\":[]",
            "nobody wrote",
        ),
        ("\"mime_type\"", "\"type\"", "an attachment"),
        ("\"title\":\"源\"", "\"title\":1", "a source without"),
    ] {
        check(judge_json, &json, old, new, fault);
    }
}

/// Id, updated, published, content: what readers file an entry by.
type Filed = (String, String, Option<String>, String);

fn of_atom(document: &str) -> Vec<Filed> {
    let parsed = Document::parse(document).unwrap();
    let entries = parsed.root_element().children();
    entries
        .filter(|node| node.has_tag_name((ATOM, "entry")))
        .map(|entry| {
            let words = |name: &str| child(entry, ATOM, name).map(str::to_owned);
            (
                words("id").unwrap(),
                words("updated").unwrap(),
                words("published"),
                words("content").unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn every_format_names_the_lead_picture() {
    let mut one = entry(1);
    let picture = "https://example.org/1.jpg?a=1&b=2";
    one.article.article.thumbnail = Some(url(picture));
    let river = river(vec![one, entry(2)]);
    let named = |document: &str, space: &str, name: &str| -> Vec<String> {
        let parsed = Document::parse(document).unwrap();
        parsed
            .descendants()
            .filter(|node| node.has_tag_name((space, name)))
            .map(|node| node.attribute("url").unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        named(&render("atom", &river), MEDIA, "thumbnail"),
        [picture]
    );
    let rss = render("rss", &river);
    assert_eq!(named(&rss, MEDIA, "content"), [picture]);
    assert!(rss.contains(" medium=\"image\""), "{rss}");
    let json: Value = serde_json::from_str(&render("json", &river)).unwrap();
    assert_eq!(json["items"][0]["image"], picture);
    assert_eq!(json["items"][1].get("image"), None);
}

#[test]
fn f_57_the_formats_agree() {
    let mut many = hostile();
    // Twice the same id, and more than fits.
    many.entries.push(entry(1));
    let long = "<p>一段\"文字\"。</p>".repeat(8_000);
    many.entries.extend((100..110).map(|seq| {
        let mut large = entry(seq);
        large.article.article.body = Content::html(long.clone());
        large
    }));
    let atom = of_atom(&render("atom", &many));
    assert!(atom.len() > 20, "{}", atom.len());
    assert!(atom.len() < many.entries.len() - 2, "all of it fits");

    let rss = render("rss", &many);
    let parsed = Document::parse(&rss).unwrap();
    let items: Vec<_> = parsed
        .descendants()
        .filter(|node| node.has_tag_name("item"))
        .collect();
    assert_eq!(items.len(), atom.len());
    for (item, (id, updated, published, content)) in items.iter().zip(&atom) {
        assert_eq!(child(*item, "", "guid"), Some(&**id));
        assert_eq!(child(*item, ATOM, "updated"), Some(&**updated));
        let date: jiff::Timestamp = published.as_ref().unwrap_or(updated).parse().unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert_eq!(child(*item, "", "pubDate"), Some(&*date));
        let encoded = child(*item, CONTENT, "encoded").unwrap_or_default();
        // roxmltree gives one text node for the CDATA sections that `]]>` parts.
        assert_eq!(encoded, content, "{id}");
    }

    let json: Value = serde_json::from_str(&render("json", &many)).unwrap();
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let filed: Vec<Filed> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                words(&item["id"]).unwrap(),
                words(&item["date_modified"]).unwrap(),
                words(&item["date_published"]),
                words(&item["content_html"]).unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(filed, atom);
    assert_eq!(
        words(&json["_feedmill"]["updated"]).unwrap(),
        many.updated.rfc3339()
    );
}

#[test]
fn readers_read_all_formats_alike() {
    let mut river = hostile();
    // feed-rs trims titles and drops marks that pass through unseen; the words are what is compared.
    river
        .entries
        .retain(|entry| entry.article.article.title != evil());
    let edition = Edition::of(&river);
    for format in OUTPUTS {
        let read = feed_rs::parser::parse(&*format.write(&edition)).unwrap();
        assert_eq!(read.entries.len(), edition.items.len());
        for (read, item) in read.entries.iter().zip(&edition.items) {
            let name = format.name();
            assert_eq!(read.id, item.id, "{name}");
            assert_eq!(read.title.as_ref().unwrap().content, item.title, "{name}");
            let link = item.entry.article.article.link.as_ref();
            if let Some(link) = link {
                assert!(
                    read.links.iter().any(|read| read.href == link.as_str()),
                    "{name}"
                );
            }
            // feed-rs keeps an Atom enclosure as a link and reads no attachments of JSON; RSS has room for one.
            let media: usize = read.media.iter().map(|media| media.content.len()).sum();
            if name == "rss" {
                let enclosed = item.enclosures().count().min(1);
                let pictures = usize::from(item.picture().is_some());
                assert_eq!(media, enclosed + pictures, "{}", item.id);
                let first = item.enclosures().next().map(|(one, _)| one.url.as_str());
                let first = first.or(item.picture()).map(ToString::to_string);
                let read = read.media.first().and_then(|media| media.content.first());
                let read = read.and_then(|content| content.url.as_ref());
                assert_eq!(read.map(ToString::to_string), first);
            }
        }
    }
}

#[test]
fn f_21_every_format_has_its_own_address_and_type() {
    let of = |pick: fn(&dyn Output) -> &'static str| -> Vec<&str> {
        OUTPUTS.iter().map(|format| pick(*format)).collect()
    };
    assert_eq!(
        of(|format| format.file()),
        ["feed.atom", "feed.rss", "feed.json"]
    );
    assert_eq!(
        of(|format| format.media_type()),
        [
            "application/atom+xml; charset=utf-8",
            "application/rss+xml; charset=utf-8",
            "application/feed+json"
        ]
    );
    for format in OUTPUTS {
        let document = render(format.name(), &river(Vec::new()));
        let own = format!("https://news.example.org/{}", format.file());
        assert!(document.contains(&own), "{document}");
    }
}

#[test]
fn f_35_rss_says_how_long_it_keeps() {
    let mut quiet: Vec<_> = (1..6).map(entry).collect();
    for (place, entry) in quiet.iter_mut().enumerate() {
        entry.article.recorded = at(i64::try_from(place).unwrap() * 3000);
    }
    let quiet = river(quiet);
    assert_eq!(Edition::of(&quiet).max_age.as_secs(), 1500);
    assert!(render("rss", &quiet).contains("<ttl>25</ttl>"));
}

#[test]
fn f_18_what_is_in_no_archive_yet_is_not_what_the_window_shrinks_by() {
    let mut entries: Vec<_> = (1..=40).rev().map(entry).collect();
    for entry in entries.iter_mut().take(39) {
        entry.article.article.body = Content::plain("字".repeat(10_000));
    }
    let river = river(entries);
    let oldest = river.entries.last().unwrap().article.seq;
    let shown = |kept| -> Vec<u64> {
        let edition = Edition::at(&river, "feed", History::default(), &kept);
        let items = edition.items.iter();
        items.map(|item| item.entry.article.seq.0).collect()
    };
    let without = shown(HashSet::new());
    assert!(without.len() < 39 && !without.contains(&oldest.0));
    let with = shown(HashSet::from([oldest]));
    assert_eq!(with.last(), Some(&oldest.0));
    assert_eq!(with[..with.len() - 1], without[..with.len() - 1]);
    let bytes = Atom.write(&Edition::at(
        &river,
        "feed",
        History::default(),
        &HashSet::from([oldest]),
    ));
    assert!(bytes.len() <= MAX_DOCUMENT);
}

fn subscription(source: &str, title: Option<&str>, address: &str) -> Subscription {
    let option = ("url".to_owned(), address.to_owned());
    Subscription {
        title: title.map(str::to_owned),
        language: "zh-CN".to_owned(),
        tags: vec!["科学".to_owned(), "a & b".to_owned()],
        options: Options([option].into_iter().collect()),
        ..Subscription::new("planet".parse().unwrap(), source)
    }
}

#[test]
fn f_58_subscriptions_come_back_from_opml() {
    let info = FeedInfo {
        title: Some("Its own <name> & \"more\"".to_owned()),
        home: Some(url("https://example.org/?a=1&b=2")),
        ..FeedInfo::default()
    };
    let named = |title, address| Outline::of(&subscription("feed", title, address), &info);
    let outlines = [
        named(Some("題\u{0}"), "https://example.org/a?x=1&y=2").unwrap(),
        named(None, "https://example.org/b").unwrap(),
        Outline::of(
            &subscription("feed", None, "https://example.org/c"),
            &FeedInfo::default(),
        )
        .unwrap(),
    ];
    // A publisher without a feed has nothing others could read; one with a feed of its own has.
    let api = subscription("qq", None, "https://example.org/api");
    assert_eq!(Outline::of(&api, &info), None);
    let theirs = FeedInfo {
        self_link: Some(url("https://example.org/feed.xml")),
        ..info.clone()
    };
    let outline = Outline::of(&api, &theirs).unwrap();
    assert_eq!(outline.feed.as_str(), "https://example.org/feed.xml");

    let document = String::from_utf8(opml::render(&evil(), at(0), &outlines)).unwrap();
    assert!(!document.contains(is_forbidden));
    let parsed = Document::parse(&document).unwrap();
    assert_eq!(parsed.root_element().attribute("version"), Some("2.0"));
    let read: Vec<Outline> = parsed
        .descendants()
        .filter(|node| node.has_tag_name("outline"))
        .map(|node| {
            assert_eq!(node.attribute("type"), Some("rss"));
            assert_eq!(node.attribute("text"), node.attribute("title"));
            Outline {
                title: node.attribute("title").unwrap().to_owned(),
                feed: url(node.attribute("xmlUrl").unwrap()),
                home: node.attribute("htmlUrl").map(url),
                language: node.attribute("language").unwrap().to_owned(),
                categories: node
                    .attribute("category")
                    .map(|list| list.split(',').map(str::to_owned).collect())
                    .unwrap_or_default(),
            }
        })
        .collect();
    assert_eq!(read, outlines);
    assert_eq!(read[0].title, "題");
    assert_eq!(read[2].title, "planet");
}
