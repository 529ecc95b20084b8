//! Dates in a form somebody wrote down: `%Y年%m月%d日 %H:%M`.

use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};

use super::{instant, near};
use crate::model::time::{Timestamp, Zone};

/// Reads a text that is a date in this form (the directives of `strptime`), the whole of it, white space at its ends
/// aside. Without a time it is midnight; without a zone it is in this one; without a year it is the last such day before the
/// text was fetched. What is no such date is `None`.
pub fn parse_as(
    text: &str,
    format: &str,
    zone: &Zone,
    fetched: Option<Timestamp>,
) -> Option<Timestamp> {
    let parsed = strtime::parse(format, text.trim()).ok()?;
    if (parsed.offset().is_some() || parsed.timestamp().is_some())
        && let Ok(time) = parsed.to_timestamp()
    {
        return Some(time.into());
    }
    let date = match (parsed.year(), parsed.month(), parsed.day()) {
        (None, Some(month), Some(day)) => near(fetched?, zone, month, day)?,
        _ => parsed.to_date().ok()?,
    };
    let time = parsed.to_time().unwrap_or_else(|_| Time::midnight());
    instant(DateTime::from_parts(date, time), None, zone)
}

/// Whether a form can be read by [`parse_as`] and names a whole date; `Err` says why not.
pub fn check_format(format: &str) -> Result<(), String> {
    let civil = jiff::civil::date(2026, 11, 22).at(13, 14, 15, 0);
    let sample = civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| error.to_string())?;
    let wrong = |error: jiff::Error| format!("`{format}` is no form of a date: {error}");
    let text = BrokenDownTime::from(&sample)
        .to_string(format)
        .map_err(wrong)?;
    let parsed = strtime::parse(format, &text).map_err(wrong)?;
    let day = parsed.month().is_some() && parsed.day().is_some();
    if parsed.timestamp().is_none() && parsed.to_date().is_err() && !day {
        return Err(format!(
            "`{format}` does not say month and day: such a form is `%Y-%m-%d %H:%M`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_date_is_read_in_the_form_that_was_written_down() {
        let check = |text: &str, format: &str, expected: Option<&str>| {
            let zone = Zone::parse("Asia/Shanghai").unwrap();
            let fetched = Some(Timestamp::from_secs(1_793_522_400)); // 2026-11-01T08:40:00Z
            let read = parse_as(text, format, &zone, fetched).map(Timestamp::rfc3339);
            assert_eq!(read.as_deref(), expected, "{text} as {format}");
        };
        let long = "发布于%Y年%m月%d日 %H:%M";
        check(
            " 发布于2026年11月1日 08:30 ",
            long,
            Some("2026-11-01T00:30:00Z"),
        );
        check("2026年11月1日 08:30", long, None);
        check("03/10/26", "%d/%m/%y", Some("2026-10-02T16:00:00Z"));
        check(
            "2026-11-01T08:30:00 +0000",
            "%Y-%m-%dT%H:%M:%S %z",
            Some("2026-11-01T08:30:00Z"),
        );
        check("1793522400", "%s", Some("2026-11-01T08:40:00Z"));
        check("11-01 08:30", "%m-%d %H:%M", Some("2026-11-01T00:30:00Z"));
        check("12-31", "%m-%d", Some("2025-12-30T16:00:00Z"));
        check("", "%Y", None);
    }

    #[test]
    fn a_form_that_names_no_day_is_none() {
        for good in [
            "%Y-%m-%d",
            "%d/%m/%y %H:%M",
            "%Y年%m月%d日",
            "%s",
            "%F %T",
            "%m-%d",
        ] {
            assert_eq!(check_format(good), Ok(()), "{good}");
        }
        for bad in ["%H:%M", "yyyy-mm-dd", "%Y-%m", "%d", "%", "%!"] {
            assert!(check_format(bad).is_err(), "{bad}");
        }
    }
}
