//! `feedmill fetch --once [FEED…]`: a person's or a timer's order.

use std::future::Future;
use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::app::{self, App, told};
use crate::cli::{Global, Outcome, table};
use crate::model::ids::FeedId;
use crate::service::publish::Published;
use crate::service::report::{Fate, FeedReport};

/// Slices of articles that are taken into the search index at most: the rest is done the next time, or by who searches.
const INDEX_SLICES: usize = 8;

/// Slices of 64 articles whose copies are looked for: a second or two. What is left, of a list that is long and new, is left
/// to the next orders.
const GROUP_SLICES: usize = 64;

/// Poll feeds, store what is new, publish, and exit.
#[derive(clap::Args)]
pub struct Args {
    /// Poll once and exit; the way to run from a shell, a timer or a CI job
    #[arg(long, required = true)]
    once: bool,
    /// Print one JSON object instead of a table or log lines
    #[arg(long)]
    json: bool,
    /// The feeds to poll, by id [default: all]
    #[arg(id = "names", value_name = "FEED")]
    feeds: Vec<FeedId>,
}

impl Args {
    /// Exit 0: every feed was read, unchanged or rightly left alone. Exit 1: some failed, or the order was stopped.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let app = App::open(global.configuration()?)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let outcome = runtime.block_on(self.fetch(&app));
        // Reading threads that are still at work after Ctrl-C have nobody to report to.
        runtime.shutdown_background();
        outcome
    }

    async fn fetch(self, app: &App) -> anyhow::Result<Outcome> {
        let terminal = io::stderr().is_terminal() && !self.json;
        let bar = if terminal {
            bar(app.subscriptions(&self.feeds)?.len() as u64)
        } else {
            ProgressBar::hidden()
        };
        let reports = app.fetch(&self.feeds, told_to_stop()?, |report| {
            bar.set_message(report.feed.to_string());
            bar.inc(1);
            if !terminal && !self.json {
                told::polled(report);
            }
        });
        let reports = reports.await?;
        bar.finish_and_clear();
        // What was polled is stored and reported, whatever becomes of the files.
        let (published, unpublished) = match publish(app).await {
            Ok(published) => (published, None),
            Err(error) => (Published::default(), Some(error)),
        };
        if let Err(error) = app::search::catch_up(&app.store, INDEX_SLICES).await {
            warn!(
                error = format!("{error:#}"),
                "the search index was not brought up to date"
            );
        }
        for (number, why) in &published.unarchivable {
            warn!(article = number.0, why, "an article has no archive file");
        }
        app.store.close().await?;
        // Standard output alone would be written line by line, and each feed has a dozen.
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&reports, &published))?;
            writeln!(out)?;
        } else if terminal {
            writeln!(out, "{}", table(&reports))?;
            if unpublished.is_none() {
                writeln!(out, "{}", closing(app, &published))?;
            }
        } else if unpublished.is_none() {
            info!(
                files = published.files,
                feed_changed = published.feed_changed,
                "published"
            );
        }
        out.flush()?;
        drop(out);
        if let Some(error) = unpublished {
            return Err(error);
        }
        let well = reports.iter().all(|report| {
            !matches!(
                report.fate,
                Fate::Failed(_) | Fate::Offline(_) | Fate::Stopped
            )
        });
        Ok(if well { Outcome::Well } else { Outcome::Unwell })
    }
}

async fn publish(app: &App) -> anyhow::Result<Published> {
    match app.group(GROUP_SLICES).await {
        Ok(true) => {}
        Ok(false) => info!("copies of older articles are looked for by the next fetch"),
        // The news is worth more than what it is like.
        Err(error) => warn!(
            error = format!("{error:#}"),
            "copies could not be looked for"
        ),
    }
    app.publish().await
}

/// Ends with Ctrl-C, or with the SIGTERM of a service manager.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn bar(feeds: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} feeds  {msg}");
    ProgressBar::new(feeds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn table(reports: &[FeedReport]) -> comfy_table::Table {
    let rows = reports.iter().map(|report| {
        let counts = report.counts;
        let number = |n: usize| {
            if n == 0 {
                "·".to_owned()
            } else {
                n.to_string()
            }
        };
        vec![
            report.feed.to_string(),
            report.fate.word().to_owned(),
            number(counts.new),
            number(counts.revised),
            number(counts.reprints),
            number(counts.known),
            format!("{:.1} s", report.took.as_secs_f64()),
            table::short(&report.why(), 120),
        ]
    });
    table::table(
        &[
            "feed", "result", "new", "revised", "reprints", "known", "duration", "why",
        ],
        &[2, 3, 4, 5, 6],
        rows,
    )
}

fn closing(app: &App, published: &Published) -> String {
    let settings = &app.config.settings;
    let feed = if published.feed_changed {
        "written"
    } else {
        "unchanged"
    };
    let mut text = format!("feed {feed}: {}", settings.feed.path.display());
    if settings.archive.enabled {
        let files = if published.files == 1 {
            "file"
        } else {
            "files"
        };
        text = format!(
            "{text}\narchive, {} {files} new: {}",
            published.files,
            settings.archive.path.display()
        );
    }
    text
}

fn as_json(reports: &[FeedReport], published: &Published) -> serde_json::Value {
    let feeds: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "feed": report.feed.as_str(),
                "result": report.fate.word(),
                "new": report.counts.new,
                "revised": report.counts.revised,
                "reprints": report.counts.reprints,
                "known": report.counts.known,
                "duration_ms": told::millis(report.took),
                "why": report.why(),
                "skipped": report.skipped.iter().map(|skip| json!({"entry": skip.what, "why": skip.why})).collect::<Vec<_>>(),
                "notes": report.notes,
            })
        })
        .collect();
    json!({
        "feeds": feeds,
        "archive_files_written": published.files,
        "feed_changed": published.feed_changed,
        "unarchivable": published.unarchivable.iter().map(|(n, why)| json!({"number": n.0, "why": why})).collect::<Vec<_>>(),
    })
}
