//! Documents that come out of order: a cache serves yesterday's copy (POLLING P-135).

use std::time::Duration;

use crate::model::feed::FeedState;
use crate::model::time::Timestamp;

/// Servers of one publisher tell the time so differently, and no copy is told by less.
const SKEW: Duration = Duration::from_mins(1);

/// No cache keeps a copy for longer: a date that is older was always meant so, or the one before it was wrong.
const OLDEST: Duration = Duration::from_hours(24 * 7);

/// Whether a document is older than one that was read: by when it was `made`, by the server's word, or by when its feed
/// was `updated`, by its own.
pub fn is_older(feed: &FeedState, made: Option<Timestamp>, updated: Option<Timestamp>) -> bool {
    let older = |now: Option<Timestamp>, before: Option<Timestamp>| match (now, before) {
        (Some(now), Some(before)) => now.plus(SKEW) < before && before.since(now) < OLDEST,
        _ => false,
    };
    older(made, feed.learned.sights().made) || older(updated, feed.info.updated)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::learned::Sights;

    #[test]
    fn p_135_a_copy_of_yesterday_is_older() {
        let now = Timestamp::from_secs(100_000_000);
        let mut feed = FeedState::new("f".parse().unwrap());
        let ago = |hours: u32| Some(now.minus(Duration::from_hours(1) * hours));
        assert!(!is_older(&feed, ago(24), ago(24)), "nothing was read");
        feed.learned.sights = Some(Box::new(Sights {
            made: Some(now),
            ..Sights::default()
        }));
        feed.info.updated = Some(now);
        assert!(!is_older(&feed, None, None));
        assert!(!is_older(&feed, Some(now), Some(now)));
        assert!(is_older(&feed, ago(24), Some(now)));
        assert!(is_older(&feed, Some(now), ago(24)));
        assert!(
            !is_older(&feed, Some(now.minus(SKEW)), None),
            "clocks differ"
        );
        assert!(!is_older(&feed, None, ago(24 * 8)), "no copy is so old");
        assert!(!is_older(&feed, Some(now.plus(SKEW * 60)), None));
    }
}
