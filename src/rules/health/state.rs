//! From one state to another.

use crate::model::health::{Change, Standing, State};
use crate::model::time::Timestamp;
use crate::rules::health::{Answer, Facts, judge};

impl State {
    /// Seen in bad polls, rather than in what good ones bring.
    pub(super) fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::Thin | Self::Blocked | Self::Redesigned | Self::Failing | Self::Gone
        )
    }

    /// What there is in polls that are not good: as long as they go on, nothing else can be told.
    pub(super) fn of(answer: Answer) -> Option<Self> {
        match answer {
            Answer::Read | Answer::Unchanged => None,
            Answer::Hollow => Some(Self::Thin),
            Answer::Blocked => Some(Self::Blocked),
            Answer::Strange => Some(Self::Redesigned),
            Answer::Gone => Some(Self::Gone),
            Answer::Failed => Some(Self::Failing),
        }
    }
}

impl Standing {
    /// Of a source that nobody has asked yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            state: State::Fine,
            since: now,
            why: "not asked yet".to_owned(),
        }
    }

    /// The standing by the facts of now, and the change if there is one.
    #[must_use]
    pub fn after(&self, facts: &Facts<'_>, now: Timestamp) -> (Self, Option<Change>) {
        let (state, why) = judge(self, facts, now);
        let changed = state != self.state;
        let since = if changed { now } else { self.since };
        let change = changed.then(|| Change {
            from: self.state,
            to: state,
            at: now,
            why: why.clone(),
        });
        (Self { state, since, why }, change)
    }
}
