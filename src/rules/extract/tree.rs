//! A page as a list of nodes in document order: what is below a node is what directly follows it. Parts are dropped by
//! a mark, so nothing is ever moved.

use std::collections::HashMap;
use std::ops::Range;

use dom_query::{Document, NodeData, NodeId, NodeRef};

use crate::rules::markup::element::{Layout, element};
use crate::rules::markup::{escape, picture};

/// The place of a node in its tree.
pub(super) type At = usize;

/// Elements without an end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// What of an element's attributes is part of the words; names, styles and scripts are the site's.
const ATTRIBUTES: [&str; 14] = [
    "href", "title", "lang", "dir", "cite", "datetime", "colspan", "rowspan", "start", "reversed",
    "value", "type", "span", "scope",
];

/// An element or a text.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Of the top: itself.
    pub parent: At,
    pub children: Vec<At>,
    /// Behind the last node below it.
    pub end: At,
    /// Lower case; empty for a text.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    /// Not part of what is read.
    pub dropped: bool,
}

impl Node {
    /// The value of an attribute; empty where it is absent.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// Whether a picture says where it is.
    fn has_address(&self) -> bool {
        self.attributes.iter().any(|(name, value)| {
            let value = value.trim();
            let stands_in = value.starts_with("data:") || picture::is_placeholder(value);
            picture::holds_address(name) && !value.is_empty() && !stands_in
        })
    }

    pub(super) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }
}

/// The tree of a page's body.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Where the parser's nodes are.
    places: HashMap<NodeId, At>,
    nothing: Node,
}

impl Tree {
    pub(super) fn of(document: &Document) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            places: HashMap::new(),
            nothing: Node {
                dropped: true,
                ..Node::default()
            },
        };
        let top = document.body().unwrap_or_else(|| document.root());
        let mut waiting = vec![(top, 0)];
        while let Some((found, parent)) = waiting.pop() {
            let Some(node) = read(&found, parent) else {
                continue;
            };
            let at = tree.nodes.len();
            tree.places.insert(found.id, at);
            tree.nodes.push(node);
            if at > 0
                && let Some(above) = tree.nodes.get_mut(parent)
            {
                above.children.push(at);
            }
            waiting.extend(found.children_it(true).map(|child| (child, at)));
        }
        for at in (0..tree.nodes.len()).rev() {
            let last = tree.at(at).children.last().copied();
            let end = last.map_or(at + 1, |last| tree.at(last).end);
            if let Some(node) = tree.nodes.get_mut(at) {
                node.end = end;
            }
        }
        tree
    }

    pub(super) fn at(&self, at: At) -> &Node {
        self.nodes.get(at).unwrap_or(&self.nothing)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn place(&self, found: &NodeRef<'_>) -> Option<At> {
        self.places.get(&found.id).copied()
    }

    /// It and all below it.
    pub(super) fn below(&self, at: At) -> Range<At> {
        at..self.at(at).end
    }

    /// It, what it stands in, and so on to the top.
    pub(super) fn upwards(&self, at: At) -> impl Iterator<Item = At> {
        std::iter::successors(Some(at), |at| (*at != 0).then(|| self.at(*at).parent))
    }

    pub(super) fn drop(&mut self, at: At) {
        for at in self.below(at) {
            if let Some(node) = self.nodes.get_mut(at) {
                node.dropped = true;
            }
        }
    }

    /// Whether an element parts what is in it from what is around it.
    pub(super) fn is_block(&self, at: At) -> bool {
        let node = self.at(at);
        !node.name.is_empty()
            && (at == 0
                || node.name == "body"
                || !matches!(element(&node.name).layout, Layout::Inline))
    }

    /// Whether a picture, a video or the like is below.
    pub(super) fn shows(&self, at: At) -> bool {
        self.below(at).any(|at| {
            let node = self.at(at);
            !node.dropped && node.is(&["img", "video", "audio", "picture", "iframe"])
        })
    }

    /// Gives pictures that have no address that of the `noscript` beside them, which will be taken off like any other.
    pub(super) fn fill_pictures(&mut self) {
        for at in 0..self.len() {
            if self.at(at).name != "noscript" {
                continue;
            }
            let is_img = |at: &At| self.at(*at).name == "img";
            let Some(inner) = self.below(at).find(is_img) else {
                continue;
            };
            let siblings = &self.at(self.at(at).parent).children;
            let is_something = |at: &&At| {
                let node = self.at(**at);
                !node.name.is_empty() || !node.text.trim().is_empty()
            };
            // They stand in document order.
            let Ok(place) = siblings.binary_search(&at) else {
                continue;
            };
            let (before, behind) = siblings.split_at(place);
            let beside = [
                before.iter().rev().find(is_something),
                behind.iter().skip(1).find(is_something),
            ];
            let waiting = beside
                .into_iter()
                .flatten()
                .copied()
                .find(|at| is_img(at) && !self.at(*at).has_address());
            let attributes = self.at(inner).attributes.clone();
            if let Some(at) = waiting
                && let Some(node) = self.nodes.get_mut(at)
            {
                node.attributes = attributes;
            }
        }
    }

    /// What is left of it, as HTML.
    pub(super) fn html(&self, top: At) -> String {
        let mut html = String::new();
        let mut open: Vec<(At, String)> = Vec::new();
        for at in self.below(top) {
            while let Some((_, tag)) = open.pop_if(|(end, _)| *end <= at) {
                html.push_str(&tag);
            }
            let node = self.at(at);
            if node.dropped {
                continue;
            }
            if node.name.is_empty() {
                html.push_str(&escape::text(&node.text));
                continue;
            }
            let plain = |name: &str| {
                let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
                !name.is_empty() && name.bytes().all(letter)
            };
            let name = match node.name.as_str() {
                "xmp" | "listing" | "plaintext" => "pre",
                "amp-img" => "img",
                "amp-video" => "video",
                name if plain(name) && !matches!(name, "body" | "html") => name,
                _ => "div",
            };
            html.push('<');
            html.push_str(name);
            let keeps = |attribute: &str| match name {
                // Where its address is hidden, and whether it is to be seen.
                "img" | "source" | "video" | "audio" | "iframe" => !attribute.starts_with("on"),
                _ => ATTRIBUTES.contains(&attribute),
            };
            for (attribute, value) in &node.attributes {
                if !(plain(attribute) && keeps(attribute)) {
                    continue;
                }
                html.extend([" ", attribute, "=\""]);
                escape::push_anywhere(&mut html, value);
                html.push('"');
            }
            html.push('>');
            if !VOID.contains(&name) {
                open.push((node.end, format!("</{name}>")));
            }
        }
        while let Some((_, tag)) = open.pop() {
            html.push_str(&tag);
        }
        html
    }
}

fn read(found: &NodeRef<'_>, parent: At) -> Option<Node> {
    found.query_or(None, |node| match &node.data {
        NodeData::Text { contents } => Some(Node {
            parent,
            text: contents.to_string(),
            ..Node::default()
        }),
        NodeData::Element(element) => Some(Node {
            parent,
            name: element.node_name().to_ascii_lowercase(),
            attributes: element
                .attrs
                .iter()
                .map(|attr| (attr.name.local.to_string(), attr.value.to_string()))
                .collect(),
            ..Node::default()
        }),
        NodeData::Document | NodeData::Fragment => Some(Node {
            parent,
            name: "body".to_owned(),
            ..Node::default()
        }),
        _ => None,
    })
}

/// Runs of blanks as one, none at the ends.
pub(super) fn one_blank(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
