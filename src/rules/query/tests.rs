#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Query {
    Query::parse(text, &Zone::utc()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An article of feed `wire`, tagged `World` and `时政`, of noon on 2026-03-04.
fn matches(query: &str) -> bool {
    let of = SearchText::of;
    let texts = Searchable {
        title: of("颱風來襲：Typhoon Alert 5"),
        body: of("氣象台今天發佈警報。沿海地區「停課」，see iPhone16 notes."),
        authors: vec![of("陳大文"), of("Ann Lee")],
        categories: vec![of("天氣")],
    };
    let tags = ["World".to_owned(), "时政".to_owned()];
    let feed: FeedId = "wire".parse().unwrap();
    let date = Timestamp::from_secs(1_772_625_600);
    assert_eq!(date.rfc3339(), "2026-03-04T12:00:00Z");
    let query = parse(query);
    let found = query.matches(&Haystack {
        texts: &texts,
        feed: &feed,
        tags: &tags,
        date,
    });
    assert!(!found || query.possible(&feed, &tags, Some(date)));
    assert!(!query.possible(&feed, &tags, Some(date)) || query.possible(&feed, &tags, None));
    found
}

#[test]
fn words_phrases_and_fields_are_conditions_that_must_all_hold() {
    for yes in [
        "台风",
        "颱風 气象台",
        "风",
        "typhoon",
        "TYPHOON alert",
        "\"typhoon alert\"",
        "ｔｙｐｈｏｏｎ",
        "typh*",
        "\"typhoon al\"*",
        "-地震",
        "台风 -地震",
        "title:台风",
        "title:\"typhoon alert\"",
        "-title:气象",
        "source:wire",
        "SOURCE：ＷＩＲＥ",
        "-source:other",
        "tag:world",
        "tag:時政 OR tag:时政",
        "author:陈大文",
        "author:lee",
        "category:天气",
        "after:2026-03-04",
        "before:2026-03-05",
        "after:2026 before:2027",
        "after:2026-03 -after:2026-04",
        "地震 OR 台风 气象",
        "气象 地震 OR 台风",
        "iphone16",
        "iphone",
        "16",
        "“typhoon alert”",
        "「停课」",
        "＂typhoon alert＂",
        "台风　气象",
        "台风 AND 气象",
        "台风 & 气象",
        "\u{200F}台\u{200B}风",
        "(台风)",
        "停课，see",
        "警报。沿海",
    ] {
        assert!(matches(yes), "{yes}");
    }
    for no in [
        "地震",
        "台风 地震",
        "typhoon地震",
        "typ",
        "\"alert typhoon\"",
        "-台风",
        "－台风",
        "−台风",
        "-\"typhoon alert\"",
        "title:气象",
        "source:wir",
        "tag:worl",
        "author:台风",
        "台风 author:bob",
        "after:2026-03-05",
        "before:2026-03-04",
        "before:2026",
        "地震 OR 海啸",
        "地震 OR 台风 海啸",
        "警报沿海",
        "phone",
        "陈大文",
        "1",
    ] {
        assert!(!matches(no), "{no}");
    }
}

#[test]
fn days_begin_where_the_operator_lives() {
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    let query = Query::parse("after:2026-03-04", &zone).unwrap();
    assert_eq!(query.normal(), "after:2026-03-03T16:00:00Z");
}

fn wrong(text: &str, column: usize, why: &str) {
    let error = Query::parse(text, &Zone::utc()).unwrap_err();
    assert_eq!(error.column, column, "{text}: {error}");
    assert!(error.why.to_string().contains(why), "{text}: {error}");
    assert!(text.is_char_boundary(error.at), "{text}");
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    wrong("", 1, "expected a word");
    wrong("  ", 3, "expected a word");
    wrong("！？ 。", 5, "expected a word");
    wrong("台風 \"未完", 4, "closing \"");
    wrong("台風 「未完\"", 4, "closing 」");
    wrong("台風 title:", 4, "right after `title:`");
    wrong("source: wire", 1, "a feed's id right after");
    wrong("台風 soruce:wire", 4, "`soruce` is no field");
    wrong("source:Ü", 8, "a feed's id");
    wrong("after:2026-02-30", 7, "expected a date");
    wrong("a before:yesterday", 10, "expected a date");
    wrong("after:02026", 7, "expected a date");
    wrong("after:0000", 7, "expected a date");
    wrong("OR 台風", 1, "both sides");
    wrong("台風 OR", 4, "both sides");
    wrong("a OR OR b", 6, "both sides");
    wrong("(a OR b) c", 1, "brackets");
    wrong("a OR (b c)", 6, "brackets");
    wrong("title:\"!!\"", 7, "a letter or a digit");
    wrong("a \"…\"", 3, "a letter or a digit");
    wrong("a b*", 3, "two characters");
    wrong("tag:\" \"", 5, "a tag");
    wrong(&"x ".repeat(MAX_CONDITIONS + 1), 65, "at most 32");
    wrong(&"字".repeat(400), 1, "at most 1024");
}

#[test]
fn what_looks_like_a_field_and_is_none_is_words() {
    for words in [
        "https://example.org/a",
        "10:30",
        "新闻：快讯",
        "Breaking: rain",
        "a:b",
        "\"soruce:wire\"",
    ] {
        assert!(parse(words).wanted().next().is_some(), "{words}");
    }
}

#[test]
fn queries_that_ask_the_same_have_one_normal_form() {
    let normal = parse("source:wire 颱風 \"Typhoon Alert\"").normal();
    assert_eq!(normal, "\"typhoon alert\" \"台风\" source:wire");
    for same in [
        "台风 ＳＯＵＲＣＥ：wire typhoon-alert",
        "“typhoon alert” 台风 台风 source:wire",
    ] {
        assert_eq!(parse(same).normal(), normal);
    }
    assert_eq!(parse("b OR a").normal(), parse("a OR b").normal());
    assert_ne!(parse("a b").normal(), parse("a OR b").normal());
    assert_ne!(parse("-a").normal(), parse("a").normal());
    assert_ne!(parse("ab*").normal(), parse("ab").normal());
}

#[test]
fn a_plan_narrows_by_what_must_be_there_and_by_nothing_else() {
    let plan = parse("中国 -美国 title:新闻稿 a OR b x OR -y source:wire").plan();
    let texts: Vec<Vec<Vec<&str>>> = plan
        .terms
        .iter()
        .map(|part| {
            let all = part.iter();
            all.map(|terms| terms.iter().map(|t| t.text.as_str()).collect())
                .collect()
        })
        .collect();
    assert_eq!(
        texts,
        vec![
            vec![vec!["中国"]],
            vec![vec!["新闻", "闻稿"]],
            vec![vec!["a"], vec!["b"]]
        ]
    );
    assert_eq!(parse("我").plan().terms, Vec::<Vec<Vec<Term>>>::new());
    assert_eq!(parse("我").plan().characters, vec![vec![vec!['我']]]);
    assert_eq!(parse("-我 after:2026").plan(), Plan::default());
}

use crate::rules::terms::Term;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_query_or_an_error_inside_it(text in "[a-z\"“”「」:：\\-－*＊() OR　source|after:title:tag:0-9中国，\u{200B}\u{202E}\\PC]{0,40}") {
        match Query::parse(&text, &Zone::utc()) {
            Ok(query) => {
                prop_assert!(!query.normal().is_empty());
                let _ = query.plan();
            }
            Err(error) => {
                prop_assert!(text.get(error.at..).is_some());
                prop_assert!(error.column <= text.chars().count() + 1);
            }
        }
    }
}
