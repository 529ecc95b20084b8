//! Being told to slow down, on the wire: who is still asked, and who is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::Duration;

use feedmill::fetch::client::Client;
use feedmill::fetch::{Fetch, FetchSettings};
use feedmill::model::http::{Ask, FetchError, FetchOutcome, HostSet, Request};
use feedmill::model::urls::PageUrl;
use feedmill::rules::allowance::PerDay;
use feedmill::store::Store;
use tokio::task::JoinSet;

use crate::support::mill::{Mill, plain, rss, words};
use crate::support::script::{Act, Origin, Step, answer};

const FEED: &[u8] = b"<feed><title>made up</title></feed>";

fn client() -> Client {
    // Many at once, so that it is the silence that holds them back.
    let settings = FetchSettings {
        host_delay: Duration::ZERO,
        per_host: 8,
        per_address: 8,
        ..FetchSettings::default()
    };
    Client::new(settings).unwrap()
}

fn request(feed: &str, address: &str) -> Request {
    Request {
        allowed: HostSet::parse(&["127.0.0.1"]).unwrap(),
        ..Request::new(
            Ask::get(PageUrl::parse(address).unwrap()),
            feed.parse().unwrap(),
        )
    }
}

#[tokio::test]
async fn p_150_the_day_of_a_host_ends_and_nothing_more_is_sent() {
    let origin = Origin::start([good(), good(), good()]);
    let other = Origin::start([good()]);
    let settings = FetchSettings {
        host_delay: Duration::ZERO,
        host_per_day: PerDay {
            requests: 2,
            bytes: 1 << 20,
        },
        ..FetchSettings::default()
    };
    let client = Client::new(settings).unwrap();
    for path in ["/a", "/b"] {
        let outcome = client.fetch(request("a", &origin.url(path))).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    is_silenced(&client.fetch(request("a", &origin.url("/c"))).await, 86_340);
    assert_eq!(origin.log().len(), 2);
    assert!(client.fetch(request("b", &other.url("/"))).await.is_ok());
    // It is remembered over a restart like every silence.
    assert_eq!(client.silences().len(), 1);
}

fn slow_down(seconds: u32) -> Step {
    answer(
        "429 Too Many Requests",
        &[&format!("Retry-After: {seconds}")],
        b"",
    )
}

fn unavailable() -> Step {
    answer("503 Service Unavailable", &["Retry-After: 600"], b"")
}

fn good() -> Step {
    answer("200 OK", &[], FEED)
}

fn is_silenced(outcome: &Result<FetchOutcome, FetchError>, least: u64) {
    match outcome {
        Err(FetchError::Silenced { left, .. }) => assert!(
            left.as_secs() >= least && left.as_secs() <= least + 60,
            "{left:?}"
        ),
        other => panic!("not silenced: {other:?}"),
    }
}

#[tokio::test]
async fn p_34_a_429_silences_the_other_feeds_of_its_origin() {
    let origin = Origin::start([slow_down(7200), good()]);
    let other = Origin::start([good()]);
    let client = client();
    let first = client.fetch(request("a", &origin.url("/a"))).await;
    assert_eq!(
        first,
        Ok(FetchOutcome::RateLimited {
            retry_after: Some(Duration::from_hours(2)),
            status: 429
        })
    );
    for path in ["/a", "/b"] {
        is_silenced(&client.fetch(request("b", &origin.url(path))).await, 7140);
    }
    assert_eq!(origin.log().len(), 1, "nothing was sent");
    let elsewhere = client.fetch(request("c", &other.url("/"))).await;
    assert!(
        elsewhere.is_ok(),
        "another port is another origin: {elsewhere:?}"
    );
    // Nor does a redirect lead there.
    let other = Origin::start([answer(
        "302 Found",
        &[&format!("Location: {}", origin.url("/d"))],
        b"",
    )]);
    is_silenced(&client.fetch(request("d", &other.url("/"))).await, 7140);
    assert_eq!(origin.log().len(), 1);
}

#[tokio::test]
async fn p_34_a_503_is_the_feeds_own_until_a_second_feed_gets_one() {
    let origin = Origin::start([unavailable(), unavailable(), unavailable(), good()]);
    let client = client();
    for feed in ["a", "a", "b"] {
        let outcome = client.fetch(request(feed, &origin.url("/"))).await;
        assert!(
            matches!(outcome, Ok(FetchOutcome::RateLimited { status: 503, .. })),
            "{outcome:?}"
        );
    }
    is_silenced(&client.fetch(request("c", &origin.url("/"))).await, 540);
    assert_eq!(origin.log().len(), 3);
}

/// Those that wait for their turn when the silence begins are dropped at once, and not one after the other.
#[tokio::test]
async fn p_36_who_waits_when_a_silence_begins_is_dropped() {
    let wait = vec![Act::Pause(Duration::from_millis(100))];
    let origin = Origin::start([[wait, slow_down(3600)].concat(), good()]);
    let settings = FetchSettings {
        host_delay: Duration::from_secs(30),
        ..FetchSettings::default()
    };
    let client = Client::new(settings).unwrap();
    let mut feeds = JoinSet::new();
    for n in 0..20 {
        let (client, address) = (client.clone(), origin.url(&format!("/{n}")));
        feeds.spawn(async move { client.fetch(request(&format!("f{n}"), &address)).await });
    }
    let outcomes = tokio::time::timeout(Duration::from_secs(20), feeds.join_all()).await;
    let outcomes = outcomes.expect("all of them within the pause of a single one");
    let (told, dropped): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((told.len(), dropped.len()), (1, 19));
    for outcome in &dropped {
        is_silenced(outcome, 3540);
    }
    assert_eq!(origin.log().len(), 1);
}

#[tokio::test]
async fn p_36_when_a_silence_ends_one_goes_first() {
    let first = vec![Act::Pause(Duration::from_millis(200))];
    let mut script = vec![slow_down(1), [first, good()].concat()];
    script.extend((0..5).map(|_| good()));
    let origin = Origin::start(script);
    let client = client();
    assert!(client.fetch(request("a", &origin.url("/"))).await.is_ok());
    is_silenced(&client.fetch(request("a", &origin.url("/"))).await, 0);
    tokio::time::sleep(Duration::from_millis(1050)).await;
    let mut feeds = JoinSet::new();
    for n in 0..6 {
        let (client, address) = (client.clone(), origin.url(&format!("/{n}")));
        feeds.spawn(async move { client.fetch(request(&format!("f{n}"), &address)).await });
    }
    let outcomes = feeds.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let log = origin.log();
    assert_eq!(log.len(), 7);
    let gap = log[2].at - log[1].at;
    assert!(gap >= Duration::from_millis(200), "{gap:?} after the first");
}

#[tokio::test]
async fn p_36_whoever_goes_first_and_is_stopped_lets_the_next_go_first() {
    let origin = Origin::start([slow_down(1), vec![Act::Hold], good()]);
    let client = client();
    assert!(client.fetch(request("a", &origin.url("/"))).await.is_ok());
    tokio::time::sleep(Duration::from_millis(1050)).await;
    let stopped = client.fetch(request("a", &origin.url("/")));
    let stopped = tokio::time::timeout(Duration::from_millis(100), stopped).await;
    assert!(stopped.is_err());
    let next = tokio::time::timeout(
        Duration::from_secs(10),
        client.fetch(request("b", &origin.url("/"))),
    );
    assert!(next.await.unwrap().is_ok());
}

#[tokio::test]
async fn p_33_a_silence_is_remembered_across_a_restart() {
    let origin = Origin::start([slow_down(3600), good()]);
    let before = client();
    assert!(before.fetch(request("a", &origin.url("/"))).await.is_ok());
    let kept = before.silences();
    let scopes: Vec<_> = kept.iter().map(|held| held.scope.as_str()).collect();
    assert_eq!(scopes, [origin.url("")]);
    let after = client();
    for held in kept {
        after.restore_silence(held);
    }
    is_silenced(&after.fetch(request("a", &origin.url("/"))).await, 3540);
    assert_eq!(origin.log().len(), 1);
}

#[tokio::test]
async fn p_34_hosts_named_independent_are_not_silenced() {
    let origin = Origin::start([slow_down(3600), good()]);
    let settings = FetchSettings {
        host_delay: Duration::ZERO,
        independent_hosts: HostSet::parse(&["127.0.0.1"]).unwrap(),
        ..FetchSettings::default()
    };
    let client = Client::new(settings).unwrap();
    assert!(client.fetch(request("a", &origin.url("/a"))).await.is_ok());
    let other = client.fetch(request("b", &origin.url("/b"))).await;
    assert!(matches!(other, Ok(FetchOutcome::Fresh { .. })), "{other:?}");
}

/// Through the whole program: the second feed is not asked, and that is no failure of it.
#[test]
fn p_34_a_feed_that_was_not_asked_has_not_failed() {
    let feed = answer("200 OK", &[], rss(&[("1", "one", &words(1))]).as_bytes());
    let origin = Origin::start([slow_down(3600), feed]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.write(
        "feedmill.toml",
        "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\n",
    );
    let report = mill.fetch(1);
    assert_eq!(report["feeds"][0]["result"], "failed", "{report}");
    assert_eq!(report["feeds"][1]["result"], "left-alone", "{report}");
    let why = report["feeds"][1]["why"].as_str().unwrap();
    assert!(why.contains("HTTP status 429"), "{why}");
    assert_eq!(origin.log().len(), 1);
    // Nothing was written of it: no failure, no backoff, no poll.
    assert!(
        read(&mill)
            .polls(&"b".parse().unwrap(), 9)
            .unwrap()
            .is_empty()
    );
}

fn read(mill: &Mill) -> Store {
    Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap()
}

/// Each run is a process of its own: what it knows of the last one is in the store.
#[test]
fn p_33_p_34_a_silence_outlives_the_process_for_every_feed_of_its_origin() {
    let feed = answer("200 OK", &[], rss(&[("1", "one", &words(1))]).as_bytes());
    let origin = Origin::start([slow_down(86_400), feed]);
    let (a, b) = (plain("a", &origin.url("/a")), plain("b", &origin.url("/b")));
    let mill = Mill::new(&a);
    mill.fetch(1);
    let kept = read(&mill).silences().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].scope, origin.url(""));

    mill.write("feeds.toml", &(a + &b));
    for _ in 0..2 {
        let report = mill.fetch(0);
        for feed in 0..2 {
            let feed = &report["feeds"][feed];
            assert_eq!(feed["result"], "left-alone", "{report}");
            assert!(feed["why"].as_str().unwrap().contains("429"), "{report}");
        }
    }
    assert_eq!(origin.log().len(), 1, "the other feed is not asked either");
}

/// What is spent of a day is spent for the next process, too.
#[test]
fn p_150_a_day_that_is_spent_outlives_the_process() {
    let feed = || answer("200 OK", &[], rss(&[("1", "one", &words(1))]).as_bytes());
    let origin = Origin::start([feed(), feed(), feed()]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))));
    mill.write(
        "feedmill.toml",
        "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\nhost_requests_per_day = 1\n",
    );
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][1]["result"], "left-alone", "{report}");
    let kept = read(&mill).silences().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    for _ in 0..2 {
        let report = mill.fetch(0);
        assert_eq!(report["feeds"][0]["result"], "left-alone", "{report}");
        // By whoever is held back later it is not kept anew.
        assert_eq!(read(&mill).silences().unwrap(), kept);
    }
    assert_eq!(origin.log().len(), 1);
}
