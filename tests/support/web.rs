//! A web that is a map, a source whose pages are lines, and a clock that is told: polls without a network.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feedmill::fetch::Fetch;
use feedmill::model::content::Content;
use feedmill::model::entry::{Draft, Lead, Listing, ReadError, Teaser};
use feedmill::model::feed::{FeedState, SourceSpec, Subscription};
use feedmill::model::http::{
    Ask, Dated, FetchError, FetchOutcome, Freshness, HttpValidators, Page, Request, Share,
};
use feedmill::model::ids::{EntryId, FeedId};
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::service::poll::{Desk, Ended, Job, Polled, PriceTag, Seen, poll, record_it};
use feedmill::service::robots::Crawling;
use feedmill::source::Source;
use feedmill::store::Store;
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// What an address answers.
#[derive(Clone, Debug)]
pub enum Say {
    /// 200 with this body.
    Page(String),
    /// The same with validators (tag and date, either may be empty) and seconds of freshness.
    Tagged(String, &'static str, &'static str, Option<u64>),
    /// 304, with the validators it may bring and its freshness.
    Same(&'static str, &'static str, Option<u64>),
    /// An error status, with Retry-After.
    Status(u16, Option<u64>),
    /// 429, with Retry-After.
    Limited(Option<u64>),
    /// 410.
    Gone,
    /// Nothing in time.
    Timeout,
    /// An answer that breaks HTTP.
    Malformed,
    /// Never an answer.
    Never,
}

/// The web: what is at an address is answered in turn, the last of it for good. Where nothing is, 404.
#[derive(Clone, Default)]
pub struct Web(Arc<Shared>);

#[derive(Default)]
struct Shared {
    pages: Mutex<HashMap<String, VecDeque<Say>>>,
    log: Mutex<Vec<Request>>,
}

impl Web {
    /// From now on the path answers this.
    pub fn set(&self, path: &str, say: Say) {
        self.script(path, [say]);
    }

    /// From now on the path answers these in turn, and the last for good.
    pub fn script(&self, path: &str, says: impl IntoIterator<Item = Say>) {
        let mut pages = self.0.pages.lock().unwrap();
        pages.insert(path.to_owned(), says.into_iter().collect());
    }

    /// The requests since the last time this was asked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.0.log.lock().unwrap())
    }

    /// Their paths.
    pub fn paths(&self) -> Vec<String> {
        let path = |request: &Request| request.ask.url.path().to_owned();
        self.requests().iter().map(path).collect()
    }
}

fn pair(url: &PageUrl, etag: &str, modified: &str) -> Option<HttpValidators> {
    let part = |text: &str| (!text.is_empty()).then(|| Box::from(text.as_bytes()));
    let pair = HttpValidators {
        url: url.clone(),
        etag: part(etag),
        last_modified: part(modified),
    };
    (pair.etag.is_some() || pair.last_modified.is_some()).then_some(pair)
}

impl Fetch for Web {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let url = request.ask.url.clone();
        self.0.log.lock().unwrap().push(request);
        let say = {
            let mut pages = self.0.pages.lock().unwrap();
            match pages.get_mut(url.path()) {
                Some(says) if says.len() > 1 => says.pop_front().unwrap(),
                Some(says) => says.front().cloned().unwrap(),
                None => Say::Status(404, None),
            }
        };
        let fresh = |seconds: Option<u64>| Freshness(seconds.map(Duration::from_secs));
        let page = |body: String, validators, seconds| {
            Ok(FetchOutcome::Fresh {
                page: Page {
                    url: url.clone(),
                    media_type: None,
                    charset: None,
                    links: Vec::new(),
                    bytes: body.into_bytes(),
                },
                validators,
                freshness: fresh(seconds),
                dated: Dated::default(),
                moved_to: None,
                private: false,
                share: Share::default(),
            })
        };
        match say {
            Say::Page(body) => page(body, None, None),
            Say::Tagged(body, etag, modified, seconds) => {
                page(body, pair(&url, etag, modified), seconds)
            }
            Say::Same(etag, modified, seconds) => Ok(FetchOutcome::NotModified {
                validators: pair(&url, etag, modified),
                freshness: fresh(seconds),
                dated: Dated::default(),
                moved_to: None,
                private: false,
            }),
            Say::Status(status, seconds) => Err(FetchError::Status {
                status,
                retry_after: seconds.map(Duration::from_secs),
            }),
            Say::Limited(seconds) => Ok(FetchOutcome::RateLimited {
                retry_after: seconds.map(Duration::from_secs),
                status: 429,
            }),
            Say::Gone => Ok(FetchOutcome::Gone),
            Say::Timeout => Err(FetchError::Timeout {
                stage: "first byte",
                host: url.host().to_owned(),
                limit: Duration::from_secs(20),
            }),
            Say::Malformed => Err(FetchError::Malformed(
                "status 304 to a request that was not conditional".to_owned(),
            )),
            Say::Never => std::future::pending().await,
        }
    }
}

/// A source whose pages are lines. A list: `whole ID LINK TITLE`, `teaser ID LINK TITLE PATH…`, `more PATH`, `panic`;
/// `-` stands for an absent id or link. The page of an entry: `words TITLE`, or anything else, which is no shape we know.
pub struct Lines;

static SPEC: SourceSpec = SourceSpec {
    name: "lines",
    about: "made up for tests",
    options: &[],
    language: "zh-CN",
    zone: "UTC",
    archive: "html",
};

const SITE: &str = "https://lines.example.org";

/// The address of a path there.
pub fn site(path: &str) -> PageUrl {
    PageUrl::parse(&format!("{SITE}{path}")).unwrap()
}

impl Source for Lines {
    fn spec(&self) -> &'static SourceSpec {
        &SPEC
    }

    fn first(&self, subscription: &Subscription) -> Ask {
        Ask::get(site(&format!("/{}", subscription.id)))
    }

    fn read(&self, _: &Subscription, page: &Page) -> Result<Listing, ReadError> {
        let text = String::from_utf8(page.bytes.clone()).unwrap();
        let mut listing = Listing::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let kind = words.next().unwrap_or_default();
            assert!(kind != "panic", "a reader that breaks down");
            if kind == "more" {
                listing.more = words.next().map(|path| Ask::get(site(path)));
                continue;
            }
            let mut given = || words.next().filter(|word| *word != "-");
            let draft = Draft {
                id: given().and_then(EntryId::new),
                link: given().map(site),
                title: given().map(str::to_owned),
                ..Draft::default()
            };
            listing.leads.push(match kind {
                "whole" => Lead::Whole(Box::new(worded(draft))),
                "teaser" => Lead::Teaser(Box::new(Teaser {
                    draft,
                    details: words.map(|path| Ask::get(site(path))).collect(),
                })),
                _ => {
                    return Err(ReadError::Missing {
                        field: "a kind".to_owned(),
                        page: "the list",
                    });
                }
            });
        }
        Ok(listing)
    }

    fn complete(
        &self,
        _: &Subscription,
        teaser: &Teaser,
        _: usize,
        page: &Page,
    ) -> Result<Draft, ReadError> {
        let text = str::from_utf8(&page.bytes).unwrap();
        match text.strip_prefix("words ") {
            Some(title) => Ok(worded(Draft {
                title: Some(title.to_owned()),
                ..teaser.draft.clone()
            })),
            None if text == "panic" => panic!("a page that breaks its reader down"),
            None => Err(ReadError::Missing {
                field: "words".to_owned(),
                page: "the entry's page",
            }),
        }
    }
}

/// With words that follow from the title alone.
fn worded(draft: Draft) -> Draft {
    let title = draft.title.clone().unwrap_or_default();
    Draft {
        body: Some(Content::html(format!("<p>{}</p>", title.repeat(40)))),
        ..draft
    }
}

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(1_790_000_000) };
}

/// The clock of this thread's test.
pub fn now() -> Timestamp {
    Timestamp::from_secs(NOW.get())
}

/// A store and a web of one test, polled on its own thread.
pub struct Room {
    /// Where the store is.
    pub directory: TempDir,
    /// What is polled.
    pub web: Web,
    /// What remembers.
    pub store: Store,
    /// How many detail pages a poll asks.
    pub details: usize,
    /// How many entries of a first listing are news.
    pub backlog: usize,
    /// How many new entries pass at once.
    pub flood: usize,
}

impl Room {
    /// Empty.
    pub fn new() -> Self {
        NOW.set(1_790_000_000);
        let directory = TempDir::new().unwrap();
        let store = Store::open(&directory.path().join("store.sqlite")).unwrap();
        Self {
            directory,
            web: Web::default(),
            store,
            details: 30,
            backlog: usize::MAX,
            flood: usize::MAX,
        }
    }

    /// Lets time pass.
    #[allow(clippy::unused_self)] // the clock is the thread's, and the room the thread's only one
    pub fn later(&self, by: Duration) {
        NOW.set(NOW.get() + i64::try_from(by.as_secs()).unwrap());
    }

    /// What is remembered of a feed.
    pub fn state(&self, feed: &str) -> FeedState {
        let feed: FeedId = feed.parse().unwrap();
        let state = self.store.feed_state(&feed).unwrap();
        state.unwrap_or_else(|| FeedState::new(feed))
    }

    /// The order to poll a feed.
    pub fn job(&self, feed: &str) -> Job {
        Job::new(
            Subscription {
                language: "zh-CN".to_owned(),
                archive: Some("html".to_owned()),
                ..Subscription::new(feed.parse().unwrap(), "lines")
            },
            &Lines,
            self.state(feed),
        )
    }

    /// What polls are done at.
    pub fn desk(&self) -> Desk<Web> {
        Desk {
            web: self.web.clone(),
            store: self.store.clone(),
            readers: Arc::new(Semaphore::new(2)),
            details_per_poll: self.details,
            backlog: self.backlog,
            flood: self.flood,
            price: PriceTag::default(),
            floors: feedmill::rules::schedule::Floors::default(),
            crawling: Crawling::default(),
            clock: Arc::new(now),
        }
    }

    /// Polls the feed, whether it may be asked or not.
    pub async fn poll(&self, feed: &str) -> Polled {
        let desk = self.desk();
        match poll(&desk, self.job(feed)).await.unwrap() {
            Ended::Recorded(polled) => *polled,
            Ended::Unreached(record) => record_it(&desk.store, *record, Seen::default())
                .await
                .unwrap(),
            Ended::Silenced(held) => panic!("left alone: {held:?}"),
        }
    }

    /// The titles in the store, by number.
    pub fn titles(&self) -> Vec<String> {
        let all = self.store.since(None, 1000).unwrap();
        all.into_iter().map(|stored| stored.article.title).collect()
    }
}
