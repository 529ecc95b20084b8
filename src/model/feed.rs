//! A feed: our order for it, what its publisher says of it, and what we remember of asking.

use std::collections::BTreeMap;

use crate::model::content::RawHash;
use crate::model::credentials::Credentials;
use crate::model::http::{Ask, HostSet, HttpValidators, Request};
use crate::model::ids::FeedId;
use crate::model::keep::KeepOrder;
use crate::model::learned::Learned;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;

/// Our order for one feed: a checked block of feeds.toml.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its name with us.
    pub id: FeedId,
    /// The adapter that reads it, a name in `SOURCES`.
    pub source: String,
    /// The name people see; the publisher's own where absent.
    pub title: Option<String>,
    /// BCP 47 of its entries, unless they say otherwise.
    pub language: String,
    /// The zone of times written without one.
    pub zone: Zone,
    /// The archive format of its articles, a name in `FORMATS`; `None` keeps them out of the archive.
    pub archive: Option<String>,
    /// When to ask: a cron expression.
    pub schedule: Option<String>,
    /// What it is about, in the operator's words: each has a feed of its own. No word twice.
    pub tags: Vec<String>,
    /// True where it is asked and kept, and shown to nobody else (P-172, F-63); `None` leaves that to its publisher, see
    /// [`is_private`](Self::is_private).
    pub private: Option<bool>,
    /// The charset its pages are read in, whatever they say: a label `rules/charset.rs` knows.
    pub charset: Option<String>,
    /// Hosts it may be asked at though they are private (P-168).
    pub allow_hosts: HostSet,
    /// What shows its publisher who asks.
    pub credentials: Option<Credentials>,
    /// Pages that nobody wrote in an order are asked whatever robots.txt says: the operator has leave (P-164).
    pub ignore_robots: bool,
    /// The pictures of its entries are copied, and shown from there: the one order by which something in an entry's
    /// content is asked for.
    pub copy_images: bool,
    /// Where the words of its entries are.
    pub fulltext: FullText,
    /// How long what it brings is kept, where that is otherwise than the settings say.
    pub keep: Option<Box<KeepOrder>>,
    /// What the adapter lets one set, checked against its [`SourceSpec`], defaults filled in.
    pub options: Options,
}

impl Subscription {
    /// An order that says nothing but its name and its adapter's.
    pub fn new(id: FeedId, source: &str) -> Self {
        Self {
            id,
            source: source.to_owned(),
            title: None,
            language: "und".to_owned(),
            zone: Zone::utc(),
            archive: None,
            schedule: None,
            tags: Vec::new(),
            private: None,
            charset: None,
            allow_hosts: HostSet::default(),
            credentials: None,
            ignore_robots: false,
            copy_images: false,
            fulltext: FullText::default(),
            keep: None,
            options: Options::default(),
        }
    }

    /// Whether it is shown to nobody else: by our orders, or where they say nothing by its publisher's word or because it
    /// wants to know who asks (P-23).
    pub fn is_private(&self, learned: &Learned) -> bool {
        self.private
            .unwrap_or(learned.private || self.credentials.is_some())
    }

    /// How long what it brings is kept, as far as its order says so.
    pub fn keep_order(&self) -> KeepOrder {
        self.keep.as_deref().copied().unwrap_or_default()
    }

    /// Which credentials it is asked with, as the store knows them.
    pub fn credentials_mark(&self) -> Option<u32> {
        self.credentials.as_ref().map(Credentials::mark)
    }

    /// A request on behalf of this feed, with all it is allowed.
    pub fn request(&self, ask: Ask, validators: Option<HttpValidators>) -> Request {
        Request {
            validators,
            allowed: self.allow_hosts.clone(),
            credentials: self.credentials.clone(),
            ..Request::new(ask, self.id.clone())
        }
    }
}

/// Where the words of a feed's entries are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FullText {
    /// In the feed.
    #[default]
    Feed,
    /// On each entry's own page.
    Page,
    /// There, in what this CSS selector finds. Checked by `rules::extract`.
    Selector(String),
}

/// Values of an adapter's options. An option is here exactly when it was given or has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(pub BTreeMap<String, String>);

impl Options {
    /// The option as text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// An option declared [`OptionKind::Url`], which the configuration has already checked.
    pub fn url(&self, name: &str) -> Option<PageUrl> {
        self.get(name).and_then(|text| PageUrl::parse(text).ok())
    }
}

/// What an adapter wants to be told, and what it takes for granted: the configuration is checked against it.
#[derive(Clone, Copy, Debug)]
pub struct SourceSpec {
    /// Its name in feeds.toml.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What can be set.
    pub options: &'static [OptionSpec],
    /// Default for `language`.
    pub language: &'static str,
    /// Default for `zone`.
    pub zone: &'static str,
    /// Default for `archive`.
    pub archive: &'static str,
}

/// One option of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its key in the `[[feed]]` block.
    pub name: &'static str,
    /// What values it takes.
    pub kind: OptionKind,
    /// Whether it must be given.
    pub required: bool,
    /// Its value where it is not given.
    pub default: Option<&'static str>,
    /// One line for people.
    pub about: &'static str,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug)]
pub enum OptionKind {
    /// An `http` or `https` address.
    Url,
    /// Any non-empty text.
    Text,
    /// A text its adapter can read (a selector, a path); what the function says is why it cannot.
    Written(fn(&str) -> Result<(), String>),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in this range, both ends included.
    Number(u32, u32),
}

/// What a feed's publisher says about the feed itself; `atom:source` in our output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedInfo {
    /// `atom:id`, where it has one.
    pub id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The address it calls its own (`rel=self`).
    pub self_link: Option<PageUrl>,
    /// The site it belongs to (`rel=alternate`).
    pub home: Option<PageUrl>,
    /// Its authors' names.
    pub authors: Vec<String>,
    /// Copyright line.
    pub rights: Option<String>,
    /// Icon or logo.
    pub icon: Option<PageUrl>,
    /// BCP 47.
    pub language: Option<String>,
    /// When it last changed, by its own word.
    pub updated: Option<Timestamp>,
}

/// What we remember of a feed between polls. All of it is written by polls alone, in their transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedState {
    /// Which feed.
    pub id: FeedId,
    /// What its publisher said of it when it last brought something.
    pub info: FeedInfo,
    /// Replayed byte for byte, and only to the address that gave them.
    pub validators: Option<HttpValidators>,
    /// Hash of the last document that was read whole: the same bytes need no reading.
    pub document: Option<RawHash>,
    /// When it was last asked.
    pub last_poll: Option<Timestamp>,
    /// When an answer was last good (a 304 is).
    pub last_success: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// The publisher's own word that there is nothing new before then (HTTP freshness).
    pub fresh_until: Option<Timestamp>,
    /// Nobody asks before then, not even by order: Retry-After or backoff.
    pub not_before: Option<NotBefore>,
    /// When it is due next by its schedule.
    pub next_poll: Option<Timestamp>,
    /// Why then, in plain words.
    pub why_next: Option<String>,
    /// What was learned of it.
    pub learned: Learned,
}

impl FeedState {
    /// A feed that was never asked.
    pub fn new(id: FeedId) -> Self {
        Self {
            id,
            info: FeedInfo::default(),
            validators: None,
            document: None,
            last_poll: None,
            last_success: None,
            failures: 0,
            fresh_until: None,
            not_before: None,
            next_poll: None,
            why_next: None,
            learned: Learned::default(),
        }
    }
}

/// A time before which a feed is left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBefore {
    /// Until when.
    pub until: Timestamp,
    /// In words that follow "left alone:" (`Retry-After: 3600`, `2 failures in a row`).
    pub why: String,
}
