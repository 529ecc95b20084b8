//! One walk over an XML document: elements with their namespaces, text with its entities resolved, `xml:base` and
//! `xml:lang` inherited. Forgives what feeds get wrong, and counts it. Nothing here recurses, so depth costs no stack.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::{memchr, memmem, memrchr};
use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};

use super::missing;
use super::names::{Ns, rss_name};
use super::references::{declared, decoded, expand, named, numbered};
use super::scope::Scope;
use crate::model::urls::PageUrl;
use crate::rules::limits::EXPANSION;
use crate::rules::repair::misread;

/// Bytes of a document that are read again, where a `<` turns out to be none of a tag.
const READ_AGAIN: usize = 1 << 20;

/// A start tag.
pub(super) struct Tag<'t> {
    pub ns: Ns,
    /// Name without prefix.
    pub local: &'t str,
    /// Name with prefix.
    pub name: &'t str,
    event: BytesStart<'t>,
}

impl Tag<'_> {
    /// The value of an attribute by its name as written.
    pub fn attr(&self, name: &str) -> Option<String> {
        let mut attributes = self.event.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|a| a.key.as_ref() == name)?;
        Some(decoded(&found.value).into_owned())
    }

    /// The same in any case: CDF writes `HREF`, its imitators `href` and `Href`.
    pub fn attr_of_any_case(&self, name: &str) -> Option<String> {
        let mut attributes = self.event.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|a| a.key.as_ref().eq_ignore_ascii_case(name))?;
        Some(decoded(&found.value).into_owned())
    }

    /// Whether this is that element.
    pub fn is(&self, ns: Ns, local: &str) -> bool {
        self.ns == ns && self.local == local
    }
}

/// What comes next.
pub(super) enum Step<'t> {
    Start(Tag<'t>),
    End,
    Text(Cow<'t, str>),
    Eof,
}

/// Where and why the document can not be read further.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub at: usize,
    pub why: String,
    /// Not the document's form, but a limit; nothing more is read.
    pub limit: bool,
}

/// What was forgiven.
#[derive(Default)]
pub(super) struct Mended {
    /// End tags without start, or elements never closed.
    pub tags: usize,
    /// `&` alone, or the name of nothing.
    pub ampersands: usize,
    /// `&nbsp;` and its like, which only HTML knows.
    pub html_entities: usize,
    /// References to characters XML forbids.
    pub forbidden: usize,
    /// `<` that begins no tag.
    pub brackets: usize,
    /// `xml:base` that is no address.
    pub bases: usize,
    /// Prefixes without a declaration.
    pub prefixes: usize,
    /// Texts that were read in the wrong charset before they were written here.
    pub texts: usize,
}

/// The text inside an element.
pub(super) struct Inner {
    pub text: String,
    /// The element held elements: `text` is their markup as written.
    pub markup: bool,
}

pub(super) struct Cursor<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    /// Where in the text the reader began.
    origin: usize,
    open: Vec<&'t str>,
    scope: Scope<'t>,
    /// Ends owed before the next event.
    ends: usize,
    entities: HashMap<&'t str, &'t str>,
    expanded: usize,
    /// Where the entry last marked began, and how deep it is.
    entry: (usize, usize),
    /// That entry is open.
    in_entry: bool,
    /// What ended last did so without an end tag.
    implied: bool,
    /// Bytes that were read again.
    again: usize,
    pub mended: Mended,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str, page: &PageUrl) -> Self {
        Self {
            text,
            reader: reader(text),
            origin: 0,
            open: Vec::new(),
            scope: Scope::new(page),
            ends: 0,
            entities: HashMap::new(),
            expanded: 0,
            entry: (0, 0),
            in_entry: false,
            implied: false,
            again: 0,
            mended: Mended::default(),
        }
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The element just started is an entry: where to take up reading if it is broken.
    pub fn mark_entry(&mut self) {
        self.entry = (self.at(), self.open.len());
        self.in_entry = true;
    }

    /// Behind the start tag of the entry last marked.
    pub fn entry_start(&self) -> usize {
        self.entry.0
    }

    /// How deep entries are.
    pub fn entry_depth(&self) -> usize {
        self.entry.1
    }

    /// Where in the text the last event ended.
    pub fn at(&self) -> usize {
        self.origin + usize::try_from(self.reader.buffer_position()).unwrap_or(0)
    }

    /// What relative addresses are relative to here.
    pub fn base(&self) -> &PageUrl {
        self.scope.base()
    }

    /// What relative addresses are relative to from here on, inside the element just started.
    pub fn set_base(&mut self, base: &str) {
        self.mended.bases += usize::from(!self.scope.set_base(self.open.len(), base));
    }

    /// The language here, unless it was said outside of `depth` elements.
    pub fn lang(&self, depth: usize) -> Option<&str> {
        self.scope.lang(depth)
    }

    /// Names without a namespace, and those of `root`'s own, belong to this vocabulary.
    pub fn set_main(&mut self, main: Ns, root: &Tag<'t>) {
        let prefix = root.name.strip_suffix(root.local);
        let prefix = prefix.map(|prefix| prefix.trim_end_matches(':'));
        self.scope
            .set_main(main, prefix.filter(|_| root.ns == Ns::Other));
    }

    pub fn next(&mut self) -> Result<Step<'t>, Fault> {
        loop {
            if self.ends > 0 {
                self.ends -= 1;
                self.close();
                return Ok(Step::End);
            }
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(_) if self.ends_in_its_last_tag() => {
                    self.ends = self.open.len();
                    self.mended.tags += 1;
                    continue;
                }
                Err(error) => return Err(self.fault(&error)),
            };
            self.implied = false;
            match event {
                Event::Start(event) => {
                    let begin = self.begin(&event, 2);
                    if missing::is_text(event.name().as_ref()) {
                        return Ok(Step::Text(self.bracket(begin)));
                    }
                    if self.ends_before(event.name().as_ref(), begin) {
                        continue;
                    }
                    return Ok(Step::Start(self.start(event, begin)));
                }
                Event::Empty(event) => {
                    let begin = self.begin(&event, 3);
                    if self.ends_before(event.name().as_ref(), begin) {
                        continue;
                    }
                    let tag = self.start(event, begin);
                    self.ends = 1;
                    return Ok(Step::Start(tag));
                }
                Event::End(event) => match self
                    .open
                    .iter()
                    .rposition(|name| *name == event.name().as_ref())
                {
                    Some(found) => {
                        self.ends = self.open.len() - found;
                        self.mended.tags += self.ends - 1;
                    }
                    None => self.mended.tags += 1,
                },
                Event::Text(text) => {
                    if memchr(b'&', text.as_bytes()).is_some() {
                        self.mended.ampersands += 1;
                    }
                    return Ok(Step::Text(normal_lines(text.into_inner())));
                }
                Event::CData(text) => return Ok(Step::Text(normal_lines(text.into_inner()))),
                Event::GeneralRef(name) => {
                    return self.reference(&name.into_inner()).map(Step::Text);
                }
                Event::DocType(text) => {
                    if let Cow::Borrowed(text) = text.into_inner() {
                        self.entities = declared(text);
                    }
                }
                Event::Eof => return Ok(Step::Eof),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Where the `<` of a start tag stands.
    fn begin(&self, event: &BytesStart<'t>, brackets: usize) -> usize {
        self.at().saturating_sub(event.len() + brackets)
    }

    /// Whether a start tag, whose `<` is at `begin`, says that end tags before it are missing. Then these come first, and the
    /// tag after them.
    fn ends_before(&mut self, name: &str, begin: usize) -> bool {
        let entry = self.entry.1.saturating_sub(1);
        self.ends = match self.open.get(entry..).filter(|_| self.in_entry) {
            // The next entry: the one before it is whole.
            Some([entry, within @ ..]) if *entry == name => within.len() + 1,
            // The next field of an entry, inside one that holds no elements.
            Some([_, field]) if missing::is_over(field, name) => 1,
            _ => return false,
        };
        self.implied = true;
        self.mended.tags += self.ends;
        self.go_to(begin);
        true
    }

    /// A `<` that begins no tag, as text. What was taken for its tag is read again, but not for ever: each of many may
    /// reach to the same `>`. Past that all of it is text.
    fn bracket(&mut self, begin: usize) -> Cow<'t, str> {
        self.mended.brackets += 1;
        self.again += self.at() - begin;
        if self.again > READ_AGAIN {
            return Cow::Borrowed(self.text.get(begin..self.at()).unwrap_or_default());
        }
        self.go_to(begin + 1);
        Cow::Borrowed("<")
    }

    /// Goes on at this place of the text.
    fn go_to(&mut self, at: usize) {
        self.origin = at;
        self.reader = reader(self.text.get(at..).unwrap_or_default());
    }

    /// The text breaks off inside the end tag of the feed itself (`</rss`): nothing of it is lost.
    fn ends_in_its_last_tag(&self) -> bool {
        let error = usize::try_from(self.reader.error_position()).unwrap_or(0);
        let rest = self.text.get(self.origin + error..).unwrap_or_default();
        let feed = match self.open.as_slice() {
            // Entries of RDF come after its channel.
            [feed, "channel"] if !feed.ends_with("RDF") => feed,
            [feed] => feed,
            _ => return false,
        };
        rest.strip_prefix("</").is_some_and(|name| {
            let name = name.trim_end();
            !name.is_empty() && (feed.starts_with(name) || "channel".starts_with(name))
        })
    }

    fn fault(&self, error: &Error) -> Fault {
        Fault {
            at: self.at(),
            why: error.to_string(),
            limit: false,
        }
    }

    fn start(&mut self, event: BytesStart<'t>, begin: usize) -> Tag<'t> {
        let begin = begin + 1;
        let name = self
            .text
            .get(begin..begin + event.name().as_ref().len())
            .unwrap_or_default();
        self.open.push(name);
        if memmem::find(event.attributes_raw().as_bytes(), b"xml").is_some() {
            // The event's own text, since it lives as long as the document.
            let own = self.text.get(begin..begin + event.len());
            let own = Attributes::new(own.unwrap_or_default(), name.len());
            self.mended.bases += self.scope.declare(self.open.len(), own);
        }
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let ns = self.scope.ns(prefix).unwrap_or_else(|| {
            self.mended.prefixes += 1;
            Ns::by_custom(prefix)
        });
        Tag {
            ns,
            local: if ns == Ns::Rss {
                rss_name(local)
            } else {
                local
            },
            name,
            event,
        }
    }

    fn close(&mut self) {
        self.open.pop();
        let depth = self.open.len();
        self.in_entry &= depth >= self.entry.1;
        self.scope.close(depth);
    }

    /// Steps over the rest of the element that is `depth` deep.
    pub fn skip(&mut self, depth: usize) -> Result<(), Fault> {
        while self.open.len() >= depth {
            if matches!(self.next()?, Step::Eof) {
                return Err(self.cut());
            }
        }
        Ok(())
    }

    /// The document ended inside an element.
    pub fn cut(&self) -> Fault {
        let open = self.open.last().unwrap_or(&"");
        Fault {
            at: self.text.len(),
            why: format!("the document breaks off inside <{open:.40}>"),
            limit: false,
        }
    }

    /// What stands inside the element just started.
    pub fn inner(&mut self) -> Result<Inner, Fault> {
        let (depth, begin, empty) = (self.open.len(), self.at(), self.ends > 0);
        let mut inner = Inner {
            text: String::new(),
            markup: false,
        };
        while self.open.len() >= depth {
            match self.next()? {
                Step::Text(text) if inner.markup => drop(text),
                Step::Text(Cow::Owned(text)) if inner.text.is_empty() => inner.text = text,
                Step::Text(text) => inner.text.push_str(&text),
                Step::Start(_) => inner.markup = true,
                Step::End => {}
                Step::Eof => return Err(self.cut()),
            }
        }
        if inner.markup && !empty {
            // The end tag that closed it, its own or an ancestor's, begins at the last `<`; where none did, the next field
            // does here.
            let raw = self.text.get(begin..self.at()).unwrap_or_default();
            let end = if self.implied {
                raw.len()
            } else {
                memrchr(b'<', raw.as_bytes()).unwrap_or(0)
            };
            raw.get(..end)
                .unwrap_or_default()
                .clone_into(&mut inner.text);
        }
        if let Some(meant) = misread(&inner.text) {
            inner.text = meant;
            self.mended.texts += 1;
        }
        Ok(inner)
    }

    fn reference(&mut self, name: &str) -> Result<Cow<'t, str>, Fault> {
        if let Some(number) = name.strip_prefix('#') {
            return Ok(if let Some(c) = numbered(number) {
                Cow::Owned(c.to_string())
            } else {
                self.mended.forbidden += 1;
                Cow::Borrowed("")
            });
        }
        match name {
            "lt" => return Ok(Cow::Borrowed("<")),
            "gt" => return Ok(Cow::Borrowed(">")),
            "amp" => return Ok(Cow::Borrowed("&")),
            "quot" => return Ok(Cow::Borrowed("\"")),
            "apos" => return Ok(Cow::Borrowed("'")),
            _ => {}
        }
        if let Some(value) = self.entities.get(name) {
            let mut text = String::new();
            let fits = expand(
                value,
                &self.entities,
                8,
                EXPANSION.saturating_sub(self.expanded),
                &mut text,
            );
            self.expanded += text.len();
            return if fits {
                Ok(Cow::Owned(text))
            } else {
                Err(Fault {
                    at: self.at(),
                    why: "entity expansion".to_owned(),
                    limit: true,
                })
            };
        }
        Ok(if let Some(text) = named(name) {
            self.mended.html_entities += 1;
            Cow::Owned(text)
        } else {
            self.mended.ampersands += 1;
            Cow::Owned(format!("&{name};"))
        })
    }

    /// Goes on at this place of the text, with the elements open then that are less than `depth` deep.
    pub fn resume(&mut self, at: usize, depth: usize) {
        self.ends = 0;
        while depth > 0 && self.open.len() >= depth {
            self.close();
        }
        self.go_to(at);
    }

    pub fn line(&self, at: usize) -> usize {
        let before = self
            .text
            .as_bytes()
            .get(..at)
            .unwrap_or(self.text.as_bytes());
        memchr::memchr_iter(b'\n', before).count() + 1
    }

    /// Where the next start tag of this name stands.
    pub fn find(&self, name: &str, from: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(from..)?;
        memchr::memchr_iter(b'<', rest)
            .map(|at| from + at)
            .find(|at| {
                let tag = self.text.as_bytes().get(at + 1..).unwrap_or_default();
                let after = tag.strip_prefix(name.as_bytes()).and_then(<[u8]>::first);
                after.is_some_and(|b| b" \t\r\n>/".contains(b))
            })
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    // Ends are matched here, so that an element never closed costs itself and not the document.
    config.check_end_names = false;
    reader
}

/// XML 1.0 §2.11.
fn normal_lines(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}
