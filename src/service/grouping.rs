//! Which articles are copies of one another, found behind the polls: in slices, by a cursor of its own in the store.
//!
//! What comes of it depends on the articles and not on their order: a pair is looked at when the later of the two is, and
//! both again when a line turns out to be their feed's own. A group is what such pairs join.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::rules::html;
use crate::rules::similar::{self, Candidate, Index, Pair, Query, RECIPE, REPEATS, Reading, Text};
use crate::store::{Grouped, Kin, Printed, Store, StoreError, Subject};

/// Articles of a slice: compared together, written together.
const SLICE: usize = 64;

/// Texts of a slice and of its candidates that are kept for more comparisons.
const AT_HAND: usize = 2 * SLICE;

/// Characters of an article that are read: several times what is compared, since punctuation is not.
const CHARS: usize = 100_000;

/// Rows read at once, of those that are looked through.
const ROWS: usize = 4_096;

/// Copies looked for in what is stored.
#[derive(Debug)]
pub struct Grouping {
    store: Store,
    window: Duration,
    /// Filled when there is something to look for.
    index: Option<Index>,
    /// The newest date there is, and the one from which on everything is in the index.
    newest: Timestamp,
    floor: Timestamp,
}

/// What a slice did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// There was something to do; without it there is no more.
    pub worked: bool,
    /// A group is another one now.
    pub changed: bool,
}

/// An article at hand.
struct Sheet {
    subject: Subject,
    words: String,
}

/// Whether lines are their feed's own.
type Changes = HashMap<(FeedId, u64), bool>;

/// What a slice does to lines.
struct Lines {
    /// Whether its lines are their feed's own after it.
    changes: Changes,
    /// Other entries that have lines of which that is news.
    others: BTreeSet<ArticleSeq>,
    /// Entries that were found by something before.
    known: BTreeSet<ArticleSeq>,
}

impl Grouping {
    /// Goes on where it was left; from the beginning where copies were looked for by other rules, or in another window.
    pub async fn open(store: Store, window: Duration) -> Result<Self, StoreError> {
        store.begin_grouping(RECIPE, window).await?;
        let newest = store.newest_print()?.unwrap_or(Timestamp::EPOCH);
        Ok(Self {
            floor: newest.minus(reach(window)),
            newest,
            store,
            window,
            index: None,
        })
    }

    /// The prints of the window, from the store.
    fn stored(&self) -> Result<Index, StoreError> {
        let mut index = Index::default();
        self.each((self.floor, self.newest), |printed| {
            index.push(printed.entry, printed.date, &printed.print);
        })?;
        Ok(index)
    }

    /// The window it looks in.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Deals with the next articles, and writes down what came of it.
    pub async fn slice(&mut self) -> Result<Slice, StoreError> {
        match self.look()? {
            None => Ok(Slice::default()),
            Some(grouped) => Ok(Slice {
                worked: true,
                changed: self.store.keep_grouped(grouped).await?,
            }),
        }
    }

    /// What comes of the next articles; `None` where there are none. Computes, and is slow: not for an async thread. What
    /// is not kept then is found again.
    pub fn look(&mut self) -> Result<Option<Grouped>, StoreError> {
        let Some((entries, cursor)) = self.store.next_to_group(SLICE)? else {
            return Ok(None);
        };
        let mut sheets = BTreeMap::new();
        for entry in entries {
            if let Some(sheet) = self.sheet(entry)? {
                sheets.insert(entry, sheet);
            }
        }
        let Lines {
            changes,
            others,
            known,
        } = self.lines(&sheets)?;
        for entry in others {
            if let Some(sheet) = self.sheet(entry)? {
                // One whose words are no longer kept stays as it was found.
                if !sheet.words.is_empty() {
                    sheets.insert(entry, sheet);
                }
            }
        }
        let own = Own {
            store: self.store.clone(),
            changes,
            known: RefCell::default(),
        };
        let mut texts = HashMap::new();
        let mut printed = Vec::with_capacity(sheets.len());
        for (entry, sheet) in &sheets {
            let reading = Reading::of(&sheet.subject.title, &sheet.words);
            let text = own.text(&sheet.subject.feed, &reading)?;
            printed.push(Printed {
                entry: *entry,
                seq: sheet.subject.seq,
                date: sheet.subject.date,
                print: text.print(),
                lines: reading.ends(),
            });
            texts.insert(*entry, Some(Rc::new((sheet.subject.clone(), text))));
        }
        let mut index = match self.index.take() {
            Some(index) => index,
            None => self.stored()?,
        };
        for printed in &printed {
            self.newest = self.newest.max(printed.date);
            // An article that was never found by anything is looked for in vain.
            if known.contains(&printed.entry) {
                index.remove(printed.entry);
            }
            if printed.date >= self.floor {
                index.push(printed.entry, printed.date, &printed.print);
            }
        }
        // What no article of today can be a copy of is let go.
        let floor = self.newest.minus(reach(self.window));
        if floor > self.floor {
            self.floor = floor;
            index.forget_before(floor);
        }
        let found = self.candidates(&index, &printed)?;
        self.index = Some(index);
        let mut kin = BTreeMap::new();
        for (printed, candidates) in printed.iter().zip(found) {
            for candidate in candidates {
                let pair = ordered(printed.entry, candidate.entry);
                if kin.contains_key(&pair) {
                    continue;
                }
                let a = own.at_hand(&mut texts, pair.0)?;
                let b = own.at_hand(&mut texts, pair.1)?;
                if let (Some(a), Some(b)) = (a, b) {
                    kin.extend(
                        self.judge(&a, &b, candidate.estimate)
                            .map(|kin| (pair, kin)),
                    );
                }
            }
        }
        Ok(Some(Grouped {
            cursor,
            printed,
            kin: kin.into_values().collect(),
        }))
    }

    fn sheet(&self, entry: ArticleSeq) -> Result<Option<Sheet>, StoreError> {
        let subject = self.store.subject(entry)?;
        Ok(subject.map(|mut subject| Sheet {
            words: words(&mut subject),
            subject,
        }))
    }

    /// Which lines turn out to be their feed's own by these articles, or not to be.
    fn lines(&self, sheets: &BTreeMap<ArticleSeq, Sheet>) -> Result<Lines, StoreError> {
        let mut known = BTreeSet::new();
        let mut now: HashMap<(FeedId, u64), BTreeSet<ArticleSeq>> = HashMap::new();
        let mut before: HashMap<(FeedId, u64), BTreeSet<ArticleSeq>> = HashMap::new();
        for (entry, sheet) in sheets {
            let feed = &sheet.subject.feed;
            let had = self.store.printed(*entry)?;
            known.extend(had.iter().map(|had| had.entry));
            for line in had.into_iter().flat_map(|had| had.lines) {
                before
                    .entry((feed.clone(), line))
                    .or_default()
                    .insert(*entry);
            }
            for line in Reading::of(&sheet.subject.title, &sheet.words).ends() {
                now.entry((feed.clone(), line)).or_default().insert(*entry);
            }
        }
        let all: BTreeSet<&(FeedId, u64)> = now.keys().chain(before.keys()).collect();
        let (mut changes, mut others) = (Changes::new(), BTreeSet::new());
        for line in all {
            let stored = self.store.line_entries(&line.0, line.1)?;
            let gone = before.get(line);
            let come = now.get(line);
            let stay = |entry: &&ArticleSeq| !gone.is_some_and(|gone| gone.contains(entry));
            let mut have: BTreeSet<ArticleSeq> = stored.iter().filter(stay).copied().collect();
            have.extend(come.into_iter().flatten());
            let is = have.len() >= REPEATS;
            changes.insert(line.clone(), is);
            if is != (stored.len() >= REPEATS) {
                others.extend(stored.iter().filter(|entry| !sheets.contains_key(entry)));
            }
        }
        known.extend(&others);
        Ok(Lines {
            changes,
            others,
            known,
        })
    }

    /// Who may be a copy of each of these.
    fn candidates(
        &self,
        index: &Index,
        printed: &[Printed],
    ) -> Result<Vec<Vec<Candidate>>, StoreError> {
        let query = |printed: &Printed| Query {
            entry: printed.entry,
            print: printed.print,
            dates: (
                printed.date.minus(self.window),
                printed.date.plus(self.window),
            ),
        };
        let queries: Vec<Query> = printed.iter().map(query).collect();
        let mut found = index.scan(&queries);
        // What is older than the index looks at what is stored, too. That is read in pieces, and not kept.
        let old: Vec<usize> = (0..)
            .zip(&queries)
            .filter(|(_, query)| query.dates.0 < self.floor)
            .map(|(at, _)| at)
            .collect();
        let queries: Vec<Query> = old
            .iter()
            .filter_map(|at| queries.get(*at).copied())
            .collect();
        let from = queries.iter().map(|query| query.dates.0).min();
        let to = queries.iter().map(|query| query.dates.1).max();
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(found);
        };
        let mut more: Vec<Vec<Candidate>> = vec![Vec::new(); queries.len()];
        let mut piece = Index::default();
        self.each((from, to.min(self.floor)), |printed| {
            piece.push(printed.entry, printed.date, &printed.print);
            if piece.len() == ROWS {
                for (more, found) in more.iter_mut().zip(piece.scan(&queries)) {
                    more.extend(found);
                }
                piece = Index::default();
            }
        })?;
        for (more, found) in more.iter_mut().zip(piece.scan(&queries)) {
            more.extend(found);
        }
        for (at, more) in old.into_iter().zip(more) {
            if let Some(found) = found.get_mut(at) {
                found.extend(more);
                similar::settle(found);
            }
        }
        // Articles of this slice that the index does not keep are stored by nobody yet.
        let mut piece = Index::default();
        for printed in printed.iter().filter(|printed| printed.date < self.floor) {
            piece.push(printed.entry, printed.date, &printed.print);
        }
        if !piece.is_empty() {
            let queries: Vec<Query> = printed.iter().map(query).collect();
            for (found, more) in found.iter_mut().zip(piece.scan(&queries)) {
                found.extend(more);
                similar::settle(found);
            }
        }
        Ok(found)
    }

    /// What two articles are to each other, by their texts. The same words need no saying.
    fn judge(&self, a: &(Subject, Text), b: &(Subject, Text), estimate: f32) -> Option<Kin> {
        let pair = Pair {
            one_feed: a.0.feed == b.0.feed,
            apart: apart(a.0.date, b.0.date),
        };
        if a.0.words == b.0.words || pair.apart > self.window {
            return None;
        }
        let evidence = similar::compare(&a.1, &b.1, estimate);
        Some(Kin {
            a: a.0.entry,
            b: b.0.entry,
            kinship: similar::decide(&evidence, pair)?,
            evidence,
        })
    }

    /// Everything that is found by something, of these dates.
    fn each(
        &self,
        dates: (Timestamp, Timestamp),
        mut take: impl FnMut(&Printed),
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let rows = self.store.prints(dates, after, ROWS)?;
            rows.iter().for_each(&mut take);
            match rows.last() {
                Some(last) if rows.len() == ROWS => after = Some((last.date, last.entry)),
                _ => return Ok(()),
            }
        }
    }
}

/// Which lines are a feed's own, as it is after this slice.
struct Own {
    store: Store,
    changes: Changes,
    known: RefCell<Changes>,
}

impl Own {
    fn is(&self, feed: &FeedId, line: u64) -> Result<bool, StoreError> {
        let key = (feed.clone(), line);
        if let Some(is) = self.changes.get(&key) {
            return Ok(*is);
        }
        if let Some(is) = self.known.borrow().get(&key) {
            return Ok(*is);
        }
        let is = self.store.line_entries(feed, line)?.len() >= REPEATS;
        self.known.borrow_mut().insert(key, is);
        Ok(is)
    }

    fn text(&self, feed: &FeedId, reading: &Reading<'_>) -> Result<Text, StoreError> {
        let mut own = BTreeSet::new();
        for line in reading.ends() {
            if self.is(feed, line)? {
                own.insert(line);
            }
        }
        Ok(reading.text(|line| own.contains(&line)))
    }

    /// An article and its text, read once a slice; `None` where its words are no longer kept.
    fn at_hand(
        &self,
        texts: &mut HashMap<ArticleSeq, Option<Rc<(Subject, Text)>>>,
        entry: ArticleSeq,
    ) -> Result<Option<Rc<(Subject, Text)>>, StoreError> {
        if let Some(known) = texts.get(&entry) {
            return Ok(known.clone());
        }
        let read = match self.store.subject(entry)? {
            None => None,
            Some(mut subject) => {
                let words = words(&mut subject);
                let text = self.text(&subject.feed, &Reading::of(&subject.title, &words))?;
                Some(Rc::new((subject, text)))
            }
        };
        if texts.len() < AT_HAND {
            texts.insert(entry, read.clone());
        }
        Ok(read)
    }
}

/// The words that are compared, in place of the body: a slice of long articles is not to be in memory whole.
fn words(subject: &mut Subject) -> String {
    let words = html::cut(&html::words(&subject.body), CHARS).to_owned();
    subject.body.text = String::new();
    words
}

/// How far back the index goes: an article that is late by a quarter of the window needs nothing from the disk.
fn reach(window: Duration) -> Duration {
    window.saturating_add(window / 4)
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.max(b).since(a.min(b))
}

fn ordered(a: ArticleSeq, b: ArticleSeq) -> (ArticleSeq, ArticleSeq) {
    (a.min(b), a.max(b))
}
