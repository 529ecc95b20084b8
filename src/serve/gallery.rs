//! Copies of pictures over HTTP: files that never change, read piece by piece while they are sent, so that a slow client holds
//! a piece and not a picture.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::model::time::Timestamp;
use crate::output::gallery::PLACE;
use crate::serve::conditional::{Coding, Current, not_modified};
use crate::serve::library::Version;
use crate::serve::problem::{Problem, number, text};
use crate::serve::site::{FOR_EVER, Site, conditions, cost};

/// Bytes that are read at once.
const PIECE: u64 = 64 * 1024;

/// The name of the picture that a path asks for; `None` of every other path.
pub(super) fn name(path: &str) -> Option<&str> {
    path.strip_prefix('/')?
        .strip_prefix(PLACE)?
        .strip_prefix('/')
}

/// A picture that is shown, or 404: whatever else there is in the folder has no name. It carries the headers of every answer,
/// by which nothing in it could run were it no picture after all.
pub(super) async fn answer(site: &Site, request: Request, version: &Version) -> Response {
    let shown = name(request.uri().path()).and_then(|name| version.images().file(name));
    let Some((file, digest, kind)) = shown else {
        return Problem::NOT_FOUND.response();
    };
    let digest = blake3::Hash::from_bytes(digest).to_hex();
    let etag = format!("\"{}\"", digest.get(..32).unwrap_or(&digest));
    let has_it = match has(site, &request, &etag) {
        Ok(has) => has,
        Err(refused) => return *refused,
    };
    let mut response = Response::new(Body::empty());
    if has_it {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let (file, length) = match open(&file, &version.readers).await {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Problem::NOT_FOUND.response(); // it had to go a moment ago
            }
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "a copy of a picture cannot be read");
                return Problem::BROKEN.response();
            }
        };
        if request.method() != Method::HEAD {
            *response.body_mut() = body(file, length);
        }
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(kind.media_type());
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CONTENT_LENGTH, number("", length));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    }
    let headers = response.headers_mut();
    headers.insert(header::ETAG, text(&etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    response
}

/// Whether the client has the picture already; `Err` where it asks too often.
fn has(site: &Site, request: &Request, etag: &str) -> Result<bool, Box<Response>> {
    let conditions = conditions(request.headers());
    if let Some(refused) = site.too_often(request, request.uri().path(), cost(request, &conditions))
    {
        return Err(Box::new(refused));
    }
    let current = Current {
        tag: &|coding| (coding == Coding::Identity).then_some(etag),
        coding: Coding::Identity,
        last_modified: Timestamp::EPOCH,
        now: (site.clock)(),
    };
    // It has no date.
    Ok(!conditions.none_match.is_empty() && not_modified(&conditions, &current).is_some())
}

/// Opens a file; says how long it is. A few are opened at once, and none on the async thread.
async fn open(path: &Path, readers: &Semaphore) -> io::Result<(File, u64)> {
    let _turn = readers.acquire().await.map_err(io::Error::other)?;
    let path = path.to_owned();
    let opened = spawn_blocking(move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    });
    opened.await.map_err(io::Error::other)?
}

/// The file as the body of an answer.
fn body(file: File, length: u64) -> Body {
    Body::new(Pieces {
        file: Arc::new(file),
        left: length,
        reading: None,
    })
}

struct Pieces {
    file: Arc<File>,
    /// Bytes that were not sent yet.
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let (file, most) = (&this.file, this.left.min(PIECE));
        let reading = this.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            spawn_blocking(move || piece(&file, most))
        });
        let read = ready!(Pin::new(reading).poll(context));
        this.reading = None;
        let read = read.map_err(io::Error::other).flatten();
        if let Ok(bytes) = &read {
            this.left = this.left.saturating_sub(bytes.len() as u64);
        } else {
            this.left = 0;
        }
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The next piece of a file. One that ends before it should is an error, and the connection with it.
fn piece(mut file: &File, most: u64) -> io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(0));
    Read::by_ref(&mut file).take(most).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes.into())
}
