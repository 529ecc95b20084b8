//! Publishers in virtual time: what they would answer, and whether they were asked as they wish. The production scheduler,
//! poll, reader and store run against them; only the network and the clock are made up.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use feedmill::fetch::Fetch;
use feedmill::model::content::RawHash;
use feedmill::model::feed::{OptionSpec, Options, Subscription};
use feedmill::model::http::{
    Dated, FetchError, FetchOutcome, Freshness, HttpValidators, Method, Page, Request, Share,
};
use feedmill::model::time::Timestamp;
use feedmill::rules::schedule::Floors;
use feedmill::service::poll::{Desk, PriceTag};
use feedmill::service::robots::Crawling;
use feedmill::service::scheduler::{self, Event, Pace, Roster};
use feedmill::source;
use feedmill::store::{Store, StoreError};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

/// The virtual clock starts here: 2026-03-02, a Monday, at midnight.
const START: i64 = 1_772_409_600;

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(200);

/// What a publisher does besides publishing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Manner {
    /// Entries a day on the mean.
    pub per_day: f64,
    /// Its answers are fresh for this long.
    pub fresh: Option<Duration>,
    /// It knows no validators.
    pub forgetful: bool,
    /// One request in so many is answered by 429, with this Retry-After.
    pub limits: Option<(u32, Duration)>,
    /// One request in so many is answered by 503.
    pub fails: Option<u32>,
    /// It has been gone since then.
    pub gone: Option<Duration>,
}

/// A publisher, and what it has seen of us.
pub struct Publisher {
    manner: Manner,
    /// Its entries, by when they come.
    arrivals: Vec<Timestamp>,
    /// When each was first fetched.
    fetched: Vec<Option<Timestamp>>,
    asked: u32,
    last_asked: Option<Timestamp>,
    last_tag: Option<String>,
    not_before: Option<(Timestamp, &'static str)>,
    /// Requests without validators.
    pub unconditional: u32,
    /// Requests with validators that are not the last ones given.
    pub out_of_sequence: u32,
    /// Requests before our own or its own word allowed.
    pub early: Vec<String>,
    /// How often it said 410.
    pub refused: u32,
}

/// The web, the clock, and who published what.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    zero: Instant,
    /// What the wall clock says beyond what has passed.
    set: Mutex<i64>,
    publishers: Mutex<HashMap<String, Publisher>>,
    log: Mutex<Vec<(Timestamp, String)>>,
    /// Nobody can be reached.
    cut_off: Mutex<bool>,
    /// Polls whose answers came and which are not yet told of.
    busy: Arc<(Mutex<HashSet<String>>, Condvar)>,
}

impl World {
    /// Without a publisher. To be made in a runtime whose time is paused.
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            zero: Instant::now(),
            set: Mutex::new(0),
            publishers: Mutex::default(),
            log: Mutex::default(),
            cut_off: Mutex::new(false),
            busy: Arc::default(),
        }))
    }

    /// The time that has truly passed, as a wall clock nobody sets.
    pub fn true_time(&self) -> Timestamp {
        Timestamp::from_secs(START).plus(self.0.zero.elapsed())
    }

    /// What the wall clock says.
    pub fn now(&self) -> Timestamp {
        let set = *self.0.set.lock().unwrap();
        Timestamp::from_millis(self.true_time().millis() + set * 1000)
    }

    /// Sets the wall clock this many seconds ahead of where it is.
    pub fn set_clock(&self, seconds: i64) {
        *self.0.set.lock().unwrap() += seconds;
    }

    /// Cuts the line, or mends it.
    pub fn cut_off(&self, cut: bool) {
        *self.0.cut_off.lock().unwrap() = cut;
    }

    /// A publisher at `http://HOST/FEED` whose entries come by chance, the same chance at every run.
    pub fn publisher(&self, host: &str, feed: &str, manner: Manner, days: u32) {
        let seed = format!("{host}/{feed}");
        let end = START + i64::from(days) * 86_400;
        let mut arrivals = Vec::new();
        let mut at = START - 5 * 86_400;
        for n in 0_u32.. {
            if manner.per_day <= 0.0 {
                break;
            }
            let wait = -chance(&seed, n).ln() / manner.per_day * 86_400.0;
            #[allow(clippy::cast_possible_truncation)]
            let wait = wait as i64;
            at += wait.max(60);
            if at > end {
                break;
            }
            arrivals.push(Timestamp::from_secs(at));
        }
        let publisher = Publisher {
            manner,
            fetched: vec![None; arrivals.len()],
            arrivals,
            asked: 0,
            last_asked: None,
            last_tag: None,
            not_before: None,
            unconditional: 0,
            out_of_sequence: 0,
            early: Vec::new(),
            refused: 0,
        };
        let url = format!("http://{host}/{feed}");
        self.0.publishers.lock().unwrap().insert(url, publisher);
    }

    /// Looks at each publisher.
    pub fn each(&self, mut look: impl FnMut(&str, &Publisher)) {
        let publishers = self.0.publishers.lock().unwrap();
        let mut urls: Vec<&String> = publishers.keys().collect();
        urls.sort();
        for url in urls {
            look(url, &publishers[url]);
        }
    }

    /// The requests so far: when, by the time that has truly passed, and where to.
    pub fn log(&self) -> Vec<(Timestamp, String)> {
        self.0.log.lock().unwrap().clone()
    }

    /// The store's thread lives in true time. Until an answer is written, virtual time stands still, as it does for the
    /// runtime while a blocking task is at work.
    fn hold_the_clock(&self, url: &str) {
        let name = subscription(url).id.as_str().to_owned();
        let mut busy = self.0.busy.0.lock().unwrap();
        if busy.insert(name) && busy.len() == 1 {
            let shared = Arc::clone(&self.0.busy);
            tokio::task::spawn_blocking(move || {
                let (busy, done) = &*shared;
                drop(done.wait_while(busy.lock().unwrap(), |busy| !busy.is_empty()));
            });
        }
    }

    fn let_the_clock_go(&self, feed: &str) {
        self.0.busy.0.lock().unwrap().remove(feed);
        self.0.busy.1.notify_all();
    }

    /// Orders for all publishers, adaptive, by address.
    pub fn roster(&self) -> Roster {
        let publishers = self.0.publishers.lock().unwrap();
        let mut urls: Vec<&String> = publishers.keys().collect();
        urls.sort();
        urls.into_iter()
            .map(|url| (subscription(url), source::source("feed").unwrap()))
            .collect()
    }

    /// What polls are made at.
    pub fn desk(&self, store: &Store) -> Desk<Self> {
        let world = self.clone();
        Desk {
            web: self.clone(),
            store: store.clone(),
            readers: Arc::new(Semaphore::new(2)),
            details_per_poll: 1,
            backlog: usize::MAX,
            flood: usize::MAX,
            price: PriceTag::default(),
            floors: Floors::default(),
            crawling: Crawling::default(),
            clock: Arc::new(move || world.now()),
        }
    }

    /// Runs the scheduler over all publishers until `until` ends.
    pub async fn run(
        &self,
        store: &Store,
        until: impl Future<Output = ()>,
        tell: impl FnMut(Event<'_>),
    ) -> Result<(), StoreError> {
        let (_hold, roster) = watch::channel(Arc::new(self.roster()));
        self.run_by(store, roster, until, tell).await
    }

    /// The same over whoever is on the roster.
    pub async fn run_by(
        &self,
        store: &Store,
        roster: watch::Receiver<Arc<Roster>>,
        until: impl Future<Output = ()>,
        mut tell: impl FnMut(Event<'_>),
    ) -> Result<(), StoreError> {
        let tell = |event: Event<'_>| {
            if let Event::Polled(report) = &event {
                self.let_the_clock_go(report.feed.as_str());
            }
            tell(event);
        };
        let desk = Arc::new(self.desk(store));
        scheduler::run(desk, Pace::default(), roster, until, tell).await
    }
}

/// An order for an address; its name is made of it.
pub fn subscription(url: &str) -> Subscription {
    let name: String = url
        .trim_start_matches("http://")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let spec = source::source("feed").unwrap().spec();
    let option = |option: &OptionSpec| {
        let value = if option.name == "url" {
            Some(url.to_owned())
        } else {
            option.default.map(str::to_owned)
        };
        value.map(|value| (option.name.to_owned(), value))
    };
    Subscription {
        language: "zh".to_owned(),
        options: Options(spec.options.iter().filter_map(option).collect()),
        ..Subscription::new(name.parse().unwrap(), "feed")
    }
}

/// A store in memory's file system, where there is one: thirty days of commits are not what is tested.
pub fn store() -> (TempDir, Store) {
    let directory = if Path::new("/dev/shm").is_dir() {
        TempDir::new_in("/dev/shm")
    } else {
        TempDir::new()
    };
    let directory = directory.unwrap();
    let store = Store::open(&directory.path().join("store.sqlite")).unwrap();
    (directory, store)
}

/// A number above 0 and up to 1, always the same for the same name.
fn chance(seed: &str, n: u32) -> f64 {
    let hash = RawHash::of([Some(seed.as_bytes()), Some(&n.to_le_bytes())]).0;
    #[allow(clippy::cast_possible_truncation)]
    let bits = hash as u32;
    (f64::from(bits) + 1.0) / (f64::from(u32::MAX) + 1.0)
}

impl Publisher {
    fn answer(&mut self, now: Timestamp, request: &Request) -> Result<FetchOutcome, FetchError> {
        let url = &request.ask.url;
        let given = request
            .validators
            .as_ref()
            .and_then(|pair| pair.etag.as_ref())
            .map(|tag| String::from_utf8_lossy(tag).into_owned());
        self.asked += 1;
        if given.is_none() {
            self.unconditional += 1;
        } else if given != self.last_tag {
            self.out_of_sequence += 1;
        }
        if request.ask.method != Method::Get {
            self.early.push(format!("{now}: not a GET"));
        }
        if let Some((until, word)) = self.not_before.filter(|(until, _)| now < *until) {
            self.early
                .push(format!("{now}: not before {until}, {word}"));
        }
        let floor = Floors::default().hinted;
        if let Some(last) = self.last_asked.filter(|last| now.since(*last) < floor) {
            self.early.push(format!("{now}: asked at {last} already"));
        }
        self.last_asked = Some(now);
        let manner = self.manner;
        let one_in = |n: Option<u32>| n.is_some_and(|n| self.asked.is_multiple_of(n));
        if manner
            .gone
            .is_some_and(|gone| now >= Timestamp::from_secs(START).plus(gone))
        {
            self.refused += 1;
            return Ok(FetchOutcome::Gone);
        }
        if one_in(manner.limits.map(|(n, _)| n)) {
            let retry_after = manner.limits.unwrap().1;
            self.not_before = Some((now.plus(retry_after), "Retry-After"));
            return Ok(FetchOutcome::RateLimited {
                retry_after: Some(retry_after),
                status: 429,
            });
        }
        if one_in(manner.fails) {
            return Err(FetchError::Status {
                status: 503,
                retry_after: None,
            });
        }
        self.not_before = manner.fresh.map(|fresh| (now.plus(fresh), "fresh"));
        let come = self.arrivals.partition_point(|at| *at <= now);
        let shown = come.saturating_sub(20)..come;
        let tag = format!("\"{come}\"");
        let validators = (!manner.forgetful).then(|| HttpValidators {
            url: url.clone(),
            etag: Some(tag.as_bytes().into()),
            last_modified: None,
        });
        for fetched in &mut self.fetched[shown.clone()] {
            fetched.get_or_insert(now);
        }
        let freshness = Freshness(manner.fresh);
        if given.as_ref() == Some(&tag) && !manner.forgetful {
            return Ok(not_modified(validators, freshness));
        }
        self.last_tag = (!manner.forgetful).then_some(tag);
        let mut items = String::new();
        for n in shown.rev() {
            let date = self.arrivals[n].rfc3339();
            let _ = write!(
                items,
                "<item><guid isPermaLink='false'>{url}#{n}</guid><title>{url} {n}</title>\
                 <dc:date>{date}</dc:date><description>Words {n} of {url}</description></item>"
            );
        }
        let body = format!(
            "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>{url}</title>{items}</channel></rss>"
        );
        Ok(FetchOutcome::Fresh {
            page: Page {
                url: url.clone(),
                media_type: Some("application/rss+xml".to_owned()),
                charset: None,
                links: Vec::new(),
                bytes: body.into_bytes(),
            },
            validators,
            freshness,
            dated: Dated::default(),
            moved_to: None,
            private: false,
            share: Share::default(),
        })
    }

    /// Entries that came while we watched, and the delay of each that was fetched, in hours. What was pushed out of its
    /// document unseen is missed.
    pub fn delays(&self) -> (Vec<f64>, usize) {
        let watched = Timestamp::from_secs(START);
        let mut delays = Vec::new();
        let mut missed = 0;
        let end = self.last_asked.unwrap_or(watched);
        for (came, fetched) in self.arrivals.iter().zip(&self.fetched) {
            match fetched {
                _ if *came < watched => {}
                Some(fetched) => delays.push(fetched.since(*came).as_secs_f64() / 3600.0),
                None if *came < end => missed += 1,
                None => {}
            }
        }
        (delays, missed)
    }

    /// How often it was asked.
    pub fn asked(&self) -> u32 {
        self.asked
    }
}

fn not_modified(validators: Option<HttpValidators>, freshness: Freshness) -> FetchOutcome {
    FetchOutcome::NotModified {
        validators,
        freshness,
        dated: Dated::default(),
        moved_to: None,
        private: false,
    }
}

impl Fetch for World {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let now = self.true_time();
        let url = request.ask.url.as_str().to_owned();
        self.0.log.lock().unwrap().push((now, url.clone()));
        let cut_off = *self.0.cut_off.lock().unwrap();
        let answer = if cut_off {
            Err(FetchError::Dns {
                host: request.ask.url.as_url().host_str().unwrap().to_owned(),
                why: "the line is cut".to_owned(),
            })
        } else {
            let mut publishers = self.0.publishers.lock().unwrap();
            publishers.get_mut(&url).unwrap().answer(now, &request)
        };
        sleep(LATENCY).await;
        if answer.is_ok() {
            self.hold_the_clock(&url);
        }
        answer
    }
}
