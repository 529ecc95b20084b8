//! Where the two files and the data are: a function of what the person said, the working directory and the
//! environment, all of them values here.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::problems::Problem;

const SETTINGS: [&str; 2] = ["feedmill.toml", "config/feedmill.toml"];
const FEEDS: [&str; 1] = ["feeds.toml"];

/// What decides which files are read and where the data goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--feeds`.
    pub feeds: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// The working directory; relative paths start here.
    pub working: PathBuf,
    /// The machine's own directory, asked after the working directory.
    pub system: PathBuf,
    /// `$STATE_DIRECTORY` as systemd sets it: directories parted by colons, the first is ours.
    pub state: Option<OsString>,
}

impl Places {
    /// Nothing said: what is found from this working directory.
    pub fn below(working: impl Into<PathBuf>) -> Self {
        Self {
            config: None,
            feeds: None,
            data: None,
            working: working.into(),
            system: PathBuf::from("/etc/feedmill"),
            state: None,
        }
    }

    /// The places of this process; fails where the working directory is gone.
    pub fn of_process() -> io::Result<Self> {
        Ok(Self {
            state: env::var_os("STATE_DIRECTORY"),
            ..Self::below(env::current_dir()?)
        })
    }

    /// The settings file; `None` where there is none, and the defaults hold. A file that was named is read, whether
    /// it is there or not: reading it tells.
    pub(super) fn settings_file(&self) -> Option<PathBuf> {
        match &self.config {
            Some(named) => Some(self.working.join(named)),
            None => self.first_of(&SETTINGS),
        }
    }

    /// The feeds file, or where a new one goes: where `--feeds` says, else the working directory.
    pub fn feeds_file_to_edit(&self) -> PathBuf {
        self.feeds_file()
            .unwrap_or_else(|_| self.working.join(FEEDS[0]))
    }

    /// The feeds file, which has to be somewhere.
    pub(super) fn feeds_file(&self) -> Result<PathBuf, Problem> {
        if let Some(named) = &self.feeds {
            return Ok(self.working.join(named));
        }
        self.first_of(&FEEDS).ok_or_else(|| Problem {
            file: PathBuf::from("feeds.toml"),
            line: None,
            message: format!(
                "not found, neither in {} nor in {}: write one, or name it with --feeds",
                self.working.display(),
                self.system.display()
            ),
            allowed: None,
        })
    }

    /// The data directory: what was said, else the setting (empty if there is none), else systemd's, else `data` in the working directory.
    pub(super) fn data_directory(&self, setting: &Path) -> PathBuf {
        let setting = Some(setting).filter(|path| !path.as_os_str().is_empty());
        let said = self.data.as_deref().or(setting);
        let path = said
            .map(Path::to_owned)
            .or_else(|| {
                let list = self.state.as_ref()?;
                env::split_paths(list).find(|path| !path.as_os_str().is_empty())
            })
            .unwrap_or_else(|| PathBuf::from("data"));
        self.working.join(path)
    }

    /// The path as people know it: without the working directory in front, where that is more than the root.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix(&self.working).ok();
        let below = below.filter(|_| self.working.parent().is_some());
        below.unwrap_or(path).to_owned()
    }

    /// Every file that decides what the configuration is: those that are read, and those that would be if they were
    /// there.
    pub fn candidates(&self) -> Vec<PathBuf> {
        let of = |named: &Option<PathBuf>, names: &[&str]| match named {
            Some(named) => vec![self.working.join(named)],
            None => self.all_of(names),
        };
        [of(&self.config, &SETTINGS), of(&self.feeds, &FEEDS)].concat()
    }

    /// Whatever stands at the name counts, be it a directory or unreadable: reading it says what is wrong, and
    /// quietly taking the next file would not.
    fn first_of(&self, names: &[&str]) -> Option<PathBuf> {
        self.all_of(names)
            .into_iter()
            .find(|path| !matches!(path.try_exists(), Ok(false)))
    }

    /// Where these names may stand, the first to be looked at first.
    fn all_of(&self, names: &[&str]) -> Vec<PathBuf> {
        let system = names.iter().filter(|name| !name.contains('/'));
        names
            .iter()
            .map(|name| self.working.join(name))
            .chain(system.map(|name| self.system.join(name)))
            .collect()
    }
}
