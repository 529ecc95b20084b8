//! The numbers: read with a strict parser of Prometheus' text format, and whether they say what happened.

#![allow(clippy::float_cmp)] // whole numbers, counted

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedmill::model::health::State;
use feedmill::model::ids::FeedId;
use feedmill::model::time::Timestamp;
use feedmill::rules::allowance::{Allowance, Ledger, PerDay};
use feedmill::rules::health::Outage;
use feedmill::service::poll::Seen;
use feedmill::service::report::{Counts, Fate, FeedReport, Remembered};
use feedmill::service::scheduler::Event;
use feedmill::service::vitals::process::Process;
use feedmill::service::vitals::{LABELLED, Stock, Vitals};
use feedmill::store::StoreError;

const NOW: Timestamp = Timestamp::EPOCH;

/// Samples by name and labels. Panics where the text is not as the format (0.0.4) and its conventions want it.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let mut samples = BTreeMap::new();
    let (mut families, mut family, mut kind) = (BTreeSet::new(), String::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} twice");
            assert!(help.ends_with('.') && !help.contains('\\'), "{help}");
            let rest = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (typed, what) = rest.split_once(' ').unwrap();
            assert_eq!(typed, name);
            assert!(["counter", "gauge", "histogram"].contains(&what), "{what}");
            assert_eq!(what == "counter", name.ends_with("_total"), "{name}");
            (family, kind) = (name.to_owned(), what.to_owned());
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let (name, labels) = series
            .split_once('{')
            .map_or((series, ""), |(name, labels)| {
                (name, labels.strip_suffix('}').unwrap())
            });
        let endings: &[&str] = if kind == "histogram" {
            &["_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        assert!(
            endings
                .iter()
                .any(|ending| name == format!("{family}{ending}")),
            "{name} in the family {family}"
        );
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase()), "{label}");
            let inner = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .unwrap();
            assert!(!inner.contains(['"', '\\']), "{label}");
        }
        assert!(kind != "counter" || value >= 0.0);
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "{series} twice"
        );
    }
    let all: Vec<_> = samples
        .iter()
        .filter(|(name, _)| name.contains("_bucket{"))
        .collect();
    assert!(!all.is_empty());
    samples
}

fn feeds(count: usize) -> Vec<FeedId> {
    (0..count)
        .map(|n| format!("f{n}").parse().unwrap())
        .collect()
}

const A_DAY: PerDay = PerDay {
    requests: 1_000,
    bytes: 1 << 30,
};

fn metrics(vitals: &Vitals, process: &Process) -> String {
    let ledger = Allowance::new(A_DAY, A_DAY).ledger(Duration::ZERO);
    vitals.metrics(process, &ledger, 0)
}

fn report(feed: &FeedId, fate: Fate, took: Duration) -> FeedReport {
    let good = fate.is_good();
    FeedReport {
        feed: feed.clone(),
        fate,
        counts: Counts {
            new: 3,
            revised: 1,
            reprints: 2,
            known: 10,
        },
        took,
        skipped: Vec::new(),
        notes: Vec::new(),
        burst: None,
        released: 0,
        seen: Seen {
            status: Some(200),
            bytes: 1000,
            age: None,
        },
        record: Some(Remembered {
            at: Timestamp::from_secs(100),
            next: Timestamp::from_secs(if good { 3700 } else { 7300 }),
            why_next: String::new(),
            calm: false,
        }),
    }
}

#[test]
fn polls_are_counted_by_feed_and_result() {
    let vitals = Vitals::new(Timestamp::from_secs(50));
    let feeds = feeds(2);
    vitals.enrol(&feeds, feeds.len(), &[]);
    let tell = |report: &FeedReport| vitals.note(&Event::Polled(report), NOW);
    let read = || Fate::Read { partial: false };
    tell(&report(&feeds[0], read(), Duration::from_millis(50)));
    tell(&report(&feeds[0], read(), Duration::from_millis(100)));
    tell(&report(&feeds[0], Fate::Unchanged, Duration::from_secs(2)));
    tell(&report(
        &feeds[1],
        Fate::Failed("x".into()),
        Duration::from_hours(1),
    ));
    vitals.doing(&feeds[1], State::Failing);
    vitals.stock(Stock {
        store_bytes: 4096,
        files: 5,
        articles: 7,
        entries: 6,
        withheld: [400, 12, 0],
    });
    vitals.note(
        &Event::Round {
            in_flight: 3,
            due: Some(Timestamp::from_secs(3700)),
        },
        NOW,
    );
    let found = parse(&metrics(&vitals, &Process::now()));
    let check = |series: &str, value: f64| {
        assert_eq!(found.get(series), Some(&value), "{series}: {found:#?}");
    };
    check("feedmill_polls_total{feed=\"f0\",result=\"read\"}", 2.0);
    check(
        "feedmill_polls_total{feed=\"f0\",result=\"unchanged\"}",
        1.0,
    );
    check("feedmill_polls_total{feed=\"f1\",result=\"failed\"}", 1.0);
    check("feedmill_poll_received_bytes_total{feed=\"f0\"}", 3000.0);
    check(
        "feedmill_poll_articles_total{feed=\"f0\",verdict=\"new\"}",
        9.0,
    );
    check(
        "feedmill_poll_articles_total{feed=\"f0\",verdict=\"reprint\"}",
        6.0,
    );
    check(
        "feedmill_feed_next_poll_timestamp_seconds{feed=\"f1\"}",
        7300.0,
    );
    check(
        "feedmill_feed_last_success_timestamp_seconds{feed=\"f0\"}",
        100.0,
    );
    assert!(!found.contains_key("feedmill_feed_last_success_timestamp_seconds{feed=\"f1\"}"));
    check("feedmill_feed_state{feed=\"f0\",state=\"fine\"}", 1.0);
    check("feedmill_feed_state{feed=\"f1\",state=\"failing\"}", 1.0);
    check("feedmill_feeds{state=\"fine\"}", 1.0);
    check("feedmill_feeds{state=\"failing\"}", 1.0);
    check("feedmill_poll_duration_seconds_bucket{le=\"0.1\"}", 2.0);
    check("feedmill_poll_duration_seconds_bucket{le=\"1\"}", 2.0);
    check("feedmill_poll_duration_seconds_bucket{le=\"2.5\"}", 3.0);
    check("feedmill_poll_duration_seconds_bucket{le=\"300\"}", 3.0);
    check("feedmill_poll_duration_seconds_bucket{le=\"+Inf\"}", 4.0);
    check("feedmill_poll_duration_seconds_count", 4.0);
    check("feedmill_poll_duration_seconds_sum", 3602.15);
    check("feedmill_polls_in_flight", 3.0);
    check("feedmill_next_poll_timestamp_seconds", 3700.0);
    check("feedmill_store_size_bytes", 4096.0);
    check("feedmill_store_entries", 6.0);
    check("feedmill_store_articles", 7.0);
    check("feedmill_archive_files", 5.0);
    check("feedmill_ingesting", 1.0);
    check("process_start_time_seconds", 50.0);
    assert!(found["process_resident_memory_bytes"] > 1e5);
    assert!(found["process_cpu_seconds_total"] >= 0.0 && found["process_open_fds"] > 2.0);
    let build = format!(
        "feedmill_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    check(&build, 1.0);
}

#[test]
fn ten_thousand_feeds_are_not_ten_thousand_series() {
    let vitals = Vitals::new(NOW);
    let feeds = feeds(10_000);
    vitals.enrol(&feeds, feeds.len(), &[]);
    for feed in &feeds {
        let report = report(feed, Fate::Unchanged, Duration::ZERO);
        vitals.note(&Event::Polled(&report), NOW);
        vitals.doing(feed, State::Late);
    }
    let found = parse(&metrics(&vitals, &Process::default()));
    let named: BTreeSet<&str> = found
        .keys()
        .filter_map(|series| series.split("feed=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(named.len(), LABELLED + 1);
    let others = found["feedmill_polls_total{feed=\"_others\",result=\"unchanged\"}"];
    #[allow(clippy::cast_precision_loss)]
    let expected = (10_000 - LABELLED) as f64;
    assert_eq!(others, expected);
    assert_eq!(found["feedmill_feeds{state=\"late\"}"], 10_000.0);
    assert!(found.len() < 12 * LABELLED, "{}", found.len());
    // Who is not polled any more has no numbers.
    vitals.enrol(&feeds[..1], 1, &[]);
    let found = parse(&metrics(&vitals, &Process::default()));
    assert_eq!(found["feedmill_feeds{state=\"late\"}"], 1.0);
    assert!(!found.keys().any(|series| series.contains("\"f1\"")));
}

#[test]
fn p_150_the_day_is_seen_and_hosts_only_where_it_is_spent_and_nobody_is_betrayed() {
    let vitals = Vitals::new(NOW);
    vitals.enrol(&feeds(1), 1, &[]);
    let most = PerDay {
        requests: 2,
        bytes: 500,
    };
    let mut day = Allowance::new(most, A_DAY);
    let hosts = |n| format!("https://h{n:04}.example.org");
    for n in 0..1_000 {
        day.request(&hosts(n), Duration::ZERO).unwrap();
        day.received(&hosts(n), if n < 500 { 500 + n } else { 499 });
    }
    let shown = |ledger: &Ledger| {
        let found = parse(&vitals.metrics(&Process::default(), ledger, 7));
        let named = found.keys().filter(|series| series.contains("host="));
        let named: Vec<String> = named.cloned().collect();
        (found, named)
    };
    let (found, named) = shown(&day.ledger(Duration::ZERO));
    assert_eq!(named, [""; 0], "no host is known to be public");
    for (series, value) in [
        ("feedmill_day_requests", 1_000.0),
        ("feedmill_day_requests_limit", 1_000.0),
        ("feedmill_day_received_bytes", 500.0 * 999.0 + 499.0 * 250.0),
        ("feedmill_day_limit_bytes", 1_073_741_824.0),
        ("feedmill_host_day_requests_limit", 2.0),
        ("feedmill_host_day_limit_bytes", 500.0),
        ("feedmill_hosts_spent", 500.0),
        ("feedmill_hosts_silent", 7.0),
    ] {
        assert_eq!(found.get(series), Some(&value), "{series}");
    }
    vitals.may_name([hosts(3), hosts(700)]);
    let (found, named) = shown(&day.ledger(Duration::ZERO));
    let of = |what| format!("feedmill_host_day_{what}{{host=\"{}\"}}", hosts(3));
    assert_eq!(named, [of("received_bytes"), of("requests")]);
    assert_eq!(found[&of("received_bytes")], 503.0);
    assert_eq!(found[&of("requests")], 1.0);
    vitals.may_name((0..1_000).map(hosts));
    assert_eq!(shown(&day.ledger(Duration::ZERO)).1.len(), 2 * 50);
    let (found, named) = shown(&day.ledger(Duration::from_hours(24)));
    assert_eq!((found["feedmill_day_requests"], named.len()), (0.0, 0));
}

fn round(due: Option<Timestamp>) -> Event<'static> {
    Event::Round { in_flight: 0, due }
}

#[tokio::test(start_paused = true)]
async fn the_process_is_ill_when_nothing_is_taken_in_and_not_when_a_source_is() {
    let vitals = Vitals::new(NOW);
    let feeds = feeds(1);
    vitals.enrol(&feeds, feeds.len(), &[]);
    let note = |event: Event<'_>| vitals.note(&event, NOW);
    let minutes = |minutes| tokio::time::advance(Duration::from_mins(minutes));
    assert_eq!(vitals.verdict(), Ok(()), "it has just started");
    let failed = report(&feeds[0], Fate::Failed("500".into()), Duration::ZERO);
    note(Event::Polled(&failed));
    vitals.doing(&feeds[0], State::Gone);
    assert_eq!(vitals.verdict(), Ok(()), "a bad source is no illness");

    note(Event::Halted(&StoreError::Closed));
    assert!(
        vitals
            .verdict()
            .unwrap_err()
            .contains("the store takes nothing")
    );
    note(Event::Resumed);
    assert_eq!(vitals.verdict(), Ok(()));
    note(Event::Offline(Outage {
        asked: 9,
        unreached: 8,
    }));
    assert!(
        vitals
            .verdict()
            .unwrap_err()
            .contains("offline: 8 of 9 hosts")
    );
    note(Event::Online);
    assert_eq!(vitals.verdict(), Ok(()));

    minutes(4).await;
    assert_eq!(vitals.verdict(), Ok(()));
    minutes(2).await;
    assert!(
        vitals
            .verdict()
            .unwrap_err()
            .contains("has not gone round for 6 minutes")
    );
    note(round(None));
    assert_eq!(vitals.verdict(), Ok(()));

    for _ in 0..31 {
        assert_eq!(vitals.verdict(), Ok(()));
        note(round(Some(NOW)));
        minutes(1).await;
    }
    assert!(
        vitals
            .verdict()
            .unwrap_err()
            .contains("no poll has ended for 31 minutes")
    );
    note(Event::Polled(&failed));
    assert_eq!(vitals.verdict(), Ok(()), "one ended, however");
    for _ in 0..60 {
        note(round(Some(NOW.plus(Duration::from_hours(1)))));
        minutes(1).await;
        assert_eq!(vitals.verdict(), Ok(()), "nobody is due");
    }
}

#[test]
fn the_dashboard_asks_for_nothing_that_is_not_there() {
    let text = include_str!("../../config/grafana/feedmill.json");
    let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
    let vitals = Vitals::new(NOW);
    vitals.enrol(&feeds(1), 1, &[]);
    let page = metrics(&vitals, &Process::now());
    let known: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            for word in
                words.filter(|word| word.starts_with("feedmill_") || word.starts_with("process_"))
            {
                let family = word.trim_end_matches("_bucket");
                assert!(known.contains(word) || known.contains(family), "{query}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 10, "{asked}");
}
