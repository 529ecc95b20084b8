//! What is said of the river in every format, settled once: which entries, in which order, with which words. Formats
//! written from one edition cannot disagree (F-57), and the dear part, making strangers' HTML safe, is done once for all.

use std::collections::HashSet;
use std::time::Duration;

use crate::model::content::Content;
use crate::model::entry::Enclosure;
use crate::model::ids::{ArticleSeq, EntryId};
use crate::model::image::Copies;
use crate::model::river::{Carrier, River, RiverEntry};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::output::atom;
use crate::output::forms::{fit, iri, is_media_type, language, line};
use crate::rules::html;
use crate::rules::images;

/// No entry is added that would make the document longer (F-18).
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// Longer content is cut, with a link to where it goes on (F-18).
pub const MAX_CONTENT: usize = 256 * 1024;

/// A title's characters, and how many authors, categories and the like an entry may have: one entry is no document.
pub(super) const MAX_TITLE: usize = 1000;
pub(super) const MAX_LIST: usize = 64;

/// The river as all formats show it: the newest entries that fit into [`MAX_DOCUMENT`] (one at least); the older ones
/// belong into archive documents (RFC 5005), which come later.
#[derive(Clone, Debug)]
pub struct Edition<'a> {
    /// What it shows.
    pub river: &'a River,
    /// Where it is, below the river's home and without its ending: `feed`, `source/qq`.
    pub stem: &'a str,
    /// Its place in the archived feed (RFC 5005), which only the Atom documents tell of.
    pub history: History,
    /// One line.
    pub title: String,
    /// One line.
    pub subtitle: Option<String>,
    /// Never empty.
    pub author: String,
    /// A language tag, where the river's is one.
    pub language: Option<&'a str>,
    /// Newest first, one an id.
    pub items: Vec<Item<'a>>,
    /// How long a reader may go without asking again (F-35).
    pub max_age: Duration,
}

/// Where a document stands in an archived feed (RFC 5005 §4). Addresses are stems below the river's home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The archive document before it.
    pub previous: Option<String>,
    /// Where an archive document is one: the subscription document it belongs to.
    pub current: Option<String>,
}

/// One entry as all formats show it. Texts hold no character that must not be published (F-11).
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// What it shows.
    pub entry: &'a RiverEntry,
    /// An IRI.
    pub id: String,
    /// One line, never empty.
    pub title: String,
    /// A language tag, where it is another one than the edition's (F-13).
    pub language: Option<&'a str>,
    /// Names of its own authors; where there are none and its source has none either, the source's name (F-06).
    pub authors: Vec<String>,
    /// Each once, none empty.
    pub categories: Vec<String>,
    /// The operator's tags for this entry, by rules. Each once, none empty.
    pub tags: Vec<String>,
    /// What the publisher wrote of it; where there are no words at all, the title (F-17).
    pub summary: Option<String>,
    /// Safe HTML; empty where there are no words.
    pub content: String,
    /// The feed it came from.
    pub origin: Origin<'a>,
}

/// The feed an entry came from, with id, title and updated always (F-05).
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// An IRI.
    pub id: String,
    /// One line, never empty.
    pub title: String,
    /// When it last changed.
    pub updated: Timestamp,
    /// Names.
    pub authors: Vec<String>,
    /// The address it calls its own.
    pub self_link: Option<&'a PageUrl>,
    /// The site it belongs to.
    pub home: Option<&'a PageUrl>,
    /// Copyright line.
    pub rights: Option<String>,
    /// Icon or logo.
    pub icon: Option<&'a PageUrl>,
}

impl<'a> Edition<'a> {
    /// Settles what is shown of a river.
    pub fn of(river: &'a River) -> Self {
        Self::at(river, "feed", History::default(), &HashSet::new())
    }

    /// The same for the document at `stem`. The articles of `kept` are in it whatever their date and size: they are in
    /// no archive document yet (F-18).
    pub fn at(
        river: &'a River,
        stem: &'a str,
        history: History,
        kept: &HashSet<ArticleSeq>,
    ) -> Self {
        let author = line(&river.author, MAX_TITLE);
        let mut edition = Self {
            river,
            stem,
            history,
            title: line(&river.title, MAX_TITLE),
            subtitle: river
                .subtitle
                .as_ref()
                .map(|subtitle| line(subtitle, MAX_TITLE)),
            author: if author.is_empty() {
                env!("CARGO_PKG_NAME").to_owned()
            } else {
                author
            },
            language: language(&river.language),
            items: Vec::new(),
            max_age: max_age(
                river
                    .entries
                    .iter()
                    .map(|entry| entry.article.recorded)
                    .collect(),
            ),
        };
        edition.fill(kept);
        edition
    }

    /// One window for all formats (F-57), measured in the one that says the most of an entry.
    fn fill(&mut self, kept: &HashSet<ArticleSeq>) {
        let mut room = MAX_DOCUMENT.saturating_sub(atom::frame(self));
        let mut seen = HashSet::new();
        let mut full = false;
        let mut kept_ones = Vec::new();
        let river = self.river;
        for (place, entry) in river.entries.iter().enumerate() {
            if kept.contains(&entry.article.seq) {
                let item = Item::of(entry, iri(&entry.id), self.language);
                room = room.saturating_sub(atom::size(&item));
                kept_ones.push((place, item));
            }
        }
        let mut kept_ones = kept_ones.into_iter().peekable();
        for (place, entry) in river.entries.iter().enumerate() {
            let id = iri(&entry.id);
            let ready = kept_ones.next_if(|(at, _)| *at == place);
            // One entry an id (F-04): the first is the newest.
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Some((_, item)) = ready {
                self.items.push(item);
                continue;
            }
            if full {
                continue;
            }
            let item = Item::of(entry, id, self.language);
            let size = atom::size(&item);
            if size > room && !self.items.is_empty() {
                full = true;
                continue;
            }
            room = room.saturating_sub(size);
            self.items.push(item);
        }
    }
}

impl<'a> Item<'a> {
    fn of(entry: &'a RiverEntry, id: String, feed_language: Option<&str>) -> Self {
        let article = &entry.article.article;
        let origin = Origin::of(entry);
        let mut authors = names(&article.authors);
        if authors.is_empty() && origin.authors.is_empty() {
            authors.push(origin.title.clone());
        }
        let title = title(entry, &id);
        let content = match &entry.article.pruned {
            Some(_) => fit(gone(article.link.as_ref())),
            None => content(&article.body, article.link.as_ref(), &entry.copies),
        };
        let summary = article
            .summary
            .as_ref()
            .map(|summary| line(&html::summary(summary, MAX_TITLE), MAX_TITLE))
            .filter(|summary| !summary.is_empty())
            .or_else(|| content.is_empty().then(|| title.clone()));
        Self {
            entry,
            title,
            language: language(&entry.language).filter(|tag| Some(*tag) != feed_language),
            authors,
            categories: categories(&article.categories),
            tags: categories(&entry.marks.tags),
            summary,
            content,
            origin,
            id,
        }
    }

    /// Who wrote it, to those who cannot look at the source: never empty.
    pub fn writers(&self) -> &[String] {
        if self.authors.is_empty() {
            &self.origin.authors
        } else {
            &self.authors
        }
    }

    /// Its media, each with its type where that has the form of one.
    pub fn enclosures(&self) -> impl Iterator<Item = (&'a Enclosure, Option<&'a str>)> + use<'a> {
        let enclosures = self.entry.article.article.enclosures.iter();
        enclosures.take(MAX_LIST).map(|enclosure| {
            let kind = enclosure.media_type.as_deref();
            (enclosure, kind.filter(|kind| is_media_type(kind)))
        })
    }

    /// The address of its lead picture: ours, where there is a copy.
    pub fn picture(&self) -> Option<&'a str> {
        let url = self.entry.article.article.thumbnail.as_ref()?;
        images::copy_of(&self.entry.copies, url).or(Some(url.as_str()))
    }

    /// Its pictures that are shown from copies: the publisher's addresses, and ours.
    pub fn copies(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let copies = self.entry.copies.iter().take(MAX_LIST);
        copies.map(|(theirs, ours)| (theirs.as_str(), ours.as_str()))
    }

    /// Whether the operator's rules mark it.
    pub fn is_highlighted(&self) -> bool {
        self.entry.marks.highlight
    }

    /// Who else carries it.
    pub fn carriers(&self) -> impl Iterator<Item = &'a Carrier> + use<'a> {
        self.entry.carriers.iter().take(MAX_LIST)
    }

    /// The publisher's own id, where that could not be published as it is.
    pub fn original_id(&self) -> Option<&'a str> {
        let original = self.entry.article.article.id.as_ref();
        original
            .map(EntryId::as_str)
            .filter(|original| *original != self.id)
    }
}

impl<'a> Origin<'a> {
    fn of(entry: &'a RiverEntry) -> Self {
        let source = &entry.source;
        let feed = &entry.article.feed;
        let title = line(source.title.as_deref().unwrap_or_default(), MAX_TITLE);
        Self {
            id: source
                .id
                .as_deref()
                .map_or_else(|| format!("urn:feedmill:feed:{feed}"), iri),
            title: if title.is_empty() {
                feed.to_string()
            } else {
                title
            },
            updated: source.updated.unwrap_or(entry.article.revised),
            authors: names(&source.authors),
            self_link: source.self_link.as_ref(),
            home: source.home.as_ref(),
            rights: source
                .rights
                .as_ref()
                .map(|rights| line(rights, MAX_TITLE))
                .filter(|rights| !rights.is_empty()),
            icon: source.icon.as_ref(),
        }
    }
}

/// An entry without a title is called by its first words: readers show nothing else in their lists.
fn title(entry: &RiverEntry, id: &str) -> String {
    let article = &entry.article.article;
    let given = line(&article.title, MAX_TITLE);
    let first_words = || line(&html::summary(&article.body, 80), 80);
    let link = || article.link.as_ref().map(|link| link.as_str().to_owned());
    Some(given)
        .into_iter()
        .chain(std::iter::once_with(first_words))
        .find(|title| !title.is_empty())
        .or_else(link)
        .unwrap_or_else(|| id.to_owned())
}

fn names(given: &[String]) -> Vec<String> {
    given
        .iter()
        .map(|name| line(name, MAX_TITLE))
        .filter(|name| !name.is_empty())
        .take(MAX_LIST)
        .collect()
}

fn categories(given: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    given
        .iter()
        .map(|term| line(term, MAX_TITLE))
        .take(MAX_LIST)
        .filter(|term| !term.is_empty() && seen.insert(term.clone()))
        .collect()
}

fn content(body: &Content, base: Option<&PageUrl>, copies: &Copies) -> String {
    let whole = images::with_copies(html::display(body, base), copies);
    if whole.len() > MAX_CONTENT {
        fit(cut_copy(body, base))
    } else {
        fit(whole)
    }
}

/// In the place of words that are not kept any more.
fn gone(link: Option<&PageUrl>) -> String {
    let behind = link.map_or_else(String::new, |link| {
        let address = html::escape_text(link.as_str());
        format!(" They were at <a href=\"{address}\">{address}</a>.")
    });
    format!("<p>The words of this entry are not kept here any more.{behind}</p>")
}

/// The first paragraphs as plain text, and a link to the rest: cutting between paragraphs needs no tree and leaves
/// nothing open.
fn cut_copy(body: &Content, base: Option<&PageUrl>) -> String {
    let behind = base.map_or_else(
        || "<p>…</p>".to_owned(),
        |link| {
            let address = html::escape_text(link.as_str());
            format!("<p>Continues at <a href=\"{address}\">{address}</a></p>")
        },
    );
    let room = MAX_CONTENT.saturating_sub(behind.len());
    let mut copy = String::new();
    for paragraph in html::words(body).lines() {
        let written = html::paragraphs(paragraph);
        if copy.len() + written.len() <= room {
            copy.push_str(&written);
            continue;
        }
        if copy.is_empty() {
            // One paragraph longer than all there is room for; a character takes at most six bytes when escaped.
            copy = html::paragraphs(html::cut(paragraph, room.saturating_sub(7) / 6));
        }
        break;
    }
    copy + &behind
}

/// Half the usual time between two arrivals, from five minutes to an hour (F-35). Arrivals are dated by the store, so the
/// same river says the same at any time of day.
fn max_age(mut arrivals: Vec<Timestamp>) -> Duration {
    const LEAST: Duration = Duration::from_mins(5);
    const MOST: Duration = Duration::from_hours(1);
    /// Arrivals that are looked at, newest first; what one poll brought arrived at once.
    const ARRIVALS: usize = 24;
    arrivals.sort_unstable();
    arrivals.dedup();
    let newest = arrivals.split_off(arrivals.len().saturating_sub(ARRIVALS));
    let mut gaps: Vec<Duration> = newest
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.since(*pair.first()?)))
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2)
        .map_or(LEAST, |usual| (*usual / 2).clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_river_is_asked_sooner_than_a_quiet_one() {
        let check = |minutes: &[i64], expected: u64| {
            let arrivals = minutes
                .iter()
                .map(|minute| Timestamp::from_secs(minute * 60));
            let shown = max_age(arrivals.collect());
            assert_eq!(shown, Duration::from_secs(expected), "{minutes:?}");
        };
        check(&[], 300);
        check(&[5], 300);
        check(&[0, 1, 2, 3], 300);
        check(&[0, 0, 0, 40, 40, 80], 1200);
        check(&[0, 600, 1200], 3600);
        // The newest count, in whatever order they stand.
        let mut turned_busy: Vec<i64> = (0..30).map(|n| n * 1000).collect();
        turned_busy.extend((0..30).map(|n| 100_000 + n));
        turned_busy.reverse();
        check(&turned_busy, 300);
    }
}
