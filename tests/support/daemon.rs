//! The built program as a daemon, with a service manager's ear: what it told, what it logged, how it ended.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::mill::{EAGER, Mill};

/// Nothing is waited for longer. A busy machine is slow; nothing here is a measurement.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon that runs; killed when dropped.
pub struct Daemon {
    child: Child,
    ear: UnixDatagram,
    /// What the service manager was told, a line an entry.
    told: Vec<String>,
    log: PathBuf,
}

/// Settings for a daemon on loopback, on any port, with these lines besides.
pub fn settings(more: &str) -> String {
    format!("{EAGER}[serve]\nlisten = \"127.0.0.1:0\"\n{more}")
}

/// A directory for a daemon with these subscriptions.
pub fn mill(feeds: &str) -> Mill {
    let mill = Mill::new(feeds);
    mill.write("feedmill.toml", &settings(""));
    mill
}

impl Daemon {
    /// `feedmill run` with a watchdog of this patience.
    pub fn start(mill: &Mill, watchdog: Duration) -> Self {
        let mut command = mill.command(&["run"]);
        command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        Self::spawn(mill, command)
    }

    /// Any command that becomes a daemon in the end. Its log is `daemon.log`, made anew.
    pub fn spawn(mill: &Mill, mut command: Command) -> Self {
        let log = mill.path("daemon.log");
        let socket = mill.path("notify");
        fs::remove_file(&socket).ok();
        let ear = UnixDatagram::bind(&socket).unwrap();
        ear.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let child = command
            .env("NOTIFY_SOCKET", &socket)
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            ear,
            told: Vec::new(),
            log,
        }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it was told a line like this, and forgets what was told up to then.
    pub fn wait_for(&mut self, begins: &str) -> String {
        self.wait_until(begins, |line| line.starts_with(begins))
    }

    /// Waits until a line is told that is wanted, and forgets what was told up to then.
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let by = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.told.iter().position(|line| wanted(line)) {
                return self.told.drain(..=at).next_back().unwrap();
            }
            assert!(
                Instant::now() < by,
                "not told: {what}\n{:?}\n{}",
                self.told,
                self.log()
            );
            self.hear();
        }
    }

    /// All that is told for this long.
    pub fn listen(&mut self, time: Duration) -> Vec<String> {
        let by = Instant::now() + time;
        while Instant::now() < by {
            self.hear();
        }
        std::mem::take(&mut self.told)
    }

    fn hear(&mut self) {
        let mut datagram = [0; 4096];
        if let Ok(length) = self.ear.recv(&mut datagram) {
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            self.told.extend(text.lines().map(str::to_owned));
        }
    }

    /// Waits until something holds.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&str) -> bool) {
        let by = Instant::now() + PATIENCE;
        while !holds(&self.log()) {
            assert!(Instant::now() < by, "never: {what}\n{}", self.log());
            self.hear();
        }
    }

    /// Where it serves, as its log says.
    pub fn address(&mut self) -> SocketAddr {
        self.until("serving", |log| log.contains("serving address="));
        let log = self.log();
        let (_, rest) = log.split_once("serving address=").unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// What it answers: head and body.
    pub fn get(&mut self, path: &str) -> String {
        get(self.address(), path)
    }

    /// Waits for its end, and says how long it took.
    pub fn end(&mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while self.ear.set_nonblocking(true).is_ok() && {
                    let before = self.told.len();
                    self.hear();
                    self.told.len() > before
                } {}
                return (status, since.elapsed());
            }
            assert!(since.elapsed() < PATIENCE, "does not end\n{}", self.log());
            self.hear();
        }
    }

    /// Tells it to stop; it has to end well.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        let (status, _) = self.end();
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// One request, and the whole answer.
pub fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
