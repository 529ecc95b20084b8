//! `feedmill check`: all that is wrong with the configuration, at once.

use std::io::{self, Write};

use crate::app;
use crate::cli::{Global, Outcome};

/// Check the configuration and say all that is wrong with it.
#[derive(clap::Args)]
pub struct Args {}

impl Args {
    /// Exit 0 and a line about what was read, or exit 2 and a line for each problem.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = app::configuration(&global.places()?)?;
        let mut out = io::stdout().lock();
        for file in config.files.settings.iter().chain([&config.files.feeds]) {
            writeln!(out, "read {}", file.display())?;
        }
        writeln!(
            out,
            "{} feed{}, data in {}: all well",
            config.subscriptions.len(),
            if config.subscriptions.len() == 1 {
                ""
            } else {
                "s"
            },
            config.settings.data.display()
        )?;
        Ok(Outcome::Well)
    }
}
