//! Support.

pub mod mill;
pub mod newsroom;
pub mod origin;
