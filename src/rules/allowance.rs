//! How much may be asked in a day, of one origin and in all (POLLING P-150). What is over it is asked later, not dropped.

use std::collections::HashMap;
use std::time::Duration;

use crate::rules::rhythm::DAY;
use crate::rules::silence::Held;

/// The most of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerDay {
    /// Requests.
    pub requests: u64,
    /// Bytes of bodies, as they come over the wire.
    pub bytes: u64,
}

/// What was spent of it. A day begins with its first request.
#[derive(Debug)]
pub struct Allowance {
    host: PerDay,
    all: PerDay,
    hosts: HashMap<Box<str>, Spent>,
    spent: Spent,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    since: Duration,
    requests: u64,
    bytes: u64,
}

impl Spent {
    /// What is left of the day, where nothing is left of the allowance.
    fn over(&mut self, most: PerDay, now: Duration) -> Option<Duration> {
        let passed = now.saturating_sub(self.since);
        if self.requests == 0 || passed >= DAY {
            *self = Self {
                since: now,
                ..Self::default()
            };
        }
        let over = self.requests >= most.requests || self.bytes >= most.bytes;
        over.then(|| DAY.saturating_sub(passed))
    }
}

impl Allowance {
    /// So much for one origin, and so much in all.
    pub fn new(host: PerDay, all: PerDay) -> Self {
        Self {
            host,
            all,
            hosts: HashMap::new(),
            spent: Spent::default(),
        }
    }

    /// Counts a request to this origin at `now`, or says until when there is none.
    pub fn request(&mut self, origin: &str, now: Duration) -> Result<(), Held> {
        let held = |left, whose: &str| Held {
            scope: origin.to_owned(),
            left,
            why: format!(
                "{whose} for a day is spent (the settings in [fetch] that end in `_per_day`)"
            ),
        };
        if let Some(left) = self.spent.over(self.all, now) {
            return Err(held(left, "what may be asked of all hosts"));
        }
        let spent = self.hosts.entry(origin.into()).or_default();
        if let Some(left) = spent.over(self.host, now) {
            return Err(held(left, "what may be asked of this host"));
        }
        spent.requests += 1;
        self.spent.requests += 1;
        Ok(())
    }

    /// Counts what came back.
    pub fn received(&mut self, origin: &str, bytes: u64) {
        if let Some(spent) = self.hosts.get_mut(origin) {
            spent.bytes = spent.bytes.saturating_add(bytes);
        }
        self.spent.bytes = self.spent.bytes.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn allowance() -> Allowance {
        let host = PerDay {
            requests: 2,
            bytes: 100,
        };
        let all = PerDay {
            requests: 3,
            bytes: 1000,
        };
        Allowance::new(host, all)
    }

    #[test]
    fn p_150_a_host_is_asked_so_often_in_a_day_and_later_again() {
        let mut day = allowance();
        assert!(day.request("a", HOUR).is_ok() && day.request("a", HOUR * 2).is_ok());
        let held = day.request("a", HOUR * 3).unwrap_err();
        assert_eq!((held.left, held.scope.as_str()), (HOUR * 22, "a"));
        assert!(held.why.contains("this host"), "{}", held.why);
        assert!(
            day.request("b", HOUR * 3).is_ok(),
            "others are not held back"
        );
        assert!(day.request("a", HOUR * 25).is_ok(), "the day is over");
    }

    #[test]
    fn p_150_bytes_count_too() {
        let mut day = allowance();
        day.request("a", HOUR).unwrap();
        day.received("a", 99);
        assert!(day.request("a", HOUR).is_ok());
        let mut day = allowance();
        day.request("a", HOUR).unwrap();
        day.received("a", 100);
        assert!(day.request("a", HOUR).is_err());
    }

    #[test]
    fn p_150_all_hosts_together_have_a_day_of_their_own() {
        let mut day = allowance();
        for host in ["a", "b", "c"] {
            day.request(host, HOUR).unwrap();
        }
        let held = day.request("d", HOUR * 5).unwrap_err();
        assert_eq!((held.left, held.scope.as_str()), (HOUR * 20, "d"));
        assert!(day.request("d", HOUR * 25).is_ok());
    }
}
