//! Keeps the manifests of the archive up to the store. They depend on the store alone, so that any number of runs, cut
//! off anywhere, come to the same bytes as one.

use std::path::Path;

use crate::output::archive::manifest::{self, Draft};
use crate::output::files::{self, FileError};
use crate::service::archive::{self, Again};
use crate::service::publish::PublishError;
use crate::store::{ArchivedFile, NotedManifest, Store, StoreError};

/// Files measured with one transaction.
const BATCH: usize = 256;

/// Writes the manifests that do not name all of their day's files yet, oldest first, and says how many those were. The
/// files are written and noted before; a manifest is noted when it is synced. A crash between costs a repeat.
pub(super) async fn keep(store: &Store, directory: &Path) -> Result<usize, PublishError> {
    measure(store, directory).await?;
    let days = store.unfinished_days()?;
    for day in &days {
        let before = store.manifest_before(*day)?;
        let mut draft = Draft::new(*day, before.map(|before| (before.day, before.digest)));
        for filed in store.filed_on(*day)? {
            draft.add(&filed.file.name, filed.file.size, &filed.file.digest);
        }
        let noted = store.manifest(*day)?.map_or(0, |noted| noted.files);
        write(directory, &manifest::file_name(*day), &draft, noted)?;
        let noted = NotedManifest {
            day: *day,
            files: draft.files(),
            digest: blake3::hash(draft.bytes()).into(),
        };
        store.note_manifest(noted).await?;
    }
    Ok(days.len())
}

/// Writes a manifest over what it was before, and over nothing else: what somebody changed is evidence.
fn write(directory: &Path, name: &str, draft: &Draft, noted: usize) -> Result<(), FileError> {
    let path = directory.join(name);
    if let Some(there) = files::read_up_to(&path, draft.bytes().len())?
        && draft.when(&there).is_none_or(|files| files < noted)
    {
        return Err(FileError::Differs(path));
    }
    files::write_if_changed(&path, draft.bytes())?;
    // Also where nothing was written: an earlier run may have stopped between its rename and its sync.
    files::sync_dir(directory)
}

/// Files that were written before there were manifests are measured once, in slices.
async fn measure(store: &Store, directory: &Path) -> Result<(), PublishError> {
    loop {
        let files = store.unmeasured(BATCH)?;
        if files.is_empty() {
            return Ok(());
        }
        let sizes = files
            .iter()
            .map(|file| Ok((file.seq, size_of(store, directory, file)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        store.measured(sizes).await?;
    }
}

/// How many bytes were written: those of the file, where they are the same still, else those the store renders.
fn size_of(
    store: &Store,
    directory: &Path,
    file: &ArchivedFile,
) -> Result<Option<u64>, StoreError> {
    let ours = |bytes: &Vec<u8>| *blake3::hash(bytes).as_bytes() == file.digest;
    let there = archive::read(&directory.join(&file.name)).ok().filter(ours);
    if let Some(bytes) = there {
        return Ok(Some(bytes.len() as u64));
    }
    Ok(match archive::again(store, file)? {
        Again::Bytes(bytes) if ours(&bytes) => Some(bytes.len() as u64),
        _ => None,
    })
}
