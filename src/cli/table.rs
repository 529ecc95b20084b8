//! Tables for people, and lines for programs.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table without borders, as wide as the terminal. Columns named in `right` hold numbers.
pub fn table(head: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head);
    table.add_rows(rows.into_iter().map(|row| {
        row.into_iter()
            .map(|cell| printable(&cell))
            .collect::<Vec<_>>()
    }));
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

pub use crate::app::told::printable;

/// Text of at most this many characters, cut with an ellipsis.
pub fn short(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(chars.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

/// A field of a tab-separated line: whatever the text, it stays one field on one line. The escapes are those of
/// `PostgreSQL`'s and `MySQL`'s text formats: `\t`, `\n`, `\r`, `\\`; other control characters become `\u{…}`.
pub fn tsv(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stays_one_field_on_one_line() {
        assert_eq!(
            tsv("a\tb\nc\\d\u{85}\u{2028}"),
            "a\\tb\\nc\\\\d\\u{85}\\u{2028}"
        );
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(
            (short("甲乙丙丁", 3), short("甲乙丙", 3)),
            ("甲乙…".to_owned(), "甲乙丙".to_owned())
        );
    }
}
