//! Support.

pub mod origin;
