//! Draft to article, or why not.

use std::time::Duration;

use crate::model::article::Article;
use crate::model::content::{CanonicalText, Content, ContentHash, RawHash};
use crate::model::entry::{Draft, EntryKey};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::rules::{fold, lead};

pub use crate::rules::html::words;

/// Titles are cut here: longer ones are not titles, and everything downstream carries them.
const TITLE_CHARS: usize = 1000;

/// Publishers' clocks run ahead by this much before a date is a date in the future (P-130).
const CLOCK_SKEW: Duration = Duration::from_mins(10);

/// Before this, a date is a default of some program and not a date (P-131): 1990-01-01.
const EARLIEST_SECS: i64 = 631_152_000;

/// Why a draft cannot become an article.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing to keep.
    #[error("neither title nor words")]
    Empty,
    /// Nothing to recognise it by.
    #[error("neither id nor link")]
    Nameless,
}

/// An entry in its final form. `teaser` is the hash of the teaser that led to a detail page, where one was read.
///
/// Dates that cannot be true are dropped, and the entry is dated by when it was first seen; a summary stands in for an
/// absent body, and the article says so (`partial`). Its picture is the one [`lead::lead`] chooses.
pub fn normalise(
    key: Option<EntryKey>,
    draft: Draft,
    teaser: Option<RawHash>,
    now: Timestamp,
) -> Result<Article, Unfit> {
    let key = key.ok_or(Unfit::Nameless)?;
    let raw = draft.raw_hash();
    let title = one_line(draft.title.as_deref().unwrap_or_default());
    let content = match &key {
        EntryKey::Content(hash) => *hash,
        EntryKey::Id(_) | EntryKey::Link(_) => content_hash(&draft),
    };
    let thumbnail = lead::lead(&draft);
    let Draft {
        id,
        link,
        published,
        updated,
        cms_date,
        authors,
        language,
        categories,
        summary,
        body,
        ..
    } = draft;
    let body = body.filter(|body| !body.text.trim().is_empty());
    let summary = summary.filter(|summary| !summary.text.trim().is_empty());
    let partial = body.is_none();
    let body = match body.or_else(|| summary.clone()) {
        Some(body) => body,
        None if title.is_empty() => return Err(Unfit::Empty),
        None => Content::plain(""),
    };
    let lines = |names: Vec<String>| -> Vec<String> {
        names
            .iter()
            .map(|name| one_line(name))
            .filter(|name| !name.is_empty())
            .collect()
    };
    Ok(Article {
        key,
        id,
        link,
        title,
        authors: lines(authors),
        language: language
            .map(|tag| one_line(&tag))
            .filter(|tag| !tag.is_empty()),
        published: published.filter(|date| plausible(*date, now)),
        updated: updated.filter(|date| plausible(*date, now)),
        cms_date,
        categories: lines(categories),
        summary: if partial { None } else { summary },
        body,
        partial,
        thumbnail,
        enclosures: draft.enclosures,
        origin: draft.origin,
        note: draft.note,
        content,
        raw,
        teaser,
    })
}

/// Which words a draft carries (CONTENT recipe 1): its folded body, with its folded title where the body is short.
pub fn content_hash(draft: &Draft) -> ContentHash {
    let title = fold::fold(draft.title.as_deref().unwrap_or_default());
    let body = draft
        .body
        .as_ref()
        .filter(|body| !body.text.trim().is_empty())
        .or(draft.summary.as_ref());
    let body = body.map_or_else(CanonicalText::default, |content| {
        fold::fold(&words(content))
    });
    ContentHash::of(&title, &body, draft.link.as_ref().map(PageUrl::as_str))
}

/// One line: control characters and white space around a line break become one space, ends are trimmed
/// (archive format, section 2.6). Inner blanks stay, they may be meant.
pub fn one_line(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(text.len());
    let mut blanks = String::new();
    let mut broken = false;
    for c in text.chars().take(TITLE_CHARS) {
        if breaks(c) {
            broken = true;
        } else if c.is_whitespace() {
            blanks.push(c);
        } else {
            line.push_str(if broken { " " } else { &blanks });
            blanks.clear();
            broken = false;
            line.push(c);
        }
    }
    line
}

/// Whether a date of a publisher can be true: neither some program's default nor in the future.
pub fn plausible(date: Timestamp, now: Timestamp) -> bool {
    date >= Timestamp::from_secs(EARLIEST_SECS) && date <= now.plus(CLOCK_SKEW)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::content::ContentKind;
    use crate::model::ids::EntryId;
    use crate::rules::blocks::{Block, Style, blocks};

    const NOW: i64 = 1_790_000_000;

    fn article(draft: Draft) -> Result<Article, Unfit> {
        let key = EntryId::new("1").map(EntryKey::Id);
        normalise(key, draft, None, Timestamp::from_secs(NOW))
    }

    #[test]
    fn titles_are_one_line() {
        let check = |given: &str, line: &str| assert_eq!(one_line(given), line);
        check("  a \n\t b  ", "a b");
        check("\u{feff}甲　乙", "甲　乙");
        check("a\u{0}b\u{85}c\u{2028}d", "a b c d");
        check("a  b", "a  b");
        check("", "");
        check("\n", "");
    }

    #[test]
    fn dates_that_cannot_be_true_are_dropped() {
        let check = |secs: i64, kept: bool| {
            let date = Some(Timestamp::from_secs(secs));
            let draft = Draft {
                title: Some("t".into()),
                published: date,
                updated: date,
                ..Draft::default()
            };
            let article = article(draft).unwrap();
            assert_eq!(
                (article.published, article.updated),
                if kept { (date, date) } else { (None, None) },
                "{secs}"
            );
        };
        check(NOW, true);
        check(NOW + 599, true);
        check(NOW + 601, false);
        check(4_000_000_000, false);
        check(EARLIEST_SECS, true);
        check(EARLIEST_SECS - 1, false);
        check(0, false);
    }

    #[test]
    fn a_summary_stands_in_for_a_body_and_says_so() {
        let draft = Draft {
            summary: Some(Content::html("<p>s</p>")),
            body: Some(Content::html(" \n")),
            ..Draft::default()
        };
        let article = article(draft).unwrap();
        assert!(article.partial);
        assert_eq!(
            (article.body, article.summary),
            (Content::html("<p>s</p>"), None)
        );
    }

    #[test]
    fn the_lead_picture_is_chosen_and_changes_no_hash() {
        let draft = |body: &str| Draft {
            title: Some("t".to_owned()),
            body: Some(Content::html(body)),
            ..Draft::default()
        };
        let shown = draft("<p>x</p><img src=https://e.org/a.jpg>");
        let raw = shown.raw_hash();
        let shown = article(shown).unwrap();
        let picture = shown.thumbnail.as_ref().map(PageUrl::as_str);
        assert_eq!(picture, Some("https://e.org/a.jpg"));
        assert_eq!(shown.raw, raw);
        assert_eq!(shown.content, article(draft("<p>x</p>")).unwrap().content);
    }

    #[test]
    fn an_entry_without_title_and_words_is_unfit() {
        assert_eq!(article(Draft::default()), Err(Unfit::Empty));
        assert_eq!(
            normalise(None, Draft::default(), None, Timestamp::EPOCH),
            Err(Unfit::Nameless)
        );
    }

    #[test]
    fn an_archived_article_has_the_words_it_had() {
        let blocks =
            "甲**乙**丙\n\n![图片](https://example.org/1000)\n\n见[某文](https://example.org/a)。";
        let kept = Content {
            kind: ContentKind::HugoBlocks,
            text: blocks.to_owned(),
        };
        assert_eq!(
            fold::fold(&words(&kept)).as_str(),
            fold::fold("甲乙丙见某文").as_str()
        );
    }

    #[test]
    fn blocks_have_the_hash_of_the_html_they_came_from() {
        let base = PageUrl::parse("https://example.org/a/").unwrap();
        let hash = |body: Content| {
            content_hash(&Draft {
                title: Some("甲".to_owned()),
                body: Some(body),
                ..Draft::default()
            })
        };
        for html in [
            "<h2>题</h2><p>甲<b>乙</b>丙<a href=/x>某文</a>。</p><img src=/i alt='图[1]'><p>丁",
            "<p><a href='/x?a[]=1'>[1] 注</a>与[注](见下)</p><ul><li>a<li>b</ul>",
            "<p><a href='/x_(y)'>z</a><b><a href=//h/>q</a></b> AT&amp;T &copy 2</p>",
            "<blockquote>q</blockquote><table><tr><td>a<td>b<tr><td>c</table>",
        ] {
            let html = Content::html(html);
            let texts: Vec<String> = blocks(&html, Some(&base), Style::Hugo)
                .into_iter()
                .map(|block| match block {
                    Block::Text(text) => text,
                    Block::Image { alt, url } => format!("![{alt}]({url})"),
                })
                .collect();
            let kept = Content {
                kind: ContentKind::HugoBlocks,
                text: texts.join("\n\n"),
            };
            assert_eq!(hash(kept.clone()), hash(html), "{}", kept.text);
        }
    }

    /// Hashes in stores stand for words of recipe 1: none of these may ever change.
    #[test]
    fn the_hash_is_that_of_the_words() {
        let check = |body: Content, words: &str| {
            let draft = Draft {
                title: Some("题 Title".to_owned()),
                body: Some(body),
                ..Draft::default()
            };
            let expected = ContentHash::of(&fold::fold("题 Title"), &fold::fold(words), None);
            assert_eq!(content_hash(&draft), expected, "{words}");
        };
        check(
            Content::html("<p>甲<b>乙</b> &eacute;1<br>A&amp;B</p><script>x</script>c"),
            "甲乙é1AB c",
        );
        // Plain words are folded as they stand: no entity, no tag, and no line break that is none.
        check(
            Content::plain("甲乙\r\nか\r\u{3099} <b> &amp;"),
            "甲乙\r\nか\r\u{3099} b amp",
        );
    }
}
