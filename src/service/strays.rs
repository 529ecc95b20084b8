//! Files of the archive that the store does not know: written before an older copy of it was put back.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::model::time::Zone;
use crate::output::archive;
use crate::output::archive::manifest::{self, Digest};
use crate::output::files::{self, FileError};

/// What the manifests that were set aside say of files.
#[derive(Debug, Default)]
pub(super) struct Then {
    digests: HashMap<String, Vec<Digest>>,
}

impl Then {
    /// Those of a directory; none where it cannot be listed. One that somebody damaged says nothing.
    pub fn read(directory: &Path) -> Result<Self, FileError> {
        let mut then = Self::default();
        let entries = fs::read_dir(directory).into_iter().flatten();
        for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            if !manifest::is_set_aside(&name) {
                continue;
            }
            let bytes = files::read_if_there(&directory.join(&name))?.unwrap_or_default();
            let lines = manifest::parse(&bytes).map_or_else(|_| Vec::new(), |then| then.files);
            for line in lines {
                then.digests.entry(line.name).or_default().push(line.digest);
            }
        }
        Ok(then)
    }

    /// The format of a file that was written before the store was put back, if it can be proven or believed: it is what a
    /// manifest of then says, or where none names it, a whole file of its format.
    pub fn format_of(&self, name: &str, bytes: &[u8], digest: &Digest) -> Option<&'static str> {
        let format = archive::detect(bytes)?;
        let is_whole = || {
            let sheet = format.parse(bytes, &Zone::utc());
            sheet.is_ok_and(|sheet| !sheet.body.text.trim().is_empty())
        };
        let digests = self.digests.get(name);
        let is_it = digests.map_or_else(is_whole, |digests| digests.contains(digest));
        is_it.then_some(format.name())
    }
}
