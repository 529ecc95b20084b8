//! Publishers' formats. A source is a pure reader: it says what to ask and what it saw; the poll does the asking.

pub mod dw;
pub mod feed;
mod page;
pub mod qq;
pub mod takungpao;

use crate::model::entry::{Draft, Listing, ReadError, Teaser};
use crate::model::feed::{SourceSpec, Subscription};
use crate::model::http::{Ask, Page};

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
pub const SOURCES: &[&dyn Source] = &[&dw::Dw, &feed::Feed, &qq::Qq, &takungpao::TaKungPao];

/// The source of this name.
pub fn source(name: &str) -> Option<&'static dyn Source> {
    SOURCES
        .iter()
        .copied()
        .find(|source| source.spec().name == name)
}
