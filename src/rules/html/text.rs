//! HTML to plain text, as a stream: it runs over every body of every poll.

use memchr::{memchr, memmem};

use crate::rules::markup::element::Layout;
use crate::rules::markup::entity;
use crate::rules::markup::token::{Token, Tokens, is_blank};

/// The words of some HTML, one block a line. Blocks part words, inline elements do not, and blanks are one blank as in
/// a browser (`pre` keeps its own); a line break between two Han characters is none. Scripts, styles and what a
/// browser with scripts would not show are left out. Linear in its input, and any text gives an answer.
pub fn text(html: &str) -> String {
    extract(html, true)
}

/// [`text`] with the blanks of `pre` like any other, so that it stays the same when it is read as HTML again.
pub(super) fn text_on_lines(html: &str) -> String {
    extract(html, false)
}

fn extract(html: &str, keep_pre: bool) -> String {
    let mut out = Lines {
        text: String::with_capacity(html.len()),
        gap: Gap::None,
        keep: false,
    };
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => out.encoded(text),
            Token::Start(tag) => match tag.element().layout {
                Layout::Hidden => {
                    tokens.skip_raw(tag.name);
                }
                Layout::Block | Layout::Player => out.part(Gap::Line),
                Layout::Cell => out.part(Gap::Blank),
                Layout::Verbatim => {
                    out.part(Gap::Line);
                    out.keep = keep_pre;
                }
                Layout::Inline => {}
            },
            Token::End(tag) => match tag.element().layout {
                Layout::Block | Layout::Player => out.part(Gap::Line),
                Layout::Cell => out.part(Gap::Blank),
                Layout::Verbatim => {
                    out.part(Gap::Line);
                    out.keep = false;
                }
                Layout::Hidden | Layout::Inline => {}
            },
            Token::Other => {}
        }
    }
    out.finish()
}

/// What parts the last word from the next; the greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Blank,
    /// White space with a line break in it, as it stands in the source.
    Wrap,
    Line,
}

struct Lines {
    text: String,
    gap: Gap,
    keep: bool,
}

impl Lines {
    fn part(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn encoded(&mut self, mut text: &str) {
        while let Some(at) = memchr(b'&', text.as_bytes()) {
            let (before, rest) = text.split_at(at);
            self.words(before);
            let reference = rest.get(1..).unwrap_or_default();
            text = if let Some((first, second, after)) = entity::read(reference, false) {
                let mut buffer = [0; 4];
                self.words(first.encode_utf8(&mut buffer));
                if let Some(second) = second {
                    self.words(second.encode_utf8(&mut buffer));
                }
                after
            } else {
                self.words("&");
                reference
            };
        }
        self.words(text);
    }

    fn words(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.keep {
            self.bridge(text);
            self.text.push_str(text);
            return;
        }
        let body = text.trim_matches(|c: char| c.is_ascii() && is_blank(c as u8));
        if body.is_empty() {
            self.part(gap_of(text));
            return;
        }
        let lead = text.len()
            - text
                .trim_start_matches(|c: char| c.is_ascii() && is_blank(c as u8))
                .len();
        self.part(gap_of(text.get(..lead).unwrap_or_default()));
        if is_tidy(body) {
            self.bridge(body);
            self.text.push_str(body);
        } else {
            self.untidy(body);
        }
        self.part(gap_of(text.get(lead + body.len()..).unwrap_or_default()));
    }

    fn untidy(&mut self, body: &str) {
        let mut rest = body;
        while !rest.is_empty() {
            let end = rest.bytes().position(is_blank).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            self.bridge(word);
            self.text.push_str(word);
            let blanks = after.bytes().take_while(|&b| is_blank(b)).count();
            let (blank, after) = after.split_at(blanks);
            self.part(gap_of(blank));
            rest = after;
        }
    }

    /// Writes the gap, now that it is known what follows it.
    fn bridge(&mut self, next: &str) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if gap == Gap::None || self.text.is_empty() || self.text.ends_with('\n') {
            return;
        }
        match gap {
            Gap::Line => self.text.push('\n'),
            Gap::Wrap if is_wide(self.text.chars().next_back()) && is_wide(next.chars().next()) => {
            }
            _ => self.text.push(' '),
        }
    }

    fn finish(mut self) -> String {
        let end = self.text.trim_end_matches('\n').len();
        self.text.truncate(end);
        self.text
    }
}

fn gap_of(blanks: &str) -> Gap {
    if blanks.is_empty() {
        Gap::None
    } else if blanks.bytes().any(|b| matches!(b, b'\n' | b'\r')) {
        Gap::Wrap
    } else {
        Gap::Blank
    }
}

/// Whether its blanks are single ones already.
fn is_tidy(body: &str) -> bool {
    let bytes = body.as_bytes();
    !bytes.iter().any(|b| (9..=13).contains(b)) && memmem::find(bytes, b"  ").is_none()
}

/// Characters of scripts written without blanks: CJK punctuation, kana, Han, full-width forms.
fn is_wide(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        matches!(u32::from(c), 0x2E80..=0x312F | 0x3190..=0xA4CF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F
            | 0xFF00..=0xFF60 | 0x20000..=0x3FFFF | 0x2014 | 0x2018..=0x201D | 0x2026)
    })
}
