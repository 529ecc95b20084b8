//! A store that is older than its archive: a copy was put back, or a new store stands beside an old archive. Numbers that
//! files bear already are not given again, and stories that have a file get no second one.

use std::fs;
use std::io;
use std::path::Path;

use crate::model::ids::ArticleSeq;
use crate::output::archive::{manifest, name};
use crate::output::files;
use crate::output::sealed;
use crate::service::publish::PublishError;
use crate::store::{Store, Stray};

/// A file with a higher number was named by somebody else: it must not use up all numbers there are.
const BELOW: u64 = 1 << 40;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The number that would have been next.
    pub next: ArticleSeq,
    /// The one that is next now.
    pub now: ArticleSeq,
    /// Files of the archive that the store knows nothing of.
    pub files: usize,
}

/// Brings the store beyond all numbers that the archive's files and the archive documents in `sealed` bear. `None`: it is
/// already. An archive that cannot be listed is the publication's trouble, not this one's.
pub async fn catch_up(
    store: &Store,
    archive: Option<&Path>,
    sealed: &Path,
) -> Result<Option<Behind>, PublishError> {
    let next = store.next_seq()?;
    let mut strays = Vec::new();
    let mut highest = None;
    for (seq, stray) in archive.map(named).unwrap_or_default() {
        if seq >= next {
            highest = highest.max(Some(seq));
            strays.push(stray);
        }
    }
    let documents = sealed::list(sealed)?.into_iter().map(|page| page.last);
    let highest = highest.max(documents.filter(|last| *last >= next).max());
    let Some(now) = highest
        .and_then(|highest| highest.0.checked_add(1))
        .map(ArticleSeq)
    else {
        return Ok(None);
    };
    let files = strays.len();
    if let Some(directory) = archive {
        set_aside(store, directory)?;
    }
    store.keep_strays(strays, now).await?;
    Ok(Some(Behind { next, now, files }))
}

/// Gives manifests that the store did not write as they are another name: they name files it knows nothing of, so it could
/// neither go on with them nor write over them, and they prove what there was before.
fn set_aside(store: &Store, directory: &Path) -> Result<(), PublishError> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let Some(day) = manifest::day_of(&name) else {
            continue;
        };
        let path = directory.join(&name);
        let there = files::read_if_there(&path)?.unwrap_or_default();
        let noted = store.manifest(day)?.map(|noted| noted.digest);
        if noted != Some(*blake3::hash(&there).as_bytes()) {
            files::set_aside(&path, manifest::BEFORE_RESTORE)?;
        }
    }
    files::sync_dir(directory)?;
    Ok(())
}

/// The files of a directory that have names of archive files. Of one that cannot be listed, none.
fn named(directory: &Path) -> Vec<(ArticleSeq, Stray)> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, path = %directory.display(), "the archive cannot be listed");
            }
            return Vec::new();
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let strays = names.filter_map(|name| {
        let (seq, content) = name::parse_file_name(&name)?;
        (seq.0 < BELOW).then_some((seq, Stray { content, name }))
    });
    strays.collect()
}
