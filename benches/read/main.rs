//! How fast feeds are read: bytes to drafts, beside feed-rs alone (bytes to its own model) and `sfeed` (Debian's package;
//! bytes to lines of its own), over the same made-up feeds. Rounds are run together, one reader after the other, and what is
//! printed is the median of the rounds, the ratios likewise: a machine that is busy slows all of a round. CPU time is
//! measured, ours and the kernel's for us.
//!
//!     cargo bench --bench read                    # 200 feeds, 7 rounds
//!     cargo bench --bench read -- 1000 15

#[path = "../poll/corpus.rs"]
#[allow(dead_code)] // the other benchmark asks it more
mod corpus;

use std::env;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::urls::PageUrl;
use feedmill::source::Source;
use feedmill::source::feed::Feed;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Feeds to read, each as bytes and as a file.
struct Feeds {
    pages: Vec<Page>,
    files: Vec<PathBuf>,
    empty: PathBuf,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if !arguments.iter().any(|word| word == "--bench") {
        println!("nothing measured: run me by `cargo bench --bench read`");
        return Ok(());
    }
    let mut numbers = arguments.iter().filter(|word| *word != "--bench");
    let mut number = |usual: usize| numbers.next().map_or(Ok(usual), |word| word.parse());
    let (count, rounds) = (number(200)?, number(7)?);
    ensure!(count > 0 && rounds > 0, "how many feeds, how many rounds");
    race(&prepare(count)?, rounds)
}

fn prepare(count: usize) -> Result<(tempfile::TempDir, Feeds)> {
    let scratch = tempfile::tempdir()?;
    let corpus = corpus::Corpus::new(1);
    let empty = scratch.path().join("empty");
    fs::write(&empty, "")?;
    let (mut pages, mut files) = (Vec::new(), Vec::new());
    for feed in 0..count {
        let (media_type, text) = corpus.feed(feed, 0);
        let file = scratch.path().join(feed.to_string());
        fs::write(&file, &text)?;
        files.push(file);
        pages.push(Page {
            url: PageUrl::parse(&format!("http://feeds.example/{feed}"))?,
            media_type: Some(media_type.to_owned()),
            charset: Some("utf-8".to_owned()),
            links: Vec::new(),
            bytes: text.into_bytes(),
        });
    }
    Ok((
        scratch,
        Feeds {
            pages,
            files,
            empty,
        },
    ))
}

#[allow(clippy::cast_precision_loss)]
fn race((_scratch, feeds): &(tempfile::TempDir, Feeds), rounds: usize) -> Result<()> {
    let bytes: usize = feeds.pages.iter().map(|page| page.bytes.len()).sum();
    let megabytes = bytes as f64 / 1e6;
    let sfeed = has_sfeed();
    let (mut ours, mut theirs, mut lines, mut starts) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        ours.push(cost(UsageWho::RUSAGE_SELF, || read_by_us(feeds))?);
        theirs.push(cost(UsageWho::RUSAGE_SELF, || read_by_feed_rs(feeds))?);
        if sfeed {
            let children = UsageWho::RUSAGE_CHILDREN;
            lines.push(cost(children, || {
                feeds.files.iter().try_for_each(|f| run_sfeed(f))
            })?);
            // As many processes that read nothing.
            starts.push(cost(children, || {
                feeds.files.iter().try_for_each(|_| run_sfeed(&feeds.empty))
            })?);
        }
    }
    println!(
        "{} feeds, {megabytes:.1} MB, medians of {rounds} rounds, CPU time",
        feeds.pages.len()
    );
    let rate = |costs: &[f64]| median(costs.iter().map(|cost| megabytes / cost));
    println!("feedmill {:>6.0} MB/s", rate(&ours));
    let ratio = |others: &[f64]| median(ours.iter().zip(others).map(|(ours, other)| other / ours));
    println!(
        "feed-rs  {:>6.0} MB/s, ratio {:.2}",
        rate(&theirs),
        ratio(&theirs)
    );
    if !sfeed {
        println!("sfeed    skipped: it is not installed");
        return Ok(());
    }
    println!(
        "sfeed    {:>6.0} MB/s, ratio {:.2}",
        rate(&lines),
        ratio(&lines)
    );
    let alone: Vec<f64> = lines
        .iter()
        .zip(&starts)
        .map(|(all, start)| all - start)
        .collect();
    println!(
        "sfeed    {:>6.0} MB/s, ratio {:.2}, without the start of its processes",
        rate(&alone),
        ratio(&alone)
    );
    Ok(())
}

fn read_by_us(feeds: &Feeds) -> Result<()> {
    let subscription = Subscription::new("bench".parse()?, "feed");
    for page in &feeds.pages {
        let leads = black_box(Feed.read(&subscription, page)?).leads.len();
        ensure!(leads == corpus::WINDOW, "{leads} entries");
    }
    Ok(())
}

fn read_by_feed_rs(feeds: &Feeds) -> Result<()> {
    for page in &feeds.pages {
        let parser = feed_rs::parser::Builder::new()
            .base_uri(Some(page.url.as_str()))
            .id_generator(|_, _, _| String::new())
            .build();
        let entries = black_box(parser.parse(page.bytes.as_slice())?)
            .entries
            .len();
        ensure!(entries == corpus::WINDOW, "{entries} entries");
    }
    Ok(())
}

fn has_sfeed() -> bool {
    let mut command = Command::new("sfeed");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.status().is_ok()
}

fn run_sfeed(file: &Path) -> Result<()> {
    let status = Command::new("sfeed")
        .stdin(File::open(file)?)
        .stdout(Stdio::null())
        .status()
        .context("sfeed")?;
    ensure!(status.success(), "sfeed: {status}");
    Ok(())
}

/// Seconds of CPU that a step took.
#[allow(clippy::cast_precision_loss)]
fn cost(who: UsageWho, step: impl FnOnce() -> Result<()>) -> Result<f64> {
    let spent = || -> Result<i64> {
        let usage = getrusage(who)?;
        Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
    };
    let before = spent()?;
    step()?;
    Ok((spent()? - before).max(1) as f64 / 1e6)
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut of: Vec<f64> = of.collect();
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}
