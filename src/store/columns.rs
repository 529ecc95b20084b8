//! Columns to types and back. What no version of ours writes is an error that names table, row and column.

use rusqlite::Row;
use rusqlite::types::FromSql;
use serde::Deserialize;

use crate::model::content::{ContentHash, ContentKind, RawHash};
use crate::model::entry::EntryKey;
use crate::model::ids::{ArticleSeq, EntryId, FeedId};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::store::error::StoreError;

/// A row on its way to a type.
pub(super) struct Cells<'r, 'stmt> {
    row: &'r Row<'stmt>,
    table: &'static str,
    /// What errors name the row by.
    id: i64,
}

impl<'r, 'stmt> Cells<'r, 'stmt> {
    /// A row of `table`, whose column `id` is the number people would look it up by.
    pub(super) fn of(
        row: &'r Row<'stmt>,
        table: &'static str,
        id: &'static str,
    ) -> Result<Self, StoreError> {
        let mut cells = Self { row, table, id: -1 };
        cells.id = cells.get(id)?;
        Ok(cells)
    }

    pub(super) fn bad(&self, column: &'static str, why: &dyn ToString) -> StoreError {
        StoreError::BadValue {
            table: self.table,
            row: self.id,
            column,
            why: why.to_string(),
        }
    }

    pub(super) fn get<T: FromSql>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row
            .get(column)
            .map_err(|error| self.bad(column, &error))
    }

    /// The column's text through a parser.
    pub(super) fn parsed<T, E: ToString>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        parse(&text).map_err(|error| self.bad(column, &error))
    }

    pub(super) fn seq(&self, column: &'static str) -> Result<ArticleSeq, StoreError> {
        let number: i64 = self.get(column)?;
        u64::try_from(number)
            .map(ArticleSeq)
            .map_err(|_| self.bad(column, &format!("{number} is no number of an article")))
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.maybe_time(column)?
            .ok_or_else(|| self.bad(column, &"there is none"))
    }

    pub(super) fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let Some(millis) = self.get::<Option<i64>>(column)? else {
            return Ok(None);
        };
        let time = Timestamp::from_millis(millis);
        if time.millis() == millis {
            Ok(Some(time))
        } else {
            Err(self.bad(column, &format!("{millis} is no time")))
        }
    }

    pub(super) fn feed(&self, column: &'static str) -> Result<FeedId, StoreError> {
        self.parsed(column, str::parse)
    }

    pub(super) fn raw(&self, column: &'static str) -> Result<RawHash, StoreError> {
        self.get(column).map(RawHash::from_bytes)
    }

    pub(super) fn maybe_raw(&self, column: &'static str) -> Result<Option<RawHash>, StoreError> {
        Ok(self
            .get::<Option<[u8; 16]>>(column)?
            .map(RawHash::from_bytes))
    }

    pub(super) fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| self.bad(column, &format!("{number} is out of range")))
    }

    /// The entry's key; `text` is what the columns `id` and `link` may stand for.
    pub(super) fn key(&self, text: &str) -> Result<EntryKey, StoreError> {
        let kind: i64 = self.get("kind")?;
        match kind {
            KEY_ID => EntryId::new(text)
                .map(EntryKey::Id)
                .ok_or_else(|| self.bad("key", &"an empty id")),
            KEY_LINK => PageUrl::parse(text)
                .map(EntryKey::Link)
                .map_err(|error| self.bad("key", &error)),
            KEY_CONTENT => from_hex(text)
                .map(|bytes| EntryKey::Content(ContentHash::from_bytes(bytes)))
                .ok_or_else(|| self.bad("key", &"not 64 hex digits")),
            other => Err(self.bad("kind", &format!("{other} is no kind of key"))),
        }
    }

    /// The text of `column`, where `''` stands for the text of the key.
    pub(super) fn or_key(
        &self,
        column: &'static str,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        let text: Option<String> = self.get(column)?;
        Ok(text.map(|text| {
            if text.is_empty() {
                key.to_owned()
            } else {
                text
            }
        }))
    }

    pub(super) fn entry_id(&self, key: &str) -> Result<Option<EntryId>, StoreError> {
        let Some(text) = self.or_key("id", key)? else {
            return Ok(None);
        };
        EntryId::new(&text)
            .map(Some)
            .ok_or_else(|| self.bad("id", &"not an entry's id"))
    }

    pub(super) fn link(&self, key: &str) -> Result<Option<PageUrl>, StoreError> {
        self.or_key("link", key)?
            .map(|text| PageUrl::parse(&text).map_err(|error| self.bad("link", &error)))
            .transpose()
    }

    pub(super) fn content_kind(&self, column: &'static str) -> Result<ContentKind, StoreError> {
        self.parsed(column, |name| {
            ContentKind::from_name(name).ok_or_else(|| format!("`{name}` is no kind of content"))
        })
    }

    /// JSON of a shape of ours; the default where the column is NULL.
    pub(super) fn json<T: Default + for<'de> Deserialize<'de>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        match self.get::<Option<String>>(column)? {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(&text).map_err(|error| self.bad(column, &error)),
        }
    }
}

const KEY_ID: i64 = 1;
const KEY_LINK: i64 = 2;
const KEY_CONTENT: i64 = 3;

/// A key as the columns `kind` and `key` hold it.
pub(super) fn key_columns(key: &EntryKey) -> (i64, String) {
    match key {
        EntryKey::Id(id) => (KEY_ID, id.as_str().to_owned()),
        EntryKey::Link(link) => (KEY_LINK, link.as_str().to_owned()),
        EntryKey::Content(hash) => (KEY_CONTENT, to_hex(hash.as_bytes())),
    }
}

/// A number as `SQLite` holds it.
pub(super) fn number(seq: ArticleSeq) -> Result<i64, StoreError> {
    i64::try_from(seq.0).map_err(|_| StoreError::NumbersSpent)
}

/// A count as `SQLite` holds it.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn hashes_survive_hex() {
        let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
        assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
        for bad in ["", "00", &"+0".repeat(32), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
