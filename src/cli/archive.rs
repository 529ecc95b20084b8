//! `feedmill archive import DIR` and `feedmill archive verify`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use crate::app::{self, App};
use crate::cli::{Global, Outcome, table};
use crate::model::ids::FeedId;
use crate::service::archive::{self, Import};
use crate::store::Store;

/// Import or verify archive files.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read archive files back into the store; doing it twice changes nothing
    Import {
        /// A directory of files named NNN_<16 hex>.txt
        directory: PathBuf,
        /// The feed they belong to, where they do not say it themselves
        #[arg(long, id = "of", value_name = "FEED")]
        feed: Option<FeedId>,
    },
    /// Render every article anew and compare bytes with its file
    Verify,
}

impl Args {
    /// Exit 0: all taken in, or all proven; 1: some are not, each named.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Import { directory, feed } => import(global, &directory, feed.as_ref()),
            Command::Verify => verify(global),
        }
    }
}

fn import(
    global: &Global,
    directory: &std::path::Path,
    feed: Option<&FeedId>,
) -> anyhow::Result<Outcome> {
    let app = App::open(global.configuration()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcomes = runtime.block_on(async {
        let outcomes = archive::import(
            &app.store,
            directory,
            feed,
            &app.config.subscriptions,
            app::now(),
        )
        .await?;
        app.publish().await?;
        app.store.close().await?;
        anyhow::Ok(outcomes)
    })?;
    let mut out = io::stdout().lock();
    let (mut taken, mut known, mut refused) = (0, 0, 0);
    for (file, outcome) in &outcomes {
        match outcome {
            Import::Taken(seq) => {
                taken += 1;
                writeln!(out, "{file}: taken in as {seq}")?;
            }
            Import::Known(seq) => {
                known += 1;
                writeln!(out, "{file}: the words of {seq}, already here")?;
            }
            Import::Refused(why) => {
                refused += 1;
                writeln!(out, "{file}: refused: {}", table::printable(why))?;
            }
        }
    }
    writeln!(
        out,
        "{taken} taken in, {known} already here, {refused} refused"
    )?;
    Ok(if refused == 0 {
        Outcome::Well
    } else {
        Outcome::Unwell
    })
}

fn verify(global: &Global) -> anyhow::Result<Outcome> {
    let config = global.configuration()?;
    let store = Store::open_readonly(&config.settings.store.path)?;
    let proof = archive::verify(&store, &config.settings.archive.path)?;
    let mut out = io::stdout().lock();
    for (file, why) in &proof.wrong {
        writeln!(out, "{file}: {why}")?;
    }
    for file in &proof.foreign {
        writeln!(out, "{}: not written by feedmill", table::printable(file))?;
    }
    writeln!(
        out,
        "{} proven, {} wrong, {} not ours",
        proof.proven,
        proof.wrong.len(),
        proof.foreign.len()
    )?;
    Ok(if proof.wrong.is_empty() {
        Outcome::Well
    } else {
        Outcome::Unwell
    })
}
