//! Autodiscovery as a pure function: a page and its headers in, the feeds it names out (P-61).

use feedmill::model::http::Page;
use feedmill::model::urls::PageUrl;
use feedmill::rules::discover::{Candidate, excerpt, feeds};

fn page(links: &[&str], html: &str) -> Page {
    Page {
        url: PageUrl::parse("https://site.example/dir/page").unwrap(),
        media_type: Some("text/html".to_owned()),
        charset: None,
        links: links.iter().map(|&link| link.to_owned()).collect(),
        bytes: html.as_bytes().to_vec(),
    }
}

fn found(links: &[&str], html: &str) -> Vec<String> {
    let all = feeds(&page(links, html));
    all.iter().map(|one| one.url.to_string()).collect()
}

fn head(inside: &str) -> String {
    format!(
        "<!doctype html><html><head><title>A <link> title</title>{inside}</head><body>text</body></html>"
    )
}

const RSS: &str = "type='application/rss+xml'";

#[test]
fn p_61_a_head_names_feeds_in_its_order() {
    let html = head(
        "<LINK REL='Alternate' TYPE='Application/RSS+XML; charset=utf-8' title=' A &amp;\n B ' href='/a?x=1&amp;y=2#top'>\
         <link rel=alternate type=application/atom+xml href=b.atom>\
         <link rel=alternate type=application/feed+json href='//cdn.example/c.json'>\
         <link rel='alternate home' type='application/rss+xml' href='/a?x=1&amp;y=2'>",
    );
    let all = feeds(&page(&[], &html));
    assert_eq!(
        all.first(),
        Some(&Candidate {
            url: PageUrl::parse("https://site.example/a?x=1&y=2").unwrap(),
            title: Some("A & B".to_owned()),
            media_type: Some("application/rss+xml".to_owned()),
        })
    );
    let urls: Vec<_> = all.iter().map(|one| one.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://site.example/a?x=1&y=2",
            "https://site.example/dir/b.atom",
            "https://cdn.example/c.json"
        ]
    );
}

#[test]
fn p_61_what_is_no_feed_is_not_listed() {
    for html in [
        "<link rel=alternate type='text/html' hreflang=de href=/de>",
        "<link rel=alternate type='application/json' href=/wp-json/>",
        "<link rel=alternate type='application/json+oembed' href=/o>",
        "<link rel='alternate stylesheet' type='application/rss+xml' href=/s>",
        "<link rel=alternate href=/untyped>",
        "<link rel=alternate type='application/rss+xml'>",
        "<link rel=alternate type='application/rss+xml' href='  '>",
        "<link rel=alternate type='application/rss+xml' href='file:///etc/passwd'>",
        "<link rel=alternate type='application/rss+xml' href='https://user:pw@x.example/'>",
        "<link rel=shortlink type='application/rss+xml' href=/s>",
        "<!-- <link rel=alternate type='application/rss+xml' href=/c> -->",
        "<script>'<link rel=alternate type=\"application/rss+xml\" href=/j>'</script>",
        "<template><link rel=alternate type='application/rss+xml' href=/t></template>",
    ] {
        assert_eq!(found(&[], &head(html)), [""; 0], "{html}");
    }
    // Its own kind of link, which needs no type.
    assert_eq!(
        found(&[], &head("<link rel=feed href=/f>")),
        ["https://site.example/f"]
    );
}

#[test]
fn p_61_only_the_head_counts() {
    let link = format!("<link rel=alternate {RSS} href=/x>");
    for html in [
        format!("<html><head></head><body>{link}</body>"),
        format!("<body>{link}"),
        format!("<p>{link}"),
        format!("words {link}"),
        format!("<head><div>{link}</head>"),
    ] {
        assert_eq!(found(&[], &html), [""; 0], "{html}");
    }
    for html in [
        link.clone(),
        format!("\u{feff}<!doctype html>\n<meta charset=utf-8>{link}"),
        format!("<head><noscript>{link}</noscript>"),
        format!("<head><style><p></style>{link}"),
    ] {
        assert_eq!(found(&[], &html), ["https://site.example/x"], "{html}");
    }
}

#[test]
fn p_61_a_base_moves_the_links_of_the_document_alone() {
    let html = head(&format!(
        "<link rel=alternate {RSS} href=one><base href='/deep/down/'><base href='/other/'><link rel=alternate {RSS} href=two>"
    ));
    let link = "<three>; rel=alternate; type=application/atom+xml";
    assert_eq!(
        found(&[link], &html),
        [
            "https://site.example/dir/three",
            "https://site.example/deep/down/one",
            "https://site.example/deep/down/two"
        ]
    );
}

#[test]
fn p_61_link_headers_come_first_and_are_read_by_rfc_8288() {
    let check = |line: &str, urls: &[&str]| assert_eq!(found(&[line], ""), urls, "{line}");
    check(
        "<https://a.example/1,2;3>; rel=\"alternate\"; type=\"application/rss+xml\"; title=\"a, \\\"b\\\"; <c>\", </4> ; REL=alternate;type=application/atom+xml",
        &["https://a.example/1,2;3", "https://site.example/4"],
    );
    check(
        "</a>; rel=\"home alternate\"; type=text/xml",
        &["https://site.example/a"],
    );
    check("</a>; rel=next; rel=alternate; type=text/xml", &[]);
    check(
        "</a>; rel=alternate; type=text/xml; anchor=\"/elsewhere\"",
        &[],
    );
    check("</a>; rel=\"https://api.w.org/\"", &[]);
    for broken in [
        "<",
        "</a",
        "</a>; rel",
        "</a>;;;",
        "</a>; rel=\"alternate",
        ">",
        ",,,",
        "</a>; rel=alternate; type=\"",
        "",
    ] {
        check(broken, &[]);
    }
}

#[test]
fn hostile_pages_cost_little() {
    let many: String = (0..20_000)
        .map(|n| format!("<link rel=alternate {RSS} href=/{n}>"))
        .collect();
    assert_eq!(found(&[], &head(&many)).len(), 50);
    for html in [
        "<".repeat(1 << 20),
        "<link ".repeat(100_000),
        "<script>".repeat(100_000),
        "<!--".repeat(100_000),
        format!("<link rel=alternate {RSS} href='{}'>", "x".repeat(1 << 20)),
    ] {
        assert!(found(&[], &html).len() <= 1);
    }
}

#[test]
fn an_excerpt_is_what_a_person_would_see() {
    let html = "<html><title>Wait</title><style>p{}</style><script>x</script><p>Please &amp;\n wait\u{1b}[31m</p>";
    assert_eq!(excerpt(&page(&[], html)), "Wait Please & wait[31m");
    let long = format!("<p>{}", "字".repeat(2_000));
    assert_eq!(excerpt(&page(&[], &long)).chars().count(), 200);
    assert_eq!(excerpt(&page(&[], "")), "");
}
