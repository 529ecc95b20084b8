//! What a character becomes, where that does not depend on its neighbours.

use std::iter;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, is_nfkc_quick};

use super::Folded;
use super::table;

/// What the fold makes of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A starter that leaves nothing.
    Vanishes,
    /// A starter that leaves this one character.
    Becomes(char),
    /// The rest: combining, invisible, or more than one character long when folded.
    Depends,
}

/// An [`Entry`] for every character of the Basic Multilingual Plane, by code point, in 128 KB.
pub(super) struct Map(Box<[u16]>);

pub(super) static MAP: LazyLock<Map> = LazyLock::new(Map::build);

const VANISHES: u16 = 0;
/// No character (a noncharacter of Unicode).
const DEPENDS: u16 = 0xFFFF;

/// Han and Hangul, where every character is a letter, stable under NFKC and without case.
const LETTERS: [RangeInclusive<u16>; 3] = [0x3400..=0x4DBF, 0x4E00..=0x9FFF, 0xAC00..=0xD7A3];

impl Map {
    /// The entry of a character. Beyond the BMP only emoji are known; the rest is rare enough to depend.
    #[inline]
    pub(super) fn get(&self, char: char) -> Entry {
        let code = u32::from(char);
        match self.0.get(code as usize) {
            Some(&VANISHES) => Entry::Vanishes,
            Some(&folded) => char::from_u32(u32::from(folded))
                .filter(|_| folded != DEPENDS)
                .map_or(Entry::Depends, Entry::Becomes),
            None if (0x1F300..=0x1FAFF).contains(&code) => Entry::Vanishes,
            None => Entry::Depends,
        }
    }

    /// Whether a character beyond ASCII stays as it is.
    #[inline]
    pub(super) fn keeps(&self, char: char) -> bool {
        let code = u32::from(char);
        code >= 0x80
            && self
                .0
                .get(code as usize)
                .is_some_and(|&folded| u32::from(folded) == code && folded != DEPENDS)
    }

    /// Asks the recipe about each character once.
    fn build() -> Self {
        let mut map: Box<[u16]> = (0..=0xFFFF).map(ask).collect();
        for letter in LETTERS.into_iter().flatten() {
            map[usize::from(letter)] = letter;
        }
        for &(from, to) in PAIRS.iter() {
            if let Ok(from) = u16::try_from(u32::from(from)) {
                map[usize::from(from)] = u16::try_from(u32::from(to)).unwrap_or(DEPENDS);
            }
        }
        Self(map)
    }
}

fn ask(code: u16) -> u16 {
    let Some(char) = char::from_u32(u32::from(code)) else {
        return DEPENDS; // a surrogate, which no text holds
    };
    if LETTERS.iter().any(|range| range.contains(&code)) || is_invisible(char) {
        return DEPENDS;
    }
    let mut out = Folded {
        text: String::new(),
        composes: false,
    };
    if is_steady(char) {
        out.push_composed(char);
    } else if starts(char) {
        out.push_piece(iter::once(char));
    } else {
        return DEPENDS;
    }
    let mut chars = out.text.chars();
    match (chars.next(), chars.next()) {
        (None, _) => VANISHES,
        (Some(folded), None) if !out.composes => {
            u16::try_from(u32::from(folded)).unwrap_or(DEPENDS)
        }
        _ => DEPENDS,
    }
}

/// Whether what NFKC makes of it begins with a starter that composes with nothing before it.
fn starts(char: char) -> bool {
    let mut first = None;
    decompose_compatible(char, |part| {
        first.get_or_insert(part);
    });
    first.is_some_and(is_steady)
}

/// Whether a character of a text in NFC stays what and where it is, whatever comes before it.
pub(super) fn is_steady(char: char) -> bool {
    char.is_ascii()
        || (canonical_combining_class(char) == 0
            && is_nfkc_quick(iter::once(char)) == IsNormalized::Yes)
}

/// Unicode's `Default_Ignorable_Code_Point`: joiners, direction marks, variation selectors, Hangul fillers, the soft
/// hyphen. They go before NFKC, which would otherwise not compose across them.
pub fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

static PAIRS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let chars: Vec<char> = table::PAIRS.chars().collect();
    chars
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
});

/// The spelling a Han character is compared as.
pub(super) fn simplified(char: char) -> char {
    if char < '\u{2E80}' {
        return char;
    }
    PAIRS
        .binary_search_by_key(&char, |&(from, _)| from)
        .ok()
        .and_then(|at| PAIRS.get(at))
        .map_or(char, |&(_, to)| to)
}
