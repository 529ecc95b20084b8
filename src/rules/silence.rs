//! Whom a word to slow down silences, and how a silence ends (P-34, P-36). Times are measured from any one moment, by a
//! clock that is never set.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::http::HostSet;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::rules::cadence::{CAP_RETRY_AFTER, RETRY_AFTER_DEFAULT};

/// Two hosts of a registrable domain that answer 429 within this time silence all of it.
const ONE_DOMAIN: Duration = Duration::from_hours(1);

/// Two feeds of an origin that get 503 within this time silence the origin.
const ONE_ORIGIN: Duration = Duration::from_mins(10);

/// How long a 503 counts for that does not say: the first step of the backoff (`err_base`).
const OUTAGE: Duration = Duration::from_hours(1);

/// A silence that ended this long ago is forgotten, whether anybody has asked since or not.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Scheme, host and port, as `PageUrl::origin` writes them.
    pub origin: &'a str,
    /// The host alone.
    pub host: &'a str,
}

/// A silence that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The origin, or `*.` and the registrable domain.
    pub scope: String,
    /// How much longer.
    pub left: Duration,
    /// The answer that began it.
    pub why: String,
}

/// A silence as it is kept for the next start, by the wall clock. Released names stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSilence {
    /// The origin, or `*.` and the registrable domain.
    pub scope: String,
    /// Until when.
    pub until: Timestamp,
    /// The answer that began it.
    pub why: String,
}

impl KeptSilence {
    /// What lasts at `now`, by the wall clock.
    pub fn of(held: Held, now: Timestamp) -> Self {
        Self {
            until: now.plus(held.left),
            scope: held.scope,
            why: held.why,
        }
    }

    /// What is left of it at `now`. One that lies further ahead than it can have been told was kept by a clock that has
    /// since been set back, and silences nobody (P-144).
    pub fn held(self, now: Timestamp) -> Option<Held> {
        let left = self.until.since(now);
        (self.until > now && left <= CAP_RETRY_AFTER).then_some(Held {
            scope: self.scope,
            left,
            why: self.why,
        })
    }
}

/// What a request that wants to be sent is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Go.
    Go,
    /// A silence just ended: go first and alone. Whoever is told so has to answer for it, with
    /// [`Silences::answered`] or [`Silences::gave_up`].
    First,
    /// Somebody else went first and is not back.
    Wait,
    /// Do not go at all.
    Silent(Held),
}

#[derive(Debug)]
struct Silence {
    until: Duration,
    why: String,
    /// Somebody was let through to see whether it is over.
    tried: bool,
}

/// A 429 of a host, or a 503 that a feed got.
#[derive(Debug)]
struct Told {
    at: Duration,
    until: Duration,
    /// The domain of the host, or the origin.
    scope: String,
    /// The host, or the feed.
    by: String,
}

/// Every silence there is, and what may yet become one.
#[derive(Debug, Default)]
pub struct Silences {
    by_scope: HashMap<String, Silence>,
    slowed: Vec<Told>,
    unavailable: Vec<Told>,
    independent: HostSet,
}

impl Silences {
    /// None yet. A 429 of one of the `independent` hosts is about the feed that got it alone: the operator knows that
    /// their paths belong to different people.
    pub fn new(independent: HostSet) -> Self {
        Self {
            independent,
            ..Self::default()
        }
    }

    /// The longest silence that lasts for this place.
    pub fn held(&self, place: Place<'_>, now: Duration) -> Option<Held> {
        scopes(place)
            .filter_map(|scope| self.lasting(&scope, now))
            .max_by_key(|held| held.left)
    }

    fn lasting(&self, scope: &str, now: Duration) -> Option<Held> {
        let silence = self.by_scope.get(scope)?;
        let left = silence
            .until
            .checked_sub(now)
            .filter(|left| !left.is_zero())?;
        Some(Held {
            scope: scope.to_owned(),
            left,
            why: silence.why.clone(),
        })
    }

    /// Whether a request may be sent there now.
    pub fn leave(&mut self, place: Place<'_>, now: Duration) -> Leave {
        if let Some(held) = self.held(place, now) {
            return Leave::Silent(held);
        }
        let ended: Vec<String> = scopes(place)
            .filter(|scope| self.by_scope.contains_key(scope))
            .collect();
        if ended.is_empty() {
            return Leave::Go;
        }
        if ended
            .iter()
            .any(|scope| self.by_scope.get(scope).is_some_and(|s| s.tried))
        {
            return Leave::Wait;
        }
        self.mark(place, true);
        Leave::First
    }

    /// Takes note of an answer. True if a silence began or was prolonged by it.
    pub fn answered(
        &mut self,
        place: Place<'_>,
        feed: &FeedId,
        status: u16,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> bool {
        self.by_scope
            .retain(|_, silence| now < silence.until.saturating_add(FORGOTTEN));
        if status == 429 {
            self.mark(place, false);
            return self.slow_down(place, retry_after, now);
        }
        // A silence that lasts is not shortened by an answer that was on its way (P-33).
        for scope in scopes(place) {
            if self.lasting(&scope, now).is_none() {
                self.by_scope.remove(&scope);
            }
        }
        status == 503 && self.unavailable(place, feed, retry_after, now)
    }

    /// Whoever went first came to no answer: somebody else may go first.
    pub fn gave_up(&mut self, place: Place<'_>) {
        self.mark(place, false);
    }

    /// A silence remembered from before.
    pub fn restore(&mut self, held: Held, now: Duration) {
        let until = now.saturating_add(held.left.min(CAP_RETRY_AFTER));
        self.silence(held.scope, until, held.why);
    }

    /// All that last, in no order.
    pub fn list(&self, now: Duration) -> Vec<Held> {
        let scopes = self.by_scope.keys();
        scopes
            .filter_map(|scope| self.lasting(scope, now))
            .collect()
    }

    fn slow_down(
        &mut self,
        place: Place<'_>,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> bool {
        if self.independent.contains(place.host) {
            return false;
        }
        let wait = retry_after
            .unwrap_or(RETRY_AFTER_DEFAULT)
            .min(CAP_RETRY_AFTER);
        let until = now.saturating_add(wait);
        self.silence(place.origin.to_owned(), until, "HTTP status 429".to_owned());
        let Some(scope) = domain(place.host) else {
            return true;
        };
        self.slowed.retain(|told| now < told.at + ONE_DOMAIN);
        let others = |told: &&Told| told.scope == scope && told.by != place.host;
        if let Some(longest) = self
            .slowed
            .iter()
            .filter(others)
            .map(|told| told.until)
            .max()
        {
            let why = "HTTP status 429 from two of its hosts".to_owned();
            self.silence(scope.clone(), until.max(longest), why);
        }
        self.slowed.push(Told {
            at: now,
            until,
            scope,
            by: place.host.to_owned(),
        });
        true
    }

    fn unavailable(
        &mut self,
        place: Place<'_>,
        feed: &FeedId,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> bool {
        if self.independent.contains(place.host) {
            return false;
        }
        let until = now.saturating_add(retry_after.unwrap_or(OUTAGE).min(CAP_RETRY_AFTER));
        self.unavailable.retain(|told| now < told.at + ONE_ORIGIN);
        let others = |told: &&Told| told.scope == place.origin && told.by != feed.as_str();
        let longest = self
            .unavailable
            .iter()
            .filter(others)
            .map(|told| told.until)
            .max();
        if let Some(longest) = longest {
            let why = "HTTP status 503 for two of its feeds".to_owned();
            self.silence(place.origin.to_owned(), until.max(longest), why);
        }
        self.unavailable.push(Told {
            at: now,
            until,
            scope: place.origin.to_owned(),
            by: feed.as_str().to_owned(),
        });
        longest.is_some()
    }

    /// Begins a silence or prolongs it; none is ever shortened.
    fn silence(&mut self, scope: String, until: Duration, why: String) {
        let known = self.by_scope.get(&scope).map(|silence| silence.until);
        if known.is_none_or(|known| known < until) {
            let tried = false;
            self.by_scope.insert(scope, Silence { until, why, tried });
        }
    }

    fn mark(&mut self, place: Place<'_>, tried: bool) {
        for scope in scopes(place) {
            if let Some(silence) = self.by_scope.get_mut(&scope) {
                silence.tried = tried;
            }
        }
    }
}

/// What a request is silenced with: its origin, and its registrable domain.
fn scopes(place: Place<'_>) -> impl Iterator<Item = String> {
    [Some(place.origin.to_owned()), domain(place.host)]
        .into_iter()
        .flatten()
}

/// The registrable domain of a host by the Public Suffix List, as a scope. An address has none, nor has a suffix.
fn domain(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next()?;
    if host.starts_with('[') || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    psl::domain_str(host).map(|domain| format!("*.{domain}"))
}

#[cfg(test)]
mod tests;
