//! Copies of pictures: which pictures of an article are copied, what the bytes that came are, and how its words are shown
//! with copies in the place of the publisher's.

mod attempt;
mod kind;

pub use attempt::{Answered, Attempt, TRIES, settle};
pub use kind::kind;

use std::collections::HashSet;

use crate::model::article::Article;
use crate::model::image::Copies;
use crate::model::urls::PageUrl;
use crate::rules::html;
use crate::rules::markup::entity::decode;
use crate::rules::markup::escape::push_anywhere;
use crate::rules::markup::picture::{self, candidates};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// Of a picture that is there in several widths, the largest that is not over this is copied: twice the column of a
/// reader, for screens that have two pixels where it counts one.
const WIDTH: f64 = 1600.0;

/// Likewise of densities.
const DENSITY: f64 = 2.0;

/// Longer addresses are not asked.
const LONGEST: usize = 2048;

/// The pictures of an article that are copied, the lead picture first, each once, so many at most. These are those that it is
/// shown with: of the HTML as published nothing else is asked for.
pub fn wanted(article: &Article, most: usize) -> Vec<PageUrl> {
    let shown = html::display(&article.body, article.link.as_ref());
    let pictures = Tokens::new(&shown).filter_map(|token| match token {
        Token::Start(tag) if picture::is_picture(&tag) => chosen(&tag),
        _ => None,
    });
    let mut seen = HashSet::new();
    article
        .thumbnail
        .iter()
        .map(PageUrl::without_fragment)
        .chain(pictures)
        .filter(|url| url.as_str().len() <= LONGEST && seen.insert(url.clone()))
        .take(most)
        .collect()
}

/// Our address for a picture that is shown.
pub fn copy_of<'c>(copies: &'c Copies, url: &PageUrl) -> Option<&'c str> {
    copies
        .get(url.without_fragment().as_str())
        .map(String::as_str)
}

/// Safe HTML with our addresses where there are copies. What a picture was there in besides (other sizes, other forms) goes
/// with the publisher's address, or browsers would ask for that.
pub fn with_copies(safe: String, copies: &Copies) -> String {
    if copies.is_empty() {
        return safe;
    }
    let mut out = String::with_capacity(safe.len());
    // What stands in a `picture` before its `img`.
    let mut forms: Option<String> = None;
    for token in Tokens::new(&safe) {
        let (tag, raw) = match token {
            Token::Start(tag) | Token::End(tag) => (Some(tag), tag.raw),
            Token::Text(text) => (None, text),
            Token::Other => continue,
        };
        let is_start = matches!(token, Token::Start(_));
        match tag {
            Some(tag) if tag.is("picture") => {
                out.push_str(&forms.take().unwrap_or_default());
                forms = is_start.then(String::new);
                out.push_str(raw);
            }
            Some(tag) if is_start && picture::is_picture(&tag) => {
                let before = forms.take().unwrap_or_default();
                let ours = chosen(&tag).and_then(|url| copy_of(copies, &url).map(str::to_owned));
                if let Some(ours) = ours {
                    replaced(&mut out, &tag, &ours);
                } else {
                    out.push_str(&before);
                    out.push_str(raw);
                }
            }
            _ => forms.as_mut().unwrap_or(&mut out).push_str(raw),
        }
    }
    out.push_str(&forms.unwrap_or_default());
    out
}

/// The same picture at our address alone.
fn replaced(out: &mut String, tag: &Tag<'_>, ours: &str) {
    out.push_str("<img src=\"");
    push_anywhere(out, ours);
    out.push('"');
    for (name, raw) in tag.attributes() {
        if ["src", "srcset", "sizes"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            continue;
        }
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        push_anywhere(out, &decode(raw, true));
        out.push('"');
    }
    out.push('>');
}

/// The address of a picture of safe HTML that its copy is made from.
fn chosen(tag: &Tag<'_>) -> Option<PageUrl> {
    let src = tag.value("src");
    let set = tag.value("srcset");
    let given = best(src.as_deref(), set.as_deref().unwrap_or_default())?;
    let url = PageUrl::parse(given).ok()?;
    Some(url.without_fragment())
}

/// Of a picture's addresses the one to be copied: the largest that is not larger than a reader shows, or else the smallest. As
/// in browsers, `src` counts only where the set has no widths (HTML §4.8.4.3.4).
fn best<'a>(src: Option<&'a str>, set: &'a str) -> Option<&'a str> {
    let sized = |unit: char| {
        candidates(set).filter_map(move |(url, size)| {
            let size: f64 = match size.strip_suffix(unit) {
                Some(number) => number.parse().ok()?,
                None if size.is_empty() && unit == 'x' => 1.0,
                None => return None,
            };
            (size > 0.0).then_some((url, size))
        })
    };
    let widths: Vec<_> = sized('w').collect();
    if !widths.is_empty() {
        return fitting(&widths, WIDTH);
    }
    let src = src.filter(|src| !src.starts_with("data:"));
    let densities: Vec<_> = src
        .map(|src| (src, 1.0))
        .into_iter()
        .chain(sized('x'))
        .collect();
    fitting(&densities, DENSITY)
}

/// The largest that is not over this, the first of several; where all are, the smallest.
fn fitting<'a>(sized: &[(&'a str, f64)], most: f64) -> Option<&'a str> {
    let within = sized.iter().filter(|(_, size)| *size <= most);
    let largest = within.reduce(|best, next| if next.1 > best.1 { next } else { best });
    let smallest = || {
        sized
            .iter()
            .reduce(|best, next| if next.1 < best.1 { next } else { best })
    };
    largest.or_else(smallest).map(|(url, _)| *url)
}

#[cfg(test)]
mod tests;
