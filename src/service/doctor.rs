//! What may keep the program from its work: looked at, never mended. Each check says what it found and what to do.

mod data;
mod machine;

use std::path::PathBuf;

use crate::model::time::Timestamp;

/// How well a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It is well.
    Well,
    /// It works, and somebody should know.
    Mind,
    /// Something does not work, or will not for long.
    Bad,
}

impl Grade {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Mind => "warn",
            Self::Bad => "bad",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How well it is.
    pub grade: Grade,
    /// What was found.
    pub what: String,
    /// What to do; empty where it is well.
    pub remedy: String,
}

impl Finding {
    /// It is well.
    pub fn well(check: &'static str, what: impl Into<String>) -> Self {
        Self {
            check,
            grade: Grade::Well,
            what: what.into(),
            remedy: String::new(),
        }
    }

    /// It works, and this should be done.
    pub fn mind(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            grade: Grade::Mind,
            remedy: remedy.into(),
            ..Self::well(check, what)
        }
    }

    /// It does not work, and this has to be done.
    pub fn bad(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            grade: Grade::Bad,
            ..Self::mind(check, what, remedy)
        }
    }
}

/// Where things are on this machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What the clock says.
    pub now: Timestamp,
    /// The root of the file system: `/`.
    pub root: PathBuf,
    /// Where temporary files go.
    pub temporary: PathBuf,
    /// The file of certificate authorities that the environment names.
    pub authorities: Option<PathBuf>,
}

/// Where the program keeps its things, by its configuration.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The data directory.
    pub data: PathBuf,
    /// The store.
    pub store: PathBuf,
    /// The archive; `None` where there is none.
    pub archive: Option<PathBuf>,
    /// The files of the configuration, where there are passwords in it.
    pub secrets: Vec<PathBuf>,
}

/// Looks at what every machine has.
pub fn machine(machine: &Machine) -> Vec<Finding> {
    vec![
        machine::clock(machine),
        machine::zones(),
        machine::authorities(machine),
        machine::units(machine),
    ]
}

/// Looks at what the program keeps. `thorough` compares every index of the store with its table.
pub fn kept(machine: &Machine, kept: &Kept, thorough: bool) -> Vec<Finding> {
    let mut found = vec![machine::permissions(kept), machine::secrets(kept)];
    found.extend(data::look(machine, kept, thorough));
    found
}
