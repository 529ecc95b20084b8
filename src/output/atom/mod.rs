//! The merged feed as Atom 1.0 (RFC 4287).
//!
//! What Atom has no word for stands in a namespace of ours, `fm:`, that other readers pass over: an entry's number
//! (`fm:seq`), which words it carries (`fm:content`), its feed with us (`fm:feed`), the publisher's own id where that
//! is no IRI (`fm:original-id`), and everybody else who carries the same words (`fm:carrier`).

mod forms;

use std::collections::HashSet;

use crate::model::content::Content;
use crate::model::feed::FeedInfo;
use crate::model::river::{Carrier, River, RiverEntry};
use crate::model::urls::PageUrl;
use crate::output::Output;
use crate::output::atom::forms::{below, iri, is_media_type, language, line};
use crate::output::xml::Xml;
use crate::rules::html;

/// The namespace of our own elements. It names, and is no address.
pub const NAMESPACE: &str = "urn:feedmill:ns:1";

const ATOM: &str = "http://www.w3.org/2005/Atom";

/// The document's name below [`River::home`].
pub const FILE: &str = "feed.atom";

/// No entry is added that would make the document longer (F-18).
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// Longer content is cut, with a link to where it goes on (F-18).
pub const MAX_CONTENT: usize = 256 * 1024;

/// A title's characters, and how many authors, categories and the like an entry may have: one entry is no document.
const MAX_TITLE: usize = 1000;
const MAX_LIST: usize = 64;

/// The merged feed as Atom. The document holds the newest entries that fit into [`MAX_DOCUMENT`] (one at least); the
/// older ones belong into archive documents (RFC 5005), which come later.
#[derive(Clone, Copy, Debug)]
pub struct Atom;

impl Output for Atom {
    fn name(&self) -> &'static str {
        "atom"
    }

    fn render(&self, river: &River) -> Vec<u8> {
        let language = language(&river.language);
        let mut xml = Xml::document();
        let mut names = vec![("xmlns", ATOM), ("xmlns:fm", NAMESPACE)];
        names.extend(language.map(|tag| ("xml:lang", tag)));
        xml.start("feed", &names);
        head(&mut xml, river);
        let mut seen = HashSet::new();
        let mut full = false;
        for entry in &river.entries {
            let id = iri(&entry.id);
            // One entry an id (F-04): the first is the newest.
            if full || !seen.insert(id.clone()) {
                continue;
            }
            let mut part = Xml::part(1);
            write_entry(&mut part, entry, &id, language);
            full = seen.len() > 1 && xml.len() + part.len() + "</feed>\n".len() > MAX_DOCUMENT;
            if !full {
                xml.append(part);
            }
        }
        xml.finish().into_bytes()
    }
}

fn head(xml: &mut Xml, river: &River) {
    let address = below(&river.home, FILE);
    xml.element("id", &[], &iri(&river.id));
    xml.element("title", &[("type", "text")], &line(&river.title, MAX_TITLE));
    if let Some(subtitle) = &river.subtitle {
        xml.element("subtitle", &[("type", "text")], &line(subtitle, MAX_TITLE));
    }
    xml.element("updated", &[], &river.updated.rfc3339());
    let author = Some(line(&river.author, MAX_TITLE)).filter(|name| !name.is_empty());
    person(xml, author.as_deref().unwrap_or("feedmill"));
    xml.empty(
        "link",
        &[
            ("rel", "self"),
            ("type", "application/atom+xml"),
            ("href", &address),
        ],
    );
    xml.empty(
        "link",
        &[
            ("rel", "alternate"),
            ("type", "text/html"),
            ("href", river.home.as_str()),
        ],
    );
    xml.element(
        "generator",
        &[("version", env!("CARGO_PKG_VERSION"))],
        env!("CARGO_PKG_NAME"),
    );
}

fn write_entry(xml: &mut Xml, entry: &RiverEntry, id: &str, feed_language: Option<&str>) {
    let stored = &entry.article;
    let article = &stored.article;
    // F-13: each entry says its language where it is another one.
    let own_language = language(&entry.language).filter(|tag| Some(*tag) != feed_language);
    let attributes: Vec<_> = own_language
        .map(|tag| ("xml:lang", tag))
        .into_iter()
        .collect();
    xml.start("entry", &attributes);
    xml.element("id", &[], id);
    xml.element("title", &[("type", "text")], &title(entry, id));
    xml.element("updated", &[], &stored.revised.rfc3339());
    if let Some(published) = article.published {
        xml.element("published", &[], &published.rfc3339());
    }
    authors(xml, entry);
    links(xml, entry);
    let mut terms = HashSet::new();
    for term in article
        .categories
        .iter()
        .map(|term| line(term, MAX_TITLE))
        .take(MAX_LIST)
    {
        if !term.is_empty() && terms.insert(term.clone()) {
            xml.empty("category", &[("term", &term)]);
        }
    }
    origin(xml, entry);
    words(xml, entry, id);
    ours(xml, entry, id);
    xml.end();
}

/// An entry without a title is called by its first words: readers show nothing else in their lists.
fn title(entry: &RiverEntry, id: &str) -> String {
    let article = &entry.article.article;
    let given = line(&article.title, MAX_TITLE);
    let first_words = || line(&html::summary(&article.body, 80), 80);
    let link = || article.link.as_ref().map(|link| link.as_str().to_owned());
    Some(given)
        .into_iter()
        .chain(std::iter::once_with(first_words))
        .find(|title| !title.is_empty())
        .or_else(link)
        .unwrap_or_else(|| id.to_owned())
}

/// F-06: an entry without an author has those of its source (RFC 4287 §4.2.1), and where there are none the source itself.
fn authors(xml: &mut Xml, entry: &RiverEntry) {
    let names = names(&entry.article.article.authors);
    for name in &names {
        person(xml, name);
    }
    if names.is_empty() && self::names(&entry.source.authors).is_empty() {
        person(xml, &source_title(entry));
    }
}

fn names(given: &[String]) -> Vec<String> {
    given
        .iter()
        .map(|name| line(name, MAX_TITLE))
        .filter(|name| !name.is_empty())
        .take(MAX_LIST)
        .collect()
}

fn person(xml: &mut Xml, name: &str) {
    xml.start("author", &[]);
    xml.element("name", &[], name);
    xml.end();
}

fn links(xml: &mut Xml, entry: &RiverEntry) {
    let article = &entry.article.article;
    if let Some(link) = &article.link {
        xml.empty("link", &[("rel", "alternate"), ("href", link.as_str())]);
    }
    for enclosure in article.enclosures.iter().take(MAX_LIST) {
        let length = enclosure.length.map(|length| length.to_string());
        let mut attributes = vec![("rel", "enclosure"), ("href", enclosure.url.as_str())];
        let media_type = enclosure
            .media_type
            .as_deref()
            .filter(|kind| is_media_type(kind));
        attributes.extend(media_type.map(|kind| ("type", kind)));
        attributes.extend(length.as_deref().map(|length| ("length", length)));
        xml.empty("link", &attributes);
    }
    for carrier in entry.carriers.iter().take(MAX_LIST) {
        let Some(link) = &carrier.link else { continue };
        let title = line(&carrier.source_title, MAX_TITLE);
        // F-04: the same entry by another way, or the same words in another entry.
        let relation = if carrier.same_id { "via" } else { "related" };
        let mut attributes = vec![("rel", relation), ("href", link.as_str())];
        attributes.extend(
            Some(&*title)
                .filter(|title| !title.is_empty())
                .map(|title| ("title", title)),
        );
        xml.empty("link", &attributes);
    }
}

/// `atom:source` with id, title and updated always (F-05).
fn origin(xml: &mut Xml, entry: &RiverEntry) {
    let source = &entry.source;
    xml.start("source", &[]);
    xml.element("id", &[], &source_id(entry, source));
    xml.element("title", &[("type", "text")], &source_title(entry));
    let updated = source.updated.unwrap_or(entry.article.revised);
    xml.element("updated", &[], &updated.rfc3339());
    for name in names(&source.authors) {
        person(xml, &name);
    }
    if let Some(link) = &source.self_link {
        xml.empty("link", &[("rel", "self"), ("href", link.as_str())]);
    }
    if let Some(home) = &source.home {
        xml.empty("link", &[("rel", "alternate"), ("href", home.as_str())]);
    }
    let rights = line(source.rights.as_deref().unwrap_or_default(), MAX_TITLE);
    if !rights.is_empty() {
        xml.element("rights", &[("type", "text")], &rights);
    }
    if let Some(icon) = &source.icon {
        xml.element("icon", &[], icon.as_str());
    }
    xml.end();
}

fn source_id(entry: &RiverEntry, source: &FeedInfo) -> String {
    source
        .id
        .as_deref()
        .map_or_else(|| format!("urn:feedmill:feed:{}", entry.article.feed), iri)
}

fn source_title(entry: &RiverEntry) -> String {
    let given = line(entry.source.title.as_deref().unwrap_or_default(), MAX_TITLE);
    if given.is_empty() {
        entry.article.feed.to_string()
    } else {
        given
    }
}

/// Content, and a summary where the publisher wrote one or where there is no content (F-17).
fn words(xml: &mut Xml, entry: &RiverEntry, id: &str) {
    let article = &entry.article.article;
    let base = article.link.as_ref();
    let content = content(&article.body, base);
    let summary = article
        .summary
        .as_ref()
        .map(|summary| line(&html::summary(summary, MAX_TITLE), MAX_TITLE))
        .filter(|summary| !summary.is_empty());
    if let Some(summary) = summary.or_else(|| content.is_empty().then(|| title(entry, id))) {
        xml.element("summary", &[("type", "text")], &summary);
    }
    if !content.is_empty() {
        xml.element("content", &[("type", "html")], &content);
    }
}

fn content(body: &Content, base: Option<&PageUrl>) -> String {
    let whole = html::display(body, base);
    if whole.len() > MAX_CONTENT {
        cut_copy(body, base)
    } else {
        whole
    }
}

/// The first paragraphs as plain text, and a link to the rest: cutting between paragraphs needs no tree and leaves
/// nothing open.
fn cut_copy(body: &Content, base: Option<&PageUrl>) -> String {
    let behind = base.map_or_else(
        || "<p>…</p>".to_owned(),
        |link| {
            let address = html::escape_text(link.as_str());
            format!("<p>Continues at <a href=\"{address}\">{address}</a></p>")
        },
    );
    let room = MAX_CONTENT.saturating_sub(behind.len());
    let mut copy = String::new();
    for paragraph in html::words(body).lines() {
        let written = html::paragraphs(paragraph);
        if copy.len() + written.len() <= room {
            copy.push_str(&written);
            continue;
        }
        if copy.is_empty() {
            // One paragraph longer than all there is room for; a character takes at most six bytes when escaped.
            copy = html::paragraphs(html::cut(paragraph, room.saturating_sub(7) / 6));
        }
        break;
    }
    copy + &behind
}

fn ours(xml: &mut Xml, entry: &RiverEntry, id: &str) {
    let stored = &entry.article;
    xml.element("fm:seq", &[], &stored.seq.0.to_string());
    xml.element(
        "fm:content",
        &[],
        &stored.article.content.short().to_string(),
    );
    xml.element("fm:feed", &[], stored.feed.as_str());
    if let Some(original) = stored
        .article
        .id
        .as_ref()
        .filter(|original| original.as_str() != id)
    {
        xml.element("fm:original-id", &[], original.as_str());
    }
    for carrier in entry.carriers.iter().take(MAX_LIST) {
        write_carrier(xml, carrier);
    }
}

fn write_carrier(xml: &mut Xml, carrier: &Carrier) {
    let id = iri(&carrier.id);
    let title = line(&carrier.source_title, MAX_TITLE);
    let mut attributes = vec![
        ("id", &*id),
        ("feed", carrier.feed.as_str()),
        ("title", &*title),
    ];
    attributes.extend(carrier.link.as_ref().map(|link| ("href", link.as_str())));
    attributes.extend(carrier.same_id.then_some(("same-id", "true")));
    xml.empty("fm:carrier", &attributes);
}
