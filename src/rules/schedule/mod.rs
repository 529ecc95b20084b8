//! When a feed is asked next, and why then: what it wishes by its rhythm or its cron schedule, and what forbids anything
//! sooner (POLLING A.2, P-35, P-93, P-141, C.7).

mod clock;
mod cron;
mod hints;
mod why;

use std::time::Duration;

use ::cron::Schedule;

use crate::model::content::RawHash;
use crate::model::feed::NotBefore;
use crate::model::ids::FeedId;
use crate::model::time::{Timestamp, Zone};
use crate::rules::cadence::{CAP_HINT, CAP_RETRY_AFTER, FLOOR};
use crate::rules::rhythm::{self, DAY, HOUR, Price, Rhythm};

pub use crate::model::hints::{Hints, Updates};
pub use crate::model::learned::Slowed;
pub use clock::{Jump, due, jump};
pub use cron::after as cron_after;
pub use why::Why;
pub(crate) use why::{Rate, Span};

/// No rhythm is slower than this.
pub const LONGEST: Duration = DAY;

/// Jitter is a tenth of the wait, and no more than this; it is only ever later.
pub const JITTER: Duration = Duration::from_mins(10);

/// Silent for this long, a feed is cold.
const COLD: Duration = Duration::from_hours(24 * 180);

/// How many bytes a day a feed may send for nothing (`full_body_budget`).
const BODY_BUDGET: u64 = 2 << 20;

/// For how long a 429 is remembered before its floor is halved again, and how often one can be doubled.
const CLEAN: Duration = Duration::from_hours(24 * 7);
const MOST_DOUBLED: u32 = 5;

/// Nobody is asked more often than this (POLLING 0.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floors {
    /// Anybody.
    pub plain: Duration,
    /// Who says itself that it is fresh for less, or asks for less by `ttl`.
    pub hinted: Duration,
    /// Who brought nothing for half a year, or says that it has ended.
    pub cold: Duration,
}

impl Default for Floors {
    fn default() -> Self {
        Self {
            plain: FLOOR,
            hinted: Duration::from_mins(15),
            cold: DAY,
        }
    }
}

impl Slowed {
    /// After a 429 at `now`.
    #[must_use]
    pub fn told(self, now: Timestamp) -> Self {
        Self {
            times: (self.times(now) + 1).min(MOST_DOUBLED),
            since: Some(now),
        }
    }

    /// How often the floor is doubled now.
    pub fn times(self, now: Timestamp) -> u32 {
        let clean = self.since.map_or(Duration::MAX, |since| now.since(since));
        let weeks = u32::try_from(clean.as_secs() / CLEAN.as_secs()).unwrap_or(u32::MAX);
        self.times.min(MOST_DOUBLED).saturating_sub(weeks)
    }
}

/// What the next time depends on. Where each fact comes from: the subscription (`cron`), the feed's row (`due`: `next_poll`; `fresh_until`; `held`:
/// `not_before`; `rhythm`, `slowed`), its last document (`hints`, `window`: how many entries it held), and the last polls
/// (`unchanged_bytes`: the mean size of the 200s that turned out unchanged, 0 where a 304 came instead; `slow`: more than
/// five seconds within the last hour).
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Which feed.
    pub feed: &'a FeedId,
    /// What was learned of it, this poll included.
    pub rhythm: &'a Rhythm,
    /// The price of a request.
    pub price: Price,
    /// What its schedule says, on the clocks of its zone.
    pub cron: Option<(&'a Schedule, &'a Zone)>,
    /// Retry-After or backoff.
    pub held: Option<&'a NotBefore>,
    /// HTTP freshness.
    pub fresh_until: Option<Timestamp>,
    /// What its document says.
    pub hints: &'a Hints,
    /// The 429s.
    pub slowed: Slowed,
    /// How many entries its document holds; 0 where that is not known.
    pub window: u32,
    /// The mean size of whole answers that turned out unchanged.
    pub unchanged_bytes: u64,
    /// It took long to answer.
    pub slow: bool,
    /// For when this poll was due; `None` at its first.
    pub due: Option<Timestamp>,
    /// The floors.
    pub floors: Floors,
}

impl<'a> Facts<'a> {
    /// Of a feed with nothing else to be said.
    pub fn new(feed: &'a FeedId, rhythm: &'a Rhythm, hints: &'a Hints) -> Self {
        Self {
            feed,
            rhythm,
            price: Price::default(),
            cron: None,
            held: None,
            fresh_until: None,
            hints,
            slowed: Slowed::default(),
            window: 0,
            unchanged_bytes: 0,
            slow: false,
            due: None,
            floors: Floors::default(),
        }
    }
}

/// The next time a feed is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// When: never before `not_before`.
    pub at: Timestamp,
    /// Why then.
    pub why: Why,
    /// What everything that forbids to ask amounts to.
    pub not_before: Timestamp,
}

/// Decides after a poll at `now` when the feed is asked next: by its schedule if it has one, else by its rhythm, and
/// in no case before the latest of all bounds. The same facts give the same answer.
///
/// Later than now by a floor at least; and by 31 days, a week of skipped days and the jitter at most, unless a cron
/// schedule says otherwise.
pub fn next(now: Timestamp, facts: &Facts<'_>) -> Next {
    let (wish, wished) = wish(now, facts);
    let (bound, forbids) = bound(now, facts);
    let scheduled = facts.cron.is_some() && wished == Why::Schedule;
    let (settled, mut why) = if bound > wish {
        (bound, forbids)
    } else {
        (wish, wished)
    };
    let mut at = settled;
    // What people set is kept to the second.
    if !(scheduled && why == Why::Schedule) {
        let wait = settled.since(now);
        at = at.plus((wait / 10).min(JITTER).mul_f64(dice(facts.feed, Some(now))));
        if !scheduled && out_of_turn(now, facts.due) {
            at = at.plus(wait.min(HOUR).mul_f64(dice(facts.feed, None)));
        }
    }
    let open = facts.hints.open_from(at);
    let mut not_before = bound;
    if open > at {
        not_before = not_before.max(open);
        at = open.plus(JITTER.mul_f64(dice(facts.feed, Some(now))));
        why = Why::Skip;
    }
    Next {
        at,
        why,
        not_before,
    }
}

/// When it would be asked if nothing forbade it.
fn wish(now: Timestamp, facts: &Facts<'_>) -> (Timestamp, Why) {
    if let Some((schedule, zone)) = facts.cron {
        return match cron::after(schedule, zone, now) {
            Some(at) => (at, Why::Schedule),
            None => (now.plus(LONGEST), Why::NeverScheduled),
        };
    }
    let cost = rhythm::cost(facts.unchanged_bytes, facts.slow);
    let wait = facts.rhythm.wait(now, facts.price, cost, facts.window);
    let why = if wait.interval > LONGEST {
        Why::Longest(LONGEST)
    } else if wait.guarded {
        Why::Window {
            entries: facts.window,
        }
    } else {
        Why::Rhythm {
            per_day: facts.rhythm.per_day(),
        }
    };
    (now.plus(wait.interval.min(LONGEST)), why)
}

/// The latest of the bounds. Hints are believed for a day, instructions for a month.
fn bound(now: Timestamp, facts: &Facts<'_>) -> (Timestamp, Why) {
    let hinted = |time: Duration| now.plus(time.min(CAP_HINT));
    let mut latest = floor(now, facts);
    let mut or = |at: Timestamp, why: Why| {
        if at > latest.0 {
            latest = (at, why);
        }
    };
    if let Some(until) = facts.fresh_until {
        or(until.min(now.plus(CAP_HINT)), Why::Fresh);
    }
    if let Some(ttl) = facts.hints.ttl {
        or(hinted(ttl), Why::Ttl(ttl.min(CAP_HINT)));
    }
    if let Some(updates) = facts.hints.updates {
        or(updates.next(now), Why::Updates(updates.every));
    }
    if facts.unchanged_bytes > 0 {
        let bytes = facts.unchanged_bytes.min(BODY_BUDGET);
        let share = DAY.as_secs().saturating_mul(bytes) / BODY_BUDGET;
        or(
            hinted(Duration::from_secs(share)),
            Why::Bodies(facts.unchanged_bytes),
        );
    }
    if let Some(held) = facts.held {
        or(
            held.until.min(now.plus(CAP_RETRY_AFTER)),
            Why::Held(held.why.clone()),
        );
    }
    latest
}

fn floor(now: Timestamp, facts: &Facts<'_>) -> (Timestamp, Why) {
    let Floors {
        plain,
        hinted,
        cold,
    } = facts.floors;
    let silent = facts
        .rhythm
        .last()
        .map_or(Duration::ZERO, |last| now.since(last));
    let fresh = facts
        .fresh_until
        .map(|until| now.since(now).max(until.since(now)));
    let says_less = [fresh, facts.hints.ttl]
        .into_iter()
        .flatten()
        .any(|said| !said.is_zero() && said < plain);
    let times = facts.slowed.times(now);
    let (floor, why) = if facts.hints.ended {
        (cold, Why::Ended(cold))
    } else if silent > COLD {
        (cold, Why::Cold(cold))
    } else if times > 0 {
        let floor = plain.saturating_mul(1 << times).min(LONGEST).max(plain);
        (floor, Why::Slowed { floor, times })
    } else {
        let floor = if says_less { hinted } else { plain };
        (floor, Why::Floor(floor))
    };
    // Whatever was configured: a poll is not followed by another at once.
    (now.plus(floor.max(Duration::from_secs(1))), why)
}

/// The first poll, or one that was late by more than jitter: many feeds were asked together then (when they were added,
/// or after downtime), and each adds its own part of an hour once, or they would come back together.
fn out_of_turn(now: Timestamp, due: Option<Timestamp>) -> bool {
    due.is_none_or(|due| now.since(due) > JITTER)
}

/// A number from 0 to 1 that is the feed's own, and at each poll another where `now` is given.
fn dice(feed: &FeedId, now: Option<Timestamp>) -> f64 {
    let millis = now.map(|now| now.millis().to_le_bytes());
    let hash = RawHash::of([
        Some(feed.as_str().as_bytes()),
        millis.as_ref().map(<[u8; 8]>::as_slice),
    ]);
    #[allow(clippy::cast_possible_truncation)] // which bits does not matter
    let bits = hash.0 as u32;
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests;
