//! RSS 0.9x, 1.0, 1.1, 2.0, CDF, and Atom 0.3, 1.0: a document to a listing.

use super::constructs::{date, person, plain};
use super::cursor::{Cursor, Fault, Step, Tag};
use super::entry;
use super::hints::Said;
use super::names::Ns;
use super::text::{add_name, address, line};
use super::tombstone;
use crate::model::entry::{Lead, Listing, ReadError, Skipped};
use crate::model::feed::FeedInfo;
use crate::model::time::Zone;
use crate::model::urls::PageUrl;
use crate::rules::dates;
use crate::rules::limits::{ENTRIES, EXPANSION};

/// Broken entries after which the rest of a document is given up.
const FAULTS: usize = 100;

/// Reads an XML document that [`limits`](crate::rules::limits) has let through.
pub(super) fn read(text: &str, page: &PageUrl, zone: &Zone) -> Result<Listing, ReadError> {
    let mut reader = Reader {
        cursor: Cursor::new(text, page),
        zone,
        listing: Listing::default(),
        said: Said::default(),
        entry_name: None,
        root: None,
    };
    match reader.document() {
        Ok(()) => reader.finish(),
        Err(error) => Err(error),
    }
}

/// Which words a document is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Rss,
    Atom,
    /// An Atom entry that is a document of its own (RFC 4287 §2).
    Entry,
}

struct Reader<'t, 'z> {
    cursor: Cursor<'t>,
    zone: &'z Zone,
    listing: Listing,
    said: Said,
    /// What entries are called here, with prefix: where to look for the next after a broken one.
    entry_name: Option<&'t str>,
    root: Option<Root>,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<(), ReadError> {
        let mut faults = 0;
        loop {
            let from = self.cursor.at();
            let fault = match self.run() {
                Ok(()) => return Ok(()),
                Err(Stop::Other(error)) => return Err(error),
                Err(Stop::Fault(fault)) => fault,
            };
            let why = format!("line {}: {}", self.cursor.line(fault.at), fault.why);
            if fault.limit {
                return Err(ReadError::Limit {
                    what: "entity expansion",
                    limit: EXPANSION,
                });
            }
            faults += 1;
            // The next entry after the one that broke, and not one that was read already.
            let next = self
                .next_entry(from.max(self.cursor.entry_start() + 1))
                .filter(|_| faults < FAULTS);
            self.listing.skipped.push(Skipped {
                what: format!(
                    "entry {}",
                    self.listing.leads.len() + self.listing.skipped.len() + 1
                ),
                why: why.clone(),
            });
            let Some(next) = next else {
                // Whatever came whole before the break is kept (P-103); a document of which nothing did is an error.
                if self.listing.leads.is_empty() {
                    return Err(ReadError::Broken { format: "XML", why });
                }
                self.listing.notes.push(format!("broken XML, {why}"));
                return Ok(());
            };
            let depth = self.cursor.entry_depth();
            self.cursor.resume(next, depth);
        }
    }

    fn next_entry(&self, from: usize) -> Option<usize> {
        match (self.entry_name, self.root) {
            (Some(name), _) => self.cursor.find(name, from),
            (None, Some(Root::Rss)) => self.cursor.find("item", from),
            (None, Some(Root::Atom)) => self.cursor.find("entry", from),
            _ => None,
        }
    }

    /// Reads on from where the cursor is.
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            match self.cursor.next()? {
                Step::Start(tag) => match self.root {
                    None => self.start(&tag)?,
                    Some(_) => self.feed_child(&tag)?,
                },
                Step::End | Step::Text(_) => {}
                Step::Eof if self.root.is_none() => return Err(Stop::Other(nothing())),
                Step::Eof if self.cursor.depth() > 0 => return Err(self.cursor.cut().into()),
                Step::Eof => return Ok(()),
            }
        }
    }

    fn start(&mut self, tag: &Tag<'t>) -> Result<(), Stop> {
        let lower = tag.local.to_ascii_lowercase();
        let (root, ns) = match lower.as_str() {
            "rss" | "channel" | "rdf" => (Root::Rss, Ns::Rss),
            "feed" => (Root::Atom, Ns::Atom),
            "entry" => (Root::Entry, Ns::Atom),
            _ => {
                return Err(Stop::Other(ReadError::Other {
                    expected: "a feed",
                    found: format!("an XML document whose root is <{:.60}>", tag.name),
                }));
            }
        };
        self.root = Some(root);
        self.cursor.set_main(ns, tag);
        self.listing.info.language = self.cursor.lang(0).map(str::to_owned);
        if lower == "channel" {
            self.definition(tag);
        }
        if root == Root::Entry {
            self.entry(tag)?;
        }
        Ok(())
    }

    /// What the root of the Channel Definition Format (CDF, W3C note of 1997) says in attributes.
    fn definition(&mut self, tag: &Tag<'t>) {
        if let Some(base) = tag.attr_of_any_case("BASE") {
            self.cursor.set_base(&base);
        }
        let link = tag.attr_of_any_case("HREF");
        self.listing.info.home = link.and_then(|link| address(self.cursor.base(), &link));
        let changed = tag.attr_of_any_case("LASTMOD");
        self.listing.info.updated = changed.and_then(|date| dates::parse(&date, self.zone, None));
    }

    fn entry(&mut self, tag: &Tag<'t>) -> Result<(), Fault> {
        self.entry_name = Some(tag.name);
        self.cursor.mark_entry();
        if self.listing.leads.len() >= ENTRIES {
            if self.listing.leads.len() == ENTRIES
                && !self.listing.notes.iter().any(|n| n.contains("entries"))
            {
                let note = format!("more than {ENTRIES} entries: those after them are left out");
                self.listing.skipped.push(Skipped {
                    what: "the later entries".to_owned(),
                    why: note.clone(),
                });
                self.listing.notes.push(note);
            }
            let depth = self.cursor.depth();
            return self.cursor.skip(depth);
        }
        let draft = entry::read(&mut self.cursor, tag, self.zone)?;
        self.listing.leads.push(Lead::Whole(Box::new(draft)));
        Ok(())
    }

    fn feed_child(&mut self, tag: &Tag<'t>) -> Result<(), Stop> {
        match (tag.ns, tag.local) {
            // RSS 1.1 has its entries in `items`.
            (Ns::Rss, "channel" | "items") => {}
            // `item` of Atom is what becomes of an RSS feed whose root alone was rewritten.
            (Ns::Rss | Ns::Atom, "item") | (Ns::Atom, "entry") => self.entry(tag)?,
            (Ns::Tombstones, "deleted-entry") => {
                let withdrawn = &mut self.listing.withdrawn;
                tombstone::read(&mut self.cursor, tag, self.zone, withdrawn)?;
            }
            _ if self.said.child(&mut self.cursor, tag)? => {}
            _ => info_child(&mut self.cursor, tag, &mut self.listing.info, self.zone)?,
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Listing, ReadError> {
        let Listing {
            info,
            leads,
            skipped,
            withdrawn,
            ..
        } = &self.listing;
        // A feed without entries says what it is; what says nothing is no feed that nothing is new in.
        if leads.is_empty() && skipped.is_empty() && withdrawn.is_empty() {
            let silent = FeedInfo {
                language: info.language.clone(),
                ..FeedInfo::default()
            };
            if *info == silent {
                return Err(ReadError::Other {
                    expected: "a feed",
                    found: "an XML document that says nothing of itself and has no entry"
                        .to_owned(),
                });
            }
        }
        let mended = &self.cursor.mended;
        for (count, what) in [
            (mended.tags, "tags without their pair"),
            (mended.ampersands, "bare & or unknown names"),
            (mended.html_entities, "names of characters only HTML knows"),
            (mended.forbidden, "references to characters XML forbids"),
            (mended.brackets, "< that begin no tag"),
            (mended.bases, "xml:base that are no addresses"),
            (mended.prefixes, "prefixes without a namespace"),
            (mended.texts, "texts in the bytes of another charset"),
        ] {
            if count > 0 {
                self.listing.notes.push(format!("mended: {count} {what}"));
            }
        }
        self.listing.hints = self.said.hints(self.zone);
        Ok(self.listing)
    }
}

/// One element of what a feed says about itself; also of `atom:source`. Consumes the element.
pub(super) fn info_child<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    info: &mut FeedInfo,
    zone: &Zone,
) -> Result<(), Fault> {
    let depth = cursor.depth();
    match (tag.ns, tag.local) {
        (Ns::Atom, "id") => info.id = line(&cursor.inner()?.text),
        (Ns::Rss | Ns::Atom | Ns::Dc, "title") => {
            let title = plain(cursor, tag)?;
            info.title = info.title.take().or(title);
        }
        (Ns::Rss, "link") => {
            let base = cursor.base().clone();
            let link = address(&base, &cursor.inner()?.text);
            let other = tag.attr("rel").is_some_and(|rel| rel != "alternate");
            let href = tag.attr("href").filter(|_| !other);
            let link = link.or_else(|| address(&base, &href?));
            info.home = info.home.take().or(link);
        }
        (Ns::Atom, "link") => {
            let rel = tag.attr("rel").unwrap_or_else(|| "alternate".to_owned());
            let link = tag
                .attr("href")
                .and_then(|href| address(cursor.base(), &href));
            let place = match rel.trim() {
                "alternate" | "" => Some(&mut info.home),
                "self" => Some(&mut info.self_link),
                _ => None,
            };
            if let Some(place) = place {
                *place = place.take().or(link);
            }
            cursor.skip(depth)?;
        }
        (Ns::Atom, "author") => {
            let name = person(cursor)?;
            add_name(&mut info.authors, &name);
        }
        (Ns::Rss, "managingEditor") | (Ns::Dc, "creator") | (Ns::Itunes, "author") => {
            let name = cursor.inner()?.text;
            add_name(&mut info.authors, &name);
        }
        (Ns::Rss, "copyright") | (Ns::Dc, "rights") | (Ns::Atom, "rights" | "copyright") => {
            info.rights = plain(cursor, tag)?;
        }
        (Ns::Rss | Ns::Dc, "language") => {
            info.language = line(&cursor.inner()?.text).or(info.language.take());
        }
        (Ns::Rss, "lastBuildDate") | (Ns::Atom, "updated" | "modified") => {
            info.updated = date(cursor, zone)?.or(info.updated);
        }
        (Ns::Rss, "pubDate") | (Ns::Dc, "date") => {
            let date = date(cursor, zone)?;
            info.updated = info.updated.or(date);
        }
        (Ns::Atom, "icon" | "logo") => {
            let base = cursor.base().clone();
            let icon = address(&base, &cursor.inner()?.text);
            info.icon = info.icon.take().or(icon);
        }
        (Ns::Itunes, "image") => {
            let icon = tag
                .attr("href")
                .and_then(|href| address(cursor.base(), &href));
            info.icon = info.icon.take().or(icon);
            cursor.skip(depth)?;
        }
        (Ns::Rss, "image") => {
            let base = cursor.base().clone();
            while cursor.depth() >= depth {
                match cursor.next()? {
                    Step::Start(child) if child.is(Ns::Rss, "url") => {
                        let icon = address(&base, &cursor.inner()?.text);
                        info.icon = info.icon.take().or(icon);
                    }
                    Step::Eof => return Err(cursor.cut()),
                    _ => {}
                }
            }
        }
        _ => cursor.skip(depth)?,
    }
    Ok(())
}

/// Why reading stopped.
enum Stop {
    Fault(Fault),
    Other(ReadError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn nothing() -> ReadError {
    ReadError::Other {
        expected: "a feed",
        found: "a document without elements".to_owned(),
    }
}
