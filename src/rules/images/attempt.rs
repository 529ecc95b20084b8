//! What an answer to "give me this picture" means for asking again.

use std::time::Duration;

use crate::model::http::{FetchError, FetchOutcome, Page};
use crate::rules::cadence::RETRY_AFTER_DEFAULT;

/// So often one that fails in passing is asked.
pub const TRIES: u32 = 4;

/// From one try to the next: the first, the second, and so on.
const WAITS: [Duration; 3] = [
    Duration::from_hours(1),
    Duration::from_hours(6),
    Duration::from_hours(24),
];

/// What became of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Bytes, whatever they are.
    Came(Box<Page>),
    /// None.
    Not(Attempt),
}

/// Why there is no copy, and whether that may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is not asked again: the publisher's address stays.
    Never(String),
    /// After this long.
    Again {
        /// Why there is none yet.
        why: String,
        /// From now.
        after: Duration,
        /// Whether this was one of the [`TRIES`].
        counts: bool,
    },
}

impl Attempt {
    /// A failure in passing, after so many tries before.
    pub fn failed(why: String, tries: u32) -> Self {
        match usize::try_from(tries)
            .ok()
            .and_then(|tries| WAITS.get(tries))
        {
            Some(after) => Self::Again {
                why,
                after: *after,
                counts: true,
            },
            None => Self::Never(format!("{why}, {TRIES} times")),
        }
    }

    /// Nobody was asked, or only whether we may: it is not the picture that failed.
    pub fn later(why: String, after: Duration) -> Self {
        Self::Again {
            why,
            after,
            counts: false,
        }
    }
}

/// What an answer means, after so many tries before.
pub fn settle(outcome: Result<FetchOutcome, FetchError>, tries: u32) -> Answered {
    Answered::Not(match outcome {
        // What is marked as ours alone (P-23) is not for others.
        Ok(FetchOutcome::Fresh { private: true, .. }) => {
            Attempt::Never("it is marked as private".to_owned())
        }
        Ok(FetchOutcome::Fresh { page, .. }) => return Answered::Came(Box::new(page)),
        Ok(FetchOutcome::Gone) => Attempt::Never("HTTP status 410 (gone)".to_owned()),
        Ok(FetchOutcome::NotModified { .. }) => {
            Attempt::Never("304 to a request without validators".to_owned())
        }
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => match Attempt::failed(format!("HTTP status {status}"), tries) {
            Attempt::Again { why, after, counts } => Attempt::Again {
                why,
                after: after.max(retry_after.unwrap_or(RETRY_AFTER_DEFAULT)),
                counts,
            },
            never @ Attempt::Never(_) => never,
        },
        Err(FetchError::Silenced { left, why, .. }) => Attempt::later(why, left),
        Err(error) if passes(&error) => Attempt::failed(error.to_string(), tries),
        Err(error) => Attempt::Never(error.to_string()),
    })
}

/// Whether asking again can help.
fn passes(error: &FetchError) -> bool {
    match error {
        FetchError::Status { status, .. } => matches!(status, 408 | 425 | 500..=599),
        FetchError::Dns { .. }
        | FetchError::Connect { .. }
        | FetchError::Tls { .. }
        | FetchError::Timeout { .. }
        | FetchError::Incomplete(_) => true,
        FetchError::Challenged { .. }
        | FetchError::Redirect(_)
        | FetchError::TooLarge { .. }
        | FetchError::Useless(_)
        | FetchError::Malformed(_)
        | FetchError::Refused(_)
        | FetchError::Silenced { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    fn after(outcome: Result<FetchOutcome, FetchError>, tries: u32) -> Option<(u64, bool)> {
        match settle(outcome, tries) {
            Answered::Not(Attempt::Never(_)) => None,
            Answered::Not(Attempt::Again { after, counts, .. }) => Some((after.as_secs(), counts)),
            Answered::Came(page) => panic!("{page:?}"),
        }
    }

    fn status(status: u16) -> Result<FetchOutcome, FetchError> {
        Err(FetchError::Status {
            status,
            retry_after: None,
        })
    }

    #[test]
    fn what_is_gone_or_refused_is_never_asked_again() {
        for gone in [400, 401, 403, 404, 410, 451] {
            assert_eq!(after(status(gone), 0), None, "{gone}");
        }
        assert_eq!(after(Ok(FetchOutcome::Gone), 0), None);
        for error in [
            FetchError::Refused("a private address".to_owned()),
            FetchError::Redirect("a loop".to_owned()),
            FetchError::TooLarge {
                what: "answer",
                limit: 1,
            },
            FetchError::Useless("no body".to_owned()),
        ] {
            assert_eq!(after(Err(error), 0), None);
        }
    }

    #[test]
    fn what_fails_in_passing_is_asked_four_times() {
        let waits: Vec<_> = (0..TRIES).map(|tries| after(status(503), tries)).collect();
        let hours = |hours: u64| Some((hours * 3600, true));
        assert_eq!(waits, [hours(1), hours(6), hours(24), None]);
    }

    #[test]
    fn who_is_told_to_wait_waits() {
        let limited = |seconds: Option<u64>| {
            Ok(FetchOutcome::RateLimited {
                retry_after: seconds.map(Duration::from_secs),
                status: 429,
            })
        };
        assert_eq!(after(limited(None), 0), Some((4 * 3600, true)));
        assert_eq!(after(limited(Some(60)), 1), Some((6 * 3600, true)));
        assert_eq!(after(limited(Some(100_000)), 0), Some((100_000, true)));
        assert_eq!(after(limited(Some(60)), 3), None);
        // Somebody else's silence is no try.
        let silence = Err(FetchError::Silenced {
            origin: "https://e.org".to_owned(),
            left: Duration::from_secs(77),
            why: "HTTP status 429".to_owned(),
        });
        assert_eq!(after(silence, 3), Some((77, false)));
    }
}
