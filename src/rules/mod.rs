//! Floor 1: what we decide. Pure functions over the model; `now` is an argument. Nothing here needs a mock.

pub mod address;
pub mod agenda;
pub mod blocks;
pub mod cadence;
pub mod charset;
pub mod dates;
pub mod dedupe;
pub mod discover;
pub mod embedded;
pub mod fold;
pub mod health;
pub mod honesty;
pub mod html;
pub mod identity;
pub mod learn;
pub mod limits;
pub mod markup;
pub mod moves;
pub mod normalise;
pub mod opml;
pub mod repair;
pub mod rhythm;
pub mod river;
pub mod schedule;
pub mod settle;
pub mod silence;
