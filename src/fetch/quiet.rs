//! Requests and silences: who is sent, who is dropped, who waits for the first to come back (P-34, P-36).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::http::{FetchError, HostSet};
use crate::model::ids::FeedId;
use crate::rules::allowance::{Allowance, Ledger};
use crate::rules::silence::{Held, Leave, Place, Silences};

/// The silences of a client, by a clock that is never set.
#[derive(Debug)]
pub struct Quiet {
    start: Instant,
    silences: Mutex<Silences>,
    allowance: Mutex<Allowance>,
    /// One began, or somebody who went first came back.
    changed: Notify,
}

/// The leave to send one request.
#[derive(Debug)]
pub struct Errand<'a> {
    quiet: &'a Quiet,
    place: Place<'a>,
    /// It is the first after a silence, and not back yet.
    first: bool,
}

impl Quiet {
    /// None yet.
    pub fn new(independent: HostSet, allowance: Allowance) -> Self {
        Self {
            start: Instant::now(),
            silences: Mutex::new(Silences::new(independent)),
            allowance: Mutex::new(allowance),
            changed: Notify::new(),
        }
    }

    fn allowance(&self) -> MutexGuard<'_, Allowance> {
        let allowance = self.allowance.lock();
        allowance.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> (MutexGuard<'_, Silences>, Duration) {
        let silences = self.silences.lock();
        (
            silences.unwrap_or_else(PoisonError::into_inner),
            self.start.elapsed(),
        )
    }

    /// Waits for leave to send a request; `Err` where there is silence.
    pub async fn leave<'a>(&'a self, place: Place<'a>) -> Result<Errand<'a>, FetchError> {
        loop {
            let changed = self.changed.notified();
            let first = {
                let (mut silences, now) = self.lock();
                match silences.leave(place, now) {
                    Leave::Go => Some(false),
                    Leave::First => Some(true),
                    Leave::Wait => None,
                    Leave::Silent(held) => return Err(silenced(held)),
                }
            };
            match first {
                Some(first) => {
                    if let Err(held) = self.allowance().request(place.origin, self.start.elapsed())
                    {
                        let (mut silences, now) = self.lock();
                        if first {
                            silences.gave_up(place);
                        }
                        tracing::warn!(
                            origin = held.scope,
                            why = held.why,
                            "nobody is asked there until the day is over"
                        );
                        silences.restore(held.clone(), now);
                        drop(silences);
                        self.changed.notify_waiters();
                        return Err(silenced(held));
                    }
                    return Ok(Errand {
                        quiet: self,
                        place,
                        first,
                    });
                }
                None => changed.await,
            }
        }
    }

    /// What of the day's allowance is spent.
    pub fn ledger(&self) -> Ledger {
        self.allowance().ledger(self.start.elapsed())
    }

    /// Silences that last.
    pub fn list(&self) -> Vec<Held> {
        let (silences, now) = self.lock();
        silences.list(now)
    }

    /// Takes up a silence from before.
    pub fn restore(&self, held: Held) {
        let (mut silences, now) = self.lock();
        silences.restore(held, now);
        drop(silences);
        self.changed.notify_waiters();
    }
}

impl Errand<'_> {
    /// Waits for our own limits, but not into a silence: whoever waits when it begins is dropped.
    pub async fn wait<T>(
        &self,
        mut step: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, FetchError> {
        loop {
            let changed = self.quiet.changed.notified();
            self.check()?;
            tokio::select! {
                biased;
                done = &mut step => {
                    self.check()?;
                    return Ok(done);
                }
                () = changed => {}
            }
        }
    }

    fn check(&self) -> Result<(), FetchError> {
        let (silences, now) = self.quiet.lock();
        match silences.held(self.place, now) {
            Some(held) => Err(silenced(held)),
            None => Ok(()),
        }
    }

    /// It is back, with this answer and so many bytes.
    pub fn answered(
        mut self,
        feed: &FeedId,
        status: u16,
        retry_after: Option<Duration>,
        bytes: usize,
    ) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.quiet.allowance().received(self.place.origin, bytes);
        let (mut silences, now) = self.quiet.lock();
        let begun = silences.answered(self.place, feed, status, retry_after, now);
        drop(silences);
        if begun {
            tracing::info!(origin = self.place.origin, status, "silent from now on");
        }
        if begun || self.first {
            self.quiet.changed.notify_waiters();
        }
        self.first = false;
    }
}

impl Drop for Errand<'_> {
    fn drop(&mut self) {
        if self.first {
            self.quiet.lock().0.gave_up(self.place);
            self.quiet.changed.notify_waiters();
        }
    }
}

fn silenced(held: Held) -> FetchError {
    FetchError::Silenced {
        origin: held.scope,
        left: held.left,
        why: held.why,
    }
}
