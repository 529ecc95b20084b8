//! DW's feeds: RDF (RSS 1.0) and RSS 2.0, as teasers; or any feed in these shapes whose items hold the archive's body.

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{LocalName, ResolveResult};

use super::super::page::{MAX_ITEMS, dates, json, looks_like, title};
use super::{compose, detail_ask, is_number, link_tail, without_maca};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::{FeedInfo, Subscription};
use crate::model::http::Page;
use crate::model::ids::EntryId;
use crate::model::urls::PageUrl;

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
            updated: dates::civil(&channel.date, &subscription.zone),
            ..FeedInfo::default()
        },
        ..Listing::default()
    };
    for (place, item) in items.iter().enumerate() {
        match lead(subscription, page, item, whole) {
            Ok(lead) => listing.leads.push(lead),
            Err(why) => listing.skipped.push(Skipped {
                what: [&item.link, &item.title]
                    .into_iter()
                    .find_map(|name| title(name))
                    .unwrap_or_else(|| format!("item {}", place + 1)),
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
        published: dates::civil(&item.date, &subscription.zone),
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
        cms_date: dates::civil(iso, &subscription.zone),
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
    let mut channel = Fields::default();
    let mut items: Vec<Fields> = Vec::new();
    let mut depth = 0_usize;
    let mut elements = 0_usize;
    // The depth at which channel and item stand; texts count one below.
    let (mut channel_at, mut item_at) = (None, None);
    let mut seen_channel = false;
    let mut field: Option<Field> = None;
    loop {
        let position = reader.buffer_position();
        let (namespace, event) =
            reader
                .read_resolved_event()
                .map_err(|error| ReadError::Broken {
                    format: "XML",
                    why: format!("{error} at byte {position}"),
                })?;
        let words: String = match event {
            Event::Start(start) => {
                depth += 1;
                elements += 1;
                limit(depth, MAX_DEPTH, "XML depth")?;
                limit(elements, MAX_ELEMENTS, "XML elements")?;
                let local = start.local_name();
                if depth == 1 && !matches!(local.as_ref(), "RDF" | "rss") {
                    return Err(other(text));
                }
                match local.as_ref() {
                    "channel" if depth == 2 => {
                        channel_at = Some(depth);
                        seen_channel = true;
                    }
                    "item" if item_at.is_none() && (depth == 2 || depth == 3) => {
                        item_at = Some(depth);
                        limit(items.len() + 1, MAX_ITEMS, "entries")?;
                        items.push(Fields::default());
                    }
                    _ => {}
                }
                if Some(depth) == item_at.or(channel_at).map(|at| at + 1) {
                    field = Field::of(&namespace, local);
                    if field == Some(Field::Subject)
                        && let Some(item) = items.last_mut()
                    {
                        item.subjects.push(String::new());
                    }
                }
                continue;
            }
            Event::End(_) => {
                if Some(depth) == item_at.or(channel_at).map(|at| at + 1) {
                    field = None;
                }
                if item_at == Some(depth) {
                    item_at = None;
                } else if channel_at == Some(depth) {
                    channel_at = None;
                }
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Text(words) => words.into_inner().into_owned(),
            Event::CData(words) => words.into_inner().into_owned(),
            Event::GeneralRef(reference) => character(&reference),
            Event::Eof => break,
            _ => continue,
        };
        let Some(field) = field else { continue };
        let of = match (item_at, channel_at) {
            (Some(_), _) => items.last_mut(),
            (None, Some(_)) => Some(&mut channel),
            (None, None) => None,
        };
        if let Some(of) = of {
            field.slot(of).push_str(&words);
        }
    }
    if depth > 0 {
        return Err(ReadError::Broken {
            format: "XML",
            why: "it breaks off".to_owned(),
        });
    }
    if elements == 0 {
        return Err(other(text));
    }
    if !seen_channel {
        return Err(json::missing("channel", PAGE));
    }
    Ok((channel, items))
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
            (RSS1 | "", "language") | (DC, "language") => Self::Language,
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
            Self::Subject => {
                if fields.subjects.is_empty() {
                    fields.subjects.push(String::new());
                }
                let last = fields.subjects.len() - 1;
                &mut fields.subjects[last]
            }
        }
    }
}
