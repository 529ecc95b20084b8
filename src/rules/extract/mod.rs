//! The article on a page: its words without menus, comments, related stories and bylines.
//!
//! A walk of our own over the parser's tree, weighing runs of words by their length, their marks in either width and
//! their links. Readability and its ports were measured first (docs/decisions.md): what they lose is short Chinese
//! articles, where their thresholds, made for English, let in the column beside the article.

mod about;
mod choose;
mod clean;
mod join;
mod lines;
mod merge;
mod others;
mod prose;
mod strip;
mod tree;
mod words;

pub use join::Joined;
pub use merge::{feeds_words, is_scant, merge, strange, thin};

use dom_query::{Document, Matcher};

use crate::model::entry::ReadError;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::rules::extract::prose::{Run, Size, Surroundings};
use crate::rules::extract::tree::{At, Tree};
use crate::rules::markup::depth;
use crate::rules::{html, lead};

/// What is known of the article before its page is read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// CSS: where its words are on this site. All that match are taken.
    pub selector: Option<&'a str>,
    /// What the feed has of its words: the article is looked for where they begin. May be empty.
    pub words: &'a str,
    /// The zone of dates written without one.
    pub zone: &'a Zone,
}

/// An article as its page has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// Its title, without the site's name.
    pub title: Option<String>,
    /// Its words as the page has them, with absolute addresses and the pictures a script would fetch.
    pub html: String,
    /// Its lead picture: the one the page names for itself, else its first that is large enough.
    pub image: Option<PageUrl>,
    /// The page it goes on at.
    pub next: Option<PageUrl>,
    /// When it was published, by the page's word.
    pub published: Option<Timestamp>,
    /// How its words were found.
    pub how: How,
    /// How many characters they have, without blanks.
    pub chars: usize,
}

/// How an article was found on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By a selector of the subscription.
    Selector,
    /// By weighing what is there.
    Weight,
    /// By the words the feed has of it.
    Lead,
}

impl How {
    /// In one word, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Selector => "selector",
            Self::Weight => "weight",
            Self::Lead => "lead",
        }
    }
}

/// Whether a selector can be used; the error says what is wrong with it.
pub fn check_selector(selector: &str) -> Result<(), String> {
    Matcher::new(selector)
        .map(|_| ())
        .map_err(|_| "is no CSS selector".to_owned())
}

/// Finds the article on a page. A page that is none, or too much for a parser, or has no article is an error.
pub fn extract(page: &str, url: &PageUrl, wanted: Wanted<'_>) -> Result<Extracted, ReadError> {
    if !page
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
        || page.contains('\0')
    {
        return Err(ReadError::Other {
            expected: "a page",
            found: "no HTML".to_owned(),
        });
    }
    depth::check(page, &depth::PAGE)?;
    let document = Document::from(page);
    let base = about::base(&document, url);
    let mut tree = Tree::of(&document);
    let names = about::names(&document);
    let mut tops: Vec<At> = Vec::new();
    if let Some(selector) = wanted.selector {
        tops = selected(&document, &tree, selector)?;
    }
    tree.fill_pictures();
    strip::hidden(&mut tree);
    let mut how = How::Selector;
    let mut title = about::title(&tree, &prose::runs(&tree), &names);
    if tops.is_empty() {
        let found = weigh(&mut tree, &mut title, wanted.words);
        let Found {
            top,
            runs,
            items,
            by,
        } = found.ok_or_else(|| missing("prose"))?;
        clean::clean(
            &mut tree,
            top,
            &runs,
            &items,
            title.as_ref().map(|(_, title)| title.as_str()),
        );
        (how, tops) = (by, vec![top]);
    } else {
        let runs = valued(&tree, None, &[]);
        for top in &tops {
            clean::clean(
                &mut tree,
                *top,
                &runs,
                &[],
                title.as_ref().map(|(_, title)| title.as_str()),
            );
        }
    }
    let raw: String = tops.iter().map(|top| tree.html(*top)).collect();
    let html = html::prepare(&raw, Some(&base));
    let chars = html::text(&html)
        .chars()
        .filter(|c| !c.is_whitespace())
        .count();
    if chars == 0 {
        return Err(missing("words"));
    }
    let given = names.first().map(|name| about::without_site(name));
    Ok(Extracted {
        title: title.map(|(_, title)| title).or(given),
        image: about::image(&document, &base).or_else(|| lead::first(&html, Some(&base))),
        next: about::next(&document, &base, url),
        published: about::published(&document, wanted.zone),
        how,
        chars,
        html,
    })
}

fn missing(field: &str) -> ReadError {
    ReadError::Missing {
        field: field.to_owned(),
        page: "the article's page",
    }
}

/// Where a selector points, outermost first.
fn selected(document: &Document, tree: &Tree, selector: &str) -> Result<Vec<At>, ReadError> {
    let matcher = Matcher::new(selector).map_err(|_| missing("valid selector"))?;
    let found = document.select_matcher(&matcher);
    let mut tops: Vec<At> = Vec::new();
    let mut places: Vec<At> = found
        .nodes()
        .iter()
        .filter_map(|node| tree.place(node))
        .collect();
    places.sort_unstable();
    for at in places {
        if !tops.iter().any(|top| tree.below(*top).contains(&at)) {
            tops.push(at);
        }
    }
    if tops.is_empty() {
        return Err(missing(&format!("`{selector}`")));
    }
    Ok(tops)
}

struct Found {
    top: At,
    runs: Vec<Run>,
    items: Vec<bool>,
    by: How,
}

fn valued(tree: &Tree, title: Option<At>, items: &[bool]) -> Vec<Run> {
    let mut runs = prose::runs(tree);
    let around = Surroundings {
        title,
        items: items.to_vec(),
    };
    prose::value(tree, &mut runs, &around);
    runs
}

/// Takes off what is beside the article, and chooses among what is left.
fn weigh(tree: &mut Tree, title: &mut Option<(At, String)>, words: &str) -> Option<Found> {
    let runs = prose::runs(tree);
    strip::beside(tree, &runs);
    let runs = prose::runs(tree);
    others::drop_headed(tree, &runs);
    let runs = prose::runs(tree);
    let items = others::items(tree, &runs);
    let place = title.as_ref().map(|(at, _)| *at);
    let runs = valued(tree, place, &items);
    let chosen = choose::best(tree, &runs);
    let anchored = choose::with_lead(tree, &runs, chosen, words);
    let by = if anchored.is_some() {
        How::Lead
    } else {
        How::Weight
    };
    let top = anchored.or(chosen)?;
    Some(Found {
        top,
        runs,
        items,
        by,
    })
}

/// How wide a text is: a Han character counts as two Latin letters.
pub fn width(text: &str) -> u32 {
    Size::of(text, false).all
}

#[cfg(test)]
mod tests;
