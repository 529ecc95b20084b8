//! The floors: a module names modules on lower floors only, and what must stay apart stays apart.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder or file below src, and its floor. Adapters share a floor and may not name each other.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("rules", 1),
    ("config", 2),
    ("fetch", 2),
    ("source", 2),
    ("store", 2),
    ("output", 2),
    ("service", 3),
    ("serve", 4),
    ("app", 5),
    ("cli", 6),
];

/// Words that belong to one place: (the word in code, where it may stand, why).
const HOMES: &[(&str, &[&str], &str)] = &[
    ("reqwest::", &["fetch/"], "HTTP is asked in fetch alone"),
    ("rusqlite::", &["store/"], "SQL lives in the store alone"),
    (
        "anyhow",
        &["cli/", "app", "main.rs"],
        "below the faces errors are enums",
    ),
    ("SystemTime::now", &["app.rs"], "`now` is an argument"),
    ("Timestamp::now", &[], "`now` is an argument"),
    ("process::exit", &[], "the library never exits the process"),
    (
        "println!",
        &[],
        "the library never prints; commands write to a handle",
    ),
    ("tokio::fs", &[], "it reports success for writes it dropped"),
    (
        "std::process::Command",
        &[],
        "feed data must never reach a command line",
    ),
];

fn sources(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn floor(part: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == part)
        .map(|(_, floor)| *floor)
}

/// What one file breaks, as `source/dw.rs:2: source names store`.
fn breaches(file: &str, text: &str) -> Vec<String> {
    let own = file.split(['/', '.']).next().unwrap_or_default();
    let Some(own_floor) = floor(own) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{file}:{}", number + 1);
        let code = line.split("//").next().unwrap_or_default();
        for rest in code.split("crate::").skip(1) {
            let named: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            match floor(&named) {
                Some(other) if other < own_floor || named == own => {}
                Some(_) => found.push(format!("{place}: {own} names {named}")),
                None if named.is_empty() => {
                    found.push(format!("{place}: `use crate::{{…}}`: one line a module"));
                }
                None => {}
            }
        }
        if code.contains("crate::")
            && !code.trim_start().starts_with("use ")
            && !code.trim_start().starts_with("pub use ")
        {
            found.push(format!("{place}: an inline path: {}", code.trim()));
        }
        for (word, homes, why) in HOMES {
            if code.contains(word) && !homes.iter().any(|home| file.starts_with(home)) {
                found.push(format!("{place}: `{word}`: {why}"));
            }
        }
    }
    found
}

#[test]
fn every_module_keeps_to_its_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&src) {
        let name = path
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let top = name.split(['/', '.']).next().unwrap();
        assert!(
            matches!(top, "lib" | "main") || floor(top).is_some(),
            "{name} has no floor: give it one in FLOORS"
        );
        found.extend(breaches(&name, &fs::read_to_string(&path).unwrap()));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_breach_is_seen() {
    let check =
        |file: &str, line: &str, seen: &str| assert_eq!(breaches(file, line), [seen.to_owned()]);
    check(
        "source/dw.rs",
        "use crate::store::Store;",
        "source/dw.rs:1: source names store",
    );
    check(
        "model/ids.rs",
        "use crate::rules::fold;",
        "model/ids.rs:1: model names rules",
    );
    check(
        "service/poll.rs",
        "use reqwest::Client;",
        "service/poll.rs:1: `reqwest::`: HTTP is asked in fetch alone",
    );
    check(
        "rules/fold.rs",
        "    crate::model::content::x();",
        "rules/fold.rs:1: an inline path: crate::model::content::x();",
    );
    assert!(
        breaches(
            "source/dw.rs",
            "use crate::model::entry::Draft; // crate::store"
        )
        .is_empty()
    );
}
