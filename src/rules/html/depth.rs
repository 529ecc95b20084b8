//! The guard before any HTML parser. html5ever's time grows with the square of the nesting depth, and with every
//! unclosed inline element that each new block opens again: a quarter of a megabyte can cost minutes.

use memchr::memchr_iter;

use crate::rules::html::token::{Tag, Token, Tokens};

/// HTML longer than this is shown as plain text.
pub const MAX_BYTES: usize = 512 * 1024;

/// HTML deeper than this is shown as plain text. Browsers themselves stop at 512.
pub const MAX_DEPTH: usize = 256;

/// HTML with more character references is shown as plain text: the parser's time grows with the square of their number,
/// measured at one second for 20,000 of them in an unoptimised build.
pub const MAX_REFERENCES: usize = 20_000;

/// Whether a tree parser may have this HTML: one linear scan that never counts fewer open elements than the parser
/// will have, but for those it makes up itself (`tbody`). It may count more where end tags are left out, which costs
/// formatting and no words.
pub fn depth_ok(html: &str) -> bool {
    if html.len() > MAX_BYTES || memchr_iter(b'&', html.as_bytes()).count() > MAX_REFERENCES {
        return false;
    }
    let mut open = Open::default();
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Start(tag) => {
                let class = Class::of(tag.name);
                if class == Class::Raw && open.foreign == 0 {
                    tokens.skip_raw(tag.name);
                } else {
                    open.start(&tag, class);
                }
            }
            Token::End(tag) => open.end(tag.name),
            Token::Text(_) | Token::Other => {}
        }
        // More elements opened again than there are bytes: the parser is being made to work.
        if open.stack.len() > MAX_DEPTH || open.reopened > html.len() {
            return false;
        }
    }
    true
}

/// How an end tag of this name looks for its element (§13.2.6.4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Never has content.
    Void,
    /// Content is no markup.
    Raw,
    /// Inline; left unclosed it goes on in the next block.
    Formatting,
    /// Closes whatever is open inside of it, but not through a wall.
    Block,
    /// Tables and other things that end tags do not reach out of.
    Wall,
    /// SVG or `MathML`, where `/>` closes.
    Foreign,
    /// Anything else: its end tag does not reach through blocks.
    Other,
}

impl Class {
    fn of(name: &str) -> Self {
        let mut buffer = [0; 12];
        match lower(name, &mut buffer) {
            b"area" | b"base" | b"basefont" | b"bgsound" | b"br" | b"col" | b"embed" | b"hr"
            | b"img" | b"input" | b"link" | b"meta" | b"param" | b"source" | b"track" | b"wbr" => {
                Self::Void
            }
            // Not `noscript`: whether its content is markup depends on the parser.
            b"script" | b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" | b"title"
            | b"textarea" => Self::Raw,
            b"a" | b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small"
            | b"strike" | b"strong" | b"tt" | b"u" => Self::Formatting,
            b"address" | b"article" | b"aside" | b"blockquote" | b"center" | b"details"
            | b"dialog" | b"dir" | b"div" | b"dl" | b"fieldset" | b"figcaption" | b"figure"
            | b"footer" | b"header" | b"hgroup" | b"listing" | b"main" | b"menu" | b"nav"
            | b"ol" | b"pre" | b"search" | b"section" | b"summary" | b"ul" | b"h1" | b"h2"
            | b"h3" | b"h4" | b"h5" | b"h6" | b"p" | b"li" | b"dd" | b"dt" => Self::Block,
            b"table" | b"thead" | b"tbody" | b"tfoot" | b"tr" | b"td" | b"th" | b"caption"
            | b"colgroup" | b"template" | b"applet" | b"marquee" | b"object" | b"button"
            | b"select" | b"form" => Self::Wall,
            b"svg" | b"math" => Self::Foreign,
            _ => Self::Other,
        }
    }
}

/// A name in lower case, or nothing where it is longer than any we know.
fn lower<'b>(name: &str, buffer: &'b mut [u8; 12]) -> &'b [u8] {
    let Some(short) = buffer.get_mut(..name.len()) else {
        return b"";
    };
    short.copy_from_slice(name.as_bytes());
    short.make_ascii_lowercase();
    short
}

/// Whether an element of the first name on top of the stack is closed by the start of one of the second.
fn gives_way(open: &str, to: &str) -> bool {
    let is = |name: &str, names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    open.eq_ignore_ascii_case(to) && is(open, &["p", "li", "tr", "option"])
        || is(open, &["td", "th"]) && is(to, &["td", "th", "tr"])
        || is(open, &["dd", "dt"]) && is(to, &["dd", "dt"])
}

fn is_shape(name: &str) -> bool {
    let shapes = [
        "path", "g", "rect", "circle", "ellipse", "line", "polygon", "polyline", "use", "stop",
    ];
    shapes.iter().any(|shape| shape.eq_ignore_ascii_case(name))
}

/// The elements that are open, at least as many as the parser has.
#[derive(Debug, Default)]
struct Open<'a> {
    stack: Vec<(&'a str, Class)>,
    /// How many of them are inline elements, and how often blocks have opened one again, at most.
    formatting: usize,
    reopened: usize,
    /// How many of them are SVG or `MathML`.
    foreign: usize,
    /// Whether only shapes came since the last of those began, so that `/>` closes.
    drawing: bool,
}

impl<'a> Open<'a> {
    fn start(&mut self, tag: &Tag<'a>, class: Class) {
        self.reopened += self.formatting;
        let foreign = class == Class::Foreign;
        if class == Class::Void
            || (tag.self_closing && (foreign || (self.drawing && is_shape(tag.name))))
        {
            return;
        }
        self.drawing = foreign || (self.drawing && is_shape(tag.name));
        // A link ends the link before it.
        if class == Class::Formatting && tag.name.eq_ignore_ascii_case("a") {
            self.end_formatting(tag.name);
        }
        // A block ends the paragraph it stands in.
        if class == Class::Block {
            self.end_paragraph();
        }
        while self
            .stack
            .last()
            .is_some_and(|(open, _)| gives_way(open, tag.name))
        {
            self.stack.pop();
        }
        self.count(class, 1);
        self.stack.push((tag.name, class));
    }

    fn end(&mut self, name: &str) {
        self.reopened += self.formatting;
        self.drawing = self.drawing && is_shape(name);
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match Class::of(name) {
            Class::Void => {}
            Class::Formatting => self.end_formatting(name),
            Class::Block if is("p") => self.end_paragraph(),
            Class::Block => self.close(name, |_, class| {
                matches!(class, Class::Wall | Class::Foreign)
            }),
            // These end without those inside of them.
            Class::Wall if is("form") || is("button") || is("select") => {
                self.close(name, |_, _| true);
            }
            // Parts of a table end within their own table only.
            Class::Wall => self.close(name, |open, class| {
                let edge = ["table", "template"]
                    .iter()
                    .any(|e| e.eq_ignore_ascii_case(open));
                edge || class == Class::Foreign
            }),
            Class::Raw | Class::Foreign | Class::Other => self.close(name, |_, class| {
                matches!(class, Class::Block | Class::Wall | Class::Raw)
            }),
        }
    }

    /// A paragraph further out was closed long ago, by the block in between.
    fn end_paragraph(&mut self) {
        self.close("p", |_, class| {
            matches!(class, Class::Block | Class::Wall | Class::Foreign)
        });
    }

    /// Closes the innermost element of this name and those inside of it, unless one that `stops` is in between.
    /// Inline elements inside of it stay: they go on behind it.
    fn close(&mut self, name: &str, stops: fn(&str, Class) -> bool) {
        for (at, &(open, class)) in self.stack.iter().enumerate().rev() {
            if open.eq_ignore_ascii_case(name) {
                let inside = self.stack.split_off(at);
                for (open, class) in inside {
                    if class == Class::Formatting {
                        self.stack.push((open, class));
                    } else {
                        self.count(class, -1);
                    }
                }
                return;
            }
            if stops(open, class) {
                return;
            }
        }
    }

    /// Takes one inline element out; those inside of it stay.
    fn end_formatting(&mut self, name: &str) {
        for (at, &(open, class)) in self.stack.iter().enumerate().rev() {
            if open.eq_ignore_ascii_case(name) {
                self.stack.remove(at);
                self.count(class, -1);
                return;
            }
            if matches!(class, Class::Wall | Class::Foreign) {
                return;
            }
        }
    }

    fn count(&mut self, class: Class, by: isize) {
        match class {
            Class::Formatting => self.formatting = self.formatting.saturating_add_signed(by),
            Class::Foreign => self.foreign = self.foreign.saturating_add_signed(by),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn honest_html_passes() {
        for (unit, times) in [
            ("<p>unclosed", 5000),
            ("<ul><li>a<li>b</ul>", 3000),
            ("<table><tr><td>a<td>b<tr><td>c</table>", 2000),
            ("<p><b>x</b><p><a name=1><img src=x><br>", 1000),
            ("<dl><dt>a<dd>b</dl><div><p>x</div>", 1000),
            (
                "<svg viewBox='0 0 1 1'><g><path d=''/><rect/></g></svg>",
                1000,
            ),
            ("<script>if (a<b) '<div><div>'</script><!-- <div> -->", 1000),
            ("<font color=red><b><i>x</i></b></font>", 1000),
        ] {
            assert!(depth_ok(&unit.repeat(times)), "{unit}");
        }
    }

    #[test]
    fn what_makes_a_parser_work_does_not_pass() {
        for unit in [
            "<div>",
            "<ul><li>",
            "<b>",
            "<DIV></x>",
            "<div/>",
            "<x><div></x></div>",
            "<p><div></p>",
            "<div><table><tr><td></div>",
            "<svg></p><x/>",
            "<svg><style><x>",
            "<abcdefghijklm1></abcdefghijklm2>",
            "<!-- --><q a='>'>",
            "<object></div><div>",
        ] {
            assert!(!depth_ok(&unit.repeat(400)), "{unit}");
        }
        let inline: String =
            (0..200).fold(String::new(), |all, n| all + &format!("<font size={n}>"));
        assert!(!depth_ok(&(inline + &"<p>a</p>".repeat(5000))));
        assert!(depth_ok(&"&".repeat(MAX_REFERENCES)));
        assert!(!depth_ok(&"&".repeat(MAX_REFERENCES + 1)));
        assert!(depth_ok(&"x".repeat(MAX_BYTES)));
        assert!(!depth_ok(&"x".repeat(MAX_BYTES + 1)));
    }

    fn depth_of_tree(html: &str) -> usize {
        let document = dom_query::Document::fragment(html);
        let mut deepest = 0;
        let mut todo = vec![(document.root(), 0)];
        while let Some((node, depth)) = todo.pop() {
            deepest = deepest.max(depth);
            todo.extend(node.children_it(false).map(|child| (child, depth + 1)));
        }
        deepest
    }

    proptest! {
        /// The parser makes up at most `tbody` and `tr` around a cell, and a document around it all.
        #[test]
        fn no_tag_soup_is_deeper_than_counted(
            soup in proptest::collection::vec(
                proptest::sample::select(vec![
                    "div", "p", "b", "a", "font", "span", "x", "ul", "li", "table", "tr", "td", "caption", "svg",
                    "path", "g", "math", "mi", "desc", "foreignObject", "style", "title", "form", "button", "select",
                    "option", "object", "template", "noscript", "h1", "dd", "dl", "textarea", "nobr", "ruby", "rt",
                ]),
                1..6,
            ),
            kinds in proptest::collection::vec(0..4_usize, 1..6),
        ) {
            let unit: String = soup.iter().zip(kinds.iter().cycle()).map(|(name, kind)| match kind {
                0 | 1 => format!("<{name}>"),
                2 => format!("</{name}>"),
                _ => format!("<{name}/>"),
            }).collect();
            let html = unit.repeat(1200);
            if depth_ok(&html) {
                let depth = depth_of_tree(&html);
                prop_assert!(depth <= 4 * MAX_DEPTH, "{depth} deep: {unit}");
            }
        }
    }
}
