//! The detail API: one entry as JSON, composed into the archive's body.
//!
//! Envelope and films are known from answers; the names of an article's author, picture and caption are not (DW's own
//! answers for articles were never seen whole). Every name a witness gives is accepted; none found means there is none.

use std::cmp::Reverse;

use serde_json::Value;

use super::super::page::{json, title};
use super::compose::{self, Figure};
use crate::model::content::Content;
use crate::model::entry::{Draft, Enclosure, ReadError, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::time::Zone;
use crate::model::urls::PageUrl;
use crate::rules::markup::escape;

const PAGE: &str = "the detail answer";

/// The entry of a teaser, from its detail answer.
pub fn complete(
    subscription: &Subscription,
    teaser: &Teaser,
    page: &Page,
    text: &str,
) -> Result<Draft, ReadError> {
    let answer = json::parse(text, "a detail answer of DW")?;
    json::need(&answer, "name", PAGE)?;
    let date = json::at(&answer, "displayDate");
    let cms_date = date.and_then(|date| json::time(date, &subscription.zone));
    let kind = json::text(&answer, "type").unwrap_or("Article").to_owned();

    let mut draft = teaser.draft.clone();
    draft.cms_date = cms_date;
    draft.title = draft
        .title
        .or_else(|| json::text(&answer, "name").and_then(title));
    draft.link = draft
        .link
        .or_else(|| json::url(&answer, "permaLink", &page.url));
    if draft.summary.is_none() {
        draft.summary = json::text(&answer, "teaser").map(Content::plain);
    }
    if let Some(category) = json::text(&answer, "categoryName").and_then(title)
        && !draft.categories.contains(&category)
    {
        draft.categories.push(category);
    }

    let body = if matches!(
        kind.as_str(),
        "Video" | "Audio" | "Gallery" | "ImageGallery"
    ) {
        let media = json::at(&answer, "mainContent").unwrap_or(&answer);
        draft.enclosures = enclosure(media, &page.url).into_iter().collect();
        media_body(&answer, media, &kind)?
    } else {
        let author = author(&answer);
        draft.authors = author.iter().filter_map(|name| title(name)).collect();
        let lead = lead_figure(&answer);
        if draft.thumbnail.is_none() {
            let url = lead.as_ref().and_then(|lead| lead.url.as_deref());
            draft.thumbnail = url.and_then(|url| page.url.join(url).ok());
        }
        let iso = match (json::text(&answer, "displayDate"), cms_date) {
            (Some(iso), _) if iso.ends_with('Z') => iso.trim().to_owned(),
            (_, Some(time)) => time.civil(&Zone::utc(), "%Y-%m-%dT%H:%M:%S%.3fZ"),
            _ => String::new(),
        };
        article_body(&answer, &author.join(", "), &iso, lead.as_ref())?
    };
    draft.body = Some(Content::html(compose::one_line(&body)));
    Ok(draft)
}

fn article_body(
    answer: &Value,
    author: &str,
    iso: &str,
    lead: Option<&Figure>,
) -> Result<String, ReadError> {
    let mut body = compose::byline(author, iso);
    if let Some(lead) = lead {
        body.push_str(&compose::figure(lead));
    }
    let before = body.len();
    for block in json::items(answer, "body") {
        // The content may stand in an envelope of its own, or be the block.
        block_html(json::at(block, "content").unwrap_or(block), &mut body);
    }
    if body.len() == before {
        // `text` is the same article as plain text, one paragraph a line.
        let plain = json::text(answer, "text").ok_or_else(|| json::missing("body", PAGE))?;
        for line in plain.lines().filter(|line| !line.trim().is_empty()) {
            body.push_str(&compose::paragraph(&escape::text(line.trim())));
        }
    }
    Ok(body)
}

fn block_html(content: &Value, body: &mut String) {
    match json::text(content, "type").unwrap_or_default() {
        "Image" => {
            let image = json::at(content, "image").unwrap_or(content);
            body.push_str(&compose::figure(&image_figure(image)));
        }
        "Video" => match film(content) {
            Some(url) => body.push_str(&compose::video(url)),
            None => body.push_str(json::text(content, "text").unwrap_or_default()),
        },
        // A paragraph of blanks is kept, as the archive keeps it.
        _ => {
            if let Some(html) = json::at(content, "text").and_then(Value::as_str)
                && !html.is_empty()
            {
                body.push_str(&compose::paragraph(html));
            }
        }
    }
}

/// Films, sound and galleries: no byline; the teaser, and the film.
fn media_body(answer: &Value, media: &Value, kind: &str) -> Result<String, ReadError> {
    let mut body = String::new();
    if let Some(teaser) = json::text(answer, "teaser") {
        body.push_str(&compose::paragraph(&escape::text(teaser.trim())));
    }
    if kind == "Video"
        && let Some(url) = film(media)
    {
        body.push_str(&compose::video(url));
    }
    if body.is_empty() {
        return Err(json::missing("teaser", PAGE));
    }
    Ok(body)
}

/// The film's best file that a browser plays by itself: MP4 before streams, then by bit rate.
fn source(media: &Value) -> Option<&Value> {
    json::items(media, "sources")
        .iter()
        .filter(|source| json::text(source, "url").is_some())
        .min_by_key(|source| {
            let format = json::text(source, "format").unwrap_or_default();
            let stream = format.eq_ignore_ascii_case("hls");
            (stream, Reverse(json::number(source, "bitrate")))
        })
}

fn film(media: &Value) -> Option<&str> {
    json::text(source(media)?, "url").map(str::trim)
}

fn enclosure(media: &Value, found_on: &PageUrl) -> Option<Enclosure> {
    let source = source(media)?;
    let format = json::text(source, "format").unwrap_or_default();
    Some(Enclosure {
        url: json::url(source, "url", found_on)?,
        media_type: match format.to_ascii_lowercase().as_str() {
            "mp4" => Some("video/mp4".to_owned()),
            "mp3" => Some("audio/mpeg".to_owned()),
            "hls" => Some("application/vnd.apple.mpegurl".to_owned()),
            _ => None,
        },
        length: None,
    })
}

/// Authors under the names the witnesses give, untrimmed: blanks before a name are in the archive too.
fn author(answer: &Value) -> Vec<String> {
    let name = |value: &Value| {
        let named = json::first_text(value, &["fullName", "name"]);
        named.or_else(|| value.as_str()).map(str::to_owned)
    };
    if let Some(author) = json::at(answer, "author").and_then(name) {
        return vec![author];
    }
    ["authors", "persons", "firstPersonArray"]
        .iter()
        .map(|list| json::items(answer, list))
        .find(|list| !list.is_empty())
        .map(|list| list.iter().filter_map(name).collect())
        .unwrap_or_default()
}

/// The picture above the article, if it has one.
fn lead_figure(answer: &Value) -> Option<Figure> {
    const PLACES: [&str; 7] = [
        "mainImage",
        "mainContentImageLink",
        "mainContentImage",
        "mainContent.image",
        "mainContent.previewImage",
        "mainContent",
        "image",
    ];
    PLACES
        .iter()
        .filter_map(|place| json::at(answer, place))
        .map(image_figure)
        .find(|figure| figure.url.is_some())
}

fn image_figure(image: &Value) -> Figure {
    let caption = json::first_text(image, &["description", "caption", "name"]);
    Figure {
        url: image_url(image),
        caption: caption.unwrap_or_default().to_owned(),
    }
}

/// The picture at size 303 where it is offered in it, else the widest it is offered in.
fn image_url(image: &Value) -> Option<String> {
    let template = json::first_text(image, &["staticUrl", "target.staticUrl"]);
    if let Some(template) = template {
        return Some(template.trim().replace("${formatId}", "303"));
    }
    let sizes = json::items(image, "sizes");
    let url = |size| json::text(size, "url").map(str::trim);
    let wanted = sizes
        .iter()
        .filter_map(url)
        .find(|url| url.contains("_303."));
    let widest = || {
        sizes
            .iter()
            .filter(|size| url(size).is_some())
            .max_by_key(|size| json::number(size, "width"))
            .and_then(url)
    };
    wanted
        .or_else(widest)
        .or_else(|| url(image).filter(|_| json::text(image, "type") == Some("Image")))
        .map(str::to_owned)
}
