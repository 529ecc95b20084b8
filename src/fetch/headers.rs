//! What response headers say: freshness, Retry-After, media type, content codings. Bytes in, facts out; what cannot be
//! read counts as not said.

use std::time::Duration;

use crate::fetch::decode::Coding;
use crate::model::http::{Dated, Freshness, HttpValidators};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// Longer validators are not kept: they would be sent with every request for ever.
const MAX_VALIDATOR: usize = 8 * 1024;

/// A lookup of header lines by lower-case name, in their order. What an HTTP library has, without naming one.
pub trait Lines {
    /// The values of all lines of this name.
    fn lines(&self, name: &'static str) -> impl Iterator<Item = &[u8]>;

    /// The value of the first line of this name.
    fn first(&self, name: &'static str) -> Option<&[u8]> {
        self.lines(name).next()
    }
}

/// How long the answer stays fresh from now on: max-age, else Expires minus Date, each less Age (P-20 to P-24).
pub fn freshness(headers: &impl Lines) -> Freshness {
    let cache = CacheControl::read(headers.lines("cache-control"));
    if cache.forbids {
        return Freshness(None);
    }
    let lifetime = match cache.max_age {
        Some(seconds) => seconds,
        None => expires_after(headers).unwrap_or(0),
    };
    let age = headers.first("age").and_then(seconds).unwrap_or(0);
    let left = lifetime.saturating_sub(age);
    Freshness((left > 0).then(|| Duration::from_secs(left)))
}

/// What it says of its age: `Age` of the first line, `Date` where it is one.
pub fn dated(headers: &impl Lines) -> Dated {
    let date = headers.first("date").and_then(http_date);
    Dated {
        age: headers
            .first("age")
            .and_then(seconds)
            .map(Duration::from_secs),
        date: date.map(Timestamp::from_secs),
    }
}

/// Whether the whole answer is marked `private`: for us, and not for others (P-23). `private="set-cookie"` is about that
/// field alone.
pub fn is_private(headers: &impl Lines) -> bool {
    CacheControl::read(headers.lines("cache-control")).private
}

/// Seconds from Date to Expires (P-22): our own clock has no part in it.
fn expires_after(headers: &impl Lines) -> Option<u64> {
    let expires = http_date(headers.first("expires")?)?;
    let date = http_date(headers.first("date")?)?;
    u64::try_from(expires.checked_sub(date)?).ok()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct CacheControl {
    max_age: Option<u64>,
    /// `no-store`, or `no-cache` for the whole answer. `private` and `must-revalidate` forbid nothing to a reader
    /// that keeps its own copy and asks again when it is stale, so a max-age beside them counts (RFC 9111 §5.2.2).
    forbids: bool,
    private: bool,
}

impl CacheControl {
    /// Reads all lines as one list (RFC 9111 §5.2, P-21).
    fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut read = Self::default();
        for directive in lines.flat_map(|line| split_list(line, b',')) {
            let (name, value) = name_value(directive);
            if name.eq_ignore_ascii_case(b"max-age") {
                if let Some(age) = value.and_then(|value| seconds(unquote(value))) {
                    // Of several the smallest.
                    read.max_age = Some(read.max_age.map_or(age, |other| other.min(age)));
                }
            } else if name.eq_ignore_ascii_case(b"no-store") {
                read.forbids = true;
            } else if name.eq_ignore_ascii_case(b"no-cache") {
                // `no-cache="set-cookie"` is about that field alone.
                read.forbids |= value.is_none();
            } else if name.eq_ignore_ascii_case(b"private") {
                read.private |= value.is_none();
            }
        }
        read
    }
}

/// How long to stay away, if it says so in a form that can be read: seconds, or a date against the answer's own
/// (P-30 to P-32). Of several the longest.
pub fn retry_after(headers: &impl Lines) -> Option<Duration> {
    let date = headers.first("date").and_then(http_date);
    headers
        .lines("retry-after")
        .filter_map(|value| match seconds(value) {
            Some(seconds) => Some(seconds),
            None => u64::try_from(http_date(value)?.checked_sub(date?)?).ok(),
        })
        .max()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

/// Whether the answer is a challenge that only a browser could answer (P-42).
pub fn is_challenge(headers: &impl Lines) -> bool {
    let name = "cf-mitigated";
    let mut values = headers.lines(name).map(<[u8]>::trim_ascii);
    values.any(|value| value.eq_ignore_ascii_case(b"challenge"))
}

/// `ETag` and `Last-Modified` byte for byte (P-02, P-03); a field that contradicts itself counts as absent.
pub fn validators(headers: &impl Lines, url: &PageUrl) -> Option<HttpValidators> {
    let only = |name| {
        let mut lines = headers.lines(name);
        let first = lines.next().filter(|value| !value.is_empty())?;
        let alone = lines.all(|other| other == first);
        if !alone || first.len() > MAX_VALIDATOR {
            tracing::debug!(%url, name, "this validator cannot be used: several that differ, or too long");
            return None;
        }
        Some(Box::from(first))
    };
    let (etag, last_modified) = (only("etag"), only("last-modified"));
    (etag.is_some() || last_modified.is_some()).then(|| HttpValidators {
        url: url.clone(),
        etag,
        last_modified,
    })
}

/// What of a 304's validators is taken over (P-08): all it carries, if its date is ours or absent, or if its tag is
/// ours; what it does not carry stays (RFC 9111 §3.2). `None` where nothing changes.
pub fn adopt(ours: &HttpValidators, theirs: Option<HttpValidators>) -> Option<HttpValidators> {
    let theirs = theirs?;
    let same_date = theirs.last_modified.is_none() || theirs.last_modified == ours.last_modified;
    let same_tag = match (&ours.etag, &theirs.etag) {
        (Some(ours), Some(theirs)) => strong(ours) == strong(theirs),
        _ => false,
    };
    if !same_date && !same_tag {
        tracing::debug!(url = %ours.url, "a 304 with the validators of another document; ours are kept");
        return None;
    }
    let merged = HttpValidators {
        url: ours.url.clone(),
        etag: theirs.etag.or_else(|| ours.etag.clone()),
        last_modified: theirs.last_modified.or_else(|| ours.last_modified.clone()),
    };
    (merged != *ours).then_some(merged)
}

/// A tag without its mark of weakness, for the weak comparison of RFC 9110 §8.8.3.2.
fn strong(etag: &[u8]) -> &[u8] {
    etag.strip_prefix(b"W/").unwrap_or(etag)
}

/// `Content-Type` without parameters, in lower case, and its `charset`.
pub fn content_type(headers: &impl Lines) -> (Option<String>, Option<String>) {
    let Some(value) = headers.first("content-type") else {
        return (None, None);
    };
    let mut parts = split_list(value, b';');
    let media_type = parts.next().and_then(|part| word(part, 127));
    let charset = parts
        .map(name_value)
        .find(|(name, _)| name.eq_ignore_ascii_case(b"charset"))
        // Single quotes are no quotes, but publishers write them.
        .and_then(|(_, value)| word(unquote(value?).trim_matches_byte(b'\''), 40));
    (media_type.map(|text| text.to_ascii_lowercase()), charset)
}

/// The `Link` headers as they came (RFC 8288): at most 32 lines, none of more than 4 kB.
pub fn links(headers: &impl Lines) -> Vec<String> {
    headers
        .lines("link")
        .filter(|line| line.len() <= 4096)
        .take(32)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

/// The content codings in the order they were applied (RFC 9110 §8.4), or the first that is none of ours (P-85).
pub fn content_codings(headers: &impl Lines) -> Result<Vec<Coding>, String> {
    let mut codings = Vec::new();
    for name in headers
        .lines("content-encoding")
        .flat_map(|line| split_list(line, b','))
    {
        if name.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        match Coding::from_name(name) {
            Some(coding) => codings.push(coding),
            None => return Err(name.iter().take(40).map(|b| shown(*b)).collect()),
        }
    }
    Ok(codings)
}

fn shown(byte: u8) -> char {
    if byte.is_ascii_graphic() {
        char::from(byte)
    } else {
        '?'
    }
}

/// A visible ASCII word of at most so many bytes.
fn word(bytes: &[u8], most: usize) -> Option<String> {
    let good = (1..=most).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    good.then(|| bytes.iter().map(|b| char::from(*b)).collect())
}

/// The non-empty items of a list, trimmed; a separator inside a quoted string parts nothing.
fn split_list(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    line.split(move |&byte| {
        let parts = byte == separator && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        parts
    })
    .map(<[u8]>::trim_ascii)
    .filter(|item| !item.is_empty())
}

/// `name=value`, or a name alone.
fn name_value(item: &[u8]) -> (&[u8], Option<&[u8]>) {
    match item.iter().position(|b| *b == b'=') {
        Some(at) => {
            let (name, value) = item.split_at(at);
            (name.trim_ascii(), value.get(1..).map(<[u8]>::trim_ascii))
        }
        None => (item, None),
    }
}

fn unquote(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value)
        .trim_ascii()
}

trait TrimByte {
    fn trim_matches_byte(&self, byte: u8) -> &Self;
}

impl TrimByte for [u8] {
    fn trim_matches_byte(&self, byte: u8) -> &Self {
        let rest = self.strip_prefix(&[byte]).unwrap_or(self);
        rest.strip_suffix(&[byte]).unwrap_or(rest)
    }
}

/// Delta-seconds (RFC 9111 §1.2.2): digits alone. Too large a number is the largest.
fn seconds(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0_u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

/// Seconds since the Unix epoch of an HTTP date in any of its three forms (RFC 9110 §5.6.7):
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. The day of the week
/// is not read.
fn http_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    if text.len() > 64 {
        return None;
    }
    let mut words = text
        .split(|c: char| c.is_ascii_whitespace() || matches!(c, ',' | '-'))
        .filter(|word| !word.is_empty());
    words
        .next()
        .filter(|word| word.starts_with(char::is_alphabetic))?;
    let (day, month, time, year) =
        match [words.next()?, words.next()?, words.next()?, words.next()?] {
            [month, day, time, year] if time.contains(':') => (day, month, time, year),
            [day, month, year, time] => (day, month, time, year),
        };
    match words.next() {
        None | Some("GMT" | "UTC" | "+0000") if words.next().is_none() => {}
        _ => return None,
    }
    let number = |text: &str| -> Option<i8> {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    };
    let month = match month {
        "Jan" => 1,
        "Feb" => 2,
        "Mar" => 3,
        "Apr" => 4,
        "May" => 5,
        "Jun" => 6,
        "Jul" => 7,
        "Aug" => 8,
        "Sep" => 9,
        "Oct" => 10,
        "Nov" => 11,
        "Dec" => 12,
        _ => return None,
    };
    let year = match (year.len(), year.bytes().all(|b| b.is_ascii_digit())) {
        (4, true) => year.parse::<i16>().ok()?,
        // RFC 9110 asks for "not more than 50 years ahead"; a fixed turn at 1970 serves until 2070 and needs no clock.
        (2, true) => i16::from(number(year)?) + if year < "70" { 2000 } else { 1900 },
        _ => return None,
    };
    let mut clock = time.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if clock.next().is_some() {
        return None;
    }
    // A leap second is the last one of its minute.
    let second = if second == 60 { 59 } else { second };
    let time =
        jiff::civil::DateTime::new(year, month, number(day)?, hour, minute, second, 0).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(time.timestamp().as_second())
}

#[cfg(test)]
mod tests;
