//! Our feed reader beside a second one, the feed-rs crate: where that one can read, both read the same. And what
//! feedparser's suite taught ours (`scripts/conformance.py`), by made-up documents.

use std::panic::catch_unwind;

use feed_rs::model::Entry;
use feedmill::model::content::Content;
use feedmill::model::entry::{Draft, Lead, Listing, ReadError};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::ids::EntryId;
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::source::Source;
use feedmill::source::feed::Feed;

#[allow(dead_code)] // the benchmark asks it more
#[path = "../../benches/poll/corpus.rs"]
mod corpus;

const PAGE: &str = "https://page.example/feed";

fn ours(text: &str) -> Result<Listing, ReadError> {
    let subscription = Subscription::new("second".parse().unwrap(), "feed");
    let page = Page {
        url: PageUrl::parse(PAGE).unwrap(),
        media_type: None,
        charset: None,
        links: Vec::new(),
        bytes: text.as_bytes().to_vec(),
    };
    Feed.read(&subscription, &page)
}

fn theirs(text: &str) -> Result<Vec<Entry>, String> {
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(PAGE))
        .id_generator(|_, _, _| String::new())
        .build();
    let feed = parser.parse(text.as_bytes());
    feed.map(|feed| feed.entries)
        .map_err(|error| error.to_string())
}

fn drafts(text: &str) -> Vec<Draft> {
    let leads = ours(text).unwrap().leads;
    leads
        .into_iter()
        .map(|lead| match lead {
            Lead::Whole(draft) => *draft,
            Lead::Teaser(_) => panic!("a feed carries its entries whole"),
        })
        .collect()
}

/// The one item of an RSS feed.
fn item(children: &str) -> Draft {
    let [draft] = <[Draft; 1]>::try_from(drafts(&format!(
        "<rss><channel><item>{children}</item></channel></rss>"
    )))
    .unwrap();
    draft
}

/// The one entry of an Atom feed.
fn entry(children: &str) -> Draft {
    let [draft] = <[Draft; 1]>::try_from(drafts(&format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry>{children}</entry></feed>"
    )))
    .unwrap();
    draft
}

#[test]
fn both_read_the_same_where_a_feed_is_well_made() {
    let corpus = corpus::Corpus::new(7);
    for feed in 0..24 {
        let (_, text) = corpus.feed(feed, 0);
        let (ours, theirs) = (drafts(&text), theirs(&text).unwrap());
        assert_eq!(ours.len(), corpus::WINDOW);
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(
                ours.link.as_ref().map(PageUrl::as_str),
                theirs.links.first().map(|link| link.href.as_str())
            );
            assert_eq!(
                ours.title.as_deref(),
                theirs.title.as_ref().map(|title| title.content.as_str())
            );
            assert_eq!(
                ours.published.map(Timestamp::millis),
                theirs.published.map(|date| date.timestamp_millis())
            );
            let summary = theirs.summary.as_ref().map(|text| text.content.as_str());
            assert_eq!(ours.summary.as_ref().map(|c| c.text.trim()), summary);
            let body = theirs.content.as_ref().and_then(|c| c.body.as_deref());
            assert_eq!(
                ours.body.as_ref().map(|c| c.text.trim()),
                body.map(str::trim)
            );
            // feed-rs does not know `rdf:about`.
            if !theirs.id.is_empty() {
                assert_eq!(ours.id.as_ref().map(EntryId::as_str), Some(&*theirs.id));
            }
        }
    }
}

/// When this fails, what docs/decisions.md says of feed-rs has changed.
#[test]
fn what_the_second_reader_cannot_read_ours_can() {
    let author = "<rss version='2.0'><channel><item><author>张三（a@example.org）</author></item></channel></rss>";
    assert!(catch_unwind(|| theirs(author)).is_err(), "feed-rs panicked");
    assert_eq!(drafts(author)[0].authors, ["张三（a@example.org）"]);
    let versionless = "<rss><channel><item><title>a</title></item></channel></rss>";
    assert!(theirs(versionless).is_err());
    assert_eq!(drafts(versionless).len(), 1);
    let old = "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>a</title></entry></feed>";
    assert_eq!(theirs(old).map(|entries| entries.len()), Ok(0));
    assert_eq!(drafts(old).len(), 1);
}

#[test]
fn names_of_characters_mean_what_html_says() {
    let check = |name: &str, character: &str| {
        let title = item(&format!("<title>a&{name};b</title>")).title;
        assert_eq!(title.unwrap(), format!("a{character}b"), "{name}");
        let category = entry(&format!("<category term='a&{name};b'/>")).categories;
        assert_eq!(category, [format!("a{character}b")], "{name}");
    };
    for (name, character) in [
        ("alpha", "α"),
        ("Omega", "Ω"),
        ("oelig", "œ"),
        ("scaron", "š"),
        ("fnof", "ƒ"),
        ("lang", "⟨"),
        ("eacute", "é"),
        ("hellip", "…"),
        ("NotEqualTilde", "\u{2242}\u{338}"),
        ("nosuch", "&nosuch;"),
        ("alph", "&alph;"),
    ] {
        check(name, character);
    }
}

#[test]
fn a_feed_cut_inside_its_last_tag_is_whole_and_one_cut_before_is_not() {
    let item = "<item><title>a</title></item>";
    for cut in [
        format!("<rss><channel>{item}</channel></rs"),
        format!("<rss><channel>{item}</chan"),
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>a</title></entry></feed\n"
            .to_owned(),
    ] {
        let listing = ours(&cut).unwrap();
        assert_eq!(listing.leads.len(), 1, "{cut}");
        assert!(listing.skipped.is_empty(), "{cut}");
        assert_eq!(listing.notes, ["mended: 1 tags without their pair"]);
    }
    for cut in [
        "<rss><channel><title>a</tit",
        "<rss><channel><item><title>a</title></ite",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>a</tit",
        "<rss><channel><item ",
        "<rss><channel></",
        // What begins as the feed's own name does.
        "<rss><channel><category>a</c",
        "<rss><channel><item><category>a</c",
    ] {
        assert!(
            matches!(ours(cut), Err(ReadError::Broken { .. })),
            "{cut}: {:?}",
            ours(cut)
        );
    }
    let listing = ours(&format!("<rss><channel>{item}<item><title>b</tit")).unwrap();
    assert_eq!((listing.leads.len(), listing.skipped.len()), (1, 1));
}

#[test]
fn words_and_links_have_older_names() {
    for body in [
        "<body>w</body>",
        "<fullitem>w</fullitem>",
        "<xhtml:body>w</xhtml:body>",
        "<body xmlns='http://www.w3.org/1999/xhtml'>w</body>",
    ] {
        assert_eq!(item(body).body, Some(Content::html("w")), "{body}");
        let both = item(&format!("{body}<content:encoded>e</content:encoded>"));
        assert_eq!(both.body, Some(Content::html("e")), "{body}");
    }
    let summary = "<summary>s</summary>";
    assert_eq!(item(summary).summary, Some(Content::html("s")));
    let both = item(&format!("{summary}<description>d</description>"));
    assert_eq!(both.summary, Some(Content::html("s")));
    assert_eq!(both.body, Some(Content::html("d")));
    let link = |children: &str| item(children).link.map(|link| link.to_string());
    let here = Some("https://page.example/1".to_owned());
    assert_eq!(link("<link href='/1'/>"), here);
    assert_eq!(
        link("<link rel='enclosure' href='/2'/><link>/1</link>"),
        here
    );
    assert_eq!(link("<link rel='enclosure' href='/2'/>"), None);
    assert_eq!(
        item("<media:title>t</media:title>").title.as_deref(),
        Some("t")
    );
}

#[test]
fn words_in_base64_are_words() {
    // "字 <b>x</b>"
    let coded = "5a2XIDxi\n Png8L2I+";
    let check = |attributes: &str, coded: &str, expected: Option<Content>| {
        let body = entry(&format!("<content {attributes}>{coded}</content>")).body;
        assert_eq!(body, expected, "{attributes}");
    };
    let words = "字 <b>x</b>";
    check(
        "type='application/octet-stream'",
        coded,
        Some(Content::plain(words)),
    );
    check(
        "type='text/html' mode='base64'",
        coded,
        Some(Content::html(words)),
    );
    check("type='image/png'", "iVBORw0KGgo=", None);
    check("type='image/png'", "no base64!", None);
    check("type='text/plain'", "YWJj", Some(Content::plain("YWJj")));
    let title = entry("<title type='text/plain' mode='base64'>YSBi</title>").title;
    assert_eq!(title.as_deref(), Some("a b"));
}
