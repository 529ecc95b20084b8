//! The one thread that writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::model::article::Article;
use crate::model::health::HealthEvent;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::ImageCopy;
use crate::model::poll::{PollRecord, PollResult, Recorded, Verdict};
use crate::model::ruling;
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::retention::Order;
use crate::rules::rhythm::Price;
use crate::rules::robots::Kept;
use crate::rules::silence::KeptSilence;
use crate::store::archive::{self, ArchivedFile, ImportedArticle};
use crate::store::error::StoreError;
use crate::store::feeds;
use crate::store::health::{self, Judged};
use crate::store::images;
use crate::store::kin::{self, Grouped};
use crate::store::lock::Lock;
use crate::store::manifest::{self, NotedManifest};
use crate::store::meta;
use crate::store::open;
use crate::store::pages;
use crate::store::press::Press;
use crate::store::retention;
use crate::store::robots;
use crate::store::ruled;
use crate::store::search::{self, Terms};
use crate::store::strays::{self, Stray};
use crate::store::withheld;

/// Commands that may wait. Who comes later waits to hand his over, so memory stays bounded; he holds his poll all the
/// same, so more of them here cost little and are committed together.
const WAITING: usize = 1_024;

/// Polls that wait are committed together up to about this many rows: a commit costs a sync, whatever is in it.
const GROUP_ROWS: usize = 1_000;

/// Where the answer goes. Nobody may be waiting for it any longer; what was asked is done all the same.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What can be asked of the writer.
#[derive(Debug)]
pub(super) enum Command {
    Record(Box<PollRecord>, Reply<Recorded>),
    Archived(Vec<ArchivedFile>, ArticleSeq, Reply<()>),
    Import(
        FeedId,
        Timestamp,
        Vec<ImportedArticle>,
        Reply<Vec<(ArticleSeq, Verdict)>>,
    ),
    Health(Vec<Judged>, Reply<Vec<HealthEvent>>),
    Price(Price, Reply<()>),
    Silences(Vec<KeptSilence>, Reply<()>),
    Robots(Box<Kept>, Reply<()>),
    Revise(FeedId, Timestamp, Vec<Article>, Reply<Recorded>),
    Measured(Vec<(ArticleSeq, Option<u64>)>, Reply<()>),
    Manifest(NotedManifest, Reply<()>),
    Withhold(Vec<ArticleSeq>, Reason, Timestamp, Reply<()>),
    Release(Vec<ArticleSeq>, Reason, Reply<usize>),
    Prune(Vec<Order>, Timestamp, Reply<usize>),
    DropVisits(Vec<i64>, Reply<usize>),
    Pruned(Timestamp, Timestamp, Reply<()>),
    Strays(Vec<Stray>, ArticleSeq, Reply<()>),
    Compact(Reply<()>),
    Images(images::Work, Reply<Vec<ImageCopy>>),
    Index(Box<Terms>, Reply<bool>),
    ResetIndex(u32, Reply<()>),
    GatherIndex(Reply<bool>),
    Rule(ruling::Order, Timestamp, Reply<bool>),
    BeginGrouping(u8, i64, Reply<()>),
    Grouped(Box<Grouped>, Reply<bool>),
    Part(ArticleSeq, Option<Timestamp>, Reply<bool>),
    Close(Reply<()>),
}

/// Starts the thread. It ends at [`Command::Close`], or when the last sender is gone and all that waited is done.
pub(super) fn start(
    path: &Path,
    connection: Connection,
    lock: Lock,
    page_bytes: Arc<AtomicU64>,
) -> Result<(mpsc::Sender<Command>, JoinHandle<()>), StoreError> {
    let failed = |source| StoreError::Io {
        doing: "start a writer for",
        path: path.to_owned(),
        source,
    };
    let press = Press::new().map_err(failed)?;
    let (sender, inbox) = mpsc::channel(WAITING);
    let writer = Writer {
        path: path.to_owned(),
        connection: Some(connection),
        press,
        page_bytes,
        inbox,
        _lock: lock,
    };
    let thread = thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || writer.run())
        .map_err(failed)?;
    Ok((sender, thread))
}

// The fields are dropped in this order: the connection is closed before the lock goes.
struct Writer {
    path: PathBuf,
    /// None after trouble with the disk: opened anew for the next command.
    connection: Option<Connection>,
    press: Press,
    /// How many bytes of pages are kept.
    page_bytes: Arc<AtomicU64>,
    inbox: mpsc::Receiver<Command>,
    _lock: Lock,
}

type Waiting = (Box<PollRecord>, Reply<Recorded>);

/// A transaction that failed. Where the commit itself did, it is unknown what the disk holds of it.
struct Failure {
    error: StoreError,
    in_commit: bool,
}

impl Writer {
    fn run(mut self) {
        let mut held = None;
        while let Some(command) = held.take().or_else(|| self.inbox.blocking_recv()) {
            match command {
                Command::Record(poll, reply) => {
                    let mut group = vec![(poll, reply)];
                    held = self.gather(&mut group);
                    self.record(group);
                }
                Command::Archived(files, cursor, reply) => {
                    self.answer(reply, |t, _| archive::archived(t, &files, cursor));
                }
                Command::Import(feed, at, articles, reply) => {
                    self.answer(reply, |t, press| {
                        archive::import(t, press, &feed, at, &articles)
                    });
                }
                Command::Health(judged, reply) => {
                    self.answer(reply, |t, _| health::keep(t, &judged));
                }
                Command::Price(price, reply) => {
                    self.answer(reply, |t, _| meta::keep_price(t, price));
                }
                Command::Silences(silences, reply) => {
                    self.answer(reply, |t, _| meta::keep_silences(t, &silences));
                }
                Command::Robots(kept, reply) => {
                    self.answer(reply, |t, _| robots::keep(t, &kept));
                }
                Command::Revise(feed, at, articles, reply) => {
                    self.answer(reply, |t, press| {
                        feeds::revise(t, press, &feed, at, &articles)
                    });
                }
                Command::Measured(sizes, reply) => {
                    self.answer(reply, |t, _| manifest::measured(t, &sizes));
                }
                Command::Manifest(noted, reply) => {
                    self.answer(reply, |t, _| manifest::note(t, &noted));
                }
                Command::Withhold(entries, why, at, reply) => {
                    self.answer(reply, |t, _| withheld::withhold(t, &entries, why, at));
                }
                Command::Release(entries, why, reply) => {
                    self.answer(reply, |t, _| withheld::release(t, &entries, why));
                }
                Command::Prune(orders, at, reply) => {
                    self.answer(reply, |t, _| retention::prune(t, &orders, at));
                }
                Command::DropVisits(visits, reply) => {
                    self.answer(reply, |t, _| pages::drop_visits(t, &visits));
                }
                Command::Pruned(at, judged, reply) => {
                    self.answer(reply, |t, _| retention::note(t, at, judged));
                }
                Command::Strays(strays, next, reply) => {
                    self.answer(reply, |t, _| strays::keep(t, &strays, next));
                }
                Command::Compact(reply) => {
                    let _ = reply.send(self.compact());
                }
                Command::Images(work, reply) => {
                    self.answer(reply, |t, _| images::done(t, &work));
                }
                Command::Index(terms, reply) => {
                    self.answer(reply, |t, _| search::index(t, &terms));
                }
                Command::ResetIndex(recipe, reply) => {
                    self.answer(reply, |t, _| search::reset(t, recipe));
                }
                Command::GatherIndex(reply) => self.answer(reply, |t, _| search::gather(t)),
                Command::Rule(order, at, reply) => {
                    self.answer(reply, |t, _| ruled::obey(t, &order, at));
                }
                Command::BeginGrouping(recipe, window, reply) => {
                    let done = self.transact(|t, _| kin::begin(t, recipe, window));
                    let _ = reply.send(done.map_err(|failure| failure.error));
                }
                Command::Grouped(grouped, reply) => {
                    let done = self.transact(|t, _| kin::keep(t, &grouped));
                    let _ = reply.send(done.map_err(|failure| failure.error));
                }
                Command::Part(entry, since, reply) => {
                    let done = self.transact(|t, _| kin::part(t, entry, since));
                    let _ = reply.send(done.map_err(|failure| failure.error));
                }
                Command::Close(reply) => {
                    let done = self.close();
                    // The lock goes first: who hears that the store is closed may open it.
                    drop(self);
                    let _ = reply.send(done);
                    return;
                }
            }
        }
        if let Err(error) = self.close() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store was not closed cleanly"
            );
        }
    }

    /// Takes the polls that wait already, and gives back the first command that is something else.
    fn gather(&mut self, group: &mut Vec<Waiting>) -> Option<Command> {
        let mut rows: usize = group.iter().map(|(poll, _)| rows(poll)).sum();
        while rows < GROUP_ROWS {
            match self.inbox.try_recv().ok()? {
                Command::Record(poll, reply) => {
                    rows += self::rows(&poll);
                    group.push((poll, reply));
                }
                other => return Some(other),
            }
        }
        None
    }

    /// Commits the polls together. Each is whole in it or has no trace: where one fails, each is tried by itself.
    fn record(&mut self, group: Vec<Waiting>) {
        let page_bytes = self.page_bytes.load(Ordering::Relaxed);
        let all = self.transact(|t, press| {
            group
                .iter()
                .map(|(poll, _)| feeds::record(t, press, poll, page_bytes))
                .collect::<Result<Vec<_>, _>>()
        });
        match all {
            Ok(recorded) => {
                for ((_, reply), recorded) in group.into_iter().zip(recorded) {
                    let _ = reply.send(Ok(recorded));
                }
            }
            Err(failure) if failure.in_commit => {
                // Not tried again: after a sync that failed, one that succeeds proves nothing.
                let error = Arc::new(failure.error);
                for (_, reply) in group {
                    let _ = reply.send(Err(StoreError::NotCommitted(Arc::clone(&error))));
                }
            }
            Err(failure) if group.len() == 1 => {
                if let Some((_, reply)) = group.into_iter().next() {
                    let _ = reply.send(Err(failure.error));
                }
            }
            Err(_) => {
                for (poll, reply) in group {
                    self.record(vec![(poll, reply)]);
                }
            }
        }
    }

    /// Does what was asked, in one transaction, and says what came of it.
    fn answer<T>(
        &mut self,
        reply: Reply<T>,
        work: impl FnOnce(&Connection, &mut Press) -> Result<T, StoreError>,
    ) {
        let done = self.transact(work);
        let _ = reply.send(done.map_err(|failure| failure.error));
    }

    /// One transaction: all of it or nothing.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Press) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        let done = self.try_transact(work);
        if let Err(failure) = &done
            && (failure.in_commit || failure.error.is_of_the_disk())
        {
            self.connection = None;
        }
        done
    }

    fn try_transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Press) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        let path = self.path.as_path();
        let failure = |in_commit| {
            move |error: StoreError| Failure {
                error: error.in_file(path),
                in_commit,
            }
        };
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open::writer(path, false).map_err(failure(false))?),
        };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failure(false)(error.into()))?;
        let value = work(&transaction, &mut self.press).map_err(failure(false))?;
        transaction
            .commit()
            .map_err(|error| failure(true)(error.into()))?;
        Ok(value)
    }

    /// No transaction of ours: `SQLite` makes its own, and a crash leaves the old file.
    fn compact(&mut self) -> Result<(), StoreError> {
        let path = self.path.as_path();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open::writer(path, false)?),
        };
        connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| StoreError::from(error).in_file(path))
    }

    /// Moves everything from the write-ahead log into the database and closes it. A reader of another process may
    /// keep the log from being emptied; nothing is lost by that.
    fn close(&mut self) -> Result<(), StoreError> {
        let Some(connection) = self.connection.take() else {
            return Ok(());
        };
        let checkpoint = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let closed = connection.close().map_err(|(_, error)| error);
        checkpoint
            .and(closed)
            .map_err(|error| StoreError::from(error).in_file(&self.path))
    }
}

/// About how many rows a poll writes.
fn rows(poll: &PollRecord) -> usize {
    match &poll.result {
        PollResult::Read(reading) => 1 + reading.articles.len() + reading.visits.len(),
        _ => 1,
    }
}
