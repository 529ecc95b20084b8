//! What is taken off a page before anything is weighed: what is not shown, what is no words, and what calls itself a
//! menu, a list of comments, an advertisement.

use crate::rules::extract::lines;
use crate::rules::extract::prose::{Run, Size};
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
    let prose = |range: std::ops::Range<At>| -> u32 {
        runs.iter()
            .filter(|run| range.contains(&run.home) && run.marks > 0 && run.size.density() < 0.5)
            .map(|run| run.size.all)
            .sum()
    };
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

/// Takes off headings of related stories and of comments, with what follows them up to the next heading of their rank,
/// unless much of the page's prose is in it.
pub(super) fn others(tree: &mut Tree, runs: &[Run]) {
    let whole: u32 = runs
        .iter()
        .filter(|run| run.marks > 0)
        .map(|run| run.size.all)
        .sum();
    for run in runs {
        if run.marks > 1 || !lines::heads_others(&run.text) || tree.at(run.home).dropped {
            continue;
        }
        // The element that is this heading and nothing else.
        let mut head = run.home;
        let alone = |at: At| {
            let others = runs
                .iter()
                .filter(|other| tree.below(at).contains(&other.home));
            others.take(2).count() == 1
        };
        if !alone(head) {
            continue;
        }
        while head != 0 && alone(tree.at(head).parent) {
            head = tree.at(head).parent;
        }
        let rank = |at: At| {
            tree.below(at)
                .map(|at| tree.at(at))
                .find(|node| node.is(&["h1", "h2", "h3", "h4", "h5", "h6"]))
                .map(|node| node.name.clone())
        };
        let own = rank(head);
        let mut following: Vec<At> = Vec::new();
        for next in &tree.at(tree.at(head).parent).children {
            if *next <= head {
                continue;
            }
            let other = if tree.at(*next).is(&["h1", "h2", "h3", "h4", "h5", "h6"]) {
                rank(*next)
            } else {
                None
            };
            let here = runs
                .iter()
                .find(|run| tree.below(*next).contains(&run.home))
                .is_some_and(|run| lines::heads_others(&run.text));
            if other.is_some()
                && own.as_ref().is_none_or(|own| other.as_ref() <= Some(own))
                && !here
            {
                break;
            }
            let goes_on = |run: &&Run| {
                run.home == *next && run.marks > 0 && run.size.all >= 60 && run.size.density() < 0.3
            };
            if tree.at(*next).name == "p" && runs.iter().any(|run| goes_on(&run)) {
                break;
            }
            following.push(*next);
        }
        let within = |run: &&Run| {
            following.iter().any(|at| {
                tree.below(*at)
                    .contains(&run.nodes.first().copied().unwrap_or(run.home))
            })
        };
        let said: Size = runs
            .iter()
            .filter(within)
            .filter(|run| run.marks > 0 && run.size.density() < 0.5)
            .fold(Size::default(), |sum, run| sum.plus(run.size));
        let heading_only = following.is_empty();
        if !heading_only && said.all * 10 > whole * 6 {
            continue;
        }
        // A paragraph that begins so and goes on is one.
        let mut heading_like =
            own.is_some() || tree.at(head).is(&["dt", "strong", "b", "th", "caption"]);
        heading_like |= run.marks == 0;
        if !heading_like {
            continue;
        }
        for at in following {
            tree.drop(at);
        }
        tree.drop(head);
    }
}

/// Nodes that are one of a list of short things, such as stories or comments: three or more alike beside each other, each of
/// several runs, with a link or a time in it.
pub(super) fn items(tree: &Tree, runs: &[Run]) -> Vec<bool> {
    let mut items = vec![false; tree.len()];
    for parent in 0..tree.len() {
        let node = tree.at(parent);
        if node.dropped || node.children.len() < 3 {
            continue;
        }
        let mut kinds: Vec<(String, Vec<At>)> = Vec::new();
        for child in &node.children {
            let below = tree.at(*child);
            if below.dropped
                || below.name.is_empty()
                || below.is(&[
                    "p", "br", "tr", "td", "h2", "h3", "h4", "figure", "img", "tbody",
                ])
            {
                continue;
            }
            let kind = kind(tree, *child);
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, same)) => same.push(*child),
                None => kinds.push((kind, vec![*child])),
            }
        }
        for (_, same) in kinds.iter().filter(|(_, same)| same.len() >= 3) {
            let listed = same.iter().filter(|at| is_item(tree, runs, **at)).count();
            if listed * 10 >= same.len() * 7 {
                for at in same.iter().flat_map(|at| tree.below(*at)) {
                    if let Some(known) = items.get_mut(at) {
                        *known = true;
                    }
                }
            }
        }
    }
    items
}

/// What makes elements alike: name and class, or what they are made of.
fn kind(tree: &Tree, at: At) -> String {
    let node = tree.at(at);
    let class = node.attribute("class").trim();
    if !class.is_empty() {
        return format!("{} .{class}", node.name);
    }
    let mut kind = node.name.clone();
    let mut last = "";
    for child in &node.children {
        let name = tree.at(*child).name.as_str();
        if !name.is_empty() && name != last {
            kind.push(' ');
            kind.push_str(name);
            last = name;
        }
    }
    kind
}

fn is_item(tree: &Tree, runs: &[Run], at: At) -> bool {
    let below = tree.below(at);
    let from =
        runs.partition_point(|run| run.nodes.first().is_some_and(|first| *first < below.start));
    let own: Vec<&Run> = runs
        .iter()
        .skip(from)
        .take_while(|run| run.nodes.first().is_some_and(|first| below.contains(first)))
        .collect();
    let said: u32 = own
        .iter()
        .filter(|run| run.marks > 0)
        .map(|run| run.size.all)
        .sum();
    let linked = own.iter().any(|run| run.size.linked > 0);
    let timed = own.iter().any(|run| {
        let line = run.text.to_lowercase();
        run.size.all < 80
            && (lines::has_date(&line)
                || lines::has_clock(&line)
                || line.contains("前")
                || line.contains(" ago"))
    });
    let short_name = own.iter().any(|run| run.marks == 0 && run.size.all <= 40);
    let parts = own.len() >= 2 || (linked && own.iter().any(|run| run.size.density() < 1.0));
    parts && said <= 400 && (linked || timed) && (short_name || linked)
}
