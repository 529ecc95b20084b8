//! By words: of scripts with blanks the words, of Han, kana and the like the characters; told in runs that people can read.

use std::collections::HashMap;

use unicode_normalization::char::is_combining_mark;

use super::edits::{Edit, edits};

/// A part of a text that became another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Both have it.
    Same(&'a str),
    /// The first alone.
    Gone(&'a str),
    /// The second alone.
    Come(&'a str),
}

/// A paragraph of two texts side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// Both have it.
    Same(&'a str),
    /// It reads otherwise.
    Changed(Vec<Piece<'a>>),
    /// The first alone has it.
    Gone(&'a str),
    /// The second alone has it.
    Come(&'a str),
}

/// Paragraphs that go are compared with so many that come, at most, to find which became which.
const PAIRS: usize = 2_500;

/// A paragraph became another if they share so much, of 100.
const ALIKE: usize = 40;

/// The paragraphs (lines that are not blank) of two texts side by side.
pub fn rows<'a>(before: &'a str, after: &'a str) -> Vec<Row<'a>> {
    let paragraphs = |text: &'a str| -> Vec<&'a str> {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    };
    let (old, new) = (paragraphs(before), paragraphs(after));
    let (mut rows, mut gone, mut come) = (Vec::new(), Vec::new(), Vec::new());
    for edit in edits(&old, &new) {
        match edit {
            Edit::Gone(i) => gone.extend(old.get(i).copied()),
            Edit::Come(j) => come.extend(new.get(j).copied()),
            Edit::Same(i, _) => {
                pair(&gone, &come, &mut rows);
                gone.clear();
                come.clear();
                rows.extend(old.get(i).map(|line| Row::Same(line)));
            }
        }
    }
    pair(&gone, &come, &mut rows);
    rows
}

/// Which of the paragraphs that go became which of those that come, in their order: so that most is shared.
fn pair<'a>(gone: &[&'a str], come: &[&'a str], rows: &mut Vec<Row<'a>>) {
    let width = come.len() + 1;
    if gone.is_empty() || come.is_empty() || gone.len() * come.len() > PAIRS {
        rows.extend(gone.iter().map(|line| Row::Gone(line)));
        rows.extend(come.iter().map(|line| Row::Come(line)));
        return;
    }
    let counted: Vec<Counted> = come.iter().map(|line| Counted::of(line)).collect();
    let alike: Vec<usize> = gone
        .iter()
        .map(|line| Counted::of(line))
        .flat_map(|old| {
            let alike: Vec<usize> = counted.iter().map(|new| old.alike(new)).collect();
            alike
        })
        .collect();
    let like = |i: usize, j: usize| alike.get(i * come.len() + j).copied().unwrap_or(0);
    // The best sum from each pair of places on.
    let mut best = vec![0_usize; (gone.len() + 1) * width];
    let at = |best: &[usize], i: usize, j: usize| best.get(i * width + j).copied().unwrap_or(0);
    for i in (0..gone.len()).rev() {
        for j in (0..come.len()).rev() {
            let apart = at(&best, i + 1, j).max(at(&best, i, j + 1));
            let paired = match like(i, j) {
                alike if alike >= ALIKE => alike + at(&best, i + 1, j + 1),
                _ => 0,
            };
            if let Some(cell) = best.get_mut(i * width + j) {
                *cell = apart.max(paired);
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    while let (Some(old), Some(new)) = (gone.get(i), come.get(j)) {
        let here = at(&best, i, j);
        if like(i, j) >= ALIKE && here == like(i, j) + at(&best, i + 1, j + 1) {
            rows.push(Row::Changed(words(old, new)));
            (i, j) = (i + 1, j + 1);
        } else if here == at(&best, i + 1, j) {
            rows.push(Row::Gone(old));
            i += 1;
        } else {
            rows.push(Row::Come(new));
            j += 1;
        }
    }
    rows.extend(gone.iter().skip(i).map(|line| Row::Gone(line)));
    rows.extend(come.iter().skip(j).map(|line| Row::Come(line)));
}

/// A paragraph's words, counted.
struct Counted<'a> {
    words: HashMap<&'a str, usize>,
    all: usize,
}

impl<'a> Counted<'a> {
    fn of(line: &'a str) -> Self {
        let mut counted = Self {
            words: HashMap::new(),
            all: 0,
        };
        for token in tokens(line) {
            if weight(token) > 0 {
                *counted.words.entry(token).or_default() += 1;
                counted.all += 1;
            }
        }
        counted
    }

    /// How much two share, of 100 (Dice).
    fn alike(&self, other: &Self) -> usize {
        let shared: usize = self
            .words
            .iter()
            .map(|(word, count)| other.words.get(word).map_or(0, |more| *more.min(count)))
            .sum();
        200 * shared / (self.all + other.all).max(1)
    }
}

/// One text becoming another, by words; never a change, a crumb in common and a change again where one change reads
/// better.
pub fn words<'a>(before: &'a str, after: &'a str) -> Vec<Piece<'a>> {
    let (old, new) = (tokens(before), tokens(after));
    let mut hunks = Vec::new();
    let (mut i, mut j) = (0, 0);
    for edit in edits(&old, &new) {
        let (gone, come) = match edit {
            Edit::Same(a, _) => {
                let length = old.get(a).map_or(0, |token| token.len());
                let same = (i..i + length, j..j + length);
                (i, j) = (same.0.end, same.1.end);
                match hunks.last_mut() {
                    Some(Hunk {
                        same: true,
                        gone,
                        come,
                    }) => {
                        gone.end = i;
                        come.end = j;
                    }
                    _ => hunks.push(Hunk {
                        same: true,
                        gone: same.0,
                        come: same.1,
                    }),
                }
                continue;
            }
            Edit::Gone(a) => (old.get(a).map_or(0, |token| token.len()), 0),
            Edit::Come(b) => (0, new.get(b).map_or(0, |token| token.len())),
        };
        let start = (i, j);
        (i, j) = (i + gone, j + come);
        match hunks.last_mut() {
            Some(Hunk {
                same: false,
                gone,
                come,
            }) => {
                gone.end = i;
                come.end = j;
            }
            _ => hunks.push(Hunk {
                same: false,
                gone: start.0..i,
                come: start.1..j,
            }),
        }
    }
    let hunks = readable(hunks, before, after);
    let mut pieces = Vec::new();
    for hunk in hunks {
        let gone = before.get(hunk.gone).unwrap_or_default();
        let come = after.get(hunk.come).unwrap_or_default();
        if hunk.same {
            pieces.push(Piece::Same(gone));
            continue;
        }
        pieces.extend(Some(gone).filter(|text| !text.is_empty()).map(Piece::Gone));
        pieces.extend(Some(come).filter(|text| !text.is_empty()).map(Piece::Come));
    }
    pieces
}

/// Bytes of both texts that are the same, or that one has in place of the other's.
struct Hunk {
    same: bool,
    gone: std::ops::Range<usize>,
    come: std::ops::Range<usize>,
}

/// Gives up what two changes have between them where it is no more than either of them changes: blanks and marks always.
fn readable(hunks: Vec<Hunk>, before: &str, after: &str) -> Vec<Hunk> {
    let heft = |hunk: &Hunk| {
        let gone = before.get(hunk.gone.clone()).unwrap_or_default();
        let come = after.get(hunk.come.clone()).unwrap_or_default();
        let sum = |text| tokens(text).into_iter().map(weight).sum::<usize>();
        sum(gone).max(sum(come))
    };
    let mut kept: Vec<(Hunk, usize)> = Vec::with_capacity(hunks.len());
    for hunk in hunks {
        let mut next = (heft(&hunk), hunk);
        if !next.1.same {
            // A change, what is the same, and this change: as often as it reads better as one.
            while let [.., (change, changed), (_, shared)] = kept.as_slice() {
                if change.same || *shared > (*changed).min(next.0) {
                    break;
                }
                let start = (change.gone.start, change.come.start);
                let heft = changed + shared + next.0;
                kept.truncate(kept.len() - 2);
                next.1.gone.start = start.0;
                next.1.come.start = start.1;
                next.0 = heft;
            }
        }
        kept.push((next.1, next.0));
    }
    kept.into_iter().map(|(hunk, _)| hunk).collect()
}

/// How much a word counts: a Han character as two letters, blanks and marks nothing.
fn weight(token: &str) -> usize {
    token
        .chars()
        .map(|c| match c {
            c if stands_alone(c) => 2,
            c => usize::from(c.is_alphanumeric()),
        })
        .sum()
}

/// A text in words: letters and digits that stand together, with an apostrophe, dot or comma inside (`don't`, `3.14`);
/// each character of a script without blanks; blanks that stand together; each other character, all with the marks that
/// combine with them.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let kind = Kind::of(first);
        let mut last = first;
        while let Some((place, c)) = chars.peek().copied() {
            let goes_on = match kind {
                _ if is_combining_mark(c) || c == '\u{200d}' || last == '\u{200d}' => true,
                Kind::Blank => Kind::of(c) == Kind::Blank,
                Kind::Word if Kind::of(c) == Kind::Word => true,
                Kind::Word if matches!(c, '\'' | '’' | '.' | ',') && last.is_alphanumeric() => {
                    let next = text
                        .get(place + c.len_utf8()..)
                        .and_then(|rest| rest.chars().next());
                    next.is_some_and(|next| {
                        let numbers = last.is_ascii_digit() && next.is_ascii_digit();
                        let letters = last.is_alphabetic() && next.is_alphabetic();
                        Kind::of(next) == Kind::Word
                            && (numbers || (letters && matches!(c, '\'' | '’')))
                    })
                }
                Kind::Word | Kind::Alone => false,
            };
            if !goes_on {
                break;
            }
            last = c;
            chars.next();
        }
        let end = chars.peek().map_or(text.len(), |(end, _)| *end);
        tokens.extend(text.get(start..end));
    }
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Word,
    Alone,
}

impl Kind {
    fn of(c: char) -> Self {
        if c.is_whitespace() {
            Self::Blank
        } else if c.is_alphanumeric() && !stands_alone(c) {
            Self::Word
        } else {
            Self::Alone
        }
    }
}

/// Of a script that has no blanks between words: Han, kana, Thai, Lao, Khmer, Burmese.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e01}'..='\u{0e30}' | '\u{0e40}'..='\u{0e46}' | '\u{0e81}'..='\u{0eb0}' | '\u{0ec0}'..='\u{0ec6}'
        | '\u{1000}'..='\u{102a}' | '\u{1780}'..='\u{17b3}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::format_collect)]

    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn told(pieces: &[Piece<'_>]) -> String {
        pieces.iter().fold(String::new(), |mut told, piece| {
            let _ = match piece {
                Piece::Same(text) => write!(told, "{text}"),
                Piece::Gone(text) => write!(told, "[-{text}-]"),
                Piece::Come(text) => write!(told, "{{+{text}+}}"),
            };
            told
        })
    }

    #[test]
    fn words_are_what_people_take_for_words() {
        let check = |text: &str, expected: &str| assert_eq!(tokens(text).join("|"), expected);
        check("Don't stop, it's 3.14!", "Don't| |stop|,| |it's| |3.14|!");
        check("中国的GDP增长5.2%。", "中|国|的|GDP|增|长|5.2|%|。");
        check("かなカナ", "か|な|カ|ナ");
        check("한국어 뉴스", "한국어| |뉴스");
        check("e\u{301}te\u{301}", "e\u{301}te\u{301}");
        check("end. Next", "end|.| |Next");
        check("", "");
    }

    #[test]
    fn changes_read_well() {
        let check = |before, after, expected| assert_eq!(told(&words(before, after)), expected);
        check("the same", "the same", "the same");
        check("the cat sat", "the dog sat", "the [-cat-]{+dog+} sat");
        check("one two", "one new two", "one {+new +}two");
        // No word and blank of the old between two changes.
        check(
            "the quick fox ran home",
            "a slow fox ran home",
            "[-the quick-]{+a slow+} fox ran home",
        );
        check(
            "今天北京下雨了",
            "今天上海下雪了",
            "今天[-北京下雨-]{+上海下雪+}了",
        );
        check(
            "会议将于周三在北京举行。",
            "会议将于周四在北京举行。",
            "会议将于周[-三-]{+四+}在北京举行。",
        );
        check("共有12人受伤", "共有15人受伤", "共有[-12-]{+15+}人受伤");
        check(
            "警方称，案件正在调查。",
            "警方称，此案仍在调查。",
            "警方称，[-案件正-]{+此案仍+}在调查。",
        );
        check("", "new", "{+new+}");
        check("old", "", "[-old-]");
    }

    #[test]
    fn paragraphs_are_paired_with_what_they_became() {
        let before =
            "Head\n\nThe mayor opened the bridge on Monday.\nNothing like the rest at all.\nTail";
        let after = "Head\nAn altogether other line came in.\nThe mayor opened the new bridge on Monday.\nTail\n";
        assert_eq!(
            rows(before, after),
            [
                Row::Same("Head"),
                Row::Come("An altogether other line came in."),
                Row::Changed(vec![
                    Piece::Same("The mayor opened the "),
                    Piece::Come("new "),
                    Piece::Same("bridge on Monday.")
                ]),
                Row::Gone("Nothing like the rest at all."),
                Row::Same("Tail"),
            ]
        );
    }

    /// A text whose every word changed, in one paragraph longer than we look into.
    #[test]
    fn huge_texts_are_told_coarsely() {
        let text = |word: &str| -> String { (0..150_000).map(|n| format!("{word}{n} ")).collect() };
        let (before, after) = (text("a"), text("b"));
        let told = words(&before, &after);
        assert_eq!(told.len(), 3, "and the blank at their end");
        let lines = |word: &str| -> String { (0..3_000).map(|n| format!("{word}{n}\n")).collect() };
        let (before, after) = (lines("a"), lines("b"));
        assert_eq!(rows(&before, &after).len(), 6_000);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up(before in "[ab ,。中国人\u{301}1.]{0,40}", after in "[ab ,。中国人\u{301}1.]{0,40}") {
            let (mut old, mut new) = (String::new(), String::new());
            let pieces = words(&before, &after);
            for piece in &pieces {
                match piece {
                    Piece::Same(text) => {
                        old.push_str(text);
                        new.push_str(text);
                    }
                    Piece::Gone(text) => old.push_str(text),
                    Piece::Come(text) => new.push_str(text),
                }
            }
            prop_assert_eq!((old, new), (before.clone(), after.clone()));
            // Between two changes there is always something to read.
            let crumbs = pieces.windows(3).any(|three| {
                matches!(three, [Piece::Gone(_) | Piece::Come(_), Piece::Same(text), Piece::Gone(_) | Piece::Come(_)] if weight(text) == 0)
            });
            prop_assert!(!crumbs);
        }
    }
}
