//! What can go wrong with the store, in words an operator can act on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why the store could not be opened, read or written. A query that failed is always an error, never "not found".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process (or another handle of this one) writes there.
    #[error("`{path}` is in use by process {}", holder.map_or("of an unknown number".to_owned(), |pid| pid.to_string()))]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who holds it.
        holder: Option<u32>,
    },
    /// A version of `SQLite` that can lose committed rows in WAL mode.
    #[error(
        "SQLite {version} can lose committed data (the WAL-reset bug, fixed in 3.51.3); refused"
    )]
    AffectedSqlite {
        /// Its version.
        version: &'static str,
    },
    /// A file that is not ours. It is left as it is.
    #[error("`{path}` is not a store of feedmill: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        why: String,
    },
    /// Written by a newer program. It is left as it is.
    #[error(
        "`{path}` was written by a newer feedmill (schema {found}, this one knows {known}); nothing was changed"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Our newest.
        known: i64,
    },
    /// Written by an older program, and opened only to be read.
    #[error(
        "`{path}` was written by an older feedmill (schema {found}, this one knows {known}); any command that writes, such as a fetch, brings it up to date"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Our newest.
        known: i64,
    },
    /// Opened only to be read, and not there.
    #[error("there is no store at `{path}` yet")]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file is broken. It is left as it is.
    #[error(
        "`{path}` is damaged: {what}. Nothing was changed. Put a backup in its place (with no `-wal` file beside it), \
         or save what can be read with `sqlite3 DAMAGED .recover | sqlite3 NEW` and put the new file in its place"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first things found wrong.
        what: String,
    },
    /// A value no version of ours writes.
    #[error("row {row} of `{table}` has a `{column}` that cannot be read: {why}")]
    BadValue {
        /// The table.
        table: &'static str,
        /// Its key: the article's number, where it is about articles.
        row: i64,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Content hashes of another recipe: they must never be compared with ours.
    #[error("the hashes in `{path}` follow recipe {found}, this program's follow recipe {ours}")]
    Recipe {
        /// The database.
        path: PathBuf,
        /// The recipe there.
        found: i64,
        /// Ours.
        ours: u8,
    },
    /// There are no numbers left to give.
    #[error("there are no article numbers left to give")]
    NumbersSpent,
    /// The file system said no.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A copy of the database could not be written.
    #[error("cannot copy the store to `{path}`")]
    NoCopy {
        /// Where the copy was to be.
        path: PathBuf,
        /// What `SQLite` says.
        source: rusqlite::Error,
    },
    /// `SQLite` said no.
    #[error("the database refused")]
    Sqlite(#[from] rusqlite::Error),
    /// The commit several polls waited for failed: nothing of it is acknowledged.
    #[error("the commit failed, nothing of it counts as stored")]
    NotCommitted(#[source] Arc<StoreError>),
    /// Opened only to be read.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The store is closed, or its writer is gone.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The same error with the file named, where it tells of damage.
    pub(super) fn in_file(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                    path,
                    what: error.to_string(),
                },
                Some(ErrorCode::NotADatabase) => Self::Foreign {
                    path,
                    why: "it is no SQLite database".to_owned(),
                },
                _ => Self::Sqlite(error),
            },
            other => other,
        }
    }

    /// True where another program holds the database, and it was waited for in vain.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ),
            Self::NotCommitted(error) => error.is_busy(),
            _ => false,
        }
    }

    /// True where the trouble is with the file or the disk, so that the connection is not to be trusted any longer.
    pub(super) fn is_of_the_disk(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return matches!(self, Self::Damaged { .. } | Self::Foreign { .. });
        };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::OutOfMemory
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
            )
        )
    }
}
