//! What a poll does by our orders for its feed: whom it asks first, and what is written in the end.

use std::time::Duration;

use crate::config;
use crate::model::http::Request;
use crate::model::poll::PollRecord;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::learn::Asked;
use crate::rules::settle::{self, Answer, Orders};
use crate::rules::{honesty, moves};
use crate::service::poll::desk::{Desk, Job};
use crate::store::{Store, StoreError};

/// The first request of a poll.
pub(super) struct First {
    pub request: Request,
    /// The address in our orders.
    pub ordered: PageUrl,
    /// Without the validators there are (P-12).
    pub probe: bool,
}

impl First {
    pub fn of(job: &Job, at: Timestamp) -> Self {
        let mut ask = job.first.clone();
        let ordered = ask.url.clone();
        if let Some(moved) = moves::address(&job.state, &ordered, at) {
            ask.url = moved;
        }
        let probe = honesty::is_probe_due(&job.state, at);
        let validators = job.state.validators.clone().filter(|_| !probe);
        Self {
            request: job.subscription.request(ask, validators),
            ordered,
            probe,
        }
    }
}

/// Takes over whether the publisher marks what it answers as private (P-23), and says so where our orders do not.
pub(super) fn keep_private(job: &Job, record: &mut PollRecord, private: Option<bool>) {
    let Some(private) = private else {
        return;
    };
    record.learned.private = private;
    if job.subscription.private.is_none() && private != job.state.learned.private {
        let feed = &record.feed;
        if private {
            tracing::warn!(
                feed.id = %feed,
                "its answers are marked private: it is kept and not published; `private = false` in feeds.toml publishes it"
            );
        } else {
            tracing::warn!(feed.id = %feed, "its answers are no longer marked private: it is published");
        }
    }
}

/// A new address is not believed where feeds of several hosts move there at once (P-74).
pub(super) fn doubt_mass_moves(
    store: &Store,
    job: &Job,
    record: &mut PollRecord,
) -> Result<(), StoreError> {
    let before = job.state.learned.address.as_ref();
    let to = match &record.learned.address {
        Some(address) if before != Some(address) => PageUrl::parse(&address.to).ok(),
        _ => None,
    };
    if let Some(to) = to
        && moves::is_mass_move(&store.feed_states()?, &to, record.at)
    {
        tracing::warn!(
            feed.id = %record.feed,
            to = to.as_str(),
            "feeds of several hosts are redirected there for good at once: nobody's address is changed"
        );
        record
            .learned
            .address
            .clone_from(&job.state.learned.address);
        record.learned.moved.clone_from(&job.state.learned.moved);
    }
    Ok(())
}

/// Decides what is written, by our orders for the feed.
pub(super) fn settle<W>(
    desk: &Desk<W>,
    job: &Job,
    first: &First,
    at: Timestamp,
    took: Duration,
    answer: Answer,
) -> PollRecord {
    let schedule = job.subscription.schedule.as_deref();
    let schedule = schedule.and_then(|text| config::schedule(text).ok()); // checked when it was read
    let orders = Orders {
        cron: schedule
            .as_ref()
            .map(|schedule| (schedule, &job.subscription.zone)),
        price: desk.price.now(),
        floors: desk.floors,
        asked: Asked {
            urls: Some((&first.ordered, &first.request.ask.url)),
            probe: first.probe,
            schedule: job.subscription.schedule.as_deref(),
            credentials: job.subscription.credentials_mark(),
        },
    };
    settle::settle(&job.state, &orders, at, took, answer)
}
