//! How long a source is used to be silent.

use std::time::Duration;

use crate::model::learned::Silences;
use crate::model::time::Timestamp;
use crate::rules::rhythm::{DAY, days, number};

/// How many weeks are remembered, and with how many one may say that a silence is odd.
pub(super) const WEEKS: usize = 8;
const ENOUGH: usize = 2;

const WEEK_MILLIS: i64 = 7 * 24 * 3_600_000;

impl Silences {
    /// A silence ended. One that spans weeks counts in each, as long as it had become by then.
    pub(super) fn note(&mut self, from: Timestamp, to: Timestamp) {
        if to < from {
            return;
        }
        let last = to.millis().div_euclid(WEEK_MILLIS);
        let oldest = last - i64::try_from(WEEKS).unwrap_or(8) + 1;
        for week in from.millis().div_euclid(WEEK_MILLIS).max(oldest)..=last {
            let end = Timestamp::from_millis((week + 1).saturating_mul(WEEK_MILLIS)).min(to);
            self.longest(week, end.since(from).as_secs_f64() / 3600.0);
        }
    }

    fn longest(&mut self, week: i64, hours: f64) {
        if self.weeks.is_empty() {
            self.week = week;
        }
        let ahead = usize::try_from(week.saturating_sub(self.week)).unwrap_or(0);
        if ahead > 0 {
            self.weeks.splice(0..0, vec![0.0; ahead.min(WEEKS)]);
            self.week = week;
        }
        let back = usize::try_from(self.week.saturating_sub(week)).unwrap_or(0);
        if back < WEEKS && self.weeks.len() <= back {
            self.weeks.resize(back + 1, 0.0);
        }
        self.weeks.truncate(WEEKS);
        if let Some(known) = self.weeks.get_mut(back) {
            *known = number(*known).max(hours);
        }
    }

    /// How likely a week with a silence this long is. Beyond the longest that is remembered the chance falls by e with
    /// every third of it, or with every mean wait for an entry where that is more.
    pub(super) fn chance(&self, silent: Duration, per_day: f64) -> f64 {
        let known: Vec<f64> = self
            .weeks
            .iter()
            .map(|hours| number(*hours) / 24.0)
            .filter(|days| *days > 0.0)
            .take(WEEKS)
            .collect();
        if known.len() < ENOUGH {
            return 1.0;
        }
        #[allow(clippy::cast_precision_loss)] // eight weeks
        let weeks = known.len() as f64;
        let silent = days(silent);
        let longest = known.iter().copied().fold(0.0, f64::max);
        if silent <= longest {
            let as_long: f64 = known
                .iter()
                .filter(|days| **days >= silent)
                .map(|_| 1.0)
                .sum();
            return (as_long + 1.0) / (weeks + 1.0);
        }
        let step = (longest / 3.0).max(1.0 / per_day).max(1.0 / 24.0);
        (-(silent - longest) / step).exp() / (weeks + 1.0)
    }

    /// The longest that is remembered.
    pub fn most(&self) -> Option<Duration> {
        let hours = self
            .weeks
            .iter()
            .map(|hours| number(*hours))
            .fold(0.0, f64::max);
        (hours > 0.0).then(|| DAY.mul_f64((hours / 24.0).min(36_500.0)))
    }
}
