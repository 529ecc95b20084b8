//! Made-up feeds cut off, with zeros in them, with halves of characters: what came whole is kept, and nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use feedmill::model::entry::{Draft, Lead, Listing, ReadError};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::urls::PageUrl;
use feedmill::source::Source;
use feedmill::source::feed::Feed;

const SAMPLE: &str = "<?xml version='1.0' encoding='LABEL'?><rss version='2.0'><channel><title>晨报 &amp; 晚报</title>\
    <item><guid>1</guid><title>新的地铁线路开通</title><link>https://news.example/1</link>\
    <pubDate>Sat, 03 Oct 2026 07:23:11 +0800</pubDate><description><![CDATA[<p>全长二十八公里。</p>]]></description></item>\
    <item><guid>2</guid><title>图书馆&#x5468;日开放</title><description>&lt;p&gt;免费&amp;hellip;&lt;/p&gt;</description></item>\
    <item><guid>3</guid><title>天气：有雨</title><!-- 完 --></item></channel></rss>";

fn read(bytes: &[u8]) -> Result<Listing, ReadError> {
    let subscription = Subscription::new("test".parse().unwrap(), "feed");
    let page = Page {
        url: PageUrl::parse("https://page.example/feed").unwrap(),
        media_type: None,
        charset: None,
        links: Vec::new(),
        bytes: bytes.to_vec(),
    };
    Feed.read(&subscription, &page)
}

fn drafts(listing: Listing) -> Vec<Draft> {
    listing
        .leads
        .into_iter()
        .map(|lead| match lead {
            Lead::Whole(draft) => *draft,
            Lead::Teaser(teaser) => panic!("{teaser:?}"),
        })
        .collect()
}

/// Cuts at every byte. `ends` are the places behind each entry.
fn cut_everywhere(bytes: &[u8], ends: &[usize]) {
    let all = drafts(read(bytes).unwrap());
    assert_eq!(all.len(), ends.len());
    for cut in 0..bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        match read(&bytes[..cut]) {
            Ok(listing) => {
                let noted = !listing.skipped.is_empty() || !listing.notes.is_empty();
                let kept = drafts(listing);
                assert!(
                    kept.len() >= whole,
                    "{} of {whole} kept, cut at {cut}",
                    kept.len()
                );
                assert_eq!(kept[..whole], all[..whole], "cut at {cut}");
                assert!(
                    noted || cut + 6 > bytes.len() || whole == all.len(),
                    "nothing said, cut at {cut}"
                );
            }
            Err(error) => {
                assert_eq!(whole, 0, "{error}, cut at {cut}");
                let said = error.to_string();
                assert!(
                    said.contains("line ") || said.starts_with("not a feed"),
                    "{said}"
                );
            }
        }
    }
}

#[test]
fn p_103_a_feed_cut_at_any_byte_keeps_each_entry_before_the_cut() {
    let started = Instant::now();
    let text = |label: &str| SAMPLE.replace("LABEL", label);
    let ends = |bytes: &[u8], end: &[u8]| -> Vec<usize> {
        let found = bytes.windows(end.len()).enumerate();
        found
            .filter(|(_, window)| *window == end)
            .map(|(at, _)| at + end.len())
            .collect()
    };
    let utf8 = text("utf-8").into_bytes();
    cut_everywhere(&utf8, &ends(&utf8, b"</item>"));
    let gb = encoding_rs::GB18030.encode(&text("gb2312")).0.into_owned();
    cut_everywhere(&gb, &ends(&gb, b"</item>"));
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let utf16 = wide(&text("utf-16"));
    cut_everywhere(&utf16, &ends(&utf16, &wide("</item>")));
    assert!(
        started.elapsed() < Duration::from_mins(1),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn zeros_in_a_feed_cost_nothing_and_a_body_of_them_is_no_feed() {
    let sample = SAMPLE.replace("LABEL", "utf-8");
    let all = drafts(read(sample.as_bytes()).unwrap());
    let zeros = sample
        .replace("线路", "线\0路")
        .replace("</item>", "\0</item>\0\0")
        + "\0\0\0";
    let listing = read(zeros.as_bytes()).unwrap();
    assert!(
        listing
            .notes
            .contains(&"mended: 13 characters XML forbids".to_owned()),
        "{:?}",
        listing.notes
    );
    assert_eq!(drafts(listing), all);
    let error = read(&vec![0; 1 << 20]).unwrap_err().to_string();
    assert_eq!(error, "not a feed: an empty document");
}

#[test]
fn half_a_character_in_json_costs_itself() {
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[
        {"id":"1","title":"a\ud83d b","content_text":"\udc00"},
        {"id":"2","title":"\ud83d\ude00","content_text":"\ud83d\ud83d"},
        {"id":"3","title":"\u0000c","content_text":"\\ud83d"}]}"#;
    let drafts = drafts(read(json.as_bytes()).unwrap());
    let titles: Vec<_> = drafts.iter().map(|d| d.title.as_deref().unwrap()).collect();
    assert_eq!(titles[..2], ["a\u{fffd} b", "😀"]);
    assert!(titles[2].ends_with('c'), "{titles:?}");
    let words: Vec<_> = drafts
        .iter()
        .map(|d| d.body.as_ref().unwrap().text.as_str())
        .collect();
    assert_eq!(words, ["\u{fffd}", "\u{fffd}\u{fffd}", "\\ud83d"]);
}

fn titles(listing: Listing) -> Vec<(Option<String>, Option<String>)> {
    let link = |draft: &Draft| draft.link.as_ref().map(ToString::to_string);
    let drafts = drafts(listing);
    drafts
        .iter()
        .map(|draft| (draft.title.clone(), link(draft)))
        .collect()
}

/// What is missing or stray costs nothing but itself: all entries are there, each with its title and its link.
#[test]
fn missing_end_tags_and_stray_brackets_cost_no_entry() {
    let item = |title: &str, n: usize| {
        format!(
            "<item>{title}<link>https://news.example/{n}</link><description>一句话</description></item>"
        )
    };
    let around = |items: &[String]| {
        format!(
            "<rss version='2.0'><channel><title>T</title>{}</channel></rss>",
            items.concat()
        )
    };
    let usual = |n: usize| item(&format!("<title>第{n}条</title>"), n);
    let all: Vec<_> = (0..4)
        .map(|n| {
            (
                Some(format!("第{n}条")),
                Some(format!("https://news.example/{n}")),
            )
        })
        .collect();
    for (broken, title) in [
        (item("<title>甲 < 2 的真相</title>", 1), "甲 < 2 的真相"),
        (item("<title>甲 <3 乙</title>", 1), "甲 <3 乙"),
        (item("<title>没有结束", 1), "没有结束"),
        (item("<title>写错了</titel>", 1), "写错了"),
        (
            item("<title>缺末尾</title>", 1).replace("</item>", ""),
            "缺末尾",
        ),
    ] {
        let listing = read(around(&[usual(0), broken.clone(), usual(2), usual(3)]).as_bytes());
        let listing = listing.unwrap_or_else(|error| panic!("{broken}: {error}"));
        assert_eq!(listing.skipped, [], "{broken}");
        assert!(
            listing.notes.iter().any(|note| note.starts_with("mended")),
            "{broken}"
        );
        let mut expected = all.clone();
        expected[1].0 = Some(title.to_owned());
        assert_eq!(titles(listing), expected, "{broken}");
    }
    let without: Vec<String> = (0..4).map(|n| usual(n).replace("</item>", "")).collect();
    assert_eq!(titles(read(around(&without).as_bytes()).unwrap()), all);
}

/// Only an entry that is open ends where the next begins: what else is in itself is as it should be.
#[test]
fn nested_elements_behind_the_entries_are_no_damage() {
    let text = "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><title>T</title>\
        <item><title>一</title></item><itunes:category text='a'><itunes:category text='b'/></itunes:category>\
        <image><title>T<link>x</link></title></image></channel></rss>";
    let listing = read(text.as_bytes()).unwrap();
    assert_eq!(listing.notes, [""; 0]);
}

/// Each `<` of many reaches to the same `>`: they are text all the same, and not in the square of their number.
#[test]
fn many_stray_brackets_take_no_time() {
    let text = format!(
        "<rss version='2.0'><channel><title>T</title><item><title>一</title><description>{}</description></item></channel></rss>",
        "<1 ".repeat(400_000)
    );
    let started = Instant::now();
    let drafts = drafts(read(text.as_bytes()).unwrap());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(drafts[0].title.as_deref(), Some("一"));
}

/// Tags that are never closed do not add up over a document, nor is one deep entry the end of all.
#[test]
fn tags_that_are_never_closed_do_not_add_up() {
    let items: String = (0..300)
        .map(|n| format!("<item><title>第{n}条</title><description>一<br>二<br>三<img src='x.jpg'></description></item>"))
        .collect();
    let read_all = |items: &str| {
        let text = format!("<rss version='2.0'><channel><title>T</title>{items}</channel></rss>");
        read(text.as_bytes()).unwrap().leads.len()
    };
    assert_eq!(read_all(&items), 300);
    assert_eq!(read_all(&items.replace("</item>", "")), 300);
    let deep = format!(
        "<item><title>深</title><description>{}好{}</description></item>",
        "<div>".repeat(100),
        "</div>".repeat(100)
    );
    assert_eq!(read_all(&(items + &deep)), 301);
}

#[test]
fn rss_1_1_has_its_entries_in_items() {
    let text = "<?xml version='1.0'?><Channel xmlns='http://purl.org/net/rss1.1#' \
        xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' rdf:about='http://news.example/rss'>\
        <title>T</title><link>http://news.example/</link><items rdf:parseType='Collection'>\
        <item rdf:about='http://news.example/1'><title>第一条</title><link>http://news.example/1</link></item>\
        <item rdf:about='http://news.example/2'><title>第二条</title><link>http://news.example/2</link></item>\
        </items></Channel>";
    let listing = read(text.as_bytes()).unwrap();
    assert_eq!(listing.info.title.as_deref(), Some("T"));
    let titles = titles(listing).into_iter().map(|(title, _)| title.unwrap());
    assert_eq!(titles.collect::<Vec<_>>(), ["第一条", "第二条"]);
}

/// What lost all its entries is an error: an empty feed is one in which nothing is new.
#[test]
fn what_is_wholly_lost_is_no_empty_feed() {
    let rdf = "<rdf:RDF xmlns='http://purl.org/rss/1.0/' xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
        <channel rdf:about='http://news.example/'><title>T</title></channel><item rdf:about='http://news.example/1'>\
        <title>第一条</title></item></rdf:RDF>";
    assert_eq!(read(rdf.as_bytes()).unwrap().leads.len(), 1);
    let within = rdf.find("</channel").unwrap() + "</chan".len();
    let error = read(&rdf.as_bytes()[..within]).unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
    for nothing in [
        "<rss/>",
        "<rss version='2.0'></rss>",
        "<rss><channel/></rss>",
        "<feed xmlns='http://www.w3.org/2005/Atom'/>",
    ] {
        let error = read(nothing.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains("says nothing of itself"),
            "{nothing}: {error}"
        );
    }
    let empty = "<rss version='2.0'><channel><title>T</title></channel></rss>";
    assert_eq!(read(empty.as_bytes()).unwrap().leads.len(), 0);
}
