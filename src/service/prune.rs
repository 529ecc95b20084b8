//! What is not to be kept any more, let go: gone through from the newest article to the oldest, in slices, so that polls
//! wait for a slice at most.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::task::yield_now;

use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::keep::{Keep, KeepOrder, Tier};
use crate::model::time::Timestamp;
use crate::rules::retention::{Fate, Hold, Meter, Order, judged, pages_go};
use crate::service::publish::{Press, PublishError};
use crate::service::shelf;
use crate::store::{KeptLine, StoreError};

/// Rows that are looked at, and at most written, at once.
const SLICE: usize = 500;

/// An order to let go.
pub struct Prune {
    /// What there is and what of it is shown.
    pub press: Press,
    /// By the settings.
    pub keep: Keep,
    /// Only of this feed.
    pub feed: Option<FeedId>,
    /// Nothing goes; it is only told what would.
    pub dry_run: bool,
    /// Archive documents are made of what is not in one yet, so that has to stay.
    pub seals: bool,
    /// When.
    pub now: Timestamp,
}

/// What went, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By feed and tier.
    pub gone: BTreeMap<(FeedId, Tier), Sum>,
    /// What stays though its time has come, by feed and reason.
    pub held: BTreeMap<(FeedId, Hold), u64>,
    /// Articles and visits that were looked at.
    pub looked_at: u64,
    /// Up to when ages were counted, where that is not now: the clock is far ahead of what the store knows.
    pub judged: Option<Timestamp>,
}

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// How many articles, or visits with pages.
    pub count: u64,
    /// Bytes of it as it is stored.
    pub bytes: u64,
    /// When the oldest was stored.
    pub oldest: Timestamp,
    /// When the newest was.
    pub newest: Timestamp,
}

impl Told {
    /// Whether anything went, or would.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// How much in all.
    pub fn total(&self) -> (u64, u64) {
        let all = self.gone.values();
        all.fold((0, 0), |(count, bytes), sum| {
            (count + sum.count, bytes + sum.bytes)
        })
    }

    fn add(&mut self, feed: &FeedId, tier: Tier, bytes: u64, at: Timestamp) {
        let sum = self.gone.entry((feed.clone(), tier)).or_insert(Sum {
            count: 0,
            bytes: 0,
            oldest: at,
            newest: at,
        });
        sum.count += 1;
        sum.bytes += bytes;
        sum.oldest = sum.oldest.min(at);
        sum.newest = sum.newest.max(at);
    }
}

impl Prune {
    /// Goes through everything. Ends early where `stops` says so after a slice; the next run goes on.
    pub async fn run(&self, stops: impl Fn() -> bool) -> Result<Told, PublishError> {
        let until = judged(self.now, self.press.store.known_time()?);
        let mut told = Told {
            judged: (until < self.now).then_some(until),
            ..Told::default()
        };
        let done = self.pages(&mut told, until, &stops).await?
            && self.articles(&mut told, until, &stops).await?;
        if done && !self.dry_run && self.feed.is_none() {
            self.press.store.pruned(self.now, until).await?;
        }
        Ok(told)
    }

    fn own(&self, feed: &FeedId) -> KeepOrder {
        let order = self.press.subscriptions.get(feed);
        order.map(Subscription::keep_order).unwrap_or_default()
    }

    fn is_wanted(&self, feed: &FeedId) -> bool {
        self.feed.as_ref().is_none_or(|wanted| wanted == feed)
    }

    /// Whether any feed's order, or the settings, has such a bound.
    fn any(&self, bound: impl Fn(&Keep) -> bool) -> bool {
        let orders = self.press.subscriptions.values();
        let kept = orders.map(|order| order.keep_order().over(&self.keep));
        bound(&self.keep) || kept.into_iter().any(|keep| bound(&keep))
    }

    async fn pages(
        &self,
        told: &mut Told,
        until: Timestamp,
        stops: &impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        if !self.any(|keep| keep.pages.of().is_some()) {
            return Ok(true);
        }
        let store = &self.press.store;
        let mut above = 0;
        loop {
            let lines = store.visit_lines(above, SLICE)?;
            let Some(last) = lines.last() else {
                return Ok(true);
            };
            above = last.number;
            let mut going = Vec::new();
            for line in lines {
                told.looked_at += 1;
                let own = self.own(&line.feed);
                if self.is_wanted(&line.feed) && pages_go(&self.keep, own, line.at, until) {
                    told.add(&line.feed, Tier::Pages, line.bytes, line.at);
                    going.push(line.number);
                }
            }
            if !self.dry_run && !going.is_empty() {
                store.drop_visits(going).await?;
            }
            if stops() {
                return Ok(false);
            }
            yield_now().await;
        }
    }

    async fn articles(
        &self,
        told: &mut Told,
        until: Timestamp,
        stops: &impl Fn() -> bool,
    ) -> Result<bool, PublishError> {
        let idle = |keep: &Keep| Meter::new(keep, KeepOrder::default(), until).is_idle();
        if !self.any(|keep| !idle(keep)) {
            return Ok(true);
        }
        let store = &self.press.store;
        let holds = Holds {
            shown: shelf::shown(&self.press, self.seals)?,
            archive: self.press.archive.is_some(),
            archived: store.archive_cursor()?,
        };
        let mut meters: HashMap<FeedId, Meter> = HashMap::new();
        let mut below = None;
        loop {
            let lines = store.kept_lines(below, SLICE)?;
            let Some(last) = lines.last() else {
                return Ok(true);
            };
            below = Some(last.line.seq);
            let mut orders: Vec<Order> = Vec::new();
            for kept in &lines {
                told.looked_at += 1;
                if !self.is_wanted(&kept.feed) {
                    continue;
                }
                if !meters.contains_key(&kept.feed) {
                    let meter = Meter::new(&self.keep, self.own(&kept.feed), until);
                    meters.insert(kept.feed.clone(), meter);
                }
                let Some(meter) = meters.get_mut(&kept.feed) else {
                    continue;
                };
                match meter.judge(&kept.line, holds.of(kept)) {
                    Fate::Stays => {}
                    Fate::Held(why) => {
                        *told.held.entry((kept.feed.clone(), why)).or_default() += 1;
                    }
                    Fate::Goes(order) => {
                        told.add(&kept.feed, order.tier, order.bytes, kept.line.recorded);
                        orders.push(order);
                    }
                }
            }
            if !self.dry_run && !orders.is_empty() {
                store.prune(orders, self.now).await?;
            }
            if stops() {
                return Ok(false);
            }
            yield_now().await;
        }
    }
}

/// What keeps articles from going.
struct Holds {
    shown: BTreeSet<ArticleSeq>,
    archive: bool,
    archived: Option<ArticleSeq>,
}

impl Holds {
    fn of(&self, kept: &KeptLine) -> Option<Hold> {
        let seq = kept.line.seq;
        if self.archive && kept.has_file && Some(seq) > self.archived {
            Some(Hold::Unarchived)
        } else if kept.waits {
            Some(Hold::Undecided)
        } else if self.shown.contains(&seq) {
            Some(Hold::Shown)
        } else {
            None
        }
    }
}
