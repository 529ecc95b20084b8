//! What a text is found by: words, and overlapping pairs of characters where words are not parted.
//!
//! Terms only narrow a search down. Each candidate is looked at again in the words themselves
//! ([`SearchText::has`]), so a term more costs time and a term too few loses a hit: every term of what is asked must be
//! among the terms of each text that has it. `国` alone has no term; it is found by [`characters`] of whole blocks of
//! articles.

mod script;
mod snippet;
mod text;

use std::collections::HashSet;

pub use script::{Class, class};
pub use snippet::{Snippet, snippet};
pub use text::{Mapped, SearchText};

use crate::model::content::ContentHash;

/// The number of this recipe and of the fold below it. An index of another number is built anew.
pub const RECIPE: u32 = 2 << 8 | ContentHash::RECIPE as u32;

/// Longer words are indexed by their beginnings: nobody types more, and a stranger's word has no end.
const LONGEST: usize = 40;

/// More terms narrow nothing further down.
const MOST: usize = 24;

/// A term of what is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// As in the index: letters and digits.
    pub text: String,
    /// Whether it only begins so.
    pub prefix: bool,
}

/// The terms of some texts, each once, in the order they come.
pub fn terms<'a>(texts: impl IntoIterator<Item = &'a SearchText>) -> Vec<&'a str> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for text in texts {
        each_term(text, |term, _| {
            if seen.insert(term) {
                found.push(term);
            }
        });
    }
    found
}

/// The terms by which texts that have this are found; none where it is a single character.
pub fn asked(needle: &SearchText, prefix: bool) -> Vec<Term> {
    let mut found = Vec::new();
    let end = needle.as_str().len();
    each_term(needle, |term, after| {
        let open = prefix && after == end && term.chars().all(|c| class(c) != Class::Run);
        found.push(Term {
            text: term.to_owned(),
            prefix: open && term.chars().count() < LONGEST,
        });
    });
    found.sort();
    found.dedup();
    // Evenly, since neighbours overlap.
    let step = found.len().div_ceil(MOST).max(1);
    found.into_iter().step_by(step).collect()
}

/// The characters of some texts that may be asked for alone, each once, in order.
pub fn characters<'a>(texts: impl IntoIterator<Item = &'a SearchText>) -> Vec<char> {
    let mut found: Vec<char> = texts
        .into_iter()
        .flat_map(|text| text.as_str().chars())
        .filter(|&c| class(c) == Class::Run)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Gives each term with the place where the characters it was made of end.
fn each_term<'a>(text: &'a SearchText, mut each: impl FnMut(&'a str, usize)) {
    let text = text.as_str();
    let mut chars = text.char_indices().peekable();
    while let Some((start, char)) = chars.next() {
        let here = class(char);
        match here {
            Class::Gap => {}
            Class::Run => {
                if let Some(&(at, next)) = chars.peek()
                    && class(next) == Class::Run
                {
                    let end = at + next.len_utf8();
                    each(text.get(start..end).unwrap_or_default(), end);
                }
            }
            Class::Letter | Class::Digit => {
                let (mut end, mut cut, mut length) = (start + char.len_utf8(), None, 1);
                while let Some((at, next)) = chars.next_if(|&(_, next)| class(next) == here) {
                    if length == LONGEST {
                        cut = Some(at);
                    }
                    length += 1;
                    end = at + next.len_utf8();
                }
                each(text.get(start..cut.unwrap_or(end)).unwrap_or_default(), end);
            }
        }
    }
}

#[cfg(test)]
mod tests;
