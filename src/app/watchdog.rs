//! The service manager's watchdog is fed by what it is there to watch: a store that answers, and a scheduler that goes
//! round. A daemon of which either is stuck starves it, and is started anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, warn};

use crate::app::notify::Manager;
use crate::rules::rhythm::Price;
use crate::service::scheduler::ROUND;
use crate::store::{Store, StoreError};

/// The scheduler goes round at least once in [`ROUND`]; a machine under load may be late.
const LATE: Duration = Duration::from_secs(2 * ROUND.as_secs());

/// When the scheduler last went round.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mutex<Instant>>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Pulse {
    /// It goes round.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long ago that was.
    fn age(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }
}

/// How often the watchdog has to be fed: half the time it waits. `None`: there is none.
pub fn interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}

/// Feeds the watchdog for as long as store and scheduler live; ends when the store is closed. `price` is what is written
/// to see whether the store can write.
pub async fn feed(
    every: Duration,
    manager: Manager,
    store: Store,
    price: impl Fn() -> Price,
    pulse: Pulse,
) {
    let mut wait = every;
    loop {
        sleep(wait).await;
        wait = every;
        match store.keep_price(price()).await {
            Err(StoreError::Closed | StoreError::ReadOnly) => return,
            Err(error) if error.is_busy() => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "another program holds the store: the watchdog is not fed"
                );
                // It was waited for already; as soon as it lets go, all is well.
                wait = Duration::ZERO;
                continue;
            }
            // No room is an answer too: polls halt until there is, and a new start would find no more of it.
            Ok(()) | Err(_) => {}
        }
        let age = pulse.age();
        if age > LATE {
            error!(
                seconds = age.as_secs(),
                "a defect in feedmill: the scheduler stands still, and the watchdog is not fed"
            );
            continue;
        }
        manager.alive();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pulse_is_as_old_as_its_last_beat() {
        let pulse = Pulse::default();
        tokio::time::advance(LATE + Duration::from_secs(1)).await;
        assert!(pulse.age() > LATE);
        pulse.beat();
        assert!(pulse.age() < LATE);
    }
}
