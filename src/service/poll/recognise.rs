//! Who the entries of a listing are: by their keys, and by what else they left behind where those are not known.

use std::collections::{HashMap, HashSet};

use crate::model::content::ContentHash;
use crate::model::entry::{Draft, EntryKey, Lead, Listing};
use crate::model::feed::FeedState;
use crate::model::ids::ArticleSeq;
use crate::model::poll::{KnownEntry, Roll, Trace};
use crate::model::time::Timestamp;
use crate::rules::alias::{self, Stranger};
use crate::rules::{backlog, identity, normalise, staleness};
use crate::service::poll::Job;
use crate::service::poll::plan::Sight;
use crate::store::{Store, StoreError};

/// A listing with its entries recognised.
pub(super) struct Recognised {
    /// The key of each lead; that of a known entry is its own, whatever it came under.
    pub keys: Vec<Option<EntryKey>>,
    /// What is known, by these keys.
    pub entries: HashMap<EntryKey, KnownEntry>,
    /// Who they are.
    pub roll: Roll,
    /// What there is to tell of it, in plain words.
    pub notes: Vec<String>,
}

const DOUBLED: &str = "stand in it twice: the later update counts, or the first";
const RENAMED: &str = "have another id than before, and are the ones they were";
const BACKLOG: &str =
    "were there before the feed was subscribed to: they are not in the merged feed";
const LYING: &str =
    "one id stands on several stories: entries are told apart by their links and words";

/// Recognises the entries of a listing.
pub(super) fn recognise(
    job: &Job,
    store: &Store,
    listing: &Listing,
    sight: Sight,
) -> Result<Recognised, StoreError> {
    let leads = &listing.leads;
    let lying = identity::are_lying(leads);
    let distrusted = lying || identity::distrusts(job.state.learned.sights().lying, sight.at);
    let mut all = Recognised {
        keys: identity::keys(leads, distrusted),
        entries: HashMap::new(),
        roll: Roll {
            first: is_first(&job.state),
            pass: sight.flood,
            lying,
            made: sight.made,
            older: staleness::is_older(&job.state, sight.made, listing.info.updated),
            ..Roll::default()
        },
        notes: Vec::new(),
    };
    all.by_key(job, store)?;
    all.by_trace(job, store, leads)?;
    let roll = &mut all.roll;
    roll.strange = strange(&all.keys, &all.entries);
    if roll.first {
        roll.backlog = backlog(leads, &all.keys, &roll.strange, sight.backlog);
    }
    let doubled = all.keys.iter().flatten().count() - roll.listed.len() - roll.strange.len();
    for (count, what) in [
        (doubled, DOUBLED),
        (roll.aliases.len(), RENAMED),
        (roll.backlog.len(), BACKLOG),
    ] {
        if count > 0 {
            all.notes.push(format!("{count} entries {what}"));
        }
    }
    if lying {
        all.notes.push(LYING.to_owned());
    }
    Ok(all)
}

impl Recognised {
    /// Those whose keys are known.
    fn by_key(&mut self, job: &Job, store: &Store) -> Result<(), StoreError> {
        let wanted: Vec<EntryKey> = self.keys.iter().flatten().cloned().collect();
        let found = store.recognised(&job.subscription.id, &wanted)?;
        for key in self.keys.iter_mut().flatten() {
            if let Some(entry) = found.get(key) {
                key.clone_from(&entry.key);
                let before = self.entries.insert(entry.key.clone(), entry.known.clone());
                if before.is_none() {
                    self.roll.listed.push(entry.first);
                }
            }
        }
        Ok(())
    }

    /// Those that are known under other keys.
    fn by_trace(&mut self, job: &Job, store: &Store, leads: &[Lead]) -> Result<(), StoreError> {
        let Some(strangers) = strangers(job, store, leads, self)? else {
            return Ok(());
        };
        let met: HashSet<ArticleSeq> = self.roll.listed.iter().copied().collect();
        let mut own = HashMap::new();
        for (place, entry) in alias::same(&strangers, &met, leads.len()) {
            if let Some(stranger) = strangers.get(place) {
                let other = &stranger.key;
                self.roll.aliases.push((other.clone(), entry.key.clone()));
                self.roll.listed.push(entry.first);
                own.insert(other.clone(), entry.key.clone());
                self.entries.insert(entry.key, entry.known);
            }
        }
        for key in self.keys.iter_mut().flatten() {
            if let Some(own) = own.get(key) {
                key.clone_from(own);
            }
        }
        Ok(())
    }
}

/// The entries with keys that are not known, each once, with those they may be. `None`: there are none.
fn strangers(
    job: &Job,
    store: &Store,
    leads: &[Lead],
    found: &Recognised,
) -> Result<Option<Vec<Stranger>>, StoreError> {
    let mut seen = HashSet::new();
    let strange: Vec<(&EntryKey, &Lead)> = found
        .keys
        .iter()
        .zip(leads)
        .filter_map(|(key, lead)| Some((key.as_ref()?, lead)))
        .filter(|(key, _)| !found.entries.contains_key(key) && seen.insert(*key))
        .collect();
    // A feed that was never read has nobody to be recognised, but for what was imported, which is many and asked for once.
    let never = job.state.last_poll.is_none() && job.state.last_success.is_none();
    if strange.is_empty() || never {
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
        let has = has
            .into_iter()
            .flatten()
            .any(|text| !text.text.trim().is_empty());
        has.then(|| normalise::content_hash(draft))
    };
    let links = lead.link().map_or_else(Vec::new, |link| {
        let link = link.as_str();
        let other = match link.strip_prefix("https://") {
            Some(rest) => Some(format!("http://{rest}")),
            None => link
                .strip_prefix("http://")
                .map(|rest| format!("https://{rest}")),
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
fn strange(keys: &[Option<EntryKey>], entries: &HashMap<EntryKey, KnownEntry>) -> Vec<EntryKey> {
    let mut seen = HashSet::new();
    keys.iter()
        .flatten()
        .filter(|key| !entries.contains_key(key) && seen.insert(*key))
        .cloned()
        .collect()
}

/// Whether nothing was read yet at the address in our orders: what is there now is what its feed begins with.
fn is_first(state: &FeedState) -> bool {
    state.last_success.is_none() || state.learned.ordered.is_none()
}

/// Those of the unknown entries of a first listing that are its backlog.
fn backlog(
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
