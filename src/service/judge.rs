//! The operator's rules over the store: what comes is judged before it is shown, and everything anew when the rules change.
//!
//! Verdicts follow a cursor, so a crash costs a repeat. While new rules are being judged the old ones hold, also for what
//! comes; then the new ones take their place at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::error;

use crate::model::article::StoredArticle;
use crate::model::ids::ArticleSeq;
use crate::model::ruling::{Judged, Order, Round};
use crate::model::time::Timestamp;
use crate::rules::ruling::{self, FeedTags, Rule};
use crate::rules::terms;
use crate::store::{Store, StoreError};

/// Who judges.
#[derive(Clone, Debug)]
pub struct Judge {
    /// What is judged, and where verdicts are kept.
    pub store: Store,
    /// The rules, in their order.
    pub rules: Arc<Vec<Rule>>,
    /// The tags of our subscriptions.
    pub tags: Arc<FeedTags>,
}

/// How far a [`Judge::step`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// From now on the rules are those that everything is shown by.
    Stands,
    /// There is nothing to do.
    Done,
}

impl Judge {
    /// Judges what came, by the rules that stand: it can be shown then. Those may be older ones than ours.
    pub async fn follow(&self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let rounds = self.store.rounds()?;
            let Some(standing) = rounds.standing.filter(|round| !round.rules.is_empty()) else {
                return Ok(());
            };
            if standing.cursor >= rounds.last {
                return Ok(());
            }
            let rules = if standing.print == self.print() {
                Arc::clone(&self.rules)
            } else {
                Arc::new(standing.rules.iter().cloned().map(Rule::kept).collect())
            };
            self.slice(&standing, rules, now).await?;
        }
    }

    /// A step towards showing everything by our rules: a slice of it is judged, or all that was judged takes effect, or
    /// something of what is over is thrown away.
    pub async fn step(&self, now: Timestamp) -> Result<Progress, StoreError> {
        let rounds = self.store.rounds()?;
        let print = self.print();
        let stands = match &rounds.standing {
            Some(standing) => standing.print == print,
            None => self.rules.is_empty(),
        };
        if stands {
            let order = match (rounds.coming, rounds.over) {
                (Some(_), _) => Order::Abandon,
                (None, true) => Order::Sweep,
                (None, false) => return Ok(Progress::Done),
            };
            self.store.rule(order, now).await?;
            return Ok(Progress::More);
        }
        let Some(coming) = rounds.coming.filter(|round| round.print == print) else {
            let rules = self.rules.iter().map(|rule| rule.text.clone()).collect();
            self.store.rule(Order::Begin { print, rules }, now).await?;
            return Ok(Progress::More);
        };
        if !coming.rules.is_empty() && coming.cursor < rounds.last {
            self.slice(&coming, Arc::clone(&self.rules), now).await?;
            return Ok(Progress::More);
        }
        let round = coming.number;
        let stands = self.store.rule(Order::Stand { round }, now).await?;
        Ok(if stands {
            Progress::Stands
        } else {
            Progress::More
        })
    }

    /// All steps: everything is shown by our rules then. Where the rules changed, that takes as long as reading the store.
    pub async fn finish(&self, now: Timestamp) -> Result<(), StoreError> {
        while self.step(now).await? != Progress::Done {}
        self.follow(now).await
    }

    /// Judges some articles of a round, and keeps that.
    async fn slice(
        &self,
        round: &Round,
        rules: Arc<Vec<Rule>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (store, tags, after) = (self.store.clone(), Arc::clone(&self.tags), round.cursor);
        let work = spawn_blocking(move || some_judged(&store, &rules, &tags, after));
        // Each article is judged behind a guard; what could still break is not worth more than a word.
        let Ok(work) = work.await else {
            return Err(StoreError::Closed);
        };
        let (judged, cursor) = work?;
        let order = Order::Keep {
            round: round.number,
            judged,
            cursor,
        };
        self.store.rule(order, now).await?;
        Ok(())
    }

    fn print(&self) -> [u8; 32] {
        ruling::print(&self.rules, &self.tags, terms::RECIPE)
    }
}

fn some_judged(
    store: &Store,
    rules: &[Rule],
    tags: &FeedTags,
    after: Option<ArticleSeq>,
) -> Result<(Vec<Judged>, Option<ArticleSeq>), StoreError> {
    let (articles, cursor) = store.unjudged(after)?;
    let judged = articles
        .iter()
        .map(|stored| {
            let matching = judged_safely(rules, stored, tags);
            let acts = ruling::acts(rules, &matching);
            Judged {
                seq: stored.seq,
                entry: stored.first_seq,
                acts: acts.map(|(rule, act)| (rule, act.clone())).collect(),
            }
        })
        .collect();
    Ok((judged, cursor))
}

/// The places of the rules that match. A text that breaks the judge down matches none: it must not keep all others from
/// being shown.
pub fn judged_safely(rules: &[Rule], stored: &StoredArticle, tags: &FeedTags) -> Vec<usize> {
    let tags = tags.get(&stored.feed).map_or(&[][..], Vec::as_slice);
    catch_unwind(AssertUnwindSafe(|| ruling::judge(rules, stored, tags))).unwrap_or_else(|_| {
        error!(
            article = stored.seq.0,
            "a defect in feedmill: this article cannot be judged by rules, and is taken as matching none"
        );
        Vec::new()
    })
}
