//! Floor 3: things happen in order. No SQL, no XML, no HTTP library.

pub mod archive;
pub mod backup;
pub mod crew;
pub mod cycle;
pub mod doctor;
pub mod export;
pub mod grouping;
pub mod hearing;
pub mod images;
pub mod indexing;
pub mod judge;
mod manifest;
pub mod poll;
pub mod prune;
pub mod publish;
pub mod reextract;
pub mod report;
pub mod restored;
pub mod robots;
pub mod scheduler;
pub mod shelf;
mod strays;
pub mod trial;
pub mod verify;
pub mod vitals;
pub mod watch;
