//! One story: the site's JSON, or an HTML page of one of the site's layouts.

use dom_query::Document;

use super::super::page::{html, json};
use crate::model::content::Content;
use crate::model::entry::{Draft, ReadError, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::time::{Timestamp, Zone};
use crate::rules::dates;

const PAGE: &str = "the story page";
/// Pictures that are the site's furniture.
const FURNITURE: [&str; 2] = ["tkww-static", "default-img"];

/// Where one generation of the site keeps the parts of a story.
struct Layout {
    title: &'static [&'static str],
    body: &'static str,
    /// What of the body is the story; all of it where absent.
    parts: Option<&'static str>,
    /// Date and source, in whichever order.
    about: Option<&'static str>,
}

/// www.tkww.hk; www.takungpao.com and .com.hk; news.takungpao.com.
const LAYOUTS: [Layout; 3] = [
    Layout {
        title: &["h1.content-title-text"],
        body: ".content-body-inner",
        parts: None,
        about: None,
    },
    Layout {
        title: &["h2.tkp_con_title", "h1.tkp_con_title", "h1"],
        body: "div.tkp_content",
        parts: Some("p, img"),
        about: Some("div.tkp_con_author span"),
    },
    Layout {
        title: &["h1.tpk_con_tle", "h1"],
        body: "div.tpk_text",
        parts: Some("p, img"),
        about: Some("div.fl_dib"),
    },
];

/// The entry of a teaser, from the page of one of its routes.
pub fn complete(
    subscription: &Subscription,
    teaser: &Teaser,
    _page: &Page,
    text: &str,
) -> Result<Draft, ReadError> {
    let mut draft = teaser.draft.clone();
    let body = if text.trim_start().starts_with('{') {
        let answer = json::parse(text, "a story of Ta Kung Pao")?;
        let content = json::need(&answer, "data.content", "the story")?;
        let words = content.as_str().unwrap_or_default();
        html::without_pictures(words, &FURNITURE)
    } else {
        from_html(text, &subscription.zone, &mut draft)?
    };
    if body.trim().is_empty() {
        return Err(json::missing("data.content", "the story"));
    }
    draft.body = Some(Content::html(body));
    Ok(draft)
}

fn from_html(text: &str, zone: &Zone, draft: &mut Draft) -> Result<String, ReadError> {
    let document = html::parse(text, "a story of Ta Kung Pao")?;
    let (layout, body) = LAYOUTS
        .iter()
        .find_map(|layout| Some((layout, html::first(&document, layout.body)?)))
        .ok_or_else(|| json::missing(&LAYOUTS.map(|layout| layout.body).join(" or "), PAGE))?;
    if draft.title.is_none() {
        draft.title = layout
            .title
            .iter()
            .filter_map(|selector| html::first(&document, selector))
            .find_map(|heading| html::text(&heading));
    }
    for words in layout
        .about
        .iter()
        .flat_map(|about| texts(&document, about))
    {
        match dates::parse(&words, zone, None) {
            Some(date) => draft.published = draft.published.or(Some(date)),
            None if draft.authors.is_empty() => draft.authors.push(words),
            None => {}
        }
    }
    draft.published = draft.published.or_else(|| linked_date(&document, zone));
    let words = match layout.parts {
        None => body.inner_html().to_string(),
        Some(parts) => body
            .select(parts)
            .iter()
            // What is inside a paragraph comes with it.
            .filter(|part| !part.is("p p, p img"))
            .map(|part| part.html().to_string())
            .collect(),
    };
    Ok(html::without_pictures(&words, &FURNITURE))
}

fn texts(document: &Document, selector: &str) -> Vec<String> {
    let found = document.select(selector);
    found
        .iter()
        .take(8)
        .filter_map(|each| html::text(&each))
        .collect()
}

/// `datePublished` of the page's linked data.
fn linked_date(document: &Document, zone: &Zone) -> Option<Timestamp> {
    let scripts = document.select("script[type=\"application/ld+json\"]");
    scripts.iter().take(8).find_map(|script| {
        let value = json::parse(&script.text(), "linked data").ok()?;
        let date = json::at(&value, "datePublished")?;
        json::time(date, zone)
    })
}
