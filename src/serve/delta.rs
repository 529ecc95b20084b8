//! What is new in a document since a client's copy of it: the delta of RFC 3229 §10.5 with the instance manipulation
//! `feed`, which feed readers merge into what they have (F-36, F-37).

use std::collections::{HashMap, HashSet};

use axum::body::Bytes;

use crate::serve::library::{Entry, Past, Shown};

/// The entries that are new or changed, within the feed as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The document, not compressed.
    pub bytes: Bytes,
    /// The entity tag it builds on, with its quotes.
    pub base: String,
}

/// The delta from the newest of these entity tags (without quotes) that is remembered. `None` where none is, where
/// something was withdrawn since, and where the delta would not be smaller than `whole` bytes (F-37): then the whole
/// document is what the client needs.
pub fn delta(shown: &Shown, tags: &[&str], whole: usize) -> Option<Delta> {
    let (past, base) = shown.past().iter().find_map(|past| {
        let named = tags
            .iter()
            .find(|tag| past.tags.iter().any(|known| known == *tag))?;
        Some((past, format!("\"{named}\"")))
    })?;
    let document = shown.document.identity();
    let entries = &shown.document.contents().entries;
    let fresh = fresh(past, shown)?;
    let first = entries.first()?.place.start;
    let last = entries.last()?.place.end;
    let frame = document.bytes.len() - (last - first);
    let size = frame
        + fresh
            .iter()
            .map(|place| entries.get(*place).map_or(0, |entry| entry.place.len()))
            .sum::<usize>();
    if size >= whole {
        return None;
    }
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(document.bytes.get(..first)?);
    for place in fresh {
        bytes.extend_from_slice(document.bytes.get(entries.get(place)?.place.clone())?);
    }
    bytes.extend_from_slice(document.bytes.get(last..)?);
    Some(Delta {
        bytes: bytes.into(),
        base,
    })
}

/// Which entries are new or changed, by their places. `None` where an entry left by another way than off the end of a full
/// window: that cannot be said in a delta.
fn fresh(past: &Past, shown: &Shown) -> Option<Vec<usize>> {
    let contents = shown.document.contents();
    let before: HashMap<[u8; 16], [u8; 16]> = past
        .entries
        .iter()
        .map(|mark| (mark.id, mark.words))
        .collect();
    let now: HashSet<[u8; 16]> = contents.entries.iter().map(|entry| entry.mark.id).collect();
    let is_kept = |id: &[u8; 16]| now.contains(id);
    let last_kept = past.entries.iter().rposition(|mark| is_kept(&mark.id))?;
    let missing = past
        .entries
        .iter()
        .filter(|mark| !is_kept(&mark.id))
        .count();
    let pushed_out = past.entries.len() - 1 - last_kept;
    let last_known = contents
        .entries
        .iter()
        .rposition(|entry| before.contains_key(&entry.mark.id))?;
    // Older entries that come in from behind take the place of one that was withdrawn.
    let refilled = last_known + 1 < contents.entries.len();
    if missing > pushed_out || (missing > 0 && !contents.full) || refilled {
        return None;
    }
    let changed = |(place, entry): (usize, &Entry)| {
        (before.get(&entry.mark.id) != Some(&entry.mark.words)).then_some(place)
    };
    Some(
        contents
            .entries
            .iter()
            .enumerate()
            .filter_map(changed)
            .collect(),
    )
}
