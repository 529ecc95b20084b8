//! What feedmill publishes: feeds, and the archive of text files. Bytes depend on the store and nothing else.

pub mod archive;
pub mod atom;
pub mod edition;
pub mod files;
mod forms;
pub mod health;
pub mod json;
pub mod opml;
pub mod rss;
pub mod xml;

use crate::model::river::River;
use crate::output::edition::Edition;

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

    /// The whole document of a river. Whoever wants more than one format makes the [`Edition`] once.
    fn render(&self, river: &River) -> Vec<u8> {
        self.write(&Edition::of(river))
    }
}

/// Every format the river is published in.
pub const OUTPUTS: &[&dyn Output] = &[&atom::Atom, &rss::Rss, &json::Json];

/// The format of this name.
pub fn output(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}
