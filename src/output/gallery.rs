//! Copies of pictures as files: `ab/abcdef….jpg` below a directory of their own, each written once and never changed. The store
//! says which there are; a file it does not know was left by a crash.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::image::{ImageCopy, ImageKind, read_name};
use crate::model::urls::PageUrl;
use crate::output::files::{FileError, failed, sweep, write_whole};
use crate::output::forms::below;

/// Where copies are asked for, below the feed's home.
pub const PLACE: &str = "image";

/// The copies that are shown to others, and where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gallery {
    dir: PathBuf,
    shown: HashMap<[u8; 32], ImageKind>,
}

impl Gallery {
    /// These copies, kept in `dir`.
    pub fn new(dir: PathBuf, copies: &[ImageCopy]) -> Self {
        Self {
            dir,
            shown: copies.iter().map(|copy| (copy.digest, copy.kind)).collect(),
        }
    }

    /// The file behind a name that stands in an address, its digest and its kind; `None` of every other name, and of copies
    /// that are not shown.
    pub fn file(&self, name: &str) -> Option<(PathBuf, [u8; 32], ImageKind)> {
        let (digest, kind) = read_name(name)?;
        let shown = self.shown.get(&digest) == Some(&kind);
        shown.then(|| (place(&self.dir, name), digest, kind))
    }
}

/// A copy's address.
pub fn address(home: &PageUrl, copy: &ImageCopy) -> String {
    below(home, &format!("{PLACE}/{}", copy.file_name()))
}

/// A copy's file.
pub fn path(dir: &Path, copy: &ImageCopy) -> PathBuf {
    place(dir, &copy.file_name())
}

/// A hundred thousand files in one directory are slow to list.
fn place(dir: &Path, name: &str) -> PathBuf {
    dir.join(name.get(..2).unwrap_or(name)).join(name)
}

/// Writes a copy, which is on the disk afterwards whatever happens. One that is there already stays.
pub fn put(dir: &Path, copy: &ImageCopy, bytes: &[u8]) -> Result<(), FileError> {
    let file = path(dir, copy);
    if fs::symlink_metadata(&file).is_ok_and(|found| found.is_file() && found.len() == copy.bytes) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(dir);
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    write_whole(&file, bytes)
}

/// Removes the files of copies that the store has forgotten. One that is gone already is fine.
pub fn remove(dir: &Path, copies: &[ImageCopy]) -> Result<(), FileError> {
    for copy in copies {
        let file = path(dir, copy);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &file)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes what a crash left: files that are none of these copies, and parts of files. Says how many. Nobody else may be
/// writing there.
pub fn tidy(dir: &Path, copies: &[ImageCopy]) -> Result<usize, FileError> {
    let known: HashSet<String> = copies.iter().map(ImageCopy::file_name).collect();
    let mut removed = 0;
    for folder in list(dir)? {
        let is_ours = folder
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_ours || !folder.is_dir() {
            continue;
        }
        removed += sweep(&folder)?;
        for file in list(&folder)? {
            let name = file.file_name().and_then(|name| name.to_str());
            // What has no name of ours was put there by somebody else.
            let Some(name) = name.filter(|name| read_name(name).is_some()) else {
                continue;
            };
            if !known.contains(name) {
                fs::remove_file(&file).map_err(failed("remove", &file))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// What is in a directory; one that is not there has nothing.
fn list(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", dir)(error)),
    };
    entries
        .map(|entry| Ok(entry.map_err(failed("list", dir))?.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn files_are_there_once_and_what_a_crash_left_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("images");
        assert_eq!(tidy(&dir, &[]).unwrap(), 0);
        let [one, two] = [b"one", b"two"].map(|bytes| ImageCopy::of(ImageKind::Gif, bytes));
        put(&dir, &one, b"one").unwrap();
        put(&dir, &one, b"one").unwrap();
        put(&dir, &two, b"two").unwrap();
        let part = path(&dir, &one).with_file_name(".feedmill-1-0.part");
        fs::write(&part, "half").unwrap();
        fs::write(dir.join("notes.txt"), "the operator's").unwrap();
        assert_eq!(tidy(&dir, std::slice::from_ref(&one)).unwrap(), 2);
        assert_eq!(fs::read(path(&dir, &one)).unwrap(), b"one");
        assert!(!part.exists() && !path(&dir, &two).exists());
        assert!(dir.join("notes.txt").exists());
        // A file that was cut is written again.
        fs::write(path(&dir, &one), "o").unwrap();
        put(&dir, &one, b"one").unwrap();
        assert_eq!(fs::read(path(&dir, &one)).unwrap(), b"one");
        remove(&dir, &[one.clone(), two]).unwrap();
        assert!(!path(&dir, &one).exists());
    }

    #[test]
    fn only_what_is_shown_has_a_file() {
        let [one, two] = [b"one", b"two"].map(|bytes| ImageCopy::of(ImageKind::Png, bytes));
        let gallery = Gallery::new(PathBuf::from("/g"), std::slice::from_ref(&one));
        let name = one.file_name();
        let (file, digest, kind) = gallery.file(&name).unwrap();
        assert_eq!(file, PathBuf::from(format!("/g/{}/{name}", &name[..2])));
        assert_eq!((digest, kind), (one.digest, ImageKind::Png));
        for other in [
            two.file_name(),
            name.replace(".png", ".jpg"),
            format!("../{name}"),
            format!("{}/{name}", &name[..2]),
            name.to_uppercase(),
            String::new(),
        ] {
            assert_eq!(gallery.file(&other), None, "{other}");
        }
    }
}
