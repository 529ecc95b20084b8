//! `feedmill run` as a service manager has it: what it tells, reloading, stopping, and what it does in trouble.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use feedmill::model::ids::FeedId;
use feedmill::store::Store;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::daemon::{Daemon, get, mill, settings};
use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

/// A watchdog that is fed twice a second.
const SECOND: Duration = Duration::from_secs(1);

fn page(guid: &str, seed: u32) -> Reply {
    Reply::ok("application/rss+xml", rss(&[(guid, guid, &words(seed))]))
}

/// A subscription that is never asked.
fn nobody() -> String {
    plain("off", "http://127.0.0.1:9/").trim_end().to_owned() + "\nenabled = false\n"
}

/// The paths an origin was asked for.
fn asked(origin: &Origin) -> Vec<String> {
    let mut paths: Vec<String> = origin.log().into_iter().map(|ask| ask.path).collect();
    paths.sort();
    paths
}

fn read(mill: &Mill) -> Store {
    Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap()
}

#[test]
fn the_service_manager_is_told_everything_in_order() {
    let origin = Origin::start([("/a", page("first", 1))]);
    let mill = mill(&plain("a", &origin.url("/a")));
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.wait_for("STATUS=1 feed, none is due");
    daemon.wait_for("READY=1");
    let answer = daemon.get("/feed.atom");
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "ready means it serves: {answer}"
    );
    daemon.until("polled", |log| log.contains("polled"));
    daemon.wait_for("STATUS=1 feed, next poll 20");
    daemon.wait_for("WATCHDOG=1");

    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("RELOADING=1");
    let time = daemon.wait_for("MONOTONIC_USEC=");
    assert!(time["MONOTONIC_USEC=".len()..].parse::<u64>().unwrap() > 0);
    daemon.wait_for("READY=1");
    daemon.wait_for("WATCHDOG=1");

    daemon.signal(Signal::SIGTERM);
    daemon.wait_for("STOPPING=1");
    let (status, _) = daemon.end();
    assert!(status.success(), "{status}");
    daemon.wait_for("STATUS=Stopping");
    assert_eq!(asked(&origin), ["/a"]);
    assert!(
        !mill.path("data/feedmill.sqlite-wal").exists(),
        "checkpointed"
    );
    assert_eq!(mill.list().len(), 1);
}

#[test]
fn a_store_that_does_not_answer_feeds_no_watchdog() {
    let mill = mill(&nobody());
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.wait_for("WATCHDOG=1");
    let holder = rusqlite::Connection::open(mill.path("data/feedmill.sqlite")).unwrap();
    holder.busy_timeout(Duration::from_secs(5)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    // One may have been on its way.
    daemon.listen(Duration::from_millis(300));
    // SQLite waits 5 s for the holder; not fed meanwhile, and not because it has ended either.
    daemon.until("told in the log", |log| {
        log.contains("the watchdog is not fed")
    });
    let told = daemon.listen(SECOND);
    assert!(!told.iter().any(|line| line == "WATCHDOG=1"), "{told:?}");
    holder.execute_batch("COMMIT").unwrap();
    daemon.listen(Duration::ZERO);
    daemon.wait_for("WATCHDOG=1");
    daemon.stop();
}

#[test]
fn feeds_come_and_go_without_a_restart_and_a_wrong_file_changes_nothing() {
    let slow = page("slow", 3).after(Duration::from_secs(4));
    let origin = Origin::start([
        ("/a", page("a", 1)),
        ("/b", page("b", 2)),
        ("/slow", slow),
        ("/moved", page("moved", 4)),
    ]);
    let block = |id: &str, path: &str| plain(id, &origin.url(path));
    let mill = mill(&(block("a", "/a") + &block("slow", "/slow")));
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.until("a is polled", |log| log.contains("feed.id=a"));

    // The slow one is being asked, and nobody wants it any more; a is changed, b is new. Nobody is told of it.
    mill.write("feeds.toml", &(block("a", "/moved") + &block("b", "/b")));
    daemon.until("b and the new a are polled", |log| {
        log.contains("feed.id=b") && log.matches("feed.id=a").count() == 2
    });
    daemon.wait_for("RELOADING=1");
    daemon.wait_for("READY=1");
    daemon.until("what was in flight is stored", |log| {
        log.contains("feed.id=slow")
    });
    assert_eq!(asked(&origin), ["/a", "/b", "/moved", "/slow"]);
    assert_eq!(mill.list().len(), 4);

    // Half a file is refused, the rest of it taken.
    let whole = block("a", "/moved") + &block("b", "/b") + &block("c", "/a");
    let half = &whole[..whole.len() - 24];
    mill.write("feeds.toml", half);
    let status =
        daemon.wait_for("STATUS=the new configuration is refused, the old one holds (feeds.toml:");
    assert!(
        status.ends_with(|c: char| c.is_ascii_digit() || c == 'Z' || c == 'e'),
        "{status}"
    );
    daemon.wait_for("READY=1");
    assert!(
        daemon
            .log()
            .contains("refused whole, and the old one stays")
    );
    assert_eq!(asked(&origin).len(), 4);
    let before = daemon.log().matches("refused whole").count();
    daemon.listen(Duration::from_secs(5));
    let after = daemon.log().matches("refused whole").count();
    assert_eq!(before, after, "told once, not at every look");
    mill.write("feeds.toml", &whole);
    daemon.until("c is polled", |log| log.contains("feed.id=c"));
    daemon.wait_until("all is well", |line| line.starts_with("STATUS=3 feeds"));

    // Settings: what can, holds at once; what cannot is named.
    let level = settings("[log]\nlevel = \"debug\"\n[feed]\ntitle = \"Another title\"\n");
    mill.write(
        "feedmill.toml",
        &level.replace("per_host = 8", "per_host = 7"),
    );
    daemon.signal(Signal::SIGHUP);
    daemon.until("named", |log| {
        log.contains("take effect at the next start") && log.contains("settings=\"[fetch]\"")
    });
    daemon.until("the level is set", |log| log.contains("DEBUG"));
    daemon.until("the title is published", |_| {
        mill.feed().contains("Another title")
    });
    daemon.stop();
}

/// An origin that sends half a document and no more, and keeps the line open.
fn hanging() -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/feed", listener.local_addr().unwrap());
    let origin = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: 10000\r\n\r\n<rss><channel>")
            .unwrap();
        // Until the other side hangs up.
        while stream.read(&mut head).is_ok_and(|length| length > 0) {}
    });
    (url, origin)
}

#[test]
fn p_147_stopping_cuts_off_who_hangs_and_holds_nothing_against_them() {
    let honest = Origin::start([("/a", page("a", 1))]);
    let (url, origin) = hanging();
    let mill = mill(&(plain("stuck", &url) + &plain("a", &honest.url("/a"))));
    mill.write(
        "feedmill.toml",
        &settings("").replace(
            "[fetch]\n",
            "[fetch]\nidle_timeout = \"1h\"\ntotal_timeout = \"1h\"\n",
        ),
    );
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.until("a is polled", |log| log.contains("feed.id=a"));
    let by = Instant::now() + Duration::from_secs(20);
    let address = daemon.address();
    // A reader that asks for much and takes nothing, and one that never finishes asking.
    let mut greedy = TcpStream::connect(address).unwrap();
    for _ in 0..200 {
        greedy
            .write_all(b"GET /feed.atom HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
    }
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET /feed").unwrap();
    while !daemon.log().contains("published") && Instant::now() < by {
        thread::sleep(Duration::from_millis(20));
    }

    daemon.signal(Signal::SIGTERM);
    daemon.wait_for("STOPPING=1");
    daemon.signal(Signal::SIGTERM);
    daemon.signal(Signal::SIGINT);
    let (status, took) = daemon.end();
    assert!(status.success(), "{status}\n{}", daemon.log());
    assert!(took < Duration::from_secs(30), "{took:?}");
    origin.join().unwrap();
    assert!(
        !mill.path("data/feedmill.sqlite-wal").exists(),
        "checkpointed"
    );
    let store = read(&mill);
    let stuck = "stuck".parse::<FeedId>().unwrap();
    assert_eq!(
        store.polls(&stuck, 10).unwrap().len(),
        0,
        "as if never asked"
    );
    assert!(
        store
            .feed_state(&stuck)
            .unwrap()
            .is_none_or(|state| state.failures == 0)
    );
    drop(store);
    assert!(
        daemon
            .log()
            .contains("feed.id=stuck poll.result=\"stopped\""),
        "{}",
        daemon.log()
    );
}

#[test]
fn p_142_who_was_asked_is_not_asked_again_by_a_restart_not_even_after_a_crash() {
    let paths: Vec<String> = (0..8).map(|n| format!("/{n}")).collect();
    let origin = Origin::start((0..8).map(|n| (format!("/{n}"), page(&format!("e{n}"), n))));
    let feeds: String = paths
        .iter()
        .enumerate()
        .map(|(n, path)| plain(&format!("f{n}"), &origin.url(path)))
        .collect();
    let mill = mill(&feeds);
    mill.write(
        "feedmill.toml",
        &settings("[schedule]\nstarts_per_second = 100\n"),
    );
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.until("all are polled", |log| log.matches("feed.id=").count() == 8);
    for _ in 0..6 {
        daemon.signal(Signal::SIGKILL);
        daemon.end();
        daemon = Daemon::start(&mill, SECOND);
        daemon.wait_for("STATUS=8 feeds, next poll 20");
        // Whoever were due would have been asked by the time the watchdog is fed.
        daemon.wait_for("WATCHDOG=1");
    }
    assert_eq!(asked(&origin), paths);
    daemon.stop();
    assert_eq!(mill.list().len(), 8);
}

/// How a command that should refuse ends, and what it says on standard error. One that does not is ended.
fn refused(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let by = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && Instant::now() < by {
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().ok();
    let run = child.wait_with_output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    (run.status.code(), said)
}

#[test]
fn p_146_a_second_daemon_on_one_store_says_who_has_it() {
    let mill = mill(&nobody());
    let mut first = Daemon::start(&mill, SECOND);
    first.wait_for("READY=1");
    let (status, said) = refused(mill.command(&["run"]));
    assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
    let holder = format!("process {}", first.pid());
    assert!(said.contains(&holder), "{said}");
    first.stop();
}

#[test]
fn a_machine_without_certificate_authorities_polls_on() {
    let origin = Origin::start([("/a", page("a", 1))]);
    let mill = mill(&plain("a", &origin.url("/a")));
    let mut command = mill.command(&["run"]);
    command
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent");
    let mut daemon = Daemon::spawn(&mill, command);
    daemon.until("polled", |log| log.contains("feed.id=a"));
    let log = daemon.log();
    assert!(
        log.contains("no certificate authorities on this machine"),
        "{log}"
    );
    daemon.stop();
    assert_eq!(mill.list().len(), 1);
}

#[test]
fn p_152_with_a_full_disk_nobody_is_asked_and_with_room_all_goes_on() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        println!("skipped: no prlimit here");
        return;
    }
    let items: Vec<(String, String)> = (0..200).map(|n| (format!("e{n}"), words(n))).collect();
    let items: Vec<(&str, &str, &str)> = items
        .iter()
        .map(|(id, body)| (id.as_str(), id.as_str(), body.as_str()))
        .collect();
    let big = Reply::ok("application/rss+xml", rss(&items));
    let origin = Origin::start((0..4).map(|n| (format!("/{n}"), big.clone())));
    let feeds: String = (0..4)
        .map(|n| plain(&format!("f{n}"), &origin.url(&format!("/{n}"))))
        .collect();
    let mill = mill(&nobody());
    let slowly = settings("[schedule]\nstarts_per_second = 1\n");
    mill.write("feedmill.toml", &slowly);
    let mut daemon = Daemon::start(&mill, SECOND);
    daemon.wait_for("READY=1");
    let limit = |bytes: &str| {
        let pid = daemon.pid().to_string();
        let done = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:")])
            .status()
            .unwrap();
        assert!(done.success());
    };
    // No file may grow past what the database has already.
    limit("65536");
    mill.write("feeds.toml", &feeds);
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("STATUS=HALTED");
    let before = asked(&origin);
    let told = daemon.listen(SECOND * 4);
    assert_eq!(asked(&origin), before, "nobody is asked");
    // One a second: whoever was asked before the first could not be stored.
    assert!(before.len() < 4, "{before:?}");
    assert!(
        told.iter().any(|line| line == "WATCHDOG=1"),
        "a restart would not help: {told:?}"
    );
    let answer = daemon.get("/feed.atom");
    assert!(answer.starts_with("HTTP/1.1 200"), "it serves on: {answer}");
    assert_eq!(mill.list().len(), 0);

    let pid = daemon.pid().to_string();
    let room = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status()
        .unwrap();
    assert!(room.success());
    daemon.signal(Signal::SIGHUP);
    daemon.wait_until("goes on", |line| line.starts_with("STATUS=4 feeds"));
    daemon.until("resumed", |log| {
        log.contains("takes what it is given again")
    });
    daemon.stop();
}

#[test]
fn a_socket_that_was_handed_over_is_served() {
    let mill = mill(&nobody());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // As systemd does: the socket is descriptor 3, and the variables name the process that is to have it.
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" run")
        .arg(env!("CARGO_BIN_EXE_feedmill"))
        .current_dir(mill.path("."))
        .stdin(Stdio::from(OwnedFd::from(listener)));
    let mut daemon = Daemon::spawn(&mill, command);
    // Whoever comes before it is ready waits.
    assert!(get(address, "/feed.atom").starts_with("HTTP/1.1 200"));
    daemon.wait_for("READY=1");
    assert_eq!(daemon.address(), address);
    daemon.stop();
}

#[test]
fn in_the_journal_a_message_is_one_line_with_its_priority() {
    let mill = mill(&nobody());
    fs::write(mill.path("daemon.log"), "").unwrap();
    let file = fs::metadata(mill.path("daemon.log")).unwrap();
    let mut command = mill.command(&["run"]);
    command.env("JOURNAL_STREAM", format!("{}:{}", file.dev(), file.ino()));
    let mut daemon = Daemon::spawn(&mill, command);
    daemon.wait_for("READY=1");
    mill.write("feeds.toml", "[[feed]]\nid = \"a\n");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("STATUS=the new configuration is refused");
    daemon.stop();
    let log = daemon.log();
    for line in log.lines() {
        assert!(line.starts_with("<6>") || line.starts_with("<3>"), "{line}");
        assert!(
            !line.contains("INFO") && !line.contains("ERROR") && !line.contains('\u{1b}'),
            "{line}"
        );
        assert!(
            line.as_bytes()[3].is_ascii_lowercase(),
            "no time in front: {line}"
        );
    }
    let wrong: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("feeds.toml:2"))
        .collect();
    assert_eq!(wrong.len(), 1, "{log}");
    assert!(
        wrong[0].starts_with("<3>the configuration is wrong"),
        "{wrong:?}"
    );

    // Why it cannot start is found as well.
    let mut command = mill.command(&["run"]);
    fs::write(mill.path("daemon.log"), "").unwrap();
    command.env("JOURNAL_STREAM", format!("{}:{}", file.dev(), file.ino()));
    let mut daemon = Daemon::spawn(&mill, command);
    let (status, _) = daemon.end();
    assert_eq!(status.code(), Some(2));
    let log = daemon.log();
    assert!(log.lines().count() <= 3, "{log}");
    assert!(log.starts_with("<3>feedmill: feeds.toml:2:"), "{log}");
    assert!(
        log.lines().all(|line| line.starts_with("<3>feedmill: ")),
        "{log}"
    );

    // Where standard error leads elsewhere, the variable is somebody else's.
    let mut command = mill.command(&["run"]);
    command.env("JOURNAL_STREAM", "1:2");
    mill.write("feeds.toml", &nobody());
    let mut daemon = Daemon::spawn(&mill, command);
    daemon.wait_for("READY=1");
    assert!(daemon.log().starts_with("20"), "{}", daemon.log());
    daemon.stop();
}

/// The units as they are shipped, with this program in place of the installed one.
fn units() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    for unit in fs::read_dir(shipped).unwrap() {
        let unit = unit.unwrap();
        let text = fs::read_to_string(unit.path()).unwrap();
        let text = text.replace("/usr/bin/feedmill", env!("CARGO_BIN_EXE_feedmill"));
        fs::write(directory.path().join(unit.file_name()), text).unwrap();
    }
    directory
}

/// What `systemd-analyze` says of a unit; `None` where there is none.
fn analyze(args: &[&str], unit: &Path) -> Option<(bool, String)> {
    let Ok(run) = Command::new("systemd-analyze")
        .args(args)
        .arg(unit)
        .output()
    else {
        println!("skipped: no systemd-analyze here");
        return None;
    };
    let told = [run.stdout, run.stderr].concat();
    Some((run.status.success(), String::from_utf8(told).unwrap()))
}

#[test]
fn the_units_are_sound_and_leave_little_exposed() {
    let directory = units();
    let unit = |name: &str| directory.path().join(name);
    for name in [
        "feedmill.service",
        "feedmill.socket",
        "feedmill-fetch.service",
        "feedmill-fetch.timer",
    ] {
        let Some(verdict) = analyze(&["verify", "--man=no"], &unit(name)) else {
            return;
        };
        assert_eq!(verdict, (true, String::new()), "{name}");
    }
    for name in ["feedmill.service", "feedmill-fetch.service"] {
        let args = ["security", "--offline=true", "--threshold=11", "--no-pager"];
        let (sound, told) = analyze(&args, &unit(name)).unwrap();
        assert!(sound, "{name} is exposed more than 1.1:\n{told}");
    }
}
