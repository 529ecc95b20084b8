//! Who waits, and until when.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::time::Instant;

use crate::config;
use crate::model::feed::{FeedState, Subscription};
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::rules::agenda;
use crate::rules::health;
use crate::rules::rhythm::{self, Price};
use crate::rules::schedule::Floors;
use crate::service::poll::Job;
use crate::service::scheduler::{Roster, job};
use crate::source::Source;

/// Feeds by the time they are due at.
pub(super) struct Queue {
    floors: Floors,
    feeds: HashMap<FeedId, Feed>,
    waiting: BTreeSet<(Timestamp, FeedId)>,
}

struct Feed {
    order: (Subscription, &'static dyn Source),
    state: FeedState,
    host: String,
    /// Its place in `waiting`; `None` while it is polled, and where it is not asked any more.
    due: Option<Timestamp>,
    /// It is being polled.
    out: bool,
    /// When it was last taken out to be.
    asked: Option<Instant>,
    /// What it was told within this run holds by the clock nobody can set (P-33).
    hold: Option<Instant>,
    /// Nobody wants it any more; it goes when its poll ends.
    dropped: bool,
}

impl Queue {
    pub(super) fn new(floors: Floors) -> Self {
        Self {
            floors,
            feeds: HashMap::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Takes over who is to be polled: how many are new, gone and changed.
    pub(super) fn enrol(
        &mut self,
        roster: &Roster,
        states: Vec<FeedState>,
        now: Timestamp,
    ) -> (usize, usize, usize) {
        let mut states: HashMap<FeedId, FeedState> = states
            .into_iter()
            .map(|state| (state.id.clone(), state))
            .collect();
        let wanted: BTreeSet<&FeedId> = roster.iter().map(|order| &order.0.id).collect();
        let gone: Vec<FeedId> = self
            .feeds
            .iter()
            .filter(|(id, feed)| !feed.dropped && !wanted.contains(id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &gone {
            self.unqueue(id);
            match self.feeds.get_mut(id) {
                Some(feed) if feed.out => feed.dropped = true,
                _ => {
                    self.feeds.remove(id);
                }
            }
        }
        let (mut added, mut changed) = (0, 0);
        for order in roster {
            let id = &order.0.id;
            let state = states
                .remove(id)
                .unwrap_or_else(|| FeedState::new(id.clone()));
            if let Some(feed) = self.feeds.get_mut(id) {
                let same = feed.order.0 == order.0 && !feed.dropped;
                feed.dropped = false;
                if same {
                    continue;
                }
                changed += 1;
                let moved = first_url(&feed.order) != first_url(order);
                feed.order = order.clone();
                feed.host = host_of(order);
                if feed.out {
                    continue;
                }
                feed.state = state;
                if moved {
                    // What the old address said does not bind the new one.
                    forget_the_address(&mut feed.state);
                    feed.hold = None;
                }
            } else {
                added += 1;
                let feed = Feed {
                    order: order.clone(),
                    state,
                    host: host_of(order),
                    due: None,
                    out: false,
                    asked: None,
                    hold: None,
                    dropped: false,
                };
                self.feeds.insert(id.clone(), feed);
            }
            self.requeue(id, now);
        }
        (added, gone.len(), changed)
    }

    /// The feed that is due and worth most of all that are (P-143).
    pub(super) fn next(&mut self, now: Timestamp, run: Instant, price: Price) -> Option<FeedId> {
        let due = self.waiting.iter().take_while(|(due, _)| *due <= now);
        let mut best: Option<(f64, FeedId)> = None;
        let mut skipped = Vec::new();
        for (_, id) in due {
            let Some(feed) = self.feeds.get(id) else {
                continue;
            };
            if feed.hold.is_some_and(|hold| hold > run) {
                continue;
            }
            let open = feed.state.learned.hints.open_from(now);
            if open > now && feed.order.0.schedule.is_none() {
                skipped.push((id.clone(), open));
                continue;
            }
            let worth = worth(&feed.state, now, price);
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, id.clone()));
            }
        }
        for (id, open) in skipped {
            self.put_at(&id, open);
        }
        best.map(|(_, id)| id)
    }

    /// The feed to try while nobody can be reached: one of the host whose turn it is.
    pub(super) fn canary(&self, now: Timestamp) -> Option<FeedId> {
        let due: Vec<&FeedId> = self
            .waiting
            .iter()
            .take_while(|(due, _)| *due <= now)
            .map(|(_, id)| id)
            .collect();
        let mut by_host: BTreeMap<&str, &FeedId> = BTreeMap::new();
        for id in due {
            if let Some(feed) = self.feeds.get(id) {
                by_host.entry(&feed.host).or_insert(id);
            }
        }
        let hosts: Vec<&str> = by_host.keys().copied().collect();
        let host = health::canary(&hosts, now)?;
        by_host.get(host).map(|id| (*id).clone())
    }

    /// When somebody is due next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// How many hosts there are to be asked.
    pub(super) fn hosts(&self) -> usize {
        let hosts: BTreeSet<&str> = self.feeds.values().map(|feed| feed.host.as_str()).collect();
        hosts.len()
    }

    /// Takes a feed out to be polled.
    pub(super) fn take(&mut self, id: &FeedId) -> Option<Job> {
        self.unqueue(id);
        let feed = self.feeds.get_mut(id)?;
        feed.out = true;
        feed.asked = Some(Instant::now());
        Some(job(&feed.order, feed.state.clone()))
    }

    /// It was polled, and this is what is known of it now.
    pub(super) fn put_back(
        &mut self,
        id: &FeedId,
        state: Option<FeedState>,
        now: Timestamp,
        run: Instant,
    ) {
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        feed.out = false;
        if feed.dropped {
            self.feeds.remove(id);
            return;
        }
        if let Some(state) = state {
            let held = state.not_before.as_ref().map(|held| held.until);
            let held = held.max(state.fresh_until);
            let asked = state.last_poll.unwrap_or(now);
            feed.hold = held.map(|until| feed.asked.unwrap_or(run) + until.since(asked));
            feed.state = state;
        }
        self.requeue(id, now);
    }

    /// Nothing is known of its poll; it waits until then.
    pub(super) fn put_off(&mut self, id: &FeedId, until: Timestamp) {
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.out = false;
            if feed.dropped {
                self.feeds.remove(id);
                return;
            }
        }
        self.put_at(id, until);
    }

    /// The clock was set back: what lies further ahead than it can is due sooner (P-144).
    pub(super) fn clock_was_set_back(&mut self, now: Timestamp) {
        let waiting: Vec<FeedId> = self.waiting.iter().map(|(_, id)| id.clone()).collect();
        for id in waiting {
            self.requeue(&id, now);
        }
    }

    fn requeue(&mut self, id: &FeedId, now: Timestamp) {
        let Some(feed) = self.feeds.get(id).filter(|feed| !feed.out) else {
            return;
        };
        let subscription = &feed.order.0;
        let schedule = subscription.schedule.as_deref();
        let schedule = schedule.and_then(|text| config::schedule(text).ok());
        let cron = schedule
            .as_ref()
            .map(|schedule| (schedule, &subscription.zone));
        match agenda::due(&feed.state, cron, self.floors, now) {
            Some(due) => self.put_at(id, due),
            None => self.unqueue(id),
        }
    }

    fn put_at(&mut self, id: &FeedId, due: Timestamp) {
        self.unqueue(id);
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.due = Some(due);
            self.waiting.insert((due, id.clone()));
        }
    }

    fn unqueue(&mut self, id: &FeedId) {
        if let Some(feed) = self.feeds.get_mut(id)
            && let Some(due) = feed.due.take()
        {
            self.waiting.remove(&(due, id.clone()));
        }
    }
}

/// What a poll is worth now; one that was never asked is worth most.
fn worth(state: &FeedState, now: Timestamp, price: Price) -> f64 {
    let Some(asked) = state.last_poll else {
        return f64::MAX;
    };
    let cost = rhythm::cost(state.learned.unchanged, false);
    state.learned.rhythm.worth(asked, now, price, cost)
}

fn first_url(order: &(Subscription, &'static dyn Source)) -> String {
    order.1.first(&order.0).url.as_str().to_owned()
}

fn host_of(order: &(Subscription, &'static dyn Source)) -> String {
    let url = order.1.first(&order.0).url;
    url.as_url().host_str().unwrap_or_default().to_owned()
}

/// Instructions and hints were the old address's; what was learned of the entries stays.
fn forget_the_address(state: &mut FeedState) {
    state.next_poll = None;
    state.not_before = None;
    state.fresh_until = None;
    state.failures = 0;
    state.learned.refusal = None;
    state.learned.moved = None;
    state.learned.lifetime = None;
    state.last_poll = None;
}
