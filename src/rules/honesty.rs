//! Whether a feed's 304s can be believed (POLLING P-12): some servers say "not modified" for good.

use std::time::Duration;

use crate::model::feed::FeedState;
use crate::model::learned::Honesty;
use crate::model::time::Timestamp;
use crate::rules::settle::Answer;

/// After so long with nothing but 304s they are looked into, if so much silence is this improbable.
const ONLY_304: Duration = Duration::from_hours(8 * 24);
const IMPROBABLE: f64 = 0.01;

/// How often an honest feed is probed at most, and a liar.
const BETWEEN: Duration = Duration::from_hours(14 * 24);
const BETWEEN_LIES: Duration = Duration::from_hours(24);

/// Whether to ask without validators this time, though there are some.
pub fn is_probe_due(feed: &FeedState, now: Timestamp) -> bool {
    let Honesty {
        whole,
        probed,
        liar,
    } = feed.learned.honesty;
    let longer =
        |since: Option<Timestamp>, time| since.is_none_or(|since| now.since(since) >= time);
    if feed.validators.is_none() || feed.failures > 0 {
        return false;
    }
    if liar {
        return longer(probed.max(whole), BETWEEN_LIES);
    }
    whole.is_some_and(|whole| now.since(whole) >= ONLY_304)
        && longer(probed, BETWEEN)
        && feed.learned.rhythm.chance_of_silence(now) < IMPROBABLE
}

/// What is known after an answer.
pub fn after(feed: &FeedState, probe: bool, at: Timestamp, answer: &Answer) -> Honesty {
    let mut honesty = feed.learned.honesty;
    match answer {
        // It had changed, and only who asked without validators was told.
        Answer::Read { .. } if probe => {
            honesty.liar = true;
            honesty.whole = Some(at);
        }
        // An answer to validators that is no 304: it knows them after all.
        Answer::Read { .. } => {
            honesty.liar &= feed.validators.is_none();
            honesty.whole = Some(at);
        }
        Answer::SameBytes { .. } => honesty.whole = Some(at),
        _ => {}
    }
    if probe {
        honesty.probed = Some(at);
    }
    honesty
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::http::{Freshness, HttpValidators};
    use crate::model::learned::Learned;
    use crate::model::poll::Reading;
    use crate::model::urls::PageUrl;
    use crate::rules::rhythm::Rhythm;

    const DAY: Duration = Duration::from_hours(24);
    /// 2026-11-21: dates before 1990 teach nothing.
    fn now() -> Timestamp {
        Timestamp::from_secs(1_795_219_200)
    }

    /// A feed of so many entries a day for a month, which has said nothing but 304 for `silent` days since.
    fn feed(per_day: u32, silent: u32) -> FeedState {
        let last = now().minus(DAY * silent);
        let dates: Vec<_> = (0..30 * per_day)
            .map(|n| Some(last.minus(DAY / per_day * n)))
            .collect();
        let mut feed = FeedState::new("f".parse().unwrap());
        feed.validators = Some(HttpValidators {
            url: PageUrl::parse("https://a.test/").unwrap(),
            etag: Some(b"\"a\"".as_slice().into()),
            last_modified: None,
        });
        feed.learned.rhythm = Rhythm::first(last, &dates).after_poll(last, now(), &[], false);
        feed.learned.honesty.whole = Some(last);
        feed
    }

    fn read() -> Answer {
        Answer::Read {
            reading: Box::new(Reading::default()),
            freshness: Freshness(None),
            trouble: None,
            bytes: 1,
            moved_to: None,
        }
    }

    #[test]
    fn p_12_a_silence_that_cannot_be_is_looked_into() {
        assert!(!is_probe_due(&feed(1, 7), now()), "eight days at least");
        assert!(is_probe_due(&feed(1, 10), now()));
        let rare = FeedState {
            learned: Learned {
                rhythm: Rhythm::first(
                    now().minus(DAY * 10),
                    &[
                        Some(now().minus(DAY * 310)),
                        Some(now().minus(DAY * 250)),
                        Some(now().minus(DAY * 190)),
                        Some(now().minus(DAY * 130)),
                        Some(now().minus(DAY * 70)),
                        Some(now().minus(DAY * 10)),
                    ],
                ),
                ..feed(1, 10).learned
            },
            ..feed(1, 10)
        };
        assert!(
            !is_probe_due(&rare, now()),
            "one in 60 days may well be silent for ten"
        );
        let mut probed = feed(1, 10);
        probed.learned.honesty.probed = Some(now().minus(DAY * 13));
        assert!(!is_probe_due(&probed, now()), "a fortnight apart");
        let mut without = feed(1, 10);
        without.validators = None;
        assert!(
            !is_probe_due(&without, now()),
            "it is asked for all of it anyway"
        );
    }

    #[test]
    fn p_12_a_liar_is_probed_daily_until_it_is_honest() {
        let mut liar = feed(1, 10);
        liar.learned.honesty = after(&liar, true, now(), &read());
        assert!(liar.learned.honesty.liar);
        assert!(!is_probe_due(&liar, now().plus(DAY / 2)));
        assert!(is_probe_due(&liar, now().plus(DAY)));
        let honest = after(&liar, false, now().plus(DAY), &read());
        assert!(!honest.liar, "it told a change to who had validators");
        let same = Answer::SameBytes {
            validators: None,
            freshness: Freshness(None),
            bytes: 1,
            moved_to: None,
        };
        assert!(!after(&feed(1, 10), true, now(), &same).liar);
    }
}
