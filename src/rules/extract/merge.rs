//! What a page adds to what the feed has of an entry.

use crate::model::content::Content;
use crate::model::entry::Draft;
use crate::rules::extract::{Extracted, width};
use crate::rules::fold::fold;
use crate::rules::similar::Grams;
use crate::rules::{html, lead};

/// What has fewer words than this is none, as wide as twenty Han characters.
const LEAST: u32 = 40;

/// What a feed has of an entry's words: its body, else its summary, as plain text.
pub fn feeds_words(draft: &Draft) -> String {
    let has_words = |content: &&Content| !content.text.trim().is_empty();
    let body = draft.body.as_ref().filter(has_words);
    body.or(draft.summary.as_ref())
        .map(|content| html::words(content).into_owned())
        .unwrap_or_default()
}

/// Why a page's article of so many characters is not better than the feed's own words, if it is not.
pub fn thin(chars: usize, words: &str) -> Option<String> {
    is_scant(chars, words).then(|| {
        let own = characters(words);
        format!("the page has {chars} characters of it, and the feed {own}")
    })
}

/// Whether so many characters are too few beside these words: less than four fifths of them, or next to nothing.
pub fn is_scant(chars: usize, words: &str) -> bool {
    let scarce = u32::try_from(chars).is_ok_and(|chars| chars * 2 < LEAST) && width(words) == 0;
    chars * 5 < characters(words) * 4 || scarce
}

/// A page with fewer characters may be no article but a wall: a request to agree, to log in, to prove to be a person.
const SHORT: usize = 400;

/// Of what the feed says, this much is in a short article too: of its runs of four characters one in ten. Letters share
/// one in twenty by chance.
const SHARED: usize = 10;

/// The fewest runs of the feed's words that say what an article is about.
const RUNS: usize = 16;

/// Why a short page is not the article the feed has words of: it has none of them.
pub fn strange(draft: &Draft, page: &str, chars: usize, words: &str) -> Option<String> {
    let grams = |text: &str| Grams::of(fold(text).as_str());
    if chars >= SHORT || grams(words).len() < RUNS {
        return None;
    }
    let title = draft.title.as_deref().unwrap_or_default();
    let said = grams(&format!("{title} {words}"));
    let page = grams(&html::words(&Content::html(page)));
    let shared = said.shared(&page);
    (shared * SHARED < said.len().min(page.len()))
        .then(|| "the page has a few words, and none of what the feed says".to_owned())
}

fn characters(words: &str) -> usize {
    words.chars().filter(|c| !c.is_whitespace()).count()
}

/// The entry with the words of its page, `html`. What the feed says besides stays; what it does not say the page may.
/// Words of the feed that are the article's teaser become its summary.
pub fn merge(draft: Draft, page: Extracted, html: String) -> Draft {
    let thumbnail = lead::given(&draft).or(page.image);
    let teaser = draft
        .body
        .filter(|body| html::words(body).chars().count() * 2 < page.chars);
    Draft {
        title: draft.title.or(page.title),
        published: draft.published.or(page.published),
        summary: draft.summary.or(teaser),
        body: Some(Content::html(html)),
        thumbnail,
        ..draft
    }
}
