//! The part of a text that shows why it was found.

use std::ops::Range;

use super::{Mapped, SearchText};

/// Texts are looked at up to here, in bytes: what stands further down is found and not shown.
const LOOKED_AT: usize = 1 << 18;

/// A part of a text, on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The part, with an ellipsis where the text goes on.
    pub text: String,
    /// What was looked for in it, in bytes; in order, none in another.
    pub hits: Vec<Range<usize>>,
}

/// The part of a text around the first place with one of these words, about so many characters long; its beginning,
/// where none is in it. With each word goes whether it only needs to begin so. What is shown is the text as published,
/// whatever script and width it was asked for in.
pub fn snippet<'a>(
    text: &str,
    wanted: impl IntoIterator<Item = (&'a SearchText, bool)>,
    characters: usize,
) -> Snippet {
    let text = head(text);
    let mapped = Mapped::of(text);
    let mut hits: Vec<Range<usize>> = wanted
        .into_iter()
        .flat_map(|(needle, prefix)| {
            let places = mapped.text.places(needle, prefix).take(64);
            places
                .map(|place| mapped.original(&place))
                .collect::<Vec<_>>()
        })
        .collect();
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    let mut end = 0;
    hits.retain(|hit| {
        let apart = hit.start >= end;
        end = end.max(hit.end);
        apart
    });
    let first = hits.first().map_or(0, |hit| hit.start);
    // A third of the room for what comes before.
    let from = text
        .get(..first)
        .and_then(|before| {
            before
                .char_indices()
                .rev()
                .take((characters / 3).max(1))
                .last()
        })
        .map_or(0, |(at, _)| at);
    let to = text
        .get(from..)
        .and_then(|rest| rest.char_indices().nth(characters))
        .map_or(text.len(), |(at, _)| from + at);
    let mut out = Snippet::default();
    if from > 0 {
        out.text.push('…');
    }
    let mut place = from;
    for hit in hits
        .iter()
        .filter(|hit| hit.start >= from && hit.start < to)
    {
        let shown = hit.start..hit.end.min(to);
        push(&mut out.text, text.get(place..shown.start));
        let start = out.text.len();
        push(&mut out.text, text.get(shown.clone()));
        out.hits.push(start..out.text.len());
        place = shown.end;
    }
    push(&mut out.text, text.get(place..to));
    if to < text.len() {
        out.text.push('…');
    }
    out
}

fn head(text: &str) -> &str {
    let end = text.char_indices().map(|(at, _)| at);
    let end = end.take_while(|at| *at <= LOOKED_AT).last().unwrap_or(0);
    if text.len() <= LOOKED_AT {
        text
    } else {
        text.get(..end).unwrap_or(text)
    }
}

/// On one line.
fn push(out: &mut String, part: Option<&str>) {
    out.extend(part.unwrap_or_default().chars().map(|c| {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            ' '
        } else {
            c
        }
    }));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    fn check(text: &str, wanted: &[&str], characters: usize, expected: &str) {
        let needles: Vec<SearchText> = wanted.iter().map(|word| SearchText::of(word)).collect();
        let snippet = snippet(
            text,
            needles.iter().map(|needle| (needle, false)),
            characters,
        );
        let mut shown = String::new();
        let mut place = 0;
        for hit in &snippet.hits {
            shown.push_str(&snippet.text[place..hit.start]);
            shown.push('[');
            shown.push_str(&snippet.text[hit.clone()]);
            shown.push(']');
            place = hit.end;
        }
        shown.push_str(&snippet.text[place..]);
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_words_are_shown_as_published_with_what_stands_around_them() {
        let text = "氣象台今晨表示，明日有驟雨。\n市民外出請帶雨具，並留意颱風消息。";
        check(text, &["台风"], 12, "…，並留意[颱風]消息。");
        check(
            text,
            &["骤雨", "明日", "雨"],
            18,
            "…台今晨表示，[明日]有[驟雨]。 市民外出請…",
        );
        check(text, &["雪"], 6, "氣象台今晨表…");
        check("Ａlpha beta", &["alpha", "beta"], 40, "[Ａlpha] [beta]");
        check("ab abc", &["ab", "abc"], 40, "[ab] [abc]");
        check("", &["a"], 10, "");
        check("\u{202E}é", &["é"], 10, "\u{202E}[é]");
        let long = format!("{}終", "字".repeat(200_000));
        check(&long, &["终"], 3, "字字字…");
    }
}
