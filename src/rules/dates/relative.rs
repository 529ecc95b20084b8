//! Dates told from the moment of reading: `刚刚`, `5分钟前`, `昨天 10:00`, `2 hours ago`.

use std::time::Duration;

use jiff::civil::{DateTime, Time};

use super::instant;
use super::lexer::{Part, lex};
use crate::model::time::{Timestamp, Zone};

/// Units by the words they begin with, in seconds.
const UNITS: [(&str, u64); 24] = [
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
];

/// `一小时前`, `两天前`, `十分钟前`: the number in Chinese, where there is none in digits.
fn numeral(number: u64, unit: &str) -> (u64, &str) {
    const ONES: [(char, u64); 12] = [
        ('一', 1),
        ('二', 2),
        ('两', 2),
        ('兩', 2),
        ('三', 3),
        ('四', 4),
        ('五', 5),
        ('六', 6),
        ('七', 7),
        ('八', 8),
        ('九', 9),
        ('十', 10),
    ];
    let first = unit.chars().next();
    match ONES.iter().find(|(c, _)| number == 0 && Some(*c) == first) {
        Some((c, value)) => (*value, unit.get(c.len_utf8()..).unwrap_or_default()),
        None => (number, unit),
    }
}

/// Reads a relative form against the time it was fetched; `None` where it is none, or there is no such time.
pub(super) fn parse(text: &str, zone: &Zone, fetched: Option<Timestamp>) -> Option<Timestamp> {
    let now = fetched?;
    let text = text.trim().to_lowercase();
    if matches!(
        text.as_str(),
        "刚刚" | "剛剛" | "刚才" | "剛才" | "just now" | "now"
    ) {
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
        let (number, unit) = numeral(number, unit);
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
        ("今天", 0),
        ("今日", 0),
        ("today", 0),
        ("昨天", 1),
        ("昨日", 1),
        ("yesterday", 1),
        ("昨晚", 1),
        ("昨夜", 1),
        ("今早", 0),
        ("今晨", 0),
        ("今晚", 0),
        ("大前天", 3),
        ("前天", 2),
        ("前日", 2),
    ];
    let (rest, days) = words
        .iter()
        .find_map(|(word, days)| Some((text.strip_prefix(word)?, *days)))?;
    let today = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
    let mut date = today.to_zoned(zone.as_jiff().clone()).date();
    for _ in 0..days {
        date = date.yesterday().ok()?;
    }
    let mut time = Time::midnight();
    let evening = ["昨晚", "昨夜", "今晚"]
        .iter()
        .any(|word| text.starts_with(word));
    let mut afternoon = evening.then_some(true);
    for part in lex(rest)? {
        match part {
            Part::Clock(hour, minute, second, _) => {
                let hour = if afternoon == Some(true) && (1..12).contains(&hour) {
                    hour + 12
                } else {
                    hour
                };
                time = Time::new(
                    i8::try_from(hour).ok()?,
                    i8::try_from(minute).ok()?,
                    i8::try_from(second.min(59)).ok()?,
                    0,
                )
                .ok()?;
            }
            Part::Afternoon(after) => afternoon = Some(after),
            Part::Prose => {}
            _ => return None,
        }
    }
    instant(DateTime::from_parts(date, time), None, zone)
}
