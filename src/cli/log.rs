//! Messages of the program, on standard error, so that standard output is the command's result alone. On a terminal and
//! in a file each has its time and its level; in the journal, which keeps both itself, a priority in front (`<3>`,
//! sd-daemon(3)). `FEEDMILL_LOG` overrides the configured level, with the filters of the tracing library
//! (`feedmill=debug`).

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::app::told::one_line;

/// Sets the level of a log that has begun.
pub type Dial = Box<dyn Fn(Level) + Send + Sync>;

/// Begins to log, at this level.
pub fn start(level: Level) -> Dial {
    let (filter, handle) = reload::Layer::<_, Registry>::new(filter(level));
    let log = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let _ = if is_the_journal() {
        log.with(lines.with_ansi(false).event_format(Journal))
            .try_init()
    } else {
        log.with(lines).try_init()
    };
    Box::new(move |level| {
        let _ = handle.reload(self::filter(level));
    })
}

fn filter(level: Level) -> EnvFilter {
    EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var("FEEDMILL_LOG")
        .from_env_lossy()
}

/// Whether standard error leads to the journal: systemd says which file that is (`$JOURNAL_STREAM`, systemd.exec(5)), and
/// it may have been put elsewhere since.
fn is_the_journal() -> bool {
    let said = env::var("JOURNAL_STREAM").ok();
    let ours = || {
        let file = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?);
        let file = file.metadata().ok()?;
        Some(format!("{}:{}", file.dev(), file.ino()))
    };
    said.is_some_and(|said| ours().is_some_and(|ours| ours == said))
}

/// Why the program could not run, as standard error takes it.
pub fn complaint(why: &str) -> String {
    if !is_the_journal() {
        return format!("feedmill: {why}\n");
    }
    // Each line is a message of its own there.
    let priority = priority(Level::ERROR);
    let lines = why.lines().map(one_line).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines
        .map(|line| format!("<{priority}>feedmill: {line}\n"))
        .collect();
    lines.concat()
}

/// A message as the journal takes it: its priority, and one line.
struct Journal;

impl<S, N> FormatEvent<S, N> for Journal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        // Another line would be another message, without a priority.
        let text: Vec<&str> = text.lines().map(str::trim).collect();
        let priority = priority(*event.metadata().level());
        writeln!(out, "<{priority}>{}", text.join(" / "))
    }
}

/// As syslog numbers them.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}
