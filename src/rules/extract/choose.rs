//! Which part of a page is the article.

use crate::rules::extract::prose::{self, Run, Size};
use crate::rules::extract::tree::{At, Tree};
use crate::rules::fold::fold;

/// The part that is worth most: prose adds, links and scraps subtract. `None` where nothing is worth anything.
///
/// Every node is worth the sum of the runs below it, so one pass decides; a menu, a list of stories or a column beside
/// the article makes whatever holds it worth less, and an article in several parts makes what holds them all worth more.
pub(super) fn best(tree: &Tree, runs: &[Run]) -> Option<At> {
    let mut worth = vec![0.0_f64; tree.len()];
    for run in runs {
        if let Some(own) = worth.get_mut(run.home) {
            *own += run.value;
        }
    }
    for at in (1..tree.len()).rev() {
        let own = worth.get(at).copied().unwrap_or(0.0);
        if let Some(above) = worth.get_mut(tree.at(at).parent) {
            *above += own;
        }
    }
    let worth = |at: At| worth.get(at).copied().unwrap_or(0.0);
    let mut best = (0.0, None);
    for at in 0..tree.len() {
        if !tree.at(at).dropped && worth(at) > 0.0 && worth(at) >= best.0 {
            best = (worth(at), Some(at));
        }
    }
    let mut best = best.1?;
    // What adds no words may add pictures.
    for above in tree.upwards(best).skip(1) {
        if above == 0 || worth(above) < worth(best) {
            break;
        }
        best = above;
    }
    Some(best)
}

/// Characters of the feed's words that have to stand in the article.
const LEAD: usize = 20;

/// The part of the page that has the words the feed begins with, where `chosen` has not: the run with them, and what is
/// around it as long as less than a fifth of what that adds is links.
pub(super) fn with_lead(tree: &Tree, runs: &[Run], chosen: Option<At>, words: &str) -> Option<At> {
    let lead: String = fold(words).as_str().chars().take(LEAD).collect();
    if lead.chars().count() < LEAD {
        return None;
    }
    let has = |run: &&Run| fold(&run.text).as_str().contains(&lead);
    if chosen.is_some_and(|chosen| {
        prose::within(runs, tree.below(chosen))
            .iter()
            .any(|run| has(&run))
    }) {
        return None;
    }
    let found = runs.iter().filter(has).max_by_key(|run| run.size.all)?;
    let size = |at: At| {
        prose::within(runs, tree.below(at))
            .iter()
            .fold(Size::default(), |sum, run| sum.plus(run.size))
    };
    let mut best = found.home;
    let mut had = size(best);
    for above in tree.upwards(best).skip(1) {
        let has = size(above);
        let added = Size {
            all: has.all.saturating_sub(had.all),
            linked: has.linked.saturating_sub(had.linked),
        };
        if above == 0 || added.density() >= 0.2 {
            break;
        }
        (best, had) = (above, has);
    }
    Some(best)
}
