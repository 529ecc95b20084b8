//! Connections kept for the next request (P-149).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::fetch::dial::Line;

/// An idle connection is closed after this long: longer than the pause between two requests to one host, shorter than
/// the 30 s of P-149.
const KEPT: Duration = Duration::from_secs(15);

/// A connection that was used a moment ago says at once whether it can be used again.
const READY: Duration = Duration::from_millis(100);

/// Who may use a connection: those who ask this origin, and of them only those who may go where it leads (true: even to
/// a private address).
pub type Key = (String, bool);

/// The idle connections of a client; closed when it is dropped.
#[derive(Debug, Default)]
pub struct Pool {
    idle: Arc<Mutex<Idle>>,
}

type Idle = HashMap<Key, Vec<(Line, Instant)>>;

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A connection that is open and idle, as far as anybody can know.
    pub async fn take(&self, key: &Key) -> Option<Line> {
        loop {
            let (mut line, since) = {
                let mut idle = lock(&self.idle);
                let lines = idle.get_mut(key)?;
                let last = lines.pop();
                if lines.is_empty() {
                    idle.remove(key);
                }
                last?
            };
            let ready = timeout(READY, line.sender.ready());
            if since.elapsed() < KEPT && matches!(ready.await, Ok(Ok(()))) {
                return Some(line);
            }
        }
    }

    /// Keeps a connection for a while.
    pub fn put(&self, key: Key, line: Line) {
        if line.sender.is_closed() {
            return;
        }
        lock(&self.idle)
            .entry(key)
            .or_default()
            .push((line, Instant::now()));
        let idle = Arc::downgrade(&self.idle);
        tokio::spawn(async move {
            sleep(KEPT).await;
            let Some(idle) = idle.upgrade() else { return };
            lock(&idle).retain(|_, lines| {
                lines.retain(|(_, since)| since.elapsed() < KEPT);
                !lines.is_empty()
            });
        });
    }
}
