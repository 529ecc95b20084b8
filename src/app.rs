//! The only place where parts are chosen and joined.

mod bench;
mod copier;
mod crew;
pub mod daemon;
pub mod follower;
mod grouper;
mod handed;
pub mod keeper;
mod mindful;
pub mod notify;
pub mod orders;
pub mod publisher;
pub mod reextract;
pub mod reload;
pub mod search;
pub mod sockets;
pub mod subscribe;
pub mod told;
pub mod trial;
pub mod watchdog;
pub mod watchman;

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, bail};
use tokio::sync::Semaphore;

use crate::app::handed::Handed;
use crate::app::mindful::Mindful;
use crate::config::{Config, Places, Problems};
use crate::fetch::client::Client;
use crate::fetch::{Fetch, FetchSettings};
use crate::model::feed::{FeedState, SourceSpec, Subscription};
use crate::model::ids::FeedId;
use crate::model::river::CopyPolicy;
use crate::model::time::Timestamp;
use crate::output::archive;
use crate::rules::ruling::FeedTags;
use crate::service::cycle::{self, Order};
use crate::service::grouping::Grouping;
use crate::service::judge::Judge;
use crate::service::poll::{Desk, Job, PriceTag};
use crate::service::publish::{Masthead, Press, Published};
use crate::service::report::FeedReport;
use crate::service::restored;
use crate::service::robots::Crawling;
use crate::service::scheduler::Roster;
use crate::service::watch::{Glance, Watch};
use crate::source;
use crate::store::{Store, StoreError};

/// The directory of archive documents, below the data directory.
const SEALED: &str = "sealed";

/// The wall clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Reads and checks the configuration.
pub fn configuration(places: &Places) -> Result<Config, Problems> {
    configuration_with(places, None)
}

/// The configuration as it would be with this text as the feeds file.
pub fn configuration_with(
    places: &Places,
    feeds_text: Option<(&Path, &str)>,
) -> Result<Config, Problems> {
    let sources: Vec<&'static SourceSpec> =
        source::SOURCES.iter().map(|source| source.spec()).collect();
    let formats: Vec<&'static str> = archive::FORMATS
        .iter()
        .map(|format| format.name())
        .collect();
    Config::load_text(
        places,
        &sources,
        &formats,
        &|subscription| match source::source(&subscription.source) {
            Some(source) => source.check(subscription),
            None => Ok(()),
        },
        feeds_text,
    )
}

/// The program at work: a configuration, and the store it opened for itself alone.
pub struct App {
    /// What was configured.
    pub config: Config,
    /// Held exclusively.
    pub store: Store,
}

impl App {
    /// Opens the store, making it and its directories where they are not there yet.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        let path = &config.settings.store.path;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        }
        let store = Store::open(path).map_err(|error| match error {
            // SQLite's own words do not say where, and seldom why.
            StoreError::Sqlite(_) => anyhow!(error).context(format!(
                "cannot open the store {} (is the disk full?)",
                path.display()
            )),
            other => other.into(),
        })?;
        store.keep_pages(config.settings.store.pages);
        Ok(Self { config, store })
    }

    /// Brings the store beyond the numbers its archive bears: one that was put back is older than its files. Before anything
    /// is stored.
    pub async fn catch_up(&self) -> anyhow::Result<()> {
        let archive = &self.config.settings.archive;
        let archive = archive.enabled.then_some(archive.path.as_path());
        let sealed = self.config.settings.data.join(SEALED);
        if let Some(behind) = restored::catch_up(&self.store, archive, &sealed).await? {
            told::behind(&behind);
        }
        Ok(())
    }

    /// The subscriptions with these names, or all. A name nobody subscribed to is an error that lists who there is.
    pub fn subscriptions(&self, named: &[FeedId]) -> anyhow::Result<Vec<Subscription>> {
        let all = &self.config.subscriptions;
        if let Some(unknown) = named
            .iter()
            .find(|name| all.iter().all(|feed| feed.id != **name))
        {
            let known: Vec<&str> = all.iter().map(|feed| feed.id.as_str()).collect();
            bail!(
                "no feed `{unknown}` in feeds.toml; there are: {}",
                known.join(", ")
            );
        }
        let wanted = |feed: &&Subscription| named.is_empty() || named.contains(&feed.id);
        Ok(all.iter().filter(wanted).cloned().collect())
    }

    /// Polls feeds by order, over HTTP.
    pub async fn fetch(
        &self,
        named: &[FeedId],
        stop: impl Future<Output = ()>,
        done: impl FnMut(&FeedReport),
    ) -> anyhow::Result<Vec<FeedReport>> {
        let web = self.client()?;
        self.fetch_by(web, named, stop, done).await
    }

    /// Where answers are handed over to a service at work.
    fn handed(&self) -> Handed {
        Handed::of(&self.config.settings.data)
    }

    /// Who asks publishers, and remembers who told us to stay away.
    fn client(&self) -> anyhow::Result<Mindful> {
        let client = Client::new(fetch_settings(&self.config))?;
        Ok(Mindful::new(client, self.store.clone(), self.handed())?)
    }

    /// Polls feeds by order, through anybody who fetches.
    pub async fn fetch_by<W: Fetch>(
        &self,
        web: W,
        named: &[FeedId],
        stop: impl Future<Output = ()>,
        done: impl FnMut(&FeedReport),
    ) -> anyhow::Result<Vec<FeedReport>> {
        self.catch_up().await?;
        let mut states: HashMap<FeedId, FeedState> = self
            .store
            .feed_states()?
            .into_iter()
            .map(|state| (state.id.clone(), state))
            .collect();
        let jobs = self.subscriptions(named)?.into_iter().map(|subscription| {
            let source = source::source(&subscription.source);
            let source = source.ok_or_else(|| anyhow!("no source `{}`", subscription.source))?;
            let state = states
                .remove(&subscription.id)
                .unwrap_or_else(|| FeedState::new(subscription.id.clone()));
            Ok(Job::new(subscription, source, state))
        });
        let jobs = jobs.collect::<anyhow::Result<Vec<Job>>>()?;
        let desk = self.desk(web)?;
        let order = Order {
            user_refresh: self.config.settings.fetch.user_refresh,
            named: !named.is_empty(),
        };
        let desk = Arc::new(desk);
        copier::copier(&self.config, &desk).await?.follow().await?;
        let (mut stop, told) = (pin!(stop), Cell::new(false));
        let stopping = async {
            stop.as_mut().await;
            told.set(true);
        };
        let reports = cycle::cycle(Arc::clone(&desk), jobs, order, stopping, done).await?;
        let mut watch = Watch::new(self.store.clone())?;
        let glances = reports.iter().filter_map(Glance::of);
        for event in watch.polled(glances, now()).await? {
            told::health(&event);
        }
        if !told.get() {
            let copied = tokio::select! {
                () = stop => Ok(()),
                copied = self.copy(&desk) => copied,
            };
            if let Err(error) = copied {
                // The publishers' addresses stay, and the next run goes on.
                tracing::error!(error = format!("{error:#}"), "pictures could not be copied");
            }
        }
        Ok(reports)
    }

    /// What polls are made at, with somebody who fetches.
    fn desk<W: Fetch>(&self, web: W) -> anyhow::Result<Desk<W>> {
        let readers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
        Ok(Desk {
            web,
            store: self.store.clone(),
            readers: Arc::new(Semaphore::new(readers)),
            details_per_poll: self.config.settings.fetch.details_per_poll,
            backlog: self.config.settings.feed.backlog,
            flood: self.config.settings.feed.flood,
            price: PriceTag::new(self.store.price()?.unwrap_or_default()),
            floors: self.config.settings.schedule.floors,
            crawling: Crawling::default(),
            clock: Arc::new(now),
        })
    }

    /// Judges what came by the operator's rules, and publishes the store.
    pub async fn publish(&self) -> anyhow::Result<Published> {
        judge(&self.config, &self.store).finish(now()).await?;
        Ok(self.press()?.publish().await?)
    }

    /// Looks for copies of what came, where that is wanted: so many slices at most, the next order does the rest. True
    /// where there is none.
    pub async fn group(&self, slices: usize) -> anyhow::Result<bool> {
        let settings = &self.config.settings.groups;
        if !settings.enabled {
            return Ok(true);
        }
        let mut grouping = Grouping::open(self.store.clone(), settings.window).await?;
        for _ in 0..slices {
            if !grouping.slice().await?.worked {
                return Ok(true);
            }
        }
        Ok(self.store.next_to_group(1)?.is_none())
    }

    /// What publishes the store.
    pub fn press(&self) -> anyhow::Result<Press> {
        press(&self.config, &self.store)
    }
}

/// Who judges the entries of a store by the rules of a configuration.
fn judge(config: &Config, store: &Store) -> Judge {
    Judge {
        store: store.clone(),
        rules: Arc::new(config.rules.clone()),
        tags: Arc::new(feed_tags(config)),
    }
}

/// The tags of all subscriptions: what a disabled one brought keeps them.
pub fn feed_tags(config: &Config) -> FeedTags {
    let all = config.subscriptions.iter().chain(&config.disabled);
    all.map(|feed| (feed.id.clone(), feed.tags.clone()))
        .collect()
}

/// What publishes a store by a configuration.
pub fn press(config: &Config, store: &Store) -> anyhow::Result<Press> {
    let settings = &config.settings;
    let directory = settings
        .archive
        .enabled
        .then(|| settings.archive.path.clone());
    for directory in directory
        .iter()
        .map(AsRef::as_ref)
        .chain(settings.feed.path.parent())
    {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    }
    Ok(Press {
        store: store.clone(),
        archive: directory,
        sealed: Some(settings.data.join(SEALED)),
        feed: settings.feed.path.clone(),
        entries: settings.feed.entries,
        share: settings.feed.fair_share,
        copies: copies(config),
        masthead: Masthead {
            id: settings.feed.id.clone(),
            title: settings.feed.title.clone(),
            subtitle: settings.feed.subtitle.clone(),
            author: settings.feed.author.clone(),
            language: settings.feed.language.clone(),
            home: settings.feed.public_url.clone(),
        },
        subscriptions: config
            .subscriptions
            .iter()
            .chain(&config.disabled) // nobody asks them, and what they brought is still theirs
            .map(|feed| (feed.id.clone(), feed.clone()))
            .collect(),
    })
}

/// Who is to be polled by a configuration.
fn roster(config: &Config) -> anyhow::Result<Roster> {
    let orders = config.subscriptions.iter().map(|subscription| {
        let source = source::source(&subscription.source);
        let source = source.ok_or_else(|| anyhow!("no source `{}`", subscription.source))?;
        Ok((subscription.clone(), source))
    });
    orders.collect()
}

/// How copies are shown, as configured.
pub fn copies(config: &Config) -> CopyPolicy {
    CopyPolicy {
        collapse: config.settings.feed.collapse,
        near: config.settings.groups.enabled,
    }
}

/// Whether a service serves, or served, what this configuration keeps: it seals what is too old for the merged feed, and
/// until then that has to stay.
pub fn serves(config: &Config) -> bool {
    config.settings.data.join(SEALED).is_dir()
}

/// How publishers are asked, as configured.
fn fetch_settings(config: &Config) -> FetchSettings {
    let set = &config.settings.fetch;
    let defaults = FetchSettings::default();
    FetchSettings {
        dns: set.dns_timeout,
        connect: set.connect_timeout,
        first_byte: set.first_byte_timeout,
        idle: set.idle_timeout,
        total: set.total_timeout,
        max_wire: usize::try_from(set.max_body).unwrap_or(usize::MAX),
        max_decoded: usize::try_from(set.max_decoded).unwrap_or(usize::MAX),
        max_hops: set.max_redirects,
        max_in_flight: set.max_in_flight,
        per_host: set.per_host,
        per_address: set.per_address,
        host_per_day: set.host_per_day,
        per_day: set.per_day,
        host_delay: set.host_delay,
        independent_hosts: set.independent_hosts.clone(),
        contact: set.contact.clone().or(defaults.contact),
        ..defaults
    }
}
