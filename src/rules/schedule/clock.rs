//! A wall clock that is set, and a machine that slept (POLLING P-144, P-145).

use std::time::Duration;

use crate::model::time::Timestamp;
use crate::rules::schedule::LONGEST;

/// Corrections smaller than this are what time servers do all day.
const SLACK: Duration = Duration::from_secs(30);

/// What the wall clock did while another clock, which nobody can set, measured how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// It ran.
    None,
    /// It was set back by that much: stored times are to go through [`due`].
    Back(Duration),
    /// It was set forward, or the machine slept: as after downtime, what is overdue is asked one after the other.
    Forward(Duration),
}

/// Compares the two clocks: `elapsed` by the monotonic one, between two readings of the wall clock.
pub fn jump(before: Timestamp, after: Timestamp, elapsed: Duration) -> Jump {
    let expected = before.plus(elapsed);
    let (ahead, behind) = (after.since(expected), expected.since(after));
    if ahead > SLACK {
        Jump::Forward(ahead)
    } else if behind > SLACK {
        Jump::Back(behind)
    } else {
        Jump::None
    }
}

/// When a feed is due whose due time was stored, by a clock that may have been wrong: nothing of its own rhythm lies
/// further ahead than a day. What follows a cron schedule is better asked of the schedule anew.
pub fn due(stored: Timestamp, now: Timestamp) -> Timestamp {
    stored.min(now.plus(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rhythm::{DAY, HOUR};

    const NOW: Timestamp = Timestamp::EPOCH;

    #[test]
    fn p_144_a_jump_is_what_the_other_clock_did_not_see() {
        let second = Duration::from_secs(1);
        assert_eq!(jump(NOW, NOW.plus(HOUR), HOUR), Jump::None);
        assert_eq!(
            jump(NOW, NOW.plus(HOUR + second * 2), HOUR),
            Jump::None,
            "an NTP step"
        );
        assert_eq!(
            jump(NOW, NOW.plus(HOUR.saturating_sub(second * 2)), HOUR),
            Jump::None
        );
        assert_eq!(
            jump(NOW, NOW.plus(DAY), HOUR),
            Jump::Forward(DAY.saturating_sub(HOUR))
        );
        assert_eq!(jump(NOW, NOW.minus(DAY), HOUR), Jump::Back(DAY + HOUR));
        assert_eq!(
            jump(NOW, NOW.plus(DAY * 3650), second),
            Jump::Forward((DAY * 3650).saturating_sub(second))
        );
    }

    #[test]
    fn p_144_a_clock_set_back_silences_nobody_for_long() {
        assert_eq!(due(NOW.plus(DAY * 3650), NOW), NOW.plus(DAY));
        assert_eq!(due(NOW.plus(HOUR), NOW), NOW.plus(HOUR));
        assert_eq!(
            due(NOW.minus(DAY), NOW),
            NOW.minus(DAY),
            "overdue stays overdue"
        );
    }
}
