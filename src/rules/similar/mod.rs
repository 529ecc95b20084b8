//! Which articles are copies of one another though their words differ: a sketch finds who may be, the texts decide.
//!
//! The measure is the set of an article's folded runs of four characters. Two copies share most of them, two articles of
//! one event next to none, whatever names they share. Nothing here is asked by its order: a pair is the same pair whoever
//! of the two came first.

mod boilerplate;
mod dateline;
mod groups;
mod index;
mod kinship;
mod reading;
mod sketch;

pub use boilerplate::{LONGEST, REPEATS, SHORTEST};
pub use groups::{Member, Unions, first, fullest, shown};
pub use index::{Candidate, Index, MOST, Query, settle};
pub use kinship::{Evidence, Kinship, Pair, compare, decide};
pub use reading::{Print, Reading, Text};
pub use sketch::{Grams, Sketch};

/// The number of the recipe of prints and of what is decided by them; stored with them. It is raised with the fold's
/// ([`ContentHash::RECIPE`](crate::model::content::ContentHash::RECIPE)), and whenever anything in this module decides
/// otherwise: then all of it is made anew.
pub const RECIPE: u8 = 2;
