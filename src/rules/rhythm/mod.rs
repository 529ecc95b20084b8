//! How often a feed brings something, learned from when its entries came, and how long to wait for the next by that
//! alone (POLLING C.4 to C.7). What forbids to ask is the business of [`schedule`](super::schedule).

mod memory;
mod price;
mod silence;

use std::time::Duration;

use crate::model::time::Timestamp;

pub use crate::model::learned::{Memory, Rhythm, Silences};
pub use memory::from_changes;
pub use price::{Price, cost};

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// What the two memories forget by: a fortnight for the habit, a quarter of a day for the burst.
const SLOW_DAYS: f64 = 14.0;
const FAST_DAYS: f64 = 0.25;

/// What is believed of a feed before anything is known of it: one entry in two days, as much as two days of watching.
const PRIOR_ENTRIES: f64 = 1.0;
const PRIOR_DAYS: f64 = 2.0;
/// How many entries of a burst the habit weighs.
const PRIOR_BURST: f64 = 1.5;

/// Between "every entry counts the same" (0) and "every feed counts the same" (1), which is a fixed interval (C.5).
const FAIRNESS: f64 = 0.25;

/// More entries than this in one poll are one event, not a habit.
const MOST: f64 = 1000.0;

/// A date this far before the last poll is not of an entry that came since: an old one was put in, or all were dated anew.
const BACKFILL: Duration = DAY;

/// Dates may be ahead of our clock by this much (P-130), and none before 1990 is true (P-131).
const AHEAD: Duration = Duration::from_mins(10);
const YEAR_1990: Timestamp = Timestamp::EPOCH;
const YEARS_TO_1990: Duration = Duration::from_hours(24 * 7305);

/// For how long a window that overran makes us hurry (C.7).
const HURRY: Duration = Duration::from_hours(24 * 7);

/// How long to wait for the next entry, by the rhythm alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// From this poll to the next.
    pub interval: Duration,
    /// Shortened so that the feed's document does not overrun before we come.
    pub guarded: bool,
}

impl Rhythm {
    /// From the first document: the dates in it are replayed as if they had been watched. `None` stands for an entry
    /// without a date. Dates before 1990 or in the future teach nothing, and where all are the same neither do they.
    #[must_use]
    pub fn first(now: Timestamp, dates: &[Option<Timestamp>]) -> Self {
        let mut times: Vec<Timestamp> = dates
            .iter()
            .flatten()
            .filter(|date| plausible(**date, now))
            .map(|date| (*date).min(now))
            .collect();
        times.sort_unstable();
        let mut rhythm = Self::default();
        let (Some(oldest), Some(newest)) = (times.first(), times.last()) else {
            return rhythm;
        };
        if times.len() > 1 && oldest == newest {
            return rhythm;
        }
        // The oldest opens the time we know of; it is no arrival within it.
        let mut before = *oldest;
        rhythm.last = Some(oldest.millis());
        for time in times.iter().skip(1) {
            rhythm.pass(before, *time, &[*time], true);
            before = *time;
        }
        rhythm.pass(before, now, &[], true);
        rhythm
    }

    /// After a poll at `now`, the one before it at `before`, with the dates of the entries that are new. A failed poll
    /// teaches nothing: leave it out, and the next good one covers its time too. `overrun`: there were entries in the
    /// document and none of them was known.
    ///
    /// A date outside the time between the polls is not when the entry came; it then came when we first saw it. Entries
    /// dated well before the last poll count as one together: nobody wrote forty stories of last year this hour.
    #[must_use]
    pub fn after_poll(
        &self,
        before: Timestamp,
        now: Timestamp,
        new: &[Option<Timestamp>],
        overrun: bool,
    ) -> Self {
        let mut rhythm = self.clone();
        let mut times = Vec::with_capacity(new.len());
        let mut backfilled = false;
        for date in new {
            match date {
                Some(date) if *date > before && *date <= now => times.push(*date),
                Some(date) if plausible(*date, now) && date.plus(BACKFILL) < before => {
                    if !backfilled {
                        times.push(now);
                    }
                    backfilled = true;
                }
                _ => times.push(now),
            }
        }
        times.sort_unstable();
        rhythm.pass(before, now, &times, !overrun);
        if overrun {
            rhythm.overrun = Some(now.millis());
        }
        rhythm
    }

    /// Time passes from `before` to `now`, with arrivals in it. `watched`: nothing else came in that time.
    fn pass(&mut self, before: Timestamp, now: Timestamp, times: &[Timestamp], watched: bool) {
        let days = days(now.since(before));
        #[allow(clippy::cast_precision_loss)] // thousands at most
        let count = (times.len() as f64).min(MOST);
        self.slow = self.slow.after(days, count, SLOW_DAYS);
        self.fast = self.fast.after(days, count, FAST_DAYS);
        let faded = number(self.peak) * (-days / SLOW_DAYS).exp();
        self.peak = faded.max(self.per_day());
        self.silences.weeks.truncate(silence::WEEKS);
        for time in times {
            if let (Some(last), true) = (self.last(), watched) {
                self.silences.note(last, *time);
            }
            self.last = Some(time.millis().max(self.last.unwrap_or(i64::MIN)));
        }
    }

    /// When the newest entry came.
    pub fn last(&self) -> Option<Timestamp> {
        self.last.map(Timestamp::from_millis)
    }

    /// Entries a day by habit: what the slow memory says.
    pub fn habit(&self) -> f64 {
        let Memory {
            entries,
            days: watched,
        } = self.slow.sound();
        (entries + PRIOR_ENTRIES) / (watched + PRIOR_DAYS)
    }

    /// Entries a day to be expected now: the habit, or the burst where there is one. Never zero, never infinite.
    pub fn per_day(&self) -> f64 {
        let habit = self.habit();
        let Memory {
            entries,
            days: watched,
        } = self.fast.sound();
        let burst = if entries > 0.0 {
            (entries + PRIOR_BURST) / (watched + PRIOR_BURST / habit)
        } else {
            0.0
        };
        habit.max(burst)
    }

    /// How long to wait: where the price of a request (`price` × `cost`) equals the worth of what has come meanwhile
    /// (C.5), but not longer than half of what the document can hold at the feed's busiest (C.7). `window`: how many
    /// entries its document holds, 0 where that is not known.
    pub fn wait(&self, now: Timestamp, price: Price, cost: f64, window: u32) -> Wait {
        let per_day = self.per_day();
        let days =
            (2.0 * price.theta() * number(cost).max(1.0) / per_day.powf(1.0 - FAIRNESS)).sqrt();
        let interval = from_days(days);
        let busiest = number(self.peak).max(per_day);
        let hurry = self
            .overrun
            .is_some_and(|at| now.since(Timestamp::from_millis(at)) < HURRY);
        let share = if hurry { 0.25 } else { 0.5 };
        let guard = from_days(f64::from(window) * share / busiest);
        if window > 0 && guard < interval {
            Wait {
                interval: guard,
                guarded: true,
            }
        } else {
            Wait {
                interval,
                guarded: false,
            }
        }
    }

    /// What a poll at `now` is worth in units of its price: from 1 on it is due. For the order in which feeds that are
    /// overdue are asked (P-143).
    pub fn worth(&self, asked: Timestamp, now: Timestamp, price: Price, cost: f64) -> f64 {
        let tau = days(self.wait(now, price, cost, 0).interval).max(f64::MIN_POSITIVE);
        let waited = days(now.since(asked)) / tau;
        (waited * waited).min(f64::MAX)
    }

    /// How likely a silence as long as the present one is, if all is as it was. 1 while too little is known to say.
    pub fn chance_of_silence(&self, now: Timestamp) -> f64 {
        let Some(last) = self.last() else { return 1.0 };
        let silent = now.since(last);
        let by_count = (-self.habit() * days(silent)).exp();
        by_count
            .max(self.silences.chance(silent, self.habit()))
            .clamp(0.0, 1.0)
    }
}

fn plausible(date: Timestamp, now: Timestamp) -> bool {
    date >= YEAR_1990.plus(YEARS_TO_1990) && date <= now.plus(AHEAD)
}

/// A number that was stored, or 0 where it is none: not finite, or below zero.
fn number(stored: f64) -> f64 {
    if stored.is_finite() {
        stored.max(0.0)
    } else {
        0.0
    }
}

fn days(time: Duration) -> f64 {
    time.as_secs_f64() / DAY.as_secs_f64()
}

/// A hundred years at most.
fn from_days(days: f64) -> Duration {
    DAY.mul_f64(if days.is_finite() {
        days.clamp(0.0, 36_500.0)
    } else {
        36_500.0
    })
}

#[cfg(test)]
mod tests;
