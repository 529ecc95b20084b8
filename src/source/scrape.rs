//! Any site without a feed: a list page, read by the CSS selectors in feeds.toml.

use std::collections::HashSet;

use dom_query::{Document, NodeRef};

use super::Source;
use super::page::css::{self, Field, Usual};
use super::page::entries::{self, Date, List, Raw, option};
use super::page::{MAX_ITEMS, article, html, json, option_url, text};
use crate::model::content::Content;
use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use crate::model::http::{Ask, Page};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// The reader of list pages.
pub struct Scrape;

const LIST: &str = "the list page";
const FIELD: OptionKind = OptionKind::Written(css::check_field);
const DEFAULTS: &[(&str, &str)] = &[("item_link", "a[href]"), ("item_title", "the link's text")];

static SPEC: SourceSpec = SourceSpec {
    name: "scrape",
    about: "a site without a feed: a list page, read by CSS selectors",
    options: &[
        OptionSpec {
            required: true,
            ..option("url", OptionKind::Url, "the list page")
        },
        OptionSpec {
            required: true,
            ..option(
                "items",
                OptionKind::Written(css::check_selector),
                "the elements that are one entry each",
            )
        },
        option(
            "item_link",
            FIELD,
            "in an entry, the link to its page; where absent the entry itself or its first `a[href]`",
        ),
        option(
            "item_title",
            FIELD,
            "its title; where absent the link's text",
        ),
        option(
            "item_date",
            FIELD,
            "its date: `datetime` of what is named, else its text, else the attribute said (`time @title`)",
        ),
        option("item_summary", FIELD, "its summary"),
        option(
            "item_body",
            OptionKind::Written(css::check_selector),
            "its words, where the list has them whole",
        ),
        option("item_author", FIELD, "its authors"),
        option("item_image", FIELD, "its picture"),
        entries::DATE_FORMAT,
        article::BODY,
        article::DROP,
        article::TITLE,
        article::DATE,
        article::AUTHOR,
        option("next", FIELD, "the link to the next page of the list"),
        entries::PAGES,
    ],
    language: "und",
    zone: "UTC",
    archive: "html",
};

impl Source for Scrape {
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
        read(subscription, page, None)
    }

    fn read_at(
        &self,
        subscription: &Subscription,
        page: &Page,
        fetched: Timestamp,
    ) -> Result<Listing, ReadError> {
        read(subscription, page, Some(fetched))
    }

    fn explain(&self, subscription: &Subscription, page: &Page, fetched: Timestamp) -> Vec<String> {
        match Found::on(subscription, page) {
            Ok(found) => found
                .list(subscription, page, Some(fetched))
                .explain(&found.raws),
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

fn read(
    subscription: &Subscription,
    page: &Page,
    fetched: Option<Timestamp>,
) -> Result<Listing, ReadError> {
    let found = Found::on(subscription, page)?;
    let mut listing = found
        .list(subscription, page, fetched)
        .read(found.raws.clone())?;
    listing
        .notes
        .splice(0..0, article::charset_notes(subscription, page));
    listing.notes.extend(found.note);
    listing.info.title = found.title;
    listing.info.home = Some(page.url.clone());
    if let Some(next) = found.next.and_then(|next| found.base.join(&next).ok()) {
        listing.more = Some(Ask::get(next.without_fragment()));
    }
    Ok(listing)
}

/// How many pages of a list are asked at most.
pub(super) fn pages(subscription: &Subscription) -> usize {
    let pages = subscription.options.get("pages");
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(1)
}

/// What stands on a list page.
struct Found {
    raws: Vec<Raw>,
    base: PageUrl,
    title: Option<String>,
    next: Option<String>,
    note: Option<String>,
}

impl Found {
    fn on(subscription: &Subscription, page: &Page) -> Result<Self, ReadError> {
        let document = html::parse(&text(subscription, page)?, "a page of HTML")?;
        let field = |name| article::field(subscription, name);
        let items = field("items")?.ok_or_else(|| json::missing("items", LIST))?;
        let nodes = items.nodes(&document.root());
        if nodes.is_empty() {
            let written = subscription.options.get("items").unwrap_or_default();
            return Err(json::missing(&format!("items `{written}`"), LIST));
        }
        let all = nodes.len();
        let nodes = innermost(nodes);
        if nodes.len() > MAX_ITEMS {
            return Err(ReadError::Limit {
                what: "entries",
                limit: MAX_ITEMS,
            });
        }
        let outer = all - nodes.len();
        let fields = Fields {
            link: field("item_link")?,
            title: field("item_title")?,
            date: field("item_date")?,
            summary: field("item_summary")?,
            body: field("item_body")?,
            author: field("item_author")?,
            image: field("item_image")?,
        };
        let root = document.root();
        let next = field("next")?.and_then(|next| next.value(&root, Usual::Link));
        Ok(Self {
            raws: nodes.iter().map(|node| fields.of(node)).collect(),
            base: base(&document, &page.url),
            title: html::first(&document, "title").and_then(|title| html::text(&title)),
            next,
            note: (outer > 0)
                .then(|| format!("items that hold other items, and are none: {outer}")),
        })
    }

    fn list<'a>(
        &'a self,
        subscription: &'a Subscription,
        page: &'a Page,
        fetched: Option<Timestamp>,
    ) -> List<'a> {
        List {
            fetched,
            subscription,
            base: &self.base,
            here: &page.url,
            name: LIST,
            defaults: DEFAULTS,
        }
    }
}

/// Elements without those that hold another one: a page must not come out many times over.
fn innermost(nodes: Vec<NodeRef<'_>>) -> Vec<NodeRef<'_>> {
    // In the order of the document, whoever holds another one holds the one after it.
    let holders: HashSet<_> = nodes
        .windows(2)
        .filter_map(|pair| match pair {
            [outer, inner] => inner
                .ancestors_it(None)
                .any(|up| up.id == outer.id)
                .then_some(outer.id),
            _ => None,
        })
        .collect();
    let keep = |node: &NodeRef<'_>| !holders.contains(&node.id);
    nodes.into_iter().filter(keep).collect()
}

/// What addresses on the page are relative to (HTML standard §4.2.3).
fn base(document: &Document, here: &PageUrl) -> PageUrl {
    html::first(document, "base[href]")
        .and_then(|base| base.attr("href"))
        .and_then(|href| here.join(&href).ok())
        .unwrap_or_else(|| here.clone())
}

struct Fields {
    link: Option<Field>,
    title: Option<Field>,
    date: Option<Field>,
    summary: Option<Field>,
    body: Option<Field>,
    author: Option<Field>,
    image: Option<Field>,
}

impl Fields {
    fn of(&self, item: &NodeRef) -> Raw {
        let value = |field: &Option<Field>, usual| {
            let field = field.as_ref()?;
            field.value(item, usual)
        };
        let anchor = || {
            let itself = item.has_attr("href").then_some(*item);
            itself.or_else(|| item.descendants_it().find(|node| node.has_attr("href")))
        };
        let link = match &self.link {
            Some(link) => link.value(item, Usual::Link),
            None => anchor()
                .and_then(|a| a.attr("href"))
                .map(|href| href.trim().to_owned()),
        };
        let title = match (&self.title, &self.link) {
            (Some(title), _) => title.value(item, Usual::Text),
            (None, Some(link)) => link.nodes(item).first().and_then(css::text),
            (None, None) => anchor().as_ref().and_then(css::text),
        };
        let body = self.body.as_ref().and_then(|body| {
            let html: String = body.nodes(item).first()?.inner_html().to_string();
            (!html.trim().is_empty()).then(|| Content::html(html))
        });
        Raw {
            id: None,
            link: link.filter(|link| !link.is_empty()),
            title,
            date: value(&self.date, Usual::Date).map(Date::Words),
            summary: value(&self.summary, Usual::Text).map(Content::plain),
            body,
            authors: self
                .author
                .as_ref()
                .map(|author| author.values(item))
                .unwrap_or_default(),
            image: value(&self.image, Usual::Picture),
        }
    }
}
