//! The characters of a query. Invisible ones are not there, and full-width operators are operators.

use unicode_normalization::UnicodeNormalization;

use super::error::{QueryError, Why};
use crate::rules::fold::is_invisible;

/// What closes a phrase that this opens.
pub(super) fn closing(open: char) -> Option<&'static [char]> {
    match open {
        '"' | '＂' | '“' | '”' | '„' => Some(&['"', '＂', '“', '”']),
        '「' => Some(&['」']),
        '『' => Some(&['』']),
        _ => None,
    }
}

pub(super) fn is_minus(char: char) -> bool {
    matches!(char, '-' | '－' | '﹣' | '−')
}

pub(super) fn is_colon(char: char) -> bool {
    matches!(char, ':' | '：' | '﹕' | '︰')
}

pub(super) fn is_star(char: char) -> bool {
    matches!(char, '*' | '＊' | '﹡')
}

pub(super) fn is_bracket(char: char) -> bool {
    matches!(char, '(' | ')' | '（' | '）')
}

/// A name or a value as it is compared: width and case do not matter.
pub(super) fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfc().collect()
}

/// A place in a query.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// The visible characters with their places.
    chars: Vec<(usize, char)>,
    next: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let visible = text.char_indices().filter(|&(_, c)| !is_invisible(c));
        Self {
            text,
            chars: visible.collect(),
            next: 0,
        }
    }

    /// The character `ahead` of the next one.
    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).map(|&(_, c)| c)
    }

    /// Goes on by so many characters.
    pub(super) fn skip(&mut self, by: usize) {
        self.next += by;
    }

    /// Goes on as long as characters are such, and gives them.
    pub(super) fn take(&mut self, such: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(char) = self.peek(0).filter(|&c| such(c)) {
            taken.push(char);
            self.next += 1;
        }
        taken
    }

    /// Where it is, in bytes.
    pub(super) fn place(&self) -> usize {
        self.chars
            .get(self.next)
            .map_or(self.text.len(), |&(at, _)| at)
    }

    pub(super) fn error(&self, at: usize, why: Why) -> QueryError {
        QueryError {
            column: self
                .text
                .get(..at)
                .map_or(1, |before| before.chars().count() + 1),
            at,
            why,
        }
    }
}
