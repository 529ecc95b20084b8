//! A feed that is to be subscribed to: it is looked at once, and that look is its first poll (P-60).

use std::future;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, anyhow, bail};

use crate::app::App;
use crate::app::handed::Handed;
use crate::config::Config;
use crate::fetch::Fetch;
use crate::fetch::client::Client;
use crate::model::feed::{FeedState, Subscription};
use crate::model::http::{FetchError, FetchOutcome, Request};
use crate::model::ids::FeedId;
use crate::model::urls::PageUrl;
use crate::rules::cadence;
use crate::rules::discover::{self, Candidate};
use crate::rules::repair;
use crate::service::report::FeedReport;
use crate::service::robots::{Crawling, Met, Ruling};
use crate::source;

/// What stands at an address.
pub enum Look {
    /// A feed its source can read.
    Feed(Box<Found>),
    /// A web page.
    Page {
        /// The feeds it names.
        feeds: Vec<Candidate>,
        /// Its first words.
        excerpt: String,
    },
}

/// A feed that was fetched and read, and not stored yet.
pub struct Found {
    /// What its publisher calls it.
    pub title: Option<String>,
    /// How many entries it has.
    pub entries: usize,
    /// Where permanent redirects led.
    pub moved_to: Option<PageUrl>,
    answer: FetchOutcome,
}

/// Looks at addresses, one request each, and one more for robots.txt where nobody wrote the address.
pub struct Scout {
    web: Arc<Client>,
    crawling: Crawling,
}

impl Scout {
    /// As polite and as careful as every poll.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let web = Arc::new(Client::new(super::fetch_settings(config))?);
        Ok(Self {
            web,
            crawling: Crawling::default(),
        })
    }

    /// Why this address, which a page named and nobody wrote, may not be asked by robots.txt (P-164); `None` where it may.
    pub async fn forbidden(&self, subscription: &Subscription) -> Option<String> {
        let source = source::source(&subscription.source)?;
        let url = source.first(subscription).url;
        let (who, mut met) = ((&*self.web, None), Met::new());
        let ruling = self
            .crawling
            .ruling(who, subscription, &url, super::now(), &mut met);
        match ruling.await {
            Ruling::Allowed => None,
            Ruling::Forbidden(why) | Ruling::PutOff(why) => Some(why),
        }
    }

    /// Asks what this subscription would ask first. An answer that is neither a feed nor a page with feeds is an error
    /// with the reason.
    pub async fn look(&self, subscription: &Subscription) -> anyhow::Result<Look> {
        let source = source::source(&subscription.source)
            .ok_or_else(|| anyhow!("no source `{}`", subscription.source))?;
        let ask = source.first(subscription);
        let url = ask.url.clone();
        let answer = self.web.fetch(subscription.request(ask, None)).await;
        let answer = answer.with_context(|| format!("{url} cannot be had"))?;
        let (page, rest) = match answer {
            FetchOutcome::Fresh {
                page,
                validators,
                freshness,
                dated,
                moved_to,
                private,
                share,
            } => (
                page,
                (validators, (freshness, dated), moved_to, private, share),
            ),
            FetchOutcome::RateLimited {
                retry_after,
                status,
            } => {
                let wait = retry_after.map_or(String::new(), |wait| {
                    format!(", and to come back after {} s", wait.as_secs())
                });
                bail!("{url} says to stay away: HTTP status {status}{wait}");
            }
            FetchOutcome::Gone => bail!("{url} is gone for good: HTTP status 410"),
            FetchOutcome::NotModified { .. } => bail!("{url} answers 304 to a first request"),
        };
        // A reader that panics is this feed's failure, told like any other.
        let order = subscription.clone();
        let read = move || {
            let listing = source.read(&order, &page);
            (page, listing)
        };
        let (page, listing) = tokio::task::spawn_blocking(read)
            .await
            .context("a defect in feedmill: its reader gave up on this feed")?;
        let listing = match listing {
            Ok(listing) => listing,
            Err(_) if subscription.source == "feed" && is_page(&page.bytes) => {
                return Ok(Look::Page {
                    feeds: discover::feeds(&page),
                    excerpt: discover::excerpt(&page),
                });
            }
            Err(why) => bail!(
                "{url} is no feed: {why}; it begins `{}`",
                discover::excerpt(&page)
            ),
        };
        let (validators, (freshness, dated), moved_to, private, share) = rest;
        Ok(Look::Feed(Box::new(Found {
            title: listing.info.title,
            entries: listing.leads.len(),
            moved_to: moved_to.clone(),
            answer: FetchOutcome::Fresh {
                page,
                validators,
                freshness,
                dated,
                moved_to,
                private,
                share,
            },
        })))
    }
}

fn is_page(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    repair::is_html(repair::from_its_start(&text).0)
}

impl Found {
    /// Hands this over to the service that is at work in this data directory, as the first poll of a feed in its
    /// configuration. Says whether that could be done; otherwise it asks by itself.
    pub fn hand_over(&self, config: &Config, id: &FeedId) -> bool {
        let subscription = config.subscriptions.iter().find(|feed| feed.id == *id);
        let asked = subscription.and_then(|subscription| {
            let source = source::source(&subscription.source)?;
            Some(source.first(subscription).url)
        });
        let handed = Handed::of(&config.settings.data);
        let give = |asked| handed.give(id, &asked, &self.answer, super::now());
        asked.is_some_and(|asked| give(asked).unwrap_or(false))
    }
}

impl App {
    /// Until when and why this feed may not be asked, where it was asked before under this name.
    pub fn held(&self, id: &FeedId) -> anyhow::Result<Option<String>> {
        let states = self.store.feed_states()?;
        let state = states.into_iter().find(|state: &FeedState| state.id == *id);
        let held = state.and_then(|state| {
            cadence::may_ask(
                &state,
                super::now(),
                self.config.settings.fetch.user_refresh,
            )
            .err()
        });
        Ok(held.map(|held| format!("until {}: {}", held.until, held.why)))
    }

    /// Stores what was found as the first poll of this subscription, which is in the configuration by now.
    pub async fn first_poll(
        &self,
        scout: Scout,
        found: Found,
        id: &FeedId,
    ) -> anyhow::Result<FeedReport> {
        let web = Once {
            held: Mutex::new(Some(found.answer)),
            web: scout.web,
        };
        let named = std::slice::from_ref(id);
        let reports = self.fetch_by(web, named, future::pending(), |_| {}).await?;
        let report = reports.into_iter().next();
        report.ok_or_else(|| anyhow!("`{id}` was not polled"))
    }
}

/// Gives the answer that is there already to whoever asks first, and fetches everything after it.
struct Once {
    held: Mutex<Option<FetchOutcome>>,
    web: Arc<Client>,
}

impl Fetch for Once {
    async fn fetch(&self, request: Request) -> Result<FetchOutcome, FetchError> {
        let held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match held {
            Some(answer) => Ok(answer),
            None => self.web.fetch(request).await,
        }
    }
}
