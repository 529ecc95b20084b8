#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::model::content::{CanonicalText, Content, ContentHash};
use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, EntryId};

const START: i64 = 1_770_000_000;
const HOUR: i64 = 3_600;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

fn article(words: &str, updated: Option<i64>) -> Article {
    let text = CanonicalText::from_folded(words.to_owned());
    Article {
        key: EntryKey::Id(EntryId::new("a").unwrap()),
        id: EntryId::new("a"),
        link: None,
        title: "Title".to_owned(),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: updated.map(at),
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::plain(words),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        content: ContentHash::of(&text, &text, None),
        raw: RawHash::of([Some(words.as_bytes())]),
        teaser: None,
    }
}

/// An entry as the store would keep it.
struct Entry {
    known: KnownEntry,
    /// Oldest first.
    revisions: Vec<(Article, Timestamp)>,
    shown: Vec<Timestamp>,
}

impl Entry {
    fn new(first: Article, time: Timestamp) -> Self {
        let updated = revised(&first, None, true, time);
        Self {
            known: KnownEntry {
                latest: ArticleSeq(0),
                raw: first.raw,
                teaser: None,
                revised: updated,
                updated: first.updated,
                published: first.published,
                temper: Temper::default(),
                withdrawn: None,
            },
            revisions: vec![(first, time)],
            shown: vec![updated],
        }
    }

    fn sees(&mut self, came: Article, time: Timestamp) -> Change {
        let past = self.revisions.iter().rev().take(LOOKED_BACK);
        let past: Vec<_> = past.map(|(a, t)| (a.raw, *t)).collect();
        let before = Before {
            known: &self.known,
            revisions: &past,
        };
        let latest = &self.revisions.last().unwrap().0;
        let change =
            change::<Infallible>(&came, &before, time, || Ok(only_the_clock(latest, &came)));
        let change = change.unwrap();
        match change {
            Change::None => {
                if let Some(held) = &mut self.known.temper.held {
                    held.seen = 0;
                }
            }
            Change::Held(held) => self.known.temper.held = Some(held),
            Change::Revision { moves, quiet } => {
                self.known.temper.held = None;
                self.known.temper.quiet += u32::from(quiet);
                self.known.raw = came.raw;
                self.known.updated = came.updated;
                self.known.published = came.published;
                self.known.revised = revised(&came, Some(self.known.revised), moves, time);
                self.shown.push(self.known.revised);
                self.revisions.push((came, time));
            }
        }
        change
    }

    fn words(&self) -> &str {
        &self.revisions.last().unwrap().0.body.text
    }
}

/// The words after each hour's document, `updated` beside them in hours.
fn hourly(documents: &[(&str, Option<i64>)]) -> Entry {
    let dated = |hours: Option<i64>| hours.map(|hours| hours * HOUR);
    let mut all = documents.iter().zip(0..);
    let ((words, updated), _) = all.next().unwrap();
    let mut entry = Entry::new(article(words, dated(*updated)), at(0));
    for ((words, updated), hour) in all {
        entry.sees(article(words, dated(*updated)), at(hour * HOUR));
    }
    entry
}

#[test]
fn what_becomes_of_a_second_document() {
    use Change::{None as Nothing, Revision};
    let check = |first: (&str, Option<i64>), second: (&str, Option<i64>), expected| {
        let mut entry = Entry::new(article(first.0, first.1), at(0));
        let found = entry.sees(article(second.0, second.1), at(HOUR));
        assert_eq!(found, expected, "{first:?} {second:?}");
    };
    let revision = |moves, quiet| Revision { moves, quiet };
    check(("one", None), ("one", None), Nothing);
    check(("one", Some(1)), ("one", Some(1)), Nothing);
    check(("one", None), ("uno", None), revision(false, true));
    check(("one", Some(1)), ("uno", Some(1)), revision(false, true));
    check(("one", Some(1)), ("uno", None), revision(false, true));
    check(("one", Some(1)), ("uno", Some(2)), revision(true, false));
    // A date alone (P-125); one that was not there before is no news, nor is one that goes back.
    check(("one", Some(1)), ("one", Some(2)), revision(true, true));
    check(("one", None), ("one", Some(2)), Nothing);
    check(("one", Some(2)), ("one", Some(1)), Nothing);
    check(("one", Some(2)), ("one", None), Nothing);
    // Words and a date, where there was none: news only past what is shown.
    check(("one", None), ("uno", Some(2)), revision(true, false));
    check(("one", None), ("uno", Some(-2)), revision(false, true));
    // A time of day is no news, dated or not.
    check(
        ("at 1:05", Some(1)),
        ("at 2:05", Some(2)),
        revision(true, true),
    );
    check(("2:1", Some(1)), ("3:1", Some(2)), revision(true, false));
}

#[test]
fn an_older_edition_is_held() {
    let entry = hourly(&[("one", Some(2)), ("uno", Some(1)), ("une", Some(1))]);
    assert_eq!(entry.words(), "one");
    assert_eq!(entry.known.temper.held.unwrap().why, Hold::Older);
    let entry = hourly(&[("one", Some(2)), ("uno", Some(1)), ("une", Some(3))]);
    assert_eq!((entry.words(), entry.known.temper.held), ("une", None));
}

#[test]
fn rss_has_one_date_and_it_counts() {
    let published = |words: &str, date: i64| Article {
        published: Some(at(date)),
        ..article(words, None)
    };
    let mut entry = Entry::new(published("one", -50), at(0));
    assert_eq!(entry.sees(published("one", -10), at(1)), Change::None);
    entry.sees(published("uno", -10), at(2));
    entry.sees(published("une", -10), at(3));
    assert_eq!(entry.shown, [at(-50), at(-10), at(-10)]);
}

#[test]
fn the_time_of_day_is_written_24_times() {
    for dated in [false, true] {
        let mut entry = Entry::new(article("at 00:00", dated.then_some(0)), at(0));
        for poll in 1..=200 {
            let words = format!("at {:02}:{:02}", poll / 60, poll % 60);
            entry.sees(article(&words, dated.then_some(poll)), at(poll * HOUR));
        }
        assert_eq!(entry.revisions.len(), 25);
        let held = entry.known.temper.held.unwrap();
        assert_eq!((held.why, held.since), (Hold::Spent, at(25 * HOUR)));
        assert_eq!(entry.known.revised, at(if dated { 24 } else { 0 }));
        // Words that are dated are taken all the same.
        entry.sees(article("over", Some(300)), at(300 * HOUR));
        assert_eq!((entry.words(), entry.known.revised), ("over", at(300)));
    }
}

#[test]
fn two_editions_that_alternate_are_frozen() {
    let documents = [("A", None), ("B", None)].repeat(100);
    let entry = hourly(&documents);
    let words: Vec<_> = entry
        .revisions
        .iter()
        .map(|(a, _)| a.body.text.as_str())
        .collect();
    assert_eq!(words, ["A", "B", "A"]);
    let held = entry.known.temper.held.unwrap();
    assert_eq!((held.why, held.since), (Hold::Returned, at(3 * HOUR)));
    assert!(entry.shown.iter().all(|shown| *shown == at(0)));
    // Dates of two clocks do not help, nor does a third edition.
    let dated = [("A", Some(1)), ("B", Some(2))].repeat(100);
    assert!(hourly(&dated).revisions.len() <= 4);
    let three = [("A", None), ("B", None), ("C", None)].repeat(100);
    assert_eq!(hourly(&three).revisions.len(), 4);
}

#[test]
fn what_is_frozen_thaws_with_new_words_and_follows_who_stays() {
    let mut documents = [("A", None), ("B", None)].repeat(10);
    documents.push(("C", None));
    let entry = hourly(&documents);
    assert_eq!((entry.words(), entry.known.temper.held), ("C", None));
    // A change of mind.
    assert_eq!(
        hourly(&[("A", None), ("B", None), ("A", None)]).words(),
        "A"
    );
    // Frozen at A, and then B for a day.
    let mut documents = [("A", None), ("B", None)].repeat(10);
    documents.extend([("B", None); 22]);
    assert_eq!(hourly(&documents).words(), "A");
    documents.extend([("B", None); 2]);
    assert_eq!(hourly(&documents).words(), "B");
    // A day of an edition that comes between others is no day.
    documents = [("A", None), ("B", None), ("B", None), ("B", None)].repeat(20);
    assert_eq!(hourly(&documents).words(), "A");
}

#[test]
fn dated_words_are_stored_24_times_a_day_and_the_last_are_not_lost() {
    let mut entry = Entry::new(article("0", Some(0)), at(0));
    for poll in 1..=96 {
        entry.sees(
            article(&format!("word {poll}"), Some(poll * 600)),
            at(poll * 600),
        );
    }
    // 16 hours of a poll every ten minutes.
    assert_eq!(entry.revisions.len(), A_DAY);
    assert_eq!(entry.known.temper.held.unwrap().why, Hold::Often);
    assert!(waits(Hold::Often));
    entry.sees(article("word 96", Some(96 * 600)), at(25 * HOUR));
    assert_eq!(entry.words(), "word 96");
}

#[test]
fn a_page_is_not_asked_at_every_poll_for_what_is_held() {
    let mut known = Entry::new(article("one", Some(0)), at(0)).known;
    assert!(worth_asking(&known, None, at(0)));
    assert!(dated_anew(&known, Some(at(5)), at(9)));
    assert!(!dated_anew(&known, Some(at(0)), at(9)));
    assert!(
        !dated_anew(&known, Some(at(9_999)), at(9)),
        "a date in the future"
    );
    known.temper.held = Some(held(None, Hold::Returned, RawHash(1), at(0)));
    assert!(!worth_asking(&known, None, at(7 * HOUR)));
    assert!(!dated_anew(&known, Some(at(5)), at(7 * HOUR)));
    assert!(worth_asking(&known, None, at(8 * HOUR)));
    assert!(dated_anew(&known, Some(at(5)), at(8 * HOUR)));
    known.temper.quiet = QUIET;
    assert!(!worth_asking(&known, None, at(80 * HOUR)));
    assert!(worth_asking(&known, Some(at(5)), at(80 * HOUR)));
}

#[derive(Clone, Debug)]
struct Document {
    words: String,
    updated: Option<i64>,
    later: i64,
}

fn document() -> impl Strategy<Value = Document> {
    let words = prop_oneof![
        "[ABC]",
        "[a-z]{6}",
        "at [0-2][0-9]:[0-5][0-9]",
        Just("same".to_owned())
    ];
    let updated = prop_oneof![
        Just(None),
        (-5_000_i64..200_000).prop_map(Some),
        Just(Some(i64::MAX)), // the time of the poll
    ];
    let later = prop_oneof![Just(60_i64), Just(HOUR), 0..3 * 24 * HOUR];
    (words, updated, later).prop_map(|(words, updated, later)| Document {
        words,
        updated,
        later,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a publisher does, an entry has so many revisions and no more, and its `updated` never moves back.
    #[test]
    fn any_documents_give_bounded_revisions_and_a_date_that_moves_on(documents in proptest::collection::vec(document(), 2..300)) {
        let mut now = 0;
        let mut entry: Option<Entry> = None;
        for document in documents {
            now += document.later;
            let updated = document.updated.map(|secs| secs.min(now));
            let came = article(&document.words, updated);
            match &mut entry {
                None => entry = Some(Entry::new(came, at(now))),
                Some(entry) => {
                    entry.sees(came, at(now));
                }
            }
        }
        let entry = entry.unwrap();
        prop_assert!(entry.shown.is_sorted());
        prop_assert!(entry.known.temper.quiet <= QUIET);
        let began = entry.revisions[0].1;
        let days = at(now).since(began).as_secs() / DAY.as_secs() + 1;
        let most = 1 + u64::from(QUIET) + days * A_DAY as u64;
        prop_assert!(entry.revisions.len() as u64 <= most);
        for (place, (_, time)) in entry.revisions.iter().enumerate() {
            let dated = entry.revisions[..place].iter().filter(|(_, t)| *t > time.minus(DAY)).count();
            prop_assert!(dated <= A_DAY + QUIET as usize);
        }
    }
}
