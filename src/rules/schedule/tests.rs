#![allow(clippy::unwrap_used)]
use std::str::FromStr;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::rules::rhythm::Memory;

/// 2026-11-21 08:00 UTC, a Saturday.
fn now() -> Timestamp {
    Timestamp::from_secs(1_795_248_000)
}

fn feed() -> FeedId {
    "f".parse().unwrap()
}

fn rhythm(per_day: f64) -> Rhythm {
    let slow = Memory {
        entries: per_day * 16.0 - 1.0,
        days: 14.0,
    };
    Rhythm {
        slow,
        last: Some(now().minus(DAY).millis()),
        ..Rhythm::default()
    }
}

/// The time from now, without jitter, and the reason.
fn decide<'a>(
    rhythm: &'a Rhythm,
    hints: &'a Hints,
    change: impl FnOnce(&mut Facts<'a>),
) -> (Duration, String) {
    static FEED: LazyLock<FeedId> = LazyLock::new(feed);
    let mut facts = Facts::new(&FEED, rhythm, hints);
    facts.due = Some(now());
    change(&mut facts);
    let next = next(now(), &facts);
    let reason = next.why.word().to_owned();
    assert!(next.at >= next.not_before, "{next:?}");
    let undisturbed = match reason.as_str() {
        "rhythm" | "window" | "longest" | "schedule" | "never-scheduled" => next.at,
        _ => next.not_before,
    };
    assert!(next.at.since(undisturbed) <= JITTER, "{next:?}");
    (undisturbed.since(now()), reason)
}

#[allow(clippy::needless_pass_by_value)] // as it comes from `decide`
fn check(found: (Duration, String), minutes: u64, reason: &str) {
    assert_eq!(found.1, reason, "{:?}", found.0);
    let least = Duration::from_mins(minutes);
    let jitter = (least / 10).min(JITTER);
    assert!(
        (least..=least + jitter).contains(&found.0),
        "{reason}: {:?}",
        found.0
    );
}

#[test]
fn the_rhythm_decides_where_nothing_forbids() {
    let none = Hints::default();
    let price = |theta| move |facts: &mut Facts<'_>| facts.price = Price::new(theta);
    // τ = √(2 · 0.5 / λ^¾) days.
    check(decide(&rhythm(16.0), &none, price(0.5)), 509, "rhythm");
    check(decide(&rhythm(1.0), &none, price(0.125)), 720, "rhythm");
    check(decide(&rhythm(0.1), &none, price(0.5)), 24 * 60, "longest");
    check(decide(&rhythm(16.0), &none, |_| ()), 60, "floor");
    let window = |facts: &mut Facts<'_>| {
        facts.price = Price::new(0.5);
        facts.window = 4;
    };
    check(decide(&rhythm(16.0), &none, window), 180, "window");
}

#[test]
fn p_29_the_latest_bound_wins_and_is_named() {
    let none = Hints::default();
    let fresh = |minutes: u64| {
        move |facts: &mut Facts<'_>| {
            facts.fresh_until = Some(now().plus(Duration::from_mins(minutes)));
        }
    };
    check(decide(&rhythm(50.0), &none, fresh(120)), 120, "fresh");
    check(decide(&rhythm(6.3496), &none, fresh(1)), 30, "rhythm"); // 6.35^⅜ = 2
    check(decide(&rhythm(5000.0), &none, fresh(1)), 15, "floor");
    check(decide(&rhythm(5000.0), &none, fresh(40)), 40, "fresh");
    check(decide(&rhythm(5000.0), &none, fresh(0)), 60, "floor");
    check(
        decide(&rhythm(50.0), &none, fresh(999_999)),
        24 * 60,
        "fresh",
    );
    let ttl = |minutes| Hints {
        ttl: Some(Duration::from_mins(minutes)),
        ..Hints::default()
    };
    check(decide(&rhythm(50.0), &ttl(90), |_| ()), 90, "ttl");
    check(decide(&rhythm(50.0), &ttl(525_600), |_| ()), 24 * 60, "ttl");
    check(decide(&rhythm(50.0), &ttl(90), fresh(120)), 120, "fresh");
    let twice = |from_now| Hints {
        updates: Updates::read(
            Some("daily"),
            Some("2"),
            Some(now().plus(Duration::from_mins(from_now))),
        ),
        ..Hints::default()
    };
    check(decide(&rhythm(50.0), &twice(20), |_| ()), 60, "floor");
    check(decide(&rhythm(50.0), &twice(140), |_| ()), 140, "updates");
    let held = NotBefore {
        until: now().plus(DAY * 9),
        why: "HTTP status 429 with Retry-After: 777600 s".to_owned(),
    };
    check(
        decide(&rhythm(50.0), &ttl(90), |facts| facts.held = Some(&held)),
        9 * 24 * 60,
        "held",
    );
    let years = NotBefore {
        until: now().plus(DAY * 4000),
        ..held.clone()
    };
    check(
        decide(&rhythm(50.0), &none, |facts| facts.held = Some(&years)),
        31 * 24 * 60,
        "held",
    );
}

#[test]
fn p_28_what_has_ended_or_gone_cold_is_asked_once_a_day() {
    let ended = Hints {
        ended: true,
        ..Hints::default()
    };
    check(decide(&rhythm(50.0), &ended, |_| ()), 24 * 60, "ended");
    let cold = Rhythm {
        last: Some(now().minus(DAY * 181).millis()),
        ..rhythm(0.07)
    };
    check(decide(&cold, &Hints::default(), |_| ()), 24 * 60, "cold");
}

#[test]
fn p_35_each_429_doubles_the_floor_and_each_clean_week_halves_it() {
    let slowed = Slowed::default().told(now());
    assert_eq!(slowed.times(now()), 1);
    let twice = slowed.told(now().plus(HOUR));
    assert_eq!(twice.times(now().plus(DAY)), 2);
    assert_eq!(twice.times(now().plus(DAY * 8)), 1);
    assert_eq!(twice.times(now().plus(DAY * 15)), 0);
    let none = Hints::default();
    let with = |slowed| move |facts: &mut Facts<'_>| facts.slowed = slowed;
    check(decide(&rhythm(50.0), &none, with(slowed)), 120, "slowed");
    check(decide(&rhythm(50.0), &none, with(twice)), 240, "slowed");
    let often = (0..99).fold(slowed, |slowed, _| slowed.told(now()));
    check(decide(&rhythm(50.0), &none, with(often)), 24 * 60, "slowed");
    // A short freshness buys nothing from who was told to slow down.
    let both = |facts: &mut Facts<'_>| {
        facts.slowed = slowed;
        facts.fresh_until = Some(now().plus(Duration::from_mins(5)));
    };
    check(decide(&rhythm(5000.0), &none, both), 120, "slowed");
}

#[test]
fn p_93_whole_answers_for_nothing_have_a_budget() {
    let none = Hints::default();
    let with = |bytes| move |facts: &mut Facts<'_>| facts.unchanged_bytes = bytes;
    check(
        decide(&rhythm(500.0), &none, with(1 << 20)),
        12 * 60,
        "bodies",
    );
    check(
        decide(&rhythm(500.0), &none, with(50 << 20)),
        24 * 60,
        "bodies",
    );
    check(decide(&rhythm(5000.0), &none, with(50 << 10)), 60, "floor");
}

#[test]
fn p_26_a_due_time_in_a_skipped_hour_is_moved_to_its_end() {
    let night = Hints {
        skip_hours: 0b1111_1110_0000_0000, // 9 to 15
        ..Hints::default()
    };
    check(decide(&rhythm(50.0), &night, |_| ()), 8 * 60, "skip");
    let held = NotBefore {
        until: now().plus(HOUR * 9),
        why: "backoff".to_owned(),
    };
    check(
        decide(&rhythm(50.0), &night, |facts| facts.held = Some(&held)),
        9 * 60,
        "held",
    );
}

#[test]
fn a_schedule_is_kept_to_the_second_and_never_inside_a_bound() {
    let (none, rhythm) = (Hints::default(), rhythm(50.0));
    let (daily, zone) = (
        Schedule::from_str("0 0 17 * * *").unwrap(),
        Zone::parse("Asia/Shanghai").unwrap(),
    );
    assert_eq!(
        decide(&rhythm, &none, |facts| facts.cron = Some((&daily, &zone))),
        (HOUR, "schedule".to_owned())
    );
    let half = Schedule::from_str("0 0,30 * * * *").unwrap();
    check(
        decide(&rhythm, &none, |facts| facts.cron = Some((&half, &zone))),
        60,
        "floor",
    );
    let fresh = decide(&rhythm, &none, |facts| {
        facts.cron = Some((&daily, &zone));
        facts.fresh_until = Some(now().plus(Duration::from_mins(70)));
    });
    // Seventy minutes, not a day and an hour: a bound delays a schedule, it does not cancel it.
    check(fresh, 70, "fresh");
    let never = Schedule::from_str("0 0 0 30 2 *").unwrap();
    check(
        decide(&rhythm, &none, |facts| facts.cron = Some((&never, &zone))),
        24 * 60,
        "never-scheduled",
    );
}

#[test]
fn p_141_who_was_asked_together_comes_back_apart() {
    let hints = Hints::default();
    let rhythm = rhythm(50.0);
    let first: Vec<Duration> = (0..600)
        .map(|n| {
            let feed = format!("f{n}").parse().unwrap();
            next(now(), &Facts::new(&feed, &rhythm, &hints))
                .at
                .since(now())
        })
        .collect();
    let mut minutes = [0_u32; 60];
    for at in &first {
        assert!(*at >= HOUR && *at <= HOUR * 2 + JITTER);
        minutes[usize::try_from(at.as_secs() / 60 % 60).unwrap()] += 1;
    }
    assert!(
        minutes.iter().all(|count| (1..30).contains(count)),
        "{minutes:?}"
    );
    // In its turn, only the jitter; the same facts, the same answer.
    let feed = feed();
    let mut facts = Facts::new(&feed, &rhythm, &hints);
    facts.due = Some(now().minus(Duration::from_secs(3)));
    let at = next(now(), &facts).at.since(now());
    assert!(at >= HOUR && at <= HOUR + HOUR / 10, "{at:?}");
    assert_eq!(next(now(), &facts), next(now(), &facts));
}

#[test]
fn reasons_are_plain_words() {
    let words = |why: Why| why.to_string();
    assert_eq!(
        words(Why::Rhythm { per_day: 12.2 }),
        "its rhythm: about 12 entries a day"
    );
    assert_eq!(words(Why::Floor(HOUR)), "the floor of 60 min");
    assert_eq!(
        words(Why::Slowed {
            floor: HOUR * 2,
            times: 1
        }),
        "the floor of 120 min, doubled once after HTTP status 429"
    );
    assert_eq!(
        words(Why::Longest(DAY)),
        "nobody is left alone longer than 24 h"
    );
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::from_millis),
        (-40_000_000_i64..40_000_000).prop_map(|by| Timestamp::from_secs(1_795_248_000 + by)),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        any::<u64>().prop_map(Duration::from_millis),
        Just(Duration::MAX),
        Just(Duration::ZERO)
    ]
}

proptest! {
    /// Later than now, and not for ever, whatever the facts are.
    #[test]
    fn the_next_poll_is_later_and_bounded(
        now in (-62_000_000_000_i64..253_000_000_000).prop_map(Timestamp::from_secs),
        held in proptest::option::of(time()), fresh in proptest::option::of(time()), due in proptest::option::of(time()),
        ttl in proptest::option::of(span()), skip_hours in any::<u32>(), skip_days in any::<u8>(),
        updates in proptest::option::of((span(), proptest::option::of(time()))), ended in any::<bool>(),
        slowed in (any::<u32>(), proptest::option::of(time())), window in any::<u32>(), bytes in any::<u64>(),
        numbers in prop::array::uniform6(any::<f64>()), last in proptest::option::of(any::<i64>()), slow in any::<bool>(),
        floors in (span(), span(), span()), scheduled in any::<bool>(),
    ) {
        let day = |time: Duration| time.min(DAY);
        let feed = feed();
        let [a, b, c, d, peak, theta] = numbers;
        let rhythm = Rhythm {
            slow: Memory { entries: a, days: b },
            fast: Memory { entries: c, days: d },
            peak, last, overrun: last, ..Rhythm::default()
        };
        let hints = Hints {
            ttl, skip_hours, skip_days, ended,
            updates: updates.map(|(every, base)| Updates { every, base }),
        };
        let held = held.map(|until| NotBefore { until, why: String::new() });
        let (schedule, zone) = (Schedule::from_str("0 30 2 * * *").unwrap(), Zone::parse("Europe/Berlin").unwrap());
        let facts = Facts {
            price: Price { theta },
            cron: scheduled.then_some((&schedule, &zone)),
            held: held.as_ref(), fresh_until: fresh,
            slowed: Slowed { times: slowed.0, since: slowed.1 },
            window, unchanged_bytes: bytes, slow, due,
            floors: Floors { plain: day(floors.0), hinted: day(floors.1), cold: day(floors.2) },
            ..Facts::new(&feed, &rhythm, &hints)
        };
        let next = next(now, &facts);
        prop_assert!(next.at > now && next.at >= next.not_before, "{next:?}");
        prop_assert!(next.at <= now.plus(DAY * 31 + DAY * 8 + HOUR * 2), "{next:?}");
        prop_assert!(held.is_none_or(|held| next.at >= held.until || next.at >= now.plus(DAY * 31)));
        prop_assert!(!next.why.to_string().is_empty() || next.why.word() == "held");
    }
}
