//! The prints of a window of time in memory: 152 bytes an article, looked through from end to end.
//!
//! A look at every article is cheaper than an index that would miss some: of each sketch 32 bytes are compared first, in a
//! few instructions, and the others of those alone that agree in more than chance.

use std::cmp::Reverse;

use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;
use crate::rules::similar::reading::Print;
use crate::rules::similar::sketch::{equal, estimate};

/// Articles of a piece. What is not full yet wastes less than one.
const PIECE: usize = 4_096;

/// Bytes of a sketch that are compared first, and how many have to agree: of a pair that shares six tenths one in ten
/// thousand is lost, of unrelated pairs two in a million are looked at more closely.
const HEAD: usize = 32;
const TAIL: usize = 96;
const HEAD_AGREES: u8 = 9;

/// From this estimate on the texts are compared. What is near has 0.6 or more, and the estimate's deviation is 0.04; what
/// has less is a copy by its keys alone.
const ESTIMATE: f32 = 0.40;

/// Candidates of one article whose texts are compared: those that are most alike. More copies than this are a flood.
pub const MOST: usize = 32;

const MINUTE: i64 = 60_000;

/// An article whose copies are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Whose copies.
    pub entry: ArticleSeq,
    /// Its print.
    pub print: Print,
    /// Copies are of these dates, both ends included.
    pub dates: (Timestamp, Timestamp),
}

/// An article that may be a copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which.
    pub entry: ArticleSeq,
    /// About the Jaccard index.
    pub estimate: f32,
    /// Its title or its first words may be the same.
    pub key: bool,
}

/// The prints.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pieces: Vec<Piece>,
}

/// Some prints by columns, each column in the order of the others.
#[derive(Clone, Debug)]
struct Piece {
    heads: Vec<[u8; HEAD]>,
    tails: Vec<[u8; TAIL]>,
    titles: Vec<u32>,
    leads: Vec<u32>,
    lens: Vec<u32>,
    /// In minutes.
    dates: Vec<u32>,
    entries: Vec<u64>,
    newest: u32,
}

impl Index {
    /// Takes an article in that is not in it yet.
    pub fn push(&mut self, entry: ArticleSeq, date: Timestamp, print: &Print) {
        if self.pieces.last().is_none_or(Piece::is_full) {
            self.pieces.push(Piece::new());
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(entry, minutes(date), print);
        }
    }

    /// Forgets an article.
    pub fn remove(&mut self, entry: ArticleSeq) {
        for piece in &mut self.pieces {
            if let Some(at) = piece.entries.iter().position(|known| *known == entry.0) {
                piece.remove(at);
            }
        }
        self.pieces.retain(|piece| !piece.entries.is_empty());
    }

    /// Forgets pieces whose newest article is older.
    pub fn forget_before(&mut self, date: Timestamp) {
        let floor = minutes(date);
        self.pieces.retain(|piece| piece.newest >= floor);
    }

    /// How many articles are in it.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.entries.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Who may be a copy of each of these, the likeliest first and [`MOST`] at most; in the order of `queries`.
    pub fn scan(&self, queries: &[Query]) -> Vec<Vec<Candidate>> {
        let mut found = vec![Vec::new(); queries.len()];
        // A piece is compared with all of them while it is at hand.
        for piece in &self.pieces {
            for (query, found) in queries.iter().zip(&mut found) {
                piece.scan(query, found);
            }
        }
        for (query, found) in queries.iter().zip(&mut found) {
            found.retain(|candidate| candidate.entry != query.entry);
            settle(found);
        }
        found
    }
}

/// The likeliest of some candidates, each once: [`MOST`] at most.
pub fn settle(found: &mut Vec<Candidate>) {
    found.sort_by_key(|candidate| candidate.entry);
    found.dedup_by_key(|candidate| candidate.entry);
    found.sort_by(|a, b| {
        b.estimate
            .total_cmp(&a.estimate)
            .then(Reverse(a.key).cmp(&Reverse(b.key)))
    });
    // One that is known by its key alone is not pushed out by many that look alike.
    let keyed = found.iter().skip(MOST).filter(|candidate| candidate.key);
    let keyed: Vec<Candidate> = keyed.take(MOST / 2).copied().collect();
    found.truncate(MOST - keyed.len().min(MOST / 2));
    found.extend(keyed);
}

impl Piece {
    fn new() -> Self {
        Self {
            heads: Vec::with_capacity(PIECE),
            tails: Vec::with_capacity(PIECE),
            titles: Vec::with_capacity(PIECE),
            leads: Vec::with_capacity(PIECE),
            lens: Vec::with_capacity(PIECE),
            dates: Vec::with_capacity(PIECE),
            entries: Vec::with_capacity(PIECE),
            newest: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= PIECE
    }

    fn push(&mut self, entry: ArticleSeq, date: u32, print: &Print) {
        let (mut head, mut tail) = ([0; HEAD], [0; TAIL]);
        let (first, rest) = print.sketch.0.split_at(HEAD);
        head.copy_from_slice(first);
        tail.copy_from_slice(rest);
        self.heads.push(head);
        self.tails.push(tail);
        self.titles.push(print.title);
        self.leads.push(print.lead);
        self.lens.push(print.len);
        self.dates.push(date);
        self.entries.push(entry.0);
        self.newest = self.newest.max(date);
    }

    fn remove(&mut self, at: usize) {
        self.heads.swap_remove(at);
        self.tails.swap_remove(at);
        self.titles.swap_remove(at);
        self.leads.swap_remove(at);
        self.lens.swap_remove(at);
        self.dates.swap_remove(at);
        self.entries.swap_remove(at);
    }

    fn scan(&self, query: &Query, found: &mut Vec<Candidate>) {
        let print = &query.print;
        let (mut head, mut tail) = ([0; HEAD], [0; TAIL]);
        let (first, rest) = print.sketch.0.split_at(HEAD);
        head.copy_from_slice(first);
        tail.copy_from_slice(rest);
        if print.len > 0 {
            for (at, known) in self.heads.iter().enumerate() {
                let agree = equal(known, &head);
                if agree >= HEAD_AGREES {
                    self.look(at, agree, &tail, query, found);
                }
            }
        }
        for (keys, key) in [(&self.titles, print.title), (&self.leads, print.lead)] {
            if key == 0 {
                continue;
            }
            for (place, some) in keys.chunks(64).enumerate() {
                // All of them at once: no branch, and seldom one that is taken.
                if some
                    .iter()
                    .fold(0_u8, |any, known| any | u8::from(*known == key))
                    != 0
                {
                    let hits = some.iter().enumerate().filter(|(_, known)| **known == key);
                    for at in hits.map(|(at, _)| place * 64 + at) {
                        let agree = self.heads.get(at).map_or(0, |known| equal(known, &head));
                        self.look(at, agree, &tail, query, found);
                    }
                }
            }
        }
    }

    /// Looks more closely at the article at this place, whose first bytes agree so much.
    fn look(
        &self,
        at: usize,
        agree: u8,
        tail: &[u8; TAIL],
        query: &Query,
        found: &mut Vec<Candidate>,
    ) {
        let (Some(known), Some(date), Some(entry)) =
            (self.tails.get(at), self.dates.get(at), self.entries.get(at))
        else {
            return;
        };
        let is = |keys: &[u32], key: u32| key != 0 && keys.get(at) == Some(&key);
        let key = is(&self.titles, query.print.title) || is(&self.leads, query.print.lead);
        let estimate = estimate(agree.saturating_add(equal(known, tail)));
        let (from, to) = (minutes(query.dates.0), minutes(query.dates.1));
        let says_something = self.lens.get(at).is_some_and(|len| *len > 0);
        if (key || estimate >= ESTIMATE) && (from..=to).contains(date) && says_something {
            found.push(Candidate {
                entry: ArticleSeq(*entry),
                estimate,
                key,
            });
        }
    }
}

/// Since 1970; what is before is at its beginning.
fn minutes(date: Timestamp) -> u32 {
    u32::try_from(date.millis().div_euclid(MINUTE)).unwrap_or(if date.millis() < 0 {
        0
    } else {
        u32::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::similar::Reading;

    fn print(words: &str) -> Print {
        Reading::of("", words).text(|_| false).print()
    }

    /// Different words for each seed.
    fn words(seed: u32) -> String {
        let mut state = seed;
        let mut char = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x4e00 + (state >> 8) % 2_000).unwrap_or('一')
        };
        (0..300).map(|_| char()).collect()
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::from_secs(day * 86_400)
    }

    fn scan(index: &Index, entry: u64, words: &str, days: (i64, i64)) -> Vec<u64> {
        let query = Query {
            entry: ArticleSeq(entry),
            print: print(words),
            dates: (day(days.0), day(days.1)),
        };
        let found = index.scan(&[query]).pop().unwrap();
        found.iter().map(|candidate| candidate.entry.0).collect()
    }

    #[test]
    fn copies_are_found_over_all_pieces_and_within_their_dates() {
        let mut index = Index::default();
        let filler: Vec<Print> = (0..50).map(|seed| print(&words(seed + 1_000))).collect();
        for (n, print) in (0..PIECE as u64 + 100).zip(filler.iter().cycle()) {
            index.push(ArticleSeq(n + 10), day(100), print);
        }
        let copy = words(1);
        index.push(ArticleSeq(1), day(90), &print(&copy));
        index.push(
            ArticleSeq(2),
            day(110),
            &print(&format!("{copy}渡轮今天停航")),
        );
        assert_eq!(scan(&index, 1, &copy, (80, 120)), [2]);
        assert_eq!(scan(&index, 3, &copy, (80, 120)), [1, 2]);
        assert_eq!(scan(&index, 3, &copy, (80, 109)), [1]);
        assert_eq!(scan(&index, 3, &copy, (90, 109)), [1]);
        assert!(scan(&index, 3, &copy, (91, 109)).is_empty());
        // A beginning is found by its words.
        let beginning: String = copy.chars().take(40).collect();
        assert_eq!(scan(&index, 3, &beginning, (80, 120)), [1, 2]);
        // More copies than are compared.
        assert_eq!(scan(&index, 3, &words(1_000), (0, 200)).len(), MOST);
    }

    #[test]
    fn what_is_put_again_is_there_once_and_what_is_old_goes() {
        let mut index = Index::default();
        for seed in 0..10 {
            index.push(
                ArticleSeq(u64::from(seed)),
                day(i64::from(seed)),
                &print(&words(seed)),
            );
        }
        index.remove(ArticleSeq(3));
        index.push(ArticleSeq(3), day(3), &print(&words(77)));
        assert_eq!(index.len(), 10);
        assert!(scan(&index, 99, &words(3), (0, 20)).is_empty());
        assert_eq!(scan(&index, 99, &words(77), (0, 20)), [3]);
        index.remove(ArticleSeq(3));
        assert_eq!(
            (index.len(), scan(&index, 99, &words(77), (0, 20)).len()),
            (9, 0)
        );
        index.forget_before(day(9));
        assert_eq!(index.len(), 9, "its newest is not older");
        index.forget_before(day(10));
        assert!(index.is_empty());
    }

    #[test]
    fn an_article_without_words_is_like_no_other() {
        let mut index = Index::default();
        index.push(ArticleSeq(1), day(1), &print(""));
        assert!(scan(&index, 2, "", (0, 9)).is_empty());
    }

    #[test]
    fn a_key_is_not_pushed_out_by_what_looks_alike() {
        let of = |entry, estimate, key| Candidate {
            entry: ArticleSeq(entry),
            estimate,
            key,
        };
        let mut found: Vec<Candidate> = (0..100).map(|n| of(n, 0.9, false)).collect();
        found.push(of(200, 0.1, true));
        settle(&mut found);
        assert_eq!(found.len(), MOST);
        assert_eq!(found.last().map(|last| last.entry.0), Some(200));
    }
}
