//! Reading back: order, collapse, carriers, and beside the writer.

use feedmill::model::article::StoredArticle;
use feedmill::model::ids::EntryId;
use feedmill::model::urls::PageUrl;
use feedmill::store::ListQuery;

use super::{Scratch, article, at, feed, hash, key, poll, seq, wait};

fn numbers(articles: &[StoredArticle]) -> Vec<u64> {
    articles.iter().map(|a| a.seq.0).collect()
}

fn dated(id: &str, words: &str, secs: i64) -> feedmill::model::article::Article {
    let mut article = article(id, words);
    article.published = Some(at(secs));
    article
}

#[test]
fn latest_is_by_date_then_number_each_text_once() {
    let scratch = Scratch::new();
    scratch.record(poll(
        "a",
        at(100),
        vec![
            dated("old", "old", 10),         // 0
            article("dateless", "dateless"), // 1: dated 100, when it was first seen
            dated("tie-1", "tie 1", 50),     // 2
            dated("tie-2", "tie 2", 50),     // 3
        ],
    ));
    // 4 is a reprint of 2, 5 has a date before everything.
    scratch.record(poll(
        "b",
        at(200),
        vec![dated("copy", "tie 1", 190), dated("older", "older", 5)],
    ));
    let latest = scratch.store.latest(10).unwrap();
    assert_eq!(numbers(&latest), [1, 3, 2, 0, 5]);
    assert_eq!(numbers(&scratch.store.latest(2).unwrap()), [1, 3]);
    assert!(latest.is_sorted_by(|a, b| a.date() >= b.date()));

    // A revision takes its entry's place; the dateless entry keeps its date.
    scratch.record(poll(
        "a",
        at(300),
        vec![article("dateless", "other"), dated("old", "old, new", 60)],
    ));
    assert_eq!(numbers(&scratch.store.latest(10).unwrap()), [6, 7, 3, 2, 5]);

    // The first carrier gets other words: the reprint is now the one with the old ones.
    scratch.record(poll("a", at(400), vec![dated("tie-1", "tie, untied", 50)]));
    assert_eq!(
        numbers(&scratch.store.latest(10).unwrap()),
        [4, 6, 7, 8, 3, 5]
    );
}

#[test]
fn carriers_are_the_other_entries_with_the_words() {
    let scratch = Scratch::new();
    let link = PageUrl::parse("https://b.example/1").unwrap();
    scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    let mut copy = article("b1", "one");
    copy.link = Some(link.clone());
    scratch.record(poll("b", at(1), vec![article("b0", "zero"), copy]));
    // The third carrier came to these words by a revision.
    scratch.record(poll("c", at(2), vec![article("c1", "draft")]));
    scratch.record(poll("c", at(3), vec![article("c1", "one!")]));

    let carriers = scratch
        .store
        .carriers(&[hash("two"), hash("one"), hash("nobody's")])
        .unwrap();
    let told: Vec<_> = carriers
        .iter()
        .map(|c| (c.feed.as_str(), c.first_seq.0, c.seq.0, c.content))
        .collect();
    assert_eq!(told, [("b", 3, 3, hash("one")), ("c", 4, 5, hash("one"))]);
    assert_eq!(
        (&carriers[0].key, &carriers[0].id),
        (&key("b1"), &EntryId::new("b1"))
    );
    assert_eq!((&carriers[0].link, &carriers[1].link), (&Some(link), &None));

    let snapshot = scratch.store.snapshot(100).unwrap();
    assert_eq!(snapshot.articles, scratch.store.latest(100).unwrap());
    assert_eq!(snapshot.carriers, carriers);
    assert_eq!(snapshot.feeds, scratch.store.feed_states().unwrap());
    assert_eq!(snapshot.last_change, Some(at(3)));
    assert_eq!(snapshot.river_id, scratch.store.river_id().unwrap());
}

#[test]
fn since_and_list() {
    let scratch = Scratch::new();
    for n in 0..6 {
        let id = ["a", "b"][n % 2];
        scratch.record(poll(
            id,
            at(0),
            vec![article(&n.to_string(), &format!("words {n}"))],
        ));
    }
    scratch.record(poll("a", at(1), vec![article("0", "revised")])); // 6
    let since =
        |after: Option<u64>, limit| numbers(&scratch.store.since(after.map(seq), limit).unwrap());
    assert_eq!(since(None, 3), [0, 1, 2]);
    assert_eq!(since(Some(2), 100), [3, 4, 5, 6]);
    assert_eq!(since(Some(6), 100), [0; 0]);
    assert_eq!(since(Some(u64::MAX), 100), [0; 0]);

    let list = |since: Option<u64>, id: Option<&str>, limit| {
        numbers(
            &scratch
                .store
                .list(&ListQuery {
                    since: since.map(seq),
                    feed: id.map(feed),
                    limit,
                })
                .unwrap(),
        )
    };
    assert_eq!(list(None, None, 2), [6, 5]);
    assert_eq!(list(Some(4), None, 9), [6, 5]);
    assert_eq!(list(None, Some("a"), 9), [6, 4, 2, 0]);
    assert_eq!(list(Some(0), Some("a"), 2), [6, 4]);
    assert_eq!(list(None, Some("nobody"), 9), [0; 0]);
    assert_eq!(scratch.store.article(seq(99)).unwrap(), None);
    assert_eq!(scratch.store.article(seq(u64::MAX)).unwrap(), None);
}

/// An entry is remembered longer than its articles are kept, and nothing old comes back as new.
#[test]
fn what_was_seen_outlives_what_is_kept() {
    let scratch = Scratch::new();
    scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    scratch
        .raw()
        .execute_batch("DELETE FROM article WHERE seq = 0")
        .unwrap();
    let again = scratch.record(poll("a", at(1), vec![article("1", "one")]));
    assert_eq!(again.counts(), (0, 0, 0, 1));
    assert_eq!(numbers(&scratch.store.latest(9).unwrap()), [1]);
}

#[test]
fn counts_are_right() {
    let scratch = Scratch::new();
    assert_eq!(scratch.store.last_change().unwrap(), None);
    scratch.record(poll(
        "a",
        at(5),
        vec![article("1", "one"), dated("2", "two", 90)],
    ));
    scratch.record(poll("b", at(4), vec![article("1", "one")]));
    scratch.record(poll("a", at(3), vec![article("1", "uno")]));
    scratch.record(poll("c", at(9), vec![]));
    let counts = scratch.store.counts().unwrap();
    assert_eq!(
        (
            counts.feeds,
            counts.entries,
            counts.articles,
            counts.words,
            counts.files,
            counts.next_seq
        ),
        (3, 3, 4, 3, 0, 4)
    );
    let feeds: Vec<_> = scratch
        .store
        .feed_counts()
        .unwrap()
        .into_iter()
        .map(|f| (f.feed.to_string(), f.entries, f.newest))
        .collect();
    let row = |id: &str, entries, newest: Option<i64>| (id.to_owned(), entries, newest.map(at));
    assert_eq!(
        feeds,
        [
            row("a", 2, Some(90)),
            row("b", 1, Some(4)),
            row("c", 0, None)
        ]
    );
    // The clock went back; what was last said of a change stays.
    assert_eq!(scratch.store.last_change().unwrap(), Some(at(5)));
}

/// Readers see whole polls and nothing but, while polls are written.
#[test]
fn readers_see_whole_polls_beside_the_writer() {
    let scratch = Scratch::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut looks, mut seen) = (0, 0);
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        let snapshot = scratch.store.snapshot(10_000).unwrap();
                        assert_eq!(snapshot.articles.len() % 10, 0, "half a poll");
                        assert!(snapshot.articles.len() >= seen, "an article is gone");
                        assert_eq!(snapshot.articles.len(), snapshot.feeds.len() * 10);
                        seen = snapshot.articles.len();
                        looks += 1;
                    }
                    looks
                })
            })
            .collect();
        for n in 0..40 {
            let articles = (0..10)
                .map(|m| article(&m.to_string(), &format!("words {n} {m}")))
                .collect();
            wait(
                scratch
                    .store
                    .record(poll(&format!("feed-{n}"), at(n), articles)),
            )
            .unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        readers
            .into_iter()
            .map(|r| r.join().unwrap())
            .sum::<usize>()
    });
    assert!(looks > 0);
    assert_eq!(scratch.store.latest(10_000).unwrap().len(), 400);
}
