//! Entries that are known, and come under another key: ids that were added, dropped or changed (POLLING P-121, P-123).
//!
//! A listing is looked at as a whole. Only entries that are not in it under a key they are known by can come under
//! another, and each at most once.

use std::collections::HashSet;

use crate::model::entry::EntryKey;
use crate::model::ids::ArticleSeq;
use crate::model::poll::{Candidate, Recognised};

/// So large a share of a listing's unknown entries has to be recognised by link or words for all of them to be believed.
const MASS: f64 = 0.8;

/// Fewer are no mass.
const FEW: usize = 3;

/// An entry of a listing whose key is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Its key.
    pub key: EntryKey,
    /// The known entries it may be.
    pub candidates: Vec<Candidate>,
}

/// Which of these are known entries after all: places, and who they are. `met`: entries that are in the listing under a
/// key they are known by. `entries`: how many the listing has.
///
/// Three rules, the surest first:
/// 1. The feed tells identity otherwise than it did. Who is known by link, or by words, and never had an id, has one now;
///    or there is no id any more. The link, or the words, has to be those of one entry only.
/// 2. Link and words are those of one entry: it was given another id.
/// 3. Half of the listing or more is unknown, and four fifths of that are known by link or by words: ids were changed
///    for all.
#[allow(clippy::implicit_hasher)] // one set of ours
pub fn same(
    strangers: &[Stranger],
    met: &HashSet<ArticleSeq>,
    entries: usize,
) -> Vec<(usize, Recognised)> {
    let mut taken = met.clone();
    let mut found: Vec<(usize, Recognised)> = Vec::new();
    let mut done = HashSet::new();
    for rule in [other_evidence, link_and_words] {
        for (place, stranger) in strangers.iter().enumerate() {
            if !done.contains(&place)
                && let Some(known) = only(stranger, &taken, |one| rule(&stranger.key, one))
            {
                taken.insert(known.first);
                done.insert(place);
                found.push((place, known.clone()));
            }
        }
    }
    let mut mass = Vec::new();
    let left = strangers.len() - found.len();
    for (place, stranger) in strangers.iter().enumerate() {
        let by = |link: bool| {
            only(
                stranger,
                &taken,
                |one| if link { one.link } else { one.words },
            )
        };
        if !done.contains(&place)
            && let Some(known) = by(true).or_else(|| by(false)).cloned()
        {
            taken.insert(known.first);
            mass.push((place, known));
        }
    }
    if mass.len() >= FEW && share(mass.len(), left) >= MASS && strangers.len() * 2 >= entries {
        found.extend(mass);
    }
    found.sort_by_key(|(place, _)| *place);
    found
}

/// Rule 1: the entry was never known by what this key is.
fn other_evidence(key: &EntryKey, one: &Candidate) -> bool {
    let [by_id, by_link, by_words] = one.kinds;
    match key {
        EntryKey::Id(_) => {
            let evidence = match one.entry.key {
                EntryKey::Link(_) => one.link,
                EntryKey::Content(_) => one.words,
                EntryKey::Id(_) => false,
            };
            !by_id && evidence
        }
        EntryKey::Link(_) => !by_link && one.link,
        EntryKey::Content(_) => !by_words && one.words,
    }
}

/// Rule 2.
fn link_and_words(_: &EntryKey, one: &Candidate) -> bool {
    one.link && one.words
}

/// The one candidate that is not taken and for which this holds; `None` where there are more of them.
fn only<'a>(
    stranger: &'a Stranger,
    taken: &HashSet<ArticleSeq>,
    holds: impl Fn(&Candidate) -> bool,
) -> Option<&'a Recognised> {
    let mut all = stranger
        .candidates
        .iter()
        .filter(|one| !taken.contains(&one.entry.first) && holds(one));
    match (all.next(), all.next()) {
        (Some(one), None) => Some(&one.entry),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss)] // listings are bounded far below 2^52 entries
fn share(part: usize, all: usize) -> f64 {
    part as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::content::{CanonicalText, ContentHash, RawHash};
    use crate::model::ids::EntryId;
    use crate::model::poll::KnownEntry;
    use crate::model::revision::Temper;
    use crate::model::time::Timestamp;
    use crate::model::urls::PageUrl;

    fn id(name: &str) -> EntryKey {
        EntryKey::Id(EntryId::new(name).unwrap())
    }

    fn link(name: &str) -> EntryKey {
        EntryKey::Link(PageUrl::parse(&format!("https://a/{name}")).unwrap())
    }

    fn content(name: &str) -> EntryKey {
        let text = CanonicalText::from_folded(name.to_owned());
        EntryKey::Content(ContentHash::of(&text, &text, None))
    }

    /// A candidate: its number, its own key, whether it had the same link and has the same words.
    fn known(first: u64, key: EntryKey, link: bool, words: bool) -> Candidate {
        Candidate {
            kinds: [
                matches!(key, EntryKey::Id(_)),
                matches!(key, EntryKey::Link(_)),
                matches!(key, EntryKey::Content(_)),
            ],
            entry: Recognised {
                key,
                first: ArticleSeq(first),
                known: KnownEntry {
                    latest: ArticleSeq(first),
                    raw: RawHash(1),
                    teaser: None,
                    revised: Timestamp::EPOCH,
                    updated: None,
                    published: None,
                    temper: Temper::default(),
                    withdrawn: None,
                },
            },
            link,
            words,
        }
    }

    fn stranger(key: EntryKey, candidates: &[Candidate]) -> Stranger {
        Stranger {
            key,
            candidates: candidates.to_vec(),
        }
    }

    /// Who is recognised in a listing of so many entries, of which these are met.
    fn check(strangers: &[Stranger], met: &[u64], entries: usize, expected: &[(usize, u64)]) {
        let met = met.iter().copied().map(ArticleSeq).collect();
        let found: Vec<(usize, u64)> = same(strangers, &met, entries)
            .into_iter()
            .map(|(place, known)| (place, known.first.0))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn p_121_evidence_that_is_new_or_lost_maps_one_entry() {
        let by_link = known(7, link("x"), true, false);
        check(
            &[stranger(id("1"), std::slice::from_ref(&by_link))],
            &[],
            50,
            &[(0, 7)],
        );
        check(
            &[stranger(id("1"), std::slice::from_ref(&by_link))],
            &[7],
            50,
            &[],
        );
        // It has an id already: another one on its link is another story.
        let mut has_both = by_link.clone();
        has_both.kinds[0] = true;
        check(&[stranger(id("2"), &[has_both])], &[], 50, &[]);
        check(
            &[stranger(id("1"), &[known(7, content("w"), false, true)])],
            &[],
            50,
            &[(0, 7)],
        );
        check(
            &[stranger(id("1"), &[known(7, content("w"), true, false)])],
            &[],
            50,
            &[],
        );
        let by_id = known(7, id("1"), true, false);
        check(
            &[stranger(link("x"), std::slice::from_ref(&by_id))],
            &[],
            50,
            &[(0, 7)],
        );
        let two = [by_id, known(8, id("2"), true, false)];
        check(&[stranger(link("x"), &two)], &[], 50, &[]);
        check(&[stranger(link("x"), &two)], &[8], 50, &[(0, 7)]);
        check(
            &[stranger(content("w"), &[known(7, id("1"), false, true)])],
            &[],
            50,
            &[(0, 7)],
        );
    }

    #[test]
    fn another_id_on_the_same_link_and_words_is_the_same_entry() {
        let both = known(7, id("1"), true, true);
        check(
            &[stranger(id("2"), std::slice::from_ref(&both))],
            &[],
            50,
            &[(0, 7)],
        );
        check(
            &[stranger(id("2"), std::slice::from_ref(&both))],
            &[7],
            50,
            &[],
        );
        check(
            &[stranger(id("2"), &[known(7, id("1"), true, false)])],
            &[],
            50,
            &[],
        );
        check(
            &[stranger(id("2"), &[known(7, id("1"), false, true)])],
            &[],
            50,
            &[],
        );
        // Two cannot be the same one: the first in the listing is.
        let twice = [
            stranger(id("2"), std::slice::from_ref(&both)),
            stranger(id("3"), &[both]),
        ];
        check(&twice, &[], 50, &[(0, 7)]);
    }

    #[test]
    fn p_123_ids_that_were_changed_for_all_are_no_news() {
        let renamed = |count: u64, strange: u64| -> Vec<Stranger> {
            (0..count)
                .map(|n| {
                    let found = known(n, id(&n.to_string()), n % 2 == 0, n % 2 == 1);
                    let candidates = if n < count - strange {
                        vec![found]
                    } else {
                        Vec::new()
                    };
                    stranger(id(&format!("new {n}")), &candidates)
                })
                .collect()
        };
        let count =
            |strangers: &[Stranger], entries| same(strangers, &HashSet::new(), entries).len();
        assert_eq!(count(&renamed(50, 0), 50), 50);
        assert_eq!(count(&renamed(50, 10), 50), 40);
        assert_eq!(count(&renamed(50, 11), 50), 0, "too few of them");
        assert_eq!(count(&renamed(50, 0), 101), 0, "the others have their ids");
        assert_eq!(count(&renamed(2, 0), 2), 0, "no mass");
    }
}
