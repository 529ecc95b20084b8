//! How many requests at once, and how close together per origin.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Lets requests through: so many in all, so many per origin (scheme, host, port), and on one origin a pause between
/// the end of a request and the start of the next. First come, first served; whoever stops waiting, or drops its
/// [`Pass`], gives back what it held.
#[derive(Clone, Debug)]
pub struct Gate {
    all: Arc<Semaphore>,
    origins: Arc<Origins>,
}

/// The right to one request. The request ends when this is dropped.
#[derive(Debug)]
pub struct Pass {
    /// Missing only while it steps aside.
    all: Option<OwnedSemaphorePermit>,
    _slot: OwnedSemaphorePermit,
    stay: Stay,
    busy: bool,
}

impl Gate {
    /// At least one of each is let through, whatever is asked for.
    pub fn new(max_in_flight: usize, per_origin: usize, pause: Duration) -> Self {
        let bounded = |n: usize| n.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            all: Arc::new(Semaphore::new(bounded(max_in_flight))),
            origins: Arc::new(Origins {
                per_origin: bounded(per_origin),
                pause,
                known: Mutex::default(),
            }),
        }
    }

    /// Waits until a request to this origin may start.
    pub async fn enter(&self, origin: &str) -> Pass {
        let (stay, slots, busy) = self.origins.arrive(origin);
        let slot = acquire(slots).await;
        loop {
            // The pause before the place: a cooling origin must not hold what all others wait for.
            if let Some(free_at) = stay.cools_until() {
                sleep_until(free_at).await;
            }
            let all = acquire(Arc::clone(&self.all)).await;
            // Where an origin has several slots, another request may have ended while we waited for a place.
            if stay.cools_until().is_none() {
                return Pass {
                    all: Some(all),
                    _slot: slot,
                    stay,
                    busy,
                };
            }
        }
    }
}

impl Gate {
    /// Waits for something else, and lets somebody of another origin have the place meanwhile.
    pub async fn step_aside<T>(&self, pass: &mut Pass, wait: impl Future<Output = T>) -> T {
        pass.all = None;
        let waited = wait.await;
        pass.all = Some(acquire(Arc::clone(&self.all)).await);
        waited
    }
}

impl Pass {
    /// Whether this origin was asked just before, or is being asked or waited for by others: a connection to it is worth
    /// keeping.
    pub fn is_busy(&self) -> bool {
        self.busy || self.stay.has_company()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // Runs before the slot is given back, so whoever gets the slot finds the pause set.
        self.stay.cool();
    }
}

async fn acquire(semaphore: Arc<Semaphore>) -> OwnedSemaphorePermit {
    match semaphore.acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore refuses, and none of ours is ever closed.
        Err(_) => pending().await,
    }
}

/// The origins somebody asks, waits for, or asked a pause ago; the others are forgotten.
#[derive(Debug)]
struct Origins {
    per_origin: usize,
    pause: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_name: HashMap<Box<str>, Origin>,
    /// Idle origins are swept out when there are this many: twice what the last sweep left, so that sweeping costs
    /// nothing per request and there are never more than twice as many as must be (or 64).
    sweep_at: usize,
}

#[derive(Debug)]
struct Origin {
    slots: Arc<Semaphore>,
    /// Those who ask or wait.
    users: usize,
    /// No start before.
    free_at: Option<Instant>,
}

/// Somebody's being there, as one who asks or waits.
#[derive(Debug)]
struct Stay {
    origins: Arc<Origins>,
    name: Box<str>,
}

impl Origins {
    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing in here panics half-way, and a poisoned gate would be the end of all fetching.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(self: &Arc<Self>, name: &str) -> (Stay, Arc<Semaphore>, bool) {
        let mut known = self.lock();
        let (slots, busy) = if let Some(origin) = known.by_name.get_mut(name) {
            origin.users += 1;
            (Arc::clone(&origin.slots), true)
        } else {
            known.sweep();
            let slots = Arc::new(Semaphore::new(self.per_origin));
            let origin = Origin {
                slots: Arc::clone(&slots),
                users: 1,
                free_at: None,
            };
            known.by_name.insert(name.into(), origin);
            (slots, false)
        };
        let stay = Stay {
            origins: Arc::clone(self),
            name: name.into(),
        };
        (stay, slots, busy)
    }
}

impl Known {
    fn sweep(&mut self) {
        if self.by_name.len() < self.sweep_at {
            return;
        }
        let now = Instant::now();
        self.by_name
            .retain(|_, origin| origin.users > 0 || origin.free_at.is_some_and(|at| at > now));
        self.sweep_at = (2 * self.by_name.len()).max(64);
    }
}

impl Stay {
    /// Until when the pause lasts, if it does.
    fn cools_until(&self) -> Option<Instant> {
        if self.origins.pause.is_zero() {
            return None;
        }
        let free_at = self.origins.lock().by_name.get(&self.name)?.free_at?;
        (free_at > Instant::now()).then_some(free_at)
    }

    /// Whether others ask this origin or wait for it.
    fn has_company(&self) -> bool {
        let known = self.origins.lock();
        let origin = known.by_name.get(&self.name);
        origin.is_some_and(|origin| origin.users > 1)
    }

    /// A request ended: the pause begins.
    fn cool(&self) {
        if self.origins.pause.is_zero() {
            return;
        }
        // An endless pause is beyond the clock: then a year is as good.
        let now = Instant::now();
        let free_at = now.checked_add(self.origins.pause);
        let free_at = free_at.unwrap_or_else(|| now + Duration::from_hours(24 * 365));
        if let Some(origin) = self.origins.lock().by_name.get_mut(&self.name) {
            origin.free_at = Some(free_at);
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut known = self.origins.lock();
        let Some(origin) = known.by_name.get_mut(&self.name) else {
            return;
        };
        origin.users -= 1;
        // With a pause still running it must be remembered; a later sweep takes it.
        if origin.users == 0 && origin.free_at.is_none_or(|at| at <= Instant::now()) {
            known.by_name.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests;
