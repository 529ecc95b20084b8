//! Addresses inside HTML: which may stay, and how relative ones become absolute (F-14).

use url::Url;

use crate::model::urls::PageUrl;
use crate::rules::markup::entity;
use crate::rules::markup::picture::{candidates, is_placeholder};

/// `data:` addresses up to this length may stay, if they are raster pictures (F-16).
const MAX_DATA: usize = 8 * 1024;

/// Addresses longer than this are none.
const MAX_URL: usize = 8 * 1024;

/// An `http` or `https` address, as [`PageUrl`] writes it.
pub fn is_web(value: &str) -> bool {
    PageUrl::parse(value).is_ok_and(|url| url.as_str() == value)
}

/// An address one may follow.
pub fn is_link(value: &str) -> bool {
    is_web(value) || mail(value).is_some_and(|url| url == value)
}

/// A raster picture within the text. SVG is a document, not a picture.
pub fn is_small_picture(value: &str) -> bool {
    let kinds = ["png;", "jpeg;", "jpg;", "gif;", "webp;", "avif;", "bmp;"];
    value.len() <= MAX_DATA
        && value.bytes().all(|b| b.is_ascii_graphic())
        && value
            .strip_prefix("data:image/")
            .is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)))
}

fn mail(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    (url.scheme() == "mailto").then(|| url.into())
}

/// An attribute's address made absolute; `None` where it is none of ours. Without a base an address that only lacks
/// its scheme is taken for `https`.
pub fn resolve(raw: &str, base: Option<&PageUrl>) -> Option<String> {
    let value = entity::decode(raw, true);
    resolve_decoded(&value, base)
}

/// The same of an attribute that was decoded.
pub fn resolve_decoded(value: &str, base: Option<&PageUrl>) -> Option<String> {
    let value = value.trim();
    if value.is_empty() || value.len() > MAX_URL {
        return None;
    }
    if is_small_picture(value) {
        return Some(value.to_owned());
    }
    let web = match base {
        Some(base) => base.join(value),
        None if value.starts_with("//") => PageUrl::parse(&format!("https:{value}")),
        None => PageUrl::parse(value),
    };
    web.map(|url| url.as_str().to_owned())
        .ok()
        .or_else(|| mail(value))
}

/// A decoded `srcset` made absolute; `None` where no candidate is left.
pub fn resolve_set(value: &str, base: Option<&PageUrl>) -> Option<String> {
    let resolved: Vec<String> = candidates(value)
        .take(16)
        .filter(|(url, _)| !is_placeholder(url))
        .filter_map(|(url, size)| {
            let url =
                resolve_decoded(url, base).filter(|url| is_web(url) && !url.ends_with(','))?;
            Some(if size.is_empty() {
                url
            } else {
                format!("{url} {size}")
            })
        })
        .collect();
    (!resolved.is_empty()).then(|| resolved.join(", "))
}
