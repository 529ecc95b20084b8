//! Reads the subscription lists other readers write (OPML 1.0 and 2.0, P-63). One pass over tags without a tree, so
//! depth costs nothing and entities a document declares are never expanded.

use std::collections::HashMap;

use crate::model::urls::FeedUrl;
use crate::rules::address;
use crate::rules::charset::{self, Kind};
use crate::rules::limits;
use crate::rules::markup::token::{Tag, Token, Tokens};

/// A larger file is no list of subscriptions.
pub const MAX_BYTES: usize = 8 << 20;
/// More feeds than this are not taken from one file.
pub const MAX_FEEDS: usize = 10_000;

/// More tags than this no feed is given.
const MAX_TAGS: usize = 32;

/// A feed of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Where it is.
    pub url: FeedUrl,
    /// What it is called there, on one line; `None` where it has no name or its address for one.
    pub title: Option<String>,
    /// The folders it is in and the categories it names, each once.
    pub tags: Vec<String>,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlines {
    /// Its feeds in their order, each address once.
    pub feeds: Vec<Outline>,
    /// Outlines that name a feed already listed; their categories went to the first.
    pub doubles: usize,
    /// Outlines whose address is none: what they are called, and why.
    pub refused: Vec<(String, String)>,
}

/// Why a file is no list.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadOpml {
    /// Too many bytes.
    #[error("larger than {} MiB: no list of subscriptions", MAX_BYTES >> 20)]
    TooLarge,
    /// Something else.
    #[error("not OPML: there is no <opml> element in it")]
    NotOpml,
    /// The end is missing.
    #[error("it breaks off before </opml>")]
    CutOff,
    /// Past a limit on depth, elements or attributes.
    #[error("{0}")]
    Limit(String),
    /// Too many feeds.
    #[error("more than {MAX_FEEDS} feeds")]
    TooMany,
}

/// Reads a list.
pub fn read(bytes: &[u8]) -> Result<Outlines, BadOpml> {
    if bytes.len() > MAX_BYTES {
        return Err(BadOpml::TooLarge);
    }
    let text = charset::decode(bytes, None, Kind::Xml).text;
    limits::scan_xml(&text).map_err(|error| BadOpml::Limit(error.to_string()))?;
    let mut reader = Reader::default();
    let (mut begun, mut ended) = (false, false);
    for token in Tokens::new(&text) {
        match token {
            Token::Start(tag) if tag.is("opml") => begun = true,
            Token::End(tag) if tag.is("opml") => ended = true,
            Token::Start(tag) if begun && tag.is("outline") => reader.outline(&tag)?,
            Token::End(tag) if tag.is("outline") => {
                reader.open.pop();
            }
            _ => {}
        }
    }
    match (begun, ended) {
        (false, _) => Err(BadOpml::NotOpml),
        (true, false) => Err(BadOpml::CutOff),
        (true, true) => Ok(reader.found),
    }
}

#[derive(Default)]
struct Reader {
    found: Outlines,
    /// The names of the folders around, `None` for an outline that is no folder.
    open: Vec<Option<String>>,
    /// Where among the feeds an address is.
    seen: HashMap<FeedUrl, usize>,
}

impl Reader {
    fn outline(&mut self, tag: &Tag<'_>) -> Result<(), BadOpml> {
        let title = ["title", "text"].iter().find_map(|name| named(tag, name));
        let Some(address) = ["xmlUrl", "url"].iter().find_map(|name| {
            // `url` is where a list of the `link` or `include` kind points: not a feed.
            let is_feed = *name == "xmlUrl"
                || named(tag, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("rss"));
            named(tag, name).filter(|_| is_feed)
        }) else {
            if !tag.self_closing {
                self.open.push(title);
            }
            return Ok(());
        };
        let mut tags: Vec<String> = Vec::new();
        let category = named(tag, "category").unwrap_or_default();
        let named_there = category
            .split(',')
            .flat_map(|path| path.split('/'))
            .map(|word| word.trim().to_owned());
        for tag in self.open.iter().flatten().cloned().chain(named_there) {
            add(&mut tags, as_tag(&tag));
        }
        if !tag.self_closing {
            self.open.push(None);
        }
        match address::typed(&address) {
            Ok(address) => {
                let title = title.filter(|title| *title != address.url.to_string());
                self.feed(Outline {
                    url: address.url,
                    title,
                    tags,
                })
            }
            Err(why) => {
                let name = title.unwrap_or_else(|| "an outline without a title".to_owned());
                self.found.refused.push((name, why.to_string()));
                Ok(())
            }
        }
    }

    /// Addresses are compared as they are read: scheme and host in lower case, without a default port (P-63).
    fn feed(&mut self, outline: Outline) -> Result<(), BadOpml> {
        let Some(place) = self.seen.get(&outline.url) else {
            if self.found.feeds.len() == MAX_FEEDS {
                return Err(BadOpml::TooMany);
            }
            self.seen
                .insert(outline.url.clone(), self.found.feeds.len());
            self.found.feeds.push(outline);
            return Ok(());
        };
        self.found.doubles += 1;
        if let Some(first) = self.found.feeds.get_mut(*place) {
            first.title = first.title.take().or(outline.title);
            for tag in outline.tags {
                add(&mut first.tags, tag);
            }
        }
        Ok(())
    }
}

/// A category in the form tags have in feeds.toml: at most 40 characters, none that would cut an address.
fn as_tag(text: &str) -> String {
    let plain = text.replace(['/', '\\', '?', '#', '%'], "-");
    let tag: String = plain.trim().chars().take(40).collect();
    let tag = tag.trim();
    if tag.chars().all(|c| c == '.') {
        return String::new();
    }
    tag.to_owned()
}

fn add(tags: &mut Vec<String>, tag: String) {
    if !tag.is_empty() && !tags.contains(&tag) && tags.len() < MAX_TAGS {
        tags.push(tag);
    }
}

/// An attribute's value on one line of at most 300 characters (addresses: whole), whatever the case of its name;
/// `None` where it is empty.
fn named(tag: &Tag<'_>, name: &str) -> Option<String> {
    let value = tag.value(name)?;
    let longest = if name.ends_with("rl") { 8 * 1024 } else { 300 };
    let line: Vec<&str> = value.split_whitespace().collect();
    let line: String = line
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(longest)
        .collect();
    (!line.is_empty()).then_some(line)
}
