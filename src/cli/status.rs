//! `feedmill status`: how each feed is doing.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::json;

use crate::app;
use crate::cli::{Global, Outcome, table};
use crate::model::feed::FeedState;
use crate::model::health::{Standing, State};
use crate::model::ids::FeedId;
use crate::model::poll::Flood;
use crate::model::time::Timestamp;
use crate::rules::health::heard_until;
use crate::rules::learn::is_stopped;
use crate::store::{PastPoll, Store, StoreError};

/// Show how each feed is doing.
#[derive(clap::Args)]
pub struct Args {
    /// A JSON array
    #[arg(long)]
    json: bool,
}

/// What there is to say of one feed.
struct Line {
    feed: FeedId,
    state: Option<FeedState>,
    /// By the clock of now; `None` for a feed that was never asked.
    standing: Option<Standing>,
    last: Option<PastPoll>,
    entries: u64,
    newest: Option<Timestamp>,
    /// Shown to nobody, by its publisher's word alone (P-23).
    withheld: bool,
    /// Too many new entries at once, that wait.
    flood: Option<Flood>,
}

impl Line {
    /// The word of its state of health, or `new`: never asked.
    fn word(&self) -> &'static str {
        self.standing
            .as_ref()
            .map_or("new", |standing| standing.state.word())
    }

    /// Whether somebody should look at it. A feed that is late comes back by itself, mostly.
    fn is_unwell(&self) -> bool {
        self.standing
            .as_ref()
            .is_some_and(|standing| !matches!(standing.state, State::Fine | State::Late))
    }

    /// [`reason`](Self::reason), after what nobody ordered.
    fn why(&self) -> String {
        let mut told = Vec::new();
        told.extend(self.flood.map(|flood| in_words(&flood, &self.feed)));
        if self.withheld {
            told.push("not published, since it is marked private".to_owned());
        }
        told.push(self.reason());
        told.join("; ")
    }

    /// Why its state is what it is where that is not fine, or else why it is asked next when it is.
    fn reason(&self) -> String {
        match &self.standing {
            Some(standing) if standing.state != State::Fine => standing.why.clone(),
            _ => self.why_next(),
        }
    }

    /// What holds it back, or why it is asked next when it is.
    fn why_next(&self) -> String {
        let held = self
            .state
            .as_ref()
            .and_then(|state| state.not_before.as_ref());
        match (held, &self.last) {
            (Some(held), _) => held.why.clone(),
            (None, Some(last)) => last.why_next.clone(),
            (None, None) => "never asked".to_owned(),
        }
    }
}

impl Args {
    /// Exit 0: every feed is fine, late or new; 1: some are not.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let mut states: HashMap<FeedId, FeedState> = store
            .feed_states()?
            .into_iter()
            .map(|state| (state.id.clone(), state))
            .collect();
        let counts: HashMap<FeedId, _> = store
            .feed_counts()?
            .into_iter()
            .map(|counts| (counts.feed.clone(), counts))
            .collect();
        let mut floods = store.floods()?;
        let now = app::now();
        let mut lines = Vec::with_capacity(config.subscriptions.len());
        for subscription in &config.subscriptions {
            let count = counts.get(&subscription.id);
            let state = states.remove(&subscription.id);
            lines.push(Line {
                feed: subscription.id.clone(),
                withheld: subscription.private.is_none()
                    && state.as_ref().is_some_and(|state| state.learned.private),
                state,
                standing: standing(&store, &subscription.id, now)?,
                last: store.polls(&subscription.id, 1)?.pop(),
                entries: count.map_or(0, |count| count.entries),
                newest: count.and_then(|count| count.newest),
                flood: floods.remove(&subscription.id),
            });
        }
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &lines.iter().map(as_json).collect::<Vec<_>>())?;
            writeln!(out)?;
        } else {
            let rows = lines.iter().map(|line| as_row(line, now));
            let head = [
                "feed",
                "state",
                "since",
                "entries",
                "newest",
                "last asked",
                "next",
                "why",
            ];
            writeln!(out, "{}", table::table(&head, &[3], rows))?;
        }
        Ok(if lines.iter().any(Line::is_unwell) {
            Outcome::Unwell
        } else {
            Outcome::Well
        })
    }
}

/// What is said of a flood.
pub fn in_words(flood: &Flood, feed: &FeedId) -> String {
    let left = if flood.left {
        ", which has not got them any more"
    } else {
        ""
    };
    format!(
        "a flood of {} entries waits for `feedmill release {feed}`{left}",
        flood.waiting
    )
}

/// How a feed is doing by the clock of now: what is stored is as of its last change. `None`: it was never asked.
pub fn standing(
    store: &Store,
    feed: &FeedId,
    now: Timestamp,
) -> Result<Option<Standing>, StoreError> {
    let evidence = store.evidence(feed)?;
    Ok(evidence
        .filter(|evidence| !evidence.polls.is_empty())
        .map(|evidence| {
            let heard = heard_until(evidence.next_poll, now);
            let before = evidence.standing.clone();
            let before = before.unwrap_or_else(|| Standing::new(now));
            before.after(&evidence.facts(), heard).0
        }))
}

fn as_row(line: &Line, now: Timestamp) -> Vec<String> {
    let state = line.state.as_ref();
    let since = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| ago(time, now));
    vec![
        line.feed.to_string(),
        line.word().to_owned(),
        since(line.standing.as_ref().map(|standing| standing.since)),
        line.entries.to_string(),
        line.newest.map_or(String::new(), Timestamp::rfc3339),
        since(state.and_then(|state| state.last_poll)),
        match state {
            Some(state) if is_stopped(&state.learned) => "by name only".to_owned(),
            state => state
                .and_then(|state| state.next_poll)
                .map_or("due".to_owned(), |next| ahead(next, now)),
        },
        table::short(&line.why(), 100),
    ]
}

/// How long ago a time was.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.since(time).as_secs()))
}

/// How far ahead a time is.
pub fn ahead(time: Timestamp, now: Timestamp) -> String {
    if time <= now {
        "due".to_owned()
    } else {
        format!("in {}", span(time.since(now).as_secs()))
    }
}

/// A span of time as people say it: its largest unit, and the next one.
fn span(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs} s"),
        60..3600 => format!("{} min", secs / 60),
        3600..86_400 => format!("{} h {} min", secs / 3600, secs % 3600 / 60),
        _ => format!("{} d {} h", secs / 86_400, secs % 86_400 / 3600),
    }
}

fn as_json(line: &Line) -> serde_json::Value {
    let state = line.state.as_ref();
    let time = |time: Option<Timestamp>| time.map(Timestamp::rfc3339);
    json!({
        "feed": line.feed.as_str(),
        "state": line.word(),
        "state_since": time(line.standing.as_ref().map(|standing| standing.since)),
        "state_why": line.standing.as_ref().map(|standing| &standing.why),
        "entries": line.entries,
        "newest": time(line.newest),
        "last_poll": time(state.and_then(|state| state.last_poll)),
        "last_success": time(state.and_then(|state| state.last_success)),
        "last_result": line.last.as_ref().map(|last| &last.result),
        "failures": state.map_or(0, |state| state.failures),
        "not_before": time(state.and_then(|state| state.not_before.as_ref()).map(|held| held.until)),
        "next_poll": time(state.filter(|state| !is_stopped(&state.learned)).and_then(|state| state.next_poll)),
        "why_next": line.why_next(),
        "why": line.why(),
        "withheld": line.withheld,
        "flood": line.flood.map(|flood| json!({
            "since": flood.since.rfc3339(),
            "entries": flood.waiting,
            "most": flood.most,
            "left": flood.left,
        })),
        "gap": state.and_then(|state| state.learned.sights().gap).map(|gap| json!({
            "from": gap.from.rfc3339(),
            "to": gap.to.rfc3339(),
            "entries": gap.entries,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_largest_units() {
        let told = [0, 59, 60, 3599, 3660, 90_000].map(span);
        assert_eq!(
            told,
            ["0 s", "59 s", "1 min", "59 min", "1 h 1 min", "1 d 1 h"]
        );
    }
}
