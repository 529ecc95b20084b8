//! How much of a list one source may take, so that a busy one does not drown the rest.

use std::collections::HashMap;

/// A part of a whole, in ten-thousandths: what a person writes as 0.25 is 2500, and is counted without rounding errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// All of it: nobody is held back.
    pub const ALL: Self = Self(10_000);

    /// The part of this many ten-thousandths; `None` where that is nothing, or more than all.
    pub fn of(ten_thousandths: u32) -> Option<Self> {
        (1..=Self::ALL.0)
            .contains(&ten_thousandths)
            .then_some(Self(ten_thousandths))
    }

    /// The places it gives in a list of so many, rounded up: one at least. `None` where nobody is held back.
    pub fn quota(self, places: usize) -> Option<usize> {
        (self != Self::ALL).then(|| {
            let whole = u128::from(Self::ALL.0);
            let part = (places as u128 * u128::from(self.0)).div_ceil(whole);
            usize::try_from(part).unwrap_or(usize::MAX).max(1)
        })
    }
}

/// A list being filled from the newest down. Whoever has its share waits aside, and has the places that are left when
/// nobody else comes: a share leaves no place empty.
#[derive(Debug)]
pub struct Window<T> {
    places: usize,
    quota: usize,
    /// With the place each had when it was offered.
    taken: Vec<(usize, T)>,
    aside: Vec<(usize, T)>,
    offered: usize,
    /// How many places each source has.
    had: HashMap<i64, usize>,
}

impl<T> Window<T> {
    /// An empty list of so many places, so many for each source; `None`: as many as there are.
    pub fn new(places: usize, quota: Option<usize>) -> Self {
        Self {
            places,
            quota: quota.unwrap_or(usize::MAX),
            taken: Vec::new(),
            aside: Vec::new(),
            offered: 0,
            had: HashMap::new(),
        }
    }

    /// Offers the next one of a source, and says whether it makes sense to offer another.
    pub fn offer(&mut self, source: i64, one: T) -> bool {
        if self.is_full() {
            return false;
        }
        let had = self.had.entry(source).or_default();
        if *had < self.quota {
            *had += 1;
            self.taken.push((self.offered, one));
        } else if self.aside.len() < self.places {
            self.aside.push((self.offered, one));
        }
        self.offered += 1;
        !self.is_full()
    }

    /// How many were offered.
    pub fn offered(&self) -> usize {
        self.offered
    }

    /// Those that have a place, in the order they were offered.
    pub fn close(self) -> Vec<T> {
        let Self {
            places,
            mut taken,
            aside,
            ..
        } = self;
        let left = places.saturating_sub(taken.len());
        taken.extend(aside.into_iter().take(left));
        taken.sort_by_key(|(place, _)| *place);
        taken.into_iter().map(|(_, one)| one).collect()
    }

    fn is_full(&self) -> bool {
        self.taken.len() >= self.places
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_nothing() {
        let check = |parts: u32, places: usize, expected: Option<usize>| {
            assert_eq!(
                Share::of(parts).unwrap().quota(places),
                expected,
                "{parts} of {places}"
            );
        };
        check(2_500, 200, Some(50));
        check(700, 100, Some(7)); // 0.07 × 100 is more than 7 in binary fractions
        check(2_500, 10, Some(3));
        check(1, 200, Some(1));
        check(9_999, 10_000, Some(9_999));
        check(10_000, 200, None);
        check(2_500, 0, Some(1));
        assert_eq!(Share::of(0), None);
        assert_eq!(Share::of(10_001), None);
    }

    /// Sources as letters, newest first; what is taken as their places.
    fn taken(sources: &str, places: usize, quota: Option<usize>) -> (Vec<usize>, usize) {
        let mut window = Window::new(places, quota);
        for (place, source) in sources.bytes().enumerate() {
            if !window.offer(source.into(), place) {
                break;
            }
        }
        let offered = window.offered();
        (window.close(), offered)
    }

    #[test]
    fn a_busy_source_has_its_share_and_what_nobody_wants() {
        let check = |sources: &str, places, quota, expected: &[usize], looked_at: usize| {
            assert_eq!(
                taken(sources, places, quota),
                (expected.to_vec(), looked_at),
                "{sources}: {quota:?} of {places}"
            );
        };
        check("aaaabbbb", 4, None, &[0, 1, 2, 3], 4);
        check("aaaabbbb", 4, Some(2), &[0, 1, 4, 5], 6);
        // Nobody but `a`: its newest fill the list.
        check("aaaaaa", 4, Some(1), &[0, 1, 2, 3], 6);
        // Too few others: the places they leave go to the newest that waited.
        check("aaaaba", 4, Some(1), &[0, 1, 2, 4], 6);
        check("aabbccdd", 4, Some(1), &[0, 2, 4, 6], 7);
        // A quota nobody reaches changes nothing.
        check("abcd", 4, Some(2), &[0, 1, 2, 3], 4);
        check("ab", 4, Some(1), &[0, 1], 2);
        check("aa", 4, Some(1), &[0, 1], 2);
        check("", 4, Some(1), &[], 0);
        check("abc", 0, Some(1), &[], 0);
    }
}
