//! The archive formats over whole files, all made up for the purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod laws;
mod real;

use feedmill::model::article::{Article, StoredArticle};
use feedmill::model::content::{Content, ContentHash, ContentKind, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::ids::ArticleSeq;
use feedmill::model::time::{Timestamp, Zone};
use feedmill::model::urls::PageUrl;
use feedmill::output::archive::{ArchiveFormat, FORMATS, Label, Sheet, detect, format};

fn shanghai() -> Zone {
    Zone::parse("Asia/Shanghai").unwrap()
}

fn label() -> Label {
    Label {
        source: "qq".to_owned(),
        language: "zh-CN".to_owned(),
        zone: shanghai(),
    }
}

fn article(title: &str, body: Content) -> StoredArticle {
    let url = |text| PageUrl::parse(text).unwrap();
    let content = ContentHash::from_bytes([1; 32]);
    StoredArticle {
        seq: ArticleSeq(3),
        feed: "qq".parse().unwrap(),
        first_seq: ArticleSeq(3),
        first_seen: Timestamp::from_millis(1_700_000_000_000),
        recorded: Timestamp::from_millis(1_700_000_000_000),
        revised: Timestamp::from_millis(1_700_000_000_000),
        reprint_of: None,
        pruned: None,
        article: Article {
            key: EntryKey::Content(content),
            id: None,
            link: Some(url("https://news.example/a/机器_(1)?x=[2]")),
            title: title.to_owned(),
            authors: Vec::new(),
            language: None,
            published: Some(Timestamp::from_millis(1_739_007_267_999)),
            updated: None,
            cms_date: None,
            categories: Vec::new(),
            summary: None,
            body,
            partial: false,
            note: None,
            thumbnail: Some(url("https://img.example/1_640360/0")),
            enclosures: Vec::new(),
            origin: None,
            content,
            raw: RawHash(0),
            teaser: None,
        },
    }
}

/// Made up, in the shape of a qq article.
const STORY: &str = "<div><p>【本报讯】风车开会，\n讨论<strong> 谁先转 </strong>。</p><!--AD_0-->
<p><img src=\"//img.example/om/1/1000\"></p><p class=\"note\">两台风车&nbsp;&amp; 一条河</p>
<p class=\"text-big-title\">“转得慢”</p><ul><li>东边的</li><li>西边的<a href=\"/b\">那台</a></li></ul></div>";

fn rendered(name: &str, article: &StoredArticle) -> String {
    let known = format(name).unwrap();
    let sheet = known.sheet(article, &label()).unwrap();
    let bytes = known.render(&sheet, &label().zone).unwrap();
    assert_eq!(detect(&bytes).map(ArchiveFormat::name), Some(name));
    String::from_utf8(bytes).unwrap()
}

const HUGO: &str = r#"---
title: "风车\"大会\""
date: "2025-02-08 17:34:27"
summary: "【本报讯】风车开会，讨论 谁先转 。两台风车 & 一条河“转得慢”- 东边的 - 西边的那台"
categories:
  - "qq"
lang:
  - "zh-CN"
translations:
  - "zh-CN"
tags:
  - "qq"
menu: ""
thumbnail: "https://img.example/1_640360/0"
lead: ""
comments: false
authorbox: false
pager: true
toc: false
mathjax: false
sidebar: "right"
widgets:
  - "search"
  - "recent"
  - "taglist"
---

【本报讯】风车开会，讨论 **谁先转** 。

![图片](https://img.example/om/1/1000)

两台风车 & 一条河

**“转得慢”**

- 东边的
- 西边的[那台](https://news.example/b)

[qq](https://news.example/a/%E6%9C%BA%E5%99%A8_(1)?x=[2])
"#;

const HTML: &str = "<!--1739007267999-->
[风车\"大会\"](https://news.example/a/%E6%9C%BA%E5%99%A8_(1)?x=%5B2%5D)
------

<div><p>【本报讯】风车开会，讨论<strong> 谁先转 </strong>。</p><!--AD_0--><p><img src=\"//img.example/om/1/1000\"></p>\
<p class=\"note\">两台风车&nbsp;&amp; 一条河</p><p class=\"text-big-title\">“转得慢”</p>\
<ul><li>东边的</li><li>西边的<a href=\"/b\">那台</a></li></ul></div>
";

const TEXT: &str = "【本报讯】风车开会，讨论 谁先转 。



两台风车\u{a0}& 一条河

“转得慢”

- 东边的
- 西边的那台";

#[test]
fn an_article_in_all_formats() {
    let story = article("风车\"大会\"", Content::html(STORY));
    // The no-break space of the caption is written out, lest an editor loses it.
    let hugo = HUGO.replace("两台风车 &", "两台风车\u{a0}&");
    assert_eq!(rendered("hugo", &story), hugo);
    assert_eq!(rendered("html", &story), HTML);
    assert_eq!(rendered("text", &story), TEXT);
}

#[test]
fn little_is_needed() {
    let mut bare = article("", Content::plain("一 < 二\n\n三"));
    bare.article.link = None;
    bare.article.thumbnail = None;
    bare.article.published = None;
    assert_eq!(
        rendered("html", &bare),
        "<!--1700000000000-->\n[]()\n------\n\n<p>一 &lt; 二</p><p>三</p>\n"
    );
    assert_eq!(rendered("text", &bare), "一 < 二\n\n三");
    let hugo = rendered("hugo", &bare);
    assert!(
        hugo.contains("\ndate: \"2023-11-15 06:13:20\"\nsummary: \"一 < 二三\"\n"),
        "{hugo}"
    );
    assert!(hugo.contains("\nthumbnail: \"\"\n"), "{hugo}");
    assert!(hugo.ends_with("---\n\n一 < 二\n\n三\n\n[qq]()\n"), "{hugo}");

    let wordless = article("标题", Content::html("<p>\u{3000}</p>"));
    assert!(
        rendered("hugo", &wordless)
            .ends_with("\n---\n\n[qq](https://news.example/a/%E6%9C%BA%E5%99%A8_(1)?x=[2])\n")
    );
    for (name, body) in [("text", "<img src=https://img.example/1>"), ("html", " \n")] {
        let known = format(name).unwrap();
        let sheet = known
            .sheet(&article("标题", Content::html(body)), &label())
            .unwrap();
        let refused = known.render(&sheet, &shanghai()).unwrap_err();
        assert!(refused.to_string().contains("no words"), "{refused}");
    }
}

#[test]
fn words_that_look_like_structure_stay_words() {
    let lines = "---\n------\n# x\n[a](b)\n**\n![图](https://img.example/1)\ntitle: \"x\"\n[qq](https://x.example/)";
    let mut odd = article("甲](乙) - [丙]: #\u{2028}\n\n丁", Content::plain(lines));
    for name in ["hugo", "html", "text"] {
        let known = format(name).unwrap();
        let bytes = rendered(name, &odd).into_bytes();
        let sheet = known.parse(&bytes, &shanghai()).unwrap();
        assert_eq!(known.render(&sheet, &shanghai()).unwrap(), bytes);
        if name == "text" {
            assert_eq!(sheet.body.text, lines.replace('\n', "\n\n"));
        } else {
            assert_eq!(sheet.title, "甲](乙) - [丙]: # 丁");
        }
    }
    // A text that looks like another format is refused, at write time and by the reader.
    for other in [HUGO, HTML] {
        odd.article.body = Content {
            kind: ContentKind::TextBlocks,
            text: other.trim_end().to_owned() + "\n\nx",
        };
        let known = format("text").unwrap();
        let sheet = known.sheet(&odd, &label()).unwrap();
        let refused = known.render(&sheet, &shanghai()).unwrap_err();
        assert!(
            refused.to_string().contains("would be taken for"),
            "{refused}"
        );
    }
}

#[test]
fn pictures_are_empty_blocks_wherever_they_stand() {
    let picture = "<img src='https://img.example/1'>";
    let check = |html: &str, expected: &str| {
        let html = html.replace("<img>", picture);
        assert_eq!(
            rendered("text", &article("", Content::html(html))),
            expected
        );
    };
    check("<img>甲", "\n\n甲");
    check("甲<img>", "甲\n\n");
    check("甲<img><img>乙", "甲\n\n\n\n\n\n乙");
    check("<img><img>甲<p>乙<img>", "\n\n\n\n甲\n\n乙\n\n");
}

#[test]
fn files_of_one_format_are_no_files_of_another() {
    for (known, file) in [("hugo", HUGO), ("html", HTML), ("text", TEXT)] {
        assert_eq!(
            detect(file.as_bytes()).map(ArchiveFormat::name),
            Some(known)
        );
        for other in FORMATS.iter().filter(|other| other.name() != known) {
            assert!(
                other.parse(file.as_bytes(), &shanghai()).is_err(),
                "{known} as {}",
                other.name()
            );
        }
    }
    assert!(detect(b"\xff\xfe").is_none());
    assert!(detect("\u{feff}---".as_bytes()).is_none());
}

/// Every broken file, and the line the error must name.
#[test]
fn a_strict_reader_names_the_line() {
    let check = |name: &str, file: &str, from: &str, to: &str, line: usize| {
        assert!(file.contains(from), "{from:?}");
        let broken = file.replacen(from, to, 1);
        let error = format(name)
            .unwrap()
            .parse(broken.as_bytes(), &shanghai())
            .unwrap_err();
        assert_eq!(error.line, line, "{from:?} to {to:?}: {error}");
    };
    for (from, to, line) in [
        ("---\n", "--- \n", 1),
        ("---", "\u{feff}---", 1),
        ("title", "author: \"x\"\ntitle", 2),
        ("\\\"大会\\\"", "\"大会\"", 2),
        ("17:34:27", "17:34:60", 3),
        ("  - \"qq\"", "    - \"qq\"", 6),
        ("tags:\n  - \"qq\"", "tags:\n  - \"dw\"", 12),
        ("menu: \"\"", "menu: ''", 13),
        ("comments: false", "comments: \"false\"", 16),
        ("---\n\n【", "---\n【", 27),
        ("。\n\n!", "。\n\n\n!", 28),
        ("。\n\n!", "。\r\n\n!", 28),
        ("[qq]", "[dw]", 39),
        ("x=[2])\n", "x=[2])\n\n", 40),
        ("x=[2])\n", "x=[2])", 39),
    ] {
        check("hugo", HUGO, from, to, line);
    }
    for (from, to, line) in [
        ("<!--1", "<!-- 1", 1),
        ("<!--1", "<!--01", 1),
        ("[2".replace('[', "%5B").as_str(), "[2", 2),
        ("](", "] (", 2),
        ("------", "-------", 3),
        ("------\n\n", "------\n", 4),
        ("</div>\n", "</div>", 5),
        ("</div>\n", "</div>\n\n", 5),
        ("</li>", "</li>\n", 5),
        ("</li>", "</li>\r", 5),
    ] {
        check("html", HTML, from, to, line);
    }
    for (from, to, line) in [
        ("。\n", "。\n\n", 1),
        ("- 西", "\n\n- 西", 9),
        ("那台", "那台\n", 10),
        ("东", "\0", 9),
    ] {
        check("text", TEXT, from, to, line);
    }
}

#[test]
fn an_imported_file_keeps_its_bytes_through_the_store() {
    for (name, file) in [("hugo", HUGO), ("html", HTML), ("text", TEXT)] {
        let known = format(name).unwrap();
        assert_eq!(
            through_the_store(known, file.as_bytes()),
            file.as_bytes(),
            "{name}"
        );
        // And each can be kept in every other format.
        let stored = imported(&known.parse(file.as_bytes(), &shanghai()).unwrap());
        for other in FORMATS {
            rendered(other.name(), &stored);
        }
    }
}

/// What an import makes of a file.
fn imported(sheet: &Sheet) -> StoredArticle {
    let mut stored = article(&sheet.title, sheet.body.clone());
    stored.article.link = PageUrl::parse(&sheet.link).ok();
    stored.article.thumbnail = PageUrl::parse(&sheet.thumbnail).ok();
    stored.article.published = sheet.published;
    stored.article.summary = Some(Content::plain(sheet.summary.clone()));
    stored
}

fn through_the_store(known: &dyn ArchiveFormat, bytes: &[u8]) -> Vec<u8> {
    let stored = imported(&known.parse(bytes, &shanghai()).unwrap());
    let sheet = known.sheet(&stored, &label()).unwrap();
    known.render(&sheet, &shanghai()).unwrap()
}

/// The page that describes the formats shows a whole file of each.
#[test]
fn the_documented_examples_are_what_they_say() {
    let page = include_str!("../../../docs/archive-format.md");
    let example = |first: &str| {
        let start = page.find(&format!("\n    {first}\n")).unwrap() + 1;
        let lines = page[start..]
            .lines()
            .take_while(|line| line.is_empty() || line.starts_with("    "));
        let text: Vec<&str> = lines
            .map(|line| line.strip_prefix("    ").unwrap_or(line))
            .collect();
        text.join("\n").trim_end().to_owned()
    };
    let hugo = format("hugo").unwrap();
    let sheet = hugo
        .parse((example("---") + "\n").as_bytes(), &shanghai())
        .unwrap();
    let mut mill = imported(&sheet);
    mill.article.summary = None;
    let mill_news = Label {
        source: "mill-news".to_owned(),
        ..label()
    };
    assert_eq!(hugo.sheet(&mill, &mill_news).unwrap(), sheet);
    let html = format("html").unwrap();
    let other = html
        .parse(
            (example("<!--1740792600000-->") + "\n").as_bytes(),
            &shanghai(),
        )
        .unwrap();
    assert_eq!(
        (other.title, other.published),
        (sheet.title, sheet.published)
    );
    let text = format("text").unwrap();
    let words = text
        .parse(example("## 新聞").as_bytes(), &shanghai())
        .unwrap()
        .body
        .text;
    assert_eq!(
        words.split("\n\n").filter(|block| block.is_empty()).count(),
        1
    );
    assert_eq!(
        feedmill::output::archive::text::headline(&words),
        Some("老磨坊重新開門")
    );
}
