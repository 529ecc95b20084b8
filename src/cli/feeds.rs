//! `feedmill feeds list`, `add` and `remove`: the subscriptions, as a person or a script changes them.

mod add;

use std::io::{self, Write};
use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use crate::app;
use crate::cli::{Global, Outcome, table};
use crate::config::edit::FeedsFile;
use crate::config::{Config, Places};
use crate::model::feed::Subscription;
use crate::model::ids::FeedId;

/// List, add or remove subscriptions.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the subscriptions of feeds.toml
    List {
        /// A JSON array
        #[arg(long)]
        json: bool,
    },
    /// Subscribe to a feed, or to the feed a web page names: one request, which is the feed's first poll
    Add(add::Args),
    /// Take a subscription out of feeds.toml; what it brought stays stored
    #[command(after_help = "Example:\n  feedmill feeds remove example-org\n\n\
        To keep the block and not ask, put `enabled = false` into it.")]
    Remove {
        /// Its id, as `feedmill feeds list` shows it
        id: FeedId,
    },
}

impl Args {
    /// Exit 0: done; 1: the feed cannot be had, or a choice has to be made; 2: feeds.toml is not right or cannot be
    /// written.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.command {
            Command::List { json } => list(&global.configuration()?, json),
            Command::Add(args) => args.run(global),
            Command::Remove { id } => remove(&global.places()?, &id),
        }
    }
}

fn list(config: &Config, json: bool) -> anyhow::Result<Outcome> {
    let enabled = config.subscriptions.iter().map(|feed| (feed, true));
    let disabled = config.disabled.iter().map(|feed| (feed, false));
    let mut out = io::BufWriter::new(io::stdout().lock());
    if json {
        let all: Vec<_> = enabled.chain(disabled).map(as_json).collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        let rows = enabled.chain(disabled).map(|(feed, enabled)| {
            vec![
                feed.id.to_string(),
                feed.source.clone(),
                table::short(feed.title.as_deref().unwrap_or_default(), 40),
                feed.tags.join(", "),
                if enabled { "" } else { "disabled" }.to_owned(),
                address(feed).unwrap_or_default().to_owned(),
            ]
        });
        let head = ["feed", "source", "title", "tags", "", "address"];
        writeln!(out, "{}", table::table(&head, &[], rows))?;
    }
    out.flush()?;
    Ok(Outcome::Well)
}

/// The address a person gave; `None` where the source knows its own.
fn address(feed: &Subscription) -> Option<&str> {
    feed.options.get("url")
}

fn as_json((feed, enabled): (&Subscription, bool)) -> serde_json::Value {
    json!({
        "id": feed.id.as_str(),
        "source": feed.source,
        "title": feed.title,
        "url": address(feed),
        "language": feed.language,
        "archive": feed.archive,
        "schedule": feed.schedule,
        "tags": feed.tags,
        "private": feed.private,
        "enabled": enabled,
    })
}

fn remove(places: &Places, id: &FeedId) -> anyhow::Result<Outcome> {
    let mut file = FeedsFile::read(&places.feeds_file_to_edit())?;
    file.remove(id)?;
    if file.ids()?.is_empty() {
        anyhow::bail!(
            "`{id}` is the only feed, and feedmill wants one at least: nothing is changed. \
             Add another first, or put `enabled = false` into its block"
        );
    }
    check(places, &file)?;
    let shown = shown(places, file.path());
    file.save()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "removed `{id}` from {shown}; what it brought stays stored"
    )?;
    Ok(Outcome::Well)
}

/// The configuration as it will be. All that would be wrong with it is the error, and nothing is written.
pub(super) fn check(places: &Places, file: &FeedsFile) -> anyhow::Result<Config> {
    let config = app::configuration_with(places, Some((file.path(), file.text())))?;
    Ok(config)
}

/// A key and its value, as an argument.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write KEY=VALUE, such as language=zh".to_owned()),
    }
}

/// A path as people know it.
pub(super) fn shown(places: &Places, path: &Path) -> String {
    let below = path.strip_prefix(&places.working).unwrap_or(path);
    below.display().to_string()
}
