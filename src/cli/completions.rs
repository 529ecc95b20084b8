//! `feedmill completions SHELL`.

use std::io::{self, Write};

use clap_complete::Shell;

use crate::cli::{Global, Outcome, definition};

/// Print completions for a shell.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill completions bash > ~/.local/share/bash-completion/completions/feedmill
  feedmill completions zsh > ~/.zfunc/_feedmill
  feedmill completions fish > ~/.config/fish/completions/feedmill.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    /// Needs no configuration.
    pub fn run(self, _: &Global) -> anyhow::Result<Outcome> {
        // The generator panics where it cannot write, so it writes into memory.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut definition(), "feedmill", &mut text);
        io::stdout().lock().write_all(&text)?;
        Ok(Outcome::Well)
    }
}
