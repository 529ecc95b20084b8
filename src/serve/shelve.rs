//! Publications to a version: everything that is new is compressed, and everything that is not is taken over.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::body::Bytes;
use tokio::task::spawn_blocking;

use crate::model::time::Timestamp;
use crate::output::sealed::Sealed;
use crate::serve::library::{
    Contents, Document, Entry, Kept, Library, Mark, Place, Shown, Version,
};
use crate::service::shelf::{Made, Matter, Publication};

/// Makes these publications what is served; says whether anything changed. Compresses on a thread of its own: a document
/// that was served before costs nothing.
pub async fn shelve(
    library: &Library,
    publications: Vec<Publication>,
    now: Timestamp,
) -> io::Result<bool> {
    let before = library.latest().borrow().clone();
    let places = spawn_blocking(move || places(publications, before.as_deref()));
    let places = places.await.map_err(io::Error::other)??;
    Ok(library.publish(places, now))
}

fn places(
    publications: Vec<Publication>,
    before: Option<&Version>,
) -> io::Result<HashMap<String, Place>> {
    // By where their bytes lie, which nobody can have given to another while we hold the document.
    let mut known: HashMap<*const u8, Arc<Document>> = HashMap::new();
    for (_, place) in before.into_iter().flat_map(Version::places) {
        if let Place::Here(shown) = place {
            known.insert(
                shown.document.identity().bytes.as_ptr(),
                shown.document.clone(),
            );
        }
    }
    let mut fresh: Vec<(&'static str, Arc<Made>)> = Vec::new();
    let mut seen = HashSet::new();
    for publication in &publications {
        if let Matter::Made(made) = &publication.matter
            && !is_known(&known, publication.media_type, made)
            && seen.insert(made.laid.bytes.as_ptr())
        {
            fresh.push((publication.media_type, made.clone()));
        }
    }
    for document in documents(&fresh)? {
        known.insert(document.identity().bytes.as_ptr(), document);
    }
    let mut places = HashMap::with_capacity(publications.len());
    for publication in publications {
        let media_type = publication.media_type;
        let place = match publication.matter {
            Matter::Gone => Place::Gone,
            Matter::Coming => Place::Coming,
            Matter::Kept(file) => Place::Kept(Kept {
                media_type,
                gzip: Sealed::twin(&file),
                file,
            }),
            Matter::Made(made) => {
                let found = known
                    .get(&made.laid.bytes.as_ptr())
                    .filter(|document| document.media_type() == media_type);
                let document = match found {
                    Some(document) => document.clone(),
                    // The same bytes as something else.
                    None => Arc::new(document(media_type, made)?),
                };
                let (view, changed) = (&publication.view, publication.changed);
                Place::Here(Shown::new(document, view, changed, publication.max_age))
            }
        };
        places.insert(publication.path, place);
    }
    Ok(places)
}

fn is_known(known: &HashMap<*const u8, Arc<Document>>, media_type: &str, made: &Made) -> bool {
    known
        .get(&made.laid.bytes.as_ptr())
        .is_some_and(|document| document.media_type() == media_type)
}

/// Documents of all of these, compressed on as many threads as there are processors: a first version has hundreds.
fn documents(fresh: &[(&'static str, Arc<Made>)]) -> io::Result<Vec<Arc<Document>>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<Vec<Arc<Document>>> {
        let mut done = Vec::new();
        while let Some((media_type, made)) = fresh.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(Arc::new(document(media_type, made.clone())?));
        }
        Ok(done)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(fresh.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut all = Vec::with_capacity(fresh.len());
        for worker in workers {
            let done = worker.join();
            all.extend(done.unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(all)
    })
}

fn document(media_type: &'static str, made: Arc<Made>) -> io::Result<Document> {
    let entries = made.laid.entries.iter().filter_map(|part| {
        let bytes = made.laid.bytes.get(part.place.clone())?;
        Some(Entry {
            mark: Mark::of(&part.id, bytes),
            place: part.place.clone(),
        })
    });
    let contents = Contents {
        entries: entries.collect(),
        full: made.full,
    };
    let document = Document::new(media_type, Bytes::from_owner(Shared(made)))?;
    Ok(document.with(contents))
}

/// The bytes where they lie: they are not kept twice.
struct Shared(Arc<Made>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0.laid.bytes
    }
}
