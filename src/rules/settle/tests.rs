#![allow(clippy::unwrap_used)]
use super::*;
use crate::rules::schedule::JITTER;

const AT: Timestamp = Timestamp::EPOCH;

fn feed() -> FeedState {
    FeedState {
        failures: 2,
        learned: Learned {
            lifetime: Some(Duration::from_hours(2)),
            ..Learned::default()
        },
        next_poll: Some(AT),
        ..FeedState::new("f".parse().unwrap())
    }
}

fn record(answer: Answer) -> PollRecord {
    settle(&feed(), &Orders::default(), AT, Duration::ZERO, answer)
}

fn reading(coverage: Coverage) -> Reading {
    Reading {
        coverage,
        ..Reading::default()
    }
}

#[test]
fn p_07_a_304_is_a_success() {
    let record = record(Answer::NotModified {
        validators: None,
        freshness: Freshness(None),
        moved_to: None,
    });
    assert_eq!((record.failures, record.not_before), (0, None));
    assert_eq!(record.result, PollResult::Unchanged { validators: None });
}

#[test]
fn p_09_a_bare_304_keeps_the_freshness_it_had() {
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let bare = record(Answer::NotModified {
        validators: None,
        freshness: Freshness(None),
        moved_to: None,
    });
    assert_eq!(
        bare.fresh_until,
        Some(AT.plus(hours(2))),
        "as fresh again, from now on"
    );
    let anew = record(Answer::NotModified {
        validators: None,
        freshness: Freshness(Some(hours(6))),
        moved_to: None,
    });
    assert_eq!(anew.fresh_until, Some(AT.plus(hours(6))));
    assert!(anew.next >= AT.plus(hours(6)) && anew.next <= AT.plus(hours(6)).plus(JITTER));
    let vast = record(Answer::NotModified {
        validators: None,
        freshness: Freshness(Some(hours(99_999))),
        moved_to: None,
    });
    assert_eq!(vast.fresh_until, Some(AT.plus(CAP_HINT)));
}

#[test]
fn p_30_retry_after_is_obeyed_and_is_no_failure() {
    let day = Duration::from_hours(24);
    let record = record(Answer::RateLimited {
        retry_after: Some(day),
        status: 429,
    });
    assert_eq!(record.not_before.unwrap().until, AT.plus(day));
    assert_eq!(record.failures, 2);
    let took = Duration::from_mins(10);
    let vague = settle(
        &feed(),
        &Orders::default(),
        AT,
        took,
        Answer::RateLimited {
            retry_after: None,
            status: 429,
        },
    );
    assert_eq!(
        vague.not_before.unwrap().until,
        AT.plus(took).plus(RETRY_AFTER_DEFAULT),
        "from the answer on"
    );
}

#[test]
fn a_failure_backs_off_and_says_why() {
    let record = record(Answer::Unread(ReadError::Missing {
        field: "data".into(),
        page: "the story list",
    }));
    assert_eq!(record.failures, 3);
    let held = record.not_before.unwrap();
    assert!(held.until > AT.plus(Duration::from_hours(3)), "{held:?}");
    assert!(
        held.why
            .starts_with("3 failures in a row, the last: no data in the story list"),
        "{}",
        held.why
    );
}

#[test]
fn p_42_a_403_is_left_alone_for_four_hours() {
    let new = FeedState::new("f".parse().unwrap());
    let error = FetchError::Status {
        status: 403,
        retry_after: None,
    };
    let record = settle(
        &new,
        &Orders::default(),
        AT,
        Duration::ZERO,
        Answer::Unfetched(error),
    );
    assert!(record.not_before.unwrap().until >= AT.plus(RETRY_AFTER_DEFAULT));
}

#[test]
fn what_was_left_for_later_is_not_held_back_by_freshness() {
    let fresh = Freshness(Some(Duration::from_mins(150)));
    let whole = record(Answer::Read {
        reading: Box::new(reading(Coverage::Whole(None))),
        freshness: fresh,
        trouble: None,
        bytes: 9,
        moved_to: None,
    });
    assert!(whole.fresh_until.is_some());
    let partial = record(Answer::Read {
        reading: Box::new(reading(Coverage::Partial)),
        freshness: fresh,
        trouble: None,
        bytes: 9,
        moved_to: None,
    });
    assert_eq!(partial.fresh_until, None);
}

#[test]
fn every_record_has_a_later_next_time() {
    let answers = [
        Answer::Gone,
        Answer::Defect("x".into()),
        Answer::SameBytes {
            validators: None,
            freshness: Freshness(Some(Duration::ZERO)),
            bytes: 9,
            moved_to: None,
        },
        Answer::RateLimited {
            retry_after: Some(Duration::ZERO),
            status: 503,
        },
        Answer::Unfetched(FetchError::Status {
            status: 500,
            retry_after: Some(Duration::MAX),
        }),
    ];
    for answer in answers {
        let record = record(answer.clone());
        assert!(
            record.next > AT && record.next <= AT.plus(CAP_RETRY_AFTER).plus(JITTER),
            "{answer:?}"
        );
    }
}

#[test]
fn the_next_time_is_by_what_was_learned() {
    let orders = Orders::default();
    let quiet = |feed: &FeedState, orders: &Orders<'_>| {
        let answer = Answer::NotModified {
            validators: None,
            freshness: Freshness(None),
            moved_to: None,
        };
        settle(feed, orders, AT, Duration::ZERO, answer)
    };
    let mut known = FeedState {
        learned: Learned::default(),
        last_success: Some(AT.minus(Duration::from_hours(1))),
        ..feed()
    };
    let by_itself = quiet(&known, &orders);
    assert!(
        by_itself.why_next.starts_with("its rhythm"),
        "{}",
        by_itself.why_next
    );
    known.learned.hints.ttl = Some(Duration::from_hours(9));
    let told = quiet(&known, &orders);
    assert!(
        told.next >= AT.plus(Duration::from_hours(9)),
        "{}",
        told.why_next
    );
    let dear = Orders {
        price: Price::new(1.0),
        ..orders
    };
    known.learned.hints.ttl = None;
    assert!(quiet(&known, &dear).next > by_itself.next);
    let schedule = "0 0 7 * * *".parse::<Schedule>().unwrap();
    let zone = Zone::parse("Asia/Hong_Kong").unwrap();
    let cron = Orders {
        cron: Some((&schedule, &zone)),
        ..orders
    };
    let at_seven = quiet(&known, &cron);
    assert_eq!(at_seven.next.rfc3339(), "1970-01-01T23:00:00Z");
    assert_eq!(at_seven.why_next, "its schedule");
}

#[test]
fn p_35_a_429_doubles_the_floor() {
    let told = record(Answer::RateLimited {
        retry_after: Some(Duration::from_mins(1)),
        status: 429,
    });
    assert!(
        told.next >= AT.plus(Duration::from_hours(2)),
        "{}",
        told.why_next
    );
    let busy = record(Answer::RateLimited {
        retry_after: Some(Duration::from_mins(1)),
        status: 503,
    });
    assert_eq!(busy.learned.slowed.times(AT), 0);
}
