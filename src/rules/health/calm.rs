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
