//! What need not be judged: most polls bring nothing, and say nothing of their source's state.

use crate::model::learned::Learned;
use crate::model::poll::{PollRecord, PollResult};
use crate::model::time::Timestamp;
use crate::rules::health::{Evidence, LATE, Standing, State, documents, has_moved};

/// Whether a source that is fine stays so by this poll, whatever else is known of it: it answered well, brought nothing,
/// has not moved, and its silence is no longer than it is used to. A source that is to be watched
/// [closely](Evidence::is_bare) is judged all the same.
pub fn is_calm(record: &PollRecord) -> bool {
    let brought_nothing = match &record.result {
        PollResult::Unchanged { .. } => true,
        PollResult::Read(reading) => {
            record.failures == 0 && reading.articles.is_empty() && reading.known > 0
        }
        _ => false,
    };
    brought_nothing && has_nothing_to_say(&record.learned, record.at)
}

/// Whether what was learned of a source neither moves nor silences it.
fn has_nothing_to_say(learned: &Learned, now: Timestamp) -> bool {
    let (late, _) = LATE;
    !learned.moved.as_ref().is_some_and(has_moved) && learned.rhythm.chance_of_silence(now) >= late
}

/// Whether the clock alone may have changed the state of a source: it has become silent.
pub fn is_due_by_the_clock(
    standing: Option<&Standing>,
    learned: &Learned,
    heard: Timestamp,
) -> bool {
    let is_quiet = |state| matches!(state, State::Late | State::Silent);
    match standing.map(|standing| standing.state) {
        None | Some(State::Fine) => !has_nothing_to_say(learned, heard),
        Some(state) => is_quiet(state),
    }
}

/// Until when a source's silence is its own: while it was due and we did not ask, it is ours (P-49).
pub fn heard_until(next_poll: Option<Timestamp>, now: Timestamp) -> Timestamp {
    next_poll.map_or(now, |next| next.min(now))
}

impl Evidence {
    /// Whether its last document held nothing that can be used: then even an answer without news may change its state.
    pub fn is_bare(&self) -> bool {
        documents(&self.polls)
            .first()
            .is_none_or(|(entries, _)| *entries == 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::model::learned::{Moved, Rhythm};
    use crate::model::poll::Reading;

    /// 2026-11-21: dates before 1990 teach nothing.
    fn now() -> Timestamp {
        Timestamp::from_secs(1_795_219_200)
    }

    fn poll(result: PollResult) -> PollRecord {
        PollRecord {
            feed: "f".parse().unwrap(),
            at: now(),
            took: Duration::ZERO,
            next: now(),
            why_next: String::new(),
            not_before: None,
            fresh_until: None,
            failures: 0,
            learned: Learned::default(),
            result,
        }
    }

    fn unchanged() -> PollRecord {
        poll(PollResult::Unchanged { validators: None })
    }

    /// An entry an hour for three weeks, and then none for so many hours.
    fn silent(hours: u32) -> Learned {
        let hour = Duration::from_hours(1);
        let dates: Vec<_> = (hours..24 * 21 + hours)
            .map(|n| Some(now().minus(hour * n)))
            .collect();
        Learned {
            rhythm: Rhythm::first(now(), &dates),
            ..Learned::default()
        }
    }

    #[test]
    fn a_poll_is_calm_when_it_can_say_nothing_new() {
        assert!(is_calm(&unchanged()));
        let read = |known, failures| PollRecord {
            failures,
            ..poll(PollResult::Read(Box::new(Reading {
                known,
                ..Reading::default()
            })))
        };
        assert!(is_calm(&read(3, 0)));
        assert!(!is_calm(&read(0, 0)), "nothing that can be used");
        assert!(!is_calm(&read(3, 1)), "no page behind it");
        for bad in [
            PollResult::Gone,
            PollResult::RateLimited { status: 429 },
            PollResult::Failed { why: String::new() },
        ] {
            assert!(!is_calm(&poll(bad)));
        }
        let mut moved = unchanged();
        moved.learned.moved = Some(Moved {
            from: String::new(),
            to: String::new(),
            times: 2,
            since: now().minus(Duration::from_hours(24)),
            until: now(),
        });
        assert!(!is_calm(&moved));
        for (hours, calm) in [(1, true), (200, false)] {
            let mut quiet = unchanged();
            quiet.learned = silent(hours);
            assert_eq!(is_calm(&quiet), calm, "{hours}");
        }
    }

    #[test]
    fn the_clock_looks_at_those_who_may_have_become_silent() {
        let standing = |state| {
            Some(Standing {
                state,
                ..Standing::new(now())
            })
        };
        let due =
            |state, hours| is_due_by_the_clock(standing(state).as_ref(), &silent(hours), now());
        assert!(!due(State::Fine, 1) && due(State::Fine, 200));
        assert!(due(State::Late, 1) && due(State::Silent, 1));
        assert!(!due(State::Gone, 200) && !due(State::Empty, 200));
        assert!(is_due_by_the_clock(None, &silent(200), now()));
        let hour = Duration::from_hours(1);
        assert_eq!(
            heard_until(Some(now().minus(hour)), now()),
            now().minus(hour)
        );
        assert_eq!(heard_until(Some(now().plus(hour)), now()), now());
        assert_eq!(heard_until(None, now()), now());
    }
}
