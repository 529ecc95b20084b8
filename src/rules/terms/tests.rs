#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &str, found: &[&str]) {
    let text = SearchText::of(text);
    assert_eq!(text.as_str(), expected);
    assert_eq!(terms([&text]), found);
}

#[test]
fn words_stay_whole_and_runs_become_pairs() {
    check("Hello, World!", "hello world", &["hello", "world"]);
    check("漢語、汉语", "汉语 汉语", &["汉语"]);
    check("用 iPhone 拍照", "用iphone拍照", &["iphone", "拍照"]);
    check("iPhone16手机", "iphone16手机", &["iphone", "16", "手机"]);
    check("ＡＢＣ　１２３", "abc 123", &["abc", "123"]);
    check("第 3 章。完", "第3章 完", &["3"]);
    check("한국어 뉴스", "한국어 뉴스", &["한국", "국어", "뉴스"]);
    check("ภาษาไทย", "ภาษาไทย", &["ภา", "าษ", "ษา", "าไ", "ไท", "ทย"]);
    check(
        "たべる ヨミ",
        "たべるヨミ",
        &["たべ", "べる", "るヨ", "ヨミ"],
    );
    check(
        "\u{20000}\u{20001}",
        "\u{20000}\u{20001}",
        &["\u{20000}\u{20001}"],
    );
    check("हिन्दी में", "हिनदी में", &["हिनदी", "में"]);
    check("e\u{301}té don't", "été don t", &["été", "don", "t"]);
    check(
        "zero\u{200B}width\u{202E}marks",
        "zerowidthmarks",
        &["zerowidthmarks"],
    );
    check("😀 a 😀 b", "a b", &["a", "b"]);
    check("，。！", "", &[]);
    check("", "", &[]);
}

#[test]
fn a_phrase_does_not_cross_what_parts_words() {
    let text = SearchText::of("今天下雨。明天晴，風大 North-West wind 2026");
    let has = |needle: &str| text.has(&SearchText::of(needle), false);
    for there in [
        "下雨",
        "雨",
        "下雨。明天",
        "风大north",
        "north west",
        "WIND",
        "2026",
        "晴",
    ] {
        assert!(has(there), "{there}");
    }
    for not in ["雨明", "nor", "west 2026", "202", "est", "", "。"] {
        assert!(!has(not), "{not}");
    }
    assert!(text.has(&SearchText::of("nor"), true));
    assert!(text.has(&SearchText::of("天晴，风大nor"), true));
    assert!(!text.has(&SearchText::of("est"), true));
    // The first place is inside a longer word.
    let text = SearchText::of("ananas anan");
    assert!(text.has(&SearchText::of("anan"), false));
    assert_eq!(text.places(&SearchText::of("anan"), false).count(), 1);
}

#[test]
fn a_hit_is_found_again_in_the_text_as_published() {
    let original = "（本報訊）氣象台\u{200B}：ﬁne e\u{301}té ㎏ 驟雨 iPhone";
    let mapped = Mapped::of(original);
    assert_eq!(mapped.text, SearchText::of(original));
    for (needle, shown) in [
        ("气象", "氣象"),
        ("台", "台\u{200B}"),
        ("été", "e\u{301}té"),
        ("fine", "ﬁne"),
        ("kg骤雨", "㎏ 驟雨"),
        ("骤雨iphone", "驟雨 iPhone"),
    ] {
        let needle = SearchText::of(needle);
        let place = mapped.text.places(&needle, false).next().unwrap();
        assert_eq!(&original[mapped.original(&place)], shown);
    }
}

#[test]
fn terms_of_what_is_asked_are_bounded() {
    let long = SearchText::of(&"天地玄黄宇宙洪荒".repeat(100));
    assert!(asked(&long, false).len() <= MOST);
    let word = "x".repeat(5000);
    let text = SearchText::of(&word);
    assert_eq!(terms([&text]), [&word[..LONGEST]]);
    assert_eq!(asked(&text, true)[0].text, word[..LONGEST]);
    assert!(!asked(&text, true)[0].prefix);
}

/// Texts in which scripts, marks, blanks and what is invisible meet.
fn mixed() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        3 => prop::sample::select("中国國新聞闻的ab1 2，。 \u{3000}".chars().collect::<Vec<_>>()),
        1 => prop::sample::select("\u{200B}\u{202E}e\u{301}\u{3099}か한\u{1100}\u{1161}ก\u{E31}\u{20000}ﬁ①😀\"*-:".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    prop::collection::vec(char, 0..30).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_that_has_a_needle_lacks_one_of_its_terms(
        text in mixed(), from in 0..30_usize, length in 1..9_usize, prefix: bool,
    ) {
        let text = SearchText::of(&text);
        let needle: String = text.as_str().chars().skip(from).take(length).collect();
        let needle = SearchText::of(&needle);
        if text.has(&needle, prefix) {
            let known = terms([&text]);
            for term in asked(&needle, prefix) {
                let there = known.iter().any(|known| {
                    if term.prefix { known.starts_with(&term.text) } else { *known == term.text }
                });
                prop_assert!(there, "{term:?} of {needle:?} in {text:?}");
            }
            let characters = characters([&text]);
            for character in super::characters([&needle]) {
                prop_assert!(characters.contains(&character));
            }
        }
    }

    #[test]
    fn the_map_tells_of_the_same_text_and_stays_inside_it(text in mixed()) {
        let mapped = Mapped::of(&text);
        prop_assert_eq!(&mapped.text, &SearchText::of(&text));
        let folded = mapped.text.as_str();
        let places: Vec<usize> = folded.char_indices().map(|(at, _)| at).chain([folded.len()]).collect();
        for pair in places.windows(2) {
            let original = mapped.original(&(pair[0]..pair[1]));
            prop_assert!(text.get(original).is_some());
        }
        // Folding again changes nothing but blanks that stand beside what was one character and is now two.
        let again = SearchText::of(folded);
        prop_assert_eq!(again.as_str().replace(' ', ""), folded.replace(' ', ""));
    }
}
