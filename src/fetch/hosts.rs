//! How many requests at once, and how close together per origin.

use std::collections::HashMap;
use std::future::pending;
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
    _all: OwnedSemaphorePermit,
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
                    _all: all,
                    _slot: slot,
                    stay,
                    busy,
                };
            }
        }
    }
}

impl Pass {
    /// Whether this origin was asked just before, or is being asked by others: a connection to it is worth keeping.
    pub fn is_busy(&self) -> bool {
        self.busy
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use tokio::time::{sleep, timeout};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(2);

    fn origins(gate: &Gate) -> usize {
        gate.origins.lock().by_name.len()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_request_starts_a_pause_after_the_end_of_the_last() {
        let gate = Gate::new(32, 1, PAUSE);
        let start = Instant::now();
        let pass = gate.enter("a").await;
        assert!(!pass.is_busy());
        sleep(Duration::from_secs(3)).await;
        drop(pass);
        assert_eq!(start.elapsed().as_secs(), 3, "the first did not wait");
        let pass = gate.enter("a").await;
        assert!(pass.is_busy());
        assert_eq!(start.elapsed().as_secs(), 5);
        let other = gate.enter("b").await;
        assert_eq!(start.elapsed().as_secs(), 5, "another origin does not wait");
        drop((pass, other));
        sleep(PAUSE).await;
        let before = Instant::now();
        drop(gate.enter("a").await);
        assert_eq!(
            before.elapsed(),
            Duration::ZERO,
            "a pause long over costs nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_cooling_origin_holds_no_place_of_others() {
        let gate = Gate::new(1, 1, PAUSE);
        drop(gate.enter("a").await);
        let start = Instant::now();
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter("a").await }
        });
        tokio::task::yield_now().await;
        drop(gate.enter("b").await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(waiting.await.unwrap());
        assert_eq!(start.elapsed(), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let gate = Gate::new(1, 1, Duration::ZERO);
        let pass = gate.enter("a").await;
        // One gives up in the queue of its origin, one in the queue for a place.
        for origin in ["a", "b"] {
            assert!(timeout(PAUSE, gate.enter(origin)).await.is_err());
        }
        assert_eq!(origins(&gate), 1, "only the one in flight");
        drop(pass);
        assert_eq!(origins(&gate), 0);
        for origin in ["a", "b"] {
            assert!(timeout(PAUSE, gate.enter(origin)).await.is_ok());
        }

        let gate = Gate::new(1, 1, PAUSE);
        drop(gate.enter("a").await);
        assert!(timeout(PAUSE / 2, gate.enter("a")).await.is_err());
        assert!(timeout(PAUSE, gate.enter("a")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn origins_are_forgotten() {
        let gate = Gate::new(8, 1, PAUSE);
        for n in 0..10_000 {
            drop(gate.enter(&n.to_string()).await);
            if n % 10 == 0 {
                sleep(Duration::from_millis(100)).await;
            }
            assert!(origins(&gate) <= 402, "{} at {n}", origins(&gate));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn first_come_first_served() {
        let gate = Gate::new(4, 1, PAUSE);
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let (gate, order) = (gate.clone(), Arc::clone(&order));
                tokio::spawn(async move {
                    let pass = gate.enter("a").await;
                    order.lock().unwrap().push(n);
                    drop(pass);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(order.lock().unwrap().is_sorted());
    }

    /// Runs requests (origin, arrives after, takes, gives up after) and checks every start against the limits.
    fn never_over(all: usize, per_origin: usize, pause: u64, requests: Vec<(u8, u64, u64, u64)>) {
        #[derive(Default)]
        struct Seen {
            running: HashMap<u8, usize>,
            ended: HashMap<u8, Instant>,
        }
        let pause = Duration::from_millis(pause);
        let gate = Gate::new(all, per_origin, pause);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = requests
                .into_iter()
                .map(|(origin, after, takes, gives_up)| {
                    let (gate, seen) = (gate.clone(), Arc::clone(&seen));
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(after)).await;
                        let name = origin.to_string();
                        let entered = timeout(Duration::from_millis(gives_up), gate.enter(&name));
                        let Ok(pass) = entered.await else { return };
                        {
                            let mut seen = seen.lock().unwrap();
                            *seen.running.entry(origin).or_default() += 1;
                            assert!(seen.running[&origin] <= per_origin);
                            assert!(seen.running.values().sum::<usize>() <= all);
                            if let Some(ended) = seen.ended.get(&origin) {
                                assert!(ended.elapsed() >= pause, "{:?}", ended.elapsed());
                            }
                        }
                        sleep(Duration::from_millis(takes)).await;
                        let mut seen = seen.lock().unwrap();
                        *seen.running.entry(origin).or_default() -= 1;
                        seen.ended.insert(origin, Instant::now());
                        drop(pass);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(gate.all.available_permits(), all, "a place was lost");
            assert!(
                gate.origins
                    .lock()
                    .by_name
                    .values()
                    .all(|origin| origin.users == 0)
            );
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn never_more_nor_closer_than_allowed(
            all in 1..5_usize,
            per_origin in 1..4_usize,
            pause in prop_oneof![Just(0_u64), 1..50_u64],
            requests in prop::collection::vec((0..4_u8, 0..200_u64, 0..60_u64, 1..400_u64), 1..40),
        ) {
            never_over(all, per_origin, pause, requests);
        }
    }
}
