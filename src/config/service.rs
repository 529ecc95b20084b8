//! The sections of `feedmill.toml` that only the daemon reads.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use toml::de::DeValue;

use crate::config::problems::shown;
use crate::config::raw::Block;
use crate::config::values;
use crate::rules::schedule::Floors;

/// `[schedule]`: how often feeds are asked (the numbers of POLLING 0.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Nobody is asked more often than these say.
    pub floors: Floors,
    /// Polls begun in a second at most.
    pub starts_per_second: u32,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            floors: Floors::default(),
            starts_per_second: 4,
        }
    }
}

impl ScheduleSettings {
    pub(super) fn read(&mut self, block: &mut Block<'_>) {
        const DAY: Duration = Duration::from_hours(24);
        let floor = || values::duration(Duration::from_secs(1)..=30 * DAY);
        block.set("floor", &mut self.floors.plain, floor());
        block.set("hinted_floor", &mut self.floors.hinted, floor());
        block.set("cold_floor", &mut self.floors.cold, floor());
        block.set(
            "starts_per_second",
            &mut self.starts_per_second,
            values::whole(1..=1000),
        );
    }
}

/// `[serve]`: the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// Where it listens, unless a socket is handed over.
    pub listen: SocketAddr,
    /// Proxies of our own, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            proxies: Vec::new(),
        }
    }
}

impl ServeSettings {
    pub(super) fn read(&mut self, block: &mut Block<'_>) {
        block.set("enabled", &mut self.enabled, values::flag);
        block.set("listen", &mut self.listen, listen);
        block.set("proxies", &mut self.proxies, proxies);
    }
}

fn listen(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = values::line(value)?;
    text.parse().map_err(|_| {
        format!(
            "`{}` is no address with a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
            shown(&text)
        )
    })
}

fn proxies(value: &DeValue<'_>) -> Result<Vec<IpAddr>, String> {
    let DeValue::Array(items) = value else {
        return Err("is a list of addresses: [\"127.0.0.1\"]".to_owned());
    };
    let address = |text: String| {
        text.parse()
            .map_err(|_| format!("`{}` is no IP address", shown(&text)))
    };
    items
        .iter()
        .map(|item| values::line(item.get_ref()).and_then(address))
        .collect()
}
