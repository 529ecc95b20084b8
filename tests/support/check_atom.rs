//! Judges an Atom document by RFC 4287 and by our own profile (F-01 to F-19). Written from the rules and not from the
//! writer: another XML parser, another HTML parser, lists of its own.

use std::collections::HashSet;

use feedmill::model::time::Timestamp;
use roxmltree::{Document, Node};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const HISTORY: &str = "http://purl.org/syndication/history/1.0";
const MEDIA: &str = "http://search.yahoo.com/mrss/";
const OURS: &str = "urn:feedmill:ns:1";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What is wrong with an archive document (RFC 5005 §4); nothing if all is well.
pub fn check_archive(document: &str) -> Vec<String> {
    judge(document, true)
}

/// What is wrong with the document; nothing if all is well.
pub fn check(document: &str) -> Vec<String> {
    judge(document, false)
}

fn judge(document: &str, archive: bool) -> Vec<String> {
    let mut faults = Faults::default();
    if document.chars().any(|c| {
        let code = u32::from(c);
        (c.is_control() && !"\t\n".contains(c))
            || (0xFDD0..=0xFDEF).contains(&code)
            || code & 0xFFFE == 0xFFFE
    }) {
        faults.add("document: a character that must not be published (F-11)");
    }
    let parsed = match Document::parse(document) {
        Ok(parsed) => parsed,
        Err(error) => {
            faults.add(format!("not well-formed: {error}"));
            return faults.0;
        }
    };
    let feed = parsed.root_element();
    if !feed.has_tag_name((ATOM, "feed")) {
        faults.add("the root is not atom:feed");
    }
    for node in parsed.descendants().filter(Node::is_element) {
        if node.attribute((XML, "base")).is_some() {
            faults.add("xml:base (F-14)");
        }
        if node
            .attribute((XML, "lang"))
            .is_some_and(|tag| !is_language(tag))
        {
            faults.add("xml:lang is no language tag");
        }
    }
    if feed.attribute((XML, "lang")).is_none() {
        faults.add("feed: no xml:lang (F-13)");
    }
    faults.container(feed, "feed");
    faults.exactly(feed, "author", 1);
    faults.exactly(feed, "generator", 1);
    let marks = feed
        .children()
        .filter(|node| node.has_tag_name((HISTORY, "archive")));
    if marks.count() != usize::from(archive)
        || links(feed, "current").count() != usize::from(archive)
    {
        faults.add("feed: whether it is an archive document (F-48)");
    }
    if links(feed, "prev-archive").count() > 1 || links(feed, "next-archive").count() > 0 {
        faults.add("feed: links to other archive documents (F-49)");
    }
    for relation in ["self", "alternate"] {
        if links(feed, relation).count() != 1 {
            faults.add(format!("feed: not exactly one {relation} link (F-19)"));
        }
    }
    if links(feed, "self").any(|link| link.attribute("type") != Some("application/atom+xml")) {
        faults.add("feed: the self link has another type");
    }
    let mut ids = HashSet::new();
    for entry in children(feed, "entry") {
        faults.entry(entry, feed);
        if !ids.insert(text(entry, "id")) {
            faults.add("two entries with one id (F-04)");
        }
    }
    faults.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    fn exactly(&mut self, node: Node<'_, '_>, name: &'static str, count: usize) {
        let found = children(node, name).count();
        if found != count {
            let parent = node.tag_name().name();
            self.add(format!("{parent}: {found} {name}, not {count}"));
        }
    }

    /// What feed, entry and source have in common.
    fn container(&mut self, node: Node<'_, '_>, what: &str) {
        for name in ["id", "title", "updated"] {
            self.exactly(node, name, 1);
        }
        let known: &[&str] = match what {
            "feed" => &[
                "author",
                "entry",
                "generator",
                "id",
                "link",
                "subtitle",
                "title",
                "updated",
            ],
            "entry" => &[
                "author",
                "category",
                "content",
                "id",
                "link",
                "published",
                "source",
                "summary",
                "title",
                "updated",
            ],
            _ => &["author", "icon", "id", "link", "rights", "title", "updated"],
        };
        for child in node.children() {
            if child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()) {
                self.add(format!("{what}: words between its elements"));
            }
            let name = child.tag_name().name();
            match child.tag_name().namespace() {
                _ if !child.is_element() => {}
                Some(ATOM) if known.contains(&name) => {}
                Some(OURS) if what == "entry" => {}
                Some(MEDIA) if what == "entry" && name == "thumbnail" => {
                    if !child.attribute("url").is_some_and(is_web) {
                        self.add("entry: a thumbnail without an address");
                    }
                }
                // Counted by the caller.
                Some(HISTORY) if what == "feed" && name == "archive" => {}
                _ => self.add(format!("{what}: an element {name} that has no place there")),
            }
        }
        for name in [
            "subtitle",
            "published",
            "summary",
            "content",
            "source",
            "rights",
            "icon",
            "generator",
        ] {
            if children(node, name).count() > 1 {
                self.add(format!("{what}: more than one {name}"));
            }
        }
        for name in ["id", "icon"] {
            if children(node, name).any(|id| !is_iri(words(id))) {
                self.add(format!("{what}: {name} is no absolute IRI"));
            }
        }
        for name in ["updated", "published"] {
            if children(node, name).any(|date| !is_date(words(date))) {
                self.add(format!("{what}: {name} is no date of RFC 3339"));
            }
        }
        for name in ["title", "subtitle", "summary", "rights"] {
            for construct in children(node, name) {
                if construct.attribute("type") != Some("text")
                    || construct.children().any(|c| c.is_element())
                {
                    self.add(format!("{what}: {name} is not plain text (F-15)"));
                }
                if words(construct).contains('\n') {
                    self.add(format!("{what}: {name} has a line break"));
                }
            }
        }
        if children(node, "title").any(|title| words(title).trim().is_empty()) {
            self.add(format!("{what}: an empty title"));
        }
        for author in children(node, "author") {
            let names: Vec<_> = children(author, "name").collect();
            if names.len() != 1 || names.iter().any(|name| words(*name).trim().is_empty()) {
                self.add(format!("{what}: an author without a name (F-06)"));
            }
        }
        for link in children(node, "link") {
            self.link(link, what);
        }
        if links(node, "alternate").count() > 1 {
            self.add(format!("{what}: more than one alternate link"));
        }
    }

    fn link(&mut self, link: Node<'_, '_>, what: &str) {
        let href = link.attribute("href").unwrap_or_default();
        if !is_web(href) {
            self.add(format!("{what}: a link to {href:?} (F-14)"));
        }
        let relation = link.attribute("rel").unwrap_or("alternate");
        let of_feeds = what == "feed" && ["current", "prev-archive"].contains(&relation);
        if !of_feeds && !["self", "alternate", "related", "via", "enclosure"].contains(&relation) {
            self.add(format!("{what}: a link with rel {relation}"));
        }
        if link
            .attribute("length")
            .is_some_and(|length| length.parse::<u64>().is_err())
        {
            self.add(format!("{what}: a length that is no number"));
        }
        let is_type = |kind: &str| {
            kind.split_once('/')
                .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
                && !kind.contains(['"', ' '])
        };
        if link.attribute("type").is_some_and(|kind| !is_type(kind)) {
            self.add(format!("{what}: a type that is no media type"));
        }
        let known = ["rel", "type", "href", "title", "length"];
        if link.attributes().any(|a| !known.contains(&a.name())) {
            self.add(format!("{what}: an attribute no link has"));
        }
    }

    fn entry(&mut self, entry: Node<'_, '_>, feed: Node<'_, '_>) {
        self.container(entry, "entry");
        self.exactly(entry, "source", 1);
        for source in children(entry, "source") {
            self.container(source, "source");
            // F-06 is more than RFC 4287 asks: the feed's own author is no author of an entry.
            if children(entry, "author").count() + children(source, "author").count() == 0 {
                self.add("entry: nobody wrote it (F-06)");
            }
        }
        if entry
            .attribute((XML, "lang"))
            .is_some_and(|tag| feed.attribute((XML, "lang")) == Some(tag))
        {
            self.add("entry: repeats the language of the feed");
        }
        if children(entry, "content").count() + children(entry, "summary").count() == 0 {
            self.add("entry: neither content nor summary (F-17)");
        }
        if children(entry, "category")
            .any(|category| category.attribute("term").is_none_or(str::is_empty))
        {
            self.add("entry: a category without a term");
        }
        for content in children(entry, "content") {
            if content.attribute("type") != Some("html") || content.attribute("src").is_some() {
                self.add("entry: content is not inline HTML");
            }
            if words(content).len() > 256 * 1024 {
                self.add("entry: content over 256 KiB (F-18)");
            }
            self.html(words(content));
        }
        let ours = |name: &str| {
            entry
                .children()
                .filter(|c| c.has_tag_name((OURS, name)))
                .count()
        };
        for (name, least, most) in [
            ("seq", 1, 1),
            ("content", 1, 1),
            ("feed", 1, 1),
            ("original-id", 0, 1),
        ] {
            if !(least..=most).contains(&ours(name)) {
                self.add(format!("entry: {} fm:{name}", ours(name)));
            }
        }
        for carrier in entry
            .children()
            .filter(|c| c.has_tag_name((OURS, "carrier")))
        {
            let full = ["id", "feed", "title"]
                .iter()
                .all(|name| carrier.attribute(*name).is_some());
            let id = carrier.attribute("id").unwrap_or_default();
            if !full || !is_iri(id) {
                self.add("entry: a carrier without id, feed or title");
            }
        }
    }

    /// Reads the words as a browser would, and looks at everything that is there (F-16).
    fn html(&mut self, html: &str) {
        const PLAIN: &str = "a abbr article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del \
             details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p picture \
             pre q rp rt ruby s samp section small source span strike strong sub summary sup table tbody td tfoot th \
             thead time tr tt u ul var video wbr";
        const ATTRIBUTES: &str = "alt cite colspan controls datetime dir height href hreflang lang media poster \
             referrerpolicy reversed rowspan scope sizes span src srcset start title type value width";
        let document = dom_query::Document::fragment(html);
        let mut elements: Vec<_> = document
            .root()
            .descendants_it()
            .filter(dom_query::NodeRef::is_element)
            .collect();
        // The parser's own document around a fragment.
        elements.retain(|node| !node.has_name("html"));
        for node in elements {
            let name = node.node_name().unwrap_or_default().to_string();
            if !PLAIN.split_whitespace().any(|known| known == name) {
                self.add(format!("content: an element {name} (F-16)"));
            }
            if name == "img" && node.attr("referrerpolicy").as_deref() != Some("no-referrer") {
                self.add("content: a picture that is asked with a referrer");
            }
            for attribute in node.attrs() {
                let attribute_name = attribute.name.local.to_string();
                let value = attribute.value.to_string();
                if !ATTRIBUTES
                    .split_whitespace()
                    .any(|known| known == attribute_name)
                {
                    self.add(format!("content: an attribute {attribute_name} (F-16)"));
                }
                let fine = match &*attribute_name {
                    "href" => is_web(&value) || value.starts_with("mailto:"),
                    "src" => {
                        is_web(&value)
                            || (name == "img"
                                && value.starts_with("data:image/")
                                && value.len() <= 8192)
                    }
                    "poster" | "cite" => is_web(&value),
                    "srcset" => value
                        .split(", ")
                        .all(|candidate| is_web(candidate.split(' ').next().unwrap_or_default())),
                    _ => true,
                };
                if !fine {
                    self.add(format!(
                        "content: {attribute_name} = {value:?} (F-14, F-16)"
                    ));
                }
            }
        }
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name((ATOM, name)))
}

fn links<'a, 'i>(node: Node<'a, 'i>, relation: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    children(node, "link")
        .filter(move |link| link.attribute("rel").unwrap_or("alternate") == relation)
}

fn words<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

fn text<'a>(node: Node<'a, '_>, name: &'static str) -> &'a str {
    children(node, name).next().map(words).unwrap_or_default()
}

fn is_iri(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c);
    let scheme = text.split(':').next().unwrap_or_default();
    text.len() > scheme.len() + 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !text.contains(forbidden)
}

fn is_web(text: &str) -> bool {
    is_iri(text) && (text.starts_with("https://") || text.starts_with("http://"))
}

/// `2025-02-10T15:17:05Z`, the one form of RFC 3339 we write.
fn is_date(text: &str) -> bool {
    let form: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    form == "0000-00-00T00:00:00Z"
        && text
            .parse::<jiff::Timestamp>()
            .is_ok_and(|time| Timestamp::from(time).rfc3339() == text)
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|first| {
        (2..=8).contains(&first.len()) && first.chars().all(|c| c.is_ascii_alphabetic())
    }) && parts.all(|part| {
        (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    })
}
