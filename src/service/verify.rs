//! The proof that the files of the archive, its manifests and the store are the same thing.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use crate::model::time::Day;
use crate::output::archive::manifest::{self, Digest, Draft};
use crate::output::archive::name;
use crate::output::files::{self, FileError};
use crate::service::archive::{self, Again, ArchiveError};
use crate::store::{ArchivedFile, Filed, NotedManifest, Store, StoreError};

/// Rows of the store looked at together.
const PAGE: usize = 512;

/// Threads that read and render.
const READERS: usize = 4;

/// Lines of a changed manifest that are told one by one.
const TOLD: usize = 20;

/// What kind of difference was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file of the archive is not there.
    Missing,
    /// It has other bytes than were written.
    Changed,
    /// It is longer or shorter than what was written.
    Size,
    /// It cannot be read, or is no regular file.
    Unreadable,
    /// It is as it was written, and the store renders it otherwise or not at all.
    Store,
    /// It has the name of a file of the archive, and neither a manifest nor the store knows it.
    Unknown,
    /// A manifest is not there.
    ManifestMissing,
    /// A manifest does not say what was written.
    ManifestChanged,
    /// A manifest of a day without files.
    ManifestUnknown,
    /// A manifest names another one before it than the one that is before it.
    Chain,
    /// The digest that was given is that of no state of any manifest.
    Anchor,
}

impl Kind {
    /// Its name for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Size => "size-differs",
            Self::Unreadable => "unreadable",
            Self::Store => "store-differs",
            Self::Unknown => "not-in-manifest",
            Self::ManifestMissing => "manifest-missing",
            Self::ManifestChanged => "manifest-changed",
            Self::ManifestUnknown => "manifest-unknown",
            Self::Chain => "chain-broken",
            Self::Anchor => "anchor-unknown",
        }
    }
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of what kind.
    pub kind: Kind,
    /// The file.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is to be proven.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Digests are compared, and nothing is rendered anew.
    pub quick: bool,
    /// The digest that the last manifest had at some time.
    pub anchor: Option<Digest>,
}

/// What a proof of the archive found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Files that are there, unchanged, and what the store renders today (or was not asked to).
    pub proven: usize,
    /// Of these, how many could only be compared by their digest, since the store keeps their articles no longer.
    pub by_digest: usize,
    /// Manifests that say what was written.
    pub manifests: usize,
    /// What is not as it was written.
    pub differences: Vec<Difference>,
    /// What the next publication will finish: no difference.
    pub unfinished: Vec<(String, &'static str)>,
    /// What feedmill did not write: named and not judged.
    pub foreign: Vec<String>,
    /// The last manifest and its digest: who has it written down elsewhere can prove all before it.
    pub newest: Option<(Day, Digest)>,
    /// The state of a manifest whose digest was given: its day, and how many files it named.
    pub anchored: Option<(Day, usize)>,
}

/// Compares every file with its manifest, its row in the store and what the store renders, and every manifest with what
/// it has to be. The directory is listed once. A service may be at work meanwhile.
pub fn verify(store: &Store, directory: &Path, asked: &Asked) -> Result<Proof, ArchiveError> {
    let mut walk = Walk {
        store,
        directory,
        asked,
        there: listed(directory)?,
        proof: Proof::default(),
        before: None,
        days: BTreeSet::new(),
    };
    let mut day: Option<(Draft, Day)> = None;
    let mut after = 0;
    loop {
        let page = store.filed(after, PAGE)?;
        let Some(last) = page.last() else {
            // What is on the disk is read before it is asked whether that was all: the service notes files first.
            let Some((draft, of)) = day.take() else { break };
            let looked = walk.look(of, &draft)?;
            if store.filed(after, 1)?.is_empty() {
                walk.judge(of, &draft, looked);
                break;
            }
            day = Some((draft, of));
            continue;
        };
        after = last.place;
        walk.files(&page)?;
        for filed in &page {
            if day.as_ref().is_none_or(|(_, of)| *of != filed.day) {
                if let Some((draft, of)) = day.take() {
                    let looked = walk.look(of, &draft)?;
                    walk.judge(of, &draft, looked);
                }
                day = Some((Draft::new(filed.day, walk.before), filed.day));
            }
            if let Some((draft, _)) = &mut day {
                draft.add(&filed.file.name, filed.file.size, &filed.file.digest);
            }
        }
    }
    walk.rest()?;
    Ok(walk.proof)
}

/// The names in a directory; none where it is not there.
fn listed(directory: &Path) -> Result<BTreeSet<OsString>, ArchiveError> {
    let unreadable = |error| ArchiveError::Unreadable {
        path: directory.to_owned(),
        error,
    };
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| Ok(entry.map_err(unreadable)?.file_name()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(unreadable(error)),
    }
}

/// What was found of a day's manifest: what was noted of it first, then its bytes.
struct Seen {
    noted: Option<NotedManifest>,
    bytes: Result<Option<Vec<u8>>, FileError>,
}

struct Walk<'a> {
    store: &'a Store,
    directory: &'a Path,
    asked: &'a Asked,
    /// Names that nobody has asked for yet.
    there: BTreeSet<OsString>,
    proof: Proof,
    /// The manifest before the next, as it has to be.
    before: Option<(Day, Digest)>,
    /// The days there are files of.
    days: BTreeSet<Day>,
}

impl Walk<'_> {
    fn differs(&mut self, kind: Kind, name: &str, why: impl Into<String>) {
        self.proof.differences.push(Difference {
            kind,
            name: name.to_owned(),
            why: why.into(),
        });
    }

    /// Judges the files of these rows, several at a time.
    fn files(&mut self, page: &[Filed]) -> Result<(), StoreError> {
        let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(READERS));
        let (store, directory, quick) = (self.store, self.directory, self.asked.quick);
        let judged: Vec<Result<Judged, StoreError>> = thread::scope(|scope| {
            let at_work: Vec<_> = page
                .chunks(page.len().div_ceil(threads).max(1))
                .map(|rows| {
                    scope.spawn(move || -> Vec<_> {
                        rows.iter()
                            .map(|filed| judge(store, directory, &filed.file, quick))
                            .collect()
                    })
                })
                .collect();
            at_work
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for (filed, judged) in page.iter().zip(judged) {
            self.there.remove(OsStr::new(&filed.file.name));
            match judged? {
                Judged::Proven => self.proof.proven += 1,
                Judged::ByDigest => {
                    self.proof.proven += 1;
                    self.proof.by_digest += 1;
                }
                Judged::Wrong(kind, why) => self.differs(kind, &filed.file.name, why),
            }
        }
        Ok(())
    }

    fn look(&self, day: Day, draft: &Draft) -> Result<Seen, StoreError> {
        let noted = self.store.manifest(day)?;
        let path = self.directory.join(manifest::file_name(day));
        Ok(Seen {
            noted,
            // What is longer is read far enough to be told apart.
            bytes: files::read_up_to(&path, 2 * draft.bytes().len() + (1 << 16)),
        })
    }

    /// Judges a day's manifest. `draft` is what it has to be.
    fn judge(&mut self, day: Day, draft: &Draft, seen: Seen) {
        let name = manifest::file_name(day);
        self.there.remove(OsStr::new(&name));
        let digest: Digest = blake3::hash(draft.bytes()).into();
        let noted = seen.noted.as_ref().map_or(0, |noted| noted.files);
        if let Some(anchor) = &self.asked.anchor
            && let Some(files) = draft.when_digest(anchor)
        {
            self.proof.anchored = Some((day, files));
        }
        if let Some(seen) = &seen.noted
            && draft.when_digest(&seen.digest) != Some(seen.files)
        {
            let why = "the store noted another digest of it than its rows amount to";
            self.differs(Kind::Store, &name, why);
        }
        match seen.bytes {
            Err(error) => self.differs(Kind::Unreadable, &name, cause(&error)),
            Ok(None) if noted == 0 => {
                let why = "the next publication writes it";
                self.proof.unfinished.push((name, why));
            }
            Ok(None) => self.differs(Kind::ManifestMissing, &name, "missing"),
            Ok(Some(bytes)) => match draft.when(&bytes) {
                Some(files) if files == draft.files() => self.proof.manifests += 1,
                Some(files) if files >= noted => {
                    self.proof.manifests += 1;
                    let why = "the next publication adds the last files";
                    self.proof.unfinished.push((name, why));
                }
                Some(files) => {
                    let why =
                        format!("it is as it was when it named {files} files; it named {noted}");
                    self.differs(Kind::ManifestChanged, &name, why);
                }
                None => self.changed(&name, &bytes, draft),
            },
        }
        self.days.insert(day);
        self.before = Some((day, digest));
        self.proof.newest = self.before;
    }

    /// Says what is wrong with a manifest that never was like this.
    fn changed(&mut self, name: &str, bytes: &[u8], draft: &Draft) {
        let expected = manifest::parse(draft.bytes());
        let (found, expected) = match (manifest::parse(bytes), expected) {
            (Ok(found), Ok(expected)) => (found, expected),
            (Err(bad), _) | (_, Err(bad)) => {
                self.differs(Kind::ManifestChanged, name, bad.to_string());
                return;
            }
        };
        if found.day != expected.day {
            let why = format!("it is the manifest of {}", found.day);
            self.differs(Kind::ManifestChanged, name, why);
        }
        if found.before != expected.before {
            let told = |before: Option<(Day, Digest)>| match before {
                Some((day, digest)) => {
                    format!("{} {}", manifest::file_name(day), manifest::hex(&digest))
                }
                None => "nothing".to_owned(),
            };
            let (says, is) = (told(found.before), told(expected.before));
            self.differs(
                Kind::Chain,
                name,
                format!("it says that {says} is before it; that is {is}"),
            );
        }
        let mut lines = Vec::new();
        let names: BTreeSet<&str> = expected
            .files
            .iter()
            .map(|line| line.name.as_str())
            .collect();
        for (at, line) in found.files.iter().enumerate() {
            match expected.files.get(at) {
                Some(same) if same == line => {}
                Some(other) if other.name == line.name => {
                    lines.push(format!("it has another size or digest of {}", line.name));
                }
                _ if names.contains(line.name.as_str()) => {
                    lines.push(format!("{} is not where it was", line.name));
                }
                _ => lines.push(format!("it names {}, which is not of its day", line.name)),
            }
        }
        let found: BTreeSet<&str> = found.files.iter().map(|line| line.name.as_str()).collect();
        lines.extend(
            names
                .difference(&found)
                .map(|name| format!("{name} is not in it")),
        );
        let more = lines.len().saturating_sub(TOLD);
        for line in lines.into_iter().take(TOLD) {
            self.differs(Kind::ManifestChanged, name, line);
        }
        if more > 0 {
            self.differs(
                Kind::ManifestChanged,
                name,
                format!("and {more} more of its lines"),
            );
        }
    }

    /// What is there and was not asked for, and what should have been asked for.
    fn rest(&mut self) -> Result<(), ArchiveError> {
        let cursor = self.store.archive_cursor()?;
        for name in std::mem::take(&mut self.there) {
            let name = name.to_string_lossy().into_owned();
            if manifest::day_of(&name).is_some() {
                self.differs(
                    Kind::ManifestUnknown,
                    &name,
                    "the store has no file of its day",
                );
            } else if let Some((seq, id)) = name::parse_file_name(&name) {
                let waits = cursor.is_none_or(|cursor| seq > cursor)
                    && (self.store.article(seq)?)
                        .is_some_and(|article| article.article.content.short() == id);
                if waits {
                    self.proof
                        .unfinished
                        .push((name, "the next publication notes it"));
                } else {
                    let why = "it is in no manifest and not in the store";
                    self.differs(Kind::Unknown, &name, why);
                }
            } else if files::is_temporary(&name) {
                let why = "left by a run that was cut off; the next publication removes it";
                self.proof.unfinished.push((name, why));
            } else if !manifest::is_set_aside(&name) {
                self.proof.foreign.push(name);
            }
        }
        for noted in self.store.manifests()? {
            if !self.days.contains(&noted.day) {
                let name = manifest::file_name(noted.day);
                let why = format!(
                    "it named {} files, and the store has none of its day",
                    noted.files
                );
                self.differs(Kind::Store, &name, why);
            }
        }
        if let Some(anchor) = &self.asked.anchor
            && self.proof.anchored.is_none()
        {
            let why = "no manifest ever had this digest, going by the store";
            self.differs(Kind::Anchor, &manifest::hex(anchor), why);
        }
        Ok(())
    }
}

/// What became of one file.
enum Judged {
    Proven,
    ByDigest,
    Wrong(Kind, String),
}

fn judge(
    store: &Store,
    directory: &Path,
    file: &ArchivedFile,
    quick: bool,
) -> Result<Judged, StoreError> {
    let wrong = |kind, why: &str| Ok(Judged::Wrong(kind, why.to_owned()));
    let (size, digest) = match files::digest_of(&directory.join(&file.name)) {
        Ok(Some(found)) => found,
        Ok(None) => return wrong(Kind::Missing, "missing"),
        Err(error) => return wrong(Kind::Unreadable, &cause(&error)),
    };
    match file.size.filter(|written| *written != size) {
        Some(written) => {
            let why = format!("its bytes are not those that were written: {size}, not {written}");
            return wrong(Kind::Size, &why);
        }
        None if digest != file.digest => {
            return wrong(Kind::Changed, "its bytes are not those that were written");
        }
        None if quick => return Ok(Judged::Proven),
        None => {}
    }
    match archive::again(store, file)? {
        Again::Bytes(bytes) if *blake3::hash(&bytes).as_bytes() == digest => Ok(Judged::Proven),
        Again::Bytes(_) => wrong(
            Kind::Store,
            "it is as it was written, but the store renders it otherwise",
        ),
        Again::NotKept => Ok(Judged::ByDigest),
        Again::Cannot(why) => wrong(
            Kind::Store,
            &format!("it is as it was written, but cannot be rendered again: {why}"),
        ),
    }
}

/// Why a file cannot be read, without its name.
fn cause(error: &FileError) -> String {
    match error {
        FileError::Io { source, .. } => format!("cannot be read: {source}"),
        FileError::NotAFile(_) => "cannot be read: it is no regular file".to_owned(),
        other => format!("cannot be read: {other}"),
    }
}
