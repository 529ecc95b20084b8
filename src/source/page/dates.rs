//! Times as these publishers write them. Kept apart, so that one reader of dates can take its place.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use serde_json::Value;

use crate::model::time::{Timestamp, Zone};

/// Epoch values from here on are milliseconds: as seconds this would be the year 5138.
const MILLIS_FROM: i64 = 100_000_000_000;

/// A time in one of the plain forms: RFC 3339, RFC 2822, `YYYY-MM-DD HH:MM[:SS]` in the source's zone, epoch seconds or
/// milliseconds, and Java's `Sat Oct 03 07:23:11 HKT 2026` with the abbreviations these publishers use.
pub fn civil(text: &str, zone: &Zone) -> Option<Timestamp> {
    let text = text.trim();
    // No form is longer; a stranger's text may be.
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    if let Ok(number) = text.parse::<i64>() {
        return epoch(number);
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.into());
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp().into());
    }
    if let Some(time) = java(text) {
        return Some(time);
    }
    let wall = text
        .parse::<DateTime>()
        .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text))
        .ok()?;
    at_wall(wall, zone)
}

/// A JSON value that is a time in one of these forms.
pub fn of_value(value: &Value, zone: &Zone) -> Option<Timestamp> {
    match value {
        Value::String(text) => civil(text, zone),
        Value::Number(number) => number.as_i64().and_then(epoch),
        _ => None,
    }
}

/// Epoch seconds or milliseconds by size. Zero and below is how a missing time is written, not a date.
fn epoch(number: i64) -> Option<Timestamp> {
    match number {
        ..=0 => None,
        1..MILLIS_FROM => Some(Timestamp::from_secs(number)),
        MILLIS_FROM.. => Some(Timestamp::from_millis(number)),
    }
}

fn at_wall(wall: DateTime, zone: &Zone) -> Option<Timestamp> {
    let zoned = wall.to_zoned(zone.as_jiff().clone()).ok()?;
    Some(zoned.timestamp().into())
}

/// `java.util.Date.toString`: the abbreviation before the year says the zone, and no library knows these.
fn java(text: &str) -> Option<Timestamp> {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.len() != 6 {
        return None;
    }
    let zone = match words.remove(4) {
        "HKT" => "Asia/Hong_Kong",
        "CST" => "Asia/Shanghai",
        "GMT" | "UTC" => "UTC",
        _ => return None,
    };
    let parsed = strtime::parse("%a %b %d %H:%M:%S %Y", words.join(" ")).ok()?;
    at_wall(parsed.to_datetime().ok()?, &Zone::parse(zone).ok()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn plain_forms_and_nothing_else() {
        let zone = Zone::parse("Asia/Hong_Kong").unwrap();
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(
                civil(text, &zone).map(Timestamp::millis),
                expected,
                "{text}"
            );
        };
        check("2026-10-03 07:23:11", Some(1_790_983_391_000));
        check(" 2026-10-03 07:23 ", Some(1_790_983_380_000));
        check("2026-10-03T07:23:11", Some(1_790_983_391_000));
        check("2026-10-02T23:23:11.389Z", Some(1_790_983_391_389));
        check("2026-10-03T07:23:11+08:00", Some(1_790_983_391_000));
        check("Fri, 02 Oct 2026 23:23:11 GMT", Some(1_790_983_391_000));
        check("Sat Oct 03 07:23:11 HKT 2026", Some(1_790_983_391_000));
        check("Sat Oct 03 07:23:11 PST 2026", None);
        check("1790983391", Some(1_790_983_391_000));
        check("1790983391389", Some(1_790_983_391_389));
        check("0", None);
        check("-5", None);
        check("", None);
        check("yesterday", None);
        check(&"9".repeat(65), None);
    }
}
