//! `feedmill man`: the manual pages, made from the same definition as the command line.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap_mangen::Man;

use crate::cli::{Global, Outcome, definition};

/// Print the manual page, or write it and those of all commands into a directory.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  feedmill man | man -l -\n  feedmill man --to /usr/local/share/man/man1"
)]
pub struct Args {
    /// Write feedmill.1, feedmill-fetch.1 and the others there
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl Args {
    /// Needs no configuration.
    pub fn run(self, _: &Global) -> anyhow::Result<Outcome> {
        if let Some(directory) = self.to {
            fs::create_dir_all(&directory)
                .with_context(|| format!("cannot make the directory {}", directory.display()))?;
            clap_mangen::generate_to(definition(), &directory)
                .with_context(|| format!("cannot write to {}", directory.display()))?;
        } else {
            let mut page = Vec::new();
            Man::new(definition()).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
        }
        Ok(Outcome::Well)
    }
}
