//! What one text has that another has not: by lines, and by words.

mod edits;
mod words;

pub use words::{Piece, Row, rows, words};

use edits::{Edit, edits};

/// A line that only one of two texts has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The first.
    Gone(&'a str),
    /// The second.
    Come(&'a str),
}

/// The lines that go and come where one text becomes another, in its order: as few as there can be; where the texts have
/// very little in common, all of their middle.
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let told = edits(&old, &new).into_iter();
    told.filter_map(|edit| match edit {
        Edit::Same(..) => None,
        Edit::Gone(place) => old.get(place).map(|line| Line::Gone(line)),
        Edit::Come(place) => new.get(place).map(|line| Line::Come(line)),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(missing_docs)]

    use proptest::prelude::*;

    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let sign = |line: &Line| match line {
            Line::Gone(line) => format!("-{line}"),
            Line::Come(line) => format!("+{line}"),
        };
        lines(before, after)
            .iter()
            .map(sign)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn only_what_differs_is_told() {
        let check = |before: &str, after: &str, told: &str| assert_eq!(shown(before, after), told);
        check("a\nb\nc", "a\nb\nc\n", "");
        check("a\nb\nc", "a\nx\nc", "-b +x");
        check("", "a\nb", "+a +b");
        check("a\nb", "", "-a -b");
        check("1\na\nb\nc\n2", "1\nb\nd\nc\n2", "-a +d");
        check("a\nb\na", "b\na\nb", "-a +b");
        check("b\nq", "a\nb\nr", "+a -q +r");
    }

    #[test]
    fn texts_of_very_many_lines_are_told_coarsely() {
        let text = |from: u32| -> String {
            let lines: Vec<String> = (from..from + 2_500).map(|n| n.to_string()).collect();
            lines.join("\n")
        };
        let told = |before, after| lines(&text(before), &text(after)).len();
        assert_eq!(told(0, 0), 0);
        assert_eq!(told(0, 1), 2);
        assert_eq!(told(0, 1_500), 5_000);
    }

    proptest! {
        #[test]
        fn the_difference_makes_the_one_text_the_other(before in "([abc]\n){0,12}", after in "([abc]\n){0,12}") {
            let told = lines(&before, &after);
            let count = |text: &str, letter: &str| text.lines().filter(|line| *line == letter).count();
            for letter in ["a", "b", "c"] {
                let gone = told.iter().filter(|line| **line == Line::Gone(letter)).count();
                let come = told.iter().filter(|line| **line == Line::Come(letter)).count();
                prop_assert_eq!(count(&before, letter) + come, count(&after, letter) + gone);
            }
        }
    }
}
