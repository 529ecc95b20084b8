//! `feedmill why`: stored decisions, read back in plain words.

mod article;
mod feed;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::app;
use crate::cli::status::ago;
use crate::cli::{Global, Outcome, table};
use crate::config::Config;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;
use crate::model::withheld::Reason;
use crate::rules::river::entry_iri;
use crate::store::{Store, StoreError};

/// Say why a feed or an article is what it is.
#[derive(clap::Args)]
pub struct Args {
    /// A feed's id or address; or an article: its number, link, entry id, content id or archive file
    #[arg(value_name = "FEED|NUMBER|LINK|ID|FILE")]
    what: String,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

/// What is said is said of this.
struct Desk<'a> {
    config: &'a Config,
    store: &'a Store,
    now: Timestamp,
}

/// Something people asked for.
enum Found {
    Feed(FeedId),
    Articles(Vec<ArticleSeq>),
    /// An entry that polls left out: of which feed, when, what and why.
    LeftOut(Vec<(FeedId, Timestamp, String, String)>),
}

/// What is said: lines for people, and the same for programs.
#[derive(Default)]
struct Answer {
    lines: Vec<(&'static str, String)>,
    json: Map<String, Value>,
}

impl Answer {
    /// A line; the same name again goes on with what was said.
    fn say(&mut self, name: &'static str, words: impl Into<String>) {
        self.lines.push((name, words.into()));
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.json.insert(name.to_owned(), value.into());
    }
}

impl Args {
    /// Exit 0: it is known; 1: it is not, and standard error says what may have been meant.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let desk = Desk {
            config: &config,
            store: &store,
            now: app::now(),
        };
        let answers = match desk.find(&self.what)? {
            Some(Found::Feed(feed)) => vec![feed::of(&desk, &feed)?],
            Some(Found::Articles(found)) => {
                let answers = found.into_iter().map(|seq| article::of(&desk, seq));
                answers
                    .filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?
            }
            Some(Found::LeftOut(found)) => found.into_iter().map(left_out).collect(),
            None => {
                writeln!(io::stderr(), "feedmill: {}", desk.help(&self.what)?)?;
                return Ok(Outcome::Unwell);
            }
        };
        let mut out = io::stdout().lock();
        if self.json {
            let mut all: Vec<Value> = answers.into_iter().map(|a| a.json.into()).collect();
            let one = if all.len() == 1 { all.pop() } else { None };
            serde_json::to_writer_pretty(&mut out, &one.unwrap_or(Value::Array(all)))?;
            writeln!(out)?;
            return Ok(Outcome::Well);
        }
        for (place, answer) in answers.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            let mut last = "";
            for (name, words) in &answer.lines {
                let shown = if *name == last { "" } else { name };
                last = name;
                writeln!(out, "{shown:<12}{}", table::printable(words))?;
            }
        }
        Ok(Outcome::Well)
    }
}

fn left_out((feed, at, what, why): (FeedId, Timestamp, String, String)) -> Answer {
    let mut answer = Answer::default();
    answer.say("left out", what.clone());
    answer.say("feed", feed.to_string());
    answer.say("by the poll", at.rfc3339());
    answer.say("why", why.clone());
    answer.say("merged feed", "no: an entry that is left out is not stored");
    answer.put("kind", "left-out");
    answer.put("entry", what);
    answer.put("feed", feed.as_str());
    answer.put("poll", at.rfc3339());
    answer.put("why", why);
    answer.put("in_merged_feed", false);
    answer
}

impl Desk<'_> {
    /// What somebody means: the surest first.
    fn find(&self, what: &str) -> Result<Option<Found>, StoreError> {
        if let Some(feed) = self.feed(what)? {
            return Ok(Some(Found::Feed(feed)));
        }
        if let Ok(number) = what.parse()
            && self.store.article(ArticleSeq(number))?.is_some()
        {
            return Ok(Some(Found::Articles(vec![ArticleSeq(number)])));
        }
        let mut found = self.store.find(what)?;
        if found.is_empty()
            && let Some(name) = Path::new(what).file_name().and_then(|name| name.to_str())
            && name != what
            && !what.contains("://")
        {
            found = self.store.find(name)?;
        }
        if found.is_empty() && what.contains(':') {
            let is_it = self
                .store
                .find_key(|feed, key| entry_iri(feed, key) == what)?;
            found.extend(is_it);
        }
        if !found.is_empty() {
            return Ok(Some(Found::Articles(found)));
        }
        let left_out = self.left_out(what)?;
        Ok((!left_out.is_empty()).then_some(Found::LeftOut(left_out)))
    }

    /// A feed by its id, or by the address it is asked at.
    fn feed(&self, what: &str) -> Result<Option<FeedId>, StoreError> {
        if let Some(subscription) = self.config.subscriptions.iter().find(|subscription| {
            subscription.id.as_str() == what || subscription.options.get("url") == Some(what)
        }) {
            return Ok(Some(subscription.id.clone()));
        }
        let Ok(feed) = what.parse::<FeedId>() else {
            return Ok(None);
        };
        Ok(self.store.feed_state(&feed)?.map(|_| feed))
    }

    /// Entries that the polls that are remembered left out, and that are called this: the last time of each.
    fn left_out(&self, what: &str) -> Result<Vec<(FeedId, Timestamp, String, String)>, StoreError> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        if what.chars().count() < 4 {
            return Ok(found);
        }
        for state in self.store.feed_states()? {
            for poll in self.store.polls(&state.id, usize::MAX)? {
                for skipped in poll.skipped {
                    if skipped.what.contains(what)
                        && seen.insert((state.id.clone(), skipped.what.clone()))
                    {
                        found.push((state.id.clone(), poll.at, skipped.what, skipped.why));
                    }
                }
            }
        }
        Ok(found)
    }

    /// What is said to somebody who asked for what nobody knows.
    fn help(&self, what: &str) -> Result<String, StoreError> {
        let feeds = self
            .config
            .subscriptions
            .iter()
            .map(|feed| feed.id.as_str());
        let near: Vec<&str> = feeds
            .filter(|id| distance(id, what) <= what.len() / 3 + 1)
            .collect();
        let near = if near.is_empty() {
            String::new()
        } else {
            format!("; feeds with a name like it: {}", near.join(", "))
        };
        let next = self.store.counts()?.next_seq;
        let numbers = match next {
            0 => "there are no articles yet".to_owned(),
            next => format!("articles have the numbers 0 to {}, with gaps", next - 1),
        };
        Ok(format!(
            "`{}` is no feed, and no article has it as its number, link, id or file, nor did a poll of late leave it out{near}; \
             {numbers}: `feedmill list` shows them, `feedmill status` the feeds",
            table::printable(what)
        ))
    }
}

/// How many letters have to be put in, taken out or changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(100).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let up = *cell;
            let changed = diagonal + usize::from(x != *y);
            *cell = changed.min(up + 1).min(left + 1);
            (diagonal, left) = (up, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Why an entry is withheld, in words.
fn because(why: Reason) -> &'static str {
    match why {
        Reason::Flood => {
            "they came in a flood, and are shown nowhere until it is there to stay, or `feedmill release`"
        }
        Reason::Backlog => {
            "they were there before, and stand in their own source's feed and not in the merged one"
        }
        Reason::Rule => "a rule keeps them out of the merged feed",
    }
}

/// A time with how long ago it was.
fn at(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", time.rfc3339(), ago(time, now))
}

fn maybe(time: Option<Timestamp>) -> Value {
    json!(time.map(Timestamp::rfc3339))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_near_are_found() {
        let check = |a, b, expected| assert_eq!(distance(a, b), expected, "{a} {b}");
        check("takungpao", "takungpao", 0);
        check("takungpao", "takunpao", 1);
        check("dw", "qq", 2);
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("甲乙", "乙", 1);
    }
}
