//! One `item` or `entry` to a draft.

use super::constructs::{construct, date, html, person, plain};
use super::cursor::{Cursor, Fault, Step, Tag};
use super::names::Ns;
use super::text::{add_name, address, line, line_of_html};
use super::xml::info_child;
use crate::model::content::Content;
use crate::model::entry::{Draft, Enclosure};
use crate::model::feed::FeedInfo;
use crate::model::ids::EntryId;
use crate::model::time::Zone;
use crate::model::urls::PageUrl;
use crate::rules::dates;

/// More enclosures or categories than this are a mistake.
const MANY: usize = 100;

/// What an entry says in more than one place, settled when all of it is read.
#[derive(Default)]
struct Extra {
    /// `guid` as an address, where it says it is one, or does not say.
    permalink: Option<PageUrl>,
    /// `rdf:about`, `dc:identifier`.
    about: Option<EntryId>,
    /// The link leads to HTML.
    readable: bool,
    /// The widest picture that is the entry's own (`media:content`), and how wide it says it is.
    picture: Option<(u32, PageUrl)>,
    /// A picture that is not called the thumbnail (`itunes:image`).
    cover: Option<PageUrl>,
    /// Words that only stand where players look for them.
    description: Option<Content>,
    /// `summary` in RSS, beside the `description` or instead of it.
    brief: Option<Content>,
    /// `content src`: the words are elsewhere (RFC 4287 §4.1.3.2).
    elsewhere: Option<Enclosure>,
}

/// Reads the entry just started.
pub(super) fn read<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    zone: &Zone,
) -> Result<Draft, Fault> {
    let depth = cursor.depth();
    let mut draft = Draft {
        language: cursor.lang(depth).map(str::to_owned),
        ..Draft::default()
    };
    let mut extra = Extra {
        about: tag.attr("rdf:about").and_then(|about| EntryId::new(&about)),
        ..Extra::default()
    };
    if tag.ns == Ns::Rss {
        // As CDF says it.
        let link = tag.attr_of_any_case("HREF");
        extra.permalink = link.and_then(|link| address(cursor.base(), &link));
        let changed = tag.attr_of_any_case("LASTMOD");
        draft.updated = changed.and_then(|date| dates::parse(&date, zone, None));
    }
    while cursor.depth() >= depth {
        match cursor.next()? {
            Step::Start(tag) => match tag.ns {
                Ns::Rss => rss(cursor, &tag, zone, &mut draft, &mut extra)?,
                Ns::Atom => atom(cursor, &tag, zone, &mut draft, &mut extra)?,
                _ => extension(cursor, &tag, zone, &mut draft, &mut extra)?,
            },
            Step::End | Step::Text(_) => {}
            Step::Eof => return Err(cursor.cut()),
        }
    }
    draft.id = draft.id.or(extra.about);
    draft.link = draft.link.or(extra.permalink);
    let picture = extra.picture.map(|(_, url)| url);
    draft.thumbnail = picture.or(draft.thumbnail).or(extra.cover);
    match (extra.brief, &draft.summary, &draft.body) {
        // Of two the longer is the words themselves.
        (Some(brief), Some(words), None) if brief.text.len() <= words.text.len() => {
            draft.body = draft.summary.replace(brief);
        }
        (Some(words), Some(_), None) => draft.body = Some(words),
        (Some(brief), None, _) => draft.summary = Some(brief),
        _ => {}
    }
    if draft.summary.is_none() && draft.body.is_none() {
        draft.summary = extra.description;
    }
    if let Some(elsewhere) = extra.elsewhere {
        if draft.link.is_none() {
            draft.link = Some(elsewhere.url);
        } else {
            enclose(&mut draft, elsewhere);
        }
    }
    Ok(draft)
}

fn rss<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    zone: &Zone,
    draft: &mut Draft,
    extra: &mut Extra,
) -> Result<(), Fault> {
    let depth = cursor.depth();
    let base = cursor.base().clone();
    match tag.local {
        "title" => draft.title = plain(cursor, tag)?.or(draft.title.take()),
        "link" => {
            let link = address(&base, &cursor.inner()?.text);
            // As Atom writes it, in RSS all the same.
            let other = tag.attr("rel").is_some_and(|rel| rel != "alternate");
            let href = tag.attr("href").filter(|_| !other);
            let link = link.or_else(|| address(&base, &href?));
            draft.link = draft.link.take().or(link);
        }
        "guid" => {
            let permanent = tag
                .attr("isPermaLink")
                .is_none_or(|is| !is.trim().eq_ignore_ascii_case("false"));
            let guid = cursor.inner()?.text;
            // Without the attribute only what is an address by itself is one: nobody means `42` as a link.
            if permanent && PageUrl::parse(&guid).is_ok() {
                extra.permalink = address(&base, &guid);
            }
            draft.id = EntryId::new(&guid).or(draft.id.take());
        }
        "description" | "abstract" => draft.summary = html(cursor)?.or(draft.summary.take()),
        "a" => {
            let link = tag.attr_of_any_case("HREF");
            let link = link.and_then(|link| address(&base, &link));
            draft.link = draft.link.take().or(link);
            cursor.skip(depth)?;
        }
        // Older names for `content:encoded`.
        "body" | "fullitem" => {
            let words = html(cursor)?;
            draft.body = draft.body.take().or(words);
        }
        "summary" => {
            let words = html(cursor)?;
            extra.brief = extra.brief.take().or(words);
        }
        "pubDate" => {
            draft.published = date(cursor, zone)?.or(draft.published);
        }
        "updated" => {
            draft.updated = date(cursor, zone)?.or(draft.updated);
        }
        "author" => {
            let author = cursor.inner()?;
            let author = if author.markup {
                line_of_html(&author.text).unwrap_or_default()
            } else {
                author.text
            };
            add_name(&mut draft.authors, &author);
        }
        "category" => {
            let category = cursor.inner()?.text;
            categorise(draft, &category);
        }
        "enclosure" => {
            enclosure(tag, &base, ["url", "type", "length"], draft);
            cursor.skip(depth)?;
        }
        "source" => {
            let self_link = tag.attr("url").and_then(|url| address(&base, &url));
            let title = plain(cursor, tag)?;
            if title.is_some() || self_link.is_some() {
                draft.origin = Some(FeedInfo {
                    title,
                    self_link,
                    ..FeedInfo::default()
                });
            }
        }
        _ => cursor.skip(depth)?,
    }
    Ok(())
}

fn atom<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    zone: &Zone,
    draft: &mut Draft,
    extra: &mut Extra,
) -> Result<(), Fault> {
    let depth = cursor.depth();
    match tag.local {
        "id" => draft.id = EntryId::new(&cursor.inner()?.text).or(draft.id.take()),
        "title" => draft.title = plain(cursor, tag)?.or(draft.title.take()),
        "link" => {
            let rel = tag.attr("rel").unwrap_or_default();
            let href = tag
                .attr("href")
                .and_then(|href| address(cursor.base(), &href));
            match (rel.trim(), href) {
                (
                    "" | "alternate" | "http://www.iana.org/assignments/relation/alternate",
                    Some(link),
                ) => {
                    // HTML is what people read; an alternate of another type only stands in for it.
                    let readable = tag.attr("type").is_none_or(|kind| kind.contains("html"));
                    if draft.link.is_none() || (readable && !extra.readable) {
                        draft.link = Some(link);
                        extra.readable = readable;
                    }
                }
                ("enclosure", Some(_)) => {
                    enclosure(tag, cursor.base(), ["href", "type", "length"], draft);
                }
                _ => {}
            }
            cursor.skip(depth)?;
        }
        "updated" | "modified" => {
            draft.updated = date(cursor, zone)?.or(draft.updated);
        }
        "published" | "issued" | "pubDate" => {
            draft.published = date(cursor, zone)?.or(draft.published);
        }
        "created" => {
            let date = date(cursor, zone)?;
            draft.published = draft.published.or(date);
        }
        "author" => {
            let name = person(cursor)?;
            add_name(&mut draft.authors, &name);
        }
        "category" => {
            if let Some(category) = tag
                .attr("label")
                .filter(|l| !l.trim().is_empty())
                .or_else(|| tag.attr("term"))
            {
                categorise(draft, &category);
            }
            cursor.skip(depth)?;
        }
        "summary" => draft.summary = construct(cursor, tag)?.or(draft.summary.take()),
        "content" => {
            if let Some(src) = tag.attr("src") {
                extra.elsewhere = address(cursor.base(), &src).map(|url| Enclosure {
                    url,
                    media_type: tag.attr("type"),
                    length: None,
                });
                cursor.skip(depth)?;
            } else {
                let said = cursor.lang(depth).map(str::to_owned);
                draft.language = draft.language.take().or(said);
                draft.body = construct(cursor, tag)?.or(draft.body.take());
            }
        }
        "source" => {
            let mut origin = FeedInfo::default();
            while cursor.depth() >= depth {
                match cursor.next()? {
                    Step::Start(tag) => info_child(cursor, &tag, &mut origin, zone)?,
                    Step::Eof => return Err(cursor.cut()),
                    Step::End | Step::Text(_) => {}
                }
            }
            draft.origin = Some(origin).filter(|origin| *origin != FeedInfo::default());
        }
        _ => cursor.skip(depth)?,
    }
    Ok(())
}

fn extension<'t>(
    cursor: &mut Cursor<'t>,
    tag: &Tag<'t>,
    zone: &Zone,
    draft: &mut Draft,
    extra: &mut Extra,
) -> Result<(), Fault> {
    let depth = cursor.depth();
    match (tag.ns, tag.local) {
        (Ns::Xhtml, "body") => {
            let words = html(cursor)?;
            draft.body = draft.body.take().or(words);
        }
        (Ns::Content, "encoded") => draft.body = html(cursor)?.or(draft.body.take()),
        (Ns::Dc, "creator") | (Ns::Itunes, "author") => {
            let name = cursor.inner()?.text;
            add_name(&mut draft.authors, &name);
        }
        (Ns::Dc, "date") | (Ns::DcTerms, "issued" | "created" | "date") => {
            let date = date(cursor, zone)?;
            draft.published = draft.published.or(date);
        }
        (Ns::DcTerms, "modified") => {
            let date = date(cursor, zone)?;
            draft.updated = draft.updated.or(date);
        }
        (Ns::Dc, "subject") => {
            let category = cursor.inner()?.text;
            categorise(draft, &category);
        }
        (Ns::Dc, "language") => {
            draft.language = line(&cursor.inner()?.text).or(draft.language.take());
        }
        (Ns::Dc | Ns::Media, "title") => {
            let title = plain(cursor, tag)?;
            draft.title = draft.title.take().or(title);
        }
        (Ns::Dc, "description") | (Ns::Media | Ns::Itunes, "description" | "summary") => {
            let words = html(cursor)?;
            extra.description = extra.description.take().or(words);
        }
        (Ns::Dc, "identifier") => {
            let id = EntryId::new(&cursor.inner()?.text);
            extra.about = extra.about.take().or(id);
        }
        // Their children are looked at as if they stood beside them, however deep they nest.
        (Ns::Media, "group") => {}
        (Ns::Media, "content") => {
            let base = cursor.base().clone();
            enclosure(tag, &base, ["url", "type", "fileSize"], draft);
            let says =
                |name, start: &str| tag.attr(name).is_some_and(|kind| kind.starts_with(start));
            let picture = says("medium", "image") || says("type", "image/");
            let width = tag
                .attr("width")
                .and_then(|width| width.trim().parse().ok());
            let width = width.unwrap_or(0);
            let known = extra.picture.as_ref().map(|(known, _)| *known);
            if picture && known.is_none_or(|known| width > known) {
                let url = tag.attr("url").and_then(|url| address(&base, &url));
                extra.picture = url.map(|url| (width, url)).or(extra.picture.take());
            }
        }
        (Ns::Media, "thumbnail") => {
            let url = tag.attr("url").and_then(|url| address(cursor.base(), &url));
            draft.thumbnail = draft.thumbnail.take().or(url);
            cursor.skip(depth)?;
        }
        (Ns::Itunes, "image") => {
            let url = tag
                .attr("href")
                .and_then(|url| address(cursor.base(), &url));
            extra.cover = extra.cover.take().or(url);
            cursor.skip(depth)?;
        }
        _ => cursor.skip(depth)?,
    }
    Ok(())
}

fn categorise(draft: &mut Draft, category: &str) {
    if let Some(category) = line_of_html(category)
        && draft.categories.len() < MANY
        && !draft.categories.contains(&category)
    {
        draft.categories.push(category);
    }
}

/// An element that says where a file is; `names` are its attributes for address, type and length.
fn enclosure(tag: &Tag<'_>, base: &PageUrl, names: [&str; 3], draft: &mut Draft) {
    let [url, media_type, length] = names.map(|name| tag.attr(name));
    if let Some(url) = url.and_then(|url| address(base, &url)) {
        let media_type = media_type.and_then(|kind| line(&kind));
        let length = length.and_then(|length| length.trim().parse().ok());
        enclose(
            draft,
            Enclosure {
                url,
                media_type,
                length,
            },
        );
    }
}

pub(super) fn enclose(draft: &mut Draft, enclosure: Enclosure) {
    if draft.enclosures.len() < MANY
        && draft
            .enclosures
            .iter()
            .all(|known| known.url != enclosure.url)
    {
        draft.enclosures.push(enclosure);
    }
}
