//! The lists: the site's columns, the stories of one, and the list pages of takungpao.com.

use std::collections::HashSet;

use serde_json::Value;

use super::super::page::{MAX_ITEMS, html, json, label, title};
use super::{column, stories_url};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::{Ask, Page};
use crate::model::urls::PageUrl;

const STORIES: &str = "the story list";
const COLUMNS: &str = "the column list";
const LIST_PAGE: &str = "the list page";
/// Keywords and tags of one story, each.
const MAX_WORDS: usize = 50;
/// Where list pages keep the links to their stories.
const LINKS: &str = "dl.item dd.intro a, .list_tuwen .title a, li.title a";

/// Reads whichever of them this is.
pub fn read(subscription: &Subscription, page: &Page, text: &str) -> Result<Listing, ReadError> {
    if !text.trim_start().starts_with('{') {
        return list_page(page, text);
    }
    let answer = json::parse(text, "a list of Ta Kung Pao")?;
    if json::at(&answer, "data").is_some_and(Value::is_array) {
        return columns(subscription, &answer);
    }
    let mut listing = Listing::default();
    for (place, item) in json::list(&answer, "data.stories", STORIES)?
        .iter()
        .enumerate()
    {
        match story(subscription, page, item) {
            Ok(teaser) => listing.leads.push(Lead::Teaser(Box::new(teaser))),
            Err(why) => listing.skipped.push(Skipped {
                what: label(&[json::first_text(item, &["title", "url"])], place),
                why: why.to_owned(),
            }),
        }
    }
    Ok(listing)
}

/// The column list brings no story, only the address of the column's.
fn columns(subscription: &Subscription, answer: &Value) -> Result<Listing, ReadError> {
    let wanted = column(subscription);
    let mut scope = json::list(answer, "data", COLUMNS)?;
    let mut found = None;
    for step in wanted.trim_matches('/').split('/') {
        let named = |column: &&Value| {
            ["dirname", "name", "uuid"]
                .iter()
                .any(|path| json::text(column, path).map(str::trim) == Some(step))
        };
        let column = scope
            .iter()
            .find(named)
            .ok_or_else(|| json::missing(&format!("column `{wanted}`"), COLUMNS))?;
        scope = json::items(column, "children");
        found = Some(column);
    }
    let uuid = found
        .and_then(|column| json::word(column, "uuid"))
        .filter(|uuid| uuid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .ok_or_else(|| json::missing("data[].uuid", COLUMNS))?;
    Ok(Listing {
        more: stories_url(subscription, &uuid).map(Ask::get),
        ..Listing::default()
    })
}

fn story(subscription: &Subscription, page: &Page, item: &Value) -> Result<Teaser, &'static str> {
    let link = json::url(item, "url", &page.url);
    let details: Vec<Ask> = [json::url(item, "jsonUrl", &page.url), link.clone()]
        .into_iter()
        .flatten()
        .map(Ask::get)
        .collect();
    if details.is_empty() {
        return Err("neither url nor jsonUrl");
    }
    let date = json::at(item, "publishTime");
    let mut categories: Vec<String> = Vec::new();
    for word in ["keywords", "tags"]
        .iter()
        .flat_map(|list| json::items(item, list).iter().take(MAX_WORDS))
    {
        let word = word.as_str().and_then(title);
        categories.extend(word.filter(|word| !categories.contains(word)));
    }
    Ok(Teaser {
        draft: Draft {
            link,
            title: json::text(item, "title").and_then(title),
            published: date.and_then(|date| json::time(date, &subscription.zone)),
            summary: json::text(item, "summary").map(Content::plain),
            categories,
            ..Draft::default()
        },
        details,
    })
}

fn list_page(page: &Page, text: &str) -> Result<Listing, ReadError> {
    let document = html::parse(text, "a list of Ta Kung Pao")?;
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    for link in &document.select(LINKS) {
        if listing.leads.len() >= MAX_ITEMS {
            return Err(ReadError::Limit {
                what: "entries",
                limit: MAX_ITEMS,
            });
        }
        let href = link.attr("href").unwrap_or_default();
        let Ok(url) = page.url.join(&href) else {
            listing.skipped.push(Skipped {
                what: html::text(&link).unwrap_or_else(|| "a link".to_owned()),
                why: "its address cannot be read".to_owned(),
            });
            continue;
        };
        // A story's picture and its title are two links to the same page; the one with words is kept.
        let Some(name) = html::text(&link) else {
            continue;
        };
        if seen.insert(url.clone()) {
            listing.leads.push(teaser(url, name));
        }
    }
    if listing.leads.is_empty() && listing.skipped.is_empty() {
        return Err(json::missing(LINKS, LIST_PAGE));
    }
    Ok(listing)
}

fn teaser(url: PageUrl, name: String) -> Lead {
    Lead::Teaser(Box::new(Teaser {
        draft: Draft {
            link: Some(url.clone()),
            title: Some(name),
            ..Draft::default()
        },
        details: vec![Ask::get(url)],
    }))
}
