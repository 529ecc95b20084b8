//! What a feed says of its own rhythm in its document (POLLING P-25 to P-28).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A feed's hints, as its last document had them. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// RSS `ttl`.
    #[serde(with = "millis_maybe", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// RSS `skipHours`: a bit for each hour of the day in GMT, bit 0 from midnight on.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_hours: u32,
    /// RSS `skipDays`: a bit for each day of the week in GMT, bit 0 is Monday.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_days: u8,
    /// The syndication module's `updatePeriod`, `updateFrequency` and `updateBase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates: Option<Updates>,
    /// It says that it has ended: JSON Feed `expired`, `podcast:updateFrequency complete`.
    #[serde(skip_serializing_if = "is_default")]
    pub ended: bool,
}

/// How often a feed says it is put out, from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// The time from one to the next.
    #[serde(with = "millis")]
    pub every: Duration,
    /// When one was or will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Timestamp>,
}

impl Hints {
    /// RSS `ttl`: whole minutes. Zero, negative numbers and words are no hint.
    pub fn ttl(text: &str) -> Option<Duration> {
        let minutes: u64 = text.trim().parse().ok().filter(|minutes| *minutes > 0)?;
        Some(Duration::from_secs(minutes.saturating_mul(60)))
    }

    /// One `hour` of `skipHours`, added. 24 is 0; what is no hour adds nothing.
    pub fn skip_hour(&mut self, text: &str) {
        if let Some(hour) = text.trim().parse().ok().filter(|hour: &u32| *hour <= 24) {
            self.skip_hours |= 1 << (hour % 24);
        }
    }

    /// One `day` of `skipDays`, added: its English name in any case. What is no day adds nothing.
    pub fn skip_day(&mut self, text: &str) {
        const DAYS: [&str; 7] = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let name = text.trim();
        if let Some(day) = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name)) {
            self.skip_days |= 1 << day;
        }
    }
}

impl Updates {
    /// From the three elements, as they are written. A missing period is a day and a missing frequency 1; but none of
    /// the two says nothing. `hourly` once is what generators write unasked; words of no meaning mean nothing.
    pub fn read(
        period: Option<&str>,
        frequency: Option<&str>,
        base: Option<Timestamp>,
    ) -> Option<Self> {
        if period.is_none() && frequency.is_none() {
            return None;
        }
        let period = match period.unwrap_or("daily").trim() {
            "hourly" => HOUR,
            "daily" => DAY,
            "weekly" => DAY * 7,
            "monthly" => DAY * 30,
            "yearly" => DAY * 365,
            _ => return None,
        };
        let frequency: u32 = frequency.unwrap_or("1").trim().parse().ok()?;
        let every = period.checked_div(frequency)?;
        (every > HOUR || (every == HOUR && period != HOUR)).then_some(Self { every, base })
    }
}

/// A duration as JSON: whole milliseconds.
pub(super) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// The same where there may be none.
pub(super) mod millis_maybe {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option)] // the shape serde asks for
    pub fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::millis::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}

/// Whether a value says nothing.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_25_only_whole_minutes_are_a_ttl() {
        assert_eq!(Hints::ttl(" 90 "), Some(Duration::from_mins(90)));
        for no in ["0", "-5", "soon", "1.5", "", "99999999999999999999"] {
            assert_eq!(Hints::ttl(no), None, "{no}");
        }
        assert!(Hints::ttl("18446744073709551615").is_some());
    }
}
