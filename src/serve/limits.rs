//! How often one client may ask for one document (F-41): two token buckets for each network and path.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a request costs us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The whole document, without a question whether it changed.
    Whole,
    /// An answer to such a question, or headers alone.
    Question,
}

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests at once.
    pub burst: u32,
    /// From one request to the next, after that.
    pub every: Duration,
}

/// The buckets of all clients. Those that are full again are forgotten, and there are never more than so many: beyond
/// that, networks we have not seen are let through, and those we have seen stay bounded.
#[derive(Debug)]
pub struct Buckets {
    whole: Rate,
    question: Rate,
    capacity: usize,
    levels: Mutex<HashMap<(IpAddr, String), Levels>>,
}

/// When each bucket will be full again, from a beginning of the caller's choice.
#[derive(Clone, Copy, Debug, Default)]
struct Levels {
    whole: Duration,
    question: Duration,
}

impl Default for Buckets {
    fn default() -> Self {
        let whole = Rate {
            burst: 6,
            every: Duration::from_mins(5),
        };
        let question = Rate {
            burst: 60,
            every: Duration::from_mins(1),
        };
        Self::new(whole, question, 20_000)
    }
}

impl Buckets {
    /// Buckets of these rates, for so many clients.
    pub fn new(whole: Rate, question: Rate, capacity: usize) -> Self {
        Self {
            whole,
            question,
            capacity,
            levels: Mutex::default(),
        }
    }

    /// Takes a request's cost, or says after how long there will be enough.
    pub fn take(
        &self,
        client: IpAddr,
        path: &str,
        cost: Cost,
        now: Duration,
    ) -> Result<(), Duration> {
        // A panic elsewhere cannot leave numbers half written.
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (network(client), path.to_owned());
        if levels.len() >= self.capacity && !levels.contains_key(&key) {
            levels.retain(|_, level| level.whole > now || level.question > now);
            if levels.len() >= self.capacity {
                return Ok(());
            }
        }
        let level = levels.entry(key).or_default();
        match cost {
            Cost::Whole => self.whole.take(&mut level.whole, now),
            Cost::Question => self.question.take(&mut level.question, now),
        }
    }
}

impl Rate {
    fn take(self, full: &mut Duration, now: Duration) -> Result<(), Duration> {
        let missing = full.saturating_sub(now);
        let most = self.every * self.burst.saturating_sub(1);
        if missing > most {
            return Err(missing.saturating_sub(most));
        }
        *full = now + missing + self.every;
        Ok(())
    }
}

/// What one customer of a provider has: an IPv4 address, or 64 bits of IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn seconds(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn f_41_a_bucket_runs_dry_and_fills_again() {
        let buckets = Buckets::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let whole = |at| buckets.take(one, "/feed.atom", Cost::Whole, seconds(at));
        for _ in 0..6 {
            whole(0).unwrap();
        }
        assert_eq!(whole(0), Err(seconds(300)));
        assert_eq!(whole(299), Err(seconds(1)));
        assert_eq!(whole(300), Ok(()));
        assert_eq!(whole(300), Err(seconds(300)));
        // Questions, other paths and other clients are counted apart.
        for second in 0..60 {
            let question = buckets.take(one, "/feed.atom", Cost::Question, seconds(300));
            assert_eq!(question, Ok(()), "{second}");
        }
        assert!(
            buckets
                .take(one, "/feed.atom", Cost::Question, seconds(300))
                .is_err()
        );
        assert_eq!(
            buckets.take(one, "/feed.rss", Cost::Whole, seconds(300)),
            Ok(())
        );
        let two = "192.0.2.2".parse().unwrap();
        assert_eq!(
            buckets.take(two, "/feed.atom", Cost::Whole, seconds(300)),
            Ok(())
        );
    }

    #[test]
    fn f_41_a_network_is_one_client_and_memory_is_bounded() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        };
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("192.0.2.7", "192.0.2.7");

        let once = Rate {
            burst: 1,
            every: seconds(10),
        };
        let buckets = Buckets::new(once, once, 3);
        let take = |last: u8, at| {
            let client = IpAddr::from([192, 0, 2, last]);
            buckets.take(client, "/", Cost::Whole, seconds(at))
        };
        for client in 0..3 {
            take(client, 0).unwrap();
        }
        // No room for a fourth, who is let through uncounted; the first is still bounded.
        assert_eq!((take(4, 1), take(4, 1)), (Ok(()), Ok(())));
        assert_eq!(take(0, 1), Err(seconds(9)));
        assert_eq!((take(4, 11), take(4, 11)), (Ok(()), Err(seconds(10))));
        assert_eq!(buckets.levels.lock().unwrap().len(), 1);
    }
}
