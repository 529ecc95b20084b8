//! Floor 4: what readers ask for over HTTP/1.1, answered from memory. A request never waits for the store, for a
//! rendering or for a compression.
//!
//! [`shelve`] takes in what the service rendered, [`library`] holds it, [`conditional`] decides what a request needs of it, [`limits`] how often, [`site`]
//! puts an answer together, and [`accept`] looks after connections.

pub mod accept;
pub mod conditional;
pub mod delta;
mod explained;
mod gallery;
pub mod library;
pub mod limits;
mod patience;
mod problem;
pub mod search;
mod shelve;
pub mod site;

pub use accept::serve;
pub use shelve::shelve;
pub use site::Site;
