//! Any RSS, RDF, Atom or JSON feed.
//!
//! What a feed is shows in its bytes: `Content-Type` is advice (P-86). The reader forgives what can be understood,
//! notes it, and loses an entry rather than a feed.
//!
//! XML is read by a walk of our own over quick-xml's events. The feed-rs crate was the first choice, but its panics
//! cannot be mended away in front of it (an author `张三（a@example.org）`, a full-width `itunes:duration`), it loses
//! the feed with the entry, and it drops what we need: `rdf:about`, `isPermaLink`, `atom:source`, dates without a
//! zone. Mending all that takes a reader by itself; what is left for it to rescue is measured in docs/decisions.md.

mod constructs;
mod cursor;
mod entry;
mod hints;
mod json;
mod missing;
mod names;
mod references;
mod scope;
mod text;
mod tombstone;
mod xml;

use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use crate::model::http::{Ask, Page};
use crate::model::urls::PageUrl;
use crate::rules::charset::{self, Decoded, Evidence, Kind};
use crate::rules::{limits, repair};
use crate::source::Source;

/// Reads any feed in a standard format.
pub struct Feed;

static SPEC: SourceSpec = SourceSpec {
    name: "feed",
    about: "any RSS, RDF, Atom or JSON feed",
    options: &[OptionSpec {
        name: "url",
        kind: OptionKind::Url,
        required: true,
        default: None,
        about: "the feed's address",
    }],
    language: "und",
    zone: "UTC",
    archive: "hugo",
};

impl Source for Feed {
    fn spec(&self) -> &'static SourceSpec {
        &SPEC
    }

    fn first(&self, subscription: &Subscription) -> Ask {
        // The configuration refuses a subscription without the required address.
        Ask::get(subscription.options.url("url").unwrap_or_else(nowhere))
    }

    fn read(&self, subscription: &Subscription, page: &Page) -> Result<Listing, ReadError> {
        let json = page.bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        let kind = if json { Kind::Json } else { Kind::Xml };
        let Decoded {
            text,
            charset,
            evidence,
            replaced,
        } = charset::read(
            &page.bytes,
            subscription.charset.as_deref(),
            page.charset.as_deref(),
            kind,
        );
        let (text, forbidden) = repair::without_forbidden(text);
        let (text, junk) = repair::from_its_start(&text);
        let mut listing = if text.is_empty() {
            return Err(found("an empty document"));
        } else if text.starts_with(['{', '[']) {
            limits::scan_json(text)?;
            json::read(text, &page.url, &subscription.zone)?
        } else if repair::is_html(text) {
            return Err(found(&html_page(text)));
        } else if text.starts_with('<') {
            limits::scan_xml(text)?;
            xml::read(text, &page.url, &subscription.zone)?
        } else {
            return Err(found(&format!(
                "text beginning with `{}`",
                text::line(text)
                    .unwrap_or_default()
                    .chars()
                    .take(40)
                    .collect::<String>()
            )));
        };
        let mut notes = Vec::new();
        if !matches!(
            (charset, evidence),
            ("UTF-8", Evidence::Utf8Valid | Evidence::Bom)
        ) || replaced > 0
        {
            notes.push(format!("charset: {charset} by {}", evidence.name()));
        }
        if replaced > 0 {
            notes.push(format!("mended: {replaced} bytes that are no {charset}"));
        }
        if forbidden > 0 {
            notes.push(format!("mended: {forbidden} characters XML forbids"));
        }
        notes.extend(junk);
        notes.append(&mut listing.notes);
        listing.notes = notes;
        Ok(listing)
    }

    fn complete(
        &self,
        _: &Subscription,
        _: &Teaser,
        _: usize,
        _: &Page,
    ) -> Result<Draft, ReadError> {
        Err(ReadError::Missing {
            field: "a teaser".to_owned(),
            page: "a feed, which carries its entries whole",
        })
    }
}

fn found(what: &str) -> ReadError {
    ReadError::Other {
        expected: "a feed",
        found: what.to_owned(),
    }
}

fn html_page(text: &str) -> String {
    let head = text
        .get(..text.floor_char_boundary(64 * 1024))
        .unwrap_or(text);
    let lower = head.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let (_, inside) = head.get(at..)?.split_once('>')?;
        text::line_of_html(inside.split("</").next()?)
    });
    match title {
        Some(title) => format!(
            "an HTML page titled {:?}",
            title.chars().take(80).collect::<String>()
        ),
        None => "an HTML page without a title".to_owned(),
    }
}

fn nowhere() -> PageUrl {
    #[allow(clippy::expect_used)]
    PageUrl::parse("http://feed.invalid/").expect("a constant address")
}
