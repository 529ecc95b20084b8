//! Writing polls: verdicts, numbers, and that a poll is whole or has no trace.

use std::time::Duration;

use feedmill::model::content::{Content, RawHash};
use feedmill::model::entry::{Enclosure, EntryKey, Skipped};
use feedmill::model::feed::{FeedInfo, FeedState, NotBefore};
use feedmill::model::http::HttpValidators;
use feedmill::model::ids::EntryId;
use feedmill::model::learned::Learned;
use feedmill::model::poll::{Coverage, PollResult, Verdict};
use feedmill::model::urls::PageUrl;
use feedmill::store::Store;

use super::{Scratch, article, at, feed, hash, key, poll, poll_with, reading, seq, verdicts, wait};

fn page(text: &str) -> PageUrl {
    PageUrl::parse(text).unwrap()
}

#[test]
fn numbers_start_at_zero_and_are_given_once() {
    let scratch = Scratch::new();
    let first = scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    assert_eq!(verdicts(&first), [(0, Verdict::New), (1, Verdict::New)]);
    assert_eq!(first.articles[1].0, key("2"));
    // An article that is deleted does not give its number back.
    scratch
        .raw()
        .execute_batch("DELETE FROM article WHERE seq = 1")
        .unwrap();
    let second = scratch.record(poll("a", at(1), vec![article("3", "three")]));
    assert_eq!(verdicts(&second), [(2, Verdict::New)]);
    drop(scratch.store);
    let store = Store::open(&scratch.path).unwrap();
    let third = wait(store.record(poll("a", at(2), vec![article("4", "four")]))).unwrap();
    assert_eq!(verdicts(&third), [(3, Verdict::New)]);
}

#[test]
fn the_same_poll_twice_brings_nothing_new() {
    let scratch = Scratch::new();
    let articles = vec![article("1", "one"), article("2", "two")];
    scratch.record(poll("a", at(0), articles.clone()));
    let before = scratch.all();
    let again = scratch.record(poll("a", at(1), articles));
    assert_eq!(
        verdicts(&again),
        [(0, Verdict::Known(seq(0))), (1, Verdict::Known(seq(1)))]
    );
    assert_eq!(scratch.all(), before);
    assert_eq!(scratch.store.last_change().unwrap(), Some(at(0)));
}

#[test]
fn every_revision_is_kept() {
    let scratch = Scratch::new();
    for (time, words) in ["one", "uno", "uno!", "one"].into_iter().enumerate() {
        scratch.record(poll(
            "a",
            at(time.try_into().unwrap()),
            vec![article("1", words)],
        ));
    }
    let all = scratch.all();
    let told: Vec<_> = all
        .iter()
        .map(|a| {
            (
                a.seq.0,
                a.first_seq.0,
                a.article.body.text.as_str(),
                a.reprint_of,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, 0, "<p>one</p>", None),
            (1, 0, "<p>uno</p>", None),
            // The same words with other punctuation, and old words again: a revision, but no file.
            (2, 0, "<p>uno!</p>", Some(seq(1))),
            (3, 0, "<p>one</p>", Some(seq(0))),
        ]
    );
    assert!(all.iter().all(|a| a.first_seen == at(0)));
    let revised: Vec<_> = all.iter().map(|a| a.revised).collect();
    assert_eq!(
        revised,
        [at(0); 4],
        "no date says that these are news (P-126)"
    );
    let last = scratch.record(poll("a", at(9), vec![article("1", "une")]));
    assert_eq!(verdicts(&last), [(4, Verdict::Revised(seq(3)))]);
}

#[test]
fn updated_never_moves_back() {
    let scratch = Scratch::new();
    let mut dated = article("1", "one");
    dated.published = Some(at(-500));
    dated.updated = Some(at(-100));
    scratch.record(poll("a", at(0), vec![dated.clone()]));
    for (time, updated, raw) in [(1, -50, 1), (2, -300, 2), (3, -50, 3)] {
        dated.updated = Some(at(updated));
        dated.raw = RawHash(raw);
        scratch.record(poll("a", at(time), vec![dated.clone()]));
    }
    dated.updated = None;
    dated.raw = RawHash(4);
    scratch.record(poll("a", at(4), vec![dated]));
    let all = scratch.all();
    let revised: Vec<_> = all.iter().map(|a| (a.article.raw.0, a.revised)).collect();
    let first = all[0].article.raw.0;
    // The second is older than what is stored, and is not (P-135).
    assert_eq!(
        revised,
        [(first, at(-100)), (1, at(-50)), (3, at(-50)), (4, at(-50))]
    );
}

/// A copy of yesterday rolls nothing back (P-135); a publisher that corrects and dates it earlier is believed when it stays.
#[test]
fn an_earlier_edition_that_stays_is_taken_in_the_end() {
    let scratch = Scratch::new();
    let mut news = article("1", "one");
    news.updated = Some(at(-100));
    let mut earlier = article("1", "uno");
    earlier.updated = Some(at(-9_000));
    scratch.record(poll("a", at(0), vec![news.clone()]));
    let hours = |hours: i64| at(hours * 3_600);
    for hour in 1..25 {
        let told = scratch.record(poll("a", hours(hour), vec![earlier.clone()]));
        assert_eq!(verdicts(&told), [(0, Verdict::Known(seq(0)))], "{hour}");
    }
    let told = scratch.record(poll("a", hours(26), vec![earlier.clone()]));
    assert_eq!(verdicts(&told), [(1, Verdict::Revised(seq(0)))]);
    // Two servers that take turns: the earlier edition never stays.
    let scratch = Scratch::new();
    for hour in 0..60 {
        let edition = if hour % 2 == 0 { &news } else { &earlier };
        scratch.record(poll("a", hours(hour), vec![edition.clone()]));
    }
    assert_eq!(scratch.all().len(), 1);
}

#[test]
fn a_reprint_in_another_feed_names_the_first() {
    let scratch = Scratch::new();
    scratch.record(poll("a", at(0), vec![article("1", "one")]));
    let reprint = scratch.record(poll(
        "b",
        at(1),
        vec![article("1", "one"), article("9", "one")],
    ));
    assert_eq!(
        verdicts(&reprint),
        [(1, Verdict::Reprint(seq(0))), (2, Verdict::Reprint(seq(0)))]
    );
    let copy = scratch.store.article(seq(1)).unwrap().unwrap();
    assert_eq!((copy.feed, copy.reprint_of), (feed("b"), Some(seq(0))));
    assert_eq!(copy.first_seq, seq(1));
}

/// The same id in two feeds is two entries (P-124).
#[test]
fn an_id_belongs_to_its_feed() {
    let scratch = Scratch::new();
    scratch.record(poll("a", at(0), vec![article("1", "one")]));
    let other = scratch.record(poll("b", at(1), vec![article("1", "spoof")]));
    assert_eq!(verdicts(&other), [(1, Verdict::New)]);
    let first = scratch.store.article(seq(0)).unwrap().unwrap();
    assert_eq!(first.article.body.text, "<p>one</p>");
}

/// The same entry twice in one document: the second is judged against the first.
#[test]
fn one_poll_sees_its_own_articles() {
    let scratch = Scratch::new();
    let twice = vec![
        article("1", "one"),
        article("1", "one"),
        article("1", "uno"),
        article("2", "one"),
    ];
    let recorded = scratch.record(poll("a", at(0), twice));
    assert_eq!(
        verdicts(&recorded),
        [
            (0, Verdict::New),
            (0, Verdict::Known(seq(0))),
            (1, Verdict::Revised(seq(0))),
            (2, Verdict::Reprint(seq(0))),
        ]
    );
}

/// The kind of a key counts: a link that reads like an id is another entry.
#[test]
fn keys_of_three_kinds() {
    let scratch = Scratch::new();
    let link = page("https://news.example/1");
    let mut by_id = article(link.as_str(), "one");
    by_id.link = Some(link.clone());
    let mut by_link = article("x", "two");
    (by_link.key, by_link.id) = (EntryKey::Link(link.clone()), None);
    by_link.link = Some(link);
    let mut by_words = article("x", "three");
    (by_words.key, by_words.id) = (EntryKey::Content(hash("three")), None);
    by_words.link = Some(page("https://news.example/front"));
    let mut odd = article("y", "four");
    odd.id = EntryId::new("another id");
    let articles = vec![by_id, by_link, by_words, odd];
    scratch.record(poll("a", at(0), articles.clone()));
    let stored: Vec<_> = scratch.all().into_iter().map(|a| a.article).collect();
    assert_eq!(stored, articles);

    let keys: Vec<_> = articles.iter().map(|a| a.key.clone()).collect();
    let known = scratch.store.known(&feed("a"), &keys).unwrap();
    assert_eq!(known.len(), 4);
    assert!(
        keys.iter()
            .zip(0..)
            .all(|(key, n)| known[key].latest == seq(n))
    );
    assert!(scratch.store.known(&feed("b"), &keys).unwrap().is_empty());
    assert!(
        scratch
            .store
            .known(&feed("a"), &[key("z")])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn everything_of_an_article_comes_back() {
    let scratch = Scratch::new();
    let mut full = article("tag:news.example,2026:1", "全文 with a \u{0} and a 🦊");
    full.link = Some(page("https://news.example/1?a=%E4%B8%80#part"));
    full.authors = vec!["王小明".to_owned(), "A. \"B\" C".to_owned()];
    full.language = Some("zh-Hant".to_owned());
    full.published = Some(at(-20));
    full.updated = Some(at(-10));
    full.cms_date = Some(at(-30));
    full.categories = vec!["要闻".to_owned()];
    full.summary = Some(Content::plain("摘要"));
    full.partial = true;
    full.thumbnail = Some(page("https://img.example/1.jpg"));
    full.enclosures = vec![Enclosure {
        url: page("https://cdn.example/1.mp3"),
        media_type: Some("audio/mpeg".to_owned()),
        length: Some(u64::MAX),
    }];
    full.origin = Some(info("https://origin.example/"));
    full.teaser = Some(RawHash(u128::MAX));
    let mut empty = article("2", "");
    empty.title = String::new();
    empty.summary = Some(Content::html(""));
    empty.origin = Some(FeedInfo::default());
    let articles = vec![full, empty];
    scratch.record(poll("a", at(0), articles.clone()));
    let stored: Vec<_> = scratch.all().into_iter().map(|a| a.article).collect();
    assert_eq!(stored, articles);
}

fn info(home: &str) -> FeedInfo {
    FeedInfo {
        id: Some("urn:origin".to_owned()),
        title: Some("晨报".to_owned()),
        self_link: Some(page("https://origin.example/feed")),
        home: Some(page(home)),
        authors: vec!["编辑部".to_owned()],
        rights: Some("©".to_owned()),
        icon: Some(page("https://origin.example/icon.png")),
        language: Some("zh-Hans".to_owned()),
        updated: Some(at(-40)),
    }
}

#[test]
fn a_new_teaser_of_a_known_entry_is_remembered() {
    let scratch = Scratch::new();
    let remembered = || scratch.store.known(&feed("a"), &[key("1")]).unwrap()[&key("1")].teaser;
    let mut teased = article("1", "one");
    teased.teaser = Some(RawHash(1));
    scratch.record(poll("a", at(0), vec![teased.clone()]));
    assert_eq!(remembered(), Some(RawHash(1)));
    teased.teaser = Some(RawHash(2));
    let recorded = scratch.record(poll("a", at(1), vec![teased.clone()]));
    assert_eq!(verdicts(&recorded), [(0, Verdict::Known(seq(0)))]);
    assert_eq!(remembered(), Some(RawHash(2)));
    teased.teaser = None;
    scratch.record(poll("a", at(2), vec![teased]));
    assert_eq!(remembered(), Some(RawHash(2)));
}

fn validators(etag: &str) -> HttpValidators {
    HttpValidators {
        url: page("https://news.example/feed"),
        etag: Some(etag.as_bytes().into()),
        last_modified: Some(b"any \xff bytes".as_slice().into()),
    }
}

/// P-05 to P-11: what a poll replaces, and what it leaves as it was.
#[test]
fn a_feed_is_remembered_as_its_polls_left_it() {
    let scratch = Scratch::new();
    let state = || scratch.store.feed_state(&feed("a")).unwrap().unwrap();
    assert_eq!(scratch.store.feed_state(&feed("a")).unwrap(), None);

    let mut first = reading(vec![article("1", "one")]);
    first.info = info("https://news.example/");
    first.document = Some(RawHash(7));
    first.coverage = Coverage::Whole(Some(validators("\"a\"")));
    let mut record = poll_with("a", at(0), PollResult::Read(Box::new(first.clone())));
    record.fresh_until = Some(at(600));
    scratch.record(record);
    let expected = FeedState {
        id: feed("a"),
        info: info("https://news.example/"),
        validators: Some(validators("\"a\"")),
        document: Some(RawHash(7)),
        last_poll: Some(at(0)),
        last_success: Some(at(0)),
        failures: 0,
        fresh_until: Some(at(600)),
        not_before: None,
        next_poll: Some(at(3600)),
        why_next: Some("every hour".to_owned()),
        learned: Learned::default(),
    };
    assert_eq!(state(), expected);

    // Failures keep the pair, the document and the last success.
    let not_before = Some(NotBefore {
        until: at(900),
        why: "2 failures in a row".to_owned(),
    });
    let failures = [
        PollResult::Failed {
            why: "no connection".to_owned(),
        },
        PollResult::RateLimited { status: 429 },
        PollResult::Gone,
    ];
    for (n, result) in (1..).zip(failures) {
        let mut record = poll_with("a", at(i64::from(n)), result);
        record.failures = n;
        record.not_before.clone_from(&not_before);
        scratch.record(record);
    }
    assert_eq!(
        state(),
        FeedState {
            last_poll: Some(at(3)),
            failures: 3,
            fresh_until: None,
            not_before,
            next_poll: Some(at(3603)),
            ..expected.clone()
        }
    );

    // A 304 is a success; without validators the pair stays, with some it is replaced.
    scratch.record(poll_with(
        "a",
        at(4),
        PollResult::Unchanged { validators: None },
    ));
    assert_eq!(state().validators, Some(validators("\"a\"")));
    assert_eq!((state().last_success, state().failures), (Some(at(4)), 0));
    assert_eq!(state().not_before, None);
    let replaced = Some(Coverage::Whole(Some(validators("\"b\""))));
    scratch.record(poll_with(
        "a",
        at(5),
        PollResult::Unchanged {
            validators: replaced,
        },
    ));
    assert_eq!(state().validators, Some(validators("\"b\"")));

    // Something was left behind: neither the pair nor the document may hide it from the next poll.
    first.coverage = Coverage::Partial;
    scratch.record(poll_with("a", at(6), PollResult::Read(Box::new(first))));
    assert_eq!((state().validators, state().document), (None, None));

    scratch.record(poll("b", at(7), vec![]));
    let ids: Vec<_> = scratch
        .store
        .feed_states()
        .unwrap()
        .into_iter()
        .map(|s| s.id)
        .collect();
    assert_eq!(ids, [feed("a"), feed("b")]);
}

#[test]
fn the_last_fifty_polls_can_be_read_back() {
    let scratch = Scratch::new();
    let mut first = reading(vec![
        article("1", "one"),
        article("2", "two"),
        article("1", "uno"),
    ]);
    first.known = 3;
    first.notes = vec!["charset: GBK by prolog".to_owned(); 100];
    first.skipped = vec![Skipped {
        what: "entry 4".to_owned(),
        why: "no words ".repeat(1000),
    }];
    scratch.record(poll_with("a", at(0), PollResult::Read(Box::new(first))));
    let past = scratch.store.polls(&feed("a"), 9).unwrap().remove(0);
    assert_eq!(past.counts, (2, 1, 0, 3));
    assert_eq!((past.at, past.took), (at(0), Duration::from_millis(120)));
    assert_eq!((past.result.as_str(), past.why), ("read", None));
    assert_eq!(
        (past.next, past.why_next.as_str()),
        (at(3600), "every hour")
    );
    assert_eq!(past.notes.len(), 20);
    assert_eq!(past.skipped[0].what, "entry 4");
    assert_eq!(past.skipped[0].why.chars().count(), 300);

    for n in 1..=70 {
        scratch.record(poll_with(
            "a",
            at(n),
            PollResult::RateLimited { status: 503 },
        ));
        scratch.record(poll_with("b", at(n), PollResult::Gone));
    }
    let polls = scratch.store.polls(&feed("a"), usize::MAX).unwrap();
    assert_eq!(polls.len(), 50);
    assert_eq!((polls[0].at, polls[49].at), (at(70), at(21)));
    assert_eq!(polls[0].why.as_deref(), Some("HTTP status 503"));
    let kept: i64 = scratch
        .raw()
        .query_row("SELECT count(*) FROM poll", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 100);
}

/// A constraint no value of ours breaks, so that the database refuses one article in the middle of a poll.
fn refuse_boom(scratch: &Scratch) {
    scratch
        .raw()
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON article WHEN NEW.title = 'boom'
             BEGIN SELECT RAISE(ABORT, 'boom'); END",
        )
        .unwrap();
}

#[test]
fn a_poll_that_fails_leaves_no_trace() {
    let scratch = Scratch::new();
    scratch.record(poll("a", at(0), vec![article("1", "one")]));
    refuse_boom(&scratch);
    let before = (
        scratch.all(),
        scratch.store.feed_states().unwrap(),
        scratch.store.counts().unwrap(),
    );
    let mut boom = article("3", "three");
    boom.title = "boom".to_owned();
    let mut read = reading(vec![
        article("2", "two"),
        article("1", "uno"),
        boom,
        article("4", "four"),
    ]);
    read.coverage = Coverage::Whole(Some(validators("\"evil\"")));
    let failing = poll_with("a", at(1), PollResult::Read(Box::new(read)));
    let error = wait(scratch.store.record(failing)).unwrap_err();
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("boom")
    );
    assert_eq!(
        (
            scratch.all(),
            scratch.store.feed_states().unwrap(),
            scratch.store.counts().unwrap()
        ),
        before
    );
    assert_eq!(scratch.store.polls(&feed("a"), 9).unwrap().len(), 1);
    // And no number is lost by it.
    let next = scratch.record(poll("a", at(2), vec![article("2", "two")]));
    assert_eq!(verdicts(&next), [(1, Verdict::New)]);
}

/// 64 polls at once share commits; the one that fails takes none of the others with it.
#[test]
fn polls_that_wait_are_committed_together_and_fail_alone() {
    let scratch = Scratch::new();
    refuse_boom(&scratch);
    let answers = wait(async {
        let mut polls = tokio::task::JoinSet::new();
        for n in 0..64 {
            let store = scratch.store.clone();
            let mut articles: Vec<_> = (0..5)
                .map(|m| article(&format!("{n}-{m}"), &format!("words {n} {m}")))
                .collect();
            if n == 40 {
                articles[3].title = "boom".to_owned();
            }
            polls.spawn(async move {
                (
                    n,
                    store
                        .record(poll(&format!("feed-{n}"), at(n), articles))
                        .await,
                )
            });
        }
        polls.join_all().await
    });
    let failed: Vec<_> = answers
        .iter()
        .filter(|(_, answer)| answer.is_err())
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(failed, [40]);
    let mut numbers: Vec<_> = answers
        .iter()
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .flat_map(|recorded| recorded.articles.iter().map(|(_, seq, _)| seq.0))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..63 * 5).collect::<Vec<_>>());
    assert_eq!(scratch.store.counts().unwrap().feeds, 63);
    scratch.store.verify().unwrap();
}

/// What was asked before the handle went away is done before the lock goes.
#[test]
fn dropping_the_handle_finishes_the_work() {
    let scratch = Scratch::new();
    let Scratch {
        store,
        path,
        _directory,
    } = scratch;
    wait(async {
        let mut polls = tokio::task::JoinSet::new();
        for n in 0..50 {
            let store = store.clone();
            polls.spawn(async move {
                let words = format!("words {n}");
                store
                    .record(poll("a", at(n), vec![article(&n.to_string(), &words)]))
                    .await
            });
        }
        // Each is asked once, and none is waited for.
        tokio::task::yield_now().await;
        drop(polls);
    });
    drop(store);
    assert!(!path.with_extension("db-wal").exists());
    let store = Store::open(&path).unwrap();
    assert_eq!(store.counts().unwrap().articles, 50);
}
