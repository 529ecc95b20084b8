//! What is done to HTML before it is cleaned: addresses become absolute, pictures that wait for a script get their
//! address, frames become links, counting pixels go. Nothing here is what makes HTML safe; the cleaning behind it is.

use crate::model::urls::PageUrl;
use crate::rules::html::urls;
use crate::rules::markup::entity::decode;
use crate::rules::markup::escape::push_anywhere;
use crate::rules::markup::picture::{self, Around};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// The same HTML, ready to be cleaned.
pub fn prepare(html: &str, base: Option<&PageUrl>) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut around = Around::default();
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => {
                around.text(text);
                out.push_str(text);
            }
            Token::End(tag) if tag.is("iframe") || tag.is("noscript") => {}
            Token::End(tag) => {
                around.end(&tag);
                out.push_str(tag.raw);
            }
            Token::Other => {}
            Token::Start(tag) => {
                around.start(&tag);
                if tag.is("iframe") {
                    tokens.skip_raw(tag.name);
                    frame(&mut out, &tag, base);
                } else if tag.is("embed") {
                    frame(&mut out, &tag, base);
                } else if tag.is("noscript") {
                    if let Some(inner) = around.noscript(tokens.skip_raw(tag.name)) {
                        picture(&mut out, &inner, &mut around, base);
                    }
                } else if picture::is_picture(&tag) {
                    picture(&mut out, &tag, &mut around, base);
                } else if [
                    "a",
                    "audio",
                    "blockquote",
                    "del",
                    "ins",
                    "q",
                    "source",
                    "video",
                ]
                .iter()
                .any(|name| tag.is(name))
                {
                    with_addresses(&mut out, &tag, base);
                } else {
                    out.push_str(tag.raw);
                }
            }
        }
    }
    out
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_anywhere(out, value);
    out.push('"');
}

/// A link to what a frame shows.
fn frame(out: &mut String, tag: &Tag<'_>, base: Option<&PageUrl>) {
    let given = ["src", "data-src"]
        .iter()
        .filter_map(|name| tag.attribute(name));
    let Some(url) = given
        .filter_map(|raw| urls::resolve(raw, base))
        .find(|url| urls::is_web(url))
    else {
        return;
    };
    let title = tag.value("title");
    let words = title
        .as_deref()
        .map(str::trim)
        .filter(|title| !title.is_empty());
    out.push_str("<a");
    attribute(out, "href", &url);
    out.push('>');
    push_anywhere(out, words.unwrap_or(&url));
    out.push_str("</a>");
}

/// Writes a picture, if it has an address and is meant to be seen. One without an address may have it in what stands
/// around it.
fn picture<'a>(out: &mut String, tag: &Tag<'a>, around: &mut Around<'a>, base: Option<&PageUrl>) {
    if picture::is_unseen(tag) {
        return;
    }
    let mut from = *tag;
    let mut src = address(&from, base);
    if src.is_none() {
        let Some(other) = around.instead() else {
            return;
        };
        from = other;
        src = address(&from, base);
    }
    around.done();
    let Some(src) = src else {
        return;
    };
    if picture::is_unseen(&from) || picture::is_beacon(&src) {
        return;
    }
    out.push_str("<img");
    attribute(out, "src", &src);
    let set = picture::sets(&from).find_map(|set| urls::resolve_set(&set, base));
    // That of another form stays there, with its type.
    if let Some(set) = set.filter(|_| !from.is("source")) {
        attribute(out, "srcset", &set);
    }
    for name in ["sizes", "alt", "title", "lang", "dir", "width", "height"] {
        if let Some(value) = tag.value(name) {
            attribute(out, name, &value);
        }
    }
    out.push('>');
}

/// Where a picture is, absolute; a small one within the page only where it has no other address.
fn address(tag: &Tag<'_>, base: Option<&PageUrl>) -> Option<String> {
    let mut within = None;
    for given in picture::addresses(tag) {
        match urls::resolve_decoded(&given, base) {
            Some(url) if urls::is_web(&url) => return Some(url),
            Some(url) if urls::is_small_picture(&url) => within = within.or(Some(url)),
            _ => {}
        }
    }
    within
}

fn with_addresses(out: &mut String, tag: &Tag<'_>, base: Option<&PageUrl>) {
    out.push('<');
    out.push_str(tag.name);
    // What waits for a script stands in for what is there until it runs.
    let mut set = picture::sets(tag).find_map(|set| urls::resolve_set(&set, base));
    for (name, raw) in tag.attributes() {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let value = if ["href", "src", "poster", "cite"]
            .iter()
            .any(|known| is(known))
        {
            urls::resolve(raw, base)
        } else if is("srcset") {
            set.take()
        } else {
            Some(decode(raw, true).into_owned())
        };
        // Names we do not know are for the cleaning to drop; names that are no names must not get that far.
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if let (Some(value), true) = (value, plain) {
            attribute(out, name, &value);
        }
    }
    if let Some(set) = set {
        attribute(out, "srcset", &set);
    }
    out.push('>');
}
