//! Tencent News. Three lists (an author's, the hot list, a channel) of the same kind of entries, and three pages that
//! hold an entry's words.

mod body;
mod detail;
mod lists;

use serde_json::json;

use super::{Source, page};
use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use crate::model::http::{Ask, Method, Page};
use crate::model::urls::PageUrl;

/// The reader of Tencent News.
pub struct Qq;

const LISTS: &str = "https://i.news.qq.com";
const HOT_LIST: &str = "https://r.inews.qq.com";
const ARTICLES: &str = "https://news.qq.com";
const VIEW: &str = "https://view.inews.qq.com";
const SIMPLE: &str = "https://r.inews.qq.com";
const CHANNEL: &str = "news_news_top";
/// The client id the channel feed wants: any 36 characters do, and the same ones at every poll say least.
const CLIENT: &str = "000000000000000000000000000000000000";

const fn base(
    name: &'static str,
    default: Option<&'static str>,
    about: &'static str,
) -> OptionSpec {
    OptionSpec {
        name,
        kind: OptionKind::Url,
        required: false,
        default,
        about,
    }
}

static SPEC: SourceSpec = SourceSpec {
    name: "qq",
    about: "Tencent News: an author's list, the hot list, or a channel",
    options: &[
        OptionSpec {
            name: "list",
            kind: OptionKind::OneOf(&["hot", "author", "channel"]),
            required: false,
            default: Some("hot"),
            about: "which list: hot, author (wants suid) or channel",
        },
        OptionSpec {
            name: "suid",
            kind: OptionKind::Text,
            required: false,
            default: None,
            about: "the author's id, for list = \"author\"",
        },
        OptionSpec {
            name: "channel",
            kind: OptionKind::Text,
            required: false,
            default: Some(CHANNEL),
            about: "the channel's id, for list = \"channel\"",
        },
        base(
            "list_base",
            None,
            "where the lists are; each list has its own host where absent",
        ),
        base(
            "article_base",
            Some(ARTICLES),
            "where the article pages are",
        ),
        base(
            "view_base",
            Some(VIEW),
            "where the app's pages are, the first fallback",
        ),
        base(
            "simple_base",
            Some(SIMPLE),
            "where the simple JSON is, the second fallback",
        ),
    ],
    language: "zh-CN",
    zone: "Asia/Shanghai",
    archive: "hugo",
};

impl Source for Qq {
    fn spec(&self) -> &'static SourceSpec {
        &SPEC
    }

    fn check(&self, subscription: &Subscription) -> Result<(), String> {
        let option = |name| subscription.options.get(name);
        match (option("list"), option("suid")) {
            (Some("author"), None) => {
                Err("list = \"author\" needs suid, the author's id".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn first(&self, subscription: &Subscription) -> Ask {
        let option = |name| subscription.options.get(name);
        let (host, place, query): (_, _, &[(&str, &str)]) = match option("list") {
            Some("author") => (
                LISTS,
                "/getSubNewsMixedList",
                &[
                    ("guestSuid", option("suid").unwrap_or_default()),
                    ("tabId", "om_index"),
                    ("caller", "1"),
                    ("from_scene", "103"),
                ],
            ),
            Some("channel") => (LISTS, "/web_feed/getPCList", &[]),
            _ => (
                HOT_LIST,
                "/gw/event/hot_ranking_list",
                &[("page_size", "50")],
            ),
        };
        let base = page::option_url(subscription, "list_base", host);
        let url = page::with_query(page::under(&base, place).unwrap_or(base), query);
        match option("list") {
            Some("channel") => Ask {
                url,
                method: Method::PostJson(channel_question(option("channel").unwrap_or(CHANNEL))),
                headers: vec![
                    ("Origin", ARTICLES.to_owned()),
                    ("Referer", format!("{ARTICLES}/")),
                ],
            },
            _ => Ask::get(url),
        }
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
        detail::complete(subscription, teaser, page, &page::text(subscription, page)?)
    }
}

/// What the channel feed is asked: its first page, the same at every poll.
fn channel_question(channel: &str) -> String {
    json!({
        "base_req": {"from": "pc"},
        "forward": "2",
        "qimei36": CLIENT,
        "device_id": CLIENT,
        "flush_num": 1,
        "channel_id": channel,
        "item_count": 20,
        "page": 1,
    })
    .to_string()
}

/// The address an article is known by, whichever host listed it.
fn canonical(id: &str) -> Option<PageUrl> {
    PageUrl::parse(&format!("https://new.qq.com/rain/a/{id}")).ok()
}

/// The pages that hold the words of an entry, the best first.
fn details(subscription: &Subscription, id: &str) -> Vec<Ask> {
    let places = [
        ("article_base", ARTICLES, format!("/rain/a/{id}")),
        ("view_base", VIEW, format!("/a/{id}")),
        ("simple_base", SIMPLE, format!("/getSimpleNews?id={id}")),
    ];
    places
        .iter()
        .filter_map(|(option, default, place)| {
            page::under(&page::option_url(subscription, option, default), place)
        })
        .map(Ask::get)
        .collect()
}

/// Whether this is an article's (or a film's) id, which is also its address: eight digits of the day, a letter for the
/// kind, and more letters and digits.
fn is_article_id(id: &str) -> bool {
    let (day, rest) = id.split_at_checked(8).unwrap_or((id, ""));
    day.bytes().all(|byte| byte.is_ascii_digit())
        && rest.starts_with(['A', 'V'])
        && (4..=24).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Films have a letter of their own.
fn is_film_id(id: &str) -> bool {
    is_article_id(id) && id.as_bytes().get(8) == Some(&b'V')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_a_day_a_letter_and_a_number() {
        let check = |id, article, film| {
            assert_eq!((is_article_id(id), is_film_id(id)), (article, film), "{id}");
        };
        check("20250208A01ABC00", true, false);
        check("20250208V01ABC00", true, true);
        check("TIP2025021100000", false, false);
        check("20250208A", false, false);
        check("20250208A01/../x", false, false);
        check("2025字A", false, false);
        check("", false, false);
    }
}
