//! XML that is well-formed whatever the words are. Written by hand: a writer that takes only static names and passes
//! every string through [`push_text`] has no way to write anything else.

use crate::rules::repair;

/// Attributes in the order they are written.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Writes one document, or a part of one. Elements without words are indented by two blanks a level.
#[derive(Debug)]
pub struct Xml {
    out: String,
    open: Vec<&'static str>,
    depth: usize,
}

impl Xml {
    /// A document, from its declaration on.
    pub fn document() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned(),
            open: Vec::new(),
            depth: 0,
        }
    }

    /// A part that will stand this many levels deep in a document, for [`Xml::append`].
    pub fn part(depth: usize) -> Self {
        Self {
            out: String::new(),
            open: Vec::new(),
            depth,
        }
    }

    /// Opens an element that has elements.
    pub fn start(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }

    /// Closes the element opened last.
    pub fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.close(name);
        }
    }

    /// An element with words.
    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, words: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        push_text(&mut self.out, words);
        self.close(name);
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// Puts in a finished part.
    pub fn append(&mut self, part: Self) {
        self.out.push_str(&part.finish());
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Closes what is open and gives back the whole.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }

    fn indent(&mut self) {
        for _ in 0..self.depth + self.open.len() {
            self.out.push_str("  ");
        }
    }

    fn tag(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_value(&mut self.out, value);
            self.out.push('"');
        }
    }

    fn close(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }
}

/// Whether a character may be in what we publish (F-11): those XML 1.0 allows (§2.2), without DEL, the C1 controls
/// and the noncharacters it advises against.
pub fn is_allowed(c: char) -> bool {
    let advised_against = matches!(c, '\u{7F}'..='\u{9F}' | '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE;
    repair::is_allowed(c) && !advised_against
}

/// Words between tags. Line ends become LF (§2.11), characters that are not allowed are dropped; `>` is always escaped,
/// so that there is no `]]>`.
pub fn push_text(out: &mut String, words: &str) {
    push(out, words, |c| match c {
        '\r' => Some("\n"),
        _ => None,
    });
}

/// An attribute's value for double quotes. Tabs and line ends are references, or readers would make blanks of them (§3.3.3).
fn push_value(out: &mut String, value: &str) {
    push(out, value, |c| match c {
        '"' => Some("&quot;"),
        '\t' => Some("&#9;"),
        '\n' | '\r' => Some("&#10;"),
        _ => None,
    });
}

fn push(out: &mut String, text: &str, special: fn(char) -> Option<&'static str>) {
    let mut last = ' ';
    for c in text.chars().filter(|&c| is_allowed(c)) {
        // CR LF is one line end.
        let second_half = c == '\n' && last == '\r';
        last = c;
        if second_half {
            continue;
        }
        match (c, special(c)) {
            (_, Some(reference)) => out.push_str(reference),
            ('&', _) => out.push_str("&amp;"),
            ('<', _) => out.push_str("&lt;"),
            ('>', _) => out.push_str("&gt;"),
            (c, _) => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_character_comes_back_or_is_dropped() {
        for code in 0..=0x0010_FFFF_u32 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            // Every one by itself where rules begin and end; elsewhere a sample.
            if (0x3000..0xFD00).contains(&code)
                || (0x1_0010..0x1_FFF0).contains(&(code | 0x1_0000)) && code % 97 != 0
            {
                continue;
            }
            let mut xml = Xml::document();
            xml.element("a", &[("b", &c.to_string())], &c.to_string());
            let text = xml.finish();
            let document = roxmltree::Document::parse(&text).unwrap();
            let root = document.root_element();
            let expected = match c {
                '\r' => "\n".to_owned(),
                c if is_allowed(c) => c.to_string(),
                _ => String::new(),
            };
            assert_eq!(root.text().unwrap_or_default(), expected, "U+{code:04X}");
            assert_eq!(root.attribute("b"), Some(&*expected), "U+{code:04X}");
        }
    }

    #[test]
    fn documents_are_indented_and_closed() {
        let mut xml = Xml::document();
        xml.start("a", &[("x", "1\r\n2\t\"3\""), ("b", "")]);
        xml.element("b", &[], "]]>\r\n\r<&'\u{0}\u{85}\u{FFFE}\u{1FFFF}\u{FDD0}");
        let mut part = Xml::part(1);
        part.start("c", &[]);
        part.empty("d", &[]);
        xml.append(part);
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a x=\"1&#10;2&#9;&quot;3&quot;\" b=\"\">\n  \
             <b>]]&gt;\n\n&lt;&amp;'</b>\n  <c>\n    <d/>\n  </c>\n</a>\n"
        );
    }
}
