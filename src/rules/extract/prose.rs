//! What on a page is prose: its runs of words between two breaks, and what each is worth.

use std::ops::Range;

use crate::rules::extract::lines;
use crate::rules::extract::tree::{At, Tree, one_blank};

/// Words between two breaks of a page: a paragraph, a heading, a menu's item.
#[derive(Debug)]
pub(super) struct Run {
    /// The element whose words they are.
    pub home: At,
    /// The nodes they are made of.
    pub nodes: Vec<At>,
    pub text: String,
    pub size: Size,
    /// A mark of each sort that lists and menus have none of.
    pub marks: u32,
    /// What it is worth to whatever holds it; below zero where it is better without.
    pub value: f64,
    pub is_prose: bool,
}

/// Widths: a Han character counts as two Latin letters, blanks as none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub all: u32,
    /// Within links.
    pub linked: u32,
}

impl Size {
    pub(super) fn of(text: &str, linked: bool) -> Self {
        let all = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| if u32::from(c) >= 0x2E80 { 2 } else { 1 })
            .sum();
        Self {
            all,
            linked: if linked { all } else { 0 },
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            all: self.all.saturating_add(other.all),
            linked: self.linked.saturating_add(other.linked),
        }
    }

    /// The part of it that is within links.
    pub(super) fn density(self) -> f64 {
        if self.all == 0 {
            0.0
        } else {
            f64::from(self.linked) / f64::from(self.all)
        }
    }
}

/// Where a sentence or a part of it ends, in either width. A point within a number or an address is none.
fn marks(text: &str) -> u32 {
    let mut count = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = matches!(
            c,
            '，' | '。' | '！' | '？' | '；' | '：' | '、' | '”' | '」' | '…'
        ) || (matches!(c, ',' | '.' | '!' | '?' | ';')
            && chars
                .peek()
                .is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '”' | '’')));
        count += u32::from(ends);
    }
    count
}

/// The runs of what is left of a tree, in its order.
pub(super) fn runs(tree: &Tree) -> Vec<Run> {
    let breaks = breaks(tree);
    let parts = |at: At| breaks.get(at).copied().unwrap_or(false);
    let mut runs = Vec::new();
    // What holds blocks, and each block: its own words are runs.
    for home in 0..tree.len() {
        let node = tree.at(home);
        if node.dropped || node.name.is_empty() || !(parts(home) || home == 0) {
            continue;
        }
        let mut nodes = Vec::new();
        for child in &node.children {
            if parts(*child) {
                finish(tree, home, &mut nodes, &mut runs);
            } else if !tree.at(*child).dropped {
                nodes.push(*child);
            }
        }
        finish(tree, home, &mut nodes, &mut runs);
    }
    runs.sort_by_key(|run| run.nodes.first().copied());
    runs
}

/// The runs of some nodes that follow each other. Runs are in the order of the tree, so two searches find them.
pub(super) fn within(runs: &[Run], nodes: Range<At>) -> &[Run] {
    let before = |limit: At| {
        runs.partition_point(|run| run.nodes.first().is_some_and(|first| *first < limit))
    };
    runs.get(before(nodes.start)..before(nodes.end))
        .unwrap_or_default()
}

/// How much is said in some runs: those with a mark, and mostly without links.
pub(super) fn said(runs: &[Run]) -> u32 {
    runs.iter()
        .filter(|run| run.marks > 0 && run.size.density() < 0.5)
        .map(|run| run.size.all)
        .sum()
}

/// For each node whether it parts words: blocks, breaks, and whatever holds one.
fn breaks(tree: &Tree) -> Vec<bool> {
    let mut breaks = vec![false; tree.len()];
    for at in (0..tree.len()).rev() {
        let node = tree.at(at);
        if node.dropped {
            continue;
        }
        let here = tree.is_block(at) || breaks.get(at).copied().unwrap_or(false);
        if let Some(known) = breaks.get_mut(at) {
            *known = here;
        }
        if here
            && at != 0
            && let Some(above) = breaks.get_mut(node.parent)
        {
            *above = true;
        }
    }
    breaks
}

fn finish(tree: &Tree, home: At, nodes: &mut Vec<At>, runs: &mut Vec<Run>) {
    let nodes = std::mem::take(nodes);
    let (mut text, mut size) = (String::new(), Size::default());
    let within_link = tree.upwards(home).any(|at| tree.at(at).name == "a");
    for top in &nodes {
        let mut link_end = 0;
        for at in tree.below(*top) {
            let node = tree.at(at);
            if node.dropped {
                continue;
            }
            if node.name == "a" {
                link_end = link_end.max(node.end);
            }
            text.push_str(&node.text);
            size = size.plus(Size::of(&node.text, within_link || at < link_end));
        }
    }
    if size.all == 0 {
        return;
    }
    let text = one_blank(&text);
    runs.push(Run {
        home,
        marks: marks(&text),
        nodes,
        text,
        size,
        value: 0.0,
        is_prose: false,
    });
}

/// What surrounds a run, as far as it counts.
pub(super) struct Surroundings {
    /// Where the title stands, if it was found.
    pub title: Option<At>,
    /// Nodes that are one of a list of short things: stories, comments.
    pub items: Vec<bool>,
}

/// Prose before the title is worth this part of itself.
const BEFORE_TITLE: f64 = 0.3;

/// The first prose behind the title is worth this much more: a short article has little else to show.
const FIRST: f64 = 160.0;

/// Says of each run what it is worth.
pub(super) fn value(tree: &Tree, runs: &mut [Run], around: &Surroundings) {
    let mut first = around.title.is_some();
    for run in runs {
        let (mut quoted, mut heading, mut listed, mut item) = (false, false, false, false);
        for at in tree.upwards(run.home) {
            let node = tree.at(at);
            quoted |= node.is(&["figcaption", "figure", "blockquote", "pre"]);
            heading |= node.is(&["h1", "h2", "h3", "h4", "h5", "h6"]);
            listed |= node.is(&["li", "td", "th", "dd"]);
            item |= around.items.get(at).copied().unwrap_or(false);
        }
        let all = f64::from(run.size.all);
        let free = 1.0 - run.size.density();
        let (size, marks) = (run.size.all, run.marks);
        let sentence = run
            .text
            .ends_with(['。', '！', '？', '”', '」', '…', '.', '!', '?', '"']);
        let said = (marks >= 1 && size >= 20) || (sentence && size >= 10) || size >= 100;
        let boilerplate = lines::is_boilerplate(&run.text) || lines::is_byline(&run.text);
        run.is_prose = said && free > 0.5 && !heading && !item && !boilerplate;
        run.value = if run.is_prose {
            let mut value = all * free + 10.0 * f64::from(marks);
            if around.title.is_some_and(|title| run.home < title) {
                value *= BEFORE_TITLE;
            } else if std::mem::take(&mut first) {
                value += FIRST;
            }
            value
        } else if item {
            -0.6 * all
        } else if heading || quoted || (boilerplate && free > 0.5) {
            0.0
        } else if free <= 0.5 {
            -all
        } else if listed {
            -0.1 * all
        } else {
            -0.3 * all
        };
    }
}
