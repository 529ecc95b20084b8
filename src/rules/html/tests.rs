#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]

mod pictures;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::model::content::{Content, ContentKind};
use crate::model::urls::PageUrl;

fn base() -> PageUrl {
    PageUrl::parse("https://example.org/news/1.html?x=1").unwrap()
}

#[track_caller]
fn check_safe(given: &str, expected: &str) {
    let found = safe(given, Some(&base()));
    assert_eq!(found, expected, "{given}");
    assert_eq!(safe(&found, Some(&base())), found, "not settled: {given}");
}

#[test]
fn honest_html_stays_as_it_is() {
    for html in [
        "<p>他说<strong>“你好”</strong>。</p>",
        // The shape of a DW body, with made-up words.
        "<div><i>甲<br>2025-02-10T15:02:43.389Z</i></div><img src=\"https://images.weserv.nl/?url=static.example.org/image/7_303.jpg\" width=\"100%\"><div><small>图</small></div><p>文</p><video controls=\"\" src=\"https://example.org/v.mp4\"></video>",
        "<ul><li>a</li><li>b</li></ul><blockquote>q</blockquote><pre>  x\n y</pre>",
        "<table><tbody><tr><td colspan=\"2\">a</td></tr></tbody></table>",
        "<a href=\"mailto:a@example.org\">m</a><a href=\"https://example.org/?a=1&amp;b=2\">l</a>",
        "<ruby>字<rp>(</rp><rt>zì</rt><rp>)</rp></ruby>&nbsp;<bdo dir=\"rtl\">x</bdo>",
        "a &lt; b &amp;&amp; c &gt; d \"q\"",
        "",
    ] {
        check_safe(html, html);
    }
}

#[test]
fn addresses_become_absolute() {
    check_safe(
        "<a href='../a b'>x</a>",
        "<a href=\"https://example.org/a%20b\">x</a>",
    );
    check_safe(
        "<a href=#n>x</a>",
        "<a href=\"https://example.org/news/1.html?x=1#n\">x</a>",
    );
    check_safe(
        "<img src=//cdn.example.org/p.png>",
        "<img src=\"https://cdn.example.org/p.png\">",
    );
    check_safe(
        "<img src=p.png srcset='p.png 1x, /q,2.png 2x'>",
        "<img src=\"https://example.org/news/p.png\" srcset=\"https://example.org/news/p.png 1x, https://example.org/q,2.png 2x\">",
    );
    check_safe(
        "<video poster=/p.jpg src=v.mp4><source src=w.webm type=video/webm></video>",
        "<video poster=\"https://example.org/p.jpg\" src=\"https://example.org/news/v.mp4\"><source src=\"https://example.org/news/w.webm\" type=\"video/webm\"></video>",
    );
    check_safe(
        "<blockquote cite=/c>q</blockquote>",
        "<blockquote cite=\"https://example.org/c\">q</blockquote>",
    );
    // Without a base nothing relative is left, and what only lacks its scheme is https.
    assert_eq!(
        safe(
            "<a href=/x>a</a><img src=x.png><img src=//e.org/x.png>",
            None
        ),
        "<a>a</a><img src=\"https://e.org/x.png\">"
    );
}

#[test]
fn frames_become_links() {
    check_safe(
        "<p><iframe src='//video.example.org/e/1?a=1&amp;b=2' allowfullscreen>no<b>frames</iframe></p>",
        "<p><a href=\"https://video.example.org/e/1?a=1&amp;b=2\">https://video.example.org/e/1?a=1&amp;b=2</a></p>",
    );
    check_safe(
        "<iframe title='A <b> film' src=/f></iframe>x",
        "<a href=\"https://example.org/f\">A &lt;b&gt; film</a>x",
    );
    check_safe(
        "<embed src=/f.swf>x",
        "<a href=\"https://example.org/f.swf\">https://example.org/f.swf</a>x",
    );
    check_safe("<iframe srcdoc='<script>alert(1)</script>'></iframe>x", "x");
}

/// Cases 18, 19, 21, 23, 24, 25, 27, 29, 30, 32 and 36 of the table of text that acts, and their kin.
#[test]
fn text_that_acts_does_not() {
    let cases = [
        (
            "<iframe src='javascript://allowed.example.org/%0aalert(1)'></iframe>",
            "",
        ),
        ("<a href='JaVaScRiPt:alert(1)'>x</a>", "<a>x</a>"),
        ("<a href=' &#106;avascript:alert(1)'>x</a>", "<a>x</a>"),
        ("<a href='java&Tab;script:alert(1)'>x</a>", "<a>x</a>"),
        ("<a href='java\nscript:alert(1)'>x</a>", "<a>x</a>"),
        ("<a href='\u{1}javascript:alert(1)'>x</a>", "<a>x</a>"),
        (
            "<a href='vbscript:x'>x</a><a href='data:text/html,x'>y</a>",
            "<a>x</a><a>y</a>",
        ),
        ("<a href='data:image/png;base64,AAAA'>y</a>", "<a>y</a>"),
        ("<img src='data:image/svg+xml,<svg/onload=alert(1)>'>", ""),
        (
            "<img srcset='javascript:alert(1) 1x' src=/a>",
            "<img src=\"https://example.org/a\">",
        ),
        (
            "<video poster='javascript:alert(1)'></video>",
            "<video></video>",
        ),
        ("<button formaction='javascript:alert(1)'>x</button>", "x"),
        ("<form action=/x><input name=a>w</form>", "w"),
        ("<sCrIpT>alert(1)</ScRiPt>x", "x"),
        ("<script/x>alert(1)</script >x", "x"),
        ("x<script>alert(1)", "x"),
        (
            "<p onclick=alert(1) style='x:expression(1)' class=c id=i>x</p>",
            "<p>x</p>",
        ),
        ("<style>@import 'x'</style>x", "x"),
        ("<svg><script>alert(1)</script></svg>x", "x"),
        (
            "<svg><animate onbegin=alert(1) attributeName=x></svg>x",
            "x",
        ),
        (
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "",
        ),
        (
            "<math><annotation-xml encoding=text/html><script>alert(1)</script></annotation-xml></math>x",
            "x",
        ),
        (
            "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
            "<img src=\"https://example.org/news/x\">'&gt;",
        ),
        (
            "<img src=/a alt=\"'onerror=alert(1) x=`\">",
            "<img src=\"https://example.org/a\" alt=\"'onerror=alert(1) x=`\">",
        ),
        (
            "<img src=/a alt='\"><script>alert(1)</script>'>",
            "<img src=\"https://example.org/a\" alt=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">",
        ),
        (
            "<!-- --!><img src=/a onerror=alert(1)> -->",
            "<img src=\"https://example.org/a\"> --&gt;",
        ),
        ("<!--><script>alert(1)</script>-->x", "--&gt;x"),
        ("<![CDATA[<script>alert(1)</script>]]>x", "alert(1)]]&gt;x"),
        ("<?xml version='1.0'?><p>x</p>", "<p>x</p>"),
        (
            "<base href='https://evil.example/'><a href=/x>x</a>",
            "<a href=\"https://example.org/x\">x</a>",
        ),
        (
            "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>x",
            "x",
        ),
        ("<link rel=stylesheet href=/x.css>x", "x"),
        (
            "<object data=/x.swf><param name=a>fallback</object>",
            "fallback",
        ),
        ("<a href='https://user:pw@example.org/'>x</a>", "<a>x</a>"),
        ("<a href='file:///etc/passwd'>x</a>", "<a>x</a>"),
        (
            "<img src=x\" onerror=alert(1)//>",
            "<img src=\"https://example.org/news/x%22\">",
        ),
        ("]]>", "]]&gt;"),
        ("<textarea><script>alert(1)</script></textarea>x", "x"),
        ("<title><script>alert(1)</script></title>x", "x"),
        ("<template><script>alert(1)</script></template>x", "x"),
        (
            "<xmp><script>alert(1)</script></xmp>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        ),
        ("<plaintext><b>x", "&lt;b&gt;x"),
        ("<p title=\"a\u{0}b\">x", "<p title=\"a\u{FFFD}b\">x</p>"),
    ];
    for (given, expected) in cases {
        let found = safe(given, Some(&base()));
        let again = safe(&found, Some(&base()));
        assert_eq!((&*found, &*again), (expected, expected), "{given}");
    }
}

#[test]
fn text_parts_blocks_and_nothing_else() {
    let check = |given: &str, expected: &str| assert_eq!(text(given), expected, "{given}");
    check(
        "<div>Dirk Example<br>2025-02-10</div><p>x</p>",
        "Dirk Example\n2025-02-10\nx",
    );
    check("<td>a</td><td>b</td><tr><td>c", "a b\nc");
    check("人<b>工</b><a href=x>智</a><span>能</span>", "人工智能");
    check("<b>a</b> <i>b</i>", "a b");
    check("a\n  b\t c  d", "a b c d");
    check("人工\n  智能，\n“下”\nAI\n文", "人工智能，“下” AI 文");
    check("<p> a </p>\n\n<p></p><p>b</p>", "a\nb");
    check(
        "a<script>if (a<b) x('</div>')</script>b<style>p{}</style>c",
        "abc",
    );
    check(
        "a<noscript>b</noscript><template>c</template><!-- d -->e",
        "ae",
    );
    check(
        "AT&amp;T &lt;b&gt; a &amp;lt; &nbsp;x&#8212;y&notanything;",
        "AT&T <b> a &lt; \u{A0}x—y¬anything;",
    );
    check("<pre>  a\n   b\n</pre>c  d", "  a\n   b\nc d");
    check("1 < 2 & 3 <4", "1 < 2 & 3 <4");
    check("x<b", "x");
    check("<SCRIPT>a</script x>b", "b");
    check("<script>a</scripty></script>b", "b");
    check("&#10;a&#32;b", "a b");
    check("<ul><li>a<li>b</ul>c<h2>d</h2>e", "a\nb\nc\nd\ne");
    check("", "");
}

#[test]
fn every_kind_of_content_is_shown() {
    let check = |kind, given: &str, expected: &str| {
        let content = Content {
            kind,
            text: given.to_owned(),
        };
        assert_eq!(display(&content, Some(&base())), expected, "{given}");
    };
    check(ContentKind::Html, "<p onclick=x>a", "<p>a</p>");
    check(
        ContentKind::Plain,
        "a <b>\n\n & c",
        "<p>a &lt;b&gt;</p><p>&amp; c</p>",
    );
    check(
        ContentKind::HugoBlocks,
        "甲。**乙**丙\n\n![图片](//e.org/a.png)\n\n# 题\n\n见[此处](https://e.org/x)与[注](见下)和 * 号",
        "<p>甲。<strong>乙</strong>丙</p><p><img src=\"https://e.org/a.png\" alt=\"图片\" referrerpolicy=\"no-referrer\"></p><h1>题</h1>\
         <p>见<a href=\"https://e.org/x\">此处</a>与[注](见下)和 * 号</p>",
    );
    check(
        ContentKind::HugoBlocks,
        "**甲\n\n**“**乙",
        "<p><strong>甲</strong></p><p><strong>“</strong>乙</p>",
    );
    check(
        ContentKind::HugoBlocks,
        "[x](javascript:alert(1))",
        "<p>[x](javascript:alert(1))</p>",
    );
    check(
        ContentKind::HugoBlocks,
        "[x](https://e.org/\"onclick=alert(1))",
        "<p><a href=\"https://e.org/%22onclick=alert(1\">x</a>)</p>",
    );
    check(
        ContentKind::TextBlocks,
        "\n\n## 引題\n\n# 題\n\n\n\n**甲** [乙](https://e.org/)",
        "<h2>引題</h2><h1>題</h1><p>**甲** [乙](https://e.org/)</p>",
    );
}

#[test]
fn a_summary_is_one_line_and_short() {
    let check = |content: &Content, max, expected: &str| {
        let found = summary(content, max);
        assert_eq!(found, expected);
        assert!(found.chars().count() <= max);
    };
    check(&Content::html("<p>a &amp; b</p><p>c</p>"), 10, "a & b c");
    check(&Content::html("<p>人工智能</p>"), 4, "人工智能");
    check(&Content::html("<p>人工智能！</p>"), 4, "人工智…");
    check(&Content::plain("x <b>\ny"), 20, "x <b> y");
    let blocks = Content {
        kind: ContentKind::HugoBlocks,
        text: "![图](https://e.org/a)\n\n**甲**[乙](https://e.org/)".to_owned(),
    };
    check(&blocks, 20, "甲乙");
    check(&Content::html(""), 5, "");
}

/// Runs on a stack as small as a worker thread's, and says how long it took.
fn on_small_stack(work: impl FnOnce() + Send + 'static) -> Duration {
    let start = Instant::now();
    std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
    start.elapsed()
}

#[test]
fn bombs_cost_little() {
    let fonts: String = (0..250).fold(String::new(), |all, n| all + &format!("<font size={n}>"));
    let bombs = [
        "<div>".repeat(400_000),
        "<ul><li>".repeat(32_000),
        "<b>".repeat(400_000),
        "<x></y>".repeat(70_000),
        "<a href=x".repeat(50_000),
        "<!--".repeat(100_000),
        "<script>".repeat(60_000),
        "</p>".repeat(120_000),
        "&".repeat(500_000),
        "&a".repeat(250_000),
        "<".repeat(500_000),
        "[".repeat(500_000),
        "![](".repeat(100_000),
        "<table><td>".repeat(40_000),
        fonts + &"<p>".repeat(100_000),
        "<svg><desc><x>".repeat(30_000),
        "<p>a".repeat(100_000),
    ];
    for bomb in bombs {
        let head: String = bomb.chars().take(20).collect();
        let took = on_small_stack(move || {
            assert!(safe(&bomb, None).len() <= 8 * bomb.len());
            text(&bomb);
            summary(
                &Content {
                    kind: ContentKind::HugoBlocks,
                    text: bomb,
                },
                100,
            );
        });
        // Unoptimised and beside others; without the guard it is minutes.
        assert!(took < Duration::from_secs(20), "{head}: {took:?}");
    }
}

const PIECES: [&str; 66] = [
    "<picture><source data-srcset='/s 1x'>",
    "<img src=/blank.gif>",
    "<noscript><img src=/n></noscript>",
    "<image>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<a href=/x>",
    "<a href='javascript:x'>",
    "</a>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</table>",
    "<ul>",
    "<li>",
    "</ul>",
    "<pre>",
    "</pre>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mi>",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<title>",
    "</title>",
    "<img src=a onerror=b>",
    "<iframe src=/f>",
    "</iframe>",
    "<form>",
    "</form>",
    "<select>",
    "<option>",
    "</select>",
    "<noscript>",
    "</noscript>",
    "<template>",
    "</template>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;script&gt;",
    "&amp;",
    "&#0;",
    "\u{0}",
    "\r\n",
    "\n",
    " ",
    "\u{A0}",
    "文",
    "x",
    "\"",
    "'",
    "<p title=\"",
    "<ruby><rt>",
    "<video src=/v><source src=w>",
];

proptest! {
    #[test]
    fn safe_html_is_settled(soup in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..24)) {
        let html = soup.concat();
        let once = safe(&html, Some(&base()));
        prop_assert_eq!(safe(&once, Some(&base())), once.clone());
        prop_assert!(!once.to_ascii_lowercase().contains("<script"), "{}", once);
    }

    #[test]
    fn any_text_returns(html in "\\PC*|[<>/a-c=\"'!& \\n;#-]{0,200}") {
        text(&html);
        let once = safe(&html, None);
        prop_assert_eq!(safe(&once, None), once);
        for kind in [ContentKind::Plain, ContentKind::HugoBlocks, ContentKind::TextBlocks] {
            display(&Content { kind, text: html.clone() }, None);
        }
    }

    #[test]
    fn escaped_words_come_back(words in "[^\\s\\x00]{0,40}") {
        prop_assert_eq!(text(&escape_text(&words)), words);
    }
}
