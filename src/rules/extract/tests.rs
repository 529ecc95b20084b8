#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    missing_docs
)]

mod pictures;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::model::content::Content;
use crate::model::entry::Draft;

const LEAD: &str = "山水之间有城，城中有人，人来人往不停歇。";

fn url() -> PageUrl {
    PageUrl::parse("https://news.example.org/2025/1101/881.html").unwrap()
}

fn read(page: &str, words: &str, selector: Option<&str>) -> Result<Extracted, ReadError> {
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let wanted = Wanted {
        selector,
        words,
        zone: &zone,
    };
    extract(page, &url(), wanted)
}

/// The words found on a page, one block a line.
fn text(page: &str) -> String {
    html::text(&read(page, "", None).unwrap().html)
}

/// So many paragraphs, each another one.
fn paragraphs(count: usize) -> String {
    (0..count)
        .map(|n| format!("<p>第{n}段说，{LEAD}后来又说，{LEAD}</p>"))
        .collect()
}

fn around(article: &str) -> String {
    format!(
        "<title>山水之间的城市_某某网</title><ul><li><a href=/>首页</a><li><a href=/n>新闻</a></ul><div><h1>山水之间的城市</h1>\
         <div>{article}</div></div><div><ul><li><a href=/1>别处的新闻有很多条</a><li><a href=/2>别处的新闻还有一条</a></ul></div>"
    )
}

#[track_caller]
fn check(article: &str, kept: &[&str], gone: &[&str]) {
    let found = text(&around(article));
    for words in kept {
        assert!(found.contains(words), "lost {words}: {found}");
    }
    for words in gone.iter().chain(&["首页", "别处"]) {
        assert!(!found.contains(words), "kept {words}: {found}");
    }
}

#[test]
fn full_width_marks_tell_prose_from_a_menu_as_long() {
    let menu: String = (0..12)
        .map(|n| format!("<p>栏目{n}山水城市新闻</p>"))
        .collect();
    let page = format!("<div>{menu}</div><div><p>{LEAD}</p></div>");
    assert_eq!(text(&page), LEAD);
    let latin: String = (0..12).map(|_| "<p>some menu of words</p>").collect();
    let page = format!("<div>{latin}</div><div><p>It rained, they said.</p></div>");
    assert_eq!(text(&page), "It rained, they said.");
}

#[test]
fn a_short_article_wins_over_longer_comments_and_summaries() {
    let comments: String = (0..9)
        .map(|n| format!("<div><b>某人{n}</b><i>{n}小时前</i><p>{LEAD}{LEAD}</p></div>"))
        .collect();
    let stories: String = (0..5)
        .map(|n| format!("<div><a href=/{n}>一个标题</a><p>{LEAD}</p></div>"))
        .collect();
    let page =
        around(&format!("<p>{LEAD}</p>")) + &format!("<div>{comments}</div><div>{stories}</div>");
    assert_eq!(text(&page), LEAD);
}

#[test]
fn links_are_counted_by_characters() {
    let linked = format!("<p><a href=/x>{LEAD}</a></p>").repeat(6);
    let page = format!("<div>{linked}</div><div><p>{LEAD}<a href=/y>某某</a>说。</p></div>");
    let found = read(&page, "", None).unwrap();
    assert!(
        found
            .html
            .contains("<a href=\"https://news.example.org/y\">某某</a>")
    );
    assert!(!found.html.contains("/x"), "{}", found.html);
}

#[test]
fn an_article_in_parts_is_taken_whole() {
    let part = |n: usize| format!("<section><p>第{n}部分，{LEAD}{LEAD}</p></section>");
    let list = "<div><ul><li><a href=/r>一条有关的新闻</a></ul></div>";
    check(
        &format!("{}{list}{}{list}{}", part(1), part(2), part(3)),
        &["第1部分", "第2部分", "第3部分"],
        &["一条有关的新闻"],
    );
}

#[test]
fn bylines_and_boilerplate_go_and_captions_stay() {
    let figure = "<figure><img src=/a.jpg><figcaption>城市的早上</figcaption></figure>";
    check(
        &format!(
            "<p>原标题：另一个题目</p><p>2025年11月1日 10:30　来源：某某报</p>{figure}{}<p>（责任编辑：某某）</p><p>校對：某某</p>\
             <p>扫码关注公众号</p><p>廣告</p><p>分享到：微信 微博</p>",
            paragraphs(3)
        ),
        &["城市的早上", "第0段", "第2段"],
        &[
            "原标题",
            "来源",
            "责任编辑",
            "校對",
            "扫码",
            "廣告",
            "微博",
            "2025",
        ],
    );
}

#[test]
fn sentences_that_begin_like_boilerplate_stay() {
    check(
        "<p>来源于山水之间的城市，总是让人想起很久以前的事。</p><p>编辑部的人都说，这件事没有那么简单。</p>\
         <p>记者昨天看到，城里的人都在说这件事，没有人不知道。</p><p>点击率上升了，他们说，这是因为大家都在看。</p>",
        &["来源于", "编辑部", "记者昨天", "点击率"],
        &[],
    );
}

#[test]
fn lines_of_the_articles_own_stay_though_they_look_like_bylines() {
    let table = "<table><tr><td>人数<td>2,000<td>大<tr><td>时间<td>10:30<td>小</table>";
    check(
        &format!(
            "{}<p>时间：11月1日</p>{table}<p>来源：山水之间</p>{}<p>他扫码付了钱，二维码就在门口。</p>{}",
            paragraphs(2),
            paragraphs(3),
            paragraphs(2)
        ),
        &[
            "时间：11月1日",
            "2,000",
            "10:30",
            "来源：山水之间",
            "扫码付了钱",
        ],
        &[],
    );
}

#[test]
fn headings_of_related_stories_go_with_what_follows_them() {
    check(
        &format!(
            "{}<h3>相关阅读</h3><ul><li><a href=/1>一条旧闻</a></ul>{}<h3>第二节</h3>{}<h3>没有了</h3>",
            paragraphs(2),
            "<p>接着说，事情还没有完，后来的事情更多。</p>",
            paragraphs(1)
        ),
        &["接着说", "第二节"],
        &["相关阅读", "一条旧闻", "没有了"],
    );
}

#[test]
fn a_name_that_means_a_column_does_not_hide_the_article() {
    let page = format!(
        "<div class=sidebar>{}</div><div class=share>分享，分享，再分享。</div>",
        paragraphs(4)
    );
    let found = text(&page);
    assert!(
        found.contains("第3段") && !found.contains("再分享"),
        "{found}"
    );
}

#[test]
fn what_is_hidden_is_not_read() {
    check(
        &format!(
            "{}<p style='display: none'>看不见的话，{LEAD}</p><p hidden>也看不见，{LEAD}</p><noscript>没有脚本，{LEAD}</noscript>",
            paragraphs(2)
        ),
        &["第1段"],
        &["看不见", "没有脚本"],
    );
}

#[test]
fn the_feeds_words_say_where_the_article_is() {
    let other = format!("<div>{}</div>", paragraphs(5));
    let list = "<ul>".to_owned() + &"<li><a href=/x>别处的新闻有很多条</a>".repeat(12) + "</ul>";
    let page = format!("{other}{list}<div><div><p>今日短讯，{LEAD}</p><p>完了。</p></div></div>");
    let by_weight = read(&page, "", None).unwrap();
    assert_eq!(by_weight.how, How::Weight);
    assert!(!by_weight.html.contains("短讯"));
    let by_lead = read(&page, &format!("今日短訊: {LEAD}"), None).unwrap();
    assert_eq!(by_lead.how, How::Lead);
    assert!(by_lead.html.contains("短讯") && by_lead.html.contains("完了"));
    // Words the page does not have change nothing.
    let elsewhere = read(
        &page,
        "别的地方有别的事情，这里一个字也没有提到过它们。",
        None,
    )
    .unwrap();
    assert_eq!(elsewhere, by_weight);
}

#[test]
fn a_selector_takes_all_it_finds_each_once() {
    let page = format!(
        "<div class=a><p>一，{LEAD}</p><div class=a><p>二。</p></div></div>{}<div class=a><p>三。</p><p>责编：某某</p></div>",
        paragraphs(4)
    );
    let found = read(&page, "", Some(".a")).unwrap();
    assert_eq!(html::text(&found.html), format!("一，{LEAD}\n二。\n三。"));
    assert_eq!(found.how, How::Selector);
    let none = read(&page, "", Some(".b")).unwrap_err().to_string();
    assert!(none.contains("no `.b` in the article's page"), "{none}");
    assert!(check_selector("div.a > p, #b").is_ok());
    assert!(check_selector("div[").is_err());
}

#[test]
fn titles_lose_the_name_of_the_site() {
    let check = |head: &str, heading: &str, expected: &str| {
        let page = format!(
            "<title>{head}</title><h1>{heading}</h1><div>{}</div>",
            paragraphs(2)
        );
        let found = read(&page, "", None).unwrap();
        assert_eq!(found.title.as_deref(), Some(expected), "{head}");
        assert!(!found.html.contains("<h1>"));
    };
    check(
        "山水之间的城市_新闻_某某网",
        "山水之间的城市",
        "山水之间的城市",
    );
    check("山水之间的城市 | 某某報", "", "山水之间的城市");
    check(
        "A city of rivers - The Post",
        "A city of rivers",
        "A city of rivers",
    );
}

#[test]
fn a_page_says_when_it_was_published() {
    let check = |head: &str, expected: &str| {
        let page = format!("{head}<div>{}</div>", paragraphs(2));
        let found = read(&page, "", None).unwrap().published.unwrap();
        assert_eq!(found.rfc3339(), expected, "{head}");
    };
    check(
        "<meta property=article:published_time content=2025-11-01T10:00:00+08:00>",
        "2025-11-01T02:00:00Z",
    );
    check(
        "<meta name=pubdate content='2025-11-01 10:00'>",
        "2025-11-01T02:00:00Z",
    );
    check(
        "<script type=application/ld+json>{\"datePublished\": \"2025-11-01T02:00:00Z\"}</script>",
        "2025-11-01T02:00:00Z",
    );
    check(
        "<time datetime=2025-11-01T10:00>x</time>",
        "2025-11-01T02:00:00Z",
    );
}

#[test]
fn the_next_page_is_of_the_same_article_on_the_same_host() {
    let check = |link: &str, expected: Option<&str>| {
        let page = format!("<div>{}</div>{link}", paragraphs(2));
        let next = read(&page, "", None).unwrap().next;
        assert_eq!(next.as_ref().map(PageUrl::as_str), expected, "{link}");
    };
    let host = |path: &str| format!("https://news.example.org{path}");
    check(
        "<a href=881_2.html>下一页</a>",
        Some(&host("/2025/1101/881_2.html")),
    );
    check("<a href=/x/9>[下一頁]</a>", Some(&host("/x/9")));
    check(
        "<a href=881_2.html>Next »</a>",
        Some(&host("/2025/1101/881_2.html")),
    );
    check(
        "<a href='?page=2'>next</a>",
        Some(&host("/2025/1101/881.html?page=2")),
    );
    check(
        "<link rel=next href=881/2>",
        Some(&host("/2025/1101/881/2")),
    );
    // The next article, this page again, another host, no page at all.
    check("<a href=882.html>Next</a>", None);
    check("<a rel=next href=/2025/1102/900.html>»</a>", None);
    check("<a href=882.html>下一篇</a>", None);
    check("<a href=881.html#p2>下一页</a>", None);
    check(
        "<a href=https://other.example.org/881_2.html>下一页</a>",
        None,
    );
    check("<a href='javascript:next()'>下一页</a>", None);
}

#[test]
fn pages_without_an_article_are_errors() {
    for page in [
        "",
        "%PDF-1.7",
        "{\"a\":1}",
        "<p>a\0b, c. d, e.</p>",
        "<ul><li><a href=/a>one</a><li><a href=/b>two</a></ul>",
        &"<div>".repeat(100_000),
    ] {
        assert!(read(page, LEAD, None).is_err(), "{page:.40}");
    }
}

#[test]
fn thin_is_less_than_the_feed_has() {
    let words = "字".repeat(100);
    assert_eq!(thin(80, &words), None);
    let why = thin(79, &words).unwrap();
    assert_eq!(why, "the page has 79 characters of it, and the feed 100");
    assert_eq!(thin(30, ""), None);
    assert!(thin(19, "").is_some());
}

#[test]
fn what_the_feed_says_stays_and_its_teaser_becomes_the_summary() {
    let page = read(&around(&paragraphs(4)), "", None).unwrap();
    let html = page.html.clone();
    let merged = |body: &str| {
        let draft = Draft {
            title: Some("题".to_owned()),
            body: Some(Content::html(body)),
            ..Draft::default()
        };
        merge(draft, page.clone(), html.clone())
    };
    let short = merged("<p>摘要。</p>");
    assert_eq!(short.title.as_deref(), Some("题"));
    assert_eq!(short.summary, Some(Content::html("<p>摘要。</p>")));
    assert_eq!(short.body, Some(Content::html(html.clone())));
    assert_eq!(merged(&paragraphs(4)).summary, None);
}

#[test]
fn large_pages_cost_little() {
    let rows = "<tr><td><a href=/a>山水</a></td><td>城，市。</td></tr>".repeat(8_000);
    let flat = "<p>山水之间，有一座城。</p>".repeat(15_000);
    let list = "<li><a href=/a>相关阅读</a>".repeat(15_000);
    let heads = "<div><h3>相关阅读</h3><p>山水之间，有一座城。</p></div>".repeat(6_000);
    let nested = format!("{}{LEAD}{}", "<div>".repeat(200), "</div>".repeat(200)).repeat(60);
    for page in [format!("<table>{rows}</table>"), flat, list, heads, nested] {
        let started = Instant::now();
        let _ = read(&page, LEAD, None);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?} for {page:.60}");
    }
}

proptest! {
    #[test]
    fn no_page_panics_the_reader(parts in prop::collection::vec(prop::sample::select(vec![
        "<div>", "</div>", "<p>", "</p>", "<ul><li>", "</ul>", "<table><tr><td>", "</table>", "<a href='x_2.html'>下一页</a>",
        "<h1>", "</h1>", "<h3>相关阅读</h3>", "<br>", LEAD, "责任编辑：某", "a, b. ", "<script>", "</script>", "<svg>", "<!--", "-->",
        "<figure>", "<figcaption>", "<body class=ad>", "<aside>", "<ins class=x>", "&amp;", "<template>", "<title>", "\u{0}", "<li hidden>",
    ]), 0..60), words in ".{0,40}") {
        let page = format!("<{}", parts.concat());
        let _ = read(&page, &words, None);
        let _ = read(&parts.concat(), LEAD, Some("p, div"));
    }
}
