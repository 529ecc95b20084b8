//! Entries by what feeds.toml says of a list: what was found of each becomes a listing, and what was missed is counted
//! and named with the selector that missed it.

use std::collections::HashMap;

use super::{MAX_ITEMS, json, label, title};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::{OptionKind, OptionSpec, Subscription};
use crate::model::http::Ask;
use crate::model::ids::EntryId;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::rules::dates;

/// Entries of which the raw words are shown.
const SHOWN: usize = 3;
/// Characters of a word that is shown.
const SHOWN_CHARS: usize = 60;

/// What was found of one entry, as written.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    pub id: Option<String>,
    pub link: Option<String>,
    pub title: Option<String>,
    pub date: Option<Date>,
    pub summary: Option<Content>,
    pub body: Option<Content>,
    pub authors: Vec<String>,
    pub image: Option<String>,
}

/// A date as written.
#[derive(Clone, Debug)]
pub enum Date {
    Words(String),
    /// Seconds or milliseconds since 1970.
    Number(i64),
}

impl Date {
    /// In the form `date_format` says, else in any; `None` where it is none.
    pub fn read(
        &self,
        format: Option<&str>,
        zone: &Zone,
        fetched: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match (self, format) {
            (Self::Number(number), _) => dates::epoch(*number),
            (Self::Words(text), Some(format)) => dates::parse_as(text, format, zone, fetched),
            (Self::Words(text), None) => dates::parse(text, zone, fetched),
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Words(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Where entries came from.
pub struct List<'a> {
    pub subscription: &'a Subscription,
    /// What addresses are relative to.
    pub base: &'a PageUrl,
    /// The page itself.
    pub here: &'a PageUrl,
    /// What it is called in messages.
    pub name: &'static str,
    /// When it was fetched.
    pub fetched: Option<Timestamp>,
    /// What a field is read by where the subscription does not say.
    pub defaults: &'static [(&'static str, &'static str)],
}

impl List<'_> {
    /// How a field is written in feeds.toml; `None` where it is not looked for.
    fn written(&self, field: &str) -> Option<&str> {
        let given = self.subscription.options.get(field);
        given.or_else(|| {
            let default = self.defaults.iter().find(|(name, _)| *name == field)?;
            Some(default.1)
        })
    }

    /// A field and how it is written, for messages.
    fn named(&self, field: &str) -> String {
        format!("{field} `{}`", self.written(field).unwrap_or_default())
    }

    /// The entries of a page that has some. Where none has a link or an id, or none the title that was asked for, the
    /// page has another shape than the one the selectors were written for.
    pub fn read(&self, raws: Vec<Raw>) -> Result<Listing, ReadError> {
        if raws.len() > MAX_ITEMS {
            return Err(ReadError::Limit {
                what: "entries",
                limit: MAX_ITEMS,
            });
        }
        let mut listing = Listing {
            notes: self.misses(&raws)?,
            ..Listing::default()
        };
        let body_page = self.subscription.options.get("page_body").is_some();
        let mut places: HashMap<PageUrl, usize> = HashMap::new();
        let mut twice = 0;
        for (place, raw) in raws.into_iter().enumerate() {
            let what = label(
                &[raw.title.as_deref(), raw.link.as_deref(), raw.id.as_deref()],
                place,
            );
            let draft = match self.draft(raw) {
                Ok(draft) => draft,
                Err(why) => {
                    listing.skipped.push(Skipped { what, why });
                    continue;
                }
            };
            // A picture and a headline are two links to one story: the one with words is kept.
            if let Some(link) = draft.link.as_ref().filter(|_| draft.id.is_none()) {
                if let Some(kept) = places.get(link) {
                    twice += 1;
                    if let Some(lead) = listing.leads.get_mut(*kept)
                        && inside(lead).title.is_none()
                    {
                        *lead = lead_of(draft, body_page);
                    }
                    continue;
                }
                places.insert(link.clone(), listing.leads.len());
            }
            listing.leads.push(lead_of(draft, body_page));
        }
        if twice > 0 {
            let note = format!("links that lead where another one does: {twice}");
            listing.notes.push(note);
        }
        if listing.leads.is_empty() && !listing.skipped.is_empty() {
            return Err(json::missing(
                &format!("usable {}", self.named("item_link")),
                self.name,
            ));
        }
        Ok(listing)
    }

    fn draft(&self, raw: Raw) -> Result<Draft, String> {
        let link = match &raw.link {
            Some(text) => match self.base.join(text) {
                Ok(url) if self.is_list(&url) => Err(format!(
                    "{} leads back to the list",
                    self.named("item_link")
                )),
                Ok(url) => Ok(Some(url)),
                Err(why) => Err(format!("{}: {why}", self.named("item_link"))),
            },
            None if raw.id.is_some() => Ok(None),
            None => Err(format!("no {}", self.named("item_link"))),
        };
        let options = &self.subscription.options;
        let format = options.get("date_format");
        Ok(Draft {
            link: link?,
            id: raw.id.as_deref().and_then(EntryId::new),
            title: raw.title.as_deref().and_then(title),
            published: raw
                .date
                .and_then(|date| date.read(format, &self.subscription.zone, self.fetched)),
            authors: raw.authors,
            summary: raw.summary,
            body: raw.body,
            thumbnail: raw.image.and_then(|image| self.base.join(&image).ok()),
            ..Draft::default()
        })
    }

    /// Whether an address is the list's own, and no place in a list that has the words.
    fn is_list(&self, url: &PageUrl) -> bool {
        let place = url
            .as_url()
            .fragment()
            .is_some_and(|place| !place.is_empty());
        let has_words = self.subscription.options.get("item_body").is_some();
        url.without_fragment() == self.here.without_fragment() && !(place && has_words)
    }

    /// What the fields missed, each on a line.
    fn misses(&self, raws: &[Raw]) -> Result<Vec<String>, ReadError> {
        let count = |has: &dyn Fn(&Raw) -> bool| raws.iter().filter(|raw| has(raw)).count();
        let fields: [(&str, usize); 8] = [
            ("item_id", count(&|raw| raw.id.is_some())),
            ("item_link", count(&|raw| raw.link.is_some())),
            ("item_title", count(&|raw| raw.title.is_some())),
            ("item_date", count(&|raw| raw.date.is_some())),
            ("item_summary", count(&|raw| raw.summary.is_some())),
            ("item_body", count(&|raw| raw.body.is_some())),
            ("item_author", count(&|raw| !raw.authors.is_empty())),
            ("item_image", count(&|raw| raw.image.is_some())),
        ];
        let mut notes = Vec::new();
        if raws.is_empty() {
            return Ok(notes);
        }
        let by_id = raws.iter().any(|raw| raw.id.is_some());
        for (field, found) in fields {
            let Some(written) = self.written(field) else {
                continue;
            };
            let asked_for = self.subscription.options.get(field).is_some();
            let needed = match field {
                "item_link" => !by_id,
                "item_title" | "item_body" => asked_for,
                _ => false,
            };
            if found == 0 && needed {
                return Err(json::missing(&self.named(field), self.name));
            }
            if found < raws.len() {
                notes.push(format!(
                    "{field} `{written}`: found in {found} of {} entries",
                    raws.len()
                ));
            }
        }
        notes.extend(self.unread_dates(raws));
        Ok(notes)
    }

    fn unread_dates(&self, raws: &[Raw]) -> Option<String> {
        let format = self.subscription.options.get("date_format");
        let zone = &self.subscription.zone;
        let mut unread = raws
            .iter()
            .filter_map(|raw| raw.date.as_ref())
            .filter(|date| date.read(format, zone, self.fetched).is_none());
        let first = unread.next()?;
        let format = format.map_or_else(String::new, |format| format!(" as `{format}`"));
        Some(format!(
            "{}: {} cannot be read{format}, the first is `{}`",
            self.named("item_date"),
            unread.count() + 1,
            shown(&first.written())
        ))
    }

    /// The raw words of the first entries, for people who write selectors.
    pub fn explain(&self, raws: &[Raw]) -> Vec<String> {
        let mut lines = vec![format!(
            "items `{}`: {} found",
            self.subscription.options.get("items").unwrap_or_default(),
            raws.len()
        )];
        let format = self.subscription.options.get("date_format");
        let zone = &self.subscription.zone;
        for (place, raw) in raws.iter().take(SHOWN).enumerate() {
            let date = raw.date.as_ref().map(|date| {
                let read = date.read(format, zone, self.fetched).map_or_else(
                    || "cannot be read".to_owned(),
                    |time| format!("{time} ({})", zone.name()),
                );
                (date.written(), Some(read))
            });
            let plain = |text: &Option<String>| text.clone().map(|text| (text, None));
            let content = |content: &Option<Content>| {
                let content = content.as_ref()?;
                let length = format!("{} characters", content.text.chars().count());
                Some((content.text.clone(), Some(length)))
            };
            let fields = [
                ("item_id", plain(&raw.id)),
                ("item_link", plain(&raw.link)),
                ("item_title", plain(&raw.title)),
                ("item_date", date),
                ("item_summary", content(&raw.summary)),
                ("item_body", content(&raw.body)),
                (
                    "item_author",
                    Some((raw.authors.join(", "), None)).filter(|(names, _)| !names.is_empty()),
                ),
                ("item_image", plain(&raw.image)),
            ];
            for (field, found) in fields {
                let Some(written) = self.written(field) else {
                    continue;
                };
                let found = match found {
                    Some((text, None)) => format!("`{}`", shown(&text)),
                    Some((text, Some(read))) => format!("`{}`, {read}", shown(&text)),
                    None => "nothing".to_owned(),
                };
                lines.push(format!("entry {}, {field} `{written}`: {found}", place + 1));
            }
        }
        lines
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = text.trim().chars().take(SHOWN_CHARS).collect();
    if text.trim().chars().count() > SHOWN_CHARS {
        shown.push('…');
    }
    shown
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn inside(lead: &Lead) -> &Draft {
    match lead {
        Lead::Whole(draft) => draft,
        Lead::Teaser(teaser) => &teaser.draft,
    }
}

fn lead_of(draft: Draft, body_page: bool) -> Lead {
    match draft.link.clone().filter(|_| body_page) {
        Some(link) => Lead::Teaser(Box::new(Teaser {
            draft,
            details: vec![Ask::get(link)],
        })),
        None => Lead::Whole(Box::new(draft)),
    }
}

/// An option that need not be given.
pub const fn option(name: &'static str, kind: OptionKind, about: &'static str) -> OptionSpec {
    OptionSpec {
        name,
        kind,
        required: false,
        default: None,
        about,
    }
}

/// How dates are written in a list and on its pages.
pub const DATE_FORMAT: OptionSpec = option(
    "date_format",
    OptionKind::Written(check_date_format),
    "the form of dates (`%Y年%m月%d日 %H:%M`); where absent the usual forms are tried",
);

/// How far a list is followed.
pub const PAGES: OptionSpec = OptionSpec {
    default: Some("3"),
    ..option(
        "pages",
        OptionKind::Number(1, 20),
        "pages of the list that are asked at most",
    )
};

/// Whether `date_format` names a date.
fn check_date_format(format: &str) -> Result<(), String> {
    dates::check_format(format)
}

/// What options of a list cannot be together.
pub fn check(subscription: &Subscription) -> Result<(), String> {
    let has = |name| subscription.options.get(name).is_some();
    if has("item_body") && has("page_body") {
        return Err("item_body and page_body: the words are in the list or on the entry's page; leave one of them out".to_owned());
    }
    for name in ["page_title", "page_date", "page_author", "page_drop"] {
        if has(name) && !has("page_body") {
            return Err(format!(
                "{name} needs page_body: without it the entries' pages are not asked"
            ));
        }
    }
    if has("date_format") && !has("item_date") && !has("page_date") {
        return Err("date_format needs item_date or page_date".to_owned());
    }
    Ok(())
}
