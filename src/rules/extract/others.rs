//! Lists of other stories and of comments: by their heading, and by their shape.

use std::collections::BTreeMap;

use crate::rules::extract::lines;
use crate::rules::extract::prose::{self, Run};
use crate::rules::extract::tree::{At, Tree};

const HEADINGS: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];

/// Headings looked at on one page.
const MOST: usize = 200;

/// Takes off headings of related stories and of comments, with what follows them up to the next heading of their rank or
/// a paragraph, unless much of the page's prose is in it.
pub(super) fn drop_headed(tree: &mut Tree, runs: &[Run]) {
    let whole = prose::said(runs);
    let heads = runs
        .iter()
        .filter(|run| run.marks <= 1 && lines::heads_others(&run.text));
    for run in heads.take(MOST) {
        let Some(head) = alone(tree, runs, run.home) else {
            continue;
        };
        let rank = rank(tree, head);
        let is_heading =
            rank.is_some() || run.marks == 0 || tree.at(head).is(&["dt", "th", "caption"]);
        let following = following(tree, runs, head, rank);
        let within = |at: &At| prose::said(prose::within(runs, tree.below(*at)));
        let said: u32 = following.iter().map(within).sum();
        if !is_heading || said * 10 > whole * 6 {
            continue;
        }
        for at in following {
            tree.drop(at);
        }
        tree.drop(head);
    }
}

/// The outermost element that is this run and nothing else.
fn alone(tree: &Tree, runs: &[Run], home: At) -> Option<At> {
    let is_alone = |at: &At| prose::within(runs, tree.below(*at)).len() == 1;
    let homes = tree.upwards(home).take_while(|at| *at != 0);
    homes
        .take_while(is_alone)
        .last()
        .filter(|at| !tree.at(*at).dropped)
}

/// The rank of a heading, or of the one within.
fn rank(tree: &Tree, at: At) -> Option<usize> {
    tree.below(at)
        .find_map(|at| HEADINGS.iter().position(|name| tree.at(at).name == *name))
}

/// What stands under a heading.
fn following(tree: &Tree, runs: &[Run], head: At, own: Option<usize>) -> Vec<At> {
    let siblings = tree.at(tree.at(head).parent).children.iter();
    let is_under = |next: &At| {
        let within = prose::within(runs, tree.below(*next));
        let other = HEADINGS
            .iter()
            .position(|name| tree.at(*next).name == *name);
        let is_next = other.is_some_and(|other| own.is_none_or(|own| other <= own))
            && !within
                .first()
                .is_some_and(|run| lines::heads_others(&run.text));
        let goes_on = tree.at(*next).name == "p"
            && within
                .iter()
                .any(|run| run.marks > 0 && run.size.all >= 30 && run.size.density() < 0.3);
        !is_next && !goes_on
    };
    siblings
        .copied()
        .filter(|next| *next > head)
        .take_while(is_under)
        .collect()
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
        let mut kinds: BTreeMap<String, Vec<At>> = BTreeMap::new();
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
            kinds.entry(kind(tree, *child)).or_default().push(*child);
        }
        for same in kinds.values().filter(|same| same.len() >= 3) {
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
    let own = prose::within(runs, tree.below(at));
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
    let parts = own.len() >= 2
        || (linked
            && own
                .iter()
                .any(|run| (0.3..1.0).contains(&run.size.density())));
    parts && said <= 400 && (linked || timed) && (short_name || linked)
}
