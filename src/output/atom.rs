//! The merged feed as Atom 1.0 (RFC 4287).
//!
//! What Atom has no word for stands in a namespace of ours, `fm:`, that other readers pass over: an entry's number
//! (`fm:seq`), which words it carries (`fm:content`), its feed with us (`fm:feed`), the publisher's own id where that
//! is no IRI (`fm:original-id`), the mark of the operator's rules (`fm:highlight`), everybody else who carries the same words
//! (`fm:carrier`), or, where that says `words="near"`, the same article in other ones, and where a picture that is shown
//! from a copy of ours was (`fm:copy`). Its lead picture is a `media:thumbnail`.

use crate::model::river::Carrier;
use crate::output::edition::{Edition, Item, MAX_TITLE, Origin};
use crate::output::forms::{below, iri, line};
use crate::output::xml::Xml;
use crate::output::{Laid, Output, Part};

/// The namespace of our own elements. It names, and is no address.
pub const NAMESPACE: &str = "urn:feedmill:ns:1";

/// The namespace of archived feeds (RFC 5005 §4).
const HISTORY: &str = "http://purl.org/syndication/history/1.0";

const ATOM: &str = "http://www.w3.org/2005/Atom";

/// The namespace of Media RSS, for an entry's lead picture.
pub(super) const MEDIA: &str = "http://search.yahoo.com/mrss/";

/// The merged feed as Atom.
#[derive(Clone, Copy, Debug)]
pub struct Atom;

impl Output for Atom {
    fn name(&self) -> &'static str {
        "atom"
    }

    fn file(&self) -> &'static str {
        "feed.atom"
    }

    fn media_type(&self) -> &'static str {
        "application/atom+xml; charset=utf-8"
    }

    fn write(&self, edition: &Edition<'_>) -> Vec<u8> {
        self.lay(edition).bytes
    }

    fn lay(&self, edition: &Edition<'_>) -> Laid {
        let mut xml = begin(edition);
        let mut entries = Vec::with_capacity(edition.items.len());
        for item in &edition.items {
            let from = xml.len();
            xml.append(part(item));
            entries.push(Part {
                id: item.id.clone(),
                place: from..xml.len(),
            });
        }
        Laid {
            bytes: xml.finish().into_bytes(),
            entries,
        }
    }
}

/// How many bytes the document takes without its entries.
pub(super) fn frame(edition: &Edition<'_>) -> usize {
    begin(edition).finish().len()
}

/// How many bytes an entry takes in it.
pub(super) fn size(item: &Item<'_>) -> usize {
    part(item).len()
}

fn begin(edition: &Edition<'_>) -> Xml {
    let mut xml = Xml::document();
    let mut names = vec![
        ("xmlns", ATOM),
        ("xmlns:fm", NAMESPACE),
        ("xmlns:media", MEDIA),
    ];
    names.extend(edition.language.map(|tag| ("xml:lang", tag)));
    xml.start("feed", &names);
    head(&mut xml, edition);
    xml
}

fn part(item: &Item<'_>) -> Xml {
    let mut part = Xml::part(1);
    write_entry(&mut part, item);
    part
}

fn head(xml: &mut Xml, edition: &Edition<'_>) {
    let river = edition.river;
    let address = Atom.address(edition);
    xml.element("id", &[], &iri(&river.id));
    xml.element("title", &[("type", "text")], &edition.title);
    if let Some(subtitle) = &edition.subtitle {
        xml.element("subtitle", &[("type", "text")], subtitle);
    }
    xml.element("updated", &[], &river.updated.rfc3339());
    person(xml, &edition.author);
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
    let links = [
        ("current", &edition.history.current),
        ("prev-archive", &edition.history.previous),
    ];
    for (relation, stem) in links {
        let Some(stem) = stem else { continue };
        let address = below(&river.home, &format!("{stem}.{}", Atom.name()));
        xml.empty(
            "link",
            &[
                ("rel", relation),
                ("type", "application/atom+xml"),
                ("href", &address),
            ],
        );
    }
    if edition.history.current.is_some() {
        xml.empty("fh:archive", &[("xmlns:fh", HISTORY)]);
    }
    xml.element(
        "generator",
        &[("version", env!("CARGO_PKG_VERSION"))],
        env!("CARGO_PKG_NAME"),
    );
}

fn write_entry(xml: &mut Xml, item: &Item<'_>) {
    let stored = &item.entry.article;
    let attributes: Vec<_> = item
        .language
        .map(|tag| ("xml:lang", tag))
        .into_iter()
        .collect();
    xml.start("entry", &attributes);
    xml.element("id", &[], &item.id);
    xml.element("title", &[("type", "text")], &item.title);
    xml.element("updated", &[], &stored.revised.rfc3339());
    if let Some(published) = stored.article.published {
        xml.element("published", &[], &published.rfc3339());
    }
    for name in &item.authors {
        person(xml, name);
    }
    links(xml, item);
    for term in &item.categories {
        xml.empty("category", &[("term", term)]);
    }
    for tag in &item.tags {
        xml.empty("category", &[("term", tag), ("scheme", NAMESPACE)]);
    }
    origin(xml, &item.origin);
    if let Some(summary) = &item.summary {
        xml.element("summary", &[("type", "text")], summary);
    }
    if !item.content.is_empty() {
        xml.element("content", &[("type", "html")], &item.content);
    }
    if let Some(picture) = item.picture() {
        xml.empty("media:thumbnail", &[("url", picture)]);
    }
    ours(xml, item);
    xml.end();
}

fn person(xml: &mut Xml, name: &str) {
    xml.start("author", &[]);
    xml.element("name", &[], name);
    xml.end();
}

fn links(xml: &mut Xml, item: &Item<'_>) {
    if let Some(link) = &item.entry.article.article.link {
        xml.empty("link", &[("rel", "alternate"), ("href", link.as_str())]);
    }
    for (enclosure, media_type) in item.enclosures() {
        let length = enclosure.length.map(|length| length.to_string());
        let mut attributes = vec![("rel", "enclosure"), ("href", enclosure.url.as_str())];
        attributes.extend(media_type.map(|kind| ("type", kind)));
        attributes.extend(length.as_deref().map(|length| ("length", length)));
        xml.empty("link", &attributes);
    }
    for carrier in item.carriers() {
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
fn origin(xml: &mut Xml, source: &Origin<'_>) {
    xml.start("source", &[]);
    xml.element("id", &[], &source.id);
    xml.element("title", &[("type", "text")], &source.title);
    xml.element("updated", &[], &source.updated.rfc3339());
    for name in &source.authors {
        person(xml, name);
    }
    if let Some(link) = source.self_link {
        xml.empty("link", &[("rel", "self"), ("href", link.as_str())]);
    }
    if let Some(home) = source.home {
        xml.empty("link", &[("rel", "alternate"), ("href", home.as_str())]);
    }
    if let Some(rights) = &source.rights {
        xml.element("rights", &[("type", "text")], rights);
    }
    if let Some(icon) = source.icon {
        xml.element("icon", &[], icon.as_str());
    }
    xml.end();
}

fn ours(xml: &mut Xml, item: &Item<'_>) {
    let stored = &item.entry.article;
    let content = stored.article.content.short().to_string();
    xml.element("fm:seq", &[], &stored.seq.0.to_string());
    xml.element("fm:content", &[], &content);
    xml.element("fm:feed", &[], stored.feed.as_str());
    if let Some(original) = item.original_id() {
        xml.element("fm:original-id", &[], original);
    }
    if item.is_highlighted() {
        xml.empty("fm:highlight", &[]);
    }
    for carrier in item.carriers() {
        write_carrier(xml, carrier);
    }
    for (theirs, ours) in item.copies() {
        xml.empty("fm:copy", &[("href", ours), ("of", theirs)]);
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
    attributes.extend(carrier.near.then_some(("words", "near")));
    xml.empty("fm:carrier", &attributes);
}
