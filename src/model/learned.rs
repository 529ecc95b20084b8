//! What is learned of a feed from poll to poll: numbers that rules make and read, kept with the feed as one JSON object.
//! Released names stay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::hints::{Hints, is_default, millis_maybe};
use crate::model::time::Timestamp;

/// All that is learned. The default is of a feed that was never asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// When its entries come.
    pub rhythm: Rhythm,
    /// What its last document says of when to ask.
    #[serde(skip_serializing_if = "is_default")]
    pub hints: Hints,
    /// The 429s of late.
    #[serde(skip_serializing_if = "is_default")]
    pub slowed: Slowed,
    /// How many entries its last document held.
    pub window: u32,
    /// How long its answers are fresh by the server's word; a bare 304 is as fresh again (P-09).
    #[serde(with = "millis_maybe", skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Duration>,
    /// The mean size of its whole answers that turned out unchanged, in bytes; 0 where a 304 comes instead.
    #[serde(skip_serializing_if = "is_default")]
    pub unchanged: u64,
    /// Where it redirects to for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Where it is asked since that was believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The address in our orders at its last poll: what its publisher said of it binds no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<String>,
    /// The cron schedule in our orders at its last poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The credentials of its last poll, by their mark: what was refused with some binds no others (P-46).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<u32>,
    /// What is known of its 304s.
    #[serde(skip_serializing_if = "is_default")]
    pub honesty: Honesty,
    /// Answers in a row, of one kind, after which nobody asks any more by the clock (P-45, P-46).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// What its documents were like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sights: Option<Box<Sights>>,
    /// Its last answers are marked `Cache-Control: private`: they are for us, and not for others (P-23).
    #[serde(skip_serializing_if = "is_default")]
    pub private: bool,
}

impl Learned {
    /// What its documents were like.
    pub fn sights(&self) -> Sights {
        self.sights.as_deref().copied().unwrap_or_default()
    }
}

/// What a feed's documents were like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sights {
    /// When its ids were last found to identify nothing (P-122).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lying: Option<Timestamp>,
    /// When the newest document that was read was made, by its server's word (P-135).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Timestamp>,
    /// The last time entries may have come and gone unseen (P-133).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// A time in which entries may have come and gone unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From the poll before.
    pub from: Timestamp,
    /// To the poll that knew none of the entries it found.
    pub to: Timestamp,
    /// About how many, by the feed's rhythm.
    pub entries: u32,
}

/// A new address that is believed (P-71).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address in our orders; where they name another, this is void.
    pub from: String,
    /// Where it is asked instead.
    pub to: String,
    /// The old one was tried again after the new one had failed for long (P-73).
    #[serde(default, skip_serializing_if = "is_default")]
    pub tried_old: bool,
}

/// Whether a feed's 304s can be believed (P-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Honesty {
    /// The last whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<Timestamp>,
    /// When it was last asked without validators, to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probed: Option<Timestamp>,
    /// Something had changed then, though it had said 304.
    #[serde(skip_serializing_if = "is_default")]
    pub liar: bool,
}

/// Answers in a row that say: do not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// 410 or 401.
    pub status: u16,
    /// How many in a row.
    pub times: u32,
}

/// What is learned of one feed. A few numbers, kept with the feed from poll to poll.
///
/// Whatever was stored, reading it back and going on gives finite numbers: see [`Rhythm::per_day`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rhythm {
    /// Entries and days, forgotten over a fortnight.
    pub slow: Memory,
    /// The same, forgotten over six hours.
    pub fast: Memory,
    /// The highest rate of the last weeks, in entries a day.
    pub peak: f64,
    /// When the newest entry came, in milliseconds since the epoch.
    pub last: Option<i64>,
    /// When no known entry was left in the feed's document: some had come and gone unseen (P-133).
    pub overrun: Option<i64>,
    /// Its longest silences.
    pub silences: Silences,
}

/// Entries seen in days watched, the older the less: the two numbers of a Gamma distribution over the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Entries.
    pub entries: f64,
    /// Days.
    pub days: f64,
}

/// The longest silence of each of the last weeks that had an entry.
///
/// Entries do not come as dice fall: offices close for the weekend, and a count of entries a day would call every
/// Sunday an accident. The longest silence of a week knows of nights and weekends, whatever the source's are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Silences {
    /// In hours, the newest week first.
    pub weeks: Vec<f64>,
    /// Which week the first is: weeks since the epoch.
    pub week: i64,
}

/// How often a feed was told 429 of late: each doubles its floor, each clean week halves it again (P-35).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slowed {
    /// How often it was doubled when `since` was.
    pub times: u32,
    /// The last 429.
    pub since: Option<Timestamp>,
}

/// A permanent redirect, as long as it is met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// From where.
    #[serde(default)]
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// How many polls met it, one after the other.
    pub times: u32,
    /// The first of them.
    pub since: Timestamp,
    /// The last of them.
    pub until: Timestamp,
}
