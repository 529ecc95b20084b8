//! The schema, as numbered steps. A step that was released is never edited.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::error::StoreError;

/// `fmil`, in the file's header: this database is ours.
pub(super) const APPLICATION_ID: i64 = 0x666d_696c;

/// Step `n` (from 1) brings a database of schema `n - 1` to schema `n`.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_withheld.sql"),
    include_str!("migrations/0003_revisions.sql"),
    include_str!("migrations/0004_identity.sql"),
    include_str!("migrations/0005_keeping.sql"),
    include_str!("migrations/0006_manifest.sql"),
    include_str!("migrations/0007_images.sql"),
    include_str!("migrations/0008_search.sql"),
    include_str!("migrations/0009_rules.sql"),
    include_str!("migrations/0010_groups.sql"),
    include_str!("migrations/0011_judged.sql"),
];

/// The newest schema.
pub(super) fn newest() -> i64 {
    // A list in the source has few entries.
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the database to the newest schema, each step in one transaction together with its number: a killed upgrade
/// goes on where it was.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let have: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(have).unwrap_or(usize::MAX);
    for (sql, number) in MIGRATIONS.iter().zip(1_i64..).skip(done) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;
    use crate::model::content::ContentHash;

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        let river = |connection: &Connection| -> Vec<u8> {
            connection
                .query_row("SELECT river_id FROM meta", [], |row| row.get(0))
                .unwrap()
        };
        migrate(&mut connection).unwrap();
        let first = river(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(river(&connection), first);
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, newest());
    }

    /// Days never go back, whatever the clock did; what was before 1970 is in a day, too.
    #[test]
    fn files_that_are_older_than_manifests_get_their_days() {
        const DAY: i64 = 86_400_000;
        let mut connection = Connection::open_in_memory().unwrap();
        let at = MIGRATIONS
            .iter()
            .position(|sql| sql.contains("CREATE TABLE manifest"))
            .unwrap();
        for sql in &MIGRATIONS[..at] {
            connection.execute_batch(sql).unwrap();
        }
        connection
            .pragma_update(None, "user_version", i64::try_from(at).unwrap())
            .unwrap();
        connection
            .execute_batch("INSERT INTO feed (num, id) VALUES (1, 'a')")
            .unwrap();
        for (seq, recorded) in [
            (0, -1),
            (1, 0),
            (2, 2 * DAY),
            (4, DAY),
            (7, 3 * DAY - 1),
            (9, 3 * DAY),
        ] {
            connection
                .execute_batch(&format!(
                    "INSERT INTO words VALUES ({seq}, CAST(printf('%032d', {seq}) AS BLOB));
                     INSERT INTO entry VALUES ({seq}, 1, 1, '{seq}', {seq}, {seq}, zeroblob(16), NULL, 0, 0, 0);
                     INSERT INTO article (seq, entry, words, recorded, revised, raw, partial, title, body_kind, body)
                     VALUES ({seq}, {seq}, {seq}, {recorded}, 0, zeroblob(16), 0, '', 'html', '');
                     INSERT INTO archive_file VALUES ({seq}, '{seq}', 'html', 'zh', 'UTC', zeroblob(32))"
                ))
                .unwrap();
        }
        migrate(&mut connection).unwrap();
        let days: Vec<(i64, i64, Option<i64>)> = connection
            .prepare("SELECT seq, day, size FROM archive_file ORDER BY seq")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let expected = [(0, -1), (1, 0), (2, 2), (4, 2), (7, 2), (9, 3)];
        assert_eq!(days, expected.map(|(seq, day)| (seq, day, None)));
    }

    #[test]
    fn a_new_store_is_of_the_recipe_the_program_hashes_by() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let recipe: u8 = connection
            .query_row("SELECT recipe FROM meta", [], |row| row.get(0))
            .unwrap();
        assert_eq!(recipe, ContentHash::RECIPE);
    }

    /// Every table is strict, so that a damaged or foreign value cannot pass for one of ours. The tables of an index that
    /// `SQLite` makes itself are its own business.
    #[test]
    fn every_table_is_strict() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let lax: Vec<String> = connection
            .prepare(
                "SELECT name FROM pragma_table_list
                  WHERE strict = 0 AND type = 'table' AND name NOT LIKE 'sqlite%'",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(lax, Vec::<String>::new());
    }
}
