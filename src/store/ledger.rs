//! Entering articles: each is judged against what is stored, inside the transaction that stores it.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::article::Article;
use crate::model::content::{ContentHash, RawHash};
use crate::model::entry::EntryKey;
use crate::model::ids::ArticleSeq;
use crate::model::poll::{KnownEntry, Verdict};
use crate::model::revision::Temper;
use crate::model::time::Timestamp;
use crate::rules::dedupe::judge;
use crate::rules::revision::{Change, revised, waits};
use crate::rules::river::is_iri;
use crate::store::alias;
use crate::store::columns::{Cells, key_columns, number};
use crate::store::error::StoreError;
use crate::store::health;
use crate::store::press::Press;
use crate::store::revisions::{self, known_entries};
use crate::store::shapes::{More, to_json};

/// Numbers another program gave are kept up to here, so that a file name cannot use up all there are.
const KEPT_BELOW: u64 = 1 << 40;

/// The articles of one feed being entered at one time. Lives inside a transaction; [`close`](Self::close) it before
/// the commit.
pub(super) struct Ledger<'c> {
    transaction: &'c Connection,
    press: &'c mut Press,
    /// The feed's number.
    feed: i64,
    at: Timestamp,
    /// The next number to give, and the one that was next when the ledger was opened.
    next: u64,
    opened: u64,
    /// Characters of the bodies of entries that were not here before, oldest first.
    lengths: Vec<Option<u32>>,
    /// Entries that came otherwise and stay as they are; and whether one of them may be taken later.
    pub(super) held: (usize, bool),
}

/// An entry as the ledger finds it.
struct FoundEntry {
    first_seq: i64,
    known: KnownEntry,
    first_seen: Timestamp,
}

impl<'c> Ledger<'c> {
    pub(super) fn open(
        transaction: &'c Connection,
        press: &'c mut Press,
        feed: i64,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let next = transaction
            .prepare_cached("SELECT one, next_seq FROM meta")?
            .query_row([], |row| {
                Ok(Cells::of(row, "meta", "one").and_then(|c| c.seq("next_seq")))
            })??;
        Ok(Self {
            transaction,
            press,
            feed,
            at,
            next: next.0,
            opened: next.0,
            lengths: Vec::new(),
            held: (0, false),
        })
    }

    /// Judges an article and stores it unless it is known. The number is the one it was given, or has.
    pub(super) fn enter(&mut self, article: &Article) -> Result<(ArticleSeq, Verdict), StoreError> {
        let entry = self.find_entry(&article.key)?;
        let same_words = self.find_words(&article.content)?;
        let verdict = judge(
            article,
            entry.as_ref().map(|found| &found.known),
            same_words,
        );
        if let Some(entry) = &entry {
            return self.revise(article, entry, same_words);
        }
        let seq = self.give()?;
        self.store(seq, article, None, same_words, true)?;
        Ok((seq, verdict))
    }

    /// An article of an entry that is here: a revision, or nothing.
    fn revise(
        &mut self,
        article: &Article,
        entry: &FoundEntry,
        same_words: Option<ArticleSeq>,
    ) -> Result<(ArticleSeq, Verdict), StoreError> {
        let known = &entry.known;
        let mut temper = known.temper;
        let change = revisions::judge(self.transaction, entry.first_seq, known, article, self.at)?;
        let stays = (known.latest, Verdict::Known(known.latest));
        let done = match change {
            Change::None => {
                if self.keep_teaser(article, entry)? {
                    temper.quiet = temper.quiet.saturating_add(1);
                }
                if let Some(held) = &mut temper.held {
                    held.seen = 0;
                }
                stays
            }
            Change::Held(held) => {
                self.held.0 += 1;
                self.held.1 |= waits(held.why);
                temper.held = Some(held);
                stays
            }
            Change::Revision { moves, quiet } => {
                temper = Temper {
                    quiet: temper.quiet.saturating_add(u32::from(quiet)),
                    held: None,
                };
                let seq = self.give()?;
                self.store(seq, article, Some(entry), same_words, moves)?;
                (seq, Verdict::Revised(known.latest))
            }
        };
        revisions::keep_temper(self.transaction, entry.first_seq, &known.temper, &temper)?;
        Ok(done)
    }

    /// The same for an article that was read again by other rules: what changed is not the publisher's doing, so nothing
    /// holds it back and no date moves.
    pub(super) fn rewrite(
        &mut self,
        article: &Article,
    ) -> Result<(ArticleSeq, Verdict), StoreError> {
        let Some(entry) = self.find_entry(&article.key)? else {
            return self.enter(article);
        };
        let latest = entry.known.latest;
        if entry.known.raw == article.raw {
            self.keep_teaser(article, &entry)?;
            return Ok((latest, Verdict::Known(latest)));
        }
        let same_words = self.find_words(&article.content)?;
        let seq = self.give()?;
        self.store(seq, article, Some(&entry), same_words, false)?;
        Ok((seq, Verdict::Revised(latest)))
    }

    /// The same for an article that another program kept as a file, under the number `wanted`. Words that are stored
    /// already are known, whoever brought them: there is no second file for them.
    pub(super) fn import(
        &mut self,
        article: &Article,
        wanted: Option<ArticleSeq>,
    ) -> Result<(ArticleSeq, Verdict), StoreError> {
        if let Some(first) = self.find_words(&article.content)? {
            return Ok((first, Verdict::Known(first)));
        }
        let entry = self.find_entry(&article.key)?;
        if let Some(ArticleSeq(wanted)) = wanted
            && (self.next..KEPT_BELOW).contains(&wanted)
        {
            self.next = wanted;
        }
        let seq = self.give()?;
        self.store(seq, article, entry.as_ref(), None, true)?;
        let verdict = entry.map_or(Verdict::New, |entry| Verdict::Revised(entry.known.latest));
        Ok((seq, verdict))
    }

    /// Writes down which numbers were given, and to how many entries.
    pub(super) fn close(self) -> Result<(), StoreError> {
        health::keep_lengths(self.transaction, self.feed, &self.lengths)?;
        if self.next > self.opened {
            self.transaction
                .prepare_cached(
                    "UPDATE meta SET next_seq = ?1, last_change = max(coalesce(last_change, ?2), ?2)",
                )?
                .execute(params![number(ArticleSeq(self.next))?, self.at.millis()])?;
        }
        Ok(())
    }

    fn give(&mut self) -> Result<ArticleSeq, StoreError> {
        let seq = ArticleSeq(self.next);
        number(seq)?;
        self.next = self.next.checked_add(1).ok_or(StoreError::NumbersSpent)?;
        Ok(seq)
    }

    /// By its own key, or by another it came under (P-123).
    fn find_entry(&self, key: &EntryKey) -> Result<Option<FoundEntry>, StoreError> {
        if let Some(own) = self.find_own(key)? {
            return Ok(Some(own));
        }
        let Some(entry) = alias::find(self.transaction, self.feed, key)? else {
            return Ok(None);
        };
        self.transaction
            .prepare_cached(known_entries!("WHERE e.first_seq = ?1"))?
            .query_row([entry], |row| Ok(found_entry(row)))
            .optional()?
            .transpose()
    }

    fn find_own(&self, key: &EntryKey) -> Result<Option<FoundEntry>, StoreError> {
        let (kind, key) = key_columns(key);
        self.transaction
            .prepare_cached(known_entries!(
                "WHERE e.feed = ?1 AND e.kind = ?2 AND e.key = ?3"
            ))?
            .query_row(params![self.feed, kind, key], |row| Ok(found_entry(row)))
            .optional()?
            .transpose()
    }

    fn find_words(&self, content: &ContentHash) -> Result<Option<ArticleSeq>, StoreError> {
        self.transaction
            .prepare_cached("SELECT first_seq FROM words WHERE content = ?1")?
            .query_row([content.as_bytes()], |row| {
                Ok(Cells::of(row, "words", "first_seq").and_then(|c| c.seq("first_seq")))
            })
            .optional()?
            .transpose()
    }

    /// Remembers the teaser an unchanged entry came by, so that it needs no request the next time. Gives back whether
    /// another was remembered.
    fn keep_teaser(&self, article: &Article, entry: &FoundEntry) -> Result<bool, StoreError> {
        let before = entry.known.teaser;
        if article.teaser.is_some() && article.teaser != before {
            self.transaction
                .prepare_cached("UPDATE entry SET teaser = ?2 WHERE first_seq = ?1")?
                .execute(params![
                    entry.first_seq,
                    article.teaser.map(RawHash::to_bytes)
                ])?;
            return Ok(before.is_some());
        }
        Ok(false)
    }

    fn store(
        &mut self,
        seq: ArticleSeq,
        article: &Article,
        entry: Option<&FoundEntry>,
        same_words: Option<ArticleSeq>,
        moves: bool,
    ) -> Result<(), StoreError> {
        let seq = number(seq)?;
        let words = same_words.map_or(Ok(seq), number)?;
        if same_words.is_none() {
            self.transaction
                .prepare_cached("INSERT INTO words (first_seq, content) VALUES (?1, ?2)")?
                .execute(params![seq, article.content.as_bytes()])?;
        }
        let first_seq = entry.map_or(seq, |entry| entry.first_seq);
        let first_seen = entry.map_or(self.at, |entry| entry.first_seen);
        let before = entry.map(|entry| entry.known.revised);
        let revised = revised(article, before, moves, self.at).millis();
        let date = article.published.unwrap_or(first_seen).millis();
        let raw = article.raw.to_bytes();
        let teaser = article.teaser.map(RawHash::to_bytes);
        let (kind, key) = key_columns(&article.key);
        if entry.is_none() {
            let length = article.body.text.chars().count();
            let of_a_list = article.partial && article.teaser.is_some();
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.lengths.push((!of_a_list).then_some(length));
            self.transaction
                .prepare_cached(
                    "INSERT INTO entry (first_seq, feed, kind, key, latest_seq, words, raw, teaser,
                                        first_seen, date, revised)
                     VALUES (?1, ?2, ?3, ?4, ?1, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    seq,
                    self.feed,
                    kind,
                    key,
                    words,
                    raw,
                    teaser,
                    first_seen.millis(),
                    date,
                    revised,
                ])?;
            if let EntryKey::Id(id) = &article.key
                && is_iri(id.as_str())
            {
                alias::keep_borrowed(self.transaction, seq, self.feed, id.as_str())?;
            }
        } else {
            self.transaction
                .prepare_cached(
                    "UPDATE entry SET latest_seq = ?2, words = ?3, raw = ?4, teaser = ?5, date = ?6, revised = ?7
                      WHERE first_seq = ?1",
                )?
                .execute(params![first_seq, seq, words, raw, teaser, date, revised])?;
        }
        let as_key = |text: &str| {
            if text == key {
                String::new()
            } else {
                text.to_owned()
            }
        };
        let summary = article.summary.as_ref();
        self.transaction
            .prepare_cached(
                "INSERT INTO article (seq, entry, words, recorded, revised, published, updated, cms_date, raw, teaser,
                                      partial, id, link, title, more, summary_kind, summary, body_kind, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
            )?
            .execute(params![
                seq,
                first_seq,
                words,
                self.at.millis(),
                revised,
                article.published.map(Timestamp::millis),
                article.updated.map(Timestamp::millis),
                article.cms_date.map(Timestamp::millis),
                raw,
                teaser,
                article.partial,
                article.id.as_ref().map(|id| as_key(id.as_str())),
                article.link.as_ref().map(|link| as_key(link.as_str())),
                article.title,
                to_json(&More::of(article)),
                summary.map(|summary| summary.kind.name()),
                summary.map(|summary| &summary.text),
                article.body.kind.name(),
                self.press.press(&article.body.text),
            ])?;
        Ok(())
    }
}

fn found_entry(row: &rusqlite::Row<'_>) -> Result<FoundEntry, StoreError> {
    let cells = Cells::of(row, "entry", "first_seq")?;
    Ok(FoundEntry {
        first_seq: cells.get("first_seq")?,
        known: known_entry(&cells)?,
        first_seen: cells.time("first_seen")?,
    })
}

/// From the columns of [`known_entries`].
pub(super) fn known_entry(cells: &Cells<'_, '_>) -> Result<KnownEntry, StoreError> {
    Ok(KnownEntry {
        latest: cells.seq("latest_seq")?,
        raw: cells.raw("raw")?,
        teaser: cells.maybe_raw("teaser")?,
        revised: cells.time("revised")?,
        updated: cells.maybe_time("updated")?,
        published: cells.maybe_time("published")?,
        temper: revisions::temper(cells)?,
        withdrawn: revisions::how(cells)?,
    })
}
