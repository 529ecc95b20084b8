//! The quoted strings of the format `hugo`.

use std::fmt::Write;

/// A YAML double-quoted scalar on one line, readable by YAML 1.1 and 1.2 alike (archive format, 2.2).
pub(super) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                let _ = write!(out, "\\x{:02X}", u32::from(c));
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads what [`quote`] wrote, and nothing else: another spelling of the same text would not come back.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let kind = escape.chars().next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            _ => 0,
        };
        out.push(match kind {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' | 'u' => char::from_u32(u32::from_str_radix(escape.get(1..=digits)?, 16).ok()?)?,
            other => other,
        });
        rest = escape.get(kind.len_utf8() + digits..)?;
    }
    out.push_str(rest);
    let mut again = String::with_capacity(quoted.len());
    quote(&mut again, &out);
    (again == quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_have_one_spelling() {
        let check = |text: &str, expected: &str| {
            let mut out = String::new();
            quote(&mut out, text);
            assert_eq!(out, expected);
            assert_eq!(unquote(&out).as_deref(), Some(text));
        };
        check("", "\"\"");
        check(
            "“他说\"你好\"”: # \u{a0}😀",
            "\"“他说\\\"你好\\\"”: # \u{a0}😀\"",
        );
        check(
            "C:\\新\n\r\t\0\u{85}\u{2028}\u{feff}\u{ffff}",
            r#""C:\\新\n\r\t\x00\x85\u2028\uFEFF\uFFFF""#,
        );
        for bad in [
            "",
            "\"",
            "a",
            "\"a",
            "\"\\\"",
            "\"a\"b\"",
            "\"\\a\"",
            "\"\\x8\"",
            "\"\\x41\"",
            "\"\\x1f\"",
            "\"\\u2028",
            "\"\\uD800\"",
            "\"\\u+028\"",
            "\"\u{2028}\"",
            "\"\\/\"",
            "\"\\中\"",
            "'a'",
            "\"a\" ",
        ] {
            assert_eq!(unquote(bad), None, "{bad}");
        }
    }
}
