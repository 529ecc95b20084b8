//! What feedmill publishes: feeds, and the archive of text files. Bytes depend on the store and nothing else.

pub mod archive;
pub mod atom;
pub mod files;
pub mod xml;

use crate::model::river::River;

/// A format the river is published in.
pub trait Output: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The whole document. Same river, same bytes.
    fn render(&self, river: &River) -> Vec<u8>;
}

/// Every format the river is published in.
pub const OUTPUTS: &[&dyn Output] = &[&atom::Atom];

/// The format of this name.
pub fn output(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}
