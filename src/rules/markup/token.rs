//! HTML cut into tags and text, in one pass and without a tree. Cuts where the HTML standard's tokenizer cuts
//! (§13.2.5), so that what is read here and what a parser makes of the same bytes do not part ways.

use std::borrow::Cow;

use memchr::memchr;

use crate::rules::markup::element::{Element, element};
use crate::rules::markup::entity;

/// A piece of HTML. What a browser would drop (comments, doctypes, a tag cut off by the end) is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text as written, character references undecoded.
    Text(&'a str),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag.
    End(Tag<'a>),
    /// Nothing that shows.
    Other,
}

/// A tag as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Its name in the case it was written in.
    pub name: &'a str,
    /// All between name and `>`.
    pub attributes: &'a str,
    /// Whether it ends in `/>`.
    pub self_closing: bool,
    /// The whole tag.
    pub raw: &'a str,
}

impl<'a> Tag<'a> {
    /// What is known of its element.
    pub fn element(&self) -> Element {
        element(self.name)
    }

    /// Its name in lower case.
    pub fn lower_name(&self) -> Cow<'a, str> {
        if self.name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(self.name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(self.name)
        }
    }

    /// Whether its name is this one, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The attributes with their values as written; an attribute without a value has an empty one.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes {
            text: self.attributes,
            at: 0,
        }
    }

    /// The value of this attribute as written: the first one counts (§13.2.5.33).
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The value of this attribute as its reader sees it.
    pub fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attribute(name).map(|raw| entity::decode(raw, true))
    }
}

/// Reads tokens off some HTML.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// From its start.
    pub fn new(html: &'a str) -> Self {
        Self { html, at: 0 }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Passes over the content of an element whose content is no markup (`script`, `style`), up to its end tag. Without
    /// an end tag that is all the rest.
    pub fn skip_raw(&mut self, name: &str) -> &'a str {
        let bytes = self.html.as_bytes();
        let begin = self.at;
        while let Some(found) = self.rest_from(self.at).and_then(|rest| memchr(b'<', rest)) {
            let start = self.at + found;
            self.at = start + 1;
            let end = start + 2 + name.len();
            let names_it = bytes.get(start + 1) == Some(&b'/')
                && bytes
                    .get(start + 2..end)
                    .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                && bytes
                    .get(end)
                    .is_some_and(|&b| is_blank(b) || matches!(b, b'/' | b'>'));
            if names_it {
                self.at = start;
                return self.slice(begin, start);
            }
        }
        self.at = bytes.len();
        self.slice(begin, self.at)
    }

    /// Passes over this many bytes of what has not been read yet.
    pub fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.html.len());
    }

    fn rest_from(&self, at: usize) -> Option<&'a [u8]> {
        self.html.as_bytes().get(at..)
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        // Every position is one of an ASCII byte, so this is a character boundary.
        self.html.get(from..to).unwrap_or_default()
    }

    fn text(&mut self, from: usize, search: usize) -> Token<'a> {
        let len = self.html.len();
        self.at = self
            .rest_from(search)
            .and_then(|rest| memchr(b'<', rest))
            .map_or(len, |found| search + found);
        Token::Text(self.slice(from, self.at))
    }

    fn tag(&mut self, start: usize, name: usize) -> Option<Tag<'a>> {
        let bytes = self.html.as_bytes();
        let name_end = bytes
            .get(name..)?
            .iter()
            .position(|&b| is_blank(b) || matches!(b, b'/' | b'>'))
            .map_or(bytes.len(), |found| name + found);
        let Some((end, self_closing)) = scan_tag(bytes, name_end) else {
            self.at = bytes.len();
            return None;
        };
        self.at = end;
        Some(Tag {
            name: self.slice(name, name_end),
            attributes: self.slice(name_end, end - 1),
            self_closing,
            raw: self.slice(start, end),
        })
    }

    fn bogus(&mut self, from: usize) -> Token<'a> {
        self.at = self
            .rest_from(from)
            .and_then(|rest| memchr(b'>', rest))
            .map_or(self.html.len(), |found| from + found + 1);
        Token::Other
    }

    /// A comment ends at `-->` or `--!>`; `<!-->` and `<!--->` are whole ones (§13.2.5.43 to 51).
    fn comment(&mut self, start: usize) -> Token<'a> {
        let bytes = self.html.as_bytes();
        let mut search = start + 4;
        while let Some(found) = self.rest_from(search).and_then(|rest| memchr(b'>', rest)) {
            let close = search + found;
            search = close + 1;
            let inside = bytes.get(start + 2..close).unwrap_or_default();
            if inside.ends_with(b"--") || (inside.len() > 4 && inside.ends_with(b"--!")) {
                self.at = search;
                return Token::Other;
            }
        }
        self.at = bytes.len();
        Token::Other
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        let rest = self.rest_from(start)?;
        Some(match rest {
            [] => return None,
            [b'<', b'/', next, ..] if next.is_ascii_alphabetic() => {
                self.tag(start, start + 2).map_or(Token::Other, Token::End)
            }
            [b'<', next, ..] if next.is_ascii_alphabetic() => self
                .tag(start, start + 1)
                .map_or(Token::Other, Token::Start),
            [b'<', b'!', b'-', b'-', ..] => self.comment(start),
            [b'<', b'/', _, ..] | [b'<', b'!' | b'?', ..] => self.bogus(start + 2),
            [b'<', ..] => self.text(start, start + 1),
            _ => self.text(start, start),
        })
    }
}

/// Attributes as written, in order.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let bytes = self.text.as_bytes();
        let start = bytes
            .get(self.at..)?
            .iter()
            .position(|&b| !is_blank(b) && b != b'/')?
            + self.at;
        let (name_end, value, end) = scan_attribute(bytes, start)?;
        self.at = end;
        let name = self.text.get(start..name_end).unwrap_or_default();
        Some((name, self.text.get(value.0..value.1).unwrap_or_default()))
    }
}

/// Blanks as HTML counts them.
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
}

/// From the end of a tag's name: where the tag ends, and whether in `/>`. `None` if it does not.
fn scan_tag(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut slash = false;
    loop {
        match *bytes.get(at)? {
            b'>' => return Some((at + 1, slash)),
            b'/' => {
                slash = true;
                at += 1;
            }
            byte if is_blank(byte) => {
                slash = false;
                at += 1;
            }
            _ => {
                slash = false;
                at = scan_attribute(bytes, at)?.2;
            }
        }
    }
}

/// From the first byte of an attribute: the end of its name, the place of its value, and where to go on. `None`
/// where a quote is never closed.
fn scan_attribute(bytes: &[u8], start: usize) -> Option<(usize, (usize, usize), usize)> {
    let len = bytes.len();
    let find = |from: usize, stop: fn(u8) -> bool| {
        bytes
            .get(from..)
            .and_then(|rest| rest.iter().position(|&b| stop(b)))
            .map_or(len, |found| from + found)
    };
    // A name may begin with `=` (§13.2.5.32).
    let name_end = find(start + 1, |b| {
        is_blank(b) || matches!(b, b'/' | b'>' | b'=')
    });
    let equals = find(name_end, |b| !is_blank(b));
    if bytes.get(equals) != Some(&b'=') {
        return Some((name_end, (name_end, name_end), name_end));
    }
    let value = find(equals + 1, |b| !is_blank(b));
    if let Some(&quote @ (b'"' | b'\'')) = bytes.get(value) {
        let close = value + 1 + memchr(quote, bytes.get(value + 1..)?)?;
        Some((name_end, (value + 1, close), close + 1))
    } else {
        let end = find(value, |b| is_blank(b) || b == b'>');
        Some((name_end, (value, end), end))
    }
}

#[cfg(test)]
mod tests;
