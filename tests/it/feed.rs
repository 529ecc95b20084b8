//! The `feed` source over made-up feeds of every format, over hostile ones, and over one saved page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use feedmill::model::content::Content;
use feedmill::model::entry::{Draft, Lead, Listing, ReadError};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::time::{Timestamp, Zone};
use feedmill::model::urls::PageUrl;
use feedmill::source::Source;
use feedmill::source::feed::Feed;
use proptest::prelude::*;

const RSS2: &str = include_str!("../fixtures/feed/rss2.xml");
const RSS1: &str = include_str!("../fixtures/feed/rss1.xml");
const RSS091: &str = include_str!("../fixtures/feed/rss091.xml");
const ATOM: &str = include_str!("../fixtures/feed/atom.xml");
const ATOM03: &str = include_str!("../fixtures/feed/atom03.xml");
const JSON: &str = include_str!("../fixtures/feed/feed.json");
const ALL: [&str; 6] = [RSS2, RSS1, RSS091, ATOM, ATOM03, JSON];

fn read_as(bytes: &[u8], charset: Option<&str>) -> Result<Listing, ReadError> {
    let subscription = Subscription {
        language: "zh".to_owned(),
        zone: Zone::parse("Asia/Shanghai").unwrap(),
        ..Subscription::new("test".parse().unwrap(), "feed")
    };
    let page = Page {
        url: PageUrl::parse("https://page.example/dir/feed").unwrap(),
        media_type: Some("text/html".to_owned()),
        charset: charset.map(str::to_owned),
        links: Vec::new(),
        bytes: bytes.to_vec(),
    };
    Feed.read(&subscription, &page)
}

fn read(text: impl AsRef<[u8]>) -> Result<Listing, ReadError> {
    read_as(text.as_ref(), None)
}

/// On the smallest stack a thread of ours has.
fn read_small(bytes: Vec<u8>) -> Result<Listing, ReadError> {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread
        .spawn(move || read(bytes))
        .unwrap()
        .join()
        .expect("the reader panicked")
}

fn drafts(listing: &Listing) -> Vec<&Draft> {
    listing
        .leads
        .iter()
        .map(|lead| match lead {
            Lead::Whole(draft) => draft.as_ref(),
            Lead::Teaser(_) => panic!("a feed carries its entries whole"),
        })
        .collect()
}

fn shown(draft: &Draft) -> String {
    let mut out = String::new();
    let words = |content: &Option<Content>| {
        content
            .as_ref()
            .map(|c| format!("{} {}", c.kind.name(), c.text))
    };
    for (name, value) in [
        ("id", draft.id.as_ref().map(|id| id.as_str().to_owned())),
        ("link", draft.link.as_ref().map(ToString::to_string)),
        ("title", draft.title.clone()),
        ("published", draft.published.map(Timestamp::rfc3339)),
        ("updated", draft.updated.map(Timestamp::rfc3339)),
        (
            "authors",
            (!draft.authors.is_empty()).then(|| draft.authors.join("; ")),
        ),
        ("language", draft.language.clone()),
        (
            "categories",
            (!draft.categories.is_empty()).then(|| draft.categories.join("; ")),
        ),
        ("summary", words(&draft.summary)),
        ("body", words(&draft.body)),
        (
            "thumbnail",
            draft.thumbnail.as_ref().map(ToString::to_string),
        ),
        (
            "origin",
            draft.origin.as_ref().and_then(|o| o.title.clone()),
        ),
    ] {
        if let Some(value) = value {
            writeln!(out, "{name}: {value}").unwrap();
        }
    }
    for file in &draft.enclosures {
        writeln!(
            out,
            "file: {} {:?} {:?}",
            file.url, file.media_type, file.length
        )
        .unwrap();
    }
    out
}

fn check(listing: &Listing, entries: &[&str]) {
    let found: Vec<String> = drafts(listing).into_iter().map(shown).collect();
    let expected: Vec<String> = entries
        .iter()
        .map(|entry| format!("{}\n", entry.trim()))
        .collect();
    assert_eq!(found, expected, "notes: {:?}", listing.notes);
}

#[test]
fn the_picture_of_an_entry_is_its_own_and_the_widest() {
    let check = |inside: &str, expected: &str| {
        let feed = format!(
            "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' \
             xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item><title>x</title>\
             {inside}</item></channel></rss>"
        );
        let drafts = drafts(&read(feed.as_bytes()).unwrap())
            .into_iter()
            .map(|draft| draft.thumbnail.as_ref().map(ToString::to_string))
            .collect::<Vec<_>>();
        assert_eq!(drafts, [Some(expected.to_owned())], "{inside}");
    };
    let thumbnail = "<media:thumbnail url='http://e.org/t'/>";
    let cover = "<itunes:image href='http://e.org/c'/>";
    check(&format!("{cover}{thumbnail}"), "http://e.org/t");
    check(cover, "http://e.org/c");
    check(
        &format!(
            "{cover}{thumbnail}<media:content url='http://e.org/1' type='image/jpeg' width='140'/>\
             <media:content url='http://e.org/2' type='image/jpeg' width='700'/>\
             <media:content url='http://e.org/3' medium='image' width='460'/>\
             <media:content url='http://e.org/4' medium='video' width='1920'/>"
        ),
        "http://e.org/2",
    );
}

#[test]
fn rss_2() {
    let listing = read(RSS2).unwrap();
    check(
        &listing,
        &[
            "
id: item-1
link: https://page.example/2026/harbour?a=1&b=2
title: 港口重新开放 & 第一艘船
published: 2026-11-21T07:30:00Z
authors: 林小明; Desk
categories: Trade; Ships
summary: html A <i>short</i> summary
body: html <p>The whole &amp; story</p>
thumbnail: https://cdn.example/a.jpg
origin: Origin
file: https://cdn.example/a.mp3 Some(\"audio/mpeg\") Some(1234)
file: https://cdn.example/a.jpg None None",
            "
id: https://news.example/2
link: https://news.example/2
title: No link, a permalink guid
summary: html inline <b>markup</b> &amp; more",
            "title: Hostile addresses",
        ],
    );
    let info = &listing.info;
    assert_eq!(info.title.as_deref(), Some("Harbour & Hill"));
    assert_eq!(
        info.home.as_ref().unwrap().as_str(),
        "https://news.example/"
    );
    assert_eq!(
        info.self_link.as_ref().unwrap().as_str(),
        "https://news.example/rss.xml"
    );
    assert_eq!(
        info.icon.as_ref().unwrap().as_str(),
        "https://page.example/logo.png"
    );
    assert_eq!(
        (info.language.as_deref(), info.rights.as_deref()),
        (Some("zh-CN"), Some("© Example"))
    );
    assert_eq!(info.updated.unwrap().rfc3339(), "2026-11-21T08:00:00Z");
    assert!(
        listing.notes.is_empty() && listing.skipped.is_empty(),
        "{:?}",
        listing.notes
    );
}

#[test]
fn rss_1_and_0_91() {
    check(
        &read(RSS1).unwrap(),
        &[
            "
id: https://rdf.example/1
link: https://rdf.example/1
title: One
published: 2026-11-21T06:00:00Z
language: en
summary: html Words",
            "id: urn:two\ntitle: Two, without a link",
        ],
    );
    let old = read(RSS091).unwrap();
    check(
        &old,
        &["link: https://old.example/1\ntitle: Résumé & more\nsummary: html Fish\u{a0}& chips"],
    );
    assert_eq!(old.notes.len(), 2, "{:?}", old.notes);
}

#[test]
fn atom() {
    let listing = read(ATOM).unwrap();
    check(
        &listing,
        &[
            "
id: urn:1
link: https://atom.example/blog/2026/1.html
title: literal <b> &amp;
published: 2026-11-20T00:00:00Z
updated: 2026-11-20T01:00:00Z
language: fr
categories: Label; bare
summary: plain Plain <words>
body: html <p title=\"a &quot;b&quot;\">Whole &amp; well</p><br/>
origin: Origin
file: https://atom.example/blog/2026/1.mp3 Some(\"audio/mpeg\") Some(5)",
            "id: urn:2\nlink: https://elsewhere.example/2\ntitle: An XHTML title",
        ],
    );
    let info = &listing.info;
    assert_eq!(
        (info.id.as_deref(), info.title.as_deref()),
        (Some("urn:feed"), Some("Café news"))
    );
    assert_eq!(
        (info.authors.as_slice(), info.language.as_deref()),
        (&["Ann".to_owned()][..], Some("en"))
    );
    assert_eq!(
        info.home.as_ref().unwrap().as_str(),
        "https://atom.example/"
    );
    check(
        &read(ATOM03).unwrap(),
        &["
id: urn:03
link: https://three.example/1
title: A title
published: 2004-01-01T10:00:00Z
updated: 2004-01-02T10:00:00Z
body: html <p>Body</p>"],
    );
}

#[test]
fn json_feed() {
    let listing = read(JSON).unwrap();
    check(
        &listing,
        &[
            "
id: 7
link: https://page.example/7
title: Seven
published: 2026-11-21T08:00:00Z
authors: Bob
categories: a
summary: plain 7
body: html <p>seven</p>
thumbnail: https://page.example/7.png
file: https://page.example/7.mp3 Some(\"audio/mpeg\") Some(9)",
            "id: 8\nlink: https://else.example/8\nbody: plain eight <8>  \u{fffd}",
        ],
    );
    assert_eq!(listing.info.authors, ["Ann"]);
    assert_eq!(listing.skipped.len(), 2);
    assert!(
        read(format!("\u{feff}{JSON}")).is_ok(),
        "a byte order mark is no part of JSON"
    );
}

#[test]
fn one_feed_reads_the_same_in_every_charset() {
    let text = "<?xml version='1.0' encoding='LABEL'?><rss version='2.0'><channel><title>今日新聞</title><item><guid>一</guid>\
        <title>香港電台報道</title><description>這是一段用來測試編碼的文字，內容沒有意義，只是為了讓偵測有足夠的字。</description></item></channel></rss>";
    let expected = drafts(&read(text.replace("LABEL", "utf-8")).unwrap())[0].clone();
    let same = |bytes: &[u8], charset: Option<&str>, why: &str| {
        let listing = read_as(bytes, charset).unwrap_or_else(|error| panic!("{why}: {error}"));
        assert_eq!(drafts(&listing)[0], &expected, "{why}");
        listing.notes
    };
    let encode = |label: &str, charset: &'static encoding_rs::Encoding| {
        charset.encode(&text.replace("LABEL", label)).0.into_owned()
    };
    let (gb, big5) = (encoding_rs::GB18030, encoding_rs::BIG5);
    assert_eq!(
        same(&encode("gb2312", gb), None, "declared"),
        ["charset: gb18030 by declaration"]
    );
    same(&encode("cp936", gb), None, "a label browsers do not know");
    same(
        &encode("utf-8", gb),
        Some("GBK"),
        "HTTP over a lying declaration",
    );
    same(
        &encode("gb2312", gb),
        Some("iso-8859-1"),
        "the default of a server is no information",
    );
    assert_eq!(
        same(&encode("utf-8", big5), None, "detected"),
        ["charset: Big5 by the look of the bytes"]
    );
    same(&encode("cp950", big5), Some("utf-8"), "a lying header");
    same(
        text.replace("LABEL", "gb2312").as_bytes(),
        Some("big5"),
        "valid UTF-8 under two lying labels",
    );
    let wide = |from: fn(u16) -> [u8; 2]| {
        text.replace("LABEL", "utf-16")
            .encode_utf16()
            .flat_map(from)
            .collect::<Vec<_>>()
    };
    same(&wide(u16::to_le_bytes), None, "UTF-16LE without mark");
    same(
        &wide(u16::to_be_bytes),
        Some("gbk"),
        "UTF-16BE without mark",
    );
    same(
        &[&[0xfe, 0xff][..], &wide(u16::to_be_bytes)].concat(),
        None,
        "UTF-16BE with mark",
    );
    same(
        format!("\u{feff}{}", text.replace("LABEL", "big5")).as_bytes(),
        None,
        "a mark over the declaration",
    );
    // One stray byte costs one character, not the feed's letters.
    let mut stray = text.replace("LABEL", "utf-8").into_bytes();
    let at = stray.windows(2).position(|w| w == b"</").unwrap();
    stray.insert(at, 0xe9);
    assert!(
        same(&stray, None, "a stray byte")
            .iter()
            .any(|note| note.contains("1 bytes that are no UTF-8"))
    );
}

fn other(text: &str) -> String {
    match read(text) {
        Err(error @ ReadError::Other { .. }) => error.to_string(),
        got => panic!("{text:.60} gave {got:?}"),
    }
}

#[test]
fn what_is_no_feed_is_an_error_that_says_what_it_is() {
    assert_eq!(
        other("<!DOCTYPE html><html><head><title>Domain &amp; parking</title></head><p>buy"),
        "not a feed: an HTML page titled \"Domain & parking\""
    );
    assert!(other("<?xml version='1.0'?><opml/>").contains("root is <opml>"));
    assert!(other(" \n ").contains("empty"));
    assert!(other("{\"errors\": []}").contains("without `items`"));
    assert!(other("Not found").contains("text beginning with `Not found`"));
    let xhtml = "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title>X</title></head></html>";
    assert!(other(xhtml).contains("<html>"));
    let empty = read("<rss version='2.0'><channel><title>Quiet</title></channel></rss>").unwrap();
    assert!(
        empty.leads.is_empty() && empty.info.title.as_deref() == Some("Quiet"),
        "an honest feed may be empty"
    );
    assert!(
        read("<rss><channel><item><title>cut")
            .unwrap_err()
            .to_string()
            .starts_with("broken XML: line 1")
    );
    assert!(matches!(
        read("{\"items\": ["),
        Err(ReadError::Broken { format: "JSON", .. })
    ));
}

fn items(count: usize) -> String {
    (0..count).fold(String::new(), |mut out, n| {
        writeln!(out, "<item><guid>{n}</guid><title>Entry {n}</title></item>").unwrap();
        out
    })
}

fn ids(listing: &Listing) -> Vec<&str> {
    drafts(listing)
        .iter()
        .map(|draft| draft.id.as_ref().map_or("-", |id| id.as_str()))
        .collect()
}

#[test]
fn one_bad_entry_does_not_cost_the_others() {
    let around = |middle: &str| {
        format!(
            "<rss><channel><title>T</title><item><guid>a</guid></item>{middle}<item><guid>z</guid></item></channel></rss>"
        )
    };
    for (middle, expected, skipped) in [
        (
            "<item xml:base='http://[bad/'><guid>b</guid><link>x</link></item>",
            vec!["a", "b", "z"],
            0,
        ),
        (
            "<item><guid>b</guid><title>&#0;&#xFFFE;x\u{b}</title></item>",
            vec!["a", "b", "z"],
            0,
        ),
        (
            "<item><guid>b</guid><description>a & b &amp c <br> &nosuch; d</description></item>",
            vec!["a", "b", "z"],
            0,
        ),
        (
            "<item><guid>b</guid><title>x</b></title></item>",
            vec!["a", "b", "z"],
            0,
        ),
        (
            "<item><guid>b</guid><odd:x y='1'/><dc:date>2026-01-01</dc:date></item>",
            vec!["a", "b", "z"],
            0,
        ),
        ("<item><guid>b</guid><![BROKEN[</item>", vec!["a", "z"], 1),
        ("<item><guid>b</guid>", vec!["a", "b", "z"], 0),
        ("<!nonsense>", vec!["a", "z"], 1),
    ] {
        let listing = read(around(middle)).unwrap_or_else(|error| panic!("{middle}: {error}"));
        assert_eq!(ids(&listing), expected, "{middle}");
        assert_eq!(
            listing.skipped.len(),
            skipped,
            "{middle}: {:?}",
            listing.skipped
        );
        assert_eq!(listing.info.title.as_deref(), Some("T"));
    }
    let cut = read(&around(&items(5))[..120]).unwrap();
    assert_eq!(
        (ids(&cut), cut.skipped.len()),
        (vec!["a", "0"], 1),
        "what came whole is kept: {:?}",
        cut.notes
    );
}

#[test]
fn what_stands_before_a_feed_is_passed_over() {
    for before in [
        "<!-- c -->",
        "\n\n",
        "<br />\n<b>Warning</b>: x\n",
        &" ".repeat(20_000),
        "\u{feff}\u{feff}",
    ] {
        let listing = read(format!(
            "{before}<?xml version='1.0'?><rss><channel>{}</channel></rss>",
            items(1)
        ))
        .unwrap();
        assert_eq!(ids(&listing), ["0"], "{before:.30}");
    }
    for root in [
        "rss xmlns='http://foreign.example/'",
        "rss version='9'",
        "channel",
        "rdf:RDF xmlns='urn:odd'",
    ] {
        let name = root.split(' ').next().unwrap();
        assert_eq!(
            ids(&read(format!("<{root}>{}</{name}>", items(2))).unwrap()),
            ["0", "1"],
            "{root}"
        );
    }
}

#[test]
fn bombs_are_refused_by_name_on_a_small_stack() {
    let rss = |inside: &str| {
        format!("<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item>{inside}</item></channel></rss>").into_bytes()
    };
    let nested = |tag: &str, n: usize| {
        format!(
            "{}{}",
            format!("<{tag}>").repeat(n),
            format!("</{}>", tag.split(' ').next().unwrap()).repeat(n)
        )
    };
    let limit = |bytes: Vec<u8>, what: &str| {
        let start = Instant::now();
        let error = read_small(bytes)
            .map(|l| l.leads.len())
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{what}");
    };
    for (tag, n) in [
        ("media:content url='http://a.example/'", 710),
        ("media:group", 1_000),
        ("itunes:category text='x'", 3_000),
        ("media:content", 100_000),
    ] {
        limit(rss(&nested(tag, n)), "XML depth over the limit of 256");
    }
    limit(
        format!(
            "<rss><channel>{}</channel></rss>",
            "<item/>".repeat(300_000)
        )
        .into_bytes(),
        "XML elements",
    );
    limit(
        rss(&format!("<title {}/>", "a='' ".repeat(100_000))),
        "attributes",
    );
    limit(
        format!("{{\"items\":{}", "[".repeat(100_000)).into_bytes(),
        "JSON depth",
    );
    let mut laughs = "<!DOCTYPE rss [<!ENTITY l0 'lol'>".to_owned();
    for n in 1..10 {
        write!(
            laughs,
            "<!ENTITY l{n} '{}'>",
            format!("&l{};", n - 1).repeat(10)
        )
        .unwrap();
    }
    limit(
        format!("{laughs}]><rss><channel><item><title>&l9;</title></item></channel></rss>")
            .into_bytes(),
        "entity expansion",
    );
    limit(
        format!(
            "{laughs}]><rss><channel><item><title>{}</title></item></channel></rss>",
            "&l3;".repeat(200)
        )
        .into_bytes(),
        "entity expansion",
    );
    // Wide, and no deeper than allowed: stopped on the way, not when all of it has been written out.
    let mut wide = "<!DOCTYPE rss [<!ENTITY w0 'lol'>".to_owned();
    for n in 1..7 {
        write!(
            wide,
            "<!ENTITY w{n} '{}'>",
            format!("&w{};", n - 1).repeat(20)
        )
        .unwrap();
    }
    limit(
        format!("{wide}]><rss><channel><item><title>&w6;</title></item></channel></rss>")
            .into_bytes(),
        "entity expansion",
    );
    let honest = read(format!(
        "{laughs}]><rss><channel><item><guid>&l1;</guid></item></channel></rss>"
    ))
    .unwrap();
    assert_eq!(
        ids(&honest),
        ["lollollollollollollollollollol"[..30].to_owned()]
    );
    let many = read_small(format!("<rss><channel>{}</channel></rss>", items(10_002)).into_bytes())
        .unwrap();
    assert_eq!((many.leads.len(), many.skipped.len()), (10_000, 1));
}

#[test]
fn no_text_costs_more_than_its_length() {
    let inside =
        |text: &str| format!("<rss><channel><item><guid>a</guid>{text}</item></channel></rss>");
    let quick = |text: String, what: &str| {
        let start = Instant::now();
        let _ = read_small(text.into_bytes());
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
    };
    let n = 300_000;
    quick(
        inside(&format!("<title>{}</title>", "&lt;b".repeat(n))),
        "tags never closed in a title",
    );
    quick(
        inside(&format!("<title>{}</title>", "&amp;amp".repeat(n))),
        "names never closed in a title",
    );
    quick(
        inside(&format!("<title><![CDATA[{}]]></title>", "<b".repeat(n))),
        "the same in CDATA",
    );
    quick(
        inside(&format!(
            "<description><b/><![CDATA[{}]]></description>",
            "<b".repeat(n)
        )),
        "CDATA in markup",
    );
    quick(
        inside(&format!(
            "<description><b/><!--{}--></description>",
            "<b".repeat(n)
        )),
        "a comment in markup",
    );
    quick(inside(&"&".repeat(n)), "ampersands");
    quick(
        format!(
            "<!DOCTYPE r [<!ENTITY a '{}'>]>{}",
            "&".repeat(n),
            inside("<title>&a;</title>")
        ),
        "an entity of ampersands",
    );
    let mut bound = String::new();
    for b in 0..250 {
        write!(bound, " xmlns:p{b}='u'").unwrap();
    }
    let deep = format!("<x{bound}>").repeat(50) + &"<q:y/>".repeat(150_000) + &"</x>".repeat(50);
    quick(inside(&deep), "bindings");
}

#[test]
fn what_breaks_other_readers_is_read() {
    let listing = read_small("<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item><author>张三（a@example.org）</author>\
        <itunes:duration>99999999999999999999999:00:00</itunes:duration></item></channel></rss>".into()).unwrap();
    assert_eq!(drafts(&listing)[0].authors, ["张三（a@example.org）"]);
}

#[test]
fn every_truncation_of_every_fixture_returns() {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let all = thread.spawn(|| {
        for fixture in ALL {
            for end in 0..fixture.len() {
                let _ = read(&fixture.as_bytes()[..end]);
            }
        }
    });
    all.unwrap().join().expect("a truncation panicked");
}

proptest! {
    #[test]
    fn any_bytes_return(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_small(bytes);
    }

    #[test]
    fn any_damage_to_a_fixture_returns(
        fixture in 0..ALL.len(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"<>&;\"'/![]-=? a\0\xff\xe4{}:".to_vec())), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = ALL[fixture].as_bytes().to_vec();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.drain(..cut.index(bytes.len() / 4 + 1));
        let _ = read_small(bytes);
    }

    #[test]
    fn any_run_of_markup_returns(tokens in prop::collection::vec(prop::sample::select(vec![
        "<rss>", "<channel>", "<item>", "</item>", "<entry>", "</entry>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<title>", "</title>",
        "<title type='xhtml'>", "<content type='xhtml'>", "<div>", "</div>", "<br/>", "<![CDATA[", "]]>", "<!--", "-->", "&", "&amp;", "&#0;", "字", "<source>",
        "<author>", "<name>", "<media:content url='u'>", "<link href='/x'/>", "<link>", "x", "<a b='", "'>", "<?x", "?>", "<image>", "</x>", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;",
    ]), 0..40)) {
        let _ = read_small(format!("<rss>{}", tokens.concat()).into_bytes());
        let _ = read_small(tokens.concat().into_bytes());
    }
}

#[test]
fn a_saved_page_of_dw() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/dw");
    let Ok(folder) = std::fs::read_dir(path) else {
        println!("skipped: no saved pages at {path}");
        return;
    };
    let mut pages = 0;
    for file in folder
        .flatten()
        .map(|f| f.path())
        .filter(|p| p.extension().is_some_and(|e| e == "xml"))
    {
        let listing = read(std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(listing.leads.len(), 5, "{}", file.display());
        for draft in drafts(&listing) {
            assert!(
                draft.id.is_some() && draft.link.is_some() && draft.title.is_some(),
                "{}",
                shown(draft)
            );
            assert!(
                draft.published.is_some() && draft.summary.is_some(),
                "{}",
                shown(draft)
            );
        }
        assert!(listing.notes.is_empty(), "{:?}", listing.notes);
        pages += 1;
    }
    println!("{pages} saved pages read");
}
