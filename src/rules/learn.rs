//! What a poll teaches about its feed.

use crate::model::feed::FeedState;
use crate::model::http::FetchError;
use crate::model::learned::{Gap, Learned, Refusal, Rhythm, Sights};
use crate::model::poll::Reading;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::settle::Answer;
use crate::rules::{honesty, moves};

/// What is known of a feed after an answer. What failed teaches nothing of its rhythm: the next good poll covers its
/// time too.
pub fn learn(feed: &FeedState, asked: Asked<'_>, at: Timestamp, answer: &Answer) -> Learned {
    let mut learned = Learned {
        refusal: refusal(feed.learned.refusal, answer),
        ..feed.learned.clone()
    };
    let observe = |learned: &mut Learned, to: &Option<PageUrl>, same| {
        if let Some(urls) = asked.urls {
            moves::observe(learned, urls, to.as_ref(), same, at);
        }
    };
    match answer {
        Answer::Read {
            reading,
            freshness,
            bytes,
            moved_to,
            trouble: None,
        } => {
            learned.rhythm = rhythm(feed, at, reading);
            learned.sights = sights(feed, at, reading);
            learned.hints = reading.hints.clone();
            learned.window = reading.entries;
            learned.lifetime = freshness.0;
            if reading.articles.is_empty() && reading.known > 0 {
                learned.unchanged = mean(learned.unchanged, *bytes);
            }
            observe(&mut learned, moved_to, moves::is_same(feed, reading));
        }
        Answer::SameBytes {
            freshness,
            bytes,
            moved_to,
            ..
        } => {
            learned.rhythm = quiet(feed, at);
            learned.lifetime = freshness.0;
            learned.unchanged = mean(learned.unchanged, *bytes);
            observe(&mut learned, moved_to, true);
        }
        Answer::NotModified {
            freshness,
            moved_to,
            ..
        } => {
            learned.rhythm = quiet(feed, at);
            learned.lifetime = freshness.0.or(learned.lifetime); // P-09
            learned.unchanged = 0;
            observe(&mut learned, moved_to, true);
        }
        Answer::RateLimited { status: 429, .. } => learned.slowed = learned.slowed.told(at), // P-35
        // A list without a page behind it is no sight of the feed either.
        Answer::Read {
            trouble: Some(_), ..
        }
        | Answer::RateLimited { .. }
        | Answer::Gone
        | Answer::Unfetched(_)
        | Answer::Unread(_)
        | Answer::Defect(_) => {}
    }
    let good = matches!(
        answer,
        Answer::Read { .. } | Answer::SameBytes { .. } | Answer::NotModified { .. }
    );
    if !good
        && asked.urls.is_some_and(|(ordered, asked)| ordered == asked)
        && let Some(address) = &mut learned.address
    {
        address.tried_old = true;
    }
    learned.ordered = asked.urls.map(|(ordered, _)| ordered.as_str().to_owned());
    learned.schedule = asked.schedule.map(str::to_owned);
    learned.credentials = asked.credentials;
    learned.honesty = honesty::after(feed, asked.probe, at, answer);
    learned
}

/// How a feed was asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The address in our orders, and the one that was asked.
    pub urls: Option<(&'a PageUrl, &'a PageUrl)>,
    /// The cron schedule in our orders.
    pub schedule: Option<&'a str>,
    /// The mark of the credentials we showed.
    pub credentials: Option<u32>,
    /// Without the validators we have, to see whether its 304s are honest (P-12).
    pub probe: bool,
}

/// Whether nobody asks this feed any more by the clock: it said twice that it is gone (P-45), or that we may not (P-46).
/// An order by name still asks, and an answer of another kind resumes.
pub fn is_stopped(learned: &Learned) -> bool {
    learned.refusal.is_some_and(is_final)
}

/// Whether that was said often enough.
pub fn is_final(refusal: Refusal) -> bool {
    refusal.times >= 2
}

fn refusal(before: Option<Refusal>, answer: &Answer) -> Option<Refusal> {
    let status = match answer {
        Answer::Gone => 410,
        Answer::Unfetched(FetchError::Status { status: 401, .. }) => 401,
        // Out of reach, or told to wait: nothing was said about the feed.
        Answer::RateLimited { .. } | Answer::Defect(_) => return before,
        Answer::Unfetched(error) if !matches!(error, FetchError::Status { .. }) => return before,
        _ => return None,
    };
    let times = before
        .filter(|before| before.status == status)
        .map_or(0, |before| before.times);
    Some(Refusal {
        status,
        times: times.saturating_add(1),
    })
}

fn rhythm(feed: &FeedState, at: Timestamp, reading: &Reading) -> Rhythm {
    match feed.last_success {
        Some(before) => {
            let rhythm = &feed.learned.rhythm;
            rhythm.after_poll(before, at, &reading.arrivals, overran(feed, reading))
        }
        None => Rhythm::first(at, &reading.arrivals),
    }
}

/// Whether none of the entries was known, of a feed that had some: others may have come and gone unseen (P-133).
fn overran(feed: &FeedState, reading: &Reading) -> bool {
    reading.entries > 0 && !reading.met && feed.learned.window > 0 && !reading.roll.first
}

/// What its documents were like, with this one.
fn sights(feed: &FeedState, at: Timestamp, reading: &Reading) -> Option<Box<Sights>> {
    let (before, roll) = (feed.learned.sights(), &reading.roll);
    let sights = Sights {
        lying: roll.lying.then_some(at).or(before.lying),
        made: roll.made.filter(|_| !roll.older).or(before.made),
        gap: gap(feed, at, reading).or(before.gap),
    };
    (sights != Sights::default()).then(|| Box::new(sights))
}

/// How many may have come and gone unseen, where any may: what the rhythm lets expect and the document does not hold.
fn gap(feed: &FeedState, at: Timestamp, reading: &Reading) -> Option<Gap> {
    let from = feed
        .last_success
        .filter(|_| overran(feed, reading) && !reading.roll.older)?;
    let days = at.since(from).as_secs_f64() / 86_400.0;
    let expected = (feed.learned.rhythm.per_day() * days).min(1e6) - f64::from(reading.entries);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 1 and 1e6
    let entries = expected.max(1.0) as u32;
    Some(Gap {
        from,
        to: at,
        entries,
    })
}

/// Nothing came.
fn quiet(feed: &FeedState, at: Timestamp) -> Rhythm {
    let rhythm = &feed.learned.rhythm;
    feed.last_success.map_or_else(
        || rhythm.clone(),
        |before| rhythm.after_poll(before, at, &[], false),
    )
}

fn mean(before: u64, bytes: u64) -> u64 {
    if before == 0 {
        bytes
    } else {
        before.midpoint(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::model::http::Freshness;
    use crate::model::learned::Memory;

    const HOUR: Duration = Duration::from_hours(1);
    const AT: Timestamp = Timestamp::EPOCH;

    fn feed() -> FeedState {
        FeedState::new("f".parse().unwrap())
    }

    fn not_modified(hours: Option<u32>, moved_to: Option<&str>) -> Answer {
        Answer::NotModified {
            validators: None,
            freshness: Freshness(hours.map(|hours| HOUR * hours)),
            moved_to: moved_to.map(|url| PageUrl::parse(url).unwrap()),
        }
    }

    /// What is known after these answers, a day apart.
    fn after(answers: &[Answer]) -> Learned {
        let mut feed = feed();
        for (day, answer) in (0..).zip(answers) {
            feed.learned = learn(&feed, Asked::default(), AT.plus(HOUR * 24 * day), answer);
        }
        feed.learned
    }

    #[test]
    fn p_09_a_bare_304_is_as_fresh_as_the_answer_before_it() {
        let lifetime = |answers: &[Answer]| after(answers).lifetime;
        let two = || not_modified(Some(2), None);
        assert_eq!(lifetime(&[two(), not_modified(None, None)]), Some(HOUR * 2));
        assert_eq!(
            lifetime(&[two(), not_modified(Some(6), None)]),
            Some(HOUR * 6)
        );
        let same = Answer::SameBytes {
            validators: None,
            freshness: Freshness(None),
            bytes: 1,
            moved_to: None,
        };
        assert_eq!(lifetime(&[two(), same]), None, "a 200 says it all anew");
    }

    #[test]
    fn p_133_a_document_without_a_known_entry_is_a_gap() {
        let seen = |entries: u32, met: bool, window: u32, hours: u32| {
            let mut feed = feed();
            feed.last_success = Some(AT);
            feed.learned.window = window;
            feed.learned.rhythm.slow = Memory {
                entries: 24.0 * 14.0,
                days: 14.0,
            };
            let answer = Answer::Read {
                reading: Box::new(Reading {
                    entries,
                    met,
                    ..Reading::default()
                }),
                freshness: Freshness(None),
                trouble: None,
                bytes: 1,
                moved_to: None,
            };
            let learned = learn(&feed, Asked::default(), AT.plus(HOUR * hours), &answer);
            let gap = learned.sights().gap;
            assert_eq!(gap.is_some(), learned.rhythm.overrun.is_some());
            gap.map(|gap| gap.entries)
        };
        assert_eq!(seen(10, true, 10, 30), None, "one was known");
        assert_eq!(seen(10, false, 0, 30), None, "there were none before");
        assert_eq!(seen(0, false, 10, 30), None, "there are none");
        assert_eq!(seen(10, false, 10, 1), Some(1), "at least one");
        // 337 entries in 16 days: 21 a day, of which the document shows ten.
        assert_eq!(seen(10, false, 10, 24), Some(11));
        assert_eq!(seen(10, false, 10, 240), Some(200));
    }

    #[test]
    fn p_45_p_46_two_refusals_in_a_row_stop_a_feed() {
        let status = |status| {
            Answer::Unfetched(FetchError::Status {
                status,
                retry_after: None,
            })
        };
        let lost = || Answer::Unfetched(FetchError::Incomplete("cut".to_owned()));
        let stopped = |answers: &[Answer]| is_stopped(&after(answers));
        assert!(!stopped(&[Answer::Gone]));
        assert!(stopped(&[Answer::Gone, Answer::Gone]));
        assert!(stopped(&[Answer::Gone, lost(), Answer::Gone]));
        assert!(stopped(&[status(401), status(401)]));
        assert!(!stopped(&[Answer::Gone, status(401)]));
        assert!(!stopped(&[Answer::Gone, status(500), Answer::Gone]));
        assert!(!stopped(&[
            Answer::Gone,
            Answer::Gone,
            not_modified(None, None)
        ]));
        assert!(!stopped(&[status(503), status(503), status(503)]), "P-44");
    }
}
