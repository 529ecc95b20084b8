//! JSON Feed 1 and 1.1.

use serde_json::{Map, Value};

use super::entry::enclose;
use super::text::{add_name, address, line};
use crate::model::content::Content;
use crate::model::entry::{Draft, Enclosure, Lead, Listing, ReadError, Skipped};
use crate::model::ids::EntryId;
use crate::model::time::Zone;
use crate::model::urls::PageUrl;
use crate::rules::dates;
use crate::rules::limits::ENTRIES;
use crate::rules::repair;

type Object = Map<String, Value>;

/// Reads a JSON document that [`limits`](crate::rules::limits) has let through.
pub(super) fn read(text: &str, page: &PageUrl, zone: &Zone) -> Result<Listing, ReadError> {
    let mut listing = Listing::default();
    let document = serde_json::from_str(text).or_else(|error| {
        let Some(mended) = repair::whole_surrogates(text) else {
            return Err(error);
        };
        listing
            .notes
            .push("mended: half surrogate pairs".to_owned());
        serde_json::from_str(&mended)
    });
    let document: Value = document.map_err(|error| ReadError::Broken {
        format: "JSON",
        why: error.to_string(),
    })?;
    let Value::Object(mut feed) = document else {
        return Err(other("JSON that is no object"));
    };
    let Some(Value::Array(items)) = feed.remove("items") else {
        // An unknown version is read if its shape fits (P-111); without items nothing fits.
        return Err(other("a JSON document without `items`"));
    };
    let info = &mut listing.info;
    info.title = string(&mut feed, "title").and_then(|title| line(&title));
    info.home = url(&mut feed, "home_page_url", page);
    info.self_link = url(&mut feed, "feed_url", page);
    info.icon = url(&mut feed, "icon", page).or_else(|| url(&mut feed, "favicon", page));
    info.language = string(&mut feed, "language").and_then(|language| line(&language));
    info.authors = authors(&mut feed);
    listing.hints.ended = feed.get("expired") == Some(&Value::Bool(true));
    for (place, item) in items.into_iter().enumerate() {
        if place >= ENTRIES {
            let why = format!("more than {ENTRIES} entries: those after them are left out");
            listing.skipped.push(Skipped {
                what: "the later entries".to_owned(),
                why: why.clone(),
            });
            listing.notes.push(why);
            break;
        }
        let Value::Object(item) = item else {
            listing.skipped.push(Skipped {
                what: format!("item {}", place + 1),
                why: "no object".to_owned(),
            });
            continue;
        };
        let draft = draft(item, page, zone);
        if draft.id.is_none() {
            let link = draft.link.map(|link| link.to_string());
            let what = link
                .or(draft.title)
                .unwrap_or_else(|| format!("item {}", place + 1));
            listing.skipped.push(Skipped {
                what,
                why: "an item without id (JSON Feed 1.1, items)".to_owned(),
            });
            continue;
        }
        listing.leads.push(Lead::Whole(Box::new(draft)));
    }
    Ok(listing)
}

fn other(found: &str) -> ReadError {
    ReadError::Other {
        expected: "a feed",
        found: found.to_owned(),
    }
}

fn draft(mut item: Object, page: &PageUrl, zone: &Zone) -> Draft {
    let item = &mut item;
    let html = string(item, "content_html").map(Content::html);
    let plain = string(item, "content_text").map(Content::plain);
    let summary = string(item, "summary").map(Content::plain);
    let mut date = |name| string(item, name).and_then(|text| dates::parse(&text, zone, None));
    let (published, updated) = (date("date_published"), date("date_modified"));
    let external = url(item, "external_url", page);
    let mut draft = Draft {
        id: string(item, "id").and_then(|id| EntryId::new(&id)),
        link: url(item, "url", page).or(external),
        title: string(item, "title").and_then(|title| line(&title)),
        published,
        updated,
        authors: authors(item),
        language: string(item, "language").and_then(|language| line(&language)),
        summary,
        body: html.or(plain),
        thumbnail: url(item, "image", page).or_else(|| url(item, "banner_image", page)),
        ..Draft::default()
    };
    for tag in array(item, "tags") {
        if let Value::String(tag) = tag
            && let Some(tag) = line(&tag)
            && draft.categories.len() < 100
        {
            draft.categories.push(tag);
        }
    }
    for attachment in array(item, "attachments") {
        if let Value::Object(mut file) = attachment
            && let Some(url) = url(&mut file, "url", page)
        {
            let length = file.get("size_in_bytes").and_then(Value::as_u64);
            enclose(
                &mut draft,
                Enclosure {
                    url,
                    media_type: string(&mut file, "mime_type"),
                    length,
                },
            );
        }
    }
    draft
}

/// A member as text: moved out, numbers coerced (P-111), characters XML forbids dropped, blank as absent.
fn string(object: &mut Object, name: &str) -> Option<String> {
    let mut text = match object.remove(name)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if text.contains(|c| !repair::is_allowed(c)) {
        text.retain(repair::is_allowed);
    }
    (!text.trim().is_empty()).then_some(text)
}

fn url(object: &mut Object, name: &str, page: &PageUrl) -> Option<PageUrl> {
    string(object, name).and_then(|text| address(page, &text))
}

fn array(object: &mut Object, name: &str) -> Vec<Value> {
    match object.remove(name) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

/// `author` of version 1 and `authors` of 1.1.
fn authors(object: &mut Object) -> Vec<String> {
    let mut names = Vec::new();
    for author in object
        .remove("author")
        .into_iter()
        .chain(array(object, "authors"))
    {
        if let Value::Object(mut author) = author
            && let Some(name) = string(&mut author, "name")
        {
            add_name(&mut names, &name);
        }
    }
    names
}
