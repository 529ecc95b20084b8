//! What is served: documents that are made once a version and never change, so that an answer renders nothing and
//! compresses nothing (F-23, F-32), and a request sees one version and no other (F-40).

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::{Semaphore, watch};

use crate::model::time::Timestamp;
use crate::output::gallery::Gallery;
use crate::serve::conditional::Coding;

/// Earlier issues of a document that are remembered, and for how long (F-36).
const PAST: usize = 200;
const PAST_AGE: Duration = Duration::from_hours(24 * 7);

/// Files of kept documents that are read at once.
const READERS: usize = 4;

/// One document in the content codings it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    media_type: &'static str,
    identity: Coded,
    packed: Vec<(Coding, Coded)>,
    contents: Contents,
}

/// A document in one content coding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// What goes over the wire.
    pub bytes: Bytes,
    /// A strong entity tag with its quotes: a hash of exactly these bytes, the same after every restart (F-23).
    pub etag: String,
}

/// The entries of a document, for clients that want the new ones alone (F-36). None where it cannot be taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// One behind the other, newest first.
    pub entries: Vec<Entry>,
    /// Whether there are older ones than these: one that is missing from the end may have been pushed out.
    pub full: bool,
}

/// An entry of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which it is, and what it says.
    pub mark: Mark,
    /// Where it stands in the document.
    pub place: Range<usize>,
}

/// Hashes of an entry's id and of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Of its id.
    pub id: [u8; 16],
    /// Of all of it.
    pub words: [u8; 16],
}

impl Mark {
    /// Of an entry with this id and these bytes.
    pub fn of(id: &str, bytes: &[u8]) -> Self {
        let short = |bytes: &[u8]| {
            let mut half = [0; 16];
            let hash = blake3::hash(bytes);
            half.iter_mut()
                .zip(hash.as_bytes())
                .for_each(|(to, from)| *to = *from);
            half
        };
        Self {
            id: short(id.as_bytes()),
            words: short(bytes),
        }
    }
}

impl Coded {
    fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let hash = blake3::hash(&bytes).to_hex();
        // 128 bits are enough for one address's past and present.
        let etag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
        Self { bytes, etag }
    }
}

impl Document {
    /// Compresses a document. Slow by intention (once a version, for every reader): not for an async thread.
    pub fn new(media_type: &'static str, bytes: impl Into<Bytes>) -> io::Result<Self> {
        let bytes = bytes.into();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let mut br = Vec::new();
        let quality = brotli::enc::BrotliEncoderParams {
            quality: 9,
            size_hint: bytes.len(),
            ..brotli::enc::BrotliEncoderParams::default()
        };
        brotli::BrotliCompress(&mut &*bytes, &mut br, &quality)?;
        // Level 17 saves a tenth more and takes ten times as long as everything else here: a start with many feeds waits.
        let zstd = zstd::bulk::compress(&bytes, 12)?;
        Ok(Self {
            media_type,
            packed: vec![
                (Coding::Br, Coded::new(br)),
                (Coding::Zstd, Coded::new(zstd)),
                (Coding::Gzip, Coded::new(gzip.finish()?)),
            ],
            identity: Coded::new(bytes),
            contents: Contents::default(),
        })
    }

    /// Compresses a document for one reader: quickly, and in the coding that everybody takes. Not for an async thread.
    pub fn for_one(media_type: &'static str, bytes: Vec<u8>) -> io::Result<Self> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes)?;
        let gzip = gzip.finish()?;
        Ok(Self::kept(media_type, bytes, Some(gzip)))
    }

    /// One that was compressed before, where it was.
    pub fn kept(media_type: &'static str, bytes: Vec<u8>, gzip: Option<Vec<u8>>) -> Self {
        Self {
            media_type,
            identity: Coded::new(bytes),
            packed: gzip
                .map(|gzip| (Coding::Gzip, Coded::new(gzip)))
                .into_iter()
                .collect(),
            contents: Contents::default(),
        }
    }

    /// The same, and what is in it.
    #[must_use]
    pub fn with(self, contents: Contents) -> Self {
        Self { contents, ..self }
    }

    /// What it is.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// It in this coding, if it has it; identity it always has.
    pub fn coded(&self, coding: Coding) -> Option<&Coded> {
        let packed = self.packed.iter().find(|(known, _)| *known == coding);
        packed
            .map(|(_, coded)| coded)
            .or_else(|| (coding == Coding::Identity).then_some(&self.identity))
    }

    /// It as it is.
    pub fn identity(&self) -> &Coded {
        &self.identity
    }

    /// What is in it.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A document.
    Here(Shown),
    /// A document that never changes, in a file (F-49).
    Kept(Kept),
    /// A document that is being made: it is there in a later version.
    Coming,
    /// Something that was here and will not come back (F-68).
    Gone,
}

/// A document in memory; one may stand at several paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What there is.
    pub document: Arc<Document>,
    /// Documents of one view are dated together.
    pub view: String,
    /// When it became what it is, in whole seconds; later than that of every issue before (F-27).
    pub last_modified: Timestamp,
    /// How long an answer is fresh (F-35).
    pub max_age: Duration,
    /// What it was before, newest first.
    past: Vec<Arc<Past>>,
}

impl Shown {
    /// A document that `changed` when the store says.
    ///
    /// For the first version after a restart that should be what it was before, for readers who know no entity tags.
    pub fn new(document: Arc<Document>, view: &str, changed: Timestamp, max_age: Duration) -> Self {
        Self {
            document,
            view: view.to_owned(),
            last_modified: changed,
            max_age,
            past: Vec::new(),
        }
    }

    /// What it was before, newest first.
    pub fn past(&self) -> &[Arc<Past>] {
        &self.past
    }
}

/// What a document was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its entity tags, without quotes.
    pub tags: Vec<String>,
    /// What was in it, in its order.
    pub entries: Vec<Mark>,
    /// When it was replaced.
    pub until: Timestamp,
}

impl Past {
    fn of(shown: &Shown, until: Timestamp) -> Self {
        let document = &shown.document;
        let packed = document.packed.iter().map(|(_, coded)| coded);
        let tags = packed.chain([&document.identity]);
        Self {
            tags: tags
                .map(|coded| coded.etag.trim_matches('"').to_owned())
                .collect(),
            entries: document
                .contents
                .entries
                .iter()
                .map(|entry| entry.mark)
                .collect(),
            until,
        }
    }
}

/// A document in a file, which is read when somebody asks: there may be thousands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is.
    pub media_type: &'static str,
    /// The file.
    pub file: PathBuf,
    /// The same in gzip; it may be missing.
    pub gzip: PathBuf,
}

/// Everything that can be asked for, at one moment.
#[derive(Debug)]
pub struct Version {
    places: HashMap<String, Place>,
    /// Who may read a kept document.
    pub(super) readers: Arc<Semaphore>,
    images: Arc<RwLock<Arc<Gallery>>>,
}

impl Version {
    /// The copies of pictures that are shown now, whichever version this is: a reader who has an older one asks for its
    /// pictures, too.
    pub fn images(&self) -> Arc<Gallery> {
        let images = self.images.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&images)
    }

    /// What this path leads to.
    pub fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// Whether something is still being made.
    pub fn is_partial(&self) -> bool {
        self.places.values().any(|place| *place == Place::Coming)
    }

    /// Everything there is.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.places.iter().map(|(path, place)| (&**path, place))
    }
}

/// Where versions are published. Whoever serves holds a receiver, and the old version is served until there is another.
#[derive(Debug)]
pub struct Library {
    latest: watch::Sender<Option<Arc<Version>>>,
    readers: Arc<Semaphore>,
    images: Arc<RwLock<Arc<Gallery>>>,
}

impl Default for Library {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(None),
            readers: Arc::new(Semaphore::new(READERS)),
            images: Arc::default(),
        }
    }
}

impl Library {
    /// The latest version, `None` until there is a first.
    pub fn latest(&self) -> watch::Receiver<Option<Arc<Version>>> {
        self.latest.subscribe()
    }

    /// Shows these copies of pictures and no others. Before the version whose documents name them.
    pub fn show_images(&self, gallery: Gallery) {
        let mut images = self.images.write().unwrap_or_else(PoisonError::into_inner);
        if **images != gallery {
            *images = Arc::new(gallery);
        }
    }

    /// Makes these places the latest version, unless they are it already; says whether it did. Paths begin with a slash.
    /// What was at a path that is not among them is gone.
    pub fn publish(&self, mut places: HashMap<String, Place>, now: Timestamp) -> bool {
        self.latest.send_if_modified(|latest| {
            let before = latest.as_deref().map(|version| &version.places);
            settle(&mut places, before.unwrap_or(&HashMap::new()), now);
            if before == Some(&places) {
                return false;
            }
            let version = Version {
                places: std::mem::take(&mut places),
                readers: self.readers.clone(),
                images: Arc::clone(&self.images),
            };
            *latest = Some(Arc::new(version));
            true
        })
    }
}

/// Dates what is new, and remembers what was.
fn settle(places: &mut HashMap<String, Place>, before: &HashMap<String, Place>, now: Timestamp) {
    // Of each view: whether it changed, and the date before.
    let mut views: HashMap<String, (bool, Option<Timestamp>)> = HashMap::new();
    for (path, place) in &*places {
        let Place::Here(shown) = place else { continue };
        let old = match before.get(path) {
            Some(Place::Here(old)) => Some(old),
            _ => None,
        };
        let view = views.entry(shown.view.clone()).or_default();
        view.0 |= old.is_none_or(|old| old.document != shown.document);
        view.1 = view.1.max(old.map(|old| old.last_modified));
    }
    for (path, place) in &mut *places {
        let Place::Here(shown) = place else { continue };
        let whole = |time: Timestamp| Timestamp::from_secs(time.millis().div_euclid(1000));
        let changed = whole(shown.last_modified.min(now));
        shown.last_modified = match views.get(&shown.view) {
            Some((false, Some(date))) => *date,
            Some((true, Some(date))) => changed.max(date.plus(Duration::from_secs(1))),
            _ => changed,
        };
        if let Some(Place::Here(old)) = before.get(path) {
            shown.past.clone_from(&old.past);
            let divisible = !old.document.contents.entries.is_empty();
            if divisible && old.document != shown.document {
                shown.past.insert(0, Arc::new(Past::of(old, now)));
                shown.past.truncate(PAST);
                shown.past.retain(|past| now.since(past.until) <= PAST_AGE);
            }
        }
    }
    for path in before.keys() {
        if !places.contains_key(path) {
            places.insert(path.clone(), Place::Gone);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::io::Read as _;

    use super::*;

    #[test]
    fn f_23_every_coding_is_the_same_document_under_a_tag_of_its_own() {
        let words = "甲乙丙丁 <p>words</p>".repeat(100).into_bytes();
        let document = Document::new("text/plain", words.clone()).unwrap();
        assert_eq!(
            document,
            Document::new("text/plain", words.clone()).unwrap()
        );
        let bytes = |coding| document.coded(coding).unwrap().bytes.clone();
        let mut read = [Vec::new(), Vec::new(), Vec::new()];
        flate2::read::GzDecoder::new(&*bytes(Coding::Gzip))
            .read_to_end(&mut read[0])
            .unwrap();
        brotli_decompressor::Decompressor::new(&*bytes(Coding::Br), 4096)
            .read_to_end(&mut read[1])
            .unwrap();
        read[2] = zstd::bulk::decompress(&bytes(Coding::Zstd), 1 << 20).unwrap();
        assert!(read.iter().all(|read| *read == words));
        let codings = [Coding::Identity, Coding::Gzip, Coding::Br, Coding::Zstd];
        let tags: std::collections::HashSet<_> = codings
            .map(|coding| &document.coded(coding).unwrap().etag)
            .into();
        assert_eq!(tags.len(), 4);
        let hash = blake3::hash(&words).to_hex();
        assert_eq!(document.identity().etag, format!("\"{}\"", &hash[..32]));
    }

    /// One document of these words at this path.
    fn at(path: &str, words: &str, changed: Timestamp) -> HashMap<String, Place> {
        let document = Document::kept("text/plain", words.into(), None);
        let view = path.split('.').next().unwrap();
        let shown = Shown::new(Arc::new(document), view, changed, Duration::ZERO);
        HashMap::from([(path.to_owned(), Place::Here(shown))])
    }

    fn date(library: &Library, path: &str) -> i64 {
        let latest = library.latest();
        match latest.borrow().as_ref().unwrap().place(path) {
            Some(Place::Here(shown)) => shown.last_modified.millis(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn f_27_every_version_is_at_least_a_second_later() {
        let library = Library::default();
        let now = Timestamp::from_millis(1_000_900);
        let mut dates = Vec::new();
        for number in 0..5 {
            let later = now.plus(Duration::from_millis(number * 10));
            assert!(library.publish(at("/a", &number.to_string(), later), later));
            dates.push(date(&library, "/a"));
        }
        assert_eq!(
            dates,
            [1_000_000, 1_001_000, 1_002_000, 1_003_000, 1_004_000]
        );
        // The same again is no version; a clock that went back, or a change dated ahead, changes nothing of the order.
        assert!(!library.publish(at("/a", "4", now), now));
        assert!(library.publish(at("/a", "5", now), Timestamp::EPOCH));
        assert_eq!(date(&library, "/a"), 1_005_000);
        let first = Library::default();
        first.publish(at("/a", "", now.plus(Duration::from_hours(1))), now);
        assert_eq!(date(&first, "/a"), 1_000_000);
    }

    #[test]
    fn f_27_formats_of_a_view_have_one_date_and_other_views_keep_theirs() {
        let library = Library::default();
        let [then, now] = [1_000_000, 2_000_000].map(Timestamp::from_millis);
        let version = |words: &str, changed| {
            let mut places = at("/a.atom", words, changed);
            places.extend(at("/a.rss", "same", changed));
            places.extend(at("/b.atom", "same", changed));
            places
        };
        library.publish(version("one", then), now);
        library.publish(version("two", now), now);
        let dates = ["/a.atom", "/a.rss", "/b.atom"].map(|path| date(&library, path));
        assert_eq!(dates, [2_000_000, 2_000_000, 1_000_000]);
    }

    #[test]
    fn f_68_what_was_there_is_gone_for_good() {
        let library = Library::default();
        let now = Timestamp::EPOCH;
        library.publish(at("/a", "", now), now);
        assert!(library.publish(at("/b", "", now), now));
        let latest = library.latest();
        let version = latest.borrow().clone().unwrap();
        assert_eq!(version.place("/a"), Some(&Place::Gone));
        assert_eq!(version.place("/c"), None);
        assert!(!library.publish(at("/b", "", now), now));
    }
}
