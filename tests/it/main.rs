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
mod asking;
mod atom;
mod backoff;
mod charset;
mod cli;
mod config;
mod daemon;
mod damage;
mod discover;
mod feed;
mod feeds_cmd;
mod fetch;
mod fold;
mod fulltext;
mod groups;
mod guard;
mod health;
mod hostile;
mod metrics;
mod once;
mod opml_cmd;
mod outputs;
mod packaging;
mod polls;
mod real;
mod reextract;
mod robots;
mod scrape;
mod second;
mod serve;
mod serve_delta;
mod served;
mod shelf;
mod silence;
mod simulation;
mod soak;
mod sources;
mod store;
mod trial;
mod why;

#[path = "../support/mod.rs"]
mod support;
