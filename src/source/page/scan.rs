//! A linear look at HTML before a tree is built of it. The tree builder is quadratic in depth and in formatting that
//! is reopened, and a stranger's page may be made of nothing else.

use memchr::{memchr, memmem};

use crate::model::entry::ReadError;

/// Larger pages are not built into a tree.
const MAX_BYTES: usize = 2 << 20;
/// Elements open at once; browsers stop at 512.
const MAX_DEPTH: usize = 256;
/// Tags, and what reopened formatting adds to them: an article's page has a few thousand. This holds even where
/// the scan's idea of what is open differs from the tree builder's.
const MAX_NODES: usize = 50_000;

/// Elements that never hold another.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements whose next sibling closes them, and which are commonly left open. They nest only inside others, which count.
const SELF_ENDING: [&str; 12] = [
    "a", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option",
];
/// Blocks whose end tag closes whatever is still open inside them.
const BLOCKS: [&str; 17] = [
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "nav",
    "aside",
    "ul",
    "ol",
    "dl",
    "blockquote",
    "figure",
    "center",
    "table",
    "select",
    "svg",
];
/// No end tag reaches through these, its own apart.
const WALLS: [&str; 7] = [
    "table", "object", "template", "select", "svg", "math", "marquee",
];
/// Formatting elements go on in every block after one that closed over them.
const FORMATTING: [&str; 13] = [
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// Elements whose content is text up to their own end tag; not so within drawings and menus.
const RAW: [&str; 7] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed",
];
/// What drawings are made of, and may close itself there.
const DRAWING: [&str; 16] = [
    "svg",
    "g",
    "defs",
    "symbol",
    "path",
    "circle",
    "rect",
    "use",
    "line",
    "polygon",
    "polyline",
    "ellipse",
    "stop",
    "lineargradient",
    "radialgradient",
    "clippath",
];

/// Refuses a page that would be costly to build.
pub fn check(text: &str) -> Result<(), ReadError> {
    if text.len() > MAX_BYTES {
        return over("HTML bytes", MAX_BYTES);
    }
    let mut open = Open::default();
    let mut rest = text;
    while let Some(tag) = next_tag(&mut rest) {
        open.nodes += 1 + open.formatting;
        if open.nodes > MAX_NODES {
            return over("HTML nodes", MAX_NODES);
        }
        if tag.closing {
            open.close(tag.name);
            continue;
        }
        let drawing = open.top().is_some_and(|top| is(top, &DRAWING));
        if drawing && tag.self_closed && is(tag.name, &DRAWING) {
            continue;
        }
        if is(tag.name, &RAW) {
            let (content, after) = raw_text(rest, tag.name);
            // Whether this is text or markup depends on where it stands; where that is unsure it must be the same.
            if open.walled() && content.contains('<') {
                return over("markup in a drawing's or menu's text", 0);
            }
            rest = after;
            continue;
        }
        if drawing || !(is(tag.name, &VOID) || is(tag.name, &SELF_ENDING)) {
            open.names.push(tag.name);
            open.formatting += usize::from(is(tag.name, &FORMATTING));
        }
        if open.names.len() > MAX_DEPTH {
            return over("HTML depth", MAX_DEPTH);
        }
    }
    Ok(())
}

fn over(what: &'static str, limit: usize) -> Result<(), ReadError> {
    Err(ReadError::Limit { what, limit })
}

fn is(name: &str, list: &[&str]) -> bool {
    list.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// What is open at a place of the page; rather too much than too little.
#[derive(Default)]
struct Open<'h> {
    names: Vec<&'h str>,
    formatting: usize,
    nodes: usize,
}

impl<'h> Open<'h> {
    fn top(&self) -> Option<&'h str> {
        self.names.last().copied()
    }

    fn walled(&self) -> bool {
        self.names
            .iter()
            .any(|name| is(name, &["svg", "math", "select"]))
    }

    fn close(&mut self, name: &str) {
        if self.top().is_some_and(|top| top.eq_ignore_ascii_case(name)) {
            self.names.pop();
            self.formatting -= usize::from(is(name, &FORMATTING));
        } else if is(name, &BLOCKS) {
            // Formatting that is closed over stays counted: it will be opened again.
            for (at, open) in self.names.iter().enumerate().rev() {
                if open.eq_ignore_ascii_case(name) {
                    self.names.truncate(at);
                    return;
                }
                if is(open, &WALLS) {
                    return;
                }
            }
        }
    }
}

struct Tag<'h> {
    name: &'h str,
    closing: bool,
    self_closed: bool,
}

/// The next tag, as the WHATWG tokenizer finds it: comments, markup declarations and quoted attributes hold none.
fn next_tag<'h>(rest: &mut &'h str) -> Option<Tag<'h>> {
    loop {
        let at = memchr(b'<', rest.as_bytes())?;
        let inside = rest.get(at + 1..)?;
        let (closing, named) = match inside.strip_prefix('/') {
            Some(named) => (true, named),
            None => (false, inside),
        };
        if named.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let end = named.find([' ', '\t', '\n', '\r', '\u{c}', '/', '>'])?;
            let (name, attributes) = named.split_at_checked(end)?;
            let (self_closed, after) = attributes_end(attributes)?;
            *rest = after;
            return Some(Tag {
                name,
                closing,
                self_closed,
            });
        }
        *rest = match inside.strip_prefix("!--") {
            Some(comment) => after_comment(comment)?,
            None if closing || inside.starts_with(['!', '?']) => inside.split_once('>')?.1,
            None => inside,
        };
    }
}

fn after_comment(comment: &str) -> Option<&str> {
    for empty in [">", "->"] {
        if let Some(after) = comment.strip_prefix(empty) {
            return Some(after);
        }
    }
    memmem::find_iter(comment.as_bytes(), "--").find_map(|at| {
        let after = comment.get(at + 2..)?;
        after.strip_prefix('>').or_else(|| after.strip_prefix("!>"))
    })
}

/// Whether the tag closes itself, and what follows its `>`.
fn attributes_end(text: &str) -> Option<(bool, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before = b' ';
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'>' => return Some((before == b'/', text.get(at + 1..)?)),
            // A quote quotes only where a value begins.
            b'"' | b'\'' if before == b'=' => at += 1 + memchr(byte, bytes.get(at + 1..)?)?,
            _ => {}
        }
        // White space may stand between `=` and the value.
        if !(byte.is_ascii_whitespace() && before == b'=') {
            before = byte;
        }
        at += 1;
    }
}

/// The text of an element that holds only text, and what follows it.
fn raw_text<'h>(text: &'h str, name: &str) -> (&'h str, &'h str) {
    for at in memmem::find_iter(text.as_bytes(), "</") {
        let end = at + 2 + name.len();
        let found = text.get(at + 2..end);
        let whole = text.get(end..).is_none_or(|after| {
            after.is_empty() || after.starts_with([' ', '\t', '\n', '\r', '\u{c}', '/', '>'])
        });
        if whole && found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
    }
    (text, "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<&'static str> {
        match check(text) {
            Ok(()) => None,
            Err(ReadError::Limit { what, .. }) => Some(what),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn depth_is_counted_as_the_tree_builder_would() {
        let deep = |unit: &str| refused(&unit.repeat(300));
        assert_eq!(deep("<div>"), Some("HTML depth"));
        assert_eq!(deep("<ul><li>"), Some("HTML depth"));
        assert_eq!(deep("<div><!--></div>-->"), None);
        for hidden in [
            "<div><img alt='</div>'>",
            "<div><img alt = \"</div>\">",
            "<div><!-- </div> -->",
            "<div><!x </div>",
            "<div><textarea></div></textarea>",
            "<div><table></div>",
            "<span><div></span>",
        ] {
            assert_eq!(deep(hidden), Some("HTML depth"), "{hidden}");
        }
        assert_eq!(
            refused(&"<div><svg><style></div></style>".repeat(3)),
            Some("markup in a drawing's or menu's text")
        );
    }

    #[test]
    fn ordinary_pages_pass() {
        for ordinary in [
            "<p>a<p>b<li>c<br><img src=x>",
            "<div><span></div>",
            "<div class=\"a>b\"></div>",
            "<script>if (a < b) document.write('<div>')</script>",
            "<svg><path d='M0'/><g><use/></g></svg>",
            "<b>a</b> <i>b</i>",
            "<a href=x>a</a>",
        ] {
            assert_eq!(refused(&ordinary.repeat(400)), None, "{ordinary}");
        }
    }

    #[test]
    fn reopened_formatting_and_endless_tags_are_refused() {
        let fonts: Vec<String> = (0..200).map(|n| format!("<p><font size={n}>")).collect();
        let fonts = fonts.concat();
        assert_eq!(refused(&fonts), None);
        let blown = format!("{fonts}{}", "<p>".repeat(1_000));
        assert_eq!(refused(&blown), Some("HTML nodes"));
        assert_eq!(refused(&"<br>".repeat(60_000)), Some("HTML nodes"));
        assert_eq!(refused(&" ".repeat(MAX_BYTES + 1)), Some("HTML bytes"));
    }
}
