//! The forms that texts must have to stand in what we publish.

use std::fmt::Write as _;

use crate::model::urls::PageUrl;
use crate::output::xml::is_allowed;
use crate::rules::html;

/// One line without surrounding blanks, of at most so many characters.
pub fn line(text: &str, max_chars: usize) -> String {
    let kept: String = text.chars().filter(|&c| is_allowed(c)).collect();
    let joined = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    html::cut(&joined, max_chars).trim_end().to_owned()
}

/// A text with the characters that may be published (F-11), and LF for every line end, as XML readers see it.
pub fn fit(text: String) -> String {
    if text.chars().all(|c| is_allowed(c) && c != '\r') {
        return text;
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|&c| is_allowed(c)).collect()
}

/// An id as an IRI: byte for byte where it is one (F-03), else with the characters no IRI has written as `%HH`
/// (RFC 3987 §2.2), below a name of ours if it has no scheme.
pub fn iri(id: &str) -> String {
    let scheme = id.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    let prefix = if scheme { "" } else { "urn:feedmill:id:" };
    let mut out = prefix.to_owned();
    for c in id.chars() {
        let plain =
            !c.is_whitespace() && !c.is_control() && is_allowed(c) && !"<>\"{}|\\^`".contains(c);
        if plain {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A language tag that has the form of one (RFC 5646 §2.1).
pub fn language(tag: &str) -> Option<&str> {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let letters = tag
        .split('-')
        .next()
        .is_some_and(|first| first.len() > 1 && first.bytes().all(|b| b.is_ascii_alphabetic()));
    (letters && tag.split('-').all(is_part)).then_some(tag)
}

/// A media type that has the form of one (RFC 6838 §4.2).
pub fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.split_once('/')
        .is_some_and(|(kind, sub)| is_name(kind) && is_name(sub))
}

/// The address of a document below the home page.
pub fn below(home: &PageUrl, file: &str) -> String {
    let home = home.without_query();
    format!("{}/{file}", home.as_str().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_iris_stay_and_others_become_ones() {
        let check = |given: &str, expected: &str| assert_eq!(iri(given), expected);
        check("tag:example.org,2025:1", "tag:example.org,2025:1");
        check(
            "HTTPS://Example.org/人?a=%7e#b",
            "HTTPS://Example.org/人?a=%7e#b",
        );
        check("https://example.org/a b", "https://example.org/a%20b");
        check("71485930", "urn:feedmill:id:71485930");
        check("a b:c", "urn:feedmill:id:a%20b:c");
        check("x:", "urn:feedmill:id:x:");
        check("<\u{0}>", "urn:feedmill:id:%3C%00%3E");
    }

    #[test]
    fn tags_types_and_addresses_have_their_forms() {
        for (tag, fine) in [
            ("zh-CN", true),
            ("de", true),
            ("sr-Latn-RS", true),
            ("", false),
            ("zh_CN", false),
            ("1a", false),
            ("a", false),
        ] {
            assert_eq!(language(tag).is_some(), fine, "{tag}");
        }
        for (kind, fine) in [
            ("audio/mpeg", true),
            ("image/svg+xml", true),
            ("audio", false),
            ("a/b c", false),
            ("/x", false),
        ] {
            assert_eq!(is_media_type(kind), fine, "{kind}");
        }
        for (home, expected) in [
            ("https://example.org", "https://example.org/feed.atom"),
            (
                "https://example.org/news?x=1#y",
                "https://example.org/news/feed.atom",
            ),
        ] {
            assert_eq!(
                PageUrl::parse(home)
                    .map(|home| below(&home, "feed.atom"))
                    .as_deref(),
                Ok(expected)
            );
        }
        assert_eq!(line(" a\u{85}\n\tb\u{202E} ", 9), "a b\u{202E}");
    }
}
