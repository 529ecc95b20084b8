//! When a feed is due that was remembered, after a start or a change of its orders (POLLING P-142 to P-144).

use ::cron::Schedule;

use crate::model::feed::FeedState;
use crate::model::time::{Timestamp, Zone};
use crate::rules::cadence::{CAP_HINT, CAP_RETRY_AFTER};
use crate::rules::learn::is_stopped;
use crate::rules::schedule::{self, Floors};

/// When a feed is due, by what is stored of it: now at the earliest where it was never asked, and never before what
/// forbids it. `None`: it is not asked any more by the clock.
///
/// A restart causes no request that was not due. A time that lies further ahead than it can have been set was set by a
/// clock that has since been set back. A slot of a schedule that passed while nobody was there is made up for, once.
pub fn due(
    feed: &FeedState,
    cron: Option<(&Schedule, &Zone)>,
    floors: Floors,
    now: Timestamp,
) -> Option<Timestamp> {
    if is_stopped(&feed.learned) {
        return None;
    }
    let Some(last) = feed.last_poll.filter(|last| *last <= now) else {
        // Never asked, or the clock was set back: then an hour from now is as good as what was stored.
        let soon = feed.next_poll.map(|next| next.min(now.plus(floors.plain)));
        return Some(forbidden(feed, now, soon.unwrap_or(now)));
    };
    let due = match cron {
        Some((schedule, zone)) => {
            let slot = schedule::cron_after(schedule, zone, last);
            let slot = slot.unwrap_or_else(|| last.plus(schedule::LONGEST));
            slot.max(last.plus(floors.plain))
        }
        None => schedule::due(feed.next_poll.unwrap_or(now), now),
    };
    Some(forbidden(feed, now, due))
}

/// Not before Retry-After, backoff and freshness have passed, as far as they can lie ahead.
fn forbidden(feed: &FeedState, now: Timestamp, due: Timestamp) -> Timestamp {
    let held = feed.not_before.as_ref().map(|held| held.until);
    let held = held.filter(|until| *until <= now.plus(CAP_RETRY_AFTER));
    let fresh = feed
        .fresh_until
        .filter(|until| *until <= now.plus(CAP_HINT));
    due.max(held.unwrap_or(due)).max(fresh.unwrap_or(due))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::due as due_of;
    use super::*;
    use crate::model::feed::NotBefore;
    use crate::model::learned::{Learned, Refusal};

    const NOW: Timestamp = Timestamp::EPOCH;
    const HOUR: Duration = Duration::from_hours(1);

    fn asked(hours_ago: u32, due_in: u32) -> FeedState {
        FeedState {
            last_poll: Some(NOW.minus(HOUR * hours_ago)),
            next_poll: Some(NOW.plus(HOUR * due_in)),
            ..FeedState::new("f".parse().unwrap())
        }
    }

    fn when(feed: &FeedState) -> Option<Timestamp> {
        due(feed, None, Floors::default(), NOW)
    }

    #[test]
    fn p_142_a_restart_asks_nobody_before_its_time() {
        assert_eq!(when(&asked(1, 5)), Some(NOW.plus(HOUR * 5)));
        assert_eq!(when(&FeedState::new("new".parse().unwrap())), Some(NOW));
        let overdue = FeedState {
            next_poll: Some(NOW.minus(HOUR)),
            ..asked(9, 0)
        };
        assert_eq!(when(&overdue), Some(NOW.minus(HOUR)));
    }

    #[test]
    fn p_33_p_144_no_clock_shortens_an_instruction_or_silences_for_years() {
        let held = |hours| FeedState {
            not_before: Some(NotBefore {
                until: NOW.plus(HOUR * hours),
                why: "Retry-After".to_owned(),
            }),
            ..asked(1, 2)
        };
        assert_eq!(when(&held(24 * 30)), Some(NOW.plus(HOUR * 24 * 30)));
        assert_eq!(when(&held(24 * 3650)), Some(NOW.plus(HOUR * 2)));
        assert_eq!(when(&asked(1, 24 * 3650)), Some(NOW.plus(HOUR * 24)));
        let ahead = FeedState {
            last_poll: Some(NOW.plus(HOUR * 24 * 365)),
            ..asked(0, 24 * 366)
        };
        assert_eq!(when(&ahead), Some(NOW.plus(HOUR)));
    }

    #[test]
    fn a_slot_that_was_missed_is_made_up_for_once() {
        let daily: Schedule = "0 0 7 * * *".parse().unwrap();
        let zone = Zone::utc();
        let due = |feed: &FeedState, now| {
            due_of(feed, Some((&daily, &zone)), Floors::default(), now).unwrap()
        };
        let feed = asked(3, 0);
        assert_eq!(due(&feed, NOW), NOW.plus(HOUR * 7));
        let three_days_on = NOW.plus(HOUR * 24 * 3);
        assert_eq!(due(&feed, three_days_on), NOW.plus(HOUR * 7), "overdue");
        let early: Schedule = "* * * * * *".parse().unwrap();
        let due = due_of(&feed, Some((&early, &zone)), Floors::default(), NOW);
        assert_eq!(due, Some(NOW.minus(HOUR * 2)), "the floor holds for all");
    }

    #[test]
    fn p_45_who_is_gone_is_not_asked() {
        let gone = FeedState {
            learned: Learned {
                refusal: Some(Refusal {
                    status: 410,
                    times: 2,
                }),
                ..Learned::default()
            },
            ..asked(100, 0)
        };
        assert_eq!(when(&gone), None);
    }
}
