//! A copy of the store: taken, opened, checked, and only then called one. Old copies go by a rotation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::time::Timestamp;
use crate::output::files::{self, FileError};
use crate::rules::rotation::{Rotation, file_name, parse_file_name};
use crate::store::{Claim, Counts, Store, StoreError};

/// What a copy is called before it is one. Nobody else's file is.
const UNFINISHED: &str = ".feedmill-backup-";

/// An order for a copy.
pub struct Backup {
    /// Of what.
    pub store: Store,
    /// Where to. Made where it is not there.
    pub directory: PathBuf,
    /// Which copies stay.
    pub keep: Rotation,
    /// When.
    pub now: Timestamp,
}

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub counts: Counts,
    /// How long the store was read.
    pub copying: Duration,
    /// How long the copy was checked.
    pub checking: Duration,
    /// Older copies that went.
    pub removed: Vec<PathBuf>,
    /// Older copies that were to go and did not, and why.
    pub left: Vec<(PathBuf, String)>,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store, or the copy.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy is not what was copied; it was removed.
    #[error("the copy that was made is no good, and was removed")]
    Unproven(#[source] StoreError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A directory.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A file that vanishes unless it gets its name, with what `SQLite` may put beside it.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for ending in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(ending);
            // Best effort: the next backup sweeps.
            let _ = fs::remove_file(path);
        }
    }
}

impl Backup {
    /// Makes a copy, proves it and lets older ones go; not for an async thread. `None`: `goes_on`, which hears how many
    /// pages of how many are copied, said no.
    pub fn run(
        &self,
        goes_on: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Option<Made>, BackupError> {
        let directory = self.directory.as_path();
        fs::create_dir_all(directory).map_err(failed("make", directory))?;
        let claim = Claim::take(directory)?;
        sweep(directory)?;
        let name = format!("{UNFINISHED}{}.part", std::process::id());
        let unfinished = Unfinished(directory.join(name));
        let begun = Instant::now();
        let salt = u64::try_from(self.now.millis()).unwrap_or(0);
        let taken = self.store.copy_to(&unfinished.0, salt, goes_on)?;
        let Some(taken) = taken else {
            return Ok(None);
        };
        let copying = begun.elapsed();
        let begun = Instant::now();
        Store::prove_copy(&unfinished.0, &taken).map_err(BackupError::Unproven)?;
        let checking = begun.elapsed();
        let file = directory.join(file_name(self.now));
        let bytes = fs::metadata(&unfinished.0)
            .map_err(failed("look at", &unfinished.0))?
            .len();
        fs::rename(&unfinished.0, &file).map_err(failed("rename to", &file))?;
        files::sync_dir(directory)?;
        let mut made = Made {
            file,
            bytes,
            counts: taken.counts,
            copying,
            checking,
            removed: Vec::new(),
            left: Vec::new(),
        };
        self.rotate(&mut made)?;
        drop(claim);
        Ok(Some(made))
    }

    /// Lets older copies go. Only copies of this very store count: what else has such a name was not written here.
    fn rotate(&self, made: &mut Made) -> Result<(), BackupError> {
        let ours = self.store.river_id()?;
        let copies = copies(&self.directory)?.into_iter();
        let made_at = parse_file_name(&file_name(self.now)).unwrap_or(self.now);
        // One of the future takes no newer one's place.
        let own: Vec<Timestamp> = copies
            .filter(|copy| *copy <= made_at && is_of(&ours, &self.directory, *copy))
            .collect();
        for surplus in self.keep.surplus(&own, made_at) {
            let path = self.directory.join(file_name(surplus));
            match fs::remove_file(&path) {
                Ok(()) => made.removed.push(path),
                Err(error) => made.left.push((path, error.to_string())),
            }
        }
        if !made.removed.is_empty() {
            files::sync_dir(&self.directory)?;
        }
        Ok(())
    }
}

fn is_of(river: &[u8; 16], directory: &Path, copy: Timestamp) -> bool {
    Store::river_of(&directory.join(file_name(copy))).as_ref() == Some(river)
}

/// When the last copy of this store was made, by the name of its file. One of the future was named by a clock that was
/// wrong, and says nothing.
pub fn last(
    store: &Store,
    directory: &Path,
    now: Timestamp,
) -> Result<Option<Timestamp>, BackupError> {
    let ours = store.river_id()?;
    let mut copies = copies(directory)?.into_iter();
    Ok(copies.rfind(|copy| *copy <= now && is_of(&ours, directory, *copy)))
}

/// When the copies in a directory were made, by their names; oldest first. One that is not there has none.
fn copies(directory: &Path) -> Result<Vec<Timestamp>, BackupError> {
    let mut found: Vec<Timestamp> = names(directory)?
        .iter()
        .filter_map(|name| parse_file_name(name))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// When the next copy is due, where one is made every so often and the last was made then: the names of files say it, so
/// that a restart makes none twice.
pub fn due(last: Option<Timestamp>, every: Duration, now: Timestamp) -> Timestamp {
    last.map_or(now, |made| made.plus(every))
}

/// Removes what a crash left. The directory must be claimed.
fn sweep(directory: &Path) -> Result<(), BackupError> {
    for name in names(directory)? {
        if name.starts_with(UNFINISHED) {
            let path = directory.join(name);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

fn names(directory: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", directory)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", directory))?;
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io {
        doing,
        path,
        source,
    }
}
