//! A text as it is searched: folded, with one blank where something parted words.

use std::ops::Range;

use memchr::memmem;
use unicode_normalization::char::is_combining_mark;

use super::script::{Class, class, is_dense};
use crate::model::content::CanonicalText;
use crate::rules::fold::{Alone, alone, fold, is_invisible, parts};

/// A text as it is searched: what [`fold`] leaves of it, and one blank wherever a blank, punctuation or a symbol parted
/// words, so that nothing is found across a full stop. White space beside Han or kana is typesetting and parts nothing.
/// Accents, tone marks, joiners and direction marks part nothing either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SearchText(String);

impl SearchText {
    /// Folds a text for searching.
    pub fn of(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        let mut gap = Gap::None;
        // Where the chunk at hand begins, in the text, and in `out` with the gap before it; character by character, and
        // as a whole where one depends on its neighbours.
        let mut chunk = None;
        let mut chars = text.char_indices();
        while let Some((at, char)) = chars.next() {
            match alone(char) {
                Alone::Leaves(folded) if chunk.is_some() => out.push(folded),
                Alone::Leaves(folded) => {
                    chunk = Some((at, out.len(), gap));
                    append(&mut out, gap, folded.encode_utf8(&mut [0; 4]));
                    gap = Gap::None;
                }
                Alone::Parts => {
                    chunk = None;
                    gap = gap.max(Gap::of(char));
                }
                Alone::Depends if parts(char) => {
                    chunk = None;
                    gap = gap.max(Gap::of(char));
                }
                Alone::Depends => {
                    let (start, written, before) = chunk.take().unwrap_or((at, out.len(), gap));
                    out.truncate(written);
                    let rest = text.get(start..).unwrap_or_default();
                    let whole = rest.find(parts).map_or(rest, |end| &rest[..end]);
                    gap = before;
                    if append(&mut out, gap, fold(whole).as_str()) {
                        gap = Gap::None;
                    }
                    let end = start + whole.len();
                    while chars.offset() < end && chars.next().is_some() {}
                }
            }
        }
        Self(out)
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `needle` is in it: anywhere in scripts that are written without blanks; words of other scripts, and
    /// numbers, as wholes. With `prefix`, the last word only needs to begin so. Nothing is in an empty needle.
    pub fn has(&self, needle: &Self, prefix: bool) -> bool {
        self.places(needle, prefix).next().is_some()
    }

    /// Where `needle` is in it, in bytes of the folded text.
    pub fn places<'a>(
        &'a self,
        needle: &'a Self,
        prefix: bool,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let text = self.0.as_str();
        let first = needle.0.chars().next();
        let last = needle.0.chars().next_back();
        // What overlaps is looked at too: the first occurrence may stand inside a longer word, and the next overlap it.
        let mut from = 0;
        std::iter::from_fn(move || {
            let first = first?;
            while let Some(at) = memmem::find(text.as_bytes().get(from..)?, needle.0.as_bytes()) {
                let start = from + at;
                let end = start + needle.0.len();
                from = start + first.len_utf8();
                let begins = !joined(text.get(..start)?.chars().next_back(), Some(first));
                let ends = prefix || !joined(last, text.get(end..)?.chars().next());
                if begins && ends {
                    return Some(start..end);
                }
            }
            from = text.len();
            None
        })
    }
}

/// Whether two neighbours belong to one word: letters to letters, digits to digits. `iphone16` is two words.
fn joined(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    match class(before) {
        Class::Run | Class::Gap => false,
        word => word == class(after),
    }
}

/// A [`SearchText`] that knows where each of its characters stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The folded text.
    pub text: SearchText,
    /// Pieces in order: where each begins in the folded text, and what of the original it is.
    pieces: Vec<(usize, Range<usize>)>,
}

impl Mapped {
    /// Folds a text for searching and remembers what came from where.
    pub fn of(text: &str) -> Self {
        let (mut out, mut pieces) = (String::with_capacity(text.len()), Vec::new());
        each_chunk(text, |gap, chunk| {
            let whole = text.get(chunk.clone()).unwrap_or_default();
            let folded = fold(whole);
            let written = append(&mut out, gap, folded.as_str());
            if !written {
                return false;
            }
            let mut at = out.len() - folded.as_str().len();
            // Letter by letter, with what hangs on each, where that comes to the same as the whole.
            let letters: Vec<_> = letters(whole).collect();
            let alone: Vec<_> = letters.iter().map(|l| fold(&whole[l.clone()])).collect();
            if alone.iter().map(CanonicalText::as_str).collect::<String>() == folded.as_str() {
                for (letter, folded) in letters.iter().zip(&alone) {
                    if !folded.as_str().is_empty() {
                        pieces.push((at, chunk.start + letter.start..chunk.start + letter.end));
                        at += folded.as_str().len();
                    }
                }
            } else {
                pieces.push((at, chunk));
            }
            true
        });
        Self {
            text: SearchText(out),
            pieces,
        }
    }

    /// What of the original a stretch of the folded text is, in bytes.
    pub fn original(&self, folded: &Range<usize>) -> Range<usize> {
        let first = self.pieces.partition_point(|(at, _)| *at <= folded.start);
        let end = self.pieces.partition_point(|(at, _)| *at < folded.end);
        let piece = |n: usize| self.pieces.get(n.wrapping_sub(1)).map(|(_, range)| range);
        match (piece(first), piece(end.max(first))) {
            (Some(first), Some(last)) => first.start..last.end.max(first.end),
            _ => 0..0,
        }
    }
}

/// Each character with the marks and invisible ones after it.
fn letters(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let hangs =
        |c: char| is_invisible(c) || is_combining_mark(c) || matches!(c, '\u{FF9E}' | '\u{FF9F}');
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| !hangs(*c))
            .map_or(rest.len(), |(at, _)| at);
        let start = from;
        from += end;
        Some(start..from)
    })
}

/// What was between two chunks; the greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Blank,
    Mark,
}

impl Gap {
    fn of(char: char) -> Self {
        if char.is_whitespace() {
            Self::Blank
        } else {
            Self::Mark
        }
    }
}

/// Cuts a text at what parts words. `each` says whether anything was left of a chunk: if not, the gap before it lasts.
fn each_chunk(text: &str, mut each: impl FnMut(Gap, Range<usize>) -> bool) {
    let mut gap = Gap::None;
    let mut start = None;
    for (at, char) in text.char_indices() {
        if !parts(char) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take()
            && each(gap, start..at)
        {
            gap = Gap::None;
        }
        gap = gap.max(Gap::of(char));
    }
    if let Some(start) = start {
        each(gap, start..text.len());
    }
}

fn append(out: &mut String, gap: Gap, folded: &str) -> bool {
    let Some(next) = folded.chars().next() else {
        return false;
    };
    if let Some(last) = out.chars().next_back() {
        let parted = match gap {
            Gap::None => false,
            Gap::Blank => !is_dense(last) && !is_dense(next),
            Gap::Mark => true,
        };
        if parted {
            out.push(' ');
        }
    }
    out.push_str(folded);
    true
}
