//! The numbers as Prometheus reads them (its text format 0.0.4). Written by hand: twenty families of numbers we hold
//! anyway need no registry, and a test reads the whole document with a parser.

use std::fmt::Display;
use std::fmt::Write as _;

use crate::model::health::State;
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::allowance::Ledger;
use crate::service::vitals::process::Process;
use crate::service::vitals::{Inner, STEPS, Tally, Vitals};

/// What it is served as.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whose numbers stand together, where feeds have none of their own: no feed can have this name.
const OTHERS: &str = "_others";

/// Hosts with numbers of their own, where their allowance for the day is spent.
const HELD: usize = 50;

impl Vitals {
    /// Everything that is counted, with what the kernel says of the process, what of the day's allowance is spent (P-150)
    /// and how many hosts are not asked.
    pub fn metrics(&self, process: &Process, ledger: &Ledger, silent: usize) -> String {
        let inner = self.inner();
        let mut page = Page::default();
        inner.of_the_feeds(&mut page);
        inner.of_the_polls(&mut page);
        inner.of_the_day(&mut page, ledger, silent);
        inner.of_the_store(&mut page);
        of_the_process(&mut page, process, inner.started);
        page.0
    }
}

impl Inner {
    /// The feeds with numbers of their own, in the order of the configuration, and the others.
    fn tallies(&self) -> impl Iterator<Item = (&str, &Tally)> {
        let own = self.labelled.iter();
        let own = own.filter_map(|feed| Some((feed.as_str(), self.tallies.get(feed)?)));
        let others = (self.feeds > self.labelled.len() || !self.others.polls.is_empty())
            .then_some((OTHERS, &self.others));
        own.chain(others)
    }

    fn of_the_feeds(&self, page: &mut Page) {
        page.family(
            "feedmill_polls_total",
            "counter",
            "Polls that ended, by feed and result.",
        );
        for (feed, tally) in self.tallies() {
            let mut polls: Vec<_> = tally.polls.iter().collect();
            polls.sort_unstable();
            for (result, count) in polls {
                page.sample(&[("feed", feed), ("result", result)], count);
            }
        }
        page.family(
            "feedmill_poll_received_bytes_total",
            "counter",
            "Bytes of the bodies that polls received, after their content coding was undone.",
        );
        for (feed, tally) in self.tallies() {
            page.sample(&[("feed", feed)], tally.bytes);
        }
        page.family(
            "feedmill_poll_articles_total",
            "counter",
            "Entries met by polls, by verdict: new, revised, reprint of words that were there, known.",
        );
        for (feed, tally) in self.tallies() {
            for (verdict, count) in ["new", "revised", "reprint", "known"]
                .iter()
                .zip(tally.articles)
            {
                page.sample(&[("feed", feed), ("verdict", verdict)], count);
            }
        }
        page.family(
            "feedmill_feed_next_poll_timestamp_seconds",
            "gauge",
            "When the feed is asked next.",
        );
        for (feed, next) in self
            .tallies()
            .filter_map(|(feed, tally)| Some((feed, tally.next?)))
        {
            if feed != OTHERS {
                page.sample(&[("feed", feed)], seconds(next));
            }
        }
        page.family(
            "feedmill_feed_last_success_timestamp_seconds",
            "gauge",
            "When the feed was last asked with success.",
        );
        for (feed, at) in self
            .tallies()
            .filter_map(|(feed, tally)| Some((feed, tally.success?)))
        {
            if feed != OTHERS {
                page.sample(&[("feed", feed)], seconds(at));
            }
        }
        page.family(
            "feedmill_feed_state",
            "gauge",
            "1 for the state of health that the feed is in.",
        );
        for feed in &self.labelled {
            let state = self.states.get(feed).copied().unwrap_or_default();
            page.sample(&[("feed", feed.as_str()), ("state", state.word())], 1);
        }
        page.family("feedmill_feeds", "gauge", "Feeds in each state of health.");
        for state in State::ALL {
            let mut count = self
                .states
                .values()
                .filter(|found| **found == state)
                .count();
            if state == State::Fine {
                count += self.feeds.saturating_sub(self.states.len());
            }
            page.sample(&[("state", state.word())], count);
        }
    }

    fn of_the_polls(&self, page: &mut Page) {
        let name = "feedmill_poll_duration_seconds";
        page.family(name, "histogram", "How long polls took, requests included.");
        let mut sum = 0;
        for (step, count) in STEPS.iter().zip(self.durations.counts) {
            sum += count;
            page.line(&format!("{name}_bucket"), &[("le", &step.to_string())], sum);
        }
        page.line(
            &format!("{name}_bucket"),
            &[("le", "+Inf")],
            self.durations.count,
        );
        page.line(&format!("{name}_sum"), &[], self.durations.sum);
        page.line(&format!("{name}_count"), &[], self.durations.count);
        page.single(
            "feedmill_polls_in_flight",
            "gauge",
            "Polls under way.",
            self.in_flight,
        );
        page.family(
            "feedmill_next_poll_timestamp_seconds",
            "gauge",
            "When the first feed that waits is due.",
        );
        if let Some(due) = self.due {
            page.sample(&[], seconds(due));
        }
        page.single(
            "feedmill_offline",
            "gauge",
            "1 while nobody can be reached and the fault is taken to be here.",
            u8::from(self.offline.is_some()),
        );
        page.single(
            "feedmill_halted",
            "gauge",
            "1 while the store takes nothing and nobody is polled.",
            u8::from(self.halted.is_some()),
        );
        page.single(
            "feedmill_ingesting",
            "gauge",
            "1 while what feeds bring is taken in: what /healthz says.",
            u8::from(self.verdict(tokio::time::Instant::now()).is_ok()),
        );
    }

    /// A day is 24 hours from its first request. Of single hosts only those are told whose day is spent.
    fn of_the_day(&self, page: &mut Page, ledger: &Ledger, silent: usize) {
        let may_be_named = |held: &&(Box<str>, _)| self.origins.contains(&*held.0);
        let held: Vec<_> = ledger.held.iter().filter(may_be_named).take(HELD).collect();
        for (name, help, value) in [
            (
                "feedmill_day_requests",
                "Requests to all hosts in the day that lasts.",
                ledger.spent.requests,
            ),
            (
                "feedmill_day_requests_limit",
                "Requests that may be sent to all hosts in a day.",
                ledger.all.requests,
            ),
            (
                "feedmill_day_received_bytes",
                "Bytes of bodies from all hosts in the day that lasts, as they came over the wire.",
                ledger.spent.bytes,
            ),
            (
                "feedmill_day_limit_bytes",
                "Bytes of bodies that may come from all hosts in a day.",
                ledger.all.bytes,
            ),
            (
                "feedmill_host_day_requests_limit",
                "Requests that may be sent to one host in a day.",
                ledger.host.requests,
            ),
            (
                "feedmill_host_day_limit_bytes",
                "Bytes of bodies that may come from one host in a day.",
                ledger.host.bytes,
            ),
            (
                "feedmill_hosts_spent",
                "Hosts whose allowance for the day is spent.",
                ledger.held.len() as u64,
            ),
            (
                "feedmill_hosts_silent",
                "Hosts and domains that are not asked now: they told us to stay away, or the allowance is spent.",
                silent as u64,
            ),
        ] {
            page.single(name, "gauge", help, value);
        }
        page.family(
            "feedmill_host_day_requests",
            "gauge",
            "Requests in the day that lasts to a host whose allowance is spent.",
        );
        for (host, spent) in &held {
            page.sample(&[("host", host)], spent.requests);
        }
        page.family(
            "feedmill_host_day_received_bytes",
            "gauge",
            "Bytes in the day that lasts from a host whose allowance is spent.",
        );
        for (host, spent) in &held {
            page.sample(&[("host", host)], spent.bytes);
        }
    }

    fn of_the_store(&self, page: &mut Page) {
        let stock = self.stock;
        page.single(
            "feedmill_store_size_bytes",
            "gauge",
            "Bytes of the database and its log.",
            stock.store_bytes,
        );
        page.single(
            "feedmill_store_entries",
            "gauge",
            "Entries ever seen.",
            stock.entries,
        );
        page.family(
            "feedmill_store_withheld_entries",
            "gauge",
            "Entries that are not shown where they would be, by reason: a flood waits for somebody to look at it.",
        );
        for (why, count) in Reason::ALL.iter().zip(stock.withheld) {
            page.sample(&[("why", why.name())], count);
        }
        page.single(
            "feedmill_store_articles",
            "gauge",
            "Articles stored: revisions of entries.",
            stock.articles,
        );
        page.single(
            "feedmill_archive_files",
            "gauge",
            "Files of the archive.",
            stock.files,
        );
        page.family(
            "feedmill_backup_last_success_timestamp_seconds",
            "gauge",
            "When the last copy of the store was made and found good.",
        );
        if let Some(at) = self.copied {
            page.sample(&[], seconds(at));
        }
    }
}

fn of_the_process(page: &mut Page, process: &Process, started: Timestamp) {
    page.family(
        "feedmill_build_info",
        "gauge",
        "1, with the version of this program.",
    );
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.single(
        "process_start_time_seconds",
        "gauge",
        "When this process started.",
        seconds(started),
    );
    if let Some(cpu) = process.cpu_seconds {
        page.single(
            "process_cpu_seconds_total",
            "counter",
            "Seconds of CPU used.",
            cpu,
        );
    }
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            process.resident_bytes,
        ),
        (
            "process_resident_memory_max_bytes",
            "The most memory ever used.",
            process.peak_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Address space.",
            process.virtual_bytes,
        ),
        ("process_threads", "Threads.", process.threads),
        ("process_open_fds", "Open descriptors.", process.open_fds),
        (
            "process_max_fds",
            "How many descriptors may be open.",
            process.max_fds,
        ),
    ] {
        if let Some(value) = value {
            page.single(name, "gauge", help, value);
        }
    }
}

#[allow(clippy::cast_precision_loss)] // milliseconds of any year we can write
fn seconds(time: Timestamp) -> f64 {
    time.millis() as f64 / 1000.0
}

/// A document on its way.
#[derive(Default)]
struct Page(String, &'static str);

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.1 = name;
    }

    /// One sample of the family that was begun last.
    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line(self.1, labels, value);
    }

    fn single(&mut self, name: &'static str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(&[], value);
    }

    /// Values of labels are names and words of ours: none needs to be escaped.
    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
