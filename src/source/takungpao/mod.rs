//! Ta Kung Pao. The site's JSON first (columns, stories, a story); its HTML pages, old and new, by their own shape. The
//! printed pages (PDF) are not read.

mod lists;
mod story;

use super::{Source, page};
use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use crate::model::http::{Ask, Page};
use crate::model::urls::PageUrl;

/// The reader of Ta Kung Pao.
pub struct TaKungPao;

const BASE: &str = "https://www.tkww.hk";
/// The column of the front page.
const HOME: &str = "home";

static SPEC: SourceSpec = SourceSpec {
    name: "takungpao",
    about: "Ta Kung Pao: a column of tkww.hk, or a list page of takungpao.com",
    options: &[
        OptionSpec {
            name: "url",
            kind: OptionKind::Url,
            required: false,
            default: None,
            about: "a stories.json or a list page; where absent the column is asked",
        },
        OptionSpec {
            name: "column",
            kind: OptionKind::Text,
            required: false,
            default: Some(HOME),
            about: "the column's uuid; or its name or path (`china/shanghai`), looked up first",
        },
        OptionSpec {
            name: "base",
            kind: OptionKind::Url,
            required: false,
            default: Some(BASE),
            about: "where the site's JSON is",
        },
    ],
    language: "zh-HK",
    zone: "Asia/Hong_Kong",
    archive: "text",
};

impl Source for TaKungPao {
    fn spec(&self) -> &'static SourceSpec {
        &SPEC
    }

    fn first(&self, subscription: &Subscription) -> Ask {
        if let Some(url) = subscription.options.url("url") {
            return Ask::get(url);
        }
        let column = column(subscription);
        let base = page::option_url(subscription, "base", BASE);
        let url = if is_uuid(column) {
            stories_url(subscription, column)
        } else {
            page::under(&base, "/columns.json")
        };
        Ask::get(url.unwrap_or(base))
    }

    fn read(&self, subscription: &Subscription, page: &Page) -> Result<Listing, ReadError> {
        lists::read(subscription, page, &page::text(subscription, page)?)
    }

    fn complete(
        &self,
        subscription: &Subscription,
        teaser: &Teaser,
        _route: usize,
        page: &Page,
    ) -> Result<Draft, ReadError> {
        story::complete(subscription, teaser, page, &page::text(subscription, page)?)
    }
}

fn column(subscription: &Subscription) -> &str {
    subscription.options.get("column").unwrap_or(HOME)
}

fn stories_url(subscription: &Subscription, uuid: &str) -> Option<PageUrl> {
    let base = page::option_url(subscription, "base", BASE);
    page::under(&base, &format!("/columns/{uuid}/tkww/app/stories.json"))
}

/// Whether this can stand in the address of a column as it is, and looks like no name: 16 to 64 of hex digits and
/// hyphens, with a digit.
fn is_uuid(text: &str) -> bool {
    (16..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_uuid_or_a_name() {
        let check = |text, expected| assert_eq!(is_uuid(text), expected, "{text}");
        check("0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f", true);
        check("0a1b2c3d4e5f0a1b2c3d4e5f", true);
        check("home", false);
        check("deadbeef", false);
        check("0a1b2c3d-0000-4000-8000-0a1b2c3d4e/x", false);
    }
}
