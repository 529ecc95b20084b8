//! robots.txt: what a publisher lets programs ask that follow links by themselves (RFC 9309, P-164).

mod said;

pub use said::{Kept, Said};

use crate::model::urls::PageUrl;

/// The name we go by there (RFC 9309 §2.2.1), which is in our `User-Agent`, too.
pub const TOKEN: &str = "feedmill";

/// So much of a file is read (RFC 9309 §2.5: at least 500 KiB); what comes after it says nothing.
const PARSED: usize = 500 * 1024;

/// Longer ones are asked of nobody, whatever the rules are: it is what servers have to take (RFC 9110 §4.1), and it bounds
/// what a comparison costs.
const LONGEST: usize = 8_000;

/// The rules of one origin that are for us. The default has none: everything is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    rules: Vec<Rule>,
}

/// One line of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    allow: bool,
    /// As written.
    pattern: Box<[u8]>,
}

impl Robots {
    /// Reads a file, whatever its bytes are: lines that say nothing we know are passed over, and stop no group
    /// (RFC 9309 §2.2.4). All groups that name us count as one, or where there is none all that name `*` (§2.2.1).
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let (mut ours, mut anybodys) = (Vec::new(), Vec::new());
        let mut named = false;
        let mut group = Group::default();
        for line in whole_lines(bytes) {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let Some((key, value)) = pair(line) else {
                continue;
            };
            if key.eq_ignore_ascii_case(b"user-agent") {
                group.name(value);
                named |= group.ours;
                continue;
            }
            let allow = key.eq_ignore_ascii_case(b"allow");
            if !allow && !key.eq_ignore_ascii_case(b"disallow") {
                continue;
            }
            group.begun = true;
            // An empty pattern matches nothing, and one that begins otherwise is no pattern (§2.2).
            if !matches!(value.first(), Some(b'/' | b'*')) {
                continue;
            }
            let rule = Rule {
                allow,
                pattern: value.into(),
            };
            if group.ours {
                ours.push(rule.clone());
            }
            if group.anybodys {
                anybodys.push(rule);
            }
        }
        Self {
            rules: if named { ours } else { anybodys },
        }
    }

    /// These rules alone, as a file that [`parse`](Self::parse) reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = b"user-agent: *\n".to_vec();
        for rule in &self.rules {
            file.extend_from_slice(rule.word().as_bytes());
            file.extend_from_slice(b": ");
            file.extend_from_slice(&rule.pattern);
            file.push(b'\n');
        }
        file
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The line that forbids this address, if one does. Of the rules that match the one with the most octets decides, and
    /// of two as long the one that allows (RFC 9309 §2.2.2). robots.txt itself is always allowed.
    pub fn forbids(&self, url: &PageUrl) -> Option<String> {
        let mut asked = url.path().as_bytes().to_vec();
        if let Some(query) = url.as_url().query() {
            asked.push(b'?');
            asked.extend_from_slice(query.as_bytes());
        }
        if asked.len() > LONGEST {
            return Some(format!("an address of more than {LONGEST} bytes"));
        }
        let asked = decoded(&asked);
        if asked == b"/robots.txt" {
            return None;
        }
        self.rules
            .iter()
            .filter(|rule| matches(&rule.pattern, &asked))
            .max_by_key(|rule| (octets(&rule.pattern), rule.allow))
            .filter(|rule| !rule.allow)
            .map(Rule::shown)
    }
}

impl Rule {
    fn word(&self) -> &'static str {
        if self.allow { "allow" } else { "disallow" }
    }

    /// For people: the pattern may be long.
    fn shown(&self) -> String {
        let pattern = String::from_utf8_lossy(&self.pattern);
        let pattern: String = pattern.chars().take(80).collect();
        format!("{}: {pattern}", self.word())
    }
}

/// Whom the lines that come next are for.
#[derive(Default)]
struct Group {
    ours: bool,
    anybodys: bool,
    /// A rule was met: the next name begins another group.
    begun: bool,
}

impl Group {
    fn name(&mut self, value: &[u8]) {
        if std::mem::take(&mut self.begun) {
            *self = Self::default();
        }
        // A version after the name is no part of it; a longer name is another's.
        let end = value
            .iter()
            .position(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')))
            .unwrap_or(value.len());
        let token = value.get(..end).unwrap_or_default();
        self.ours |= token.eq_ignore_ascii_case(TOKEN.as_bytes());
        self.anybodys |= value == b"*";
    }
}

/// The lines of what is read, without one that is cut off: half a path forbids more than was meant.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let read = match bytes.get(..PARSED) {
        Some(read) if bytes.len() > PARSED && !bytes.get(PARSED).is_some_and(is_end) => {
            let end = read.iter().rposition(is_end).unwrap_or(0);
            read.get(..end).unwrap_or_default()
        }
        Some(read) => read,
        None => bytes,
    };
    read.split(is_end)
}

fn pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (key, value) = line.split_at_checked(colon)?;
    Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Both sides are compared as octets with every percent-encoding undone, once. RFC 9309 §2.2.2 says to undo that of
/// unreserved characters and to encode all others on both sides, which finds the same pairs equal.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            octets.push(high * 16 + low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            octets.push(first);
            rest = after;
        }
    }
    octets
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// How long a pattern is: what is not ASCII counts as it is sent, three for one.
fn octets(pattern: &[u8]) -> usize {
    let plain = decoded(pattern);
    let beyond = plain.iter().filter(|byte| !byte.is_ascii()).count();
    plain.len() + 2 * beyond
}

/// Whether a pattern matches the beginning of `asked` (decoded): `*` stands for any octets, and `$` at its end for the end
/// (RFC 9309 §2.2.3). Written as `%2A` and `%24` they stand for themselves, which is why the pattern is taken apart before
/// it is decoded.
fn matches(pattern: &[u8], asked: &[u8]) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix(b"$") {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split(|byte| *byte == b'*').map(decoded);
    let Some(mut rest) = parts.next().and_then(|part| asked.strip_prefix(&*part)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !to_the_end || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if to_the_end && parts.peek().is_none() {
            return rest.ends_with(&part);
        }
        let Some(after) = after(rest, &part) else {
            return false;
        };
        rest = after;
    }
    true
}

/// What comes after the first place where `part` is.
fn after<'a>(text: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    if part.is_empty() {
        return Some(text);
    }
    let at = text.windows(part.len()).position(|here| here == part)?;
    text.get(at + part.len()..)
}

#[cfg(test)]
mod tests;
