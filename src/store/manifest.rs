//! What manifests are made of: which file belongs to which day, and which manifests are written.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::ids::ArticleSeq;
use crate::model::time::Day;
use crate::store::Store;
use crate::store::archive::{ArchivedFile, file_of, size_column};
use crate::store::columns::{Cells, count, number};
use crate::store::error::StoreError;
use crate::store::writer::Command;

/// A file of the archive, and the day whose manifest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// When it came into the archive, among all files: from 1.
    pub place: u64,
    /// The day. Never earlier than that of a file that came before it.
    pub day: Day,
    /// The file.
    pub file: ArchivedFile,
}

/// A manifest that is written and synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedManifest {
    /// Its day.
    pub day: Day,
    /// How many files it names: the first of that day.
    pub files: usize,
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
}

impl Store {
    /// Files of the archive behind this place, in the order they came into it, each with its day.
    pub fn filed(&self, after: u64, limit: usize) -> Result<Vec<Filed>, StoreError> {
        self.shared.readers.read(|c| filed(c, after, limit))
    }

    /// The files of one day, in the order they came into the archive.
    pub fn filed_on(&self, day: Day) -> Result<Vec<Filed>, StoreError> {
        self.shared.readers.read(|c| filed_on(c, day))
    }

    /// Files that were written before sizes were kept, and that nobody has measured since; by number.
    pub fn unmeasured(&self, limit: usize) -> Result<Vec<ArchivedFile>, StoreError> {
        self.shared.readers.read(|c| unmeasured(c, limit))
    }

    /// Keeps the sizes of such files; `None` where nobody can know it any more.
    pub async fn measured(&self, sizes: Vec<(ArticleSeq, Option<u64>)>) -> Result<(), StoreError> {
        self.ask(|reply| Command::Measured(sizes, reply)).await
    }

    /// The days whose manifests do not name all of their files yet, oldest first.
    pub fn unfinished_days(&self) -> Result<Vec<Day>, StoreError> {
        self.shared.readers.read(unfinished_days)
    }

    /// Notes that a manifest is written and synced.
    pub async fn note_manifest(&self, noted: NotedManifest) -> Result<(), StoreError> {
        self.ask(|reply| Command::Manifest(noted, reply)).await
    }

    /// The manifest of this day, as it was last noted.
    pub fn manifest(&self, day: Day) -> Result<Option<NotedManifest>, StoreError> {
        self.shared.readers.read(|c| {
            one(
                c,
                "SELECT day, files, digest FROM manifest WHERE day = ?1",
                day,
            )
        })
    }

    /// The last manifest before this day, as it was last noted.
    pub fn manifest_before(&self, day: Day) -> Result<Option<NotedManifest>, StoreError> {
        self.shared.readers.read(|c| {
            let sql =
                "SELECT day, files, digest FROM manifest WHERE day < ?1 ORDER BY day DESC LIMIT 1";
            one(c, sql, day)
        })
    }

    /// Every manifest, oldest first.
    pub fn manifests(&self) -> Result<Vec<NotedManifest>, StoreError> {
        self.shared.readers.read(|c| {
            let mut statement =
                c.prepare_cached("SELECT day, files, digest FROM manifest ORDER BY day")?;
            let mut rows = statement.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(noted(row)?);
            }
            Ok(all)
        })
    }
}

const FILES: &str =
    "SELECT t.seq, t.name, t.format, t.language, t.zone, t.digest, t.size, t.place, t.day, i.foreign_id
       FROM archive_file t LEFT JOIN imported i ON i.seq = t.seq";

fn filed(connection: &Connection, after: u64, limit: usize) -> Result<Vec<Filed>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!(
        "{FILES} WHERE t.place > ?1 ORDER BY t.place LIMIT ?2"
    ))?;
    collect(statement.query(params![after, count(limit)])?, filed_row)
}

fn filed_on(connection: &Connection, day: Day) -> Result<Vec<Filed>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("{FILES} WHERE t.day = ?1 ORDER BY t.place"))?;
    collect(statement.query([day.number()])?, filed_row)
}

fn unmeasured(connection: &Connection, limit: usize) -> Result<Vec<ArchivedFile>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "{FILES} WHERE t.size IS NULL ORDER BY t.seq LIMIT ?1"
    ))?;
    collect(statement.query([count(limit)])?, |row| {
        file_of(&Cells::of(row, "archive_file", "seq")?)
    })
}

fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn filed_row(row: &Row<'_>) -> Result<Filed, StoreError> {
    let cells = Cells::of(row, "archive_file", "seq")?;
    Ok(Filed {
        place: cells.count("place")?,
        day: Day::from_number(cells.get("day")?),
        file: file_of(&cells)?,
    })
}

/// A manifest of a later day is written after the last file of every earlier one, and files only come into the last
/// day: what is before the last manifest is finished.
fn unfinished_days(connection: &Connection) -> Result<Vec<Day>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.day AS day FROM archive_file f
          WHERE f.day >= coalesce((SELECT max(day) FROM manifest), -9223372036854775808)
          GROUP BY f.day
         HAVING count(*) <> coalesce((SELECT m.files FROM manifest m WHERE m.day = f.day), 0)
          ORDER BY f.day",
    )?;
    collect(statement.query([])?, |row| {
        Ok(Day::from_number(row.get(0)?))
    })
}

fn one(connection: &Connection, sql: &str, day: Day) -> Result<Option<NotedManifest>, StoreError> {
    connection
        .prepare_cached(sql)?
        .query_row([day.number()], |row| Ok(noted(row)))
        .optional()?
        .transpose()
}

fn noted(row: &Row<'_>) -> Result<NotedManifest, StoreError> {
    let cells = Cells::of(row, "manifest", "day")?;
    Ok(NotedManifest {
        day: Day::from_number(cells.get("day")?),
        files: cells.count("files")?,
        digest: cells.get("digest")?,
    })
}

/// Keeps sizes of files.
pub(super) fn measured(
    transaction: &Connection,
    sizes: &[(ArticleSeq, Option<u64>)],
) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("UPDATE archive_file SET size = ?2 WHERE seq = ?1")?;
    for (seq, size) in sizes {
        statement.execute(params![number(*seq)?, size_column(*size)])?;
    }
    Ok(())
}

/// Notes a manifest in place of what was noted of its day before.
pub(super) fn note(transaction: &Connection, noted: &NotedManifest) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO manifest (day, files, digest) VALUES (?1, ?2, ?3)")?
        .execute(params![
            noted.day.number(),
            count(noted.files),
            noted.digest
        ])?;
    Ok(())
}
