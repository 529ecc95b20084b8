//! A line of a `hugo` block in its parts: words, links and pictures. Nothing was escaped when it was written, so only
//! what leads to an address of the web is a link, or a note in brackets would become one (archive format, section 2.5).

use memchr::memchr2_iter;

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words as written, `**` included.
    Words(&'a str),
    /// `[label](address)`.
    Link {
        /// As written, `**` included.
        label: &'a str,
        /// Absolute, or without its scheme.
        url: &'a str,
    },
    /// `![alt](address)`.
    Picture {
        /// What it shows; may be empty.
        alt: &'a str,
        /// Absolute, or without its scheme.
        url: &'a str,
    },
}

/// The parts of a line in order. One pass: a thousand brackets cost no more than their length.
pub fn pieces(line: &str) -> Vec<Piece<'_>> {
    let part = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
    let mut found = Vec::new();
    // Up to where the line is taken apart, the last bracket opened since, and up to where no address ends.
    let (mut done, mut open, mut endless) = (0, None, 0);
    for at in memchr2_iter(b'[', b']', line.as_bytes()) {
        if at < done {
            continue;
        }
        if line.as_bytes().get(at) == Some(&b'[') {
            open = Some(at);
            continue;
        }
        let (Some(begin), Some(url)) = (open, address(line, at + 1, &mut endless)) else {
            continue;
        };
        let label = part(begin + 1, at);
        let picture = begin > done && line.as_bytes().get(begin - 1) == Some(&b'!');
        let before = part(done, begin - usize::from(picture));
        if !before.is_empty() {
            found.push(Piece::Words(before));
        }
        found.push(if picture {
            Piece::Picture { alt: label, url }
        } else {
            Piece::Link { label, url }
        });
        // Past `](`, the address and `)`.
        done = at + url.len() + 3;
        open = None;
    }
    let rest = part(done, line.len());
    if !rest.is_empty() {
        found.push(Piece::Words(rest));
    }
    found
}

/// The address in the parentheses that open here.
fn address<'a>(line: &'a str, at: usize, endless: &mut usize) -> Option<&'a str> {
    let rest = line.get(at..)?.strip_prefix('(')?;
    let known = ["http://", "https://", "//"];
    if at < *endless || !known.iter().any(|scheme| rest.starts_with(scheme)) {
        return None;
    }
    let end = rest.find(|c: char| c == ')' || c.is_whitespace());
    let url = end.and_then(|end| rest.get(..end));
    url.filter(|url| {
        rest.get(url.len()..)
            .is_some_and(|after| after.starts_with(')'))
    })
    .or_else(|| {
        *endless = end.map_or(line.len(), |end| at + 1 + end);
        None
    })
}

/// Writes a line without its marks: no heading, no bold, links as their labels, no pictures.
pub fn push_without_marks(out: &mut String, line: &str) {
    for piece in pieces(without_heading(line)) {
        let (Piece::Words(words) | Piece::Link { label: words, .. }) = piece else {
            continue;
        };
        out.extend(words.split("**"));
    }
}

/// A line without the `#` of a heading and the blank behind them.
pub fn without_heading(line: &str) -> &str {
    let words = line.trim_start_matches('#');
    match words.strip_prefix(' ') {
        Some(words) if (2..=7).contains(&(line.len() - words.len())) => words,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn only_addresses_make_links() {
        let words = Piece::Words;
        let link = |label, url| Piece::Link { label, url };
        let check = |line: &str, expected: &[Piece]| assert_eq!(pieces(line), expected, "{line}");
        check("", &[]);
        check("见[注](见下)和[x](y)", &[words("见[注](见下)和[x](y)")]);
        check(
            "a[**b**](https://e.org/?c[]=1)d",
            &[
                words("a"),
                link("**b**", "https://e.org/?c[]=1"),
                words("d"),
            ],
        );
        check(
            "![图](//e.org/a)![](http://e.org/b)",
            &[
                Piece::Picture {
                    alt: "图",
                    url: "//e.org/a",
                },
                Piece::Picture {
                    alt: "",
                    url: "http://e.org/b",
                },
            ],
        );
        // The innermost bracket, and the first closing parenthesis.
        check(
            "[[1] a](https://e.org/(b))",
            &[words("["), link("1] a", "https://e.org/(b"), words(")")],
        );
        check("a](https://e.org/)", &[words("a](https://e.org/)")]);
        check(
            "[a](https://e.org/ b)[c](https://e.org/)",
            &[words("[a](https://e.org/ b)"), link("c", "https://e.org/")],
        );
        check("[a](https://e.org/", &[words("[a](https://e.org/")]);
    }

    #[test]
    fn a_line_of_brackets_costs_one_pass() {
        for unit in ["[", "]", "[](http://", "](http://", "[a](//b", "![](// "] {
            let line = unit.repeat(300_000);
            let start = Instant::now();
            let length: usize = pieces(&line)
                .iter()
                .map(|piece| match piece {
                    Piece::Words(words) => words.len(),
                    Piece::Link { label, url } | Piece::Picture { alt: label, url } => {
                        label.len() + url.len()
                    }
                })
                .sum();
            assert!(length <= line.len(), "{unit}");
            // Beside others and unoptimised; the square of the length is minutes.
            assert!(start.elapsed() < Duration::from_secs(10), "{unit}");
        }
    }
}
