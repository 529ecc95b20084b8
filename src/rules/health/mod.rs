//! What state a source is in, by what came of its last polls and by the rhythm it is used to; and when the fault is ours.

mod calm;
mod facts;
mod outage;
mod state;
mod words;

use std::time::Duration;

use crate::model::learned::Refusal;
use crate::model::time::Timestamp;
use crate::rules::learn::is_final;
use crate::rules::rhythm::DAY;
use crate::rules::schedule::{Rate, Span};

pub use crate::model::health::{Change, HealthEvent, Standing, State};
pub use crate::model::learned::Moved;
pub use calm::{heard_until, is_calm, is_due_by_the_clock};
pub use facts::{Answer, Evidence, Facts, Poll};
pub use outage::{CANARY, Outage, canary, is_unreached, our_outage};

/// One bad poll is weather, three in a row are climate. 410 is a word, and needs to be said twice (P-45).
const IN_A_ROW: usize = 3;
const GONE_TWICE: usize = 2;
/// So many good polls in a row, and trouble is over.
const GOOD_AGAIN: usize = 2;

/// A silence is late, or more than that, when it is as unlikely as this; it stays so up to the second number, unless
/// something came.
const LATE: (f64, f64) = (0.05, 0.2);
const SILENT: (f64, f64) = (0.001, 0.01);
const SILENT_AT_LEAST: Duration = Duration::from_hours(72);

/// The newest texts are compared with the ones before them: thin below a quarter, well again from a half on.
const NEWEST: usize = 5;
const BEFORE: usize = 10;
const WORDS: u32 = 400;
const THIN: (u32, u32) = (4, 2);

/// A redirect met once may be a hotel's.
const MOVED: (u32, Duration) = (2, DAY);

/// The state of a source, and why, in plain words. What it was before matters: states are entered on plain evidence and
/// left on plain evidence, so that they do not flap in between.
pub fn judge(before: &Standing, facts: &Facts<'_>, now: Timestamp) -> (State, String) {
    let Some(newest) = facts.polls.first() else {
        return (before.state, before.why.clone());
    };
    if let Some(found) = trouble(before.state, facts) {
        return found;
    }
    if !newest.answer.is_good() {
        // Too few to say, and nothing else can be told from them.
        let why = format!("{}, where {IN_A_ROW} would be a pattern", bad_polls(facts));
        return (before.state, why);
    }
    moved(facts)
        .or_else(|| empty(facts))
        .or_else(|| thin(before.state, facts))
        .or_else(|| quiet(before, facts, now))
        .unwrap_or_else(|| (State::Fine, usual(facts, now)))
}

/// Bad polls in a row, or too few good ones after them.
fn trouble(before: State, facts: &Facts<'_>) -> Option<(State, String)> {
    // Nobody asks it again, so no third answer will settle what it is (P-45, P-46).
    if let Some(Refusal { status, times }) = facts.refusal.filter(|refusal| is_final(*refusal)) {
        let state = if status == 410 {
            State::Gone
        } else {
            State::Blocked
        };
        let why = format!(
            "HTTP status {status}, {times} times in a row: it is asked only by name from now on"
        );
        return Some((state, why));
    }
    let bad: Vec<State> = facts
        .polls
        .iter()
        .map_while(|poll| State::of(poll.answer))
        .collect();
    let count = |state| {
        bad.iter()
            .take(IN_A_ROW)
            .filter(|found| **found == state)
            .count()
    };
    let gone = bad
        .iter()
        .take(GONE_TWICE)
        .filter(|found| **found == State::Gone)
        .count();
    let state = if gone == GONE_TWICE {
        State::Gone
    } else if bad.len() < IN_A_ROW {
        return lingers(before, &bad, facts);
    } else if before.is_trouble() && count(before) > 0 {
        before
    } else {
        let most = State::ALL
            .into_iter()
            .find(|state| count(*state) * 2 > IN_A_ROW);
        most.unwrap_or(State::Failing)
    };
    Some((state, bad_polls(facts)))
}

/// Trouble that was, and is not yet over.
fn lingers(before: State, bad: &[State], facts: &Facts<'_>) -> Option<(State, String)> {
    let good = facts
        .polls
        .iter()
        .take_while(|poll| poll.answer.is_good())
        .count();
    // Thin texts are judged by the texts.
    let was_hollow = facts
        .polls
        .get(good)
        .is_some_and(|poll| poll.answer == Answer::Hollow);
    let lasting = match before {
        State::Gone => bad.is_empty() && good == 0,
        State::Thin => was_hollow,
        before => before.is_trouble(),
    };
    if !lasting || good >= GOOD_AGAIN || facts.polls.len() <= good {
        return None;
    }
    if bad.is_empty() {
        let why = format!("{} good, {GOOD_AGAIN} in a row and it is over", polls(good));
        return Some((before, why));
    }
    Some((before, bad_polls(facts)))
}

fn bad_polls(facts: &Facts<'_>) -> String {
    let bad = facts
        .polls
        .iter()
        .take_while(|poll| !poll.answer.is_good())
        .count();
    let what = match facts.polls.first().map(|poll| poll.answer) {
        Some(Answer::Hollow) => "its list was read, but none of the pages behind it",
        Some(Answer::Blocked) => "it refused us",
        Some(Answer::Strange) => "its page had a shape we do not know",
        Some(Answer::Gone) => "it said that it is gone (HTTP status 410)",
        _ => "there was no usable answer",
    };
    format!("in the last of {} without success {what}", polls(bad))
}

fn polls(count: usize) -> String {
    if count == 1 {
        "1 poll".to_owned()
    } else {
        format!("{count} polls")
    }
}

fn moved(facts: &Facts<'_>) -> Option<(State, String)> {
    let moved = facts.moved?;
    has_moved(moved).then(|| {
        let why = format!(
            "{} in a row were redirected for good to {}",
            polls(usize::try_from(moved.times).unwrap_or(usize::MAX)),
            moved.to
        );
        (State::Moved, why)
    })
}

fn has_moved(moved: &Moved) -> bool {
    let (times, time) = MOVED;
    moved.times >= times && moved.until.since(moved.since) >= time
}

/// How many entries the document of each good poll held, and how many were left out, newest first: what is unchanged
/// holds what was read before it.
fn documents(polls: &[Poll]) -> Vec<(u64, u64)> {
    let mut held = Vec::with_capacity(polls.len());
    let mut last = None;
    for poll in polls.iter().rev() {
        if poll.answer == Answer::Read {
            last = Some((poll.entries, poll.left_out));
        }
        if let (true, Some(last)) = (poll.answer.is_good(), last) {
            held.push(last);
        }
    }
    held.reverse();
    held
}

fn empty(facts: &Facts<'_>) -> Option<(State, String)> {
    let held = documents(facts.polls);
    let run = held.iter().take_while(|(entries, _)| *entries == 0).count();
    // It was empty before and had something again: that is its way.
    let its_way = held
        .iter()
        .skip(run)
        .skip_while(|(entries, _)| *entries > 0)
        .any(|(entries, _)| *entries == 0);
    if run < IN_A_ROW || facts.entries_ever == 0 {
        return None;
    }
    let left_out = held.first().map_or(0, |(_, left_out)| *left_out);
    if left_out > 0 {
        let why = format!("of {left_out} entries in its document none could be used");
        return Some((State::Thin, why));
    }
    (!its_way).then(|| {
        let why = format!(
            "no entry in its document, {} in a row; it had {} in all",
            polls(run),
            facts.entries_ever
        );
        (State::Empty, why)
    })
}

fn thin(before: State, facts: &Facts<'_>) -> Option<(State, String)> {
    let newest = median(facts.lengths.iter().take(NEWEST));
    let usual = median(facts.lengths.iter().skip(NEWEST));
    if facts.lengths.len() < NEWEST + BEFORE || usual < WORDS {
        return None;
    }
    let (enter, leave) = THIN;
    let factor = if before == State::Thin { leave } else { enter };
    (newest.saturating_mul(factor) < usual).then(|| {
        let why = format!(
            "its newest {NEWEST} articles have about {newest} characters, the ones before them had about {usual}"
        );
        (State::Thin, why)
    })
}

fn median<'a>(lengths: impl Iterator<Item = &'a u32>) -> u32 {
    let mut lengths: Vec<u32> = lengths.copied().collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

fn quiet(before: &Standing, facts: &Facts<'_>, now: Timestamp) -> Option<(State, String)> {
    let last = facts.rhythm.last()?;
    let silent = now.since(last);
    let chance = facts.rhythm.chance_of_silence(now);
    let nothing_since = last <= before.since;
    let below = |(enter, leave): (f64, f64), was: bool| {
        chance < if was && nothing_since { leave } else { enter }
    };
    let was_silent = before.state == State::Silent;
    let was_late = was_silent || before.state == State::Late;
    let state = if silent >= SILENT_AT_LEAST && below(SILENT, was_silent) {
        State::Silent
    } else if below(LATE, was_late) {
        State::Late
    } else {
        return None;
    };
    let used_to = match facts.rhythm.silences.most() {
        Some(most) => format!(", its longest silence of the last weeks was {}", Span(most)),
        None => String::new(),
    };
    let why = format!(
        "nothing new for {}; it brings {}{used_to}",
        Span(silent),
        Rate(facts.rhythm.habit())
    );
    Some((state, why))
}

fn usual(facts: &Facts<'_>, now: Timestamp) -> String {
    match facts.rhythm.last() {
        Some(last) => format!(
            "{}, the last {} ago",
            Rate(facts.rhythm.habit()),
            Span(now.since(last))
        ),
        None if facts.entries_ever == 0 => "answers well, and never had an entry".to_owned(),
        None => "answers well".to_owned(),
    }
}

#[cfg(test)]
mod tests;
