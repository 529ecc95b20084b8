//! What becomes of an entry that is here and comes otherwise: a revision, or nothing (P-125 to P-127, P-135).
//!
//! - The publisher's date decides whether a change is significant (RFC 4287 §4.2.15): `atom:updated` moves where that
//!   date moved forward, and never by what we see ourselves.
//! - Words that are new and dated are stored, 24 revisions a day at most.
//! - All other changes (without a new date, a date alone, a clock in the text, old words again) are stored 24 times in
//!   the entry's life.
//! - Old words are taken again at once, once. Whoever comes back to old words a second time has several editions: the
//!   entry stays as it is. So does one whose date went back. What is held so is taken when it came four times in a row and
//!   for a day, and by words that were never here the entry moves on.

mod clock;

use std::time::Duration;

use crate::model::article::Article;
use crate::model::content::RawHash;
use crate::model::poll::KnownEntry;
use crate::model::revision::{Held, Hold, Temper};
use crate::model::time::Timestamp;
use crate::rules::normalise::plausible;

/// Changes of an entry that bring no dated new words, at most (P-126).
pub const QUIET: u32 = 24;

/// Revisions of an entry within a day, at most. We ask more often than that; nobody reads more often.
pub const A_DAY: usize = 24;

/// So many revisions of an entry are looked at, the latest.
pub const LOOKED_BACK: usize = 64;

const DAY: Duration = Duration::from_hours(24);

/// What is held has to come so often in a row, and for a day, to be taken.
const STAYS: u32 = 4;

/// The page behind an entry that is held is asked so often.
const PATIENCE: Duration = Duration::from_hours(8);

/// What is stored of an entry.
#[derive(Clone, Debug)]
pub struct Before<'a> {
    /// What is known of it.
    pub known: &'a KnownEntry,
    /// Its latest revisions, newest first: hash as published, and when they were stored.
    pub revisions: &'a [(RawHash, Timestamp)],
}

/// What becomes of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is what is stored.
    None,
    /// A revision. `moves`: so does `atom:updated`; `quiet`: it is one of the [`QUIET`].
    Revision {
        /// By the publisher's word.
        moves: bool,
        /// Without dated new words.
        quiet: bool,
    },
    /// Nothing is stored.
    Held(Held),
}

/// Decides. `only_the_clock` says whether the texts differ in a time of day alone; it is asked where that matters.
pub fn change<E>(
    article: &Article,
    before: &Before<'_>,
    at: Timestamp,
    only_the_clock: impl FnOnce() -> Result<bool, E>,
) -> Result<Change, E> {
    let known = before.known;
    let dates = Dates::of(article, known);
    let same = article.raw == known.raw;
    if same && !dates.anew {
        return Ok(Change::None);
    }
    let withheld = |why| Ok(Change::Held(held(known.temper.held, why, article.raw, at)));
    let had = !same && before.revisions.iter().any(|(raw, _)| *raw == article.raw);
    let doubt = if same {
        None
    } else if dates.back {
        Some(Hold::Older)
    } else if had && returned(before.revisions) {
        Some(Hold::Returned)
    } else {
        None
    };
    if let Some(why) = doubt {
        let held = held(known.temper.held, why, article.raw, at);
        if held.seen < STAYS || at.since(held.stays) < DAY {
            return Ok(Change::Held(held));
        }
    }
    if dates.forward && !same && !had && !only_the_clock()? {
        let of_late = before.revisions.iter();
        let of_late = of_late.filter(|(_, recorded)| *recorded > at.minus(DAY));
        if of_late.count() >= A_DAY {
            return withheld(Hold::Often);
        }
        return Ok(Change::Revision {
            moves: true,
            quiet: false,
        });
    }
    if known.temper.quiet >= QUIET {
        return withheld(Hold::Spent);
    }
    Ok(Change::Revision {
        moves: dates.forward,
        quiet: true,
    })
}

/// Whether some revision has words that another had before it.
fn returned(revisions: &[(RawHash, Timestamp)]) -> bool {
    let later = |place: usize| revisions.iter().skip(place + 1);
    revisions
        .iter()
        .enumerate()
        .any(|(place, (raw, _))| later(place).any(|(other, _)| other == raw))
}

/// What is held now, after what was.
fn held(before: Option<Held>, why: Hold, raw: RawHash, at: Timestamp) -> Held {
    let anew = Held {
        why,
        since: before.map_or(at, |held| held.since),
        raw,
        stays: at,
        seen: 1,
        last: at,
    };
    match before.filter(|held| held.why == why) {
        // Whatever comes, nothing is taken: it need not be followed.
        Some(held) if why == Hold::Spent => {
            if at.since(held.last) < PATIENCE {
                held
            } else {
                Held { last: at, ..held }
            }
        }
        Some(held) if held.raw == raw && held.seen > 0 => Held {
            seen: held.seen.saturating_add(1).min(STAYS),
            last: at,
            ..held
        },
        _ => anew,
    }
}

/// How the publisher's dates compare to those that are stored.
struct Dates {
    /// The date it was last changed by is later.
    forward: bool,
    /// The same, and it was dated in this way before: without other words that is a change, too (P-125).
    anew: bool,
    /// It is earlier.
    back: bool,
}

impl Dates {
    fn of(article: &Article, known: &KnownEntry) -> Self {
        let mut dates = Self {
            forward: false,
            anew: false,
            back: false,
        };
        match (article.updated, known.updated) {
            (Some(new), Some(old)) => {
                dates.forward = new > old;
                dates.anew = new > old;
                dates.back = new < old;
            }
            // It begins to date its changes.
            (Some(new), None) => dates.forward = new > known.revised,
            (None, Some(_)) => {}
            // RSS has one date alone, and many move it when they change something.
            (None, None) => {
                dates.forward = matches!((article.published, known.published), (Some(new), Some(old)) if new > old);
            }
        }
        dates
    }
}

/// Whether the texts are the same but for a time of day or a moment in their addresses.
pub fn only_the_clock(before: &Article, after: &Article) -> bool {
    let summary = |article: &Article| article.summary.as_ref().map(|s| s.text.clone());
    clock::same(&before.title, &after.title)
        && clock::same(&before.body.text, &after.body.text)
        && clock::same(
            &summary(before).unwrap_or_default(),
            &summary(after).unwrap_or_default(),
        )
        && before.authors == after.authors
        && before.categories == after.categories
        && before.link == after.link
        && before.enclosures == after.enclosures
}

/// `atom:updated` of an article stored at `at`, where `previous` is that of the revision before it. It moves by the
/// publisher's word alone, and never back (F-07).
pub fn revised(
    article: &Article,
    previous: Option<Timestamp>,
    moves: bool,
    at: Timestamp,
) -> Timestamp {
    let said = article.updated.or(article.published);
    match previous {
        None => said.unwrap_or(at),
        Some(previous) if moves => previous.max(said.unwrap_or(previous)),
        Some(previous) => previous,
    }
}

/// Whether an entry that comes with the words that are stored, or with the teaser that led to them, is worth a look for
/// its date (P-125).
pub fn dated_anew(known: &KnownEntry, updated: Option<Timestamp>, at: Timestamp) -> bool {
    let updated = updated.filter(|date| plausible(*date, at));
    let anew = matches!((updated, known.updated), (Some(new), Some(old)) if new > old);
    anew && is_due(&known.temper, at)
}

/// Whether an entry that comes with another teaser is worth a request for its page: one that is held is not, at every
/// poll.
pub fn worth_asking(known: &KnownEntry, updated: Option<Timestamp>, at: Timestamp) -> bool {
    let updated = updated.filter(|date| plausible(*date, at));
    let dated = matches!((updated, known.updated), (Some(new), Some(old)) if new > old);
    if !dated && known.temper.quiet >= QUIET {
        return false;
    }
    is_due(&known.temper, at)
}

fn is_due(temper: &Temper, at: Timestamp) -> bool {
    temper
        .held
        .is_none_or(|held| at.since(held.last) >= PATIENCE || held.last > at)
}

/// Whether what is held may be taken later as it is: then it has to be read again.
pub fn waits(why: Hold) -> bool {
    why != Hold::Spent
}

#[cfg(test)]
mod tests;
