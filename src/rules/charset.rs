//! Bytes, what HTTP said and what the bytes say, to text, with the evidence kept.
//!
//! Labels lie more often than bytes do: caches re-save pages as UTF-8 and leave the old label on them, while text in
//! another charset is practically never valid UTF-8 by accident. So validity is asked before any label.

use std::borrow::Cow;
use std::str;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};
use memchr::memmem;

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
    /// The charset's WHATWG name.
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

/// Reads bytes as text: byte order mark, UTF-16 by its zero bytes, valid UTF-8, HTTP label, label in the document,
/// detection, windows-1252. A label counts only if everything reads under it; where nothing does, a charset under
/// which all but a trace reads is taken, and the damage counted (P-89 to P-91).
pub fn decode<'a>(bytes: &'a [u8], http_charset: Option<&str>, what: Kind) -> Decoded<'a> {
    if let Some((charset, length)) = Encoding::for_bom(bytes) {
        return lossy(
            charset,
            bytes.get(length..).unwrap_or_default(),
            Evidence::Bom,
        );
    }
    if let Some(charset) = utf16_by_zeros(bytes) {
        return lossy(charset, bytes, Evidence::Bytes);
    }
    let labels = [
        (http_charset.map(str::to_owned), Evidence::Http),
        (declared(bytes, what), Evidence::Declaration),
    ];
    // A seven-bit charset such as ISO-2022-JP passes for ASCII; only its escapes tell.
    let escapes = memchr::memchr(0x1b, bytes).is_some();
    if !escapes && let Ok(text) = str::from_utf8(bytes) {
        return clean(Cow::Borrowed(text), UTF_8, Evidence::Utf8Valid);
    }
    let mut candidates = vec![(UTF_8, Evidence::Bytes)];
    let mut weak = None;
    for (label, evidence) in labels {
        let Some(label) = label else { continue };
        match charset_named(&label) {
            // The default of old servers and templates: a word without information, unless nothing else speaks.
            Some(charset) if is_default(&label) => weak = weak.or(Some((charset, evidence))),
            Some(charset) => candidates.push((charset, evidence)),
            None => {}
        }
    }
    for &(charset, evidence) in candidates.iter().skip(1) {
        if let Some(text) = charset.decode_without_bom_handling_and_without_replacement(bytes) {
            return clean(text, charset, evidence);
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return clean(Cow::Borrowed(text), UTF_8, Evidence::Utf8Valid);
    }
    let guess = guessed(bytes);
    let eastern = [GB18030, BIG5, EUC_JP, EUC_KR, SHIFT_JIS].contains(&guess);
    let sure = |charset: &'static Encoding, evidence| {
        let text = charset.decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(clean(text, charset, evidence))
    };
    if eastern && let Some(decoded) = sure(guess, Evidence::Bytes) {
        return decoded;
    }
    // One stray byte must not turn a whole page into noise.
    if eastern {
        candidates.push((guess, Evidence::Bytes));
    }
    for (charset, evidence) in candidates {
        let decoded = lossy(charset, bytes, evidence);
        let foreign = decoded.text.bytes().filter(|b| *b >= 0xc0).count();
        if decoded.replaced * 20 <= foreign - decoded.replaced.min(foreign) {
            return decoded;
        }
    }
    // JSON is UTF-8 where nothing else is said (RFC 8259 §8.1), damaged or not.
    if what == Kind::Json && weak.is_none() {
        return lossy(UTF_8, bytes, Evidence::Fallback);
    }
    weak.and_then(|(charset, evidence)| sure(charset, evidence))
        .or_else(|| sure(guess, Evidence::Bytes))
        .unwrap_or_else(|| lossy(WINDOWS_1252, bytes, Evidence::Fallback))
}

/// The charset a label means. The labels browsers know, and those that only appear in the wild.
pub fn charset_named(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let charset = match label.as_str() {
        "cp936" | "windows-936" | "ms936" | "gb-2312" | "gb_2312" | "gb18030-2000" | "gb13000"
        | "euccn" | "euc-cn" => GB18030,
        "cp950" | "windows-950" | "ms950" | "euc-tw" | "big5hkscs" | "big5-eten" => BIG5,
        "utf8mb4" | "utf_8" | "unicode" => UTF_8,
        "cp932" | "windows-932" => SHIFT_JIS,
        "cp949" | "windows-949" | "ms949" => EUC_KR,
        // "replacement" (hz-gb-2312 and the like) would read everything as one error: no label at all.
        other => Encoding::for_label_no_replacement(other.as_bytes())?,
    };
    if charset == UTF_16LE || charset == UTF_16BE {
        // Without mark or zero bytes it is not UTF-16, whatever the label says: any even run of bytes reads as UTF-16.
        return None;
    }
    // GB18030 holds all of GBK and GB 2312.
    Some(if charset == GBK { GB18030 } else { charset })
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

fn clean<'a>(text: Cow<'a, str>, charset: &'static Encoding, evidence: Evidence) -> Decoded<'a> {
    Decoded {
        text,
        charset: charset.name(),
        evidence,
        replaced: 0,
    }
}

fn lossy<'a>(charset: &'static Encoding, bytes: &'a [u8], evidence: Evidence) -> Decoded<'a> {
    let (text, damaged) = charset.decode_without_bom_handling(bytes);
    let replaced = if damaged {
        let marks = memmem::find_iter(text.as_bytes(), "\u{fffd}").count();
        let own = if charset == UTF_8 {
            memmem::find_iter(bytes, "\u{fffd}").count()
        } else {
            0
        };
        marks.saturating_sub(own)
    } else {
        0
    };
    Decoded {
        text,
        charset: charset.name(),
        evidence,
        replaced,
    }
}

/// UTF-16 without a mark: markup starts with ASCII, so every other byte of its first characters is zero
/// (XML 1.0, appendix F).
fn utf16_by_zeros(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(UTF_16BE),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(UTF_16LE),
        _ => None,
    }
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // Never `last`: a text cut inside a character would count as damaged and lose to windows-1252.
    detector.feed(bytes.get(..DETECT_WITHIN).unwrap_or(bytes), false);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if guess == GBK { GB18030 } else { guess }
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;
    use proptest::prelude::*;

    fn check(
        bytes: &[u8],
        http: Option<&str>,
        what: Kind,
        expected: (&str, &str, Evidence, usize),
    ) {
        let got = decode(bytes, http, what);
        assert_eq!(
            (got.text.as_ref(), got.charset, got.evidence, got.replaced),
            expected
        );
    }

    #[test]
    fn each_kind_of_evidence_is_heard_in_its_turn() {
        use Evidence::{Bom, Bytes, Declaration, Fallback, Http, Utf8Valid};
        let gb = b"\xd6\xd0\xce\xc4"; // 中文
        check(
            "中文".as_bytes(),
            Some("gbk"),
            Kind::Xml,
            ("中文", "UTF-8", Utf8Valid, 0),
        );
        check(
            "\u{feff}中文".as_bytes(),
            Some("gbk"),
            Kind::Xml,
            ("中文", "UTF-8", Bom, 0),
        );
        check(
            b"\xff\xfe\x2d\x4e",
            Some("gbk"),
            Kind::Xml,
            ("中", "UTF-16LE", Bom, 0),
        );
        check(
            b"\0<\0a\x4e\x2d",
            None,
            Kind::Xml,
            ("<a中", "UTF-16BE", Bytes, 0),
        );
        check(
            gb,
            Some(" \"GB2312\""),
            Kind::Json,
            ("中文", "gb18030", Http, 0),
        );
        for page in [
            "<meta charset=gbk>",
            "<META http-equiv=x content='text/html; charset = \"cp936\"'>",
        ] {
            let text = format!("{page}中文");
            let bytes = [page.as_bytes(), gb].concat();
            let label = if page.contains("cp936") {
                Some("hz-gb-2312")
            } else {
                None
            };
            check(
                &bytes,
                label,
                Kind::Html,
                (&text, "gb18030", Declaration, 0),
            );
        }
        check(
            b"caf\xe9",
            Some("iso-8859-1"),
            Kind::Html,
            ("café", "windows-1252", Http, 0),
        );
        check(
            b"\x1b$B4A\x1b(B",
            Some("iso-2022-jp"),
            Kind::Html,
            ("漢", "ISO-2022-JP", Http, 0),
        );
        check(b"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xff",
            None, Kind::Html, (&format!("{}\u{fffd}", "中".repeat(21)), "UTF-8", Bytes, 1));
        check(
            b"{\"caf\xe9\"}",
            None,
            Kind::Json,
            ("{\"caf\u{fffd}\"}", "UTF-8", Fallback, 1),
        );
    }

    #[test]
    fn a_label_beyond_the_first_kilobyte_or_of_utf_16_is_no_label() {
        let late = [&[b' '; 1100][..], b"<meta charset=gbk>"].concat();
        assert_eq!(declared(&late, Kind::Html), None);
        assert_eq!(charset_named("utf-16"), None);
        assert_eq!(charset_named("hz-gb-2312"), None);
        assert_eq!(charset_named("EUC-TW"), Some(BIG5));
    }

    #[test]
    fn valid_text_is_borrowed() {
        assert!(matches!(
            decode("中文".as_bytes(), None, Kind::Xml).text,
            Cow::Borrowed(_)
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_and_label_return(bytes in prop::collection::vec(any::<u8>(), 0..300), label in "\\PC{0,12}") {
            let _ = decode(&bytes, Some(&label), Kind::Html);
            let _ = decode(&[b"<?xml encoding='gbk'?>", bytes.as_slice()].concat(), None, Kind::Xml);
        }

        #[test]
        fn text_survives_its_charset(text in "[一-龥，。]{30,200}", gb in any::<bool>()) {
            let charset = if gb { GB18030 } else { UTF_8 };
            let label = if gb { "gb2312" } else { "big5" };
            let bytes = charset.encode(&text).0;
            let got = decode(&bytes, Some(label), Kind::Json);
            prop_assert_eq!(got.text.as_ref(), text.as_str());
        }
    }
}
