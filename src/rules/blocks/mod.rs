//! Words as published to the blocks of the archive formats: paragraphs, headings, lists and pictures in order.
//!
//! The tags are read as a stream and no tree is built: HTML parsers need time with the square of the nesting depth,
//! and unclosed `<b>` can make a tree of many times the text. Here a body of any shape and size costs one pass, so
//! there is no limit beyond which it would lose its paragraphs.

pub mod inline;
mod line;
mod render;
mod skip;

use crate::model::content::{Content, ContentKind};
use crate::model::urls::PageUrl;

/// One block: what stands between two blank lines of an archive file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, heading, list or table: one or more lines, none of them empty.
    Text(String),
    /// A picture. One that was dropped long ago (an empty block in a file of the format `text`) has no address.
    Image {
        /// What the source says it shows; may be empty.
        alt: String,
        /// An absolute address, or empty.
        url: String,
    },
}

/// How much markup the blocks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Naive Markdown: `**` around bold, `[text](address)`, headings, lists, quotes.
    Hugo,
    /// Headings, lists and quotes only.
    Text,
}

/// The blocks of some words. `base` is the page they stand on: relative addresses resolve against it. Running text is
/// never escaped, folded or composed; blocks of an imported file pass through as they are.
pub fn blocks(content: &Content, base: Option<&PageUrl>, style: Style) -> Vec<Block> {
    let text = content.text.as_str();
    match content.kind {
        ContentKind::Html => render::render(text, base, style),
        ContentKind::Plain => text.split(['\n', '\r']).filter_map(paragraph).collect(),
        ContentKind::HugoBlocks | ContentKind::TextBlocks if text.is_empty() => Vec::new(),
        ContentKind::HugoBlocks => text.split("\n\n").map(hugo_block).collect(),
        ContentKind::TextBlocks => text.split("\n\n").map(text_block).collect(),
    }
}

/// The words of blocks without their marks, for a summary: one string, blocks joined by nothing, pictures left out.
pub fn plain_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        if let Block::Text(text) = block {
            for (i, line) in text.lines().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                inline::push_without_marks(&mut out, line);
            }
        }
    }
    out
}

fn paragraph(line: &str) -> Option<Block> {
    let clean: String = line
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !line::is_junk(*c))
        .collect();
    let clean = clean.trim_matches(line::is_edge_blank);
    let has_words = !clean.chars().all(char::is_whitespace);
    has_words.then(|| Block::Text(clean.to_owned()))
}

fn hugo_block(text: &str) -> Block {
    let image = text
        .strip_prefix("![")
        .and_then(|rest| rest.strip_suffix(')'))
        .filter(|rest| !rest.contains('\n'))
        .and_then(|rest| rest.rsplit_once("]("));
    match image {
        Some((alt, url)) if !url.is_empty() => Block::Image {
            alt: alt.to_owned(),
            url: url.to_owned(),
        },
        _ => Block::Text(text.to_owned()),
    }
}

fn text_block(text: &str) -> Block {
    if text.is_empty() {
        Block::Image {
            alt: String::new(),
            url: String::new(),
        }
    } else {
        Block::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests;
