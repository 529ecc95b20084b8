//! Any site with a JSON interface: a list of entries, read by the paths in feeds.toml.

use serde_json::Value;

use super::Source;
use super::page::entries::{self, Date, List, Raw, option};
use super::page::path::{self, Address, Path};
use super::page::{article, json, option_url, text};
use super::scrape::pages;
use crate::model::content::Content;
use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use crate::model::http::{Ask, Page};
use crate::model::time::Timestamp;
use crate::rules::{embedded, limits};

/// The reader of JSON interfaces.
pub struct Json;

const LIST: &str = "the list";
const DEFAULTS: &[(&str, &str)] = &[];
const PATH: OptionKind = OptionKind::Written(path::check_path);
const ADDRESS: OptionKind = OptionKind::Written(path::check_address);

static SPEC: SourceSpec = SourceSpec {
    name: "json",
    about: "a site with a JSON interface: a list, read by paths",
    options: &[
        OptionSpec {
            required: true,
            ..option("url", OptionKind::Url, "where the list is")
        },
        OptionSpec {
            required: true,
            ..option("items", PATH, "the path to the list (`data.list`)")
        },
        option(
            "embedded",
            OptionKind::Text,
            "the JSON is in a script of an HTML page: what it is assigned to (`window.DATA`)",
        ),
        option("item_id", PATH, "in an entry, the publisher's id"),
        OptionSpec {
            default: Some("url"),
            ..option(
                "item_link",
                ADDRESS,
                "the link to its page: a path, or an address with paths in braces (`https://example.org/a/{id}`)",
            )
        },
        OptionSpec {
            default: Some("title"),
            ..option("item_title", PATH, "its title")
        },
        option(
            "item_date",
            PATH,
            "its date: in words, or seconds or milliseconds since 1970",
        ),
        option("item_summary", PATH, "its summary"),
        option("item_body", PATH, "its words as HTML"),
        option("item_author", PATH, "its authors (`authors[*].name`)"),
        option("item_image", ADDRESS, "its picture"),
        entries::DATE_FORMAT,
        article::BODY,
        article::DROP,
        article::TITLE,
        article::DATE,
        article::AUTHOR,
        option(
            "next",
            ADDRESS,
            "the address of the next page of the list, as `item_link`",
        ),
        entries::PAGES,
    ],
    language: "und",
    zone: "UTC",
    archive: "html",
};

impl Source for Json {
    fn spec(&self) -> &'static SourceSpec {
        &SPEC
    }

    fn check(&self, subscription: &Subscription) -> Result<(), String> {
        entries::check(subscription)
    }

    fn first(&self, subscription: &Subscription) -> Ask {
        Ask::get(option_url(subscription, "url", "https://example.org/"))
    }

    fn pages(&self, subscription: &Subscription) -> usize {
        pages(subscription)
    }

    fn read(&self, subscription: &Subscription, page: &Page) -> Result<Listing, ReadError> {
        listing(subscription, page, None)
    }

    fn read_at(
        &self,
        subscription: &Subscription,
        page: &Page,
        fetched: Timestamp,
    ) -> Result<Listing, ReadError> {
        listing(subscription, page, Some(fetched))
    }

    fn explain(&self, subscription: &Subscription, page: &Page, fetched: Timestamp) -> Vec<String> {
        match Found::on(subscription, page) {
            Ok(found) => list(subscription, page, Some(fetched)).explain(&found.raws),
            Err(_) => Vec::new(), // reading says it
        }
    }

    fn complete(
        &self,
        subscription: &Subscription,
        teaser: &Teaser,
        _route: usize,
        page: &Page,
    ) -> Result<Draft, ReadError> {
        article::complete(subscription, teaser, page)
    }
}

fn listing(
    subscription: &Subscription,
    page: &Page,
    fetched: Option<Timestamp>,
) -> Result<Listing, ReadError> {
    let found = Found::on(subscription, page)?;
    let mut listing = list(subscription, page, fetched).read(found.raws)?;
    listing
        .notes
        .splice(0..0, article::charset_notes(subscription, page));
    if let Some(next) = found.next.and_then(|next| page.url.join(&next).ok()) {
        listing.more = Some(Ask::get(next.without_fragment()));
    }
    Ok(listing)
}

fn list<'a>(
    subscription: &'a Subscription,
    page: &'a Page,
    fetched: Option<Timestamp>,
) -> List<'a> {
    List {
        fetched,
        subscription,
        base: &page.url,
        here: &page.url,
        name: LIST,
        defaults: DEFAULTS,
    }
}

/// What stands in a list.
struct Found {
    raws: Vec<Raw>,
    next: Option<String>,
}

impl Found {
    fn on(subscription: &Subscription, page: &Page) -> Result<Self, ReadError> {
        let text = text(subscription, page)?;
        let option = |name| subscription.options.get(name);
        let text = match option("embedded") {
            Some(marker) => embedded::object_after(&text, marker)
                .ok_or_else(|| json::missing(&format!("object at embedded `{marker}`"), LIST))?,
            None => &text,
        };
        limits::scan_json(text)?;
        let document = json::parse(text, "a JSON list")?;
        let items = need(subscription, "items")?;
        let written = format!("items `{}`", option("items").unwrap_or_default());
        let items = path::list(&items, &written, &document, LIST)?;
        let fields = Fields {
            id: read(subscription, "item_id", Path::parse)?,
            link: read(subscription, "item_link", Address::parse)?,
            title: read(subscription, "item_title", Path::parse)?,
            date: read(subscription, "item_date", Path::parse)?,
            summary: read(subscription, "item_summary", Path::parse)?,
            body: read(subscription, "item_body", Path::parse)?,
            author: read(subscription, "item_author", Path::parse)?,
            image: read(subscription, "item_image", Address::parse)?,
        };
        let next = read(subscription, "next", Address::parse)?;
        Ok(Self {
            raws: items.into_iter().map(|item| fields.of(item)).collect(),
            next: next.and_then(|next| next.of(&document)),
        })
    }
}

/// A path of a subscription, read; the configuration has already checked it.
fn read<T>(
    subscription: &Subscription,
    name: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ReadError> {
    let written = subscription.options.get(name);
    written
        .map(parse)
        .transpose()
        .map_err(|why| ReadError::Broken {
            format: "path",
            why,
        })
}

fn need(subscription: &Subscription, name: &str) -> Result<Path, ReadError> {
    read(subscription, name, Path::parse)?.ok_or_else(|| json::missing(name, LIST))
}

struct Fields {
    id: Option<Path>,
    link: Option<Address>,
    title: Option<Path>,
    date: Option<Path>,
    summary: Option<Path>,
    body: Option<Path>,
    author: Option<Path>,
    image: Option<Address>,
}

impl Fields {
    fn of(&self, item: &Value) -> Raw {
        let word = |path: &Option<Path>| {
            let path = path.as_ref()?;
            path.words(item).into_iter().next()
        };
        let address = |address: &Option<Address>| address.as_ref()?.of(item);
        Raw {
            id: word(&self.id),
            link: address(&self.link),
            title: word(&self.title),
            date: self.date.as_ref().and_then(|path| date(path, item)),
            summary: word(&self.summary).map(content),
            body: word(&self.body).map(Content::html),
            authors: self
                .author
                .as_ref()
                .map(|path| path.words(item).into_iter().take(50).collect())
                .unwrap_or_default(),
            image: address(&self.image),
        }
    }
}

fn date(path: &Path, item: &Value) -> Option<Date> {
    match path.all(item).first()? {
        Value::Number(number) => {
            #[allow(clippy::cast_possible_truncation)] // a fraction of a second is cut
            let whole = number
                .as_i64()
                .or_else(|| number.as_f64().map(|n| n as i64));
            whole.map(Date::Number)
        }
        Value::String(text) if !text.trim().is_empty() => Some(Date::Words(text.trim().to_owned())),
        _ => None,
    }
}

/// Summaries are words, and now and then markup.
fn content(text: String) -> Content {
    if text.contains('<') && text.contains('>') {
        Content::html(text)
    } else {
        Content::plain(text)
    }
}
