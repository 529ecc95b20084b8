//! One article on several pages, put together.

use crate::model::entry::Draft;
use crate::model::urls::PageUrl;
use crate::rules::extract::{Extracted, merge, strange, thin};

/// Pages that one article goes on at, at most.
const MORE_PAGES: usize = 10;

/// An article, as far as its pages were read.
#[derive(Clone, Debug)]
pub struct Joined {
    first: Extracted,
    parts: Vec<String>,
    chars: usize,
    seen: Vec<PageUrl>,
    next: Option<PageUrl>,
    note: Option<String>,
}

impl Joined {
    /// With its first page, which was asked at `asked` and came from `url`.
    pub fn begin(asked: &PageUrl, url: &PageUrl, first: Extracted) -> Self {
        Self {
            parts: vec![first.html.clone()],
            chars: first.chars,
            seen: vec![asked.clone(), url.without_fragment()],
            next: first.next.clone(),
            note: None,
            first,
        }
    }

    /// The page it goes on at, which is to be read and [added](Self::add). Pages that lead in a circle or without end
    /// are left.
    pub fn goes_on_at(&mut self) -> Option<PageUrl> {
        let url = self.next.take()?;
        if self.seen.contains(&url) {
            return None;
        }
        if self.parts.len() > MORE_PAGES {
            self.note = Some(format!("it goes on after {} pages", self.parts.len()));
            return None;
        }
        self.seen.push(url.clone());
        Some(url)
    }

    /// What was found on the page it goes on at, or why nothing was: then the article is what came before.
    pub fn add(&mut self, further: Result<Extracted, String>) {
        match further {
            // What comes again is not the next page.
            Ok(further) if self.parts.contains(&further.html) => {}
            Ok(further) => {
                self.chars += further.chars;
                self.parts.push(further.html);
                self.next = further.next;
            }
            Err(why) => self.note = Some(format!("page {} of it: {why}", self.parts.len() + 1)),
        }
    }

    /// The entry with these words; an error says why they are not better than `words`, the feed's own.
    pub fn finish(self, draft: Draft, words: &str) -> Result<Draft, String> {
        if let Some(why) = thin(self.chars, words) {
            return Err(why);
        }
        let html = self.parts.concat();
        if let Some(why) = strange(&draft, &html, self.chars, words) {
            return Err(why);
        }
        let draft = Draft {
            note: self.note.or(draft.note),
            ..draft
        };
        Ok(merge(draft, self.first, html))
    }
}
