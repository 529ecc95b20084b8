//! The words of dates in letters: months, zones, and those that say nothing of which date.

use super::lexer::{Half, Part, ZoneWord};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Other languages' months by the letters they begin with: German, French, Spanish, Portuguese, Italian, Dutch,
/// Hungarian, Greek.
const ELSEWHERE: [(&str, u64); 51] = [
    ("márc", 3),
    ("ápr", 4),
    ("máj", 5),
    ("jún", 6),
    ("júl", 7),
    ("szep", 9),
    ("ιαν", 1),
    ("φεβ", 2),
    ("μαρ", 3),
    ("μάρ", 3),
    ("μαώ", 3),
    ("μάώ", 3),
    ("απρ", 4),
    ("μαι", 5),
    ("μαϊ", 5),
    ("μάι", 5),
    ("ιούν", 6),
    ("ιον", 6),
    ("ιούλ", 7),
    ("ιολ", 7),
    ("αυγ", 8),
    ("αύγ", 8),
    ("σεπ", 9),
    ("οκτ", 10),
    ("jän", 1),
    ("janv", 1),
    ("ener", 1),
    ("ene", 1),
    ("genn", 1),
    ("gen", 1),
    ("févr", 2),
    ("fév", 2),
    ("fev", 2),
    ("febr", 2),
    ("mär", 3),
    ("mrz", 3),
    ("maar", 3),
    ("mrt", 3),
    ("avr", 4),
    ("abr", 4),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("juin", 6),
    ("giu", 6),
    ("juil", 7),
    ("lug", 7),
    ("août", 8),
    ("aug", 8),
    ("ago", 8),
    ("set", 9),
];
const ELSEWHERE_LATE: [(&str, u64); 10] = [
    ("νοε", 11),
    ("νοέ", 11),
    ("δεκ", 12),
    ("ott", 10),
    ("okt", 10),
    ("out", 10),
    ("dez", 12),
    ("déc", 12),
    ("dic", 12),
    ("maj", 5),
];

/// Hours east of Greenwich, in quarters.
const ZONES: [(&str, i32); 40] = [
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("est", -20),
    ("edt", -16),
    ("cdt", -20),
    ("mst", -28),
    ("mdt", -24),
    ("pst", -32),
    ("pdt", -28),
    ("akst", -36),
    ("akdt", -32),
    ("hst", -40),
    ("ast", -16),
    ("adt", -12),
    ("brt", -12),
    ("art", -12),
    ("west", 4),
    ("bst", 4),
    ("cet", 4),
    ("mez", 4),
    ("met", 4),
    ("mest", 8),
    ("cest", 8),
    ("mesz", 8),
    ("eet", 8),
    ("sast", 8),
    ("eest", 12),
    ("msk", 12),
    ("ist", 22),
    ("hkt", 32),
    ("sgt", 32),
    ("awst", 32),
    ("jst", 36),
    ("kst", 36),
    ("aest", 40),
    ("aedt", 44),
    ("nzst", 48),
];

/// American zones without a word for summer. They are other words before a clock: `5 May at 7:00`.
const SHORT_ZONES: [(&str, i32); 5] = [
    ("at", -16),
    ("et", -20),
    ("ct", -24),
    ("mt", -28),
    ("pt", -32),
];

/// Words dates have that say nothing of which.
pub(super) fn is_filler(word: &str) -> bool {
    const WORDS: [&str; 18] = [
        "at", "de", "del", "den", "der", "d", "h", "of", "om", "on", "st", "nd", "rd", "th", "t",
        "the", "uhr", "um",
    ];
    WORDS.contains(&word) || weekday(word) || weekday_elsewhere(word)
}

fn weekday_elsewhere(word: &str) -> bool {
    const DAYS: [&str; 30] = [
        "mo", "di", "mi", "do", "fr", "sa", "so", "lun", "mar", "mer", "jeu", "ven", "sam", "dim",
        "mié", "jue", "vie", "sáb", "dom", "gio", "sab", "qua", "qui", "κυρ", "δευ", "τρι", "τετ",
        "πεμ", "παρ", "σαβ",
    ];
    DAYS.contains(&word)
}

/// What a word means behind these parts, if it means anything.
pub(super) fn named(word: &str, before: &[Part]) -> Option<Part> {
    let timed = before.iter().any(|part| matches!(part, Part::Clock(..)));
    let dated = before.iter().any(|part| *part != Part::Prose);
    match word {
        "am" | "a" if timed => return Some(Part::Half(Half::First)),
        "pm" | "p" if timed => return Some(Part::Half(Half::Second)),
        "cst" if dated => return Some(Part::Zone(ZoneWord::Cst)),
        _ => {}
    }
    if dated && let Some((_, quarters)) = ZONES.iter().find(|(name, _)| *name == word) {
        return Some(Part::Zone(ZoneWord::Offset(quarters * 900)));
    }
    if timed && let Some((_, quarters)) = SHORT_ZONES.iter().find(|(name, _)| *name == word) {
        return Some(Part::Zone(ZoneWord::Offset(quarters * 900)));
    }
    let english = MONTHS
        .iter()
        .zip(1..)
        .find(|(name, _)| word.len() >= 3 && name.starts_with(word));
    let english = english.or_else(|| (word == "sept").then_some((&"", 9)));
    let month = english.map(|(_, month)| month).or_else(|| {
        let mut elsewhere = ELSEWHERE.iter().chain(&ELSEWHERE_LATE);
        elsewhere
            .find(|(name, _)| word.starts_with(name))
            .map(|(_, month)| *month)
            .or_else(|| {
                // `marzo`, `januar`, `oktober`: English but for their ends.
                MONTHS
                    .iter()
                    .zip(1..)
                    .find(|(name, _)| name.get(..3).is_some_and(|head| word.starts_with(head)))
                    .map(|(_, m)| m)
            })
    });
    match month {
        Some(month) => Some(Part::MonthName(month)),
        // `NZDT`, `Uhr`: after a clock a word of this length can only be a zone we do not know.
        None if timed && word.is_ascii() && (3..=5).contains(&word.len()) && !weekday(word) => {
            Some(Part::Zone(ZoneWord::Unknown))
        }
        None => None,
    }
}

fn weekday(word: &str) -> bool {
    ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        .iter()
        .any(|day| word.starts_with(day))
}
