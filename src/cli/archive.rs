//! `feedmill archive import DIR`, `feedmill archive verify` and `feedmill archive export DIR`.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;

use crate::app::{self, App};
use crate::cli::{Global, Outcome, table};
use crate::model::ids::FeedId;
use crate::output::archive::manifest::{self, Digest};
use crate::service::archive::{self, Import};
use crate::service::export;
use crate::service::verify::{self, Asked, Proof};
use crate::store::Store;

/// Import, verify or export archive files.
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
    /// Prove that files, manifests and store are the same, and name each difference
    Verify(Verify),
    /// Write the whole archive once more from the store, the same bytes
    Export {
        /// Where to; what is there already is left
        directory: PathBuf,
    },
}

/// Prove that files, manifests and store are the same, and name each difference.
#[derive(clap::Args)]
struct Verify {
    /// Compare digests, and do not render every article anew
    #[arg(long)]
    quick: bool,
    /// A digest that was written down elsewhere: that of the last manifest at some time
    #[arg(long, value_name = "BLAKE3", value_parser = digest)]
    anchor: Option<Digest>,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Exit 0: all taken in, proven or exported; 1: some are not, each named.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Import { directory, feed } => import(global, &directory, feed.as_ref()),
            Command::Verify(verify) => verify.run(global),
            Command::Export { directory } => export(global, &directory),
        }
    }
}

fn import(global: &Global, directory: &Path, feed: Option<&FeedId>) -> anyhow::Result<Outcome> {
    let app = App::open(global.configuration()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    // The archive's own files keep their numbers, which the store has not given yet.
    let own = &app.config.settings.archive.path;
    let of_our_own = directory.canonicalize().ok() == own.canonicalize().ok();
    let outcomes = runtime.block_on(async {
        if !of_our_own {
            app.catch_up().await?;
        }
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

impl Verify {
    /// Exit 0: files, manifests and store are the same; 1: they are not.
    fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let asked = Asked {
            quick: self.quick,
            anchor: self.anchor,
        };
        let proof = verify::verify(&store, &config.settings.archive.path, &asked)?;
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&proof))?;
            writeln!(out)?;
        } else {
            tell(&mut out, &proof)?;
        }
        out.flush()?;
        Ok(if proof.differences.is_empty() {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }
}

fn tell(out: &mut impl Write, proof: &Proof) -> io::Result<()> {
    for difference in &proof.differences {
        let name = table::printable(&difference.name);
        writeln!(out, "{name}: {}", table::printable(&difference.why))?;
    }
    for (file, why) in &proof.unfinished {
        writeln!(out, "{}: unfinished: {why}", table::printable(file))?;
    }
    for file in &proof.foreign {
        writeln!(out, "{}: not written by feedmill", table::printable(file))?;
    }
    if proof.by_digest > 0 {
        let count = proof.by_digest;
        writeln!(
            out,
            "{count} compared by digest alone: the store keeps their articles no longer"
        )?;
    }
    if let Some((day, files)) = proof.anchored {
        let name = manifest::file_name(day);
        writeln!(
            out,
            "anchored: the digest is that of {name} when it named {files} files"
        )?;
    }
    if let Some((day, digest)) = proof.newest {
        let (name, digest) = (manifest::file_name(day), manifest::hex(&digest));
        writeln!(
            out,
            "{} manifests, the last: {name} {digest}",
            proof.manifests
        )?;
    }
    writeln!(
        out,
        "{} proven, {} wrong, {} not ours",
        proof.proven,
        proof.differences.len(),
        proof.foreign.len()
    )
}

fn as_json(proof: &Proof) -> serde_json::Value {
    json!({
        "proven": proof.proven,
        "by_digest": proof.by_digest,
        "manifests": proof.manifests,
        "differences": proof.differences.iter().map(|difference| json!({
            "kind": difference.kind.word(),
            "name": difference.name,
            "why": difference.why,
        })).collect::<Vec<_>>(),
        "unfinished": proof.unfinished.iter().map(|(name, why)| json!({"name": name, "why": why})).collect::<Vec<_>>(),
        "foreign": proof.foreign,
        "newest": proof.newest.map(|(day, digest)| json!({
            "name": manifest::file_name(day),
            "blake3": manifest::hex(&digest),
        })),
        "anchored": proof.anchored.map(|(day, files)| json!({
            "name": manifest::file_name(day),
            "files": files,
        })),
    })
}

/// Exit 0: the whole archive is there; 1: some files cannot be written again, each named.
fn export(global: &Global, directory: &Path) -> anyhow::Result<Outcome> {
    let config = global.configuration()?;
    let store = Store::open_readonly(&config.settings.store.path)?;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let exported = export::export(&store, directory)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for (file, why) in &exported.lost {
        writeln!(out, "{file}: not written: {}", table::printable(why))?;
    }
    writeln!(
        out,
        "{} files and {} manifests, {} not written",
        exported.files,
        exported.manifests,
        exported.lost.len()
    )?;
    out.flush()?;
    Ok(if exported.lost.is_empty() {
        Outcome::Well
    } else {
        Outcome::Unwell
    })
}

/// A digest as `b3sum` prints it.
fn digest(text: &str) -> Result<Digest, String> {
    manifest::digest_of(&text.to_ascii_lowercase()).ok_or_else(|| "write 64 hex digits".to_owned())
}
