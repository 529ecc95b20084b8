//! The page of one entry, by the selectors of feeds.toml (`page_body` and its like).

use std::collections::HashSet;

use dom_query::{Document, NodeRef};

use super::css::{self, Field, Usual};
use super::entries::{Date, option};
use super::{decoded, html, json, text};
use crate::model::content::Content;
use crate::model::entry::{Draft, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, Subscription};
use crate::model::http::Page;

/// What it is called in messages.
const PAGE: &str = "the entry's page";

const fn field_option(name: &'static str, about: &'static str) -> OptionSpec {
    option(name, OptionKind::Written(css::check_field), about)
}

/// Where the words are; with it, each new entry's page is asked.
pub const BODY: OptionSpec = option(
    "page_body",
    OptionKind::Written(css::check_selector),
    "the words on the entry's own page; with it, each new entry's page is asked",
);
/// What of them goes.
pub const DROP: OptionSpec = option(
    "page_drop",
    OptionKind::Written(css::check_selector),
    "what of them is not the entry's: advertisements, buttons",
);
/// The title.
pub const TITLE: OptionSpec = field_option("page_title", "the title there, in place of the list's");
/// The date.
pub const DATE: OptionSpec = field_option("page_date", "the date there, in place of the list's");
/// The author.
pub const AUTHOR: OptionSpec =
    field_option("page_author", "the author there, in place of the list's");

/// A selector of a subscription, read; `None` where it has none. The configuration has already checked it.
pub fn field(subscription: &Subscription, name: &str) -> Result<Option<Field>, ReadError> {
    let written = subscription.options.get(name);
    written
        .map(Field::parse)
        .transpose()
        .map_err(|why| ReadError::Broken {
            format: "selector",
            why,
        })
}

/// The entry of a teaser, from its page.
pub fn complete(
    subscription: &Subscription,
    teaser: &Teaser,
    page: &Page,
) -> Result<Draft, ReadError> {
    let body = field(subscription, "page_body")?.ok_or_else(|| json::missing("page_body", PAGE))?;
    let document = html::parse(&text(subscription, page)?, "a page of HTML")?;
    if let Some(drop) = field(subscription, "page_drop")? {
        for node in drop.nodes(&document.root()) {
            node.remove_from_parent();
        }
    }
    let mut draft = teaser.draft.clone();
    let root = document.root();
    let value = |name, usual| -> Result<Option<String>, ReadError> {
        let field = field(subscription, name)?;
        Ok(field.and_then(|field| field.value(&root, usual)))
    };
    draft.title = value("page_title", Usual::Text)?.or(draft.title);
    let format = subscription.options.get("date_format");
    let date = value("page_date", Usual::Date)?
        .and_then(|words| Date::Words(words).read(format, &subscription.zone, None));
    draft.published = date.or(draft.published);
    if let Some(author) = value("page_author", Usual::Text)? {
        draft.authors = vec![author];
    }
    let words = words(&document, &body);
    if words.trim().is_empty() {
        let written = subscription.options.get("page_body").unwrap_or_default();
        return Err(json::missing(&format!("page_body `{written}`"), PAGE));
    }
    draft.body = Some(Content::html(words));
    Ok(draft)
}

/// The HTML of what a selector names: of one element what is inside it, of several each with its tag. What is inside one
/// of them comes with it, once.
fn words(document: &Document, body: &Field) -> String {
    let nodes = body.nodes(&document.root());
    if let [node] = nodes.as_slice() {
        return node.inner_html().to_string();
    }
    let mut taken = HashSet::new();
    let mut words = String::new();
    for node in nodes {
        let within = |taken: &HashSet<_>| {
            node.ancestors_it(None)
                .any(|up: NodeRef| taken.contains(&up.id))
        };
        if !within(&taken) {
            taken.insert(node.id);
            words.push_str(&node.html());
        }
    }
    words
}

/// What was done to read a page, for the notes of a listing.
pub fn charset_notes(subscription: &Subscription, page: &Page) -> Vec<String> {
    let decoded = decoded(subscription, page);
    let mut notes = Vec::new();
    if decoded.charset != "UTF-8" || decoded.replaced > 0 {
        notes.push(format!(
            "charset: {} by {}",
            decoded.charset,
            decoded.evidence.name()
        ));
    }
    if decoded.replaced > 0 {
        notes.push(format!(
            "mended: {} bytes that are no {}",
            decoded.replaced, decoded.charset
        ));
    }
    notes
}
