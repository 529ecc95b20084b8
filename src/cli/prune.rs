//! `feedmill prune [--dry-run] [--feed ID]`: what is not to be kept any more, let go.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use anyhow::Context;
use serde_json::json;

use crate::app::{self, App};
use crate::cli::{Global, Outcome, table};
use crate::config::Config;
use crate::model::ids::FeedId;
use crate::model::time::Timestamp;
use crate::rules::retention::Hold;
use crate::service::prune::{Prune, Told};
use crate::store::Store;

/// Let go of what is not to be kept any more, by [keep] in the settings and `keep` of each feed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill prune --dry-run              what would go, of which feed, and how much room that is
  feedmill prune --feed my-site         the same of one feed, done

Without an order in [keep] or in a feed's `keep` nothing goes. Files of the archive never go, nor
what stands in a feed that is served or is not archived yet; what has gone does not come back as new.

With --dry-run the store is only read, and a service may be at work; without, it has to be stopped.
A service does this once a day by itself.")]
pub struct Args {
    // Named otherwise than by its id: `--feeds` is everybody's.
    /// Only of this feed
    #[arg(long = "feed", id = "of", value_name = "ID")]
    feed: Option<FeedId>,
    /// Say what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Then give free room of the database back to the disk; needs twice its size meanwhile
    #[arg(long, conflicts_with = "dry_run")]
    compact: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is said where the clock is not believed.
fn ahead(judged: Timestamp) -> String {
    format!(
        "the clock is far ahead of what the store knows: ages are counted up to {judged}, a month further at each run; \
         if the clock is wrong, set it first"
    )
}

impl Args {
    /// What went, or would, by feed and tier.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let path = config.settings.store.path.clone();
        let told = if self.dry_run {
            let store = Store::open_readonly(&path)?;
            runtime.block_on(self.order(&config, &store)?.run(|| false))?
        } else {
            let app = App::open(config)?;
            runtime.block_on(async {
                app.catch_up().await?;
                let told = self.order(&app.config, &app.store)?.run(|| false).await?;
                if self.compact {
                    app.store.compact().await?;
                }
                app.store.close().await?;
                anyhow::Ok(told)
            })?
        };
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &self.as_json(&told))?;
            writeln!(out)?;
        } else {
            self.show(&mut out, &told)?;
        }
        out.flush()?;
        Ok(Outcome::Well)
    }

    fn order(&self, config: &Config, store: &Store) -> anyhow::Result<Prune> {
        Ok(Prune {
            press: app::press(config, store)?,
            keep: config.settings.keep,
            feed: self.feed.clone(),
            dry_run: self.dry_run,
            seals: app::serves(config),
            now: app::now(),
        })
    }

    fn show(&self, out: &mut impl Write, told: &Told) -> io::Result<()> {
        if !told.is_empty() {
            let rows = told.gone.iter().map(|((feed, tier), sum)| {
                vec![
                    feed.to_string(),
                    tier.name().to_owned(),
                    sum.count.to_string(),
                    sum.bytes.to_string(),
                    sum.oldest.rfc3339(),
                    sum.newest.rfc3339(),
                ]
            });
            let head = ["feed", "tier", "count", "bytes", "oldest", "newest"];
            writeln!(out, "{}", table::table(&head, &[2, 3], rows))?;
        }
        for (why, count) in held(told) {
            writeln!(out, "{count} stay for now: {}", why.told())?;
        }
        if let Some(judged) = told.judged {
            writeln!(out, "{}", ahead(judged))?;
        }
        let (count, bytes) = told.total();
        let verb = if self.dry_run { "would go" } else { "went" };
        writeln!(
            out,
            "{count} {verb}, {bytes} bytes; {} looked at",
            told.looked_at
        )
    }

    fn as_json(&self, told: &Told) -> serde_json::Value {
        let (count, bytes) = told.total();
        let gone = told.gone.iter().map(|((feed, tier), sum)| {
            json!({
                "feed": feed.as_str(),
                "tier": tier.name(),
                "count": sum.count,
                "bytes": sum.bytes,
                "oldest": sum.oldest.rfc3339(),
                "newest": sum.newest.rfc3339(),
            })
        });
        let held = held(told)
            .into_iter()
            .map(|(why, count)| json!({ "why": why.told(), "count": count }));
        json!({
            "dry_run": self.dry_run,
            "count": count,
            "bytes": bytes,
            "looked_at": told.looked_at,
            "counted_up_to": told.judged.map(Timestamp::rfc3339),
            "gone": gone.collect::<Vec<_>>(),
            "held": held.collect::<Vec<_>>(),
        })
    }
}

/// What stays for now, over all feeds.
fn held(told: &Told) -> BTreeMap<Hold, u64> {
    let mut sums = BTreeMap::new();
    for ((_, why), count) in &told.held {
        *sums.entry(*why).or_default() += count;
    }
    sums
}
