//! Copies of the database, taken while it is written, and the proof that they hold what it held.
//!
//! `SQLite`'s online backup copies page by page inside one reading transaction: a state of one moment, whatever is
//! committed meanwhile. The writer does not wait for it; the write-ahead log is not begun anew until it is done.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::lock::Lock;
use crate::store::meta::{self, Counts};
use crate::store::open;
use crate::store::press::Unpressed;
use crate::store::schema::newest;

/// Pages copied in one go: 4 MiB, after which is asked whether to go on.
const STEP: i32 = 256;

/// Articles whose words are compared.
const SAMPLES: u64 = 16;

/// How often a step that found a lock is tried again, and after how long. Nobody locks what we read.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// What the store held when a copy of it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How much there was.
    pub counts: Counts,
    river_id: [u8; 16],
    samples: Vec<Sample>,
}

/// An article's words as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    seq: i64,
    digest: [u8; 32],
}

/// The right to make copies in a directory, held as long as this lives.
#[derive(Debug)]
pub struct Claim {
    _lock: Lock,
}

impl Claim {
    /// Takes it, or says who has it.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let lock = Lock::take(&directory.join(".feedmill-backup"))?;
        Ok(Self { _lock: lock })
    }
}

impl Store {
    /// Copies the database to a new file and syncs it; not for an async thread. After each step `goes_on` hears how many
    /// pages of how many are copied; where it says no, there is no copy (`None`), and the file is to be removed.
    pub fn copy_to(
        &self,
        path: &Path,
        salt: u64,
        goes_on: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Option<Taken>, StoreError> {
        let taken = self.shared.readers.read(|source| {
            // The first thing read: from here on the state stands still.
            let taken = Taken::of(source, salt)?;
            Ok(copy(source, path, goes_on)?.then_some(taken))
        })?;
        if taken.is_some() {
            File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|source| StoreError::Io {
                    doing: "sync",
                    path: path.to_owned(),
                    source,
                })?;
        }
        Ok(taken)
    }

    /// Opens a copy and goes through all of it: it is ours, sound, and holds what was taken. An error says what is wrong.
    pub fn prove_copy(path: &Path, taken: &Taken) -> Result<(), StoreError> {
        let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let damaged = |what: String| StoreError::Damaged {
            path: path.to_owned(),
            what,
        };
        let schema = open::identify(&connection, path)?;
        if schema != newest() {
            return Err(damaged(format!("it is of schema {schema}")));
        }
        open::integrity_check(&connection, path)?;
        let found = Taken::again(&connection, taken).map_err(|error| error.in_file(path))?;
        if found.river_id != taken.river_id {
            return Err(damaged("it is of another store".to_owned()));
        }
        if found.counts != taken.counts {
            return Err(damaged(format!(
                "it holds {:?}, and {:?} were to be copied",
                found.counts, taken.counts
            )));
        }
        if found.samples != taken.samples {
            return Err(damaged(
                "the words of an article are not those that were to be copied".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whose copy a file is: [`river_id`](Self::river_id) of its store. `None`: of no store of ours.
    pub fn river_of(path: &Path) -> Option<[u8; 16]> {
        // A database with a write-ahead log is in use by somebody and no copy; opening it would put files beside it.
        let mut head = [0; 20];
        File::open(path).ok()?.read_exact(&mut head).ok()?;
        if !head.starts_with(b"SQLite format 3\0") || !head.ends_with(&[1, 1]) {
            return None;
        }
        let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        let schema = open::identify(&connection, path).ok()?;
        (schema > 0).then(|| meta::river_id(&connection).ok())?
    }
}

impl Taken {
    fn of(source: &Connection, salt: u64) -> Result<Self, StoreError> {
        let counts = meta::counts(source)?;
        let river_id = meta::river_id(source)?;
        let mut samples = Vec::new();
        for turn in 0..SAMPLES {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&river_id).update(&salt.to_le_bytes());
            hasher.update(&turn.to_le_bytes());
            let digest = hasher.finalize();
            let bytes = digest.as_bytes().iter().take(8);
            let hash = bytes.fold(0, |hash: u64, byte| (hash << 8) | u64::from(*byte));
            let place = hash % counts.next_seq.max(1);
            let seq = source
                .prepare_cached("SELECT min(seq) FROM article WHERE seq >= ?1")?
                .query_row([i64::try_from(place).unwrap_or(0)], |row| {
                    row.get::<_, Option<i64>>(0)
                })?;
            if let Some(seq) = seq {
                samples.extend(sample(source, seq)?);
            }
        }
        Ok(Self {
            counts,
            river_id,
            samples,
        })
    }

    /// The same of a copy.
    fn again(copy: &Connection, taken: &Self) -> Result<Self, StoreError> {
        let mut samples = Vec::new();
        for wanted in &taken.samples {
            samples.extend(sample(copy, wanted.seq)?);
        }
        Ok(Self {
            counts: meta::counts(copy)?,
            river_id: meta::river_id(copy)?,
            samples,
        })
    }
}

/// An article's words: they can be read, and these are their bytes.
fn sample(connection: &Connection, seq: i64) -> Result<Option<Sample>, StoreError> {
    let found = connection
        .prepare_cached("SELECT body FROM article WHERE seq = ?1")?
        .query_row([seq], |row| {
            row.get::<_, Unpressed>(0)?;
            let bytes = match row.get_ref(0)? {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                _ => &[],
            };
            Ok(*blake3::hash(bytes).as_bytes())
        })
        .optional()?;
    Ok(found.map(|digest| Sample { seq, digest }))
}

/// False: told to stop.
fn copy(
    source: &Connection,
    path: &Path,
    goes_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<bool, StoreError> {
    let all = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    // What is wrong is wrong with the copy: `in_file` of the caller would name the store.
    let failed = |error: rusqlite::Error| StoreError::NoCopy {
        path: path.to_owned(),
        source: error,
    };
    let mut target = Connection::open_with_flags(path, all).map_err(failed)?;
    // Nothing of it counts before it is whole, and then it is synced.
    target
        .pragma_update(None, "synchronous", "OFF")
        .map_err(failed)?;
    let backup = Backup::new(source, &mut target).map_err(failed)?;
    let mut tries = TRIES;
    loop {
        match backup.step(STEP).map_err(failed)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if tries == 0 => return Err(failed(rusqlite::Error::InvalidQuery)),
            _ => {
                tries -= 1;
                thread::sleep(PAUSE);
            }
        }
        let progress = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0);
        let all = pages(progress.pagecount);
        if !goes_on(all - pages(progress.remaining).min(all), all) {
            return Ok(false);
        }
    }
    drop(backup);
    target.close().map_err(|(_, error)| failed(error))?;
    // One file that needs no other beside it, and can be read where nothing can be written.
    let target =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    target
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
            row.get::<_, String>(0)
        })
        .map_err(failed)?;
    target.close().map_err(|(_, error)| failed(error))?;
    Ok(true)
}
