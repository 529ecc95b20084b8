//! The JSON object a page hides in a script.

use memchr::memmem;

/// Larger objects than this are not read from a stranger.
const MAX_OBJECT: usize = 4 << 20;

/// The object that is assigned to `marker` (`window.DATA = {…}`), braces included. The first assignment decides; where its
/// braces do not close, or close too late, there is none. One pass over the page, whatever it holds.
///
/// Braces are matched with JSON's strings in mind: a `};` or an escaped quote inside one ends nothing.
pub fn object_after<'h>(html: &'h str, marker: &str) -> Option<&'h str> {
    if marker.is_empty() {
        return None;
    }
    memmem::find_iter(html.as_bytes(), marker)
        .filter_map(|at| html.get(at + marker.len()..))
        .filter_map(|rest| rest.trim_start().strip_prefix('='))
        .map(str::trim_start)
        .find(|rest| rest.starts_with('{'))
        .and_then(object)
}

/// The object `text` starts with.
fn object(text: &str) -> Option<&str> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate().take(MAX_OBJECT) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(..=at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_ends_where_its_braces_do() {
        let check = |html: &str, expected: Option<&str>| {
            assert_eq!(object_after(html, "window.DATA"), expected, "{html}");
        };
        check(
            r#"<script>window.DATA = {"a":{"b":1}};</script>"#,
            Some(r#"{"a":{"b":1}}"#),
        );
        check(
            r#"window.DATA={"t":"}; \" { \\"};"#,
            Some(r#"{"t":"}; \" { \\"}"#),
        );
        check("window.DATA\n =\n {} ", Some("{}"));
        check(
            r#"if (window.DATA) { } window.DATABASE = {"x":1}; window.DATA = window.DATA || 1; window.DATA = {"y":2}"#,
            Some(r#"{"y":2}"#),
        );
        check(r#"window.DATA = {"never": "closed"#, None);
        check(r#"window.DATA = {"a": {"b": 1}"#, None);
        check("window.DATA = [1]", None);
        check("", None);
        assert_eq!(object_after("{}", ""), None);
    }

    #[test]
    fn many_assignments_that_never_close_cost_one_pass() {
        let html = "window.DATA = {".repeat(200_000);
        assert_eq!(object_after(&html, "window.DATA"), None);
        let markers = "window.DATA ".repeat(200_000);
        assert_eq!(object_after(&markers, "window.DATA"), None);
        let blanks = format!("window.DATA{}", " ".repeat(2_000_000));
        assert_eq!(object_after(&blanks, "window.DATA"), None);
    }
}
