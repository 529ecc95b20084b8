//! HTML to blocks: one pass over its tags and text.

use crate::model::urls::PageUrl;
use crate::rules::blocks::line::Line;
use crate::rules::blocks::skip::{is_wordless, next, skip_element};
use crate::rules::blocks::{Block, Style};
use crate::rules::markup::element::{Layout, element};
use crate::rules::markup::entity;
use crate::rules::markup::picture::{self, Around};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// Deeper nesting of lists and quotes is not shown, or the marks would outgrow the words.
const DEEPEST_MARK: usize = 4;

/// Longer addresses are no addresses of a reader's link or picture.
const LONGEST_URL: usize = 2048;

/// The blocks of an HTML text, outside in document order.
pub(super) fn render(html: &str, base: Option<&PageUrl>, style: Style) -> Vec<Block> {
    let mut renderer = Renderer::new(html.len(), base, style);
    let mut tokens = Tokens::new(html);
    let mut around = Around::default();
    let mut may_skip = true;
    while let Some(token) = next(&mut tokens) {
        match token {
            Token::Text(text) => {
                around.text(text);
                renderer.line.push_str(&entity::decode(text, false));
            }
            Token::End(tag) => {
                around.end(&tag);
                renderer.end(&tag);
            }
            Token::Start(tag) if may_skip && is_wordless(&tag) => {
                let mut inside = tokens.clone();
                if !skip_element(&mut tokens, tag.name) {
                    // Never closed: rather show what a player would say than lose the rest of the article. Once, so
                    // that the text is read twice at most.
                    tokens = inside;
                    may_skip = false;
                } else if tag.is("noscript")
                    && let Some(picture) = around.noscript(inside.skip_raw(tag.name))
                {
                    renderer.image(&picture, &mut around);
                }
            }
            Token::Start(tag) if picture::is_picture(&tag) => renderer.image(&tag, &mut around),
            Token::Start(tag) => {
                around.start(&tag);
                renderer.start(&tag);
            }
            Token::Other => {}
        }
    }
    renderer.finish()
}

/// Whether an element parts one block from the next.
fn parts_blocks(name: &str) -> bool {
    matches!(element(name).layout, Layout::Block | Layout::Verbatim)
}

struct Renderer<'a> {
    base: Option<&'a PageUrl>,
    done: Vec<Block>,
    line: Line,
    heading: usize,
    big_title: bool,
    quotes: usize,
    /// Open lists; an ordered one has its last number.
    lists: Vec<Option<u32>>,
    /// The mark of the item that has no line yet.
    item: Option<String>,
    items: Vec<String>,
    /// Open tables, seen as one: its rows, their cells, the blocks in each.
    tables: usize,
    rows: Vec<Vec<Vec<Block>>>,
    /// How many bytes of addresses may still be written: a short relative link can stand for a long one, often.
    addresses: usize,
}

impl<'a> Renderer<'a> {
    fn new(size: usize, base: Option<&'a PageUrl>, style: Style) -> Self {
        Self {
            base: base.filter(|base| base.as_str().len() <= LONGEST_URL),
            done: Vec::new(),
            line: Line::new(style == Style::Hugo),
            heading: 0,
            big_title: false,
            quotes: 0,
            lists: Vec::new(),
            item: None,
            items: Vec::new(),
            tables: 0,
            rows: Vec::new(),
            addresses: size.saturating_mul(4).saturating_add(65_536),
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = &*tag.lower_name();
        match name {
            "br" => self.line_break(),
            "b" | "strong" => self.line.open_bold(),
            "a" => match tag.value("href").and_then(|href| self.address(&href)) {
                Some(url) => self.line.open_link(url),
                None => self.line.close_link(),
            },
            "td" | "th" => self.cell(),
            _ if parts_blocks(name) => {
                self.boundary();
                self.open_block(tag, name);
            }
            _ => {}
        }
    }

    fn open_block(&mut self, tag: &Tag, name: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = name
                    .bytes()
                    .last()
                    .map_or(0, |digit| usize::from(digit - b'0'));
            }
            "p" => {
                self.heading = 0;
                // How qq marks a sub-heading: a bold paragraph in the archive.
                let classes = tag.value("class").unwrap_or_default();
                if classes
                    .split_ascii_whitespace()
                    .any(|class| class == "text-big-title")
                {
                    self.big_title = true;
                    self.line.open_bold();
                }
            }
            "blockquote" => self.quotes += 1,
            "ul" | "menu" | "dir" => self.lists.push(None),
            "ol" => self.lists.push(Some(0)),
            "li" => {
                self.item = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{number}. ")
                    }
                    _ => "- ".to_owned(),
                });
            }
            "table" => {
                if self.tables == 0 {
                    self.end_list();
                }
                self.tables += 1;
            }
            "tr" if self.tables > 0 => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: &Tag) {
        let name = &*tag.lower_name();
        match name {
            "b" | "strong" => return self.line.close_bold(),
            "a" => return self.line.close_link(),
            "br" => return self.line_break(),
            _ if parts_blocks(name) || matches!(name, "td" | "th") => self.boundary(),
            _ => return,
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = 0,
            "blockquote" => {
                self.end_list();
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.lists.pop();
                self.item = None;
                if self.lists.is_empty() {
                    self.end_list();
                }
            }
            "table" if self.tables > 0 => {
                self.end_list();
                self.tables -= 1;
                if self.tables == 0 {
                    self.end_table();
                }
            }
            _ => {}
        }
    }

    /// A `br` parts blocks, but a heading stays one.
    fn line_break(&mut self) {
        if self.heading > 0 {
            self.line.space();
        } else {
            self.part();
        }
    }

    /// The end of a block by an element, which also ends what was bold for the length of a block.
    fn boundary(&mut self) {
        self.part();
        if std::mem::take(&mut self.big_title) {
            self.line.close_bold();
        }
    }

    /// The end of a block.
    fn part(&mut self) {
        let Some(text) = self.line.finish() else {
            return;
        };
        let quote = "> ".repeat(self.quotes.min(DEEPEST_MARK));
        if self.lists.is_empty() && self.item.is_none() {
            self.end_list();
            let heading = match self.heading {
                0 => String::new(),
                level => "#".repeat(level) + " ",
            };
            self.emit(Block::Text(format!("{quote}{heading}{text}")));
        } else {
            let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(DEEPEST_MARK));
            let mark = self.item.take().unwrap_or_else(|| "  ".to_owned());
            self.items.push(format!("{quote}{indent}{mark}{text}"));
        }
    }

    fn end_list(&mut self) {
        if !self.items.is_empty() {
            let lines = std::mem::take(&mut self.items);
            self.emit(Block::Text(lines.join("\n")));
        }
    }

    fn image<'t>(&mut self, tag: &Tag<'t>, around: &mut Around<'t>) {
        if picture::is_unseen(tag) {
            return; // counts readers
        }
        let url = self.picture(tag).or_else(|| {
            let other = around.instead()?;
            self.picture(&other).filter(|_| !picture::is_unseen(&other))
        });
        let Some(url) = url else { return };
        around.done();
        if picture::is_beacon(&url) {
            return;
        }
        let alt = tag
            .value("alt")
            .map(|alt| one_line(&alt))
            .unwrap_or_default();
        self.part();
        self.end_list();
        self.emit(Block::Image { alt, url });
    }

    /// Where the picture of a tag is.
    fn picture(&mut self, tag: &Tag<'_>) -> Option<String> {
        picture::addresses(tag).find_map(|url| self.address(&url))
    }

    /// An absolute address; `//host/…` is read as https whatever page it stands on (archive format, 7.4).
    fn address(&mut self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST_URL || text.starts_with('#') {
            return None;
        }
        let url = match (text.starts_with("//"), self.base) {
            (true, _) => PageUrl::parse(&format!("https:{text}")),
            (false, Some(base)) => base.join(text),
            (false, None) => PageUrl::parse(text),
        };
        let url = url.ok()?.as_str().to_owned();
        self.addresses = self.addresses.checked_sub(url.len())?;
        Some(url)
    }

    fn cell(&mut self) {
        self.boundary();
        self.end_list();
        if self.tables > 0 {
            if self.rows.is_empty() {
                self.rows.push(Vec::new());
            }
            if let Some(row) = self.rows.last_mut() {
                row.push(Vec::new());
            }
        }
    }

    fn emit(&mut self, block: Block) {
        if self.tables == 0 {
            return self.done.push(block);
        }
        // Words outside of cells (a caption) are a row of their own.
        match self.rows.last_mut().and_then(|row| row.last_mut()) {
            Some(cell) => cell.push(block),
            None => self.rows.push(vec![vec![block]]),
        }
    }

    /// A table is one block, a line for each row. One that only arranges the page (a picture in it, or never two cells
    /// side by side) is what it holds.
    fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let arranges = rows.iter().all(|row| row.len() <= 1)
            || rows
                .iter()
                .flatten()
                .flatten()
                .any(|block| matches!(block, Block::Image { .. }));
        if arranges {
            self.done.extend(rows.into_iter().flatten().flatten());
            return;
        }
        let lines: Vec<String> = rows
            .iter()
            .filter(|row| row.iter().any(|cell| !cell.is_empty()))
            .map(|row| {
                row.iter()
                    .map(|cell| cell_text(cell))
                    .collect::<Vec<_>>()
                    .join(" | ")
                    .trim_end()
                    .to_owned()
            })
            .collect();
        if !lines.is_empty() {
            self.done.push(Block::Text(lines.join("\n")));
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.part();
        self.end_list();
        self.tables = 0;
        self.end_table();
        self.done
    }
}

fn cell_text(cell: &[Block]) -> String {
    let texts: Vec<String> = cell
        .iter()
        .filter_map(|block| match block {
            Block::Text(text) => Some(text.replace('\n', " ")),
            Block::Image { .. } => None,
        })
        .collect();
    texts.join(" ")
}

/// An attribute's text as one block would hold it.
fn one_line(text: &str) -> String {
    let mut line = Line::new(false);
    line.push_str(text);
    line.finish().unwrap_or_default()
}
