//! Charsets by their labels, and text from bytes in each of them.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GB18030, GBK, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    X_MAC_CYRILLIC,
};
use memchr::memmem;

use super::tables::{TABLES, Table};

/// A charset bytes can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// One of the WHATWG Encoding Standard.
    Standard(&'static Encoding),
    /// One of a byte a character that the standard leaves out: of DOS, of old Macs, EBCDIC.
    Single(&'static Table),
    /// UTF-32, its low byte first (`LE`).
    Utf32Little,
    /// UTF-32, its high byte first (`BE`).
    Utf32Big,
}

impl Charset {
    /// Its name, as the standard has it where it is in it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard(charset) => charset.name(),
            Self::Single(table) => table.name,
            Self::Utf32Little => "UTF-32LE",
            Self::Utf32Big => "UTF-32BE",
        }
    }

    /// The text, or `None` where not all of it reads.
    pub(super) fn strict(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Standard(charset) => {
                charset.decode_without_bom_handling_and_without_replacement(bytes)
            }
            _ => match self.lossy(bytes) {
                (text, 0) => Some(text),
                _ => None,
            },
        }
    }

    /// The text with U+FFFD where it does not read, and how many of these there are.
    pub(super) fn lossy(self, bytes: &[u8]) -> (Cow<'_, str>, usize) {
        match self {
            Self::Standard(charset) => standard(charset, bytes),
            Self::Single(table) => single(table, bytes),
            Self::Utf32Little => utf32(bytes, u32::from_le_bytes),
            Self::Utf32Big => utf32(bytes, u32::from_be_bytes),
        }
    }

    /// Whether it writes East Asian texts, so that bytes of another charset seldom read in it by accident.
    pub(super) fn is_eastern(self) -> bool {
        use encoding_rs::EUC_JP;
        match self {
            Self::Standard(it) => [GB18030, BIG5, EUC_JP, EUC_KR, SHIFT_JIS].contains(&it),
            _ => false,
        }
    }

    /// Whether its units have more than a byte: any run of bytes of the right length reads in it.
    pub(super) fn is_wide(self) -> bool {
        match self {
            Self::Standard(charset) => charset == UTF_16LE || charset == UTF_16BE,
            Self::Single(_) => false,
            Self::Utf32Little | Self::Utf32Big => true,
        }
    }
}

fn standard<'a>(charset: &'static Encoding, bytes: &'a [u8]) -> (Cow<'a, str>, usize) {
    let (text, damaged) = charset.decode_without_bom_handling(bytes);
    if !damaged {
        return (text, 0);
    }
    let marks = memmem::find_iter(text.as_bytes(), "\u{fffd}").count();
    let own = if charset == UTF_8 {
        memmem::find_iter(bytes, "\u{fffd}").count()
    } else {
        0
    };
    (text, marks.saturating_sub(own))
}

fn single<'a>(table: &Table, bytes: &'a [u8]) -> (Cow<'a, str>, usize) {
    let mut all = ['\u{fffd}'; 256];
    let given = table.characters.chars().count();
    for (place, byte) in all.iter_mut().zip(0..128_u8) {
        *place = char::from(byte);
    }
    for (place, c) in all
        .iter_mut()
        .skip(256 - given)
        .zip(table.characters.chars())
    {
        // EBCDIC's line end, which is none to anything that reads text.
        *place = if given == 256 && c == '\u{85}' {
            '\n'
        } else {
            c
        };
    }
    let mut replaced = 0;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let c = all.get(usize::from(*byte)).copied().unwrap_or('\u{fffd}');
        replaced += usize::from(c == '\u{fffd}');
        text.push(c);
    }
    (Cow::Owned(text), replaced)
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> (Cow<'_, str>, usize) {
    let (units, rest) = bytes.as_chunks::<4>();
    let mut replaced = usize::from(!rest.is_empty());
    let mut text = String::with_capacity(units.len());
    for unit in units {
        let c = char::from_u32(read(*unit));
        replaced += usize::from(c.is_none());
        text.push(c.unwrap_or('\u{fffd}'));
    }
    if !rest.is_empty() {
        text.push('\u{fffd}');
    }
    (Cow::Owned(text), replaced)
}

/// The charset a label means: the labels browsers know, and those that only appear in the wild, in any case and
/// spelling (`CP_936`, `ibm-037`). `hz-gb-2312`, `utf-7` and the like, whose texts pass for ASCII, are none.
pub fn charset(label: &str) -> Option<Charset> {
    use Charset::{Single, Standard, Utf32Big, Utf32Little};
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    // "replacement" would read everything as one error: no label at all.
    let standard = Encoding::for_label_no_replacement(label.as_bytes())
        .or_else(|| Encoding::for_label_no_replacement(label.replace('_', "-").as_bytes()));
    if let Some(charset) = standard {
        // GB18030 holds all of GBK and GB 2312.
        return Some(Standard(if charset == GBK { GB18030 } else { charset }));
    }
    let key = key(&label);
    Some(match key.as_str() {
        "cp936" | "936" | "windows936" | "ms936" | "gb180302000" | "gb180302005"
        | "gb180302022" | "gb13000" | "euccn" => Standard(GB18030),
        "cp950" | "950" | "windows950" | "ms950" | "euctw" | "big5eten" | "big5hk" => {
            Standard(BIG5)
        }
        "utf8mb4" | "unicode11utf8" => Standard(UTF_8),
        "cp932" | "932" | "windows932" => Standard(SHIFT_JIS),
        "cp949" | "949" | "windows949" | "ms949" | "uhc" => Standard(EUC_KR),
        "macroman" | "mac" => Standard(MACINTOSH),
        "maccyrillic" => Standard(X_MAC_CYRILLIC),
        "utf32" | "utf32le" | "ucs4le" => Utf32Little,
        "utf32be" | "ucs4" | "ucs4be" | "iso10646ucs4" | "csucs4" => Utf32Big,
        key => Single(
            TABLES
                .iter()
                .find(|table| table.labels.split(' ').any(|label| label == key))?,
        ),
    })
}

/// A label without what differs between its spellings: case, punctuation, leading zeros (UTS #22 §1.4).
fn key(label: &str) -> String {
    let mut key = String::with_capacity(label.len());
    for c in label.chars().filter(char::is_ascii_alphanumeric) {
        if c != '0' || key.ends_with(|last: char| last.is_ascii_digit()) {
            key.push(c.to_ascii_lowercase());
        }
    }
    key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;

    #[test]
    fn labels_of_many_spellings_mean_one_charset() {
        let check = |label: &str, name: Option<&str>| {
            assert_eq!(charset(label).map(Charset::name), name, "{label}");
        };
        check(" \"GB2312\"", Some("gb18030"));
        check("CP_936", Some("gb18030"));
        check("EUC-TW", Some("Big5"));
        check("big5-hkscs", Some("Big5"));
        check("windows_1251", Some("windows-1251"));
        check("IBM-037", Some("cp037"));
        check("ebcdic_cp_us", Some("cp037"));
        check("437", Some("cp437"));
        check("cspc8codepage437", Some("cp437"));
        check("x-mac-ce", Some("mac-latin2"));
        check("utf-32be", Some("UTF-32BE"));
        check("utf-16", Some("UTF-16LE"));
        for none in ["", "hz-gb-2312", "utf-7", "nosuch", "0", "8"] {
            check(none, None);
        }
    }

    #[test]
    fn no_label_means_two_tables_and_every_table_is_whole() {
        let mut seen = std::collections::HashSet::new();
        for table in TABLES {
            let count = table.characters.chars().count();
            assert!([128, 256].contains(&count), "{}: {count}", table.name);
            assert!(
                charset(table.name) == Some(Charset::Single(table)),
                "{}",
                table.name
            );
            for label in table.labels.split(' ') {
                assert_eq!(key(label), label, "{}", table.name);
                assert!(seen.insert(label), "{label} of {}", table.name);
            }
        }
    }

    #[test]
    fn single_bytes_read_as_their_tables_say() {
        let check = |label: &str, bytes: &[u8], expected: (&str, usize)| {
            let (text, replaced) = charset(label).unwrap().lossy(bytes);
            assert_eq!((text.as_ref(), replaced), expected, "{label}");
        };
        check("cp437", b"a<\x80\xe1\xff", ("a<Çß\u{a0}", 0));
        check("cp866", b"\x80\xe0", ("Ар", 0));
        check("koi8-t", b"\x80\x88\xc1", ("қ\u{fffd}а", 1));
        check("cp037", b"\x4c\x81\x6e\x15\x25", ("<a>\n\n", 0));
        check("cp1140", b"\x9f", ("€", 0));
        check("cp037", b"\x9f", ("¤", 0));
        check("utf-32le", b"-N\0\0\0\xf6\x01\0", ("中😀", 0));
        check(
            "utf-32be",
            b"\0\0\x4e\x2d\0\0\xd8\0\0",
            ("中\u{fffd}\u{fffd}", 2),
        );
    }
}
