//! Safe HTML: an allow-list of our own, enforced by ammonia (F-16).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use crate::model::urls::PageUrl;
use crate::rules::html::prepare::prepare;
use crate::rules::html::text::text_on_lines;
use crate::rules::html::urls;
use crate::rules::markup::depth::depth_ok;
use crate::rules::markup::escape;
use crate::rules::markup::picture::candidates;

/// Elements that may be shown, with their attributes. Everything else is taken off and its words stay.
const ALLOWED: &[(&str, &[&str])] = &[
    ("a", &["href", "hreflang"]),
    ("abbr", &[]),
    ("article", &[]),
    ("aside", &[]),
    ("audio", &["src", "controls"]),
    ("b", &[]),
    ("bdi", &[]),
    ("bdo", &[]),
    ("blockquote", &["cite"]),
    ("br", &[]),
    ("caption", &[]),
    ("center", &[]),
    ("cite", &[]),
    ("code", &[]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("dd", &[]),
    ("del", &["cite", "datetime"]),
    ("details", &[]),
    ("dfn", &[]),
    ("div", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("em", &[]),
    ("figcaption", &[]),
    ("figure", &[]),
    ("footer", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("header", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["src", "srcset", "sizes", "alt", "width", "height"]),
    ("ins", &["cite", "datetime"]),
    ("kbd", &[]),
    ("li", &["value"]),
    ("mark", &[]),
    ("ol", &["start", "reversed", "type"]),
    ("p", &[]),
    ("picture", &[]),
    ("pre", &[]),
    ("q", &["cite"]),
    ("rp", &[]),
    ("rt", &[]),
    ("ruby", &[]),
    ("s", &[]),
    ("samp", &[]),
    ("section", &[]),
    ("small", &[]),
    ("source", &["src", "srcset", "sizes", "type", "media"]),
    ("span", &[]),
    ("strike", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("summary", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["colspan", "rowspan"]),
    ("tfoot", &[]),
    ("th", &["colspan", "rowspan", "scope"]),
    ("thead", &[]),
    ("time", &["datetime"]),
    ("tr", &[]),
    ("tt", &[]),
    ("u", &[]),
    ("ul", &[]),
    ("var", &[]),
    ("video", &["src", "poster", "controls", "width", "height"]),
    ("wbr", &[]),
];

/// Attributes any of them may have.
const EVERYWHERE: [&str; 3] = ["dir", "lang", "title"];

/// Elements that go with all they contain.
const REMOVED_WHOLE: [&str; 11] = [
    "script", "style", "svg", "math", "template", "noscript", "noembed", "noframes", "title",
    "textarea", "select",
];

/// A reader is expensive to make, so there is one; it needs no base, since addresses are absolute by then.
static READER: LazyLock<Builder<'static>> = LazyLock::new(reader);

/// The same for what we publish. Many portals, Chinese ones above all, refuse their pictures to readers of other sites, and
/// whom a reader reads is nobody's business: no picture is asked with the address of the page it stands on.
static PUBLISHER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = reader();
    builder.set_tag_attribute_value("img", "referrerpolicy", "no-referrer");
    builder
});

fn reader() -> Builder<'static> {
    let attributes: HashMap<_, HashSet<_>> = ALLOWED
        .iter()
        .map(|(tag, attributes)| (*tag, attributes.iter().copied().collect()))
        .collect();
    let mut builder = Builder::empty();
    builder
        .tags(ALLOWED.iter().map(|(tag, _)| *tag).collect())
        .tag_attributes(attributes)
        .generic_attributes(EVERYWHERE.into())
        .clean_content_tags(REMOVED_WHOLE.into())
        .url_schemes(["http", "https", "mailto", "data"].into())
        .url_relative(UrlRelative::Deny)
        .strip_comments(true)
        .link_rel(None)
        .attribute_filter(acceptable);
    builder
}

/// The last word on every attribute, whatever came before.
fn acceptable<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_size = |text: &str| {
        let digits = text.strip_suffix('%').unwrap_or(text);
        (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let keep = match attribute {
        "href" => urls::is_link(value),
        "src" if element == "img" => urls::is_web(value) || urls::is_small_picture(value),
        "src" | "poster" | "cite" => urls::is_web(value),
        "srcset" => candidates(value).all(|(url, _)| urls::is_web(url)),
        "width" | "height" | "colspan" | "rowspan" | "span" => is_size(value),
        _ => true,
    };
    keep.then_some(Cow::Borrowed(value))
}

/// What of this HTML may be shown to anybody: only elements and attributes of an allow-list, only `http`, `https` and
/// `mailto` addresses (and tiny pictures in the text), all of them absolute where `base` or they themselves allow it,
/// balanced, no scripts, no styles, no frames, no forms, no counting pixels. A frame becomes a link to what it shows.
///
/// Applied again it changes nothing: what a reader parses is what was checked. HTML over the guard's limits
/// ([`depth_ok`]), and HTML that means something else each time it is read, is shown as plain text.
pub fn safe(html: &str, base: Option<&PageUrl>) -> String {
    cleaned(html, base, &READER)
}

/// [`safe`], with pictures that are asked without a referrer.
pub(super) fn published(html: &str, base: Option<&PageUrl>) -> String {
    cleaned(html, base, &PUBLISHER)
}

fn cleaned(html: &str, base: Option<&PageUrl>, reader: &Builder<'_>) -> String {
    const PASSES: usize = 4;
    let mut now = Cow::Borrowed(html);
    for _ in 0..PASSES {
        if !depth_ok(&now) {
            break;
        }
        let prepared = prepare(&now, base);
        // What was prepared may be longer than what was checked.
        if !depth_ok(&prepared) {
            break;
        }
        let next = reader.clean(&prepared).to_string();
        if next == *now {
            return next;
        }
        now = Cow::Owned(next);
    }
    as_text(html)
}

/// The words in one paragraph, written as the reader above would write them.
fn as_text(html: &str) -> String {
    let words = text_on_lines(html).replace('\0', "");
    if words.trim().is_empty() {
        return String::new();
    }
    let escaped = escape::text(&words)
        .replace('\u{A0}', "&nbsp;")
        .replace('\n', "<br>");
    format!("<p>{escaped}</p>")
}
