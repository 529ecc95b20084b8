//! Made-up feeds written as bytes, in charsets feeds come in, with one evidence right and the others absent or wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS};
use feedmill::model::entry::{Lead, Listing};
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::urls::PageUrl;
use feedmill::rules::charset::{Evidence, Kind, decode, read};
use feedmill::source::Source;
use feedmill::source::feed::Feed;
use proptest::prelude::*;

fn listing(bytes: &[u8], http: Option<&str>, order: Option<&str>) -> Listing {
    let subscription = Subscription {
        charset: order.map(str::to_owned),
        ..Subscription::new("test".parse().unwrap(), "feed")
    };
    let page = Page {
        url: PageUrl::parse("https://page.example/feed").unwrap(),
        media_type: None,
        charset: http.map(str::to_owned),
        links: Vec::new(),
        bytes: bytes.to_vec(),
    };
    Feed.read(&subscription, &page).unwrap()
}

/// The title of the only entry, and the notes.
fn titled(bytes: &[u8], http: Option<&str>, order: Option<&str>) -> (String, Vec<String>) {
    let listing = listing(bytes, http, order);
    let [Lead::Whole(draft)] = &listing.leads[..] else {
        panic!("{listing:?}")
    };
    (draft.title.clone().unwrap(), listing.notes)
}

fn document(declared: Option<&str>, title: &[u8]) -> Vec<u8> {
    let declared = declared.map_or(String::new(), |label| format!(" encoding='{label}'"));
    [
        format!("<?xml version='1.0'{declared}?><rss><channel><item><title>").as_bytes(),
        title,
        b"</title></item></channel></rss>",
    ]
    .concat()
}

/// Label, the charset's name, a title, and its bytes as another implementation (Python's codecs) writes them.
const TITLES: [(&str, &str, &str, &[u8]); 7] = [
    (
        "GB18030",
        "gb18030",
        "〇㐀龦𠀀€的新聞",
        b"\xa9\x96\x819\xee9\x825\x8f3\x952\x826\xa2\xe3\xb5\xc4\xd0\xc2\xc2\x84",
    ),
    (
        "gb2312",
        "gb18030",
        "中文新闻的消息",
        b"\xd6\xd0\xce\xc4\xd0\xc2\xce\xc5\xb5\xc4\xcf\xfb\xcf\xa2",
    ),
    (
        "big5-hkscs",
        "Big5",
        "香港嘅嘢喺咁㗎",
        b"\xad\xbb\xb4\xe4\x9d\xef\x9d\xcf\x9d\xf6\xcb\xdd\x9d\xee",
    ),
    (
        "shift_jis",
        "Shift_JIS",
        "東京の①ﾆｭｰｽ",
        b"\x93\x8c\x8b\x9e\x82\xcc\x87@\xc6\xad\xb0\xbd",
    ),
    (
        "euc-kr",
        "EUC-KR",
        "서울의 뷁뉴스",
        b"\xbc\xad\xbf\xef\xc0\xc7 \x94\xee\xb4\xba\xbd\xba",
    ),
    (
        "euc-jp",
        "EUC-JP",
        "東京のニュース",
        b"\xc5\xec\xb5\xfe\xa4\xce\xa5\xcb\xa5\xe5\xa1\xbc\xa5\xb9",
    ),
    ("ibm437", "cp437", "Café ┌─┐", b"Caf\x82 \xda\xc4\xbf"),
];

#[test]
fn a_short_title_needs_one_right_label_and_no_more() {
    for (label, name, title, bytes) in TITLES {
        for (http, declared, evidence) in [
            (Some(label), None, "HTTP header"),
            (Some(label), Some("utf-8"), "HTTP header"),
            (None, Some(label), "declaration"),
            (Some("utf-8"), Some(label), "declaration"),
            (Some("iso-8859-1"), Some(label), "declaration"),
            (Some("no such"), Some(label), "declaration"),
        ] {
            let (read, notes) = titled(&document(declared, bytes), http, None);
            assert_eq!(read, title, "HTTP {http:?}, declared {declared:?}");
            assert_eq!(notes, [format!("charset: {name} by {evidence}")], "{label}");
        }
    }
}

#[test]
fn an_order_is_heard_before_all_evidence() {
    for (label, name, title, bytes) in TITLES {
        let wrong = document(Some("windows-1252"), bytes);
        let (read, notes) = titled(&wrong, Some("iso-8859-5"), Some(label));
        assert_eq!(read, title);
        assert_eq!(
            notes,
            [format!("charset: {name} by the subscription's order")]
        );
    }
    // Also against what the bytes plainly are: it is an order.
    let (read, _) = titled(&document(None, "新闻".as_bytes()), None, Some("gbk"));
    assert_eq!(read, "鏂伴椈");
}

#[test]
fn wide_charsets_are_known_by_their_mark_or_their_zeros() {
    let text = String::from_utf8(document(Some("LABEL"), "中文😀".as_bytes())).unwrap();
    let wide = |label: &str| text.replace("LABEL", label);
    let utf16 = |label: &str, from: fn(u16) -> [u8; 2]| -> Vec<u8> {
        wide(label).encode_utf16().flat_map(from).collect()
    };
    let utf32 = |label: &str, from: fn(u32) -> [u8; 4]| -> Vec<u8> {
        wide(label).chars().map(u32::from).flat_map(from).collect()
    };
    let check = |mark: &[u8], bytes: &[u8], name: &str| {
        for (mark, evidence) in [
            (mark, "byte order mark"),
            (&[][..], "the look of the bytes"),
        ] {
            let marked = [mark, bytes].concat();
            for http in [None, Some("gbk"), Some("utf-8"), Some("utf-16")] {
                let (title, notes) = titled(&marked, http, None);
                assert_eq!(title, "中文😀", "{name} by {evidence}, HTTP {http:?}");
                assert_eq!(notes, [format!("charset: {name} by {evidence}")]);
            }
        }
    };
    check(b"\xff\xfe", &utf16("utf-16", u16::to_le_bytes), "UTF-16LE");
    check(b"\xfe\xff", &utf16("gb2312", u16::to_be_bytes), "UTF-16BE");
    check(
        b"\xff\xfe\0\0",
        &utf32("utf-32", u32::to_le_bytes),
        "UTF-32LE",
    );
    check(
        b"\0\0\xfe\xff",
        &utf32("ucs-4", u32::to_be_bytes),
        "UTF-32BE",
    );
}

#[test]
fn ebcdic_is_known_by_its_first_tag() {
    // `<?xml version="1.0" encoding="LABEL"?><rss><channel><item><title>Café [x]</title></item></channel></rss>`, all
    // that differs between the two being the brackets.
    let start: &[u8] =
        b"\x4c\x6f\xa7\x94\x93\x40\xa5\x85\x99\xa2\x89\x96\x95\x7e\x7f\xf1\x4b\xf0\x7f\x40\
        \x85\x95\x83\x96\x84\x89\x95\x87\x7e\x7f\x83\x97";
    let middle: &[u8] =
        b"\x7f\x6f\x6e\x4c\x99\xa2\xa2\x6e\x4c\x83\x88\x81\x95\x95\x85\x93\x6e\x4c\x89\xa3\x85\x94\
        \x6e\x4c\xa3\x89\xa3\x93\x85\x6e\xc3\x81\x86\x51\x40";
    let end: &[u8] = b"\x4c\x61\xa3\x89\xa3\x93\x85\x6e\x4c\x61\x89\xa3\x85\x94\x6e\x4c\x61\x83\x88\x81\x95\x95\x85\
        \x93\x6e\x4c\x61\x99\xa2\xa2\x6e";
    let check = |digits: &[u8], brackets: [u8; 2], name: &str| {
        let [open, close] = brackets;
        let bytes = [start, digits, middle, &[open, 0xa7, close], end].concat();
        let (title, notes) = titled(&bytes, None, None);
        assert_eq!(title, "Café [x]", "{name}");
        assert_eq!(notes, [format!("charset: {name} by declaration")]);
    };
    check(b"\xf0\xf3\xf7", [0xba, 0xbb], "cp037");
    check(b"\xf5\xf0\xf0", [0x4a, 0x5a], "cp500");
}

#[test]
fn texts_misread_before_they_were_published_are_mended_and_noted() {
    let (title, notes) = titled(&document(None, "ä¸\u{ad}æ–‡æ–°é—»".as_bytes()), None, None);
    assert_eq!(title, "中文新闻");
    assert_eq!(notes, ["mended: 1 texts in the bytes of another charset"]);
}

/// A charset with characters it has all of.
fn charsets() -> impl Strategy<Value = (&'static Encoding, &'static str, String)> {
    prop_oneof![
        Just((GB18030, "gb18030", "[一-龥㐀-䶵，。a-z]{5,200}")),
        Just((
            GB18030,
            "gb2312",
            "[的一是不了人我在有他这中文新闻消息城市天气]{5,200}"
        )),
        Just((
            BIG5,
            "big5",
            "[的一是不了人我在有他這個們中來上大為和國地到以說時要就]{5,200}"
        )),
        Just((
            SHIFT_JIS,
            "shift_jis",
            "[ぁ-んァ-ヶ日本東京新聞、。ｱ-ﾝa-z]{5,200}"
        )),
        Just((EUC_JP, "euc-jp", "[ぁ-んァ-ヶ日本東京新聞、。a-z]{5,200}")),
        Just((EUC_KR, "euc-kr", "[가-힣 a-z]{5,200}")),
    ]
    .prop_flat_map(|(charset, label, pattern)| (Just(charset), Just(label), pattern))
}

proptest! {
    #[test]
    fn what_one_evidence_names_rightly_is_read_without_loss((charset, label, text) in charsets()) {
        let (bytes, _, lost) = charset.encode(&text);
        prop_assume!(!lost);
        let by_http = decode(&bytes, Some(label), Kind::Json);
        prop_assert_eq!(by_http.text.as_ref(), text.as_str());
        let ordered = read(&bytes, Some(label), Some("utf-8"), Kind::Html);
        prop_assert_eq!((ordered.text.as_ref(), ordered.evidence), (text.as_str(), Evidence::Order));
        let page = format!("<meta charset={label}>");
        let declared = [page.as_bytes(), &bytes].concat();
        let by_meta = decode(&declared, Some("no such"), Kind::Html);
        prop_assert_eq!(by_meta.text.as_ref(), page + &text);
    }

    #[test]
    fn valid_utf_8_is_read_without_loss_whatever_is_said(text in "[一-龥，。é→😀a-z]{3,200}", label in "(gbk|big5|utf-16|cp437|iso-8859-1|x)") {
        prop_assume!(text.chars().any(|c| c.len_utf8() > 2));
        let got = decode(text.as_bytes(), Some(&label), Kind::Json);
        prop_assert_eq!((got.text.as_ref(), got.replaced), (text.as_str(), 0));
    }
}
