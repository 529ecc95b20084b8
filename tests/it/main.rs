//! The integration tests: one binary, one module a subject.

mod architecture;
mod archive;
mod atom;
mod config;
mod feed;
mod fetch;
mod fold;
mod once;
mod sources;
mod store;

#[path = "../support/mod.rs"]
mod support;
