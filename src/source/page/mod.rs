//! What all readers of publishers' pages need: text from bytes, values from JSON, elements from HTML, times from words.

pub(super) mod article;
pub(super) mod css;
pub(super) mod entries;
pub(super) mod html;
pub(super) mod json;
pub(super) mod path;

use std::borrow::Cow;

use crate::model::entry::ReadError;
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::urls::PageUrl;
use crate::rules::charset::{self, Decoded, Kind};

/// Larger pages are not read.
const MAX_PAGE: usize = 8 << 20;

/// More entries than this are not read from one page; the cap the whole program has on a list.
pub(super) const MAX_ITEMS: usize = 5_000;

/// The page as text, in the charset the subscription orders, or whatever it says or has ([`charset::read`]). What does not
/// decode becomes U+FFFD: one bad byte in a title must not cost the list.
pub(super) fn text<'p>(
    subscription: &Subscription,
    page: &'p Page,
) -> Result<Cow<'p, str>, ReadError> {
    if page.bytes.len() > MAX_PAGE {
        return Err(ReadError::Limit {
            what: "page bytes",
            limit: MAX_PAGE,
        });
    }
    Ok(decoded(subscription, page).text)
}

/// The page as text with its evidence, however large.
pub(super) fn decoded<'p>(subscription: &Subscription, page: &'p Page) -> Decoded<'p> {
    let start = page.bytes.trim_ascii_start();
    let kind = if start.starts_with(b"<?xml") {
        Kind::Xml
    } else if start.starts_with(b"<") {
        Kind::Html
    } else {
        Kind::Json
    };
    let order = subscription.charset.as_deref();
    charset::read(&page.bytes, order, page.charset.as_deref(), kind)
}

/// What a page looks like that is not what was asked for, in few words.
pub(super) fn looks_like(text: &str) -> String {
    let start = text.trim_start();
    let head: String = start.chars().take(60).collect();
    if head.is_empty() {
        "an empty page".to_owned()
    } else if head.starts_with('<') {
        match title_of(start) {
            Some(title) => format!("a page titled `{title}`"),
            None => "a page of markup without a title".to_owned(),
        }
    } else if head.starts_with(['{', '[']) {
        "JSON".to_owned()
    } else {
        format!("text that starts `{}`", head.escape_debug())
    }
}

fn title_of(markup: &str) -> Option<String> {
    let (_, rest) = markup.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    let title: String = title.trim().chars().take(80).collect();
    (!title.is_empty()).then_some(title)
}

/// A title as people write it: without the marks and blanks around it. U+FEFF is not white space to `trim`, and some
/// editing systems leave one at the start.
pub(super) fn title(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a skipped entry is called: the first of these that says anything, shortened; else its place in the list.
pub(super) fn label(names: &[Option<&str>], place: usize) -> String {
    let name = names.iter().flatten().find_map(|name| title(name));
    name.map_or_else(
        || format!("entry {}", place + 1),
        |name| name.chars().take(200).collect(),
    )
}

/// The address an option names, or this one where it names none.
pub(super) fn option_url(
    subscription: &Subscription,
    name: &str,
    default: &'static str,
) -> PageUrl {
    subscription
        .options
        .url(name)
        .unwrap_or_else(|| constant(default))
}

/// An address written in our own source. A test of every source reads them all.
#[allow(clippy::expect_used)]
fn constant(address: &'static str) -> PageUrl {
    PageUrl::parse(address).expect("an address in our own source")
}

/// A place on the server a base names. The base may have a path of its own (a mirror under a prefix).
pub(super) fn under(base: &PageUrl, path_and_query: &str) -> Option<PageUrl> {
    let base = base.without_query();
    PageUrl::parse(&format!(
        "{}{path_and_query}",
        base.as_str().trim_end_matches('/')
    ))
    .ok()
}

/// The address with these parameters, encoded as forms encode them.
pub(super) fn with_query(url: PageUrl, query: &[(&str, &str)]) -> PageUrl {
    if query.is_empty() {
        return url;
    }
    let mut with = url.as_url().clone();
    with.query_pairs_mut().extend_pairs(query);
    PageUrl::parse(with.as_str()).unwrap_or(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn page(charset: Option<&str>, bytes: &[u8]) -> Page {
        Page {
            url: PageUrl::parse("https://example.org/").unwrap(),
            media_type: None,
            charset: charset.map(str::to_owned),
            links: Vec::new(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_mark_beats_the_label_and_the_label_beats_utf_8() {
        let order = Subscription::new("a".parse().unwrap(), "feed");
        let check = |charset, bytes: &[u8], expected: &str| {
            assert_eq!(text(&order, &page(charset, bytes)).unwrap(), expected);
        };
        check(None, b"\xEF\xBB\xBF{}", "{}");
        check(Some("gb2312"), b"\xEF\xBB\xBF{}", "{}");
        check(Some("GB2312"), b"\xD6\xD0", "中");
        check(Some("no-such"), "中".as_bytes(), "中");
        check(None, b"a\xFFb", "a\u{fffd}b");
        check(
            None,
            b"<meta charset=gbk><p>\xD6\xD0",
            "<meta charset=gbk><p>中",
        );
        check(Some("gbk"), "中".as_bytes(), "中");
        let large = page(None, &vec![b' '; MAX_PAGE + 1]);
        assert!(matches!(text(&order, &large), Err(ReadError::Limit { .. })));
        let order = Subscription {
            charset: Some("gbk".to_owned()),
            ..order
        };
        let ordered = page(Some("big5"), b"<meta charset=utf-8>\xD6\xD0");
        assert_eq!(text(&order, &ordered).unwrap(), "<meta charset=utf-8>中");
    }

    #[test]
    fn a_base_may_have_a_path() {
        let check = |base: &str, expected: &str| {
            let base = PageUrl::parse(base).unwrap();
            assert_eq!(under(&base, "/a?b").unwrap().as_str(), expected);
        };
        check("https://x.example", "https://x.example/a?b");
        check("https://x.example/m/?q#f", "https://x.example/m/a?b");
    }

    #[test]
    fn titles_lose_what_surrounds_them() {
        assert_eq!(
            title("\u{feff} 題目\u{3000}一 \n").as_deref(),
            Some("題目\u{3000}一")
        );
        assert_eq!(title(" \u{feff}\u{3000}"), None);
    }

    #[test]
    fn a_page_that_is_something_else_is_described() {
        let check = |text, expected: &str| assert_eq!(looks_like(text), expected);
        check("", "an empty page");
        check(" {\"a\":1}", "JSON");
        check("<html><title>Wait</title>", "a page titled `Wait`");
        check("no\n", "text that starts `no\\n`");
    }
}
