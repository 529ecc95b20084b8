//! Places in a JSON document as feeds.toml names them: `data.list`, `data.list[0].title`, `authors[*].name`,
//! `["a.b"].c`; and addresses made of them, `https://example.org/a/{id}`.

use serde_json::Value;

use super::json;

/// A path: names, places in lists, and all of a list or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

impl Path {
    /// Reads a path; a `$` or `$.` at its start is allowed and says nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` is no path: {why}"));
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let quoted = inside.strip_prefix('"').and_then(|q| q.split_once("\"]"));
                let (step, after) = match quoted {
                    Some((name, after)) => (Step::Name(name.to_owned()), after),
                    None => match inside.split_once(']') {
                        Some(("*", after)) => (Step::All, after),
                        Some((place, after)) => match place.parse() {
                            Ok(place) => (Step::Index(place), after),
                            Err(_) => return wrong("in [ ] stands a number, * or \"a name\""),
                        },
                        None => return wrong("a [ is not closed"),
                    },
                };
                steps.push(step);
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if name.is_empty() {
                    return wrong("a name is missing between two dots");
                }
                let step = if name == "*" {
                    Step::All
                } else {
                    Step::Name(name.to_owned())
                };
                steps.push(step);
                rest = after;
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return wrong("it ends with a dot");
                }
                rest = after;
            }
        }
        if steps.is_empty() {
            return wrong("it names nothing");
        }
        Ok(Self(steps))
    }

    /// Whether it names all of something.
    pub fn is_many(&self) -> bool {
        self.0.contains(&Step::All)
    }

    /// Every value it leads to, in order; `null` is none.
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut here = vec![value];
        for step in &self.0 {
            here = here
                .into_iter()
                .flat_map(|value| match step {
                    Step::Name(name) => value.get(name).into_iter().collect(),
                    Step::Index(place) => value.get(*place).into_iter().collect(),
                    Step::All => match value {
                        Value::Array(list) => list.iter().collect::<Vec<_>>(),
                        Value::Object(map) => map.values().collect(),
                        _ => Vec::new(),
                    },
                })
                .collect();
        }
        here.retain(|value| !value.is_null());
        here
    }

    /// The words it leads to: texts that are not blank, and numbers as they are written.
    pub fn words(&self, value: &Value) -> Vec<String> {
        self.all(value).into_iter().filter_map(word).collect()
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What leads to an address: a path, or an address with paths in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The address is in the document.
    At(Path),
    /// It is put together: a text before each path, and one after the last.
    Made(Vec<(String, Path)>, String),
}

impl Address {
    /// Reads either.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            return Path::parse(text).map(Self::At);
        }
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((path, after)) = after.split_once('}') else {
                return Err(format!("`{text}`: a {{ is not closed"));
            };
            parts.push((before.to_owned(), Path::parse(path)?));
            rest = after;
        }
        let plain = |text: &str| !text.contains('}');
        if !parts.iter().all(|(before, _)| plain(before)) || !plain(rest) {
            return Err(format!("`{text}`: a }} has no {{ before it"));
        }
        Ok(Self::Made(parts, rest.to_owned()))
    }

    /// The address, as far as everything it is made of is there.
    pub fn of(&self, value: &Value) -> Option<String> {
        match self {
            Self::At(path) => path.words(value).into_iter().next(),
            Self::Made(parts, end) => {
                let mut address = String::new();
                for (before, path) in parts {
                    address.push_str(before);
                    encode(path.words(value).first()?, &mut address);
                }
                address.push_str(end);
                Some(address)
            }
        }
    }
}

/// A word inside an address (RFC 3986 §2.1); slashes stay, since ids such as `2026/11/a` are paths.
fn encode(word: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for nibble in [byte >> 4, byte & 15] {
                into.push(char::from(
                    HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'),
                ));
            }
        }
    }
}

/// For [`OptionKind::Written`](crate::model::feed::OptionKind::Written): a path.
pub fn check_path(text: &str) -> Result<(), String> {
    Path::parse(text).map(|_| ())
}

/// Likewise, a path or an address with paths in braces.
pub fn check_address(text: &str) -> Result<(), String> {
    Address::parse(text).map(|_| ())
}

/// Whether a document holds a list there at all, so that an empty one is an empty one.
pub fn list<'v>(
    path: &Path,
    written: &str,
    value: &'v Value,
    page: &'static str,
) -> Result<Vec<&'v Value>, super::ReadError> {
    let found = path.all(value);
    if path.is_many() {
        return if found.is_empty() {
            Err(json::missing(written, page))
        } else {
            Ok(found)
        };
    }
    match found.first() {
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(_) => Err(json::missing(&format!("list at {written}"), page)),
        None => Err(json::missing(written, page)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_to_what_it_names() {
        let value = json!({"a": {"b": [{"c": " x "}, {"c": 2}, {"c": null}]}, "d.e": "f", "o": {"1": {"n": "p"}}});
        let check = |path: &str, expected: &[&str]| {
            assert_eq!(Path::parse(path).unwrap().words(&value), expected, "{path}");
        };
        check("a.b[0].c", &["x"]);
        check("$.a.b[*].c", &["x", "2"]);
        check("a.b[7].c", &[]);
        check("[\"d.e\"]", &["f"]);
        check("o[*].n", &["p"]);
        check("o.*.n", &["p"]);
        check("a", &[]);
        for wrong in ["", "$", "a..b", "a.", "a[", "a[x]", "a[-1]", "."] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_found_or_made() {
        let value = json!({"id": 7, "slug": "2026/甲 b?", "url": "/a/7", "none": null});
        let check = |written: &str, expected: Option<&str>| {
            let address = Address::parse(written).unwrap().of(&value);
            assert_eq!(address.as_deref(), expected, "{written}");
        };
        check("url", Some("/a/7"));
        check(
            "https://x.example/{id}.html",
            Some("https://x.example/7.html"),
        );
        check("/{slug}#{id}", Some("/2026/%E7%94%B2%20b%3F#7"));
        check("/{none}", None);
        for wrong in ["/{", "/}", "/{}", "/{a..b}", "{a}}"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
