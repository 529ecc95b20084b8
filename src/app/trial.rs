//! A feed that is tried and not kept: asked as politely as every poll, and by nobody who was told to stay away.

use anyhow::{Context, anyhow};

use super::now;
use crate::config::Config;
use crate::fetch::client::Client;
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::rules::silence::Held;
use crate::service::trial::{Order, Trial, trial};
use crate::source;
use crate::store::{Store, StoreError};

/// Pages that are read from files.
#[derive(Default)]
pub struct AtHand {
    /// The list.
    pub list: Option<Vec<u8>>,
    /// The page of the first entry.
    pub entry: Option<Vec<u8>>,
}

/// Tries a subscription. Silences that are kept in the store hold, where there is a store; it is only read.
pub async fn run(
    config: &Config,
    subscription: Subscription,
    at_hand: AtHand,
) -> anyhow::Result<Trial> {
    let source = source::source(&subscription.source)
        .ok_or_else(|| anyhow!("no source `{}`", subscription.source))?;
    let client = Client::new(super::fetch_settings(config))?;
    for held in silences(config)? {
        client.restore_silence(held);
    }
    let page = |bytes| Page {
        url: source.first(&subscription).url,
        media_type: None,
        charset: None,
        links: Vec::new(),
        bytes,
    };
    let order = Order {
        page: at_hand.list.map(page),
        detail: at_hand.entry.map(page),
        source,
        subscription: subscription.clone(),
    };
    Ok(trial(&client, order, now()).await)
}

/// Who told us to stay away and is to be left alone still.
fn silences(config: &Config) -> anyhow::Result<Vec<Held>> {
    let store = match Store::open_readonly(&config.settings.store.path) {
        Ok(store) => store,
        Err(StoreError::Absent { .. }) => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).context("it cannot be known who is to be left alone");
        }
    };
    let now = now();
    let kept = store.silences()?.into_iter();
    Ok(kept.filter_map(|kept| kept.held(now)).collect())
}
