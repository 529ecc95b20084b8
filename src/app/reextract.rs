//! Kept pages, read again by today's rules.

use anyhow::{anyhow, bail};

use super::now;
use crate::config::Config;
use crate::model::ids::FeedId;
use crate::service::reextract::Reextract;
use crate::source;
use crate::store::Store;

/// To read again what is kept of these feeds, or of all that are subscribed to, asked by the clock or not.
pub fn order(
    config: &Config,
    store: Store,
    named: Option<&FeedId>,
    dry_run: bool,
    shorter: bool,
) -> anyhow::Result<Reextract> {
    let all = config.subscriptions.iter().chain(&config.disabled);
    let wanted = all.filter(|feed| named.is_none_or(|named| feed.id == *named));
    let feeds = wanted.map(|subscription| {
        let source = source::source(&subscription.source);
        let source = source.ok_or_else(|| anyhow!("no source `{}`", subscription.source))?;
        Ok((subscription.clone(), source))
    });
    let feeds: Vec<_> = feeds.collect::<anyhow::Result<_>>()?;
    if let Some(named) = named.filter(|_| feeds.is_empty()) {
        bail!("no feed `{named}` in {}", config.files.feeds.display());
    }
    Ok(Reextract {
        store,
        feeds,
        dry_run,
        shorter,
        now: now(),
    })
}
