//! Words: as published, and as we compare them.

use std::fmt;

/// What kind of text a [`Content`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentKind {
    /// HTML as the publisher wrote it: neither sanitised nor re-serialised.
    Html,
    /// Plain text; line breaks part paragraphs.
    Plain,
    /// Blocks as a file of the archive format `hugo` holds them (naive Markdown, blank lines between).
    HugoBlocks,
    /// Blocks as a file of the archive format `text` holds them (an empty block is a dropped picture).
    TextBlocks,
}

impl ContentKind {
    /// All kinds, with the names they have in the store.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Html, "html"),
        (Self::Plain, "plain"),
        (Self::HugoBlocks, "hugo"),
        (Self::TextBlocks, "text"),
    ];

    /// The kind's name in the store.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("html", |(_, name)| name)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }
}

/// Words as published. The original is kept; safe HTML, plain text, hashes and archive text are derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// How to read `text`.
    pub kind: ContentKind,
    /// The words, untouched.
    pub text: String,
}

impl Content {
    /// HTML as published.
    pub fn html(text: impl Into<String>) -> Self {
        Self {
            kind: ContentKind::Html,
            text: text.into(),
        }
    }

    /// Plain text as published.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            kind: ContentKind::Plain,
            text: text.into(),
        }
    }
}

/// Text folded for comparing: script, width, case, punctuation and blanks no longer matter. Only
/// `rules::fold` makes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalText(String);

impl CanonicalText {
    /// For `rules::fold` alone: the text must have been folded.
    pub(crate) fn from_folded(text: String) -> Self {
        Self(text)
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which words an article carries: the same for every copy of them, whatever its script, punctuation or markup.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The number of the recipe in [`of`](Self::of) together with the fold it is fed; stored with every hash,
    /// because hashes of two recipes must never be compared.
    pub const RECIPE: u8 = 1;

    /// Folded bodies shorter than this many characters are not told apart by themselves ("click to play"), so their
    /// title counts too.
    pub const SHORT: usize = 64;

    /// BLAKE3 over `"article-v1" 00 recipe 00 [title 00] body`, the title only with a short body. With neither title
    /// nor body the link takes their place: nothing else could tell such articles apart.
    pub fn of(title: &CanonicalText, body: &CanonicalText, link: Option<&str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"article-v1\0").update(&[Self::RECIPE, 0]);
        if body.0.chars().nth(Self::SHORT - 1).is_none() {
            hasher.update(title.0.as_bytes()).update(b"\0");
        }
        hasher.update(body.0.as_bytes());
        if body.0.is_empty() {
            hasher
                .update(b"\0")
                .update(link.unwrap_or_default().as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// From the 32 bytes in the store.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The full digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 64 bits: what people see, and the file's name.
    pub fn short(&self) -> ContentId {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        ContentId(u64::from_be_bytes(head))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.short())
    }
}

/// The visible id of some words: 64 bits, printed as 16 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId(pub u64);

impl ContentId {
    /// Reads exactly 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 16
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if plain {
            u64::from_str_radix(text, 16).ok().map(Self)
        } else {
            None
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// "Did these bytes change": a fast hash of something as published. Never used as an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawHash(pub u128);

impl RawHash {
    /// Over several parts, so that `("ab","c")` differs from `("a","bc")`, and an absent part from an empty one.
    pub fn of<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for part in parts {
            let part = part.map_or((0, &[][..]), |bytes| (bytes.len() as u64 + 1, bytes));
            hasher.update(&part.0.to_le_bytes());
            hasher.update(part.1);
        }
        Self(hasher.digest128())
    }

    /// As stored: 16 bytes, big-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From the store.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> CanonicalText {
        CanonicalText::from_folded(text.to_owned())
    }

    #[test]
    fn a_short_body_counts_its_title_and_a_long_one_does_not() {
        let long = folded(&"字".repeat(ContentHash::SHORT));
        let short = folded(&"字".repeat(ContentHash::SHORT - 1));
        let hash = |title: &str, body| ContentHash::of(&folded(title), body, None);
        assert_eq!(hash("a", &long), hash("b", &long));
        assert_ne!(hash("a", &short), hash("b", &short));
    }

    #[test]
    fn the_hash_knows_where_the_title_ends() {
        let hash = |title, body| ContentHash::of(&folded(title), &folded(body), None);
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
        let empty = |link| ContentHash::of(&folded("t"), &folded(""), Some(link));
        assert_ne!(empty("https://a/1"), empty("https://a/2"));
        assert_ne!(
            RawHash::of([Some(&b"ab"[..]), Some(b"c")]),
            RawHash::of([Some(&b"a"[..]), Some(b"bc")])
        );
        assert_ne!(RawHash::of([None]), RawHash::of([Some(&b""[..])]));
    }

    #[test]
    fn ids_are_sixteen_lower_case_hex_digits() {
        let id = ContentHash::of(&folded("t"), &folded("b"), None).short();
        assert_eq!(ContentId::parse(&id.to_string()), Some(id));
        for bad in [
            "",
            "0",
            "F34DECF1DF41149B",
            "f34decf1df41149",
            "+34decf1df41149b",
            "f34decf1df41149bb",
        ] {
            assert_eq!(ContentId::parse(bad), None, "{bad}");
        }
    }
}
