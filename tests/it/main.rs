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
mod backup;
mod charset;
mod cli;
mod config;
mod daemon;
mod damage;
mod diff;
mod discover;
mod doctor;
mod fair_share;
mod feed;
mod feeds_cmd;
mod fetch;
mod floods;
mod fold;
mod fulltext;
mod groups;
mod guard;
mod health;
mod hostile;
mod identity;
mod images;
mod manifest;
mod metrics;
mod once;
mod opml_cmd;
mod outputs;
mod packaging;
mod polls;
mod real;
mod reextract;
mod retention;
mod revisions;
mod robots;
mod rules;
mod scrape;
mod search;
mod search_feed;
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
