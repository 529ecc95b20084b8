//! Texts and people as the formats wrap them (RFC 4287 §3).

use super::cursor::{Cursor, Fault, Step, Tag};
use super::names::Ns;
use super::text::{html_of_xhtml, line, line_of_html};
use crate::model::content::Content;
use crate::model::time::{Timestamp, Zone};
use crate::rules::dates;
use crate::rules::repair::is_allowed;

/// A text that is HTML by custom, whatever the standard says of it.
pub(super) fn html(cursor: &mut Cursor<'_>) -> Result<Option<Content>, Fault> {
    let inner = cursor.inner()?;
    let text = if inner.markup {
        html_of_xhtml(&inner.text)
    } else {
        inner.text
    };
    Ok((!text.trim().is_empty()).then(|| Content::html(text)))
}

/// An Atom text or content construct by its own type, decoded once (RFC 4287 §3.1, §4.1.3.3).
pub(super) fn construct<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
) -> Result<Option<Content>, Fault> {
    let kind = tag
        .attr("type")
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let escaped = tag.attr("mode").is_some_and(|mode| mode == "escaped");
    let mut inner = cursor.inner()?;
    if is_base64(tag) {
        inner.text = base64(&inner.text).unwrap_or_default();
    }
    if inner.text.trim().is_empty() {
        return Ok(None);
    }
    let kind = kind.split(';').next().unwrap_or_default().trim();
    Ok(if inner.markup {
        // Markup where its type allows none is markup all the same.
        Some(Content::html(html_of_xhtml(&inner.text)))
    } else {
        match kind {
            "" | "text" | "text/plain" => Some(Content::plain(inner.text)),
            "html" | "text/html" => Some(Content::html(inner.text)),
            _ if escaped => Some(Content::html(inner.text)),
            // No element inside: the text of an XHTML construct, with its `<` as they were before decoding.
            "xhtml" | "application/xhtml+xml" => Some(Content::plain(inner.text)),
            other if other.starts_with("text/") => Some(Content::plain(inner.text)),
            // Words in base64, by now decoded; what is none is a picture, or a document of another kind.
            _ if is_base64(tag) => Some(Content::plain(inner.text)),
            _ => None,
        }
    })
}

/// Whether an Atom text stands in base64: `mode` says so in 0.3, in 1.0 any type that is neither text nor XML (RFC
/// 4287 §4.1.3.3).
fn is_base64(tag: &Tag<'_>) -> bool {
    match tag.attr("mode") {
        Some(mode) => mode == "base64",
        None => tag.attr("type").is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.contains('/') && !kind.trim().starts_with("text/") && !kind.contains("xml")
        }),
    }
}

/// The words in some base64 (RFC 4648 §4), if it holds words.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    let digits = text.bytes().filter(|b| !b.is_ascii_whitespace());
    for digit in digits.take_while(|b| *b != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    text.chars().all(is_allowed).then_some(text)
}

/// A title or another text that is shown on one line.
pub(super) fn plain<'t>(cursor: &mut Cursor<'t>, tag: &Tag<'t>) -> Result<Option<String>, Fault> {
    let literal = matches!(tag.ns, Ns::Atom | Ns::Tombstones)
        && tag
            .attr("type")
            .is_none_or(|kind| matches!(kind.trim(), "" | "text" | "text/plain"))
        && tag.attr("mode").is_none();
    let coded = tag.ns == Ns::Atom && is_base64(tag);
    // Without a word of HTML the words in base64 are text.
    let literal = literal || (coded && !tag.attr("type").is_some_and(|kind| kind.contains("html")));
    let mut inner = cursor.inner()?;
    if coded {
        inner.text = base64(&inner.text).unwrap_or_default();
    }
    Ok(if inner.markup {
        line_of_html(&html_of_xhtml(&inner.text))
    } else if literal {
        line(&inner.text)
    } else {
        line_of_html(&inner.text)
    })
}

/// A date in any form; `zone` holds where it names none.
pub(super) fn date(cursor: &mut Cursor<'_>, zone: &Zone) -> Result<Option<Timestamp>, Fault> {
    Ok(dates::parse(&cursor.inner()?.text, zone, None))
}

/// The name of an Atom person, else its address.
pub(super) fn person(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let depth = cursor.depth();
    let (mut name, mut bare) = (String::new(), String::new());
    while cursor.depth() >= depth {
        match cursor.next()? {
            Step::Start(tag) if tag.local == "name" => name = cursor.inner()?.text,
            Step::Start(tag) if tag.local == "email" => bare = cursor.inner()?.text,
            Step::Start(_) => {
                let child = cursor.depth();
                cursor.skip(child)?;
            }
            Step::Text(text) if name.is_empty() && bare.len() < 500 => bare.push_str(&text),
            Step::Text(_) | Step::End => {}
            Step::Eof => return Err(cursor.cut()),
        }
    }
    Ok(if name.trim().is_empty() { bare } else { name })
}
