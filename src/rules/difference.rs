//! What one text has that another has not, by lines.

/// Lines compared with lines, at most: above that the middle of two texts counts as other altogether.
const MOST: usize = 4_000_000;

/// A line that only one of two texts has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The first.
    Gone(&'a str),
    /// The second.
    Come(&'a str),
}

/// The lines that go and come where one text becomes another, in its order: as few as there can be, by the longest
/// subsequence that both have.
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (old.split_at(head).1, new.split_at(head).1);
    let ends = old.iter().rev().zip(new.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let old = old.split_at(old.len() - tail).0;
    let new = new.split_at(new.len() - tail).0;
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    if let Some(common) = common(old, new) {
        let width = new.len() + 1;
        let longest = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
        while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
            if a == b {
                (i, j) = (i + 1, j + 1);
            } else if longest(i + 1, j) >= longest(i, j + 1) {
                found.push(Line::Gone(a));
                i += 1;
            } else {
                found.push(Line::Come(b));
                j += 1;
            }
        }
    }
    found.extend(old.iter().skip(i).map(|line| Line::Gone(line)));
    found.extend(new.iter().skip(j).map(|line| Line::Come(line)));
    found
}

/// How many lines the rests from each pair of places have in common, row by row; `None` for too many pairs.
fn common(old: &[&str], new: &[&str]) -> Option<Vec<u32>> {
    let width = new.len() + 1;
    let cells = (old.len() + 1).checked_mul(width)?;
    if cells > MOST {
        return None;
    }
    let mut table = vec![0_u32; cells];
    for (i, a) in old.iter().enumerate().rev() {
        let (upper, below) = table.split_at_mut((i + 1) * width);
        let row = upper.split_at_mut(i * width).1;
        let mut right = 0;
        for (j, b) in new.iter().enumerate().rev() {
            let at = |j: usize| below.get(j).copied().unwrap_or(0);
            right = if a == b {
                at(j + 1) + 1
            } else {
                at(j).max(right)
            };
            if let Some(cell) = row.get_mut(j) {
                *cell = right;
            }
        }
    }
    Some(table)
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
        assert_eq!(told(0, 1), 5_000);
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
