//! The daemon's clockwork: sleeps until a feed is due, and has it polled. All state is in the store; what is here can be
//! lost at any moment.

mod outage;
mod queue;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::fetch::Fetch;
use crate::model::feed::Subscription;
use crate::model::ids::FeedId;
use crate::model::poll::PollRecord;
use crate::model::time::Timestamp;
use crate::rules::health::{CANARY, Outage};
use crate::rules::schedule::{self, Jump};
use crate::service::crew::{Crew, End};
use crate::service::poll::{self, Desk, Seen};
use crate::service::report::{Fate, FeedReport};
use crate::source::Source;
use crate::store::StoreError;

use outage::{Suspicion, Verdict};
use queue::{Pick, Queue};

/// Who is to be polled: our orders, with their adapters.
pub type Roster = Vec<(Subscription, &'static dyn Source)>;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Polls under way at once.
    pub in_flight: usize,
    /// Of these, of one host.
    pub per_host: usize,
    /// From the start of one poll to the start of the next, whoever they are of (P-143).
    pub between_starts: Duration,
    /// How long polls under way may take to end when we are told to stop.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            in_flight: 32,
            per_host: 1,
            between_starts: Duration::from_millis(250),
            grace: Duration::from_secs(10),
        }
    }
}

/// What happened, for logs, counters and whoever publishes.
#[derive(Debug)]
pub enum Event<'a> {
    /// A poll is over.
    Polled(&'a FeedReport),
    /// Nobody can be reached: one host is tried every minute until one answers.
    Offline(Outage),
    /// Somebody answered again.
    Online,
    /// The store takes nothing: nobody is polled until it does (P-152).
    Halted(&'a StoreError),
    /// It does again.
    Resumed,
    /// Something in the store cannot be read; the feed it is of waits, and the others go on.
    Unread(&'a StoreError),
    /// The wall clock was set.
    Clock(Jump),
    /// Who is to be polled has changed: how many were added, removed and changed.
    Roster(usize, usize, usize),
    /// The clockwork went round, as it does once a minute at least: how many polls are under way, and when the first
    /// feed that waits is due.
    Round {
        /// Polls under way.
        in_flight: usize,
        /// When the first that waits is due.
        due: Option<Timestamp>,
    },
    /// Somebody is about to be asked, or all is quiet until then; `None`: nobody is waited for.
    Sleeping(Option<Timestamp>),
}

/// How often the clocks are compared, and the store is tried again.
pub const ROUND: Duration = Duration::from_mins(1);

/// Polls whoever is due, until told to stop. Then nobody new is asked, polls under way may end within
/// [`Pace::grace`], and the rest is dropped as if never begun (P-147).
pub async fn run<W: Fetch>(
    desk: Arc<Desk<W>>,
    pace: Pace,
    mut roster: watch::Receiver<Arc<Roster>>,
    stop: impl Future<Output = ()>,
    tell: impl FnMut(Event<'_>),
) -> Result<(), StoreError> {
    let mut stop = pin!(stop);
    let first = Arc::clone(&roster.borrow_and_update());
    let mut clockwork = Clockwork::new(desk, pace, tell);
    clockwork.enrol(&first)?;
    loop {
        clockwork.look_at_the_clock();
        let wake = clockwork.start_who_is_due().await?;
        clockwork.went_round();
        tokio::select! {
            biased;
            () = &mut stop => break,
            Ok(()) = roster.changed() => {
                let now = Arc::clone(&roster.borrow_and_update());
                clockwork.enrol_anew(&now);
                // Somebody is at work here, and may have made room.
                clockwork.halted = clockwork.halted.map(|_| Instant::now());
            }
            Some(end) = clockwork.crew.next() => clockwork.ended(end)?,
            () = sleep_until(wake) => {}
        }
    }
    clockwork.stop().await
}

struct Clockwork<W, T> {
    desk: Arc<Desk<W>>,
    pace: Pace,
    tell: T,
    crew: Crew<W>,
    queue: Queue,
    suspicion: Suspicion<Box<PollRecord>>,
    /// Nobody is started before.
    next_start: Instant,
    /// The store took nothing, and is tried again then.
    halted: Option<Instant>,
    /// A roster that could not be taken over yet.
    waiting: Option<Arc<Roster>>,
    /// The last look at both clocks.
    looked: (Timestamp, Instant),
}

impl<W: Fetch, T: FnMut(Event<'_>)> Clockwork<W, T> {
    fn new(desk: Arc<Desk<W>>, pace: Pace, tell: T) -> Self {
        let looked = ((desk.clock)(), Instant::now());
        Self {
            crew: Crew::new(Arc::clone(&desk)),
            queue: Queue::new(desk.floors, pace.per_host),
            suspicion: Suspicion::default(),
            next_start: Instant::now(),
            halted: None,
            waiting: None,
            looked,
            desk,
            pace,
            tell,
        }
    }

    fn now(&self) -> Timestamp {
        (self.desk.clock)()
    }

    fn went_round(&mut self) {
        (self.tell)(Event::Round {
            in_flight: self.crew.len(),
            due: self.queue.next_due(),
        });
    }

    /// Takes over who is to be polled from now on. Polls under way end as they were begun.
    fn enrol(&mut self, roster: &Roster) -> Result<(), StoreError> {
        let states = self.desk.store.feed_states()?;
        let (added, removed, changed) = self.queue.enrol(roster, states, self.now());
        (self.tell)(Event::Roster(added, removed, changed));
        Ok(())
    }

    /// The same while we are at work: where the store cannot be read, everybody goes on as before, and it is tried again.
    fn enrol_anew(&mut self, roster: &Arc<Roster>) {
        let done = self.enrol(roster);
        self.waiting = done.is_err().then(|| Arc::clone(roster));
        if let Err(error) = done {
            (self.tell)(Event::Unread(&error));
        }
    }

    /// Compares the wall clock with the one nobody can set (P-144, P-145).
    fn look_at_the_clock(&mut self) {
        if let Some(roster) = self.waiting.take() {
            self.enrol_anew(&roster);
        }
        let (wall, run) = self.looked;
        let (now, instant) = (self.now(), Instant::now());
        self.looked = (now, instant);
        let jump = schedule::jump(wall, now, instant.saturating_duration_since(run));
        if jump != Jump::None {
            if let Jump::Back(_) = jump {
                self.queue.clock_was_set_back(now);
            }
            (self.tell)(Event::Clock(jump));
        }
    }

    /// Starts whoever is due and may start now. Says when to look again.
    async fn start_who_is_due(&mut self) -> Result<Instant, StoreError> {
        let soon = Instant::now() + ROUND;
        self.forget_or_blame().await?;
        if let Some(again) = self.halted {
            if Instant::now() < again {
                return Ok(again);
            }
            if let Err(error) = self.desk.store.keep_price(self.desk.price.now()).await {
                self.halt(&error)?;
                return Ok(soon);
            }
            self.halted = None;
            (self.tell)(Event::Resumed);
        }
        loop {
            let now = self.now();
            let instant = Instant::now();
            if self.crew.len() >= self.pace.in_flight {
                return Ok(soon); // one that ends wakes us
            }
            let pick = if self.suspicion.is_outage() {
                let canary = self.queue.canary(now, instant);
                canary
                    .filter(|_| self.crew.is_empty())
                    .map_or(Pick::Wait(None), Pick::Start)
            } else {
                self.queue.next(now, instant, self.desk.price.now())
            };
            let feed = match pick {
                Pick::Start(feed) => feed,
                Pick::Wait(wait) => {
                    (self.tell)(Event::Sleeping(self.queue.next_due()));
                    return Ok(instant + wait.unwrap_or(ROUND).min(ROUND));
                }
            };
            if instant < self.next_start {
                return Ok(self.next_start);
            }
            let between = if self.suspicion.is_outage() {
                CANARY
            } else {
                self.pace.between_starts
            };
            self.next_start = instant + between;
            if let Some(job) = self.queue.take(&feed) {
                self.crew.start(job);
            }
        }
    }

    fn ended(&mut self, End { feed, host, end }: End) -> Result<(), StoreError> {
        match end {
            Ok(Ok(ref report)) if let Fate::LeftAlone(held) = &report.fate => {
                self.queue.put_off(&feed, held.until);
                (self.tell)(Event::Polled(report));
            }
            Ok(Ok(report)) => {
                if self.suspicion.reached(&host, Instant::now()) {
                    self.next_start = Instant::now() + self.pace.between_starts;
                    (self.tell)(Event::Online);
                }
                if report.record.is_some() {
                    self.put_back(&feed);
                } else {
                    // A defect of ours: nobody remembers that it was asked.
                    self.put_off(&feed);
                }
                (self.tell)(Event::Polled(&report));
            }
            Ok(Err(error)) => {
                self.put_off(&feed);
                self.halt(&error)?;
            }
            Err(record) => self.suspicion.unreached(host, record, Instant::now()),
        }
        Ok(())
    }

    /// Decides about hosts that were out of reach: is it us, or them?
    async fn forget_or_blame(&mut self) -> Result<(), StoreError> {
        let hosts = self.queue.hosts();
        match self.suspicion.judge(hosts, Instant::now()) {
            Verdict::Wait => {}
            Verdict::Outage(outage, records) => {
                let first = self.suspicion.begin();
                for record in records {
                    let report = FeedReport::offline(&record, outage);
                    self.queue.put_off(&record.feed, record.at);
                    (self.tell)(Event::Polled(&report));
                }
                if first {
                    self.next_start = Instant::now() + CANARY;
                    (self.tell)(Event::Offline(outage));
                }
            }
            Verdict::Blame(records) => {
                for record in records {
                    let feed = record.feed.clone();
                    match poll::record_it(&self.desk.store, *record, Seen::default()).await {
                        Ok(polled) => {
                            self.put_back(&feed);
                            (self.tell)(Event::Polled(&polled.into()));
                        }
                        Err(error) => {
                            self.put_off(&feed);
                            self.halt(&error)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The feed waits for its next time, by what is stored now.
    fn put_back(&mut self, feed: &FeedId) {
        match self.desk.store.feed_state(feed) {
            Ok(state) => self.queue.put_back(feed, state, self.now(), Instant::now()),
            Err(error) => {
                self.put_off(feed);
                (self.tell)(Event::Unread(&error));
            }
        }
    }

    /// It was asked, and what came of it is not known: it waits as long as anybody waits.
    fn put_off(&mut self, feed: &FeedId) {
        let later = self.now().plus(self.desk.floors.plain);
        self.queue.put_off(feed, later);
    }

    fn halt(&mut self, error: &StoreError) -> Result<(), StoreError> {
        if matches!(error, StoreError::Closed | StoreError::ReadOnly) {
            return Err(StoreError::Closed);
        }
        self.halted = Some(Instant::now() + ROUND);
        (self.tell)(Event::Halted(error));
        Ok(())
    }

    async fn stop(mut self) -> Result<(), StoreError> {
        let finish = async {
            while let Some(End { end, .. }) = self.crew.next().await {
                match end {
                    Ok(Ok(report)) => (self.tell)(Event::Polled(&report)),
                    Ok(Err(error)) => (self.tell)(Event::Halted(&error)),
                    Err(_) => {} // out of reach while we stop: nobody is to blame
                }
            }
        };
        let _ = timeout(self.pace.grace, finish).await;
        for report in self.crew.dismiss().await {
            (self.tell)(Event::Polled(&report));
        }
        Ok(())
    }
}
