//! Who the entries of a listing are: by their keys, and by what else they left behind where those are not known.

use std::collections::{HashMap, HashSet};

use crate::model::content::ContentHash;
use crate::model::entry::{Draft, EntryKey, Lead};
use crate::model::feed::FeedState;
use crate::model::ids::ArticleSeq;
use crate::model::poll::{KnownEntry, Trace};
use crate::model::time::Timestamp;
use crate::rules::alias::{self, Stranger};
use crate::rules::{backlog, identity, normalise};
use crate::service::poll::Job;
use crate::store::{Store, StoreError};

/// A listing with its entries recognised.
pub(super) struct Roll {
    /// The key of each lead; that of a known entry is its own, whatever it came under.
    pub keys: Vec<Option<EntryKey>>,
    /// What is known, by these keys.
    pub entries: HashMap<EntryKey, KnownEntry>,
    /// The first numbers of those.
    pub listed: Vec<ArticleSeq>,
    /// Other keys than their own that known entries were now found under for the first time.
    pub aliases: Vec<(EntryKey, EntryKey)>,
    /// The listing's ids are not believed.
    pub lying: bool,
}

/// Recognises the entries of a listing.
pub(super) fn recognise(
    job: &Job,
    store: &Store,
    leads: &[Lead],
    at: Timestamp,
) -> Result<Roll, StoreError> {
    let feed = &job.subscription.id;
    let lying = identity::are_lying(leads);
    let distrusted = lying || identity::distrusts(job.state.learned.lying, at);
    let mut keys = identity::keys(leads, distrusted);
    let wanted: Vec<EntryKey> = keys.iter().flatten().cloned().collect();
    let found = store.recognised(feed, &wanted)?;
    let mut roll = Roll {
        entries: HashMap::with_capacity(found.len()),
        listed: Vec::with_capacity(found.len()),
        aliases: Vec::new(),
        keys: Vec::new(),
        lying,
    };
    for key in keys.iter_mut().flatten() {
        if let Some(entry) = found.get(key) {
            key.clone_from(&entry.key);
            if roll.entries.insert(entry.key.clone(), entry.known.clone()).is_none() {
                roll.listed.push(entry.first);
            }
        }
    }
    roll.keys = keys;
    if let Some(strangers) = strangers(job, store, leads, &roll)? {
        let met: HashSet<ArticleSeq> = roll.listed.iter().copied().collect();
        let mut own = HashMap::new();
        for (place, entry) in alias::same(&strangers, &met, leads.len()) {
            if let Some(stranger) = strangers.get(place) {
                roll.aliases.push((stranger.key.clone(), entry.key.clone()));
                own.insert(stranger.key.clone(), entry.key.clone());
                roll.entries.insert(entry.key, entry.known);
                roll.listed.push(entry.first);
            }
        }
        for key in roll.keys.iter_mut().flatten() {
            if let Some(own) = own.get(key) {
                key.clone_from(own);
            }
        }
    }
    Ok(roll)
}

/// The entries with keys that are not known, each once, with those they may be. `None`: there are none.
fn strangers(
    job: &Job,
    store: &Store,
    leads: &[Lead],
    roll: &Roll,
) -> Result<Option<Vec<Stranger>>, StoreError> {
    let mut seen = HashSet::new();
    let strange: Vec<(&EntryKey, &Lead)> = roll
        .keys
        .iter()
        .zip(leads)
        .filter_map(|(key, lead)| Some((key.as_ref()?, lead)))
        .filter(|(key, _)| !roll.entries.contains_key(key) && seen.insert(*key))
        .collect();
    // A feed that was never read has nobody to be recognised, but for what was imported, which is many and asked for once.
    if strange.is_empty() || job.state.last_poll.is_none() && job.state.last_success.is_none() {
        return Ok(None);
    }
    let traces: Vec<Trace> = strange.iter().map(|(_, lead)| trace(lead)).collect();
    let candidates = store.candidates(&job.subscription.id, &traces)?;
    let strangers = strange
        .into_iter()
        .zip(candidates)
        .map(|((key, lead), mut candidates)| {
            let raw = draft(lead).raw_hash();
            for one in &mut candidates {
                let known = &one.entry.known;
                one.words |= known.raw == raw || known.teaser == Some(raw);
            }
            Stranger {
                key: key.clone(),
                candidates,
            }
        });
    Ok(Some(strangers.collect()))
}

/// What an entry may be recognised by. The words of a teaser are not known yet.
fn trace(lead: &Lead) -> Trace {
    let words = |draft: &Draft| -> Option<ContentHash> {
        let has = [&draft.body, &draft.summary];
        let has = has.into_iter().flatten().any(|text| !text.text.trim().is_empty());
        has.then(|| normalise::content_hash(draft))
    };
    let links = lead.link().map_or_else(Vec::new, |link| {
        let link = link.as_str();
        let other = match link.strip_prefix("https://") {
            Some(rest) => Some(format!("http://{rest}")),
            None => link.strip_prefix("http://").map(|rest| format!("https://{rest}")),
        };
        [link.to_owned()].into_iter().chain(other).collect()
    });
    Trace {
        links,
        words: match lead {
            Lead::Whole(draft) => words(draft),
            Lead::Teaser(_) => None,
        },
    }
}

fn draft(lead: &Lead) -> &Draft {
    match lead {
        Lead::Whole(draft) => draft,
        Lead::Teaser(teaser) => &teaser.draft,
    }
}

/// The keys of a listing that are not known, each once.
pub(super) fn strange(
    keys: &[Option<EntryKey>],
    entries: &HashMap<EntryKey, KnownEntry>,
) -> Vec<EntryKey> {
    let mut seen = HashSet::new();
    keys.iter()
        .flatten()
        .filter(|key| !entries.contains_key(key) && seen.insert(*key))
        .cloned()
        .collect()
}

/// Whether nothing was read yet at the address in our orders: what is there now is what its feed begins with.
pub(super) fn is_first(state: &FeedState) -> bool {
    state.last_success.is_none() || state.learned.ordered.is_none()
}

/// Those of the unknown entries of a first listing that are its backlog.
pub(super) fn backlog(
    leads: &[Lead],
    keys: &[Option<EntryKey>],
    strange: &[EntryKey],
    most: usize,
) -> Vec<EntryKey> {
    let mut seen = HashSet::new();
    let entries: Vec<(&EntryKey, Option<Timestamp>)> = keys
        .iter()
        .zip(leads)
        .filter_map(|(key, lead)| Some((key.as_ref()?, draft(lead))))
        .filter(|(key, _)| seen.insert(*key))
        .map(|(key, draft)| (key, draft.published.or(draft.updated)))
        .collect();
    let dates: Vec<_> = entries.iter().map(|(_, date)| *date).collect();
    let strange: HashSet<&EntryKey> = strange.iter().collect();
    let mut places: Vec<usize> = backlog::beyond(&dates, most).into_iter().collect();
    places.sort_unstable();
    let found = places.into_iter().filter_map(|place| entries.get(place));
    found
        .filter(|(key, _)| strange.contains(key))
        .map(|(key, _)| (*key).clone())
        .collect()
}
