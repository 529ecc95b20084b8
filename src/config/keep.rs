//! What is let go, and copies of what there is: `[keep]`, `keep` in a feed's block, and `[backup]`.

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::config::problems::shown;
use crate::config::raw::{Block, TomlFile};
use crate::config::values;
use crate::model::keep::{Bound, Keep, KeepOrder};
use crate::rules::rotation::Rotation;

const DAY: Duration = Duration::from_hours(24);

/// The word for "for good".
const FOREVER: &str = "forever";

/// Reads `[keep]` over its defaults.
pub(super) fn settings(keep: &mut Keep, block: &mut Block<'_>) {
    let said = order(block);
    *keep = said.over(keep);
}

/// Reads `keep` of a feed's block.
pub(super) fn of_feed<'a>(file: &'a TomlFile, block: &mut Block<'a>) -> Option<KeepOrder> {
    let value = block.value("keep")?;
    let Some(table) = value.get_ref().as_table() else {
        let why = "wants what is kept how long, such as { body = \"2y\", pages = \"90d\" }";
        block.report("keep", why);
        return None;
    };
    let label = block.label_of("keep");
    let mut block = Block::new(file, table, label, value.span().start);
    let said = order(&mut block);
    block.finish(str::to_owned);
    Some(said)
}

fn order(block: &mut Block<'_>) -> KeepOrder {
    let said = KeepOrder {
        pages: block.get("pages", age),
        revisions: block.get("revisions", age),
        body: block.get("body", age),
        metadata: block.get("metadata", age),
        count: block.get("count", count),
        size: block.get("size", size),
    };
    // What has lost its title has lost its words.
    if let (Some(Bound::Of(body)), Some(Bound::Of(metadata))) = (said.body, said.metadata)
        && metadata < body
    {
        block.report(
            "metadata",
            "is shorter than `body`: the words cannot stay longer than the title",
        );
    }
    said
}

/// `"90d"`, `"2y"`, `"forever"`.
fn age(value: &DeValue<'_>) -> Result<Bound<Duration>, String> {
    const UNITS: [(&str, u64); 3] = [("d", 1), ("w", 7), ("y", 365)];
    let what =
        "a number of days, weeks or years in quotes, such as \"90d\" or \"2y\", or \"forever\"";
    let text = value.as_str().ok_or_else(|| format!("wants {what}"))?;
    if text.trim() == FOREVER {
        return Ok(Bound::Forever);
    }
    let days =
        values::quantity(text, &UNITS).ok_or_else(|| format!("`{}` is not {what}", shown(text)))?;
    if (1..=36_500).contains(&days) {
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        Ok(Bound::Of(DAY * days))
    } else {
        Err(format!("`{}` is not between 1d and 100y", shown(text)))
    }
}

fn is_forever(value: &DeValue<'_>) -> bool {
    value.as_str().is_some_and(|text| text.trim() == FOREVER)
}

fn count(value: &DeValue<'_>) -> Result<Bound<u64>, String> {
    if is_forever(value) {
        return Ok(Bound::Forever);
    }
    values::whole(1..=1_000_000_000)(value).map(|count| Bound::Of(u64::from(count)))
}

fn size(value: &DeValue<'_>) -> Result<Bound<u64>, String> {
    if is_forever(value) {
        return Ok(Bound::Forever);
    }
    values::volume(value).map(Bound::Of)
}

/// `[backup]`: copies of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// The directory they are written to.
    pub path: PathBuf,
    /// How often `run` makes one; `None`: never by itself.
    pub every: Option<Duration>,
    /// Which of them stay.
    pub keep: Rotation,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("backup"),
            every: None,
            keep: Rotation::default(),
        }
    }
}

impl BackupSettings {
    pub(super) fn read<'a>(&mut self, file: &'a TomlFile, block: &mut Block<'a>) {
        block.set("path", &mut self.path, values::path);
        block.set("every", &mut self.every, |value| match value.as_str() {
            Some(text) if text.trim().is_empty() => Ok(None),
            _ => values::duration(Duration::from_hours(1)..=365 * DAY)(value).map(Some),
        });
        let Some(value) = block.value("keep") else {
            return;
        };
        let Some(table) = value.get_ref().as_table() else {
            let why =
                "wants how many stay, such as { newest = 1, daily = 7, weekly = 4, monthly = 12 }";
            block.report("keep", why);
            return;
        };
        let label = block.label_of("keep");
        let mut block = Block::new(file, table, label, value.span().start);
        block.set("newest", &mut self.keep.newest, values::count(1..=1000));
        block.set("daily", &mut self.keep.daily, values::count(0..=1000));
        block.set("weekly", &mut self.keep.weekly, values::count(0..=1000));
        block.set("monthly", &mut self.keep.monthly, values::count(0..=1000));
        block.finish(str::to_owned);
    }
}
