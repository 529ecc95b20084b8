//! The API's own lists: search and media centre.

use serde_json::Value;

use super::super::page;
use super::super::page::{json, title, under};
use super::{API, detail_ask, is_number};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::{Ask, Page};
use crate::model::ids::EntryId;
use crate::model::urls::PageUrl;

const PAGE: &str = "the API's list";

/// Reads a list; all its entries are teasers.
pub fn read(subscription: &Subscription, asked: &Page, text: &str) -> Result<Listing, ReadError> {
    let answer = json::parse(text, "a list of DW")?;
    let mut listing = Listing::default();
    for (place, item) in json::list(&answer, "items", PAGE)?.iter().enumerate() {
        match teaser(subscription, asked, item) {
            Ok(teaser) => listing.leads.push(Lead::Teaser(Box::new(teaser))),
            Err(why) => listing.skipped.push(Skipped {
                what: page::label(&[json::text(item, "name")], place),
                why: why.to_owned(),
            }),
        }
    }
    listing.more = json::url(&answer, "paginationInfo.nextPageUrl", &asked.url)
        .and_then(|next| on_our_api(subscription, &next))
        .filter(|ask| ask.url != asked.url);
    Ok(listing)
}

fn teaser(subscription: &Subscription, asked: &Page, item: &Value) -> Result<Teaser, &'static str> {
    let id = json::word(item, "reference.id").ok_or("no reference.id")?;
    if !is_number(&id) {
        return Err("reference.id is not a number");
    }
    let kind = kind(item).ok_or("a reference of a kind we do not know")?;
    let name = json::first_text(item, &["name", "reference.name"]);
    let date = json::at(item, "displayDate");
    Ok(Teaser {
        draft: Draft {
            id: EntryId::new(&id),
            title: name.and_then(title),
            published: date.and_then(|date| json::time(date, &subscription.zone)),
            summary: json::text(item, "teaserText").map(Content::plain),
            thumbnail: thumbnail(item, &asked.url),
            ..Draft::default()
        },
        details: detail_ask(subscription, kind, &id).into_iter().collect(),
    })
}

/// `ArticleRef` and its like, else the word before the number in the reference's address.
fn kind(item: &Value) -> Option<&'static str> {
    const KINDS: [(&str, &str); 4] = [
        ("ArticleRef", "article"),
        ("VideoRef", "video"),
        ("AudioRef", "audio"),
        ("GalleryRef", "gallery"),
    ];
    let by_type = json::text(item, "reference.type")
        .and_then(|name| KINDS.iter().find(|(known, _)| *known == name));
    let by_url = || {
        let path = json::text(item, "reference.url")?;
        KINDS
            .iter()
            .find(|(_, kind)| path.contains(&format!("/detail/{kind}/")))
    };
    by_type.or_else(by_url).map(|(_, kind)| *kind)
}

fn thumbnail(item: &Value, found_on: &PageUrl) -> Option<PageUrl> {
    json::items(item, "image.sizes")
        .iter()
        .max_by_key(|size| json::number(size, "width"))
        .and_then(|size| json::url(size, "url", found_on))
}

/// The next page at the API we were told to ask, whatever host the answer names.
fn on_our_api(subscription: &Subscription, next: &PageUrl) -> Option<Ask> {
    let url = next.as_url();
    let place = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    under(&page::option_url(subscription, "api", API), &place).map(Ask::get)
}
