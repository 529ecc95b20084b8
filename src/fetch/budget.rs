//! How many bytes of pages are in memory at once. Answers wait on the wire, where they cost us nothing, until those
//! before them are read, stored and forgotten: memory is capped by bytes and not by requests.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::model::http::Share;

/// Decoded bytes of pages in memory altogether, roughly: what servers say of their bodies is only a hint.
const WHOLE: usize = 4 * 1024 * 1024;

/// What a body is taken for when nobody says.
const UNSAID: usize = 128 * 1024;

/// How much larger a compressed body is taken to become.
const GROWTH: usize = 4;

/// The unit of the count: a semaphore has 32 bits.
const KIB: usize = 1024;

/// The budget. Fair: a large page waits its turn, and small ones do not overtake it for ever.
#[derive(Debug)]
pub struct Budget {
    left: Arc<Semaphore>,
}

impl Default for Budget {
    /// The whole of it.
    fn default() -> Self {
        Self {
            left: Arc::new(Semaphore::new(WHOLE / KIB)),
        }
    }
}

impl Budget {
    /// Waits for the share of a body of `said` bytes on the wire. One page never asks for more than a quarter of the
    /// whole: it may be large and wait its turn, but a slow one before it cannot make everybody wait behind it.
    pub async fn share(&self, said: Option<usize>, coded: bool) -> Share {
        let bytes = said.map_or(UNSAID, |said| {
            said.saturating_mul(if coded { GROWTH } else { 1 })
        });
        let wanted = u32::try_from((bytes / KIB).clamp(1, WHOLE / KIB / 4)).unwrap_or(1);
        // The semaphore is never closed.
        Arc::clone(&self.left)
            .acquire_many_owned(wanted)
            .await
            .map(Share::new)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_large_page_waits_for_room_and_a_slow_one_leaves_some() {
        let budget = Budget::default();
        let soon = Duration::from_secs(1);
        let _slow = budget.share(Some(10 * KIB), false).await;
        let mut large = Vec::new();
        for _ in 0..3 {
            large.push(
                timeout(soon, budget.share(Some(usize::MAX), true))
                    .await
                    .unwrap(),
            );
        }
        assert!(
            timeout(soon, budget.share(Some(usize::MAX), true))
                .await
                .is_err(),
            "the fourth waits"
        );
        timeout(soon, budget.share(None, false)).await.unwrap();
        large.pop();
        timeout(soon, budget.share(Some(usize::MAX), true))
            .await
            .unwrap();
    }
}
