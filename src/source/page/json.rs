//! Values out of publishers' JSON. Numbers may be written as strings and the other way round; what is missing is named.

use std::borrow::Cow;

use serde_json::Value;

use super::{MAX_ITEMS, looks_like};
use crate::model::entry::ReadError;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::rules::dates;

/// Reads a whole page of JSON. `expected` says what it should have been (`a story list`).
pub fn parse(text: &str, expected: &'static str) -> Result<Value, ReadError> {
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(ReadError::Other {
            expected,
            found: looks_like(text),
        });
    }
    serde_json::from_str(text).map_err(|error| {
        let why = error.to_string();
        // serde_json names the limit in its message only.
        if why.starts_with("recursion limit") {
            ReadError::Limit {
                what: "JSON depth",
                limit: 128,
            }
        } else {
            ReadError::Broken {
                format: "JSON",
                why,
            }
        }
    })
}

/// The value at a dotted path, or `None` where a step of it is missing or null.
pub fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(value, |value, step| value.get(step))
        .filter(|value| !value.is_null())
}

/// The value at a dotted path; the error names the path up to the first step that is missing.
pub fn need<'v>(value: &'v Value, path: &str, page: &'static str) -> Result<&'v Value, ReadError> {
    let mut here = value;
    let mut end = 0;
    for step in path.split('.') {
        end += step.len();
        here = here
            .get(step)
            .filter(|value| !value.is_null())
            .ok_or_else(|| missing(path.get(..end).unwrap_or(path), page))?;
        end += 1;
    }
    Ok(here)
}

/// The list at a dotted path. Neither a list that is missing nor one over the limit is an empty one.
pub fn list<'v>(
    value: &'v Value,
    path: &str,
    page: &'static str,
) -> Result<&'v [Value], ReadError> {
    let items = need(value, path, page)?
        .as_array()
        .ok_or_else(|| missing(&format!("{path}[]"), page))?;
    if items.len() > MAX_ITEMS {
        return Err(ReadError::Limit {
            what: "entries",
            limit: MAX_ITEMS,
        });
    }
    Ok(items)
}

/// The items of a list that may be missing; over the limit only the first ones.
pub fn items<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    let items = at(value, path)
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items.get(..MAX_ITEMS).unwrap_or(items)
}

/// The text at a path, unless it is blank. Untrimmed.
pub fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

/// The first of several paths that has a text.
pub fn first_text<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| text(value, path))
}

/// A word that may be written as a string or as a number (ids, codes).
pub fn word<'v>(value: &'v Value, path: &str) -> Option<Cow<'v, str>> {
    match at(value, path)? {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// A whole number that may be written as a string.
pub fn number(value: &Value, path: &str) -> Option<i64> {
    match at(value, path)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A time, written as words in any form or as a number.
pub fn time(value: &Value, zone: &Zone) -> Option<Timestamp> {
    match value {
        Value::String(text) => dates::parse(text, zone, None),
        Value::Number(number) => dates::epoch(number.as_i64()?),
        _ => None,
    }
}

/// An address; `//host/…` and relative ones resolve against the page they were found on.
pub fn url(value: &Value, path: &str, found_on: &PageUrl) -> Option<PageUrl> {
    text(value, path).and_then(|text| found_on.join(text).ok())
}

/// The error for a page of a shape we do not know.
pub fn missing(field: &str, page: &'static str) -> ReadError {
    ReadError::Missing {
        field: field.to_owned(),
        page,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_thing_missing_is_named() {
        let value = json!({"data": {"stories": null, "n": 1}});
        let check = |path: &str, field: &str| {
            assert_eq!(
                list(&value, path, "the list"),
                Err(missing(field, "the list"))
            );
        };
        check("date.stories", "date");
        check("data.stories", "data.stories");
        check("data.stories.items", "data.stories");
        check("data.n", "data.n[]");
    }

    #[test]
    fn numbers_and_words_come_as_either() {
        let value = json!({"a": 5, "b": " 5 ", "c": [], "d": ""});
        assert_eq!(word(&value, "a").as_deref(), Some("5"));
        assert_eq!(word(&value, "b").as_deref(), Some("5"));
        assert_eq!(word(&value, "c"), None);
        assert_eq!(word(&value, "d"), None);
        assert_eq!(number(&value, "b"), Some(5));
        assert_eq!(number(&value, "d"), None);
    }

    #[test]
    fn times_come_as_words_or_numbers() {
        let check = |value: &Value, expected| {
            assert_eq!(time(value, &Zone::utc()), expected, "{value}");
        };
        let expected = Some(Timestamp::from_secs(1_790_983_391));
        check(&json!("2026-10-02 23:23:11"), expected);
        check(&json!("1790983391"), expected);
        check(&json!(1_790_983_391), expected);
        check(&json!(1_790_983_391_000_i64), expected);
        check(&json!(0), None);
        check(&json!(1.5), None);
        check(&json!(["2026-10-02"]), None);
    }

    #[test]
    fn depth_counts_and_foreign_pages_are_bounded() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(parse(&deep, "x"), Err(ReadError::Limit { .. })));
        let many = json!({"l": vec![0; MAX_ITEMS + 1]});
        assert!(matches!(
            list(&many, "l", "x"),
            Err(ReadError::Limit { .. })
        ));
        assert_eq!(items(&many, "l").len(), MAX_ITEMS);
        assert!(matches!(parse("<html>", "x"), Err(ReadError::Other { .. })));
        assert!(matches!(
            parse("{\"a\":", "x"),
            Err(ReadError::Broken { .. })
        ));
    }
}
