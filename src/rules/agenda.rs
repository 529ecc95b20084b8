//! When a feed is due that was remembered, after a start or a change of its orders (POLLING P-142 to P-144).

use ::cron::Schedule;

use crate::model::feed::FeedState;
use crate::model::learned::Learned;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
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
    schedule: Option<(&str, &Schedule, &Zone)>,
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
    let stored = feed.next_poll.unwrap_or(now);
    let due = match schedule {
        // Decided with everything that was known; the next slot may be far.
        Some((text, ..)) if feed.learned.schedule.as_deref() == Some(text) => stored,
        Some((_, schedule, zone)) => {
            let slot = schedule::cron_after(schedule, zone, last);
            let slot = slot.unwrap_or_else(|| last.plus(schedule::LONGEST));
            slot.max(last.plus(floors.plain))
        }
        None => {
            let most = schedule::LONGEST.max(floors.plain).max(floors.cold);
            stored.min(now.plus(most).plus(schedule::JITTER))
        }
    };
    Some(forbidden(feed, now, due))
}

/// Not before Retry-After, backoff and freshness have passed, as far as they can lie ahead.
fn forbidden(feed: &FeedState, now: Timestamp, due: Timestamp) -> Timestamp {
    let held = feed.not_before.as_ref().map(|held| held.until);
    // No instruction lies further ahead than that; one that does was set by a clock that was wrong.
    let held = held.filter(|until| *until <= now.plus(CAP_RETRY_AFTER * 2));
    let held = held.map(|until| until.min(now.plus(CAP_RETRY_AFTER)));
    let fresh = feed
        .fresh_until
        .filter(|until| *until <= now.plus(CAP_HINT));
    due.max(held.unwrap_or(due)).max(fresh.unwrap_or(due))
}

/// What is remembered of a feed whose orders name this address and these credentials, by their mark, now. What the
/// publisher of another address said (stay away, gone, fresh, moved, ttl) does not bind this one; what was learned of the
/// entries stays. That other credentials were refused says nothing of these (P-46).
#[must_use]
pub fn ordered(mut feed: FeedState, url: &PageUrl, credentials: Option<u32>) -> FeedState {
    let refused = feed
        .learned
        .refusal
        .is_some_and(|refusal| refusal.status == 401);
    if refused && feed.learned.credentials != credentials {
        feed.learned.refusal = None;
        feed.next_poll = None;
        feed.why_next = None;
        feed.not_before = None;
        feed.failures = 0;
    }
    let other = feed.learned.ordered.as_deref();
    if other.is_some_and(|other| other != url.as_str()) {
        let rhythm = std::mem::take(&mut feed.learned.rhythm);
        feed.learned = Learned {
            rhythm,
            window: feed.learned.window,
            ..Learned::default()
        };
        feed.next_poll = None;
        feed.why_next = None;
        feed.not_before = None;
        feed.fresh_until = None;
        feed.failures = 0;
        feed.last_poll = None;
    }
    feed
}

/// Whether a feed may be asked though it is not due: nothing but its rhythm says that it is too early. One of these is
/// asked to see whether anybody can be reached (P-49).
pub fn may_be_canary(feed: &FeedState, floors: Floors, now: Timestamp) -> bool {
    let over = |until: Option<Timestamp>| until.is_none_or(|until| until <= now);
    !is_stopped(&feed.learned)
        && over(feed.last_poll.map(|last| last.plus(floors.plain)))
        && over(feed.not_before.as_ref().map(|held| held.until))
        && over(feed.fresh_until)
        && feed.learned.hints.open_from(now) <= now
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::due as due_of;
    use super::*;
    use crate::model::feed::NotBefore;
    use crate::model::learned::Refusal;

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
        let most = NOW.plus(HOUR * 24).plus(schedule::JITTER);
        assert_eq!(when(&asked(1, 24 * 3650)), Some(most));
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
            due_of(feed, Some(("daily", &daily, &zone)), Floors::default(), now).unwrap()
        };
        let feed = asked(3, 0);
        assert_eq!(due(&feed, NOW), NOW.plus(HOUR * 7));
        let three_days_on = NOW.plus(HOUR * 24 * 3);
        assert_eq!(due(&feed, three_days_on), NOW.plus(HOUR * 7), "overdue");
        let early: Schedule = "* * * * * *".parse().unwrap();
        let due = due_of(
            &feed,
            Some(("early", &early, &zone)),
            Floors::default(),
            NOW,
        );
        assert_eq!(due, Some(NOW.minus(HOUR * 2)), "the floor holds for all");
    }

    #[test]
    fn a_schedule_that_stays_keeps_what_was_decided() {
        let hourly: Schedule = "0 0 * * * *".parse().unwrap();
        let zone = Zone::utc();
        let due = |feed: &FeedState| {
            let schedule = Some(("hourly", &hourly, &zone));
            due_of(feed, schedule, Floors::default(), NOW).unwrap()
        };
        let mut feed = asked(1, 30);
        assert_eq!(due(&feed), NOW, "new orders: their next slot");
        feed.learned.schedule = Some("hourly".to_owned());
        let far = NOW.plus(HOUR * 30);
        assert_eq!(due(&feed), far, "a ttl or a doubled floor holds");
    }

    #[test]
    fn long_floors_are_kept() {
        let floors = Floors {
            plain: HOUR * 24 * 7,
            ..Floors::default()
        };
        let due = due_of(&asked(1, 24 * 7), None, floors, NOW);
        assert_eq!(due, Some(NOW.plus(HOUR * 24 * 7)));
    }

    #[test]
    fn what_an_address_said_binds_no_other() {
        let mut gone = asked(1, 9);
        gone.failures = 3;
        gone.fresh_until = Some(NOW.plus(HOUR));
        gone.learned.ordered = Some("https://old.test/".to_owned());
        gone.learned.window = 20;
        gone.learned.refusal = Some(Refusal {
            status: 410,
            times: 2,
        });
        let url = |text| PageUrl::parse(text).unwrap();
        assert_eq!(
            when(&ordered(gone.clone(), &url("https://old.test/"), None)),
            None
        );
        let moved = ordered(gone, &url("https://new.test/"), None);
        assert_eq!(when(&moved), Some(NOW));
        assert_eq!((moved.failures, moved.learned.window), (0, 20));
    }

    #[test]
    fn p_46_other_credentials_are_tried_and_the_refused_ones_are_not() {
        let refused = |status| FeedState {
            learned: Learned {
                refusal: Some(Refusal { status, times: 2 }),
                credentials: Some(1),
                ordered: Some("https://a.test/".to_owned()),
                ..Learned::default()
            },
            ..asked(100, 0)
        };
        let url = PageUrl::parse("https://a.test/").unwrap();
        let due = |status, mark| when(&ordered(refused(status), &url, mark));
        assert_eq!(due(401, Some(1)), None);
        assert_eq!(due(401, Some(2)), Some(NOW));
        assert_eq!(due(401, None), Some(NOW));
        assert_eq!(due(410, Some(2)), None, "it is as gone as before");
    }

    #[test]
    fn p_49_no_canary_breaks_a_word() {
        let canary = |feed: &FeedState| may_be_canary(feed, Floors::default(), NOW);
        assert!(canary(&asked(2, 20)), "not due by its rhythm alone");
        assert!(!canary(&asked(0, 20)), "asked within the hour");
        let fresh = FeedState {
            fresh_until: Some(NOW.plus(HOUR)),
            ..asked(2, 20)
        };
        assert!(!canary(&fresh));
        let held = FeedState {
            not_before: Some(NotBefore {
                until: NOW.plus(HOUR),
                why: "Retry-After".to_owned(),
            }),
            ..asked(2, 20)
        };
        assert!(!canary(&held));
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
