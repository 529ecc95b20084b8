//! `/search?q=…`: what is asked for, as a feed that anybody can subscribe to.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, header};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::model::time::{Timestamp, Zone};
use crate::rules::query::Query;
use crate::serve::library::Document;
use crate::serve::limits::Cost;
use crate::serve::problem::{Problem, number};
use crate::serve::site::{Offer, Site};
use crate::service::shelf::Feed;

/// Where it is.
pub(super) const PATH: &str = "/search";

/// Searches under way at once; who comes then waits a little, and is sent away after that.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer is fresh.
const FRESH: Duration = Duration::from_mins(1);

/// Renders what is found by a query, which was asked in these words. It waits for the store, so it runs where it may.
pub type Finder = Box<dyn Fn(&Query, &str) -> Result<Feed, String> + Send + Sync>;

/// Who answers.
pub struct Search {
    finder: Arc<Finder>,
    turns: Semaphore,
}

impl Search {
    /// By this finder.
    pub fn new(finder: Finder) -> Self {
        Self {
            finder: Arc::new(finder),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

/// The answer to a request at [`PATH`].
pub(super) async fn answer(site: &Site, search: &Search, request: Request) -> Response<Body> {
    if let Some(refused) = site.too_often(&request, PATH, Cost::Question) {
        return refused;
    }
    let Some(asked) = asked(request.uri().query().unwrap_or_default()) else {
        return Problem::QUERY.detailed("expected one query: /search?q=…");
    };
    let query = match Query::parse(&asked, &Zone::utc()) {
        Ok(query) => query,
        Err(error) => return Problem::QUERY.detailed(&error.to_string()),
    };
    // The same search is asked as seldom as any other feed; a hash, since a stranger's words are long.
    let path = format!(
        "{PATH}?{}",
        blake3::hash(query.normal().as_bytes()).to_hex()
    );
    let Ok(Ok(_turn)) = timeout(PATIENCE, search.turns.acquire()).await else {
        return Problem::BUSY.with(header::RETRY_AFTER, HeaderValue::from_static("10"));
    };
    let finder = Arc::clone(&search.finder);
    let found = spawn_blocking(move || {
        let feed = finder(&query, &asked)?;
        Document::for_one(feed.media_type, feed.bytes).map_err(|error| error.to_string())
    });
    let document = match found.await {
        Ok(Ok(document)) => document,
        Ok(Err(error)) => {
            tracing::error!(%error, "a search failed");
            return Problem::BROKEN.response();
        }
        Err(error) => {
            tracing::error!(%error, "a defect in feedmill: a search broke down");
            return Problem::BROKEN.response();
        }
    };
    let seconds = FRESH.as_secs();
    let offer = Offer {
        document: &document,
        // None: what is found changes with the index, which has no date.
        last_modified: Timestamp::from_millis(i64::MAX),
        caching: number("public, max-age=", seconds),
        shown: None,
    };
    site.answer(&request, &path, &offer)
}

/// The one `q` of a query string.
fn asked(query: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "q")
        .map(|(_, value)| value.into_owned());
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn one_query_is_asked_in_whatever_coding() {
        let check = |query: &str, expected: Option<&str>| {
            assert_eq!(asked(query).as_deref(), expected, "{query}");
        };
        check("q=%E9%9B%A8", Some("雨"));
        check("q=雨", Some("雨"));
        check("a=1&q=two+words%20more&b", Some("two words more"));
        check("q=%FF%00", Some("\u{FFFD}\0"));
        check("q=", Some(""));
        check("", None);
        check("Q=a", None);
        check("q=a&q=b", None);
    }
}
