//! Is it us, or them? Polls that reached nobody wait until the polls after them tell (POLLING P-49).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::rules::health::{Outage, our_outage};

/// Polls further back say nothing about now.
const RECENT: Duration = Duration::from_mins(5);

/// A poll that reached nobody is held against its host after that long, whatever others say.
const PATIENCE: Duration = Duration::from_mins(10);

/// What is to be done about the polls that reached nobody. `R` is what is kept of one.
pub(super) enum Verdict<R> {
    /// Nothing can be told yet, or there are none.
    Wait,
    /// It is us.
    Outage(Outage, Vec<R>),
    /// It is them.
    Blame(Vec<R>),
}

/// Polls that reached nobody, and those that did.
pub(super) struct Suspicion<R> {
    recent: VecDeque<(Instant, String, bool)>,
    held: Vec<(Instant, R)>,
    outage: bool,
}

impl<R> Default for Suspicion<R> {
    fn default() -> Self {
        Self {
            recent: VecDeque::new(),
            held: Vec::new(),
            outage: false,
        }
    }
}

impl<R> Suspicion<R> {
    /// Whether we are cut off.
    pub(super) fn is_outage(&self) -> bool {
        self.outage
    }

    /// We are cut off from now on; whether we were not before.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.outage, true)
    }

    /// A host answered, whatever it said. Says whether that ends our being cut off.
    pub(super) fn reached(&mut self, host: &str, now: Instant) -> bool {
        let over = std::mem::take(&mut self.outage);
        if over {
            self.recent.clear();
        }
        self.note(host.to_owned(), true, now);
        over
    }

    /// Nothing of a host could be reached.
    pub(super) fn unreached(&mut self, host: String, poll: R, now: Instant) {
        self.note(host, false, now);
        self.held.push((now, poll));
    }

    fn note(&mut self, host: String, reached: bool, now: Instant) {
        self.recent.push_back((now, host, reached));
    }

    /// Judges the polls that are held. `hosts`: how many there are to be asked; with one there are no others to tell.
    pub(super) fn judge(&mut self, hosts: usize, now: Instant) -> Verdict<R> {
        // Whoever answered shortly before the oldest that is held counts as long as that one is.
        let from = self.held.first().map_or(now, |(since, _)| *since);
        while let Some((at, ..)) = self.recent.front()
            && from.saturating_duration_since(*at) > RECENT
        {
            self.recent.pop_front();
        }
        let Some((since, _)) = self.held.first() else {
            return Verdict::Wait;
        };
        let since = *since;
        let all = self
            .recent
            .iter()
            .map(|(_, host, reached)| (host.as_str(), *reached));
        let take = |held: &mut Vec<(Instant, R)>| held.drain(..).map(|(_, poll)| poll).collect();
        if let Some(outage) = our_outage(all) {
            return Verdict::Outage(outage, take(&mut self.held));
        }
        if self.outage {
            let unreached = self.held.len();
            let outage = Outage {
                asked: unreached,
                unreached,
            };
            return Verdict::Outage(outage, take(&mut self.held));
        }
        // Somebody else answered after it did not.
        let answered = self
            .recent
            .iter()
            .any(|(at, _, reached)| *reached && *at > since);
        if answered || hosts < 2 || now.duration_since(since) >= PATIENCE {
            return Verdict::Blame(take(&mut self.held));
        }
        Verdict::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn word<R>(verdict: &Verdict<R>) -> (&'static str, usize) {
        match verdict {
            Verdict::Wait => ("wait", 0),
            Verdict::Outage(_, polls) => ("outage", polls.len()),
            Verdict::Blame(polls) => ("blame", polls.len()),
        }
    }

    #[test]
    fn p_49_a_host_is_blamed_when_others_answer() {
        let start = Instant::now();
        let mut suspicion = Suspicion::default();
        suspicion.reached("a", start);
        suspicion.unreached("b".to_owned(), 1, start + SECOND);
        assert_eq!(word(&suspicion.judge(5, start + SECOND)), ("wait", 0));
        suspicion.reached("c", start + SECOND * 2);
        assert_eq!(word(&suspicion.judge(5, start + SECOND * 2)), ("blame", 1));
        assert_eq!(word(&suspicion.judge(5, start + SECOND * 3)), ("wait", 0));
        assert!(!suspicion.is_outage());
    }

    #[test]
    fn p_49_when_nobody_answers_nobody_is_blamed() {
        let start = Instant::now();
        let mut suspicion = Suspicion::default();
        suspicion.unreached("a".to_owned(), 1, start);
        assert_eq!(word(&suspicion.judge(5, start)), ("wait", 0));
        suspicion.unreached("b".to_owned(), 2, start + SECOND);
        assert_eq!(word(&suspicion.judge(5, start + SECOND)), ("outage", 2));
        assert!(suspicion.begin() && !suspicion.begin());
        // While it lasts, no canary is blamed either, however far apart they are.
        let hour = Duration::from_hours(1);
        suspicion.unreached("c".to_owned(), 3, start + hour);
        assert_eq!(word(&suspicion.judge(5, start + hour)), ("outage", 1));
        assert!(suspicion.reached("a", start + hour * 2), "it is over");
        assert!(!suspicion.reached("a", start + hour * 2));
        suspicion.unreached("b".to_owned(), 4, start + hour * 2 + SECOND);
        suspicion.reached("c", start + hour * 2 + SECOND * 2);
        let later = start + hour * 2 + SECOND * 3;
        assert_eq!(word(&suspicion.judge(5, later)), ("blame", 1));
    }

    #[test]
    fn who_has_no_neighbours_is_blamed_at_once_and_nobody_waits_for_ever() {
        let start = Instant::now();
        let mut alone = Suspicion::default();
        alone.unreached("a".to_owned(), 1, start);
        assert_eq!(word(&alone.judge(1, start)), ("blame", 1));
        let mut quiet = Suspicion::default();
        quiet.unreached("a".to_owned(), 1, start);
        assert_eq!(
            word(&quiet.judge(2, start + PATIENCE - SECOND)),
            ("wait", 0)
        );
        assert_eq!(word(&quiet.judge(2, start + PATIENCE)), ("blame", 1));
    }
}
