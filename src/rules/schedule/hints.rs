//! What a feed's hints mean: a lower bound on the gap, never a reason to come sooner than the floor (POLLING P-25 to P-28).

use crate::model::hints::{Hints, Updates};
use crate::model::time::Timestamp;
use crate::rules::cadence::CAP_HINT;

const ALL_HOURS: u32 = (1 << 24) - 1;
const ALL_DAYS: u8 = (1 << 7) - 1;
const HOUR_MILLIS: i64 = 3_600_000;

impl Hints {
    /// The first moment from `time` on that is in no hour and no day that the feed wants to be left alone in. A feed
    /// that names all hours, or all days, names none.
    #[must_use]
    pub fn open_from(&self, time: Timestamp) -> Timestamp {
        let hours = ignore_all(self.skip_hours & ALL_HOURS, ALL_HOURS);
        let days = ignore_all(self.skip_days & ALL_DAYS, ALL_DAYS);
        let mut open = time;
        // Six days and 23 hours at most, hour by hour.
        for _ in 0..=7 * 24 {
            let hour = open.millis().div_euclid(HOUR_MILLIS);
            let hour_of_day = hour.rem_euclid(24);
            let weekday = (hour.div_euclid(24) + 3).rem_euclid(7); // 1970 began on a Thursday
            if (hours >> hour_of_day) & 1 == 0 && (days >> weekday) & 1 == 0 {
                break;
            }
            open = Timestamp::from_millis((hour + 1).saturating_mul(HOUR_MILLIS));
        }
        open
    }
}

/// No bit where all are set.
fn ignore_all<T: PartialEq + Default + Copy>(bits: T, all: T) -> T {
    if bits == all { T::default() } else { bits }
}

impl Updates {
    /// The next one after `now`, or a day from now where that is sooner.
    pub fn next(self, now: Timestamp) -> Timestamp {
        let every = i64::try_from(self.every.as_millis()).unwrap_or(i64::MAX);
        let next = match self.base {
            Some(base) if every > 0 => {
                let into = now.millis().saturating_sub(base.millis()).rem_euclid(every);
                Timestamp::from_millis(now.millis().saturating_add(every - into))
            }
            _ => now.plus(self.every),
        };
        next.min(now.plus(CAP_HINT))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::rules::rhythm::HOUR;

    /// Saturday, 2026-11-21, at this time of the day.
    fn at(hour: u32, minute: u32) -> Timestamp {
        Timestamp::from_secs(1_795_219_200).plus(HOUR * hour + Duration::from_mins(1) * minute)
    }

    #[test]
    fn p_26_hours_and_days_to_be_left_alone_end() {
        assert_eq!(at(0, 0).rfc3339(), "2026-11-21T00:00:00Z");
        let mut hints = Hints::default();
        for hour in [
            "22", "23", "24", "1", "2", "3", "4", "5", "6", "7", "31", "x",
        ] {
            hints.skip_hour(hour);
        }
        assert_eq!(hints.open_from(at(23, 10)), at(32, 0));
        assert_eq!(hints.open_from(at(21, 59)), at(21, 59));
        assert_eq!(hints.open_from(at(7, 59)), at(8, 0));
        for day in ["SATURDAY", " sunday ", "Someday"] {
            hints.skip_day(day);
        }
        assert_eq!(hints.skip_days, 0b110_0000);
        assert_eq!(hints.open_from(at(12, 0)), at(48 + 8, 0));
    }

    #[test]
    fn p_26_all_is_none() {
        let hints = Hints {
            skip_hours: u32::MAX,
            skip_days: u8::MAX,
            ..Hints::default()
        };
        assert_eq!(hints.open_from(at(3, 4)), at(3, 4));
        let almost = Hints {
            skip_hours: ALL_HOURS & !1,
            skip_days: ALL_DAYS & !1,
            ..Hints::default()
        };
        assert_eq!(almost.open_from(at(0, 1)), at(48, 0), "Monday at midnight");
    }

    #[test]
    fn p_27_updates_are_slots_from_their_base() {
        let base = Some(at(8, 20));
        let twice = Updates::read(Some("daily"), Some("2"), base).unwrap();
        assert_eq!(twice.next(at(9, 0)), at(20, 20));
        assert_eq!(twice.next(at(20, 20)), at(32, 20));
        assert_eq!(
            twice.next(at(1, 0)),
            at(8, 20),
            "a base in the future counts too"
        );
        let weekly = Updates::read(Some("weekly"), None, base).unwrap();
        assert_eq!(weekly.next(at(9, 0)), at(33, 0), "a hint holds for a day");
        assert_eq!(
            Updates::read(None, Some("4"), None).unwrap().next(at(9, 0)),
            at(15, 0)
        );
        for (period, frequency) in [
            (Some("hourly"), Some("1")),
            (Some("hourly"), None),
            (Some("hourly"), Some("4")),
            (Some("fortnightly"), None),
            (Some("daily"), Some("0")),
            (Some("daily"), Some("-1")),
            (Some("daily"), Some("often")),
            (None, None),
        ] {
            assert_eq!(
                Updates::read(period, frequency, base),
                None,
                "{period:?} {frequency:?}"
            );
        }
    }
}
