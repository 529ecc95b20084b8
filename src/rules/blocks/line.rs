//! One block while it is being written: white space, bold and links.

/// Text that grows character by character. Blanks wait until a character follows, so that they never end up inside
/// a closing `**` or at the end of the block; markers wait likewise, so that an empty bold leaves no trace.
pub(super) struct Line {
    text: String,
    gap: String,
    last: Option<char>,
    /// Whether bold and links are written at all.
    marked: bool,
    bold: usize,
    marks: Vec<Mark>,
}

struct Mark {
    opened: bool,
    link: Option<String>,
}

/// A blank that is cut off at both ends of a block (archive format, 2.6).
pub(super) fn is_edge_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{c}' | '\u{3000}')
}

/// A character that has no place in a text file: controls and the byte order mark.
pub(super) fn is_junk(c: char) -> bool {
    c.is_control() || c == '\u{feff}'
}

/// Ideographs and the full-width punctuation between them: a line break beside them stands for nothing.
fn is_han(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3001}'..='\u{303f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}' | '\u{20000}'..='\u{323af}')
}

impl Line {
    pub fn new(marked: bool) -> Self {
        Self {
            text: String::new(),
            gap: String::new(),
            last: None,
            marked,
            bold: 0,
            marks: Vec::new(),
        }
    }

    pub fn push_str(&mut self, text: &str) {
        for c in text.chars() {
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        match c {
            ' ' | '\t' | '\u{c}' => {
                if !self.gap.ends_with([' ', '\n']) {
                    self.gap.push(' ');
                }
            }
            '\n' | '\r' => {
                if self.gap.ends_with(' ') {
                    self.gap.pop();
                }
                if !self.gap.ends_with('\n') {
                    self.gap.push('\n');
                }
            }
            '\u{a0}' | '\u{3000}' => self.gap.push(c),
            c if is_junk(c) => {}
            c => {
                self.fill_gap(c);
                for mark in self.marks.iter_mut().filter(|mark| !mark.opened) {
                    mark.opened = true;
                    self.text
                        .push_str(if mark.link.is_some() { "[" } else { "**" });
                }
                self.text.push(c);
                self.last = Some(c);
            }
        }
    }

    /// A blank, whatever stands beside it.
    pub fn space(&mut self) {
        self.push(' ');
    }

    fn fill_gap(&mut self, next: char) {
        let gap = std::mem::take(&mut self.gap);
        let gap = if self.last.is_some() {
            gap.as_str()
        } else {
            gap.trim_start_matches(is_edge_blank)
        };
        for blank in gap.chars() {
            if blank != '\n' {
                self.text.push(blank);
            } else if gap != "\n" || !self.last.is_some_and(is_han) || !is_han(next) {
                self.text.push(' ');
            }
        }
    }

    pub fn open_bold(&mut self) {
        self.bold += 1;
        if self.bold == 1 && self.marked {
            self.marks.push(Mark {
                opened: false,
                link: None,
            });
        }
    }

    pub fn close_bold(&mut self) {
        if self.bold == 1 {
            self.close(|mark| mark.link.is_none());
        }
        self.bold = self.bold.saturating_sub(1);
    }

    /// Starts a link; one that was open ends (there are no links in links).
    pub fn open_link(&mut self, url: String) {
        self.close_link();
        if self.marked {
            self.marks.push(Mark {
                opened: false,
                link: Some(url),
            });
        }
    }

    pub fn close_link(&mut self) {
        self.close(|mark| mark.link.is_some());
    }

    /// Closes a mark where it stands in the text, even if others were opened after it: naively, as it was written.
    fn close(&mut self, which: impl Fn(&Mark) -> bool) {
        if let Some(i) = self.marks.iter().rposition(which) {
            let mark = self.marks.remove(i);
            self.write_end(&mark);
        }
    }

    fn write_end(&mut self, mark: &Mark) {
        match &mark.link {
            _ if !mark.opened => {}
            None => self.text.push_str("**"),
            Some(url) => {
                self.text.push_str("](");
                self.text.push_str(url);
                self.text.push(')');
            }
        }
    }

    /// The block so far, if it has any word. Bold goes on in the next one; a link that was written does not, or one
    /// long address could be repeated without end.
    pub fn finish(&mut self) -> Option<String> {
        let mut marks = std::mem::take(&mut self.marks);
        for mark in marks.iter_mut().rev() {
            self.write_end(mark);
        }
        marks.retain(|mark| !mark.opened || mark.link.is_none());
        for mark in &mut marks {
            mark.opened = false;
        }
        self.marks = marks;
        let mut text = std::mem::take(&mut self.text);
        let gap = std::mem::take(&mut self.gap);
        self.last.take()?;
        text.extend(
            gap.trim_end_matches(is_edge_blank)
                .chars()
                .map(|c| if c == '\n' { ' ' } else { c }),
        );
        Some(text)
    }
}
