//! Kept pages read again by today's rules: what would be stored now, without a request to anybody.

use std::collections::HashMap;

use tokio::task::spawn_blocking;

use crate::model::article::{Article, StoredArticle};
use crate::model::entry::{Draft, EntryKey, Teaser};
use crate::model::feed::{FullText, Subscription};
use crate::model::http::Page;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::Verdict;
use crate::model::time::Timestamp;
use crate::model::visit::{Form, KeptPage, Visit};
use crate::rules::extract::{self, Joined};
use crate::rules::normalise;
use crate::service::poll::find;
use crate::source::Source;
use crate::store::{Store, StoreError, unpress_page};

/// So many visits are dealt with before what came of them is stored.
const TOGETHER: usize = 50;

/// What is to be read again.
pub struct Reextract {
    /// Where the pages are.
    pub store: Store,
    /// Whose, by today's orders.
    pub feeds: Vec<(Subscription, &'static dyn Source)>,
    /// Nothing is stored.
    pub dry_run: bool,
    /// Articles that lose words are taken over, too.
    pub shorter: bool,
    /// When.
    pub now: Timestamp,
}

/// What came of one entry.
#[derive(Debug)]
pub struct Outcome {
    /// Its feed.
    pub feed: FeedId,
    /// The entry: its link, else its title.
    pub what: String,
    /// What came of it.
    pub fate: Fate,
}

/// What today's rules make of an entry's pages.
#[derive(Debug)]
pub enum Fate {
    /// What is stored already.
    Same,
    /// Something else.
    Changed(Box<Change>),
    /// Fewer words than are stored: it is left alone. Why, in plain words.
    Worse(String),
    /// What is stored came later and from elsewhere, or the pages are not ordered any more: it is left alone.
    Passed,
    /// Nothing: they cannot be read. Why, in plain words.
    Unread(String),
}

/// An article that is otherwise by today's rules.
#[derive(Debug)]
pub struct Change {
    /// As it is stored; `None`: it is not, since its pages could not be read before.
    pub before: Option<StoredArticle>,
    /// As it is now.
    pub after: Article,
    /// What the store made of it, where it was told.
    pub stored: Option<(ArticleSeq, Verdict)>,
}

/// Why a visit gives no article.
enum Lost {
    Thin(String),
    Unread(String),
}

impl Reextract {
    /// Reads everything again, feed by feed, each entry's last visit, and tells what comes of it.
    pub async fn run<E: From<StoreError>>(
        &self,
        mut told: impl FnMut(&Outcome) -> Result<(), E>,
    ) -> Result<(), E> {
        for (subscription, source) in &self.feeds {
            let visits = self.store.visits(&subscription.id)?;
            for some in visits.chunks(TOGETHER) {
                let mut outcomes = Vec::new();
                for number in some {
                    outcomes.extend(self.again(subscription, *source, *number).await?);
                }
                if !self.dry_run {
                    self.keep(&subscription.id, &mut outcomes).await?;
                }
                outcomes.iter().try_for_each(&mut told)?;
            }
        }
        Ok(())
    }

    /// One visit; `None` where it has gone meanwhile.
    async fn again(
        &self,
        subscription: &Subscription,
        source: &'static dyn Source,
        number: i64,
    ) -> Result<Option<Outcome>, StoreError> {
        let feed = subscription.id.clone();
        let visit = match self.store.visit(number) {
            Ok(Some(visit)) => visit,
            Ok(None) => return Ok(None),
            // One row that is damaged is that entry's trouble.
            Err(error @ StoreError::BadValue { .. }) => {
                return Ok(Some(Outcome {
                    feed,
                    what: format!("visit {number}"),
                    fate: Fate::Unread(error.to_string()),
                }));
            }
            Err(error) => return Err(error),
        };
        let link = visit.teaser.link.as_ref().map(ToString::to_string);
        let what = link.or_else(|| visit.teaser.title.clone());
        let fate = self.fate(subscription, source, visit).await?;
        Ok(Some(Outcome {
            feed,
            what: what.unwrap_or_else(|| format!("visit {number}")),
            fate,
        }))
    }

    async fn fate(
        &self,
        subscription: &Subscription,
        source: &'static dyn Source,
        visit: Visit,
    ) -> Result<Fate, StoreError> {
        let ordered = match visit.form {
            Form::Detail => visit.source == subscription.source,
            Form::Article => subscription.fulltext != FullText::Feed,
        };
        if !ordered {
            return Ok(Fate::Passed);
        }
        let (key, at, teaser) = (visit.key.clone(), visit.at, visit.teaser.raw_hash());
        let known = self
            .store
            .known(&subscription.id, std::slice::from_ref(&key))?;
        let known = known.get(&key);
        let before = match known {
            Some(known) => self.store.article(known.latest)?,
            None => None,
        };
        // What was let go by order is not brought back by old pages.
        if before
            .as_ref()
            .is_some_and(|before| before.pruned.is_some())
        {
            return Ok(Fate::Passed);
        }
        if let (Some(known), Some(before)) = (known, &before) {
            let from_here = known.teaser == Some(teaser) || known.raw == teaser;
            if !from_here && before.recorded > at {
                return Ok(Fate::Passed);
            }
        }
        let subscription = subscription.clone();
        let step = move || replay(source, &subscription, &visit);
        let draft = match spawn_blocking(step).await {
            Ok(Ok(draft)) => draft,
            Ok(Err(Lost::Thin(why))) => return Ok(Fate::Worse(why)),
            Ok(Err(Lost::Unread(why))) => return Ok(Fate::Unread(why)),
            Err(defect) => return Ok(Fate::Unread(format!("a defect in feedmill: {defect}"))),
        };
        let after = match normalise::normalise(Some(key), draft, Some(teaser), at) {
            Ok(article) => article,
            Err(unfit) => return Ok(Fate::Unread(unfit.to_string())),
        };
        if known.is_some_and(|known| known.raw == after.raw) {
            return Ok(Fate::Same);
        }
        if let Some(why) = before
            .as_ref()
            .filter(|_| !self.shorter)
            .and_then(|before| worse(&before.article, &after))
        {
            return Ok(Fate::Worse(why));
        }
        Ok(Fate::Changed(Box::new(Change {
            before,
            after,
            stored: None,
        })))
    }

    /// Stores what has changed, those that were never stored oldest first.
    async fn keep(&self, feed: &FeedId, outcomes: &mut [Outcome]) -> Result<(), StoreError> {
        let mut changed: Vec<&mut Change> = outcomes
            .iter_mut()
            .filter_map(|outcome| match &mut outcome.fate {
                Fate::Changed(change) => Some(&mut **change),
                _ => None,
            })
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        changed.sort_by_key(|change| change.after.published.or(change.after.updated));
        let articles = changed.iter().map(|change| change.after.clone()).collect();
        let recorded = self.store.revise(feed, self.now, articles).await?;
        let stored: HashMap<EntryKey, _> = recorded
            .articles
            .into_iter()
            .map(|(key, seq, verdict)| (key, (seq, verdict)))
            .collect();
        for change in changed {
            change.stored = stored.get(&change.after.key).copied();
        }
        Ok(())
    }
}

/// Why the article has become worse, if it has: by the rule that a page is no better than its feed.
fn worse(before: &Article, after: &Article) -> Option<String> {
    let had = normalise::words(&before.body);
    let has = characters(&normalise::words(&after.body));
    extract::is_scant(has, &had).then(|| {
        let had = characters(&had);
        format!("today's rules find {has} characters of it, and {had} are stored")
    })
}

fn characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The entry as a poll would have it that got these pages today.
fn replay(
    source: &'static dyn Source,
    subscription: &Subscription,
    visit: &Visit,
) -> Result<Draft, Lost> {
    match visit.form {
        Form::Detail => detail(source, subscription, visit).map_err(Lost::Unread),
        Form::Article => article(subscription, visit),
    }
}

fn detail(
    source: &'static dyn Source,
    subscription: &Subscription,
    visit: &Visit,
) -> Result<Draft, String> {
    let teaser = Teaser {
        draft: visit.teaser.clone(),
        details: Vec::new(),
    };
    let mut lost = None;
    for kept in &visit.pages {
        let read = page(kept).and_then(|page| {
            let read = source.complete(subscription, &teaser, kept.route, &page);
            read.map_err(|error| error.to_string())
        });
        match read {
            Ok(draft) => return Ok(draft),
            Err(why) => lost = lost.or(Some(why)),
        }
    }
    Err(lost.unwrap_or_else(|| "no page".to_owned()))
}

fn article(subscription: &Subscription, visit: &Visit) -> Result<Draft, Lost> {
    let words = extract::feeds_words(&visit.teaser);
    let read = |kept: &KeptPage, words: &str| {
        let page = page(kept)?;
        find(subscription, &page, words).map_err(|error| error.to_string())
    };
    let Some(first) = visit.pages.first() else {
        return Err(Lost::Unread("no page".to_owned()));
    };
    let found = read(first, &words).map_err(Lost::Unread)?;
    let mut joined = Joined::begin(&first.asked, &first.url, found);
    while let Some(next) = joined.goes_on_at() {
        joined.add(match visit.pages.iter().find(|kept| kept.asked == next) {
            Some(kept) => read(kept, ""),
            None => Err("it was not kept".to_owned()),
        });
    }
    joined
        .finish(visit.teaser.clone(), &words)
        .map_err(Lost::Thin)
}

fn page(kept: &KeptPage) -> Result<Page, String> {
    Ok(Page {
        url: kept.url.clone(),
        media_type: kept.media_type.clone(),
        charset: kept.charset.clone(),
        links: Vec::new(),
        bytes: unpress_page(&kept.body)?,
    })
}
