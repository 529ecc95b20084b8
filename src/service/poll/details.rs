//! The pages of entries that a listing only points at, or has not all words of.

use std::sync::Arc;

use crate::fetch::Fetch;
use crate::model::article::Article;
use crate::model::entry::{Draft, EntryKey, Skipped, Teaser};
use crate::model::http::Ask;
use crate::model::revision::{How, Withdrawal};
use crate::model::time::Timestamp;
use crate::model::visit::Visit;
use crate::rules::settle::Trouble;
use crate::service::poll::page::{Came, Miss, MissKind, page};
use crate::service::poll::plan::{Behind, Due, Rest, name, take};
use crate::service::poll::{Desk, Job, fulltext, offload};
use crate::service::robots::Met;

/// What came of the detail pages.
#[derive(Default)]
pub(super) struct Details {
    /// Entries that were had.
    pub articles: Vec<Article>,
    /// Entries that were not.
    pub skipped: Vec<Skipped>,
    /// Entries whose pages are not worth a request at every poll.
    pub missed: Vec<EntryKey>,
    /// Entries whose pages are gone by their publisher's word.
    pub gone: Vec<Withdrawal>,
    /// Entries that stay as they are, since their pages may not be asked any more.
    pub known: usize,
    /// What was done otherwise than ordered.
    pub notes: Vec<String>,
    /// Something is left that the next poll can have.
    pub left: bool,
    asked: usize,
    /// Bytes of the pages that came.
    pub bytes: u64,
    /// Those pages, as far as they are to be kept.
    pub visits: Vec<Visit>,
    /// Every page failed, or we were told to stay away.
    pub trouble: Option<Trouble>,
}

/// So many pages that fail without one that does not are the feed's failure.
const IN_A_ROW: usize = 3;

/// Asks for the detail pages, the listing's first (its newest) first, one after the other: those that robots.txt allows
/// (P-164). Of `rest` nothing has to be asked.
pub(super) async fn complete<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teasers: Vec<Due>,
    rest: &Rest,
    at: Timestamp,
) -> Details {
    let mut done = Details::default();
    let (mut met, mut came, mut otherwise) = (Met::new(), Came::default(), Otherwise::default());
    // Pages that nobody could have read as they are: lost one by one, or all of them because their form is new.
    let mut unread = Vec::new();
    let (mut failed, mut last) = (0, None);
    for due in teasers {
        let Due {
            key,
            teaser,
            behind,
        } = due;
        if done.asked == desk.details_per_poll {
            done.left = true;
            break;
        }
        done.asked += 1;
        let hash = Some(teaser.draft.raw_hash());
        let teaser = Arc::new(teaser);
        let had = entry(desk, job, &teaser, behind, &mut came, &mut met).await;
        match came.visit(job, key.as_ref(), behind.form(), &teaser.draft, at) {
            Ok(visit) => done.visits.extend(visit),
            Err(why) => otherwise.unkept.note(&why),
        }
        let (articles, skipped) = (&mut done.articles, &mut done.skipped);
        let miss = match had {
            Ok(draft) => {
                take(draft, key, hash, at, articles, skipped);
                continue;
            }
            Err(miss) => miss,
        };
        done.asked -= usize::from(!miss.sent);
        done.gone.extend(gone(&miss, key.as_ref()));
        // What was read from its page before is not to be lost for what the list says.
        let was_whole = match behind {
            Behind::Detail => key.as_ref().is_some_and(|key| rest.whole.contains(key)),
            Behind::Page { had } => had,
        };
        let own = || Draft {
            note: Some(format!("the feed's own words: {}", miss.why)),
            ..teaser.draft.clone()
        };
        match (miss.kind, behind) {
            (MissKind::Forbidden, _) if was_whole => {
                otherwise.untouched.note(&miss.why);
                done.known += 1;
            }
            (MissKind::Forbidden, Behind::Detail) => {
                otherwise.listed.note(&miss.why);
                take(teaser.draft.clone(), key, hash, at, articles, skipped);
            }
            (MissKind::Forbidden, Behind::Page { .. }) => {
                otherwise.own.note(&miss.why);
                take(own(), key, hash, at, articles, skipped);
            }
            (_, Behind::Page { had: false }) => {
                otherwise.own.note(&miss.why);
                done.missed.extend(key.clone());
                take(own(), key, None, at, articles, skipped);
            }
            (MissKind::PutOff, _) => {
                otherwise.waiting.note(&miss.why);
                done.left = true;
            }
            (kind, _) => {
                match (kind, behind) {
                    (MissKind::Passing, Behind::Detail) => done.left = true,
                    (MissKind::Unread, Behind::Detail) => unread.extend(key),
                    _ => done.missed.extend(key), // it is not asked at every poll: what there is of it stays
                }
                done.skipped.push(Skipped {
                    what: name(&teaser.draft),
                    why: miss.why.clone(),
                });
            }
        }
        if matches!(miss.kind, MissKind::Forbidden | MissKind::PutOff) {
            continue;
        }
        failed += 1;
        let told_to_stay_away = miss.retry_after.is_some();
        last = Some(miss);
        if told_to_stay_away {
            done.left = true;
            break;
        }
    }
    // One page that fails is that entry's trouble. It is the feed's when nothing speaks for the feed.
    let all_failed = failed == done.asked && (rest.known == 0 || failed >= IN_A_ROW);
    done.trouble = last
        .filter(|miss| all_failed || miss.retry_after.is_some())
        .map(|miss| Trouble {
            why: format!("detail pages cannot be had: {}", miss.why),
            retry_after: miss.retry_after,
        });
    if done.trouble.is_none() {
        done.missed.extend(unread);
    }
    done.notes.extend(otherwise.told());
    done.bytes = came.bytes;
    done
}

/// The entry, if its publisher says that its page is gone. Where another route may still have it, it is not.
fn gone(miss: &Miss, key: Option<&EntryKey>) -> Option<Withdrawal> {
    let key = key.filter(|_| miss.gone && miss.kind == MissKind::Lost)?;
    Some(Withdrawal {
        key: key.clone(),
        how: How::Gone,
        said: None,
        comment: None,
    })
}

/// Entries that are not what their pages would have made them.
#[derive(Default)]
struct Otherwise {
    listed: Tally,
    own: Tally,
    untouched: Tally,
    waiting: Tally,
    unkept: Tally,
}

impl Otherwise {
    fn told(self) -> impl Iterator<Item = String> {
        let told = [
            self.listed.told("are kept as the list has them"),
            self.own.told("have the feed's own words"),
            self.untouched.told("stay as they were read before"),
            self.waiting.told("wait for another poll"),
            self.unkept.told("have pages that are not kept"),
        ];
        told.into_iter().flatten()
    }
}

/// How many, and why the first of them.
#[derive(Default)]
struct Tally(usize, String);

impl Tally {
    fn note(&mut self, why: &str) {
        if self.0 == 0 {
            why.clone_into(&mut self.1);
        }
        self.0 += 1;
    }

    fn told(self, what: &str) -> Option<String> {
        let Self(count, why) = self;
        (count > 0).then(|| format!("{count} entries {what}: {why}"))
    }
}

/// One entry, by what there is to be read behind it.
async fn entry<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    behind: Behind,
    came: &mut Came,
    met: &mut Met,
) -> Result<Draft, Miss> {
    match behind {
        Behind::Detail => detail(desk, job, teaser, came, met).await,
        Behind::Page { .. } => fulltext::article(desk, job, teaser, came, met).await,
    }
}

/// One entry's page, by the best route that may be asked and works.
async fn detail<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    came: &mut Came,
    met: &mut Met,
) -> Result<Draft, Miss> {
    let mut first_miss: Option<Miss> = None;
    for (route, ask) in teaser.details.iter().enumerate() {
        let miss = match one_route(desk, job, teaser, (route, ask.clone()), (came, met)).await {
            Ok(draft) => return Ok(draft),
            Err(miss) if miss.retry_after.is_some() => return Err(miss),
            Err(miss) => miss,
        };
        first_miss = Some(match first_miss {
            // That another route is forbidden is not why this one failed.
            Some(first) if first.kind == MissKind::Forbidden => miss,
            Some(first) => Miss {
                kind: first.kind.max(miss.kind),
                sent: first.sent || miss.sent,
                gone: first.gone || miss.gone,
                ..first
            },
            None => miss,
        });
    }
    Err(first_miss
        .unwrap_or_else(|| Miss::new("no route to its page".to_owned(), MissKind::Unread)))
}

async fn one_route<W: Fetch>(
    desk: &Desk<W>,
    job: &Arc<Job>,
    teaser: &Arc<Teaser>,
    (route, ask): (usize, Ask),
    (came, met): (&mut Came, &mut Met),
) -> Result<Draft, Miss> {
    came.route = route;
    let page = page(desk, job, ask, came, met).await?;
    let teaser = Arc::clone(teaser);
    let read = move |job: &Job| {
        job.source
            .complete(&job.subscription, &teaser, route, &page)
    };
    let unread = |why| Miss::new(why, MissKind::Unread);
    match offload(desk, job, read).await {
        Ok(Ok(draft)) => Ok(draft),
        Ok(Err(error)) => Err(unread(error.to_string())),
        Err(defect) => Err(unread(format!("a defect in feedmill: {defect}"))),
    }
}
