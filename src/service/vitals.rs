//! What is known of the process itself, from memory: whether it still takes in what its feeds bring, and numbers.

pub mod metrics;
pub mod process;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::feed::FeedState;
use crate::model::health::State;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::health::Outage;
use crate::service::report::FeedReport;
use crate::service::scheduler::Event;

/// The scheduler goes round once a minute, whatever happens; after this long it is stuck.
const STUCK: Duration = Duration::from_mins(5);

/// Feeds were due for that long, and no poll ended.
const OVERDUE: Duration = Duration::from_mins(30);

/// Feeds with numbers of their own, the first of the configuration; the others are one together.
pub const LABELLED: usize = 200;

/// Seconds a poll takes, in steps: the bounds of the histogram.
const STEPS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// What is known of the process. Whoever learns something notes it; whoever asks gets an answer from memory.
#[derive(Debug)]
pub struct Vitals(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    started: Timestamp,
    /// The scheduler was seen going round.
    round: Instant,
    in_flight: usize,
    due: Option<Timestamp>,
    /// Since when feeds are due, and no poll ended.
    overdue: Option<Instant>,
    offline: Option<Outage>,
    halted: Option<String>,
    /// Names with numbers of their own, in the order of the configuration.
    labelled: Vec<FeedId>,
    /// How many feeds there are.
    feeds: usize,
    tallies: HashMap<FeedId, Tally>,
    /// Of all feeds without numbers of their own.
    others: Tally,
    durations: Histogram,
    states: HashMap<FeedId, State>,
    stock: Stock,
    copied: Option<Timestamp>,
    /// Origins that may be named.
    origins: HashSet<String>,
}

/// What is counted of a feed, since the start.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// By [`Fate::word`](crate::service::report::Fate::word).
    polls: HashMap<&'static str, u64>,
    /// New, revised, reprints, known.
    articles: [u64; 4],
    bytes: u64,
    next: Option<Timestamp>,
    success: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    /// How many were at most as long as each of [`STEPS`], and longer than the step before.
    counts: [u64; STEPS.len()],
    /// How many there were.
    count: u64,
    /// Seconds of all.
    sum: f64,
}

/// What there is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Bytes of the database and its log.
    pub store_bytes: u64,
    /// Files of the archive.
    pub files: u64,
    /// Articles: revisions of entries.
    pub articles: u64,
    /// Entries ever seen.
    pub entries: u64,
    /// Entries that are not shown where they would be, by reason in the order of [`Reason::ALL`].
    pub withheld: [u64; Reason::ALL.len()],
}

impl Vitals {
    /// Of a process that starts now.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Inner {
            started: now,
            round: Instant::now(),
            in_flight: 0,
            due: None,
            overdue: None,
            offline: None,
            halted: None,
            labelled: Vec::new(),
            feeds: 0,
            tallies: HashMap::new(),
            others: Tally::default(),
            durations: Histogram::default(),
            states: HashMap::new(),
            stock: Stock::default(),
            copied: None,
            origins: HashSet::new(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Numbers only: nothing in it can be half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is polled, with what is remembered of each. The first `named` of them may have numbers of their own.
    pub fn enrol<'a>(
        &self,
        feeds: impl IntoIterator<Item = &'a FeedId>,
        named: usize,
        states: &[FeedState],
    ) {
        let mut inner = self.inner();
        let feeds: Vec<&FeedId> = feeds.into_iter().collect();
        inner.feeds = feeds.len();
        inner.labelled = feeds
            .iter()
            .take(named.min(LABELLED))
            .copied()
            .cloned()
            .collect();
        let wanted: HashSet<&FeedId> = feeds.into_iter().collect();
        inner.states.retain(|feed, _| wanted.contains(feed));
        let labelled = inner.labelled.clone();
        // A feed that loses its own numbers takes them along: a counter that goes back has begun anew.
        inner.tallies.retain(|feed, _| labelled.contains(feed));
        for state in states.iter().filter(|state| labelled.contains(&state.id)) {
            let tally = inner.tallies.entry(state.id.clone()).or_default();
            tally.next = tally.next.or(state.next_poll);
            tally.success = tally.success.or(state.last_success);
        }
    }

    /// Origins that may be named in the numbers: of feeds that are not private (F-63).
    pub fn may_name(&self, origins: impl IntoIterator<Item = String>) {
        self.inner().origins = origins.into_iter().collect();
    }

    /// What happened to the polls.
    pub fn note(&self, event: &Event<'_>, now: Timestamp) {
        let mut inner = self.inner();
        match event {
            Event::Polled(report) => inner.polled(report),
            Event::Offline(outage) => inner.offline = Some(*outage),
            Event::Online => inner.offline = None,
            Event::Halted(error) => inner.halted = Some(error.to_string()),
            Event::Resumed => inner.halted = None,
            Event::Round { in_flight, due } => {
                inner.round = Instant::now();
                inner.in_flight = *in_flight;
                inner.due = *due;
                let is_due = due.is_some_and(|due| due <= now);
                inner.overdue = inner.overdue.or(Some(inner.round)).filter(|_| is_due);
            }
            Event::Unread(_) | Event::Clock(_) | Event::Roster(..) | Event::Sleeping(_) => {}
        }
    }

    /// How a feed is doing.
    pub fn doing(&self, feed: &FeedId, state: State) {
        self.inner().states.insert(feed.clone(), state);
    }

    /// What there is on the disk now.
    pub fn stock(&self, stock: Stock) {
        self.inner().stock = stock;
    }

    /// When the last good copy of the store was made, as far as is known.
    pub fn copied(&self, at: Option<Timestamp>) {
        self.inner().copied = at;
    }

    /// Whether what feeds bring is taken in, or could be; an error says in one line why not. A feed that is not doing
    /// well is no error: its state is told elsewhere.
    pub fn verdict(&self) -> Result<(), String> {
        self.inner().verdict(Instant::now())
    }
}

impl Inner {
    fn verdict(&self, now: Instant) -> Result<(), String> {
        let minutes = |since: Instant| now.saturating_duration_since(since).as_secs() / 60;
        let since_round = now.saturating_duration_since(self.round);
        if let Some(why) = &self.halted {
            return Err(format!(
                "the store takes nothing, so nobody is polled: {why}"
            ));
        }
        if since_round > STUCK {
            return Err(format!(
                "the scheduler has not gone round for {} minutes",
                minutes(self.round)
            ));
        }
        if let Some(outage) = self.offline {
            return Err(format!(
                "offline: {} of {} hosts are out of reach, so the fault is taken to be here",
                outage.unreached, outage.asked
            ));
        }
        if let Some(since) = self.overdue
            && now.saturating_duration_since(since) > OVERDUE
        {
            return Err(format!(
                "feeds are due and no poll has ended for {} minutes",
                minutes(since)
            ));
        }
        Ok(())
    }

    fn polled(&mut self, report: &FeedReport) {
        self.overdue = None;
        let tally = if self.labelled.contains(&report.feed) {
            self.tallies.entry(report.feed.clone()).or_default()
        } else {
            &mut self.others
        };
        *tally.polls.entry(report.fate.word()).or_default() += 1;
        let counts = report.counts;
        let brought = [counts.new, counts.revised, counts.reprints, counts.known];
        for (tally, count) in tally.articles.iter_mut().zip(brought) {
            *tally += count as u64;
        }
        tally.bytes += report.seen.bytes;
        if let Some(record) = &report.record {
            tally.next = Some(record.next);
            if report.fate.is_good() {
                tally.success = Some(record.at);
            }
        }
        self.durations.add(report.took);
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.count += 1;
        self.sum += seconds;
        let step = STEPS.iter().position(|step| seconds <= *step);
        if let Some(count) = step.and_then(|step| self.counts.get_mut(step)) {
            *count += 1;
        }
    }
}
