//! When a cron schedule comes next on the wall clocks of a zone.
//!
//! Where clocks are moved, a schedule does what people mean by it (and Vixie's cron does): "at half past two" comes once
//! a day, at the end of the hour that is left out, and not again in the hour that is repeated; "every half hour" comes
//! every half hour.
//!
//! The crate's own evaluation does neither (it skips what falls into the gap), and wants another date library.

use cron::{Schedule, TimeUnitSpec};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp as Instant};

use crate::model::time::{Timestamp, Zone};

/// A schedule that does not come within ten years does not come.
const HORIZON_YEARS: i16 = 10;

/// The first time after `now` at which the schedule comes, on the clocks of `zone`.
pub fn after(schedule: &Schedule, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let zone = zone.as_jiff();
    // Whole seconds, and strictly later.
    let second = now.millis().div_euclid(1000).checked_add(1)?;
    let start = Instant::from_second(second).ok()?;
    let any_hour = (0..24).all(|hour| schedule.hours().includes(hour));
    let mut offset = zone.to_offset(start);
    let mut from = offset.to_datetime(start);
    if !any_hour && let Some(change) = zone.preceding(start).next() {
        let before = zone.to_offset(change.timestamp() - SignedDuration::from_nanos(1));
        // Within the hour that is repeated, or after it.
        from = from.max(before.to_datetime(change.timestamp()));
    }
    let last = from.year().saturating_add(HORIZON_YEARS);
    let mut found = civil(schedule, from, last)?;
    // From one change of the clocks to the next they run evenly.
    for change in zone.following(start) {
        if instant(offset, found)? < change.timestamp() {
            break;
        }
        let (old, new) = (
            offset.to_datetime(change.timestamp()),
            change.offset().to_datetime(change.timestamp()),
        );
        if !any_hour && found < new {
            return Some(change.timestamp().into());
        }
        from = if any_hour { new } else { new.max(old) };
        offset = change.offset();
        if from.year() > last {
            return None;
        }
        found = civil(schedule, from, last)?;
    }
    // At the end of time there is nothing later.
    Some(Timestamp::from(instant(offset, found)?)).filter(|next| *next > now)
}

fn instant(offset: Offset, civil: DateTime) -> Option<Instant> {
    offset.to_timestamp(civil).ok()
}

/// The first time from `from` on, both days of it as the calendar has them.
fn civil(schedule: &Schedule, from: DateTime, last_year: i16) -> Option<DateTime> {
    let mut date = from.date();
    let mut least = from.time();
    while date.year() <= last_year {
        if let (true, Some(time)) = (on(schedule, date), time(schedule, least)) {
            return Some(date.to_datetime(time));
        }
        least = Time::midnight();
        date = if includes(schedule.months(), date.month()) {
            date.tomorrow().ok()?
        } else {
            date.last_of_month().tomorrow().ok()?
        };
    }
    None
}

fn on(schedule: &Schedule, date: Date) -> bool {
    // The crate counts Sunday as 1.
    let weekday = date.weekday().to_sunday_one_offset();
    // Outside of these the crate knows no year, not even as `*`.
    let year = u32::try_from(date.year()).unwrap_or(0);
    (!(1970..=2100).contains(&year) || schedule.years().includes(year))
        && includes(schedule.months(), date.month())
        && includes(schedule.days_of_month(), date.day())
        && includes(schedule.days_of_week(), weekday)
}

fn includes(field: &impl TimeUnitSpec, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| field.includes(value))
}

/// The first time of the day from `least` on.
fn time(schedule: &Schedule, least: Time) -> Option<Time> {
    let from = |field: &[u32], least: i8| -> Vec<i8> {
        let numbers = field.iter().filter_map(|n| i8::try_from(*n).ok());
        numbers.filter(|n| *n >= least).collect()
    };
    let minutes: Vec<u32> = schedule.minutes().iter().collect();
    let seconds: Vec<u32> = schedule.seconds().iter().collect();
    let hours: Vec<u32> = schedule.hours().iter().collect();
    for hour in from(&hours, least.hour()) {
        let this_hour = hour == least.hour();
        for minute in from(&minutes, if this_hour { least.minute() } else { 0 }) {
            let this_minute = this_hour && minute == least.minute();
            let seconds = from(&seconds, if this_minute { least.second() } else { 0 });
            if let Some(second) = seconds.first() {
                return Time::new(hour, minute, *second, 0).ok();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn instant_of(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<Instant>().unwrap())
    }

    /// The next times after `now`, as many as are expected.
    fn check(schedule: &str, zone: &str, now: &str, expected: &[&str]) {
        let schedule = Schedule::from_str(schedule).unwrap();
        let zone = Zone::parse(zone).unwrap();
        let mut now = instant_of(now);
        for expected in expected {
            now = after(&schedule, &zone, now).unwrap();
            assert_eq!(now.rfc3339(), *expected, "{schedule} {}", zone.name());
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        check(
            "0 0 8 * * *",
            "Asia/Shanghai",
            "2026-11-21T00:00:00Z",
            &["2026-11-22T00:00:00Z"],
        );
        check(
            "0 0 8 * * *",
            "Asia/Shanghai",
            "2026-11-20T23:59:59Z",
            &["2026-11-21T00:00:00Z"],
        );
        check(
            "0 0,30 * * * *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2026-11-21T00:30:00Z", "2026-11-21T01:00:00Z"],
        );
        check(
            "7 30 5 1 1 *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2027-01-01T05:30:07Z", "2028-01-01T05:30:07Z"],
        );
        check(
            "0 0 0 29 2 *",
            "UTC",
            "2026-11-21T00:00:00Z",
            &["2028-02-29T00:00:00Z"],
        );
        // Monday to Friday; the crate's Sunday is 1.
        check(
            "0 0 12 * * 2,3,4,5,6",
            "UTC",
            "2026-11-20T12:00:00Z",
            &["2026-11-23T12:00:00Z"],
        );
        check(
            "0 0 12 * * *",
            "Asia/Kathmandu",
            "2026-11-20T12:00:00Z",
            &["2026-11-21T06:15:00Z"],
        );
    }

    #[test]
    fn an_hour_left_out_ends_with_what_it_held() {
        // Berlin, 2026-03-29: 02:00 +01 is 03:00 +02.
        check(
            "0 30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T00:00:00Z",
            &[
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z",
            ],
        );
        check(
            "0 10,50 2,3 * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            &[
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:10:00Z",
                "2026-03-29T01:50:00Z",
            ],
        );
        check(
            "0 0,30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:20:00Z",
            &[
                "2026-03-29T00:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:30:00Z",
            ],
        );
    }

    #[test]
    fn an_hour_repeated_is_one_hour_to_what_names_it() {
        // Berlin, 2026-10-25: 03:00 +02 is 02:00 +01.
        check(
            "0 30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
        // Asked within the second half past two.
        check(
            "0 40 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:20:00Z",
            &["2026-10-26T01:40:00Z"],
        );
        check(
            "0 0 3 * * *",
            "Europe/Berlin",
            "2026-10-25T01:20:00Z",
            &["2026-10-25T02:00:00Z"],
        );
        check(
            "0 0,30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:10:00Z",
            &[
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z",
            ],
        );
    }

    #[test]
    fn a_midnight_and_a_day_that_are_left_out() {
        // Cairo, 2026-04-24: midnight is 01:00. Samoa had no 2011-12-30.
        check(
            "0 0 0 * * *",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            &["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
        );
        check(
            "0 0 9 30 12 *",
            "Pacific/Apia",
            "2011-12-29T22:00:00Z",
            &["2011-12-30T10:00:00Z"],
        );
    }

    #[test]
    fn years_the_crate_does_not_know_are_years() {
        check(
            "0 0 8 * * *",
            "UTC",
            "1969-03-02T09:00:00Z",
            &["1969-03-03T08:00:00Z"],
        );
        check(
            "0 0 8 * * *",
            "UTC",
            "2100-12-31T09:00:00Z",
            &["2101-01-01T08:00:00Z"],
        );
    }

    #[test]
    fn a_schedule_that_never_comes_has_no_next_time() {
        let never = Schedule::from_str("0 0 0 30 2 *").unwrap();
        let zone = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(after(&never, &zone, Timestamp::EPOCH), None);
        let past = Schedule::from_str("0 0 0 1 1 * 1999").unwrap();
        assert_eq!(
            after(&past, &zone, Timestamp::from_secs(1_800_000_000)),
            None
        );
    }

    proptest! {
        /// Later than now, on the schedule, and the same from any moment in between.
        #[test]
        fn the_next_time_is_later_and_nothing_lies_between(
            now in any::<i64>(), part in 0.0..1.0_f64, zone in 0_usize..5, schedule in 0_usize..6,
        ) {
            let zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"];
            let schedules = ["0 30 2 * * *", "0 */7 * * * *", "15 0 0 1 * *", "* * * * * *", "0 15 1,2,3 * * 1", "0 0 0 29 2 *"];
            let zone = Zone::parse(zones[zone]).unwrap();
            let schedule = Schedule::from_str(schedules[schedule]).unwrap();
            let now = Timestamp::from_secs(1_500_000_000 + now.rem_euclid(1_000_000_000));
            let next = after(&schedule, &zone, now).unwrap();
            prop_assert!(next > now);
            let between = now.plus(next.since(now).mul_f64(part)).min(Timestamp::from_millis(next.millis() - 1));
            prop_assert_eq!(after(&schedule, &zone, between), Some(next));
        }

        #[test]
        fn any_moment_returns(now in any::<i64>()) {
            let zone = Zone::parse("Europe/Berlin").unwrap();
            let schedule = Schedule::from_str("0 30 2 * * *").unwrap();
            let now = Timestamp::from_millis(now);
            if let Some(next) = after(&schedule, &zone, now) {
                prop_assert!(next > now);
            }
        }
    }
}
