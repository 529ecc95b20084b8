//! Words of every kind as HTML, and as one line.

use crate::model::content::{Content, ContentKind};
use crate::model::urls::PageUrl;
use crate::rules::html::{cut, escape_text, safe, text};

/// Plain text as HTML: one `<p>` for each line that is not blank.
pub fn paragraphs(plain: &str) -> String {
    plain
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::with_capacity(plain.len()), |mut out, line| {
            out.push_str("<p>");
            out.push_str(&escape_text(line));
            out.push_str("</p>");
            out
        })
}

/// The words as safe HTML, whatever kind they are. Relative addresses resolve against `base`.
pub fn display(content: &Content, base: Option<&PageUrl>) -> String {
    match content.kind {
        ContentKind::Html => safe(&content.text, base),
        _ => safe(&markup(content), base),
    }
}

/// The words as plain text, one block a line.
pub fn words(content: &Content) -> String {
    match content.kind {
        ContentKind::Html => text(&content.text),
        _ => text(&markup(content)),
    }
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
        ContentKind::HugoBlocks => blocks(&content.text, inline),
        ContentKind::TextBlocks => blocks(&content.text, escape_text),
    }
}

/// Blocks of the archive formats: a blank line between, `#` before a heading; an empty block is a dropped picture.
fn blocks(text: &str, inline: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for block in text.split("\n\n").map(|block| block.trim_matches('\n')) {
        if block.trim().is_empty() {
            continue;
        }
        let level = block.bytes().take_while(|&b| b == b'#').count();
        let heading = block.get(level..).and_then(|rest| rest.strip_prefix(' '));
        let (tag, words) = match (level, heading) {
            (1..=6, Some(words)) => (
                ["h1", "h2", "h3", "h4", "h5", "h6"]
                    .get(level - 1)
                    .copied()
                    .unwrap_or("p"),
                words,
            ),
            _ => ("p", block),
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
    let mut rest = line;
    while let Some(at) = rest.find(['*', '!', '[']) {
        let (before, here) = rest.split_at(at);
        out.push_str(&escape_text(before));
        rest = if let Some(after) = here.strip_prefix("**") {
            bold = !bold;
            out.push_str(if bold { "<strong>" } else { "</strong>" });
            after
        } else if let Some((alt, url, after)) = here.strip_prefix("![").and_then(bracketed) {
            let (url, alt) = (escape_text(url), escape_text(alt));
            out.extend(["<img src=\"", &url, "\" alt=\"", &alt, "\">"]);
            after
        } else if let Some((label, url, after)) = here.strip_prefix('[').and_then(bracketed) {
            let (url, label) = (escape_text(url), escape_text(&label.replace("**", "")));
            out.extend(["<a href=\"", &url, "\">", &label, "</a>"]);
            after
        } else {
            let end = here.chars().next().map_or(0, char::len_utf8);
            let (sign, after) = here.split_at(end);
            out.push_str(sign);
            after
        };
    }
    out.push_str(&escape_text(rest));
    if bold {
        out.push_str("</strong>");
    }
    out
}

/// What follows an opening bracket: label, address, and what comes behind. Only addresses count, or a note in
/// brackets would become a link. Looks no further than the next opening bracket, so that a thousand of them cost no more
/// than their length.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.split_at(text.find(['[', ']'])?);
    let rest = rest.strip_prefix("](")?;
    let end = rest.find(|c: char| c == ')' || c == '[' || c.is_whitespace())?;
    let (url, rest) = rest.split_at(end);
    let is_url = ["http://", "https://", "//"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    rest.strip_prefix(')')
        .filter(|_| is_url)
        .map(|after| (label, url, after))
}
