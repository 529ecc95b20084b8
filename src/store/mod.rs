//! The store: one `SQLite` database with everything that was ever read, and what is remembered of asking.
//!
//! One thread writes; every poll is whole inside one of its transactions. Readers have connections of their own and
//! never wait for it. SQL is nowhere else in the program.

mod alias;
mod archive;
mod articles;
mod backup;
mod columns;
mod error;
mod feeds;
mod find;
mod flood;
mod health;
mod images;
mod kin;
mod ledger;
mod lock;
mod manifest;
mod meta;
mod missed;
mod open;
mod pages;
mod press;
mod readers;
mod retention;
mod revisions;
mod robots;
mod ruled;
mod schema;
mod search;
mod shapes;
mod shown;
mod strays;
mod teaser;
mod web;
mod withheld;
mod writer;

pub use archive::{ArchivedFile, ImportedArticle};
pub use articles::{CarrierRow, ListQuery};
pub use backup::{Claim, Taken};
pub use error::StoreError;
pub use feeds::PastPoll;
pub use find::{Carrying, Looked};
pub use health::{Judged, Watched};
pub use images::{DueImage, Kept as KeptImages, Listed, Tried, Unlisted};
pub use kin::{Grouped, Kin, Printed, Subject};
pub use lock::{Held, held};
pub use manifest::{Filed, NotedManifest};
pub use meta::{Counts, FeedCounts, Growth};
pub use press::{press_page, unpress_page};
pub use retention::{KeptLine, VisitLine};
pub use search::{Found, IndexState, Seek, Terms, Unindexed};
pub use shown::{Beyond, Choice, Lineup, Reprint, Tagged};
pub use strays::Stray;
pub use web::Group;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::entry::EntryKey;
use crate::model::feed::FeedState;
use crate::model::health::HealthEvent;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::{
    Candidate, Flood, KnownEntry, Missed, PollRecord, Recognised, Recorded, Trace, Verdict,
};
use crate::model::revision::{Temper, Withdrawn};
use crate::model::ruling::{self, Act, Rounds};
use crate::model::time::Timestamp;
use crate::model::withheld::{Reason, Withheld};
use crate::rules::health::Evidence;
use crate::rules::rhythm::Price;
use crate::rules::robots::Kept;
use crate::rules::silence::KeptSilence;
use crate::store::lock::Lock;
use crate::store::readers::Readers;
use crate::store::writer::Command;

/// The handle. Clones share one store; it closes with the last of them, or at [`close`](Self::close).
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    readers: Readers,
    writer: Option<(mpsc::Sender<Command>, JoinHandle<()>)>,
    /// As [`Store::keep_pages`].
    page_bytes: Arc<AtomicU64>,
}

/// One state of the store as it is published: read at once, so that nothing in it contradicts the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// As [`Store::river_id`].
    pub river_id: [u8; 16],
    /// As [`Store::latest`].
    pub articles: Vec<StoredArticle>,
    /// As [`Store::carriers`], of these articles.
    pub carriers: Vec<CarrierRow>,
    /// As [`Store::feed_states`], of the feeds that these are of.
    pub feeds: Vec<FeedState>,
    /// As [`Store::last_change`].
    pub last_change: Option<Timestamp>,
}

impl Store {
    /// Opens the database at `path` for reading and writing; makes it where there is none. Refuses, and changes
    /// nothing: a second writer, a file that is not ours, one of a newer program, a damaged one.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::check_sqlite()?;
        let lock = Lock::take(path)?;
        let connection = open::prepare(path)?;
        let page_bytes = Arc::new(AtomicU64::new(0));
        let writer = writer::start(path, connection, lock, Arc::clone(&page_bytes))?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                readers: Readers::new(path),
                writer: Some(writer),
                page_bytes,
            }),
        })
    }

    /// Opens the database at `path` for reading alone, beside a process that may be writing. Takes no lock and brings
    /// nothing up to date.
    pub fn open_readonly(path: &Path) -> Result<Self, StoreError> {
        open::check_sqlite()?;
        let readers = Readers::new(path);
        readers.put_back(open::reader_alone(path)?);
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                readers,
                writer: None,
                page_bytes: Arc::default(),
            }),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Writes a poll: its articles, each judged against what is stored, the feed's validators, health and next time,
    /// and a line of history. On `Ok` all of it is on the disk; on `Err` nothing of it counts as stored.
    pub async fn record(&self, poll: PollRecord) -> Result<Recorded, StoreError> {
        self.ask(|reply| Command::Record(Box::new(poll), reply))
            .await
    }

    /// Notes files of the archive that are written and synced, and that the archive has dealt with everything up to
    /// `cursor`, which never moves back. The same again changes nothing.
    pub async fn archived(
        &self,
        files: Vec<ArchivedFile>,
        cursor: ArticleSeq,
    ) -> Result<(), StoreError> {
        self.ask(|reply| Command::Archived(files, cursor, reply))
            .await
    }

    /// Takes in articles that another program kept as files, all or none. A number is kept where it was never given
    /// here and is not below those that were. Words that are stored already are [`Verdict::Known`], and nothing is
    /// stored for them: the same import again changes nothing. The answers are in the order of `articles`.
    pub async fn import(
        &self,
        feed: &FeedId,
        at: Timestamp,
        articles: Vec<ImportedArticle>,
    ) -> Result<Vec<(ArticleSeq, Verdict)>, StoreError> {
        let feed = feed.clone();
        self.ask(|reply| Command::Import(feed, at, articles, reply))
            .await
    }

    /// Keeps what feeds were judged to be, all or none, and gives back what is told of it: each change with its number,
    /// in the order of `judged`.
    pub async fn keep_health(&self, judged: Vec<Judged>) -> Result<Vec<HealthEvent>, StoreError> {
        self.ask(|reply| Command::Health(judged, reply)).await
    }

    /// Keeps entries, by the numbers of their first revisions, from being shown where this reason counts.
    pub async fn withhold(
        &self,
        entries: Vec<ArticleSeq>,
        why: Reason,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(|reply| Command::Withhold(entries, why, at, reply))
            .await
    }

    /// Lets entries be shown again, as far as they were withheld for this reason, and says how many were.
    pub async fn release(
        &self,
        entries: Vec<ArticleSeq>,
        why: Reason,
    ) -> Result<usize, StoreError> {
        self.ask(|reply| Command::Release(entries, why, reply))
            .await
    }

    /// The entries that are withheld, of this feed or of all, by number.
    pub fn withheld(&self, feed: Option<&FeedId>) -> Result<Vec<Withheld>, StoreError> {
        self.shared.readers.read(|c| withheld::list(c, feed))
    }

    /// The entries their publishers took back, of this feed or of all, by number.
    pub fn withdrawn(&self, feed: Option<&FeedId>) -> Result<Vec<Withdrawn>, StoreError> {
        self.shared
            .readers
            .read(|c| revisions::withdrawn(c, feed, None))
    }

    /// Whether this entry was taken back; by the number of its first revision.
    pub fn withdrawal(&self, entry: ArticleSeq) -> Result<Option<Withdrawn>, StoreError> {
        let found = self
            .shared
            .readers
            .read(|c| revisions::withdrawn(c, None, Some(entry)))?;
        Ok(found.into_iter().next())
    }

    /// How an entry changes without its publisher's word; by the number of its first revision.
    pub fn temper(&self, entry: ArticleSeq) -> Result<Temper, StoreError> {
        self.shared.readers.read(|c| revisions::temper_of(c, entry))
    }

    /// The numbers of all revisions of the entry that has this one, ascending.
    pub fn revisions(&self, seq: ArticleSeq) -> Result<Vec<ArticleSeq>, StoreError> {
        self.shared.readers.read(|c| revisions::of_entry(c, seq))
    }

    /// Takes terms of articles into the search index. False where it has gone on since they were read: read again.
    pub async fn index(&self, terms: Terms) -> Result<bool, StoreError> {
        self.ask(|reply| Command::Index(Box::new(terms), reply))
            .await
    }

    /// Empties the search index, to be filled by this recipe.
    pub async fn reset_index(&self, recipe: u32) -> Result<(), StoreError> {
        self.ask(|reply| Command::ResetIndex(recipe, reply)).await
    }

    /// Whether the search index is a good deal longer than it could be.
    pub fn index_is_scattered(&self) -> Result<bool, StoreError> {
        self.shared.readers.read(search::is_scattered)
    }

    /// Makes the search index a little shorter, and says whether anything was done.
    pub async fn gather_index(&self) -> Result<bool, StoreError> {
        self.ask(Command::GatherIndex).await
    }

    /// How far the search index is.
    pub fn index_state(&self) -> Result<IndexState, StoreError> {
        self.shared.readers.read(search::state)
    }

    /// How many articles are not in the search index of this recipe.
    pub fn behind_index(&self, recipe: u32) -> Result<u64, StoreError> {
        self.shared.readers.read(|c| search::behind(c, recipe))
    }

    /// Latest revisions that are not in the search index, so many at most, ascending.
    pub fn unindexed(&self, limit: usize) -> Result<Unindexed, StoreError> {
        self.shared.readers.read(|c| search::unindexed(c, limit))
    }

    /// The articles that are asked for, of those that are in the search index.
    pub fn search(&self, seek: &Seek<'_>) -> Result<Found, StoreError> {
        self.shared.readers.read(|c| search::find(c, seek))
    }

    /// Has verdicts of the operator's rules kept, and says whether that was done.
    pub async fn rule(&self, order: ruling::Order, at: Timestamp) -> Result<bool, StoreError> {
        self.ask(|reply| Command::Rule(order, at, reply)).await
    }

    /// Which verdicts of the operator's rules hold, and which are being made.
    pub fn rounds(&self) -> Result<Rounds, StoreError> {
        self.shared.readers.read(ruled::rounds)
    }

    /// Some of the latest revisions above this number, ascending, and the number up to which there are no others.
    pub fn unjudged(
        &self,
        after: Option<ArticleSeq>,
    ) -> Result<(Vec<StoredArticle>, Option<ArticleSeq>), StoreError> {
        self.shared.readers.read(|c| ruled::unjudged(c, after))
    }

    /// The tags that rules give to entries of these feeds, as it is shown; in their order.
    pub fn ruled_tags(&self, feeds: &[FeedId]) -> Result<Vec<String>, StoreError> {
        let feeds = ruled::list(feeds);
        self.shared.readers.read(|c| ruled::tags(c, &feeds))
    }

    /// The rules that match an entry, by the number of its first revision, and what each does, as it is shown.
    pub fn ruled(&self, entry: ArticleSeq) -> Result<Vec<(String, Act)>, StoreError> {
        self.shared.readers.read(|c| ruled::of_entry(c, entry))
    }

    /// Keeps the price of a request for the next start. It is also the least that can be written: a store that cannot
    /// do this can remember no poll.
    pub async fn keep_price(&self, price: Price) -> Result<(), StoreError> {
        self.ask(|reply| Command::Price(price, reply)).await
    }

    /// The price of a request, where one was kept.
    pub fn price(&self) -> Result<Option<Price>, StoreError> {
        self.shared.readers.read(meta::price)
    }

    /// Keeps these silences for the next start, in place of those that were kept before.
    pub async fn keep_silences(&self, silences: Vec<KeptSilence>) -> Result<(), StoreError> {
        self.ask(|reply| Command::Silences(silences, reply)).await
    }

    /// The silences that were kept last, whether they still last or not.
    pub fn silences(&self) -> Result<Vec<KeptSilence>, StoreError> {
        self.shared.readers.read(meta::silences)
    }

    /// Keeps what an origin's robots.txt said, in place of what it said before.
    pub async fn keep_robots(&self, kept: Kept) -> Result<(), StoreError> {
        self.ask(|reply| Command::Robots(Box::new(kept), reply))
            .await
    }

    /// What this origin's robots.txt said last, whether it still holds or not.
    pub fn robots(&self, origin: &str) -> Result<Option<Kept>, StoreError> {
        self.shared.readers.read(|c| robots::robots(c, origin))
    }

    /// Begins to look for copies by these rules, within this much time: what was found by others is forgotten, and
    /// [`next_to_group`](Self::next_to_group) begins with the first article.
    pub async fn begin_grouping(&self, recipe: u8, window: Duration) -> Result<(), StoreError> {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        self.ask(|reply| Command::BeginGrouping(recipe, window, reply))
            .await
    }

    /// Writes down what became of some articles, and says whether a group is another one by it.
    pub async fn keep_grouped(&self, grouped: Grouped) -> Result<bool, StoreError> {
        self.ask(|reply| Command::Grouped(Box::new(grouped), reply))
            .await
    }

    /// Takes an entry, by the number of its first revision, out of its group for good, or without a time lets it back in;
    /// says whether that is news.
    pub async fn part(
        &self,
        entry: ArticleSeq,
        since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.ask(|reply| Command::Part(entry, since, reply)).await
    }

    /// The entries of the next so many articles whose copies were not looked for, as far as these are their latest
    /// revisions; and the number up to which that is. `None`: there are no more.
    pub fn next_to_group(
        &self,
        limit: usize,
    ) -> Result<Option<(Vec<ArticleSeq>, ArticleSeq)>, StoreError> {
        self.shared.readers.read(|c| kin::next(c, limit))
    }

    /// The latest revision of an entry; `None` where it is no longer kept.
    pub fn subject(&self, entry: ArticleSeq) -> Result<Option<Subject>, StoreError> {
        self.shared.readers.read(|c| kin::subject(c, entry))
    }

    /// What an entry is found by.
    pub fn printed(&self, entry: ArticleSeq) -> Result<Option<Printed>, StoreError> {
        self.shared.readers.read(|c| kin::printed(c, entry))
    }

    /// What entries of these dates are found by, both ends included: those after this one, in the order of dates and
    /// numbers.
    pub fn prints(
        &self,
        dates: (Timestamp, Timestamp),
        after: Option<(Timestamp, ArticleSeq)>,
        limit: usize,
    ) -> Result<Vec<Printed>, StoreError> {
        self.shared
            .readers
            .read(|c| kin::prints(c, dates, after, limit))
    }

    /// The date of the newest entry that is found by something.
    pub fn newest_print(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.readers.read(kin::newest)
    }

    /// The entries of a feed that have this line at one of their ends; some dozen at most.
    pub fn line_entries(
        &self,
        feed: &FeedId,
        line: u64,
    ) -> Result<BTreeSet<ArticleSeq>, StoreError> {
        self.shared
            .readers
            .read(|c| kin::line_entries(c, feed, line))
    }

    /// What an entry was judged to be to others.
    pub fn kin(&self, entry: ArticleSeq) -> Result<Vec<Kin>, StoreError> {
        self.shared.readers.read(|c| kin::kin(c, entry))
    }

    /// Since when an entry is out of its group.
    pub fn parted(&self, entry: ArticleSeq) -> Result<Option<Timestamp>, StoreError> {
        self.shared.readers.read(|c| kin::parted(c, entry))
    }

    /// The group of an entry, those that are not shown among it. Without members where it has no copy.
    pub fn group(&self, entry: ArticleSeq) -> Result<Group, StoreError> {
        self.shared.readers.read(|c| web::group(c, entry))
    }

    /// Finishes what was asked before, empties the write-ahead log and lets go of the lock. Afterwards every clone
    /// only reads.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.shared.readers.rest();
        if self.shared.writer.is_none() {
            return Ok(());
        }
        self.ask(Command::Close).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(writer::Reply<T>) -> Command,
    ) -> Result<T, StoreError> {
        let (inbox, _) = self.shared.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        let (reply, answer) = oneshot::channel();
        inbox
            .send(command(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// What is remembered of every feed that was ever polled or imported, by id.
    pub fn feed_states(&self) -> Result<Vec<FeedState>, StoreError> {
        self.shared.readers.read(feeds::states)
    }

    /// What is remembered of this feed.
    pub fn feed_state(&self, feed: &FeedId) -> Result<Option<FeedState>, StoreError> {
        self.shared.readers.read(|c| feeds::state(c, feed))
    }

    /// The last polls of a feed, newest first; the last 50 are kept.
    pub fn polls(&self, feed: &FeedId, limit: usize) -> Result<Vec<PastPoll>, StoreError> {
        self.shared.readers.read(|c| feeds::history(c, feed, limit))
    }

    /// What every feed that was ever polled or imported was last judged to be, by id.
    pub fn watched(&self) -> Result<Vec<Watched>, StoreError> {
        self.shared.readers.read(health::watched)
    }

    /// What this feed is judged by; `None` where nobody knows it.
    pub fn evidence(&self, feed: &FeedId) -> Result<Option<Evidence>, StoreError> {
        self.shared.readers.read(|c| health::evidence(c, feed))
    }

    /// The last changes of feeds' health, newest first.
    pub fn health_events(&self, limit: usize) -> Result<Vec<HealthEvent>, StoreError> {
        self.shared.readers.read(|c| health::events(c, limit))
    }

    /// The articles that people may mean by this: an address or a publisher's id (of an entry the latest revision), the
    /// name of an archive file, the 16 hex digits of a content id. Ascending by number.
    pub fn find(&self, what: &str) -> Result<Vec<ArticleSeq>, StoreError> {
        self.shared.readers.read(|c| find::find(c, what))
    }

    /// The entries' keys and feeds with the numbers of their latest revisions, one after the other until `wanted` says
    /// that it is the one.
    pub fn find_key(
        &self,
        wanted: impl Fn(&FeedId, &EntryKey) -> bool,
    ) -> Result<Option<ArticleSeq>, StoreError> {
        self.shared.readers.read(|c| find::find_key(c, wanted))
    }

    /// How an article stands in the store: its entry's revisions, who carries its words, its file, its place by date;
    /// without what the feeds in `hidden` have.
    pub fn looked(&self, seq: ArticleSeq, hidden: &[FeedId]) -> Result<Option<Looked>, StoreError> {
        self.shared.readers.read(|c| find::looked(c, seq, hidden))
    }

    /// What is known of these entries of a feed; those that are not known are not in it.
    pub fn known(
        &self,
        feed: &FeedId,
        keys: &[EntryKey],
    ) -> Result<HashMap<EntryKey, KnownEntry>, StoreError> {
        self.shared.readers.read(|c| articles::known(c, feed, keys))
    }

    /// Which of these entries of a feed are known, under these keys or under others, and who they are; by the keys that
    /// were asked.
    pub fn recognised(
        &self,
        feed: &FeedId,
        keys: &[EntryKey],
    ) -> Result<HashMap<EntryKey, Recognised>, StoreError> {
        self.shared
            .readers
            .read(|c| alias::recognised(c, feed, keys))
    }

    /// The known entries of a feed that each of these unknown ones may be, by its link and its words.
    pub fn candidates(
        &self,
        feed: &FeedId,
        traces: &[Trace],
    ) -> Result<Vec<Vec<Candidate>>, StoreError> {
        self.shared
            .readers
            .read(|c| alias::candidates(c, feed, traces))
    }

    /// The other keys under which an entry came, by the number of its first revision; the newest first.
    pub fn other_keys(&self, entry: ArticleSeq) -> Result<Vec<EntryKey>, StoreError> {
        self.shared.readers.read(|c| alias::others(c, entry))
    }

    /// The floods that wait for somebody to release them, or to turn out to be there to stay.
    pub fn floods(&self) -> Result<HashMap<FeedId, Flood>, StoreError> {
        self.shared.readers.read(flood::floods)
    }

    /// Which of these entries of a feed lost their own pages before; those that did not are not in it.
    pub fn missed(
        &self,
        feed: &FeedId,
        keys: &[EntryKey],
    ) -> Result<HashMap<EntryKey, Missed>, StoreError> {
        self.shared.readers.read(|c| missed::missed(c, feed, keys))
    }

    /// The article of this number.
    pub fn article(&self, seq: ArticleSeq) -> Result<Option<StoredArticle>, StoreError> {
        self.shared.readers.read(|c| articles::article(c, seq))
    }

    /// Articles with higher numbers, ascending: every revision of every entry, reprints included.
    pub fn since(
        &self,
        after: Option<ArticleSeq>,
        limit: usize,
    ) -> Result<Vec<StoredArticle>, StoreError> {
        self.shared
            .readers
            .read(|c| articles::since(c, after, limit))
    }

    /// Articles that match, highest number first.
    pub fn list(&self, query: &ListQuery) -> Result<Vec<StoredArticle>, StoreError> {
        self.shared.readers.read(|c| articles::list(c, query))
    }

    /// The latest revision of each entry, each text once: in the entry that was seen with it first. Newest first, by
    /// date and number.
    pub fn latest(&self, limit: usize) -> Result<Vec<StoredArticle>, StoreError> {
        self.shared.readers.read(|c| articles::latest(c, limit))
    }

    /// The entries whose latest revision carries these words too, besides the one that [`latest`](Self::latest) shows;
    /// in the order of `contents`, of each the oldest first.
    pub fn carriers(&self, contents: &[ContentHash]) -> Result<Vec<CarrierRow>, StoreError> {
        self.shared
            .readers
            .read(|c| articles::carriers(c, contents))
    }

    /// All that is published, read at once.
    pub fn snapshot(&self, limit: usize) -> Result<Snapshot, StoreError> {
        self.shared.readers.read(|c| {
            let articles = articles::latest(c, limit)?;
            let contents: Vec<_> = articles.iter().map(|a| a.article.content).collect();
            let carriers = articles::carriers(c, &contents)?;
            let named: BTreeSet<_> = articles
                .iter()
                .map(|article| &article.feed)
                .chain(carriers.iter().map(|carrier| &carrier.feed))
                .collect();
            let states = named.into_iter().map(|feed| feeds::state(c, feed));
            Ok(Snapshot {
                river_id: meta::river_id(c)?,
                feeds: states
                    .filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?,
                carriers,
                last_change: meta::last_change(c)?,
                articles,
            })
        })
    }

    /// The entries of some feeds as they are shown together, in light. What a private feed has is not in the way of others.
    pub fn lineup(&self, choice: &Choice) -> Result<Lineup, StoreError> {
        self.shared.readers.read(|c| shown::lineup(c, choice))
    }

    /// The articles of these numbers, in this order; one that is no longer kept is not in it.
    pub fn articles(&self, numbers: &[ArticleSeq]) -> Result<Vec<StoredArticle>, StoreError> {
        self.shared.readers.read(|c| shown::articles(c, numbers))
    }

    /// When an article was last stored, by the latest `recorded` of all; never moves back.
    pub fn last_change(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.readers.read(meta::last_change)
    }

    /// Who this river is: 16 random bytes, given when the store was made.
    pub fn river_id(&self) -> Result<[u8; 16], StoreError> {
        self.shared.readers.read(meta::river_id)
    }

    /// Articles the archive has to deal with, with the numbers above `after` that brought them: their own, or those under
    /// which they were released from a flood. First with their words (the others have no file). Ascending.
    pub fn to_archive(
        &self,
        after: Option<ArticleSeq>,
        limit: usize,
    ) -> Result<Vec<(ArticleSeq, StoredArticle)>, StoreError> {
        self.shared
            .readers
            .read(|c| articles::to_archive(c, after, limit))
    }

    /// The last article the archive has dealt with.
    pub fn archive_cursor(&self) -> Result<Option<ArticleSeq>, StoreError> {
        self.shared.readers.read(meta::archive_cursor)
    }

    /// Every file of the archive, by number.
    pub fn archived_files(&self) -> Result<Vec<ArchivedFile>, StoreError> {
        self.shared.readers.read(archive::files)
    }

    /// How much there is.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        self.shared.readers.read(meta::counts)
    }

    /// How much there is of each feed, by id.
    pub fn feed_counts(&self) -> Result<Vec<FeedCounts>, StoreError> {
        self.shared.readers.read(meta::feed_counts)
    }

    /// How much came since a time.
    pub fn growth(&self, since: Timestamp) -> Result<Growth, StoreError> {
        self.shared.readers.read(|c| meta::growth(c, since))
    }

    /// Reads the whole database; an error says what is wrong. Quicker than [`verify`](Self::verify).
    pub fn check(&self) -> Result<(), StoreError> {
        self.shared
            .readers
            .read(|c| open::whole_check(c, &self.shared.path))
    }

    /// Reads the whole database and compares every index with its table; an error says what is wrong.
    pub fn verify(&self) -> Result<(), StoreError> {
        self.shared
            .readers
            .read(|c| open::integrity_check(c, &self.shared.path))
    }
}

impl Drop for Shared {
    /// Waits for the writer to finish what it was asked, so that nothing is cut off and the lock is free afterwards.
    fn drop(&mut self) {
        self.readers.rest();
        if let Some((inbox, thread)) = self.writer.take() {
            drop(inbox);
            if thread.join().is_err() {
                tracing::error!("the store's writer panicked");
            }
        }
    }
}
