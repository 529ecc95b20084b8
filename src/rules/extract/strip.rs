//! What is taken off a page before anything is weighed: what is not shown, what is no words, and what calls itself a
//! menu, a list of comments, an advertisement.

use std::ops::Range;

use crate::rules::extract::prose::{self, Run};
use crate::rules::extract::tree::{At, Tree};

/// Never words of an article.
const ELEMENTS: &[&str] = &[
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "math",
    "form",
    "button",
    "input",
    "select",
    "textarea",
    "label",
    "nav",
    "menu",
    "dialog",
    "object",
    "applet",
    "canvas",
    "link",
    "meta",
    "title",
    "head",
    "amp-ad",
    "amp-sidebar",
    "amp-analytics",
    "amp-social-share",
    "ins",
];

const ROLES: &[&str] = &[
    "navigation",
    "menu",
    "menubar",
    "complementary",
    "banner",
    "contentinfo",
    "search",
    "dialog",
    "alertdialog",
    "alert",
    "toolbar",
    "tooltip",
];

/// Words of class names and ids of what stands beside an article.
const BESIDE: &[&str] = &[
    "ad",
    "ads",
    "advert",
    "advertisement",
    "adsbygoogle",
    "banner",
    "breadcrumb",
    "breadcrumbs",
    "crumb",
    "crumbs",
    "byline",
    "combx",
    "comment",
    "comments",
    "pinglun",
    "cookie",
    "cookies",
    "consent",
    "copyright",
    "disqus",
    "disclaimer",
    "dropdown",
    "editor",
    "footer",
    "foot",
    "gdpr",
    "hot",
    "login",
    "masthead",
    "menu",
    "meta",
    "modal",
    "nav",
    "navbar",
    "navi",
    "newsletter",
    "outbrain",
    "pager",
    "pagination",
    "paywall",
    "popup",
    "popular",
    "promo",
    "promotion",
    "qrcode",
    "rank",
    "ranking",
    "recommend",
    "recommended",
    "recommendation",
    "recommendations",
    "related",
    "relate",
    "relative",
    "share",
    "sharing",
    "sidebar",
    "sidebars",
    "side",
    "social",
    "sponsor",
    "sponsored",
    "subscribe",
    "subscription",
    "taboola",
    "tag",
    "tags",
    "toolbar",
    "tools",
    "topbar",
    "trending",
    "widget",
    "xgyd",
    "zebian",
];

/// Words that hold an article's, whatever else is in the name.
const ARTICLE: &[&str] = &[
    "article",
    "content",
    "body",
    "main",
    "post",
    "entry",
    "story",
    "text",
    "page",
    "wrapper",
    "wrap",
    "container",
];

/// Takes off what is not shown or no words at all.
pub(super) fn hidden(tree: &mut Tree) {
    let mut at = 1;
    while at < tree.len() {
        let node = tree.at(at);
        let style: String = node
            .attribute("style")
            .split_whitespace()
            .collect::<String>()
            .to_ascii_lowercase();
        let unseen = node.attributes.iter().any(|(name, _)| name == "hidden")
            || node.attribute("aria-hidden") == "true"
            || style.contains("display:none")
            || style.contains("visibility:hidden");
        // Players and lists of pictures hide what a script shows.
        let unseen = unseen && !node.is(&["img", "figure", "picture"]);
        // An `ins` is what advertisements are put in; in a text it is what was added.
        let ins = node.name == "ins" && node.attribute("class").is_empty();
        if unseen || (node.is(ELEMENTS) && !ins) || node.is(&["label"]) {
            let end = node.end;
            tree.drop(at);
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Takes off what says by its element, role or name that it is beside the article, unless much of the page's prose is in it:
/// then the name means something else.
pub(super) fn beside(tree: &mut Tree, runs: &[Run]) {
    let prose = |range: Range<At>| prose::said(prose::within(runs, range));
    let whole = prose(0..tree.len());
    let mut at = 1;
    while at < tree.len() {
        let node = tree.at(at);
        let (range, end) = (tree.below(at), node.end);
        if !node.dropped && is_beside(tree, at) && prose(range) * 10 <= whole * 4 {
            tree.drop(at);
            at = end;
        } else {
            at += 1;
        }
    }
}

fn is_beside(tree: &Tree, at: At) -> bool {
    let node = tree.at(at);
    if node.name.is_empty()
        || node.is(&[
            "body",
            "html",
            "article",
            "main",
            "p",
            "a",
            "em",
            "strong",
            "b",
            "i",
            "img",
            "figure",
            "figcaption",
            "h1",
        ])
    {
        return false;
    }
    if node.is(&["aside"]) || ROLES.contains(&node.attribute("role")) {
        return true;
    }
    let quoted = |at: At| {
        tree.at(at)
            .is(&["blockquote", "figure", "article", "main", "section"])
    };
    if node.name == "footer" {
        return !tree
            .upwards(at)
            .skip(1)
            .any(|at| tree.at(at).is(&["blockquote", "figure"]));
    }
    if node.name == "header" && !tree.upwards(at).skip(1).any(quoted) {
        return true;
    }
    let names = [node.attribute("class"), node.attribute("id")];
    let (mut beside, mut article) = (false, false);
    for word in names.iter().flat_map(|name| words(name)) {
        beside |= BESIDE.contains(&word.as_str());
        article |= ARTICLE.contains(&word.as_str());
    }
    let strong = names.iter().flat_map(|name| words(name)).any(|word| {
        matches!(
            word.as_str(),
            "comment"
                | "comments"
                | "related"
                | "sidebar"
                | "recommend"
                | "share"
                | "footer"
                | "nav"
                | "breadcrumb"
        )
    });
    beside && (!article || strong)
}

/// The words of a name: `relatedPosts_list-2` has four.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && before_lower) {
            words.push(String::new());
        }
        before_lower = c.is_ascii_lowercase();
        if c.is_ascii_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
