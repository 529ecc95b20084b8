//! What the program is for: polling many feeds. Generated feeds, from a loopback origin in its own process, into
//! the store: cold, again with nothing new, and again with an entry more in every tenth feed; the archive off and on.
//! "Behind" are the polls, all unmodified, until copies were looked for and the search index is whole: a poll by order does
//! a part of that each time.
//! `sfeed_update`, where it is installed, does the same in the same run, as a mark that is not ours.
//!
//!     cargo bench --bench poll -- --feeds 200
//!
//! CPU seconds are the figure to compare, and only within one run. An entry lost or doubled is an error.
#![allow(missing_docs)]

mod contender;
mod corpus;
#[path = "../../tests/support/origin.rs"]
mod loopback;
mod measure;
mod origin;

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::contender::Contender;
use crate::corpus::WINDOW;
use crate::measure::{Cost, occupied};
use crate::origin::{Publishers, is_renewed};

#[derive(Parser)]
#[command(
    about = "Polls generated feeds and prints what it cost",
    no_binary_name = true
)]
struct Arguments {
    /// How many feeds
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    feeds: u32,
    /// Which made-up words
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Milliseconds before each answer
    #[arg(long, default_value_t = 0)]
    delay: u64,
    /// Leaves the peer out
    #[arg(long)]
    alone: bool,
    /// The feedmill to measure, if it is not the one just built
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Given by `cargo bench`, not by `cargo test`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(origin::ROLE) => return origin::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(measure::ROLE) => return measure::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    if arguments.is_empty() {
        println!("nothing measured: run me by `cargo bench --bench poll`");
        return Ok(ExitCode::SUCCESS);
    }
    race(&Arguments::parse_from(arguments))
}

fn race(arguments: &Arguments) -> Result<ExitCode> {
    let feeds = usize::try_from(arguments.feeds)?;
    let delay = Duration::from_millis(arguments.delay);
    let mut publishers = Publishers::start(feeds, arguments.seed, delay)?;
    println!("{}; {delay:?} before each answer", publishers.about);
    let mut contenders = vec![
        Contender::feedmill(arguments.binary.as_deref(), false),
        Contender::feedmill(arguments.binary.as_deref(), true),
    ];
    if !arguments.alone {
        if contender::has_sfeed() {
            contenders.push(Contender::Sfeed);
        } else {
            println!("sfeed skipped: sfeed_update is not installed");
        }
    }
    let mut newer = vec![0; feeds];
    print_row(&HEADER);
    let mut ours_whole = true;
    for (round, contender) in contenders.iter().enumerate() {
        let scratch = tempfile::tempdir()?;
        let command = contender.prepare(scratch.path(), feeds, &publishers)?;
        let oldest = newer.clone();
        for phase in ["cold", "behind", "warm, 304", "warm, new"] {
            if phase == "warm, new" {
                publishers.publish_new(round)?;
                (0..feeds)
                    .filter(|&feed| is_renewed(feed, round))
                    .for_each(|feed| newer[feed] += 1);
            }
            let output = scratch.path().join("output");
            let cost = match phase {
                "behind" => catch_up(contender, scratch.path(), &command, &output)?,
                _ => Some(measure::measure(&command, &output)?),
            };
            let Some(cost) = cost else { continue };
            let served = oldest
                .iter()
                .zip(&newer)
                .map(|(from, to)| *from..to + WINDOW);
            let tally = Tally::of(&contender.stored(scratch.path())?, served);
            let asked = publishers.asked()?;
            let disk = occupied(&contender::data(scratch.path()));
            print_row(&row(contender, phase, cost, &tally, &asked, disk));
            if asked.odd > 0 {
                println!(
                    "{contender}, {phase}: {} requests of what is not there",
                    asked.odd
                );
            }
            if cost.code != 0 {
                println!(
                    "{contender}, {phase}: exit code {}, {}",
                    cost.code,
                    contender::last_words(&output)
                );
            }
            ours_whole &=
                matches!(contender, Contender::Sfeed) || tally.is_whole() && cost.code == 0;
        }
    }
    Ok(if ours_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Polls until nothing is left to do, at most.
const MOST_RUNS: usize = 200;

/// What it cost to poll until nothing was left to do; `None` where nothing was.
fn catch_up(
    contender: &Contender,
    scratch: &Path,
    command: &[OsString],
    output: &Path,
) -> Result<Option<Cost>> {
    let mut cost = None;
    for _ in 0..MOST_RUNS {
        if !contender.is_behind(scratch)? {
            break;
        }
        let more = measure::measure(command, output)?;
        cost = Some(cost.map_or(more, |cost| measure::both(cost, more)));
    }
    Ok(cost)
}

const HEADER: [&str; 13] = [
    "who",
    "poll",
    "CPU s",
    "wall s",
    "feeds/s",
    "entries/s",
    "peak MB",
    "disk MB",
    "entries",
    "lost",
    "doubled",
    "requests",
    "304",
];

fn print_row(cells: &[impl AsRef<str>]) {
    for (at, cell) in cells.iter().enumerate() {
        match (at, cell.as_ref()) {
            (0, cell) => print!("{cell:<18}"),
            (1, cell) => print!(" {cell:<9}"),
            (_, cell) => print!(" {cell:>9}"),
        }
    }
    println!();
}

/// What of the entries served is there.
struct Tally {
    there: usize,
    lost: usize,
    doubled: usize,
}

impl Tally {
    /// `stored` has a line for each row of the contender's, `served` the numbers of each feed's entries.
    fn of(stored: &[(usize, usize)], served: impl Iterator<Item = std::ops::Range<usize>>) -> Self {
        let mut rows = HashMap::<_, usize>::new();
        for entry in stored {
            *rows.entry(*entry).or_default() += 1;
        }
        let served = served
            .enumerate()
            .flat_map(|(feed, entries)| entries.map(move |entry| (feed, entry)));
        let (mut there, mut lost) = (0, 0);
        for entry in served {
            *if rows.contains_key(&entry) {
                &mut there
            } else {
                &mut lost
            } += 1;
        }
        // A row of what was never served is one too many as well.
        Self {
            there,
            lost,
            doubled: stored.len() - there,
        }
    }

    fn is_whole(&self) -> bool {
        self.lost == 0 && self.doubled == 0
    }
}

#[allow(clippy::cast_precision_loss)]
fn row(
    contender: &Contender,
    phase: &str,
    cost: Cost,
    tally: &Tally,
    asked: &origin::Asked,
    disk: u64,
) -> Vec<String> {
    let wall = cost.wall.as_secs_f64();
    let mega = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    vec![
        contender.to_string(),
        phase.to_owned(),
        format!("{:.3}", cost.cpu.as_secs_f64()),
        format!("{wall:.3}"),
        format!("{:.0}", asked.requests as f64 / wall),
        // Of what was read: a 304 brings none.
        format!(
            "{:.0}",
            ((asked.requests - asked.not_modified) * WINDOW) as f64 / wall
        ),
        mega(cost.peak),
        mega(disk),
        tally.there.to_string(),
        tally.lost.to_string(),
        tally.doubled.to_string(),
        asked.requests.to_string(),
        asked.not_modified.to_string(),
    ]
}
