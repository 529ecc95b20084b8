//! Counting entries over days, and forgetting.

use std::time::Duration;

use crate::model::learned::{Memory, Rhythm};
use crate::rules::rhythm::{PRIOR_DAYS, PRIOR_ENTRIES, SLOW_DAYS, days, number};

impl Memory {
    /// This much later, with that many new entries.
    #[must_use]
    pub fn after(self, days: f64, entries: f64, horizon: f64) -> Self {
        let kept = (-number(days) / horizon).exp();
        let Self {
            entries: old,
            days: watched,
        } = self.sound();
        Self {
            entries: old * kept + number(entries),
            days: (watched * kept + horizon * (1.0 - kept)).min(horizon),
        }
    }

    /// The same with numbers that can be gone on with, whatever was stored.
    #[must_use]
    pub fn sound(self) -> Self {
        Self {
            entries: number(self.entries).min(1e9),
            days: number(self.days).min(1e6),
        }
    }
}

/// What is learned where entries cannot be counted, only that a poll found a change: from (time since the poll before,
/// changed) of the polls that are remembered, whatever their spacing. The maximum likelihood of Cho and
/// Garcia-Molina (2003), and their correction for few polls, which also keeps it finite where every poll found a change.
pub fn from_changes(polls: &[(Duration, bool)]) -> Rhythm {
    let polls: Vec<(f64, bool)> = polls
        .iter()
        .map(|(time, changed)| (days(*time), *changed))
        .filter(|(time, _)| *time > 0.0)
        .collect();
    let watched: f64 = polls.iter().map(|(time, _)| time).sum();
    if watched <= 0.0 {
        return Rhythm::default();
    }
    let rate = most_likely(&polls, watched);
    let days = SLOW_DAYS * (1.0 - (-watched / SLOW_DAYS).exp());
    let entries = (rate * (days + PRIOR_DAYS) - PRIOR_ENTRIES).max(0.0);
    let mut rhythm = Rhythm {
        slow: Memory { entries, days }.sound(),
        ..Rhythm::default()
    };
    rhythm.peak = rhythm.per_day();
    rhythm
}

/// Changes a day.
fn most_likely(polls: &[(f64, bool)], watched: f64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // fifty polls
    let count = polls.len() as f64;
    let changed: f64 = polls.iter().filter(|poll| poll.1).map(|_| 1.0).sum();
    // With equal spacing this is the answer; it is also the highest that so few polls can speak for.
    let corrected = -((count - changed + 0.5) / (count + 0.5)).ln() * count / watched;
    if changed <= 0.0 || changed >= count {
        return corrected;
    }
    let quiet: f64 = polls.iter().filter(|poll| !poll.1).map(|poll| poll.0).sum();
    // Falls from infinity to minus `quiet` as the rate grows, so it crosses zero once.
    let excess = |rate: f64| {
        let loud: f64 = polls
            .iter()
            .filter(|poll| poll.1)
            .map(|(time, _)| time / (rate * time).exp_m1())
            .sum();
        loud - quiet
    };
    let (mut low, mut high) = (1e-6_f64, 1e6_f64);
    for _ in 0..80 {
        let middle = (low * high).sqrt();
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.min(corrected.max(count / watched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rhythm::DAY;

    fn hours(n: u64) -> Duration {
        DAY / 24 * u32::try_from(n).unwrap()
    }

    #[test]
    fn changes_alone_tell_the_rate() {
        // Every second of hourly polls changed: the true rate is ln 2 an hour, not one half.
        let polls: Vec<_> = (0..50).map(|n| (hours(1), n % 2 == 0)).collect();
        let rate = from_changes(&polls).habit();
        assert!((16.0..=17.2).contains(&rate), "{rate}");
    }

    #[test]
    fn uneven_spacing_is_taken_as_it_is() {
        // Short waits find nothing, long ones do: about one a day, though half of the polls changed.
        let polls: Vec<_> = (0..50)
            .map(|n| {
                if n % 2 == 0 {
                    (hours(1), false)
                } else {
                    (hours(47), true)
                }
            })
            .collect();
        let rate = from_changes(&polls).habit();
        assert!((0.7..=3.0).contains(&rate), "{rate}");
    }

    #[test]
    fn all_or_nothing_stays_finite() {
        let always: Vec<_> = (0..50).map(|_| (hours(1), true)).collect();
        let never: Vec<_> = (0..50).map(|_| (hours(24), false)).collect();
        let busy = from_changes(&always).habit();
        let idle = from_changes(&never).habit();
        assert!((24.0..=150.0).contains(&busy), "{busy}");
        assert!(idle < 0.1, "{idle}");
        assert_eq!(from_changes(&[]), Rhythm::default());
        assert_eq!(from_changes(&[(Duration::ZERO, true)]), Rhythm::default());
        assert!(
            from_changes(&[(Duration::MAX, true); 9])
                .habit()
                .is_finite()
        );
    }
}
