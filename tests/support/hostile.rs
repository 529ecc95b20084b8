//! The standard hostile articles, one set for all outputs. Every word of them is made up.

use std::time::Duration;

use feedmill::model::article::{Article, StoredArticle};
use feedmill::model::content::{Content, ContentHash, ContentKind, RawHash};
use feedmill::model::entry::{Enclosure, EntryKey};
use feedmill::model::feed::FeedInfo;
use feedmill::model::ids::{ArticleSeq, EntryId};
use feedmill::model::river::{Carrier, River, RiverEntry};
use feedmill::model::ruling::Marks;
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;

/// An address.
pub fn url(text: &str) -> PageUrl {
    PageUrl::parse(text).unwrap()
}

/// A time, by its number of seconds.
pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_739_200_000 + secs)
}

/// An ordinary entry; the number tells it from others.
pub fn entry(seq: u64) -> RiverEntry {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&seq.to_be_bytes());
    let id = format!("tag:example.org,2025:{seq}");
    let link = url(&format!("https://example.org/news/{seq}.html"));
    RiverEntry {
        language: "zh-CN".to_owned(),
        article: StoredArticle {
            seq: ArticleSeq(seq),
            feed: "qq".parse().unwrap(),
            first_seq: ArticleSeq(seq),
            first_seen: at(0),
            recorded: at(60),
            revised: at(60),
            reprint_of: None,
            pruned: None,
            article: Article {
                key: EntryKey::Link(link.clone()),
                id: EntryId::new(&id),
                link: Some(link),
                title: format!("题目 {seq}"),
                authors: vec!["甲".to_owned()],
                language: None,
                published: Some(at(-60)),
                updated: None,
                cms_date: None,
                categories: vec!["科技".to_owned()],
                summary: None,
                body: Content::html("<p>正文。</p>"),
                partial: false,
                note: None,
                thumbnail: None,
                enclosures: Vec::new(),
                origin: None,
                content: ContentHash::from_bytes(hash),
                raw: RawHash(0),
                teaser: None,
            },
        },
        id,
        source: FeedInfo {
            id: Some("tag:example.org,2025:feed".to_owned()),
            title: Some("源".to_owned()),
            self_link: Some(url("https://example.org/feed.xml")),
            home: Some(url("https://example.org/")),
            authors: vec!["编辑部".to_owned()],
            rights: Some("© 2025 & others".to_owned()),
            icon: Some(url("https://example.org/icon.png")),
            language: Some("zh-CN".to_owned()),
            updated: Some(at(0)),
        },
        carriers: Vec::new(),
        copies: std::collections::BTreeMap::default(),
        marks: Marks::default(),
    }
}

/// A river of these entries.
pub fn river(entries: Vec<RiverEntry>) -> River {
    River {
        id: "tag:example.org,2025:river".to_owned(),
        title: "River".to_owned(),
        subtitle: Some("All sources as one".to_owned()),
        author: "An operator".to_owned(),
        language: "zh-CN".to_owned(),
        home: url("https://news.example.org/"),
        updated: at(60),
        entries,
    }
}

/// All of U+0000 to U+00A0, noncharacters, separators, marks of direction, and markup.
pub fn evil() -> String {
    let mut text: String = (0..=0xA0_u8).map(char::from).collect();
    text.push_str("\u{FFFE}\u{FFFF}\u{1FFFE}\u{10FFFF}\u{FDD0}\u{2028}\u{2029}\u{FEFF}");
    text.push_str(
        "\u{202E}rtl\u{202C}\u{200F} ]]> &amp; &#0; <b>x</b> \"'` 👩\u{200D}👧 e\u{301} 🇩🇪 عربى",
    );
    text
}

/// The river of hostile articles.
#[allow(clippy::too_many_lines)] // a table of cases
pub fn hostile() -> River {
    type Change = Box<dyn Fn(&mut RiverEntry)>;
    let mut cases: Vec<Change> = vec![
        Box::new(|_| {}),
        // No date, no author, no link, no title, no words: one at a time, then none of all.
        Box::new(|e| e.article.article.published = None),
        Box::new(|e| e.article.article.authors = vec![String::new(), " ".to_owned()]),
        Box::new(|e| {
            e.article.article.authors.clear();
            e.source.authors.clear();
        }),
        Box::new(|e| e.article.article.link = None),
        Box::new(|e| e.article.article.title = String::new()),
        Box::new(|e| e.article.article.body = Content::html("")),
        Box::new(|e| {
            let article = &mut e.article.article;
            article.title = String::new();
            article.body = Content::html("<p>\u{0}</p><img>");
            article.link = None;
            article.id = None;
            article.published = None;
            article.authors.clear();
            article.categories.clear();
            e.source = FeedInfo::default();
        }),
        Box::new(|e| e.article.article.title = "字".repeat(20_000)),
        Box::new(|e| e.article.article.id = EntryId::new("not an IRI <1> ]]>")),
        Box::new(|e| "en".clone_into(&mut e.language)),
        Box::new(|e| "no tag \"".clone_into(&mut e.language)),
        Box::new(|e| e.article.article.summary = Some(Content::html("<p>S &amp; <b>s</b></p>"))),
        Box::new(|e| {
            e.article.article.thumbnail = Some(url("https://example.org/t.jpg?a='\"<b>&c"));
        }),
        Box::new(|e| {
            e.article.article.enclosures = vec![
                Enclosure {
                    url: url("https://example.org/a.mp3?x=1&y=2"),
                    media_type: Some("audio/mpeg".to_owned()),
                    length: Some(12_345),
                },
                Enclosure {
                    url: url("https://example.org/b"),
                    media_type: Some("x\"".to_owned()),
                    length: None,
                },
            ];
        }),
        Box::new(|e| {
            let carrier = |seq: u64, link: Option<&str>, same_id| Carrier {
                id: format!("tag:example.net,2025:{seq}"),
                feed: "dw".parse().unwrap(),
                source_title: "Other & <source>".to_owned(),
                link: link.map(url),
                same_id,
                near: false,
            };
            e.carriers = vec![
                carrier(1, Some("https://example.net/1"), false),
                carrier(2, None, false),
                carrier(3, Some("https://example.net/3"), true),
            ];
        }),
        Box::new(|e| {
            e.article.article.body = Content::html(format!("<p>{}</p>", "字".repeat(100_000)));
        }),
        Box::new(|e| e.article.article.body = Content::html("<p>文字</p>".repeat(20_000))),
        Box::new(|e| e.article.article.body = Content::html("<div>".repeat(2000) + "deep")),
        Box::new(|e| e.article.article.body = Content::plain(evil())),
        Box::new(|e| {
            let evil = evil();
            let article = &mut e.article.article;
            article.title.clone_from(&evil);
            article.authors = vec![evil.clone()];
            article.categories = vec![evil.clone(), evil.clone()];
            article.id = EntryId::new(&evil);
            article.summary = Some(Content::plain(evil.clone()));
            article.body = Content::html(evil.clone());
            e.source.title = Some(evil.clone());
            e.source.rights = Some(evil.clone());
            e.source.id = Some(evil.clone());
            e.source.authors = vec![evil];
        }),
    ];
    for body in [
        "<a href=\"javascript:alert(1)\">x</a><script>alert(1)</script><ScRiPt src=//evil.example/x></sCrIpT>",
        "<img src=//cdn.example.org/p.png onerror=alert(1)><img src=x.png><iframe src='//v.example.org/1'></iframe>",
        "]]> ]]&gt; <![CDATA[ <b>x</b> ]]> <!-- ]]> -->",
        "<p>AT&amp;T &lt;script&gt; \"q\" 'q'</p><svg onload=alert(1)><style>x",
        "<form action=/x><input onfocus=alert(1)></form><object data=x></object><base href=//evil.example>",
    ] {
        cases.push(Box::new(move |e| {
            e.article.article.body = Content::html(body);
        }));
    }
    for (kind, body) in [
        (
            ContentKind::HugoBlocks,
            "**甲\n\n![图](javascript:x)\n\n[x](https://example.org/\"><script>)\n\n<b>",
        ),
        (ContentKind::TextBlocks, "\n\n# 題 <b>\n\n\n\n▲圖 & 文"),
    ] {
        cases.push(Box::new(move |e| {
            e.article.article.body = Content {
                kind,
                text: body.to_owned(),
            };
        }));
    }
    let entries = cases.iter().zip(1..).map(|(change, seq)| {
        let mut entry = entry(seq);
        entry.article.revised = entry.article.revised.minus(Duration::from_secs(seq));
        change(&mut entry);
        entry
    });
    let mut river = river(entries.collect());
    river.title = evil();
    river.subtitle = Some(evil());
    river.author = evil();
    river
}
