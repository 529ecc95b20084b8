//! What an answer for robots.txt means, and for how long (RFC 9309 §2.3 and §2.4).

use std::time::Duration;

use crate::model::http::{FetchError, FetchOutcome};
use crate::model::time::Timestamp;
use crate::rules::robots::Robots;

/// What was said is believed this long (§2.4).
const KEPT: Duration = Duration::from_hours(24);

/// Where it could not be had it is asked for again after this.
const TRIED_AGAIN: Duration = Duration::from_hours(1);

/// What an origin said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// These rules; none where it has no robots.txt.
    Rules(Robots),
    /// It could not be had, for this reason: nothing is allowed until it can.
    Unreachable(String),
}

impl Said {
    /// Of an answer, redirects followed. `Err` is the reason where nothing was asked or said, so that there is nothing to
    /// keep, and nothing is allowed either.
    ///
    /// - 200: its rules; an empty body has none.
    /// - 4xx, and redirects that lead nowhere: there is none, and everything is allowed (§2.3.1.2, §2.3.1.3).
    /// - 429, 5xx, no answer, or one that breaks off or is over the limits: nothing is allowed (§2.3.1.4). By the letter 429
    ///   is a 4xx; to be told to slow down is no leave to go on.
    pub fn of(outcome: Result<FetchOutcome, FetchError>) -> Result<Self, String> {
        let none = || Ok(Self::Rules(Robots::default()));
        match outcome {
            Ok(FetchOutcome::Fresh { page, .. }) => Ok(Self::Rules(Robots::parse(&page.bytes))),
            Ok(FetchOutcome::Gone)
            | Err(
                FetchError::Useless(_)
                | FetchError::Redirect(_)
                | FetchError::Status {
                    status: 400..=499, ..
                }
                | FetchError::Challenged {
                    status: 400..=499, ..
                },
            ) => none(),
            Ok(FetchOutcome::RateLimited { status, .. }) => {
                Ok(Self::Unreachable(format!("HTTP status {status}")))
            }
            Ok(FetchOutcome::NotModified { .. }) => Ok(Self::Unreachable(
                "304 to a request without validators".to_owned(),
            )),
            Err(error @ (FetchError::Silenced { .. } | FetchError::Refused(_))) => {
                Err(error.to_string())
            }
            Err(error) => Ok(Self::Unreachable(error.to_string())),
        }
    }
}

/// What an origin said, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Scheme, host and port, as `PageUrl::origin` writes them.
    pub origin: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// What it said.
    pub said: Said,
}

impl Kept {
    /// Whether it still holds at `now`. What was asked in the future was so by a clock that has since been set back, and
    /// holds no longer.
    pub fn holds(&self, now: Timestamp) -> bool {
        let term = match self.said {
            Said::Rules(_) => KEPT,
            Said::Unreachable(_) => TRIED_AGAIN,
        };
        self.asked <= now && now.since(self.asked) < term
    }

    /// What was asked before this holds no longer, whatever was said.
    pub fn forgotten(now: Timestamp) -> Timestamp {
        now.minus(KEPT)
    }
}
