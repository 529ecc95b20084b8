//! Copies in other words among what is shown: which of them gives way, and who is named.

use std::collections::HashMap;

use crate::model::ids::ArticleSeq;
use crate::rules::similar::{self, Member};
use crate::store::shown::{Line, Reprint};
use crate::store::web::{Web, seq};

/// Copies of one entry that are named.
const NAMED: usize = 64;

/// Without the lines that give way to another copy of their group: to the one that is [`shown`](similar::shown), in what is
/// shown now or in what was sealed of it.
pub(super) fn collapse(web: &mut Web, mut lines: Vec<Line>) -> Vec<Line> {
    // Of the same words one copy is shown in any case.
    let mut owners: HashMap<i64, ArticleSeq> = HashMap::new();
    for (entry, face) in &web.members {
        let owner = owners.entry(face.words).or_insert(*entry);
        *owner = (*owner).min(*entry);
    }
    let mut groups: HashMap<ArticleSeq, Vec<Member>> = HashMap::new();
    for owner in owners.into_values() {
        if let Some(member) = web.members.get(&owner).map(|face| face.member.clone()) {
            groups.entry(web.group(owner)).or_default().push(member);
        }
    }
    let chosen: HashMap<ArticleSeq, ArticleSeq> = groups
        .iter()
        .filter_map(|(group, members)| Some((*group, similar::shown(members)?.entry)))
        .collect();
    lines.retain(|line| {
        let entry = seq(line.first_seq);
        chosen
            .get(&web.group(entry))
            .is_none_or(|chosen| *chosen == entry)
    });
    lines
}

/// The copies of these lines that are named in them: of a group everybody, but who is named for the same words.
pub(super) fn reprints(web: &mut Web, lines: &[Line], each: bool) -> Vec<Reprint> {
    let mut found = Vec::new();
    for line in lines {
        let of = seq(line.first_seq);
        if !web.members.contains_key(&of) {
            continue;
        }
        let others = web.of(of).into_iter();
        let others = others.filter(|face| face.row.first_seq != of);
        let named = others.filter(|face| each || face.words != line.words);
        found.extend(named.take(NAMED).map(|face| Reprint {
            of,
            near: face.words != line.words,
            row: face.row,
        }));
    }
    found
}
