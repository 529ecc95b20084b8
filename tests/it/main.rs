//! The integration tests: one binary, one module a subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::too_many_lines,
    missing_docs
)]

mod architecture;
mod archive;
mod atom;
mod cli;
mod config;
mod feed;
mod fetch;
mod fold;
mod health;
mod hostile;
mod metrics;
mod once;
mod outputs;
mod polls;
mod real;
mod second;
mod serve;
mod simulation;
mod sources;
mod store;
mod why;

#[path = "../support/mod.rs"]
mod support;
