//! Groups: what pairs of copies make together, and which of its members stands for one.

use std::collections::HashMap;

use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::time::Timestamp;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The number of its first revision.
    pub entry: ArticleSeq,
    /// Its feed.
    pub feed: FeedId,
    /// What it is published as.
    pub iri: String,
    /// What it sorts by.
    pub date: Timestamp,
    /// Folded characters without its site's own lines.
    pub len: u32,
    /// It is a part of another member: its summary or its beginning.
    pub part: bool,
}

impl Member {
    /// What says who was first, and is the same in whatever order they came: numbers are not.
    fn order(&self) -> (Timestamp, &str, &FeedId) {
        (self.date, &self.iri, &self.feed)
    }
}

/// The first copy by date.
pub fn first(members: &[Member]) -> Option<&Member> {
    members.iter().min_by_key(|member| member.order())
}

/// The copy that has most; of equals the first.
pub fn fullest(members: &[Member]) -> Option<&Member> {
    members
        .iter()
        .min_by(|a, b| b.len.cmp(&a.len).then_with(|| a.order().cmp(&b.order())))
}

/// The copy that is shown where a group is shown once: the first that is not merely a part of another. The fullest would
/// be the one with the most advertisements, and another one each time.
pub fn shown(members: &[Member]) -> Option<&Member> {
    let whole = members.iter().filter(|member| !member.part);
    whole
        .min_by_key(|member| member.order())
        .or_else(|| first(members))
}

/// Sets that are joined where two of their elements are. In whatever order that is done, the sets are the same.
#[derive(Clone, Debug, Default)]
pub struct Unions {
    above: HashMap<ArticleSeq, ArticleSeq>,
}

impl Unions {
    /// Joins the sets of two elements.
    pub fn join(&mut self, a: ArticleSeq, b: ArticleSeq) {
        let (a, b) = (self.top(a), self.top(b));
        self.above.insert(a.max(b), a.min(b));
    }

    /// The least element of this one's set.
    pub fn top(&mut self, of: ArticleSeq) -> ArticleSeq {
        let mut top = of;
        while let Some(above) = self.above.get(&top).filter(|above| **above != top) {
            top = *above;
        }
        if top != of {
            self.above.insert(of, top);
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(entry: u64, date: i64, len: u32, part: bool) -> Member {
        Member {
            entry: ArticleSeq(entry),
            feed: "f".parse().unwrap(),
            iri: format!("tag:{entry}"),
            date: Timestamp::from_secs(date),
            len,
            part,
        }
    }

    #[test]
    fn who_stands_for_a_group_does_not_depend_on_numbers() {
        let mut members = vec![
            member(9, 10, 50, true),
            member(1, 20, 900, false),
            member(5, 30, 950, false),
        ];
        for _ in 0..3 {
            members.rotate_left(1);
            let of = |found: Option<&Member>| found.unwrap().entry.0;
            assert_eq!(of(first(&members)), 9);
            assert_eq!(of(fullest(&members)), 5);
            assert_eq!(of(shown(&members)), 1, "the first is only a part");
        }
        for member in &mut members {
            member.part = true;
        }
        assert_eq!(shown(&members).unwrap().entry.0, 9);
        assert_eq!((first(&[]), shown(&[])), (None, None));
    }

    #[test]
    fn sets_are_the_same_in_any_order() {
        let pairs = [(1, 2), (3, 4), (2, 3), (7, 8), (4, 1), (9, 9)];
        for turn in 0..pairs.len() {
            let mut unions = Unions::default();
            for (a, b) in pairs.iter().cycle().skip(turn).take(pairs.len()) {
                unions.join(ArticleSeq(*b), ArticleSeq(*a));
            }
            let tops = [1, 2, 3, 4, 5, 7, 8, 9].map(|n| unions.top(ArticleSeq(n)).0);
            assert_eq!(tops, [1, 1, 1, 1, 5, 7, 7, 9]);
        }
    }
}
