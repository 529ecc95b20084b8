//! The merged feed as RSS 2.0 (F-55), for readers that know nothing else.
//!
//! RSS has one date an entry and no place for a source without an address; `atom:updated`, `dc:creator`
//! and `media:content` (the lead picture) carry what it has no word for.

use std::collections::BTreeMap;

use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Enclosure, Guid, Item as RssItem, Source};

use crate::model::time::{Timestamp, Zone};
use crate::output::Output;
use crate::output::atom::{MEDIA, NAMESPACE};
use crate::output::edition::{Edition, Item};
use crate::output::forms::line;
use crate::rules::html;

const ATOM: &str = "http://www.w3.org/2005/Atom";

/// Characters of a description we have to make ourselves.
const DESCRIPTION: usize = 300;

/// The merged feed as RSS 2.0.
#[derive(Clone, Copy, Debug)]
pub struct Rss;

impl Output for Rss {
    fn name(&self) -> &'static str {
        "rss"
    }

    fn file(&self) -> &'static str {
        "feed.rss"
    }

    fn media_type(&self) -> &'static str {
        "application/rss+xml; charset=utf-8"
    }

    fn write(&self, edition: &Edition<'_>) -> Vec<u8> {
        let river = edition.river;
        let address = self.address(edition);
        let own = [
            ("rel", "self"),
            ("type", "application/rss+xml"),
            ("href", &address),
        ];
        let marked = edition.items.iter().any(Item::is_highlighted);
        let channel = Channel {
            title: edition.title.clone(),
            link: river.home.to_string(),
            // The element is required; a title says more than nothing.
            description: edition
                .subtitle
                .clone()
                .filter(|subtitle| !subtitle.is_empty())
                .unwrap_or_else(|| edition.title.clone()),
            language: edition.language.map(str::to_owned),
            last_build_date: Some(date(river.updated)),
            generator: Some(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).into()),
            ttl: Some(edition.max_age.as_secs().div_ceil(60).to_string()),
            namespaces: [("atom", ATOM), ("media", MEDIA)]
                .into_iter()
                .chain(marked.then_some(("fm", NAMESPACE)))
                .map(|(prefix, name)| (prefix.to_owned(), name.to_owned()))
                .collect(),
            extensions: extension("atom:link", &own, None),
            items: edition.items.iter().map(item).collect(),
            ..Channel::default()
        };
        let mut document = Vec::new();
        // Neither a vector nor the names above can fail; a document that breaks off would be found by every test.
        if let Err(error) = channel.pretty_write_to(&mut document, b' ', 2) {
            tracing::error!(%error, "the RSS document breaks off");
        }
        document.push(b'\n');
        document
    }
}

fn item(item: &Item<'_>) -> RssItem {
    let stored = &item.entry.article;
    let article = &stored.article;
    let description = item
        .summary
        .clone()
        .unwrap_or_else(|| line(&html::summary(&article.body, DESCRIPTION), DESCRIPTION));
    // A source needs the address of its feed; its name is in dc:creator where it has to stand for an author.
    let source = item.origin.self_link.map(|link| Source {
        url: link.to_string(),
        title: Some(item.origin.title.clone()),
    });
    let mut extensions = extension("atom:updated", &[], Some(stored.revised.rfc3339()));
    if let Some(picture) = item.picture() {
        let attributes = [("url", picture), ("medium", "image")];
        extensions.extend(extension("media:content", &attributes, None));
    }
    if item.is_highlighted() {
        extensions.extend(extension("fm:highlight", &[], None));
    }
    RssItem {
        title: Some(item.title.clone()),
        link: article.link.as_ref().map(ToString::to_string),
        // Readers take a description for HTML, and the words here are plain.
        description: Some(html::escape_text(&description)),
        categories: categories(item),
        enclosure: enclosure(item),
        guid: Some(Guid {
            value: item.id.clone(),
            permalink: false,
        }),
        pub_date: Some(date(article.published.unwrap_or(stored.revised))),
        source,
        content: Some(item.content.clone()).filter(|content| !content.is_empty()),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: item.writers().to_vec(),
            languages: item.language.map(str::to_owned).into_iter().collect(),
            ..DublinCoreExtension::default()
        }),
        extensions,
        ..RssItem::default()
    }
}

/// RSS has one enclosure an item, with type and length always.
fn enclosure(item: &Item<'_>) -> Option<Enclosure> {
    item.enclosures().next().map(|(enclosure, kind)| Enclosure {
        url: enclosure.url.to_string(),
        length: enclosure.length.unwrap_or_default().to_string(),
        mime_type: kind.unwrap_or("application/octet-stream").to_owned(),
    })
}

/// The publisher's, and the operator's in a domain of ours.
fn categories(item: &Item<'_>) -> Vec<Category> {
    let theirs = item.categories.iter().map(|term| (term, None));
    let ours = item
        .tags
        .iter()
        .map(|tag| (tag, Some(NAMESPACE.to_owned())));
    let all = theirs.chain(ours).map(|(name, domain)| Category {
        name: name.clone(),
        domain,
    });
    all.collect()
}

fn extension(name: &str, attributes: &[(&str, &str)], value: Option<String>) -> ExtensionMap {
    let element = Extension {
        name: name.to_owned(),
        value,
        attrs: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Extension::default()
    };
    let (space, local) = name.split_once(':').unwrap_or(("", name));
    let of_space = BTreeMap::from([(local.to_owned(), vec![element])]);
    BTreeMap::from([(space.to_owned(), of_space)])
}

/// RFC 822 with a year of four digits, in GMT.
fn date(time: Timestamp) -> String {
    time.civil(&Zone::utc(), "%a, %d %b %Y %H:%M:%S GMT")
}
