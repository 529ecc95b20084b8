//! The integration tests: one binary, one module a subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::disallowed_methods,
    missing_docs
)]

mod architecture;
mod archive;
mod atom;
mod config;
mod feed;
mod fetch;
mod fold;
mod once;
mod polls;
mod second;
mod sources;
mod store;

#[path = "../support/mod.rs"]
mod support;
