//! What finding copies costs at a million stored articles: milliseconds and bytes of memory an article. The articles are
//! made up; their sketches are of made-up runs of characters, and of the new ones from their words on.
//!
//!     cargo bench --bench groups                    # 1,000,000 stored, 512 new
//!     cargo bench --bench groups -- 200000 512
//!
//! It fails above 5 ms or 160 bytes an article.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]

#[path = "../../examples/reprints/words.rs"]
#[allow(dead_code)] // the example asks it more
mod words;

use std::env;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use feedmill::model::ids::ArticleSeq;
use feedmill::model::time::Timestamp;
use feedmill::rules::similar::{Index, Pair, Print, Query, Reading, Sketch, compare, decide};

use words::Dice;

const MOST_MS: f64 = 5.0;
const MOST_BYTES: f64 = 160.0;

/// Articles looked for together, as the program does.
const SLICE: usize = 64;

/// Of so many new articles one is a copy of one that is stored.
const COPIES: usize = 4;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if !arguments.iter().any(|word| word == "--bench") {
        println!("nothing measured: run me by `cargo bench --bench groups`");
        return Ok(());
    }
    let mut numbers = arguments.iter().filter(|word| *word != "--bench");
    let mut number = |usual: usize| numbers.next().map_or(Ok(usual), |word| word.parse());
    let (stored, new) = (number(1_000_000)?, number(512)?);
    ensure!(
        stored > new && new > SLICE,
        "how many are stored, how many are new"
    );
    measure(stored, new)
}

fn measure(stored: usize, new: usize) -> Result<()> {
    let mut dice = Dice::new(7);
    // The originals of the copies that come, among the stored.
    let originals: Vec<(String, String)> = (0..new / COPIES).map(|_| article(&mut dice)).collect();
    let before = resident()?;
    let mut index = Index::default();
    for (n, (title, words)) in originals.iter().enumerate() {
        let text = Reading::of(title, words).text(|_| false);
        index.push(ArticleSeq(n as u64), date(0), &text.print());
    }
    for n in originals.len()..stored {
        index.push(
            ArticleSeq(n as u64),
            date(i64::try_from(n % 7_000_000).unwrap_or(0)),
            &made_up(&mut dice),
        );
    }
    let bytes = (resident()? - before) as f64 / stored as f64;

    let mut came = Vec::new();
    for n in 0..new {
        let (title, words) = if n % COPIES == 0 {
            let (_, words) = &originals[n / COPIES % originals.len()];
            (
                "Another head".to_owned(),
                format!("（编造网讯）{words}\n欢迎转载"),
            )
        } else {
            article(&mut dice)
        };
        came.push((title, words));
    }
    let chars: usize = came.iter().map(|(_, words)| words.chars().count()).sum();
    let (mut build, mut scan, mut verify) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut candidates, mut copies) = (0, 0);
    for (turn, slice) in came.chunks(SLICE).enumerate() {
        let begin = Instant::now();
        let texts: Vec<_> = slice
            .iter()
            .map(|(title, words)| Reading::of(title, words).text(|_| false))
            .collect();
        let prints: Vec<Print> = texts
            .iter()
            .map(feedmill::rules::similar::Text::print)
            .collect();
        build += begin.elapsed();
        let begin = Instant::now();
        let query = |(n, print): (usize, &Print)| Query {
            entry: ArticleSeq((stored + turn * SLICE + n) as u64),
            print: *print,
            dates: (date(-8_000_000), date(8_000_000)),
        };
        let queries: Vec<Query> = prints.iter().enumerate().map(query).collect();
        let found = black_box(index.scan(&queries));
        for (query, print) in queries.iter().zip(&prints) {
            index.push(query.entry, date(1), print);
        }
        scan += begin.elapsed();
        let begin = Instant::now();
        for (text, found) in texts.iter().zip(found) {
            for candidate in found {
                candidates += 1;
                // Chance finds among the made-up sketches have no words: they cost as much as an original.
                let (title, words) = &originals[candidate.entry.0 as usize % originals.len()];
                let other = Reading::of(title, words).text(|_| false);
                let evidence = compare(text, &other, candidate.estimate);
                let pair = Pair {
                    one_feed: false,
                    apart: Duration::from_hours(1),
                };
                let kinship = black_box(decide(&evidence, pair));
                copies +=
                    usize::from(kinship.is_some_and(feedmill::rules::similar::Kinship::groups));
            }
        }
        verify += begin.elapsed();
    }
    let each = |time: Duration| time.as_secs_f64() * 1_000.0 / new as f64;
    let ms = each(build + scan + verify);
    println!(
        "{stored} stored, {new} new of {} characters on average",
        chars / new
    );
    println!(
        "{candidates} candidates, {copies} copies of {}",
        new / COPIES
    );
    println!(
        "{ms:.3} ms a new article: {:.3} to build, {:.3} to scan, {:.3} to verify",
        each(build),
        each(scan),
        each(verify)
    );
    println!("{bytes:.1} bytes of memory a stored article");
    ensure!(copies >= new / COPIES, "copies were missed");
    ensure!(ms <= MOST_MS, "more than {MOST_MS} ms an article");
    ensure!(
        bytes <= MOST_BYTES,
        "more than {MOST_BYTES} bytes an article"
    );
    Ok(())
}

fn article(dice: &mut Dice) -> (String, String) {
    let event = words::event(dice, false);
    let story = words::story(dice, &event, false, 900);
    let paragraphs: Vec<String> = story
        .text
        .iter()
        .map(|sentences| sentences.concat())
        .collect();
    (story.title, paragraphs.join("\n"))
}

/// The print of an article nobody has: the bytes of a sketch are like chance.
fn made_up(dice: &mut Dice) -> Print {
    let mut sketch = [0; Sketch::LEN];
    for byte in &mut sketch {
        *byte = dice.below(256) as u8;
    }
    Print {
        len: 900,
        title: dice.below(1 << 32) as u32,
        lead: dice.below(1 << 32) as u32,
        sketch: Sketch(sketch),
    }
}

fn date(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + secs)
}

/// Bytes this process holds in memory.
fn resident() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("no VmRSS")?.parse::<usize>()? * 1024)
}
