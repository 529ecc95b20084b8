//! Why a feed is what it is.

use serde_json::{Map, json};

use crate::cli::status::{ahead, in_words, standing};
use crate::cli::why::{Answer, Desk, at, because, maybe};
use crate::model::feed::FeedState;
use crate::model::hints::Hints;
use crate::model::ids::FeedId;
use crate::model::learned::Learned;
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::learn::is_stopped;
use crate::rules::schedule::{Rate, Span};
use crate::store::{PastPoll, StoreError};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How many polls are told one by one.
const POLLS: usize = 5;

/// All that is remembered of a feed.
pub(super) fn of(desk: &Desk<'_>, feed: &FeedId) -> Result<Answer, StoreError> {
    let mut answer = Answer::default();
    answer.put("kind", "feed");
    answer.put("feed", feed.as_str());
    let subscription = desk.config.subscriptions.iter().find(|own| own.id == *feed);
    let order = match subscription {
        Some(own) => match own.options.get("url") {
            Some(url) => format!("{feed}, {} at {url}", own.source),
            None => format!("{feed}, {}", own.source),
        },
        None => format!("{feed}, which is not in feeds.toml any more: nobody asks it"),
    };
    answer.say("feed", order);
    answer.put("subscribed", subscription.is_some());
    let polls = desk.store.polls(feed, usize::MAX)?;
    let Some(state) = desk.store.feed_state(feed)?.filter(|_| !polls.is_empty()) else {
        answer.say("asked", "never; it is due");
        answer.put("polls", json!([]));
        return Ok(answer);
    };
    let private = subscription.is_some_and(|own| own.is_private(&state.learned));
    answer.put("private", private);
    if private {
        let by = match subscription.and_then(|own| own.private) {
            Some(_) => "by `private` in feeds.toml",
            None => "its answers are marked private, and feeds.toml does not say `private = false`",
        };
        answer.say("published", format!("nowhere: {by}"));
    }
    if let Some(standing) = standing(desk.store, feed, desk.now)? {
        answer.say("health", standing.state.to_string());
        answer.say(
            "",
            format!("since {}: {}", at(standing.since, desk.now), standing.why),
        );
        answer.say("", standing.state.advice());
        answer.put(
            "health",
            json!({
                "state": standing.state.word(),
                "since": standing.since.rfc3339(),
                "why": standing.why,
                "advice": standing.state.advice(),
            }),
        );
    }
    told_polls(&mut answer, &polls, desk.now);
    unshown(&mut answer, desk, feed)?;
    if let Some(gap) = state.learned.sights().gap {
        let words = format!(
            "at {}, no entry was known: about {} came and went unseen since {}",
            at(gap.to, desk.now),
            gap.entries,
            gap.from.rfc3339()
        );
        answer.say("gap", words);
        answer.put(
            "gap",
            json!({"from": gap.from.rfc3339(), "to": gap.to.rfc3339(), "entries": gap.entries}),
        );
    }
    next(&mut answer, &state, desk.now);
    validators(&mut answer, &state);
    learned(&mut answer, &state.learned, desk.now);
    Ok(answer)
}

fn told_polls(answer: &mut Answer, polls: &[PastPoll], now: Timestamp) {
    for poll in polls.iter().take(POLLS) {
        answer.say("asked", format!("{}: {}", at(poll.at, now), answered(poll)));
    }
    if polls.len() > POLLS {
        let more = polls.len() - POLLS;
        answer.say(
            "asked",
            format!("and {more} times before that which are remembered"),
        );
    }
    // What was mended and left out is told of the last poll that read anything.
    if let Some(read) = polls.iter().find(|poll| poll.result == "read") {
        for note in &read.notes {
            answer.say("document", note.clone());
        }
        for skipped in &read.skipped {
            answer.say("left out", format!("{}: {}", skipped.what, skipped.why));
        }
    }
    let told: Vec<_> = polls
        .iter()
        .map(|poll| {
            let (new, revised, reprints, known) = poll.counts;
            json!({
                "at": poll.at.rfc3339(),
                "result": poll.result,
                "why": poll.why,
                "new": new,
                "revised": revised,
                "reprints": reprints,
                "known": known,
                "duration_ms": u64::try_from(poll.took.as_millis()).unwrap_or(u64::MAX),
                "next": poll.next.rfc3339(),
                "why_next": poll.why_next,
                "notes": poll.notes,
                "skipped": poll.skipped.iter().map(|s| json!({"entry": s.what, "why": s.why})).collect::<Vec<_>>(),
            })
        })
        .collect();
    answer.put("polls", told);
}

/// What it has that is not shown where it would be.
fn unshown(answer: &mut Answer, desk: &Desk<'_>, feed: &FeedId) -> Result<(), StoreError> {
    let withheld = desk.store.withheld(Some(feed))?;
    let mut counts = Map::new();
    for why in Reason::ALL {
        let count = withheld.iter().filter(|one| one.why == why).count();
        if count > 0 {
            answer.say("withheld", format!("{count} entries: {}", because(why)));
            counts.insert(why.name().to_owned(), json!(count));
        }
    }
    answer.put("withheld", counts);
    let flood = desk.store.floods()?.remove(feed);
    if let Some(flood) = &flood {
        answer.say("", in_words(flood, feed));
        answer.say(
            "",
            format!(
                "it came {}; {} at once would have passed",
                at(flood.since, desk.now),
                flood.most
            ),
        );
    }
    answer.put(
        "flood",
        json!(flood.map(|flood| json!({
            "since": flood.since.rfc3339(),
            "entries": flood.waiting,
            "most": flood.most,
            "left": flood.left,
        }))),
    );
    Ok(())
}

/// What a poll was answered, in words.
pub(super) fn answered(poll: &PastPoll) -> String {
    let (new, revised, reprints, known) = poll.counts;
    let what = match poll.result.as_str() {
        "read" => format!(
            "read; {new} new, {revised} revised, {reprints} reprints, {known} that were known"
        ),
        "unchanged" => "unchanged: a 304, or the very bytes of the last time".to_owned(),
        other => other.to_owned(),
    };
    let why = poll.why.as_ref().map(|why| format!(": {why}"));
    let took = poll.took.as_secs_f64();
    format!("{what}{} ({took:.1} s)", why.unwrap_or_default())
}

fn next(answer: &mut Answer, state: &FeedState, now: Timestamp) {
    if is_stopped(&state.learned) {
        let why = "not by the clock any more: it said twice that it is gone, or that we may not. \
                   `feedmill fetch --once NAME` asks it by name";
        answer.say("next", why);
        return;
    }
    let why = state.why_next.clone().unwrap_or_default();
    let next = state.next_poll.map_or("due".to_owned(), |next| {
        format!("{} ({})", next.rfc3339(), ahead(next, now))
    });
    answer.say("next", format!("{next}, since: {why}"));
    let held = state.not_before.as_ref().filter(|held| held.until > now);
    if let Some(held) = held {
        answer.say(
            "held back",
            format!(
                "until {}, even against an order: {}",
                held.until.rfc3339(),
                held.why
            ),
        );
    }
    let fresh = state.fresh_until.filter(|until| *until > now);
    if let Some(until) = fresh {
        answer.say(
            "fresh",
            format!(
                "until {} by the publisher's own word (HTTP)",
                until.rfc3339()
            ),
        );
    }
    if let Some(refusal) = state.learned.refusal {
        let times = refusal.times;
        let and = if times >= 2 {
            ": it is asked by name alone"
        } else {
            ": once more, and nobody asks it by the clock"
        };
        answer.say(
            "refusal",
            format!(
                "HTTP status {}, {times} times in a row{and}",
                refusal.status
            ),
        );
    }
    answer.put("next_poll", maybe(state.next_poll));
    answer.put("why_next", why);
    answer.put(
        "held",
        json!(held.map(|held| json!({"until": held.until.rfc3339(), "why": held.why}))),
    );
    answer.put("fresh_until", maybe(state.fresh_until));
    answer.put("failures", state.failures);
    answer.put("last_success", maybe(state.last_success));
}

fn validators(answer: &mut Answer, state: &FeedState) {
    let text = |bytes: &Option<Box<[u8]>>| {
        bytes
            .as_deref()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let Some(pair) = &state.validators else {
        answer.say(
            "validators",
            "none: the next request is unconditional, since the last answer had none or left something for the next poll",
        );
        answer.put("validators", json!(null));
        return;
    };
    let (etag, modified) = (text(&pair.etag), text(&pair.last_modified));
    let names = [("ETag", &etag), ("Last-Modified", &modified)];
    let told: Vec<String> = names
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)))
        .collect();
    answer.say(
        "validators",
        format!("{}, from {}", told.join(", "), pair.url),
    );
    answer.put(
        "validators",
        json!({"url": pair.url.as_str(), "etag": etag, "last_modified": modified}),
    );
}

fn learned(answer: &mut Answer, learned: &Learned, now: Timestamp) {
    let rhythm = &learned.rhythm;
    let mut words = vec![format!("{} by habit", Rate(rhythm.habit()))];
    words.extend(
        rhythm
            .last()
            .map(|last| format!("the last {}", at(last, now))),
    );
    let most = rhythm.silences.most();
    words.extend(
        most.map(|most| format!("its longest silence of the last weeks was {}", Span(most))),
    );
    if learned.window > 0 {
        words.push(format!("its document holds {} entries", learned.window));
    }
    answer.say("rhythm", words.join("; "));
    for hint in hints(&learned.hints) {
        answer.say("hints", hint);
    }
    if learned.slowed.times > 0 {
        answer.say(
            "slowed",
            format!(
                "its floor was doubled {} times after 429 answers",
                learned.slowed.times
            ),
        );
    }
    if let Some(moved) = &learned.moved {
        answer.say(
            "moved",
            format!(
                "redirects for good to {}, met {} times since {}",
                moved.to,
                moved.times,
                moved.since.rfc3339()
            ),
        );
    }
    answer.put(
        "rhythm",
        json!({
            "entries_a_day": rhythm.habit(),
            "last_entry": maybe(rhythm.last()),
            "window": learned.window,
        }),
    );
    answer.put("hints", hints(&learned.hints));
    answer.put(
        "moved",
        json!(learned.moved.as_ref().map(|moved| json!({
            "to": moved.to, "times": moved.times, "since": moved.since.rfc3339()
        }))),
    );
}

fn hints(hints: &Hints) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(ttl) = hints.ttl {
        told.push(format!("ttl: {} between polls", Span(ttl)));
    }
    if let Some(updates) = hints.updates {
        told.push(format!("put out every {}", Span(updates.every)));
    }
    let skipped: Vec<String> = (0..24)
        .filter(|hour| hints.skip_hours >> hour & 1 == 1)
        .map(|hour: u32| hour.to_string())
        .collect();
    if !skipped.is_empty() {
        told.push(format!(
            "not to be asked in the hours (GMT) {}",
            skipped.join(", ")
        ));
    }
    let days: Vec<&str> = DAYS
        .into_iter()
        .enumerate()
        .filter(|(day, _)| hints.skip_days >> day & 1 == 1)
        .map(|(_, name)| name)
        .collect();
    if !days.is_empty() {
        told.push(format!("not to be asked on {}", days.join(", ")));
    }
    if hints.ended {
        told.push("it says that it has ended".to_owned());
    }
    told
}
