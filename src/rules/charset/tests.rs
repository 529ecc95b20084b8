#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
use super::*;
use proptest::prelude::*;

fn check(bytes: &[u8], http: Option<&str>, what: Kind, expected: (&str, &str, Evidence, usize)) {
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
    let long = "中文".repeat(20);
    let got = decode(long.as_bytes(), Some("utf-16"), Kind::Html);
    assert_eq!(
        (got.text.as_ref(), got.evidence),
        (long.as_str(), Evidence::Utf8Valid)
    );
}

#[test]
fn p_91_a_stray_byte_costs_one_character_whatever_the_labels_say() {
    let text = "这是一段有一个坏字节的文字，".repeat(5);
    let stray = [text.as_bytes(), b"\xe9", text.as_bytes()].concat();
    let expected = format!("{text}\u{fffd}{text}");
    for label in [
        "utf-8",
        "gbk",
        "big5",
        "windows-1252",
        "cp437",
        "iso-8859-1",
        "x",
    ] {
        let got = decode(&stray, Some(label), Kind::Html);
        assert_eq!(
            (got.text.as_ref(), got.replaced),
            (expected.as_str(), 1),
            "{label}"
        );
    }
    // With a label, fewer whole characters are enough.
    check(
        b"a\xe2\x80\x99b\xa9",
        Some("utf-8"),
        Kind::Html,
        ("a’b\u{fffd}", "UTF-8", Evidence::Http, 1),
    );
    let gb = GB18030.encode(&text).0;
    let stray = [&gb[..], b"\xff", &gb].concat();
    let got = decode(&stray, Some("gb2312"), Kind::Html);
    assert_eq!(
        (got.text.as_ref(), got.charset),
        (expected.as_str(), "gb18030")
    );
    check(
        b"\xd6\xd0\xce",
        Some("gbk"),
        Kind::Json,
        ("中\u{fffd}", "gb18030", Evidence::Http, 1),
    );
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

/// Made-up news, some sixty characters each.
const NEWS: [(&str, &str, &str); 9] = [
    (
        "gb18030",
        "市政府昨天宣布，新的地铁线路将于明年三月开通，全长二十八公里，沿线设有十九座车站，预计每天有四十万人乘坐。",
        "big5",
    ),
    (
        "gbk",
        "记者从有关部门了解到，今年前三个季度的出口总额比去年同期增长了百分之五，其中电子产品的份额最大。",
        "shift_jis",
    ),
    (
        "gb2312",
        "专家认为，这个问题不是一两天可以解决的，需要时间，也需要大家的共同努力和政府的支持。",
        "euc-kr",
    ),
    (
        "big5",
        "香港天文台表示，颱風將於明日下午在本港以南約二百公里掠過，市民應該留意最新的天氣消息，不要前往海邊。",
        "gb18030",
    ),
    (
        "big5-hkscs",
        "立法會議員認為，政府應該就這個問題盡快提出方案，讓市民知道新的措施何時可以實行，又會有甚麼好處。",
        "euc-jp",
    ),
    (
        "shift_jis",
        "東京の中心部では昨日の午後、強い雨が降り、一部の電車が止まりました。けが人はいないということです。",
        "gb18030",
    ),
    (
        "euc-jp",
        "新しい図書館は来年の春に開館する予定で、子どものための本が多く、誰でも無料で利用することができます。",
        "big5",
    ),
    (
        "euc-kr",
        "서울시는 내년 봄부터 새로운 버스 노선을 시작한다고 밝혔다. 시민들은 더 빠르게 이동할 수 있을 것으로 보인다.",
        "gb2312",
    ),
    (
        "koi8-r",
        "Вчера в городе открылась новая библиотека, в которой можно не только читать книги, но и слушать музыку и смотреть кино.",
        "windows-1251",
    ),
];

/// A made-up feed of these words, as bytes, its declaration naming this charset.
fn feed(words: &str, charset: &str, declared: Option<&str>) -> (String, Vec<u8>) {
    let declared = declared.map_or(String::new(), |label| format!(" encoding=\"{label}\""));
    let text = format!(
        "<?xml version=\"1.0\"{declared}?><rss><channel><title>{words}</title></channel></rss>"
    );
    let Some(Charset::Standard(encoding)) = named(charset) else {
        panic!("{charset}")
    };
    let (bytes, _, lost) = encoding.encode(&text);
    assert!(!lost, "{charset}");
    (text.clone(), bytes.into_owned())
}

#[test]
fn p_90_one_right_evidence_is_enough() {
    for (charset, words, wrong) in NEWS {
        let name = named(charset).unwrap().name();
        // KOI8-R and the Cyrillic of Windows read each other's bytes; only most evidence is heard there.
        let western = charset == "koi8-r";
        for (http, declared) in [
            (Some(charset), None),
            (None, Some(charset)),
            (Some(charset), Some(wrong)),
            (Some(wrong), Some(charset)),
            (Some(charset), Some("utf-8")),
            (Some("utf-8"), Some(charset)),
            (Some("iso-8859-1"), Some(charset)),
            (Some("nosuch"), Some(charset)),
            (None, None),
            (Some(wrong), None),
            (None, Some(wrong)),
            (Some(wrong), Some(wrong)),
            (Some("windows-1252"), None),
            (Some("iso-8859-1"), Some("us-ascii")),
            (Some("utf-16"), Some("utf-8")),
        ] {
            if western && http != Some(charset) && declared != Some(charset) {
                continue;
            }
            let (text, bytes) = feed(words, charset, declared);
            let got = decode(&bytes, http, Kind::Xml);
            assert_eq!(
                got.text, text,
                "{charset}: HTTP {http:?}, declared {declared:?}, read as {got:?}"
            );
            assert_eq!(
                got.charset, name,
                "{charset}: HTTP {http:?}, declared {declared:?}"
            );
        }
    }
}
