//! Errors as small documents (RFC 9457), the same ones for people and programs (F-34, F-70).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};

/// An answer that says why there is no other.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    status: StatusCode,
    /// The last part of its type, which stays the same for good.
    kind: &'static str,
    title: &'static str,
    /// Seconds anybody may remember it.
    keep: u32,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $status:ident, $kind:literal, $title:literal, $keep:literal;)*) => {
        impl Problem {
            $($(#[$doc])*
            pub const $name: Self = Self {
                status: StatusCode::$status,
                kind: $kind,
                title: $title,
                keep: $keep,
            };)*
        }
    };
}

problems! {
    /// A request that breaks HTTP's rules and yet could be read.
    MALFORMED: BAD_REQUEST, "malformed", "The request is malformed", 0;
    /// A head beyond its limits.
    HEAD: REQUEST_HEADER_FIELDS_TOO_LARGE, "head", "The head of the request is too large", 0;
    /// A search that cannot be understood.
    QUERY: BAD_REQUEST, "query", "The query cannot be understood", 0;
    /// Others are served first.
    BUSY: SERVICE_UNAVAILABLE, "busy", "Too much is asked at once", 0;
    /// Nothing there.
    NOT_FOUND: NOT_FOUND, "not-found", "There is nothing here", 300;
    /// Nothing there any more.
    GONE: GONE, "gone", "What was here is gone for good", 300;
    /// Neither GET nor HEAD nor OPTIONS.
    METHOD: METHOD_NOT_ALLOWED, "method", "This can only be read", 300;
    /// No coding the client takes.
    CODING: NOT_ACCEPTABLE, "coding", "There is no content coding you accept", 0;
    /// A request with a body.
    BODY: PAYLOAD_TOO_LARGE, "body", "Requests have no body here", 0;
    /// Too often.
    OFTEN: TOO_MANY_REQUESTS, "too-often", "You ask more often than this changes; send If-None-Match", 0;
    /// A file that cannot be read.
    BROKEN: INTERNAL_SERVER_ERROR, "broken", "What is here cannot be read", 0;
    /// Before the first version.
    EARLY: SERVICE_UNAVAILABLE, "starting", "There is nothing to show yet", 0;
}

impl Problem {
    /// The answer. Error texts are never compressed: they are smaller than what that would add.
    pub fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(self.status.as_u16())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        let caching = match self.keep {
            0 => HeaderValue::from_static("no-store"),
            seconds => number("public, max-age=", u64::from(seconds)),
        };
        headers.insert(CACHE_CONTROL, caching);
        response
    }

    /// Its words, under a status of the same kind.
    pub fn body(self, status: u16) -> String {
        let Self { kind, title, .. } = self;
        format!(
            "{{\"type\":\"urn:feedmill:problem:{kind}\",\"title\":\"{title}\",\"status\":{status}}}\n"
        )
    }

    /// The answer, with what is wrong this time (RFC 9457 §3.1.4).
    pub fn detailed(self, detail: &str) -> Response<Body> {
        let mut response = self.response();
        let body = self.body(self.status.as_u16());
        let detail = serde_json::Value::from(detail);
        let body = format!(
            "{},\"detail\":{detail}}}\n",
            body.trim_end().trim_end_matches('}')
        );
        *response.body_mut() = Body::from(body);
        response
    }

    /// The answer, with one header more.
    pub fn with(self, name: HeaderName, value: HeaderValue) -> Response<Body> {
        let mut response = self.response();
        response.headers_mut().insert(name, value);
        response
    }
}

/// A header of a word and a number.
pub fn number(word: &str, number: u64) -> HeaderValue {
    text(&format!("{word}{number}"))
}

/// A header of our own making: ASCII without control characters.
pub fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}
