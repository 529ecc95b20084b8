//! Character references: `&amp;`, `&#8212;`, `&nbsp` and the two thousand others.

use std::borrow::Cow;

use markup5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use memchr::memchr;

/// Names longer than this have no reference.
const LONGEST: usize = 33;

/// Names that browsers also read without their semicolon are at most this long.
const LONGEST_BARE: usize = 6;

/// Text or an attribute value as its reader sees it. References are decoded once (F-15).
pub fn decode(text: &str, in_attribute: bool) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        out.push_str(before);
        rest = if let Some((first, second, after)) = read(reference, in_attribute) {
            out.push(first);
            out.extend(second);
            after
        } else {
            out.push('&');
            reference
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads one reference after its `&`: one or two characters, and what follows it.
pub fn read(text: &str, in_attribute: bool) -> Option<(char, Option<char>, &str)> {
    if let Some(number) = text.strip_prefix('#') {
        return numeric(number).map(|(found, after)| (found, None, after));
    }
    let run = text
        .bytes()
        .take(LONGEST)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    if text.as_bytes().get(run) == Some(&b';')
        && let Some((first, second)) = named(text.get(..=run)?)
    {
        return Some((first, second, text.get(run + 1..)?));
    }
    (2..=run.min(LONGEST_BARE)).rev().find_map(|end| {
        let (first, second) = named(text.get(..end)?)?;
        // `?a=1&copy=2` is an address, not a copyright sign (§13.2.5.73).
        let part_of_address = in_attribute
            && text
                .as_bytes()
                .get(end)
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'=');
        (!part_of_address).then_some((first, second, text.get(end..)?))
    })
}

fn named(name: &str) -> Option<(char, Option<char>)> {
    // The table also holds every beginning of a name, with zeros.
    let &(first, second) = NAMED_ENTITIES.get(name)?;
    let first = char::from_u32(first).filter(|&c| c != '\0')?;
    Some((first, char::from_u32(second).filter(|&c| c != '\0')))
}

fn numeric(text: &str) -> Option<(char, &str)> {
    let hex = text.strip_prefix(['x', 'X']);
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    let len = digits
        .bytes()
        .take_while(|b| char::from(*b).is_digit(radix))
        .count();
    if len == 0 {
        return None;
    }
    let code = digits.get(..len)?.chars().fold(0_u32, |code, digit| {
        code.saturating_mul(radix)
            .saturating_add(digit.to_digit(radix).unwrap_or(0))
    });
    let after = digits.get(len..)?;
    let found = character(code).unwrap_or('\u{FFFD}');
    Some((found, after.strip_prefix(';').unwrap_or(after)))
}

/// The character of a number as browsers read it: 80 to 9F are those of windows-1252 (§13.2.5.80). `None` where there is
/// no such character, or it is NUL.
pub fn character(code: u32) -> Option<char> {
    match code {
        0 => None,
        0x80..=0x9F => usize::try_from(code - 0x80)
            .ok()
            .and_then(|at| C1_REPLACEMENTS.get(at).copied().flatten()),
        _ => char::from_u32(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_once_and_as_browsers_do() {
        let check = |given: &str, expected: &str| assert_eq!(decode(given, false), expected);
        check("AT&amp;T a &lt; b", "AT&T a < b");
        check("&amp;lt;b&amp;gt;", "&lt;b&gt;");
        check("&mdash;&#8212;&#x2014;&#X2014", "————");
        check("&nbsp&copy2", "\u{A0}©2");
        check("&notit; &notin;", "¬it; ∉");
        check("&#0;&#xD800;&#9999999999;", "\u{FFFD}\u{FFFD}\u{FFFD}");
        check("&#150;&#x81;", "–\u{FFFD}");
        check("&NotEqualTilde;", "\u{2242}\u{338}");
        check(
            "& &; &# &#x &unknown; 文&字;",
            "& &; &# &#x &unknown; 文&字;",
        );
        assert_eq!(
            decode("?a=1&copy=2&lt=&amp;b&copy;", true),
            "?a=1&copy=2&lt=&b©"
        );
    }
}
