#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::*;
use proptest::prelude::*;

#[test]
fn honest_html_passes() {
    for (unit, times) in [
        ("<p>unclosed", 5000),
        ("<ul><li>a<li>b</ul>", 3000),
        ("<table><tr><td>a<td>b<tr><td>c</table>", 2000),
        ("<p><b>x</b><p><a name=1><img src=x><br>", 1000),
        ("<dl><dt>a<dd>b</dl><div><p>x</div>", 1000),
        (
            "<svg viewBox='0 0 1 1'><g><path d=''/><rect/></g></svg>",
            1000,
        ),
        ("<script>if (a<b) '<div><div>'</script><!-- <div> -->", 1000),
        ("<font color=red><b><i>x</i></b></font>", 1000),
    ] {
        assert!(depth_ok(&unit.repeat(times)), "{unit}");
    }
}

#[test]
fn what_makes_a_parser_work_does_not_pass() {
    for unit in [
        "<div>",
        "<ul><li>",
        "<b>",
        "<DIV></x>",
        "<div/>",
        "<x><div></x></div>",
        "<p><div></p>",
        "<div><table><tr><td></div>",
        "<svg></p><x/>",
        "<svg><style><x>",
        "<abcdefghijklm1></abcdefghijklm2>",
        "<!-- --><q a='>'>",
        "<object></div><div>",
    ] {
        assert!(!depth_ok(&unit.repeat(400)), "{unit}");
    }
    let inline: String = (0..200).fold(String::new(), |all, n| all + &format!("<font size={n}>"));
    assert!(!depth_ok(&(inline + &"<p>a</p>".repeat(5000))));
    assert!(depth_ok(&"&".repeat(BODY.references)));
    assert!(!depth_ok(&"&".repeat(BODY.references + 1)));
    assert!(depth_ok(&"x".repeat(BODY.bytes)));
    assert!(!depth_ok(&"x".repeat(BODY.bytes + 1)));
}

fn refused(text: &str) -> Option<&'static str> {
    match check(text, &PAGE) {
        Ok(()) => None,
        Err(ReadError::Limit { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn depth_is_counted_as_the_tree_builder_would() {
    let deep = |unit: &str| refused(&unit.repeat(300));
    assert_eq!(deep("<div>"), Some("HTML depth"));
    assert_eq!(deep("<ul><li>"), Some("HTML depth"));
    assert_eq!(deep("<div><!--></div>-->"), None);
    for hidden in [
        "<div><img alt='</div>'>",
        "<div><img alt = \"</div>\">",
        "<div><!-- </div> -->",
        "<div><!x </div>",
        "<div><textarea></div></textarea>",
        "<div><table></div>",
        "<span><div></span>",
    ] {
        assert_eq!(deep(hidden), Some("HTML depth"), "{hidden}");
    }
    assert_eq!(
        refused(&"<div><svg><style></div></style>".repeat(3)),
        Some("markup in a drawing's text")
    );
}

#[test]
fn ordinary_pages_pass() {
    for ordinary in [
        "<p>a<p>b<li>c<br><img src=x>",
        "<div><span></div>",
        "<div class=\"a>b\"></div>",
        "<script>if (a < b) document.write('<div>')</script>",
        "<svg><path d='M0'/><g><use/></g></svg>",
        "<b>a</b> <i>b</i>",
        "<a href=x>a</a>",
    ] {
        assert_eq!(refused(&ordinary.repeat(400)), None, "{ordinary}");
    }
}

#[test]
fn reopened_formatting_and_endless_tags_are_refused() {
    let fonts: Vec<String> = (0..200).map(|n| format!("<p><font size={n}>")).collect();
    let fonts = fonts.concat();
    assert_eq!(refused(&fonts), None);
    let blown = format!("{fonts}{}", "<p>".repeat(1_000));
    assert_eq!(refused(&blown), Some("HTML nodes"));
    assert_eq!(refused(&"<br>".repeat(60_000)), Some("HTML nodes"));
    assert_eq!(refused(&" ".repeat(PAGE.bytes + 1)), Some("HTML bytes"));
}

fn depth_of_tree(html: &str) -> usize {
    let document = dom_query::Document::fragment(html);
    let mut deepest = 0;
    let mut todo = vec![(document.root(), 0)];
    while let Some((node, depth)) = todo.pop() {
        deepest = deepest.max(depth);
        todo.extend(node.children_it(false).map(|child| (child, depth + 1)));
    }
    deepest
}

/// Shapes that parsers and a naive scan read differently, each of them found by looking for one.
#[test]
fn what_parsers_see_otherwise_is_not_deep_either() {
    for (start, unit) in [
        // Raw inside of HTML inside of a drawing.
        ("<svg><foreignObject>", "<div><style></div></style>"),
        // Text in a drawing, a comment and an end tag elsewhere.
        ("", "<div><svg><![CDATA[></svg></div>]]>"),
        (
            "",
            "<div><svg><style><![CDATA[</style></svg></div>]]></style>",
        ),
        // Cells outside of a table are ignored, what is in them is not.
        ("", "<td><div></td>"),
        ("", "<td><div><td>"),
        ("", "<tr><li><dd>"),
        ("", "<tr><li><dd></tr>"),
        ("<table><svg></table>", "<td><div></td>"),
        ("", "<li><div><li>"),
    ] {
        let html = format!("{start}{}", unit.repeat(3000));
        let passes = check(&html, &BODY).is_ok();
        assert!(
            !passes || depth_of_tree(&html) <= 4 * BODY.depth,
            "{start}{unit}"
        );
    }
}

#[test]
fn drawings_as_programs_write_them_pass() {
    for drawing in [
        "<svg><title>a</title><path d=''/><path d=''/></svg>",
        "<svg><title/><g><path d=''/></g></svg>",
        "<svg><style><![CDATA[.a>b{}]]></style><defs><clipPath><rect/></clipPath></defs></svg>",
    ] {
        assert_eq!(check(&drawing.repeat(300), &BODY), Ok(()), "{drawing}");
    }
    let many = format!("<svg><title>a</title>{}</svg>", "<path d=''/>".repeat(900));
    assert_eq!(check(&many, &BODY), Ok(()));
}

proptest! {
    /// The parser makes up at most `tbody` and `tr` around a cell, and a document around it all.
    #[test]
    fn no_tag_soup_is_deeper_than_counted(
        soup in proptest::collection::vec(
            proptest::sample::select(vec![
                "div", "p", "b", "a", "font", "span", "x", "ul", "li", "table", "tr", "td", "caption", "svg",
                "path", "g", "math", "mi", "desc", "foreignObject", "style", "title", "form", "button", "select",
                "option", "object", "template", "noscript", "h1", "dd", "dl", "textarea", "nobr", "ruby", "rt",
            ]),
            1..6,
        ),
        kinds in proptest::collection::vec(0..4_usize, 1..6),
    ) {
        let unit: String = soup.iter().zip(kinds.iter().cycle()).map(|(name, kind)| match kind {
            0 | 1 => format!("<{name}>"),
            2 => format!("</{name}>"),
            _ => format!("<{name}/>"),
        }).collect();
        let html = unit.repeat(1200);
        if depth_ok(&html) {
            let depth = depth_of_tree(&html);
            prop_assert!(depth <= 4 * BODY.depth, "{depth} deep: {unit}");
        }
    }
}
