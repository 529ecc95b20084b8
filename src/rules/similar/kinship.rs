//! What two articles are to each other, by their texts (CONTENT §e).

use std::time::Duration;

use crate::rules::similar::reading::Text;

/// Two texts are near from this Jaccard index on; short ones, whose templates weigh more, from the second.
const NEAR: f64 = 0.60;
const NEAR_SHORT: f64 = 0.85;

/// Folded characters from which a text is not short.
const LONG: usize = 300;

/// One is in the other from this containment on, and by the second even where they are nearly as long as each other.
const INSIDE: f64 = 0.85;
const WHOLLY: f64 = 0.95;

/// Where one is so much shorter than the other, it is a part and not a copy.
const PART: f64 = 0.7;

/// Words under the same title of two feeds within two days are one article's from this index on: edited heavily, or short.
const RETOLD: f64 = 0.40;
const SOON: Duration = Duration::from_hours(48);

/// From here on two articles tell of the same.
const STORY: f64 = 0.10;

/// Articles of one template share all but their numbers. So many of them are needed to say so, and where fewer than this
/// share are the same, the articles are not.
const NUMBERS: usize = 4;
const SAME_NUMBERS: f64 = 0.5;

/// What an article of so few folded characters says is in many.
const LEAST: usize = 24;

/// What two articles are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kinship {
    /// The same words but for edits: one group.
    Near,
    /// One is a part of the other, its summary or its beginning: one group.
    Subset,
    /// One has the other in it, among other things.
    Quotes,
    /// They share sentences, not words as a whole.
    SameStory,
}

impl Kinship {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Near, Self::Subset, Self::Quotes, Self::SameStory];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Subset => "subset",
            Self::Quotes => "quotes",
            Self::SameStory => "same-story",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kinship| kinship.name() == name)
    }

    /// Whether it makes them members of one group.
    pub fn groups(self) -> bool {
        matches!(self, Self::Near | Self::Subset)
    }
}

/// What is known of a pair besides its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Both are of one feed.
    pub one_feed: bool,
    /// Between their dates.
    pub apart: Duration,
}

/// What speaks for two articles being copies, by their texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Shared runs by all runs: the Jaccard index.
    pub jaccard: f64,
    /// Shared runs by those of the one that has fewer.
    pub containment: f64,
    /// What the sketches said of the Jaccard index.
    pub estimate: f64,
    /// They have the same title.
    pub title: bool,
    /// They begin with the same words.
    pub lead: bool,
    /// Shared numbers by those of the one that has fewer, where both have enough.
    pub numbers: Option<f64>,
    /// Folded characters, of the shorter one first.
    pub lens: (usize, usize),
}

/// What speaks for two texts being copies.
pub fn compare(a: &Text, b: &Text, estimate: f32) -> Evidence {
    let shared = a.grams.shared(&b.grams);
    let all = a.grams.len() + b.grams.len() - shared;
    let numbers = a.numbers.len().min(b.numbers.len());
    let same = || {
        a.numbers
            .iter()
            .filter(|n| b.numbers.binary_search(n).is_ok())
    };
    Evidence {
        jaccard: share(shared, all),
        containment: share(shared, a.grams.len().min(b.grams.len())),
        estimate: f64::from(estimate),
        title: !a.title.is_empty() && a.title == b.title,
        lead: !a.lead.is_empty() && a.lead == b.lead,
        numbers: (numbers >= NUMBERS).then(|| share(same().count(), numbers)),
        lens: (a.len.min(b.len), a.len.max(b.len)),
    }
}

/// What they are to each other. Whoever is asked first, the answer is the same.
pub fn decide(evidence: &Evidence, pair: Pair) -> Option<Kinship> {
    let Evidence {
        jaccard,
        containment,
        lens: (shorter, longer),
        ..
    } = *evidence;
    let key = evidence.title || evidence.lead;
    let one_template = evidence
        .numbers
        .is_some_and(|numbers| numbers < SAME_NUMBERS);
    let near = jaccard >= NEAR_SHORT || (jaccard >= NEAR && shorter >= LONG);
    let retold = evidence.title && jaccard >= RETOLD && !pair.one_feed && pair.apart <= SOON;
    let is_part = share(shorter, longer) < PART;
    let part = key && (containment >= INSIDE && is_part || containment >= WHOLLY);
    if shorter >= LEAST && !one_template {
        if near || retold {
            return Some(Kinship::Near);
        }
        if part {
            return Some(Kinship::Subset);
        }
        if containment >= INSIDE {
            return Some(Kinship::Quotes);
        }
    }
    (jaccard >= STORY).then_some(Kinship::SameStory)
}

#[expect(clippy::cast_precision_loss, reason = "counts of characters")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELSEWHERE: Pair = Pair {
        one_feed: false,
        apart: Duration::from_hours(3),
    };

    fn evidence(jaccard: f64, containment: f64, lens: (usize, usize)) -> Evidence {
        Evidence {
            jaccard,
            containment,
            estimate: jaccard,
            title: false,
            lead: false,
            numbers: None,
            lens,
        }
    }

    #[test]
    fn the_table_of_section_e() {
        let check = |jaccard, containment, lens, lead, expected| {
            let evidence = Evidence {
                lead,
                ..evidence(jaccard, containment, lens)
            };
            let found = decide(&evidence, ELSEWHERE);
            assert_eq!(found, expected, "{jaccard} {containment} {lens:?} {lead}");
        };
        let (long, short) = ((900, 1_000), (250, 260));
        check(0.60, 0.7, long, false, Some(Kinship::Near));
        check(0.59, 0.7, long, false, Some(Kinship::SameStory));
        check(0.84, 0.9, short, false, Some(Kinship::Quotes));
        check(0.85, 0.9, short, false, Some(Kinship::Near));
        // A summary and its article, by their first words; without those it is a quotation.
        check(0.05, 0.85, (50, 1_000), true, Some(Kinship::Subset));
        check(0.05, 0.85, (50, 1_000), false, Some(Kinship::Quotes));
        check(0.05, 0.84, (50, 1_000), true, None);
        // A short one that was cut a little.
        check(0.75, 1.0, (150, 200), true, Some(Kinship::Subset));
        check(0.75, 0.9, (150, 200), true, Some(Kinship::Quotes));
        check(0.10, 0.2, long, true, Some(Kinship::SameStory));
        check(0.09, 0.2, long, true, None);
        check(1.0, 1.0, (23, 23), true, Some(Kinship::SameStory));
        check(0.0, 0.0, (0, 0), true, None);
    }

    #[test]
    fn articles_of_one_template_differ_in_their_numbers() {
        let of = |numbers| Evidence {
            numbers,
            title: true,
            lead: true,
            ..evidence(0.9, 0.95, (400, 400))
        };
        assert_eq!(decide(&of(None), ELSEWHERE), Some(Kinship::Near));
        assert_eq!(decide(&of(Some(0.5)), ELSEWHERE), Some(Kinship::Near));
        assert_eq!(decide(&of(Some(0.4)), ELSEWHERE), Some(Kinship::SameStory));
    }

    #[test]
    fn an_edited_copy_is_known_by_its_title_elsewhere_and_soon() {
        let check = |jaccard, title, one_feed, hours, expected| {
            let evidence = Evidence {
                title,
                ..evidence(jaccard, 0.6, (200, 220))
            };
            let apart = Duration::from_hours(hours);
            let found = decide(&evidence, Pair { one_feed, apart });
            assert_eq!(
                found,
                Some(expected),
                "{jaccard} {title} {one_feed} {hours}"
            );
        };
        check(0.40, true, false, 48, Kinship::Near);
        check(0.39, true, false, 48, Kinship::SameStory);
        check(0.40, true, false, 49, Kinship::SameStory);
        check(0.40, true, true, 1, Kinship::SameStory);
        check(0.40, false, false, 1, Kinship::SameStory);
    }

    #[test]
    fn names_are_read_back() {
        for kinship in Kinship::ALL {
            assert_eq!(Kinship::named(kinship.name()), Some(kinship));
        }
        assert_eq!(Kinship::named("cousin"), None);
    }
}
