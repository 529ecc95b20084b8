//! The pages of one entry: `window.DATA` of the article page, `window.initData` of the app's page, and plain JSON (today's
//! simple answer and the one of 2017). Which one a page is, it says itself.

use serde_json::Value;

use super::super::page::{json, looks_like, title};
use super::lists::{refusal, thumbnail};
use super::{body, is_film_id};
use crate::model::content::Content;
use crate::model::entry::{Draft, ReadError, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::urls::PageUrl;
use crate::rules::embedded::object_after;

const ARTICLE_PAGE: &str = "the article page";
const APP_PAGE: &str = "the app's page";
const SIMPLE_PAGE: &str = "the simple answer";

/// Where the parts of an entry are on a page of one kind.
struct Shape {
    name: &'static str,
    /// Where the words are; the first path names the shape in errors.
    texts: &'static [&'static str],
    attributes: &'static [&'static str],
    /// The object that holds title, date and the rest.
    about: &'static str,
}

const ARTICLE: Shape = Shape {
    name: ARTICLE_PAGE,
    texts: &["originContent.text"],
    attributes: &["originAttribute"],
    about: "",
};
const APP: Shape = Shape {
    name: APP_PAGE,
    texts: &["content.content.text", "content.text", "content.cnt_html"],
    attributes: &["content.attribute", "attribute", "content.cnt_attr"],
    about: "content",
};
const SIMPLE: Shape = Shape {
    name: SIMPLE_PAGE,
    texts: &["content.text", "content.cnt_html", "content.content.text"],
    attributes: &["attribute", "content.attribute", "content.cnt_attr"],
    about: "content",
};

/// The entry of a teaser, from one of its pages.
pub fn complete(
    subscription: &Subscription,
    teaser: &Teaser,
    page: &Page,
    text: &str,
) -> Result<Draft, ReadError> {
    let (value, shape) = page_value(text)?;
    let about = match shape.about {
        "" => &value,
        path => json::need(&value, path, shape.name)?,
    };
    let mut draft = teaser.draft.clone();
    // In the answers of 2017 `pubtime` is a day only.
    let date = ["pub_time", "timestamp", "time", "pubtime"]
        .iter()
        .filter_map(|path| json::at(about, path))
        .find_map(|date| json::time(date, &subscription.zone));
    draft.published = draft.published.or(date);
    let name = || json::first_text(about, &["title", "shareTitle"]).and_then(title);
    draft.title = draft.title.or_else(name);
    if draft.authors.is_empty() {
        let media = json::first_text(about, &["media", "source", "card.chlname", "chlname"]);
        draft.authors = media.and_then(title).into_iter().collect();
    }
    if draft.summary.is_none() {
        let words = json::first_text(about, &["abstract", "desc"]);
        draft.summary = words.map(Content::plain);
    }
    let wanted = |picture: &&PageUrl| picture.as_str().contains("_640360");
    let picture = thumbnail(about, &page.url);
    if draft.thumbnail.is_none() || picture.as_ref().is_some_and(|p| wanted(&p)) {
        draft.thumbnail = picture.or(draft.thumbnail);
    }

    let link = draft.link.as_ref().map_or("", PageUrl::as_str);
    let words = json::first_text(&value, shape.texts).map(|text| {
        let mut places = shape.attributes.iter();
        let attributes = places.find_map(|path| json::at(&value, path));
        body::fill(text, attributes.unwrap_or(&Value::Null), link)
    });
    draft.body = match words.filter(|words| !words.trim().is_empty()) {
        Some(words) => Some(Content::html(words)),
        // A film's page has no words; what the list says of it is all there is.
        None if is_film(about, &draft) && draft.summary.is_some() => None,
        None => {
            let first = shape.texts.first().copied().unwrap_or_default();
            json::need(&value, first, shape.name)?;
            return Err(json::missing(first, shape.name));
        }
    };
    Ok(draft)
}

fn page_value(text: &str) -> Result<(Value, &'static Shape), ReadError> {
    if text.trim_start().starts_with('{') {
        let answer = json::parse(text, "an article of Tencent News")?;
        refusal(&answer)?;
        return Ok((answer, &SIMPLE));
    }
    if !text.trim_start().starts_with('<') {
        return Err(ReadError::Other {
            expected: "an article of Tencent News",
            found: looks_like(text),
        });
    }
    for (marker, shape) in [("window.DATA", &ARTICLE), ("window.initData", &APP)] {
        if let Some(object) = object_after(text, marker) {
            return Ok((json::parse(object, "an article of Tencent News")?, shape));
        }
    }
    Err(json::missing("window.DATA", ARTICLE_PAGE))
}

fn is_film(about: &Value, draft: &Draft) -> bool {
    let kind = ["atype", "article_type", "articletype", "type"]
        .iter()
        .find_map(|path| json::word(about, path));
    let by_id = draft.id.as_ref().is_some_and(|id| is_film_id(id.as_str()));
    by_id || matches!(kind.as_deref(), Some("56" | "4" | "118"))
}
