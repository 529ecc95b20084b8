//! The page for people at the feed's home (F-60): the same entries, and how to subscribe. No script, no picture of a
//! stranger, nothing that is asked from elsewhere.

use crate::model::time::Zone;
use crate::model::urls::PageUrl;
use crate::output::OUTPUTS;
use crate::output::edition::{Edition, Item};
use crate::output::forms::{below, fit, line};
use crate::rules::html;

/// What it is served as.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// Its style sheet's name below the home page: the policy allows none inside the page (F-46).
pub const STYLE_FILE: &str = "style.css";

/// The style sheet.
pub const STYLE: &str = include_str!("page.css");

/// What the style sheet is served as.
pub const STYLE_TYPE: &str = "text/css; charset=utf-8";

/// Characters of an entry's words.
const WORDS: usize = 280;

/// A list of entries that has feeds of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What people call it.
    pub title: String,
    /// Its address below the home page, without the ending.
    pub stem: String,
}

/// The whole page. `sources` and `tags` are listed below the feeds; `opml` is where the subscriptions are, below the home.
pub fn render(edition: &Edition<'_>, sources: &[View], tags: &[View], opml: &str) -> Vec<u8> {
    let home = &edition.river.home;
    let mut page = Page::default();
    page.raw("<!DOCTYPE html>\n<html");
    if let Some(language) = edition.language {
        page.attribute("lang", language);
    }
    page.raw(">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.element("title", &edition.title);
    page.raw("<link rel=\"stylesheet\"");
    page.attribute("href", &below(home, STYLE_FILE));
    page.raw(">\n");
    for output in OUTPUTS {
        let kind = output.media_type().split(';').next().unwrap_or_default();
        page.raw("<link rel=\"alternate\"");
        page.attribute("type", kind);
        page.attribute("title", &edition.title);
        page.attribute("href", &output.address(edition));
        page.raw(">\n");
    }
    page.raw("<link rel=\"blogroll\" type=\"text/x-opml\"");
    page.attribute("href", &below(home, opml));
    page.raw(">\n</head>\n<body>\n<header>\n");
    page.element("h1", &edition.title);
    if let Some(subtitle) = &edition.subtitle {
        page.element("p", subtitle);
    }
    page.raw("<p class=\"by\"><a href=\"#subscribe\">Subscribe</a></p>\n");
    page.raw("</header>\n<main>\n");
    for item in &edition.items {
        entry(&mut page, item);
    }
    page.raw("</main>\n<footer>\n<h2 id=\"subscribe\">Subscribe</h2>\n");
    page.raw("<p>Put one of these addresses into a feed reader. Atom says the most; all have the same entries.</p>\n<ul>\n");
    for output in OUTPUTS {
        let address = output.address(edition);
        page.raw("<li>");
        page.link(&address, &address);
        page.raw("</li>\n");
    }
    page.raw("<li>");
    page.link(&below(home, opml), "All subscriptions (OPML)");
    page.raw("</li>\n</ul>\n");
    views(&mut page, "By source", home, sources);
    views(&mut page, "By tag", home, tags);
    page.raw("</footer>\n</body>\n</html>\n");
    page.0.into_bytes()
}

fn entry(page: &mut Page, item: &Item<'_>) {
    let stored = &item.entry.article;
    page.raw("<article");
    if let Some(language) = item.language {
        page.attribute("lang", language);
    }
    page.raw(">\n<h3>");
    let (begin, end) = if item.is_highlighted() {
        ("<mark>", "</mark>")
    } else {
        ("", "")
    };
    page.raw(begin);
    match &stored.article.link {
        Some(link) => page.link(link.as_str(), &item.title),
        None => page.text(&item.title),
    }
    page.raw(end);
    page.raw("</h3>\n<p class=\"by\"><time");
    let date = stored.date();
    page.attribute("datetime", &date.rfc3339());
    page.raw(">");
    page.text(&date.civil(&Zone::utc(), "%Y-%m-%d %H:%M"));
    page.raw(" UTC</time> · ");
    page.text(&item.origin.title);
    for carrier in item.carriers() {
        let Some(link) = &carrier.link else { continue };
        page.raw(" · ");
        page.link(link.as_str(), &line(&carrier.source_title, WORDS));
    }
    for tag in &item.tags {
        page.raw(" · #");
        page.text(tag);
    }
    page.raw("</p>\n");
    let words = item.summary.clone().unwrap_or_default();
    let words = if words.is_empty() || words == item.title {
        html::summary(&stored.article.body, WORDS)
    } else {
        words
    };
    let words = line(&words, WORDS);
    if !words.is_empty() {
        page.element("p", &words);
    }
    page.raw("</article>\n");
}

fn views(page: &mut Page, heading: &str, home: &PageUrl, views: &[View]) {
    if views.is_empty() {
        return;
    }
    page.element("h2", heading);
    page.raw("<ul>\n");
    for view in views {
        page.raw("<li>");
        page.text(&view.title);
        page.raw(":");
        for output in OUTPUTS {
            page.raw(" ");
            let address = below(home, &format!("{}.{}", view.stem, output.name()));
            page.link(&address, output.name());
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n");
}

/// A page in the making. Every word that is not ours goes through [`Page::text`] or [`Page::attribute`].
#[derive(Default)]
struct Page(String);

impl Page {
    fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, words: &str) {
        self.0.push_str(&escaped(words));
    }

    fn attribute(&mut self, name: &'static str, value: &str) {
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        self.0.push_str(&escaped(value));
        self.0.push('"');
    }

    fn element(&mut self, name: &'static str, words: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        self.text(words);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push_str(">\n");
    }

    fn link(&mut self, address: &str, words: &str) {
        self.raw("<a");
        self.attribute("href", address);
        self.raw(">");
        self.text(words);
        self.raw("</a>");
    }
}

fn escaped(words: &str) -> String {
    fit(words.to_owned())
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
