//! The built program in a directory of its own, for tests that use it as people do.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

/// Settings for an origin on loopback: nothing to be polite to.
pub const EAGER: &str =
    "[fetch]\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\nper_host = 8\nper_address = 8\n";

/// A directory with configuration and data.
pub struct Mill {
    directory: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// Exit status; -1 where a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Mill {
    /// With these subscriptions, and settings that do not wait.
    pub fn new(feeds: &str) -> Self {
        let mill = Self {
            directory: TempDir::new().unwrap(),
        };
        mill.write("feeds.toml", feeds);
        mill.write("feedmill.toml", EAGER);
        mill
    }

    /// Replaces a file of the directory.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A path below the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// All bytes of all files below the directory, but for those of these names.
    pub fn everything(&self, except: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut directories = vec![self.directory.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for item in fs::read_dir(directory).unwrap() {
                let path = item.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if !except.iter().any(|name| path.ends_with(name)) {
                    bytes.extend(fs::read(path).unwrap());
                }
            }
        }
        bytes
    }

    /// The command, ready to be run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
        command
            .args(args)
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
            .env_remove("STATE_DIRECTORY")
            .env_remove("FEEDMILL_LOG");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(args).output().unwrap();
        Run {
            status: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs `fetch --once --json` and gives its object; the exit status has to be this one.
    pub fn fetch(&self, status: i32) -> serde_json::Value {
        let run = self.run(&["fetch", "--once", "--json"]);
        assert_eq!(run.status, status, "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    }

    /// The merged feed.
    pub fn feed(&self) -> String {
        fs::read_to_string(self.path("data/feed.atom")).unwrap()
    }

    /// The archive: names and bytes of its articles' files.
    pub fn archive(&self) -> BTreeMap<String, Vec<u8>> {
        self.archive_named(|name| !name.starts_with("MANIFEST-"))
    }

    /// Its manifests.
    pub fn manifests(&self) -> BTreeMap<String, Vec<u8>> {
        self.archive_named(|name| name.starts_with("MANIFEST-"))
    }

    fn archive_named(&self, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("data/archive"))
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, (bytes, _))| (name, bytes))
            .collect()
    }

    /// Everything that is published, with times of last change.
    pub fn published(&self) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
        let mut all = files(&self.path("data/archive"));
        let feed = self.path("data/feed.atom");
        all.insert(
            "feed.atom".into(),
            (
                fs::read(&feed).unwrap(),
                fs::metadata(&feed).unwrap().modified().unwrap(),
            ),
        );
        all
    }

    /// The lines of `list --tsv`, in fields.
    pub fn list(&self) -> Vec<Vec<String>> {
        let run = self.run(&["list", "--tsv"]);
        assert_eq!(run.status, 0, "{run:?}");
        run.out
            .lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect()
    }
}

fn files(directory: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (
                name,
                (
                    fs::read(&path).unwrap(),
                    fs::metadata(&path).unwrap().modified().unwrap(),
                ),
            )
        })
        .collect()
}

/// An RSS 2.0 document of these items: guid, title, body (HTML).
pub fn rss(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(guid, title, body)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
                 <link>https://news.example.org/{guid}</link><pubDate>Sat, 01 Nov 2025 06:00:00 GMT</pubDate>\
                 <description><![CDATA[{body}]]></description></item>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Made-up news</title>\
         <link>https://news.example.org/</link><description>made up for tests</description>{items}</channel></rss>"
    )
}

/// Made-up words, long enough to be told apart by themselves: different for each seed.
pub fn words(seed: u32) -> String {
    const SIGNS: [char; 16] = [
        '山', '水', '风', '云', '城', '市', '新', '闻', '人', '民', '路', '桥', '春', '秋', '早',
        '晚',
    ];
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut text = String::from("<p>");
    for place in 1..=120 {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        text.push(SIGNS[(state >> 16) as usize % SIGNS.len()]);
        if place % 20 == 0 {
            text.push_str("。</p><p>");
        }
    }
    text + "</p>"
}

/// A `feeds.toml` block for a plain feed, which may be on loopback.
pub fn plain(id: &str, url: &str) -> String {
    format!(
        "[[feed]]\nid = \"{id}\"\nsource = \"feed\"\nurl = \"{url}\"\nlanguage = \"zh-CN\"\nallow_hosts = [\"127.0.0.1\"]\n\n"
    )
}
