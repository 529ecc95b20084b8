//! When to ask, as people write it: five crontab fields, six with the seconds first, or `@daily` and its like.
//!
//! The crate `cron` evaluates schedules, but is not asked to read them: it refuses five fields with a bare caret,
//! counts Sunday as 1 where every crontab counts Monday as 1, and takes a year where we know none. So a schedule is
//! read here, and handed over as plain lists of numbers.

use std::collections::BTreeSet;
use std::str::FromStr;

use cron::Schedule;

use crate::config::problems::shown;

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names in order from `least`; the first of the weekdays may also close a range (`sat-sun`).
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fn field(name: &'static str, least: u32, most: u32, names: &'static [&'static str]) -> Field {
    Field {
        name,
        least,
        most,
        names,
    }
}

const SECOND: Field = field("second", 0, 59, &[]);
const MINUTE: Field = field("minute", 0, 59, &[]);
const HOUR: Field = field("hour", 0, 23, &[]);
const DAY: Field = field("day of the month", 1, 31, &[]);
const MONTH: Field = field("month", 1, 12, MONTHS);
const WEEKDAY: Field = field("weekday", 0, 7, WEEKDAYS);

const SHORTHANDS: [(&str, &str); 6] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

/// Reads a schedule: `minute hour day month weekday`, optionally with a seconds field in front. Weekdays are those of
/// crontab: 0 and 7 are Sunday, 1 is Monday. The times are those of the feed's zone.
pub fn schedule(text: &str) -> Result<Schedule, String> {
    let text = text.trim();
    if text.len() > 200 {
        return Err(format!("`{}` is too long for a schedule", shown(text)));
    }
    let whole = SHORTHANDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map_or(text, |(_, fields)| fields);
    let parts: Vec<&str> = whole.split_whitespace().collect();
    let [second, minute, hour, day, month, weekday] = match parts[..] {
        [minute, hour, day, month, weekday] => ["0", minute, hour, day, month, weekday],
        [second, minute, hour, day, month, weekday] => [second, minute, hour, day, month, weekday],
        _ => {
            return Err(format!(
                "`{}` has {} where a schedule has five: minute, hour, day of the month, month, weekday, \
                 such as \"*/30 * * * *\" for every half hour",
                shown(text),
                match parts.len() {
                    0 => "no field".to_owned(),
                    1 => "one field".to_owned(),
                    many => format!("{many} fields"),
                }
            ));
        }
    };
    let days = DAY.read(day)?;
    let months = MONTH.read(month)?;
    let weekdays = WEEKDAY.read(weekday)?;
    if !is_any(day) && !is_any(weekday) {
        return Err(format!(
            "`{}` names a day of the month and a weekday: programs disagree whether that means both or either, \
             so one of them has to be `*`",
            shown(text)
        ));
    }
    if !months
        .iter()
        .any(|month| days.iter().any(|day| *day <= longest(*month)))
    {
        return Err(format!(
            "`{}` never comes: no such month has that day",
            shown(text)
        ));
    }
    // 0 and 7 are Sunday here, 1 is Sunday there.
    let weekdays: BTreeSet<u32> = weekdays.iter().map(|day| day % 7 + 1).collect();
    let fields = [
        list(&SECOND.read(second)?),
        list(&MINUTE.read(minute)?),
        list(&HOUR.read(hour)?),
        list(&days),
        list(&months),
        list(&weekdays),
    ];
    Schedule::from_str(&fields.join(" "))
        .map_err(|_| format!("`{}` is not a schedule", shown(text)))
}

fn is_any(field: &str) -> bool {
    matches!(field, "*" | "?")
}

fn longest(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn list(numbers: &BTreeSet<u32>) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    numbers.join(",")
}

impl Field {
    /// All the numbers a field stands for: `*`, `7`, `1-5`, `*/15`, `10-50/20`, and lists of them with commas.
    fn read(&self, text: &str) -> Result<BTreeSet<u32>, String> {
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (first, last) = if is_any(range) {
                // Saturday is the last day of `*`, so that `*/2` does not meet Sunday twice.
                (
                    self.least,
                    if self.names == WEEKDAYS { 6 } else { self.most },
                )
            } else if let Some((first, last)) = range.split_once('-') {
                (self.number(first, false)?, self.number(last, true)?)
            } else {
                let number = self.number(range, false)?;
                // `10/20` means from 10 on.
                (number, if step.is_some() { self.most } else { number })
            };
            if first > last {
                return Err(format!(
                    "the {} `{}` runs backwards",
                    self.name,
                    shown(range)
                ));
            }
            numbers.extend((first..=last).step_by(step.unwrap_or(1)));
        }
        Ok(numbers)
    }

    fn number(&self, text: &str, last: bool) -> Result<u32, String> {
        let name = text.to_ascii_lowercase();
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            let at = u32::try_from(at).unwrap_or_default() + self.least;
            let closing_sunday = last && at == 0;
            return Ok(if closing_sunday { 7 } else { at });
        }
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let range = self.least..=self.most;
        text.parse()
            .ok()
            .filter(|number| digits && range.contains(number))
            .ok_or_else(|| {
                let names = match (self.names.first(), self.names.last()) {
                    (Some(first), Some(last)) => format!(" or {first} to {last}"),
                    _ => String::new(),
                };
                format!(
                    "`{}` is no {}: {} to {}{names}, `*` for every one, \
                     a list such as `1,5`, a range such as `1-5`, or a step such as `*/2`",
                    shown(text),
                    self.name,
                    self.least,
                    self.most
                )
            })
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        text.parse()
            .ok()
            .filter(|step| (1..=60).contains(step))
            .ok_or_else(|| {
                format!(
                    "the {} has the step `{}`, which is not a number from 1 to 60",
                    self.name,
                    shown(text)
                )
            })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use cron::TimeUnitSpec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn five_fields_start_at_second_zero_and_six_say_it() {
        let same = |a: &str, b: &str| {
            assert!(
                schedule(a).unwrap().timeunitspec_eq(&schedule(b).unwrap()),
                "{a} | {b}"
            );
        };
        same("*/30 * * * *", "0 0,30 * * * *");
        same("5 8-10 * * *", "0 5 8,9,10 * * *");
        same(" @daily ", "0 0 0 * * *");
        same("10/25 * * * *", "10,35 * * * *");
        same("0 8 ? JAN-mar *", "0 8 * 1,2,3 *");
    }

    #[test]
    fn every_shorthand_is_read() {
        for (name, _) in SHORTHANDS {
            assert!(schedule(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn weekdays_are_those_of_crontab() {
        // The crate counts Sunday as 1.
        let check = |field: &str, days: &[u32]| {
            let schedule = schedule(&format!("0 8 * * {field}")).unwrap();
            assert_eq!(
                schedule.days_of_week().iter().collect::<Vec<_>>(),
                days,
                "{field}"
            );
        };
        check("1", &[2]);
        check("0", &[1]);
        check("7", &[1]);
        check("1-5", &[2, 3, 4, 5, 6]);
        check("mon-fri", &[2, 3, 4, 5, 6]);
        check("sat-sun", &[1, 7]);
        check("sun", &[1]);
        check("*/2", &[1, 3, 5, 7]);
        check("*", &[1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, why: &str| {
            let error = schedule(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        };
        check("", "no field");
        check("@never", "one field");
        check("* * * *", "4 fields");
        check("0 0 0 1 1 * 2030", "7 fields");
        check("0 25 * * *", "`25` is no hour");
        check("60 * * * *", "`60` is no minute: 0 to 59");
        check("0 0 0 * *", "`0` is no day of the month");
        check("0 0 * 13 *", "`13` is no month: 1 to 12 or jan to dec");
        check(
            "0 0 * * funday",
            "`funday` is no weekday: 0 to 7 or sun to sat",
        );
        check("5,,6 * * * *", "`` is no minute");
        check("*5 * * * *", "`*5` is no minute");
        check("+5 * * * *", "`+5` is no minute");
        check("*/0 * * * *", "step `0`");
        check("*/x * * * *", "step `x`");
        check("50-10 * * * *", "runs backwards");
        check("0 0 30 2 *", "never comes");
        check("0 0 31 4,6 *", "never comes");
        check("0 8 1 * 1", "one of them has to be `*`");
        check(&"1,".repeat(200), "too long");
    }

    proptest! {
        #[test]
        fn any_text_returns(text in ".{0,80}", fields in "[-*/,?0-9a-z ]{0,40}") {
            let _ = schedule(&text);
            let _ = schedule(&fields);
        }

        /// What we read, the crate reads: its refusal would be a message without words.
        #[test]
        fn the_crate_never_refuses_what_we_read(minute in 0u32..60, hour in 0u32..24, step in 1u32..=60, day in 0u32..=7) {
            let text = format!("{minute}/{step} {hour} * * {day}");
            prop_assert!(schedule(&text).is_ok());
        }
    }
}
