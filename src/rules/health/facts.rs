//! What the state of a source is judged by.

use crate::model::entry::ReadError;
use crate::model::health::Standing;
use crate::model::http::FetchError;
use crate::model::learned::{Learned, Moved, Refusal};
use crate::model::time::Timestamp;
use crate::rules::rhythm::Rhythm;

/// What is known of a source. All of it is in the store.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What was learned of it (the feed's row).
    pub rhythm: &'a Rhythm,
    /// Its last polls, newest first (the `poll` table keeps fifty). Polls of [our own outage](super::our_outage) are
    /// not recorded, and not among them.
    pub polls: &'a [Poll],
    /// How many entries it ever had (rows of `entry`).
    pub entries_ever: u64,
    /// How long the texts of its newest entries are in characters, newest first (first revisions in `article`; a
    /// hundred are enough).
    pub lengths: &'a [u32],
    /// Where it redirects to for good.
    pub moved: Option<&'a Moved>,
    /// Answers in a row after which it is not asked any more by the clock.
    pub refusal: Option<Refusal>,
}

/// What a source is judged by, as the store gives it.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What it was last judged to be; `None`: it never was.
    pub standing: Option<Standing>,
    /// What was learned of it.
    pub learned: Learned,
    /// When it is due next.
    pub next_poll: Option<Timestamp>,
    /// As [`Facts::polls`].
    pub polls: Vec<Poll>,
    /// As [`Facts::entries_ever`].
    pub entries_ever: u64,
    /// As [`Facts::lengths`].
    pub lengths: Vec<u32>,
}

impl Evidence {
    /// It as facts.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            rhythm: &self.learned.rhythm,
            polls: &self.polls,
            entries_ever: self.entries_ever,
            lengths: &self.lengths,
            moved: self.learned.moved.as_ref(),
            refusal: self.learned.refusal,
        }
    }
}

/// One poll that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When (`poll.at`).
    pub at: Timestamp,
    /// What came back (`poll.result` and `poll.why`, see [`Answer::recorded`]).
    pub answer: Answer,
    /// How many entries its document held (`poll.new + revised + reprint + known`). Counts for [`Answer::Read`] only.
    pub entries: u64,
    /// How many of them were left out as unfit (the `skipped` in `poll.more`), on top of `entries`.
    pub left_out: u64,
}

/// What came back, as far as a source's state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A document.
    Read,
    /// 304, or the same bytes.
    Unchanged,
    /// A document, but nothing behind it could be had.
    Hollow,
    /// We are not welcome: 401, 403, 429, 451.
    Blocked,
    /// A page of another shape, or not of this kind at all.
    Strange,
    /// 410.
    Gone,
    /// Anything else that is not good.
    Failed,
}

/// What stands in the reason of a poll that had a list, and none of the pages behind it (`service::poll::details`).
const HOLLOW: &str = "detail pages cannot be had";
/// How the reason of a page of another shape ends ([`ReadError::Missing`]).
const SHAPE: &str = "has a shape we do not know";

impl Answer {
    /// Of a request that failed.
    pub fn of_fetch(error: &FetchError) -> Self {
        match error {
            FetchError::Status { status, .. } => Self::of_status(*status),
            FetchError::Challenged { .. } => Self::of_status(403),
            _ => Self::Failed,
        }
    }

    /// Of a page that could not be read.
    pub fn of_page(error: &ReadError) -> Self {
        match error {
            ReadError::Missing { .. } | ReadError::Other { .. } => Self::Strange,
            ReadError::Broken { .. } | ReadError::Limit { .. } | ReadError::Refused(_) => {
                Self::Failed
            }
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 | 429 | 451 => Self::Blocked,
            410 => Self::Gone,
            _ => Self::Failed,
        }
    }

    /// Of a poll as it is remembered, by its result and its reason. The reasons are the words of our own errors; a
    /// test holds the two together. A list was read of which no page behind it could be had where the reason says so.
    pub fn recorded(result: &str, why: Option<&str>) -> Self {
        let why = why.unwrap_or_default();
        match result {
            "read" => Self::Read,
            // The pages behind the list can be had, and look otherwise.
            "failed" if why.contains(HOLLOW) && !why.ends_with(SHAPE) => Self::Hollow,
            "unchanged" => Self::Unchanged,
            "gone" => Self::Gone,
            _ if why.starts_with("not ") || why.ends_with(SHAPE) => Self::Strange,
            _ => why
                .strip_prefix("HTTP status ")
                .and_then(|rest| rest.get(..3)?.parse().ok())
                .map_or(Self::Failed, Self::of_status),
        }
    }

    /// Whether the source did what it is there for.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Read | Self::Unchanged)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_recorded_reads_as_what_happened() {
        let status = |status| FetchError::Status {
            status,
            retry_after: None,
        };
        let host = || "h.test".to_owned();
        let fetches = [
            status(401),
            status(403),
            status(404),
            status(451),
            status(500),
            FetchError::Dns {
                host: host(),
                why: "no".to_owned(),
            },
            FetchError::Timeout {
                stage: "first byte",
                host: host(),
                limit: Duration::from_secs(20),
            },
            FetchError::Redirect("to ftp".to_owned()),
            FetchError::Incomplete("cut".to_owned()),
            FetchError::Useless("empty".to_owned()),
        ];
        for error in fetches {
            let recorded = Answer::recorded("failed", Some(&error.to_string()));
            assert_eq!(recorded, Answer::of_fetch(&error), "{error}");
        }
        let pages = [
            ReadError::Other {
                expected: "a feed",
                found: "an HTML page".to_owned(),
            },
            ReadError::Missing {
                field: "data".to_owned(),
                page: "the list",
            },
            ReadError::Broken {
                format: "XML",
                why: "at 3".to_owned(),
            },
            ReadError::Limit {
                what: "depth",
                limit: 3,
            },
            ReadError::Refused("ret 404".to_owned()),
        ];
        for error in pages {
            let recorded = Answer::recorded("failed", Some(&error.to_string()));
            assert_eq!(recorded, Answer::of_page(&error), "{error}");
        }
        let check = |result, why, expected| assert_eq!(Answer::recorded(result, why), expected);
        check("read", None, Answer::Read);
        let hollow = "3 failures in a row, the last: detail pages cannot be had: HTTP status 403";
        check("failed", Some(hollow), Answer::Hollow);
        let other = "detail pages cannot be had: no page_body `.a` in the page: the page has a shape we do not know";
        check("failed", Some(other), Answer::Strange);
        check("unchanged", None, Answer::Unchanged);
        check("gone", Some("HTTP status 410"), Answer::Gone);
        check("rate-limited", Some("HTTP status 429"), Answer::Blocked);
        check("rate-limited", Some("HTTP status 503"), Answer::Failed);
        check("failed", None, Answer::Failed);
        check("failed", Some("HTTP status 4"), Answer::Failed);
    }
}
