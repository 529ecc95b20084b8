//! Times. Inside the program there is one kind: an instant in UTC, in milliseconds.

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since the Unix epoch, UTC; as JSON, that number. Kept within the years 1 to 9998, so that it always has a civil form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl From<i64> for Timestamp {
    fn from(millis: i64) -> Self {
        Self::from_millis(millis)
    }
}

impl From<Timestamp> for i64 {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

impl Timestamp {
    const MIN: i64 = -62_135_596_800_000;
    const MAX: i64 = 253_370_764_800_000;

    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since the Unix epoch, clamped to the years 1 to 9998.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN, Self::MAX))
    }

    /// From seconds since the Unix epoch, clamped likewise.
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier`; zero if it was not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The day it is in.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(Day::MILLIS))
    }

    fn as_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// RFC 3339 in UTC with whole seconds, as Atom feeds carry it: `2026-11-21T08:00:00Z`.
    pub fn rfc3339(self) -> String {
        self.civil(&Zone::utc(), "%Y-%m-%dT%H:%M:%SZ")
    }

    /// The wall clock of a zone in the given `strftime` form. Fractions are cut, not rounded.
    pub fn civil(self, zone: &Zone, format: &str) -> String {
        self.as_jiff()
            .to_zoned(zone.0.clone())
            .strftime(format)
            .to_string()
    }
}

/// A day of the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    const MILLIS: i64 = 86_400_000;

    /// From days since 1970-01-01, clamped to the years 1 to 9998.
    pub fn from_number(days: i64) -> Self {
        Timestamp::from_millis(days.saturating_mul(Self::MILLIS)).day()
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        self.0
    }

    /// Reads `2026-11-30`, and no other spelling of it.
    pub fn parse(text: &str) -> Option<Self> {
        let date = jiff::civil::Date::strptime("%Y-%m-%d", text).ok()?;
        let noon = date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?;
        let day = Timestamp::from(noon.timestamp()).day();
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = Timestamp::from_millis(self.0 * Self::MILLIS);
        f.write_str(&begin.civil(&Zone::utc(), "%Y-%m-%d"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl From<jiff::Timestamp> for Timestamp {
    /// Fractions of a millisecond are cut towards the past.
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_millis(i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).unwrap_or(0))
    }
}

/// A time zone by its IANA name. Publishers write wall-clock times; a zone is a property of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Why a text is no [`Zone`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a time zone: write an IANA name such as `Asia/Shanghai` or `UTC`")]
pub struct BadZone(String);

impl Zone {
    /// The zone with this IANA name. The database is compiled in, so a bare machine knows it too.
    pub fn parse(name: &str) -> Result<Self, BadZone> {
        TimeZone::get(name)
            .map(Self)
            .map_err(|_| BadZone(name.chars().take(60).collect()))
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone as the date library knows it.
    pub fn as_jiff(&self) -> &TimeZone {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_times_follow_the_zone() {
        let time = Timestamp::from_millis(1_739_007_267_999);
        assert_eq!(time.rfc3339(), "2025-02-08T09:34:27Z");
        assert_eq!(
            time.civil(&Zone::parse("Asia/Shanghai").unwrap(), "%Y-%m-%d %H:%M:%S"),
            "2025-02-08 17:34:27"
        );
    }

    #[test]
    fn days_are_those_of_utc() {
        for (millis, text) in [
            (-62_135_596_800_000, "0001-01-01"),
            (-1, "1969-12-31"),
            (0, "1970-01-01"),
            (86_399_999, "1970-01-01"),
            (1_740_787_199_999, "2025-02-28"),
            (253_370_764_799_999, "9998-12-31"),
        ] {
            let day = Timestamp::from_millis(millis).day();
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::parse(text), Some(day));
            assert_eq!(Day::from_number(day.number()), day);
        }
        for text in [
            "",
            "2026-11-31",
            "2026-1-01",
            "02026-01-01",
            " 2026-01-01",
            "2026-01-01x",
            "+2026-01-01",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_instant_is_out_of_range() {
        for millis in [i64::MIN, -1, i64::MAX] {
            assert!(
                !Timestamp::from_millis(millis)
                    .plus(Duration::MAX)
                    .rfc3339()
                    .is_empty()
            );
            assert!(
                !Timestamp::from_millis(millis)
                    .minus(Duration::MAX)
                    .rfc3339()
                    .is_empty()
            );
        }
        assert!(Zone::parse("Mars/Olympus").is_err());
    }
}
