//! Files of the archive that the store does not know: written before an older copy of it was put back.

use std::fs;
use std::path::Path;

use crate::model::time::Zone;
use crate::output::archive::{self, manifest};
use crate::output::files::{self, FileError};

/// The format of a file that was written before the store was put back, if it can be proven or believed: it is what a
/// manifest of then says, or where none names it, a whole file of its format.
pub(super) fn proven(
    directory: &Path,
    name: &str,
    bytes: &[u8],
    digest: &manifest::Digest,
) -> Result<Option<&'static str>, FileError> {
    let Some(format) = archive::detect(bytes) else {
        return Ok(None);
    };
    let entries = fs::read_dir(directory).into_iter().flatten();
    for entry in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        if !manifest::is_set_aside(&entry) {
            continue;
        }
        let then = files::read_if_there(&directory.join(&entry))?.unwrap_or_default();
        // One that somebody damaged says nothing.
        let Ok(then) = manifest::parse(&then) else {
            continue;
        };
        if let Some(line) = then.files.iter().find(|line| line.name == name) {
            return Ok((line.digest == *digest).then_some(format.name()));
        }
    }
    let sheet = format.parse(bytes, &Zone::utc());
    let is_whole = sheet.is_ok_and(|sheet| !sheet.body.text.trim().is_empty());
    Ok(is_whole.then_some(format.name()))
}
