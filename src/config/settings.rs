//! `feedmill.toml`: how the program behaves. Each default stands in one place, here.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use tracing::Level;

use crate::config::groups::{self, GroupSettings};
use crate::config::images::ImageSettings;
use crate::config::keep::{self, BackupSettings};
use crate::config::problems::shown;
use crate::config::raw::{Block, TomlFile};
use crate::config::service::{ScheduleSettings, ServeSettings};
use crate::config::values;
use crate::model::http::HostSet;
use crate::model::keep::Keep;
use crate::model::river::Collapse;
use crate::model::urls::PageUrl;
use crate::rules::allowance::PerDay;
use crate::rules::share::Share;

/// Everything that can be set. Paths are whole: relative ones have been put below the data directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Where the store, the archive and the feed live.
    pub data: PathBuf,
    /// How publishers are asked.
    pub fetch: FetchSettings,
    /// The merged feed.
    pub feed: FeedSettings,
    /// Copies of articles.
    pub groups: GroupSettings,
    /// The archive of text files.
    pub archive: ArchiveSettings,
    /// The store.
    pub store: StoreSettings,
    /// How long the store keeps what.
    pub keep: Keep,
    /// Copies of the store.
    pub backup: BackupSettings,
    /// Copies of pictures.
    pub images: ImageSettings,
    /// How often feeds are asked.
    pub schedule: ScheduleSettings,
    /// The HTTP server.
    pub serve: ServeSettings,
    /// What is logged.
    pub log: LogSettings,
}

/// `[fetch]`: how publishers are asked (the numbers of POLLING 0.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// Requests in flight at once, over all hosts.
    pub max_in_flight: usize,
    /// Requests in flight at once to one host.
    pub per_host: usize,
    /// Requests in flight at once to one address, whatever the names of the hosts there (P-140).
    pub per_address: usize,
    /// The most of a day, of one host: requests and bytes (P-150).
    pub host_per_day: PerDay,
    /// The most of a day, in all.
    pub per_day: PerDay,
    /// From the end of one request to a host to the start of the next.
    pub host_delay: Duration,
    /// Hosts whose paths belong to different people: one that says "too many" to one feed says it to that feed alone (P-34).
    pub independent_hosts: HostSet,
    /// A feed that was asked less than this ago is not asked again, not even by order (P-64).
    pub user_refresh: Duration,
    /// How long a name may take to resolve.
    pub dns_timeout: Duration,
    /// How long a connection may take, TCP and TLS together.
    pub connect_timeout: Duration,
    /// How long an answer may take to begin, the connection included.
    pub first_byte_timeout: Duration,
    /// How long an answer may pause.
    pub idle_timeout: Duration,
    /// How long a request may take in all.
    pub total_timeout: Duration,
    /// Bytes of one answer as they come over the wire.
    pub max_body: u64,
    /// Bytes of one answer after its content coding is undone.
    pub max_decoded: u64,
    /// Redirects followed in one request.
    pub max_redirects: usize,
    /// Detail pages asked in one poll of one feed.
    pub details_per_poll: usize,
    /// The operator's page, named in every request (P-160).
    pub contact: Option<PageUrl>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            max_in_flight: 32,
            per_host: 1,
            per_address: 2,
            host_per_day: PerDay::OF_A_HOST,
            per_day: PerDay::OF_ALL,
            host_delay: Duration::from_secs(2),
            independent_hosts: HostSet::default(),
            user_refresh: Duration::from_mins(5),
            dns_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_mins(1),
            max_body: 10 << 20,
            max_decoded: 20 << 20,
            max_redirects: 5,
            details_per_poll: 30,
            contact: None,
        }
    }
}

impl FetchSettings {
    fn read(&mut self, block: &mut Block<'_>) {
        const HOUR: Duration = Duration::from_hours(1);
        let pause = || values::duration(Duration::ZERO..=24 * HOUR);
        // A timeout of nothing would fail every request.
        let timeout = || values::duration(Duration::from_millis(1)..=HOUR);
        block.set(
            "max_in_flight",
            &mut self.max_in_flight,
            values::count(1..=1000),
        );
        block.set("per_host", &mut self.per_host, values::count(1..=1000));
        block.set(
            "per_address",
            &mut self.per_address,
            values::count(1..=1000),
        );
        let per_day = || {
            let count = values::count(1..=1_000_000_000);
            move |value: &DeValue<'_>| count(value).map(|count| count as u64)
        };
        block.set(
            "host_requests_per_day",
            &mut self.host_per_day.requests,
            per_day(),
        );
        block.set(
            "host_bytes_per_day",
            &mut self.host_per_day.bytes,
            values::volume,
        );
        block.set("requests_per_day", &mut self.per_day.requests, per_day());
        block.set("bytes_per_day", &mut self.per_day.bytes, values::volume);
        block.set("host_delay", &mut self.host_delay, pause());
        block.set(
            "independent_hosts",
            &mut self.independent_hosts,
            values::hosts,
        );
        block.set("user_refresh", &mut self.user_refresh, pause());
        block.set("dns_timeout", &mut self.dns_timeout, timeout());
        block.set("connect_timeout", &mut self.connect_timeout, timeout());
        block.set(
            "first_byte_timeout",
            &mut self.first_byte_timeout,
            timeout(),
        );
        block.set("idle_timeout", &mut self.idle_timeout, timeout());
        block.set("total_timeout", &mut self.total_timeout, timeout());
        block.set("max_body", &mut self.max_body, values::size);
        block.set("max_decoded", &mut self.max_decoded, values::size);
        block.set(
            "max_redirects",
            &mut self.max_redirects,
            values::count(0..=20),
        );
        block.set(
            "details_per_poll",
            &mut self.details_per_poll,
            values::count(0..=1000),
        );
        block.set("contact", &mut self.contact, optional(values::address));
    }
}

/// `[feed]`: the merged feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSettings {
    /// Its title.
    pub title: String,
    /// One line about it.
    pub subtitle: Option<String>,
    /// Its author, for entries that name none.
    pub author: String,
    /// BCP 47.
    pub language: String,
    /// Its `atom:id`, an IRI that stays for good (F-02).
    pub id: Option<String>,
    /// How many entries it holds.
    pub entries: usize,
    /// How many entries of a feed that is new come into it, the newest (P-132).
    pub backlog: usize,
    /// New entries of one poll that come into it whatever the rhythm of their feed: more may be a flood, and wait.
    pub flood: usize,
    /// How much of them, and of a tag's, one source may take.
    pub fair_share: Share,
    /// How often the same words are in it.
    pub collapse: Collapse,
    /// Where people find it: an address that ends in a slash.
    pub public_url: PageUrl,
    /// The file it is written to.
    pub path: PathBuf,
}

impl Default for FeedSettings {
    #[expect(clippy::expect_used, reason = "an address of ours, not a stranger's")]
    fn default() -> Self {
        Self {
            title: "feedmill".to_owned(),
            subtitle: None,
            author: "feedmill".to_owned(),
            language: "zh".to_owned(),
            id: None,
            entries: 200,
            backlog: 50,
            flood: 30,
            fair_share: Share::ALL,
            collapse: Collapse::default(),
            public_url: PageUrl::parse("http://localhost:8080/").expect("an address"),
            path: PathBuf::from("feed.atom"),
        }
    }
}

impl FeedSettings {
    /// The feed's own address: the name of its file behind the public address.
    pub fn url(&self) -> PageUrl {
        let mut url = self.public_url.as_url().clone();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&name);
        }
        PageUrl::parse(url.as_str()).unwrap_or_else(|_| self.public_url.clone())
    }

    fn read(&mut self, block: &mut Block<'_>) {
        block.set("title", &mut self.title, values::words);
        block.set("subtitle", &mut self.subtitle, optional(values::words));
        block.set("author", &mut self.author, values::words);
        block.set("language", &mut self.language, values::language);
        block.set("id", &mut self.id, optional(values::iri));
        block.set("entries", &mut self.entries, values::count(1..=10_000));
        block.set("backlog", &mut self.backlog, values::count(0..=1_000_000));
        block.set("flood", &mut self.flood, values::count(1..=1_000_000));
        block.set("fair_share", &mut self.fair_share, values::share);
        block.set("collapse", &mut self.collapse, groups::collapse);
        block.set("public_url", &mut self.public_url, values::base_address);
        block.set("path", &mut self.path, values::path);
    }
}

/// `[archive]`: the text files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSettings {
    /// Whether files are written at all.
    pub enabled: bool,
    /// The directory they are written to.
    pub path: PathBuf,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            path: PathBuf::from("archive"),
        }
    }
}

/// `[store]`: the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Its file.
    pub path: PathBuf,
    /// How many bytes of pages behind entries are kept, pressed; 0 keeps none.
    pub pages: u64,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("feedmill.sqlite"),
            pages: 256 << 20,
        }
    }
}

/// `[log]`: what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important kind of message that is still told.
    pub level: Level,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: Level::INFO }
    }
}

impl Settings {
    /// Reads a settings file over the defaults; what is wrong is noted in the file.
    pub(super) fn read(file: &TomlFile, tree: &DeTable<'_>) -> Self {
        let mut settings = Self::default();
        let mut top = Block::top(file, tree);
        let mut paths = Vec::new();
        // Empty where it is not set: there are other places to look.
        top.set("data", &mut settings.data, values::path);
        if let Some(mut block) = section(file, &mut top, "fetch") {
            settings.fetch.read(&mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "feed") {
            settings.feed.read(&mut block);
            paths.push(block.at("path"));
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "groups") {
            settings.groups.read(&mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "archive") {
            block.set("enabled", &mut settings.archive.enabled, values::flag);
            block.set("path", &mut settings.archive.path, values::path);
            paths.push(block.at("path"));
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "store") {
            block.set("path", &mut settings.store.path, values::path);
            block.set("pages", &mut settings.store.pages, values::room);
            paths.push(block.at("path"));
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "keep") {
            keep::settings(&mut settings.keep, &mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "backup") {
            settings.backup.read(file, &mut block);
            paths.push(block.at("path"));
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "images") {
            settings.images.read(&mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "schedule") {
            settings.schedule.read(&mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "serve") {
            settings.serve.read(&mut block);
            block.finish(str::to_owned);
        }
        if let Some(mut block) = section(file, &mut top, "log") {
            block.set("level", &mut settings.log.level, level);
            block.finish(str::to_owned);
        }
        settings.check_paths(file, paths.into_iter().max());
        top.finish(|key| match key {
            "data" => key.to_owned(),
            section => format!("[{section}]"),
        });
        settings
    }

    /// Two things written to one path would destroy each other.
    fn check_paths(&self, file: &TomlFile, at: Option<usize>) {
        let paths = [
            ("[feed]", &self.feed.path),
            ("[archive]", &self.archive.path),
            ("[store]", &self.store.path),
            ("[backup]", &self.backup.path),
        ];
        for (index, (a, path)) in paths.iter().enumerate() {
            for (b, _) in paths
                .iter()
                .skip(index + 1)
                .filter(|(_, other)| other == path)
            {
                let shown = shown(&path.to_string_lossy());
                let why = format!("{a} and {b} have the same `path`, `{shown}`");
                file.report(at.unwrap_or(0), why, None);
            }
        }
    }

    /// The same with every path whole.
    pub(super) fn below(mut self, data: PathBuf) -> Self {
        for path in [
            &mut self.feed.path,
            &mut self.archive.path,
            &mut self.store.path,
            &mut self.backup.path,
        ] {
            *path = data.join(&*path);
        }
        self.data = data;
        self
    }
}

/// The section of this name, if there is one.
fn section<'a>(file: &'a TomlFile, top: &mut Block<'a>, name: &'static str) -> Option<Block<'a>> {
    let value = top.value(name)?;
    let at = value.span().start;
    let why = match value.get_ref() {
        DeValue::Table(table) => return Some(Block::new(file, table, format!("[{name}]"), at)),
        DeValue::Array(_) if name == "feed" => {
            "[[feed]] blocks belong into feeds.toml; here is one [feed], the merged one".to_owned()
        }
        _ => format!("`{name}` is a section: write [{name}] on a line of its own"),
    };
    file.report(at, why, None);
    None
}

fn level(value: &DeValue<'_>) -> Result<Level, String> {
    let name = values::one_of(&["error", "warn", "info", "debug", "trace"])(value)?;
    Level::from_str(name).map_err(|_| format!("`{name}` is not a level"))
}

/// An empty text unsets a setting, so that the shipped file can show every key.
fn optional<T>(
    read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
) -> impl FnOnce(&DeValue<'_>) -> Result<Option<T>, String> {
    |value| match value.as_str() {
        Some(text) if text.trim().is_empty() => Ok(None),
        _ => read(value).map(Some),
    }
}
