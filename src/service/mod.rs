//! Floor 3: things happen in order. No SQL, no XML, no reqwest.

pub mod archive;
pub mod cycle;
pub mod poll;
pub mod publish;
pub mod shelf;
