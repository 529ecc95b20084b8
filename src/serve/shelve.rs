//! Publications to a version: everything that is new is compressed, and everything that is not is taken over.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

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
    let mut places = HashMap::with_capacity(publications.len());
    for publication in publications {
        let media_type = publication.media_type;
        let place = match publication.matter {
            Matter::Gone => Place::Gone,
            Matter::Kept(file) => Place::Kept(Kept {
                media_type,
                gzip: Sealed::twin(&file),
                file,
            }),
            Matter::Made(made) => {
                let at = made.laid.bytes.as_ptr();
                let same = known
                    .get(&at)
                    .filter(|document| document.media_type() == media_type);
                let document = match same {
                    Some(document) => document.clone(),
                    None => Arc::new(document(media_type, made)?),
                };
                known.insert(at, document.clone());
                let (view, changed) = (&publication.view, publication.changed);
                Place::Here(Shown::new(document, view, changed, publication.max_age))
            }
        };
        places.insert(publication.path, place);
    }
    Ok(places)
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
