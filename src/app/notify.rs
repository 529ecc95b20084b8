//! What the service manager is told (`sd_notify(3)`): that we are ready, alive, reloading, stopping, and in one line how we
//! are. Without a service manager nothing is told.

use std::sync::{Arc, Mutex, PoisonError};

use sd_notify::NotifyState;
use tracing::warn;

use crate::model::time::Timestamp;
use crate::service::scheduler::Event;

/// The service manager's ear. Clones speak of one daemon.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    condition: Condition,
    /// The line it was told last.
    line: String,
}

/// How the daemon is, for one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Condition {
    feeds: usize,
    /// When somebody is due.
    next: Option<Timestamp>,
    /// Nobody can be reached.
    offline: bool,
    /// Why the store takes nothing.
    halted: Option<String>,
    /// Why the configuration on the disk is not the one that holds.
    refused: Option<String>,
    stopping: bool,
}

impl Condition {
    /// What matters most comes first: `systemctl status` cuts at the width of the terminal.
    fn line(&self) -> String {
        if self.stopping {
            return "Stopping".to_owned();
        }
        let mut parts = Vec::new();
        if let Some(why) = &self.halted {
            parts.push(format!("HALTED, the store takes nothing ({why})"));
        }
        if self.offline {
            parts.push("OFFLINE, nobody can be reached".to_owned());
        }
        if let Some(why) = &self.refused {
            parts.push(format!(
                "the new configuration is refused, the old one holds ({why})"
            ));
        }
        let feeds = self.feeds;
        let s = if feeds == 1 { "" } else { "s" };
        parts.push(match self.next {
            Some(next) => format!("{feeds} feed{s}, next poll {next}"),
            None => format!("{feeds} feed{s}, none is due"),
        });
        parts.join("; ")
    }
}

impl Manager {
    /// The daemon does its work: whoever waits for it may go on.
    pub fn ready(&self) {
        self.change(|_| {});
        say(&[NotifyState::Ready]);
    }

    /// It lives: the store answered, and feeds are polled when they are due.
    pub fn alive(&self) {
        say(&[NotifyState::Watchdog]);
    }

    /// It reads its configuration. [`reloaded`](Self::reloaded) has to follow.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            // Both in one datagram, or systemd 253 and later takes the reload for failed.
            Ok(now) => say(&[NotifyState::Reloading, now]),
            Err(error) => warn!(%error, "the service manager was not told of a reload"),
        }
    }

    /// It has read its configuration, or refused it, and why; in either case it goes on.
    pub fn reloaded(&self, refused: Option<String>) {
        self.change(|condition| condition.refused = refused);
        say(&[NotifyState::Ready]);
    }

    /// It stops.
    pub fn stopping(&self) {
        say(&[NotifyState::Stopping]);
        self.change(|condition| condition.stopping = true);
    }

    /// This many feeds are to be polled.
    pub fn feeds(&self, feeds: usize) {
        self.change(|condition| condition.feeds = feeds);
    }

    /// What happened to the polls.
    pub fn event(&self, event: &Event<'_>) {
        match event {
            Event::Offline(_) => self.change(|condition| condition.offline = true),
            Event::Online => self.change(|condition| condition.offline = false),
            Event::Halted(error) => {
                let why = error.to_string();
                self.change(|condition| condition.halted = Some(why));
            }
            Event::Resumed => self.change(|condition| condition.halted = None),
            Event::Sleeping(next) => self.change(|condition| condition.next = *next),
            Event::Polled(_)
            | Event::Unread(_)
            | Event::Clock(_)
            | Event::Roster(..)
            | Event::Round { .. } => {}
        }
    }

    /// Tells the new line, if it is one.
    fn change(&self, change: impl FnOnce(&mut Condition)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut told.condition);
        let line = told.condition.line();
        if line != told.line {
            say(&[NotifyState::Status(&line)]);
            told.line = line;
        }
    }
}

/// It is our news, and no failure of ours that nobody hears it.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_the_worst_first() {
        let check = |condition: &Condition, line: &str| assert_eq!(condition.line(), line);
        let mut condition = Condition {
            feeds: 1,
            ..Condition::default()
        };
        check(&condition, "1 feed, none is due");
        condition.feeds = 3;
        condition.next = Some(Timestamp::from_secs(1_772_367_600));
        check(&condition, "3 feeds, next poll 2026-03-01T12:20:00Z");
        condition.refused = Some("feeds.toml:3: unknown key `ulr`".to_owned());
        condition.offline = true;
        condition.halted = Some("the database refused".to_owned());
        check(
            &condition,
            "HALTED, the store takes nothing (the database refused); OFFLINE, nobody can be reached; \
             the new configuration is refused, the old one holds (feeds.toml:3: unknown key `ulr`); \
             3 feeds, next poll 2026-03-01T12:20:00Z",
        );
        condition.stopping = true;
        check(&condition, "Stopping");
    }
}
