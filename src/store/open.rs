//! Opening the database file: what is refused before anything is touched, and how a connection is set up.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::model::content::ContentHash;
use crate::store::error::StoreError;
use crate::store::lock::beside;
use crate::store::schema::{APPLICATION_ID, migrate, newest};

/// How long a statement waits for somebody else's lock (an operator's shell; our own writer is alone).
const PATIENCE: Duration = Duration::from_secs(5);

/// Rows of articles are about 1 KB: pages of 4 KB would be left unused by a sixth, these by 3 %.
const PAGE_SIZE: i64 = 16384;

/// Bytes of the file readers may map. What is mapped counts as our memory, so not all of it.
const READER_MAP: i64 = 16 << 20;

/// Statements that are kept prepared: more than a round of polls has, or each pushes out the next one that is needed.
const WRITER_STATEMENTS: usize = 256;
const READER_STATEMENTS: usize = 64;

/// A file of up to this size is checked through after a run that did not end cleanly (about 0.2 s).
const CHECKED_AFTER_A_CRASH: u64 = 256 << 20;

/// Refuses a `SQLite` with the WAL-reset bug (RELIABILITY F9): it loses committed rows.
pub(super) fn check_sqlite() -> Result<(), StoreError> {
    if is_affected(rusqlite::version_number()) {
        return Err(StoreError::AffectedSqlite {
            version: rusqlite::version(),
        });
    }
    Ok(())
}

/// 3.7.0 brought WAL and the bug; 3.51.3 the fix, which 3.50.7 and 3.44.6 took over.
fn is_affected(version: i32) -> bool {
    !matches!(version, 3_044_006..=3_044_999 | 3_050_007..=3_050_999 | 3_051_003..)
}

/// The writer's connection to the database at `path`, made or brought up to date where needed. What is not ours, newer
/// or damaged is refused as it is.
pub(super) fn prepare(path: &Path) -> Result<Connection, StoreError> {
    let file = Traces::of(path)?;
    if file.length == 0 {
        if file.wal > 0 {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
                what: "it is missing or empty, but its `-wal` file is not".to_owned(),
            });
        }
    } else {
        // Looked at through a connection that cannot write, since one that can would already tidy up the -wal file.
        match connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|connection| identify(&connection, path))
        {
            // It cannot be read without being written: a creation that was killed half-way is rolled back below.
            Err(StoreError::Sqlite(error))
                if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {}
            looked => looked.map(|_| ())?,
        }
    }

    let mut connection = writer(path, file.length == 0)?;
    identify(&connection, path)?;
    migrate(&mut connection).map_err(|error| error.in_file(path))?;
    let crashed = file.wal > 0 && file.length <= CHECKED_AFTER_A_CRASH;
    if crashed {
        quick_check(&connection, path)?;
    }
    sound(&connection, path)?;
    Ok(connection)
}

/// A connection that writes. The file must be ours or empty.
pub(super) fn writer(path: &Path, create: bool) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = connect(path, flags)?;
    let set = || -> Result<String, rusqlite::Error> {
        if create {
            connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        }
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -4_000)?; // KB
        connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
        connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
        Ok(mode)
    };
    let mode = set().map_err(|error| StoreError::from(error).in_file(path))?;
    if mode != "wal" {
        return Err(StoreError::Io {
            doing: "keep a write-ahead log for",
            path: path.to_owned(),
            source: std::io::Error::new(
                ErrorKind::Unsupported,
                format!("the file system only allows journal mode `{mode}`"),
            ),
        });
    }
    Ok(connection)
}

/// A connection that only reads, beside whoever writes.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "mmap_size", READER_MAP)?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(connection)
}

/// A reader of a database nobody has prepared for us: refuses what is absent, not ours, of another schema or damaged.
pub(super) fn reader_alone(path: &Path) -> Result<Connection, StoreError> {
    if Traces::of(path)?.length == 0 {
        return Err(StoreError::Absent {
            path: path.to_owned(),
        });
    }
    let connection = reader(path).map_err(|error| error.in_file(path))?;
    match identify(&connection, path)? {
        // Somebody is creating it this very moment, or was killed at it.
        0 => Err(StoreError::Absent {
            path: path.to_owned(),
        }),
        found if found < newest() => Err(StoreError::Older {
            path: path.to_owned(),
            found,
            known: newest(),
        }),
        _ => {
            sound(&connection, path)?;
            Ok(connection)
        }
    }
}

/// A connection as safe as they come.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    // One thread at a time uses a connection, so SQLite needs no lock of its own around it.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| StoreError::from(error).in_file(path))?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A plan is one for all values. Else a statement is prepared anew for each value of `kind` and `link` that is bound, since
    // the value says whether an index of a part of the rows serves it: a quarter of a cold poll.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let reads = flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, reads)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// The schema's number, 0 for an empty database; an error where it is not ours or newer than we are.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = || -> Result<_, rusqlite::Error> {
        let objects: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, objects))
    };
    let foreign = |why| StoreError::Foreign {
        path: path.to_owned(),
        why,
    };
    match read().map_err(|error| StoreError::from(error).in_file(path))? {
        (APPLICATION_ID, found, _) if found > newest() => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: newest(),
        }),
        (APPLICATION_ID, found, objects) if found > 0 && objects > 0 => Ok(found),
        (APPLICATION_ID, found, _) => Err(StoreError::Damaged {
            path: path.to_owned(),
            what: format!("it claims schema {found} and has no tables of it"),
        }),
        (0, 0, 0) => Ok(0),
        (id, ..) => Err(foreign(format!(
            "it is a SQLite database of another program (application id {id:#x})"
        ))),
    }
}

/// Whether what the store lives by is there and agrees with itself. Cheap: it looks at the ends of the large tables,
/// and reads everything only where that shows damage.
fn sound(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let ends = || {
        connection.query_row(
            "SELECT recipe, next_seq,
                    max(coalesce((SELECT max(seq) FROM article), -1),
                        coalesce((SELECT max(first_seq) FROM entry), -1),
                        coalesce((SELECT max(latest_seq) FROM entry), -1),
                        coalesce((SELECT max(first_seq) FROM words), -1))
               FROM meta",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    };
    let damaged = |what| StoreError::Damaged {
        path: path.to_owned(),
        what,
    };
    let (recipe, next, last): (i64, i64, i64) = match ends() {
        Ok(ends) => ends,
        Err(error) if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt)) => {
            quick_check(connection, path)?;
            return Err(damaged(error.to_string()));
        }
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            return Err(damaged("the table `meta` is empty".to_owned()));
        }
        Err(error) => return Err(StoreError::from(error).in_file(path)),
    };
    if recipe != i64::from(ContentHash::RECIPE) {
        return Err(StoreError::Recipe {
            path: path.to_owned(),
            found: recipe,
            ours: ContentHash::RECIPE,
        });
    }
    if next <= last {
        return Err(damaged(format!(
            "number {last} is taken, but the next one to give is {next}"
        )));
    }
    Ok(())
}

/// Reads every page; an error that names the first things wrong.
fn quick_check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check(connection, path, "PRAGMA quick_check(3)")
}

/// Like [`quick_check`], and looks at what points where.
pub(super) fn whole_check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    quick_check(connection, path)?;
    references(connection, path)
}

/// Like [`whole_check`], and compares every index with its table.
pub(super) fn integrity_check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check(connection, path, "PRAGMA integrity_check(3)")?;
    references(connection, path)
}

fn references(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let dangling = connection
        .prepare("PRAGMA foreign_key_check")
        .and_then(|mut check| check.exists([]))
        .map_err(|error| StoreError::from(error).in_file(path))?;
    if dangling {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            what: "a row points at another that is not there".to_owned(),
        });
    }
    sound(connection, path)
}

fn check(connection: &Connection, path: &Path, pragma: &str) -> Result<(), StoreError> {
    let findings = || -> Result<Vec<String>, rusqlite::Error> {
        connection
            .prepare(pragma)?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let found = findings().map_err(|error| StoreError::from(error).in_file(path))?;
    if found.len() == 1 && found.iter().all(|line| line == "ok") {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: path.to_owned(),
        what: found.join("; ").replace('\n', " "),
    })
}

/// What lies at the database's place, by its size alone.
struct Traces {
    length: u64,
    wal: u64,
}

impl Traces {
    fn of(path: &Path) -> Result<Self, StoreError> {
        let length = |path: &Path| match fs::metadata(path) {
            Ok(data) if data.is_file() => Ok(data.len()),
            Ok(_) => Err(StoreError::Foreign {
                path: path.to_owned(),
                why: "it is no file".to_owned(),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(source) => Err(StoreError::Io {
                doing: "look at",
                path: path.to_owned(),
                source,
            }),
        };
        Ok(Self {
            length: length(path)?,
            wal: length(&beside(path, "-wal"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn versions_that_lose_rows_are_known() {
        let check = |version, affected| assert_eq!(is_affected(version), affected, "{version}");
        check(3_006_023, true); // no WAL at all
        check(3_007_000, true);
        check(3_044_005, true);
        check(3_044_006, false);
        check(3_045_000, true);
        check(3_050_006, true);
        check(3_050_007, false);
        check(3_051_002, true);
        check(3_051_003, false);
        check(3_054_001, false);
        check_sqlite().unwrap();
    }
}
