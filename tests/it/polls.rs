//! One poll of one feed against a web that is a map: what is asked, what is stored, what is remembered.

use std::time::Duration;

use feedmill::model::feed::FeedState;
use feedmill::model::learned::Address;
use feedmill::rules::cadence::may_ask;
use feedmill::service::cycle::{Order, cycle};
use feedmill::service::poll::{Outcome, Polled, poll};
use feedmill::service::report::Fate;
use std::future::pending;
use std::sync::Arc;

use crate::support::web::{Room, Say, now};

/// A list of teasers: id, link and page all named after the title.
fn teasers(titles: &[&str]) -> String {
    let line = |title: &&str| format!("teaser {title} /{title}.html {title} /d/{title}\n");
    titles.iter().map(line).collect()
}

/// A list of whole entries.
fn wholes(titles: &[&str]) -> String {
    let line = |title: &&str| format!("whole {title} /{title}.html {title}\n");
    titles.iter().map(line).collect()
}

fn tagged(body: impl Into<String>) -> Say {
    Say::Tagged(body.into(), "\"a\"", "then", None)
}

fn serve_words(room: &Room, titles: &[&str]) {
    for title in titles {
        let page = Say::Page(format!("words {title}"));
        room.web.set(&format!("/d/{title}"), page);
    }
}

/// new, revised, reprints, known of those that were written.
fn counts(polled: &Polled) -> (usize, usize, usize, usize) {
    polled.recorded.counts()
}

fn validators(state: &FeedState) -> (String, String) {
    let text = |bytes: &Option<Box<[u8]>>| {
        let bytes = bytes.as_deref().unwrap_or_default();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    state
        .validators
        .as_ref()
        .map(|pair| (text(&pair.etag), text(&pair.last_modified)))
        .unwrap_or_default()
}

fn held(state: &FeedState) -> Option<Duration> {
    let until = state.not_before.as_ref()?.until;
    // The poll's own milliseconds are not what is looked at.
    Some(Duration::from_secs(until.since(now()).as_secs()))
}

#[tokio::test]
async fn what_is_over_the_budget_comes_with_the_next_polls() {
    let room = Room {
        details: 2,
        ..Room::new()
    };
    let titles = ["e", "d", "c", "b", "a"];
    room.web.set("/f", tagged(teasers(&titles)));
    serve_words(&room, &titles);

    let first = room.poll("f").await;
    assert_eq!(first.told.outcome, Outcome::Partial);
    assert_eq!(
        room.web.paths(),
        ["/f", "/robots.txt", "/d/e", "/d/d"],
        "newest first"
    );
    assert_eq!(room.titles(), ["d", "e"], "and numbered oldest first");
    assert_eq!(
        room.state("f").validators,
        None,
        "the list is to be seen again"
    );

    let second = room.poll("f").await;
    let asked = room.web.requests();
    assert!(asked[0].validators.is_none(), "unconditionally");
    assert_eq!(asked.len(), 3);
    assert_eq!(
        (second.told.outcome, second.told.known),
        (Outcome::Partial, 2)
    );

    let third = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/d/a"]);
    assert_eq!((third.told.outcome, third.told.known), (Outcome::Read, 4));
    assert_eq!(room.titles().len(), 5);
    assert_eq!(
        validators(&room.state("f")),
        ("\"a\"".into(), "then".into())
    );

    let fourth = room.poll("f").await;
    assert_eq!(fourth.told.outcome, Outcome::Unchanged, "the same bytes");
    let asked = room.web.requests();
    assert_eq!((asked.len(), asked[0].validators.is_some()), (1, true));
}

#[tokio::test]
async fn a_time_out_is_tried_again_and_a_lost_page_only_days_later() {
    for (trouble, passing) in [
        (Say::Timeout, true),
        (Say::Status(500, None), true),
        (Say::Status(404, None), false),
        (Say::Gone, false),
        (Say::Page("a redesigned page".into()), false),
        (Say::Page("panic".into()), false),
    ] {
        let room = Room::new();
        room.web.set("/f", tagged(teasers(&["b", "a"])));
        serve_words(&room, &["a"]);
        room.web.set("/d/b", trouble.clone());

        let first = room.poll("f").await;
        let outcome = if passing {
            Outcome::Partial
        } else {
            Outcome::Read
        };
        assert_eq!(first.told.outcome, outcome, "{trouble:?}");
        assert_eq!(
            first.told.failures, 0,
            "{trouble:?}: no failure of the feed"
        );
        assert_eq!(first.told.skipped.len(), 1);
        assert!(
            first.told.skipped[0].what.contains("/b.html"),
            "it is named: {:?}",
            first.told.skipped
        );
        assert_eq!(room.titles(), ["a"]);
        assert_eq!(room.state("f").validators.is_none(), passing, "{trouble:?}");

        room.web.requests();
        serve_words(&room, &["b"]);
        room.poll("f").await;
        let expected: &[&str] = if passing { &["/f", "/d/b"] } else { &["/f"] };
        assert_eq!(room.web.paths(), expected, "{trouble:?}");

        room.web.set("/f", tagged(teasers(&["c", "b", "a"])));
        serve_words(&room, &["c"]);
        room.poll("f").await;
        let asked = room.web.paths();
        assert!(
            asked.iter().all(|path| path != "/d/b"),
            "{trouble:?}: it is here already, or waits: {asked:?}"
        );
        room.later(Duration::from_hours(48));
        room.web.set("/f", tagged(teasers(&["d", "c", "b", "a"])));
        room.web.set("/d/d", Say::Status(404, None));
        room.poll("f").await;
        let mut titles = room.titles();
        titles.sort();
        assert_eq!(titles, ["a", "b", "c"], "{trouble:?}: nothing is lost");
    }
}

#[tokio::test]
async fn a_feed_of_which_no_page_can_be_had_has_failed_and_loses_nothing() {
    for trouble in [Say::Timeout, Say::Status(403, None)] {
        let room = Room::new();
        room.web.set("/f", tagged(teasers(&["b", "a"])));
        room.web.set("/d/a", trouble.clone());
        room.web.set("/d/b", trouble);
        for failures in 1..=2 {
            let polled = room.poll("f").await;
            assert_eq!(polled.told.failures, failures);
            let why = polled.told.held.unwrap();
            assert!(why.contains("detail pages cannot be had"), "{why}");
            let state = room.state("f");
            assert_eq!((state.failures, state.validators.clone()), (failures, None));
            assert!(held(&state).unwrap() >= Duration::from_mins(48), "backoff");
            assert!(may_ask(&state, now(), Duration::ZERO).is_err());
            room.later(Duration::from_hours(30));
        }
        serve_words(&room, &["a", "b"]);
        let polled = room.poll("f").await;
        assert_eq!((counts(&polled).0, polled.told.failures), (2, 0));
        assert_eq!(room.state("f").not_before, None);
    }
}

#[tokio::test]
async fn a_429_on_a_detail_page_ends_the_poll_and_is_obeyed() {
    let room = Room::new();
    let titles = ["d", "c", "b", "a"];
    room.web.set("/f", tagged(teasers(&titles)));
    serve_words(&room, &titles);
    room.web.script(
        "/d/b",
        [Say::Limited(Some(86_400)), Say::Page("words b".into())],
    );
    let polled = room.poll("f").await;
    assert_eq!(
        room.web.paths(),
        ["/f", "/robots.txt", "/d/d", "/d/c", "/d/b"],
        "nobody is asked after it"
    );
    assert_eq!(counts(&polled).0, 2, "what was had before is kept");
    let state = room.state("f");
    assert_eq!(held(&state), Some(Duration::from_hours(24)));
    assert_eq!(state.validators, None);
    room.later(Duration::from_hours(25));
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/d/b", "/d/a"]);
    assert_eq!(room.titles().len(), 4);
}

#[tokio::test]
async fn routes_are_tried_in_their_order_and_the_first_that_works_is_the_last() {
    let room = Room::new();
    let list = "teaser a /a.html a /one /two /three\n";
    room.web.set("/f", Say::Page(list.into()));
    room.web.set("/two", Say::Page("no shape we know".into()));
    room.web.set("/three", Say::Page("words a".into()));
    let polled = room.poll("f").await;
    assert_eq!(
        room.web.paths(),
        ["/f", "/robots.txt", "/one", "/two", "/three"]
    );
    assert_eq!(
        (polled.told.outcome, polled.told.skipped.len()),
        (Outcome::Read, 0)
    );

    let room = Room::new();
    room.web.set("/f", Say::Page(list.into()));
    room.web.set("/one", Say::Timeout);
    room.web.set("/two", Say::Page("words a".into()));
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/robots.txt", "/one", "/two"]);
    assert_eq!(room.titles(), ["a"]);

    // Where a route may work the next time, the entry is not given up for the others' 404.
    let room = Room::new();
    let list = format!("{list}{}", teasers(&["b"]));
    room.web.set("/f", tagged(list));
    room.web.set("/three", Say::Timeout);
    serve_words(&room, &["b"]);
    assert_eq!(room.poll("f").await.told.outcome, Outcome::Partial);
}

#[tokio::test]
async fn a_listing_may_lead_on_and_not_for_ever() {
    let room = Room::new();
    room.web
        .set("/f", tagged(format!("{}more /p2\n", wholes(&["a"]))));
    room.web
        .set("/p2", tagged(format!("{}more /p2\n", wholes(&["b"]))));
    let polled = room.poll("f").await;
    assert_eq!(
        room.web.paths(),
        ["/f", "/p2"],
        "a page that leads to itself"
    );
    let notes = &polled.told.notes;
    assert!(
        notes.iter().any(|note| note.contains("leads back to")),
        "{notes:?}"
    );
    assert_eq!(counts(&polled).0, 2);
    for page in 2..9 {
        let list = format!("{}more /p{}\n", wholes(&["b"]), page + 1);
        room.web.set(&format!("/p{page}"), tagged(list));
    }
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/p2", "/p3", "/p4"]);
    assert!(
        polled
            .told
            .notes
            .iter()
            .any(|note| note.contains("after page 4")),
        "{:?}",
        polled.told.notes
    );
    let state = room.state("f");
    assert_eq!(
        (state.validators, state.document),
        (None, None),
        "what vouches for the first page vouches for no other"
    );

    room.web.set("/p2", Say::Status(500, None));
    let polled = room.poll("f").await;
    assert!(
        matches!(&polled.told.outcome, Outcome::Failed(why) if why.contains("500")),
        "{:?}",
        polled.told.outcome
    );
    assert_eq!(room.titles().len(), 2);
    room.web.set("/p2", Say::Limited(Some(7200)));
    room.poll("f").await;
    assert_eq!(held(&room.state("f")), Some(Duration::from_hours(2)));
}

#[tokio::test]
async fn a_known_teaser_costs_no_request() {
    let room = Room::new();
    room.web.set("/f", Say::Page(teasers(&["a"])));
    serve_words(&room, &["a", "b"]);
    room.poll("f").await;
    room.web.requests();
    room.web.set("/f", Say::Page(teasers(&["b", "a"])));
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/d/b"]);
    assert_eq!(polled.told.known, 1);

    // Another teaser, the same page: asked once, and not again for ever.
    room.web
        .set("/f", Say::Page("teaser a /a.html A /d/a\n".into()));
    let polled = room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f", "/d/a"]);
    assert_eq!(counts(&polled), (0, 0, 0, 1));
    room.web.set(
        "/f",
        Say::Page("teaser a /a.html A /d/a\n\n".trim_end().into()),
    );
    room.poll("f").await;
    assert_eq!(room.web.paths(), ["/f"]);
}

#[tokio::test]
async fn a_reader_that_panics_is_its_feeds_failure_and_no_others() {
    let room = Room::new();
    room.web.set("/good", Say::Page(wholes(&["a"])));
    room.web.set("/bad", tagged("panic\n"));
    let jobs = vec![room.job("bad"), room.job("good")];
    let reports = cycle(
        Arc::new(room.desk()),
        jobs,
        Order {
            user_refresh: Duration::ZERO,
            named: false,
        },
        pending(),
        |_| {},
    )
    .await
    .unwrap();
    let why = reports[0].why();
    assert!(
        matches!(reports[0].fate, Fate::Failed(_)) && why.contains("a reader that breaks down"),
        "{why}"
    );
    assert_eq!(reports[1].fate, Fate::Read { partial: false });
    let state = room.state("bad");
    assert_eq!((state.failures, state.validators.clone()), (1, None));
    assert!(held(&state).is_some());
    // The permits came back: as many panics as there are readers do not silence the others.
    for _ in 0..4 {
        room.poll("bad").await;
    }
    room.web.set("/good", Say::Page(wholes(&["b"])));
    assert_eq!(counts(&room.poll("good").await).0, 1);
}

#[tokio::test]
async fn the_same_entry_twice_in_a_listing_is_one() {
    let room = Room::new();
    let many: Vec<String> = (0..40).map(|n| format!("n{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let list = format!("{}{}", wholes(&many), wholes(&["n7"]));
    room.web.set("/f", Say::Page(list));
    let polled = room.poll("f").await;
    assert_eq!(counts(&polled).0, 40);

    // The same page by two teasers is asked once.
    let list = format!("{}{}", teasers(&["b"]), teasers(&["b"]));
    room.web.set("/t", Say::Page(list));
    serve_words(&room, &["b"]);
    room.web.requests();
    room.poll("t").await;
    assert_eq!(room.web.paths(), ["/t", "/robots.txt", "/d/b"]);

    // One link for different stories identifies none of them.
    let list = "whole - / x\nwhole - / y\nwhole - / z\n";
    room.web.set("/l", Say::Page(list.into()));
    assert_eq!(counts(&room.poll("l").await).0, 3);
    room.web
        .set("/l", Say::Page(format!("{list}whole - / w\n")));
    let polled = room.poll("l").await;
    assert_eq!((counts(&polled).0, polled.told.known), (1, 3));
}

#[tokio::test]
async fn p_05_every_good_answer_replaces_the_pair() {
    let room = Room::new();
    let list = wholes(&["a"]);
    let check = async |etag, modified, expected: (&str, &str)| {
        room.web
            .set("/f", Say::Tagged(list.clone(), etag, modified, None));
        room.poll("f").await;
        let found = validators(&room.state("f"));
        assert_eq!((found.0.as_str(), found.1.as_str()), expected);
    };
    check("\"a\"", "t1", ("\"a\"", "t1")).await;
    check("\"b\"", "t1", ("\"b\"", "t1")).await;
    check("", "t2", ("", "t2")).await;
    check("", "", ("", "")).await;
}

#[tokio::test]
async fn p_06_nothing_but_a_good_answer_touches_the_pair() {
    let room = Room::new();
    room.web.set("/f", tagged(wholes(&["a"])));
    room.poll("f").await;
    let good = room.state("f");
    for say in [
        Say::Status(500, None),
        Say::Status(301, None),
        Say::Limited(None),
        Say::Gone,
        Say::Timeout,
        Say::Malformed,
        Say::Tagged("no list".into(), "\"evil\"", "evil", None),
        Say::Tagged("panic\n".into(), "\"evil\"", "evil", None),
    ] {
        room.web.set("/f", say.clone());
        room.poll("f").await;
        let state = room.state("f");
        assert_eq!(state.validators, good.validators, "{say:?}");
        assert_eq!(state.document, good.document, "{say:?}");
        assert!(state.not_before.is_some(), "{say:?}");
        assert_eq!(state.last_success, good.last_success, "{say:?}");
        assert_eq!(room.titles(), ["a"]);
        room.later(Duration::from_secs(1));
    }
    room.web.requests();
    room.web.set("/f", Say::Same("", "", None));
    room.poll("f").await;
    assert_eq!(room.web.requests()[0].validators, good.validators);
}

#[tokio::test]
async fn p_07_p_08_a_304_is_a_success_and_may_bring_a_pair() {
    let room = Room::new();
    room.web.set("/f", tagged(wholes(&["a"])));
    room.poll("f").await;
    room.web.set("/f", Say::Status(500, None));
    room.poll("f").await;
    assert_eq!(room.state("f").failures, 1);
    room.later(Duration::from_hours(2));
    room.web.set("/f", Say::Same("", "", None));
    let polled = room.poll("f").await;
    assert_eq!(polled.told.outcome, Outcome::Unchanged);
    let state = room.state("f");
    assert_eq!((state.failures, state.not_before.clone()), (0, None));
    assert_eq!(state.last_success, Some(now()));
    assert_eq!(validators(&state), ("\"a\"".into(), "then".into()));
    let polls = room.store.polls(&state.id, 9).unwrap();
    let results: Vec<&str> = polls.iter().map(|poll| poll.result.as_str()).collect();
    assert_eq!(results, ["unchanged", "failed", "read"]);

    room.web.set("/f", Say::Same("\"b\"", "then", None));
    room.poll("f").await;
    assert_eq!(
        validators(&room.state("f")),
        ("\"b\"".into(), "then".into())
    );
}

#[tokio::test]
async fn p_09_a_bare_304_is_as_fresh_as_the_answer_before_it() {
    let room = Room::new();
    let hours = Duration::from_hours;
    // It counts from the answer, and a poll takes its time.
    let fresh_for = |time: Duration| {
        let left = room.state("f").fresh_until.unwrap().since(now());
        assert!(
            left >= time && left.saturating_sub(time) < Duration::from_mins(1),
            "{left:?}"
        );
    };
    room.web
        .set("/f", Say::Tagged(wholes(&["a"]), "\"a\"", "", Some(7200)));
    room.poll("f").await;
    fresh_for(hours(2));
    room.later(hours(3));
    room.web.set("/f", Say::Same("", "", None));
    room.poll("f").await;
    fresh_for(hours(2));
    assert!(may_ask(&room.state("f"), now(), Duration::ZERO).is_err());
    room.later(hours(2) + Duration::from_mins(1));
    assert_eq!(may_ask(&room.state("f"), now(), Duration::ZERO), Ok(()));
    room.web.set("/f", Say::Same("", "", Some(21_600)));
    room.poll("f").await;
    fresh_for(hours(6));
}

#[tokio::test]
async fn p_10_an_unasked_304_is_an_error_and_removes_nothing() {
    let room = Room::new();
    room.web.set("/f", Say::Malformed);
    room.poll("f").await;
    let state = room.state("f");
    assert_eq!((state.failures, state.last_success), (1, None));
    assert!(held(&state).is_some());
    // On a detail page, where nothing conditional is asked, it costs that page this once.
    room.web.set("/t", tagged(teasers(&["b", "a"])));
    serve_words(&room, &["a"]);
    room.web.script(
        "/d/b",
        [Say::Same("", "", None), Say::Page("words b".into())],
    );
    assert_eq!(room.poll("t").await.told.outcome, Outcome::Partial);
    assert_eq!(counts(&room.poll("t").await).0, 1);
}

#[tokio::test]
async fn a_poll_dropped_midway_leaves_no_trace() {
    for slow in ["/f", "/d/a"] {
        let room = Room::new();
        room.web.set("/f", tagged(teasers(&["b", "a"])));
        serve_words(&room, &["a", "b"]);
        room.web.set(slow, Say::Never);
        let desk = room.desk();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            _ = poll(&desk, room.job("f")) => panic!("it cannot end"),
        }
        assert!(!room.web.paths().is_empty(), "it was at work");
        let counts = room.store.counts().unwrap();
        assert_eq!((counts.feeds, counts.articles, counts.next_seq), (0, 0, 0));
        room.web.set("/f", tagged(teasers(&["b", "a"])));
        serve_words(&room, &["a", "b"]);
        let polled = room.poll("f").await;
        assert_eq!(self::counts(&polled).0, 2);
        assert_eq!(polled.told.outcome, Outcome::Read);
    }
}

#[tokio::test]
async fn one_lost_page_beside_known_entries_fails_no_feed() {
    let room = Room::new();
    room.web.set("/f", tagged(teasers(&["b", "a"])));
    serve_words(&room, &["a", "b"]);
    room.poll("f").await;
    room.web.set("/f", tagged(teasers(&["lost", "b", "a"])));
    let polled = room.poll("f").await;
    assert_eq!(polled.told.known, 2);
    assert_eq!(
        (polled.told.outcome, polled.told.failures),
        (Outcome::Read, 0)
    );
    assert_eq!(room.state("f").not_before, None);
}

#[tokio::test]
async fn lost_pages_do_not_starve_those_behind_them() {
    let room = Room {
        details: 2,
        ..Room::new()
    };
    room.web
        .set("/f", tagged(teasers(&["lost", "gone", "b", "a"])));
    serve_words(&room, &["a", "b"]);
    for _ in 0..4 {
        room.poll("f").await;
        room.later(Duration::from_hours(30));
    }
    assert_eq!(room.titles().len(), 2);
}

#[tokio::test]
async fn a_failed_poll_is_no_success_in_the_books() {
    let room = Room::new();
    room.web.set("/f", tagged(teasers(&["a"])));
    room.web.set("/d/a", Say::Timeout);
    room.poll("f").await;
    let state = room.state("f");
    assert_eq!((state.failures, state.last_success), (1, None));
    assert_eq!(room.store.polls(&state.id, 1).unwrap()[0].result, "failed");
}

#[tokio::test]
async fn p_71_p_79_two_feeds_that_moved_to_one_address_are_asked_there_once() {
    let room = Room::new();
    room.web.set("/c", Say::Page(wholes(&["a"])));
    let moved = |feed: &str| {
        let mut job = room.job(feed);
        let from = job.source.first(&job.subscription).url;
        job.state.learned.address = Some(Address {
            from: from.as_str().to_owned(),
            to: from.join("/c").unwrap().as_str().to_owned(),
            tried_old: false,
        });
        job
    };
    let order = Order {
        user_refresh: Duration::ZERO,
        named: false,
    };
    let jobs = vec![moved("b"), moved("a")];
    let reports = cycle(Arc::new(room.desk()), jobs, order, pending(), |_| {})
        .await
        .unwrap();
    assert_eq!(room.web.paths(), ["/c"]);
    assert!(matches!(reports[0].fate, Fate::LeftAlone(_)), "{reports:?}");
    assert!(matches!(reports[1].fate, Fate::Read { .. }), "{reports:?}");
}
