//! What is done to HTML before it is cleaned: addresses become absolute, pictures that wait for a script get their
//! address, frames become links, counting pixels go. Nothing here is what makes HTML safe; the cleaning behind it is.

use crate::model::urls::PageUrl;
use crate::rules::html::urls;
use crate::rules::markup::entity::decode;
use crate::rules::markup::escape::push_anywhere;
use crate::rules::markup::token::{Tag, Token, Tokens};

/// Where pages keep the address of a picture until it scrolls into sight.
const LAZY: [&str; 6] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-orig-src",
    "data-url",
];
const LAZY_SET: [&str; 2] = ["data-srcset", "data-lazy-srcset"];

/// The same HTML, ready to be cleaned.
pub fn prepare(html: &str, base: Option<&PageUrl>) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => out.push_str(text),
            Token::End(tag) if tag.is("iframe") || tag.is("noscript") => {}
            Token::End(tag) => out.push_str(tag.raw),
            Token::Other => {}
            Token::Start(tag) => {
                if tag.is("iframe") {
                    tokens.skip_raw(tag.name);
                    frame(&mut out, &tag, base);
                } else if tag.is("embed") {
                    frame(&mut out, &tag, base);
                } else if tag.is("noscript") {
                    tokens.skip_raw(tag.name);
                } else if tag.is("img") {
                    picture(&mut out, &tag, base);
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

fn picture(out: &mut String, tag: &Tag<'_>, base: Option<&PageUrl>) {
    let resolved = |name: &&str| tag.attribute(name).and_then(|raw| urls::resolve(raw, base));
    let lazy = LAZY
        .iter()
        .filter_map(resolved)
        .find(|url| urls::is_web(url));
    let given = resolved(&"src").filter(|url| !urls::is_placeholder(url));
    let set = LAZY_SET
        .iter()
        .chain(&["srcset"])
        .filter_map(|name| tag.attribute(name))
        .find_map(|raw| urls::resolve_set(raw, base));
    let from_set = || {
        set.as_deref()
            .and_then(|set| urls::candidates(set).next())
            .map(|(url, _)| url.to_owned())
    };
    let Some(src) = lazy.or(given).or_else(from_set) else {
        return;
    };
    if is_pixel(tag) {
        return;
    }
    out.push_str("<img");
    attribute(out, "src", &src);
    if let Some(set) = set {
        attribute(out, "srcset", &set);
    }
    for name in ["sizes", "alt", "title", "lang", "dir", "width", "height"] {
        if let Some(value) = tag.value(name) {
            attribute(out, name, &value);
        }
    }
    out.push('>');
}

/// A picture nobody can see counts its readers (F-64).
fn is_pixel(tag: &Tag<'_>) -> bool {
    let style = tag
        .attribute("style")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let tiny = |name: &str| {
        let declared = style
            .split(';')
            .filter_map(|declaration| declaration.split_once(':'))
            .find(|(property, _)| property.trim() == name)
            .map(|(_, value)| value);
        tag.attribute(name)
            .or(declared)
            .is_some_and(|size| matches!(size.trim().trim_end_matches("px"), "0" | "1"))
    };
    tiny("width") && tiny("height")
}

fn with_addresses(out: &mut String, tag: &Tag<'_>, base: Option<&PageUrl>) {
    out.push('<');
    out.push_str(tag.name);
    for (name, raw) in tag.attributes() {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let value = if ["href", "src", "poster", "cite"]
            .iter()
            .any(|known| is(known))
        {
            urls::resolve(raw, base)
        } else if is("srcset") {
            urls::resolve_set(raw, base)
        } else {
            Some(decode(raw, true).into_owned())
        };
        // Names we do not know are for the cleaning to drop; names that are no names must not get that far.
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if let (Some(value), true) = (value, plain) {
            attribute(out, name, &value);
        }
    }
    out.push('>');
}
