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
use unicode_normalization::char::is_combining_mark;

use crate::model::content::CanonicalText;
use map::{Entry, MAP, is_steady, simplified};

pub use map::is_invisible;

/// Folds a text for comparing. Folding a folded text changes nothing.
pub fn fold(text: &str) -> CanonicalText {
    let map = &*MAP;
    let mut out = Folded {
        text: String::with_capacity(text.len()),
        composes: false,
    };
    // The piece at hand: the text from its starter on, and how long `out` was before that starter was written. What
    // `map` cannot say alone takes the starter back and folds the piece as a whole.
    let (mut starter, mut before) = ("", 0);
    let mut chars = text.chars();
    loop {
        let here = chars.as_str();
        let Some(char) = chars.next() else { break };
        if char.is_ascii() {
            let run = out.push_ascii(here);
            starter = &here[run - 1..];
            before = out.text.len() - usize::from(starter.as_bytes()[0].is_ascii_alphanumeric());
            chars = here[run..].chars();
            continue;
        }
        match map.get(char) {
            Entry::Vanishes => (starter, before) = (here, out.text.len()),
            Entry::Becomes(folded) if folded != char => {
                (starter, before) = (here, out.text.len());
                out.text.push(folded);
            }
            Entry::Becomes(_) => {
                // Text that stays as it is goes over in one piece.
                starter = here;
                let mut ahead = chars.clone();
                while let Some(next) = ahead.next() {
                    if !map.keeps(next) {
                        break;
                    }
                    starter = chars.as_str();
                    chars = ahead.clone();
                }
                let left = chars.as_str().len();
                out.text.push_str(&here[..here.len() - left]);
                before = out.text.len() - (starter.len() - left);
            }
            Entry::Depends => {
                let after = here.trim_start_matches(|c: char| map.get(c) == Entry::Depends);
                let from = if starter.is_empty() { here } else { starter };
                out.text.truncate(before);
                out.push_piece(from[..from.len() - after.len()].chars());
                (starter, before) = ("", out.text.len());
                chars = after.chars();
            }
        }
    }
    CanonicalText::from_folded(out.finish())
}

/// What a character is to a text that is cut into words, where its neighbours do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// It parts words, as [`parts`] says.
    Parts,
    /// It leaves this character, unless one that depends follows it.
    Leaves(char),
    /// It is to be folded with what stands before and behind it.
    Depends,
}

/// What a character is, where its neighbours do not matter.
#[inline]
pub fn alone(char: char) -> Alone {
    if char.is_ascii() {
        return if char.is_ascii_alphanumeric() {
            Alone::Leaves(char.to_ascii_lowercase())
        } else {
            Alone::Parts
        };
    }
    match MAP.get(char) {
        Entry::Vanishes => Alone::Parts,
        Entry::Becomes(folded) => Alone::Leaves(folded),
        Entry::Depends => Alone::Depends,
    }
}

/// Whether a character parts words: it leaves nothing, and neither belongs to the letter before it (an accent, a tone
/// mark) nor is it invisible.
pub fn parts(char: char) -> bool {
    match alone(char) {
        Alone::Parts => true,
        Alone::Leaves(_) => false,
        Alone::Depends => {
            // Most of what depends and is no mark is Han beyond the BMP.
            !matches!(char, '\u{20000}'..='\u{3FFFF}')
                && !is_invisible(char)
                && !is_combining_mark(char)
                && fold(char.encode_utf8(&mut [0; 4])).as_str().is_empty()
        }
    }
}

/// What each ASCII character leaves; 0 for nothing.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

struct Folded {
    text: String,
    /// Something was written that may compose with its neighbour.
    composes: bool,
}

impl Folded {
    /// Folds the ASCII that `text` begins with, and says how much that is.
    fn push_ascii(&mut self, text: &str) -> usize {
        let mut taken = 0;
        let mut kept = [0; 64];
        for chunk in text.as_bytes().chunks(kept.len()) {
            let ascii = if chunk.is_ascii() {
                chunk
            } else {
                let end = chunk.iter().position(|byte| !byte.is_ascii());
                &chunk[..end.unwrap_or(chunk.len())]
            };
            let mut len = 0;
            for &byte in ascii {
                // Always written, and written over where it is no letter or digit: no branch to guess wrong.
                let folded = ASCII[usize::from(byte) % ASCII.len()];
                kept[len % kept.len()] = folded;
                len += usize::from(folded != 0);
            }
            self.text
                .push_str(str::from_utf8(&kept[..len]).unwrap_or_default());
            taken += ascii.len();
            if ascii.len() < chunk.len() {
                break;
            }
        }
        taken
    }

    /// The recipe itself, up to its last step, over a piece of the text.
    fn push_piece(&mut self, piece: impl Iterator<Item = char>) {
        for char in piece.filter(|&c| !is_invisible(c)).nfkc() {
            self.push_composed(char);
        }
    }

    /// What the recipe does after NFKC.
    fn push_composed(&mut self, char: char) {
        for char in simplified(char).to_lowercase() {
            if char.is_alphanumeric() {
                self.composes |= !is_steady(char);
                self.text.push(char);
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
