//! The format `hugo`: front matter of a Hugo page, naive Markdown, the source's link (archive format, section 2).

use jiff::civil::DateTime;

use crate::model::article::StoredArticle;
use crate::model::content::{Content, ContentKind};
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::output::archive::{
    ArchiveFormat, BadFile, Fault, Label, Sheet, Unarchivable, bad_file, decoded, one_line,
    one_line_only,
    scalar::{quote, unquote},
};
use crate::rules::blocks::{Block, Style, blocks, plain_text};

const NAME: &str = "hugo";
const DATE: &str = "%Y-%m-%d %H:%M:%S";
const SUMMARY: usize = 50;
/// What a picture is called that the source does not name.
const UNNAMED: &str = "图片";

/// A line of the front matter: bytes that are always the same, or such a beginning and a quoted string.
enum Line {
    Fixed(&'static str),
    Quoted(&'static str, Slot),
}

#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Title,
    Date,
    Summary,
    Label,
    Language,
    Thumbnail,
}

use Line::{Fixed, Quoted};

/// The front matter, line by line. Rendering and parsing both walk this table.
const FRONT: [Line; 26] = [
    Fixed("---"),
    Quoted("title: ", Slot::Title),
    Quoted("date: ", Slot::Date),
    Quoted("summary: ", Slot::Summary),
    Fixed("categories:"),
    Quoted("  - ", Slot::Label),
    Fixed("lang:"),
    Quoted("  - ", Slot::Language),
    Fixed("translations:"),
    Quoted("  - ", Slot::Language),
    Fixed("tags:"),
    Quoted("  - ", Slot::Label),
    Fixed("menu: \"\""),
    Quoted("thumbnail: ", Slot::Thumbnail),
    Fixed("lead: \"\""),
    Fixed("comments: false"),
    Fixed("authorbox: false"),
    Fixed("pager: true"),
    Fixed("toc: false"),
    Fixed("mathjax: false"),
    Fixed("sidebar: \"right\""),
    Fixed("widgets:"),
    Fixed("  - \"search\""),
    Fixed("  - \"recent\""),
    Fixed("  - \"taglist\""),
    Fixed("---"),
];

/// See the module.
pub struct Hugo;

impl ArchiveFormat for Hugo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sheet(&self, stored: &StoredArticle, label: &Label) -> Result<Sheet, Unarchivable> {
        let article = &stored.article;
        let blocks = blocks(&article.body, article.link.as_ref(), Style::Hugo);
        let imported = article.body.kind == ContentKind::HugoBlocks;
        let address =
            |url: &Option<PageUrl>| url.as_ref().map(ToString::to_string).unwrap_or_default();
        let summary = match &article.summary {
            // A file from elsewhere keeps the summary it came with (law L6).
            Some(given) if imported && given.kind == ContentKind::Plain => given.text.clone(),
            _ => summary(&blocks),
        };
        let body = if imported {
            article.body.clone()
        } else {
            hugo_blocks(markdown(&blocks))
        };
        Ok(Sheet {
            label: label.source.clone(),
            language: article
                .language
                .clone()
                .unwrap_or_else(|| label.language.clone()),
            title: one_line(&article.title),
            link: address(&article.link),
            published: Some(stored.date()),
            summary,
            thumbnail: address(&article.thumbnail),
            body,
        })
    }

    fn render(&self, sheet: &Sheet, zone: &Zone) -> Result<Vec<u8>, Unarchivable> {
        let refused = |why: String| Unarchivable { format: NAME, why };
        let body = &sheet.body.text;
        if sheet.body.kind != ContentKind::HugoBlocks {
            return Err(refused("its words are of another format".to_owned()));
        }
        check_body(body).map_err(|(_, why)| refused(why))?;
        one_line_only(NAME, "source's label", &sheet.label)?;
        one_line_only(NAME, "link", &sheet.link)?;
        let published = sheet
            .published
            .ok_or_else(|| refused("no date".to_owned()))?;
        let date = published.civil(zone, DATE);
        let mut out = String::with_capacity(body.len() + 1024);
        for line in FRONT {
            match line {
                Fixed(text) => out.push_str(text),
                Quoted(key, slot) => {
                    out.push_str(key);
                    quote(
                        &mut out,
                        match slot {
                            Slot::Title => &sheet.title,
                            Slot::Date => &date,
                            Slot::Summary => &sheet.summary,
                            Slot::Label => &sheet.label,
                            Slot::Language => &sheet.language,
                            Slot::Thumbnail => &sheet.thumbnail,
                        },
                    );
                }
            }
            out.push('\n');
        }
        out.push('\n');
        if !body.is_empty() {
            out.push_str(body);
            out.push_str("\n\n");
        }
        out.extend(["[", sheet.label.as_str(), "](", sheet.link.as_str(), ")\n"]);
        Ok(out.into_bytes())
    }

    fn parse(&self, bytes: &[u8], zone: &Zone) -> Result<Sheet, BadFile> {
        read(bytes, zone).map_err(|fault| bad_file(NAME, bytes, fault))
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        let mut lines = bytes.split(|b| *b == b'\n');
        lines.next() == Some(b"---")
            && lines
                .next()
                .is_some_and(|line| line.starts_with(b"title: \""))
            && lines.nth(FRONT.len() - 3) == Some(b"---")
    }
}

fn read(bytes: &[u8], zone: &Zone) -> Result<Sheet, Fault> {
    let text = decoded(bytes)?;
    let mut slots: Vec<(Slot, String)> = Vec::new();
    let mut at = 0;
    for expected in FRONT {
        let rest = text.get(at..).unwrap_or_default();
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        match expected {
            Fixed(fixed) if line == fixed => {}
            Fixed(fixed) => return Err((at, format!("expected `{fixed}`"))),
            Quoted(key, slot) => {
                let value = line.strip_prefix(key).and_then(unquote).ok_or_else(|| {
                    (
                        at,
                        format!("expected `{key}` and a quoted string as we write it"),
                    )
                })?;
                if slots
                    .iter()
                    .any(|(known, other)| *known == slot && *other != value)
                {
                    return Err((at, "expected the same string as above".to_owned()));
                }
                slots.push((slot, value));
            }
        }
        at += line.len() + 1;
    }
    let mut slot = |wanted| {
        let i = slots.iter().position(|(slot, _)| *slot == wanted);
        i.map(|i| slots.swap_remove(i).1).unwrap_or_default()
    };
    let published = instant(&slot(Slot::Date), zone).ok_or_else(|| {
        (
            text.find("\ndate").unwrap_or(0) + 1,
            format!("expected a time that {} has", zone.name()),
        )
    })?;
    let label = slot(Slot::Label);
    let content = text
        .get(at..)
        .and_then(|rest| rest.strip_prefix('\n'))
        .ok_or_else(|| (at, "expected an empty line before the blocks".to_owned()))?
        .strip_suffix('\n')
        .ok_or_else(|| (text.len(), "expected a line break at the end".to_owned()))?;
    if content.ends_with('\n') {
        return Err((
            text.len() - 1,
            "expected nothing after the link to the source".to_owned(),
        ));
    }
    let start = at + 1;
    let (body, source, source_at) = match content.rsplit_once("\n\n") {
        Some(("", _)) => return Err((start, "expected a block".to_owned())),
        Some((body, source)) => (body, source, start + body.len() + 2),
        None => ("", content, start),
    };
    check_body(body).map_err(|(at, why)| (start + at, why))?;
    let link = source
        .strip_prefix('[')
        .and_then(|rest| rest.strip_prefix(label.as_str()))
        .and_then(|rest| rest.strip_prefix("](")?.strip_suffix(')'))
        .filter(|link| !link.contains('\n'))
        .ok_or_else(|| {
            (
                source_at,
                format!("expected the link to the source, `[{label}](…)`"),
            )
        })?;
    Ok(Sheet {
        link: link.to_owned(),
        language: slot(Slot::Language),
        title: slot(Slot::Title),
        published: Some(published),
        summary: slot(Slot::Summary),
        thumbnail: slot(Slot::Thumbnail),
        label,
        ..Sheet::of(hugo_blocks(body.to_owned()))
    })
}

fn hugo_blocks(text: String) -> Content {
    Content {
        kind: ContentKind::HugoBlocks,
        text,
    }
}

/// Blocks stand apart by exactly one empty line and have none inside; no block at all is fine.
fn check_body(body: &str) -> Result<(), Fault> {
    let faults = [
        body.starts_with('\n').then_some(0),
        body.ends_with('\n').then_some(body.len()),
        body.find("\n\n\n"),
        body.find(['\r', '\0']),
    ];
    match faults.into_iter().flatten().next() {
        Some(at) => Err((
            at,
            "expected blocks with one empty line between them".to_owned(),
        )),
        None => Ok(()),
    }
}

fn markdown(blocks: &[Block]) -> String {
    let texts: Vec<String> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Text(text) => Some(text.clone()),
            Block::Image { url, .. } if url.is_empty() => None,
            Block::Image { alt, url } => {
                let alt = if alt.is_empty() { UNNAMED } else { alt };
                Some(format!("![{alt}]({url})"))
            }
        })
        .collect();
    texts.join("\n\n")
}

/// The first 50 code points of the words, and three full stops where there are more.
fn summary(blocks: &[Block]) -> String {
    let text = plain_text(blocks);
    match text.char_indices().nth(SUMMARY) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The instant of a wall-clock time, if the zone had it: a time that a clock skipped would not come back.
fn instant(text: &str, zone: &Zone) -> Option<Timestamp> {
    let civil = DateTime::strptime(DATE, text).ok()?;
    let zoned = zone.as_jiff().to_ambiguous_zoned(civil).compatible().ok()?;
    let time = Timestamp::from(zoned.timestamp());
    (time.civil(zone, DATE) == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_zones_wall_clock() {
        let zone = |name| Zone::parse(name).unwrap_or(Zone::utc());
        let shanghai = zone("Asia/Shanghai");
        assert_eq!(
            instant("2025-02-08 17:34:27", &shanghai),
            Some(Timestamp::from_secs(1_739_007_267))
        );
        for bad in [
            "",
            "2025-02-08 17:34",
            "2025-2-08 17:34:27",
            "2025-02-30 00:00:00",
            "2025-02-08T17:34:27",
            "2025-02-08 17:34:27 ",
            "2025-02-08 17:34:60",
            "9999-12-31 00:00:00",
            "0000-01-01 00:00:00",
        ] {
            assert_eq!(instant(bad, &shanghai), None, "{bad}");
        }
        // Skipped when clocks went forward; had twice when they went back (the earlier one is meant).
        assert_eq!(instant("2025-03-30 02:30:00", &zone("Europe/Berlin")), None);
        let twice = instant("1986-09-14 00:30:00", &shanghai);
        assert_eq!(
            twice.map(|time| time.civil(&shanghai, DATE)).as_deref(),
            Some("1986-09-14 00:30:00")
        );
    }

    #[test]
    fn a_summary_is_fifty_characters() {
        let of = |n: usize| summary(&[Block::Text("字".repeat(n))]);
        assert_eq!(of(0), "");
        assert_eq!(of(50), "字".repeat(50));
        assert_eq!(of(51), "字".repeat(50) + "...");
    }
}
