//! What a reader makes of feeds on disk, one JSON line each, for `scripts/conformance.py` to compare with another
//! reader's.
//!
//! Each line on stdin is `{"path", "base", "content_type"}`; each line on stdout `{"ok": true, "feed", "entries"}` or
//! `{"ok": false, "error"}`. A text is `{"kind": "html" | "plain", "text"}`, a date RFC 3339, what is absent `null`.
//! `--reader feed-rs` answers with the feed-rs crate alone.

use std::io::{BufRead, Write, stdin, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use anyhow::{Context, bail};
use feed_rs::model::{Content, Entry, Link, Text};
use feedmill::model::content::{Content as Words, ContentKind};
use feedmill::model::entry::{Draft, Lead, Listing};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::ids::EntryId;
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::source::Source;
use feedmill::source::feed::Feed;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] | ["--reader", "feedmill"] => answer(feedmill),
        ["--reader", "feed-rs"] => answer(feed_rs),
        other => bail!("--reader feedmill or --reader feed-rs, not {other:?}"),
    }
}

fn answer(read: fn(&Page) -> Result<Value, String>) -> anyhow::Result<()> {
    // A panic becomes an answer; its message is in it.
    set_hook(Box::new(|_| {}));
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let page = page(&asked)?;
        let result = catch_unwind(AssertUnwindSafe(|| read(&page)));
        let answer = match result {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => json!({"ok": false, "error": error}),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
                json!({"ok": false, "error": format!("panicked: {}", said.unwrap_or("?"))})
            }
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn page(asked: &Value) -> anyhow::Result<Page> {
    let path = asked["path"].as_str().context("no path")?;
    let mut parameters = asked["content_type"]
        .as_str()
        .unwrap_or_default()
        .split(';');
    let media_type = parameters.next().map(|kind| kind.trim().to_lowercase());
    let charset = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    Ok(Page {
        url: PageUrl::parse(asked["base"].as_str().context("no base")?)?,
        media_type: media_type.filter(|kind| !kind.is_empty()),
        charset: charset.filter(|charset| !charset.is_empty()),
        links: Vec::new(),
        bytes: std::fs::read(path).with_context(|| path.to_owned())?,
    })
}

fn subscription() -> anyhow::Result<Subscription> {
    Ok(Subscription::new("conformance".parse()?, "feed"))
}

fn feedmill(page: &Page) -> Result<Value, String> {
    let subscription = subscription().map_err(|error| error.to_string())?;
    let Listing {
        info, leads, notes, ..
    } = Feed
        .read(&subscription, page)
        .map_err(|error| error.to_string())?;
    let drafts = leads.iter().map(|lead| match lead {
        Lead::Whole(draft) => draft.as_ref(),
        Lead::Teaser(teaser) => &teaser.draft,
    });
    Ok(json!({
        "ok": true,
        "feed": {
            "title": info.title.as_deref().map(plain),
            "link": info.home.as_ref().map(PageUrl::as_str),
            "language": info.language,
        },
        "entries": drafts.map(draft).collect::<Vec<_>>(),
        "notes": notes,
    }))
}

fn draft(draft: &Draft) -> Value {
    json!({
        "id": draft.id.as_ref().map(EntryId::as_str),
        "title": draft.title.as_deref().map(plain),
        "link": draft.link.as_ref().map(PageUrl::as_str),
        "published": draft.published.map(Timestamp::rfc3339),
        "updated": draft.updated.map(Timestamp::rfc3339),
        "author": draft.authors.first(),
        "summary": draft.summary.as_ref().map(words),
        "content": draft.body.as_ref().map(words),
        "language": draft.language,
    })
}

fn plain(text: &str) -> Value {
    json!({"kind": "plain", "text": text})
}

fn words(words: &Words) -> Value {
    let html = words.kind == ContentKind::Html;
    json!({"kind": if html { "html" } else { "plain" }, "text": words.text})
}

fn feed_rs(page: &Page) -> Result<Value, String> {
    let feed = parse_with_feed_rs(page).map_err(|error| error.to_string())?;
    Ok(json!({
        "ok": true,
        "feed": {
            "title": feed.title.as_ref().map(text),
            "link": alternate(&feed.links),
            "language": feed.language,
        },
        "entries": feed.entries.iter().map(entry).collect::<Vec<_>>(),
    }))
}

fn parse_with_feed_rs(page: &Page) -> feed_rs::parser::ParseFeedResult<feed_rs::model::Feed> {
    feed_rs::parser::Builder::new()
        .base_uri(Some(page.url.as_str()))
        .id_generator(|_, _, _| String::new())
        .build()
        .parse(page.bytes.as_slice())
}

fn entry(entry: &Entry) -> Value {
    json!({
        "id": Some(&entry.id).filter(|id| !id.is_empty()),
        "title": entry.title.as_ref().map(text),
        "link": alternate(&entry.links),
        "published": entry.published.map(|date| date.to_rfc3339()),
        "updated": entry.updated.map(|date| date.to_rfc3339()),
        "author": entry.authors.first().map(|person| &person.name),
        "summary": entry.summary.as_ref().map(text),
        "content": entry.content.as_ref().and_then(content),
        "language": entry.language,
    })
}

fn alternate(links: &[Link]) -> Option<&str> {
    let is_it = |link: &&Link| {
        link.rel
            .as_deref()
            .is_none_or(|rel| matches!(rel, "" | "alternate"))
    };
    links.iter().find(is_it).map(|link| link.href.as_str())
}

fn text(text: &Text) -> Value {
    typed(text.content_type.as_str(), &text.content)
}

fn content(content: &Content) -> Option<Value> {
    let body = content.body.as_deref()?;
    Some(typed(content.content_type.as_str(), body))
}

fn typed(media_type: &str, text: &str) -> Value {
    json!({"kind": if media_type.contains("html") { "html" } else { "plain" }, "text": text})
}
