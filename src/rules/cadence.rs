//! Whether a feed may be asked now, and when it is due next.

use std::time::Duration;

use crate::model::content::RawHash;
use crate::model::feed::{FeedState, NotBefore};
use crate::model::ids::FeedId;
use crate::model::poll::Missed;
use crate::model::time::Timestamp;

/// Nobody is asked more often than this by the clock (POLLING 0.3, `floor_cond`).
pub const FLOOR: Duration = Duration::from_hours(1);

/// Freshness is a hint: it is believed for a day at most (`cap_hint`).
pub const CAP_HINT: Duration = Duration::from_hours(24);

/// Retry-After is an instruction: it is obeyed for a month (`cap_retry_after`).
pub const CAP_RETRY_AFTER: Duration = Duration::from_hours(31 * 24);

/// After a 429 that does not say for how long (`ra_default`).
pub const RETRY_AFTER_DEFAULT: Duration = Duration::from_hours(4);

/// A 451 is asked again after a week (P-47).
pub const LEGAL: Duration = Duration::from_hours(7 * 24);

/// Backoff: an hour, doubled with every failure in a row, for a day at most; about a week once a feed has been failing
/// for a fortnight (`err_base`, `err_cap`): less by what is added to it, so that nobody who is back waits for longer
/// than a week (P-44).
const ERROR_BASE: Duration = Duration::from_hours(1);
const ERROR_CAP: Duration = Duration::from_hours(24);
const ERROR_CAP_LATE: Duration = Duration::from_hours(138);
const LATE: Duration = Duration::from_hours(14 * 24);

/// So many failures in a row take a fortnight at least: what is known of a feed that never answered well.
const LATE_TIMES: u32 = 24;

/// How long a lost page is left alone at first, and at most.
const MISSED_BASE: Duration = Duration::from_hours(2 * 24);
const MISSED_CAP: Duration = Duration::from_hours(14 * 24);

/// Whether a person's or a timer's order may ask this feed now (POLLING, decision 4): due times and the floor do not
/// hold it back; Retry-After, backoff, freshness and `user_refresh` do. `Err` says until when, and why.
pub fn may_ask(feed: &FeedState, now: Timestamp, user_refresh: Duration) -> Result<(), NotBefore> {
    // What lies further ahead than it can have been set was set by a clock that has since been set back.
    let ahead = |until: Timestamp, most: Duration| until > now && until <= now.plus(most);
    let held = feed.not_before.clone();
    if let Some(held) = held.filter(|held| ahead(held.until, CAP_RETRY_AFTER)) {
        return Err(held);
    }
    if let Some(until) = feed.fresh_until.filter(|until| ahead(*until, CAP_HINT)) {
        return Err(NotBefore {
            until,
            why: "fresh until then by the publisher's own word".to_owned(),
        });
    }
    // A poll in the future means that the clock was set back: no reason to wait for it.
    let recent = feed
        .last_poll
        .filter(|at| *at <= now && now.since(*at) < user_refresh);
    match recent {
        Some(at) => {
            let ago = now.since(at).as_secs();
            let why = format!(
                "asked {ago} s ago, and user_refresh is {} s",
                user_refresh.as_secs()
            );
            Err(NotBefore {
                until: at.plus(user_refresh),
                why,
            })
        }
        None => Ok(()),
    }
}

/// Whether a page that was lost may be asked again: after two days, then twice as long each time, a fortnight at most.
pub fn may_retry(missed: Missed, now: Timestamp) -> bool {
    let wait = MISSED_BASE.saturating_mul(1 << missed.times.saturating_sub(1).min(8));
    now >= missed.last.plus(wait.min(MISSED_CAP))
}

/// When a feed that answered well is due next, and why then.
pub fn next_poll(now: Timestamp, fresh_until: Option<Timestamp>) -> (Timestamp, String) {
    let floor = now.plus(FLOOR);
    match fresh_until.filter(|until| *until > floor) {
        Some(until) => (
            until,
            "fresh until then by the publisher's own word".to_owned(),
        ),
        None => (floor, format!("the floor of {} min", FLOOR.as_secs() / 60)),
    }
}

/// How long to stay away after this many failures in a row, ±20 % so that feeds that failed together do not come back
/// together (POLLING P-40). `failing_for` is the time since the last success, where there was one. Same feed, same time,
/// same answer.
pub fn backoff(
    feed: &FeedId,
    now: Timestamp,
    failures: u32,
    failing_for: Option<Duration>,
) -> Duration {
    let late = failing_for.map_or(failures >= LATE_TIMES, |time| time > LATE);
    let cap = if late { ERROR_CAP_LATE } else { ERROR_CAP };
    let doubled = ERROR_BASE
        .saturating_mul(1u32 << failures.saturating_sub(1).min(16))
        .min(cap);
    let seed = RawHash::of([
        Some(feed.as_str().as_bytes()),
        Some(&now.millis().to_le_bytes()),
    ])
    .0;
    let per_mille = 800 + u32::try_from(seed % 401).unwrap_or(200);
    let millis = u64::try_from((seed >> 64) % 1000).unwrap_or(0);
    doubled / 1000 * per_mille + Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn feed() -> FeedState {
        FeedState::new("f".parse().unwrap())
    }

    fn hours(n: u64) -> Duration {
        Duration::from_secs(n * 3600)
    }

    #[test]
    fn an_order_is_held_back_by_instructions_only() {
        let refresh = Duration::from_mins(5);
        let mut state = FeedState {
            next_poll: Some(NOW.plus(hours(9))),
            ..feed()
        };
        assert_eq!(
            may_ask(&state, NOW, refresh),
            Ok(()),
            "a due time is no instruction"
        );
        state.last_poll = Some(NOW.minus(Duration::from_secs(299)));
        assert_eq!(
            may_ask(&state, NOW, refresh).unwrap_err().until,
            NOW.plus(Duration::from_secs(1))
        );
        assert_eq!(may_ask(&state, NOW, Duration::ZERO), Ok(()));
        state.fresh_until = Some(NOW.plus(hours(1)));
        assert_eq!(
            may_ask(&state, NOW, Duration::ZERO).unwrap_err().until,
            NOW.plus(hours(1))
        );
        state.not_before = Some(NotBefore {
            until: NOW.plus(hours(2)),
            why: "Retry-After".into(),
        });
        assert_eq!(
            may_ask(&state, NOW, Duration::ZERO).unwrap_err().until,
            NOW.plus(hours(2))
        );
        assert_eq!(may_ask(&state, NOW.plus(hours(2)), Duration::ZERO), Ok(()));
    }

    #[test]
    fn a_clock_set_back_silences_nobody() {
        let years = hours(24 * 365 * 30);
        let at = |until| FeedState {
            last_poll: Some(until),
            fresh_until: Some(until),
            not_before: Some(NotBefore {
                until,
                why: "1 failure".into(),
            }),
            ..feed()
        };
        assert_eq!(
            may_ask(&at(NOW.plus(years)), NOW, Duration::from_mins(5)),
            Ok(())
        );
        let month = at(NOW.plus(CAP_RETRY_AFTER));
        assert!(may_ask(&month, NOW, Duration::ZERO).is_err());
    }

    #[test]
    fn p_40_backoff_doubles_to_a_day_then_to_a_week() {
        let id = "f".parse().unwrap();
        for (failures, expected) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (4, 8),
            (5, 16),
            (6, 24),
            (60, 24),
            (u32::MAX, 24),
        ] {
            let wait = backoff(&id, NOW, failures, Some(hours(1))).as_secs_f64() / 3600.0;
            let expected = f64::from(expected);
            assert!(
                (expected * 0.79..=expected * 1.21).contains(&wait),
                "{failures}: {wait}"
            );
        }
        for (failures, failing_for) in [(60, Some(hours(24 * 15))), (24, None)] {
            let wait = backoff(&id, NOW, failures, failing_for);
            assert!(hours(4 * 24) < wait && wait < hours(7 * 24), "{wait:?}");
        }
        let waits: std::collections::HashSet<_> = (0..100)
            .map(|n| backoff(&format!("f{n}").parse().unwrap(), NOW, 6, None).as_millis())
            .collect();
        assert_eq!(waits.len(), 100, "who failed together comes back apart");
    }
}
