//! Text and attribute values as HTML. Three spellings, since archives keep the bytes they were first written in.

/// Text between tags: `&`, `<` and `>` as references.
pub fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// An attribute's value for double quotes: `&` and `"` as references.
pub fn attribute(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;")
}

/// Text that fits between tags and into attributes of either quote.
pub fn anywhere(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    push_anywhere(&mut out, text);
    out
}

/// Writes [`anywhere`] behind what is there.
pub fn push_anywhere(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        out.push_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        });
        rest = special.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_escapes_its_own_characters() {
        let all = "&amp; <b a=\"1\" c='2'>字";
        assert_eq!(text(all), "&amp;amp; &lt;b a=\"1\" c='2'&gt;字");
        assert_eq!(attribute(all), "&amp;amp; <b a=&quot;1&quot; c='2'>字");
        assert_eq!(
            anywhere(all),
            "&amp;amp; &lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;字"
        );
    }
}
