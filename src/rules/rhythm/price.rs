//! What a request costs, and the one price that keeps all feeds together within a budget (C.6, C.9).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rules::rhythm::{HOUR, number};

/// The price of one request, the same for all feeds: the higher, the rarer everybody is asked. Nothing else couples
/// them, so it is all that a restart needs besides each feed's own rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Price {
    /// θ, in days.
    pub theta: f64,
}

impl Default for Price {
    /// A feed of one entry a day is asked every hour.
    fn default() -> Self {
        Self {
            theta: 1.0 / (2.0 * 24.0 * 24.0),
        }
    }
}

impl Price {
    const LEAST: f64 = 1e-9;
    const MOST: f64 = 1e6;
    const DOUBT: f64 = 4.0;

    /// With this θ, kept within reason.
    pub fn new(theta: f64) -> Self {
        Self {
            theta: if theta.is_finite() {
                theta.clamp(Self::LEAST, Self::MOST)
            } else {
                Self::default().theta
            },
        }
    }

    pub(super) fn theta(self) -> f64 {
        Self::new(self.theta).theta
    }

    /// After a time in which `spent` requests were made where `planned` were allowed; planned for the feeds only that
    /// nothing held back. Half as many as planned makes it cheaper, twice as many dearer, but never by more than a
    /// factor of two an hour: the answer to a change of price comes late, and who pulls harder swings. A handful of
    /// requests says little: both counts are taken as [`Self::DOUBT`] larger, or chance alone would make a small budget
    /// overspent by a tenth (the root of a count that swings is too small on the mean).
    #[must_use]
    pub fn after(self, time: Duration, spent: f64, planned: f64) -> Self {
        let (spent, planned) = (number(spent), number(planned));
        if planned <= 0.0 {
            return Self::new(self.theta);
        }
        let most = (time.as_secs_f64() / HOUR.as_secs_f64()).min(1000.0).exp2();
        let factor = ((spent + Self::DOUBT) / (planned + Self::DOUBT))
            .sqrt()
            .clamp(1.0 / most, most);
        Self::new(self.theta() * factor)
    }
}

/// What one request to a feed costs: 1 where an unchanged feed answers 304; `unchanged_bytes` is the mean size of
/// whole answers that turned out unchanged. `slow`: it took more than five seconds within the last hour.
pub fn cost(unchanged_bytes: u64, slow: bool) -> f64 {
    #[allow(clippy::cast_precision_loss)] // megabytes
    let whole = 1.0 + unchanged_bytes as f64 / 65_536.0;
    if slow { 2.0 * whole } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_follows_the_budget_by_the_root_and_in_steps() {
        let price = Price::new(1.0);
        let after = |minutes, spent, planned| {
            price
                .after(Duration::from_mins(minutes), spent, planned)
                .theta
        };
        assert!((after(600, 36.0, 6.0) - 2.0).abs() < 1e-9);
        assert!((after(600, 6.0, 36.0) - 0.5).abs() < 1e-9);
        assert!(
            (after(60, 1e9, 1.0) - 2.0).abs() < 1e-9,
            "twice an hour at most"
        );
        assert!((after(60, 0.0, 1e9) - 0.5).abs() < 1e-9);
        assert!((after(10, 0.0, 1e9) - 0.5_f64.powf(1.0 / 6.0)).abs() < 1e-9);
        assert!(
            (after(10, 5.0, 0.0) - 1.0).abs() < 1e-9,
            "nobody could be asked"
        );
    }

    #[test]
    fn no_number_breaks_the_price() {
        for odd in [
            f64::NAN,
            f64::INFINITY,
            -1.0,
            0.0,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            for price in [Price { theta: odd }, Price::new(odd)] {
                for next in [
                    price,
                    price.after(Duration::MAX, odd, 1.0),
                    price.after(Duration::ZERO, 1.0, odd),
                ] {
                    let theta = next.theta();
                    assert!(
                        (Price::LEAST..=Price::MOST).contains(&theta),
                        "{odd}: {theta}"
                    );
                }
            }
        }
    }

    #[test]
    fn whole_answers_for_nothing_cost_more() {
        assert!((cost(0, false) - 1.0).abs() < 1e-9);
        assert!((cost(65_536, false) - 2.0).abs() < 1e-9);
        assert!((cost(65_536, true) - 4.0).abs() < 1e-9);
    }
}
