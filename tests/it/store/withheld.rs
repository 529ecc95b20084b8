//! Entries that are stored and not shown, and shown again.

use feedmill::model::river::CopyPolicy;
use feedmill::model::withheld::Reason;
use feedmill::store::{Beyond, Choice};

use super::{Scratch, article, at, feed, poll, seq, wait};

fn merged(store: &Scratch, once: bool, last: Option<u64>) -> (Vec<u64>, Vec<(u64, u64)>) {
    let choice = Choice {
        feeds: vec![feed("a"), feed("b")],
        tagged: None,
        once,
        copies: CopyPolicy::default(),
        limit: if last.is_some() { 0 } else { 100 },
        quota: None,
        beyond: last.map(|last| Beyond {
            last: Some(seq(last)),
            most: None,
        }),
    };
    let lineup = store.store.lineup(&choice).unwrap();
    let numbers = lineup.articles.iter().map(|seq| seq.0).collect();
    let unsealed = lineup.unsealed.iter().map(|(cause, seq)| (cause.0, seq.0));
    (numbers, unsealed.collect())
}

fn stocked() -> Scratch {
    let store = Scratch::new();
    store.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    store.record(poll("b", at(1), vec![article("3", "one")]));
    store
}

#[test]
fn who_is_withheld_is_not_shown_and_owns_no_words() {
    let store = stocked();
    assert_eq!(merged(&store, true, None).0, [1, 0]);
    wait(store.store.withhold(vec![seq(0)], Reason::Rule, at(2))).unwrap();
    assert_eq!(
        merged(&store, true, None).0,
        [2, 1],
        "the other copy is shown"
    );
    assert_eq!(
        merged(&store, false, None).0,
        [2, 1, 0],
        "its own feed has it"
    );
    wait(store.store.withhold(vec![seq(0)], Reason::Flood, at(3))).unwrap();
    assert_eq!(
        merged(&store, false, None).0,
        [2, 1],
        "a flood waits everywhere"
    );
    let listed = store.store.withheld(Some(&feed("a"))).unwrap();
    let listed: Vec<_> = listed.iter().map(|w| (w.entry.0, w.why, w.since)).collect();
    assert_eq!(
        listed,
        [(0, Reason::Flood, at(3)), (0, Reason::Rule, at(2))]
    );
    assert_eq!(store.store.withheld(Some(&feed("b"))).unwrap(), []);
    assert_eq!(store.all().len(), 3, "nothing is gone");
}

#[test]
fn who_is_released_is_found_by_those_who_follow_numbers() {
    let store = stocked();
    wait(store.store.withhold(vec![seq(1)], Reason::Flood, at(2))).unwrap();
    wait(store.store.withhold(vec![seq(1)], Reason::Rule, at(2))).unwrap();
    assert_eq!(merged(&store, true, Some(2)).1, []);
    let release = |why| wait(store.store.release(vec![seq(0), seq(1)], why)).unwrap();
    assert_eq!(release(Reason::Flood), 1);
    assert_eq!(
        merged(&store, true, Some(2)).1,
        [],
        "a rule is against it still"
    );
    assert_eq!(release(Reason::Rule), 1);
    assert_eq!(merged(&store, true, Some(2)).1, [(3, 1)]);
    assert_eq!(release(Reason::Rule), 0, "once");
    // The number is its own: the next article has another.
    let recorded = store.record(poll("a", at(5), vec![article("4", "four")]));
    assert_eq!(recorded.articles[0].1, seq(4));
    assert_eq!(merged(&store, true, Some(2)).1, [(3, 1), (4, 4)]);
    assert_eq!(merged(&store, true, Some(3)).1, [(4, 4)]);
}
