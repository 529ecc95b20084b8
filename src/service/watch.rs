//! How feeds are doing: judged after polls, and by the clock. What changes is kept and told once.

use std::collections::HashMap;

use crate::model::health::{HealthEvent, Standing, State};
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::rules::health::{heard_until, is_due_by_the_clock};
use crate::service::report::FeedReport;
use crate::store::{Judged, Store, StoreError, Watched};

/// Who watches over the feeds of a store.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    /// What each feed was last judged to be.
    known: HashMap<FeedId, Watched>,
}

/// A poll, as far as it may say how its feed is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Whose.
    pub feed: FeedId,
    /// A feed that is fine stays so.
    pub calm: bool,
}

impl Glance {
    /// Of a poll that is remembered; of what is not (left alone, our own outage, stopped) there is none.
    pub fn of(report: &FeedReport) -> Option<Self> {
        report.record.as_ref().map(|record| Self {
            feed: report.feed.clone(),
            calm: record.calm,
        })
    }
}

impl Watch {
    /// Goes on where the store was left.
    pub fn new(store: Store) -> Result<Self, StoreError> {
        let known = store.watched()?;
        Ok(Self {
            store,
            known: known
                .into_iter()
                .map(|watched| (watched.feed.clone(), watched))
                .collect(),
        })
    }

    /// What the feed was last judged to be; a feed nobody has judged is fine as far as anybody knows.
    pub fn state(&self, feed: &FeedId) -> State {
        let standing = self.standing(feed);
        standing.map_or(State::Fine, |standing| standing.state)
    }

    fn standing(&self, feed: &FeedId) -> Option<&Standing> {
        self.known.get(feed)?.standing.as_ref()
    }

    /// Judges the feeds of these polls, in one transaction. Most polls bring nothing to a feed that is fine, and cost
    /// nothing here.
    pub async fn polled(
        &mut self,
        polls: impl IntoIterator<Item = Glance>,
        now: Timestamp,
    ) -> Result<Vec<HealthEvent>, StoreError> {
        let mut judged = Vec::new();
        for Glance { feed, calm } in polls {
            let is_fine = self.known.get(&feed).is_some_and(|known| {
                !known.closely
                    && known
                        .standing
                        .as_ref()
                        .is_some_and(|standing| standing.state == State::Fine)
            });
            if !(calm && is_fine) {
                judged.extend(self.judge(&feed, now)?);
            }
        }
        self.keep(judged).await
    }

    /// Judges those of these feeds that may have become silent while nobody asked them.
    pub async fn by_the_clock(
        &mut self,
        feeds: impl IntoIterator<Item = &FeedId>,
        now: Timestamp,
    ) -> Result<Vec<HealthEvent>, StoreError> {
        let states: HashMap<FeedId, _> = self
            .store
            .feed_states()?
            .into_iter()
            .map(|state| (state.id.clone(), state))
            .collect();
        let mut judged = Vec::new();
        for feed in feeds {
            let Some(state) = states.get(feed) else {
                continue;
            };
            let heard = heard_until(state.next_poll, now);
            if is_due_by_the_clock(self.standing(feed), &state.learned, heard) {
                judged.extend(self.judge(feed, heard)?);
            }
        }
        self.keep(judged).await
    }

    /// What is to be kept of a feed; `None` where nothing of it is new.
    fn judge(&self, feed: &FeedId, now: Timestamp) -> Result<Option<Judged>, StoreError> {
        let Some(evidence) = self.store.evidence(feed)? else {
            return Ok(None);
        };
        let before = self.standing(feed).cloned();
        let start = before.clone().unwrap_or_else(|| Standing::new(now));
        let (standing, change) = start.after(&evidence.facts(), now);
        let closely = evidence.is_bare();
        let known = self.known.get(feed);
        let same = known.is_some_and(|known| known.closely == closely)
            && before.is_some_and(|before| {
                // Why a feed is fine is as of the last change: it is told anew whenever somebody asks.
                before == standing || before.state == State::Fine && standing.state == State::Fine
            });
        Ok((!same).then(|| Judged {
            feed: feed.clone(),
            standing,
            closely,
            change,
        }))
    }

    async fn keep(&mut self, judged: Vec<Judged>) -> Result<Vec<HealthEvent>, StoreError> {
        if judged.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.store.keep_health(judged.clone()).await?;
        for Judged {
            feed,
            standing,
            closely,
            ..
        } in judged
        {
            let watched = Watched {
                feed: feed.clone(),
                standing: Some(standing),
                closely,
            };
            self.known.insert(feed, watched);
        }
        Ok(events)
    }
}
