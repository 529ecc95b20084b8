//! What feedmill publishes: feeds, and the archive of text files. Bytes depend on the store and nothing else.

pub mod archive;
pub mod atom;
pub mod edition;
pub mod files;
mod forms;
pub mod gallery;
pub mod health;
pub mod json;
pub mod opml;
pub mod page;
pub mod room;
pub mod rss;
pub mod sealed;
pub mod xml;

use std::ops::Range;

use crate::model::river::River;
use crate::output::edition::Edition;
use crate::output::forms::below;

/// A format the river is published in.
pub trait Output: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The document's name below [`River::home`]; each format has an address of its own (F-21).
    fn file(&self) -> &'static str;

    /// What it is served as.
    fn media_type(&self) -> &'static str;

    /// The whole document. Same edition, same bytes.
    fn write(&self, edition: &Edition<'_>) -> Vec<u8>;

    /// The same, and where its entries stand in it, for formats that can be taken apart (RFC 3229).
    fn lay(&self, edition: &Edition<'_>) -> Laid {
        Laid {
            bytes: self.write(edition),
            entries: Vec::new(),
        }
    }

    /// Its address: each format has one of its own (F-21). A search is where it is asked.
    fn address(&self, edition: &Edition<'_>) -> String {
        if edition.stem.contains('?') {
            return below(&edition.river.home, edition.stem);
        }
        let file = format!("{}.{}", edition.stem, self.name());
        below(&edition.river.home, &file)
    }

    /// The whole document of a river. Whoever wants more than one format makes the [`Edition`] once.
    fn render(&self, river: &River) -> Vec<u8> {
        self.write(&Edition::of(river))
    }
}

/// A document and the places of its entries in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    /// The whole of it.
    pub bytes: Vec<u8>,
    /// Its entries, in their order, one behind the other: what is before the first and behind the last is the feed's own.
    pub entries: Vec<Part>,
}

/// Where an entry stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its id.
    pub id: String,
    /// From which byte to before which.
    pub place: Range<usize>,
}

/// Every format the river is published in.
pub const OUTPUTS: &[&dyn Output] = &[&atom::Atom, &rss::Rss, &json::Json];

/// The format of this name.
pub fn output(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}
