//! What rules would have done over history, without doing it.

use std::collections::BTreeMap;

use crate::model::article::StoredArticle;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::ruling::Act;
use crate::model::time::Timestamp;
use crate::rules::ruling::{self, FeedTags, Rule};
use crate::service::judge::judged_safely;
use crate::store::{Choice, Store, StoreError};

/// What is to be tried.
pub struct Hearing<'a> {
    /// Only read.
    pub store: &'a Store,
    /// All rules that are asked, in their order.
    pub rules: &'a [Rule],
    /// Which of them is told of, by its place.
    pub told: &'a dyn Fn(usize) -> bool,
    /// The tags of our subscriptions.
    pub tags: &'a FeedTags,
    /// Entries of an earlier date are passed over.
    pub since: Option<Timestamp>,
    /// Examples at most.
    pub examples: usize,
    /// The merged feed as it is now.
    pub window: Choice,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// Of each feed that has entries: how many match, of how many.
    pub feeds: BTreeMap<FeedId, (u64, u64)>,
    /// The newest that match.
    pub newest: Vec<Example>,
    /// What would be dropped of what the merged feed shows now, in its order.
    pub dropped: Vec<Example>,
    /// How many of those it shows would get a tag, by tag.
    pub tagged: BTreeMap<String, usize>,
    /// How many of them would be marked.
    pub highlighted: usize,
    /// How many it shows.
    pub shown: usize,
}

/// An entry that matches.
#[derive(Debug)]
pub struct Example {
    /// Its latest revision.
    pub seq: ArticleSeq,
    /// Whose.
    pub feed: FeedId,
    /// Its date.
    pub date: Timestamp,
    /// Its title.
    pub title: String,
    /// The rules that match, each with where the words it wants stand.
    pub why: Vec<(String, Vec<String>)>,
}

impl Hearing<'_> {
    /// Reads every entry there is.
    pub fn hold(&self) -> Result<Heard, StoreError> {
        let mut heard = Heard::default();
        let mut newest = BTreeMap::new();
        let mut after = None;
        loop {
            let (articles, upto) = self.store.unjudged(after)?;
            for stored in &articles {
                if self.since.is_some_and(|since| stored.date() < since) {
                    continue;
                }
                let (matches, all) = heard.feeds.entry(stored.feed.clone()).or_default();
                *all += 1;
                let matching = self.matching(stored);
                if matching.is_empty() {
                    continue;
                }
                *matches += 1;
                newest.insert((stored.date(), stored.seq), self.example(stored, &matching));
                if newest.len() > self.examples {
                    newest.pop_first();
                }
            }
            if articles.is_empty() || upto == after {
                break;
            }
            after = upto;
        }
        heard.newest = newest.into_values().rev().collect();
        self.look_at_the_window(&mut heard)?;
        Ok(heard)
    }

    fn look_at_the_window(&self, heard: &mut Heard) -> Result<(), StoreError> {
        let shown = self.store.lineup(&self.window)?.articles;
        heard.shown = shown.len();
        for stored in self.store.articles(&shown)? {
            let matching = self.matching(&stored);
            let acts: Vec<&Act> = ruling::acts(self.rules, &matching)
                .map(|(_, act)| act)
                .collect();
            if acts.contains(&&Act::Drop) {
                heard.dropped.push(self.example(&stored, &matching));
            }
            let marks = ruling::marks(acts);
            heard.highlighted += usize::from(marks.highlight);
            for tag in marks.tags {
                *heard.tagged.entry(tag).or_default() += 1;
            }
        }
        Ok(())
    }

    fn matching(&self, stored: &StoredArticle) -> Vec<usize> {
        let mut matching = judged_safely(self.rules, stored, self.tags);
        matching.retain(|place| (self.told)(*place));
        matching
    }

    fn example(&self, stored: &StoredArticle, matching: &[usize]) -> Example {
        let rules = matching.iter().filter_map(|place| self.rules.get(*place));
        Example {
            seq: stored.seq,
            feed: stored.feed.clone(),
            date: stored.date(),
            title: stored.article.title.clone(),
            why: rules
                .map(|rule| (rule.text.name.clone(), ruling::found(rule, stored)))
                .collect(),
        }
    }
}
