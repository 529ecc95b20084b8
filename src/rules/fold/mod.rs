//! Traditional to Simplified, full-width to half-width, case and punctuation away: for matching only.
//!
//! The recipe: drop what cannot be seen, NFKC, one character of each set of spellings (`table.rs`), lower case, letters
//! and digits only, NFC. The last step is there because a dropped blank may bring two characters together that compose
//! (Hangul jamo, Indic vowel signs). [`ContentHash::RECIPE`](crate::model::content::ContentHash::RECIPE) is the
//! recipe's number: whoever changes anything here, or upgrades Unicode, raises it.
//!
//! NFKC splits: its result over a text is its results over the pieces, where every piece but the first begins with a
//! starter that composes with nothing before it (UAX #15, section 9.1). The map of `map.rs` knows those starters, and
//! what each becomes when another one follows it. They are nearly all of any text, and cost one look-up.

mod map;
mod table;

use unicode_normalization::UnicodeNormalization;

use crate::model::content::CanonicalText;
use map::{Entry, MAP, is_invisible, is_steady, simplified};

/// Folds a text for comparing. Folding a folded text changes nothing.
pub fn fold(text: &str) -> CanonicalText {
    let map = &*MAP;
    let mut out = Folded {
        text: String::with_capacity(text.len()),
        composes: false,
    };
    // The piece at hand: its starter, and how long `out` was before that starter was written. What `map` cannot say
    // alone takes the starter back and folds the piece as a whole.
    let (mut starter, mut before) = ("", 0);
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let (here, after) = rest.split_at(char.len_utf8());
        if char.is_ascii() {
            let (run, after) = rest.split_at(out.push_ascii(rest));
            let last = run.len() - 1;
            starter = &run[last..];
            before = out.text.len() - usize::from(run.as_bytes()[last].is_ascii_alphanumeric());
            rest = after;
            continue;
        }
        match map.get(char) {
            Entry::Vanishes => (starter, before, rest) = (here, out.text.len(), after),
            Entry::Becomes(folded) => {
                (starter, before, rest) = (here, out.text.len(), after);
                out.text.push(folded);
            }
            Entry::Depends => {
                let end = rest
                    .find(|c: char| map.get(c) != Entry::Depends)
                    .unwrap_or(rest.len());
                let (tail, after) = rest.split_at(end);
                out.text.truncate(before);
                out.push_piece(starter.chars().chain(tail.chars()));
                (starter, before, rest) = ("", out.text.len(), after);
            }
        }
    }
    CanonicalText::from_folded(out.finish())
}

struct Folded {
    text: String,
    /// Something was written that may compose with its neighbour.
    composes: bool,
}

impl Folded {
    /// Folds the ASCII that `text` begins with, and says how much that is.
    fn push_ascii(&mut self, text: &str) -> usize {
        let mut taken = 0;
        for chunk in text.as_bytes().chunks(64) {
            let mut kept = [0; 64];
            let (mut len, mut read) = (0, 0);
            for &byte in chunk.iter().take_while(|byte| byte.is_ascii()) {
                // Always written, and written over where it is no letter or digit: no branch to guess wrong.
                kept[len] = byte.to_ascii_lowercase();
                len += usize::from(byte.is_ascii_alphanumeric());
                read += 1;
            }
            self.text
                .push_str(str::from_utf8(&kept[..len]).unwrap_or_default());
            taken += read;
            if read < chunk.len() {
                break;
            }
        }
        taken
    }

    /// The recipe itself, up to the last step, over a piece of the text.
    fn push_piece(&mut self, piece: impl Iterator<Item = char>) {
        for char in piece.filter(|&c| !is_invisible(c)).nfkc() {
            for char in simplified(char).to_lowercase() {
                if char.is_alphanumeric() {
                    self.composes |= !is_steady(char);
                    self.text.push(char);
                }
            }
        }
    }

    fn finish(self) -> String {
        if self.composes {
            self.text.nfc().collect()
        } else {
            self.text
        }
    }
}

#[cfg(test)]
mod tests;
