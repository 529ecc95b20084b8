//! Floor 4: the command line. One file a command, one line in `commands!`.

pub mod archive;
pub mod backup;
mod changes;
pub mod check;
pub mod completions;
pub mod diff;
pub mod doctor;
pub mod feeds;
pub mod fetch;
pub mod group;
pub mod list;
mod log;
pub mod man;
pub mod opml;
pub mod prune;
pub mod reextract;
pub mod release;
pub mod rules;
pub mod run;
pub mod search;
pub mod show;
pub mod status;
mod table;
pub mod trial;
pub mod why;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};

use crate::app;
use crate::config::{Config, Places};

/// How a command ended: what the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0: all well.
    Well,
    /// 1: it ran, and something it looked after is not well.
    Unwell,
}

/// A command's own options are listed before those that all have.
const LAST: usize = 900;

/// Where configuration and data are.
#[derive(clap::Args, Clone, Debug)]
pub struct Global {
    /// Settings file [default: feedmill.toml or config/feedmill.toml here, then /etc/feedmill/feedmill.toml]
    #[arg(long, global = true, value_name = "FILE", display_order = LAST)]
    config: Option<PathBuf>,
    /// Subscriptions file [default: feeds.toml here, then /etc/feedmill/feeds.toml]
    #[arg(long, global = true, value_name = "FILE", display_order = LAST)]
    feeds: Option<PathBuf>,
    /// Data directory
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        display_order = LAST,
        help = "Data directory [default: the setting `data`, then $STATE_DIRECTORY, then ./data]"
    )]
    data: Option<PathBuf>,
}

impl Global {
    /// Where to look, as this process was told.
    pub fn places(&self) -> anyhow::Result<Places> {
        let mut places = Places::of_process().context("the working directory cannot be found")?;
        places.config.clone_from(&self.config);
        places.feeds.clone_from(&self.feeds);
        places.data.clone_from(&self.data);
        Ok(places)
    }

    /// The checked configuration; from here on, messages are logged as it says.
    pub fn configuration(&self) -> anyhow::Result<Config> {
        let config = app::configuration(&self.places()?)?;
        let _dial = log::start(config.settings.log.level);
        Ok(config)
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident => $module:ident),* $(,)?) => {
        #[derive(clap::Subcommand)]
        enum Command {
            $($(#[$doc])* $variant($module::Args),)*
        }

        impl Command {
            fn run(self, global: &Global) -> anyhow::Result<Outcome> {
                match self {
                    $(Self::$variant(args) => args.run(global),)*
                }
            }
        }
    };
}

commands! {
    /// Poll each feed when it is due, publish and serve what came, until told to stop
    Run => run,
    /// Poll feeds, store what is new, publish, and exit
    Fetch => fetch,
    /// List stored articles
    List => list,
    /// Search stored articles by their words
    Search => search,
    /// Show one article whole
    Show => show,
    /// Show what a revision changed: two of them side by side, by words
    Diff => diff,
    /// Show how each feed is doing: its state, when it was asked, when it is next and why
    Status => status,
    /// Say why a feed or an article is what it is: what was asked, answered and decided
    Why => why,
    /// Show the copies of an article, and why they are taken for copies
    Group => group,
    /// Ask a feed once and show what comes of it, storing nothing
    Try => trial,
    /// Read kept pages again by today's rules and store what is otherwise, asking nobody
    Reextract => reextract,
    /// Show entries that are withheld: floods that wait, or the backlog of new feeds
    Release => release,
    /// List the rules that tag, drop or highlight entries, or try what one would have done
    Rules => rules,
    /// Check the configuration and say all that is wrong with it
    Check => check,
    /// Check store, room, clock, permissions, units and archive, and say what to do
    Doctor => doctor,
    /// List, add or remove subscriptions
    Feeds => feeds,
    /// Take subscriptions over from other readers as OPML, or hand them on
    Opml => opml,
    /// Import, verify or export archive files
    Archive => archive,
    /// Let go of what is not to be kept any more
    Prune => prune,
    /// Copy the store while it is in use, and check the copy
    Backup => backup,
    /// Print completions for a shell
    Completions => completions,
    /// Print the manual page, or write all of them to a directory
    Man => man,
}

/// Turns many news sources into one feed and a lasting archive: every story once, whole, and for good.
#[derive(Parser)]
#[command(name = "feedmill", version, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 all well, 1 something is not well, 2 could not run.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The whole command line, for those who describe it.
fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match cli.command.run(&cli.global) {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Unwell) => ExitCode::from(1),
        // `feedmill list | head` is no failure of ours.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = io::stderr().write_all(log::complaint(&told(&error)).as_bytes());
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    // serde_json wraps what the writer said.
    let kind = match error.downcast_ref::<io::Error>() {
        Some(error) => Some(error.kind()),
        None => error
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind),
    };
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// An error and its causes on one line, each said once: some libraries print their cause and return it too.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
