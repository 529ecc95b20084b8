//! The lead picture of an entry: the one that readers show beside its title.
//!
//! What the feed names comes first (`media:content`, then `media:thumbnail`, `image` and the like, then an enclosure that
//! is a picture), then what the page names for itself (`og:image`), then the first picture of the words that is large
//! enough. Icons, avatars, logos, place holders and counters are never it.

use crate::model::content::ContentKind;
use crate::model::entry::{Draft, Enclosure};
use crate::model::urls::PageUrl;
use crate::rules::markup::picture::{self, pixels};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// A picture that says it is smaller than this is no lead picture: pixels.
const LEAST_WIDTH: u32 = 120;
const LEAST_HEIGHT: u32 = 90;

/// Words in the name or folder of a file, or in the class of a picture, that stand for something else than the news.
const NEVER: [&str; 31] = [
    "1x1",
    "avatar",
    "avatars",
    "badge",
    "badges",
    "blank",
    "btn",
    "button",
    "buttons",
    "emoji",
    "emojis",
    "emoticon",
    "emoticons",
    "favicon",
    "gravatar",
    "icon",
    "icons",
    "logo",
    "logos",
    "pixel",
    "placeholder",
    "qrcode",
    "smiley",
    "smileys",
    "smilies",
    "spacer",
    "sprite",
    "sprites",
    "tracker",
    "tracking",
    "userpic",
];

/// Endings that are no photographs.
const NO_PHOTOGRAPHS: [&str; 3] = [".ico", ".svg", ".svgz"];

/// The lead picture of an entry, where it has one.
pub fn lead(draft: &Draft) -> Option<PageUrl> {
    // What came from an archive has the lead picture it had.
    let body = draft.body.as_ref();
    let body = body.filter(|body| body.kind == ContentKind::Html);
    given(draft).or_else(|| first(&body?.text, draft.link.as_ref()))
}

/// The one its feed names.
pub fn given(draft: &Draft) -> Option<PageUrl> {
    let enclosed = draft.enclosures.iter().filter(|e| is_picture(e));
    draft
        .thumbnail
        .iter()
        .chain(enclosed.map(|enclosure| &enclosure.url))
        .find(|url| may_be(url))
        .cloned()
}

/// The first picture of some HTML that is large enough, or says nothing of its size.
pub fn first(html: &str, base: Option<&PageUrl>) -> Option<PageUrl> {
    Tokens::new(html).find_map(|token| match token {
        Token::Start(tag) if picture::is_picture(&tag) && is_large(&tag) => {
            picture::addresses(&tag)
                .filter_map(|url| match base {
                    Some(base) => base.join(&url).ok(),
                    None if url.starts_with("//") => PageUrl::parse(&format!("https:{url}")).ok(),
                    None => PageUrl::parse(&url).ok(),
                })
                .find(may_be)
        }
        _ => None,
    })
}

fn is_picture(enclosure: &Enclosure) -> bool {
    if let Some(kind) = &enclosure.media_type {
        return kind.trim().to_ascii_lowercase().starts_with("image/");
    }
    let path = enclosure.url.path().to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

fn is_large(tag: &Tag<'_>) -> bool {
    let classes = ["class", "id"]
        .iter()
        .filter_map(|name| tag.attribute(name));
    !picture::is_unseen(tag)
        && pixels(tag, "width").is_none_or(|width| width >= LEAST_WIDTH)
        && pixels(tag, "height").is_none_or(|height| height >= LEAST_HEIGHT)
        && !classes.into_iter().any(is_other)
}

/// Whether an address has the shape of a lead picture's.
pub fn may_be(url: &PageUrl) -> bool {
    let path = url.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or_default();
    let of_people = ["gravatar", "avatar", "avatars"];
    let host = url.host().split(['.', '-']);
    !(picture::is_beacon(url.as_str())
        || picture::is_placeholder(url.as_str())
        || NO_PHOTOGRAPHS.iter().any(|end| path.ends_with(end))
        || host.into_iter().any(|word| of_people.contains(&word))
        || is_other(&path)
        || is_small(file))
}

fn is_other(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| NEVER.iter().any(|never| word.eq_ignore_ascii_case(never)))
}

/// Whether a file's name ends in the size of an icon: `face-64x64.png`.
fn is_small(file: &str) -> bool {
    file.split(['-', '_', '.', '@']).any(|part| {
        let sides = part.split_once('x');
        let side = |text: &str| text.parse::<u32>().ok().filter(|side| *side > 0);
        sides.is_some_and(|(width, height)| {
            side(width).is_some_and(|width| width < LEAST_WIDTH)
                && side(height).is_some_and(|height| height < LEAST_HEIGHT)
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::content::Content;

    fn url(text: &str) -> PageUrl {
        PageUrl::parse(text).unwrap()
    }

    fn enclosure(address: &str, kind: Option<&str>) -> Enclosure {
        Enclosure {
            url: url(address),
            media_type: kind.map(str::to_owned),
            length: None,
        }
    }

    #[test]
    fn what_the_feed_names_comes_before_the_words() {
        let draft = |thumbnail: Option<&str>, enclosures: Vec<Enclosure>, body: &str| Draft {
            link: Some(url("https://e.org/n/1")),
            thumbnail: thumbnail.map(url),
            enclosures,
            body: Some(Content::html(body)),
            ..Draft::default()
        };
        let check = |draft: &Draft, expected: Option<&str>| {
            assert_eq!(lead(draft), expected.map(url), "{draft:?}");
        };
        let body = "<p>x<img src=/b.jpg>";
        let photo = || enclosure("https://e.org/e", Some("Image/JPEG"));
        let sound = || enclosure("https://e.org/e.jpg", Some("audio/mpeg"));
        let icon = Some("https://e.org/favicon.png");
        check(
            &draft(Some("https://e.org/t"), vec![photo()], body),
            Some("https://e.org/t"),
        );
        check(
            &draft(None, vec![sound(), photo()], body),
            Some("https://e.org/e"),
        );
        check(&draft(icon, vec![photo()], body), Some("https://e.org/e"));
        check(
            &draft(None, vec![sound()], body),
            Some("https://e.org/b.jpg"),
        );
        let named = enclosure("https://e.org/x.JPG?a", None);
        check(
            &draft(None, vec![named], body),
            Some("https://e.org/x.JPG?a"),
        );
        check(&draft(icon, vec![], "<p>x"), None);
        let archived = Draft {
            body: Some(Content {
                kind: ContentKind::HugoBlocks,
                text: "<img src=https://e.org/b>".to_owned(),
            }),
            ..Draft::default()
        };
        check(&archived, None);
    }

    #[test]
    fn of_the_words_the_first_that_is_large_enough() {
        let base = url("https://e.org/n/1");
        let check = |html: &str, expected: Option<&str>| {
            let found = first(html, Some(&base));
            assert_eq!(found, expected.map(url), "{html}");
        };
        for small in [
            "<img src=a.jpg width=1 height=1>",
            "<img src=a.jpg width=64>",
            "<img src=a.jpg width=600 height=60px>",
            "<img src=a.jpg class='size-full wp-smiley emoji'>",
            "<img src=a.jpg class=author-avatar>",
            "<img src=/author/avatars/7.jpg>",
            "<img src=https://secure.gravatar.com/b?s=400>",
            "<img src=face-64x64.png>",
            "<img src=/static/Site_Logo.png>",
            "<img src=a.svg>",
            "<img src=/blank.gif>",
            "<img src=https://pixel.wp.com/g.gif>",
            "<img src='data:image/png;base64,AAAA'>",
            "<img alt=x>",
        ] {
            check(small, None);
            check(
                &format!("{small}<p>x<img src=b.jpg width=640>"),
                Some("https://e.org/n/b.jpg"),
            );
        }
        check(
            "<img width=100% src=blank.gif data-src=/c.webp>",
            Some("https://e.org/c.webp"),
        );
        check(
            "<img src=a-1200x64.png>",
            Some("https://e.org/n/a-1200x64.png"),
        );
        check(
            "<img src=/catalogos/iconic.jpg>",
            Some("https://e.org/catalogos/iconic.jpg"),
        );
        let without = first("<img src=/a><img src=//e.org/b>", None);
        assert_eq!(without, Some(url("https://e.org/b")));
    }
}
