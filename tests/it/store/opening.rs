//! What is opened, what is refused, and that a refusal changes nothing.

use std::fs;
use std::path::Path;

use feedmill::store::{Store, StoreError};
use rusqlite::Connection;

use super::{Scratch, article, at, poll, wait};

/// Refused both ways, with the database left byte for byte as it was.
fn refused(path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let message = Store::open(path).unwrap_err().to_string();
    let reading = Store::open_readonly(path).unwrap_err().to_string();
    assert_eq!(message, reading);
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    message
}

/// A closed store with 200 articles, in one file.
fn closed() -> Scratch {
    let scratch = Scratch::new();
    for part in 0..4 {
        let articles = (part * 50..(part + 1) * 50).map(|n: u64| {
            let words = format!("words {n} {}", "晨间新闻".repeat(100));
            article(&n.to_string(), &words)
        });
        scratch.record(poll("a", at(0), articles.collect()));
    }
    wait(scratch.store.close()).unwrap();
    assert!(!scratch.path.with_extension("db-wal").exists());
    scratch
}

#[test]
fn a_store_is_made_once_and_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feedmill.db");
    assert!(matches!(
        Store::open_readonly(&path),
        Err(StoreError::Absent { .. })
    ));
    let store = Store::open(&path).unwrap();
    let river = store.river_id().unwrap();
    store.verify().unwrap();
    drop(store);
    assert_eq!(Store::open(&path).unwrap().river_id().unwrap(), river);
    let other = Store::open(&directory.path().join("other.db")).unwrap();
    assert_ne!(other.river_id().unwrap(), river);
}

#[test]
fn the_file_says_whose_it_is_and_how_it_is_kept() {
    let scratch = Scratch::new();
    let number = |name| {
        scratch
            .raw()
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(number("application_id"), 0x666d_696c);
    let steps = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations");
    let steps = fs::read_dir(steps).unwrap().count();
    assert_eq!(number("user_version"), i64::try_from(steps).unwrap());
    assert_eq!(number("page_size"), 16_384);
    let mode: String = scratch
        .raw()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_second_writer_is_told_who_has_it() {
    let scratch = Scratch::new();
    let message = Store::open(&scratch.path).unwrap_err().to_string();
    let expected = format!("is in use by process {}", std::process::id());
    assert!(message.ends_with(&expected), "{message}");

    wait(scratch.store.close()).unwrap();
    Store::open(&scratch.path).unwrap();
    let late = wait(scratch.store.record(poll("a", at(0), vec![])));
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
}

#[test]
fn a_reader_works_beside_the_writer_and_cannot_write() {
    let scratch = Scratch::new();
    scratch.record(poll("a", at(0), vec![article("1", "one")]));
    let reader = Store::open_readonly(&scratch.path).unwrap();
    assert_eq!(reader.counts().unwrap().articles, 1);
    scratch.record(poll("a", at(1), vec![article("2", "two")]));
    assert_eq!(reader.counts().unwrap().articles, 2);
    let write = wait(reader.record(poll("a", at(2), vec![])));
    assert!(matches!(write, Err(StoreError::ReadOnly)), "{write:?}");

    drop(scratch.store);
    assert_eq!(reader.counts().unwrap().articles, 2);
}

#[test]
fn a_newer_store_is_left_alone() {
    let scratch = closed();
    Connection::open(&scratch.path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let message = refused(&scratch.path);
    assert!(
        message.contains("newer feedmill (schema 99, this one knows "),
        "{message}"
    );
}

/// Killed before it could tidy up: what makes it newer is still in its -wal file.
#[test]
fn a_newer_store_is_left_alone_even_in_its_log() {
    let scratch = closed();
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("feedmill.db");
    let writer = Connection::open(&scratch.path).unwrap();
    writer.execute_batch("PRAGMA user_version = 99").unwrap();
    let wal = |path: &Path| path.with_extension("db-wal");
    fs::copy(&scratch.path, &path).unwrap();
    fs::copy(wal(&scratch.path), wal(&path)).unwrap();
    drop(writer);

    let log = fs::read(wal(&path)).unwrap();
    assert!(!log.is_empty());
    assert!(refused(&path).contains("newer feedmill"));
    assert!(fs::read(wal(&path)).unwrap() == log, "the log was changed");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.db");
    fs::write(
        &path,
        "All of this is plain text, and quite a lot of it. ".repeat(40),
    )
    .unwrap();
    assert!(refused(&path).contains("no SQLite database"));

    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE bookmark (url)").unwrap();
    assert!(refused(&path).contains("of another program"));
    other
        .execute_batch("PRAGMA application_id = 7; DROP TABLE bookmark")
        .unwrap();
    assert!(refused(&path).contains("application id 0x7"));

    assert!(matches!(
        Store::open(directory.path()),
        Err(StoreError::Foreign { .. } | StoreError::Io { .. })
    ));
}

#[test]
fn a_damaged_store_is_named_and_left_alone() {
    let scratch = closed();
    let whole = fs::read(&scratch.path).unwrap();
    let check = |damage: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(&scratch.path, &bytes).unwrap();
        let message = refused(&scratch.path);
        assert!(message.contains(expected), "{message}");
    };
    check(&|bytes| bytes.truncate(3 * 16_384), "is damaged");
    check(&|bytes| bytes.truncate(16_384 + 100), "is damaged");
    check(&|bytes| bytes[..16].fill(0), "no SQLite database");
    check(&|bytes| bytes[100..16_384].fill(0xff), "is damaged");
    // Every page but the first, so that whatever is looked at is broken.
    check(
        &|bytes| bytes[16_384..].fill(0xa5),
        "sqlite3 DAMAGED .recover",
    );
}

#[test]
fn an_empty_file_with_a_log_is_not_taken_for_a_new_store() {
    let scratch = closed();
    fs::write(&scratch.path, "").unwrap();
    fs::write(scratch.path.with_extension("db-wal"), "frames").unwrap();
    let error = Store::open(&scratch.path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(scratch.path.with_extension("db-wal").exists());
}

#[test]
fn a_store_whose_parts_disagree_is_damaged() {
    let check = |sql: &str, expected: &str| {
        let scratch = closed();
        Connection::open(&scratch.path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let message = refused(&scratch.path);
        assert!(message.contains(expected), "{message}");
    };
    // A number would be given twice.
    check(
        "UPDATE meta SET next_seq = 199",
        "number 199 is taken, but the next one to give is 199",
    );
    check("DELETE FROM meta", "`meta` is empty");
    check("UPDATE meta SET recipe = 2", "follow recipe 2");
}

/// Each bit flip is found, or does no harm; none is a panic or "not found".
#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    let scratch = closed();
    let whole = fs::read(&scratch.path).unwrap();
    let mut found = 0;
    for step in 0..60 {
        let mut bytes = whole.clone();
        let place = step * 15_887 % bytes.len();
        bytes[place] ^= 1 << (step % 8);
        fs::write(&scratch.path, &bytes).unwrap();
        let read = Store::open_readonly(&scratch.path).and_then(|store| {
            store.verify()?;
            let all = store.since(None, 1000)?.len();
            assert_eq!((all, store.latest(1000)?.len()), (200, 200), "at {place}");
            Ok(())
        });
        found += usize::from(read.is_err());
    }
    assert!(found > 0, "no flip was found at all");
}

#[test]
fn a_value_we_never_write_is_named() {
    let scratch = closed();
    let damage = |sql: &str| {
        let connection = Connection::open(&scratch.path).unwrap();
        connection
            .execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;")
            .unwrap();
        connection.execute_batch(sql).unwrap();
    };
    let message = || {
        let store = Store::open_readonly(&scratch.path).unwrap();
        let error = store.since(Some(super::seq(100)), 100).unwrap_err();
        assert!(store.since(None, 50).is_ok());
        error.to_string()
    };
    damage("UPDATE article SET body_kind = 'rtf' WHERE seq = 150");
    assert_eq!(
        message(),
        "row 150 of `article` has a `body_kind` that cannot be read: `rtf` is no kind of content"
    );
    damage("UPDATE article SET body_kind = 'html', more = '{' WHERE seq = 150");
    assert!(
        message().starts_with("row 150 of `article` has a `more`"),
        "{}",
        message()
    );
    damage(
        "UPDATE article SET more = NULL WHERE seq = 150; DELETE FROM entry WHERE first_seq = 160",
    );
    assert!(
        message().starts_with("row 160 of `article` has a `feed`"),
        "{}",
        message()
    );
}
