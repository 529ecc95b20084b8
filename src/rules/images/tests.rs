#![allow(clippy::unwrap_used, clippy::format_collect)]

use super::*;
use crate::model::content::{Content, ContentHash, RawHash};
use crate::model::entry::EntryKey;

fn article(body: &str, thumbnail: Option<&str>) -> Article {
    let hash = ContentHash::from_bytes([0; 32]);
    Article {
        key: EntryKey::Content(hash),
        id: None,
        link: Some(PageUrl::parse("https://e.org/n/1").unwrap()),
        title: String::new(),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: None,
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::html(body),
        partial: false,
        thumbnail: thumbnail.map(|url| PageUrl::parse(url).unwrap()),
        enclosures: Vec::new(),
        origin: None,
        note: None,
        content: hash,
        raw: RawHash(0),
        teaser: None,
    }
}

#[test]
fn of_several_sizes_the_largest_a_reader_shows() {
    let check = |src: Option<&str>, set: &str, expected: Option<&str>| {
        assert_eq!(best(src, set), expected, "{src:?} {set}");
    };
    check(Some("a"), "", Some("a"));
    check(None, "", None);
    check(Some("data:image/png;base64,AA"), "", None);
    check(Some("data:image/png;base64,AA"), "b 2x", Some("b"));
    check(Some("a"), "b 400w, c 1600w, d 1601w", Some("c"));
    check(Some("a"), "d 3000w, c 2000w", Some("c"));
    check(Some("a"), "b 1.5x, c 2x, d 3x", Some("c"));
    check(Some("a"), "d 3x", Some("a"));
    check(None, "d 4x, c 3x", Some("c"));
    check(Some("a"), "b, c 0x, d x, e -2x, f NaNx", Some("a"));
    check(Some("a"), "b 300w, c 2x", Some("b"));
    check(Some("a"), "b 800w, c 800w", Some("b"));
}

#[test]
fn what_is_copied_is_what_is_shown() {
    let check = |body: &str, lead: Option<&str>, expected: &[&str]| {
        let found = wanted(&article(body, lead), 4);
        let found: Vec<&str> = found.iter().map(PageUrl::as_str).collect();
        assert_eq!(found, expected, "{body}");
    };
    let b = "https://e.org/b.jpg";
    check("<p>x", None, &[]);
    check("<img src=/b.jpg#top>", None, &[b]);
    check(
        "<img src=/blank.gif data-src=/b.jpg><img src=/b.jpg>",
        None,
        &[b],
    );
    check(
        "<img src=/b.jpg>",
        Some("https://e.org/lead.jpg#x"),
        &["https://e.org/lead.jpg", b],
    );
    check("<img src=/b.jpg>", Some("https://e.org/b.jpg"), &[b]);
    // Counters, scripts' and frames' addresses, small pictures in the text, players.
    check(
        "<img src=/p width=1 height=1><script src=/s></script><iframe src=/f></iframe>\
         <img src='data:image/png;base64,AAAA'><video src=/v poster=/w></video><a href=/x.jpg>y</a>\
         <img src=ftp://e.org/z><img src=javascript:alert(1)>",
        None,
        &[],
    );
    let long = format!("<img src=/{}>", "l".repeat(LONGEST));
    check(&long, None, &[]);
    let many: String = (0..9).map(|n| format!("<img src=/{n}>")).collect();
    assert_eq!(wanted(&article(&many, None), 4).len(), 4);
}

#[test]
fn copies_stand_where_the_publishers_were_and_nothing_leads_round_them() {
    let copies: Copies = [
        ("https://e.org/b.jpg", "https://our.example/image/1.jpg"),
        (
            "https://e.org/c.jpg?a=1&b=2",
            "https://our.example/image/2.png",
        ),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()))
    .into();
    let check = |body: &str, expected: &str| {
        let safe = html::display(&article(body, None).body, None);
        assert_eq!(with_copies(safe, &copies), expected, "{body}");
    };
    let one = "<img src=\"https://our.example/image/1.jpg\" alt=\"x &lt;y&gt;\" referrerpolicy=\"no-referrer\">";
    check(
        "<p>a<img src=https://e.org/b.jpg alt='x <y>'>",
        &format!("<p>a{one}</p>"),
    );
    check(
        "<img src=https://e.org/a.jpg srcset='https://e.org/b.jpg 2x, https://e.org/d.jpg 4x' sizes=100vw alt='x <y>'>",
        one,
    );
    check(
        "<img src='https://e.org/c.jpg?a=1&amp;b=2#top'>",
        "<img src=\"https://our.example/image/2.png\" referrerpolicy=\"no-referrer\">",
    );
    check(
        "<picture><source srcset=https://e.org/b.webp type=image/webp> <img src=https://e.org/b.jpg alt='x <y>'></picture>z",
        &format!("<picture>{one}</picture>z"),
    );
    // Without a copy everything stays as it is.
    let other = "<picture><source srcset=\"https://e.org/o.webp\" type=\"image/webp\">\n<img src=\"https://e.org/o.jpg\" referrerpolicy=\"no-referrer\"></picture>";
    check(other, other);
    check(
        "<img src=https://e.org/b.jpg srcset='https://e.org/o.jpg 800w'>",
        "<img src=\"https://e.org/b.jpg\" srcset=\"https://e.org/o.jpg 800w\" referrerpolicy=\"no-referrer\">",
    );
    let plain =
        "<p>1 &lt; 2 &amp; <em>3</em></p><video controls=\"\" src=\"https://e.org/v\"></video>";
    assert_eq!(with_copies(plain.to_owned(), &copies), plain);
    assert_eq!(
        with_copies("<img src=x".to_owned(), &Copies::new()),
        "<img src=x"
    );
}
