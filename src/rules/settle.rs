//! The whole decision of a poll: what is written, given what we knew and what came back.

use std::time::Duration;

use crate::model::content::RawHash;
use crate::model::entry::ReadError;
use crate::model::feed::{FeedState, NotBefore};
use crate::model::http::{FetchError, Freshness, HttpValidators};
use crate::model::poll::{Coverage, PollRecord, PollResult, Reading};
use crate::model::time::Timestamp;
use crate::rules::cadence::{self, CAP_HINT, CAP_RETRY_AFTER, RETRY_AFTER_DEFAULT};

/// What came back from asking a feed, its pages read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A document was read.
    Read {
        /// What it held.
        reading: Reading,
        /// How long the server calls it fresh.
        freshness: Freshness,
        /// What went wrong with every detail page that was asked, where every one failed. The reading then is of
        /// the outside only, and the feed is in trouble.
        trouble: Option<Trouble>,
    },
    /// 200 with the very bytes we already read.
    SameBytes {
        /// The validators that came with it.
        validators: Option<HttpValidators>,
        /// How long the server calls it fresh.
        freshness: Freshness,
    },
    /// 304.
    NotModified {
        /// New validators that may be adopted.
        validators: Option<HttpValidators>,
        /// Fresh anew for that long; a bare 304 keeps the time it had.
        freshness: Freshness,
    },
    /// 429 or 503 with Retry-After.
    RateLimited {
        /// For how long.
        retry_after: Option<Duration>,
        /// The status.
        status: u16,
    },
    /// 410.
    Gone,
    /// It could not be fetched.
    Unfetched(FetchError),
    /// It was fetched and could not be read.
    Unread(ReadError),
    /// We broke down over it: a defect of ours, met by this feed only.
    Defect(String),
}

/// Why every detail page failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// In words.
    pub why: String,
    /// An instruction to stay away.
    pub retry_after: Option<Duration>,
}

/// Decides everything that is written after a poll. `at` is when the feed was asked.
pub fn settle(feed: &FeedState, at: Timestamp, took: Duration, answer: Answer) -> PollRecord {
    let good = |freshness: Freshness, kept: Option<Timestamp>, result: PollResult| {
        let fresh_until = freshness
            .0
            .map(|fresh| at.plus(fresh.min(CAP_HINT)))
            .or(kept);
        let (next, why_next) = cadence::next_poll(at, fresh_until);
        PollRecord {
            feed: feed.id.clone(),
            at,
            took,
            next,
            why_next,
            not_before: None,
            fresh_until,
            failures: 0,
            result,
        }
    };
    match answer {
        Answer::Read {
            reading,
            freshness,
            trouble: None,
        } => {
            // What is left for the next poll can be had at once: freshness is about the listing, not about the rest.
            let freshness = if reading.coverage == Coverage::Partial {
                Freshness(None)
            } else {
                freshness
            };
            good(freshness, None, PollResult::Read(Box::new(reading)))
        }
        Answer::Read {
            reading,
            trouble: Some(trouble),
            ..
        } => bad(
            feed,
            at,
            took,
            trouble.retry_after,
            &trouble.why,
            PollResult::Read(Box::new(reading)),
        ),
        Answer::SameBytes {
            validators,
            freshness,
        } => good(
            freshness,
            None,
            PollResult::Unchanged {
                validators: Some(Coverage::Whole(validators)),
            },
        ),
        Answer::NotModified {
            validators,
            freshness,
        } => {
            let validators = validators.map(|pair| Coverage::Whole(Some(pair)));
            good(
                freshness,
                feed.fresh_until.filter(|until| *until > at),
                PollResult::Unchanged { validators },
            )
        }
        Answer::RateLimited {
            retry_after,
            status,
        } => {
            let wait = retry_after
                .unwrap_or(RETRY_AFTER_DEFAULT)
                .min(CAP_RETRY_AFTER);
            let why = match retry_after {
                Some(asked) => format!(
                    "HTTP status {status} with Retry-After: {} s",
                    asked.as_secs()
                ),
                None => format!("HTTP status {status} without a Retry-After that can be read"),
            };
            away(
                feed,
                at,
                took,
                wait,
                why,
                PollResult::RateLimited { status },
            )
        }
        Answer::Gone => away(
            feed,
            at,
            took,
            CAP_HINT,
            "HTTP status 410: gone by the publisher's word".to_owned(),
            PollResult::Gone,
        ),
        Answer::Unfetched(error) => {
            let retry_after = match error {
                FetchError::Status { retry_after, .. } => retry_after,
                _ => None,
            };
            let floor = matches!(error, FetchError::Status { status: 403, .. })
                .then_some(RETRY_AFTER_DEFAULT); // P-42
            let why = error.to_string();
            bad(
                feed,
                at,
                took,
                retry_after.max(floor),
                &why,
                PollResult::Failed { why: why.clone() },
            )
        }
        Answer::Unread(error) => {
            let why = error.to_string();
            bad(
                feed,
                at,
                took,
                None,
                &why,
                PollResult::Failed { why: why.clone() },
            )
        }
        Answer::Defect(what) => {
            let why = format!("a defect in feedmill: {what}");
            bad(
                feed,
                at,
                took,
                None,
                &why,
                PollResult::Failed { why: why.clone() },
            )
        }
    }
}

/// A failure: backoff, or longer where the server says so.
fn bad(
    feed: &FeedState,
    at: Timestamp,
    took: Duration,
    instructed: Option<Duration>,
    why: &str,
    result: PollResult,
) -> PollRecord {
    let failures = feed.failures.saturating_add(1);
    let failing_for = feed
        .last_success
        .map_or(Duration::ZERO, |good| at.since(good));
    let wait = cadence::backoff(&feed.id, at, failures, failing_for);
    let wait = instructed.map_or(wait, |asked| asked.min(CAP_RETRY_AFTER).max(wait));
    let times = if failures == 1 {
        "1 failure".to_owned()
    } else {
        format!("{failures} failures in a row")
    };
    away(
        feed,
        at,
        took,
        wait,
        format!("{times}, the last: {why}"),
        result,
    )
}

fn away(
    feed: &FeedState,
    at: Timestamp,
    took: Duration,
    wait: Duration,
    why: String,
    result: PollResult,
) -> PollRecord {
    let until = at.plus(wait);
    PollRecord {
        feed: feed.id.clone(),
        at,
        took,
        next: until.max(at.plus(cadence::FLOOR)),
        why_next: why.clone(),
        not_before: Some(NotBefore { until, why }),
        fresh_until: None,
        failures: match result {
            PollResult::RateLimited { .. } => feed.failures, // an instruction, not a failure
            _ => feed.failures.saturating_add(1),
        },
        result,
    }
}

/// Whether a document is the one we read last: then there is nothing to read.
pub fn same_document(feed: &FeedState, bytes: &[u8]) -> (bool, RawHash) {
    let hash = RawHash::of([Some(bytes)]);
    (feed.document == Some(hash), hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const AT: Timestamp = Timestamp::EPOCH;

    fn feed() -> FeedState {
        FeedState {
            failures: 2,
            fresh_until: Some(AT.plus(Duration::from_secs(9000))),
            ..FeedState::new("f".parse().unwrap())
        }
    }

    fn record(answer: Answer) -> PollRecord {
        settle(&feed(), AT, Duration::ZERO, answer)
    }

    fn reading(coverage: Coverage) -> Reading {
        Reading {
            info: Default::default(),
            articles: Vec::new(),
            known: 0,
            skipped: Vec::new(),
            notes: Vec::new(),
            document: None,
            coverage,
        }
    }

    #[test]
    fn p_07_a_304_is_a_success() {
        let record = record(Answer::NotModified {
            validators: None,
            freshness: Freshness(None),
        });
        assert_eq!((record.failures, record.not_before), (0, None));
        assert_eq!(record.result, PollResult::Unchanged { validators: None });
    }

    #[test]
    fn p_09_a_bare_304_keeps_the_freshness_it_had() {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        let bare = record(Answer::NotModified {
            validators: None,
            freshness: Freshness(None),
        });
        assert_eq!(bare.fresh_until, feed().fresh_until);
        let anew = record(Answer::NotModified {
            validators: None,
            freshness: Freshness(Some(hours(6))),
        });
        assert_eq!(
            (anew.fresh_until, anew.next),
            (Some(AT.plus(hours(6))), AT.plus(hours(6)))
        );
        let vast = record(Answer::NotModified {
            validators: None,
            freshness: Freshness(Some(hours(99_999))),
        });
        assert_eq!(vast.fresh_until, Some(AT.plus(CAP_HINT)));
    }

    #[test]
    fn p_30_retry_after_is_obeyed_and_is_no_failure() {
        let day = Duration::from_secs(86_400);
        let record = record(Answer::RateLimited {
            retry_after: Some(day),
            status: 429,
        });
        assert_eq!(record.not_before.unwrap().until, AT.plus(day));
        assert_eq!(record.failures, 2);
        let vague = settle(
            &feed(),
            AT,
            day,
            Answer::RateLimited {
                retry_after: None,
                status: 429,
            },
        );
        assert_eq!(
            vague.not_before.unwrap().until,
            AT.plus(RETRY_AFTER_DEFAULT)
        );
    }

    #[test]
    fn a_failure_backs_off_and_says_why() {
        let record = record(Answer::Unread(ReadError::Missing {
            field: "data".into(),
            page: "the story list",
        }));
        assert_eq!(record.failures, 3);
        let held = record.not_before.unwrap();
        assert!(
            held.until > AT.plus(Duration::from_secs(3 * 3600)),
            "{held:?}"
        );
        assert!(
            held.why
                .starts_with("3 failures in a row, the last: no data in the story list"),
            "{}",
            held.why
        );
    }

    #[test]
    fn p_42_a_403_is_left_alone_for_four_hours() {
        let new = FeedState::new("f".parse().unwrap());
        let error = FetchError::Status {
            status: 403,
            retry_after: None,
        };
        let record = settle(&new, AT, Duration::ZERO, Answer::Unfetched(error));
        assert!(record.not_before.unwrap().until >= AT.plus(RETRY_AFTER_DEFAULT));
    }

    #[test]
    fn what_was_left_for_later_is_not_held_back_by_freshness() {
        let fresh = Freshness(Some(Duration::from_secs(9000)));
        let whole = record(Answer::Read {
            reading: reading(Coverage::Whole(None)),
            freshness: fresh,
            trouble: None,
        });
        assert!(whole.fresh_until.is_some());
        let partial = record(Answer::Read {
            reading: reading(Coverage::Partial),
            freshness: fresh,
            trouble: None,
        });
        assert_eq!(partial.fresh_until, None);
    }

    #[test]
    fn every_record_has_a_later_next_time() {
        let answers = [
            Answer::Gone,
            Answer::Defect("x".into()),
            Answer::SameBytes {
                validators: None,
                freshness: Freshness(Some(Duration::ZERO)),
            },
            Answer::RateLimited {
                retry_after: Some(Duration::ZERO),
                status: 503,
            },
            Answer::Unfetched(FetchError::Status {
                status: 500,
                retry_after: Some(Duration::MAX),
            }),
        ];
        for answer in answers {
            let record = record(answer.clone());
            assert!(
                record.next > AT && record.next <= AT.plus(CAP_RETRY_AFTER),
                "{answer:?}"
            );
        }
    }
}
