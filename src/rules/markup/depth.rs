//! The guard before any HTML parser. html5ever's time grows with the square of the nesting depth, and with every
//! unclosed inline element that each new block opens again: a quarter of a megabyte can cost minutes.

use memchr::{memchr, memchr_iter, memmem};

use crate::model::entry::ReadError;
use crate::rules::markup::element::{Nesting, element};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// What a tree parser is given at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Elements open at once. Browsers stop at 512.
    pub depth: usize,
    /// Character references: the parser's time grows with the square of their number, measured at one second for 20,000
    /// of them in an unoptimised build.
    pub references: usize,
    /// Tags, and the inline elements that each of them may open again.
    pub nodes: usize,
    /// Inline elements opened again for each byte: where there are more, the parser is being made to work.
    pub reopened: usize,
}

/// For the HTML of an entry.
pub const BODY: Limits = Limits {
    bytes: 512 * 1024,
    depth: 256,
    references: 20_000,
    nodes: usize::MAX,
    reopened: 1,
};

/// For a whole page of a publisher; an article's has a few thousand tags. The count of nodes holds even where the
/// scan's idea of what is open differs from the parser's.
pub const PAGE: Limits = Limits {
    bytes: 2 << 20,
    depth: 256,
    references: 20_000,
    nodes: 50_000,
    reopened: 32,
};

/// How many elements may be taken for closed because one around them is. Where the parser sees it otherwise they stay
/// open, so this bounds what a mistake of the scan's can cost.
const FORGIVEN: usize = 512;

/// Whether a tree parser may have the HTML of an entry.
pub fn depth_ok(html: &str) -> bool {
    check(html, &BODY).is_ok()
}

/// Whether a tree parser may have this HTML: one linear scan that never counts fewer open elements than the parser
/// will have, but for those it makes up itself (`tbody`). It may count more where end tags are left out. The first limit
/// it passes is the error.
pub fn check(html: &str, limits: &Limits) -> Result<(), ReadError> {
    within("HTML bytes", html.len(), limits.bytes)?;
    let references = memchr_iter(b'&', html.as_bytes()).count();
    within("HTML character references", references, limits.references)?;
    let reopenings = html.len().saturating_mul(limits.reopened);
    let mut open = Open::default();
    let mut tags = 0_usize;
    let mut tokens = Tokens::new(html);
    loop {
        if open.foreign > 0 && tokens.rest().starts_with(CDATA) {
            pass_cdata(&mut tokens)?;
        }
        let Some(token) = tokens.next() else {
            return Ok(());
        };
        match token {
            Token::Start(tag) => {
                tags += 1;
                let nesting = tag.element().nesting;
                if nesting != Nesting::Raw {
                    open.start(&tag, nesting);
                } else if !(open.drawing && tag.self_closing) {
                    let content = tokens.skip_raw(tag.name);
                    if open.foreign > 0 && !is_inert(content) {
                        return unsure();
                    }
                }
            }
            Token::End(tag) => {
                tags += 1;
                open.end(tag.name);
            }
            Token::Text(_) | Token::Other => continue,
        }
        within("HTML depth", open.stack.len(), limits.depth)?;
        within("HTML elements without an end", open.forgiven, FORGIVEN)?;
        within("HTML nodes", tags + open.reopened, limits.nodes)?;
        within("reopened HTML elements", open.reopened, reopenings)?;
    }
}

fn within(what: &'static str, count: usize, limit: usize) -> Result<(), ReadError> {
    if count > limit {
        return Err(ReadError::Limit { what, limit });
    }
    Ok(())
}

/// Some text is text or markup by where it stands, and only a parser knows for certain where that is.
fn unsure() -> Result<(), ReadError> {
    Err(ReadError::Limit {
        what: "markup in a drawing's text",
        limit: 0,
    })
}

const CDATA: &str = "<![CDATA[";

/// Steps over a CDATA section in a drawing. HTML inside of the drawing would end it at the first `>`, so it may hold no
/// tag.
fn pass_cdata(tokens: &mut Tokens<'_>) -> Result<(), ReadError> {
    let rest = tokens.rest().get(CDATA.len()..).unwrap_or_default();
    let length = memmem::find(rest.as_bytes(), b"]]>").unwrap_or(rest.len());
    let inside = rest.get(..length).unwrap_or_default();
    if memchr(b'<', inside.as_bytes()).is_some() {
        return unsure();
    }
    tokens.skip(CDATA.len() + length);
    Ok(())
}

/// Whether the content of a raw element opens and closes nothing even if it is read as markup: no tags, and whole
/// CDATA sections without any.
fn is_inert(content: &str) -> bool {
    let mut rest = content;
    while let Some((_, behind)) = rest.split_once('<') {
        let inside = behind.strip_prefix("![CDATA[");
        match inside.and_then(|inside| inside.split_once("]]>")) {
            Some((inside, after)) if !inside.contains('<') => rest = after,
            _ => return false,
        }
    }
    true
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Elements whose end tag may be left out, and that no parser nests in one of their kind for that.
const ENDLESS: [&str; 11] = [
    "p", "li", "td", "tr", "tbody", "dd", "dt", "th", "thead", "tfoot", "option",
];

/// The parts of a table.
const ROWS: [&str; 7] = ["thead", "tbody", "tfoot", "tr", "caption", "td", "th"];

fn is_shape(name: &str) -> bool {
    const SHAPES: [&str; 15] = [
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
        "linearGradient",
        "radialGradient",
        "clipPath",
    ];
    is_one_of(name, &SHAPES)
}

/// The elements that are open, at least as many as the parser has.
#[derive(Debug, Default)]
struct Open<'a> {
    stack: Vec<(&'a str, Nesting)>,
    /// How many of them are inline elements, and how often blocks have opened one again, at most.
    formatting: usize,
    reopened: usize,
    /// How many elements lacked an end tag they must have.
    forgiven: usize,
    /// How many of them are SVG or `MathML`.
    foreign: usize,
    /// Whether only shapes came since the last of those began, so that `/>` closes.
    drawing: bool,
}

impl<'a> Open<'a> {
    fn start(&mut self, tag: &Tag<'a>, nesting: Nesting) {
        self.reopened += self.formatting;
        let foreign = nesting == Nesting::Foreign;
        if nesting == Nesting::Void
            || (tag.self_closing && (foreign || (self.drawing && is_shape(tag.name))))
        {
            return;
        }
        self.drawing = foreign || (self.drawing && is_shape(tag.name));
        // A link ends the link before it.
        if tag.is("a") {
            self.end_formatting(tag.name);
        }
        // A block ends the paragraph it stands in.
        if nesting == Nesting::Block {
            self.end_paragraph();
        }
        self.end_sibling(tag.name);
        self.count(nesting, 1);
        self.stack.push((tag.name, nesting));
    }

    /// What of its kind an element ends by starting, where the end tag is left out (§13.2.6.4.7, §13.2.6.4.15).
    fn end_sibling(&mut self, name: &str) {
        const ITEMS: [&[&str]; 2] = [&["li"], &["dd", "dt"]];
        if let Some(kind) = ITEMS.iter().find(|kind| is_one_of(name, kind)) {
            let found = self.stack.iter().rev().find(|(open, nesting)| {
                is_one_of(open, kind)
                    || !(matches!(nesting, Nesting::Formatting | Nesting::Other)
                        || is_one_of(open, &["p", "div", "address"]))
            });
            if let Some(&(open, _)) = found.filter(|(open, _)| is_one_of(open, kind)) {
                self.close(open, |_, _| false);
            }
        }
        // A cell ends the cell before it, a row the row before it.
        let parts: &[&str] = match name.len() {
            2 if is_one_of(name, &["td", "th"]) => &["td", "th"],
            2 if is_one_of(name, &["tr"]) => &["td", "th", "tr"],
            5 if is_one_of(name, &ROWS) => &["td", "th", "tr", "thead", "tbody", "tfoot"],
            _ => &[],
        };
        for part in parts {
            self.close(part, |open, nesting| {
                nesting == Nesting::Foreign || (nesting == Nesting::Wall && !is_one_of(open, &ROWS))
            });
        }
        if is_one_of(name, &["option"])
            && self
                .stack
                .last()
                .is_some_and(|(open, _)| is_one_of(open, &["option"]))
        {
            self.stack.pop();
        }
    }

    fn end(&mut self, name: &str) {
        let nesting = element(name).nesting;
        // Raw elements were passed over with their content.
        if nesting == Nesting::Raw {
            return;
        }
        self.reopened += self.formatting;
        self.drawing = self.drawing && is_shape(name);
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match nesting {
            Nesting::Void | Nesting::Raw => {}
            Nesting::Formatting => self.end_formatting(name),
            Nesting::Block if is("p") => self.end_paragraph(),
            Nesting::Block => self.close(name, |_, nesting| {
                matches!(nesting, Nesting::Wall | Nesting::Foreign)
            }),
            // These end without those inside of them.
            Nesting::Wall if is("form") || is("button") || is("select") => {
                self.close(name, |_, _| true);
            }
            // Parts of a table end within their own table only.
            Nesting::Wall => self.close(name, |open, nesting| {
                nesting == Nesting::Foreign || is_one_of(open, &["table", "template"])
            }),
            Nesting::Foreign | Nesting::Other => self.close(name, |_, nesting| {
                matches!(nesting, Nesting::Block | Nesting::Wall)
            }),
        }
    }

    /// A paragraph further out was closed long ago, by the block in between.
    fn end_paragraph(&mut self) {
        self.close("p", |_, nesting| {
            matches!(nesting, Nesting::Block | Nesting::Wall | Nesting::Foreign)
        });
    }

    /// Closes the innermost element of this name and those inside of it, unless one that `stops` is in between.
    /// Inline elements inside of it stay: they go on behind it.
    fn close(&mut self, name: &str, stops: fn(&str, Nesting) -> bool) {
        for (at, &(open, nesting)) in self.stack.iter().enumerate().rev() {
            if open.eq_ignore_ascii_case(name) {
                let inside = self.stack.split_off(at);
                // The parser ignores a row or a cell that stands in no table, and closes nothing with it.
                let ignored = is_one_of(name, &ROWS) && !self.in_table();
                for (place, (open, nesting)) in inside.into_iter().enumerate() {
                    if nesting == Nesting::Formatting {
                        self.stack.push((open, nesting));
                    } else {
                        self.count(nesting, -1);
                        let ends_itself = is_one_of(open, if ignored { &ROWS } else { &ENDLESS });
                        self.forgiven += usize::from(place > 0 && !ends_itself);
                    }
                }
                return;
            }
            if stops(open, nesting) {
                return;
            }
        }
    }

    fn in_table(&self) -> bool {
        let mut names = self.stack.iter().map(|(open, _)| open);
        names.any(|open| is_one_of(open, &["table", "template"]))
    }

    /// Takes one inline element out; those inside of it stay.
    fn end_formatting(&mut self, name: &str) {
        for (at, &(open, nesting)) in self.stack.iter().enumerate().rev() {
            if open.eq_ignore_ascii_case(name) {
                self.stack.remove(at);
                self.count(nesting, -1);
                return;
            }
            if matches!(nesting, Nesting::Wall | Nesting::Foreign) {
                return;
            }
        }
    }

    fn count(&mut self, nesting: Nesting, by: isize) {
        match nesting {
            Nesting::Formatting => self.formatting = self.formatting.saturating_add_signed(by),
            Nesting::Foreign => self.foreign = self.foreign.saturating_add_signed(by),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
