//! HTML to safe HTML and to plain text, behind a depth scan.

mod cut;
mod markup;
mod prepare;
mod safe;
mod text;
mod urls;

pub use cut::cut;
pub use markup::{display, paragraphs, summary, words};
pub use prepare::prepare;
pub use safe::safe;
pub use text::text;

pub use crate::rules::markup::escape::anywhere as escape_text;

#[cfg(test)]
mod tests;
