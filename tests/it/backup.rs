//! Copies of the store: taken while it is written, proven before they count, rotated; and the way back from one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use feedmill::model::article::Article;
use feedmill::model::content::{Content, ContentHash, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::ids::EntryId;
use feedmill::model::poll::Recorded;
use feedmill::model::time::Timestamp;
use feedmill::rules::rotation::{Rotation, file_name, parse_file_name};
use feedmill::service::backup::{Backup, BackupError};
use feedmill::store::Store;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::daemon::{self, Daemon, PATIENCE};
use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + secs)
}

/// An article with a long body that cannot be pressed much.
fn article(id: u64) -> Article {
    let mut body = String::new();
    let mut hasher = blake3::Hasher::new();
    let mut reader = hasher.update(&id.to_le_bytes()).finalize_xof();
    let mut block = [0; 32];
    for _ in 0..12_000 {
        reader.fill(&mut block);
        for byte in block {
            write!(body, "{byte:02x}").unwrap();
        }
    }
    Article {
        key: EntryKey::Id(EntryId::new(&format!("e{id}")).unwrap()),
        id: EntryId::new(&format!("e{id}")),
        link: None,
        title: format!("Title {id}"),
        authors: Vec::new(),
        language: None,
        published: None,
        updated: None,
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        content: ContentHash::from_bytes(*blake3::hash(body.as_bytes()).as_bytes()),
        raw: RawHash::of([Some(body.as_bytes())]),
        body: Content::html(body),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        teaser: None,
    }
}

fn store(store: &Store, id: u64) -> Recorded {
    wait(store.revise(&"a".parse().unwrap(), at(0), vec![article(id)])).unwrap()
}

/// A store of about 10 MB, and a directory for copies.
fn large() -> (TempDir, Store, PathBuf) {
    large_with(24)
}

fn large_with(articles: u64) -> (TempDir, Store, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feedmill.sqlite");
    let large = Store::open(&path).unwrap();
    for id in 0..articles {
        store(&large, id);
    }
    let copies = directory.path().join("copies");
    (directory, large, copies)
}

fn order(store: &Store, directory: &Path, secs: i64, keep: Rotation) -> Backup {
    Backup {
        store: store.clone(),
        directory: directory.to_owned(),
        keep,
        now: at(secs),
    }
}

fn is_unfinished(name: &str) -> bool {
    name.starts_with(".feedmill-backup-")
}

/// What lies in a directory, but for the lock.
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".feedmill-backup.lock")
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_of_one_moment_while_others_write() {
    let (_directory, large, copies) = large();
    let (mut next, mut steps) = (24, 0);
    let made = order(&large, &copies, 0, Rotation::default())
        .run(&mut |done, all| {
            assert!(done <= all);
            // The writer does not wait for the copy, or this would never end.
            store(&large, next);
            (next, steps) = (next + 1, steps + 1);
            true
        })
        .unwrap()
        .unwrap();
    assert!(steps >= 2, "{steps}");
    assert_eq!(large.counts().unwrap().articles, 24 + steps);
    assert_eq!(names(&copies), [file_name(at(0))]);
    let copy = Store::open_readonly(&made.file).unwrap();
    assert_eq!(copy.counts().unwrap(), made.counts);
    assert_eq!(made.counts.articles, 24);
    assert_eq!(copy.river_id().unwrap(), large.river_id().unwrap());
    drop(copy);
    assert_eq!(
        names(&copies),
        [file_name(at(0))],
        "one file, and none beside it"
    );
    large.verify().unwrap();
    // It is a store like any other.
    let copy = Store::open(&made.file).unwrap();
    store(&copy, 1_000);
}

#[test]
fn a_copy_that_is_stopped_leaves_nothing() {
    let (_directory, large, copies) = large();
    let made = order(&large, &copies, 0, Rotation::default()).run(&mut |_, _| false);
    assert!(made.unwrap().is_none());
    assert_eq!(names(&copies), [""; 0]);
}

#[test]
fn a_copy_that_is_not_what_was_copied_is_refused_and_older_ones_stay() {
    let (_directory, large, copies) = large();
    let sound = order(&large, &copies, 0, Rotation::of(1));
    sound.run(&mut |_, _| true).unwrap();
    let mut damaged = 0;
    let made = order(&large, &copies, 60, Rotation::of(1)).run(&mut |done, all| {
        // The first pages are on the disk by now, and are not written again.
        if done > all / 2 && damaged == 0 {
            let part = names(&copies).into_iter().find(|name| is_unfinished(name));
            let mut file = fs::OpenOptions::new()
                .write(true)
                .open(copies.join(part.unwrap()))
                .unwrap();
            file.seek(SeekFrom::Start(40 * 16_384)).unwrap();
            file.write_all(&[0xaa; 16_384]).unwrap();
            damaged += 1;
        }
        true
    });
    assert_eq!(damaged, 1);
    assert!(matches!(made, Err(BackupError::Unproven(_))), "{made:?}");
    assert_eq!(names(&copies), [file_name(at(0))]);
}

#[test]
fn the_proof_sees_what_is_missing_changed_or_somebody_elses() {
    let (directory, large, _) = large();
    let path = directory.path().join("copy");
    let taken = large.copy_to(&path, 1, &mut |_, _| true).unwrap().unwrap();
    Store::prove_copy(&path, &taken).unwrap();
    let bytes = fs::read(&path).unwrap();
    let refused = |what: &str, change: &dyn Fn(&Path)| {
        fs::write(&path, &bytes).unwrap();
        change(&path);
        let proof = Store::prove_copy(&path, &taken);
        assert!(proof.is_err(), "{what}");
        proof.unwrap_err().to_string()
    };
    let sql = |path: &Path, sql: &str| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    refused("cut", &|path| {
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    refused("empty", &|path| fs::write(path, b"").unwrap());
    refused("another file", &|path| fs::write(path, b"words").unwrap());
    let why = refused("a word", &|path| sql(path, "UPDATE article SET body = 'x'"));
    assert!(why.contains("the words of an article"), "{why}");
    let why = refused("a row less", &|path| {
        sql(
            path,
            "PRAGMA foreign_keys = OFF; DELETE FROM article WHERE seq = 23; DELETE FROM entry WHERE first_seq = 23",
        );
    });
    assert!(why.contains("were to be copied"), "{why}");
    refused("another store", &|path| {
        sql(path, "UPDATE meta SET river_id = randomblob(16)");
    });
    refused("another program", &|path| {
        sql(path, "PRAGMA application_id = 1");
    });
    refused("an older schema", &|path| {
        sql(path, "PRAGMA user_version = 1");
    });
    refused("an index that lies", &|path| {
        sql(
            path,
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '(words)', '(date)') WHERE name = 'entry_by_words'",
        );
    });
}

#[test]
fn copies_rotate_and_what_is_not_ours_stays() {
    let (_directory, large, copies) = large();
    let (_other_directory, other, _) = large_with(1);
    let another = order(&other, &copies, -86_400, Rotation::of(1));
    let another = another.run(&mut |_, _| true).unwrap().unwrap().file;
    for name in [
        "feedmill-20200101T000000Z.sqlite",
        "notes.txt",
        ".feedmill-backup-1.part",
    ] {
        fs::write(copies.join(name), "made up").unwrap();
    }
    let foreign = names(&copies).len() - 1;
    for day in 0..5 {
        let order = order(&large, &copies, day * 86_400, Rotation::of(2));
        let made = order.run(&mut |_, _| true).unwrap().unwrap();
        assert_eq!(made.removed.len(), usize::from(day >= 2), "{day}");
        assert!(made.file.exists());
    }
    let left = names(&copies);
    let own = [file_name(at(3 * 86_400)), file_name(at(4 * 86_400))];
    assert!(own.iter().all(|name| left.contains(name)), "{left:?}");
    assert_eq!(left.len(), foreign + 2, "{left:?}");
    assert!(another.exists() && !left.contains(&".feedmill-backup-1.part".to_owned()));
    // The clock went back: the new one stays, and one of the newer ones.
    let order = order(&large, &copies, -3_600, Rotation::of(1));
    let made = order.run(&mut |_, _| true).unwrap().unwrap();
    assert!(made.file.exists() && copies.join(&own[1]).exists());
}

#[test]
fn killed_at_any_moment_it_leaves_no_copy_or_a_good_one() {
    let (directory, large, copies) = large();
    wait(large.close()).unwrap();
    drop(large);
    let mill = Mill::new(&plain("a", "http://127.0.0.1:9/a"));
    fs::create_dir(mill.path("data")).unwrap();
    fs::copy(
        directory.path().join("feedmill.sqlite"),
        mill.path("data/feedmill.sqlite"),
    )
    .unwrap();
    let to = copies.to_str().unwrap();
    let mut unfinished = 0;
    for round in 0..8_u64 {
        let mut child = mill.command(&["backup", "--to", to]).spawn().unwrap();
        // From the moment its file is there, a little later each time.
        let by = Instant::now() + PATIENCE;
        while !names(&copies).iter().any(|name| is_unfinished(name))
            && child.try_wait().unwrap().is_none()
        {
            assert!(Instant::now() < by);
        }
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(round * 7)
            && child.try_wait().unwrap().is_none()
        {}
        child.kill().ok();
        child.wait().unwrap();
        let left = names(&copies);
        unfinished += usize::from(left.iter().any(|name| is_unfinished(name)));
        for name in left.iter().filter(|name| parse_file_name(name).is_some()) {
            Store::open_readonly(&copies.join(name))
                .unwrap()
                .verify()
                .unwrap();
        }
    }
    assert!(unfinished > 0, "none was killed in time");
    let run = mill.run(&["backup", "--to", to, "--json"]);
    assert_eq!(run.status, 0, "{run:?}");
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(told["articles"], 24);
    assert!(
        names(&copies)
            .iter()
            .all(|name| parse_file_name(name).is_some())
    );
}

#[test]
fn without_room_there_is_no_copy_and_the_store_is_well() {
    let (directory, large, _) = large();
    drop(large);
    let mill = Mill::new(&plain("a", "http://127.0.0.1:9/a"));
    fs::create_dir(mill.path("data")).unwrap();
    fs::copy(
        directory.path().join("feedmill.sqlite"),
        mill.path("data/feedmill.sqlite"),
    )
    .unwrap();
    let mut command = std::process::Command::new("sh");
    // A limit on files is what a full disk looks like, without filling one.
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" backup"])
        .arg(env!("CARGO_BIN_EXE_feedmill"))
        .current_dir(mill.path("."));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot copy the store to "), "{said}");
    assert_eq!(names(&mill.path("data/backup")), [""; 0]);
    let run = mill.run(&["backup"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(names(&mill.path("data/backup")).len(), 1);
}

fn document(seeds: &[u32]) -> Reply {
    let items: Vec<_> = seeds
        .iter()
        .map(|seed| (format!("g{seed}"), format!("Title {seed}"), words(*seed)))
        .collect();
    let items: Vec<_> = items
        .iter()
        .map(|(guid, title, body)| (guid.as_str(), title.as_str(), body.as_str()))
        .collect();
    Reply::ok("application/rss+xml", rss(&items)).validated()
}

/// The ids of the entries of the merged feed.
fn ids(mill: &Mill) -> BTreeSet<String> {
    let feed = mill.feed();
    let parts = feed.split("<entry").skip(1);
    parts
        .map(|entry| {
            let (_, from) = entry.split_once("<id>").unwrap();
            from.split_once("</id>").unwrap().0.to_owned()
        })
        .collect()
}

fn numbers(mill: &Mill) -> Vec<u64> {
    mill.list()
        .iter()
        .map(|line| line[0].parse().unwrap())
        .collect()
}

/// Puts the only copy back in the store's place.
fn put_back(mill: &Mill) {
    let copies = mill.path("data/backup");
    let [copy] = names(&copies).try_into().unwrap();
    for ending in ["-wal", "-shm"] {
        fs::remove_file(mill.path(&format!("data/feedmill.sqlite{ending}"))).ok();
    }
    fs::copy(copies.join(&copy), mill.path("data/feedmill.sqlite")).unwrap();
}

#[test]
fn an_older_copy_put_back_gives_no_number_twice_and_makes_no_second_file() {
    let origin = Origin::start([("/a", document(&[3, 2, 1]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    assert_eq!(mill.run(&["backup"]).status, 0);
    origin.set("/a", document(&[5, 4, 3, 2, 1]));
    mill.fetch(0);
    let (archive, before) = (mill.archive(), ids(&mill));
    assert_eq!((archive.len(), before.len()), (5, 5));

    put_back(&mill);
    assert_eq!(numbers(&mill), [0, 1, 2]);
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.err.contains("the store is older than its archive"),
        "{run:?}"
    );
    assert_eq!(numbers(&mill), [0, 1, 2, 5, 6], "3 and 4 were given before");
    assert_eq!(mill.archive(), archive, "no story has two files");
    assert_eq!(ids(&mill), before, "and none is announced again");
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{verify:?}");
    assert!(
        verify.out.contains("5 proven, 0 wrong, 0 not ours"),
        "{verify:?}"
    );

    // It goes on as ever, and says no more of it.
    origin.set("/a", document(&[6, 5, 4, 3, 2, 1]));
    let run = mill.run(&["fetch", "--once"]);
    assert!(!run.err.contains("older than its archive"), "{run:?}");
    assert_eq!(numbers(&mill), [0, 1, 2, 5, 6, 7]);
    assert!(mill.archive().keys().any(|name| name.starts_with("007_")));
    assert_eq!(mill.archive().len(), 6);

    // Damage to a file that was taken over is seen.
    let taken = archive
        .keys()
        .find(|name| name.starts_with("004_"))
        .unwrap();
    fs::write(mill.path("data/archive").join(taken), "other").unwrap();
    assert_eq!(mill.run(&["archive", "verify"]).status, 1);
}

/// A file from before the store was put back is taken over as it is, and only if it is what it was.
#[test]
fn only_what_is_as_it_was_written_is_taken_over() {
    let origin = Origin::start([("/a", document(&[3, 2, 1]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    assert_eq!(mill.run(&["backup"]).status, 0);
    origin.set("/a", document(&[6, 5, 4, 3, 2, 1]));
    mill.fetch(0);
    put_back(&mill);
    let archive = mill.path("data/archive");
    let file = |number: &str| {
        let names = mill.archive().into_keys();
        let mut own = names.filter(|name| name.starts_with(number));
        archive.join(own.next().unwrap())
    };
    let (forged, empty, whole) = (file("003_"), file("004_"), file("005_"));
    let length = fs::read(&forged).unwrap().len();
    fs::write(&forged, "F".repeat(length)).unwrap();
    fs::write(&empty, "").unwrap();
    // The same words, and a title that makes another file of them.
    let items: Vec<_> = [6, 5, 4, 3, 2, 1]
        .map(|seed: u32| (format!("g{seed}"), words(seed)))
        .into();
    let items: Vec<_> = items
        .iter()
        .map(|(guid, body)| {
            (
                guid.as_str(),
                "A title that is a good deal longer",
                body.as_str(),
            )
        })
        .collect();
    origin.set("/a", Reply::ok("application/rss+xml", rss(&items)));
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!(run.status, 0, "{run:?}");
    let refused = run.err.matches("not as it was written before").count();
    assert_eq!(refused, 2, "{run:?}");
    let names: Vec<String> = mill.archive().into_keys().collect();
    let numbers: Vec<&str> = names.iter().map(|name| &name[..3]).collect();
    assert_eq!(numbers.len(), 8, "{numbers:?}");
    for path in [&forged, &empty] {
        fs::remove_file(path).unwrap();
    }
    let verify = mill.run(&["archive", "verify"]);
    assert_eq!(verify.status, 0, "{verify:?}");
    assert!(verify.out.contains("6 proven, 0 wrong"), "{verify:?}");
    assert!(whole.exists());
}

#[test]
fn what_the_feed_has_no_more_comes_back_from_the_archive() {
    let origin = Origin::start([("/a", document(&[2, 1]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    assert_eq!(mill.run(&["backup"]).status, 0);
    origin.set("/a", document(&[3]));
    mill.fetch(0);
    origin.set("/a", document(&[4]));
    mill.fetch(0);
    let archive = mill.archive();
    put_back(&mill);
    mill.fetch(0);
    assert_eq!(numbers(&mill), [0, 1, 4]);
    let run = mill.run(&["archive", "import", "data/archive", "--feed", "a"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.out.contains("1 taken in, 3 already here, 0 refused"),
        "{run:?}"
    );
    assert_eq!(numbers(&mill), [0, 1, 4, 5]);
    assert_eq!(mill.archive(), archive);
    assert_eq!(mill.run(&["archive", "verify"]).status, 0);
}

#[test]
fn a_new_store_beside_an_old_archive_goes_on_behind_it() {
    let origin = Origin::start([("/a", document(&[2, 1]))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let mut archive = mill.archive();
    // By import the files keep their numbers; without, their words are known by their files.
    for (import, expected) in [(true, [0, 1]), (false, [2, 3])] {
        for ending in ["", "-wal", "-shm"] {
            fs::remove_file(mill.path(&format!("data/feedmill.sqlite{ending}"))).ok();
        }
        if import {
            mill.run(&["archive", "import", "data/archive", "--feed", "a"]);
        } else {
            // Nobody's file uses up the numbers.
            let foreign = "18446744073709551000_0123456789abcdef.txt";
            fs::write(mill.path("data/archive").join(foreign), "made up").unwrap();
            archive = mill.archive();
            mill.fetch(0);
        }
        assert_eq!(numbers(&mill), expected);
        assert_eq!(mill.archive(), archive);
    }
}

#[test]
fn the_service_makes_a_copy_when_one_is_due_and_none_twice() {
    let origin = Origin::start([("/a", document(&[1]))]);
    let mill = daemon::mill(&plain("a", &origin.url("/a")));
    mill.write(
        "feedmill.toml",
        &daemon::settings("[backup]\nevery = \"1d\"\n"),
    );
    let mut running = Daemon::start(&mill, PATIENCE);
    running.until("copied", |log| {
        log.contains("the store was copied and the copy checked")
    });
    let metrics = running.get("/metrics");
    let line = metrics
        .lines()
        .find(|line| line.starts_with("feedmill_backup_last_success_timestamp_seconds "));
    assert!(
        line.is_some_and(|line| line.split_once(' ').unwrap().1.parse::<f64>().unwrap() > 1.7e9),
        "{metrics}"
    );
    running.stop();
    let copies = mill.path("data/backup");
    let made = names(&copies);
    assert_eq!(made.len(), 1);
    let mut running = Daemon::start(&mill, PATIENCE);
    running.wait_for("READY=1");
    running.stop();
    assert_eq!(names(&copies), made, "none is due");

    // A copy that was named by a clock years ahead does not hide the one of today.
    let future = copies.join("feedmill-20460101T000000Z.sqlite");
    fs::copy(copies.join(&made[0]), &future).unwrap();
    let mut running = Daemon::start(&mill, PATIENCE);
    running.wait_for("READY=1");
    running.stop();
    assert_eq!(names(&copies).len(), 2, "still none is due");
    fs::remove_file(&future).unwrap();

    // One that is old is not the last word; and what cannot be done is told once.
    fs::rename(
        copies.join(&made[0]),
        copies.join("feedmill-20250101T000000Z.sqlite"),
    )
    .unwrap();
    let mut running = Daemon::start(&mill, PATIENCE);
    running.until("copied", |log| {
        log.contains("the store was copied and the copy checked")
    });
    running.stop();
    assert_eq!(names(&copies).len(), 2);
    fs::remove_dir_all(&copies).unwrap();
    fs::write(&copies, "in the way").unwrap();
    let mut running = Daemon::start(&mill, PATIENCE);
    running.until("told", |log| {
        log.contains("could not be copied") || log.contains("housekeeping waits")
    });
    running.stop();
}

#[test]
fn two_copies_at_once_are_refused() {
    let (_directory, large, copies) = large();
    let mut inner = None;
    order(&large, &copies, 0, Rotation::default())
        .run(&mut |_, _| {
            let second = order(&large, &copies, 60, Rotation::default());
            inner.get_or_insert_with(|| second.run(&mut |_, _| true).map(|_| ()));
            true
        })
        .unwrap();
    let error = inner.unwrap().unwrap_err().to_string();
    assert!(error.contains("is in use by process"), "{error}");
    assert_eq!(names(&copies), [file_name(at(0))]);
}
