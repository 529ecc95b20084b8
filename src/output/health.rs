//! The health feed: an entry each time a feed came into another state, for whoever looks after them. Atom 1.0.

use uuid::Uuid;

use crate::model::health::HealthEvent;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::output::forms::{below, line};
use crate::output::xml::Xml;

/// The document's name below the home of the merged feed.
pub const FILE: &str = "health.atom";

/// What it is served as.
pub const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";

/// How many changes it holds at most, the newest.
pub const ENTRIES: usize = 100;

const MAX_TEXT: usize = 1000;

/// What the operator says, and who the store is.
#[derive(Clone, Debug)]
pub struct Head {
    /// 16 random bytes, drawn once for the life of a store: all ids here are made from them.
    pub store_id: [u8; 16],
    /// The title of the merged feed.
    pub title: String,
    /// The author of the merged feed.
    pub author: String,
    /// Where it is served.
    pub home: PageUrl,
}

/// The whole document: changes in their order, which is newest first, no more than [`ENTRIES`] of them. The same changes
/// give the same bytes.
pub fn render(head: &Head, events: &[HealthEvent]) -> Vec<u8> {
    let events = events.get(..ENTRIES).unwrap_or(events);
    let mut xml = Xml::document();
    let names = [("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", "en")];
    xml.start("feed", &names);
    xml.element("id", &[], &id(head, "health"));
    let title = line(&format!("{}: health of its feeds", head.title), MAX_TEXT);
    xml.element("title", &[("type", "text")], &title);
    let updated = events.iter().map(|event| event.change.at).max();
    let updated = updated.unwrap_or(Timestamp::EPOCH);
    xml.element("updated", &[], &updated.rfc3339());
    let author = line(&head.author, MAX_TEXT);
    let author = if author.is_empty() {
        env!("CARGO_PKG_NAME")
    } else {
        &author
    };
    xml.start("author", &[]);
    xml.element("name", &[], author);
    xml.end();
    for (relation, kind, address) in [
        ("self", "application/atom+xml", below(&head.home, FILE)),
        ("alternate", "text/html", head.home.to_string()),
    ] {
        let attributes = [("rel", relation), ("type", kind), ("href", &*address)];
        xml.empty("link", &attributes);
    }
    xml.element(
        "generator",
        &[("version", env!("CARGO_PKG_VERSION"))],
        env!("CARGO_PKG_NAME"),
    );
    for event in events {
        entry(&mut xml, head, event);
    }
    xml.finish().into_bytes()
}

fn entry(xml: &mut Xml, head: &Head, event: &HealthEvent) {
    let change = &event.change;
    let at = change.at.rfc3339();
    xml.start("entry", &[]);
    let name = format!("health/{}", event.number);
    xml.element("id", &[], &id(head, &name));
    let title = format!(
        "{}/{}: {}",
        change.to.chinese(),
        change.to.word(),
        event.feed
    );
    xml.element("title", &[("type", "text")], &title);
    xml.element("updated", &[], &at);
    xml.element("published", &[], &at);
    xml.empty("category", &[("term", change.to.word())]);
    let text = format!(
        "The feed {} is {}. It was {} before. Why: {}. What to do: {}",
        event.feed,
        change.to,
        change.from.word(),
        line(&change.why, MAX_TEXT),
        change.to.advice()
    );
    xml.element("content", &[("type", "text")], &text);
    xml.end();
}

/// An IRI of its own for each name: the same for good, and never that of another store.
fn id(head: &Head, name: &str) -> String {
    let store = uuid::Builder::from_random_bytes(head.store_id).into_uuid();
    format!("urn:uuid:{}", Uuid::new_v5(&store, name.as_bytes()))
}
