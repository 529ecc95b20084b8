//! DW's feeds: RDF (RSS 1.0) and RSS 2.0, as teasers; or any feed in these shapes whose items hold the archive's body.

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{LocalName, ResolveResult};

use super::super::page::{MAX_ITEMS, json, label, looks_like, title};
use super::{compose, detail_ask, is_number, link_tail, without_maca};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::{FeedInfo, Subscription};
use crate::model::http::Page;
use crate::model::ids::EntryId;
use crate::model::urls::PageUrl;
use crate::rules::dates;

const PAGE: &str = "the feed";
/// Feeds are about four elements deep.
const MAX_DEPTH: usize = 64;
/// Elements of a whole feed: 5,000 items of 40.
const MAX_ELEMENTS: usize = 200_000;

const DC: &str = "http://purl.org/dc/elements/1.1/";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
const DWSYN: &str = "http://rss.dw.com/syndication/dwsyn/";
const RSS1: &str = "http://purl.org/rss/1.0/";

/// What an item (or the channel) says, as text.
#[derive(Default)]
struct Fields {
    title: String,
    link: String,
    description: String,
    encoded: String,
    guid: String,
    date: String,
    language: String,
    content_id: String,
    /// The subject that is being read.
    subject: String,
    subjects: Vec<String>,
}

/// Reads a feed. `whole`: its items carry the archive's body and no detail is asked.
pub fn read(
    subscription: &Subscription,
    page: &Page,
    text: &str,
    whole: bool,
) -> Result<Listing, ReadError> {
    let (channel, items) = parse(text)?;
    let mut listing = Listing {
        info: FeedInfo {
            title: title(&channel.title),
            home: page.url.join(&without_maca(channel.link.trim())).ok(),
            language: title(&channel.language),
            updated: dates::parse(&channel.date, &subscription.zone, None),
            ..FeedInfo::default()
        },
        ..Listing::default()
    };
    for (place, item) in items.iter().enumerate() {
        match lead(subscription, page, item, whole) {
            Ok(lead) => listing.leads.push(lead),
            Err(why) => listing.skipped.push(Skipped {
                what: label(&[Some(&item.link), Some(&item.title)], place),
                why: why.to_owned(),
            }),
        }
    }
    Ok(listing)
}

fn lead(
    subscription: &Subscription,
    page: &Page,
    item: &Fields,
    whole: bool,
) -> Result<Lead, &'static str> {
    let link = title(&item.link).and_then(|link| page.url.join(&without_maca(&link)).ok());
    let tail = link.as_ref().and_then(link_tail);
    let id = [item.content_id.trim(), item.guid.trim()]
        .into_iter()
        .find(|id| is_number(id))
        .or(tail.map(|(_, id)| id));
    let draft = Draft {
        id: id.and_then(EntryId::new),
        title: title(&item.title),
        published: dates::parse(&item.date, &subscription.zone, None),
        language: title(&item.language),
        categories: item
            .subjects
            .iter()
            .filter_map(|name| title(name))
            .collect(),
        ..Draft::default()
    };
    if whole {
        return with_body(subscription, draft, link, item);
    }
    let id = id.ok_or("no content id, and none in the link")?;
    // Without a kind in the link it is an article: that is what these feeds list.
    let kinds = tail.map_or(&["article"][..], |(kinds, _)| kinds);
    let details = kinds
        .iter()
        .filter_map(|kind| detail_ask(subscription, kind, id))
        .collect();
    Ok(Lead::Teaser(Box::new(Teaser {
        draft: Draft {
            summary: title(&item.description).map(Content::plain),
            link,
            ..draft
        },
        details,
    })))
}

fn with_body(
    subscription: &Subscription,
    draft: Draft,
    link: Option<PageUrl>,
    item: &Fields,
) -> Result<Lead, &'static str> {
    let html = [&item.description, &item.encoded]
        .into_iter()
        .find(|html| !html.trim().is_empty())
        .ok_or("no description")?;
    let html = compose::one_line(html);
    let body = without_footer(&html);
    if body.is_empty() {
        return Err("no words in its description");
    }
    let (author, iso) = compose::read_byline(body).unwrap_or_default();
    Ok(Lead::Whole(Box::new(Draft {
        cms_date: dates::parse(iso, &subscription.zone, None),
        authors: title(author).into_iter().collect(),
        body: Some(Content::html(body)),
        link,
        ..draft
    })))
}

/// The body without the line some aggregators add about themselves: it is not the article's, and with it the two routes
/// would not end in the same bytes.
fn without_footer(html: &str) -> &str {
    let body = html
        .rfind("<br><hr><div>获取更多RSS：")
        .filter(|_| html.ends_with("</div>"))
        .and_then(|at| html.get(..at));
    body.unwrap_or(html)
}

/// The channel's fields, and those of every item.
fn parse(text: &str) -> Result<(Fields, Vec<Fields>), ReadError> {
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    loop {
        let position = reader.buffer_position();
        let (namespace, event) =
            reader
                .read_resolved_event()
                .map_err(|error| ReadError::Broken {
                    format: "XML",
                    why: format!("{error} at byte {position}"),
                })?;
        match event {
            Event::Start(start) => {
                let local = start.local_name();
                if walk.depth == 0 && !matches!(local.as_ref(), "RDF" | "rss") {
                    return Err(other(text));
                }
                walk.start(&namespace, local)?;
            }
            Event::End(_) => walk.end(),
            Event::Text(words) => walk.words(&words.into_inner()),
            Event::CData(words) => walk.words(&words.into_inner()),
            Event::GeneralRef(reference) => walk.words(&character(&reference)),
            Event::Eof => break,
            _ => {}
        }
    }
    if walk.depth > 0 {
        return Err(ReadError::Broken {
            format: "XML",
            why: "it breaks off".to_owned(),
        });
    }
    if walk.elements == 0 {
        return Err(other(text));
    }
    let channel = walk.channel.ok_or_else(|| json::missing("channel", PAGE))?;
    Ok((channel, walk.items))
}

/// Where a walk through the document stands, and what it found.
#[derive(Default)]
struct Walk {
    depth: usize,
    elements: usize,
    /// The depths at which channel and item are open. In RDF items stand beside the channel, in RSS 2.0 inside it.
    channel_at: Option<usize>,
    item_at: Option<usize>,
    field: Option<Field>,
    channel: Option<Fields>,
    items: Vec<Fields>,
}

impl Walk {
    fn start(&mut self, namespace: &ResolveResult, local: LocalName) -> Result<(), ReadError> {
        self.depth += 1;
        self.elements += 1;
        limit(self.depth, MAX_DEPTH, "XML depth")?;
        limit(self.elements, MAX_ELEMENTS, "XML elements")?;
        match local.as_ref() {
            "channel" if self.depth == 2 => {
                self.channel_at = Some(self.depth);
                self.channel.get_or_insert_default();
            }
            "item" if self.item_at.is_none() && (self.depth == 2 || self.depth == 3) => {
                limit(self.items.len() + 1, MAX_ITEMS, "entries")?;
                self.item_at = Some(self.depth);
                self.items.push(Fields::default());
            }
            _ if self.is_field() => self.field = Field::of(namespace, local),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) {
        if self.is_field()
            && self.field.take() == Some(Field::Subject)
            && let Some(fields) = self.fields()
        {
            let subject = std::mem::take(&mut fields.subject);
            fields.subjects.push(subject);
        }
        if self.item_at == Some(self.depth) {
            self.item_at = None;
        } else if self.channel_at == Some(self.depth) {
            self.channel_at = None;
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn words(&mut self, words: &str) {
        if let Some(field) = self.field
            && let Some(fields) = self.fields()
        {
            field.slot(fields).push_str(words);
        }
    }

    /// Whether the open element stands directly in what is being read.
    fn is_field(&self) -> bool {
        let parent = self.item_at.or(self.channel_at);
        parent.is_some_and(|parent| self.depth == parent + 1)
    }

    fn fields(&mut self) -> Option<&mut Fields> {
        match (self.item_at, self.channel_at) {
            (Some(_), _) => self.items.last_mut(),
            (None, Some(_)) => self.channel.as_mut(),
            (None, None) => None,
        }
    }
}

fn other(text: &str) -> ReadError {
    ReadError::Other {
        expected: "a feed of DW",
        found: looks_like(text),
    }
}

fn limit(count: usize, limit: usize, what: &'static str) -> Result<(), ReadError> {
    if count > limit {
        return Err(ReadError::Limit { what, limit });
    }
    Ok(())
}

/// What a reference stands for; one that is not XML's own stays as it is written.
fn character(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match resolve_predefined_entity(reference) {
        Some(text) => text.to_owned(),
        None => format!("&{};", &**reference),
    }
}

/// The elements whose text is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Link,
    Description,
    Encoded,
    Guid,
    Date,
    Language,
    ContentId,
    Subject,
}

impl Field {
    fn of(namespace: &ResolveResult, local: LocalName) -> Option<Self> {
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.as_ref(),
            _ => "",
        };
        Some(match (namespace, local.as_ref()) {
            (RSS1 | "", "title") => Self::Title,
            (RSS1 | "", "link") => Self::Link,
            (RSS1 | "", "description") => Self::Description,
            (RSS1 | "", "guid") => Self::Guid,
            (RSS1 | "", "pubDate") | (DC, "date") => Self::Date,
            (RSS1 | "" | DC, "language") => Self::Language,
            (RSS1 | "", "category") | (DC, "subject") => Self::Subject,
            (CONTENT, "encoded") => Self::Encoded,
            (DWSYN, "contentID") => Self::ContentId,
            _ => return None,
        })
    }

    fn slot(self, fields: &mut Fields) -> &mut String {
        match self {
            Self::Title => &mut fields.title,
            Self::Link => &mut fields.link,
            Self::Description => &mut fields.description,
            Self::Encoded => &mut fields.encoded,
            Self::Guid => &mut fields.guid,
            Self::Date => &mut fields.date,
            Self::Language => &mut fields.language,
            Self::ContentId => &mut fields.content_id,
            Self::Subject => &mut fields.subject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_footer_at_the_end_is_a_footer() {
        let check = |html: &str, expected: &str| assert_eq!(without_footer(html), expected);
        let footer = "<br><hr><div>获取更多RSS：x</div>";
        check(&format!("<p>一</p>{footer}"), "<p>一</p>");
        check(
            &format!("<p>{footer}</p>{footer}"),
            &format!("<p>{footer}</p>"),
        );
        check(&format!("{footer}<p>一</p>"), &format!("{footer}<p>一</p>"));
    }
}
