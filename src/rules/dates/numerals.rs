//! Numbers in Chinese words, as digits: `二〇二六年`, `十五分钟前`, `三十日`.

use std::borrow::Cow;

/// What a number of a date or of a span of time stands before. Months have names of their own (`十月`).
const UNITS: [char; 16] = [
    '年', '日', '号', '號', '时', '時', '点', '點', '分', '秒', '小', '天', '周', '週', '个', '個',
];

fn value(c: char) -> Option<u64> {
    Some(match c {
        '〇' | '零' => 0,
        '一' => 1,
        '二' | '两' | '兩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        '十' => 10,
        _ => return None,
    })
}

/// The text with its numbers before a unit in digits.
pub(super) fn in_digits(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| value(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c| value(c).is_some()) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let end = from.find(|c| value(c).is_none()).unwrap_or(from.len());
        let (run, behind) = from.split_at(end);
        // `星期三`, `周一`: a day of the week is no number.
        let of_a_week = before.ends_with(['期', '周', '週', '拜']);
        match number(run) {
            Some(number) if !of_a_week && behind.starts_with(UNITS) => {
                out.push_str(&number.to_string());
            }
            _ => out.push_str(run),
        }
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `二十三` is 23, `二〇二六` one digit after the other.
fn number(run: &str) -> Option<u64> {
    let digits: Vec<u64> = run.chars().filter_map(value).collect();
    match *digits.as_slice() {
        [10] => Some(10),
        [10, ones] if ones < 10 => Some(10 + ones),
        [tens, 10] if tens < 10 => Some(tens * 10),
        [tens, 10, ones] if tens < 10 && ones < 10 => Some(tens * 10 + ones),
        [_, _, _, _] | [_] if !digits.contains(&10) => {
            Some(digits.iter().fold(0, |all, digit| all * 10 + digit))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_before_a_unit_are_digits() {
        for (text, expected) in [
            ("二〇二六年十一月三十日", "2026年十一月30日"),
            ("十五分钟前", "15分钟前"),
            ("二十分鐘前", "20分鐘前"),
            ("十小时前", "10小时前"),
            ("三个月前", "3个月前"),
            ("星期三日报", "星期三日报"),
            ("十月八日", "十月8日"),
            ("二二分", "二二分"),
            ("十十分", "十十分"),
            ("2026年", "2026年"),
        ] {
            assert_eq!(in_digits(text), expected, "{text}");
        }
    }
}
