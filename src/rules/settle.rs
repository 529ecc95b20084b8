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
        reading: Box<Reading>,
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
    let poll = Poll { feed, at, took };
    match answer {
        Answer::Read {
            reading,
            freshness,
            trouble: None,
        } => {
            // What is left for the next poll can be had at once: freshness is about the listing, not about the rest.
            let partial = reading.coverage == Coverage::Partial;
            let freshness = if partial { Freshness(None) } else { freshness };
            poll.good(freshness, None, PollResult::Read(reading))
        }
        Answer::Read {
            reading,
            trouble: Some(trouble),
            ..
        } => poll.bad(trouble.retry_after, &trouble.why, PollResult::Read(reading)),
        Answer::SameBytes {
            validators,
            freshness,
        } => {
            let validators = Some(Coverage::Whole(validators));
            poll.good(freshness, None, PollResult::Unchanged { validators })
        }
        Answer::NotModified {
            validators,
            freshness,
        } => {
            let validators = validators.map(|pair| Coverage::Whole(Some(pair)));
            let kept = feed.fresh_until.filter(|until| *until > at); // P-09
            poll.good(freshness, kept, PollResult::Unchanged { validators })
        }
        Answer::RateLimited {
            retry_after,
            status,
        } => {
            let why = match retry_after {
                Some(asked) => format!(
                    "HTTP status {status} with Retry-After: {} s",
                    asked.as_secs()
                ),
                None => format!("HTTP status {status} without a Retry-After that can be read"),
            };
            let wait = retry_after
                .unwrap_or(RETRY_AFTER_DEFAULT)
                .min(CAP_RETRY_AFTER);
            poll.away(wait, why, PollResult::RateLimited { status })
        }
        Answer::Gone => {
            let why = "HTTP status 410: gone by the publisher's word".to_owned();
            poll.away(CAP_HINT, why, PollResult::Gone)
        }
        Answer::Unfetched(error) => {
            let instructed = match error {
                FetchError::Status {
                    status: 403,
                    retry_after,
                } => retry_after.max(Some(RETRY_AFTER_DEFAULT)), // P-42
                FetchError::Status { retry_after, .. } => retry_after,
                _ => None,
            };
            poll.failed(instructed, error.to_string())
        }
        Answer::Unread(error) => poll.failed(None, error.to_string()),
        Answer::Defect(what) => poll.failed(None, format!("a defect in feedmill: {what}")),
    }
}

/// The facts every record of a poll starts from.
struct Poll<'a> {
    feed: &'a FeedState,
    at: Timestamp,
    took: Duration,
}

impl Poll<'_> {
    /// A good answer: what failed before is forgotten.
    fn good(
        &self,
        freshness: Freshness,
        kept: Option<Timestamp>,
        result: PollResult,
    ) -> PollRecord {
        let fresh_until = freshness
            .0
            .map(|fresh| self.at.plus(fresh.min(CAP_HINT)))
            .or(kept);
        let (next, why_next) = cadence::next_poll(self.at, fresh_until);
        PollRecord {
            feed: self.feed.id.clone(),
            at: self.at,
            took: self.took,
            next,
            why_next,
            not_before: None,
            fresh_until,
            failures: 0,
            result,
        }
    }

    fn failed(&self, instructed: Option<Duration>, why: String) -> PollRecord {
        self.bad(instructed, &why.clone(), PollResult::Failed { why })
    }

    /// A failure: backoff, or longer where the server says so.
    fn bad(&self, instructed: Option<Duration>, why: &str, result: PollResult) -> PollRecord {
        let failures = self.feed.failures.saturating_add(1);
        let failing_for = self
            .feed
            .last_success
            .map_or(Duration::ZERO, |good| self.at.since(good));
        let backoff = cadence::backoff(&self.feed.id, self.at, failures, failing_for);
        let wait = instructed.map_or(backoff, |asked| asked.min(CAP_RETRY_AFTER).max(backoff));
        let times = match failures {
            1 => "1 failure".to_owned(),
            more => format!("{more} failures in a row"),
        };
        self.away(wait, format!("{times}, the last: {why}"), result)
    }

    /// Nobody asks before this long from the answer. A poll may have waited minutes for its turn and for the server, and
    /// what the server says counts from when it said so.
    fn away(&self, wait: Duration, why: String, result: PollResult) -> PollRecord {
        let until = self.at.plus(self.took).plus(wait);
        let failures = match result {
            PollResult::RateLimited { .. } => self.feed.failures, // an instruction, not a failure
            _ => self.feed.failures.saturating_add(1),
        };
        PollRecord {
            feed: self.feed.id.clone(),
            at: self.at,
            took: self.took,
            next: until.max(self.at.plus(cadence::FLOOR)),
            why_next: why.clone(),
            not_before: Some(NotBefore { until, why }),
            fresh_until: None,
            failures,
            result,
        }
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
    use crate::model::feed::FeedInfo;

    const AT: Timestamp = Timestamp::EPOCH;

    fn feed() -> FeedState {
        FeedState {
            failures: 2,
            fresh_until: Some(AT.plus(Duration::from_mins(150))),
            ..FeedState::new("f".parse().unwrap())
        }
    }

    fn record(answer: Answer) -> PollRecord {
        settle(&feed(), AT, Duration::ZERO, answer)
    }

    fn reading(coverage: Coverage) -> Reading {
        Reading {
            info: FeedInfo::default(),
            articles: Vec::new(),
            known: 0,
            skipped: Vec::new(),
            missed: Vec::new(),
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
        let day = Duration::from_hours(24);
        let record = record(Answer::RateLimited {
            retry_after: Some(day),
            status: 429,
        });
        assert_eq!(record.not_before.unwrap().until, AT.plus(day));
        assert_eq!(record.failures, 2);
        let took = Duration::from_mins(10);
        let vague = settle(
            &feed(),
            AT,
            took,
            Answer::RateLimited {
                retry_after: None,
                status: 429,
            },
        );
        assert_eq!(
            vague.not_before.unwrap().until,
            AT.plus(took).plus(RETRY_AFTER_DEFAULT),
            "from the answer on"
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
        assert!(held.until > AT.plus(Duration::from_hours(3)), "{held:?}");
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
        let fresh = Freshness(Some(Duration::from_mins(150)));
        let whole = record(Answer::Read {
            reading: Box::new(reading(Coverage::Whole(None))),
            freshness: fresh,
            trouble: None,
        });
        assert!(whole.fresh_until.is_some());
        let partial = record(Answer::Read {
            reading: Box::new(reading(Coverage::Partial)),
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
