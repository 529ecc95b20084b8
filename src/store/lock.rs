//! One writing process per store: an exclusive lock on a file beside the database.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::store::error::StoreError;

/// A holder that is just ending, or a child of its that has not begun its own program yet (a fork shares the lock until
/// the exec), is waited for: a quarter of a second in all.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(25);

/// The lock, held as long as this lives; the kernel lets go of it with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of this database, or says who has it. The lock file stays when the lock goes: removing it could
    /// take it from under another process that has just opened it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        let failed = |doing, source| StoreError::Io {
            doing,
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed("open", error))?;
        let mut tries = TRIES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries > 0 => {
                    tries -= 1;
                    thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::InUse {
                        path: database.to_owned(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
            }
        }
        // The number is for people. A disk too full to hold it is no reason to refuse: the lock itself holds.
        let told = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = told {
            tracing::debug!(%error, path = %path.display(), "the lock file does not name its holder");
        }
        Ok(Self { _file: file })
    }
}

/// Who works on a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nobody.
    Nobody,
    /// The process of this number, where it is known.
    By(Option<u32>),
}

/// Who holds the lock of this database; without taking it for longer than a look.
pub fn held(database: &Path) -> Result<Held, StoreError> {
    let path = beside(database, ".lock");
    let failed = |doing, source| StoreError::Io {
        doing,
        path: path.clone(),
        source,
    };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Held::Nobody),
        Err(error) => return Err(failed("open", error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Held::Nobody),
        Err(TryLockError::WouldBlock) => Ok(Held::By(holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(failed("look at the lock", error)),
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// `feedmill.db` and `.lock` → `feedmill.db.lock`.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(suffix);
    path.into()
}
