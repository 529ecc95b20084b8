//! Texts and people as the formats wrap them (RFC 4287 §3).

use super::cursor::{Cursor, Fault, Step, Tag};
use super::names::Ns;
use super::text::{html_of_xhtml, line, line_of_html};
use crate::model::content::Content;

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
    let inner = cursor.inner()?;
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
            // Base64 of something that is not words.
            _ => None,
        }
    })
}

/// A title or another text that is shown on one line.
pub(super) fn plain<'t>(cursor: &mut Cursor<'t>, tag: &Tag<'t>) -> Result<Option<String>, Fault> {
    let literal = tag.ns == Ns::Atom
        && tag
            .attr("type")
            .is_none_or(|kind| matches!(kind.trim(), "" | "text" | "text/plain"))
        && tag.attr("mode").is_none();
    let inner = cursor.inner()?;
    Ok(if inner.markup {
        line_of_html(&html_of_xhtml(&inner.text))
    } else if literal {
        line(&inner.text)
    } else {
        line_of_html(&inner.text)
    })
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
