//! What the operator's rules say of an article: which of them match, one after the other, and what they do then.
//!
//! All rules are asked, in their order, and each does what it says. What one rule tags, a later one may match by `tag:`;
//! an earlier one does not see it, so there are no loops. No rule undoes another.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use crate::model::article::StoredArticle;
use crate::model::ids::FeedId;
use crate::model::ruling::{Act, Marks, RuleText};
use crate::model::time::Zone;
use crate::rules::html;
use crate::rules::query::{Haystack, Query, QueryError, Searchable};
use crate::rules::terms::Mapped;

/// A rule that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As it was written.
    pub text: RuleText,
    /// `None`: it matches nothing.
    query: Option<Query>,
}

impl Rule {
    /// Reads its query. Days begin at midnight UTC, as the dates of what is published.
    pub fn new(text: RuleText) -> Result<Self, QueryError> {
        let query = Query::parse(&text.query, &Zone::utc())?;
        Ok(Self {
            text,
            query: Some(query),
        })
    }

    /// One that was read before. Where that is not possible any more, it matches nothing.
    pub fn kept(text: RuleText) -> Self {
        Self {
            query: Query::parse(&text.query, &Zone::utc()).ok(),
            text,
        }
    }
}

/// The tags of feeds, by our subscriptions.
pub type FeedTags = HashMap<FeedId, Vec<String>>;

/// The places of the rules that match an article whose feed has these tags. Its words are read only where a rule needs
/// them.
pub fn judge(rules: &[Rule], stored: &StoredArticle, tags: &[String]) -> Vec<usize> {
    let texts = OnceCell::new();
    let date = stored.date();
    let mut tags = tags.to_vec();
    let mut matching = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let possible = |query: &&Query| query.possible(&stored.feed, &tags, Some(date));
        let Some(query) = rule.query.as_ref().filter(possible) else {
            continue;
        };
        let haystack = Haystack {
            texts: texts.get_or_init(|| Searchable::of(&stored.article)),
            feed: &stored.feed,
            tags: &tags,
            date,
        };
        if !query.matches(&haystack) {
            continue;
        }
        matching.push(place);
        for act in &rule.text.acts {
            if let Act::Tag(tag) = act
                && !tags.contains(tag)
            {
                tags.push(tag.clone());
            }
        }
    }
    matching
}

/// What matching rules do, each act with its rule.
pub fn acts<'a>(
    rules: &'a [Rule],
    matching: &'a [usize],
) -> impl Iterator<Item = (usize, &'a Act)> {
    matching.iter().flat_map(|place| {
        let rule = rules.get(*place);
        let acts = rule.into_iter().flat_map(|rule| &rule.text.acts);
        acts.map(|act| (*place, act))
    })
}

/// What acts come to for whoever is shown the entry.
pub fn marks<'a>(acts: impl IntoIterator<Item = &'a Act>) -> Marks {
    let mut marks = Marks::default();
    for act in acts {
        match act {
            Act::Highlight => marks.highlight = true,
            Act::Tag(tag) if !marks.tags.contains(tag) => marks.tags.push(tag.clone()),
            Act::Tag(_) | Act::Drop => {}
        }
    }
    marks
}

/// Changes whenever the same articles might be judged otherwise: with the rules, and with the tags of feeds where a rule
/// asks for tags. `recipe` is that of the words that are compared.
pub fn print(rules: &[Rule], tags: &FeedTags, recipe: u32) -> [u8; 32] {
    let written: Vec<_> = rules
        .iter()
        .map(|rule| {
            (
                &rule.text.name,
                rule.query.as_ref().map(Query::normal),
                &rule.text.acts,
            )
        })
        .collect();
    let mut queries = rules.iter().filter_map(|rule| rule.query.as_ref());
    let asked = queries.any(Query::asks_for_tags);
    let tags: BTreeMap<_, _> = tags
        .iter()
        .filter(|(_, tags)| asked && !tags.is_empty())
        .collect();
    *blake3::hash(format!("{recipe} {written:?} {tags:?}").as_bytes()).as_bytes()
}

/// Characters before and after what was found.
const AROUND: usize = 12;

/// Where the words a rule wants stand in an article: each as the article writes it, with what is around it. Empty for a
/// rule that asks for no words.
pub fn found(rule: &Rule, stored: &StoredArticle) -> Vec<String> {
    let title = &stored.article.title;
    let body = html::words(&stored.article.body);
    let texts = [("title", title.as_str()), ("words", &*body)];
    let texts = texts.map(|(place, text)| (place, text, Mapped::of(text)));
    let mut found: Vec<String> = Vec::new();
    for (needle, prefix) in rule.query.iter().flat_map(Query::wanted) {
        for (place, text, mapped) in &texts {
            let Some(at) = mapped.text.places(needle, prefix).next() else {
                continue;
            };
            let shown = format!("{place}: {}", around(text, &mapped.original(&at)));
            if !found.contains(&shown) {
                found.push(shown);
            }
            break;
        }
    }
    found
}

fn around(text: &str, at: &std::ops::Range<usize>) -> String {
    let before = text.get(..at.start).unwrap_or_default();
    let after = text.get(at.end..).unwrap_or_default();
    let start = before.char_indices().rev().nth(AROUND - 1);
    let start = start.map_or(0, |(start, _)| start);
    let end = after
        .char_indices()
        .nth(AROUND)
        .map_or(after.len(), |(end, _)| end);
    format!(
        "{}{}[{}]{}{}",
        if start > 0 { "…" } else { "" },
        before.get(start..).unwrap_or_default(),
        text.get(at.clone()).unwrap_or_default(),
        after.get(..end).unwrap_or_default(),
        if end < after.len() { "…" } else { "" },
    )
    .split_whitespace()
    .collect::<Vec<_>>()
    .join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rule(query: &str, acts: &[Act]) -> Rule {
        Rule::new(RuleText {
            name: query.to_owned(),
            query: query.to_owned(),
            acts: acts.to_vec(),
        })
        .unwrap()
    }

    fn tag(name: &str) -> Act {
        Act::Tag(name.to_owned())
    }

    #[test]
    fn acts_come_to_marks() {
        let check = |acts: &[Act], tags: &[&str], highlight: bool| {
            let marks = marks(acts);
            assert_eq!(
                (marks.tags, marks.highlight),
                (
                    tags.iter().map(|tag| (*tag).to_owned()).collect(),
                    highlight
                ),
                "{acts:?}"
            );
        };
        check(&[], &[], false);
        check(&[Act::Drop], &[], false);
        check(
            &[tag("b"), Act::Highlight, tag("a"), tag("b")],
            &["b", "a"],
            true,
        );
    }

    #[test]
    fn a_print_is_that_of_what_the_rules_mean() {
        let feeds = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            FeedTags::from([("a".parse().unwrap(), tags)])
        };
        let one = [rule("選舉", &[Act::Drop])];
        let first = print(&one, &feeds(&["x"]), 1);
        let check = |rules: &[Rule], tags: &[&str], recipe, same: bool| {
            let other = print(rules, &feeds(tags), recipe);
            assert_eq!(other == first, same, "{rules:?} {tags:?} {recipe}");
        };
        check(&one, &["x"], 1, true);
        check(&one, &["y"], 1, true);
        check(&one, &["x"], 2, false);
        check(&[rule("選舉", &[Act::Highlight])], &["x"], 1, false);
        check(&[rule("天气", &[Act::Drop])], &["x"], 1, false);
        check(&[], &["x"], 1, false);
        // Where a rule asks for tags they matter, but those of a feed without any do not.
        let asks = [rule("tag:x", &[Act::Drop])];
        let of = |tags: &[&str]| print(&asks, &feeds(tags), 1);
        assert_ne!(of(&["x"]), of(&["y"]));
        assert_eq!(of(&[]), print(&asks, &FeedTags::new(), 1));
    }

    #[test]
    fn a_rule_that_cannot_be_read_any_more_keeps_its_place() {
        let kept = Rule::kept(RuleText {
            name: "r".to_owned(),
            query: "title:".to_owned(),
            acts: vec![Act::Drop],
        });
        assert_eq!(kept.query, None);
        let rules = [kept, rule("x", &[tag("t")])];
        let all: Vec<_> = acts(&rules, &[1]).collect();
        assert_eq!(all, [(1, &tag("t"))]);
    }
}
