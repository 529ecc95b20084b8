//! The whole decision of a poll: what is written, given what we knew and what came back.

use std::time::Duration;

use ::cron::Schedule;

use crate::model::content::RawHash;
use crate::model::entry::ReadError;
use crate::model::feed::{FeedState, NotBefore};
use crate::model::http::{FetchError, Freshness, HttpValidators};
use crate::model::learned::Learned;
use crate::model::poll::{Coverage, PollRecord, PollResult, Reading};
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::rules::cadence::{self, CAP_HINT, CAP_RETRY_AFTER, LEGAL, RETRY_AFTER_DEFAULT};
use crate::rules::learn::{Asked, learn};
use crate::rules::rhythm::Price;
use crate::rules::schedule::{self, Facts, Floors};

/// What we were told of a feed, besides what we remember of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders<'a> {
    /// Its cron schedule, on the clocks of its zone.
    pub cron: Option<(&'a Schedule, &'a Zone)>,
    /// The price of a request.
    pub price: Price,
    /// Nobody is asked more often.
    pub floors: Floors,
    /// How it was asked.
    pub asked: Asked<'a>,
}

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
        /// How many bytes it had.
        bytes: u64,
        /// Where a permanent redirect led.
        moved_to: Option<PageUrl>,
    },
    /// 200 with the very bytes we already read.
    SameBytes {
        /// The validators that came with it.
        validators: Option<HttpValidators>,
        /// How long the server calls it fresh.
        freshness: Freshness,
        /// How many they are.
        bytes: u64,
        /// Where a permanent redirect led.
        moved_to: Option<PageUrl>,
    },
    /// 304.
    NotModified {
        /// New validators that may be adopted.
        validators: Option<HttpValidators>,
        /// Fresh anew for that long; a bare 304 is as fresh as the answer before it.
        freshness: Freshness,
        /// Where a permanent redirect led.
        moved_to: Option<PageUrl>,
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
pub fn settle(
    feed: &FeedState,
    orders: &Orders<'_>,
    at: Timestamp,
    took: Duration,
    answer: Answer,
) -> PollRecord {
    let poll = Poll {
        feed,
        orders,
        at,
        took,
        learned: learn(feed, orders.asked, at, &answer),
    };
    match answer {
        Answer::Read {
            reading,
            trouble: None,
            ..
        } => poll.good(PollResult::Read(reading)),
        Answer::Read {
            reading,
            trouble: Some(trouble),
            ..
        } => poll.bad(trouble.retry_after, &trouble.why, PollResult::Read(reading)),
        Answer::SameBytes { validators, .. } => {
            let validators = Some(Coverage::Whole(validators));
            poll.good(PollResult::Unchanged { validators })
        }
        Answer::NotModified { validators, .. } => {
            let validators = validators.map(|pair| Coverage::Whole(Some(pair)));
            poll.good(PollResult::Unchanged { validators })
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
                }
                | FetchError::Challenged { retry_after, .. } => {
                    retry_after.max(Some(RETRY_AFTER_DEFAULT))
                } // P-42
                FetchError::Status {
                    status: 451,
                    retry_after,
                } => retry_after.max(Some(LEGAL)), // P-47
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
    orders: &'a Orders<'a>,
    at: Timestamp,
    took: Duration,
    learned: Learned,
}

impl Poll<'_> {
    /// A good answer: what failed before is forgotten.
    fn good(self, result: PollResult) -> PollRecord {
        // What is left for the next poll can be had at once: freshness is about the listing, not about the rest.
        let partial =
            matches!(&result, PollResult::Read(reading) if reading.coverage == Coverage::Partial);
        let lifetime = self.learned.lifetime.filter(|_| !partial);
        let fresh_until = lifetime.map(|fresh| self.end().plus(fresh.min(CAP_HINT)));
        self.record(fresh_until, None, 0, result)
    }

    fn failed(self, instructed: Option<Duration>, why: String) -> PollRecord {
        self.bad(instructed, &why.clone(), PollResult::Failed { why })
    }

    /// A failure: backoff, or longer where the server says so.
    fn bad(self, instructed: Option<Duration>, why: &str, result: PollResult) -> PollRecord {
        let failures = self.feed.failures.saturating_add(1);
        let failing_for = self.feed.last_success.map(|good| self.at.since(good));
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
    fn away(self, wait: Duration, why: String, result: PollResult) -> PollRecord {
        let until = self.end().plus(wait);
        let failures = match result {
            PollResult::RateLimited { .. } => self.feed.failures, // an instruction, not a failure
            _ => self.feed.failures.saturating_add(1),
        };
        self.record(None, Some(NotBefore { until, why }), failures, result)
    }

    /// A poll may have waited long for its turn and for the server: nothing counts from before it was asked.
    fn end(&self) -> Timestamp {
        self.at.plus(self.took)
    }

    /// With the next time, by everything that is known now (P-29).
    fn record(
        self,
        fresh_until: Option<Timestamp>,
        not_before: Option<NotBefore>,
        failures: u32,
        result: PollResult,
    ) -> PollRecord {
        let facts = Facts {
            price: self.orders.price,
            cron: self.orders.cron,
            held: not_before.as_ref(),
            fresh_until,
            slowed: self.learned.slowed,
            window: self.learned.window,
            unchanged_bytes: self.learned.unchanged,
            due: self.feed.next_poll,
            floors: self.orders.floors,
            ..Facts::new(&self.feed.id, &self.learned.rhythm, &self.learned.hints)
        };
        let next = schedule::next(self.end(), &facts);
        PollRecord {
            feed: self.feed.id.clone(),
            at: self.at,
            took: self.took,
            next: next.at,
            why_next: next.why.to_string(),
            not_before,
            fresh_until,
            failures,
            learned: self.learned,
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
mod tests;
