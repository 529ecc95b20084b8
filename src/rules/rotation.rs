//! Which copies of the store stay: the newest, and of days, weeks and months gone by one each.

use std::collections::BTreeSet;

use crate::model::time::{Timestamp, Zone};

/// How many copies stay. One that counts twice is there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The newest of all; one at least.
    pub newest: usize,
    /// Of each of so many last days that have one, the newest.
    pub daily: usize,
    /// Of weeks, likewise; a week begins on Monday.
    pub weekly: usize,
    /// Of months, likewise.
    pub monthly: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            newest: 1,
            daily: 7,
            weekly: 4,
            monthly: 12,
        }
    }
}

impl Rotation {
    /// The newest so many, and no others.
    pub fn of(newest: usize) -> Self {
        Self {
            newest,
            daily: 0,
            weekly: 0,
            monthly: 0,
        }
    }

    /// Of copies made at these times, those that go. `made` is the one just made: it stays whatever the clock says, as does
    /// the newest.
    pub fn surplus(&self, copies: &[Timestamp], made: Timestamp) -> Vec<Timestamp> {
        let all: BTreeSet<Timestamp> = copies.iter().copied().collect();
        let newest_first = || all.iter().rev().copied();
        let mut stay: BTreeSet<Timestamp> = newest_first().take(self.newest.max(1)).collect();
        stay.insert(made);
        for (format, most) in [
            ("%Y-%m-%d", self.daily),
            ("%G-W%V", self.weekly), // ISO 8601
            ("%Y-%m", self.monthly),
        ] {
            let mut spans = BTreeSet::new();
            for copy in newest_first() {
                if spans.len() == most {
                    break;
                }
                if spans.insert(copy.civil(&Zone::utc(), format)) {
                    stay.insert(copy);
                }
            }
        }
        all.difference(&stay).copied().collect()
    }
}

/// The name of a copy: `feedmill-20261130T231500Z.sqlite`.
pub fn file_name(at: Timestamp) -> String {
    format!(
        "feedmill-{}.sqlite",
        at.civil(&Zone::utc(), "%Y%m%dT%H%M%SZ")
    )
}

/// When the copy of this name was made; `None`: it is no name of ours.
pub fn parse_file_name(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix("feedmill-")?.strip_suffix("Z.sqlite")?;
    let digits = |text: &str, most| text.len() == most && text.bytes().all(|b| b.is_ascii_digit());
    let (day, clock) = time.split_once('T')?;
    if !digits(day, 8) || !digits(clock, 6) {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(day, 0, 4)?,
        part(day, 4, 6)?,
        part(day, 6, 8)?,
        part(clock, 0, 2)?,
        part(clock, 2, 4)?,
        part(clock, 4, 6)?
    );
    let time = written.parse::<jiff::Timestamp>().ok()?;
    let at = Timestamp::from(time);
    // A leap second is read as another: what would be written otherwise is not ours.
    (file_name(at) == name).then_some(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_file_name(&format!("feedmill-{text}Z.sqlite")).unwrap()
    }

    /// What stays of these, newest first.
    fn stay(rotation: Rotation, copies: &[&str], made: &str) -> Vec<String> {
        let all: Vec<Timestamp> = copies.iter().map(|text| at(text)).collect();
        let gone = rotation.surplus(&all, at(made));
        let mut left: Vec<&str> = copies
            .iter()
            .copied()
            .filter(|text| !gone.contains(&at(text)))
            .collect();
        left.sort_unstable();
        left.reverse();
        left.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let time = Timestamp::from_secs(1_796_080_500);
        assert_eq!(parse_file_name(&file_name(time)), Some(time));
        for other in [
            "",
            "feedmill.sqlite",
            "feedmill-20261130T231500Z.sqlite-wal",
            "feedmill-20261130T231500.sqlite",
            "feedmill-20261330T231500Z.sqlite",
            "feedmill-20261130T236000Z.sqlite",
            "feedmill-20261130T235960Z.sqlite",
            "feedmill-2026113０T231500Z.sqlite",
            "feedmill-+2061130T231500Z.sqlite",
            "Feedmill-20261130T231500Z.sqlite",
        ] {
            assert_eq!(parse_file_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_stay() {
        let copies = ["20260101T000000", "20260102T000000", "20260103T000000"];
        let check = |newest, made, expected: &[&str]| {
            assert_eq!(stay(Rotation::of(newest), &copies, made), expected);
        };
        check(
            2,
            "20260103T000000",
            &["20260103T000000", "20260102T000000"],
        );
        check(
            9,
            "20260103T000000",
            &["20260103T000000", "20260102T000000", "20260101T000000"],
        );
        // Nobody can order that none stays; and what was just made stays, though the clock went back.
        check(0, "20260103T000000", &["20260103T000000"]);
        check(
            1,
            "20260101T000000",
            &["20260103T000000", "20260101T000000"],
        );
        assert_eq!(Rotation::of(1).surplus(&[], at("20260101T000000")), []);
    }

    #[test]
    fn of_days_weeks_and_months_the_newest_stays() {
        let rotation = Rotation {
            newest: 1,
            daily: 2,
            weekly: 2,
            monthly: 3,
        };
        let copies = [
            "20260315T180000", // Sunday
            "20260315T060000",
            "20260314T180000",
            "20260313T180000",
            "20260309T180000", // Monday of the same week
            "20260308T180000", // Sunday of the week before
            "20260302T180000",
            "20260228T180000",
            "20260201T180000",
            "20260131T180000",
            "20251231T180000",
        ];
        assert_eq!(
            stay(rotation, &copies, "20260315T180000"),
            [
                "20260315T180000",
                "20260314T180000",
                "20260308T180000",
                "20260228T180000",
                "20260131T180000",
            ]
        );
    }

    #[test]
    fn two_years_of_copies_leave_what_is_ordered_and_no_more() {
        let rotation = Rotation::default();
        let mut copies: Vec<Timestamp> = Vec::new();
        for day in 0..730 {
            let made = Timestamp::from_secs(1_767_225_600 + day * 86_400);
            copies.push(made);
            let gone = rotation.surplus(&copies, made);
            copies.retain(|copy| !gone.contains(copy));
            assert!(
                copies.len() <= 7 + 4 + 12 && copies.contains(&made),
                "{day}"
            );
        }
        assert!(copies.len() >= 7 + 12, "{}", copies.len());
    }
}
