//! What is told in the log, as whoever reads it at three in the morning wants to read it.

use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::model::health::{HealthEvent, State};
use crate::model::withheld::Reason;
use crate::rules::schedule::Jump;
use crate::service::publish::Published;
use crate::service::report::{Fate, FeedReport};
use crate::service::restored::Behind;
use crate::service::scheduler::Event;

/// One line a poll (P-151).
pub fn polled(report: &FeedReport) {
    let (counts, why) = (report.counts, report.why());
    let record = report.record.as_ref();
    macro_rules! line {
        ($level:ident) => {
            $level!(
                feed.id = %report.feed,
                poll.result = report.fate.word(),
                new = counts.new,
                revised = counts.revised,
                reprints = counts.reprints,
                known = counts.known,
                status = report.seen.status,
                bytes = report.seen.bytes,
                age = report.seen.age.map(|age| age.as_secs()),
                duration_ms = millis(report.took),
                why = printable(&why),
                next = record.map(|record| record.next.to_string()),
                why_next = record.map(|record| printable(&record.why_next)),
                "polled"
            )
        };
    }
    match report.fate {
        // Publishers fail every day; what is wrong for good is told when a state of health changes.
        Fate::Failed(_) | Fate::Offline(_) | Fate::Stopped => line!(warn),
        _ if !report.skipped.is_empty() => line!(warn),
        _ => line!(info),
    }
    withheld(report);
}

/// What was withheld of a poll's new entries, and what is not any more.
fn withheld(report: &FeedReport) {
    if let Some(burst) = report.burst {
        let (feed, entries, most) = (&report.feed, burst.entries, burst.most);
        if burst.why == Reason::Flood {
            warn!(
                feed.id = %feed,
                entries,
                most,
                "a flood: the new entries wait, and are shown if they stay in the feed, or by `feedmill release`"
            );
        } else {
            info!(feed.id = %feed, entries, most, "old entries were put in: they are not in the merged feed");
        }
    }
    if report.released > 0 {
        info!(
            feed.id = %report.feed,
            entries = report.released,
            "a flood is shown: it is still in the feed"
        );
    }
}

/// The store is older than its archive.
pub fn behind(behind: &Behind) {
    warn!(
        next = behind.next.0,
        now = behind.now.0,
        files = behind.files,
        "the store is older than its archive, as if a copy had been put back: it goes on with the first number no file bears, \
         and takes these files over where their words come again"
    );
}

/// A feed is doing otherwise than before.
pub fn health(event: &HealthEvent) {
    let change = &event.change;
    macro_rules! line {
        ($level:ident) => {
            $level!(
                feed.id = %event.feed,
                state = change.to.word(),
                before = change.from.word(),
                why = printable(&change.why),
                "health"
            )
        };
    }
    if change.to == State::Fine {
        line!(info);
    } else {
        line!(warn);
    }
}

/// What happened to the polls.
pub fn event(event: &Event<'_>) {
    match event {
        Event::Polled(report) => polled(report),
        Event::Offline(outage) => warn!(
            hosts = outage.asked,
            unreached = outage.unreached,
            "offline: nobody can be reached; one host is tried every minute, and nothing is held against any feed"
        ),
        Event::Online => info!("online again"),
        Event::Halted(error) => error!(
            %error,
            "the store takes nothing: nobody is polled until it does; it is tried again every minute"
        ),
        Event::Unread(error) => error!(
            %error,
            "something in the store cannot be read: the feed it is of waits, and the others go on"
        ),
        Event::Resumed => info!("the store takes what it is given again"),
        Event::Clock(Jump::Back(by)) => warn!(
            seconds = by.as_secs(),
            "the clock was set back: times that lie too far ahead now are brought nearer"
        ),
        Event::Clock(Jump::Forward(by)) => warn!(
            seconds = by.as_secs(),
            "the clock was set forward, or the machine slept: who is overdue is polled one after the other"
        ),
        Event::Clock(Jump::None) | Event::Round { .. } => {}
        Event::Roster(added, removed, changed) => {
            info!(added, removed, changed, "feeds to be polled");
        }
        Event::Sleeping(until) => {
            debug!(
                until = until.map(|until| until.to_string()),
                "nobody is due"
            );
        }
    }
}

/// What was published.
pub fn published(published: &Published) {
    for (number, why) in &published.unarchivable {
        warn!(article = number.0, why, "an article has no archive file");
    }
    if published.files == 0 && !published.feed_changed {
        debug!("nothing to publish");
        return;
    }
    info!(
        files = published.files,
        feed_changed = published.feed_changed,
        "published"
    );
}

/// Whole milliseconds.
pub fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// A stranger's text for a terminal or a log: control characters and marks that reorder the line become visible (P-170).
pub fn printable(text: &str) -> String {
    let unsafe_mark = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || unsafe_mark(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A text of several lines in one, as a log wants it: lines that only draw (the carets of a TOML error) are left out.
pub fn one_line(text: &str) -> String {
    let draws = |line: &&str| !line.chars().all(|c| matches!(c, '|' | '^' | '-' | ' '));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(draws).collect();
    printable(&lines.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_become_one() {
        let toml =
            "feeds.toml:3: invalid string\n  |\n3 | title = \"x\n  |          ^\nexpected `\"`";
        assert_eq!(
            one_line(toml),
            "feeds.toml:3: invalid string / 3 | title = \"x / expected `\"`"
        );
        assert_eq!(one_line("one\u{1b}[31m"), "one\\u{1b}[31m");
        assert_eq!(one_line(""), "");
    }
}
