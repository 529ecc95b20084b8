//! `feedmill backup [--to DIR] [--keep N]`: a copy of the store, taken while it is written, and checked.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::app::{self, keeper};
use crate::cli::{Global, Outcome, table};
use crate::rules::rotation::Rotation;
use crate::service::backup::{Backup, Made};
use crate::store::Store;

/// Copy the store while it is in use, and check the copy.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill backup                       into the directory of the setting `path` in [backup]
  feedmill backup --to /mnt/copies --keep 10

A copy is one file, feedmill-20261130T231500Z.sqlite (UTC). It has this name only once it was opened
and gone through: it is sound, and holds as much as the store did. Older copies of the same store go
as `keep` in [backup] says, or all but the newest N. The archive is not in it: copy its directory by
any means, its files never change. docs/operations.md says how to go back to a copy.

Exit status: 0 copied, 1 copied, and an older copy could not be removed, 2 there is no new copy.")]
pub struct Args {
    /// Into this directory instead of the one in the settings
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Keep the newest so many copies and no others, instead of those the settings say
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Exit 1 where older copies were to go and did not.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let order = Backup {
            store,
            directory: keeper::directory(&config, self.to.clone()),
            keep: self.keep.map_or(config.settings.backup.keep, Rotation::of),
            now: app::now(),
        };
        let Some(made) = order.run(&mut |_, _| true)? else {
            return Ok(Outcome::Unwell);
        };
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&made))?;
            writeln!(out)?;
        } else {
            show(&mut out, &made)?;
        }
        out.flush()?;
        Ok(if made.left.is_empty() {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }
}

fn show(out: &mut impl Write, made: &Made) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} bytes, {} articles of {} entries; copied in {:.1} s, checked in {:.1} s",
        made.file.display(),
        made.bytes,
        made.counts.articles,
        made.counts.entries,
        made.copying.as_secs_f64(),
        made.checking.as_secs_f64(),
    )?;
    for file in &made.removed {
        writeln!(out, "{}: removed", file.display())?;
    }
    for (file, why) in &made.left {
        writeln!(out, "{}: left: {}", file.display(), table::printable(why))?;
    }
    Ok(())
}

fn as_json(made: &Made) -> serde_json::Value {
    json!({
        "file": made.file.to_string_lossy(),
        "bytes": made.bytes,
        "articles": made.counts.articles,
        "entries": made.counts.entries,
        "copying_ms": u64::try_from(made.copying.as_millis()).unwrap_or(u64::MAX),
        "checking_ms": u64::try_from(made.checking.as_millis()).unwrap_or(u64::MAX),
        "removed": made.removed.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "left": made.left.iter().map(|(file, why)| json!({ "file": file.to_string_lossy(), "why": why })).collect::<Vec<_>>(),
    })
}
