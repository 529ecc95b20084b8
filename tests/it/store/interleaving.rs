//! Property: in whatever order the polls of three feeds reach the store, it comes to know the same.

use std::collections::{BTreeMap, BTreeSet};

use feedmill::model::content::ContentHash;
use feedmill::model::poll::Verdict;
use proptest::prelude::*;

use super::{Scratch, article, at, poll, wait};

/// What must not depend on the order: per feed and entry its revisions in order, how many polls found nothing new, which
/// texts there are and that each has one first carrier, which text each entry shows.
#[derive(Debug, PartialEq)]
struct Facts {
    revisions: BTreeMap<(String, String), Vec<String>>,
    known: BTreeMap<String, usize>,
    revised: BTreeMap<String, usize>,
    texts: BTreeSet<ContentHash>,
    shown: BTreeSet<ContentHash>,
    carriers: usize,
}

const FEEDS: [&str; 3] = ["a", "b", "c"];

/// An article as (entry, text): few of each, so that they meet.
type Poll = Vec<(u8, u8)>;

/// Plays the polls of each feed in their order, feeds taking turns as `turns` says; `together` at once.
fn play(polls: &[Vec<Poll>; 3], turns: &[usize], together: bool) -> Facts {
    let scratch = Scratch::new();
    let mut left = polls.each_ref().map(|polls| polls.iter());
    let mut order: Vec<_> = turns
        .iter()
        .filter_map(|turn| Some((*turn, left[*turn].next()?)))
        .collect();
    for (turn, rest) in left.into_iter().enumerate() {
        order.extend(rest.map(|poll| (turn, poll)));
    }
    let records = order.iter().zip(0..).map(|((turn, articles), time)| {
        let articles = articles
            .iter()
            .map(|(entry, text)| article(&entry.to_string(), &format!("text {text}")))
            .collect();
        poll(FEEDS[*turn], at(time), articles)
    });
    let recorded = wait(async {
        let mut answers = Vec::new();
        if together {
            // Handed over in this order, before the first is answered.
            let mut waiting = tokio::task::JoinSet::new();
            for record in records {
                let store = scratch.store.clone();
                waiting.spawn(async move { store.record(record).await.unwrap() });
                tokio::task::yield_now().await;
            }
            answers = waiting.join_all().await;
        } else {
            for record in records {
                answers.push(scratch.store.record(record).await.unwrap());
            }
        }
        answers
    });

    let all = scratch.all();
    let mut numbers: Vec<_> = all.iter().map(|a| a.seq.0).collect();
    numbers.dedup();
    assert_eq!(numbers, (0..all.len() as u64).collect::<Vec<_>>());
    let given: usize = recorded
        .iter()
        .flat_map(|r| &r.articles)
        .filter(|(_, _, verdict)| !matches!(verdict, Verdict::Known(_)))
        .count();
    assert_eq!(given, all.len());

    let mut facts = Facts {
        revisions: BTreeMap::new(),
        known: BTreeMap::new(),
        revised: BTreeMap::new(),
        texts: all.iter().map(|a| a.article.content).collect(),
        shown: BTreeSet::new(),
        carriers: 0,
    };
    for stored in &all {
        let entry = (stored.feed.to_string(), format!("{:?}", stored.article.key));
        let revisions = facts.revisions.entry(entry).or_default();
        revisions.push(stored.article.body.text.clone());
    }
    for id in FEEDS {
        let polls = scratch.store.polls(&super::feed(id), 50).unwrap();
        let sum = |part: fn(&(u64, u64, u64, u64)) -> u64| {
            polls
                .iter()
                .map(|p| usize::try_from(part(&p.counts)).unwrap())
                .sum()
        };
        facts.known.insert(id.to_owned(), sum(|counts| counts.3));
        facts.revised.insert(id.to_owned(), sum(|counts| counts.1));
    }
    let firsts = all.iter().filter(|a| a.reprint_of.is_none()).count();
    assert_eq!(firsts, facts.texts.len(), "one first carrier for each text");
    let latest = scratch.store.latest(usize::MAX).unwrap();
    facts.shown = latest.iter().map(|a| a.article.content).collect();
    assert_eq!(latest.len(), facts.shown.len(), "each text is shown once");
    let shown: Vec<_> = facts.shown.iter().copied().collect();
    facts.carriers = scratch.store.carriers(&shown).unwrap().len();
    assert_eq!(
        latest.len() + facts.carriers,
        facts.revisions.len(),
        "no entry is lost"
    );
    facts
}

fn polls() -> impl Strategy<Value = Vec<Poll>> {
    let article = (0_u8..4, 0_u8..6);
    prop::collection::vec(prop::collection::vec(article, 0..5), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_comes_to_the_same(
        a in polls(), b in polls(), c in polls(),
        turns in prop::collection::vec(0_usize..3, 0..12),
    ) {
        let polls = [a, b, c];
        let one_by_one = play(&polls, &[], false);
        prop_assert_eq!(&play(&polls, &turns, false), &one_by_one);
        prop_assert_eq!(&play(&polls, &turns, true), &one_by_one);
    }
}
