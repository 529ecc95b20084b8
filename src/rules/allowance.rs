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

impl PerDay {
    /// For one origin, where nothing else is said.
    pub const OF_A_HOST: Self = Self {
        requests: 10_000,
        bytes: 4 << 30,
    };

    /// For all together, likewise.
    pub const OF_ALL: Self = Self {
        requests: 1_000_000,
        bytes: 256 << 30,
    };

    fn is_spent(self, spent: Self) -> bool {
        spent.requests >= self.requests || spent.bytes >= self.bytes
    }
}

/// What was spent of it. A day begins with its first request.
#[derive(Debug)]
pub struct Allowance {
    host: PerDay,
    all: PerDay,
    hosts: HashMap<Box<str>, Spent>,
    spent: Spent,
}

/// What is known of the day, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The most for one origin.
    pub host: PerDay,
    /// The most for all together.
    pub all: PerDay,
    /// What was spent of that.
    pub spent: PerDay,
    /// Origins whose allowance is spent, with what was spent there; in the order of their names.
    pub held: Vec<(Box<str>, PerDay)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    since: Duration,
    requests: u64,
    bytes: u64,
}

impl Spent {
    /// What was spent of a day that lasts at `now`.
    fn at(self, now: Duration) -> PerDay {
        let Self {
            requests, bytes, ..
        } = if now.saturating_sub(self.since) < DAY {
            self
        } else {
            Self::default()
        };
        PerDay { requests, bytes }
    }

    /// What is left of the day, where nothing is left of the allowance.
    fn over(&mut self, most: PerDay, now: Duration) -> Option<Duration> {
        let passed = now.saturating_sub(self.since);
        if self.requests == 0 || passed >= DAY {
            *self = Self {
                since: now,
                ..Self::default()
            };
        }
        most.is_spent(self.at(now))
            .then(|| DAY.saturating_sub(passed))
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

    /// What is spent at `now`, and who is held back.
    pub fn ledger(&self, now: Duration) -> Ledger {
        let hosts = self.hosts.iter();
        let hosts = hosts.map(|(origin, spent)| (origin.clone(), spent.at(now)));
        let mut held: Vec<_> = hosts
            .filter(|(_, spent)| self.host.is_spent(*spent))
            .collect();
        held.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ledger {
            host: self.host,
            all: self.all,
            spent: self.spent.at(now),
            held,
        }
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

    #[test]
    fn p_150_what_is_spent_can_be_seen_while_the_day_lasts() {
        let mut day = allowance();
        let spent = |requests, bytes| PerDay { requests, bytes };
        assert_eq!(day.ledger(HOUR).spent, spent(0, 0));
        for (host, bytes) in [("b", 7), ("a", 100), ("b", 5)] {
            day.request(host, HOUR).unwrap();
            day.received(host, bytes);
        }
        let ledger = day.ledger(HOUR * 24);
        assert_eq!(ledger.spent, spent(3, 112));
        assert_eq!((ledger.host, ledger.all), (spent(2, 100), spent(3, 1000)));
        let held = [("a".into(), spent(1, 100)), ("b".into(), spent(2, 12))];
        assert_eq!(ledger.held, held);
        let ledger = day.ledger(HOUR * 25);
        assert_eq!((ledger.spent, ledger.held), (spent(0, 0), Vec::new()));
    }
}
