//! One field of an entry as feeds.toml names it: a CSS selector, and the attribute its value is in
//! (`time.when @datetime`). Without an attribute it is the text, or what the field is usually in.

use dom_query::{Matcher, NodeRef, Selection};

use crate::rules::markup::picture;

/// Characters of a text that are kept.
const MAX_TEXT: usize = 4_000;
/// So many elements are looked at for one value.
const MAX_TRIED: usize = 8;
/// A selector and where its value is.
#[derive(Debug)]
pub struct Field {
    /// `None`: the element itself.
    matcher: Option<Matcher>,
    attribute: Option<String>,
}

/// What a field is usually in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// Its text.
    Text,
    /// `datetime`, else its text.
    Date,
    /// `href`.
    Link,
    /// `data-src` and the like, else `src`.
    Picture,
}

impl Field {
    /// Reads `SELECTOR`, `SELECTOR @ATTRIBUTE` or `@ATTRIBUTE`.
    pub fn parse(written: &str) -> Result<Self, String> {
        let (selector, attribute) = match written.rsplit_once('@') {
            Some((selector, name)) if is_name(name.trim()) => (selector, Some(name.trim())),
            _ => (written, None),
        };
        let selector = selector.trim();
        if selector.is_empty() && attribute.is_none() {
            return Err("is empty".to_owned());
        }
        let matcher = (!selector.is_empty()).then(|| matcher(selector));
        Ok(Self {
            matcher: matcher.transpose()?,
            attribute: attribute.map(str::to_ascii_lowercase),
        })
    }

    /// Its value in this element: the first that says something.
    pub fn value(&self, item: &NodeRef, usual: Usual) -> Option<String> {
        self.each(item, |node| self.of(node, usual))
            .into_iter()
            .next()
    }

    /// All its values in this element, the first few.
    pub fn values(&self, item: &NodeRef) -> Vec<String> {
        self.each(item, |node| self.of(node, Usual::Text))
    }

    /// The elements it names in this one.
    pub fn nodes<'a>(&self, item: &NodeRef<'a>) -> Vec<NodeRef<'a>> {
        match &self.matcher {
            None => vec![*item],
            Some(matcher) => Selection::from(*item)
                .select_matcher(matcher)
                .nodes()
                .to_vec(),
        }
    }

    fn each<T>(&self, item: &NodeRef, read: impl Fn(&NodeRef) -> Option<T>) -> Vec<T> {
        let nodes = match &self.matcher {
            None => vec![*item],
            Some(matcher) => Selection::from(*item)
                .select_matcher_iter(matcher)
                .take(MAX_TRIED)
                .collect(),
        };
        nodes.iter().filter_map(read).collect()
    }

    fn of(&self, node: &NodeRef, usual: Usual) -> Option<String> {
        if let Some(attribute) = &self.attribute {
            return attr(node, attribute);
        }
        match usual {
            Usual::Text => text(node),
            Usual::Date => attr(node, "datetime").or_else(|| text(node)),
            Usual::Link => attr(node, "href"),
            Usual::Picture => picture::WHERE.iter().find_map(|name| {
                let stands_in =
                    |url: &String| url.starts_with("data:") || picture::is_placeholder(url);
                attr(node, name).filter(|url| !stands_in(url))
            }),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte))
}

/// A selector that can be used.
pub fn matcher(selector: &str) -> Result<Matcher, String> {
    Matcher::new(selector).map_err(|_| format!("`{selector}` is no CSS selector"))
}

/// For [`OptionKind::Written`](crate::model::feed::OptionKind::Written): a selector alone.
pub fn check_selector(text: &str) -> Result<(), String> {
    matcher(text).map(|_| ())
}

/// Likewise, a selector that may name an attribute.
pub fn check_field(text: &str) -> Result<(), String> {
    Field::parse(text).map(|_| ())
}

fn attr(node: &NodeRef, name: &str) -> Option<String> {
    let value = node.attr(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.chars().take(MAX_TEXT).collect())
}

/// The start of an element's text on one line, unless it is blank. What is cut is not even walked to: a page must not
/// come out many times over.
pub fn text(node: &NodeRef) -> Option<String> {
    let mut words = String::new();
    let (mut length, mut gap) = (0, false);
    for part in node.descendants_it() {
        if !part.is_text() {
            gap |= part
                .node_name()
                .is_some_and(|name| matches!(&*name, "br" | "p" | "div" | "li" | "td"));
            continue;
        }
        for c in part.text().chars() {
            if c.is_whitespace() || c == '\u{feff}' {
                gap = true;
                continue;
            }
            if gap && !words.is_empty() {
                words.push(' ');
            }
            gap = false;
            words.push(c);
            length += 1;
            if length == MAX_TEXT {
                return Some(words);
            }
        }
    }
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use dom_query::Document;

    #[test]
    fn a_field_is_a_selector_and_where_its_value_is() {
        let page = Document::from(
            "<div id=i data-id='7'><a class=t href=' /a '> One <b>two</b><br>three </a>\
             <time datetime='2026-11-01'>yesterday</time><img zoomfile=/late.png data-src=/x/blank.gif src='data:x'>\
             <p></p><p>words</p></div>",
        );
        let item = *page.select("#i").nodes().first().unwrap();
        let check = |written: &str, usual, expected: Option<&str>| {
            let value = Field::parse(written).unwrap().value(&item, usual);
            assert_eq!(value.as_deref(), expected, "{written}");
        };
        check("a.t", Usual::Text, Some("One two three"));
        check("a.t", Usual::Link, Some("/a"));
        check("a.t @class", Usual::Link, Some("t"));
        check("a.t@class", Usual::Text, Some("t"));
        check("@data-id", Usual::Text, Some("7"));
        check("time", Usual::Date, Some("2026-11-01"));
        check("time", Usual::Text, Some("yesterday"));
        check("img", Usual::Picture, Some("/late.png"));
        check("p", Usual::Text, Some("words"));
        check("h1", Usual::Text, None);
        check("a[class=\"t@x\"]", Usual::Text, None);
    }

    #[test]
    fn a_wrong_selector_is_told_with_its_place() {
        for wrong in ["", "ul >", "a[", "p:no-such-thing", "..a", "@"] {
            assert!(Field::parse(wrong).is_err(), "{wrong}");
        }
        let why = check_selector("ul > > li").unwrap_err();
        assert_eq!(why, "`ul > > li` is no CSS selector");
    }
}
