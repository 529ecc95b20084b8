//! The format `html`: a header of four lines and the article's HTML on one (archive format, section 3).

use std::fmt::Write;

use crate::model::article::StoredArticle;
use crate::model::content::{Content, ContentKind};
use crate::model::time::{Timestamp, Zone};
use crate::output::archive::{
    ArchiveFormat, BadFile, Fault, Label, Sheet, Unarchivable, bad_file, decoded, one_line,
    one_line_only,
};
use crate::rules::blocks::{Block, Style, blocks};

const NAME: &str = "html";
const RULE: &str = "------";

/// See the module.
pub struct Html;

impl ArchiveFormat for Html {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sheet(&self, stored: &StoredArticle, _: &Label) -> Result<Sheet, Unarchivable> {
        let article = &stored.article;
        let body = match article.body.kind {
            ContentKind::Html => joined_lines(&article.body.text),
            _ => marked_up(&blocks(&article.body, article.link.as_ref(), Style::Hugo)),
        };
        Ok(Sheet {
            title: one_line(&article.title),
            link: article
                .link
                .as_ref()
                .map(|link| encoded(link.as_str()))
                .unwrap_or_default(),
            published: Some(stored.date()),
            ..Sheet::of(Content::html(body))
        })
    }

    fn render(&self, sheet: &Sheet, _: &Zone) -> Result<Vec<u8>, Unarchivable> {
        let refused = |why: &str| Unarchivable {
            format: NAME,
            why: why.to_owned(),
        };
        if sheet.body.kind != ContentKind::Html {
            return Err(refused("its words are of another format"));
        }
        one_line_only(NAME, "title", &sheet.title)?;
        one_line_only(NAME, "body", &sheet.body.text)?;
        if sheet.body.text.is_empty() {
            return Err(refused("no words"));
        }
        if encoded(&sheet.link) != sheet.link {
            return Err(refused(
                "its link has characters that need percent encoding",
            ));
        }
        let millis = sheet.published.ok_or_else(|| refused("no date"))?.millis();
        let Sheet {
            title, link, body, ..
        } = sheet;
        Ok(format!(
            "<!--{millis}-->\n[{title}]({link})\n{RULE}\n\n{}\n",
            body.text
        )
        .into_bytes())
    }

    fn parse(&self, bytes: &[u8], _: &Zone) -> Result<Sheet, BadFile> {
        read(bytes).map_err(|fault| bad_file(NAME, bytes, fault))
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        let mut lines = bytes.split(|b| *b == b'\n');
        let digits = lines
            .next()
            .and_then(|line| line.strip_prefix(b"<!--"))
            .and_then(|line| line.strip_suffix(b"-->"))
            .map(|number| number.strip_prefix(b"-").unwrap_or(number));
        digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
            && lines.nth(1) == Some(RULE.as_bytes())
            && lines.next() == Some(b"")
    }
}

fn read(bytes: &[u8]) -> Result<Sheet, Fault> {
    let text = decoded(bytes)?;
    let mut at = 0;
    let mut next_line = |expected: &str| {
        let start = at;
        let split = text.get(start..).and_then(|rest| rest.split_once('\n'));
        let (line, _) =
            split.ok_or_else(|| (start, format!("expected {expected} and a line break")))?;
        at += line.len() + 1;
        Ok::<_, Fault>((start, line))
    };
    let stamp = "a comment with milliseconds";
    let (start, comment) = next_line(stamp)?;
    let published = comment
        .strip_prefix("<!--")
        .and_then(|rest| rest.strip_suffix("-->"))
        .and_then(timestamp)
        .ok_or_else(|| (start, format!("expected {stamp}")))?;
    let (start, head) = next_line("[title](link)")?;
    let (title, address) = head
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.rsplit_once("]("))
        .filter(|(_, address)| encoded(address) == *address)
        .ok_or_else(|| {
            (
                start,
                "expected [title](link), the link percent-encoded".to_owned(),
            )
        })?;
    for expected in [RULE, ""] {
        let (start, found) = next_line("the rule")?;
        if found != expected {
            return Err((start, format!("expected `{expected}`")));
        }
    }
    let (start, body) = next_line("one line of HTML")?;
    if body.is_empty() || at != text.len() {
        return Err((
            start,
            "expected one line of HTML and nothing after it".to_owned(),
        ));
    }
    Ok(Sheet {
        title: title.to_owned(),
        link: address.to_owned(),
        published: Some(published),
        ..Sheet::of(Content::html(body))
    })
}

/// Milliseconds as we write them: no leading zero, no plus, within our range of years.
fn timestamp(text: &str) -> Option<Timestamp> {
    let time = Timestamp::from_millis(text.parse().ok()?);
    (time.millis().to_string() == text).then_some(time)
}

/// Every line trimmed, and joined by nothing: how the archives of this format have always made one line of HTML.
/// Nothing else is touched. What counts as a blank is what JavaScript's `trim` cuts.
fn joined_lines(html: &str) -> String {
    let blank = |c: char| (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}';
    let lines = html
        .split(['\n', '\r'])
        .map(|line| line.trim_matches(blank));
    lines.collect::<String>().replace('\0', "")
}

/// The bytes no link may hold raw become `%HH`; those that were escaped already stay as they are.
fn encoded(link: &str) -> String {
    let mut out = String::with_capacity(link.len());
    for byte in link.bytes() {
        if byte.is_ascii_graphic() && !b"<>\"[]".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn marked_up(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Text(text) => {
                let lines: Vec<String> = text.split('\n').map(escaped).collect();
                let _ = write!(out, "<p>{}</p>", lines.join("<br>"));
            }
            Block::Image { url, .. } if url.is_empty() => {}
            Block::Image { alt, url } => {
                let _ = write!(out, "<img src=\"{}\" alt=\"{}\">", quoted(url), quoted(alt));
            }
        }
    }
    out.replace(['\r', '\0'], "")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_encoded() {
        let check = |link: &str, expected: &str| assert_eq!(encoded(link), expected);
        check(
            "https://h/a:b,c.d/129%/%e4?x=(1)&y='#z",
            "https://h/a:b,c.d/129%/%e4?x=(1)&y='#z",
        );
        check(
            "https://h/甲 <\">[]\u{7f}",
            "https://h/%E7%94%B2%20%3C%22%3E%5B%5D%7F",
        );
    }

    #[test]
    fn lines_are_trimmed_and_joined_by_nothing() {
        assert_eq!(
            joined_lines(" <p>a\r\n\tb </p>\n\n　<i>c\u{a0}\nd</i>\0"),
            "<p>ab </p><i>cd</i>"
        );
        assert_eq!(joined_lines("<p>\u{a0}</p>"), "<p>\u{a0}</p>");
    }

    #[test]
    fn milliseconds_have_one_spelling() {
        for good in ["0", "-1", "1739200625000", "-62135596800000"] {
            assert!(timestamp(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "-",
            "-0",
            "+1",
            "01",
            "1 ",
            "９",
            "99999999999999999999",
            "9223372036854775807",
        ] {
            assert!(timestamp(bad).is_none(), "{bad}");
        }
    }
}
