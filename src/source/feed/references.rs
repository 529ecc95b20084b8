//! References in text: `&#38;`, `&amp;`, `&nbsp;`, and entities a document declares for itself.

use std::borrow::Cow;
use std::collections::HashMap;

use markup5ever::data::NAMED_ENTITIES;
use memchr::memchr;

use crate::rules::markup::entity;
use crate::rules::repair::is_allowed;

/// The character of a number, `None` where there is none or XML forbids it.
pub(super) fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    // What editors on Windows mean by the numbers of control characters.
    let c = entity::character(code).or_else(|| char::from_u32(code))?;
    is_allowed(c).then_some(c)
}

/// The characters of a name HTML knows. Of the names quick-xml 0.42 knows for HTML, 421 of 1,447 give another
/// character (`alpha` a semicolon, `oelig` a control character), so its table is not asked.
pub(super) fn named(name: &str) -> Option<String> {
    let mut key = String::with_capacity(name.len() + 1);
    key.push_str(name);
    key.push(';');
    // The table also holds every beginning of a name, with zeros.
    let &(first, second) = NAMED_ENTITIES.get(key.as_str())?;
    let characters = [first, second].into_iter().filter_map(char::from_u32);
    let text: String = characters.filter(|c| *c != '\0').collect();
    (!text.is_empty()).then_some(text)
}

/// A declared entity's value with the references in it resolved: `false` where that is too much, or too deep.
pub(super) fn expand(
    value: &str,
    entities: &HashMap<&str, &str>,
    depth: usize,
    budget: usize,
    out: &mut String,
) -> bool {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // Names are short; looking further at every `&` would cost the square of the length.
        let end = after.bytes().take(200).position(|b| b == b';');
        let reference = end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?)));
        let Some((name, left)) = reference else {
            out.push('&');
            rest = after;
            continue;
        };
        match entities.get(name) {
            Some(inner) => {
                if depth == 0 || !expand(inner, entities, depth - 1, budget, out) {
                    return false;
                }
            }
            None => out.push_str(&decoded(&format!("&{name};"))),
        }
        rest = left;
    }
    out.push_str(rest);
    out.len() <= budget
}

/// Text with the references in it resolved once; what is none stays as it is.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let (start, mut rest) = text.split_at(first);
    let mut out = start.to_owned();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // The longest name HTML knows has 31 letters.
        let end = after.bytes().take(40).position(|b| b == b';');
        let resolved = end
            .and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?)))
            .and_then(|(name, left)| {
                let text = match name.strip_prefix('#') {
                    Some(number) => numbered(number).map(String::from)?,
                    None => named(name)?,
                };
                Some((text, left))
            });
        if let Some((text, left)) = resolved {
            out.push_str(&text);
            rest = left;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The entities a DOCTYPE declares with a value. External ones are never fetched, and read as their names (P-101).
pub(super) fn declared(doctype: &str) -> HashMap<&str, &str> {
    let mut entities = HashMap::new();
    for declaration in doctype.split("<!ENTITY").skip(1).take(256) {
        let Some((name, value)) = declaration
            .trim_start()
            .split_once(|c: char| c.is_ascii_whitespace())
        else {
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(quote) = quote
            && let Some(value) = value.get(1..).and_then(|value| value.split(quote).next())
        {
            // The first declaration binds (XML 1.0 §4.2).
            entities.entry(name).or_insert(value);
        }
    }
    entities
}
