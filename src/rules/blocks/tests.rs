#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use super::*;

/// Blocks as one string: parted by `¶`, pictures as `!alt|address`.
fn shown(html: &str, style: Style) -> String {
    let base = PageUrl::parse("https://example.org/a/b").unwrap();
    let all: Vec<String> = blocks(&Content::html(html), Some(&base), style)
        .into_iter()
        .map(|block| match block {
            Block::Text(text) => text,
            Block::Image { alt, url } => format!("!{alt}|{url}"),
        })
        .collect();
    all.join("¶")
}

fn check(html: &str, expected: &str) {
    assert_eq!(shown(html, Style::Hugo), expected, "{html}");
}

#[test]
fn white_space_follows_the_page_not_the_source() {
    check("<p> \n a \t\n b</p>x", "a b¶x");
    check(
        "<p>　　第一\n第二，\n第三\n three\n四 五</p>",
        "第一第二，第三 three 四 五",
    );
    check(
        "<p>甲&nbsp;乙 &nbsp; 丙&nbsp;</p><p>&nbsp;</p><p>　\n</p>",
        "甲\u{a0}乙 \u{a0} 丙\u{a0}",
    );
    check("甲<b>\n</b>乙<!-- x -->\n丙\u{feff}\u{0}\u{7}", "甲乙丙");
    check("1. a * b _c_ [d] # e", "1. a * b _c_ [d] # e");
    check("a<br>b<br/><br>c</br>d", "a¶b¶c¶d");
    check("<div>a<div>b</div>c</div>", "a¶b¶c");
}

#[test]
fn bold_is_written_naively_with_blanks_outside() {
    check("<p>前<strong>“中</strong>”后</p>", "前**“中**”后");
    check("<b> a </b>b<b> \n</b>c", "**a** b c");
    check("甲<strong>&nbsp;乙　</strong>丙", "甲\u{a0}**乙**　丙");
    check("<b><strong>x</b>y</strong>z", "**xy**z");
    check("<strong><p>a</p><p>b</p></strong>c", "**a**¶**b**¶c");
    check("<b>甲</b><b>乙</b></b>丙", "**甲****乙**丙");
    check(
        "<p class='x text-big-title'>大<b>标</b>题</p>文",
        "**大标题**¶文",
    );
    check("<p class=text-big-title>题<p>文", "**题**¶文");
}

#[test]
fn links_and_pictures_have_whole_addresses() {
    check(
        "看<a href='/x'> 这里 </a>。",
        "看 [这里](https://example.org/x) 。",
    );
    check(
        "<a href=//h.example/><b>x</b></a><b><a href=c>y</a></b>",
        "[**x**](https://h.example/)**[y](https://example.org/a/c)**",
    );
    check(
        "<a href='javascript:x'>a</a><a href='#n'>b</a><a>c</a><a href='mailto:x@y'>d</a>",
        "abcd",
    );
    check(
        "<a href=1>a<a href=2>b</a>c</a>",
        "[a](https://example.org/a/1)[b](https://example.org/a/2)c",
    );
    check(
        "<a href=1><p>a</p><p>b</p></a>",
        "[a](https://example.org/a/1)¶b",
    );
    check(
        "甲<a href=x><img src=//i.example/1 alt=' 图\n一 '></a>乙",
        "甲¶!图一|https://i.example/1¶乙",
    );
    check(
        "<img src='data:image/gif;base64,R0' data-src=/l.png><img><img src=p width=1 height=1>",
        "!|https://example.org/l.png",
    );
    for picture in [
        "<img src=/blank.gif><noscript><img src=/l.png></noscript>",
        "<noscript><img src=/l.png></noscript><img src=/blank.gif>",
        "<picture><source data-srcset='/l.png 2x'><img alt=''></picture>",
        "<img src=//hm.baidu.com/hm.gif><img src=/l.png><img src=/c width=0>",
        "<amp-img src=/l.png><noscript><img src=/l.png></noscript></amp-img>",
    ] {
        check(picture, "!|https://example.org/l.png");
    }
    check(
        "<noscript>甲<img src=/l.png>乙",
        "甲¶!|https://example.org/l.png¶乙",
    );
    check(
        "<figure><img src=/a><figcaption>说明</figcaption></figure>",
        "!|https://example.org/a¶说明",
    );
    let no_base = blocks(
        &Content::html("<a href=/x>y</a><img src=z>"),
        None,
        Style::Hugo,
    );
    assert_eq!(no_base, [Block::Text("y".to_owned())]);
}

#[test]
fn structure_becomes_lines() {
    check(
        "<h1>甲</h1><h3>乙<br>丙</h3>丁<h2>戊<p>己",
        "# 甲¶### 乙 丙¶丁¶## 戊¶己",
    );
    check(
        "<ul><li>a<li>b<ol><li>c</li><li><p>d</p><p>e</p></ol></ul>f",
        "- a\n- b\n  1. c\n  2. d\n    e¶f",
    );
    check(
        "<ol><li>a<img src=/i><li>b</ol>",
        "1. a¶!|https://example.org/i¶2. b",
    );
    check(
        "<blockquote><p>a</p><blockquote>b</blockquote><ul><li>c</ul></blockquote>d",
        "> a¶> > b¶> - c¶d",
    );
    check(
        "<table><caption>t</caption><tr><th>a<th>b<tr><td><p>c</p><p>d</p><td><tr><td></table>e",
        "t\na | b\nc d |¶e",
    );
    check("<table><tr><td>a<p>b</td></tr></table>", "a¶b");
    check(
        "<table><tr><td><img src=/i></td><td>c</td></tr>",
        "!|https://example.org/i¶c",
    );
    check("<li>a</li><p>b", "- a¶b");
    check(
        "<ul><li>a<table><tr><td>b<td>c</table><li>d</ul>",
        "- a¶  b |   c¶- d",
    );
    check("<td>a</td></ul></table></blockquote></h1><tr>b", "a¶b");
}

#[test]
fn what_is_no_words_vanishes() {
    check(
        "<style>p{}</style><script>x</script>a<video src=v>no player</video>b<noscript><p>js</p></noscript>c",
        "abc",
    );
    check("a<div powered-by='x'><div>b</div></div>c", "ac");
    check(
        "甲<!--CARD_BEGIN_0-->乙<!--CARD_END_0-->丙<!--AIPOS_1-->",
        "甲乙丙",
    );
    check("a</small></p><video controls>b<video>c", "a¶bc");
    check("a<video/>b<svg><svg/></svg>c", "abc");
}

#[test]
fn the_text_style_has_headings_and_no_inline_marks() {
    let html = "<h2>題</h2><img src=/i><p>▲<b>說</b>明<a href=/x>甲</a></p><ul><li>乙</ul>";
    assert_eq!(
        shown(html, Style::Text),
        "## 題¶!|https://example.org/i¶▲說明甲¶- 乙"
    );
}

#[test]
fn plain_text_and_imported_blocks_keep_their_shape() {
    let all = |content: &Content| blocks(content, None, Style::Hugo);
    let text = |text: &str| Block::Text(text.to_owned());
    assert_eq!(
        all(&Content::plain(
            "　甲  <b>\r\n\r\n\t\n乙\u{a0}\u{0}\n\u{a0}\n"
        )),
        [text("甲  <b>"), text("乙\u{a0}")]
    );
    let imported = |kind, text: &str| Content {
        kind,
        text: text.to_owned(),
    };
    let picture = |alt: &str, url: &str| Block::Image {
        alt: alt.to_owned(),
        url: url.to_owned(),
    };
    assert_eq!(
        all(&imported(
            ContentKind::HugoBlocks,
            " a\nb\n\n![x](u)\n\n![x](y\nz)"
        )),
        [text(" a\nb"), picture("x", "u"), text("![x](y\nz)")]
    );
    assert_eq!(
        all(&imported(ContentKind::TextBlocks, "\n\na\n\n\n\nb\n\n")),
        [
            picture("", ""),
            text("a"),
            picture("", ""),
            text("b"),
            picture("", "")
        ]
    );
    assert_eq!(all(&imported(ContentKind::TextBlocks, "")), []);
}

#[test]
fn a_summary_has_no_marks() {
    let all = blocks(
        &Content::html(
            "<h2>甲</h2><p>【乙】<b>丙</b><a href='https://x.example/'>丁</a>[戊](己)</p><img src='https://x.example/i'><ul><li>庚<li>#1",
        ),
        None,
        Style::Hugo,
    );
    assert_eq!(plain_text(&all), "甲【乙】丙丁[戊](己)- 庚 - #1");
}

/// Shapes that cost an HTML parser the square of their size, or more memory than they are long.
#[test]
fn hostile_shapes_cost_one_pass() {
    let n = 100_000;
    let many = |unit: &str| unit.repeat(n);
    let attributes = format!(
        "<a {}>x",
        (0..n).fold(String::new(), |all, i| all + &format!("a{i}=1 "))
    );
    let bolds = (0..300).fold(String::new(), |all, i| all + &format!("<b id={i}>"));
    let long = format!("<a href='https://x.example/{}'>", "y".repeat(2000));
    for html in [
        many("<div>"),
        many("<ul><li>x"),
        many("<blockquote>x"),
        many("<table><tr><td>x"),
        many("<svg>"),
        many("<!--"),
        many("<a href=x>y"),
        many("<script>"),
        many("&abc;"),
        many("< <"),
        many("</"),
        attributes,
        bolds + &many("<p>x"),
        long + &many("<p>x"),
    ] {
        let start = Instant::now();
        let base = PageUrl::parse(&format!("https://example.org/{}", "b".repeat(2000))).unwrap();
        let all = blocks(&Content::html(html.as_str()), Some(&base), Style::Hugo);
        let size: usize = all
            .iter()
            .map(|block| match block {
                Block::Text(text) => text.len(),
                Block::Image { url, .. } => url.len(),
            })
            .sum();
        let head: String = html.chars().take(20).collect();
        assert!(size <= html.len() * 12 + 200_000, "{head}: {size} bytes");
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{head}: {:?}",
            start.elapsed()
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_text_gives_clean_blocks(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            "<p>", "</p>", "<b>", "</b>", "<a href=/x>", "</a>", "<img src=i alt='a\n'>", "<br>", "<ul>", "<li>", "</ul>", "<table>",
            "<td>", "<tr>", "</table>", "<h2>", "</h2>", "<blockquote>", "</blockquote>", "<!--", "-->", "<script>", "<video>", "</video>",
            "&nbsp;", "&#10;", "&#13;", "\n", "\r", " ", "　", "中", "a", "\u{feff}", "\u{85}", "<", ">", "\"", "'", "=", "&", "**", "#",
        ]), 0..40)) {
        for style in [Style::Hugo, Style::Text] {
            for block in blocks(&Content::html(parts.concat()), None, style) {
                if let Block::Text(text) = block {
                    assert!(!text.contains('\r') && !text.contains('\u{feff}'), "{text:?}");
                    assert!(text.lines().all(|line| !line.trim().is_empty()), "{text:?}");
                    assert!(!text.starts_with('\n') && !text.ends_with('\n'), "{text:?}");
                }
            }
        }
    }
}
