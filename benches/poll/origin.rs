//! The publishers: a process of their own, so that their work is in nobody's account. It is this same binary, told so
//! by its first argument, and obeys one line at a time on its standard input.

use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::panic::resume_unwind;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::corpus::Corpus;
use crate::loopback::{Origin, Reply};

/// The first argument of the process that is the publishers.
pub const ROLE: &str = "--be-the-origin";

/// Addresses the feeds are spread over: a polite reader asks one host little at a time.
const HOSTS: usize = 32;

/// The publishers' process, seen from outside. It ends when this is dropped.
pub struct Publishers {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    addresses: Vec<String>,
    /// What they publish, in one line.
    pub about: String,
}

/// What was asked of them.
pub struct Asked {
    /// Requests.
    pub requests: usize,
    /// Of these, answered 304.
    pub not_modified: usize,
    /// Of these, answered neither 200 nor 304.
    pub odd: usize,
}

impl Publishers {
    /// Starts them, and returns when all feeds are ready.
    pub fn start(feeds: usize, seed: u64, delay: Duration) -> Result<Self> {
        let numbers = [
            feeds.to_string(),
            seed.to_string(),
            delay.as_millis().to_string(),
        ];
        let mut child = Command::new(env::current_exe()?)
            .arg(ROLE)
            .args(numbers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut publishers = Self {
            child,
            orders,
            answers,
            addresses: Vec::new(),
            about: String::new(),
        };
        let addresses = publishers.line()?;
        publishers.addresses = addresses.split(' ').map(str::to_owned).collect();
        publishers.about = publishers.line()?;
        Ok(publishers)
    }

    /// Where a feed is.
    pub fn url(&self, feed: usize) -> String {
        format!("{}/feed/{feed}", self.addresses[feed % HOSTS])
    }

    /// One new entry in each feed of a tenth of them, another tenth each time.
    pub fn publish_new(&mut self, round: usize) -> Result<()> {
        self.order(&format!("new {round}")).map(drop)
    }

    /// What was asked since this was last asked.
    pub fn asked(&mut self) -> Result<Asked> {
        let answer = self.order("asked")?;
        let numbers: Vec<usize> = answer
            .split(' ')
            .map_while(|word| word.parse().ok())
            .collect();
        let [requests, not_modified, odd] = numbers[..] else {
            bail!("the origin said: {answer}");
        };
        Ok(Asked {
            requests,
            not_modified,
            odd,
        })
    }

    fn order(&mut self, order: &str) -> Result<String> {
        writeln!(self.orders.as_ref().context("stopped")?, "{order}")?;
        self.line()
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.answers.next().context("the origin went away")??)
    }
}

impl Drop for Publishers {
    fn drop(&mut self) {
        self.orders = None;
        self.child.wait().ok();
    }
}

/// Whether a feed gets a new entry in this round.
pub fn is_renewed(feed: usize, round: usize) -> bool {
    feed % 10 == round % 10
}

/// The publishers' process, from inside.
pub fn run(numbers: &[String]) -> Result<()> {
    let [feeds, seed, delay] = numbers else {
        bail!("{ROLE} takes the number of feeds, the seed and the delay");
    };
    let (feeds, corpus) = (feeds.parse()?, Corpus::new(seed.parse()?));
    let delay = Duration::from_millis(delay.parse()?);
    let origins: Vec<Origin> = (0..HOSTS).map(|_| Origin::start::<String>([])).collect();
    // Makes the feed's document, puts it where it is asked for, and says how long it is.
    let publish = |feed: usize, newer: usize| {
        let (media_type, document) = corpus.feed(feed, newer);
        let length = document.len();
        let reply = Reply::ok(media_type, document)
            .validated()
            .gzipped()
            .after(delay);
        origins[feed % HOSTS].set(format!("/feed/{feed}"), reply);
        length
    };
    let mut lengths = in_parallel(feeds, |feed| publish(feed, 0));
    lengths.sort_unstable();
    let mut out = io::stdout();
    let addresses: Vec<String> = origins.iter().map(Origin::base_url).collect();
    writeln!(out, "{}\n{}", addresses.join(" "), describe(&lengths))?;

    let mut newer = vec![0; feeds];
    for order in io::stdin().lines() {
        let order = order?;
        if let Some(round) = order.strip_prefix("new ") {
            let round = round.parse()?;
            for (feed, newer) in newer.iter_mut().enumerate() {
                if is_renewed(feed, round) {
                    *newer += 1;
                    publish(feed, *newer);
                }
            }
            writeln!(out, "done")?;
        } else {
            let log = origins.iter().flat_map(Origin::take_log);
            let statuses: Vec<u16> = log.map(|request| request.answered).collect();
            let count = |wanted| statuses.iter().filter(|&&status| status == wanted).count();
            let (whole, held) = (count(200), count(304));
            writeln!(
                out,
                "{} {held} {}",
                statuses.len(),
                statuses.len() - whole - held
            )?;
        }
    }
    Ok(())
}

fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let start = |worker| {
            let work = &work;
            scope.spawn(move || {
                (worker..count)
                    .step_by(workers)
                    .map(work)
                    .collect::<Vec<T>>()
            })
        };
        let started: Vec<_> = (0..workers).map(start).collect();
        started
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

fn describe(sorted: &[usize]) -> String {
    let at = |percent: usize| {
        sorted
            .get((sorted.len() * percent / 100).min(sorted.len() - 1))
            .copied()
            .unwrap_or(0)
            / 1000
    };
    let total = sorted.iter().sum::<usize>() / 1000;
    format!(
        "{} feeds, {total} KB of XML; per feed: median {} KB, p90 {} KB, largest {} KB",
        sorted.len(),
        at(50),
        at(90),
        at(100)
    )
}
