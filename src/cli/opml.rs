//! `feedmill opml import FILE` and `feedmill opml export [FILE]`: subscriptions from and for other readers.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::cli::feeds::{check, shown};
use crate::cli::{Global, Outcome, table};
use crate::config::edit::{Block, FeedsFile};
use crate::model::feed::FeedInfo;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::model::urls::FeedUrl;
use crate::output::files;
use crate::output::opml;
use crate::rules::address;
use crate::rules::opml as read;
use crate::store::Store;

/// Take subscriptions over from other readers, or hand them on.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add the feeds of an OPML file to feeds.toml; asks nobody
    #[command(
        after_help = "Examples:\n  feedmill opml import subscriptions.opml\n  \
        curl -s https://example.org/opml | feedmill opml import -\n\n\
        Feeds that are there already are left as they are, folders and categories become tags, and the first polls \
        spread over time like all others."
    )]
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        /// Say what would be added, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the subscriptions as OPML 2.0; private ones are left out
    #[command(
        after_help = "Examples:\n  feedmill opml export > feeds.opml\n  feedmill opml export feeds.opml"
    )]
    Export {
        /// The file [default: standard output]
        file: Option<PathBuf>,
    },
}

impl Args {
    /// Exit 0: done; 1: some outlines have no address of a feed, each named; 2: it is no OPML, or cannot be read or
    /// written.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Import { file, dry_run } => import(global, &file, dry_run),
            Command::Export { file } => export(global, file.as_deref()),
        }
    }
}

fn import(global: &Global, path: &Path, dry_run: bool) -> anyhow::Result<Outcome> {
    let outlines = read::read(&bytes(path)?).with_context(|| path.display().to_string())?;
    let places = global.places()?;
    let mut file = FeedsFile::read(&places.feeds_file_to_edit())?;
    let mut taken: HashSet<String> = file.ids()?.into_iter().collect();
    // A first import may find no feeds.toml, or one without blocks; then there is nothing to compare with.
    let mut known: HashMap<FeedUrl, FeedId> = HashMap::new();
    if !taken.is_empty() {
        let config = check(&places, &file)?;
        for feed in config.subscriptions.into_iter().chain(config.disabled) {
            if let Some(url) = feed.options.url("url") {
                known.insert(FeedUrl::from(url), feed.id);
            }
        }
    }
    let (mut blocks, mut already) = (Vec::new(), 0);
    for outline in outlines.feeds {
        if known.contains_key(&outline.url) {
            already += 1;
            continue;
        }
        let title = outline.title.as_deref();
        let id = address::name(&outline.url, title, |id| taken.contains(id.as_str()));
        let id = id.with_context(|| format!("no name is left for {}", outline.url))?;
        taken.insert(id.to_string());
        blocks.push(Block {
            id,
            url: outline.url,
            source: None,
            title: outline.title,
            tags: outline.tags,
            further: Vec::new(),
        });
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    for block in &blocks {
        writeln!(out, "{}  {}", block.id, block.url)?;
    }
    let shown = shown(&places, file.path());
    if !blocks.is_empty() {
        file.add(&blocks)?;
        check(&places, &file)?;
        if !dry_run {
            file.save()?;
        }
    }
    writeln!(
        out,
        "{} {} {shown}, {already} there already, {} doubled in the file, {} refused",
        blocks.len(),
        if dry_run {
            "would be added to"
        } else {
            "added to"
        },
        outlines.doubles,
        outlines.refused.len()
    )?;
    out.flush()?;
    let mut err = io::stderr().lock();
    for (name, why) in &outlines.refused {
        writeln!(
            err,
            "refused: {}: {}",
            table::printable(name),
            table::printable(why)
        )?;
    }
    Ok(if outlines.refused.is_empty() {
        Outcome::Well
    } else {
        Outcome::Unwell
    })
}

/// The file's bytes, and no more of them than a list may have.
fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let most = read::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    }
    .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

fn export(global: &Global, path: Option<&Path>) -> anyhow::Result<Outcome> {
    let config = global.configuration()?;
    let mut infos: HashMap<FeedId, FeedInfo> = HashMap::new();
    let mut updated = Timestamp::from_millis(0);
    let mut private = HashSet::new();
    // What publishers say of themselves is in the store, if there is one yet.
    if config.settings.store.path.exists() {
        for state in Store::open_readonly(&config.settings.store.path)?.feed_states()? {
            updated = updated.max(state.info.updated.unwrap_or(updated));
            if state.learned.private {
                private.insert(state.id.clone());
            }
            infos.insert(state.id, state.info);
        }
    }
    let nothing = FeedInfo::default();
    let outlines: Vec<opml::Outline> = config
        .subscriptions
        .iter()
        .filter(|feed| !feed.private.unwrap_or(private.contains(&feed.id)))
        .filter_map(|feed| opml::Outline::of(feed, infos.get(&feed.id).unwrap_or(&nothing)))
        .collect();
    let bytes = opml::render(&config.settings.feed.title, updated, &outlines);
    match path {
        Some(path) if path.is_dir() => bail!("{} is a directory", path.display()),
        Some(path) => files::write_whole(path, &bytes)?,
        None => io::stdout().lock().write_all(&bytes)?,
    }
    Ok(Outcome::Well)
}
