//! Every way publishers write a date, to a timestamp; the zone is the source's.

mod format;
mod lexer;
mod numerals;
mod relative;
mod words;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::model::time::{Timestamp, Zone};
pub use format::{check_format, parse_as};
use lexer::{Half, Part, ZoneWord, lex, wide};

/// Longer texts are no dates.
const LONGEST: usize = 160;

/// Reads a date. `zone` is the source's: it holds where the text names none, an unknown one, or one that means
/// several (`CST` is China's for a source at +08, else the American one). Relative forms (`5 minutes ago`, `昨天
/// 10:00`) and dates without a year need the time the text was fetched. What is no date is `None`.
pub fn parse(text: &str, zone: &Zone, fetched: Option<Timestamp>) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    // RFC 3339 as Atom wants it needs no guessing; a `+0800` without colon is read too. Leap seconds are.
    if text.is_ascii()
        && text.as_bytes().get(10) == Some(&b'T')
        && text.len() >= 20
        && let Ok(time) = text.parse::<jiff::Timestamp>()
    {
        return Some(time.into());
    }
    let text = wide(text);
    let text = numerals::in_digits(&text);
    if let Some(date) = truncated(&text) {
        return instant(date, None, zone);
    }
    if let Some(time) = relative::parse(&text, zone, fetched) {
        return Some(time);
    }
    let parts = lex(&text)?;
    if let [
        Part::Number {
            value,
            digits: 9 | 10 | 13,
        },
    ] = parts.as_slice()
    {
        return epoch(i64::try_from(*value).ok()?);
    }
    let found = Found::in_parts(&parts)?;
    let time = found.time()?;
    let date = match found.date()? {
        (Some(year), month, day) => Date::new(year, month, day).ok()?,
        (None, month, day) => near(fetched?, zone, month, day)?,
    };
    instant(on(date, time)?, found.zone, zone)
}

/// A time of a day, or of the one after it.
fn on(date: Date, (time, next): (Time, bool)) -> Option<DateTime> {
    let date = if next { date.tomorrow().ok()? } else { date };
    Some(DateTime::from_parts(date, time))
}

/// A time that is a number: seconds since 1970, or milliseconds where as seconds it would be past the year 5138. Zero and
/// below is how a missing time is written, not a date.
pub fn epoch(number: i64) -> Option<Timestamp> {
    match number {
        ..=0 => None,
        1..100_000_000_000 => Some(Timestamp::from_secs(number)),
        _ => Some(Timestamp::from_millis(number)),
    }
}

/// The year in which a date without one was meant: it is not after the day it was fetched on.
fn near(fetched: Timestamp, zone: &Zone, month: i8, day: i8) -> Option<Date> {
    let now = jiff::Timestamp::from_millisecond(fetched.millis()).ok()?;
    let today = now.to_zoned(zone.as_jiff().clone()).date();
    let this = Date::new(today.year(), month, day).ok();
    this.filter(|date| *date <= today.tomorrow().unwrap_or(today))
        .or_else(|| Date::new(today.year().checked_sub(1)?, month, day).ok())
}

/// A wall clock as an instant. Times a change of clocks skips or repeats are read as jiff's "compatible" does.
fn instant(civil: DateTime, word: Option<ZoneWord>, zone: &Zone) -> Option<Timestamp> {
    let read = |zone: &TimeZone| zone.to_ambiguous_timestamp(civil).compatible().ok();
    let time = match word {
        Some(ZoneWord::Offset(seconds)) => {
            read(&Offset::from_seconds(seconds).ok()?.to_time_zone())?
        }
        Some(ZoneWord::Cst) => {
            let here = read(zone.as_jiff())?;
            if zone.as_jiff().to_offset(here).seconds() == 8 * 3600 {
                here
            } else {
                read(&Offset::from_seconds(-6 * 3600).ok()?.to_time_zone())?
            }
        }
        Some(ZoneWord::Unknown) | None => read(zone.as_jiff())?,
    };
    Some(time.into())
}

/// What the parts of a text say about a date.
#[derive(Default)]
struct Found {
    year: Option<u64>,
    month: Option<u64>,
    day: Option<u64>,
    /// Plain numbers with their count of digits, in order.
    numbers: Vec<(u64, usize)>,
    /// The month was a word, so the numbers are day and year.
    worded: bool,
    clock: Option<(u64, u64, u64, u32)>,
    half: Option<Half>,
    zone: Option<ZoneWord>,
    /// Words stand around it that are no part of a date.
    prose: bool,
}

impl Found {
    fn in_parts(parts: &[Part]) -> Option<Self> {
        let mut found = Self::default();
        for part in parts {
            match *part {
                Part::Year(value) => found.year = Some(value),
                Part::Month(value) => found.month = Some(value),
                Part::MonthName(value) if found.month.is_none() => {
                    found.month = Some(value);
                    found.worded = true;
                }
                Part::MonthName(_) | Part::Republic => {}
                Part::Day(value) => found.day = Some(value),
                Part::Number { value, digits } => found.numbers.push((value, digits)),
                Part::Clock(hour, minute, second, nanos) => {
                    // Two clocks are a span of time, not a date.
                    if found.clock.replace((hour, minute, second, nanos)).is_some() {
                        return None;
                    }
                }
                Part::Prose => found.prose = true,
                Part::Half(half) => found.half = Some(half),
                // A number after a name is the finer word: `GMT+8`.
                Part::Zone(word) => {
                    if found.zone.is_none() || matches!(word, ZoneWord::Offset(_)) {
                        found.zone = Some(word);
                    }
                }
            }
        }
        found.unpack()?;
        Some(found)
    }

    /// Numbers that are several: `20250208`, `20250208173427`, `20250208 173427`.
    fn unpack(&mut self) -> Option<()> {
        let [(first, digits), rest @ ..] = self.numbers.as_slice() else {
            return Some(());
        };
        let (day, clock) = match (digits, rest) {
            (14, []) => (first / 1_000_000, Some((first % 1_000_000, 6))),
            (12, []) => (first / 100, Some((first % 10_000, 4))),
            (8, []) => (*first, None),
            (8, [(time, width @ (4 | 6))]) => (*first, Some((*time, *width))),
            _ => return Some(()),
        };
        let day = if *digits == 12 { first / 10_000 } else { day };
        if let Some((time, width)) = clock {
            let time = if width == 4 { time * 100 } else { time };
            let packed = (time / 10_000, time / 100 % 100, time % 100, 0);
            if self.clock.replace(packed).is_some() {
                return None;
            }
        }
        self.numbers = vec![(day / 10_000, 4), (day / 100 % 100, 2), (day % 100, 2)];
        Some(())
    }

    /// Year if it was said, month and day.
    fn date(&self) -> Option<(Option<i16>, i8, i8)> {
        let small = |value: u64| i8::try_from(value).ok();
        // `記者 2026`, `第5版 2026-10`: among other words only what names a day is a date.
        let named = self.month.is_some() && self.day.is_some();
        let day_of_three = matches!(self.numbers.len() + usize::from(self.month.is_some()), 3);
        if self.prose && !named && !day_of_three {
            return None;
        }
        let (year, month, day) = match (self.year, self.month, self.day, self.numbers.as_slice()) {
            (year, Some(month), Some(day), []) => (year.map(|y| (y, 4)), month, day),
            (Some(year), Some(month), None, []) => (Some((year, 4)), month, 1),
            (Some(year), None, None, []) => (Some((year, 4)), 1, 1),
            // `2025年02-08` and the like are nobody's form, but `08 2月 2025` is.
            (None, Some(month), None, [(day, 1 | 2), year]) if *day <= 31 => {
                (Some(*year), month, *day)
            }
            (None, Some(month), None, [year, (day, 1 | 2)]) => (Some(*year), month, *day),
            (None, Some(month), None, [(year, 4)]) => (Some((*year, 4)), month, 1),
            (None, Some(month), None, [(day, 1 | 2)]) if self.worded => (None, month, *day),
            // Google once wrote a month as `012`.
            (None, None, None, [(year, 4), (month, 1..=3), (day, 1 | 2)]) => {
                (Some((*year, 4)), *month, *day)
            }
            (None, None, None, [(year, 4), (month, 1 | 2)]) => (Some((*year, 4)), *month, 1),
            (None, None, None, [(year, 4)]) => (Some((*year, 4)), 1, 1),
            (None, None, None, [(year, 4), (ordinal, 3)]) => return ordinal_date(*year, *ordinal),
            // `11-29 08:00` as lists have it; `3-2` may be a score.
            (None, None, None, [(month, 2), (day, 2)]) if !self.prose && self.zone.is_none() => {
                (None, *month, *day)
            }
            // The day first or the month: where one is no month, or both are the same, there is nothing to guess.
            (None, None, None, [(day, 1 | 2), (month, 1 | 2), (year, 4)])
                if (1..=12).contains(month) && (*day > 12 || day == month) =>
            {
                (Some((*year, 4)), *month, *day)
            }
            (None, None, None, [(month, 1 | 2), (day, 1 | 2), (year, 4)])
                if (1..=12).contains(month) && *day > 12 =>
            {
                (Some((*year, 4)), *month, *day)
            }
            // `03/10/26`, `10-03-2026`: nobody can say which is the month.
            _ => return None,
        };
        let year = match year {
            None => None,
            // RFC 2822 §4.3.
            Some((value, 2)) => Some(value + if value < 50 { 2000 } else { 1900 }),
            Some((value, 3)) => Some(value + 1900),
            Some((value, _)) => Some(value),
        };
        // Year 0 is what empty fields print.
        let year = match year {
            Some(0) => return None,
            Some(value) => Some(i16::try_from(value).ok()?),
            None => None,
        };
        Some((year, small(month)?, small(day)?))
    }

    /// Whether it says nothing of a day, nor of a zone.
    fn is_time_alone(&self) -> bool {
        let day = self.year.or(self.month).or(self.day);
        day.is_none() && self.numbers.is_empty() && self.zone.is_none()
    }

    /// The time of day, and whether it is the next day's.
    fn time(&self) -> Option<(Time, bool)> {
        let Some((hour, minute, second, nanos)) = self.clock else {
            return Some((Time::midnight(), false));
        };
        let (hour, next) = match hour {
            // The end of the day (ISO 8601), so the start of the next.
            24 if minute == 0 && second == 0 => (0, true),
            _ => Half::hour(self.half, hour),
        };
        // A leap second has no instant of its own in Unix time.
        let second = if second == 60 { 59 } else { second };
        Time::new(
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(second).ok()?,
            i32::try_from(nanos).ok()?,
        )
        .ok()
        .map(|time| (time, next))
    }
}

/// What ISO 8601:2000 §5.2 lets one leave out of a date: `031231`, `03-12-31`, `-0312`, `-03-12`, `03335`.
fn truncated(text: &str) -> Option<DateTime> {
    if !(5..=8).contains(&text.len()) {
        return None;
    }
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| i8::try_from(part(from, from + 2)?).ok();
    // RFC 2822 §4.3.
    let year = part(0, 2).map(|year| if year < 50 { year + 2000 } else { year + 1900 });
    let date = match shape.as_str() {
        "000000" | "00-00-00" => Date::new(year?, small(2)?, small(4)?).ok()?,
        "-0000" | "-00-00" => Date::new(year?, small(2)?, 1).ok()?,
        "00000" => {
            let (year, month, day) =
                ordinal_date(u64::try_from(year?).ok()?, u64::try_from(part(2, 5)?).ok()?)?;
            Date::new(year?, month, day).ok()?
        }
        _ => return None,
    };
    Some(DateTime::from_parts(date, Time::midnight()))
}

/// `2003-335`, the day of the year (ISO 8601).
fn ordinal_date(year: u64, ordinal: u64) -> Option<(Option<i16>, i8, i8)> {
    let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let days = i64::try_from(ordinal).ok()?.checked_sub(1)?;
    let date = first
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()?;
    (date.year() == first.year()).then_some((Some(date.year()), date.month(), date.day()))
}

#[cfg(test)]
mod tests;
