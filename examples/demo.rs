//! The main job on a machine without network: a newsroom on loopback serves made-up pages in the shapes of all sources,
//! and two runs poll it over real HTTP. `cargo run --release --example demo`

// The origin and its pages are those of the tests.
#[path = "../tests/support/newsroom.rs"]
mod newsroom;
#[path = "../tests/support/origin.rs"]
mod origin;

use std::fs;
use std::future::pending;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use feedmill::app::{self, App};
use feedmill::config::Places;
use feedmill::service::report::Counts;

fn main() -> anyhow::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let newsroom = newsroom::open();
    fs::write(
        directory.join("feeds.toml"),
        newsroom::feeds_toml(&newsroom),
    )?;
    fs::write(
        directory.join("feedmill.toml"),
        "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\n",
    )?;
    println!(
        "A newsroom on {} serves made-up stories as qq, DW, Ta Kung Pao and a plain RSS feed.",
        newsroom.base_url()
    );

    println!("\nFirst run: everything is new.");
    let first = run(&directory)?;
    println!("\nSecond run: every list is asked conditionally and answers 304.");
    let asked = newsroom.take_log().len();
    let before = published(&directory)?;
    let second = run(&directory)?;
    let again = newsroom.take_log();

    ensure!(
        first
            == Counts {
                new: 9,
                reprints: 1,
                ..Counts::default()
            },
        "the first run should find 9 stories and a reprint, not {first:?}"
    );
    ensure!(
        second == Counts::default(),
        "the second run should find nothing, not {second:?}"
    );
    ensure!(
        again.iter().all(|request| request.answered == 304),
        "the second run should be answered with 304 alone"
    );
    ensure!(
        published(&directory)? == before,
        "the second run should change no file"
    );
    println!(
        "\n{asked} requests, then {}; no byte of any file changed in the second run.",
        again.len()
    );
    println!(
        "\nmerged feed  {}",
        directory.join("data/feed.atom").display()
    );
    println!("archive      {}", directory.join("data/archive").display());
    for (name, bytes) in before
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "txt"))
    {
        println!(
            "  {}  {} bytes",
            name.file_name().unwrap_or_default().display(),
            bytes.len()
        );
    }
    println!(
        "\nThe reprint in the plain feed (Traditional script, other quotation marks) has the words of a qq story:"
    );
    println!(
        "it is stored, the merged feed names it in that story's entry, and the archive has one file for both."
    );
    println!(
        "\nLook around: cargo run --release -- --feeds {0}/feeds.toml --data {0}/data list",
        directory.display()
    );
    Ok(())
}

/// One `fetch --once`.
fn run(directory: &Path) -> anyhow::Result<Counts> {
    let app = App::open(app::configuration(&Places::below(directory))?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let reports = app.fetch(&[], pending(), |_| {}).await?;
        app.press()?.publish().await?;
        app.store.close().await?;
        let mut sum = Counts::default();
        for report in reports {
            let counts = report.counts;
            let why = report.why();
            println!(
                "  {:<10} {:<10} {} new, {} reprints  {why}",
                report.feed.as_str(),
                report.fate.word(),
                counts.new,
                counts.reprints
            );
            sum.new += counts.new;
            sum.revised += counts.revised;
            sum.reprints += counts.reprints;
            sum.known += counts.known;
        }
        Ok(sum)
    })
}

/// The published files.
fn published(directory: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = vec![directory.join("data/feed.atom")];
    for entry in fs::read_dir(directory.join("data/archive"))? {
        files.push(entry?.path());
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            Ok((
                path.clone(),
                fs::read(&path).with_context(|| path.display().to_string())?,
            ))
        })
        .collect()
}
