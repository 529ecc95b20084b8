//! Which feeds a page names: `Link` headers first, then `<link rel=alternate>` in its head (P-61). What a page does not
//! name is not guessed.

use std::borrow::Cow;

use crate::model::http::Page;
use crate::model::urls::PageUrl;
use crate::rules::charset::{self, Kind};
use crate::rules::markup::entity::decode;
use crate::rules::markup::token::{Tag, Token, Tokens};

/// More feeds than this are not listed from one page.
const MOST: usize = 50;

/// What a feed is served as. Plain `application/json` is not among them: sites name their programming interfaces by it.
const FEED_TYPES: [&str; 6] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/xml",
    "text/xml",
];

/// What may stand in a head; anything else ends it (HTML standard §13.2.6.4.4).
const HEAD: [&str; 12] = [
    "html", "head", "base", "basefont", "bgsound", "link", "meta", "noframes", "noscript",
    "script", "style", "title",
];

/// A feed a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is, without fragment.
    pub url: PageUrl,
    /// What the page calls it, on one line; `None` where it does not.
    pub title: Option<String>,
    /// Its media type, by the page's word; `None` with `rel=feed` alone.
    pub media_type: Option<String>,
}

/// The feeds this page names, in its order, each address once; at most 50.
pub fn feeds(page: &Page) -> Vec<Candidate> {
    let html = charset::decode(&page.bytes, page.charset.as_deref(), Kind::Html).text;
    let mut found: Vec<Candidate> = Vec::new();
    let links = page.links.iter().flat_map(|value| header(value));
    let (base, in_head) = head(&html);
    let base = base
        .and_then(|base| page.url.join(&base).ok())
        .unwrap_or_else(|| page.url.clone());
    let all = links
        .map(|link| (link, &page.url))
        .chain(in_head.into_iter().map(|link| (link, &base)));
    for (link, base) in all {
        let Some(candidate) = link.candidate(base) else {
            continue;
        };
        if found.len() < MOST && found.iter().all(|other| other.url != candidate.url) {
            found.push(candidate);
        }
    }
    found
}

/// The first words a person would see on a page, on one line of at most 200 characters.
pub fn excerpt(page: &Page) -> String {
    let html = charset::decode(&page.bytes, page.charset.as_deref(), Kind::Html).text;
    let mut words = String::new();
    let mut tokens = Tokens::new(&html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Start(tag) if is_raw(&tag) => {
                tokens.skip_raw(tag.name);
            }
            Token::Text(text) => {
                for word in decode(text, false).split_whitespace().take(200) {
                    words.push_str(word);
                    words.push(' ');
                }
            }
            _ => {}
        }
        if words.len() > 1_000 {
            break;
        }
    }
    let words: String = words.chars().filter(|c| !c.is_control()).collect();
    words.trim().chars().take(200).collect()
}

fn is_raw(tag: &Tag<'_>) -> bool {
    ["script", "style", "template", "noframes"]
        .iter()
        .any(|name| tag.is(name))
}

/// A link as it was found, whatever it leads to.
#[derive(Default)]
struct Link {
    target: String,
    rel: String,
    media_type: Option<String>,
    title: Option<String>,
    /// It speaks of another page than the one it came with.
    elsewhere: bool,
}

impl Link {
    fn candidate(self, base: &PageUrl) -> Option<Candidate> {
        let rel = |wanted: &str| {
            let mut words = self.rel.split_ascii_whitespace();
            words.any(|word| word.eq_ignore_ascii_case(wanted))
        };
        let media_type = self
            .media_type
            .as_deref()
            .and_then(|text| text.split(';').next())
            .map(|text| text.trim().to_ascii_lowercase())
            .filter(|text| !text.is_empty());
        let known = media_type.as_deref().map(|kind| FEED_TYPES.contains(&kind));
        let names_feed = match known {
            Some(known) => known && (rel("alternate") || rel("feed")),
            None => rel("feed"),
        };
        if !names_feed || rel("stylesheet") || self.elsewhere || self.target.trim().is_empty() {
            return None;
        }
        let title = self.title.map(|title| {
            let words: Vec<&str> = title.split_whitespace().collect();
            words
                .join(" ")
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect::<String>()
        });
        Some(Candidate {
            url: base.join(&self.target).ok()?.without_fragment(),
            title: title.filter(|title| !title.is_empty()),
            media_type,
        })
    }
}

/// The links of a document's head, and its base.
fn head(html: &str) -> (Option<String>, Vec<Link>) {
    let (mut base, mut links) = (None, Vec::new());
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) if text.trim_matches('\u{feff}').trim().is_empty() => {}
            Token::Text(_) => break,
            Token::End(tag) if tag.is("head") => break,
            Token::End(_) | Token::Other => {}
            Token::Start(tag) if is_raw(&tag) || tag.is("title") => {
                tokens.skip_raw(tag.name);
            }
            Token::Start(tag) if !HEAD.iter().any(|name| tag.is(name)) => break,
            Token::Start(tag) => {
                let value = |name: &str| tag.value(name).map(Cow::into_owned);
                if tag.is("base") && base.is_none() {
                    base = value("href");
                } else if tag.is("link") && links.len() < 10 * MOST {
                    links.push(Link {
                        target: value("href").unwrap_or_default(),
                        rel: value("rel").unwrap_or_default(),
                        media_type: value("type"),
                        title: value("title"),
                        elsewhere: false,
                    });
                }
            }
        }
    }
    (base, links)
}

/// The links of one `Link` header line (RFC 8288 §3).
fn header(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else {
            break;
        };
        let mut link = Link {
            target: target.to_owned(),
            ..Link::default()
        };
        rest = parameters(after, &mut link);
        links.push(link);
    }
    links
}

/// Reads the parameters behind a target, the first of each name; what follows the link's comma comes back.
fn parameters<'t>(text: &'t str, link: &mut Link) -> &'t str {
    let mut rest = text.trim_start();
    let mut has_rel = false;
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start();
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after.trim_start()),
            None => (String::new(), after),
        };
        rest = after.trim_start();
        match name.trim().to_ascii_lowercase().as_str() {
            "rel" if !has_rel => (link.rel, has_rel) = (value, true),
            "type" if link.media_type.is_none() => link.media_type = Some(value),
            "title" if link.title.is_none() => link.title = Some(value),
            "anchor" => link.elsewhere = true,
            _ => {}
        }
    }
    // Up to the comma: whatever stands there is no parameter.
    rest.find(',')
        .map_or("", |at| rest.get(at + 1..).unwrap_or_default())
}

/// A token, or a quoted text with its backslashes undone; and what follows.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            _ => value.push(c),
        }
    }
    (value, "")
}
