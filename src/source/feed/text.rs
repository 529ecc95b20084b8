//! Texts of feeds: a title as one plain line, XHTML as HTML, people as names.

use super::references::decoded;
use crate::model::urls::PageUrl;
use crate::rules::markup::element::{Nesting, element};

/// Longer titles are cut.
const LONGEST_LINE: usize = 4096;

/// Plain text as one line: white space collapsed, bounded.
pub(super) fn line(text: &str) -> Option<String> {
    let mut line = String::with_capacity(text.len().min(LONGEST_LINE));
    for word in text.split_whitespace() {
        if line.len() + word.len() >= LONGEST_LINE {
            let room = LONGEST_LINE.saturating_sub(line.len() + 1);
            line.push(' ');
            line.extend(
                word.char_indices()
                    .take_while(|(at, c)| at + c.len_utf8() <= room)
                    .map(|(_, c)| c),
            );
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    (!line.is_empty()).then_some(line)
}

/// Inline elements titles are marked up with. Any other `<word>` in a title is a word: `Vec<T>`, `<script>` explained.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "big", "br", "cite", "code", "del", "em", "font", "i", "img", "ins",
    "kbd", "mark", "p", "s", "small", "span", "strong", "sub", "sup", "u",
];

/// HTML as one plain line: tags out, entities decoded once (P-107).
pub(super) fn line_of_html(html: &str) -> Option<String> {
    if !html.contains(['<', '&']) {
        return line(html);
    }
    let mut text = String::with_capacity(html.len());
    // Behind the last `>` no tag ends; looking for one at every `<` would cost the square of the length.
    let last = html.rfind('>').unwrap_or(0);
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(&decoded(before));
        let name = after.trim_start_matches('/');
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let (name, _) = name.split_at(end);
        let known = INLINE
            .iter()
            .any(|inline| inline.eq_ignore_ascii_case(name))
            || matches!(name, "div" | "DIV");
        let closes = known && html.len() - after.len() <= last;
        if let Some((_, left)) = closes.then(|| after.split_once('>')).flatten() {
            if matches!(name, "br" | "BR" | "p" | "P" | "div" | "DIV") {
                text.push(' ');
            }
            rest = left;
        } else {
            text.push('<');
            rest = after;
        }
    }
    text.push_str(&decoded(rest));
    line(&text)
}

/// The markup inside an XHTML construct as HTML: without the `div` that only holds it (RFC 4287 §3.1.1.3), without
/// prefixes, `<p/>` written out, since HTML would take it for a start tag, and CDATA as the text it is.
pub(super) fn html_of_xhtml(markup: &str) -> String {
    let mut body = markup.trim();
    let mut prefix = "";
    if let Some(first) = body.strip_prefix('<')
        && let Some((tag, inside)) = first.split_once('>')
        && let Some(name) = tag.split(|c: char| c.is_ascii_whitespace()).next()
        && (name == "div" || name.ends_with(":div"))
        && let Some(inside) = inside.strip_suffix('>').map(str::trim_end)
        && let Some(inside) = inside
            .strip_suffix(name)
            .and_then(|rest| rest.strip_suffix("</"))
        && balanced(inside, name)
    {
        body = inside;
        prefix = name.strip_suffix("div").unwrap_or_default();
    }
    let mut html = String::with_capacity(body.len());
    let last = body.rfind('>').unwrap_or(0);
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        html.push_str(before);
        if let Some(cdata) = after.strip_prefix("![CDATA[") {
            let (text, left) = cdata.split_once("]]>").unwrap_or((cdata, ""));
            html.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
            rest = left;
            continue;
        }
        let (slash, name) = after
            .strip_prefix('/')
            .map_or(("", after), |name| ("/", name));
        let name = if prefix.is_empty() {
            name
        } else {
            name.strip_prefix(prefix).unwrap_or(name)
        };
        html.push('<');
        html.push_str(slash);
        let closes = body.len() - name.len() <= last;
        let Some((tag, left)) = closes.then(|| name.split_once('>')).flatten() else {
            rest = name;
            continue;
        };
        let name = tag
            .split(|c: char| c.is_ascii_whitespace() || c == '/')
            .next()
            .unwrap_or_default();
        match tag.strip_suffix('/') {
            Some(open) if !name.is_empty() && element(name).nesting != Nesting::Void => {
                html.push_str(open.trim_end());
                html.push_str("></");
                html.push_str(name);
            }
            _ => html.push_str(tag),
        }
        html.push('>');
        rest = left;
    }
    html.push_str(rest);
    html
}

/// Whether no end tag of this name closes more than what is inside: two divs side by side are not one around all.
fn balanced(inside: &str, name: &str) -> bool {
    let (mut depth, mut rest) = (0_usize, inside);
    while let Some((_, after)) = rest.split_once('<') {
        let end = after
            .strip_prefix('/')
            .and_then(|tag| tag.strip_prefix(name));
        if end.is_some_and(|after| after.trim_start().starts_with('>')) {
            let Some(less) = depth.checked_sub(1) else {
                return false;
            };
            depth = less;
        } else if after
            .strip_prefix(name)
            .is_some_and(|after| after.starts_with([' ', '>', '\t', '\n']))
        {
            depth += 1;
        }
        rest = after;
    }
    true
}

/// A person's name out of `mail@example.org (Name)`, `Name <mail@example.org>`, or a bare name.
pub(super) fn name(person: &str) -> Option<String> {
    let person = person.trim();
    let mailed = |text: &str| text.contains('@') && !text.trim().contains(char::is_whitespace);
    if let Some((mail, name)) = person.strip_suffix(')').and_then(|p| p.split_once('('))
        && mailed(mail)
    {
        return line(name);
    }
    if let Some((name, mail)) = person.strip_suffix('>').and_then(|p| p.rsplit_once('<'))
        && mailed(mail)
        && !name.trim().is_empty()
    {
        return line(name.trim().trim_matches('"'));
    }
    line(person).filter(|name| name.len() <= 500)
}

/// Adds a name that is not there yet.
pub(super) fn add_name(names: &mut Vec<String>, person: &str) {
    if let Some(name) = name(person)
        && names.len() < 100
        && !names.contains(&name)
    {
        names.push(name);
    }
}

/// An address relative to this page, if it is one of the web.
pub(super) fn address(base: &PageUrl, text: &str) -> Option<PageUrl> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= 8192).then(|| base.join(text).ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;

    #[test]
    fn titles_are_decoded_once_and_lose_only_markup() {
        let check = |html: &str, plain: &str| {
            assert_eq!(line_of_html(html).as_deref(), Some(plain), "{html}");
        };
        check("AT&T &amp; co", "AT&T & co");
        check("&amp;lt;b&amp;gt;", "&lt;b&gt;");
        check("a <b>bold</b>\n title<br/>on", "a bold title on");
        check("Vec<T> and 1 < 2 > 0", "Vec<T> and 1 < 2 > 0");
        check(
            "caf&eacute;&#8217;s &#x1F600; &nosuch;",
            "café’s 😀 &nosuch;",
        );
        check("人工&nbsp;智能", "人工 智能");
        assert_eq!(line_of_html(" <b></b> "), None);
        assert!(line(&"字".repeat(5000)).unwrap().len() <= LONGEST_LINE);
    }

    #[test]
    fn xhtml_becomes_html() {
        let check = |xhtml: &str, html: &str| assert_eq!(html_of_xhtml(xhtml), html, "{xhtml}");
        check("<div xmlns='x'><p>a<br/>b</p></div>", "<p>a<br/>b</p>");
        check("<x:div><x:p>a</x:p><x:i/></x:div>", "<p>a</p><i></i>");
        check("<div>a</div><div>b</div>", "<div>a</div><div>b</div>");
        check("<div><div>a</div></div>", "<div>a</div>");
        check("<div><![CDATA[1 < 2 & 3]]></div>", "1 &lt; 2 &amp; 3");
        check("bare &lt;text&gt;", "bare &lt;text&gt;");
        check("<", "<");
    }

    #[test]
    fn people_are_names() {
        let check = |person: &str, expected: Option<&str>| {
            assert_eq!(name(person).as_deref(), expected, "{person}");
        };
        check("a@example.org (Ann O.)", Some("Ann O."));
        check("Ann O. <a@example.org>", Some("Ann O."));
        check("张三（a@example.org）", Some("张三（a@example.org）"));
        check("a@example.org", Some("a@example.org"));
        check(" \n", None);
        check("()", Some("()"));
    }
}
