//! An answer that is handed to the service at work: whoever adds a feed has asked for it already, and asking is done once
//! (POLLING P-60). It lies in a folder that the service makes for itself and empties.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::model::http::{Dated, FetchOutcome, Freshness, HttpValidators, Page, Request, Share};
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// An answer that lay there longer is no first poll any more.
const LONGEST: Duration = Duration::from_mins(10);

/// No answer is larger, with what is said of it.
const LARGEST: u64 = 128 << 20;

/// The folder of one data directory.
#[derive(Clone, Debug)]
pub struct Handed(PathBuf);

/// What is said of an answer; its body follows in the file.
#[derive(Serialize, Deserialize)]
struct Head {
    at: i64,
    asked: String,
    url: String,
    media_type: Option<String>,
    charset: Option<String>,
    links: Vec<String>,
    given_by: Option<String>,
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
    fresh_millis: Option<u64>,
    moved_to: Option<String>,
    private: bool,
}

impl Handed {
    /// Of this data directory.
    pub fn of(data: &Path) -> Self {
        Self(data.join("handed"))
    }

    /// Makes the folder, for the service alone. What lies in it is from before.
    pub fn open(&self) {
        self.close();
        if let Err(error) = fs::DirBuilder::new().mode(0o700).create(&self.0) {
            warn!(%error, "no folder for answers that are handed over: a feed that is added is asked twice");
        }
    }

    /// Takes the folder away: nobody is at work any more.
    pub fn close(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }

    /// Hands over the answer to what a feed asks first. Says whether there is anybody to take it.
    pub fn give(
        &self,
        feed: &FeedId,
        asked: &PageUrl,
        answer: &FetchOutcome,
        at: Timestamp,
    ) -> io::Result<bool> {
        let FetchOutcome::Fresh {
            page,
            validators,
            freshness,
            moved_to,
            private,
            ..
        } = answer
        else {
            return Ok(false);
        };
        let Ok(folder) = fs::metadata(&self.0) else {
            return Ok(false);
        };
        let bytes = |value: &Option<Box<[u8]>>| value.as_deref().map(<[u8]>::to_vec);
        let known = validators.as_ref();
        let head = Head {
            at: at.millis(),
            asked: asked.as_str().to_owned(),
            url: page.url.as_str().to_owned(),
            media_type: page.media_type.clone(),
            charset: page.charset.clone(),
            links: page.links.clone(),
            given_by: known.map(|known| known.url.as_str().to_owned()),
            etag: known.and_then(|known| bytes(&known.etag)),
            last_modified: known.and_then(|known| bytes(&known.last_modified)),
            fresh_millis: freshness
                .0
                .and_then(|fresh| u64::try_from(fresh.as_millis()).ok()),
            moved_to: moved_to.as_ref().map(|url| url.as_str().to_owned()),
            private: *private,
        };
        let (path, beside) = (self.path(feed), self.0.join(format!(".{feed}")));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        serde_json::to_writer(&mut file, &head)?;
        file.write_all(b"\n")?;
        file.write_all(&page.bytes)?;
        // Who hands over may be root, and the service is not.
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (folder.uid(), folder.gid()) {
            chown(&beside, Some(folder.uid()), Some(folder.gid()))?;
        }
        fs::rename(&beside, &path)?;
        Ok(true)
    }

    /// The answer to this request, where it was handed over: once, since it is gone from the folder then.
    pub fn take(&self, request: &Request, now: Timestamp) -> Option<FetchOutcome> {
        if request.validators.is_some() {
            return None;
        }
        let path = self.path(&request.feed);
        let file = fs::File::open(&path).ok()?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        let line = memchr::memchr(b'\n', &bytes)?;
        let head: Head = serde_json::from_slice(bytes.get(..line)?).ok()?;
        if head.asked != request.ask.url.as_str() {
            return None; // another page of the feed
        }
        fs::remove_file(&path).ok()?; // what cannot be taken away would come again
        let at = Timestamp::from_millis(head.at);
        if at > now || now.since(at) > LONGEST {
            return None;
        }
        bytes.drain(..=line);
        let validators = head.given_by.map(|url| {
            Some(HttpValidators {
                url: PageUrl::parse(&url).ok()?,
                etag: head.etag.map(Vec::into_boxed_slice),
                last_modified: head.last_modified.map(Vec::into_boxed_slice),
            })
        });
        let moved_to = head.moved_to.map(|url| PageUrl::parse(&url));
        Some(FetchOutcome::Fresh {
            page: Page {
                url: PageUrl::parse(&head.url).ok()?,
                media_type: head.media_type,
                charset: head.charset,
                links: head.links,
                bytes,
            },
            validators: validators.flatten(),
            freshness: Freshness(head.fresh_millis.map(Duration::from_millis)),
            dated: Dated::default(),
            moved_to: moved_to.and_then(Result::ok),
            private: head.private,
            share: Share::default(),
        })
    }

    fn path(&self, feed: &FeedId) -> PathBuf {
        self.0.join(feed.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::http::Ask;

    fn url(text: &str) -> PageUrl {
        PageUrl::parse(text).unwrap()
    }

    fn answer() -> FetchOutcome {
        FetchOutcome::Fresh {
            page: Page {
                url: url("https://a.test/feed"),
                media_type: Some("text/xml".to_owned()),
                charset: None,
                links: vec!["<https://a.test/>; rel=self".to_owned()],
                bytes: b"a\n\xff\nb".to_vec(),
            },
            validators: Some(HttpValidators {
                url: url("https://a.test/feed"),
                etag: Some(b"\"\xe4\"".to_vec().into_boxed_slice()),
                last_modified: None,
            }),
            freshness: Freshness(Some(Duration::from_mins(5))),
            dated: Dated::default(),
            moved_to: Some(url("https://a.test/feed")),
            private: true,
            share: Share::default(),
        }
    }

    #[test]
    fn p_60_what_is_handed_over_is_taken_once_whole_and_by_its_own_feed() {
        let scratch = tempfile::tempdir().unwrap();
        let (handed, now) = (Handed::of(scratch.path()), Timestamp::EPOCH);
        let (id, asked) = ("a".parse().unwrap(), url("https://a.test/"));
        let give = || handed.give(&id, &asked, &answer(), now).unwrap();
        let request = |feed: &str, to: &str| Request::new(Ask::get(url(to)), feed.parse().unwrap());
        let ours = request("a", "https://a.test/");
        assert!(!give(), "nobody is at work");
        handed.open();
        assert!(give());
        assert_eq!(handed.take(&request("b", "https://a.test/"), now), None);
        assert_eq!(handed.take(&request("a", "https://a.test/2"), now), None);
        assert_eq!(handed.take(&ours, now.plus(LONGEST)), Some(answer()));
        assert_eq!(handed.take(&ours, now), None, "it is gone");
        assert!(give());
        let late = now.plus(LONGEST + Duration::from_secs(1));
        assert_eq!(handed.take(&ours, late), None);
        assert_eq!(handed.take(&ours, now), None, "it is gone, too");
        assert!(give());
        handed.open();
        assert_eq!(handed.take(&ours, now), None, "that was before");
    }
}
