//! Pictures as pages write them: where the address of one waits for a script, and which nobody is meant to see.

use std::borrow::Cow;

use crate::rules::markup::entity;
use crate::rules::markup::token::{Tag, Token, Tokens};

/// Where the address of a picture is, the best first: pages keep it aside until it scrolls into sight. The last but `src`
/// are those of the forums of Discuz and the blogs of Sina.
pub const WHERE: [&str; 16] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-orig-src",
    "data-original-src",
    "data-croporisrc",
    "data-lazyload",
    "data-lazy",
    "data-ks-lazyload",
    "data-echo",
    "data-url",
    "zoomfile",
    "file",
    "real_src",
    "src",
];

/// Likewise, for sets of addresses.
const LAZY_SET: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];

/// Names of files that stand where a picture will be, or hold a place on the page.
const PLACEHOLDERS: [&str; 13] = [
    "1x1",
    "blank",
    "clear",
    "dot",
    "gray",
    "grey",
    "lazy",
    "lazyload",
    "loading",
    "pixel",
    "placeholder",
    "spacer",
    "transparent",
];

/// Who counts readers by pictures: the end of a host's name, and how the path begins behind its slash.
const BEACONS: [(&str, &str); 27] = [
    ("2o7.net", ""),
    ("blogger.googleusercontent.com", "tracker/"),
    ("cnzz.com", ""),
    ("doubleclick.net", ""),
    ("facebook.com", "tr?"),
    ("facebook.com", "tr/"),
    ("feedburner.com", "~ff/"),
    ("feedburner.com", "~r/"),
    ("feedproxy.google.com", "~ff/"),
    ("feedproxy.google.com", "~r/"),
    ("feedsportal.com", ""),
    ("google-analytics.com", ""),
    ("hm.baidu.com", ""),
    ("imrworldwide.com", ""),
    ("ioam.de", ""),
    ("medium.com", "_/stat"),
    ("mmstat.com", ""),
    ("pheedo.com", ""),
    ("pixel.wp.com", ""),
    ("px.srvcs.tumblr.com", ""),
    ("quantserve.com", ""),
    ("scorecardresearch.com", ""),
    ("statcounter.com", ""),
    ("stats.wordpress.com", ""),
    ("stats.wp.com", ""),
    ("vgwort.de", ""),
    ("counter.theconversation.com", ""),
];

/// Whether an attribute is one a picture's address may be in.
pub fn holds_address(name: &str) -> bool {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    WHERE.iter().chain(&LAZY_SET).chain(&["srcset"]).any(is)
}

/// Whether a tag is a picture. Parsers take `image` for `img` (§13.2.6.4.7).
pub fn is_picture(tag: &Tag<'_>) -> bool {
    tag.is("img") || tag.is("image") || tag.is("amp-img")
}

/// Where a picture may be, the best first: what waits for a script, `src`, the first of its sets. What only stands
/// there until a script has run is left out, and so is what is no address of a picture at all.
pub fn addresses<'a>(tag: &Tag<'a>) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    let tag = *tag;
    let own = WHERE.iter().filter_map(move |name| tag.value(name));
    let in_sets = sets(&tag).filter_map(|set| {
        let first = candidates(&set).next().map(|(url, _)| url.to_owned());
        first.map(Cow::Owned)
    });
    own.chain(in_sets)
        .map(trimmed)
        .filter(|url| !url.is_empty() && !is_placeholder(url))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let inner = text.trim();
    if inner.len() == text.len() {
        text
    } else {
        Cow::Owned(inner.to_owned())
    }
}

/// The sets of addresses a picture or `source` has: what waits for a script first.
pub fn sets<'a>(tag: &Tag<'a>) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    let tag = *tag;
    LAZY_SET
        .iter()
        .chain(&["srcset"])
        .filter_map(move |name| tag.value(name))
}

/// The candidates of a `srcset`: an address up to a blank, a descriptor up to a comma (§4.8.4.4.1).
pub fn candidates(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        if url.ends_with(',') {
            rest = after;
            return Some((url.trim_end_matches(','), ""));
        }
        let end = after.find(',').unwrap_or(after.len());
        let (size, after) = after.split_at(end);
        rest = after;
        Some((url, size.trim()))
    })
}

/// Whether an address only stands there until a script puts the picture's in its place.
pub fn is_placeholder(url: &str) -> bool {
    if let Some(data) = url.strip_prefix("data:image/") {
        // 1x1, or drawn.
        return ["gif;base64,R0lGODlhAQAB", "gif;base64,R0lGODdhAQAB", "svg"]
            .iter()
            .any(|start| data.starts_with(start))
            || data.starts_with("png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB");
    }
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let (stem, kind) = file.rsplit_once('.').unwrap_or((file, ""));
    let stem = stem.to_ascii_lowercase();
    url.starts_with("about:")
        || stem == "placeholder"
        // A photograph may be called `pixel.jpg`, since there is a telephone of that name.
        || (["gif", "png", "svg"].contains(&kind)
            && PLACEHOLDERS.contains(&stem.trim_end_matches(['.', '-', '_'])))
}

/// Whether nobody can see it: then it counts its readers, or holds a place (F-64). The style of a picture that waits for
/// a script says nothing of it.
pub fn is_unseen(tag: &Tag<'_>) -> bool {
    let style = tag
        .attribute("style")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let declared = |name: &str| {
        style
            .split(';')
            .filter_map(|declaration| declaration.split_once(':'))
            .find(|(property, _)| property.trim() == name)
            .map(|(_, value)| value.trim().trim_end_matches("!important").trim())
    };
    let size = |name: &str| {
        let pixels = |size: &str| {
            let size = size.trim();
            size.strip_suffix("px").unwrap_or(size).trim().to_owned()
        };
        tag.attribute(name).or_else(|| declared(name)).map(pixels)
    };
    let (width, height) = (size("width"), size("height"));
    let tiny = |size: &Option<String>| matches!(size.as_deref(), Some("0" | "1"));
    let nothing = |name: &str| tag.attribute(name).is_some_and(|size| size.trim() == "0");
    let waits = WHERE
        .iter()
        .any(|name| *name != "src" && tag.attribute(name).is_some());
    let hidden = !waits
        && (declared("display") == Some("none")
            || declared("visibility") == Some("hidden")
            || tag.attribute("hidden").is_some());
    hidden
        || nothing("width")
        || nothing("height")
        || (tiny(&width) && (tiny(&height) || height.is_none()))
        || (tiny(&height) && width.is_none())
}

/// Whether an absolute address is one of those that count readers, whatever size the picture is said to have (F-64).
pub fn is_beacon(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("//") else {
        return false;
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.split(':').next().unwrap_or_default();
    let below = |end: &str| {
        host.strip_suffix(end)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    let counts = |name: &str| {
        let file = path.split('?').next().unwrap_or_default();
        file == name || file.ends_with(&format!("/{name}"))
    };
    counts("piwik.php")
        || counts("matomo.php")
        || BEACONS
            .iter()
            .any(|(end, start)| below(end) && path.starts_with(start))
}

/// What stands around a picture that may have no address of its own: the other forms of a `picture`, and the `noscript`
/// before or behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Within a `picture`.
    open: bool,
    source: Option<(bool, Tag<'a>)>,
    /// What a `noscript` holds, before the picture it is meant for.
    before: Option<&'a str>,
    /// The picture just passed had no address.
    waiting: bool,
}

impl<'a> Around<'a> {
    /// Any start tag but a picture's.
    pub fn start(&mut self, tag: &Tag<'a>) {
        if ["picture", "video", "audio"]
            .iter()
            .any(|name| tag.is(name))
        {
            (self.open, self.source) = (tag.is("picture"), None);
        } else if self.open && tag.is("source") {
            // Newer forms than JPEG are for those who choose among them.
            let plain = tag
                .attribute("type")
                .is_none_or(|kind| kind.ends_with("jpeg") || kind.ends_with("png"));
            if self.source.is_none_or(|(known, _)| plain && !known) {
                self.source = Some((plain, *tag));
            }
        }
    }

    /// Any end tag.
    pub fn end(&mut self, tag: &Tag<'a>) {
        if tag.is("picture") {
            (self.open, self.source) = (false, None);
        }
    }

    /// Words part a picture from what stands in for it.
    pub fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            (self.before, self.waiting) = (None, false);
        }
    }

    /// What a `noscript` holds: the picture in it, if the one before it had no address. The counter of a page stands in
    /// one too, but not there.
    pub fn noscript(&mut self, inside: &'a str) -> Option<Tag<'a>> {
        if std::mem::take(&mut self.waiting) {
            return first_picture(inside);
        }
        self.before = Some(inside);
        None
    }

    /// A picture that has no address of its own: the tag that has one for it.
    pub fn instead(&mut self) -> Option<Tag<'a>> {
        let found = self
            .source
            .map(|(_, tag)| tag)
            .or_else(|| self.before.take().and_then(first_picture));
        self.waiting = found.is_none();
        found
    }

    /// A picture that had one.
    pub fn done(&mut self) {
        (self.before, self.waiting) = (None, false);
    }
}

fn first_picture(inside: &str) -> Option<Tag<'_>> {
    Tokens::new(inside).find_map(|token| match token {
        Token::Start(tag) if is_picture(&tag) => Some(tag),
        _ => None,
    })
}

/// The length of a side in pixels, as an attribute says it.
pub fn pixels(tag: &Tag<'_>, name: &str) -> Option<u32> {
    let value = entity::decode(tag.attribute(name)?, true);
    let value = value.trim();
    value.strip_suffix("px").unwrap_or(value).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tag(html: &str) -> Tag<'_> {
        first_picture(html).unwrap()
    }

    #[test]
    fn what_waits_for_a_script_comes_first_and_what_stands_in_for_it_never() {
        let check = |html: &str, expected: &[&str]| {
            let found: Vec<_> = addresses(&tag(html)).collect();
            assert_eq!(found, expected, "{html}");
        };
        check("<img src=/a data-src=' /b '>", &["/b", "/a"]);
        check(
            "<img src=/static/img/blank.gif data-croporisrc=/b.jpg>",
            &["/b.jpg"],
        );
        check("<img src=/x/Loading.gif?v=2>", &[]);
        check("<img src=/x/placeholder.jpg>", &[]);
        check("<img src=/x/pixel.jpg>", &["/x/pixel.jpg"]);
        check(
            "<img src=/lazy/loading-dock.jpg>",
            &["/lazy/loading-dock.jpg"],
        );
        check(
            "<img src='data:image/svg+xml,%3Csvg' data-srcset='/a 1x, /b 2x'>",
            &["/a"],
        );
        check(
            "<img src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQ'>",
            &[],
        );
        check(
            "<img src=nophoto zoomfile=/a.jpg file=/s.jpg>",
            &["/a.jpg", "/s.jpg", "nophoto"],
        );
    }

    #[test]
    fn f_64_what_nobody_sees_counts() {
        for unseen in [
            "width=1 height=1",
            "width='1px' height=0",
            "width=0",
            "height=0 width=600",
            "height=1",
            "style='width:1px;height:1px !important'",
            "style='display: none'",
            "style='VISIBILITY:hidden'",
            "hidden",
        ] {
            assert!(
                is_unseen(&tag(&format!("<img src=/a {unseen}>"))),
                "{unseen}"
            );
        }
        for seen in [
            "",
            "width=1 height=200",
            "width=100%",
            "width=10 height=10",
            "style='height:auto;max-width:100%'",
            "style='display:none' data-src=/b",
        ] {
            assert!(!is_unseen(&tag(&format!("<img src=/a {seen}>"))), "{seen}");
        }
    }

    #[test]
    fn f_64_beacons_are_known_by_their_addresses() {
        for beacon in [
            "https://feeds.feedburner.com/~r/Example/~4/abc",
            "http://feeds.feedburner.com/~ff/Example?d=yIl2AUoC8zA",
            "https://pixel.wp.com/b.gif?host=e.org",
            "https://vg02.met.vgwort.de/na/0123",
            "https://www.facebook.com/tr?id=1",
            "https://stats.e.org/matomo.php?idsite=1",
            "https://hm.baidu.com/hm.gif",
        ] {
            assert!(is_beacon(beacon), "{beacon}");
        }
        for picture in [
            "https://feeds.feedburner.com/picture.jpg",
            "https://www.facebook.com/travel.jpg",
            "https://notquantserve.com/a.png",
            "https://e.org/quantserve.com/a.png",
            "https://e.org/piwik.php.png",
            "a",
        ] {
            assert!(!is_beacon(picture), "{picture}");
        }
    }
}
