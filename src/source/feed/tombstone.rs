//! Entries that a feed takes back (RFC 6721).

use super::constructs::plain;
use super::cursor::{Cursor, Fault, Step, Tag};
use super::names::Ns;
use crate::model::entry::EntryKey;
use crate::model::ids::EntryId;
use crate::model::revision::{How, Withdrawal};
use crate::model::time::Zone;
use crate::rules::dates;

/// A document that takes more entries back than this is wrong about them.
const MOST: usize = 1_000;

/// A comment is cut here.
const COMMENT_CHARS: usize = 500;

/// Reads the `deleted-entry` just started. One that names nothing takes nothing back.
pub(super) fn read<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    zone: &Zone,
    withdrawn: &mut Vec<Withdrawal>,
) -> Result<(), Fault> {
    let depth = cursor.depth();
    let id = tag.attr("ref").and_then(|of| EntryId::new(&of));
    let said = tag
        .attr("when")
        .and_then(|when| dates::parse(&when, zone, None));
    let mut comment = None;
    while cursor.depth() >= depth {
        match cursor.next()? {
            Step::Start(inner) if inner.is(Ns::Tombstones, "comment") => {
                comment = plain(cursor, &inner)?.or(comment);
            }
            // An entry inside is a copy of the one that goes, `by` and `source` say who takes it.
            Step::Start(_) => {
                let child = cursor.depth();
                cursor.skip(child)?;
            }
            Step::End | Step::Text(_) => {}
            Step::Eof => return Err(cursor.cut()),
        }
    }
    if let Some(id) = id.filter(|_| withdrawn.len() < MOST) {
        withdrawn.push(Withdrawal {
            key: EntryKey::Id(id),
            how: How::Deleted,
            said,
            comment: comment.map(|text| text.chars().take(COMMENT_CHARS).collect()),
        });
    }
    Ok(())
}
