//! Names of things: feeds, entries, articles.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A subscription's name: 1 to 40 of `a`–`z`, `0`–`9` and `-`, so it is safe in a path, a URL and a log line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedId(Box<str>);

/// Why a text is no [`FeedId`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a feed id: 1 to 40 of a–z, 0–9 and -")]
pub struct BadFeedId(String);

impl FromStr for FeedId {
    type Err = BadFeedId;

    fn from_str(text: &str) -> Result<Self, BadFeedId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(BadFeedId(text.chars().take(60).collect()))
        }
    }
}

impl FeedId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id a publisher gave an entry (`atom:id`, `guid`, JSON Feed `id`), compared byte for byte (RFC 4287 §4.2.6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// The publisher's id, or `None` where it is empty: an empty id is no id. Surrounding white space is an
    /// artefact of the markup, not of the id. Longer than 4 kB is no id either (a stranger's bytes are bounded).
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.len() <= 4096).then(|| Self(text.into()))
    }

    /// The id as published.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An article's number in the store: given once, never reused, growing. It is also the number in the archive's file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleSeq(pub u64);

impl fmt::Display for ArticleSeq {
    /// At least three digits, as in the archive's file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feed_ids_stay_plain() {
        for good in ["qq", "a", "dw-zh-2", &"x".repeat(40)] {
            assert_eq!(
                good.parse::<FeedId>().map(|id| id.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in ["", "QQ", "a/b", "..", "a b", "大公報", &"x".repeat(41)] {
            assert!(bad.parse::<FeedId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_entry_id_is_none() {
        assert_eq!(EntryId::new(" \n"), None);
        assert_eq!(
            EntryId::new(" a b ").map(|id| id.as_str().to_owned()),
            Some("a b".to_owned())
        );
    }
}
