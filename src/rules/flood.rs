//! More new entries at once than a feed's rhythm lets expect: what passes, what waits, and what is released by itself.
//!
//! The numbers are generous: a flood is hundreds of entries of a feed that had ten a week, not a busy day.

use std::time::Duration;

use crate::model::learned::Rhythm;
use crate::model::time::Timestamp;

/// So many times what the rhythm lets expect since the last good poll, or in a day where that was today.
const FACTOR: f64 = 10.0;

/// And so many times the largest flood that was released.
const AS_BEFORE: usize = 2;

/// A feed is judged after so many polls: before that there is no rhythm to speak of.
pub const POLLS: u64 = 3;

/// A flood that is still in its feed is released after this, where so many polls in a row found it there. A slip of a
/// publisher or of a cache is mended sooner.
const STAYS: Duration = Duration::from_hours(6);
const STAYS_POLLS: u32 = 3;

const DAY: Duration = Duration::from_hours(24);

/// How many new entries pass at once, this long after the last good poll, and `floor` whatever the rhythm. `largest`: the
/// largest flood of this feed that was released.
pub fn most(rhythm: &Rhythm, since: Duration, largest: usize, floor: usize) -> usize {
    let days = since.max(DAY).as_secs_f64() / DAY.as_secs_f64();
    let expected = (FACTOR * rhythm.habit() * days).ceil().min(1e9);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1e9
    let expected = expected as usize;
    floor.max(expected).max(largest.saturating_mul(AS_BEFORE))
}

/// What happens to new entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are news.
    Pass,
    /// The old ones were put in afterwards: they are backlog. The others are news.
    Archive,
    /// They wait.
    Wait,
}

/// By how many are `fresh` and how many old, where so many pass at `most`.
pub fn judge(fresh: usize, old: usize, most: usize) -> Fate {
    if fresh > most {
        Fate::Wait
    } else if fresh + old > most {
        Fate::Archive
    } else {
        Fate::Pass
    }
}

/// Whether an entry of this date was there well before its feed was last seen without it, and is no news. One without a
/// date may be.
pub fn is_old(date: Option<Timestamp>, before: Timestamp) -> bool {
    date.is_some_and(|date| date.plus(DAY) < before)
}

/// What becomes of a flood that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is still there, at so many good polls in a row.
    Waits(u32),
    /// It has left the feed: it stays withheld.
    Left,
    /// It is there to stay: it is released.
    Stays,
}

/// After a good poll at `at`, which found so many of the `waiting` entries still there; `None`: it found nothing changed.
/// `polls`: good polls before it that found them.
pub fn next(
    waiting: usize,
    listed: Option<usize>,
    polls: u32,
    since: Timestamp,
    at: Timestamp,
) -> Next {
    if listed.is_some_and(|listed| listed * 2 < waiting) {
        return Next::Left;
    }
    let polls = polls.saturating_add(1);
    if polls >= STAYS_POLLS && at.since(since) >= STAYS {
        Next::Stays
    } else {
        Next::Waits(polls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::learned::Memory;

    const HOUR: Duration = Duration::from_hours(1);
    const FLOOR: usize = 30;

    /// Of so many entries a day, watched for a fortnight.
    fn rhythm(per_day: f64) -> Rhythm {
        Rhythm {
            slow: Memory {
                entries: per_day * 14.0,
                days: 14.0,
            },
            ..Rhythm::default()
        }
    }

    #[test]
    fn a_flood_is_far_beyond_the_rhythm() {
        let passes = |per_day, hours, largest| most(&rhythm(per_day), HOUR * hours, largest, FLOOR);
        assert_eq!(passes(0.1, 1, 0), FLOOR, "a quiet blog");
        assert!((45..47).contains(&passes(0.1, 24 * 30, 0)), "after a month");
        // An hourly feed: ten busy days at once, or a week of downtime and more.
        assert!((200..250).contains(&passes(24.0, 1, 0)));
        assert!(passes(24.0, 24 * 7, 0) > 24 * 7 * 5);
        // An agency.
        assert!(passes(500.0, 1, 0) > 4000);
        assert_eq!(passes(0.1, 1, 400), 800, "it was so before");
        assert_eq!(
            most(&Rhythm::default(), HOUR, 0, FLOOR),
            FLOOR,
            "nothing is known"
        );
    }

    #[test]
    fn a_number_that_was_stored_wrong_makes_no_flood_of_nothing() {
        for bad in [f64::NAN, f64::INFINITY, -5.0] {
            let rhythm = Rhythm {
                slow: Memory {
                    entries: bad,
                    days: bad,
                },
                ..Rhythm::default()
            };
            assert!(most(&rhythm, HOUR, 0, FLOOR) >= FLOOR);
        }
    }

    #[test]
    fn what_is_old_was_put_in_and_what_is_fresh_waits() {
        let check = |fresh, old, expected| assert_eq!(judge(fresh, old, 30), expected);
        check(0, 0, Fate::Pass);
        check(30, 0, Fate::Pass);
        check(31, 0, Fate::Wait);
        check(31, 500, Fate::Wait);
        check(2, 90, Fate::Archive);
        check(0, 31, Fate::Archive);
        check(15, 15, Fate::Pass);
        let before = Timestamp::from_secs(1_000_000);
        assert!(!is_old(None, before));
        assert!(!is_old(Some(before), before));
        assert!(!is_old(Some(before.minus(DAY)), before));
        assert!(is_old(Some(before.minus(DAY + HOUR)), before));
    }

    #[test]
    fn a_flood_that_stays_is_released_and_one_that_left_is_not() {
        let since = Timestamp::from_secs(1_000_000);
        let check = |listed, polls, hours, expected| {
            assert_eq!(
                next(400, listed, polls, since, since.plus(HOUR * hours)),
                expected
            );
        };
        check(Some(400), 0, 1, Next::Waits(1));
        check(Some(200), 1, 5, Next::Waits(2));
        check(Some(199), 2, 9, Next::Left);
        check(Some(0), 5, 9, Next::Left);
        check(Some(200), 2, 6, Next::Stays);
        check(None, 2, 6, Next::Stays);
        check(None, 1, 50, Next::Waits(2));
        check(Some(400), 9, 5, Next::Waits(10));
    }
}
