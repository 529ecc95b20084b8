//! A date's text, cut into what its pieces can mean.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::words::{is_filler, named};

/// One piece of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `2025年`.
    Year(u64),
    /// `民國`: the year that follows is counted from 1912.
    Republic,
    /// `2月`.
    Month(u64),
    /// `Feb`, `二月`.
    MonthName(u64),
    /// `8日`.
    Day(u64),
    /// A number that says no more of itself.
    Number { value: u64, digits: usize },
    /// Hour, minute, second, nanoseconds: `17:34:27.5`, `17时34分`.
    Clock(u64, u64, u64, u32),
    /// `pm`, `下午`, or their opposites.
    Half(Half),
    /// A zone.
    Zone(ZoneWord),
    /// A word no date has. It stands once, however many there are.
    Prose,
}

/// Which twelve hours a clock of twelve is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// From midnight on.
    First,
    /// From noon on.
    Second,
    /// The evening, and the small hours after it: `晚上12:30` is half past midnight, of the day that begins.
    Night,
}

impl Half {
    /// An hour of these as one of twenty-four, and whether it is the next day's.
    pub fn hour(half: Option<Self>, hour: u64) -> (u64, bool) {
        match (half, hour) {
            (Some(Self::First), 12) => (0, false),
            (Some(Self::Second), 1..=11) | (Some(Self::Night), 6..=11) => (hour + 12, false),
            (Some(Self::Night), 12) => (0, true),
            _ => (hour, false),
        }
    }
}

/// What a text says about its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneWord {
    /// Seconds east of Greenwich.
    Offset(i32),
    /// China's or Chicago's.
    Cst,
    /// A word that could only be a zone, but is none we know.
    Unknown,
}

/// Full-width digits and letters as ASCII. Only they are folded: the marks of Chinese dates must stay.
pub(super) fn wide(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkc().collect::<String>().replace('\u{2212}', "-"))
    }
}

/// Cuts a text into parts; `None` where a number is longer than any date has.
pub(super) fn lex(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // No date has more pieces than this: what goes on longer is prose.
        if parts.len() > 12 {
            return None;
        }
        if first.is_ascii_digit() {
            rest = number(rest, &mut parts)?;
        } else if matches!(first, '+' | '-') && parts.iter().any(is_time) {
            rest = match offset(rest) {
                Some((seconds, left)) => {
                    parts.push(Part::Zone(ZoneWord::Offset(seconds)));
                    left
                }
                None => rest.get(1..)?,
            };
        } else if first == '(' {
            // A comment (RFC 2822 §3.2.3): `+0800 (CST)`.
            rest = rest.split_once(')').map_or("", |(_, left)| left);
        } else if let Some((part, left)) = chinese(rest) {
            parts.extend(part);
            rest = left;
        } else if first.is_alphabetic() {
            let end = rest
                .find(|c: char| !c.is_alphabetic() || ('\u{2e80}'..='\u{9fff}').contains(&c))
                .unwrap_or(rest.len())
                .max(first.len_utf8());
            let (word, left) = rest.split_at(end);
            let word = word.to_lowercase();
            match named(&word, &parts) {
                Some(part) => parts.push(part),
                None if is_filler(&word) || parts.contains(&Part::Prose) => {}
                None => parts.push(Part::Prose),
            }
            rest = left;
        } else {
            rest = rest.get(first.len_utf8()..)?;
        }
    }
    Some(parts)
}

/// Whether a sign behind this part begins an offset: behind a date it only joins numbers.
fn is_time(part: &Part) -> bool {
    matches!(
        part,
        Part::Clock(..)
            | Part::Number {
                digits: 6 | 12 | 14,
                ..
            }
    )
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

fn number<'a>(text: &'a str, parts: &mut Vec<Part>) -> Option<&'a str> {
    let (run, rest) = digits(text);
    if run.len() > 14 {
        return None;
    }
    let value = run.parse::<u64>().ok()?;
    let mut following = rest.trim_start().chars();
    let mark = following.next();
    let behind = following.as_str();
    match mark {
        Some('年' | '년') => parts.push(Part::Year(match parts.last() {
            Some(Part::Republic) => value + 1911,
            _ if run.len() == 2 => value + 2000,
            _ => value,
        })),
        Some('月' | '월') => parts.push(Part::Month(value)),
        Some('日' | '号' | '號' | '일') => parts.push(Part::Day(value)),
        Some(':' | '时' | '時' | '点' | '點' | '시') if run.len() <= 2 => {
            return clock(value, behind, parts);
        }
        _ => {
            parts.push(Part::Number {
                value,
                digits: run.len(),
            });
            return Some(rest);
        }
    }
    Some(behind)
}

/// What follows the hour and its mark.
fn clock<'a>(hour: u64, text: &'a str, parts: &mut Vec<Part>) -> Option<&'a str> {
    let mut fields = [0_u64; 2];
    let mut nanos = 0;
    let mut rest = text;
    for (place, field) in fields.iter_mut().enumerate() {
        let (run, left) = digits(rest.trim_start());
        if run.is_empty() || run.len() > 2 {
            break;
        }
        *field = run.parse().ok()?;
        rest = left;
        let mark = rest.chars().next();
        match (place, mark) {
            (0, Some(':' | '分' | '분')) | (1, Some('秒' | '초')) => {
                rest = rest.get(mark.map_or(0, char::len_utf8)..)?;
            }
            (1, Some('.' | ',')) => {
                let (fraction, left) = digits(rest.get(1..)?);
                let nine: String = fraction
                    .chars()
                    .chain("000000000".chars())
                    .take(9)
                    .collect();
                nanos = nine.parse().ok()?;
                rest = left;
            }
            _ => break,
        }
    }
    let [minute, second] = fields;
    if hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    parts.push(Part::Clock(hour, minute, second, nanos));
    Some(rest)
}

/// `+0800`, `+08:00`, `+8`, `-05`.
fn offset(text: &str) -> Option<(i32, &str)> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (run, rest) = digits(text.get(1..)?);
    let (hours, minutes, rest) = match run.len() {
        1 | 2 => match rest.strip_prefix(':').map(digits) {
            Some((minutes, left)) if minutes.len() == 2 => (run, minutes, left),
            _ => (run, "0", rest),
        },
        3 | 4 => {
            let (hours, minutes) = run.split_at(run.len() - 2);
            (hours, minutes, rest)
        }
        _ => return None,
    };
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    (hours <= 15 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// Chinese words of dates, and the two Korean ones for halves of the day, and what is left behind them.
fn chinese(text: &str) -> Option<(Option<Part>, &str)> {
    const WORDS: [(&str, Option<Part>); 40] = [
        ("民国", Some(Part::Republic)),
        ("民國", Some(Part::Republic)),
        ("北京时间", Some(Part::Zone(ZoneWord::Offset(8 * 3600)))),
        ("北京時間", Some(Part::Zone(ZoneWord::Offset(8 * 3600)))),
        ("下午", Some(Part::Half(Half::Second))),
        ("午后", Some(Part::Half(Half::Second))),
        ("午後", Some(Part::Half(Half::Second))),
        ("傍晚", Some(Part::Half(Half::Second))),
        ("中午", Some(Part::Half(Half::Second))),
        ("오후", Some(Part::Half(Half::Second))),
        ("上午", Some(Part::Half(Half::First))),
        ("午前", Some(Part::Half(Half::First))),
        ("早上", Some(Part::Half(Half::First))),
        ("清晨", Some(Part::Half(Half::First))),
        ("凌晨", Some(Part::Half(Half::First))),
        ("오전", Some(Part::Half(Half::First))),
        ("晚上", Some(Part::Half(Half::Night))),
        ("晚间", Some(Part::Half(Half::Night))),
        ("晚間", Some(Part::Half(Half::Night))),
        ("夜间", Some(Part::Half(Half::Night))),
        ("夜間", Some(Part::Half(Half::Night))),
        ("深夜", Some(Part::Half(Half::Night))),
        ("夜里", Some(Part::Half(Half::Night))),
        ("夜裡", Some(Part::Half(Half::Night))),
        ("晚", Some(Part::Half(Half::Night))),
        ("十二月", Some(Part::MonthName(12))),
        ("十一月", Some(Part::MonthName(11))),
        ("十月", Some(Part::MonthName(10))),
        ("九月", Some(Part::MonthName(9))),
        ("八月", Some(Part::MonthName(8))),
        ("七月", Some(Part::MonthName(7))),
        ("六月", Some(Part::MonthName(6))),
        ("五月", Some(Part::MonthName(5))),
        ("四月", Some(Part::MonthName(4))),
        ("三月", Some(Part::MonthName(3))),
        ("二月", Some(Part::MonthName(2))),
        ("一月", Some(Part::MonthName(1))),
        ("星期", None),
        ("周", None),
        ("週", None),
    ];
    let (word, part) = WORDS.iter().find(|(word, _)| text.starts_with(word))?;
    let rest = text.get(word.len()..)?;
    // The day of the week says nothing the date does not.
    let rest = if part.is_none() {
        rest.trim_start_matches(['一', '二', '三', '四', '五', '六', '日', '天'])
    } else {
        rest
    };
    Some((*part, rest))
}
