//! The merged feed as JSON Feed 1.1 (F-56).
//!
//! What JSON Feed has no word for stands under `_feedmill`, which other readers pass over, with the names the Atom
//! document has for it.

use serde::Serialize;

use crate::model::river::Carrier;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::output::Output;
use crate::output::edition::{Edition, Item, MAX_TITLE, Origin};
use crate::output::forms::{fit, iri, line};

/// The merged feed as JSON Feed.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Output for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn file(&self) -> &'static str {
        "feed.json"
    }

    fn media_type(&self) -> &'static str {
        "application/feed+json"
    }

    fn write(&self, edition: &Edition<'_>) -> Vec<u8> {
        let river = edition.river;
        let feed = Feed {
            version: "https://jsonfeed.org/version/1.1",
            title: &edition.title,
            home_page_url: river.home.as_str(),
            feed_url: self.address(edition),
            description: edition.subtitle.as_deref(),
            language: edition.language,
            authors: people(std::slice::from_ref(&edition.author)),
            items: edition.items.iter().map(entry).collect(),
            ours: OfFeed {
                id: iri(&river.id),
                updated: river.updated.rfc3339(),
            },
        };
        let mut document = serde_json::to_vec(&feed).unwrap_or_else(|error| {
            // Structs of texts and numbers have no way to fail.
            tracing::error!(%error, "no JSON document");
            Vec::new()
        });
        document.push(b'\n');
        document
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are JSON Feed's")]
struct Feed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    authors: Vec<Person<'a>>,
    #[serde(rename = "_feedmill")]
    ours: OfFeed,
    items: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct OfFeed {
    id: String,
    updated: String,
}

#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_published: Option<String>,
    date_modified: String,
    authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    #[serde(rename = "_feedmill")]
    ours: OfEntry<'a>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

#[derive(Serialize)]
struct OfEntry<'a> {
    seq: u64,
    content: String,
    feed: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_id: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    highlight: bool,
    source: Source<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    carriers: Vec<OtherCarrier<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyOf<'a>>,
}

/// A picture that is shown from a copy of ours.
#[derive(Serialize)]
struct CopyOf<'a> {
    url: &'a str,
    of: &'a str,
}

#[derive(Serialize)]
struct Source<'a> {
    id: &'a str,
    title: &'a str,
    updated: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home_page_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
}

#[derive(Serialize)]
struct OtherCarrier<'a> {
    id: String,
    feed: &'a str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    same_id: bool,
    /// `near`: the same article in other words.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'static str>,
}

fn entry<'a>(item: &'a Item<'a>) -> Entry<'a> {
    let stored = &item.entry.article;
    let article = &stored.article;
    let html = Some(item.content.as_str()).filter(|content| !content.is_empty());
    let summary = item.summary.as_deref();
    Entry {
        id: &item.id,
        url: article.link.as_ref().map(PageUrl::as_str),
        title: &item.title,
        content_html: html,
        // One of the two is required; an entry without words has a summary.
        content_text: summary.filter(|_| html.is_none()),
        summary: summary.filter(|_| html.is_some()),
        image: item.picture(),
        date_published: article.published.map(Timestamp::rfc3339),
        date_modified: stored.revised.rfc3339(),
        authors: people(item.writers()),
        tags: tags(item),
        language: item.language,
        attachments: item
            .enclosures()
            .map(|(enclosure, kind)| Attachment {
                url: enclosure.url.as_str(),
                mime_type: kind.unwrap_or("application/octet-stream"),
                size_in_bytes: enclosure.length,
            })
            .collect(),
        ours: OfEntry {
            seq: stored.seq.0,
            content: article.content.short().to_string(),
            feed: stored.feed.as_str(),
            original_id: item.original_id().map(|id| fit(id.to_owned())),
            tags: &item.tags,
            highlight: item.is_highlighted(),
            source: source(&item.origin),
            carriers: item.carriers().map(carrier).collect(),
            copies: item.copies().map(|(of, url)| CopyOf { url, of }).collect(),
        },
    }
}

/// The publisher's categories and the operator's tags, each once.
fn tags<'a>(item: &'a Item<'a>) -> Vec<&'a str> {
    let ours = item
        .tags
        .iter()
        .filter(|tag| !item.categories.contains(tag));
    item.categories
        .iter()
        .chain(ours)
        .map(String::as_str)
        .collect()
}

fn source<'a>(origin: &'a Origin<'a>) -> Source<'a> {
    Source {
        id: &origin.id,
        title: &origin.title,
        updated: origin.updated.rfc3339(),
        authors: people(&origin.authors),
        feed_url: origin.self_link.map(PageUrl::as_str),
        home_page_url: origin.home.map(PageUrl::as_str),
        rights: origin.rights.as_deref(),
        icon: origin.icon.map(PageUrl::as_str),
    }
}

fn carrier(carrier: &Carrier) -> OtherCarrier<'_> {
    OtherCarrier {
        id: iri(&carrier.id),
        feed: carrier.feed.as_str(),
        title: line(&carrier.source_title, MAX_TITLE),
        url: carrier.link.as_ref().map(PageUrl::as_str),
        same_id: carrier.same_id,
        words: carrier.near.then_some("near"),
    }
}

fn people(names: &[String]) -> Vec<Person<'_>> {
    names.iter().map(|name| Person { name }).collect()
}
