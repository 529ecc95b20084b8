//! Who waits, and until when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::config;
use crate::model::feed::{FeedState, Subscription};
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::agenda;
use crate::rules::health;
use crate::rules::moves::{self, Asked};
use crate::rules::rhythm::{self, Price};
use crate::rules::schedule::{self, Floors};
use crate::service::poll::Job;
use crate::service::scheduler::Roster;
use crate::source::Source;

/// Feeds by the time they are due at.
pub(super) struct Queue {
    floors: Floors,
    /// Polls of one host under way at once: more would only wait for each other, in others' places.
    per_host: usize,
    feeds: HashMap<FeedId, Feed>,
    waiting: BTreeSet<(Timestamp, FeedId)>,
    /// How many polls of each host are under way.
    busy: HashMap<String, usize>,
}

/// Who is to be started.
pub(super) enum Pick {
    /// This feed.
    Start(FeedId),
    /// Nobody before so long, unless a poll ends.
    Wait(Option<Duration>),
}

struct Feed {
    order: (Subscription, &'static dyn Source),
    state: FeedState,
    /// The address in our orders.
    url: PageUrl,
    /// Host and port of that: who is asked one request at a time.
    host: String,
    /// Its place in `waiting`; `None` while it is polled, and where it is not asked any more.
    due: Option<Timestamp>,
    /// It is being polled.
    out: bool,
    /// When it was last taken out to be, and of which host it was asked.
    asked: Option<Instant>,
    host_asked: String,
    /// What it was told within this run holds by the clock nobody can set (P-33).
    hold: Option<Instant>,
    /// Nothing is known of its last poll, and it waits until then all the same.
    not_until: Option<Timestamp>,
    /// Nobody wants it any more; it goes when its poll ends.
    dropped: bool,
}

impl Queue {
    pub(super) fn new(floors: Floors, per_host: usize) -> Self {
        Self {
            floors,
            per_host: per_host.max(1),
            busy: HashMap::new(),
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
            let job = Job::new(order.0.clone(), order.1, state);
            let (url, state) = (job.first.url, job.state);
            if let Some(feed) = self.feeds.get_mut(id) {
                let same = feed.order.0 == order.0 && !feed.dropped;
                feed.dropped = false;
                if same {
                    continue;
                }
                changed += 1;
                feed.order = order.clone();
                feed.host = url.origin();
                feed.url = url;
                if feed.out {
                    continue;
                }
                feed.state = state;
                if feed.state.last_poll.is_none() {
                    feed.hold = None; // another address
                }
            } else {
                added += 1;
                let feed = Feed {
                    order: order.clone(),
                    state,
                    host: url.origin(),
                    url,
                    due: None,
                    out: false,
                    asked: None,
                    host_asked: String::new(),
                    hold: None,
                    not_until: None,
                    dropped: false,
                };
                self.feeds.insert(id.clone(), feed);
            }
            self.requeue(id, now);
        }
        (added, gone.len(), changed)
    }

    /// The feed that is due and worth most of all that are (P-143), and whose host is free.
    pub(super) fn next(&mut self, now: Timestamp, run: Instant, price: Price) -> Pick {
        let mut best: Option<(f64, FeedId)> = None;
        let mut later = Vec::new();
        let mut wait: Option<Duration> = None;
        for (due, id) in &self.waiting {
            if *due > now {
                wait = Some(due.since(now));
                break;
            }
            let Some(feed) = self.feeds.get(id) else {
                continue;
            };
            if let Some(hold) = feed.hold.filter(|hold| *hold > run) {
                later.push((id.clone(), now.plus(hold - run)));
                continue;
            }
            let open = feed.state.learned.hints.open_from(now);
            if open > now && feed.order.0.schedule.is_none() {
                later.push((id.clone(), open));
                continue;
            }
            if self.busy.get(&feed.host).copied().unwrap_or_default() >= self.per_host {
                continue; // a poll that ends wakes us
            }
            let worth = worth(&feed.state, now, price);
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, id.clone()));
            }
        }
        for (id, at) in later {
            let left = at.since(now);
            wait = Some(wait.map_or(left, |wait| wait.min(left)));
            self.put_at(&id, at);
        }
        match best {
            Some((_, id)) => Pick::Start(id),
            None => Pick::Wait(wait),
        }
    }

    /// The feed to try while nobody can be reached: one of the host whose turn it is, of those that may be asked.
    pub(super) fn canary(&self, now: Timestamp, run: Instant) -> Option<FeedId> {
        let mut by_host: BTreeMap<&str, &FeedId> = BTreeMap::new();
        for (_, id) in &self.waiting {
            if let Some(feed) = self.feeds.get(id)
                && feed.hold.is_none_or(|hold| hold <= run)
                && agenda::may_be_canary(&feed.state, self.floors, now)
            {
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
        feed.host_asked.clone_from(&feed.host);
        *self.busy.entry(feed.host.clone()).or_default() += 1;
        let (subscription, source) = feed.order.clone();
        Some(Job::new(subscription, source, feed.state.clone()))
    }

    /// It was polled, and this is what is known of it now.
    pub(super) fn put_back(
        &mut self,
        id: &FeedId,
        state: Option<FeedState>,
        now: Timestamp,
        run: Instant,
    ) {
        self.came_back(id);
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        feed.not_until = None;
        if let Some(state) = state {
            let credentials = feed.order.0.credentials_mark();
            let state = agenda::ordered(state, &feed.url, credentials);
            let held = state.not_before.as_ref().map(|held| held.until);
            let asked = state.last_poll.unwrap_or(now);
            feed.hold = held.map(|until| feed.asked.unwrap_or(run) + until.since(asked));
            feed.state = state;
        }
        self.requeue(id, now);
    }

    /// Nothing is known of its poll; it waits until then.
    pub(super) fn put_off(&mut self, id: &FeedId, until: Timestamp) {
        self.came_back(id);
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.not_until = Some(until);
        }
        self.put_at(id, until);
    }

    /// It is not being polled any more.
    fn came_back(&mut self, id: &FeedId) {
        let Some(feed) = self.feeds.get_mut(id) else {
            return;
        };
        if std::mem::take(&mut feed.out)
            && let Some(busy) = self.busy.get_mut(&feed.host_asked)
        {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(&feed.host_asked);
            }
        }
        if feed.dropped {
            self.feeds.remove(id);
        }
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
        let text = subscription.schedule.as_deref().unwrap_or_default();
        let cron = schedule
            .as_ref()
            .map(|schedule| (text, schedule, &subscription.zone));
        // Where the clock was set back, nothing lies further ahead than a day.
        let not_until = feed.not_until.map(|until| schedule::due(until, now));
        match agenda::due(&feed.state, cron, self.floors, now) {
            Some(_) if let Some(twin) = self.twin(feed, now) => {
                tracing::warn!(
                    feed.id = %id,
                    twin = %twin,
                    "moved to an address that another feed is asked at: only that one is asked from now on"
                );
                self.unqueue(id);
            }
            Some(due) => self.put_at(id, due.max(not_until.unwrap_or(due))),
            None => self.unqueue(id),
        }
    }

    /// Who is asked in place of this feed (P-79). Few have moved, so few look.
    fn twin(&self, feed: &Feed, now: Timestamp) -> Option<FeedId> {
        let asked = |feed: &Feed| Asked::of(&feed.state, &feed.url, now);
        let this = asked(feed);
        if !this.moved {
            return None;
        }
        let others: Vec<Asked> = self
            .feeds
            .values()
            .filter(|other| !other.dropped)
            .map(asked)
            .collect();
        moves::twin(&this, others.iter()).cloned()
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
