//! The configuration: two TOML files, checked whole before anything starts.
//!
//! `feeds.toml` says which feeds are asked, `feedmill.toml` how. Whatever is wrong in either is told at once, each
//! thing with its file and line ([`Problems`]). What [`Config::load`] returns needs no further checking.

mod credentials;
pub mod edit;
mod feeds;
mod groups;
mod images;
mod keep;
mod places;
mod problems;
mod raw;
mod rules;
mod schedule;
mod service;
mod settings;
mod values;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::config::feeds::{Feeds, Known};
use crate::config::raw::TomlFile;
use crate::model::feed::{SourceSpec, Subscription};
use crate::rules::ruling::Rule;

pub use crate::config::feeds::Rules;
pub use crate::config::groups::GroupSettings;
pub use crate::config::images::ImageSettings;
pub use crate::config::keep::BackupSettings;
pub use crate::config::places::Places;
pub use crate::config::problems::{Problem, Problems};
pub use crate::config::rules::of_file as rules_of_file;
pub use crate::config::schedule::schedule;
pub use crate::config::service::{ScheduleSettings, ServeSettings};
pub use crate::config::settings::{
    ArchiveSettings, FeedSettings, FetchSettings, LogSettings, Settings, StoreSettings,
};

/// A configuration that was found, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How the program behaves.
    pub settings: Settings,
    /// The feeds to ask, in the order of their file.
    pub subscriptions: Vec<Subscription>,
    /// The feeds with `enabled = false`: never asked, but what they brought is still theirs.
    pub disabled: Vec<Subscription>,
    /// The rules, in the order of their file.
    pub rules: Vec<Rule>,
    /// Which files were read.
    pub files: Files,
}

/// The files a configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The settings file; `None` where there is none and the defaults hold.
    pub settings: Option<PathBuf>,
    /// The feeds file.
    pub feeds: PathBuf,
}

impl Config {
    /// Finds, reads and checks both files. `sources` and `formats` are those the program has; `rules` are the
    /// sources' own, asked of every block that is otherwise fine.
    pub fn load(
        places: &Places,
        sources: &[&'static SourceSpec],
        formats: &[&'static str],
        rules: Rules<'_>,
    ) -> Result<Self, Problems> {
        Self::load_text(places, sources, formats, rules, None)
    }

    /// The same, with another text in the place of what the feeds file holds: what a change would make of it.
    pub fn load_text(
        places: &Places,
        sources: &[&'static SourceSpec],
        formats: &[&'static str],
        rules: Rules<'_>,
        feeds_text: Option<(&Path, &str)>,
    ) -> Result<Self, Problems> {
        let mut found = Vec::new();
        let settings_file = places.settings_file();
        let settings = match &settings_file {
            Some(path) => read(places, path, &mut found, Settings::read),
            None => Settings::default(),
        };
        let feeds_file = match feeds_text {
            Some((path, _)) => Ok(path.to_owned()),
            None => places.feeds_file(),
        };
        let known = Known {
            sources,
            formats,
            rules,
        };
        let feeds = match &feeds_file {
            Ok(path) => {
                let shown = places.shown(path);
                let file = match feeds_text {
                    Some((_, text)) => TomlFile::of_text(text, &shown),
                    None => TomlFile::read(path, &shown),
                };
                parse(file, &mut found, |file, tree| {
                    feeds::read(file, tree, known)
                })
            }
            Err(missing) => {
                found.push(missing.clone());
                Feeds::default()
            }
        };
        match feeds_file {
            Ok(feeds_file) if found.is_empty() => {
                let data = places.data_directory(&settings.data);
                Ok(Self {
                    settings: settings.below(data),
                    subscriptions: feeds.enabled,
                    disabled: feeds.disabled,
                    rules: feeds.rules,
                    files: Files {
                        settings: settings_file,
                        feeds: feeds_file,
                    },
                })
            }
            _ => Err(Problems::of(found)),
        }
    }
}

/// What a reader makes of a file; an empty value where the file could not be read, and `found` says why.
fn read<T: Default>(
    places: &Places,
    path: &Path,
    found: &mut Vec<Problem>,
    read: impl FnOnce(&TomlFile, &DeTable<'_>) -> T,
) -> T {
    parse(TomlFile::read(path, &places.shown(path)), found, read)
}

/// Likewise, of a file that was read or could not be.
fn parse<T: Default>(
    file: Result<TomlFile, Problem>,
    found: &mut Vec<Problem>,
    read: impl FnOnce(&TomlFile, &DeTable<'_>) -> T,
) -> T {
    let file = match file {
        Ok(file) => file,
        Err(problem) => {
            found.push(problem);
            return T::default();
        }
    };
    let value = file.parse().map(|tree| read(&file, &tree));
    found.extend(file.into_problems());
    value.unwrap_or_default()
}
