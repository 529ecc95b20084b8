//! What is let go, and when. An operator orders it; without an order everything stays for good.
//!
//! Age counts from when we stored a thing, not from its publisher's date: that may be any, and a feed's backlog or an
//! imported archive would go the day it came.

use std::time::Duration;

use crate::model::ids::ArticleSeq;
use crate::model::keep::{Bound, Keep, KeepOrder, Tier};
use crate::model::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// An article as far as its keeping is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub seq: ArticleSeq,
    /// When it was stored.
    pub recorded: Timestamp,
    /// When another revision took its place; `None`: it is its entry's latest.
    pub replaced: Option<Timestamp>,
    /// Bytes of its words as they are stored; `None`: they are gone already.
    pub words: Option<u64>,
    /// Bytes of its title, link and all else that can go.
    pub rest: u64,
}

/// Why something that could go stays for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// It stands in a feed that is served, or will stand in an archive document.
    Shown,
    /// The archive has not dealt with it yet.
    Unarchived,
    /// It is withheld, and nobody has decided yet.
    Undecided,
}

impl Hold {
    /// In words that follow "12 stay:".
    pub fn told(self) -> &'static str {
        match self {
            Self::Shown => "shown in a feed",
            Self::Unarchived => "not archived yet",
            Self::Undecided => "withheld until somebody decides",
        }
    }
}

/// What is to be let go of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Of which.
    pub seq: ArticleSeq,
    /// How much.
    pub tier: Tier,
    /// By which rule.
    pub rule: String,
    /// Bytes that are free then.
    pub bytes: u64,
}

/// What was decided of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Stays,
    /// It would go, but for this.
    Held(Hold),
    /// Something of it goes.
    Goes(Order),
}

/// Judges one feed's articles, each once, from the newest number to the oldest.
#[derive(Clone, Debug)]
pub struct Meter {
    keep: Keep,
    own: KeepOrder,
    now: Timestamp,
    /// Entries with words so far, and bytes of words.
    entries: u64,
    bytes: u64,
    /// What is older than the first that found no room has none either.
    full: bool,
}

impl Meter {
    /// By the settings and what the feed's order says otherwise.
    pub fn new(settings: &Keep, own: KeepOrder, now: Timestamp) -> Self {
        Self {
            keep: own.over(settings),
            own,
            now,
            entries: 0,
            bytes: 0,
            full: false,
        }
    }

    /// Whether any article could go.
    pub fn is_idle(&self) -> bool {
        let Keep {
            pages: _,
            revisions,
            body,
            metadata,
            count,
            size,
        } = self.keep;
        let ages = [revisions, body, metadata];
        ages.iter().all(|age| age.of().is_none()) && count.of().is_none() && size.of().is_none()
    }

    /// What becomes of the next one. `hold` says why it may not go, where something says so.
    pub fn judge(&mut self, line: &Line, hold: Option<Hold>) -> Fate {
        let wanted = self.wanted(line);
        let fate = match (wanted, hold) {
            (None, _) => Fate::Stays,
            // Nobody shows a revision that was replaced.
            (Some(_), Some(hold)) if line.replaced.is_none() || hold != Hold::Shown => {
                Fate::Held(hold)
            }
            (Some((tier, rule)), _) => Fate::Goes(Order {
                seq: line.seq,
                tier,
                rule,
                bytes: line.words.unwrap_or(0) + if tier == Tier::Metadata { line.rest } else { 0 },
            }),
        };
        if let (Some(words), Fate::Stays | Fate::Held(_)) = (line.words, &fate) {
            self.entries += u64::from(line.replaced.is_none());
            self.bytes = self.bytes.saturating_add(words);
        }
        fate
    }

    fn wanted(&mut self, line: &Line) -> Option<(Tier, String)> {
        let age = self.now.since(line.recorded);
        let over = |age: Duration, bound: Bound<Duration>| bound.of().filter(|most| age > *most);
        if let Some(most) = over(age, self.keep.metadata) {
            return Some((
                Tier::Metadata,
                named("metadata", &span(most), self.own.metadata.is_some()),
            ));
        }
        let words = line.words?;
        if let Some(most) = over(age, self.keep.body) {
            let rule = named("body", &span(most), self.own.body.is_some());
            return Some((Tier::Bodies, rule));
        }
        if let Some(replaced) = line.replaced
            && let Some(most) = over(self.now.since(replaced), self.keep.revisions)
        {
            let rule = named("revisions", &span(most), self.own.revisions.is_some());
            return Some((Tier::Revisions, rule));
        }
        let tier = if line.replaced.is_some() {
            Tier::Revisions
        } else {
            Tier::Bodies
        };
        if let Some(most) = self.keep.count.of()
            && self.entries >= most
        {
            return Some((
                tier,
                named("count", &most.to_string(), self.own.count.is_some()),
            ));
        }
        if let Some(most) = self.keep.size.of() {
            self.full |= self.bytes.saturating_add(words) > most;
            if self.full {
                let rule = named("size", &format!("{most} bytes"), self.own.size.is_some());
                return Some((tier, rule));
            }
        }
        None
    }
}

/// A rule as people are told of it: where it stands, and what it says.
fn named(key: &str, value: &str, own: bool) -> String {
    let place = if own { "`keep` of its feed" } else { "[keep]" };
    format!("`{key}` ({value}) in {place}")
}

/// Whether pages that were asked then go, and by which rule.
pub fn pages_go(settings: &Keep, own: KeepOrder, asked: Timestamp, now: Timestamp) -> bool {
    let most = own.over(settings).pages.of();
    most.is_some_and(|most| now.since(asked) > most)
}

/// Further than this after what is known of the time, a clock is not believed.
const LEAP: Duration = Duration::from_hours(24 * 31);

/// Up to when ages are counted: now, but for a clock that leaps ahead of what the store knows of the time. What goes does
/// not come back, and a true clock catches up, a leap at a time.
pub fn judged(now: Timestamp, known: Option<Timestamp>) -> Timestamp {
    known.map_or(now, |known| now.min(known.plus(LEAP)))
}

/// Once a day, at a time of day of its own and never on the hour: stores do not all begin at once. One that
/// was missed is due at once.
pub fn next_run(store: &[u8; 16], last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    const MINUTE: i64 = 60_000;
    let hash = u64::from_le_bytes(std::array::from_fn(|at| {
        let (a, b) = (store.get(at), store.get(at + 8));
        a.copied().unwrap_or(0) ^ b.copied().unwrap_or(0)
    }));
    let (hour, minute) = (hash % 24, 1 + (hash >> 32) % 59);
    let phase = i64::try_from(hour * 60 + minute).unwrap_or(0) * MINUTE;
    let day = 24 * 60 * MINUTE;
    let today = now.millis().div_euclid(day) * day + phase;
    let next = if today > now.millis() {
        today
    } else {
        today + day
    };
    let next = Timestamp::from_millis(next);
    match last {
        // The last one before `next` was missed; and who waits for the next, and never ran, would wait again then.
        Some(last) if last >= next.minus(DAY) => next,
        _ => now,
    }
}

/// As it is written in the settings.
fn span(span: Duration) -> String {
    const YEAR: u64 = 365 * 86_400;
    match span.as_secs() {
        secs if secs % YEAR == 0 => format!("{}y", secs / YEAR),
        secs if secs % 86_400 == 0 => format!("{}d", secs / 86_400),
        secs => format!("{secs}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    const YEAR: Duration = Duration::from_hours(24 * 365);

    fn now() -> Timestamp {
        Timestamp::from_secs(2_000_000_000)
    }

    fn line(seq: u64, days_ago: u64) -> Line {
        Line {
            seq: ArticleSeq(seq),
            recorded: now().minus(DAY * u32::try_from(days_ago).unwrap()),
            replaced: None,
            words: Some(100),
            rest: 10,
        }
    }

    fn replaced(seq: u64, days_ago: u64, replaced_days_ago: u64) -> Line {
        Line {
            replaced: Some(line(0, replaced_days_ago).recorded),
            ..line(seq, days_ago)
        }
    }

    /// The tiers that go, by number, of lines from the newest to the oldest.
    fn gone(keep: Keep, lines: &[(Line, Option<Hold>)]) -> Vec<(u64, Tier)> {
        let mut meter = Meter::new(&keep, KeepOrder::default(), now());
        let fates = lines.iter().map(|(line, hold)| meter.judge(line, *hold));
        fates
            .filter_map(|fate| match fate {
                Fate::Goes(order) => Some((order.seq.0, order.tier)),
                _ => None,
            })
            .collect()
    }

    fn free(lines: &[Line]) -> Vec<(Line, Option<Hold>)> {
        lines.iter().map(|line| (*line, None)).collect()
    }

    #[test]
    fn without_an_order_nothing_goes() {
        let old = [line(2, 36_000), replaced(1, 36_000, 35_000)];
        assert_eq!(gone(Keep::default(), &free(&old)), []);
        assert!(Meter::new(&Keep::default(), KeepOrder::default(), now()).is_idle());
    }

    #[test]
    fn tiers_go_by_age_words_first() {
        let keep = Keep {
            body: Bound::Of(2 * YEAR),
            metadata: Bound::Of(10 * YEAR),
            revisions: Bound::Of(30 * DAY),
            ..Keep::default()
        };
        let lines = [
            line(9, 1),
            replaced(8, 20, 1),
            replaced(7, 700, 29),
            replaced(6, 700, 31),
            line(5, 730),
            line(4, 731),
            line(3, 3650),
            line(2, 3651),
        ];
        assert_eq!(
            gone(keep, &free(&lines)),
            [
                (6, Tier::Revisions),
                (4, Tier::Bodies),
                (3, Tier::Bodies),
                (2, Tier::Metadata)
            ]
        );
        // What is gone already does not go again, but for what is left of it.
        let without = |line: Line| Line {
            words: None,
            ..line
        };
        let lines = [without(line(4, 731)), without(line(2, 3651))];
        assert_eq!(gone(keep, &free(&lines)), [(2, Tier::Metadata)]);
    }

    #[test]
    fn the_newest_keep_their_words() {
        let keep = Keep {
            count: Bound::Of(2),
            ..Keep::default()
        };
        let lines = [
            line(9, 1),
            replaced(8, 2, 1),
            line(7, 3),
            line(6, 4),
            replaced(5, 5, 4),
        ];
        assert_eq!(
            gone(keep, &free(&lines)),
            [(6, Tier::Bodies), (5, Tier::Revisions)]
        );
        let none = Keep {
            count: Bound::Of(0),
            ..Keep::default()
        };
        assert_eq!(gone(none, &free(&[line(1, 0)])), [(1, Tier::Bodies)]);
    }

    #[test]
    fn words_have_so_much_room_and_none_slips_past_one_that_found_none() {
        let keep = Keep {
            size: Bound::Of(250),
            ..Keep::default()
        };
        let small = Line {
            words: Some(1),
            ..line(6, 4)
        };
        let lines = [line(9, 1), line(8, 2), line(7, 3), small];
        assert_eq!(
            gone(keep, &free(&lines)),
            [(7, Tier::Bodies), (6, Tier::Bodies)]
        );
    }

    #[test]
    fn what_is_held_stays_and_takes_its_room() {
        let keep = Keep {
            count: Bound::Of(1),
            ..Keep::default()
        };
        let lines = [
            (line(9, 1), Some(Hold::Shown)),
            (line(8, 2), Some(Hold::Shown)),
            (line(7, 3), Some(Hold::Unarchived)),
            (replaced(6, 4, 3), Some(Hold::Shown)),
            (replaced(5, 4, 3), Some(Hold::Unarchived)),
            (line(4, 5), None),
        ];
        assert_eq!(
            gone(keep, &lines),
            [(6, Tier::Revisions), (4, Tier::Bodies)]
        );
    }

    #[test]
    fn a_feeds_own_order_comes_first() {
        let settings = Keep {
            body: Bound::Of(30 * DAY),
            ..Keep::default()
        };
        let judge = |own: KeepOrder| {
            let mut meter = Meter::new(&settings, own, now());
            meter.judge(&line(1, 100), None)
        };
        let rule = |fate: Fate| match fate {
            Fate::Goes(order) => Some(order.rule),
            _ => None,
        };
        let by_settings = rule(judge(KeepOrder::default()));
        assert_eq!(by_settings.as_deref(), Some("`body` (30d) in [keep]"));
        let forever = KeepOrder {
            body: Some(Bound::Forever),
            ..KeepOrder::default()
        };
        assert_eq!(judge(forever), Fate::Stays);
        let shorter = KeepOrder {
            metadata: Some(Bound::Of(90 * DAY)),
            ..KeepOrder::default()
        };
        assert_eq!(
            rule(judge(shorter)).as_deref(),
            Some("`metadata` (90d) in `keep` of its feed")
        );
    }

    #[test]
    fn pages_have_an_age_of_their_own() {
        let keep = Keep {
            pages: Bound::Of(10 * DAY),
            ..Keep::default()
        };
        let own = KeepOrder::default();
        assert!(pages_go(&keep, own, now().minus(11 * DAY), now()));
        assert!(!pages_go(&keep, own, now().minus(10 * DAY), now()));
        assert!(!pages_go(&Keep::default(), own, Timestamp::EPOCH, now()));
    }

    #[test]
    fn runs_are_a_day_apart_and_never_on_the_hour() {
        for seed in 0..=255_u8 {
            let store: [u8; 16] =
                std::array::from_fn(|at| seed.wrapping_mul(31) ^ u8::try_from(at * 7).unwrap());
            assert_eq!(next_run(&store, None, now()), now(), "at once");
            let first = next_run(&store, Some(now()), now());
            assert!(first > now() && first <= now().plus(DAY));
            assert_ne!(first.millis() / 60_000 % 60, 0);
            assert_eq!(next_run(&store, Some(first), first), first.plus(DAY));
            let just_before = first.minus(Duration::from_secs(1));
            assert_eq!(next_run(&store, Some(first.minus(DAY)), just_before), first);
            // It slept through one.
            let missed = first.minus(DAY + Duration::from_secs(1));
            assert_eq!(next_run(&store, Some(missed), just_before), just_before);
        }
    }
}
