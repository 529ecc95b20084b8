//! What is let go is not forgotten: whatever comes afterwards is judged as if all were there still.

use proptest::collection::vec;
use proptest::prelude::*;

use feedmill::model::keep::Tier;
use feedmill::rules::retention::Order;

use super::{Scratch, article, at, feed, poll, seq, verdicts, wait};

/// Entries of a document, by id: which words each has.
type Document = Vec<(u8, u8)>;

/// A document of up to six entries, no id twice.
fn document() -> impl Strategy<Value = Document> {
    vec(0..7_u8, 6).prop_map(|words| {
        let entries = (0..6).zip(words);
        entries.filter(|(_, words)| *words > 0).collect()
    })
}

/// A poll of one of two feeds.
fn read(feed: bool, time: i64, document: &Document) -> feedmill::model::poll::PollRecord {
    let articles = document
        .iter()
        .map(|(id, words)| article(&format!("e{id}"), &format!("words {words}")));
    poll(if feed { "a" } else { "b" }, at(time), articles.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn after_a_prune_every_document_is_judged_as_without_it(
        before in vec((any::<bool>(), document()), 1..5),
        orders in vec((0..24_u64, 0..3_usize), 0..12),
        after in vec((any::<bool>(), document()), 0..4),
    ) {
        let (pruned, whole) = (Scratch::new(), Scratch::new());
        for (time, (feed, document)) in (0..).zip(&before) {
            pruned.record(read(*feed, time, document));
            whole.record(read(*feed, time, document));
        }
        let tiers = [Tier::Revisions, Tier::Bodies, Tier::Metadata];
        let orders = orders.into_iter().map(|(number, tier)| Order {
            seq: seq(number),
            tier: tiers[tier],
            rule: "made up".to_owned(),
            bytes: 0,
        });
        wait(pruned.store.prune(orders.collect(), at(100))).unwrap();
        // The last document of each feed is known, whatever went of it.
        for feed in [true, false] {
            if let Some((_, last)) = before.iter().rev().find(|(of, _)| *of == feed) {
                let again = pruned.record(read(feed, 200, last));
                prop_assert_eq!(again.counts(), (0, 0, 0, last.len()));
                whole.record(read(feed, 200, last));
            }
        }
        for (time, (feed, document)) in (300..).zip(before.iter().chain(&after)) {
            let judged = pruned.record(read(*feed, time, document));
            let expected = whole.record(read(*feed, time, document));
            prop_assert_eq!(verdicts(&judged), verdicts(&expected));
        }
        pruned.store.verify().unwrap();
    }
}

#[test]
fn what_has_gone_goes_once_and_says_by_which_rule() {
    let scratch = Scratch::new();
    scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    let order = |number: u64, tier, rule: &str| Order {
        seq: seq(number),
        tier,
        rule: rule.to_owned(),
        bytes: 0,
    };
    let prune = |orders, time| wait(scratch.store.prune(orders, at(time))).unwrap();
    assert_eq!(prune(vec![order(0, Tier::Bodies, "first")], 10), 1);
    assert_eq!(
        prune(
            vec![
                order(0, Tier::Bodies, "second"),
                order(9, Tier::Metadata, "second")
            ],
            20
        ),
        0
    );
    assert_eq!(prune(vec![order(0, Tier::Metadata, "third")], 30), 1);
    assert_eq!(prune(vec![order(0, Tier::Metadata, "fourth")], 40), 0);
    let article = scratch.store.article(seq(0)).unwrap().unwrap();
    let gone = article.pruned.clone().unwrap();
    assert_eq!(
        (gone.at, gone.tier, gone.rule.as_str()),
        (at(30), Tier::Metadata, "third")
    );
    assert_eq!(
        (
            article.article.title.as_str(),
            article.article.body.text.as_str()
        ),
        ("", "")
    );
    assert_eq!((article.recorded, article.feed), (at(0), feed("a")));
    // It is shown nowhere, and the other is.
    let shown: Vec<u64> = scratch
        .store
        .latest(10)
        .unwrap()
        .iter()
        .map(|a| a.seq.0)
        .collect();
    assert_eq!(shown, [1]);
    assert_eq!(scratch.store.articles(&[seq(0), seq(1)]).unwrap().len(), 1);
    let lines = scratch.store.kept_lines(None, 10).unwrap();
    assert_eq!(
        lines.iter().map(|kept| kept.line.seq).collect::<Vec<_>>(),
        [seq(1)]
    );
}

#[test]
fn the_room_of_words_that_went_is_free() {
    let scratch = Scratch::new();
    let words = |id: u32| {
        (0..90)
            .map(|n| (id * 1_000 + n).to_string())
            .collect::<String>()
    };
    let pages = |name| {
        let pragma = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        scratch
            .raw()
            .pragma_query_value(None, name, pragma)
            .unwrap()
    };
    // Every table has a page, whatever is in it.
    let empty = pages("page_count");
    let articles = (0..600).map(|id| article(&format!("e{id}"), &words(id)));
    scratch.record(poll("a", at(0), articles.collect()));
    let before = pages("page_count");
    let mut below = None;
    loop {
        let lines = scratch.store.kept_lines(below, 100).unwrap();
        let Some(last) = lines.last() else { break };
        below = Some(last.line.seq);
        let orders = lines.iter().map(|kept| Order {
            seq: kept.line.seq,
            tier: Tier::Bodies,
            rule: "made up".to_owned(),
            bytes: 0,
        });
        wait(scratch.store.prune(orders.collect(), at(100))).unwrap();
    }
    let free = pages("freelist_count");
    assert!(
        free * 4 > before - empty,
        "{free} of {before} pages are free, {empty} of them in any case there"
    );
    // And it is used again.
    let articles = (600..700).map(|id| article(&format!("e{id}"), &words(id)));
    scratch.record(poll("a", at(200), articles.collect()));
    assert_eq!(pages("page_count"), before);
    scratch.store.verify().unwrap();
}
