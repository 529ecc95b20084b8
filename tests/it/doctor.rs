//! What `feedmill doctor` finds: each thing broken once, and named with what to do about it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use feedmill::model::time::Timestamp;
use feedmill::service::doctor::{self, Finding, Grade, Kept, Machine};
use feedmill::store::Store;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

/// A machine on which everything is well, below a directory.
struct Lab {
    _root: TempDir,
    machine: Machine,
}

impl Lab {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let lab = Self {
            machine: Machine {
                now: Timestamp::from_secs(1_800_000_000),
                root: root.path().to_owned(),
                temporary: root.path().to_owned(),
                authorities: None,
            },
            _root: root,
        };
        lab.write("etc/ssl/certs/ca-certificates.crt", "made up");
        lab.write("usr/bin/feedmill", "made up");
        lab.may("usr/bin/feedmill", 0o755);
        lab.write(
            "usr/lib/systemd/system/feedmill.service",
            "[Service]\nExecStart=/usr/bin/feedmill run\n",
        );
        lab.enable("feedmill.service");
        lab
    }

    fn path(&self, below: &str) -> PathBuf {
        self.machine.root.join(below)
    }

    fn write(&self, below: &str, text: &str) {
        fs::create_dir_all(self.path(below).parent().unwrap()).unwrap();
        fs::write(self.path(below), text).unwrap();
    }

    fn may(&self, below: &str, mode: u32) {
        fs::set_permissions(self.path(below), Permissions::from_mode(mode)).unwrap();
    }

    fn enable(&self, unit: &str) {
        let wants = self.path("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("/nowhere", wants.join(unit)).unwrap();
    }

    fn says(&self, check: &str) -> Finding {
        named(doctor::machine(&self.machine), check)
    }
}

fn named(found: Vec<Finding>, check: &str) -> Finding {
    let mut found = found.into_iter().filter(|finding| finding.check == check);
    found
        .next()
        .unwrap_or_else(|| panic!("no check of {check}"))
}

/// A finding that is not well says what to do.
fn ill(finding: &Finding, grade: Grade, says: &str) {
    assert_eq!(finding.grade, grade, "{finding:?}");
    assert!(finding.what.contains(says), "{says}: {finding:?}");
    assert!(!finding.remedy.is_empty(), "{finding:?}");
}

#[test]
fn a_sound_machine_is_well() {
    for finding in doctor::machine(&Lab::new().machine) {
        assert_eq!(finding.grade, Grade::Well, "{finding:?}");
        assert_eq!(finding.remedy, "");
    }
}

#[test]
fn a_clock_that_stands_in_the_past_is_told() {
    let mut lab = Lab::new();
    lab.machine.now = Timestamp::EPOCH;
    ill(&lab.says("clock"), Grade::Bad, "1970-01-01");
}

#[test]
fn missing_certificates_are_told() {
    let mut lab = Lab::new();
    lab.write("etc/ssl/certs/ca-certificates.crt", "");
    ill(
        &lab.says("certificates"),
        Grade::Mind,
        "no certificate authorities",
    );
    lab.write("etc/ssl/cert.pem", "made up");
    assert_eq!(lab.says("certificates").grade, Grade::Well);
    lab.machine.authorities = Some(lab.path("mine.pem"));
    ill(&lab.says("certificates"), Grade::Bad, "mine.pem");
    lab.write("mine.pem", "made up");
    assert_eq!(lab.says("certificates").grade, Grade::Well);
}

#[test]
fn units_that_start_nothing_are_told() {
    let lab = Lab::new();
    lab.may("usr/bin/feedmill", 0o644);
    ill(&lab.says("units"), Grade::Bad, "/usr/bin/feedmill");
    lab.may("usr/bin/feedmill", 0o755);
    lab.enable("feedmill-fetch.timer");
    ill(&lab.says("units"), Grade::Mind, "both enabled");
    let wants = lab.path("etc/systemd/system/multi-user.target.wants");
    fs::remove_file(wants.join("feedmill.service")).unwrap();
    assert_eq!(
        lab.says("units").grade,
        Grade::Well,
        "the timer alone is enough"
    );
    fs::remove_file(wants.join("feedmill-fetch.timer")).unwrap();
    ill(&lab.says("units"), Grade::Mind, "neither");
    // A unit of the operator's own comes before the packaged one.
    lab.write(
        "etc/systemd/system/feedmill.service",
        "[Service]\nExecStart=\nExecStart=-/opt/feedmill run\n",
    );
    ill(&lab.says("units"), Grade::Bad, "/opt/feedmill");
    lab.write("etc/systemd/system/feedmill.service", "[Service]\n");
    ill(&lab.says("units"), Grade::Bad, "no ExecStart");
    for directory in ["etc/systemd/system", "usr/lib/systemd/system"] {
        fs::remove_file(lab.path(directory).join("feedmill.service")).unwrap();
    }
    let none = lab.says("units");
    assert_eq!(none.grade, Grade::Well, "a container has none: {none:?}");
}

/// A data directory with one article in it, and its archive.
fn used() -> (Origin, Mill, Kept) {
    let page = Reply::ok("application/rss+xml", rss(&[("1", "一", &words(1))]));
    let origin = Origin::start([("/a", page)]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let kept = Kept {
        data: mill.path("data"),
        store: mill.path("data/feedmill.sqlite"),
        archive: Some(mill.path("data/archive")),
        secrets: Vec::new(),
    };
    (origin, mill, kept)
}

fn look(kept: &Kept, check: &str) -> Finding {
    let mut lab = Lab::new();
    lab.machine.now = Timestamp::from_secs(4_000_000_000);
    named(doctor::kept(&lab.machine, kept, true), check)
}

fn sql(path: &Path, sql: &str) {
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn a_used_store_is_well_and_a_new_one_is_not_missed() {
    let (_origin, mill, mut kept) = used();
    let lab = Lab::new();
    for thorough in [false, true] {
        let mut machine = lab.machine.clone();
        machine.now = Timestamp::from_secs(4_000_000_000);
        for finding in doctor::kept(&machine, &kept, thorough) {
            // How much room this machine has is its own affair.
            assert!(
                finding.grade == Grade::Well || finding.check.starts_with("room"),
                "{finding:?}"
            );
        }
    }
    kept.store = mill.path("data/other.sqlite");
    ill(&look(&kept, "store"), Grade::Mind, "no store");
}

#[test]
fn a_store_that_is_damaged_foreign_or_newer_is_told() {
    let (_origin, mill, mut kept) = used();
    kept.store = mill.path("foreign.sqlite");
    sql(&kept.store, "CREATE TABLE x (y)");
    ill(&look(&kept, "store"), Grade::Bad, "not a store");
    kept.store = mill.path("newer.sqlite");
    fs::copy(mill.path("data/feedmill.sqlite"), &kept.store).unwrap();
    sql(&kept.store, "PRAGMA user_version = 9999");
    ill(&look(&kept, "store"), Grade::Bad, "newer");
    // A row that points nowhere, past the store.
    kept.store = mill.path("data/feedmill.sqlite");
    sql(
        &kept.store,
        "PRAGMA foreign_keys = OFF; UPDATE entry SET feed = 77",
    );
    ill(&look(&kept, "store"), Grade::Bad, "points at another");
}

#[test]
fn who_holds_the_store_is_told() {
    let (_origin, _mill, kept) = used();
    assert_eq!(look(&kept, "lock").what, "nobody is at work");
    let store = Store::open(&kept.store).unwrap();
    let found = look(&kept, "lock");
    assert!(
        found.what.contains(&std::process::id().to_string()),
        "{found:?}"
    );
    assert_eq!(found.grade, Grade::Well);
    drop(store);
    assert_eq!(look(&kept, "lock").what, "nobody is at work");
}

#[test]
fn a_long_write_ahead_log_is_told() {
    let (_origin, mill, mut kept) = used();
    kept.store = mill.path("long.sqlite");
    let log = fs::File::create(mill.path("long.sqlite-wal")).unwrap();
    log.set_len(300 << 20).unwrap(); // a hole: it takes no room
    ill(&look(&kept, "write-ahead log"), Grade::Mind, "300 MiB");
}

#[test]
fn a_store_from_the_future_is_told() {
    let (_origin, _mill, kept) = used();
    sql(&kept.store, "UPDATE meta SET last_change = 5000000000000");
    ill(&look(&kept, "last news"), Grade::Bad, "2128-06-11");
}

#[test]
fn an_archive_that_is_not_what_was_written_is_told() {
    let (_origin, mill, kept) = used();
    assert_eq!(look(&kept, "archive").grade, Grade::Well);
    let name = mill.manifests().into_keys().next().unwrap();
    let path = mill.path("data/archive").join(name);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "x").unwrap();
    ill(&look(&kept, "archive"), Grade::Bad, "not what was written");
    fs::remove_file(&path).unwrap();
    ill(&look(&kept, "archive"), Grade::Bad, "missing");
    fs::write(&path, whole).unwrap();
    sql(&kept.store, "DELETE FROM manifest");
    ill(
        &look(&kept, "archive"),
        Grade::Mind,
        "not in their manifests",
    );
}

#[test]
fn permissions_that_are_too_wide_are_told() {
    let (_origin, mill, mut kept) = used();
    fs::set_permissions(&kept.data, Permissions::from_mode(0o777)).unwrap();
    ill(&look(&kept, "permissions"), Grade::Bad, "by everybody");
    fs::set_permissions(&kept.data, Permissions::from_mode(0o750)).unwrap();
    assert_eq!(look(&kept, "permissions").grade, Grade::Well);
    kept.secrets = vec![mill.path("feeds.toml")];
    fs::set_permissions(mill.path("feeds.toml"), Permissions::from_mode(0o644)).unwrap();
    ill(&look(&kept, "secrets"), Grade::Bad, "feeds.toml");
    fs::set_permissions(mill.path("feeds.toml"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(look(&kept, "secrets").grade, Grade::Well);
}

/// The command: what it prints, and its exit status.
#[test]
fn the_command_tells_people_and_programs() {
    let (_origin, mill, kept) = used();
    let json = |status| -> Vec<Value> {
        let run = mill.run(&["doctor", "--json"]);
        assert_eq!(run.status, status, "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    };
    // This machine may have little room: that is no matter here.
    let found = mill.run(&["doctor", "--thorough"]);
    assert!(
        found.out.contains("configuration") && found.out.contains("room for data"),
        "{found:?}"
    );
    sql(&kept.store, "UPDATE meta SET last_change = 253000000000000");
    let bad: Vec<Value> = json(1)
        .into_iter()
        .filter(|finding| finding["check"] == "last news")
        .collect();
    assert_eq!(bad[0]["grade"], "bad");
    assert!(bad[0]["to_do"].as_str().unwrap().contains("clock"));
    mill.write("feeds.toml", "[[feed]]\nid = 7\n");
    let found = json(1);
    assert_eq!(
        (&found[0]["check"], &found[0]["grade"]),
        (&"configuration".into(), &"bad".into())
    );
    assert!(
        found.iter().any(|finding| finding["check"] == "clock"),
        "what can be looked at is"
    );
}
