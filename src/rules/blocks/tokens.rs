//! HTML as a stream of tags and text: the WHATWG tokenizer's rules, without building a tree.

use std::borrow::Cow;

use dom_query::Document;
use memchr::{memchr, memmem};

/// One piece of markup. Comments, doctypes and the insides of scripts and styles are left out.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Text with its character references resolved.
    Text(Cow<'a, str>),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag's name, lower case.
    End(Cow<'a, str>),
}

/// A start tag. Its attributes are read only when asked for, so ten thousand of them cost nothing.
#[derive(Debug, PartialEq)]
pub(super) struct Tag<'a> {
    /// Lower case.
    pub name: Cow<'a, str>,
    attributes: &'a str,
}

impl Tag<'_> {
    /// The first attribute of this (lower-case) name, its character references resolved.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let mut scan = Attributes {
            text: self.attributes,
            at: 0,
        };
        while let Some((found, value)) = scan.next() {
            if found.eq_ignore_ascii_case(name) {
                return Some(resolve_references(value, true).into_owned());
            }
        }
        None
    }

    /// Whether its class list has this word.
    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|list| list.split_ascii_whitespace().any(|word| word == class))
    }

    /// `<video/>`: HTML ignores the stroke, but feeds mean it.
    pub fn closes_itself(&self) -> bool {
        self.attributes.ends_with('/')
    }
}

/// Elements whose insides are no markup and no words of the article.
const RAW: [&str; 8] = [
    "script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes",
];

/// The tokens of a text. Every byte is looked at a bounded number of times, whatever the nesting.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(html: &'a str) -> Self {
        Self { html, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn skip_past(&mut self, end: &str) {
        let rest = self.rest();
        self.at +=
            memmem::find(rest.as_bytes(), end.as_bytes()).map_or(rest.len(), |i| i + end.len());
    }

    /// At `<!--`. `<!-->` and `<!--->` are whole comments.
    fn skip_comment(&mut self) {
        let rest = self.rest();
        if rest.starts_with("<!-->") || rest.starts_with("<!--->") {
            return self.skip_past(">");
        }
        self.at += 4;
        loop {
            self.skip_past("--");
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('>') || rest.starts_with("!>") {
                return self.skip_past(">");
            }
            // `--->` ends a comment too: look again from the second hyphen.
            self.at -= 1;
        }
    }

    /// At `<` or `</` and a letter. `None` where the tag breaks off at the end of the text.
    fn tag(&mut self, open: usize) -> Option<Tag<'a>> {
        let body = self.rest().get(open..)?;
        let ends = |b: u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
        let name_end = body.bytes().position(ends)?;
        let (name, rest) = body.split_at(name_end);
        let mut scan = Attributes { text: rest, at: 0 };
        while scan.next().is_some() {}
        let attributes = rest.get(..scan.at)?;
        if !rest.get(scan.at..)?.starts_with('>') {
            return None;
        }
        self.at += open + name_end + scan.at + 1;
        let name = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Some(Tag { name, attributes })
    }

    /// Past a raw element's content, up to its end tag.
    fn skip_raw(&mut self, name: &str) {
        while let Some(i) = memchr(b'<', self.rest().as_bytes()) {
            self.at += i;
            let ahead = self
                .rest()
                .as_bytes()
                .get(1..name.len() + 3)
                .unwrap_or_default();
            if let [b'/', found @ .., end] = ahead
                && found.eq_ignore_ascii_case(name.as_bytes())
                && (end.is_ascii_whitespace() || matches!(end, b'/' | b'>'))
            {
                return;
            }
            self.at += 1;
        }
        self.at = self.html.len();
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let bytes = rest.as_bytes();
            match (bytes.first()?, bytes.get(1), bytes.get(2)) {
                (b'<', Some(b'!'), _) if rest.starts_with("<!--") => self.skip_comment(),
                (b'<', Some(b'/'), Some(letter)) if letter.is_ascii_alphabetic() => {
                    return match self.tag(2) {
                        Some(tag) => Some(Token::End(tag.name)),
                        None => self.end(),
                    };
                }
                // A doctype, a processing instruction, `</>`.
                (b'<', Some(b'!' | b'?'), _) | (b'<', Some(b'/'), Some(_)) => self.skip_past(">"),
                (b'<', Some(letter), _) if letter.is_ascii_alphabetic() => {
                    let Some(tag) = self.tag(1) else {
                        return self.end();
                    };
                    if RAW.contains(&&*tag.name) && !tag.closes_itself() {
                        self.skip_raw(&tag.name);
                    }
                    return Some(Token::Start(tag));
                }
                // Text, which may begin with a `<` that is none of the above.
                _ => {
                    let length = memchr(b'<', bytes.get(1..).unwrap_or_default())
                        .map_or(rest.len(), |i| i + 1);
                    self.at += length;
                    let text = rest.get(..length).unwrap_or_default();
                    return Some(Token::Text(resolve_references(text, false)));
                }
            }
        }
    }
}

impl<'a> Tokens<'a> {
    fn end(&mut self) -> Option<Token<'a>> {
        self.at = self.html.len();
        None
    }
}

/// The attributes of a tag, in order; stops at the `>` outside quotes.
struct Attributes<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Attributes<'a> {
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(|b| !wanted(b)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        self.take_while(|b| b.is_ascii_whitespace() || b == b'/');
        let start = self.at;
        if self.text.as_bytes().get(start).is_none_or(|b| *b == b'>') {
            return None;
        }
        // A `=` at the very start belongs to the name.
        self.at += usize::from(self.text.as_bytes().get(start) == Some(&b'='));
        self.take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>' | b'='));
        let name = self.text.get(start..self.at).unwrap_or_default();
        let after_name = self.at;
        self.take_while(|b| b.is_ascii_whitespace());
        if self.text.as_bytes().get(self.at) != Some(&b'=') {
            self.at = after_name;
            return Some((name, ""));
        }
        self.at += 1;
        self.take_while(|b| b.is_ascii_whitespace());
        let value = match self.text.as_bytes().get(self.at) {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                let value = self.take_while(|b| b != *quote);
                self.at = (self.at + 1).min(self.text.len());
                value
            }
            _ => self.take_while(|b| !b.is_ascii_whitespace() && b != b'>'),
        };
        Some((name, value))
    }
}

/// References that articles are full of; the other two thousand are looked up by the HTML parser.
const COMMON: [(&str, &str); 16] = [
    ("nbsp", "\u{a0}"),
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("middot", "·"),
    ("bull", "•"),
    ("emsp", "\u{2003}"),
];

/// Longest name of a character reference, and more digits than any number of one needs.
const LONGEST_REFERENCE: usize = 32;

fn resolve_references(text: &str, in_attribute: bool) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'#';
        let length = after
            .bytes()
            .take(LONGEST_REFERENCE + 1)
            .position(|b| !is_name(b))
            .unwrap_or(after.len().min(LONGEST_REFERENCE + 1));
        let name = after.get(..length).unwrap_or_default();
        let closed = after.as_bytes().get(length) == Some(&b';');
        // Without its semicolon only the commonest are read, and not in addresses (`?a=1&lt=2`).
        let known = if closed {
            reference(name)
        } else if !in_attribute && ["nbsp", "amp", "lt", "gt", "quot"].contains(&name) {
            common(name).map(Cow::Borrowed)
        } else {
            None
        };
        if let Some(known) = known {
            out.push_str(&known);
            rest = after
                .get(length + usize::from(closed)..)
                .unwrap_or_default();
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn common(name: &str) -> Option<&'static str> {
    COMMON
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

fn reference(name: &str) -> Option<Cow<'static, str>> {
    if let Some(text) = common(name) {
        return Some(Cow::Borrowed(text));
    }
    let number = name
        .strip_prefix('#')
        .and_then(|digits| match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
    // 80 to 9F mean windows-1252 there, which the parser knows.
    if let Some(number) = number.filter(|n| !(0x80..0xa0).contains(n)) {
        return Some(Cow::Owned(char::from_u32(number)?.to_string()));
    }
    if name.is_empty() || name.len() > LONGEST_REFERENCE {
        return None;
    }
    let written = format!("&{name};");
    let text = Document::fragment(written.as_str()).text();
    (*text != *written).then(|| Cow::Owned(text.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    fn shown(html: &str) -> String {
        Tokens::new(html)
            .map(|token| match token {
                Token::Text(text) => text.into_owned(),
                Token::Start(tag) => format!("[{}]", tag.name),
                Token::End(name) => format!("[/{name}]"),
            })
            .collect()
    }

    #[test]
    fn markup_is_cut_where_browsers_cut_it() {
        let check = |html: &str, expected: &str| assert_eq!(shown(html), expected, "{html}");
        check("<P CLASS=a>x</P >", "[p]x[/p]");
        check("1 < 2 <3 <> </> a<b", "1 < 2 <3 <>  a");
        check(
            "a<!-- <b> --!>b<!-->c<!--->d<!---->e<!--x--->f<!--never",
            "abcdef",
        );
        check("<!doctype html><?php x ?>a<![CDATA[b]]>", "a");
        check("<a title='>' href=x/>y</a>", "[a]y[/a]");
        check("<a \"b>c", "[a]c");
        check("<style>p > a {}</styles></STYLE >x", "[style][/style]x");
        check("<iframe src=a/ />x<script>y", "[iframe]x[script]");
        check("x<img src=\"never", "x");
    }

    #[test]
    fn references_become_characters() {
        let check = |html: &str, expected: &str| assert_eq!(shown(html), expected, "{html}");
        check(
            "&amp;lt; &lt;b&gt; &#20013;&#x6587; &#150;",
            "&lt; <b> 中文 –",
        );
        check(
            "&NotEqualTilde; &eacute; &nosuch; & &; &#; &#xD800;",
            "\u{2242}\u{338} é &nosuch; & &; &#; &#xD800;",
        );
        check("a&nbsp b &copy c", "a\u{a0} b &copy c");
        check(&"&a".repeat(50), &"&a".repeat(50));
    }

    #[test]
    fn attributes_are_read_as_browsers_read_them() {
        let Some(Token::Start(tag)) =
            Tokens::new("<img =x a=1 A=2 SRC = '//h/?a=1&lt=2&amp;b' alt=\"a>b\" data-x/>").next()
        else {
            panic!("no tag");
        };
        assert_eq!(tag.attribute("a").as_deref(), Some("1"));
        assert_eq!(tag.attribute("src").as_deref(), Some("//h/?a=1&lt=2&b"));
        assert_eq!(tag.attribute("alt").as_deref(), Some("a>b"));
        assert_eq!(tag.attribute("data-x").as_deref(), Some(""));
        assert_eq!(tag.attribute("b"), None);
    }
}
