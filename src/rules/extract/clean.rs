//! What is taken off within an article: its title again, bylines, lists of links, what stands at its ends.

use crate::rules::extract::lines;
use crate::rules::extract::prose::{self, Run, Size};
use crate::rules::extract::tree::{At, Node, Tree};
use crate::rules::fold::fold;

/// Cleans the part `top`. `runs` are those of the whole tree.
pub(super) fn clean(tree: &mut Tree, top: At, runs: &[Run], items: &[bool], title: Option<&str>) {
    let below = tree.below(top);
    let own = prose::within(runs, below.clone());
    for at in below.clone().skip(1) {
        if items.get(at).copied().unwrap_or(false)
            && !tree.at(at).dropped
            && !has_prose(tree, own, at)
        {
            tree.drop(at);
        }
    }
    lists_of_links(tree, top, own);
    let title = title.map(|title| fold(title).as_str().to_owned());
    let first = own.iter().position(|run| run.is_prose);
    let last = own.iter().rposition(|run| run.is_prose);
    let spared = |run: &Run| {
        tree.upwards(run.home)
            .take_while(|at| *at != top)
            .any(|at| {
                tree.at(at)
                    .is(&["figcaption", "figure", "blockquote", "pre", "table", "dl"])
            })
    };
    let mut gone: Vec<At> = Vec::new();
    for (place, run) in own.iter().enumerate() {
        let ahead = first.is_some_and(|first| place < first);
        let behind = last.is_some_and(|last| place > last);
        // Between two paragraphs a line that begins like a byline may be the article's own.
        let at_edge = ahead
            || behind
            || first.is_none()
            || first.is_some_and(|first| place <= first + 1)
            || last.is_some_and(|last| place + 1 >= last);
        let is_title = title.as_ref().is_some_and(|title| {
            let words = fold(&run.text);
            !words.as_str().is_empty()
                && *title == words.as_str()
                && first.is_none_or(|first| place <= first + 1)
        });
        let at_end = (ahead || behind)
            && !spared(run)
            && (run.size.density() > 0.5 || (ahead && run.size.all <= 16 && run.marks == 0));
        let insertion = run.size.density() > 0.8
            && (lines::heads_others(&run.text) || lines::is_pager(&run.text));
        let h1 = tree.at(run.home).name == "h1" && ahead;
        if is_title
            || at_end
            || insertion
            || h1
            || (!spared(run) && lines::is_boilerplate(&run.text))
            || (at_edge && !spared(run) && lines::is_byline(&run.text))
            || is_numbers(run)
        {
            gone.extend(&run.nodes);
        }
    }
    for at in gone {
        tree.drop(at);
    }
    headings_of_nothing(tree, top);
}

/// `1 2 3 下一页`.
fn is_numbers(run: &Run) -> bool {
    run.size.density() > 0.5 && lines::is_pager(&run.text)
}

fn has_prose(tree: &Tree, runs: &[Run], at: At) -> bool {
    prose::within(runs, tree.below(at))
        .iter()
        .any(|run| run.is_prose)
}

/// Takes off lists, tables and other blocks whose words are mostly links.
fn lists_of_links(tree: &mut Tree, top: At, runs: &[Run]) {
    let mut at = top + 1;
    while at < tree.at(top).end {
        let node = tree.at(at);
        let end = node.end;
        let is_list = !node.dropped
            && node.is(&[
                "ul",
                "ol",
                "dl",
                "table",
                "div",
                "section",
                "aside",
                "center",
                "p",
                "blockquote",
            ]);
        if is_list && !has_prose(tree, runs, at) {
            let within = prose::within(runs, at..end);
            let size = within
                .iter()
                .fold(Size::default(), |sum, run| sum.plus(run.size));
            let lines = within.len();
            let dense = size.density() > 0.5 && (lines > 1 || node.name != "p");
            // A picture that is a link, with its words, is a picture.
            if dense && !(lines <= 2 && tree.shows(at)) {
                tree.drop(at);
                at = end;
                continue;
            }
        }
        at += 1;
    }
}

/// Takes off headings that have nothing under them any more: behind them comes a heading of their rank or above it, or the
/// end.
fn headings_of_nothing(tree: &mut Tree, top: At) {
    const HEADINGS: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];
    const END: usize = 0;
    const WORDS: usize = usize::MAX;
    let rank = |node: &Node| HEADINGS.iter().position(|name| *name == node.name);
    let mut behind = END;
    let mut gone = Vec::new();
    for at in tree.below(top).rev() {
        let node = tree.at(at);
        if node.dropped {
            continue;
        }
        if let Some(rank) = rank(node) {
            if behind <= rank {
                gone.push(at);
            } else {
                behind = rank;
            }
        } else if (!node.text.trim().is_empty() || node.is(&["img", "video", "audio", "iframe"]))
            && !tree
                .upwards(at)
                .take_while(|at| *at > top)
                .any(|at| rank(tree.at(at)).is_some())
        {
            behind = WORDS;
        }
    }
    for at in gone {
        tree.drop(at);
    }
}
