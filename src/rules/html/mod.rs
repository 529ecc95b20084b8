//! HTML to safe HTML and to plain text, behind a depth scan.

mod cut;
mod depth;
mod entity;
mod markup;
mod prepare;
mod safe;
mod text;
mod token;
mod urls;

pub use cut::cut;
pub use depth::{MAX_BYTES, MAX_DEPTH, MAX_REFERENCES, depth_ok};
pub use markup::{display, paragraphs, summary, words};
pub use safe::safe;
pub use text::text;

/// Text as HTML shows it: `&`, `<`, `>` and both quotes as references, so it fits between tags and into attributes.
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
