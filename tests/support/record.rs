//! What a poll hands to the store, and who publishes it, for tests that go past the program.
#![allow(dead_code, clippy::unwrap_used)] // a benchmark takes a part

use std::time::Duration;

use feedmill::model::article::Article;
use feedmill::model::ids::FeedId;
use feedmill::model::learned::Learned;
use feedmill::model::poll::{Coverage, PollRecord, PollResult, Reading};
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::service::publish::Masthead;

/// A poll that came to this. The next is due in an hour.
pub fn poll(feed: FeedId, at: Timestamp, result: PollResult) -> PollRecord {
    PollRecord {
        feed,
        at,
        took: Duration::from_millis(120),
        next: at.plus(Duration::from_hours(1)),
        why_next: "every hour".to_owned(),
        not_before: None,
        fresh_until: None,
        failures: 0,
        learned: Learned::default(),
        result,
    }
}

/// All articles of a list.
pub fn reading(articles: Vec<Article>) -> Reading {
    Reading {
        articles,
        coverage: Coverage::Whole(None),
        ..Reading::default()
    }
}

/// A poll that read them.
pub fn read(feed: FeedId, at: Timestamp, articles: Vec<Article>) -> PollRecord {
    poll(feed, at, PollResult::Read(Box::new(reading(articles))))
}

/// Who publishes, at this address.
pub fn masthead(home: &str) -> Masthead {
    Masthead {
        id: None,
        title: "River".to_owned(),
        subtitle: None,
        author: "Somebody".to_owned(),
        language: "zh-CN".to_owned(),
        home: PageUrl::parse(home).unwrap(),
    }
}
