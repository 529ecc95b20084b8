use proptest::prelude::*;

use super::*;
use crate::rules::rhythm::{HOUR, Rhythm};

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_248_000)
}

use Answer::{Blocked, Failed, Gone, Hollow, Read, Strange, Unchanged};

/// Polls an hour apart, newest first; what was read held ten entries.
fn polls(answers: &[Answer]) -> Vec<Poll> {
    (1..)
        .zip(answers)
        .map(|(n, answer)| Poll {
            at: now().minus(HOUR * n),
            answer: *answer,
            entries: 10,
            left_out: 0,
        })
        .collect()
}

/// Ten entries a day for eight weeks, the last an hour ago.
fn lively() -> Rhythm {
    let dates: Vec<_> = (0..560_u32)
        .map(|n| Some(now().minus(HOUR + HOUR * 24 / 10 * n)))
        .collect();
    Rhythm::first(now(), &dates)
}

struct Source {
    rhythm: Rhythm,
    polls: Vec<Poll>,
    ever: u64,
    lengths: Vec<u32>,
    moved: Option<Moved>,
    refusal: Option<Refusal>,
    standing: Standing,
}

impl Source {
    fn new(answers: &[Answer]) -> Self {
        Self {
            rhythm: lively(),
            polls: polls(answers),
            ever: 100,
            lengths: vec![2000; 40],
            moved: None,
            refusal: None,
            standing: Standing::new(now().minus(DAY * 30)),
        }
    }

    fn at(&mut self, now: Timestamp) -> (State, Option<Change>) {
        let facts = Facts {
            rhythm: &self.rhythm,
            polls: &self.polls,
            entries_ever: self.ever,
            lengths: &self.lengths,
            moved: self.moved.as_ref(),
            refusal: self.refusal,
        };
        let (standing, change) = self.standing.after(&facts, now);
        assert!(!standing.why.is_empty());
        self.standing = standing;
        (self.standing.state, change)
    }

    fn state(&mut self) -> State {
        self.at(now()).0
    }

    /// One poll more.
    fn then(&mut self, answer: Answer) -> State {
        self.polls.splice(0..0, polls(&[answer]));
        self.state()
    }
}

fn check(answers: &[Answer], expected: State) {
    let mut source = Source::new(answers);
    assert_eq!(
        source.state(),
        expected,
        "{answers:?}: {}",
        source.standing.why
    );
}

#[test]
fn three_in_a_row_are_a_state_and_two_are_not() {
    check(&[], State::Fine);
    check(&[Read, Unchanged], State::Fine);
    for (answer, state) in [
        (Failed, State::Failing),
        (Blocked, State::Blocked),
        (Strange, State::Redesigned),
        (Hollow, State::Thin),
    ] {
        check(&[answer, answer, Read], State::Fine);
        check(&[answer, answer, answer, Read], state);
        check(&[Unchanged, answer, answer, answer], State::Fine);
    }
    check(&[Gone, Read], State::Fine);
    check(&[Gone, Gone, Read], State::Gone);
    check(&[Blocked, Failed, Blocked], State::Blocked);
    check(&[Blocked, Failed, Strange], State::Failing);
}

#[test]
fn trouble_does_not_flap() {
    let mut source = Source::new(&[Blocked, Blocked, Blocked]);
    assert_eq!(source.state(), State::Blocked);
    let mut seen = Vec::new();
    for answer in [Failed, Blocked, Failed, Blocked, Read, Failed, Read] {
        seen.push(source.then(answer));
    }
    assert_eq!(seen, [State::Blocked; 7], "{}", source.standing.why);
    assert_eq!(source.then(Unchanged), State::Fine, "two good ones");
    assert_eq!(source.then(Failed), State::Fine);
    assert_eq!(source.then(Failed), State::Fine);
    assert_eq!(source.then(Failed), State::Failing);
    assert_eq!(source.then(Blocked), State::Failing);
    assert_eq!(source.then(Blocked), State::Failing);
    assert_eq!(source.then(Blocked), State::Blocked, "three that agree");
}

#[test]
fn p_45_a_source_that_comes_back_from_gone_is_back() {
    let mut source = Source::new(&[Gone, Gone, Read]);
    assert_eq!(source.state(), State::Gone);
    assert_eq!(source.then(Read), State::Fine);
}

#[test]
fn a_change_is_a_value_and_comes_once() {
    let mut source = Source::new(&[Failed, Failed, Failed, Read]);
    let change = source.at(now()).1.unwrap();
    assert_eq!(
        (change.from, change.to, change.at),
        (State::Fine, State::Failing, now())
    );
    assert_eq!(
        change.to_string(),
        "failing after fine: in the last of 3 polls without success there was no usable answer"
    );
    assert_eq!(source.at(now().plus(HOUR)), (State::Failing, None));
    assert_eq!(source.standing.since, now());
}

#[test]
fn an_honestly_empty_feed_is_not_broken() {
    let mut source = Source::new(&[Read, Unchanged, Unchanged, Read]);
    let empty_at = |source: &mut Source, from: usize| {
        for poll in source.polls.iter_mut().take(from) {
            poll.entries = 0;
        }
    };
    empty_at(&mut source, 9);
    source.ever = 0;
    source.rhythm = Rhythm::default();
    assert_eq!(source.state(), State::Fine, "it never had any");
    assert!(source.standing.why.contains("never had"));

    let mut source = Source::new(&[Read, Read, Read]);
    empty_at(&mut source, 2);
    assert_eq!(source.state(), State::Fine, "twice is not three times");
    let mut source = Source::new(&[Unchanged, Unchanged, Read, Read]);
    empty_at(&mut source, 3);
    assert_eq!(source.state(), State::Empty, "unchanged, and empty");
    source.then(Read);
    assert_eq!(source.state(), State::Fine, "it has entries again");
    // Now it is known to be empty at times.
    for _ in 0..4 {
        source.then(Read);
        source.polls[0].entries = 0;
    }
    assert_eq!(source.state(), State::Fine, "{}", source.standing.why);
}

#[test]
fn entries_none_of_which_can_be_used_are_thin() {
    let mut source = Source::new(&[Read, Read, Read]);
    for poll in &mut source.polls {
        (poll.entries, poll.left_out) = (0, 12);
    }
    assert_eq!(source.state(), State::Thin);
}

#[test]
fn texts_that_are_suddenly_short_are_thin_until_they_are_not() {
    let mut source = Source::new(&[Read]);
    let newest = |source: &mut Source, length| source.lengths[..5].fill(length);
    newest(&mut source, 600);
    assert_eq!(source.state(), State::Fine, "{}", source.standing.why);
    newest(&mut source, 300);
    assert_eq!(source.state(), State::Thin);
    newest(&mut source, 800);
    assert_eq!(source.state(), State::Thin, "a little more is not well");
    newest(&mut source, 1200);
    assert_eq!(source.state(), State::Fine);
    let mut source = Source::new(&[Read]);
    source.lengths = vec![30; 40];
    newest(&mut source, 1);
    assert_eq!(source.state(), State::Fine, "headlines were never long");
    source.lengths = vec![10, 10, 10, 10, 10, 4000];
    assert_eq!(source.state(), State::Fine, "too few to say");
}

#[test]
fn a_redirect_is_a_move_when_it_lasts() {
    let moved = |times, hours| Moved {
        from: String::new(),
        to: "https://new.test/feed".to_owned(),
        times,
        since: now().minus(HOUR * hours),
        until: now(),
    };
    let mut source = Source::new(&[Read]);
    for (times, hours, state) in [
        (1, 0, State::Fine),
        (9, 5, State::Fine),
        (2, 24, State::Moved),
    ] {
        source.moved = Some(moved(times, hours));
        assert_eq!(source.state(), state, "{times} in {hours} h");
    }
    assert!(source.standing.why.contains("https://new.test/feed"));
    source.moved = None;
    assert_eq!(source.state(), State::Fine);
}

#[test]
fn silence_is_late_then_silent_and_ends_with_an_entry() {
    let mut source = Source::new(&[Unchanged, Read]);
    let mut states = Vec::new();
    for hour in 0..24 * 6 {
        let (state, change) = source.at(now().plus(HOUR * hour));
        if let Some(change) = change {
            states.push((change.to, hour));
        }
        assert!(!source.standing.why.is_empty());
        assert_eq!(state, source.standing.state);
    }
    let [(State::Late, late), (State::Silent, silent)] = states[..] else {
        panic!("{states:?}");
    };
    assert!((4..30).contains(&late) && silent >= 71, "{states:?}");
    let later = now().plus(HOUR * 24 * 6);
    source.rhythm = source
        .rhythm
        .after_poll(now(), later, &[Some(later)], false);
    assert_eq!(source.at(later).0, State::Fine, "{}", source.standing.why);
}

#[test]
fn a_long_silence_is_not_forgotten_into_a_short_one() {
    // The habit fades with the silence, and with it the surprise: without anything new, that is no news.
    let mut source = Source::new(&[Unchanged, Read]);
    let dates: Vec<_> = (0..112_u32)
        .map(|n| Some(now().minus(HOUR * 12 * n)))
        .collect();
    source.rhythm = Rhythm::first(now(), &dates);
    let mut states = Vec::new();
    for hour in 1..24 * 120_u32 {
        let at = now().plus(HOUR * hour);
        source.rhythm = source.rhythm.after_poll(at.minus(HOUR), at, &[], false);
        states.extend(source.at(at).1.map(|change| change.to));
    }
    assert_eq!(states, [State::Late, State::Silent]);
}

#[test]
fn a_healthy_source_is_rarely_called_late() {
    // Ten entries in the office hours of five days a week; a year of it, asked every hour.
    let start = Timestamp::from_secs(1_772_409_600); // a Monday
    let mut source = Source::new(&[Read]);
    source.rhythm = Rhythm::default();
    source.standing = Standing::new(start);
    let (mut changes, mut hours_late) = (0, 0);
    for hour in 1..24 * 7 * 50_u32 {
        let at = start.plus(HOUR * hour);
        let working = (hour / 24) % 7 < 5 && (8..18).contains(&(hour % 24));
        let new = [Some(at)];
        let new = if working { &new[..] } else { &[] };
        source.rhythm = source.rhythm.after_poll(at.minus(HOUR), at, new, false);
        let (state, change) = source.at(at);
        changes += u32::from(change.is_some());
        hours_late += u32::from(state != State::Fine);
        assert_ne!(state, State::Silent);
    }
    assert!(
        changes <= 4 && hours_late < 80,
        "{changes} changes, {hours_late} hours late"
    );
}

#[test]
fn words_are_words() {
    for state in State::ALL {
        assert_eq!(State::named(state.word()), Some(state));
        assert!(state.to_string().starts_with(state.word()));
    }
    assert_eq!(State::named("odd"), None);
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Read), 3 => Just(Unchanged), 1 => Just(Hollow), 1 => Just(Blocked), 1 => Just(Strange), 1 => Just(Gone), 2 => Just(Failed)
    ]
}

proptest! {
    /// Any history is judged, and judging it again changes nothing.
    #[test]
    fn a_judgement_is_stable(
        answers in prop::collection::vec((answer(), 0_u64..3, 0_u64..2), 0..60), ever in 0_u64..3,
        lengths in prop::collection::vec(any::<u32>(), 0..40), times in any::<u32>(), last in any::<i64>(),
        before in 0_usize..10, since in any::<i64>(), at in any::<i64>(),
    ) {
        let mut source = Source::new(&answers.iter().map(|(answer, ..)| *answer).collect::<Vec<_>>());
        for (poll, (_, entries, left_out)) in source.polls.iter_mut().zip(&answers) {
            (poll.entries, poll.left_out) = (*entries, *left_out);
        }
        (source.ever, source.lengths) = (ever, lengths);
        source.rhythm.last = Some(last);
        source.moved = Some(Moved { from: String::new(), to: String::new(), times, since: Timestamp::from_millis(since), until: now() });
        source.standing.state = State::ALL[before];
        source.standing.since = Timestamp::from_millis(since);
        let at = Timestamp::from_millis(at);
        let (first, _) = source.at(at);
        let (again, change) = source.at(at);
        prop_assert_eq!(first, again);
        prop_assert!(change.is_none());
    }

    /// With less than a pattern of any kind, a source that answers keeps its state.
    #[test]
    fn single_failures_never_make_a_state(answers in prop::collection::vec(prop_oneof![Just(Failed), Just(Blocked), Just(Strange)], 1..30)) {
        let mut source = Source::new(&[Read, Read]);
        for answer in answers {
            prop_assert_eq!(source.then(answer), State::Fine);
            prop_assert_eq!(source.then(Read), State::Fine);
        }
    }
}

#[test]
fn p_46_who_is_not_asked_any_more_is_not_fine() {
    let mut source = Source::new(&[Blocked, Blocked]);
    assert_eq!(source.state(), State::Fine, "two refusals may be weather");
    let refused = |status| Some(Refusal { status, times: 2 });
    source.refusal = refused(401);
    assert_eq!(source.state(), State::Blocked);
    source.refusal = refused(410);
    assert_eq!(source.state(), State::Gone);
}
