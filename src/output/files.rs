//! Files, whole or absent: written beside their place, synced, and moved there in one step.
//!
//! A crash leaves either the old file or the new one, and perhaps a temporary that [`sweep`] knows by its name. No link is
//! written through. One process writes a directory at a time; that is the caller's lock.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::panic::resume_unwind;
use std::path::{Component, Path, PathBuf};
use std::thread;

/// Threads that write the files of a batch: a sync waits for the disk, and the disk takes several at once.
const WRITERS: usize = 4;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried (`write`, `rename to`).
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of this name holds something else, and files of the archive are never changed.
    #[error("{} exists with other content; it stays as it is", .0.display())]
    Differs(PathBuf),
    /// There is a link, a directory or a device where a file should be.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// A name that would leave the directory.
    #[error("`{0}` is not the name of a file")]
    BadName(String),
}

/// Adds what was tried, and where, to what the system said.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        action,
        path,
        source,
    }
}

/// Writes a file, or replaces it. Its directory must exist.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let dir = parent(path)?;
    regular_size(path)?;
    Temporary::write(dir, 0, bytes)?.rename(path)?;
    sync_dir(dir)
}

/// Writes a file unless it holds these bytes already; says whether it did. An unchanged file keeps its time.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    if holds(path, bytes)? == Some(true) {
        return Ok(false);
    }
    write_whole(path, bytes).map(|()| true)
}

/// Writes many files into one directory, none of which may exist with other bytes: all temporaries are written and
/// synced before the first one is renamed, and the directory is synced once. Returns how many were written; a name that
/// holds its bytes already is left alone.
pub fn write_batch(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<usize, FileError> {
    let mut wanted: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for (name, bytes) in files {
        let path = dir.join(plain_name(name)?);
        let differs = wanted
            .insert(name, bytes)
            .is_some_and(|other| other != bytes);
        if differs || holds(&path, bytes)? == Some(false) {
            return Err(FileError::Differs(path));
        }
    }
    let mut absent = Vec::new();
    for (name, bytes) in wanted {
        let path = dir.join(name);
        if holds(&path, bytes)?.is_none() {
            absent.push((path, bytes));
        }
    }
    for (temporary, path) in temporaries(dir, &absent)? {
        temporary.rename(path)?;
    }
    // Also where nothing was written: an earlier run may have stopped between its renames and its sync.
    if !files.is_empty() {
        sync_dir(dir)?;
    }
    Ok(absent.len())
}

/// Writes and syncs the temporaries of these files, several at a time. Where one cannot be written, none is left.
fn temporaries<'f>(
    dir: &Path,
    files: &'f [(PathBuf, &[u8])],
) -> Result<Vec<(Temporary, &'f Path)>, FileError> {
    let writers = WRITERS.min(files.len());
    let every = |first: usize| {
        let own = files.iter().enumerate().skip(first).step_by(writers);
        own.map(|(number, (path, bytes))| {
            Temporary::write(dir, number, bytes).map(|temporary| (temporary, path.as_path()))
        })
        .collect::<Result<Vec<_>, _>>()
    };
    thread::scope(|scope| {
        let begun = (1..writers)
            .map(|first| thread::Builder::new().spawn_scoped(scope, move || every(first)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed("start a writer for", dir))?;
        let mut written = if files.is_empty() {
            Vec::new()
        } else {
            every(0)?
        };
        for writer in begun {
            written.extend(writer.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(written)
    })
}

/// The bytes of a small file of ours, `None` where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// The bytes of a file, or one more than `limit` of them; `None` where there is none. No link is followed, and nothing
/// but a regular file is read.
pub fn read_up_to(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
    if regular_size(path)?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(failed("read", path))?;
    Ok(Some(bytes))
}

/// How long a file is, and the BLAKE3 digest of its bytes; `None` where there is none. No link is followed, nothing but a
/// regular file is read, and never much of it at once.
pub fn digest_of(path: &Path) -> Result<Option<(u64, [u8; 32])>, FileError> {
    if regular_size(path)?.is_none() {
        return Ok(None);
    }
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(failed("read", path))?;
    Ok(Some((hasher.count(), hasher.finalize().into())))
}

/// Removes what a crash left behind; says how many files that were. Nobody else may be writing to the directory.
pub fn sweep(dir: &Path) -> Result<usize, FileError> {
    let mut swept = 0;
    for entry in fs::read_dir(dir).map_err(failed("list", dir))? {
        let entry = entry.map_err(failed("list", dir))?;
        let ours = entry.file_name().to_str().is_some_and(is_temporary);
        if ours
            && entry
                .file_type()
                .map_err(failed("look at", &entry.path()))?
                .is_file()
        {
            fs::remove_file(entry.path()).map_err(failed("remove", &entry.path()))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Gives a file another name: its own with `.ending` behind it, and a number where there is one already.
pub fn set_aside(path: &Path, ending: &str) -> Result<(), FileError> {
    let mut names = (1_u32..=1_000).map(|n| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{ending}"));
        if n > 1 {
            name.push(format!(".{n}"));
        }
        PathBuf::from(name)
    });
    let free = names.find(|name| fs::symlink_metadata(name).is_err());
    let to = free.unwrap_or_else(|| path.with_extension(ending));
    fs::rename(path, to).map_err(failed("rename", path))
}

/// Makes what was created or renamed in a directory survive a loss of power.
pub fn sync_dir(dir: &Path) -> Result<(), FileError> {
    // Elsewhere a directory cannot be opened as a file.
    if cfg!(unix) {
        let sync = File::open(dir).and_then(|dir| dir.sync_all());
        sync.map_err(failed("sync", dir))?;
    }
    Ok(())
}

/// The directory of a path; of a bare name, the current one.
fn parent(path: &Path) -> Result<&Path, FileError> {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(dir) => Ok(dir),
        None => Err(FileError::NotAFile(path.to_owned())),
    }
}

fn plain_name(name: &str) -> Result<&str, FileError> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name && !is_temporary(name) => Ok(name),
        _ => Err(FileError::BadName(name.chars().take(100).collect())),
    }
}

/// The size of the regular file at this place, `None` where there is nothing. A link is never followed.
fn regular_size(path: &Path) -> Result<Option<u64>, FileError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found.len())),
        Ok(_) => Err(FileError::NotAFile(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path)(error)),
    }
}

/// Whether the file at this place holds these bytes; `None` where there is no file.
fn holds(path: &Path, bytes: &[u8]) -> Result<Option<bool>, FileError> {
    let Some(size) = regular_size(path)? else {
        return Ok(None);
    };
    if size != bytes.len() as u64 {
        return Ok(Some(false));
    }
    let mut found = Vec::with_capacity(bytes.len());
    File::open(path)
        .and_then(|file| file.take(size + 1).read_to_end(&mut found))
        .map_err(failed("read", path))?;
    Ok(Some(found == bytes))
}

/// A file that is not yet in its place. Dropped before it gets there, it vanishes.
struct Temporary {
    path: PathBuf,
    in_place: bool,
}

impl Temporary {
    /// How many names are tried where others are taken, by a writer in another thread or a crash.
    const TRIES: usize = 1000;

    /// Writes and syncs a new file. `number` is where the search for a free name begins.
    fn write(dir: &Path, number: usize, bytes: &[u8]) -> Result<Self, FileError> {
        let (mut file, path) = Self::create(dir, number)?;
        let temporary = Self {
            path,
            in_place: false,
        };
        file.write_all(bytes)
            .map_err(failed("write", &temporary.path))?;
        file.sync_all().map_err(failed("sync", &temporary.path))?;
        Ok(temporary)
    }

    fn create(dir: &Path, number: usize) -> Result<(File, PathBuf), FileError> {
        let pid = std::process::id();
        let mut last = number;
        loop {
            let path = dir.join(format!(".feedmill-{pid}-{last}.part"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && last < number + Self::TRIES =>
                {
                    last += 1;
                }
                Err(error) => return Err(failed("create", &path)(error)),
            }
        }
    }

    fn rename(mut self, to: &Path) -> Result<(), FileError> {
        fs::rename(&self.path, to).map_err(failed("rename to", to))?;
        self.in_place = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.in_place {
            // Best effort: `sweep` finds what stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file of this name is one of ours that a crash left: exactly the names [`Temporary`] gives.
pub fn is_temporary(name: &str) -> bool {
    let numbers = name
        .strip_prefix(".feedmill-")
        .and_then(|rest| rest.strip_suffix(".part"))
        .and_then(|rest| rest.split_once('-'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numbers.is_some_and(|(pid, n)| digits(pid) && digits(n))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn batch(files: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
        files.iter().map(owned).collect()
    }

    #[test]
    fn an_unchanged_file_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed.xml");
        assert!(write_if_changed(&path, b"one").unwrap());
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert!(!write_if_changed(&path, b"one").unwrap());
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), old);
        for other in ["two", "three", ""] {
            assert!(
                write_if_changed(&path, other.as_bytes()).unwrap(),
                "{other}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
        assert_eq!(names(dir.path()), ["feed.xml"]);
    }

    #[test]
    fn a_batch_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            write_batch(dir.path(), &batch(&[("b", "2"), ("a", "1"), ("a", "1")])).unwrap(),
            2
        );
        assert_eq!(
            write_batch(dir.path(), &batch(&[("a", "1"), ("c", "3")])).unwrap(),
            1
        );
        let error = write_batch(dir.path(), &batch(&[("d", "4"), ("b", "x")])).unwrap_err();
        assert!(
            matches!(&error, FileError::Differs(path) if path.ends_with("b")),
            "{error}"
        );
        let error = write_batch(dir.path(), &batch(&[("d", "4"), ("d", "5")])).unwrap_err();
        assert!(
            matches!(&error, FileError::Differs(path) if path.ends_with("d")),
            "{error}"
        );
        assert_eq!(names(dir.path()), ["a", "b", "c"]);
        assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap(), "2");
    }

    #[test]
    fn a_large_batch_is_whole_or_absent() {
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<_> = (0..100)
            .map(|n| (format!("f{n:02}"), vec![b'x'; n]))
            .collect();
        for size in 0..=5 {
            let fresh = tempfile::tempdir().unwrap();
            assert_eq!(write_batch(fresh.path(), &files[..size]).unwrap(), size);
            assert_eq!(names(fresh.path()).len(), size);
        }
        // One of many temporaries cannot be made: every name it may have is taken.
        let pid = std::process::id();
        for n in 50..=50 + Temporary::TRIES {
            fs::write(dir.path().join(format!(".feedmill-{pid}-{n}.part")), "").unwrap();
        }
        let taken = names(dir.path());
        let error = write_batch(dir.path(), &files).unwrap_err();
        assert!(matches!(
            error,
            FileError::Io {
                action: "create",
                ..
            }
        ));
        assert_eq!(names(dir.path()), taken);
        sweep(dir.path()).unwrap();
        assert_eq!(write_batch(dir.path(), &files).unwrap(), 100);
        for (name, bytes) in &files {
            assert_eq!(&fs::read(dir.path().join(name)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_name_stays_in_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "/a",
            "a/",
            "./a",
            ".feedmill-1-2.part",
        ] {
            let error = write_batch(dir.path(), &batch(&[(name, "x")])).unwrap_err();
            assert!(matches!(error, FileError::BadName(_)), "{name}: {error}");
        }
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn only_our_leftovers_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let kept = [
            ".feedmill-1-2.part~",
            ".feedmill-1.part",
            ".feedmill-a-2.part",
            "x.part",
        ];
        for name in kept
            .iter()
            .chain(&[".feedmill-1-2.part", ".feedmill-99-0.part"])
        {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join(".feedmill-3-3.part")).unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), 2);
        assert_eq!(names(dir.path()).len(), kept.len() + 1);
    }

    #[test]
    fn a_taken_temporary_name_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir
            .path()
            .join(format!(".feedmill-{}-0.part", std::process::id()));
        fs::write(&taken, "somebody's").unwrap();
        write_whole(&dir.path().join("a"), b"1").unwrap();
        assert_eq!(fs::read_to_string(taken).unwrap(), "somebody's");
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "1");
    }

    #[test]
    fn a_failure_leaves_nothing_behind_and_names_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("no").join("feed.xml");
        let error = write_whole(&missing, b"x").unwrap_err().to_string();
        assert!(error.contains("no"), "{error}");
        fs::create_dir(dir.path().join("feed.xml")).unwrap();
        let error = write_whole(&dir.path().join("feed.xml"), b"x").unwrap_err();
        assert!(matches!(error, FileError::NotAFile(_)), "{error}");
        assert_eq!(names(dir.path()), ["feed.xml"]);
        drop(Temporary::write(dir.path(), 0, b"x").unwrap());
        assert_eq!(names(dir.path()), ["feed.xml"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "theirs").unwrap();
        for points_at in [&target, &dir.path().join("nothing")] {
            std::os::unix::fs::symlink(points_at, &link).unwrap();
            assert!(matches!(
                write_whole(&link, b"x"),
                Err(FileError::NotAFile(_))
            ));
            assert!(matches!(
                write_if_changed(&link, b"theirs"),
                Err(FileError::NotAFile(_))
            ));
            let written = write_batch(dir.path(), &batch(&[("link", "theirs")]));
            assert!(matches!(written, Err(FileError::NotAFile(_))));
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read_to_string(target).unwrap(), "theirs");
        assert_eq!(names(dir.path()), ["target"]);
    }
}
