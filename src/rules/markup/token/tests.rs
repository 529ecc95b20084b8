#![allow(clippy::panic, missing_docs)]

use super::*;
use crate::rules::markup::element::Nesting;

#[test]
fn tags_end_where_browsers_end_them() {
    let check = |html: &str, expected: &[&str]| {
        let found: Vec<String> = Tokens::new(html)
            .map(|token| match token {
                Token::Text(text) => format!("'{text}'"),
                Token::Start(tag) => format!("<{}", tag.name),
                Token::End(tag) => format!("</{}", tag.name),
                Token::Other => "-".to_owned(),
            })
            .collect();
        assert_eq!(found, expected, "{html}");
    };
    check("a<b c='>'>d</b >", &["'a'", "<b", "'d'", "</b"]);
    check("1 < 2 <3", &["'1 '", "'< 2 '", "'<3'"]);
    check("<!-- <b> --><i>", &["-", "<i"]);
    check("<!--><i><!---><i>", &["-", "<i", "-", "<i"]);
    check("<!-- a --!><i>", &["-", "<i"]);
    check("<!--!> x --><i>", &["-", "<i"]);
    check("<?x ?>a</ b>c</>d", &["-", "'a'", "-", "'c'", "-", "'d'"]);
    check("<a b\"c>d\">", &["<a", "'d\">'"]);
    check("<a b=c'd>e", &["<a", "'e'"]);
    check("x<a b=\"", &["'x'", "-"]);
    check("<", &["'<'"]);
    check("</", &["'</'"]);
}

#[test]
fn attributes_are_read_as_browsers_read_them() {
    let tag = |html| match Tokens::new(html).next() {
        Some(Token::Start(tag)) => tag,
        other => panic!("{other:?}"),
    };
    let found = tag("<img SRC = 'a b' alt=\"x>y\" w=1/ =z hidden/src=q>");
    assert_eq!(
        found.attributes().collect::<Vec<_>>(),
        [
            ("SRC", "a b"),
            ("alt", "x>y"),
            ("w", "1/"),
            ("=z", ""),
            ("hidden", ""),
            ("src", "q")
        ]
    );
    assert_eq!(found.attribute("src"), Some("a b"));
    assert!(tag("<br/>").self_closing);
    assert!(!tag("<br / >").self_closing);
    assert!(!tag("<a href=x/>").self_closing);
}

fn shown(html: &str) -> String {
    let mut tokens = Tokens::new(html);
    let mut shown = String::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => shown += &entity::decode(text, false),
            Token::Start(tag) => {
                shown.extend(["[", &tag.lower_name(), "]"]);
                if tag.element().nesting == Nesting::Raw && !tag.self_closing {
                    tokens.skip_raw(tag.name);
                }
            }
            Token::End(tag) => shown.extend(["[/", &tag.lower_name(), "]"]),
            Token::Other => {}
        }
    }
    shown
}

#[test]
fn markup_is_cut_where_browsers_cut_it() {
    let check = |html: &str, expected: &str| assert_eq!(shown(html), expected, "{html}");
    check("<P CLASS=a>x</P >", "[p]x[/p]");
    check("1 < 2 <3 <> </> a<b", "1 < 2 <3 <>  a");
    check(
        "a<!-- <b> --!>b<!-->c<!--->d<!---->e<!--x--->f<!--never",
        "abcdef",
    );
    check("<!doctype html><?php x ?>a<![CDATA[b]]>", "a");
    check("<a title='>' href=x/>y</a>", "[a]y[/a]");
    check("<a \"b>c", "[a]c");
    check("<style>p > a {}</styles></STYLE >x", "[style][/style]x");
    check("<iframe src=a/ />x<script>y", "[iframe]x[script]");
    check("x<img src=\"never", "x");
}

#[test]
fn references_become_characters() {
    let check = |html: &str, expected: &str| assert_eq!(shown(html), expected, "{html}");
    check(
        "&amp;lt; &lt;b&gt; &#20013;&#x6587; &#150;",
        "&lt; <b> 中文 –",
    );
    check(
        "&NotEqualTilde; &eacute; &nosuch; & &; &#; &#xD800;",
        "\u{2242}\u{338} é &nosuch; & &; &#; \u{fffd}",
    );
    check("a&nbsp b &copy c", "a\u{a0} b © c");
    check(&"&a".repeat(50), &"&a".repeat(50));
}

#[test]
fn the_first_attribute_of_a_name_counts_and_is_decoded() {
    let Some(Token::Start(tag)) =
        Tokens::new("<img =x a=1 A=2 SRC = '//h/?a=1&lt=2&amp;b' alt=\"a>b\" data-x/>").next()
    else {
        panic!("no tag");
    };
    assert_eq!(tag.value("a").as_deref(), Some("1"));
    assert_eq!(tag.value("src").as_deref(), Some("//h/?a=1&lt=2&b"));
    assert_eq!(tag.value("alt").as_deref(), Some("a>b"));
    assert_eq!(tag.value("data-x").as_deref(), Some(""));
    assert_eq!(tag.value("b"), None);
}
