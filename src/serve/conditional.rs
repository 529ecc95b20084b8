//! What a request's headers ask for, decided without looking at anything but values: which content coding, and whether
//! the client's copy is current.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// A content coding we have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// None.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Br,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// All, the one we like best first: the smallest for words, and whatever is smaller than nothing.
    pub const ALL: [Self; 4] = [Self::Br, Self::Zstd, Self::Gzip, Self::Identity];

    /// Its name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// The coding to answer in, by the lines of `Accept-Encoding` (F-30; RFC 9110 §12.5.3). `None` where the client takes
/// nothing we have. A member that is none is passed over. `has` says which codings the document is there in.
pub fn coding(accept: &[&[u8]], has: impl Fn(Coding) -> bool) -> Option<Coding> {
    let mut named: Vec<(String, u16)> = Vec::new();
    for line in accept {
        let line = String::from_utf8_lossy(line);
        named.extend(line.split(',').filter_map(member));
    }
    let quality = |name: &str| {
        named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, q)| *q)
    };
    let weight = |coding: Coding| {
        let aliased = || quality("x-gzip").filter(|_| coding == Coding::Gzip);
        quality(coding.name())
            .or_else(aliased)
            .or_else(|| quality("*").filter(|q| coding != Coding::Identity || *q == 0))
    };
    let mut best: Option<(Coding, u16)> = None;
    for coding in Coding::ALL.into_iter().filter(|coding| has(*coding)) {
        // Identity is fine unless it is refused, but anything that was asked for is better.
        let asked = weight(coding).filter(|q| *q > 0);
        if let Some(weight) = asked.filter(|q| best.is_none_or(|(_, most)| *q > most)) {
            best = Some((coding, weight));
        }
    }
    let plain = || (weight(Coding::Identity) != Some(0)).then_some(Coding::Identity);
    best.map(|(coding, _)| coding).or_else(plain)
}

/// `gzip;q=0.5` as its name and thousandths.
fn member(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    if name.is_empty() {
        return None;
    }
    let Some(weight) = parts.next() else {
        return Some((name, 1000));
    };
    let value = weight.trim().strip_prefix(['q', 'Q'])?.trim_start();
    let value = value.strip_prefix('=')?.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" if digits => Some((name, thousandths)),
        "1" if digits && thousandths == 0 => Some((name, 1000)),
        _ => None,
    }
}

/// The conditions a request sets, as the lines of their headers.
#[derive(Clone, Debug, Default)]
pub struct Conditions<'a> {
    /// `If-None-Match`.
    pub none_match: Vec<&'a [u8]>,
    /// `If-Modified-Since`.
    pub modified_since: Vec<&'a [u8]>,
}

impl Conditions<'_> {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.none_match.is_empty() && self.modified_since.is_empty()
    }

    /// The lines of `If-None-Match` as the one list they are (RFC 9110 §5.3).
    pub fn joined(&self) -> Option<String> {
        let lines = self.none_match.iter().map(|line| std::str::from_utf8(line));
        let lines: Vec<&str> = lines.collect::<Result<_, _>>().ok()?;
        Some(lines.join(","))
    }
}

/// What there is to compare with.
#[derive(Clone, Copy)]
pub struct Current<'a> {
    /// The entity tag in each coding it has.
    pub tag: &'a dyn Fn(Coding) -> Option<&'a str>,
    /// The coding we would answer in.
    pub coding: Coding,
    /// When the version became.
    pub last_modified: Timestamp,
    /// The wall clock.
    pub now: Timestamp,
}

/// The coding in which the client's copy is current, or `None` where it needs another one (RFC 9110 §13.2.2).
///
/// A tag of the current version in another coding than ours is current too (F-25). The answer then names that coding's
/// tag: a cache throws away a 304 whose strong tag is that of no copy it has (RFC 9111 §4.3.4).
pub fn not_modified(conditions: &Conditions<'_>, current: &Current<'_>) -> Option<Coding> {
    if conditions.none_match.is_empty() {
        let since = conditions.modified_since.as_slice();
        return is_since(since, current).then_some(current.coding);
    }
    let joined = conditions.joined()?;
    if joined.trim() == "*" {
        return Some(current.coding);
    }
    let named = tags(&joined)?;
    let is_named = |coding: &Coding| {
        let tag = (current.tag)(*coding).map(|tag| tag.trim_matches('"'));
        named.iter().any(|named| Some(*named) == tag)
    };
    // Ours first: a client may name several.
    std::iter::once(current.coding)
        .chain(Coding::ALL)
        .find(is_named)
}

/// Whether a client can merge the new entries of a feed into what it has (RFC 3229 §10.5.3), by the lines of `A-IM`.
pub fn merges_feeds(lines: &[&[u8]]) -> bool {
    let lines = lines.iter().map(|line| String::from_utf8_lossy(line));
    let named = |line: std::borrow::Cow<'_, str>| {
        line.split(',')
            .filter_map(member)
            .any(|(name, q)| name == "feed" && q > 0)
    };
    lines.into_iter().any(named)
}

/// The opaque parts of a list of entity tags, weak or strong, without what a proxy hung onto them; `None` if it is no such
/// list. A 200 is never wrong (F-24).
pub fn tags(list: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            continue;
        }
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = quoted.split_once('"')?;
        if tag.bytes().any(|b| b <= b' ' || b == 0x7F) {
            return None;
        }
        found.push(without_suffix(tag));
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
    Some(found)
}

/// The tag without what servers and proxies that compress on the way hang onto it (Apache, Jetty, some CDNs).
fn without_suffix(tag: &str) -> &str {
    let known = ["gzip", "br", "zstd"];
    known
        .iter()
        .filter_map(|name| tag.strip_suffix(name))
        .find_map(|rest| {
            ["--", "-", ";"]
                .iter()
                .find_map(|mark| rest.strip_suffix(mark))
        })
        .unwrap_or(tag)
}

/// F-26: one date, not before the version and not ahead of the clock.
fn is_since(lines: &[&[u8]], current: &Current<'_>) -> bool {
    let [line] = lines else { return false };
    let text = std::str::from_utf8(line).unwrap_or_default();
    let Ok(since) = httpdate::parse_http_date(text.trim()) else {
        return false;
    };
    let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = Timestamp::EPOCH.plus(since);
    let horizon = current.now.plus(Duration::from_mins(1));
    since == current.last_modified || (since > current.last_modified && since <= horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_30_the_coding_follows_the_weights() {
        let check = |lines: &[&str], expected: Option<Coding>| {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(coding(&lines, |_| true), expected, "{lines:?}");
        };
        check(&[], Some(Coding::Identity));
        check(&[""], Some(Coding::Identity));
        check(&["gzip, deflate, br, zstd"], Some(Coding::Br));
        check(&["gzip, deflate"], Some(Coding::Gzip));
        check(&["gzip;q=1.0, br;q=0.5, *;q=0"], Some(Coding::Gzip));
        check(&["x-gzip"], Some(Coding::Gzip));
        check(&["br;q=0, ZSTD; Q=0.001", "gzip;q=0"], Some(Coding::Zstd));
        check(&["identity, gzip;q=0.5"], Some(Coding::Identity));
        check(&["gzip;q=0"], Some(Coding::Identity));
        check(&["*"], Some(Coding::Br));
        check(&["*;q=0.5, br;q=0"], Some(Coding::Zstd));
        check(&["deflate, compress"], Some(Coding::Identity));
        check(&["identity;q=0"], None);
        check(&["*;q=0"], None);
        check(&["identity;q=0, *"], Some(Coding::Br));
        check(&["*;q=0, identity"], Some(Coding::Identity));
        check(&["*;q=0, gzip"], Some(Coding::Gzip));
        check(
            &["gzip;q=1.5, br;q=x, zstd;q=0.1234, ;q=1"],
            Some(Coding::Identity),
        );
    }

    #[test]
    fn f_30_what_is_not_there_is_not_chosen() {
        let plain = |coding| coding == Coding::Identity || coding == Coding::Gzip;
        assert_eq!(coding(&[b"br, gzip;q=0.1"], plain), Some(Coding::Gzip));
        assert_eq!(coding(&[b"br"], plain), Some(Coding::Identity));
        assert_eq!(coding(&[b"br, identity;q=0"], plain), None);
    }

    #[test]
    fn f_36_who_merges_feeds_says_so() {
        let check = |lines: &[&str], expected: bool| {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(merges_feeds(&lines), expected, "{lines:?}");
        };
        check(&["feed"], true);
        check(&["vcdiff, Feed;q=0.5"], true);
        check(&["vcdiff", "feed"], true);
        check(&["feed;q=0"], false);
        check(&["vcdiff"], false);
        check(&["feeds, xfeed, \"feed\""], false);
        check(&[], false);
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "not every document has every coding"
    )]
    fn tag(coding: Coding) -> Option<&'static str> {
        Some(match coding {
            Coding::Identity => "\"plain\"",
            Coding::Gzip => "\"zipped\"",
            Coding::Br => "\"brown\"",
            Coding::Zstd => "\"standard\"",
        })
    }

    fn current() -> Current<'static> {
        Current {
            tag: &tag,
            coding: Coding::Gzip,
            last_modified: Timestamp::from_secs(784_111_777),
            now: Timestamp::from_secs(784_111_900),
        }
    }

    #[test]
    fn f_24_f_25_tags_are_compared_weakly_and_in_every_coding() {
        let check = |lines: &[&str], expected: Option<Coding>| {
            let conditions = Conditions {
                none_match: lines.iter().map(|line| line.as_bytes()).collect(),
                // Not looked at, since there are tags.
                modified_since: vec![b"Sun, 06 Nov 1994 08:49:37 GMT"],
            };
            assert_eq!(not_modified(&conditions, &current()), expected, "{lines:?}");
        };
        let ours = Some(Coding::Gzip);
        check(&["\"zipped\""], ours);
        check(&["W/\"zipped\""], ours);
        check(&["*"], ours);
        check(&["\"a\", W/\"b,c\" ,\"zipped\""], ours);
        check(&["\"a\"", "\"zipped\""], ours);
        check(&[",, \"zipped\","], ours);
        check(&["\"plain\", \"zipped\""], ours);
        check(&["\"plain\""], Some(Coding::Identity));
        check(&["\"plain-gzip\""], Some(Coding::Identity));
        check(&["W/\"plain;gzip\""], Some(Coding::Identity));
        check(&["\"plain--gzip\""], Some(Coding::Identity));
        check(&["\"brown-br\""], Some(Coding::Br));
        check(&["\"standard\""], Some(Coding::Zstd));
        check(&["\"other\""], None);
        check(&["\"\""], None);
        check(&[""], None);
        check(&["zipped"], None);
        check(&["\"zipped"], None);
        check(&["w/\"zipped\""], None);
        check(&["\"zipped\" \"a\""], None);
        check(&["\"zipped\", a"], None);
        check(&["*, \"zipped\""], None);
        check(&["\"zipped \""], None);
        check(&["\"-gzip\""], None);
    }

    #[test]
    fn f_26_dates_count_where_there_are_no_tags() {
        let check = |lines: &[&str], fresh: bool| {
            let conditions = Conditions {
                none_match: Vec::new(),
                modified_since: lines.iter().map(|line| line.as_bytes()).collect(),
            };
            let expected = fresh.then_some(Coding::Gzip);
            assert_eq!(not_modified(&conditions, &current()), expected, "{lines:?}");
        };
        let exact = "Sun, 06 Nov 1994 08:49:37 GMT";
        check(&[exact], true);
        check(&["Sunday, 06-Nov-94 08:49:37 GMT"], true);
        check(&["Sun Nov  6 08:49:37 1994"], true);
        check(&["Sun, 06 Nov 1994 08:49:36 GMT"], false);
        check(&["Sun, 06 Nov 1994 08:49:38 GMT"], true);
        check(&["Sun, 06 Nov 1994 08:52:40 GMT"], true);
        check(&["Sun, 06 Nov 1994 08:52:41 GMT"], false);
        check(&["Mon, 06 Nov 2034 08:49:38 GMT"], false);
        check(&[], false);
        check(&["0"], false);
        check(&["yesterday"], false);
        check(&[exact, exact], false);
        // A version dated ahead of a clock that was set back.
        let conditions = Conditions {
            none_match: Vec::new(),
            modified_since: vec![exact.as_bytes()],
        };
        let back = Current {
            now: Timestamp::from_secs(700_000_000),
            ..current()
        };
        assert_eq!(not_modified(&conditions, &back), Some(Coding::Gzip));
    }
}
