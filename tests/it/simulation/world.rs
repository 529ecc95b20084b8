//! Feeds that publish, a poller with the production rules, and a clock that is only a number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use cron::Schedule;
use feedmill::model::feed::NotBefore;
use feedmill::model::ids::FeedId;
use feedmill::model::time::{Timestamp, Zone};
use feedmill::rules::cadence;
use feedmill::rules::rhythm::{Memory, Price, Rhythm};
use feedmill::rules::schedule::{self, Facts, Hints, Slowed};

use super::traces::{Dice, KINDS, START, trace};

/// Requests a second, over all feeds (POLLING 0.3).
pub const STARTS_PER_SECOND: usize = 4;

/// A feed as its origin has it.
pub struct Feed {
    pub id: FeedId,
    pub times: Vec<Timestamp>,
    /// How many entries its document holds.
    pub window: usize,
    pub max_age: Option<Duration>,
    pub hints: Hints,
    pub dated: bool,
    /// One answer in so many is a 429 with this Retry-After; one in so many a 503.
    pub refuses: Option<(u64, Duration)>,
    pub fails: Option<u64>,
    pub cron: Option<(Schedule, Zone)>,
}

/// This many feeds, all kinds alike.
pub fn feeds(count: usize, seed: u64, days: f64) -> Vec<Feed> {
    let mut dice = Dice::new(seed);
    (0..count)
        .map(|n| {
            let kind = KINDS[n % KINDS.len()];
            Feed {
                id: format!("feed-{seed}-{n}").parse().unwrap(),
                times: trace(kind, &mut dice, days),
                window: [10, 20, 50][n / KINDS.len() % 3],
                max_age: None,
                hints: Hints::default(),
                dated: true,
                refuses: None,
                fails: None,
                cron: None,
            }
        })
        .collect()
}

/// Who decides when to ask.
#[derive(Clone, Copy)]
pub enum Policy {
    /// Every so often, each feed at a phase of its own.
    Fixed(Duration),
    /// The production rules at this price.
    Adaptive(Price),
    /// The same without the memory of bursts.
    SlowOnly(Price),
    /// The same, the price found on the way to keep to so many requests a day.
    Budget(f64),
}

/// What came of it.
#[derive(Default)]
pub struct Run {
    pub requests: Vec<Timestamp>,
    /// Entry by entry, in seconds.
    pub delays: Vec<f64>,
    /// The mean delay of each feed that published something.
    pub by_feed: Vec<f64>,
    pub lost: usize,
    pub too_early: Vec<String>,
    pub price: Price,
}

/// What the poller remembers of a feed, and what the origin has forbidden it.
struct Seat {
    rhythm: Rhythm,
    slowed: Slowed,
    failures: u32,
    due: Option<Timestamp>,
    good: Option<Timestamp>,
    not_before: Timestamp,
    delays: Vec<f64>,
}

/// Plays `days` days. `sleeps`: nothing runs in this time, and what is overdue then is drained.
pub fn play(
    feeds: &[Feed],
    policy: Policy,
    days: f64,
    sleeps: Option<(Timestamp, Timestamp)>,
) -> Run {
    let start = Timestamp::from_secs(START);
    let end = start.plus(Duration::from_secs_f64(days * 86_400.0));
    let mut run = Run::default();
    let mut dice = Dice::new(7);
    let mut price = match policy {
        Policy::Adaptive(price) | Policy::SlowOnly(price) => price,
        Policy::Fixed(_) | Policy::Budget(_) => Price::default(),
    };
    let (mut spent, mut told) = (0.0, start);
    let mut seats: Vec<Seat> = feeds
        .iter()
        .map(|_| Seat {
            rhythm: Rhythm::default(),
            slowed: Slowed::default(),
            failures: 0,
            due: None,
            good: None,
            not_before: start,
            delays: Vec::new(),
        })
        .collect();
    let mut queue: BinaryHeap<Reverse<(Timestamp, usize)>> =
        (0..feeds.len()).map(|n| Reverse((start, n))).collect();
    while let Some(Reverse((due, n))) = queue.pop() {
        // The start rate: not before the fourth last request and a second.
        let mut at = due;
        if let Some(earlier) = run.requests.len().checked_sub(STARTS_PER_SECOND) {
            at = at.max(run.requests[earlier].plus(Duration::from_secs(1)));
        }
        at = at.max(run.requests.last().copied().unwrap_or(start));
        if let Some((asleep, awake)) = sleeps
            && at >= asleep
            && at < awake
        {
            queue.push(Reverse((feeds[n].hints.open_from(awake), n)));
            continue;
        }
        if at >= end {
            break;
        }
        if let Policy::Budget(a_day) = policy {
            const STEP: Duration = Duration::from_mins(10);
            while at.since(told) >= STEP {
                price = price.after(STEP, spent, a_day / 144.0);
                spent = 0.0;
                told = told.plus(STEP);
            }
        }
        spent += 1.0;
        run.requests.push(at);
        let (feed, seat) = (&feeds[n], &mut seats[n]);
        if at < seat.not_before {
            run.too_early.push(format!(
                "{} at {at}, not before {}",
                feed.id, seat.not_before
            ));
        }
        let hour = at.millis().div_euclid(3_600_000).rem_euclid(24);
        if seat.due.is_some() && (feed.hints.skip_hours >> hour) & 1 == 1 {
            run.too_early
                .push(format!("{} at {at}, in a skipped hour", feed.id));
        }
        let next = answer(feed, seat, at, policy, price, &mut dice, &mut run);
        queue.push(Reverse((next, n)));
    }
    for (feed, seat) in feeds.iter().zip(&mut seats) {
        let seen = seat.good.unwrap_or(start);
        for time in feed.times.iter().filter(|time| **time > seen.max(start)) {
            seat.delays.push(end.since(*time).as_secs_f64());
        }
        if !seat.delays.is_empty() {
            run.by_feed.push(mean(&seat.delays));
        }
        run.delays.append(&mut seat.delays);
    }
    run.price = price;
    run
}

/// One request is answered; the next due time.
fn answer(
    feed: &Feed,
    seat: &mut Seat,
    at: Timestamp,
    policy: Policy,
    price: Price,
    dice: &mut Dice,
    run: &mut Run,
) -> Timestamp {
    let floor = cadence::FLOOR;
    let hinted = Duration::from_mins(15);
    let refused = feed
        .refuses
        .filter(|(one_in, _)| dice.next().is_multiple_of(*one_in));
    let failed = refused.is_none()
        && feed
            .fails
            .is_some_and(|one_in| dice.next().is_multiple_of(one_in));
    let mut held = None;
    // What the origin will hold against us, written down apart from what the rules say.
    let brief = feed.max_age.is_some_and(|age| age < floor)
        || feed.hints.ttl.is_some_and(|ttl| ttl < floor);
    seat.not_before = at.plus(if brief { hinted } else { floor });
    if let Some((_, after)) = refused {
        held = Some(NotBefore {
            until: at.plus(after),
            why: "Retry-After".to_owned(),
        });
        seat.slowed = seat.slowed.told(at);
        seat.not_before = at.plus(after.max(floor * 2));
    } else if failed {
        seat.failures += 1;
        let wait = cadence::backoff(&feed.id, at, seat.failures, Some(Duration::ZERO));
        held = Some(NotBefore {
            until: at.plus(wait),
            why: "backoff".to_owned(),
        });
        seat.not_before = seat.not_before.max(at.plus(wait));
    } else {
        seat.failures = 0;
        read(feed, seat, at, run);
        for bound in [feed.max_age, feed.hints.ttl].into_iter().flatten() {
            seat.not_before = seat.not_before.max(at.plus(bound));
        }
    }
    let price = match policy {
        Policy::Fixed(every) => {
            let part = if seat.due.is_none() { dice.part() } else { 1.0 };
            let next = at.plus(every.mul_f64(part)).max(seat.not_before);
            seat.due = Some(next);
            return next;
        }
        Policy::SlowOnly(price) => {
            seat.rhythm.fast = Memory::default();
            price
        }
        Policy::Adaptive(_) | Policy::Budget(_) => price,
    };
    let next = schedule::next(
        at,
        &Facts {
            price,
            cron: feed.cron.as_ref().map(|(schedule, zone)| (schedule, zone)),
            held: held.as_ref(),
            fresh_until: feed
                .max_age
                .map(|age| at.plus(age))
                .filter(|_| held.is_none()),
            slowed: seat.slowed,
            window: u32::try_from(feed.window).unwrap(),
            due: seat.due,
            ..Facts::new(&feed.id, &seat.rhythm, &feed.hints)
        },
    );
    seat.due = Some(next.at);
    next.at
}

/// A document is read: what is new in it, what is lost for good, and what is learned.
fn read(feed: &Feed, seat: &mut Seat, at: Timestamp, run: &mut Run) {
    let published = feed.times.partition_point(|time| *time <= at);
    let oldest = published.saturating_sub(feed.window);
    let known = seat
        .good
        .map_or(0, |good| feed.times.partition_point(|time| *time <= good));
    let start = Timestamp::from_secs(START);
    let fresh = &feed.times[known.max(oldest)..published];
    for time in fresh.iter().filter(|time| **time > start) {
        seat.delays.push(at.since(*time).as_secs_f64());
    }
    if seat.good.is_some() {
        run.lost += oldest.saturating_sub(known);
    }
    let dates: Vec<Option<Timestamp>> = fresh
        .iter()
        .map(|time| Some(*time).filter(|_| feed.dated))
        .collect();
    seat.rhythm = match seat.good {
        None => Rhythm::first(at, &dates),
        Some(before) => seat.rhythm.after_poll(
            before,
            at,
            &dates,
            oldest > 0 && oldest >= known && !fresh.is_empty(),
        ),
    };
    seat.good = Some(at);
}

/// The price at which the policy makes this many requests, within half a percent.
pub fn calibrated(
    feeds: &[Feed],
    requests: usize,
    days: f64,
    policy: impl Fn(Price) -> Policy,
) -> Run {
    let (mut low, mut high) = (1e-7_f64, 1e2_f64);
    let mut best = Run::default();
    for _ in 0..30 {
        let theta = (low * high).sqrt();
        let run = play(feeds, policy(Price::new(theta)), days, None);
        let found = run.requests.len();
        best = run;
        if found.abs_diff(requests) * 200 <= requests {
            break;
        }
        if found > requests {
            low = theta;
        } else {
            high = theta;
        }
    }
    best
}

#[allow(clippy::cast_precision_loss)] // thousands
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The value that this part of them does not exceed.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let at = ((sorted.len() as f64 - 1.0) * part).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}
