//! `[images]`: copies of pictures.

use std::time::Duration;

use crate::config::raw::Block;
use crate::config::values;

/// `[images]`: the bounds of what feeds with `images = "copy"` have copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSettings {
    /// Bytes of all copies at most.
    pub space: u64,
    /// Bytes of one.
    pub max: u64,
    /// Pictures of one entry.
    pub per_article: usize,
    /// Pictures asked for in a day, of all hosts together.
    pub per_day: usize,
    /// How long `fetch --once` copies after its polls; what is left waits for the next.
    pub once: Duration,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            space: 2_000_000_000,
            max: 8_000_000,
            per_article: 50,
            per_day: 5_000,
            once: Duration::from_mins(1),
        }
    }
}

impl ImageSettings {
    pub(super) fn read(&mut self, block: &mut Block<'_>) {
        block.set("space", &mut self.space, values::volume);
        block.set("max", &mut self.max, values::size);
        block.set(
            "per_article",
            &mut self.per_article,
            values::count(1..=1000),
        );
        block.set("per_day", &mut self.per_day, values::count(0..=1_000_000));
        let once = values::duration(Duration::ZERO..=Duration::from_hours(24));
        block.set("once", &mut self.once, once);
    }
}
