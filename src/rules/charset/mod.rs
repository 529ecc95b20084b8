//! Bytes, what HTTP said and what the bytes say, to text, with the evidence kept.
//!
//! Labels lie more often than bytes do: caches re-save pages as UTF-8 and leave the old label on them, while text in
//! another charset is practically never valid UTF-8 by accident. So validity is asked before any label.

mod likely;
mod named;
mod tables;

use std::borrow::Cow;
use std::str;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memmem;

use likely::{is_far_likelier, likeness};
use named::Charset;
pub use named::charset as named;

/// How a label inside the bytes looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<?xml … encoding="…"?>`.
    Xml,
    /// `<meta charset=…>`, also inside `http-equiv`.
    Html,
    /// None.
    Json,
}

/// Why the charset is believed to be what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The subscription says so.
    Order,
    /// A byte order mark.
    Bom,
    /// The bytes are valid UTF-8.
    Utf8Valid,
    /// The `charset` parameter of `Content-Type`.
    Http,
    /// The label inside the document.
    Declaration,
    /// The look of the bytes.
    Bytes,
    /// Nothing spoke for any charset.
    Fallback,
}

impl Evidence {
    /// In words that follow "by".
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "the subscription's order",
            Self::Bom => "byte order mark",
            Self::Utf8Valid => "validity",
            Self::Http => "HTTP header",
            Self::Declaration => "declaration",
            Self::Bytes => "the look of the bytes",
            Self::Fallback => "default",
        }
    }
}

/// Bytes as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without a byte order mark; borrowed where the bytes were UTF-8.
    pub text: Cow<'a, str>,
    /// The charset's name, WHATWG's where it has one.
    pub charset: &'static str,
    /// Why this one.
    pub evidence: Evidence,
    /// How many places could not be read and became U+FFFD.
    pub replaced: usize,
}

/// How far into the bytes a label may stand (HTML standard, "prescan").
const LABEL_WITHIN: usize = 1024;
/// The detector is slow (about 21 MB/s), so it sees no more than this.
const DETECT_WITHIN: usize = 64 * 1024;
const UTF_8_CHARSET: Charset = Charset::Standard(UTF_8);

/// Reads bytes as text in the charset a subscription orders, or if it orders none by the evidence there is.
pub fn read<'a>(
    bytes: &'a [u8],
    order: Option<&str>,
    http: Option<&str>,
    what: Kind,
) -> Decoded<'a> {
    let Some(charset) = order.and_then(named) else {
        return decode(bytes, http, what);
    };
    match by_mark(bytes) {
        // `utf-16` says no order of bytes, a mark does.
        Some((marked, length)) if marked == charset || (marked.is_wide() && charset.is_wide()) => {
            let bytes = bytes.get(length..).unwrap_or_default();
            lossy(marked, bytes, Evidence::Order)
        }
        _ => lossy(charset, bytes, Evidence::Order),
    }
}

/// Reads bytes as text: byte order mark, UTF-16 and UTF-32 by their zero bytes, EBCDIC by its first tag, valid UTF-8, HTTP
/// label, label in the document, detection, windows-1252. A label counts only if all but a trace reads under it, and if no
/// other reading is far more like words; what does not read is counted (P-89 to P-91).
pub fn decode<'a>(bytes: &'a [u8], http_charset: Option<&str>, what: Kind) -> Decoded<'a> {
    if let Some((charset, length)) = by_mark(bytes) {
        let bytes = bytes.get(length..).unwrap_or_default();
        return lossy(charset, bytes, Evidence::Bom);
    }
    if let Some(charset) = by_zeros(bytes) {
        return lossy(charset, bytes, Evidence::Bytes);
    }
    if let Some((charset, evidence)) = by_ebcdic(bytes) {
        return lossy(charset, bytes, evidence);
    }
    let said = [
        (http_charset.map(str::to_owned), Evidence::Http),
        (declared(bytes, what), Evidence::Declaration),
    ];
    let (mut labels, mut weak) = (Vec::new(), None);
    for (label, evidence) in said {
        let Some(label) = label else { continue };
        match named(&label) {
            // Without mark or zero bytes it is not UTF-16, whatever the label says: any run of bytes reads as UTF-16.
            Some(charset) if charset.is_wide() => {}
            // The default of old servers and templates: a word without information, unless nothing else speaks.
            Some(charset) if is_default(&label) => weak = weak.or(Some((charset, evidence))),
            Some(charset) => labels.push((charset, evidence)),
            None => {}
        }
    }
    // A seven-bit charset such as ISO-2022-JP passes for ASCII; only its escapes tell.
    let escapes = memchr::memchr(0x1b, bytes).is_some();
    let utf8 = str::from_utf8(bytes).ok();
    if let Some(text) = utf8.filter(|_| !escapes)
        && !(labels.iter().any(|(label, _)| label.is_eastern()) && is_doubtful(text))
    {
        return clean(Cow::Borrowed(text), UTF_8_CHARSET, Evidence::Utf8Valid);
    }
    // One stray byte must not turn a whole page into noise, nor make a wrong label right.
    let said = labels.iter().find(|(label, _)| *label == UTF_8_CHARSET);
    let said = said.map(|&(_, evidence)| evidence);
    let as_utf8 = || lossy(UTF_8_CHARSET, bytes, said.unwrap_or(Evidence::Bytes));
    let damaged = match utf8.is_none().then(as_utf8) {
        Some(decoded) if is_near(&decoded, 0) => return decoded,
        damaged => damaged,
    };
    let guess = guessed(bytes);
    let looks = || {
        let text = guess.strict(bytes).filter(|_| guess.is_eastern())?;
        Some(clean(text, guess, Evidence::Bytes))
    };
    let mut readings: Vec<_> = labels
        .iter()
        .map(|&(charset, evidence)| (charset, lossy(charset, bytes, evidence)))
        // A text cut inside its last character is no evidence against its label.
        .filter(|(charset, read)| is_near(read, usize::from(charset.is_eastern())))
        .map(|(_, read)| read)
        .collect();
    if !readings.is_empty() {
        // Where the labels differ and the bytes look like one of them, that is two against one.
        let family = |read: &Decoded<'_>| is_one_family(read.charset, guess.name());
        readings.sort_by_key(|read| (read.replaced > 0, !family(read)));
        readings.extend(looks());
        return likeliest(readings, bytes);
    }
    if let Some(text) = utf8 {
        return clean(Cow::Borrowed(text), UTF_8_CHARSET, Evidence::Utf8Valid);
    }
    if let Some(decoded) = looks() {
        return decoded;
    }
    if let Some(decoded) = damaged
        && said.is_some()
        && decoded.replaced <= whole(&decoded)
    {
        return decoded;
    }
    if guess.is_eastern() {
        let decoded = lossy(guess, bytes, Evidence::Bytes);
        if is_near(&decoded, 0) {
            return decoded;
        }
    }
    // JSON is UTF-8 where nothing else is said (RFC 8259 §8.1), damaged or not.
    if what == Kind::Json && weak.is_none() {
        return lossy(UTF_8_CHARSET, bytes, Evidence::Fallback);
    }
    let sure = |charset: Charset, evidence| {
        let text = charset.strict(bytes)?;
        Some(clean(text, charset, evidence))
    };
    weak.and_then(|(charset, evidence)| sure(charset, evidence))
        .or_else(|| sure(guess, Evidence::Bytes))
        .unwrap_or_else(|| lossy(Charset::Standard(WINDOWS_1252), bytes, Evidence::Fallback))
}

/// Whether all but a trace could be read, besides so many places.
fn is_near(decoded: &Decoded<'_>, forgiven: usize) -> bool {
    decoded.replaced.saturating_sub(forgiven) * 20 <= whole(decoded)
}

/// How many characters beyond ASCII could be read.
fn whole(decoded: &Decoded<'_>) -> usize {
    let foreign = decoded.text.bytes().filter(|b| *b >= 0xc0).count();
    foreign - decoded.replaced.min(foreign)
}

/// The first of these readings of the same bytes, unless another is far more like words.
fn likeliest<'a>(readings: Vec<Decoded<'a>>, bytes: &'a [u8]) -> Decoded<'a> {
    let score = |reading: &Decoded<'_>| {
        let charset = named(reading.charset).unwrap_or(UTF_8_CHARSET);
        likeness(&reading.text, charset)
    };
    let mut best: Option<(Decoded<'a>, Option<f32>)> = None;
    for reading in readings {
        let likely = score(&reading);
        let better = match &best {
            None => true,
            Some((first, _)) if first.charset == reading.charset => false,
            Some((_, first)) => likely.is_some_and(|it| is_far_likelier(it, first.unwrap_or(1.0))),
        };
        if better {
            best = Some((reading, likely));
        }
    }
    best.map_or_else(
        || lossy(UTF_8_CHARSET, bytes, Evidence::Fallback),
        |(reading, _)| reading,
    )
}

/// Whether what is told by looks may be either: KOI8-R is KOI8-U but for four letters.
fn is_one_family(one: &str, other: &str) -> bool {
    one == other || (one.starts_with("KOI8") && other.starts_with("KOI8"))
}

/// Whether valid UTF-8 may be so by accident: one or two characters of two bytes, which a character of GBK or Big5 is too.
fn is_doubtful(text: &str) -> bool {
    let mut foreign = text.chars().filter(|c| !c.is_ascii()).take(3);
    let (first, more) = (foreign.next(), foreign.next());
    let short = |c: char| c.len_utf8() == 2;
    first.is_some_and(short) && more.is_none_or(short) && foreign.next().is_none()
}

fn is_default(label: &str) -> bool {
    let label = label.trim().trim_matches(['"', '\'']);
    [
        "iso-8859-1",
        "us-ascii",
        "ascii",
        "latin1",
        "iso8859-1",
        "ansi",
    ]
    .iter()
    .any(|default| label.eq_ignore_ascii_case(default))
}

fn clean(text: Cow<'_, str>, charset: Charset, evidence: Evidence) -> Decoded<'_> {
    Decoded {
        text,
        charset: charset.name(),
        evidence,
        replaced: 0,
    }
}

fn lossy(charset: Charset, bytes: &[u8], evidence: Evidence) -> Decoded<'_> {
    let (text, replaced) = charset.lossy(bytes);
    Decoded {
        text,
        charset: charset.name(),
        evidence,
        replaced,
    }
}

/// The charset of a byte order mark, and its length.
fn by_mark(bytes: &[u8]) -> Option<(Charset, usize)> {
    match bytes {
        // Before UTF-16LE, whose mark this one begins with: no text starts with U+0000.
        [0xff, 0xfe, 0, 0, ..] => Some((Charset::Utf32Little, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Charset::Utf32Big, 4)),
        _ => Encoding::for_bom(bytes).map(|(charset, length)| (Charset::Standard(charset), length)),
    }
}

/// UTF-16 and UTF-32 without a mark: markup and JSON start with ASCII, so all but one byte of their first characters are
/// zero (XML 1.0, appendix F).
fn by_zeros(bytes: &[u8]) -> Option<Charset> {
    match bytes {
        [0, 0, 0, a, 0, 0, 0, b, ..] if *a != 0 && *b != 0 => Some(Charset::Utf32Big),
        [a, 0, 0, 0, b, 0, 0, 0, ..] if *a != 0 && *b != 0 => Some(Charset::Utf32Little),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(Charset::Standard(UTF_16BE)),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(Charset::Standard(UTF_16LE)),
        _ => None,
    }
}

/// EBCDIC by its `<?xml`, and which by the label behind it: what a label is written with is the same in all of them
/// (XML 1.0, appendix F).
fn by_ebcdic(bytes: &[u8]) -> Option<(Charset, Evidence)> {
    if !bytes.starts_with(b"\x4c\x6f\xa7\x94\x93") {
        return None;
    }
    let common = named("cp037")?;
    let head = bytes.get(..LABEL_WITHIN).unwrap_or(bytes);
    let label = declared(common.lossy(head).0.as_bytes(), Kind::Xml);
    let charset = label.as_deref().and_then(named);
    let charset = charset.filter(|charset| charset.strict(b"\x4c").as_deref() == Some("<"));
    Some(charset.map_or((common, Evidence::Bytes), |it| (it, Evidence::Declaration)))
}

fn guessed(bytes: &[u8]) -> Charset {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // Never `last`: a text cut inside a character would count as damaged and lose to windows-1252.
    detector.feed(bytes.get(..DETECT_WITHIN).unwrap_or(bytes), false);
    let guess = detector.guess(None, Utf8Detection::Deny);
    Charset::Standard(if guess == GBK { GB18030 } else { guess })
}

/// The label inside the document.
fn declared(bytes: &[u8], what: Kind) -> Option<String> {
    let head = bytes.get(..LABEL_WITHIN).unwrap_or(bytes);
    let (head, key): (&[u8], &[u8]) = match what {
        Kind::Xml => {
            let start = memmem::find(head, b"<?xml")?;
            let head = head.get(start..)?;
            (head.get(..memmem::find(head, b"?>")?)?, b"encoding")
        }
        Kind::Html => (head, b"charset"),
        Kind::Json => return None,
    };
    let lower = head.to_ascii_lowercase();
    memmem::find_iter(&lower, key).find_map(|at| {
        let rest = lower.get(at + key.len()..)?.trim_ascii_start();
        let value = rest.strip_prefix(b"=")?.trim_ascii_start();
        let value = match value.first()? {
            quote @ (b'"' | b'\'') => value.get(1..)?.split(|b| b == quote).next()?,
            _ => value.split(|b| b" \t\r\n;\"'/>?".contains(b)).next()?,
        };
        str::from_utf8(value)
            .ok()
            .filter(|label| !label.is_empty())
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests;
