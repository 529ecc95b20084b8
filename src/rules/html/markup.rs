//! Words of every kind as HTML, and as one line.

use std::borrow::Cow;

use crate::model::content::{Content, ContentKind};
use crate::model::urls::PageUrl;
use crate::rules::blocks::inline::{Piece, pieces, push_without_marks, without_heading};
use crate::rules::blocks::{Block, Style, blocks};
use crate::rules::html::safe::published;
use crate::rules::html::{cut, escape_text, text};
use crate::rules::markup::escape::push_anywhere;

/// Plain text as HTML: one `<p>` for each line that is not blank.
pub fn paragraphs(plain: &str) -> String {
    plain
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::with_capacity(plain.len()), |mut out, line| {
            out.push_str("<p>");
            push_anywhere(&mut out, line);
            out.push_str("</p>");
            out
        })
}

/// The words as safe HTML for others to read, whatever kind they are: pictures ask for `referrerpolicy="no-referrer"`.
/// Relative addresses resolve against `base`.
pub fn display(content: &Content, base: Option<&PageUrl>) -> String {
    match content.kind {
        ContentKind::Html => published(&content.text, base),
        _ => published(&markup(content), base),
    }
}

/// The words as plain text, without markup, pictures and the addresses of links; one block a line. Words that never had
/// markup are given as they are.
pub fn words(content: &Content) -> Cow<'_, str> {
    match content.kind {
        ContentKind::Html => Cow::Owned(text(&content.text)),
        ContentKind::Plain => Cow::Borrowed(&content.text),
        ContentKind::HugoBlocks => Cow::Owned(words_of_blocks(content, |out, line| {
            push_without_marks(out, line);
        })),
        ContentKind::TextBlocks => Cow::Owned(words_of_blocks(content, |out, line| {
            out.push_str(without_heading(line));
        })),
    }
}

fn words_of_blocks(content: &Content, push: fn(&mut String, &str)) -> String {
    let mut out = String::with_capacity(content.text.len());
    for block in blocks(content, None, Style::Hugo) {
        if let Block::Text(text) = block {
            let numbered = is_ordered_list(&text);
            for line in text.lines() {
                // The numbers of a list are the renderer's, not the publisher's words.
                let line = if numbered {
                    line.split_once(". ").map_or(line, |(_, item)| item)
                } else {
                    line
                };
                push(&mut out, line);
                out.push('\n');
            }
        }
    }
    out
}

/// Whether the lines of a block are numbered from 1: an ordered list. One line alone may be a paragraph that begins so.
fn is_ordered_list(block: &str) -> bool {
    let numbered = |(line, number): (&str, usize)| {
        line.strip_prefix(&number.to_string())
            .is_some_and(|rest| rest.starts_with(". "))
    };
    block.lines().nth(1).is_some() && block.lines().zip(1..).all(numbered)
}

/// The first words on one line, `max_chars` characters at most; `…` says that there are more.
pub fn summary(content: &Content, max_chars: usize) -> String {
    let line = words(content)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().nth(max_chars).is_none() {
        return line;
    }
    let head = cut(&line, max_chars.saturating_sub(1)).trim_end();
    format!("{head}…")
}

/// HTML that is not yet safe.
fn markup(content: &Content) -> String {
    match content.kind {
        ContentKind::Html => content.text.clone(),
        ContentKind::Plain => paragraphs(&content.text),
        ContentKind::HugoBlocks => marked_up(&content.text, inline),
        ContentKind::TextBlocks => marked_up(&content.text, escape_text),
    }
}

/// Blocks of the archive formats: a blank line between, `#` before a heading; an empty block is a dropped picture.
fn marked_up(text: &str, inline: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for block in text.split("\n\n").map(|block| block.trim_matches('\n')) {
        if block.trim().is_empty() {
            continue;
        }
        let words = without_heading(block);
        let tag = match block.len() - words.len() {
            0 => "p",
            // The marks and the blank behind them.
            marks => ["h1", "h2", "h3", "h4", "h5", "h6"]
                .get(marks - 2)
                .copied()
                .unwrap_or("p"),
        };
        let lines: Vec<String> = words.lines().map(inline).collect();
        out.extend(["<", tag, ">", &lines.join("<br>"), "</", tag, ">"]);
    }
    out
}

/// One line of a `hugo` block: `**` toggles bold as it was written, naively; no other rule of Markdown holds, since
/// nothing was escaped when it was written (archive format, section 2.5).
fn inline(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut bold = false;
    for piece in pieces(line) {
        match piece {
            Piece::Words(words) => {
                for (i, words) in words.split("**").enumerate() {
                    if i > 0 {
                        bold = !bold;
                        out.push_str(if bold { "<strong>" } else { "</strong>" });
                    }
                    push_anywhere(&mut out, words);
                }
            }
            Piece::Link { label, url } => {
                let (url, label) = (escape_text(url), escape_text(&label.replace("**", "")));
                out.extend(["<a href=\"", &url, "\">", &label, "</a>"]);
            }
            Piece::Picture { alt, url } => {
                let (url, alt) = (escape_text(url), escape_text(alt));
                out.extend(["<img src=\"", &url, "\" alt=\"", &alt, "\">"]);
            }
        }
    }
    if bold {
        out.push_str("</strong>");
    }
    out
}
