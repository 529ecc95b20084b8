//! Dates told from the moment of reading: `刚刚`, `5分钟前`, `昨天 10:00`, `2 hours ago`.

use std::time::Duration;

use super::lexer::{Half, Part, lex};
use super::{Found, instant, on};
use crate::model::time::{Timestamp, Zone};

/// Units by the words they begin with, in seconds.
const UNITS: [(&str, u64); 27] = [
    ("秒", 1),
    ("分", 60),
    ("小时", 3600),
    ("小時", 3600),
    ("个小时", 3600),
    ("個小時", 3600),
    ("天", 86_400),
    ("日", 86_400),
    ("周", 604_800),
    ("週", 604_800),
    ("个星期", 604_800),
    ("个月", 2_592_000),
    ("個月", 2_592_000),
    ("年", 31_536_000),
    ("sec", 1),
    ("min", 60),
    ("hour", 3600),
    ("hr", 3600),
    ("day", 86_400),
    ("week", 604_800),
    ("month", 2_592_000),
    ("year", 31_536_000),
    ("h ", 3600),
    ("d ", 86_400),
    ("m ", 60),
    ("s ", 1),
    ("w ", 604_800),
];

/// What stands around a relative form: what was done then.
const DONE: [&str; 8] = [
    "更新",
    "发布",
    "發布",
    "發佈",
    "发表",
    "發表",
    "updated",
    "published",
];

/// Reads a relative form against the time it was fetched; `None` where it is none, or there is no such time.
pub(super) fn parse(text: &str, zone: &Zone, fetched: Option<Timestamp>) -> Option<Timestamp> {
    let now = fetched?;
    let lower = text.trim().to_lowercase();
    let text = DONE.iter().fold(lower.as_str(), |text, done| {
        let text = text.strip_prefix(done).unwrap_or(text);
        text.strip_suffix(done).unwrap_or(text)
    });
    let text = text.trim_start_matches(['于', '於', ':', ' ']).trim_end();
    if matches!(text, "刚刚" | "剛剛" | "刚才" | "剛才" | "just now" | "now") {
        return Some(now);
    }
    if let Some(amount) = text.strip_suffix('前').or_else(|| text.strip_suffix("ago")) {
        let end = amount.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = amount.split_at_checked(end)?;
        let number = match number {
            "" => u64::from(
                unit.starts_with('半') || unit.starts_with("a ") || unit.starts_with("an "),
            ),
            digits => digits.parse::<u64>().ok()?,
        };
        let unit = unit
            .trim_start_matches("an ")
            .trim_start_matches("a ")
            .trim_start();
        if let Some(unit) = unit.strip_prefix('半') {
            let (_, seconds) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
            return Some(now.minus(Duration::from_secs(seconds / 2)));
        }
        let (_, seconds) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        return (number > 0)
            .then(|| now.minus(Duration::from_secs(seconds.saturating_mul(number))));
    }
    let words = [
        ("今天", 0, None),
        ("今日", 0, None),
        ("today", 0, None),
        ("昨天", 1, None),
        ("昨日", 1, None),
        ("yesterday", 1, None),
        ("昨晚", 1, Some(Half::Night)),
        ("昨夜", 1, Some(Half::Night)),
        ("今早", 0, Some(Half::First)),
        ("今晨", 0, Some(Half::First)),
        ("今晚", 0, Some(Half::Night)),
        ("大前天", 3, None),
        ("前天", 2, None),
        ("前日", 2, None),
    ];
    let (rest, days, half) = words
        .iter()
        .find_map(|(word, days, half)| Some((text.strip_prefix(word)?, *days, *half)))?;
    let today = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
    let mut date = today.to_zoned(zone.as_jiff().clone()).date();
    for _ in 0..days {
        date = date.yesterday().ok()?;
    }
    let mut parts: Vec<Part> = half.map(Part::Half).into_iter().collect();
    parts.extend(lex(rest)?);
    let found = Found::in_parts(&parts)?;
    if !found.is_time_alone() {
        return None;
    }
    instant(on(date, found.time()?)?, None, zone)
}
