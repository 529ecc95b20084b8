//! Files of the archive that the store knows nothing of, since it is an older copy that was put back.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::content::ContentId;
use crate::model::ids::ArticleSeq;
use crate::store::Store;
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;
use crate::store::writer::Command;

/// A file with a number that this store had not given when it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The id in its name.
    pub content: ContentId,
    /// Its name.
    pub name: String,
}

impl Store {
    /// The number the next article will have.
    pub fn next_seq(&self) -> Result<ArticleSeq, StoreError> {
        self.shared.readers.read(next_seq)
    }

    /// Remembers these files, and gives no number below `next` any more.
    pub async fn keep_strays(
        &self,
        strays: Vec<Stray>,
        next: ArticleSeq,
    ) -> Result<(), StoreError> {
        self.ask(|reply| Command::Strays(strays, next, reply)).await
    }

    /// The file in the archive that has these words already, and no article.
    pub fn stray(&self, content: ContentId) -> Result<Option<String>, StoreError> {
        self.shared.readers.read(|c| stray(c, content))
    }
}

pub(super) fn keep(
    transaction: &Connection,
    strays: &[Stray],
    next: ArticleSeq,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO stray (content, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for stray in strays {
        statement.execute(params![stray.content.to_string(), stray.name])?;
    }
    transaction
        .prepare_cached("UPDATE meta SET next_seq = max(next_seq, ?1)")?
        .execute([number(next)?])?;
    Ok(())
}

fn next_seq(connection: &Connection) -> Result<ArticleSeq, StoreError> {
    connection
        .prepare_cached("SELECT one, next_seq FROM meta")?
        .query_row([], |row| {
            Ok(Cells::of(row, "meta", "one").and_then(|cells| cells.seq("next_seq")))
        })?
}

fn stray(connection: &Connection, content: ContentId) -> Result<Option<String>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT name FROM stray WHERE content = ?1")?
        .query_row([content.to_string()], |row| row.get(0))
        .optional()?)
}
