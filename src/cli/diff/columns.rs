//! Two texts in two columns, as wide as the terminal. A Han character takes two of its columns.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

use super::{Part, left, marked, parts};
use crate::rules::difference::{Piece, Row};

/// Between the columns: blank, sign, blank.
const MIDDLE: usize = 3;

/// Shows them side by side: `|` between paragraphs that differ, `<` and `>` beside those only one has.
pub(super) fn show(out: &mut impl Write, rows: &[Row<'_>], width: usize) -> io::Result<()> {
    let column = width.saturating_sub(MIDDLE) / 2;
    for part in parts(rows) {
        let (old, sign, new) = match part {
            Part::Left(count) => {
                writeln!(out, "… {}", left(count))?;
                continue;
            }
            Part::Row(Row::Same(text)) => {
                let text = marked(&[Piece::Same(text)]);
                (text.clone(), ' ', text)
            }
            Part::Row(Row::Gone(text)) => (marked(&[Piece::Same(text)]), '<', String::new()),
            Part::Row(Row::Come(text)) => (String::new(), '>', marked(&[Piece::Same(text)])),
            Part::Row(Row::Changed(pieces)) => {
                let one = |wanted: fn(&Piece<'_>) -> bool| -> String {
                    let kept: Vec<Piece<'_>> = pieces
                        .iter()
                        .copied()
                        .filter(|piece| wanted(piece))
                        .collect();
                    marked(&kept)
                };
                let old = one(|piece| !matches!(piece, Piece::Come(_)));
                let new = one(|piece| !matches!(piece, Piece::Gone(_)));
                (old, '|', new)
            }
        };
        let (old, new) = (wrapped(&old, column), wrapped(&new, column));
        for line in 0..old.len().max(new.len()) {
            let side = |lines: &[String]| lines.get(line).cloned().unwrap_or_default();
            let (old, new) = (side(&old), side(&new));
            let blanks = " ".repeat(column.saturating_sub(columns(&old)));
            writeln!(out, "{}", format!("{old}{blanks} {sign} {new}").trim_end())?;
        }
    }
    Ok(())
}

fn columns(text: &str) -> usize {
    text.chars().map(wide).sum()
}

fn wide(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Lines of at most so many columns: broken at a blank, between characters two columns wide, or where nothing else is left.
fn wrapped(text: &str, column: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // How wide the line is, and where in it (bytes) it may be broken: the last place, and the one before that.
    let (mut taken, mut place, mut prior) = (0, None, None);
    for c in text.chars() {
        let width = wide(c);
        // What closes stays with what it closes.
        if is_closing(c) && place == Some(line.len()) {
            place = prior;
        }
        if taken + width > column && !line.is_empty() {
            let rest = match place.take() {
                Some(at) if at < line.len() => line.split_off(at),
                _ => String::new(),
            };
            lines.push(line.trim_end().to_owned());
            rest.trim_start().clone_into(&mut line);
            taken = columns(&line);
            prior = None;
        }
        if line.is_empty() && c == ' ' {
            continue;
        }
        let opened = line.ends_with(is_opening) || line.ends_with("[-") || line.ends_with("{+");
        if width == 2 && !line.is_empty() && !is_closing(c) && !opened {
            place = Some(line.len());
        }
        line.push(c);
        taken += width;
        if c == ' ' || (width == 2 && !is_opening(c)) {
            prior = place;
            place = Some(line.len());
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Does not begin a line.
fn is_closing(c: char) -> bool {
    "，。、；：？！）》」』】〉”’％-+]},.;:?!)%".contains(c)
}

/// Does not end a line.
fn is_opening(c: char) -> bool {
    "（《「『【〈“‘".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_column() {
        let check = |text: &str, column, expected: &[&str]| {
            let lines = wrapped(text, column);
            assert_eq!(lines, expected);
            assert!(
                lines.iter().all(|line| columns(line) <= column),
                "{lines:?}"
            );
        };
        check("one two three", 8, &["one two", "three"]);
        check("甲乙丙丁戊", 4, &["甲乙", "丙丁", "戊"]);
        check("甲乙丙丁戊", 5, &["甲乙", "丙丁", "戊"]);
        check("a甲乙 b", 4, &["a甲", "乙 b"]);
        check("unbreakable", 4, &["unbr", "eaka", "ble"]);
        check("甲[-乙-]丙", 7, &["甲", "[-乙-]", "丙"]);
        check("甲乙。丙", 4, &["甲", "乙。", "丙"]);
        check("", 4, &[]);
        // e with its accent is one column, and they are not parted.
        check(
            "e\u{301}e\u{301}e\u{301}",
            2,
            &["e\u{301}e\u{301}", "e\u{301}"],
        );
    }
}
