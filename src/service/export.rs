//! The whole archive once more, from the store alone.

use std::path::Path;

use crate::model::time::Day;
use crate::output::archive::manifest::{self, Draft};
use crate::output::files;
use crate::service::archive::{self, Again, ArchiveError};
use crate::store::{ArchivedFile, Store, StoreError};

/// Files written together.
const PAGE: usize = 256;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files that are in the directory now.
    pub files: usize,
    /// Manifests likewise.
    pub manifests: usize,
    /// Files that cannot be written again, and why. Their manifests name them all the same.
    pub lost: Vec<(String, String)>,
}

/// Writes every file of the archive and every manifest into a directory, with the bytes they have or had in the archive.
/// What is there already is left; other bytes under the same name are an error.
pub fn export(store: &Store, directory: &Path) -> Result<Exported, ArchiveError> {
    if !store.unmeasured(1)?.is_empty() {
        return Err(ArchiveError::NoManifests);
    }
    let mut exported = Exported::default();
    let mut day: Option<(Draft, Day)> = None;
    let mut after = 0;
    loop {
        let page = store.filed(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.place;
        let mut batch = Vec::with_capacity(page.len());
        for filed in &page {
            if day.as_ref().is_none_or(|(_, of)| *of != filed.day) {
                let before = day.take().map(|(draft, of)| {
                    let digest = blake3::hash(draft.bytes()).into();
                    batch.push((manifest::file_name(of), draft.bytes().to_vec()));
                    exported.manifests += 1;
                    (of, digest)
                });
                day = Some((Draft::new(filed.day, before), filed.day));
            }
            if let Some((draft, _)) = &mut day {
                draft.add(&filed.file.name, filed.file.size, &filed.file.digest);
            }
            match once_more(store, &filed.file)? {
                Ok(bytes) => {
                    batch.push((filed.file.name.clone(), bytes));
                    exported.files += 1;
                }
                Err(why) => exported.lost.push((filed.file.name.clone(), why)),
            }
        }
        files::write_batch(directory, &batch)?;
    }
    if let Some((draft, of)) = day {
        let last = (manifest::file_name(of), draft.bytes().to_vec());
        files::write_batch(directory, &[last])?;
        exported.manifests += 1;
    }
    Ok(exported)
}

/// The bytes that were written, or why nobody has them any more.
fn once_more(store: &Store, file: &ArchivedFile) -> Result<Result<Vec<u8>, String>, StoreError> {
    Ok(match archive::again(store, file)? {
        Again::Bytes(bytes) if *blake3::hash(&bytes).as_bytes() == file.digest => Ok(bytes),
        Again::Bytes(_) => Err("the store renders it otherwise than it was written".to_owned()),
        Again::NotKept => Err("the store keeps its article no longer".to_owned()),
        Again::Cannot(why) => Err(format!("it cannot be rendered again: {why}")),
    })
}
