//! Texts that differ in a time of day alone.

use std::iter::Peekable;
use std::str::Chars;

/// A run of digits and what parts a time of day is not longer than this.
const LONGEST: usize = 16;

/// Whether two texts are the same but for times of day (`12:31`, `下午3点05分`, `9:04:11.5 pm`), how long ago something was
/// (`5分钟前`), and moments as they stand in addresses: seconds or milliseconds since 1970, `20261201123105`. Other numbers
/// count: scores and prices change, too.
pub(super) fn same(before: &str, after: &str) -> bool {
    let (mut before, mut after) = (Rest::of(before), Rest::of(after));
    loop {
        match (before.next(), after.next()) {
            (None, None) => return true,
            (a, b) if a == b => {}
            _ => return false,
        }
    }
}

/// A text without its times; each is one NUL, which no text of ours has.
struct Rest<'a> {
    chars: Peekable<Chars<'a>>,
    /// What was read ahead and is no time, last first.
    ahead: Vec<char>,
}

impl<'a> Rest<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            chars: text.chars().peekable(),
            ahead: Vec::new(),
        }
    }
}

impl Iterator for Rest<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(c) = self.ahead.pop() {
            return Some(c);
        }
        let first = self.chars.next()?;
        if digit(first).is_none() {
            return Some(first);
        }
        let mut run = vec![first];
        while let Some(c) = self
            .chars
            .next_if(|c| (digit(*c).is_some() || is_parting(*c)) && run.len() < LONGEST)
        {
            run.push(c);
        }
        // `12:` ends a sentence, and is no part of a time.
        let end = run
            .iter()
            .rposition(|c| digit(*c).is_some() || !is_colon(*c));
        let tail = run.split_off(end.map_or(0, |end| end + 1));
        self.ahead.extend(tail.into_iter().rev());
        if is_time(&run) {
            self.skip_fraction();
            self.skip_half();
            return Some('\0');
        }
        if self.skip_ago(&run) {
            return Some('\0');
        }
        self.ahead.extend(run.into_iter().skip(1).rev());
        Some(first)
    }
}

impl Rest<'_> {
    /// `.123` right behind a time with seconds.
    fn skip_fraction(&mut self) {
        if !self.ahead.is_empty() {
            return;
        }
        let mut look = self.chars.clone();
        if look.next_if(|c| matches!(c, '.' | ',')).is_some()
            && look.next_if(|c| digit(*c).is_some()).is_some()
        {
            while look.next_if(|c| digit(*c).is_some()).is_some() {}
            self.chars = look;
        }
    }

    /// What makes a number, with its unit where that parts times too (`5分`), how long ago something was.
    fn skip_ago(&mut self, run: &[char]) -> bool {
        let counts = run.iter().take_while(|c| digit(**c).is_some()).count();
        let unit: String = run.iter().skip(counts).collect();
        if counts > 3 || !self.ahead.is_empty() {
            return false;
        }
        let behind: String = self.chars.clone().take(12).collect();
        let whole = unit + &behind;
        let Some(ago) = AGO
            .iter()
            .find(|ago| whole.trim_start_matches(' ').starts_with(**ago))
        else {
            return false;
        };
        let blanks = whole.chars().take_while(|c| *c == ' ').count();
        let taken = blanks + ago.chars().count();
        for _ in 0..taken.saturating_sub(run.len() - counts) {
            self.chars.next();
        }
        true
    }

    /// ` am`, `PM`, `p.m.` right behind a time.
    fn skip_half(&mut self) {
        if !self.ahead.is_empty() {
            return;
        }
        let mut look = self.chars.clone();
        while look.next_if(|c| matches!(c, ' ' | '\u{a0}')).is_some() {}
        if look
            .next_if(|c| matches!(c, 'a' | 'p' | 'A' | 'P'))
            .is_none()
        {
            return;
        }
        look.next_if_eq(&'.');
        if look.next_if(|c| matches!(c, 'm' | 'M')).is_none() {
            return;
        }
        if look.peek().is_none_or(|c| !c.is_alphanumeric()) {
            self.chars = look;
        }
    }
}

/// How long ago something was, behind the number.
const AGO: [&str; 12] = [
    "秒前",
    "分钟前",
    "分鐘前",
    "小时前",
    "小時前",
    "个小时前",
    "個小時前",
    "minute ago",
    "minutes ago",
    "hour ago",
    "hours ago",
    "seconds ago",
];

fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(u32::from(c) - u32::from('０')),
        c => c.to_digit(10),
    }
}

fn is_colon(c: char) -> bool {
    matches!(c, ':' | '：')
}

fn is_parting(c: char) -> bool {
    is_colon(c) || matches!(c, '时' | '時' | '点' | '點' | '分' | '秒')
}

fn is_time(run: &[char]) -> bool {
    let groups: Vec<&[char]> = run
        .split(|c| is_parting(*c))
        .filter(|group| !group.is_empty())
        .collect();
    let value = |group: &[char]| {
        let digits = group.iter().filter_map(|c| digit(*c));
        digits.fold(0_u64, |sum, digit| sum * 10 + u64::from(digit))
    };
    match groups.as_slice() {
        [moment] => {
            let known = matches!((moment.len(), moment.first()), (10 | 13, Some('1' | '2')));
            (known || is_stamp(moment)) && run.len() == moment.len()
        }
        [hour, rest @ ..] if rest.len() <= 2 => {
            let two = |group: &&[char]| group.len() == 2 && value(group) <= 60;
            hour.len() <= 2 && value(hour) <= 24 && rest.iter().all(two)
        }
        _ => false,
    }
}

/// `20261201123105`, or without the seconds: a day and a time that there are.
fn is_stamp(moment: &[char]) -> bool {
    let digits: Vec<u32> = moment.iter().filter_map(|c| digit(*c)).collect();
    if !matches!(digits.len(), 12 | 14) {
        return false;
    }
    let two: Vec<u32> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |sum, digit| sum * 10 + digit))
        .collect();
    match two.as_slice() {
        [19 | 20, _, month, day, hour, rest @ ..] => {
            (1..=12).contains(month)
                && (1..=31).contains(day)
                && *hour < 24
                && rest.iter().all(|part| *part < 60)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_do_not_count_and_other_numbers_do() {
        let check = |before: &str, after: &str, expected| {
            assert_eq!(same(before, after), expected, "{before} / {after}");
            assert_eq!(same(after, before), expected, "{after} / {before}");
        };
        check("updated 12:31", "updated 09:05", true);
        check("updated 12:31", "updated 9:05 pm", true);
        check("at 12:31:07 a.m.", "at 1:02:03 PM.", true);
        check("at 12:31:07 am", "at 1:02:03 PM", true);
        check("更新于12点31分。", "更新于8点02分。", true);
        check("更新于１２：３１。", "更新于08:02。", true);
        check(
            "<img src=\"a?t=1770000000\">",
            "<img src=\"a?t=1770003600\">",
            true,
        );
        check(
            "<img src=\"a?t=1770000000\">",
            "<img src=\"a?t=17700\">",
            false,
        );
        // Words beside the time, and numbers that are none.
        check("12:31 one", "12:32 two", false);
        check("2:1", "3:1", false);
        check("30:25", "31:25", false);
        check("阅读 1234", "阅读 1240", false);
        check("3分", "4分", false);
        check("12:31", "", false);
        check("in 2025: 12", "in 2026: 12", false);
        check("at 12:31: a", "at 12:32: a", true);
        check("at 12:31: a", "at 12:32 a", false);
        check("", "", true);
        check("at 12:31:05.123Z", "at 12:32:07.9Z", true);
        check("a?v=20261201123105", "a?v=20261201134500", true);
        check("a?v=20261201123105", "a?v=20261399123105", false);
        check("a?v=202612011231", "a?v=202612020909", true);
        check("更新于5分钟前。", "更新于12分钟前。", true);
        check("更新于5分钟前。", "更新于3小时前。", true);
        check("5 minutes ago, a", "21 minutes ago, a", true);
        check("5 minutes ago, a", "21 minutes ago, b", false);
        check("5分钟前", "5分钟后", false);
        check("5分钟后", "6分钟后", false);
        check("12.5", "12.6", false);
    }
}
