//! feedmill turns many news sources into one feed and a lasting archive.
//!
//! The floors, bottom up: [`model`] says what things are, [`rules`] what we decide (pure functions), then the
//! adapters ([`config`], [`fetch`], [`source`], [`store`], [`output`]) each do one outside thing, [`service`]
//! makes things happen in order, [`serve`] answers from memory, and [`app`] and [`cli`] let people in. ARCHITECTURE.md has the map.

pub mod model;

pub mod rules;

pub mod config;
pub mod fetch;
pub mod output;
pub mod source;
pub mod store;

pub mod service;

pub mod serve;

pub mod app;
pub mod cli;
