//! The search index, and finding by it.

use std::collections::{HashMap, HashSet};

use feedmill::model::content::Content;
use feedmill::model::ids::FeedId;
use feedmill::model::time::Zone;
use feedmill::model::withheld::Reason;
use feedmill::rules::query::{Haystack, Query, Searchable};
use feedmill::service::indexing;
use feedmill::store::{Found, Seek};
use proptest::prelude::*;

use super::{Scratch, article, at, feed, poll, seq};

/// Brings the index up to the articles.
fn catch_up(store: &Scratch) -> usize {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inner = store.store.clone();
    let turns = runtime.block_on(async move {
        tokio::task::spawn_blocking(move || {
            let mut turns = 1;
            while indexing::catch_up(&inner).unwrap() {
                turns += 1;
                assert!(turns < 1_000, "it never ends");
            }
            turns
        })
        .await
        .unwrap()
    });
    assert_eq!(indexing::behind(&store.store).unwrap(), 0);
    turns
}

fn parse(query: &str) -> Query {
    Query::parse(query, &Zone::utc()).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn seek(
    store: &Scratch,
    query: &str,
    shown: Option<&HashSet<FeedId>>,
    below: Option<u64>,
    limit: usize,
) -> Found {
    let tags = HashMap::from([(feed("a"), vec!["World".to_owned()])]);
    store
        .store
        .search(&Seek {
            query: &parse(query),
            tags: &tags,
            shown,
            below: below.map(seq),
            limit,
            most: usize::MAX,
        })
        .unwrap()
}

fn numbers(found: &Found) -> Vec<u64> {
    found.articles.iter().map(|article| article.seq.0).collect()
}

fn found(store: &Scratch, query: &str) -> Vec<u64> {
    numbers(&seek(store, query, None, None, usize::MAX))
}

/// `count` articles of feed `a`, all of `雨`, every third of `中国`, one in fifty of `稀`.
fn stocked(count: usize) -> Scratch {
    let store = Scratch::new();
    let one = |n: usize| {
        let china = if n.is_multiple_of(3) { "中国" } else { "" };
        let rare = if n.is_multiple_of(50) { "稀" } else { "" };
        article(&n.to_string(), &format!("{china}下雨{rare}，number {n}"))
    };
    store.record(poll("a", at(0), (0..count).map(one).collect()));
    catch_up(&store);
    store
}

#[test]
fn one_and_two_characters_words_and_numbers_are_found_newest_first() {
    let store = stocked(103);
    let every =
        |step: usize| -> Vec<u64> { (0..103).rev().filter(|n| n % step as u64 == 0).collect() };
    assert_eq!(found(&store, "雨"), every(1));
    assert_eq!(found(&store, "稀"), every(50));
    assert_eq!(found(&store, "中国"), every(3));
    assert_eq!(found(&store, "中國 稀"), every(150));
    assert_eq!(found(&store, "number 17"), [17]);
    assert_eq!(found(&store, "-number"), [0_u64; 0]);
    assert_eq!(found(&store, "-中国").len(), 103 - 35);
    assert_eq!(found(&store, "稀 OR number-3"), [100, 50, 3, 0]);
    assert_eq!(found(&store, "source:a").len(), 103);
    assert_eq!(found(&store, "source:b 雨"), [0_u64; 0]);
    assert_eq!(found(&store, "tag:world 稀"), [100, 50, 0]);
    assert_eq!(found(&store, "after:2999"), [0_u64; 0]);
    assert_eq!(
        found(&store, "after:2026-02-02 before:2026-02-03 稀"),
        [100, 50, 0]
    );
    assert_eq!(found(&store, "before:2026-02-02 稀"), [0_u64; 0]);
}

#[test]
fn pages_follow_one_another_without_gap_or_overlap() {
    let store = stocked(60);
    for query in ["雨", "中国", "-nothing", "稀"] {
        let (mut below, mut all) = (None, Vec::new());
        for _ in 0..100 {
            let page = seek(&store, query, None, below, 7);
            all.extend(numbers(&page));
            match page.on {
                Some(on) => below = Some(on.0),
                None => break,
            }
        }
        assert_eq!(all, found(&store, query), "{query}");
    }
    // As many as there are, and looked at one more page.
    assert_eq!(numbers(&seek(&store, "稀", None, None, 1)), [50]);
}

#[test]
fn a_revision_takes_the_place_of_what_it_revises() {
    let store = stocked(20);
    store.record(poll("a", at(60), vec![article("7", "晴天，number 7")]));
    assert_eq!(found(&store, "晴"), [0_u64; 0], "not indexed yet");
    assert!(!found(&store, "雨").contains(&7), "it has other words now");
    catch_up(&store);
    assert_eq!(found(&store, "晴"), [20]);
    assert_eq!(found(&store, "number 7"), [20]);
    assert_eq!(found(&store, "晴天"), [20]);
    let raw = store.raw();
    let rows: i64 = raw
        .query_row("SELECT count(*) FROM search_docsize", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 20, "one row an entry");
}

#[test]
fn a_new_recipe_makes_the_index_anew_and_what_is_there_stays_found() {
    let store = stocked(300);
    let before = found(&store, "中国");
    store
        .raw()
        .execute("UPDATE search_state SET recipe = 9", [])
        .unwrap();
    assert_eq!(indexing::behind(&store.store).unwrap(), 300);
    assert_eq!(catch_up(&store), 2, "in slices");
    assert_eq!(found(&store, "中国"), before);
    assert_eq!(found(&store, "稀").len(), 6);
    assert_eq!(catch_up(&store), 1, "nothing is left to do");
}

#[test]
fn terms_that_came_too_late_are_not_taken_in() {
    let store = Scratch::new();
    store.record(poll("a", at(0), vec![article("1", "下雨")]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(store.store.reset_index(feedmill::rules::terms::RECIPE))
        .unwrap();
    let late = feedmill::store::Terms {
        state: store.store.index_state().unwrap(),
        next: 1,
        articles: vec![(seq(0), "晴天".to_owned())],
        blocks: Vec::new(),
    };
    catch_up(&store);
    assert!(!runtime.block_on(store.store.index(late)).unwrap());
    assert_eq!(found(&store, "下雨"), [0]);
}

#[test]
fn readers_see_no_flood_no_other_feed_and_the_same_words_once() {
    let store = Scratch::new();
    store.record(poll(
        "a",
        at(0),
        vec![article("1", "下雨了"), article("2", "下雨呢")],
    ));
    store.record(poll(
        "b",
        at(1),
        vec![article("3", "下雨了!"), article("4", "下雨 later")],
    ));
    store.record(poll("c", at(2), vec![article("5", "下雨 secret")]));
    catch_up(&store);
    let shown: HashSet<FeedId> = [feed("a"), feed("b")].into();
    let seen = |query: &str| numbers(&seek(&store, query, Some(&shown), None, 50));
    assert_eq!(
        found(&store, "雨"),
        [4, 3, 2, 1, 0],
        "the operator sees all"
    );
    assert_eq!(seen("雨"), [3, 1, 0], "2 has the words of 0");
    assert_eq!(
        seen("下雨 source:b"),
        [3, 2],
        "a copy is shown where the first is not asked for"
    );
    assert_eq!(seen("secret"), [0_u64; 0]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(store.store.withhold(vec![seq(0)], Reason::Flood, at(3)))
        .unwrap();
    assert_eq!(seen("下雨"), [3, 2, 1], "what waits owns no words");
    runtime
        .block_on(store.store.withhold(vec![seq(1)], Reason::Backlog, at(3)))
        .unwrap();
    assert_eq!(seen("下雨"), [3, 2, 1], "its own feed shows it too");
}

#[test]
fn an_article_that_is_gone_is_not_found_and_breaks_nothing() {
    let store = stocked(20);
    let raw = store.raw();
    raw.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM article WHERE seq IN (3, 19)")
        .unwrap();
    let gone = |numbers: Vec<u64>| numbers.contains(&3) || numbers.contains(&19);
    for query in ["雨", "下雨", "-nothing", "number 3", "source:a"] {
        assert!(!gone(found(&store, query)), "{query}");
    }
    catch_up(&store);
}

/// Texts of strangers: few characters, so that they meet, and some that no index likes.
fn text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "中",
        "国",
        "國",
        "中国",
        "新聞",
        "雨",
        "我",
        "a",
        "ab",
        "abc",
        "1",
        "2026",
        " ",
        " ",
        "，",
        "。",
        "\u{3000}",
        "\u{200B}",
        "\u{202E}",
        "\"",
        "'",
        "*",
        "-",
        "(",
        ")",
        ":",
        "NEAR",
        "AND",
        "%",
        "_",
        "\0",
        "é",
        "e\u{301}",
        "\u{20000}",
        "\u{20001}",
        "ก\u{E31}",
        "한",
        "か\u{3099}",
        "हि",
        "😀",
        "<",
        "&amp;",
        "\u{FFFD}",
    ]);
    prop_oneof![
        8 => prop::collection::vec(words, 0..12).prop_map(|words| words.concat()),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_index_finds_what_the_query_matches_whatever_the_texts_are(
        texts in prop::collection::vec((text(), text()), 1..24),
        queries in prop::collection::vec(text(), 1..24),
    ) {
        let store = Scratch::new();
        let articles = texts.iter().enumerate().map(|(n, (title, body))| {
            let mut article = article(&n.to_string(), &n.to_string());
            article.title.clone_from(title);
            article.body = Content::plain(body.clone());
            article.authors = vec![title.clone()];
            article
        });
        store.record(poll("a", at(0), articles.collect()));
        catch_up(&store);
        let all = store.all();
        for query in &queries {
            for query in [query.clone(), format!("author:{query}"), format!("{query} OR abc"), format!("ab* -{query}")] {
                let Ok(parsed) = Query::parse(&query, &Zone::utc()) else { continue };
                let tags = ["World".to_owned()];
                let wanted: Vec<u64> = all.iter().rev().filter(|article| parsed.matches(&Haystack {
                    texts: &Searchable::of(&article.article),
                    feed: &article.feed,
                    tags: &tags,
                    date: article.date(),
                })).map(|article| article.seq.0).collect();
                prop_assert_eq!(found(&store, &query), wanted, "{}", query);
            }
        }
    }
}

#[test]
fn an_index_in_many_parts_is_gathered_and_finds_the_same() {
    let store = Scratch::new();
    let parts = |store: &Scratch| -> i64 {
        let sql = "SELECT count(DISTINCT segid) FROM search_idx";
        store.raw().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    // Each batch in a part of its own: nothing is merged on the way.
    let raw = store.raw();
    raw.execute_batch("INSERT INTO search (search, rank) VALUES ('automerge', 0)")
        .unwrap();
    drop(raw);
    for batch in 0..6 {
        let one = |n: u32| {
            let word = |k: u32| char::from_u32(0x4E00 + (n * 131 + k * 17) % 9_000).unwrap();
            let words: String = (0..400).map(word).collect();
            article(
                &format!("{batch}-{n}"),
                &format!("{words} 下雨 number {batch}"),
            )
        };
        let articles = (batch * 200..(batch + 1) * 200).map(one).collect();
        store.record(poll("a", at(i64::from(batch)), articles));
        catch_up(&store);
    }
    assert!(parts(&store) <= 2, "{}", parts(&store));
    assert!(!store.store.index_is_scattered().unwrap());
    assert_eq!(found(&store, "下雨").len(), 1_200);
    assert_eq!(found(&store, "\"number 3\"").len(), 200);
    store.store.verify().unwrap();
}
