#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::EPOCH;

fn now() -> Timestamp {
    NOW.plus(DAY * 20_000)
}

#[allow(clippy::unnecessary_wraps)] // as dates are given
fn ago(time: Duration) -> Option<Timestamp> {
    Some(now().minus(time))
}

fn check(found: f64, least: f64, most: f64) {
    assert!(
        (least..=most).contains(&found),
        "{found} is not in {least} to {most}"
    );
}

#[test]
fn nothing_known_is_one_entry_in_two_days() {
    check(Rhythm::default().per_day(), 0.5, 0.5);
    assert_eq!(Rhythm::first(now(), &[]), Rhythm::default());
    assert_eq!(Rhythm::first(now(), &[None, None]), Rhythm::default());
}

#[test]
fn the_first_document_is_replayed() {
    let hourly: Vec<_> = (0..100).map(|n| ago(HOUR * n)).collect();
    check(Rhythm::first(now(), &hourly).habit(), 15.0, 24.0);
    let weekly: Vec<_> = (0..20).map(|n| ago(DAY * 7 * n)).collect();
    check(Rhythm::first(now(), &weekly).per_day(), 0.1, 0.4);
    // One old entry says that there was nothing since.
    check(
        Rhythm::first(now(), &[ago(DAY * 200)]).per_day(),
        0.05,
        0.07,
    );
}

#[test]
fn p_131_dates_that_cannot_be_true_teach_nothing() {
    let same = vec![ago(HOUR); 5000];
    assert_eq!(Rhythm::first(now(), &same), Rhythm::default());
    let ahead: Vec<_> = (1..50).map(|n| Some(now().plus(DAY * n))).collect();
    assert_eq!(Rhythm::first(now(), &ahead), Rhythm::default());
    let ancient: Vec<_> = (1..50).map(|n| Some(NOW.plus(DAY * n))).collect();
    assert_eq!(Rhythm::first(now(), &ancient), Rhythm::default());
}

#[test]
fn silence_lowers_the_rate_and_a_burst_raises_it_at_once() {
    let weekly: Vec<_> = (0..20).map(|n| ago(DAY * 7 * n)).collect();
    let rhythm = Rhythm::first(now(), &weekly);
    let calm = rhythm.per_day();
    let later = now().plus(HOUR);
    let burst = rhythm.after_poll(now(), later, &[Some(later); 6], false);
    assert!(
        burst.per_day() > 3.0 * calm,
        "{} after {calm}",
        burst.per_day()
    );
    check(burst.habit(), calm, 3.0 * calm);
    // A day later the burst is over.
    let over = burst.after_poll(later, later.plus(DAY), &[], false);
    check(over.per_day(), over.habit(), over.habit() * 1.05);
    let silent = rhythm.after_poll(now(), now().plus(DAY * 60), &[], false);
    assert!(silent.per_day() < calm / 2.0);
}

#[test]
fn old_entries_put_in_are_one_event() {
    let rhythm = Rhythm::first(now(), &[ago(DAY), ago(DAY * 2), ago(DAY * 3)]);
    let later = now().plus(HOUR);
    let old: Vec<_> = (10..3000).map(|n| ago(DAY * n)).collect();
    let one = rhythm.after_poll(now(), later, &[Some(later)], false);
    assert_eq!(rhythm.after_poll(now(), later, &old, false), one);
    // Without a date, or dated ahead, or wrong by a zone: each came when it was seen.
    let odd = [None, Some(later.plus(DAY * 9)), Some(now().minus(HOUR * 8))];
    let seen = [Some(later); 3];
    assert_eq!(
        rhythm.after_poll(now(), later, &odd, false),
        rhythm.after_poll(now(), later, &seen, false)
    );
}

#[test]
fn an_hour_of_price_at_one_a_day_and_the_root_of_it_above() {
    let one = Rhythm {
        slow: Memory {
            entries: 13.0,
            days: 12.0,
        },
        ..Rhythm::default()
    };
    let wait = |rhythm: &Rhythm, cost, window| rhythm.wait(now(), Price::default(), cost, window);
    check(one.per_day(), 1.0, 1.0);
    check(wait(&one, 1.0, 0).interval.as_secs_f64(), 3599.9, 3600.1);
    check(wait(&one, 4.0, 0).interval.as_secs_f64(), 7199.9, 7200.1);
    let sixteen = Rhythm {
        slow: Memory {
            entries: 223.0,
            days: 12.0,
        },
        ..Rhythm::default()
    };
    // 16^(3/8) = 2.83
    check(
        wait(&sixteen, 1.0, 0).interval.as_secs_f64(),
        1270.0,
        1276.0,
    );
}

#[test]
fn p_133_the_document_is_not_overrun() {
    let busy: Vec<_> = (0..200).map(|n| ago(HOUR / 4 * n)).collect();
    let rhythm = Rhythm::first(now(), &busy);
    let dear = Price::new(10.0);
    assert!(!rhythm.wait(now(), dear, 1.0, 0).guarded);
    let guarded = rhythm.wait(now(), dear, 1.0, 20);
    assert!(
        guarded.guarded && guarded.interval < HOUR * 4,
        "{guarded:?}"
    );
    let later = now().plus(HOUR * 4);
    let overrun = rhythm.after_poll(now(), later, &[Some(later); 20], true);
    let hurried = overrun.wait(later, dear, 1.0, 20).interval;
    let after = overrun.wait(later.plus(DAY * 7), dear, 1.0, 20).interval;
    assert_eq!(hurried.as_secs(), (after / 2).as_secs());
}

#[test]
fn weekends_are_no_accident_and_a_lost_week_is() {
    // Ten on each of five days, at the office hours; then nothing.
    let mut dates = Vec::new();
    for day in 0..60_u32 {
        if day % 7 < 5 {
            dates.extend((0..10).map(|n| Some(now().plus(DAY * day + HOUR * (8 + n)))));
        }
    }
    let friday = now().plus(DAY * 53 + HOUR * 17);
    let known: Vec<_> = dates
        .into_iter()
        .filter(|date| *date <= Some(friday))
        .collect();
    let rhythm = Rhythm::first(friday, &known);
    let chance = |hours| rhythm.chance_of_silence(friday.plus(HOUR * hours));
    check(chance(1), 0.5, 1.0);
    check(chance(60), 0.1, 1.0);
    check(chance(24 * 4), 0.001, 0.05);
    assert!(chance(24 * 9) < 0.001, "{}", chance(24 * 9));
    assert!(Rhythm::default().chance_of_silence(now()) >= 1.0);
    // Two days of watching say nothing about weeks.
    let young = Rhythm::first(now(), &[ago(HOUR), ago(HOUR * 2), ago(HOUR * 3)]);
    check(young.chance_of_silence(now().plus(DAY * 30)), 1.0, 1.0);
}

#[test]
fn what_is_most_overdue_is_worth_most() {
    let busy: Vec<_> = (0..200).map(|n| ago(HOUR / 4 * n)).collect();
    let (busy, idle) = (Rhythm::first(now(), &busy), Rhythm::default());
    let worth = |rhythm: &Rhythm, hours| {
        rhythm.worth(now(), now().plus(HOUR * hours), Price::default(), 1.0)
    };
    assert!(worth(&busy, 3) > worth(&idle, 3));
    assert!(worth(&idle, 9) > worth(&idle, 3));
    let due = idle.wait(now(), Price::default(), 1.0, 0).interval;
    check(
        idle.worth(now(), now().plus(due), Price::default(), 1.0),
        0.99,
        1.01,
    );
}

#[test]
fn a_rhythm_is_stored_and_read_back() {
    let dates: Vec<_> = (0..40).map(|n| ago(HOUR * 7 * n)).collect();
    let rhythm = Rhythm::first(now(), &dates);
    let text = serde_json::to_string(&rhythm).unwrap();
    assert!(text.len() < 500, "{text}");
    let back: Rhythm = serde_json::from_str(&text).unwrap();
    check(back.per_day() / rhythm.per_day(), 0.999_999, 1.000_001);
    assert_eq!(
        serde_json::from_str::<Rhythm>("{}").unwrap(),
        Rhythm::default()
    );
}

fn number_of_any_kind() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), 0.0..1e4, Just(f64::NAN), Just(f64::INFINITY)]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::from_millis),
        (0_i64..4_000_000_000).prop_map(Timestamp::from_secs)
    ]
}

prop_compose! {
    fn rhythm()(n in [number_of_any_kind(), number_of_any_kind(), number_of_any_kind(), number_of_any_kind(), number_of_any_kind()],
                last in proptest::option::of(any::<i64>()), overrun in proptest::option::of(any::<i64>()),
                weeks in prop::collection::vec(number_of_any_kind(), 0..12), week in any::<i64>()) -> Rhythm {
        let [a, b, c, d, peak] = n;
        Rhythm {
            slow: Memory { entries: a, days: b },
            fast: Memory { entries: c, days: d },
            peak,
            last,
            overrun,
            silences: Silences { weeks, week },
        }
    }
}

proptest! {
    /// Whatever was stored and whatever is published, the numbers stay finite.
    #[test]
    fn numbers_stay_finite(
        rhythm in rhythm(),
        polls in prop::collection::vec((time(), prop::collection::vec(proptest::option::of(time()), 0..20), any::<bool>()), 1..6),
        theta in number_of_any_kind(), cost in number_of_any_kind(), window in any::<u32>(),
    ) {
        let mut rhythm = rhythm;
        let mut before = Timestamp::EPOCH;
        for (now, new, overrun) in polls {
            rhythm = rhythm.after_poll(before, now, &new, overrun);
            for number in [rhythm.slow.entries, rhythm.slow.days, rhythm.fast.entries, rhythm.fast.days, rhythm.peak] {
                prop_assert!(number.is_finite() && number >= 0.0, "{:?}", rhythm);
            }
            prop_assert!(rhythm.per_day() > 0.0 && rhythm.per_day().is_finite());
            prop_assert!(rhythm.silences.weeks.len() <= 8);
            let chance = rhythm.chance_of_silence(now);
            prop_assert!((0.0..=1.0).contains(&chance));
            let wait = rhythm.wait(now, Price { theta }, cost, window);
            prop_assert!(wait.interval <= DAY * 36_500);
            let worth = rhythm.worth(before, now, Price { theta }, cost);
            prop_assert!(worth >= 0.0);
            before = now;
        }
        prop_assert!(Rhythm::first(before, &[]).per_day().is_finite());
    }

    #[test]
    fn any_first_document_is_read(now in time(), dates in prop::collection::vec(proptest::option::of(time()), 0..50)) {
        let rhythm = Rhythm::first(now, &dates);
        prop_assert!(rhythm.per_day() > 0.0 && rhythm.per_day().is_finite());
    }
}
