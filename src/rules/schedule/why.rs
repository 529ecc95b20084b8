//! Why a feed is asked when it is.

use std::fmt;
use std::time::Duration;

/// What decided about the next time: the wish, or the bound that forbade anything sooner. Its Display is what people
/// read, after "next at …:".
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The feed's own rhythm.
    Rhythm {
        /// Entries a day to be expected.
        per_day: f64,
    },
    /// Its document holds few entries, and would overrun.
    Window {
        /// How many.
        entries: u32,
    },
    /// Little comes, but nobody is left longer than this.
    Longest(Duration),
    /// The cron schedule of feeds.toml.
    Schedule,
    /// There is one, but it never comes.
    NeverScheduled,
    /// Nobody is asked more often.
    Floor(Duration),
    /// A floor raised after a 429.
    Slowed {
        /// What it is now.
        floor: Duration,
        /// How often it was doubled.
        times: u32,
    },
    /// Nothing new for half a year.
    Cold(Duration),
    /// The feed says that it has ended.
    Ended(Duration),
    /// Retry-After or backoff, in the words it was stored with.
    Held(String),
    /// HTTP freshness.
    Fresh,
    /// RSS ttl.
    Ttl(Duration),
    /// sy:updatePeriod.
    Updates(Duration),
    /// Whole answers that turn out unchanged, of this mean size.
    Bodies(u64),
    /// skipHours and skipDays.
    Skip,
}

impl Why {
    /// One word for machines. Never changes.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rhythm { .. } => "rhythm",
            Self::Window { .. } => "window",
            Self::Longest(_) => "longest",
            Self::Schedule => "schedule",
            Self::NeverScheduled => "never-scheduled",
            Self::Floor(_) => "floor",
            Self::Slowed { .. } => "slowed",
            Self::Cold(_) => "cold",
            Self::Ended(_) => "ended",
            Self::Held(_) => "held",
            Self::Fresh => "fresh",
            Self::Ttl(_) => "ttl",
            Self::Updates(_) => "updates",
            Self::Bodies(_) => "bodies",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rhythm { per_day } => write!(f, "its rhythm: {}", Rate(*per_day)),
            Self::Window { entries } => write!(
                f,
                "its document holds {entries} entries, and must be read before they are pushed out of it"
            ),
            Self::Longest(time) => write!(f, "nobody is left alone longer than {}", Span(*time)),
            Self::Schedule => f.write_str("its schedule"),
            Self::NeverScheduled => f.write_str("its schedule never comes, so once a day"),
            Self::Floor(floor) => write!(f, "the floor of {}", Span(*floor)),
            Self::Slowed { floor, times } => write!(
                f,
                "the floor of {}, doubled {} after HTTP status 429",
                Span(*floor),
                if *times == 1 {
                    "once".to_owned()
                } else {
                    format!("{times} times")
                }
            ),
            Self::Cold(floor) => {
                write!(
                    f,
                    "nothing new for half a year: the floor of {}",
                    Span(*floor)
                )
            }
            Self::Ended(floor) => {
                write!(
                    f,
                    "the feed says that it has ended: the floor of {}",
                    Span(*floor)
                )
            }
            Self::Held(why) => f.write_str(why),
            Self::Fresh => f.write_str("fresh until then by the publisher's own word"),
            Self::Ttl(time) => write!(f, "the feed asks for {} between polls (ttl)", Span(*time)),
            Self::Updates(every) => {
                write!(f, "the feed says that it is put out every {}", Span(*every))
            }
            Self::Bodies(bytes) => write!(
                f,
                "it sends {} KiB whole each time though nothing changed",
                bytes.div_ceil(1024)
            ),
            Self::Skip => {
                f.write_str("the feed asks to be left alone until then (skipHours, skipDays)")
            }
        }
    }
}

/// A rate in words: `about 12 entries a day`, `about one entry in 9 days`.
pub(crate) struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1.5 {
            write!(f, "about {:.0} entries a day", self.0)
        } else if self.0 > 0.7 {
            f.write_str("about one entry a day")
        } else {
            write!(f, "about one entry in {:.0} days", 1.0 / self.0)
        }
    }
}

/// A time in words: `60 min`, `24 h`, `9 days`.
pub(crate) struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs().div_ceil(60);
        if minutes <= 120 || (minutes < 600 && !minutes.is_multiple_of(60)) {
            write!(f, "{minutes} min")
        } else if minutes <= 48 * 60 {
            write!(f, "{} h", minutes.div_ceil(60))
        } else {
            write!(f, "{} days", minutes.div_ceil(24 * 60))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_said_as_people_say_them() {
        let rate = |per_day| Rate(per_day).to_string();
        assert_eq!(rate(12.4), "about 12 entries a day");
        assert_eq!(rate(1.5), "about 2 entries a day");
        assert_eq!(rate(1.0), "about one entry a day");
        assert_eq!(rate(0.11), "about one entry in 9 days");
        let span = |minutes| Span(Duration::from_mins(minutes)).to_string();
        assert_eq!(span(60), "60 min");
        assert_eq!(span(120), "120 min");
        assert_eq!(span(150), "150 min");
        assert_eq!(span(240), "4 h");
        assert_eq!(span(24 * 60), "24 h");
        assert_eq!(span(24 * 60 * 9), "9 days");
    }
}
