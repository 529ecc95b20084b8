//! How an entry is recognised when it comes again.
//!
//! Identity climbs down a ladder: the publisher's id, else the link, else the words. The whole listing is looked at,
//! because only there one sees that an id or a link is a constant and identifies nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::model::entry::{Draft, EntryKey, Lead};
use crate::model::ids::EntryId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::normalise;

/// Above this share of repeated ids a listing's ids are not believed (POLLING P-122).
const TOLERATED_REPEATS: f64 = 0.05;

/// For how long the ids of a feed are not believed after a listing in which they identified nothing: what stood on many
/// stories may stand on one today.
const DISTRUST: Duration = Duration::from_hours(24 * 30);

/// Whether the ids of a feed are not believed, where they were last found to lie then.
pub fn distrusts(lying: Option<Timestamp>, now: Timestamp) -> bool {
    lying.is_some_and(|found| now.since(found) < DISTRUST)
}

/// Whether a listing's ids are repeated so often, with different links, that none of them is to be believed (P-122).
pub fn are_lying(leads: &[Lead]) -> bool {
    matches!(lying(leads), Lying::All)
}

/// The key of each lead, in the listing's order. `None` where a lead offers nothing to recognise it by: an entry
/// without id and link whose words are not known yet. `distrusted`: its feed's ids are not believed.
///
/// The same key twice means the same entry twice; [`preferred`] says which of the two counts.
pub fn keys(leads: &[Lead], distrusted: bool) -> Vec<Option<EntryKey>> {
    let lying = if distrusted { Lying::All } else { lying(leads) };
    let by_link = group(leads, Lead::link);
    leads
        .iter()
        .map(|lead| {
            if let Some(id) = lead.id().filter(|id| lying.spares(id)) {
                let alone = lead
                    .link()
                    .filter(|link| by_link.get(link).is_some_and(|same| same.len() == 1));
                let story = alone.and_then(|link| without_edition(id, link));
                return Some(EntryKey::Id(story.unwrap_or_else(|| id.clone())));
            }
            if let Some(link) = lead
                .link()
                .filter(|link| !is_constant(leads, by_link.get(link)))
            {
                return Some(EntryKey::Link(link.clone()));
            }
            match lead {
                Lead::Whole(draft) => Some(EntryKey::Content(normalise::content_hash(draft))),
                Lead::Teaser(_) => None,
            }
        })
        .collect()
}

/// The id of a story whose id counts its editions: its own address and `#3` (P-123). A page with several stories has
/// several entries at one address, and these are left.
fn without_edition(id: &EntryId, link: &PageUrl) -> Option<EntryId> {
    let (story, edition) = id.as_str().rsplit_once('#')?;
    let counts = !edition.is_empty() && edition.bytes().all(|byte| byte.is_ascii_digit());
    let own = link.as_str().split('#').next() == Some(story);
    (counts && own && !link.as_str().contains('#')).then(|| EntryId::new(story))?
}

/// Of several leads with one key, the one that counts: the latest `updated`, and the first of those (P-122).
pub fn preferred(leads: &[Lead], same: &[usize]) -> Option<usize> {
    let updated = |place: &usize| leads.get(*place).and_then(|lead| draft(lead).updated);
    same.iter().copied().rev().max_by_key(updated)
}

fn draft(lead: &Lead) -> &Draft {
    match lead {
        Lead::Whole(draft) => draft,
        Lead::Teaser(teaser) => &teaser.draft,
    }
}

fn group<'a, K: Hash + Eq>(
    leads: &'a [Lead],
    key: impl Fn(&'a Lead) -> Option<&'a K>,
) -> HashMap<&'a K, Vec<usize>> {
    let mut groups: HashMap<&K, Vec<usize>> = HashMap::with_capacity(leads.len());
    for (place, lead) in leads.iter().enumerate() {
        if let Some(key) = key(lead) {
            groups.entry(key).or_default().push(place);
        }
    }
    groups
}

/// Which ids of a listing are not believed.
enum Lying<'a> {
    None,
    /// One pair: a slip, and no reason to doubt ids that are on one story only. Doubting them all would give every
    /// entry of a small feed another key, and with it another number, until the slip is gone.
    One(&'a EntryId),
    All,
}

impl Lying<'_> {
    fn spares(&self, id: &EntryId) -> bool {
        match self {
            Self::None => true,
            Self::One(lying) => id != *lying,
            Self::All => false,
        }
    }
}

/// An id on several stories identifies none of them. Two of a kind are one entry in two versions, if their links agree;
/// and the same story by two links is still one.
fn lying(leads: &[Lead]) -> Lying<'_> {
    let link = |place: &usize| leads.get(*place).and_then(Lead::link).map(PageUrl::as_str);
    let mut repeats = 0;
    let mut last = None;
    for (id, same) in group(leads, Lead::id) {
        let links_differ = same.windows(2).any(|pair| link(&pair[0]) != link(&pair[1]));
        let stories_differ = is_constant(leads, Some(&same));
        let lies = match same.len() {
            0..=1 => false,
            2 => links_differ && stories_differ,
            _ => links_differ || stories_differ,
        };
        if lies {
            repeats += same.len() - 1;
            last = Some(id);
        }
    }
    #[allow(clippy::cast_precision_loss)] // listings are bounded far below 2^52 entries
    let share = repeats as f64 / leads.len().max(1) as f64;
    match (repeats, last) {
        _ if share <= TOLERATED_REPEATS => Lying::None,
        (1, Some(id)) => Lying::One(id),
        _ => Lying::All,
    }
}

/// Whether the leads at these places are different stories.
fn is_constant(leads: &[Lead], places: Option<&Vec<usize>>) -> bool {
    let Some(places) = places.filter(|places| places.len() > 1) else {
        return false;
    };
    let story = |place: &usize| {
        leads.get(*place).map(|lead| {
            let draft = draft(lead);
            (
                draft.title.as_deref(),
                draft.body.as_ref().map(|body| body.text.as_str()),
            )
        })
    };
    places
        .windows(2)
        .any(|pair| story(&pair[0]) != story(&pair[1]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::content::Content;
    use crate::model::time::Timestamp;

    fn lead(id: &str, link: &str, title: &str) -> Lead {
        Lead::Whole(Box::new(Draft {
            id: EntryId::new(id),
            link: PageUrl::parse(link).ok(),
            title: Some(title.to_owned()),
            body: Some(Content::plain(format!("words of {title}"))),
            ..Draft::default()
        }))
    }

    fn kinds(leads: &[Lead]) -> String {
        let name = |key: &Option<EntryKey>| match key {
            Some(EntryKey::Id(_)) => 'i',
            Some(EntryKey::Link(_)) => 'l',
            Some(EntryKey::Content(_)) => 'c',
            None => '-',
        };
        keys(leads, false).iter().map(name).collect()
    }

    #[test]
    fn the_best_evidence_there_is() {
        assert_eq!(
            kinds(&[
                lead("1", "https://a/1", "x"),
                lead("", "https://a/2", "y"),
                lead("", "", "z")
            ]),
            "ilc"
        );
    }

    #[test]
    fn a_constant_guid_does_not_collapse_a_feed() {
        let leads: Vec<_> = (0..9)
            .map(|n| lead("feed", &format!("https://a/{n}"), &format!("t{n}")))
            .collect();
        assert_eq!(kinds(&leads), "lllllllll");
    }

    #[test]
    fn p_122_ids_that_lied_are_not_believed_for_a_month() {
        let mut leads: Vec<_> = (0..100)
            .map(|n| lead(&n.to_string(), &format!("https://a/{n}"), &format!("t{n}")))
            .collect();
        for (n, one) in leads.iter_mut().enumerate().take(5) {
            *one = lead("99", &format!("https://a/{n}"), &format!("t{n}"));
        }
        assert!(!are_lying(&leads), "5 % are tolerated");
        leads[5] = lead("99", "https://a/5", "t5");
        assert!(are_lying(&leads));
        assert!(!kinds(&leads).contains('i'));
        let one = [lead("99", "https://a/9", "t9")];
        assert_eq!(kinds(&one), "i");
        assert!(matches!(keys(&one, true)[..], [Some(EntryKey::Link(_))]));
        let now = Timestamp::from_secs(100_000_000);
        assert!(!distrusts(None, now));
        assert!(distrusts(Some(now), now));
        assert!(!distrusts(Some(now.minus(DISTRUST)), now));
    }

    #[test]
    fn one_slip_costs_a_small_feed_no_other_key() {
        let mut leads: Vec<_> = (0..5)
            .map(|n| lead(&n.to_string(), &format!("https://a/{n}"), &format!("t{n}")))
            .collect();
        leads.push(lead("3", "https://a/3?from=front", "t3"));
        assert_eq!(kinds(&leads), "iiiiii", "one story by two links");
        leads[5] = lead("3", "https://a/9", "t9");
        assert_eq!(kinds(&leads), "iiilil", "two stories");
        leads[4] = lead("3", "https://a/8", "t8");
        assert_eq!(kinds(&leads), "llllll", "a habit");
    }

    #[test]
    fn a_constant_guid_and_a_constant_link_leave_the_words() {
        let leads: Vec<_> = (0..9)
            .map(|n| lead("feed", "https://a/", &format!("t{n}")))
            .collect();
        assert_eq!(kinds(&leads), "ccccccccc");
        let distinct: std::collections::HashSet<_> = keys(&leads, false).into_iter().collect();
        assert_eq!(distinct.len(), 9);
    }

    #[test]
    fn the_same_id_twice_is_one_entry_and_the_later_update_counts() {
        let mut leads = vec![
            lead("1", "https://a/1", "old"),
            lead("1", "https://a/1", "new"),
            lead("2", "https://a/2", "b"),
        ];
        assert_eq!(kinds(&leads), "iii");
        assert_eq!(
            preferred(&leads, &[0, 1]),
            Some(0),
            "a tie goes to the first in the document"
        );
        if let Lead::Whole(draft) = &mut leads[1] {
            draft.updated = Some(Timestamp::from_secs(1));
        }
        assert_eq!(preferred(&leads, &[0, 1]), Some(1));
    }

    #[test]
    fn the_same_entry_listed_twice_keeps_its_link() {
        assert_eq!(
            kinds(&[lead("", "https://a/1", "x"), lead("", "https://a/1", "x")]),
            "ll"
        );
    }
}
