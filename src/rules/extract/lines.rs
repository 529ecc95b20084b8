//! Lines that stand in articles and are none of their words: who edited it, where it is from, share and scan, pagers.

use crate::rules::extract::prose::Size;
use crate::rules::extract::words::{INVITES, LABELS, OTHERS, RIGHTS, WORDS};

/// Whether a line is none of an article's words wherever it stands: an advertisement's label, an invitation, rights.
pub(super) fn is_boilerplate(line: &str) -> bool {
    let line = bare(line);
    let width = Size::of(&line, false).all;
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| line.contains(phrase));
    (width <= 120 && sentences(&line) == 0 && has(INVITES))
        || (width <= 180 && sentences(&line) <= 2 && has(RIGHTS))
        || (line.contains(char::is_alphabetic) && is_of_words(&line))
}

/// Whether a line says who wrote or edited an article, where it is from, or when it was published. Within an article such
/// a line may be its own: `时间：11月1日`.
pub(super) fn is_byline(line: &str) -> bool {
    let line = bare(line);
    let length = line.chars().count();
    sentences(&line) == 0
        && ((1..=60).contains(&length) && is_labelled(&line) || length <= 70 && is_dateline(&line))
}

/// How many sentences end in a line, the last one's point not counted.
fn sentences(line: &str) -> usize {
    line.matches(['。', '！', '？', '!', '?']).count() + line.matches(". ").count()
}

/// Whether a short line stands above what is none of the article: related stories, comments.
pub(super) fn heads_others(line: &str) -> bool {
    let line = bare(line);
    line.chars().count() <= 24 && OTHERS.iter().any(|words| line.starts_with(words))
}

/// Whether a line is the pages of an article by their numbers.
pub(super) fn is_pager(line: &str) -> bool {
    is_of_words(&bare(line))
}

/// Lower case, without brackets and ornaments around it.
fn bare(line: &str) -> String {
    let ornament = |c: char| {
        c.is_whitespace()
            || "()（）[]【】「」〔〕<>《》〈〉|｜·•—-–_*#:：>»«▲▼■◆●○★☆/\u{feff}".contains(c)
    };
    line.trim_matches(ornament).to_lowercase()
}

fn is_labelled(line: &str) -> bool {
    LABELS.iter().any(|label| {
        line.strip_prefix(label).is_some_and(|rest| {
            let first = rest.chars().next();
            let ends = first.is_none_or(|c| ":：丨|｜/／∶".contains(c));
            // `编辑 某某`, and not `编辑 看了 这篇 …`
            let named = first.is_some_and(char::is_whitespace) && rest.trim().chars().count() <= 12;
            let by = label.ends_with(" by")
                && first == Some(' ')
                && rest.split_whitespace().count() <= 5;
            ends || by || (named && !label.is_ascii())
        })
    }) || line.strip_prefix("by ").is_some_and(|rest| {
        let words = rest.split_whitespace().count();
        (1..=5).contains(&words) && !rest.ends_with(['.', ','])
    })
}

/// Whether nothing is left when the words, numbers and marks are taken away.
fn is_of_words(line: &str) -> bool {
    line.split(|c: char| c.is_ascii_digit() || (!c.is_alphanumeric() && c != ' '))
        .all(|part| {
            let part = part.trim();
            part.is_empty()
                || WORDS.contains(&part)
                || part
                    .split(' ')
                    .all(|word| word.is_empty() || WORDS.contains(&word))
        })
}

/// Whether the line gives a time and little else: `2025-11-01 10:30 某某网`, `Nov 1, 2025`, `3小时前`.
fn is_dateline(line: &str) -> bool {
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    if digits == 0 || line.contains(['，', '；', '、']) {
        return false;
    }
    let dated = has_date(line) || has_clock(line);
    let ago = ["前", " ago"].iter().any(|end| line.ends_with(end)) && letters <= 12;
    (dated && letters <= 40) || ago
}

/// `2025-11-01`, `2025年11月1日`, `1 november 2025`, `nov. 1, 2025`.
pub(super) fn has_date(line: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let numbers: Vec<&str> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let year = numbers
        .iter()
        .any(|number| number.len() == 4 && (number.starts_with("19") || number.starts_with("20")));
    let parted = numbers.windows(3).any(|three| {
        matches!(three, [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2)
    });
    let worded = MONTHS.iter().any(|month| {
        line.split(|c: char| !c.is_alphabetic())
            .any(|word| word.len() <= 9 && word.starts_with(month))
    });
    (year && (parted || worded))
        || (line.contains('月') && line.contains('日') && numbers.len() >= 2)
}

/// `10:30`.
pub(super) fn has_clock(line: &str) -> bool {
    let parts: Vec<&str> = line.split([':', '：']).collect();
    parts.windows(2).any(|two| match two {
        [before, after] => {
            before.ends_with(|c: char| c.is_ascii_digit())
                && after.chars().take(2).filter(char::is_ascii_digit).count() == 2
        }
        _ => false,
    })
}
