//! `feedmill release [FEED|NUMBER…]`: what is withheld is shown.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::{Context, anyhow, bail};

use crate::app::App;
use crate::app::orders::{Answer, Orders, Release};
use crate::cli::{Global, Outcome};
use crate::config::Config;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::withheld::Reason;
use crate::store::{Store, StoreError};

/// Show entries that are withheld.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill release takungpao            the flood of this feed that waits
  feedmill release 5120 5121            these articles
  feedmill release --all                every flood that waits; `feedmill status` names them
  feedmill release --backlog my-blog    what was there before the feed was subscribed to

A service at work does it at once; without one, it is done and published here.

Exit status: 0 something was released, 1 nothing was there to be released, 2 could not run.")]
pub struct Args {
    /// Feeds by id, articles by number
    #[arg(value_name = "FEED|NUMBER", required_unless_present = "all")]
    what: Vec<String>,
    /// Of every feed
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// The backlog of new feeds, in place of floods
    #[arg(long)]
    backlog: bool,
}

impl Args {
    /// Exit 1: there was nothing to release.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let why = if self.backlog {
            Reason::Backlog
        } else {
            Reason::Flood
        };
        let entries = self.entries(&config, why)?;
        let order = Release {
            entries: entries.iter().map(|entry| entry.0).collect(),
            why: why.name().to_owned(),
        };
        let count = if entries.is_empty() {
            0
        } else {
            carry_out(config, &order)?
        };
        let mut out = io::stdout().lock();
        match count {
            0 => writeln!(out, "nothing was withheld as {}", why.name())?,
            1 => writeln!(out, "released 1 entry")?,
            count => writeln!(out, "released {count} entries")?,
        }
        Ok(if count > 0 {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }

    /// The entries that are meant, by the numbers of their first revisions, as far as they are withheld.
    fn entries(&self, config: &Config, why: Reason) -> anyhow::Result<BTreeSet<ArticleSeq>> {
        let store = Store::open_readonly(&config.settings.store.path)?;
        let mut withheld = store.withheld(None)?;
        withheld.retain(|one| one.why == why);
        if self.all {
            return Ok(withheld.into_iter().map(|one| one.entry).collect());
        }
        let mut found = BTreeSet::new();
        for what in &self.what {
            // A feed first: `status` says `feedmill release 163`, and numbers are names of feeds, too.
            let feed: Option<FeedId> = what.parse().ok();
            let known = match &feed {
                Some(feed) => {
                    let subscribed = config.subscriptions.iter().any(|own| own.id == *feed);
                    subscribed || store.feed_state(feed)?.is_some()
                }
                None => false,
            };
            if !known && let Ok(number) = what.parse() {
                let Some(article) = store.article(ArticleSeq(number))? else {
                    bail!("no article has the number {number}");
                };
                let mine = withheld.iter().filter(|one| one.entry == article.first_seq);
                found.extend(mine.map(|one| one.entry));
                continue;
            }
            let Some(feed) = feed else {
                bail!("`{what}` is neither a feed nor a number");
            };
            if !known {
                bail!("no feed `{feed}`: `feedmill status` lists them");
            }
            let mine = withheld.iter().filter(|one| one.feed == feed);
            found.extend(mine.map(|one| one.entry));
        }
        Ok(found)
    }
}

/// Has the service do it, where one is at work, or does it and publishes.
fn carry_out(config: Config, order: &Release) -> anyhow::Result<usize> {
    let orders = Orders::of(&config.settings.data);
    let app = match App::open(config) {
        Ok(app) => app,
        Err(error) => {
            let in_use = matches!(error.downcast_ref(), Some(StoreError::InUse { .. }));
            if !in_use {
                return Err(error);
            }
            return match orders.give(order)? {
                Some(answer) => counted(answer),
                None => Err(error.context(
                    "nobody takes orders here: wait for the other command to end, or stop the service",
                )),
            };
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let count = counted(order.carry_out(&app.store).await)?;
        app.press()?.publish().await?;
        app.store.close().await?;
        Ok(count)
    })
}

fn counted(answer: Answer) -> anyhow::Result<usize> {
    match answer {
        Answer::Released(count) => Ok(count),
        Answer::Failed(why) => Err(anyhow!("nothing was released: {why}")),
    }
}
