//! What a feed brings along when it is new (POLLING P-132).

use std::collections::HashSet;

use crate::model::time::Timestamp;

/// The places of a first listing's entries that are its backlog: all but the `most` newest by date. Who has no date comes
/// after those that have one, and the first in the document before the others.
pub fn beyond(dates: &[Option<Timestamp>], most: usize) -> HashSet<usize> {
    let mut places: Vec<usize> = (0..dates.len()).collect();
    // A stable sort, and `None` is less than any date.
    places.sort_by_key(|place| std::cmp::Reverse(dates.get(*place).copied().flatten()));
    places.into_iter().skip(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_132_the_newest_are_no_backlog() {
        let check = |dates: &[i64], most, expected: &[usize]| {
            let dates: Vec<_> = dates
                .iter()
                .map(|secs| (*secs > 0).then(|| Timestamp::from_secs(*secs)))
                .collect();
            let mut found: Vec<_> = beyond(&dates, most).into_iter().collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{dates:?} {most}");
        };
        check(&[5, 4, 3], 2, &[2]);
        check(&[3, 4, 5], 2, &[0]);
        check(&[3, 3, 3], 2, &[2]);
        check(&[0, 0, 0], 2, &[2]);
        check(&[0, 1, 2], 2, &[0]);
        check(&[1, 2], 0, &[0, 1]);
        check(&[1, 2], 2, &[]);
        check(&[], 0, &[]);
    }
}
