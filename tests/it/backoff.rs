//! What a feed that fails costs its publisher, over hours and months, through poll, settle and store (POLLING A.3).

use std::time::Duration;

use feedmill::fetch::client::Client;
use feedmill::fetch::{Fetch, FetchSettings};
use feedmill::model::health::State;
use feedmill::model::http::{Ask, FetchError, HostSet, Request};
use feedmill::model::urls::PageUrl;
use feedmill::rules::cadence::may_ask;
use feedmill::service::poll::Outcome;
use feedmill::service::report::FeedReport;
use feedmill::service::watch::{Glance, Watch};

use crate::support::script::{Origin, answer};
use crate::support::web::{Room, Say, now};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn status(status: u16) -> Say {
    Say::Status(status, None)
}

/// How long until the feed `f` is due.
fn wait(room: &Room) -> Duration {
    room.state("f").next_poll.unwrap().since(now())
}

/// Polls `f` whenever it is due, until this much time has passed: the times between.
async fn gaps(room: &Room, time: Duration) -> Vec<Duration> {
    let end = now().plus(time);
    let mut gaps = Vec::new();
    while now() < end {
        room.poll("f").await;
        gaps.push(wait(room));
        room.later(wait(room) + Duration::from_secs(1));
    }
    gaps
}

fn check_gap(gap: Duration, least: Duration, most: Duration, what: &str) {
    assert!((least..=most).contains(&gap), "{what}: {gap:?}");
}

#[tokio::test]
async fn p_40_the_gaps_double_to_a_day_and_are_kept() {
    let room = Room::new();
    room.web.set("/f", status(500));
    for (n, hours) in [1, 2, 4, 8, 16, 24, 24].into_iter().enumerate() {
        room.poll("f").await;
        let about = HOUR * hours;
        let state = room.state("f");
        let held = state.not_before.clone().unwrap();
        let gap = held.until.since(now());
        check_gap(gap, about * 4 / 5, about * 121 / 100, &n.to_string());
        assert!(held.until <= state.next_poll.unwrap(), "{held:?}");
        let refused = may_ask(&state, now().plus(about / 2), Duration::ZERO).unwrap_err();
        assert!(refused.why.contains("HTTP status 500"), "{}", refused.why);
        room.later(gap + Duration::from_secs(1));
        assert_eq!(may_ask(&room.state("f"), now(), Duration::ZERO), Ok(()));
    }
    assert_eq!(room.state("f").failures, 7);
}

#[tokio::test]
async fn p_41_one_success_clears_the_backoff_and_not_what_was_learned() {
    let entries = |count: u32| {
        let line = |n: u32| format!("whole e{n} /{n}.html t{n}\n");
        Say::Page((0..count).rev().map(line).collect())
    };
    let learned = async |failures: u32| {
        let room = Room::new();
        for count in 1..40 {
            room.web.set("/f", entries(count));
            room.poll("f").await;
            room.later(HOUR * 6);
        }
        let before = room.state("f").learned.rhythm;
        let mut left = HOUR * 6 * 8;
        room.web.set("/f", status(500));
        for _ in 0..failures {
            room.poll("f").await;
            room.later(HOUR * 6);
            left -= HOUR * 6;
        }
        assert_eq!(room.state("f").learned.rhythm, before, "{failures}");
        room.later(left);
        room.web.set("/f", entries(48));
        room.poll("f").await;
        let state = room.state("f");
        assert_eq!((state.failures, state.not_before), (0, None), "{failures}");
        (wait(&room), state.why_next)
    };
    let ((failed, why), (never, as_ever)) = (learned(4).await, learned(0).await);
    // The moments differ by what the first room took, and the jitter with them.
    assert_eq!(why, as_ever, "asked next as if nothing had been");
    check_gap(
        failed,
        never * 4 / 5,
        never * 5 / 4,
        "as if nothing had been",
    );
    assert!(failed < HOUR * 8, "{failed:?}");
}

#[tokio::test]
async fn p_43_a_404_is_asked_daily_then_weekly_and_told_once() {
    for once_good in [true, false] {
        let room = Room::new();
        let mut watch = Watch::new(room.store.clone()).unwrap();
        if once_good {
            room.web.set("/f", Say::Page("whole a /a.html a\n".into()));
            room.poll("f").await;
            room.later(HOUR);
        }
        room.web.set("/f", status(404));
        let (begun, mut told, mut gaps) = (now(), Vec::new(), Vec::new());
        while now().since(begun) < DAY * 60 {
            let report = FeedReport::from(room.poll("f").await);
            let events = watch.polled(Glance::of(&report), now()).await.unwrap();
            told.extend(events.iter().map(|event| event.change.to));
            gaps.push((now().since(begun), wait(&room)));
            room.later(wait(&room));
        }
        assert_eq!(told, [State::Failing], "once, in two months");
        for (since, gap) in &gaps[6..] {
            if *since < DAY * 13 {
                check_gap(*gap, HOUR * 19, HOUR * 30, "daily");
            } else if *since > DAY * 30 {
                check_gap(*gap, DAY * 4, DAY * 7, "weekly");
            }
        }
        assert!(gaps.len() < 45, "{}", gaps.len());
    }
}

#[tokio::test]
async fn p_44_forty_days_of_503_stop_no_feed() {
    for failing in [status(503), status(404), Say::Timeout, status(403)] {
        let room = Room::new();
        room.web.set("/f", Say::Page("whole a /a.html a\n".into()));
        room.poll("f").await;
        room.web.set("/f", failing.clone());
        gaps(&room, DAY * 40).await;
        // It is back the moment after it was last asked.
        let asked = room.state("f").last_poll.unwrap();
        room.web.set("/f", Say::Page("whole b /b.html b\n".into()));
        let back = room.state("f").next_poll.unwrap();
        check_gap(back.since(asked), DAY * 4, DAY * 7, &format!("{failing:?}"));
        let polled = room.poll("f").await;
        assert_eq!(polled.told.outcome, Outcome::Read);
        assert_eq!(room.titles(), ["a", "b"]);
    }
}

#[tokio::test]
async fn p_47_a_451_is_asked_again_after_a_week() {
    let room = Room::new();
    room.web.set("/f", status(451));
    for _ in 0..4 {
        let polled = room.poll("f").await;
        let Outcome::Failed(why) = polled.told.outcome else {
            panic!("{:?}", polled.told.outcome);
        };
        assert!(why.contains("legal reasons"), "{why}");
        check_gap(wait(&room), DAY * 7, DAY * 7 + HOUR, "a week");
        room.later(wait(&room));
    }
}

#[tokio::test]
async fn p_48_a_4xx_is_one_request_and_a_failure() {
    for status in [400, 402, 405, 406, 411, 414, 415, 418, 426, 431, 499] {
        let line = format!("{status} No");
        // A second request would get this, and be an answer.
        let origin = Origin::start([
            answer(&line, &[], b"no"),
            answer("200 OK", &[], b"whatever"),
        ]);
        let settings = FetchSettings {
            host_delay: Duration::ZERO,
            ..FetchSettings::default()
        };
        let request = Request {
            allowed: HostSet::parse(&["127.0.0.1"]).unwrap(),
            ..Request::new(
                Ask::get(PageUrl::parse(&origin.url("/f")).unwrap()),
                "f".parse().unwrap(),
            )
        };
        let outcome = Client::new(settings).unwrap().fetch(request).await;
        let expected = FetchError::Status {
            status,
            retry_after: None,
        };
        assert_eq!(outcome, Err(expected));
        let log = origin.log();
        assert_eq!(log.len(), 1, "{status}");
        assert_eq!(log[0].line(), "GET /f HTTP/1.1");
    }
    let room = Room::new();
    room.web.set("/f", status(406));
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f"]);
    let held = room.state("f").not_before.unwrap().until.since(now());
    check_gap(held, HOUR * 4 / 5, HOUR * 121 / 100, "normal backoff");
}
