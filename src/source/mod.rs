//! Publishers' formats. A source is a pure reader: it says what to ask and what it saw; the poll does the asking.

pub mod dw;
pub mod feed;
pub mod json;
mod page;
pub mod qq;
pub mod scrape;
pub mod takungpao;

use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{SourceSpec, Subscription};
use crate::model::http::{Ask, Page};
use crate::model::time::Timestamp;
use crate::rules::charset::Decoded;

/// A reader of one publisher's (or one standard's) pages.
pub trait Source: Send + Sync {
    /// Its name, what it wants to be told, and its defaults.
    fn spec(&self) -> &'static SourceSpec;

    /// Rules between options that a [`SourceSpec`] cannot say; the configuration asks before anything is polled.
    fn check(&self, _subscription: &Subscription) -> Result<(), String> {
        Ok(())
    }

    /// Where a poll begins.
    fn first(&self, subscription: &Subscription) -> Ask;

    /// Reads a list page. A page of an unknown shape is an error that names the first thing missing, never an empty listing.
    fn read(&self, subscription: &Subscription, page: &Page) -> Result<Listing, ReadError>;

    /// The same, with the time the page was fetched: dates such as `5分钟前` count from there.
    fn read_at(
        &self,
        subscription: &Subscription,
        page: &Page,
        _fetched: Timestamp,
    ) -> Result<Listing, ReadError> {
        self.read(subscription, page)
    }

    /// How many pages of one listing are asked at most: an index and what it leads to.
    fn pages(&self, _subscription: &Subscription) -> usize {
        4
    }

    /// What stands on a list page where entries are looked for, in plain words, for people who write selectors.
    fn explain(
        &self,
        _subscription: &Subscription,
        _page: &Page,
        _fetched: Timestamp,
    ) -> Vec<String> {
        Vec::new()
    }

    /// Reads the page of one entry. `route` is the place of the page's ask among [`Teaser::details`].
    fn complete(
        &self,
        subscription: &Subscription,
        teaser: &Teaser,
        route: usize,
        page: &Page,
    ) -> Result<Draft, ReadError>;
}

/// Every source there is. A file in this folder that implements [`Source`] has a line here.
pub const SOURCES: &[&dyn Source] = &[
    &dw::Dw,
    &feed::Feed,
    &json::Json,
    &qq::Qq,
    &scrape::Scrape,
    &takungpao::TaKungPao,
];

/// A page as text, with the charset it was read in and why.
pub fn decoded<'p>(subscription: &Subscription, page: &'p Page) -> Decoded<'p> {
    page::decoded(subscription, page)
}

/// The source of this name.
pub fn source(name: &str) -> Option<&'static dyn Source> {
    SOURCES
        .iter()
        .copied()
        .find(|source| source.spec().name == name)
}
