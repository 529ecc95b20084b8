//! One streaming pass over a feed before anything is built from it: depth, elements, entries, attributes.
//!
//! A document of 24 kB can nest 700 elements, and one of 2 MB hold 300,000 empty items: what a reader builds is not
//! bounded by what it is sent. The scan is no parser. An end tag closes what is open inside its element, as the reader has it,
//! and an entry the one before it: what is never closed (`<br>`) does not add up over a document.

use memchr::{memchr, memchr3, memmem};

use crate::model::entry::ReadError;

/// How deep JSON values may nest.
pub const DEPTH: usize = 64;
/// How deep elements may nest: nobody recurses over them, and pages in a feed are deep.
pub const XML_DEPTH: usize = 256;
/// How many elements a document may have.
pub const ELEMENTS: usize = 200_000;
/// How many entries of a document are read; those after it are named as skipped.
pub const ENTRIES: usize = 10_000;
/// How many attributes a tag may have.
pub const ATTRIBUTES: usize = 256;
/// How many bytes the entities a document declares may expand to (P-101).
pub const EXPANSION: usize = 64 * 1024;
/// How many arrays and objects a JSON document may have: ten for each entry that is read. The reader holds them all
/// at once, so this bounds its memory.
pub const JSON_CONTAINERS: usize = 100_000;
/// How many members and elements a JSON document may have.
pub const JSON_VALUES: usize = 400_000;

/// What a document is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Elements.
    pub elements: usize,
    /// How deep they nest.
    pub depth: usize,
}

fn over(what: &'static str, limit: usize) -> ReadError {
    ReadError::Limit { what, limit }
}

/// Counts what an XML document is made of; the first limit it passes is the error.
pub fn scan_xml(text: &str) -> Result<Shape, ReadError> {
    let bytes = text.as_bytes();
    let (mut shape, mut at) = (Shape::default(), 0);
    let mut open: Vec<&[u8]> = Vec::new();
    let rest = |at: usize| bytes.get(at..).unwrap_or_default();
    // Where a construct is never closed, nothing after it is markup.
    let after = |at: usize, end: &[u8]| {
        memmem::find(rest(at), end).map_or(bytes.len(), |found| at + found + end.len())
    };
    while let Some(found) = memchr(b'<', rest(at)) {
        at += found + 1;
        match rest(at) {
            [b'!', b'-', b'-', ..] => at = after(at + 3, b"-->"),
            [b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => at = after(at + 8, b"]]>"),
            // Into a DOCTYPE without stepping over it: declarations are counted as nothing, tags inside are found.
            [b'!', ..] => at += 1,
            [b'?', ..] => at = after(at + 1, b"?>"),
            [b'/', ..] => {
                at += 1;
                let name = name(rest(at));
                if let Some(found) = open.iter().rposition(|open| *open == name) {
                    open.truncate(found);
                }
            }
            _ => {
                let name = name(rest(at));
                let (end, closed) = tag(bytes, at)?;
                at = end;
                shape.elements += 1;
                if shape.elements > ELEMENTS {
                    return Err(over("XML elements", ELEMENTS));
                }
                if !closed {
                    if matches!(name, b"item" | b"entry")
                        && let Some(found) = open.iter().rposition(|open| *open == name)
                    {
                        open.truncate(found);
                    }
                    open.push(name);
                    shape.depth = shape.depth.max(open.len());
                    if open.len() > XML_DEPTH {
                        return Err(over("XML depth", XML_DEPTH));
                    }
                }
            }
        }
    }
    Ok(shape)
}

/// The name a tag begins with.
fn name(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(|byte| b" \t\r\n/><".contains(byte));
    tag.get(..end.unwrap_or(tag.len())).unwrap_or_default()
}

/// Steps over a start tag, whose `<` is behind `at`: where it ends, and whether it closes itself.
fn tag(bytes: &[u8], mut at: usize) -> Result<(usize, bool), ReadError> {
    let mut attributes = 0;
    while let Some(found) = memchr3(b'>', b'"', b'\'', bytes.get(at..).unwrap_or_default()) {
        let here = at + found;
        at = here + 1;
        match bytes.get(here) {
            Some(b'>') => {
                return Ok((
                    at,
                    here.checked_sub(1).and_then(|i| bytes.get(i)) == Some(&b'/'),
                ));
            }
            Some(quote) => {
                attributes += 1;
                if attributes > ATTRIBUTES {
                    return Err(over("attributes of a tag", ATTRIBUTES));
                }
                match memchr(*quote, bytes.get(at..).unwrap_or_default()) {
                    Some(end) => at += end + 1,
                    None => break,
                }
            }
            None => break,
        }
    }
    Ok((bytes.len(), false))
}

/// Counts what a JSON document is made of; the first limit it passes is the error.
pub fn scan_json(text: &str) -> Result<(), ReadError> {
    let (mut depth, mut containers, mut values) = (0_usize, 0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        if quoted {
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => {
                depth += 1;
                containers += 1;
                if depth > DEPTH {
                    return Err(over("JSON depth", DEPTH));
                }
                if containers > JSON_CONTAINERS {
                    return Err(over("JSON arrays and objects", JSON_CONTAINERS));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => {
                values += 1;
                if values > JSON_VALUES {
                    return Err(over("JSON values", JSON_VALUES));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;

    #[test]
    fn each_limit_holds_one_below_and_one_above() {
        let check = |what: &str, fits: String, passes: String| {
            assert!(scan_xml(&fits).is_ok(), "{what}");
            let error = scan_xml(&passes).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        };
        let nested = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        check("XML depth", nested(XML_DEPTH), nested(XML_DEPTH + 1));
        let flat = |n: usize| "<item/>".repeat(n);
        check("XML elements", flat(ELEMENTS), flat(ELEMENTS + 1));
        let attributed = |n: usize| format!("<a {}/>", "b='>' ".repeat(n));
        check(
            "attributes",
            attributed(ATTRIBUTES),
            attributed(ATTRIBUTES + 1),
        );
        let json = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(scan_json(&json(DEPTH)).is_ok());
        assert!(scan_json(&json(DEPTH + 1)).is_err());
        assert!(scan_json(&format!(r#"["\\",{:?}]"#, "[".repeat(99))).is_ok());
        assert!(scan_json(&"[],".repeat(JSON_CONTAINERS + 1)).is_err());
        assert!(scan_json(&"1,".repeat(JSON_VALUES + 1)).is_err());
    }

    #[test]
    fn what_is_no_markup_is_not_counted() {
        let check = |text: &str, elements, depth| {
            assert_eq!(scan_xml(text), Ok(Shape { elements, depth }), "{text}");
        };
        check(
            "<?xml version='1.0'?><!-- <a> --><r><![CDATA[<a><b>]]></r>",
            1,
            1,
        );
        check("<!DOCTYPE r [<!ENTITY e '1'>]><r a='<b>' c=\">\"/>", 1, 0);
        check("<r><a></a><a/></r>", 3, 2);
        check("<r><!-- never closed <a><b>", 1, 1);
        check("<r a='never closed><a><b>", 1, 1);
        check("<r><d>a<br>b<br>c</d><d>a<br>b</d></r>", 6, 4);
        check("<r><item><t></t><item><t></t><item></r>", 6, 3);
        check("no markup", 0, 0);
        check("<", 1, 1);
    }
}
