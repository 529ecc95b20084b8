//! `[groups]`: copies of articles whose words differ a little.

use std::time::Duration;

use toml::de::DeValue;

use crate::config::raw::Block;
use crate::config::values;
use crate::model::river::Collapse;

/// `[groups]`: whether such copies are looked for, and how far apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// Whether they are looked for, and name each other.
    pub enabled: bool,
    /// The most between the dates of two copies.
    pub window: Duration,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            window: Duration::from_hours(24 * 90),
        }
    }
}

impl GroupSettings {
    pub(super) fn read(&mut self, block: &mut Block<'_>) {
        const DAY: Duration = Duration::from_hours(24);
        block.set("enabled", &mut self.enabled, values::flag);
        block.set(
            "window",
            &mut self.window,
            values::duration(Duration::from_hours(1)..=3_660 * DAY),
        );
    }
}

/// The value of `collapse` in `[feed]`.
pub(super) fn collapse(value: &DeValue<'_>) -> Result<Collapse, String> {
    let names = Collapse::ALL.map(|(_, name)| name);
    let chosen = values::one_of(&names)(value)?;
    let found = Collapse::ALL.iter().find(|(_, name)| *name == chosen);
    Ok(found.map_or_else(Collapse::default, |(collapse, _)| *collapse))
}
