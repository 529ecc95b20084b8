//! Floor 3: things happen in order. No SQL, no XML, no HTTP library.

pub mod archive;
pub mod crew;
pub mod cycle;
pub mod grouping;
pub mod poll;
pub mod publish;
pub mod reextract;
pub mod report;
pub mod robots;
pub mod scheduler;
pub mod shelf;
pub mod trial;
pub mod vitals;
pub mod watch;
