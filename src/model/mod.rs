//! Floor 0: what things are. No IO, no async, no clock.
//!
//! Parse once, at the edge: each type here sits beside the only function that can make it.

pub mod article;
pub mod content;
pub mod credentials;
pub mod entry;
pub mod feed;
pub mod health;
pub mod hints;
pub mod http;
pub mod ids;
pub mod image;
pub mod keep;
pub mod learned;
pub mod poll;
pub mod revision;
pub mod river;
pub mod ruling;
pub mod time;
pub mod urls;
pub mod visit;
pub mod withheld;
