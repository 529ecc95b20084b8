//! The format `text`: bare blocks, nothing before, nothing after (archive format, section 4).

use crate::model::article::StoredArticle;
use crate::model::content::{Content, ContentKind};
use crate::model::time::Zone;
use crate::output::archive::{
    ArchiveFormat, BadFile, Fault, Label, Sheet, Unarchivable, bad_file, decoded, html::Html,
    hugo::Hugo,
};
use crate::rules::blocks::{Block, Style, blocks};

const NAME: &str = "text";

/// See the module.
pub struct Text;

impl ArchiveFormat for Text {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sheet(&self, article: &StoredArticle, _: &Label) -> Result<Sheet, Unarchivable> {
        let article = &article.article;
        if article.body.kind == ContentKind::TextBlocks {
            return Ok(Sheet::of(article.body.clone()));
        }
        let blocks = blocks(&article.body, article.link.as_ref(), Style::Text);
        let lines: Vec<&str> = blocks
            .iter()
            .map(|block| match block {
                Block::Text(text) => text.as_str(),
                Block::Image { .. } => "",
            })
            .collect();
        Ok(Sheet::of(text_blocks(lines.join("\n\n"))))
    }

    fn render(&self, sheet: &Sheet, _: &Zone) -> Result<Vec<u8>, Unarchivable> {
        let refused = |why: &str| Unarchivable {
            format: NAME,
            why: why.to_owned(),
        };
        if sheet.body.kind != ContentKind::TextBlocks {
            return Err(refused("its words are of another format"));
        }
        let bytes = sheet.body.text.as_bytes();
        read(bytes).map_err(|(_, why)| refused(&why))?;
        Ok(bytes.to_vec())
    }

    fn parse(&self, bytes: &[u8], _: &Zone) -> Result<Sheet, BadFile> {
        let text = read(bytes).map_err(|fault| bad_file(NAME, bytes, fault))?;
        Ok(Sheet::of(text_blocks(text.to_owned())))
    }

    /// Any text that has not the header of another format.
    fn recognises(&self, bytes: &[u8]) -> bool {
        decoded(bytes).is_ok() && !Html.recognises(bytes) && !Hugo.recognises(bytes)
    }
}

fn text_blocks(text: String) -> Content {
    Content {
        kind: ContentKind::TextBlocks,
        text,
    }
}

/// `block *(LF LF block)`, where a block is empty (a picture that is not kept) or has no empty line and no line break at
/// its ends. So a run of line breaks is single within a block, and even between blocks.
fn read(bytes: &[u8]) -> Result<&str, Fault> {
    let text = decoded(bytes)?;
    if text.bytes().all(|b| b == b'\n') {
        return Err((0, "no words".to_owned()));
    }
    for other in [&Html as &dyn ArchiveFormat, &Hugo] {
        if other.recognises(bytes) {
            return Err((
                0,
                format!("would be taken for a file of the format {}", other.name()),
            ));
        }
    }
    let mut at = 0;
    while let Some(i) = text.get(at..).and_then(|rest| rest.find('\n')) {
        let start = at + i;
        let rest = text.get(start..).unwrap_or_default();
        let run = rest.len() - rest.trim_start_matches('\n').len();
        let within = run == 1 && start > 0 && start + 1 < text.len();
        if run % 2 == 1 && !within {
            let why = "expected an even number of line breaks between blocks";
            return Err((start, why.to_owned()));
        }
        at = start + run;
    }
    Ok(text)
}

/// The title a file of this format lets one guess: its single heading of the first level, if it has exactly one.
pub fn headline(body: &str) -> Option<&str> {
    let mut heads = body
        .split("\n\n")
        .filter_map(|block| block.strip_prefix("# "));
    let first = heads.next()?;
    heads.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_pictures() {
        for good in [
            "a",
            "\n\na",
            "a\n\n",
            "a\n\n\n\nb",
            "a\nb\n\nc",
            "\n\n\n\na\n\n\n\n",
        ] {
            assert!(read(good.as_bytes()).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "\n\n",
            "\na",
            "a\n",
            "a\n\n\nb",
            "a\r\n\r\nb",
            "\u{feff}a",
            "a\0",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let error = Text
            .parse(b"a\n\nb\n\n\nc", &Zone::utc())
            .map(|_| ())
            .map_err(|e| e.line);
        assert_eq!(error, Err(3));
    }

    #[test]
    fn a_title_is_guessed_only_where_there_is_one() {
        assert_eq!(headline("\n\n## k\n\n# t\n\n### x"), Some("t"));
        assert_eq!(headline("# a\n\n# b"), None);
        assert_eq!(headline("x # a"), None);
    }
}
