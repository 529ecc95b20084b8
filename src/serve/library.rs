//! What is served: documents that are made once a version and never change, so that an answer renders nothing and
//! compresses nothing (F-23, F-32), and a request sees one version and no other (F-40).

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use crate::model::time::Timestamp;
use crate::serve::conditional::Coding;

/// One document in every content coding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    media_type: &'static str,
    identity: Coded,
    gzip: Coded,
    br: Coded,
    zstd: Coded,
}

/// A document in one content coding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// What goes over the wire.
    pub bytes: Bytes,
    /// A strong entity tag with its quotes: a hash of exactly these bytes, the same after every restart (F-23).
    pub etag: String,
}

impl Coded {
    fn new(bytes: Vec<u8>) -> Self {
        let hash = blake3::hash(&bytes).to_hex();
        // 128 bits are enough for one address's past and present.
        let etag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
        let bytes = Bytes::from(bytes);
        Self { bytes, etag }
    }
}

impl Document {
    /// Compresses a document. Slow by intention (once a version, for every reader): not for an async thread.
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> io::Result<Self> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let mut br = Vec::new();
        let quality = brotli::enc::BrotliEncoderParams {
            quality: 9,
            size_hint: bytes.len(),
            ..brotli::enc::BrotliEncoderParams::default()
        };
        brotli::BrotliCompress(&mut &*bytes, &mut br, &quality)?;
        let zstd = zstd::bulk::compress(&bytes, 17)?;
        Ok(Self {
            media_type,
            gzip: Coded::new(gzip.finish()?),
            br: Coded::new(br),
            zstd: Coded::new(zstd),
            identity: Coded::new(bytes),
        })
    }

    /// What it is.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// It in this coding.
    pub fn coded(&self, coding: Coding) -> &Coded {
        match coding {
            Coding::Identity => &self.identity,
            Coding::Gzip => &self.gzip,
            Coding::Br => &self.br,
            Coding::Zstd => &self.zstd,
        }
    }
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A document; one document may stand at several paths.
    Here(Arc<Document>),
    /// Something that was here and will not come back (F-68).
    Gone,
}

/// Everything that can be asked for, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    places: HashMap<String, Place>,
    last_modified: Timestamp,
    max_age: Duration,
}

impl Version {
    /// What this path leads to.
    pub fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// In whole seconds; later than that of every version before (F-27).
    pub fn last_modified(&self) -> Timestamp {
        self.last_modified
    }

    /// How long an answer is fresh (F-35).
    pub fn max_age(&self) -> Duration {
        self.max_age
    }
}

/// Where versions are published. Whoever serves holds a receiver, and the old version is served until there is another.
#[derive(Debug)]
pub struct Library {
    latest: watch::Sender<Option<Arc<Version>>>,
}

impl Default for Library {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(None),
        }
    }
}

impl Library {
    /// The latest version, `None` until there is a first.
    pub fn latest(&self) -> watch::Receiver<Option<Arc<Version>>> {
        self.latest.subscribe()
    }

    /// Makes these places the latest version, unless they are it already; says whether it did. Paths begin with a slash.
    ///
    /// `changed` is when the documents became what they are. For the first version after a restart it should be what it
    /// was before, for readers who know no entity tags: the time of the published file is such a time.
    pub fn publish(
        &self,
        places: HashMap<String, Place>,
        changed: Timestamp,
        max_age: Duration,
        now: Timestamp,
    ) -> bool {
        self.latest.send_if_modified(|latest| {
            let whole = |time: Timestamp| Timestamp::from_secs(time.millis().div_euclid(1000));
            let mut last_modified = whole(changed.min(now));
            if let Some(before) = latest.as_deref() {
                if before.places == places && before.max_age == max_age {
                    return false;
                }
                last_modified =
                    last_modified.max(before.last_modified.plus(Duration::from_secs(1)));
            }
            *latest = Some(Arc::new(Version {
                places,
                last_modified,
                max_age,
            }));
            true
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
        let bytes = |coding| document.coded(coding).bytes.clone();
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
        let tags: std::collections::HashSet<_> =
            codings.map(|coding| &document.coded(coding).etag).into();
        assert_eq!(tags.len(), 4);
        let hash = blake3::hash(&words).to_hex();
        assert_eq!(
            document.coded(Coding::Identity).etag,
            format!("\"{}\"", &hash[..32])
        );
    }

    #[test]
    fn f_27_every_version_is_at_least_a_second_later() {
        let library = Library::default();
        let latest = library.latest();
        let now = Timestamp::from_millis(1_000_900);
        let at = |path: &str| HashMap::from([(path.to_owned(), Place::Gone)]);
        let mut dates = Vec::new();
        for number in 0..5 {
            let later = now.plus(Duration::from_millis(number * 10));
            assert!(library.publish(at(&format!("/{number}")), later, Duration::ZERO, later));
            dates.push(latest.borrow().as_ref().unwrap().last_modified().millis());
        }
        assert_eq!(
            dates,
            [1_000_000, 1_001_000, 1_002_000, 1_003_000, 1_004_000]
        );
        // The same again is no version; a clock that went back, or a change dated ahead, changes nothing of the order.
        assert!(!library.publish(at("/4"), now, Duration::ZERO, now));
        assert!(library.publish(at("/5"), now, Duration::ZERO, Timestamp::EPOCH));
        let last = latest.borrow().as_ref().unwrap().last_modified();
        assert_eq!(last.millis(), 1_005_000);
        let first = Library::default();
        first.publish(
            at("/"),
            now.plus(Duration::from_hours(1)),
            Duration::ZERO,
            now,
        );
        let clamped = first.latest().borrow().as_ref().unwrap().last_modified();
        assert_eq!(clamped.millis(), 1_000_000);
    }
}
