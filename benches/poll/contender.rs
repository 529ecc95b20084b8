//! Who polls: how each is set up, called, and asked what it has.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use crate::corpus::entry_named;
use crate::origin::Publishers;

/// A program that polls.
pub enum Contender {
    /// Ours, with or without the archive of text files.
    Feedmill {
        /// Which build of it.
        binary: PathBuf,
        /// Writes the archive too.
        archive: bool,
    },
    /// `sfeed_update`, as Debian installs it.
    Sfeed,
}

impl Contender {
    /// Ours: this build, or the one just built.
    pub fn feedmill(binary: Option<&Path>, archive: bool) -> Self {
        let binary = binary.unwrap_or(Path::new(env!("CARGO_BIN_EXE_feedmill")));
        Self::Feedmill {
            binary: binary.to_owned(),
            archive,
        }
    }

    /// Writes its configuration into a fresh directory, and says how it is called.
    pub fn prepare(
        &self,
        scratch: &Path,
        feeds: usize,
        publishers: &Publishers,
    ) -> Result<Vec<OsString>> {
        let mut list = String::new();
        match self {
            Self::Feedmill { binary, archive } => {
                for feed in 0..feeds {
                    let url = publishers.url(feed);
                    writeln!(
                        list,
                        "[[feed]]\nid = \"f{feed}\"\nsource = \"feed\"\nurl = \"{url}\"\nallow_hosts = [\"127.0.0.1\"]\n"
                    )?;
                }
                let settings = format!(
                    "[fetch]\nmax_in_flight = 512\nper_host = 16\nper_address = 512\nhost_delay = \"0s\"\nuser_refresh = \"0s\"\n\n\
                     [archive]\nenabled = {archive}\n"
                );
                fs::create_dir(data(scratch))?;
                fs::write(scratch.join("feeds.toml"), list)?;
                fs::write(scratch.join("feedmill.toml"), settings)?;
                let mut command: Vec<OsString> = vec![binary.into()];
                command.extend(["fetch", "--once", "--json", "--config"].map(OsString::from));
                command.extend([scratch.join("feedmill.toml").into(), "--feeds".into()]);
                command.extend([
                    scratch.join("feeds.toml").into(),
                    "--data".into(),
                    data(scratch).into(),
                ]);
                Ok(command)
            }
            Self::Sfeed => {
                writeln!(list, "sfeedpath='{}'\nfeeds() {{", data(scratch).display())?;
                for feed in 0..feeds {
                    writeln!(list, "feed 'f{feed}' '{}'", publishers.url(feed))?;
                }
                list.push_str("}\n");
                let file = scratch.join("sfeedrc");
                fs::write(&file, list)?;
                Ok(vec!["sfeed_update".into(), file.into()])
            }
        }
    }

    /// What it has, as pairs of feed and entry: one for each row, so that a doubled entry is there twice.
    pub fn stored(&self, scratch: &Path) -> Result<Vec<(usize, usize)>> {
        let data = data(scratch);
        match self {
            Self::Feedmill { .. } => {
                database(&data).map_or_else(|| Ok(Vec::new()), |file| articles(&file))
            }
            Self::Sfeed => {
                let mut stored = Vec::new();
                for file in fs::read_dir(&data)? {
                    let lines = fs::read_to_string(file?.path())?;
                    // sfeed(5): the third field is the link.
                    stored.extend(
                        lines
                            .lines()
                            .filter_map(|line| entry_named(line.split('\t').nth(2)?)),
                    );
                }
                Ok(stored)
            }
        }
    }

    /// Whether articles are stored that were not looked at yet: by who looks for copies, or by the search index.
    pub fn is_behind(&self, scratch: &Path) -> Result<bool> {
        let Self::Feedmill { .. } = self else {
            return Ok(false);
        };
        let file = database(&data(scratch)).context("there is no store")?;
        let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let behind = "SELECT (SELECT max(seq) FROM article)
                > min((SELECT next - 1 FROM search_state), (SELECT coalesce(cursor, -1) FROM grouping))";
        Ok(store.query_row(behind, [], |row| row.get(0))?)
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feedmill { archive: false, .. } => "feedmill",
            Self::Feedmill { archive: true, .. } => "feedmill + archive",
            Self::Sfeed => "sfeed",
        })
    }
}

/// Where a contender keeps what it has.
pub fn data(scratch: &Path) -> PathBuf {
    scratch.join("data")
}

/// Every article in the store: a second revision of an entry counts as doubled, since no entry here ever changes. The
/// one place that knows the schema.
fn articles(file: &Path) -> Result<Vec<(usize, usize)>> {
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = store
        .prepare("SELECT entry.key FROM article JOIN entry ON article.entry = entry.first_seq")?;
    let keys = select.query_map([], |row| row.get::<_, String>(0))?;
    keys.map(|key| {
        let key = key?;
        entry_named(&key).with_context(|| format!("an entry nobody published: {key}"))
    })
    .collect()
}

/// The `SQLite` database in a directory.
fn database(data: &Path) -> Option<PathBuf> {
    let is_database = |path: &PathBuf| {
        let mut magic = [0; 16];
        File::open(path)
            .and_then(|mut file| file.read_exact(&mut magic))
            .is_ok()
            && &magic == b"SQLite format 3\0"
    };
    fs::read_dir(data)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(is_database)
}

/// Whether the peer is here.
pub fn has_sfeed() -> bool {
    let which = Command::new("sh")
        .args(["-c", "command -v sfeed_update"])
        .stdout(Stdio::null())
        .status();
    which.is_ok_and(|status| status.success())
}

/// The end of what a command printed.
pub fn last_words(output: &Path) -> String {
    let text = fs::read_to_string(output).unwrap_or_default();
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no output")
        .to_owned()
}
