//! The laws of the archive format (section 6).

use feedmill::model::content::{Content, ContentKind};
use feedmill::model::time::{Timestamp, Zone};
use feedmill::model::urls::PageUrl;
use feedmill::output::archive::{ArchiveFormat, FORMATS, Sheet, detect, format};
use proptest::prelude::*;

use super::{HTML, HUGO, TEXT, article, label, shanghai};

/// L1 for one file: whatever the parser accepts comes back byte for byte.
pub fn holds_l1(known: &dyn ArchiveFormat, bytes: &[u8]) -> bool {
    let Ok(sheet) = known.parse(bytes, &shanghai()) else {
        return false;
    };
    let again = known.render(&sheet, &shanghai());
    assert_eq!(
        again.as_deref(),
        Ok(bytes),
        "{}",
        String::from_utf8_lossy(bytes)
    );
    true
}

/// Breaks the bytes in turn, each in many ways if `thorough`; the parser refuses, or gives the broken bytes back. Returns how often it refused.
pub fn mutate(known: &dyn ArchiveFormat, bytes: &[u8], thorough: bool) -> usize {
    let mut refused = 0;
    let mut broken = bytes.to_vec();
    for (i, byte) in bytes.iter().enumerate() {
        // A long body is the same all through: of a real file its head whole, then samples.
        if !thorough && i > 700 && i % 7 != 0 {
            continue;
        }
        let others: &[u8] = if thorough {
            &[
                byte ^ 1,
                byte ^ 0x20,
                byte ^ 0x80,
                b'\n',
                b'"',
                b'\\',
                b']',
                b' ',
                b'0',
                0,
            ]
        } else if i % 2 == 0 {
            &[byte ^ 1]
        } else {
            b"\n"
        };
        for other in others {
            broken[i] = *other;
            refused += usize::from(!holds_l1(known, &broken));
        }
        broken[i] = *byte;
        if thorough {
            for insert in [*byte, b'\n', b' ', b'\\'] {
                let mut longer = bytes.to_vec();
                longer.insert(i, insert);
                refused += usize::from(!holds_l1(known, &longer));
            }
            let mut shorter = bytes.to_vec();
            shorter.remove(i);
            refused += usize::from(!holds_l1(known, &shorter));
            refused += usize::from(!holds_l1(known, &bytes[..i]));
        }
    }
    refused
}

#[test]
fn no_broken_byte_is_repaired_in_silence() {
    for (name, file) in [("hugo", HUGO), ("html", HTML), ("text", TEXT)] {
        let known = format(name).unwrap();
        assert!(holds_l1(known, file.as_bytes()), "{name}");
        assert!(
            mutate(known, file.as_bytes(), true) > file.len() / 2,
            "{name} accepts too much"
        );
    }
}

/// Titles and paragraphs from the characters that break formats.
fn nasty() -> impl Strategy<Value = String> {
    let alphabet = vec![
        "\"", "\\", "\t", ":", "#", "-", "---", "[", "]", "(", ")", "](", "*", "_", "“", "”", "「",
        "」", "\u{a0}", "　", "\u{2028}", "\u{85}", "\u{1f}", "\u{feff}", "\u{ffff}", "😀", "a",
        "中", " ", "\\n", "'", "<!--", "------", "x",
    ];
    prop::collection::vec(prop::sample::select(alphabet), 0..12).prop_map(|parts| parts.concat())
}

fn sheet_of(kind: ContentKind, text: String) -> Sheet {
    Sheet::of(Content { kind, text })
}

proptest! {
    #[test]
    fn hugo_sheets_come_back(
        strings in prop::collection::vec(nasty(), 5), title in nasty(), breaks in nasty(),
        paragraphs in prop::collection::vec(nasty(), 0..5), secs in -2_000_000_000_i64..4_000_000_000,
    ) {
        let [label, language, link, summary, thumbnail] = strings.try_into().unwrap();
        let body: Vec<String> = paragraphs.into_iter().filter(|text| !text.is_empty()).collect();
        let sheet = Sheet {
            label, language, link, summary, thumbnail,
            title: title + "\n\r" + &breaks,
            published: Some(Timestamp::from_secs(secs)),
            ..sheet_of(ContentKind::HugoBlocks, body.join("\n\n"))
        };
        // UTC, because no wall-clock time comes twice there.
        let known = format("hugo").unwrap();
        let bytes = known.render(&sheet, &Zone::utc()).unwrap();
        prop_assert_eq!(known.parse(&bytes, &Zone::utc()).unwrap(), sheet);
        prop_assert_eq!(detect(&bytes).unwrap().name(), "hugo");
    }

    #[test]
    fn html_sheets_come_back(title in nasty(), body in nasty(), path in nasty(), millis in any::<i64>()) {
        let mut stored = article(&title, Content::html(body + "x"));
        stored.article.published = Some(Timestamp::from_millis(millis));
        stored.article.link = PageUrl::parse("https://x.example/").unwrap().join(&format!("/a/{path}")).ok();
        let known = format("html").unwrap();
        let sheet = known.sheet(&stored, &label()).unwrap();
        let bytes = known.render(&sheet, &shanghai()).unwrap();
        prop_assert_eq!(known.parse(&bytes, &shanghai()).unwrap(), sheet);
        prop_assert_eq!(detect(&bytes).unwrap().name(), "html");
    }

    #[test]
    fn text_sheets_come_back(blocks in prop::collection::vec(prop_oneof![Just(String::new()), nasty()], 0..8)) {
        let text = blocks.join("\n\n");
        let sheet = sheet_of(ContentKind::TextBlocks, text.clone());
        let known = format("text").unwrap();
        if let Ok(bytes) = known.render(&sheet, &shanghai()) {
            prop_assert_eq!(known.parse(&bytes, &shanghai()).unwrap(), sheet);
        } else {
            let marked = text.starts_with('\u{feff}');
            prop_assert!(marked || blocks.iter().all(String::is_empty), "refused {:?}", text);
        }
    }

    /// Lines of the formats, shuffled: whatever is accepted comes back.
    #[test]
    fn any_lines_hold_l1(
        head in prop::sample::select(vec!["", "---\n", "<!--1-->\n[a](b)\n------\n\n", &HUGO[..HUGO.find("【本").unwrap()], TEXT]),
        lines in prop::collection::vec(prop::sample::select(vec![
            "\n", "\n\n", "a", "中\n", "[qq](x)\n", "[qq](x", ")", "---\n", "\r", "\u{feff}", "![x](y)", "<p>", " ", "\"",
        ]), 0..10),
    ) {
        let file = head.to_owned() + &lines.concat();
        for known in FORMATS {
            holds_l1(*known, file.as_bytes());
        }
    }
}
