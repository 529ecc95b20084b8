//! What an answer means: a page, nothing new, a redirect, an order to wait, or an error.

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};

use crate::fetch::decode::{self, Limits};
use crate::fetch::redirect::Trail;
use crate::fetch::{FetchSettings, headers};
use crate::model::http::{FetchError, FetchOutcome, HttpValidators, Page, Share};
use crate::model::urls::PageUrl;

/// One answer, its body still as it was on the wire.
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Read of a 200 only.
    pub body: Vec<u8>,
    /// What the body takes of the budget.
    pub share: Share,
}

/// The length it says its body has.
pub fn said_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl headers::Lines for HeaderMap {
    fn lines(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl Answer {
    /// Status and target, where this sends us on at once; with a word on when, it is an order to wait (P-30).
    pub fn redirect(&self) -> Option<(u16, Option<&[u8]>)> {
        let onward = matches!(self.status, 301..=303 | 307 | 308);
        (onward && headers::retry_after(&self.headers).is_none()).then(|| {
            let location = self.headers.get(LOCATION).map(HeaderValue::as_bytes);
            (self.status, location)
        })
    }

    /// What the answer at the end of the trail means.
    pub async fn settle(
        self,
        trail: Trail,
        conditional: Option<&HttpValidators>,
        settings: &FetchSettings,
    ) -> Result<FetchOutcome, FetchError> {
        let (url, moved_to) = trail.end();
        let status = self.status;
        let retry_after = headers::retry_after(&self.headers);
        if headers::is_challenge(&self.headers) {
            return Err(FetchError::Challenged {
                status,
                retry_after,
            });
        }
        match (status, retry_after) {
            (200, _) => self.page(url, moved_to, settings).await,
            (201..=299, _) => Err(FetchError::Useless(format!("status {status}"))),
            (304, _) => {
                let Some(ours) = conditional else {
                    return Err(FetchError::Malformed(
                        "status 304 to a request that was not conditional".to_owned(),
                    ));
                };
                let theirs = headers::validators(&self.headers, &url);
                Ok(FetchOutcome::NotModified {
                    validators: headers::adopt(ours, theirs),
                    freshness: headers::freshness(&self.headers),
                    dated: headers::dated(&self.headers),
                    moved_to,
                    private: headers::is_private(&self.headers),
                })
            }
            (429, _) | (503 | 301..=303 | 307 | 308, Some(_)) => Ok(FetchOutcome::RateLimited {
                retry_after,
                status,
            }),
            (410, _) => Ok(FetchOutcome::Gone),
            (300..=599, _) => Err(FetchError::Status {
                status,
                retry_after,
            }),
            _ => Err(FetchError::Malformed(format!("status {status}"))),
        }
    }

    async fn page(
        self,
        url: PageUrl,
        moved_to: Option<PageUrl>,
        settings: &FetchSettings,
    ) -> Result<FetchOutcome, FetchError> {
        let codings = headers::content_codings(&self.headers).map_err(|name| {
            FetchError::Malformed(format!("the content coding `{name}` is unknown"))
        })?;
        let limits = Limits {
            decoded: settings.max_decoded,
            ratio: settings.max_ratio,
            ratio_from: settings.ratio_from,
        };
        let body = self.body;
        if body.is_empty() {
            return Err(FetchError::Useless("no body".to_owned()));
        }
        let bytes = if decode::is_long(&body, &codings) {
            tokio::task::spawn_blocking(move || decode::decode(body, &codings, limits))
                .await
                .map_err(|error| FetchError::Malformed(format!("decoding it failed: {error}")))?
        } else {
            decode::decode(body, &codings, limits)
        }?;
        if bytes.trim_ascii().is_empty() {
            return Err(FetchError::Useless("an empty body".to_owned()));
        }
        let (media_type, charset) = headers::content_type(&self.headers);
        Ok(FetchOutcome::Fresh {
            validators: headers::validators(&self.headers, &url),
            freshness: headers::freshness(&self.headers),
            dated: headers::dated(&self.headers),
            page: Page {
                url,
                media_type,
                charset,
                links: headers::links(&self.headers),
                bytes,
            },
            moved_to,
            private: headers::is_private(&self.headers),
            share: self.share,
        })
    }
}
