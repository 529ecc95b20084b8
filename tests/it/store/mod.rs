//! The store, through its handle. All feeds and articles here are made up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod archive;
mod images;
mod interleaving;
mod opening;
mod reading;
mod recording;
mod retention;
mod search;
mod withheld;

use std::path::PathBuf;

use feedmill::model::article::Article;
use feedmill::model::content::{Content, ContentHash, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::ids::{ArticleSeq, EntryId, FeedId};
use feedmill::model::poll::{PollRecord, PollResult, Recorded, Verdict};
use feedmill::model::time::Timestamp;
use feedmill::store::Store;
use tempfile::TempDir;

use crate::support::record::{self, reading};

/// A store in a directory of its own.
struct Scratch {
    store: Store,
    _directory: TempDir,
    path: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feedmill.db");
        Self {
            store: Store::open(&path).unwrap(),
            _directory: directory,
            path,
        }
    }

    /// A connection past the store, for what only a damaged file or another program would do.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }

    fn record(&self, poll: PollRecord) -> Recorded {
        wait(self.store.record(poll)).unwrap()
    }

    /// Every article there is.
    fn all(&self) -> Vec<feedmill::model::article::StoredArticle> {
        self.store.since(None, usize::MAX).unwrap()
    }
}

/// Runs a future on this thread.
fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn feed(id: &str) -> FeedId {
    id.parse().unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + secs)
}

fn key(id: &str) -> EntryKey {
    EntryKey::Id(EntryId::new(id).unwrap())
}

fn hash(words: &str) -> ContentHash {
    ContentHash::from_bytes(*blake3::hash(words.as_bytes()).as_bytes())
}

/// An article with an id and words. Words that differ by nothing but `!` count as the same words.
fn article(id: &str, words: &str) -> Article {
    Article {
        key: key(id),
        id: EntryId::new(id),
        link: None,
        title: format!("Title of {id}"),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: None,
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::html(format!("<p>{words}</p>")),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        content: hash(&words.replace('!', "")),
        raw: RawHash::of([Some(words.as_bytes())]),
        teaser: None,
    }
}

fn poll_with(id: &str, time: Timestamp, result: PollResult) -> PollRecord {
    record::poll(feed(id), time, result)
}

fn poll(id: &str, time: Timestamp, articles: Vec<Article>) -> PollRecord {
    record::read(feed(id), time, articles)
}

fn verdicts(recorded: &Recorded) -> Vec<(u64, Verdict)> {
    recorded
        .articles
        .iter()
        .map(|(_, seq, verdict)| (seq.0, *verdict))
        .collect()
}

fn seq(number: u64) -> ArticleSeq {
    ArticleSeq(number)
}
