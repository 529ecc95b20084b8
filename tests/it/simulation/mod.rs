//! Thirty virtual days with the production rules: is the adaptive rule worth having, and is it polite (POLLING C.11, 0.4)?
//! `cargo test --test it -- simulation --nocapture` prints what was measured.

mod traces;
mod world;

use std::collections::HashMap;
use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use cron::Schedule;
use feedmill::model::time::{Timestamp, Zone};
use feedmill::rules::schedule::Hints;

use traces::START;
use world::{Feed, Policy, Run, STARTS_PER_SECOND, calibrated, feeds, mean, play, quantile};

const DAYS: f64 = 30.0;
const SEEDS: [u64; 3] = [1, 2, 3];

/// Six requests a feed and day.
const FIXED: Policy = Policy::Fixed(Duration::from_hours(4));

fn line(table: &mut String, seed: u64, policy: &str, run: &Run) {
    writeln!(
        table,
        "{seed:>4}  {policy:<22} {:>8} {:>7} {:>6.0} {:>6.0} {:>6.0} {:>9.0} {:>10.0} {:>5}",
        run.requests.len(),
        run.delays.len(),
        mean(&run.delays) / 60.0,
        quantile(&run.delays, 0.5) / 60.0,
        quantile(&run.delays, 0.95) / 60.0,
        mean(&run.by_feed) / 60.0,
        run.by_feed.iter().copied().fold(0.0, f64::max) / 60.0,
        run.lost,
    )
    .unwrap();
}

/// What is done to the n-th feed of a world.
type Change = fn(usize, &mut Feed);

const HEAD: &str = "seed  policy                 requests entries   mean    p50    p95  by feed  worst feed  lost\n";

#[test]
fn c_11_the_adaptive_rule_beats_a_fixed_interval_at_equal_requests() {
    let mut table = HEAD.to_owned();
    let mut failed = Vec::new();
    for seed in SEEDS {
        let feeds = feeds(60, seed, DAYS);
        let fixed = play(&feeds, FIXED, DAYS, None);
        let ours = calibrated(&feeds, fixed.requests.len(), DAYS, Policy::Adaptive);
        let slow = calibrated(&feeds, fixed.requests.len(), DAYS, Policy::SlowOnly);
        line(&mut table, seed, "every 4 h", &fixed);
        line(&mut table, seed, "adaptive", &ours);
        line(&mut table, seed, "without the fast memory", &slow);
        let mut gate = |holds: bool, what: &str| {
            if !holds {
                failed.push(format!("seed {seed}: {what}"));
            }
        };
        gate(
            mean(&ours.delays) <= 0.75 * mean(&fixed.delays),
            "25 % below",
        );
        gate(
            quantile(&ours.delays, 0.95) <= quantile(&fixed.delays, 0.95),
            "p95 not worse",
        );
        gate(
            ours.requests.len().abs_diff(fixed.requests.len()) * 50 <= fixed.requests.len(),
            "budget within 2 %",
        );
        gate(ours.too_early.is_empty(), "nobody is asked too early");
        gate(ours.lost <= fixed.lost, "no more entries lost");
        gate(
            ours.delays.len() + ours.lost == fixed.delays.len() + fixed.lost,
            "every entry is counted",
        );
    }
    println!("{table}");
    assert!(failed.is_empty(), "{failed:#?}\n{table}");
}

#[test]
fn c_11_it_still_does_where_the_world_is_less_kind() {
    let mut table = HEAD.to_owned();
    let mut failed = Vec::new();
    let worlds: [(&str, Change); 3] = [
        ("1 in 10 without dates", |n, feed| feed.dated = n % 10 != 0),
        ("1 in 5 fresh for 1 h", |n, feed| {
            feed.max_age = (n % 5 == 0).then_some(Duration::from_hours(1));
        }),
        ("1 in 20 failing", |n, feed| {
            feed.fails = (n % 20 == 0).then_some(2);
        }),
    ];
    for (name, change) in worlds {
        let mut feeds = feeds(60, 4, DAYS);
        for (n, feed) in feeds.iter_mut().enumerate() {
            change(n, feed);
        }
        let fixed = play(&feeds, FIXED, DAYS, None);
        let ours = calibrated(&feeds, fixed.requests.len(), DAYS, Policy::Adaptive);
        line(&mut table, 4, "every 4 h", &fixed);
        line(&mut table, 4, name, &ours);
        if mean(&ours.delays) > 0.75 * mean(&fixed.delays) || !ours.too_early.is_empty() {
            failed.push(name);
        }
    }
    println!("{table}");
    assert!(failed.is_empty(), "{failed:#?}\n{table}");
}

#[test]
fn c_9_the_price_finds_the_budget() {
    let feeds = feeds(60, 5, DAYS);
    let planned = 60.0 * 6.0;
    let run = play(&feeds, Policy::Budget(planned), DAYS, None);
    let settled = Timestamp::from_secs(START + 5 * 86_400);
    let later = run.requests.iter().filter(|at| **at >= settled).count();
    let a_day = f64::from(u32::try_from(later).unwrap()) / 25.0;
    println!("planned {planned} a day, made {a_day:.0} from the fifth day on");
    assert!(
        (a_day / planned - 1.0).abs() < 0.1,
        "{a_day} where {planned} were planned"
    );
}

/// Two hundred feeds with all that origins do, and a machine that sleeps for six hours in the middle.
#[test]
fn scorecard_3_and_4_nobody_is_asked_too_early_or_all_at_once() {
    let mut feeds = feeds(200, 6, DAYS);
    for (n, feed) in feeds.iter_mut().enumerate() {
        match n % 20 {
            0 => feed.max_age = Some(Duration::from_hours(2)),
            1 => feed.max_age = Some(Duration::from_mins(20)),
            2 => feed.hints.ttl = Some(Duration::from_mins(90)),
            3 => feed.refuses = Some((10, Duration::from_hours(7))),
            4 => feed.fails = Some(3),
            5 => {
                feed.hints = Hints {
                    skip_hours: 0b1100_0000_0000_0000_1111_1111, // 22 to 8
                    ..Hints::default()
                };
            }
            6 if n < 40 => {
                let schedule = Schedule::from_str(&format!("0 {} 8,18 * * *", n % 60)).unwrap();
                feed.cron = Some((schedule, Zone::parse("Asia/Shanghai").unwrap()));
            }
            _ => {}
        }
    }
    let hours = |n: i64| Timestamp::from_secs(START + n * 3600);
    let sleeps = Some((hours(15 * 24), hours(15 * 24 + 6)));
    for policy in [Policy::Budget(1200.0), Policy::Budget(4800.0)] {
        let run = play(&feeds, policy, DAYS, sleeps);
        assert!(run.too_early.is_empty(), "{:#?}", run.too_early);
        let mut minutes = [0_usize; 60];
        let mut seconds: HashMap<i64, usize> = HashMap::new();
        for at in &run.requests {
            let second = at.millis().div_euclid(1000);
            minutes[usize::try_from(second.div_euclid(60).rem_euclid(60)).unwrap()] += 1;
            *seconds.entry(second).or_default() += 1;
        }
        let (most, all) = (*minutes.iter().max().unwrap(), run.requests.len());
        println!(
            "{all} requests, the busiest minute of the hour {:.2} times the mean",
            float(most) * 60.0 / float(all)
        );
        assert!(most * 60 <= all * 3, "{minutes:?}");
        assert!(seconds.values().all(|count| *count <= STARTS_PER_SECOND));
        assert!(
            run.requests
                .iter()
                .all(|at| !(hours(15 * 24)..hours(15 * 24 + 6)).contains(at))
        );
    }
}

/// A thousand feeds that all bring a lot, so that all of them are asked at the floor, once an hour.
#[test]
fn p_141_feeds_at_the_floor_do_not_keep_step() {
    let mut feeds = feeds(1000, 7, 7.0);
    for feed in &mut feeds {
        feed.max_age = Some(Duration::from_hours(1));
    }
    let cheap = Policy::Adaptive(feedmill::rules::rhythm::Price::new(1e-9));
    let run = play(&feeds, cheap, 7.0, None);
    let mut minutes = [0_usize; 60];
    let settled = Timestamp::from_secs(START + 3600);
    for at in run.requests.iter().filter(|at| **at >= settled) {
        minutes[usize::try_from(at.millis().div_euclid(60_000).rem_euclid(60)).unwrap()] += 1;
    }
    let all: usize = minutes.iter().sum();
    assert!(all > 1000 * 24 * 6, "{all}");
    let (most, least) = (minutes.iter().max().unwrap(), minutes.iter().min().unwrap());
    println!(
        "busiest minute {:.2}, quietest {:.2} of the mean",
        float(*most) * 60.0 / float(all),
        float(*least) * 60.0 / float(all)
    );
    assert!(most * 60 <= all * 3 / 2, "{minutes:?}");
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
