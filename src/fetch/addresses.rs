//! How many requests at once to one address, whatever the names of the hosts behind it (P-140).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to one request to an address. The request ends when this is dropped.
pub type Seat = OwnedSemaphorePermit;

/// The seats of all addresses; those that nobody uses are forgotten.
#[derive(Debug)]
pub struct Addresses {
    most: usize,
    known: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Addresses {
    /// At least one seat for each.
    pub fn new(most: usize) -> Self {
        Self {
            most: most.clamp(1, Semaphore::MAX_PERMITS),
            known: Mutex::default(),
        }
    }

    /// A seat, if there is one now.
    pub fn try_enter(&self, address: IpAddr) -> Option<Seat> {
        self.seats(address).try_acquire_owned().ok()
    }

    /// Waits for a seat.
    pub async fn enter(&self, address: IpAddr) -> Seat {
        match self.seats(address).acquire_owned().await {
            Ok(seat) => seat,
            // Only a closed semaphore refuses, and none of ours is ever closed.
            Err(_) => std::future::pending().await,
        }
    }

    fn seats(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= 64 && !known.contains_key(&address) {
            // Whoever has a seat or waits for one has a share in the semaphore.
            known.retain(|_, seats| Arc::strong_count(seats) > 1);
        }
        let seats = known.entry(address);
        Arc::clone(seats.or_insert_with(|| Arc::new(Semaphore::new(self.most))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn p_140_an_address_has_so_many_seats() {
        let addresses = Addresses::new(2);
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = addresses.try_enter(one).unwrap();
        let _second = addresses.try_enter(one).unwrap();
        assert!(addresses.try_enter(one).is_none());
        assert!(addresses.try_enter(other).is_some());
        drop(first);
        assert!(addresses.try_enter(one).is_some());
    }

    #[test]
    fn addresses_are_forgotten_but_not_those_in_use() {
        let addresses = Addresses::new(1);
        let _held = addresses.try_enter([10, 0, 0, 0].into()).unwrap();
        for n in 0..10_000_u32 {
            assert!(addresses.try_enter(IpAddr::V4(n.into())).is_some());
        }
        assert!(addresses.known.lock().unwrap().len() <= 64);
        assert!(addresses.try_enter([10, 0, 0, 0].into()).is_none());
    }
}
