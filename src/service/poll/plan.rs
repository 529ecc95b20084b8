//! What is to be done about a listing, given what the store knows.

use std::collections::{HashMap, HashSet};

use crate::model::article::Article;
use crate::model::content::RawHash;
use crate::model::entry::{Draft, EntryKey, Lead, Listing, Skipped, Teaser};
use crate::model::feed::FullText;
use crate::model::http::Ask;
use crate::model::poll::{KnownEntry, Missed, Roll};
use crate::model::revision::{How, Withdrawal};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::model::visit::Form;
use crate::rules::{cadence, identity, normalise, revision};
use crate::service::poll::Job;
use crate::service::poll::recognise::{Recognised, recognise};
use crate::store::{Store, StoreError};

/// What is to be done about a listing.
pub(super) struct Plan {
    /// Entries whose pages have to be asked for.
    pub teasers: Vec<Due>,
    /// All else.
    pub rest: Rest,
}

/// An entry whose page has to be asked for.
pub(super) struct Due {
    pub key: Option<EntryKey>,
    pub teaser: Teaser,
    pub behind: Behind,
}

/// What there is to be read behind an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A page of a form its source knows.
    Detail,
    /// The article's own page, of any form. The feed's words stand in for it.
    Page {
        /// What is stored of it came from its page.
        had: bool,
    },
}

impl Behind {
    /// What its pages are kept as.
    pub fn form(self) -> Form {
        match self {
            Self::Detail => Form::Detail,
            Self::Page { .. } => Form::Article,
        }
    }
}

/// What is already done about it.
pub(super) struct Rest {
    /// What the listing said, its leads taken out.
    pub listing: Listing,
    /// Entries that came whole.
    pub articles: Vec<Article>,
    /// Entries that are unchanged.
    pub known: usize,
    /// Entries whose own pages were read before.
    pub whole: HashSet<EntryKey>,
    /// How many entries the listing has.
    pub entries: u32,
    /// Whether one of them was here.
    pub met: bool,
    /// What there is to note of entries besides their words.
    pub changes: Changes,
    /// Who they are.
    pub roll: Roll,
}

/// What there is to note of entries besides their words.
#[derive(Default)]
pub(super) struct Changes {
    /// As [`Reading::standing`](crate::model::poll::Reading::standing).
    pub standing: Vec<EntryKey>,
    /// What the listing takes back.
    pub withdrawn: Vec<Withdrawal>,
    /// As [`Reading::back`](crate::model::poll::Reading::back).
    pub back: Vec<EntryKey>,
    /// An edition that is held back was not asked for, and may be taken at a later poll.
    pub waits: bool,
}

impl Changes {
    /// What the listing takes back, and what is there again.
    fn of(
        listing: &mut Listing,
        keys: &[Option<EntryKey>],
        entries: &HashMap<EntryKey, KnownEntry>,
    ) -> Self {
        let mut listed: HashMap<&EntryKey, Option<Timestamp>> = HashMap::new();
        for (lead, key) in listing.leads.iter().zip(keys) {
            if let Some(key) = key {
                listed.insert(key, lead.updated());
            }
        }
        // An entry that is there as well has gone only if it was changed before that.
        let withdrawn: Vec<Withdrawal> = std::mem::take(&mut listing.withdrawn)
            .into_iter()
            .filter(|gone| match listed.get(&gone.key) {
                None => true,
                Some(updated) => updated.is_some_and(|updated| Some(updated) < gone.said),
            })
            .collect();
        let gone: HashSet<&EntryKey> = withdrawn.iter().map(|gone| &gone.key).collect();
        let back = listed
            .keys()
            .filter(|key| !gone.contains(*key))
            .filter(|key| {
                entries
                    .get(**key)
                    .is_some_and(|entry| entry.withdrawn == Some(How::Deleted))
            })
            .map(|key| (*key).clone())
            .collect();
        Self {
            withdrawn,
            back,
            ..Self::default()
        }
    }

    /// An entry stands in the listing as it is stored.
    fn stands(&mut self, key: Option<&EntryKey>, entry: Option<&KnownEntry>) {
        let held = entry.and_then(|entry| entry.temper.held);
        if held.is_some_and(|held| held.seen > 0) {
            self.standing.extend(key.cloned());
        }
    }

    /// An entry's page is not asked for.
    fn passed(&mut self, entry: Option<&KnownEntry>) {
        let held = entry.and_then(|entry| entry.temper.held);
        self.waits |= held.is_some_and(|held| revision::waits(held.why));
    }
}

/// What a listing is looked at with.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub at: Timestamp,
    /// So many entries of a feed's first listing are news at most.
    pub backlog: usize,
    /// So many new entries pass whatever the feed's rhythm.
    pub flood: usize,
    /// When its document was made, by its server's word.
    pub made: Option<Timestamp>,
}

const LOST: &str = "whose pages were lost wait for another try";
const OLDER: &str = "stay as they are, since this is an older copy of the document";
const LISTED: &str = "are here as the list has them, without their own pages";

/// Recognises the entries of a listing: what is unchanged is counted and left, what came whole becomes an article, and
/// what is only pointed at has to be asked for.
pub(super) fn plan(
    job: &Job,
    store: &Store,
    mut listing: Listing,
    sight: Sight,
) -> Result<Plan, StoreError> {
    let at = sight.at;
    let Recognised {
        keys,
        entries,
        roll,
        notes,
    } = recognise(job, store, &listing, sight)?;
    listing.notes.extend(notes);
    let repeated = repeated(&listing.leads, &keys);
    let wanted: Vec<EntryKey> = keys.iter().flatten().cloned().collect();
    let by_page = job.subscription.fulltext != FullText::Feed;
    let lost = lost(job, store, &listing, &wanted)?;
    let (mut waiting, mut outside, mut stays) = (0, 0, 0);
    let spoken = spoken(job, &listing);
    let mut changes = Changes::of(&mut listing, &keys, &entries);
    let count = u32::try_from(listing.leads.len()).unwrap_or(u32::MAX);
    let (mut teasers, mut articles, mut known) = (Vec::new(), Vec::new(), 0);
    for (_, (lead, key)) in std::mem::take(&mut listing.leads)
        .into_iter()
        .zip(keys)
        .enumerate()
        .filter(|(place, _)| !repeated.contains(place))
    {
        let entry = key.as_ref().and_then(|key| entries.get(key));
        if let Some(entry) = entry.filter(|_| roll.older) {
            stays += usize::from(!is_same(&lead, entry));
            known += 1;
            continue;
        }
        match lead {
            Lead::Whole(mut draft) => {
                draft.language = draft.language.or_else(|| spoken.clone());
                let was_lost = key.as_ref().and_then(|key| lost.get(key)).copied();
                match fate(&draft, entry, was_lost, by_page, at) {
                    Fate::Known => {
                        changes.stands(key.as_ref(), entry);
                        known += 1;
                    }
                    Fate::Held => {
                        changes.passed(entry);
                        known += 1;
                    }
                    Fate::Waits => {
                        waiting += 1;
                        known += 1;
                    }
                    Fate::Asked(link) => teasers.push(Due {
                        behind: Behind::Page {
                            had: entry.is_some_and(|entry| entry.teaser.is_some()),
                        },
                        teaser: Teaser {
                            draft: *draft,
                            details: vec![Ask::get(link.without_fragment())],
                        },
                        key,
                    }),
                    Fate::Taken => take(*draft, key, None, at, &mut articles, &mut listing.skipped),
                }
            }
            Lead::Teaser(teaser) => {
                let was_lost = key.as_ref().and_then(|key| lost.get(key)).copied();
                match pointed(&teaser, entry, was_lost, at) {
                    Pointed::Same => {
                        changes.stands(key.as_ref(), entry);
                        known += 1;
                        let as_listed = entry.is_some_and(|entry| entry.teaser == Some(entry.raw));
                        outside += usize::from(as_listed);
                    }
                    Pointed::Waits => waiting += 1,
                    Pointed::Held => {
                        changes.passed(entry);
                        known += 1;
                    }
                    Pointed::Asked => teasers.push(Due {
                        key,
                        teaser: *teaser,
                        behind: Behind::Detail,
                    }),
                }
            }
        }
    }
    let told = |count: usize, what| (count > 0).then(|| format!("{count} entries {what}"));
    listing.notes.extend(told(waiting, LOST));
    listing.notes.extend(told(outside, LISTED));
    listing.notes.extend(told(stays, OLDER));
    Ok(Plan {
        teasers,
        rest: Rest {
            listing,
            articles,
            known,
            whole: whole(&entries),
            entries: count,
            met: !entries.is_empty(),
            changes,
            roll,
        },
    })
}

/// Entries whose own pages were lost, where pages are asked.
fn lost(
    job: &Job,
    store: &Store,
    listing: &Listing,
    wanted: &[EntryKey],
) -> Result<HashMap<EntryKey, Missed>, StoreError> {
    let mut leads = listing.leads.iter();
    let pointed = leads.any(|lead| matches!(lead, Lead::Teaser(_)));
    if pointed || job.subscription.fulltext != FullText::Feed {
        store.missed(&job.subscription.id, wanted)
    } else {
        Ok(HashMap::new())
    }
}

/// What is to be done about an entry that is only pointed at.
enum Pointed {
    /// Nothing: it is as it was.
    Same,
    /// Nothing yet: its page was lost.
    Waits,
    /// Nothing: what is there stays.
    Held,
    /// Its page is asked for.
    Asked,
}

fn pointed(
    teaser: &Teaser,
    entry: Option<&KnownEntry>,
    lost: Option<Missed>,
    at: Timestamp,
) -> Pointed {
    let updated = teaser.draft.updated;
    let same = |entry: &KnownEntry| {
        entry.teaser == Some(teaser.draft.raw_hash()) && !revision::dated_anew(entry, updated, at)
    };
    if entry.is_some_and(same) {
        Pointed::Same
    } else if lost.is_some_and(|lost| !cadence::may_retry(lost, at)) {
        Pointed::Waits
    } else if entry.is_some_and(|entry| !revision::worth_asking(entry, updated, at)) {
        Pointed::Held
    } else {
        Pointed::Asked
    }
}

/// Those that are not stored as their list has them: these have their teaser's hash for their own.
fn whole(entries: &HashMap<EntryKey, KnownEntry>) -> HashSet<EntryKey> {
    entries
        .iter()
        .filter(|(_, entry)| entry.teaser != Some(entry.raw))
        .map(|(key, _)| key.clone())
        .collect()
}

/// A feed that was subscribed to without a language speaks its own, if it says which.
fn spoken(job: &Job, listing: &Listing) -> Option<String> {
    let said = listing.info.language.clone();
    said.filter(|_| job.subscription.language == "und")
}

/// Whether an entry is as its feed showed it last.
fn is_same(lead: &Lead, entry: &KnownEntry) -> bool {
    let draft = match lead {
        Lead::Whole(draft) => draft,
        Lead::Teaser(teaser) => &teaser.draft,
    };
    let raw = draft.raw_hash();
    entry.raw == raw || entry.teaser == Some(raw)
}

/// Places of leads whose entry stands at another, better place too.
fn repeated(leads: &[Lead], keys: &[Option<EntryKey>]) -> HashSet<usize> {
    let mut places: HashMap<&EntryKey, Vec<usize>> = HashMap::new();
    for (place, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            places.entry(key).or_default().push(place);
        }
    }
    places
        .values()
        .filter(|same| same.len() > 1)
        .flat_map(|same| {
            let kept = identity::preferred(leads, same);
            same.iter()
                .copied()
                .filter(move |place| Some(*place) != kept)
        })
        .collect()
}

/// What is done about an entry that came whole.
enum Fate {
    /// Nothing: it is unchanged.
    Known,
    /// Nothing yet: its page was lost, and it is too early to ask again.
    Waits,
    /// Nothing: whatever its page has, it is not taken now.
    Held,
    /// Its page is asked.
    Asked(PageUrl),
    /// It is an article as it is.
    Taken,
}

fn fate(
    draft: &Draft,
    entry: Option<&KnownEntry>,
    lost: Option<Missed>,
    by_page: bool,
    at: Timestamp,
) -> Fate {
    let raw = draft.raw_hash();
    if let Some(entry) = entry {
        let same = entry.raw == raw;
        let anew = revision::dated_anew(entry, draft.updated, at);
        if !anew && (entry.teaser == Some(raw) || (same && lost.is_none())) {
            return Fate::Known;
        }
        if lost.is_some_and(|lost| !cadence::may_retry(lost, at)) {
            // The words of its page are better than the feed's new ones.
            return if same || entry.teaser.is_some() {
                Fate::Waits
            } else {
                Fate::Taken
            };
        }
        if by_page
            && !same
            && draft.link.is_some()
            && !revision::worth_asking(entry, draft.updated, at)
        {
            return Fate::Held;
        }
    }
    match draft.link.clone().filter(|_| by_page) {
        Some(link) => Fate::Asked(link),
        None => Fate::Taken,
    }
}

/// Normalises a draft; one that is unfit costs that entry and nothing else.
pub(super) fn take(
    draft: Draft,
    key: Option<EntryKey>,
    teaser: Option<RawHash>,
    at: Timestamp,
    articles: &mut Vec<Article>,
    skipped: &mut Vec<Skipped>,
) {
    let what = name(&draft);
    match normalise::normalise(key, draft, teaser, at) {
        Ok(article) => articles.push(article),
        Err(unfit) => skipped.push(Skipped {
            what,
            why: unfit.to_string(),
        }),
    }
}

/// What an entry is called in a report.
pub(super) fn name(draft: &Draft) -> String {
    let link = draft.link.as_ref().map(ToString::to_string);
    let id = || {
        draft
            .id
            .as_ref()
            .map(|id| id.as_str().chars().take(200).collect())
    };
    let title = || {
        draft
            .title
            .as_ref()
            .map(|title| title.chars().take(80).collect())
    };
    link.or_else(id)
        .or_else(title)
        .unwrap_or_else(|| "an entry without id, link and title".to_owned())
}
