//! Groups: what pairs of copies and the same words join, among entries that may be seen.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use crate::model::content::ContentHash;
use crate::model::ids::ArticleSeq;
use crate::rules::river::entry_iri;
use crate::rules::similar::{Member, Unions};
use crate::store::articles::CarrierRow;
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;

/// Steps from an entry to the farthest of its group, and members in all: a flood of copies costs no more.
const STEPS: usize = 16;
const MEMBERS: usize = 2_000;

/// Entries that belong together.
#[derive(Debug, Default)]
pub(super) struct Web {
    unions: Unions,
    pub(super) members: BTreeMap<ArticleSeq, Face>,
}

/// A member, light.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Face {
    pub(super) row: CarrierRow,
    pub(super) words: i64,
    pub(super) member: Member,
}

/// A line between two entries.
struct Thread {
    from: i64,
    to: i64,
    subset: bool,
}

impl Web {
    /// Around these entries. Of the feeds that are `seen` (a JSON list of ids), up to a number and not withheld, or where
    /// there is none of any; by the same words, and where `near` by what was judged. Who was taken out of a group is in none.
    pub(super) fn around(
        connection: &Connection,
        seen: Option<(&str, i64)>,
        near: bool,
        entries: &[i64],
    ) -> Result<Self, StoreError> {
        let mut web = Self::default();
        let mut known: BTreeSet<i64> = entries.iter().copied().collect();
        let mut joined: BTreeSet<i64> = BTreeSet::new();
        let mut subsets = Vec::new();
        let mut frontier: Vec<i64> = known.iter().copied().collect();
        let mut room = MEMBERS.max(entries.len() * 4);
        for _ in 0..STEPS {
            let mut next = Vec::new();
            for thread in threads(connection, seen, near, &frontier)? {
                if !known.contains(&thread.to) {
                    if room == 0 {
                        continue;
                    }
                    room -= 1;
                    known.insert(thread.to);
                    next.push(thread.to);
                }
                web.unions.join(seq(thread.from), seq(thread.to));
                joined.extend([thread.from, thread.to]);
                if thread.subset {
                    subsets.push((seq(thread.from), seq(thread.to)));
                }
            }
            if next.is_empty() {
                break;
            }
            frontier = next;
        }
        web.members = faces(connection, &joined)?;
        for (a, b) in subsets {
            let len = |of| web.members.get(of).map_or(0, |face| face.member.len);
            let part = if len(&a) < len(&b) { a } else { b };
            if let Some(face) = web.members.get_mut(&part) {
                face.member.part = true;
            }
        }
        Ok(web)
    }

    /// What all members of a group have in common, and nobody else.
    pub(super) fn group(&mut self, entry: ArticleSeq) -> ArticleSeq {
        self.unions.top(entry)
    }

    /// Everybody of an entry's group, itself among them, by date; none where it is alone.
    pub(super) fn of(&mut self, entry: ArticleSeq) -> Vec<Face> {
        let top = self.group(entry);
        let Self { unions, members } = self;
        let same = members
            .values()
            .filter(|face| unions.top(face.member.entry) == top);
        let mut same: Vec<Face> = same.cloned().collect();
        same.sort_by(|a, b| {
            (a.member.date, &a.member.iri, &a.member.feed).cmp(&(
                b.member.date,
                &b.member.iri,
                &b.member.feed,
            ))
        });
        same
    }
}

fn threads(
    connection: &Connection,
    seen: Option<(&str, i64)>,
    near: bool,
    from: &[i64],
) -> Result<Vec<Thread>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH own AS (SELECT value AS entry FROM json_each(?1)),
              thread AS (
           SELECT k.a AS one, k.b AS other, k.kind = 'subset' AS subset
             FROM own JOIN kin k ON k.a = own.entry WHERE ?3 AND k.kind IN ('near', 'subset')
           UNION ALL
           SELECT k.b, k.a, k.kind = 'subset'
             FROM own JOIN kin k ON k.b = own.entry WHERE ?3 AND k.kind IN ('near', 'subset')
           UNION ALL
           SELECT e.first_seq, o.first_seq, 0
             FROM own JOIN entry e ON e.first_seq = own.entry
             JOIN entry o ON o.words = e.words AND o.first_seq <> e.first_seq)
         SELECT t.one, t.other, t.subset FROM thread t JOIN entry e ON e.first_seq = t.other
          WHERE (?2 IS NULL OR (e.feed IN (SELECT num FROM feed WHERE id IN (SELECT value FROM json_each(?2)))
                 AND t.other <= ?4 AND NOT EXISTS (SELECT 1 FROM withheld h WHERE h.entry = t.other)))
            AND t.other NOT IN (SELECT entry FROM parted) AND t.one NOT IN (SELECT entry FROM parted)
          ORDER BY t.one, t.other",
    )?;
    let (feeds, upto) = seen.unzip();
    let mut rows = statement.query(params![list(from), feeds, near, upto])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Thread {
            from: row.get(0)?,
            to: row.get(1)?,
            subset: row.get(2)?,
        });
    }
    Ok(found)
}

fn faces(
    connection: &Connection,
    entries: &BTreeSet<i64>,
) -> Result<BTreeMap<ArticleSeq, Face>, StoreError> {
    let mut found = BTreeMap::new();
    if entries.is_empty() {
        return Ok(found);
    }
    let entries: Vec<i64> = entries.iter().copied().collect();
    // An entry whose article is no longer kept has no address to be named by, and is still a member.
    let mut statement = connection.prepare_cached(
        "SELECT e.first_seq, e.latest_seq, e.kind, e.key, e.date, e.words, f.id AS feed, a.id, a.link, w.content,
                coalesce(p.len, 0) AS len
           FROM json_each(?1) own JOIN entry e ON e.first_seq = own.value
           LEFT JOIN article a ON a.seq = e.latest_seq
           LEFT JOIN words w ON w.first_seq = e.words
           LEFT JOIN feed f ON f.num = e.feed
           LEFT JOIN print p ON p.entry = e.first_seq",
    )?;
    let mut rows = statement.query([list(&entries)])?;
    while let Some(row) = rows.next()? {
        let cells = Cells::of(row, "entry", "first_seq")?;
        let text: String = cells.get("key")?;
        let row = CarrierRow {
            content: ContentHash::from_bytes(cells.get("content")?),
            feed: cells.feed("feed")?,
            first_seq: cells.seq("first_seq")?,
            seq: cells.seq("latest_seq")?,
            id: cells.entry_id(&text)?,
            link: cells.link(&text)?,
            key: cells.key(&text)?,
        };
        let face = Face {
            words: cells.get("words")?,
            member: Member {
                entry: row.first_seq,
                feed: row.feed.clone(),
                iri: entry_iri(&row.feed, &row.key),
                date: cells.time("date")?,
                len: cells.count("len")?,
                part: false,
            },
            row,
        };
        found.insert(face.row.first_seq, face);
    }
    Ok(found)
}

/// An entry's group as it is in the store, whoever may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its members by date, the entry among them; it alone where it has no copy.
    pub members: Vec<(Member, ArticleSeq, ContentHash)>,
}

/// The group of an entry: of each member the number of its latest revision and its words. Empty where there is no copy.
pub(super) fn group(connection: &Connection, entry: ArticleSeq) -> Result<Group, StoreError> {
    let mut web = Web::around(connection, None, true, &[number(entry)?])?;
    let faces = web.of(entry).into_iter();
    let members = faces.map(|face| (face.member, face.row.seq, face.row.content));
    Ok(Group {
        members: members.collect(),
    })
}

fn list(entries: &[i64]) -> String {
    let entries: Vec<String> = entries.iter().map(i64::to_string).collect();
    format!("[{}]", entries.join(","))
}

/// A number of ours: the schema has no negative ones.
pub(super) fn seq(number: i64) -> ArticleSeq {
    ArticleSeq(u64::try_from(number).unwrap_or_default())
}
