//! Dates as terms: the years and months of articles. A letter with digits is no term of a text.

use crate::model::time::{Timestamp, Zone};

/// More terms than this are not worth it.
const MOST: usize = 64;

/// The terms of an article of this date: its year and its month.
pub(super) fn names(date: Timestamp) -> [String; 2] {
    let (year, month) = parts(date);
    [of_year(year), of_month(year, month)]
}

/// The terms of which every article between these dates, ends included, has one; `None` where there are too many.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Option<Vec<String>> {
    let (first, last) = (parts(from), parts(to));
    let mut terms = Vec::new();
    let (mut year, mut month) = first;
    while (year, month) <= last {
        if terms.len() == MOST {
            return None;
        }
        if month == 1 && (year, 12) <= last {
            terms.push(of_year(year));
            year += 1;
            continue;
        }
        terms.push(of_month(year, month));
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
    }
    Some(terms)
}

fn of_year(year: u32) -> String {
    format!("y{year}")
}

fn of_month(year: u32, month: u32) -> String {
    format!("m{}", year * 100 + month)
}

fn parts(date: Timestamp) -> (u32, u32) {
    let number = |form| date.civil(&Zone::utc(), form).parse().unwrap_or(0);
    (number("%Y"), number("%m"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn a_span_is_whole_years_and_the_months_beside_them() {
        let day = Timestamp::from_secs;
        let (november_2023, february_2025) = (day(1_700_000_000), day(1_740_000_000));
        assert_eq!(names(november_2023), ["y2023", "m202311"]);
        assert_eq!(
            between(november_2023, february_2025).unwrap(),
            ["m202311", "m202312", "y2024", "m202501", "m202502"]
        );
        assert_eq!(between(february_2025, november_2023), Some(Vec::new()));
        assert_eq!(
            between(
                Timestamp::from_millis(i64::MIN),
                Timestamp::from_millis(i64::MAX)
            ),
            None
        );
        // Whatever the span, who is in it has one of its terms.
        for month in 0..40 {
            let date = day(1_700_000_000 + month * 2_600_000);
            for to in 0..40 {
                let to = day(1_700_000_000 + to * 2_600_000);
                let terms = between(november_2023, to).unwrap();
                let found = names(date).iter().any(|name| terms.contains(name));
                assert_eq!(
                    found,
                    names(date)[1][1..] <= names(to)[1][1..],
                    "{date} {to}"
                );
            }
        }
    }
}
