//! A feed as found, to text a reader can take: what stands before it, and characters no document may hold.

use std::borrow::Cow;

use memchr::memmem;

use crate::rules::markup::entity;

/// How much junk may stand before a feed (P-104). Blanks do not count.
const JUNK: usize = 1024;
/// What a feed begins with.
const BEGINNINGS: [&str; 6] = ["<?xml", "<rss", "<feed", "<rdf:rdf", "<rdf", "<channel"];

/// A feed's text from its first character on, and what was passed over: a warning of PHP, a stray mark, blank lines.
pub fn from_its_start(text: &str) -> (&str, Option<String>) {
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0';
    let start = text.trim_start_matches(blank);
    let blanks = text.len() - start.len();
    let lower = start
        .as_bytes()
        .get(..JUNK + 16)
        .unwrap_or(start.as_bytes())
        .to_ascii_lowercase();
    let junk = BEGINNINGS
        .iter()
        .filter_map(|word| memmem::find(&lower, word.as_bytes()))
        .min()
        .filter(|at| (1..=JUNK).contains(at) && !start.starts_with(['{', '[']) && !is_html(start))
        // A comment or a style sheet's instruction before the root is no junk.
        .filter(|_| !start.starts_with("<!") && !start.starts_with("<?"));
    match junk.and_then(|at| Some((at, start.get(at..)?))) {
        Some((at, feed)) => (feed, Some(format!("{at} bytes of junk before the feed"))),
        None if blanks > 0 => (start, Some(format!("{blanks} blank bytes before the feed"))),
        None => (start, None),
    }
}

/// Whether a text is a page for people.
pub fn is_html(text: &str) -> bool {
    let head = text.trim_start();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|word| {
            let head = head.as_bytes().get(..word.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
        })
}

/// Whether XML 1.0 lets a document hold this character.
pub fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text without characters XML 1.0 forbids, and how many there were (F8).
pub fn without_forbidden(text: Cow<'_, str>) -> (Cow<'_, str>, usize) {
    // The two non-characters above are spelt EF BF BE and EF BF BF; the byte EF is rare, so it costs little to look.
    let suspect = text
        .bytes()
        .any(|b| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r'))
        || memmem::find(text.as_bytes(), b"\xef\xbf\xbe").is_some()
        || memmem::find(text.as_bytes(), b"\xef\xbf\xbf").is_some();
    if !suspect {
        return (text, 0);
    }
    let forbidden = text.chars().filter(|c| !is_allowed(*c)).count();
    if forbidden == 0 {
        return (text, 0);
    }
    (
        Cow::Owned(text.chars().filter(|c| is_allowed(*c)).collect()),
        forbidden,
    )
}

/// What a text was before somebody read its bytes in the wrong charset: UTF-8 taken for Latin-1 or windows-1252 and
/// encoded again (`ä¸­` for `中`), or windows-1252 taken for Latin-1, whose quotes and dashes then are control characters.
/// `None` where it shows no sign of that.
pub fn misread(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let byte = |c: char| match u32::from(c) {
        code @ 0..0x100 => u8::try_from(code).ok(),
        _ => (0x80..0xa0_u8).find(|byte| entity::character(u32::from(*byte)) == Some(c)),
    };
    // A text that is none mostly shows it by its first letter, which no character of UTF-8 begins with.
    let plain = text.bytes().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let first = text
        .get(plain..)
        .and_then(|text| text.chars().next())
        .and_then(byte);
    if first.is_some_and(|first| (0xc2..0xf5).contains(&first)) {
        let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
        if let Some(Ok(meant)) = bytes.map(String::from_utf8) {
            return Some(meant);
        }
    }
    // U+0080 to U+009F are spelt C2 80 to C2 9F.
    let next = |at: usize| text.as_bytes().get(at + 1).copied();
    if !memchr::memchr_iter(0xc2, text.as_bytes()).any(|at| next(at).is_some_and(|b| b < 0xa0)) {
        return None;
    }
    let meant = |c: char| match c {
        '\u{80}'..'\u{a0}' => entity::character(u32::from(c)).unwrap_or(c),
        _ => c,
    };
    Some(text.chars().map(meant).collect::<String>()).filter(|meant| meant != text)
}

/// JSON with half surrogate pairs (`\ud83d` alone, from cutting text in the middle of an emoji) replaced by U+FFFD.
/// They make no character, and would cost the whole document. `None` where there are none.
pub fn whole_surrogates(json: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let (mut mended, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let here = at + found;
        let low = |at: usize| unit(at).is_some_and(|u| (0xdc00..0xe000).contains(&u));
        at = here + 2;
        match unit(here) {
            Some(0xd800..0xdc00) if low(here + 6) => at = here + 12,
            Some(0xd800..0xe000) => {
                mended.push_str(json.get(copied..here)?);
                mended.push_str("\\ufffd");
                at = here + 6;
                copied = at;
            }
            _ => {}
        }
    }
    (copied > 0).then(|| mended + json.get(copied..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;

    #[test]
    fn a_feed_is_found_behind_what_stands_before_it() {
        let check = |text: &str, start: &str, noted: bool| {
            let (feed, note) = from_its_start(text);
            assert!(feed.starts_with(start), "{text:.40} gave {feed:.40}");
            assert_eq!(note.is_some(), noted, "{text:.40}");
        };
        check("<?xml version='1.0'?><rss/>", "<?xml", false);
        check(&format!("{}<rss/>", " \n".repeat(10_000)), "<rss", true);
        check(
            "<b>Warning</b>: mysql\n<?xml version='1.0'?><rss/>",
            "<?xml",
            true,
        );
        check(
            "<!-- made by hand --><?xml version='1.0'?><rss/>",
            "<!--",
            false,
        );
        check("<!DOCTYPE html><p>write <rss> here", "<!DOCTYPE", false);
        check("{\"title\": \"<rss\"}", "{", false);
        check(&format!("{}<rss/>", "junk ".repeat(300)), "junk", false);
    }

    #[test]
    fn forbidden_characters_go_and_others_stay() {
        let (text, count) = without_forbidden("a\0b\u{b}c\u{fffe}d\t\r\n\u{fffd}".into());
        assert_eq!((text.as_ref(), count), ("abcd\t\r\n\u{fffd}", 3));
        assert!(matches!(
            without_forbidden("字".into()),
            (Cow::Borrowed(_), 0)
        ));
    }

    #[test]
    fn texts_read_in_the_wrong_charset_are_read_again() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(misread(text).as_deref(), expected, "{text}");
        };
        check("plain", None);
        check("中文 café “so” €", None);
        check("café", None);
        check("caf\u{c3}\u{a9}", Some("café"));
        check("ä¸\u{ad}æ–‡", Some("中文"));
        check("don\u{92}t, \u{93}中\u{94}", Some("don’t, “中”"));
        // As a whole or not at all.
        check("Ã© é", None);
    }

    #[test]
    fn half_pairs_become_one_mark() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(whole_surrogates(text).as_deref(), expected, "{text}");
        };
        check(r#""\ud83d\ude00 \u4e00 \\ud83d""#, None);
        check(r#""a\ud83d b""#, Some(r#""a\ufffd b""#));
        check(r#""\ude00\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#));
        check(r#""\ud83d"#, Some(r#""\ufffd"#));
    }
}
