//! The subscriptions as OPML 2.0 (F-58), for other readers to take over.

use crate::model::feed::{FeedInfo, Subscription};
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::output::forms::{language, line};
use crate::output::xml::Xml;

/// The document's name below the home page.
pub const FILE: &str = "subscriptions.opml";

/// What it is served as.
pub const MEDIA_TYPE: &str = "text/x-opml; charset=utf-8";

const MAX_TITLE: usize = 1000;

/// A feed as others can subscribe to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The name people know it by.
    pub title: String,
    /// Where the feed is.
    pub feed: PageUrl,
    /// The site it belongs to.
    pub home: Option<PageUrl>,
    /// BCP 47.
    pub language: String,
    /// What it is about; none has a comma or a slash in it.
    pub categories: Vec<String>,
}

impl Outline {
    /// A subscription as others can take it over; `None` where its publisher has no feed that others could read: the
    /// adapters for publishers without feeds ask addresses that mean nothing to another program.
    ///
    /// Whoever keeps private subscriptions leaves them out before (F-63). Addresses with credentials cannot get here,
    /// no [`PageUrl`] has any.
    pub fn of(subscription: &Subscription, info: &FeedInfo) -> Option<Self> {
        let asked = subscription.options.url("url");
        let feed = asked
            .filter(|_| subscription.source == "feed")
            .or_else(|| info.self_link.clone())?;
        let name = subscription.title.as_ref().or(info.title.as_ref());
        let title = line(name.map_or("", String::as_str), MAX_TITLE);
        Some(Self {
            title: if title.is_empty() {
                subscription.id.to_string()
            } else {
                title
            },
            feed,
            home: info.home.clone(),
            language: subscription.language.clone(),
            categories: subscription.tags.clone(),
        })
    }
}

/// The whole document. `updated` is when the subscriptions last changed, never the time of writing.
pub fn render(title: &str, updated: Timestamp, outlines: &[Outline]) -> Vec<u8> {
    document(title, Some(updated), outlines)
}

/// The same where nobody knows when they last changed.
pub fn undated(title: &str, outlines: &[Outline]) -> Vec<u8> {
    document(title, None, outlines)
}

fn document(title: &str, updated: Option<Timestamp>, outlines: &[Outline]) -> Vec<u8> {
    let mut xml = Xml::document();
    xml.start("opml", &[("version", "2.0")]);
    xml.start("head", &[]);
    xml.element("title", &[], &line(title, MAX_TITLE));
    if let Some(updated) = updated {
        let modified = updated.civil(&Zone::utc(), "%a, %d %b %Y %H:%M:%S GMT");
        xml.element("dateModified", &[], &modified);
    }
    xml.element("docs", &[], "http://opml.org/spec2.opml");
    xml.end();
    xml.start("body", &[]);
    for outline in outlines {
        let mut attributes = vec![
            ("text", outline.title.as_str()),
            ("title", &outline.title),
            ("type", "rss"),
            ("xmlUrl", outline.feed.as_str()),
        ];
        attributes.extend(outline.home.as_ref().map(|home| ("htmlUrl", home.as_str())));
        attributes.extend(language(&outline.language).map(|tag| ("language", tag)));
        // A comma parts categories, and a slash would make one of another.
        let categories = outline.categories.iter().map(|tag| tag.replace(',', " "));
        let categories = categories.collect::<Vec<_>>().join(",");
        if !categories.is_empty() {
            attributes.push(("category", &categories));
        }
        xml.empty("outline", &attributes);
    }
    xml.finish().into_bytes()
}
