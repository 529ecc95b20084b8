//! Support.

pub mod mill;
pub mod origin;
