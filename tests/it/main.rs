//! The integration tests: one binary, one module a subject.

mod archive;
mod atom;
mod config;
mod feed;
mod fetch;
mod fold;
mod sources;
mod store;
