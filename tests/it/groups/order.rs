//! Property: in whatever order the polls of three feeds come, and whatever is done in between, there are the same articles,
//! the same groups and the same files at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use feedmill::model::content::ContentHash;
use feedmill::model::ids::ArticleSeq;
use feedmill::model::river::Collapse;
use feedmill::rules::similar;
use feedmill::service::grouping::Grouping;
use feedmill::service::verify::{Asked, verify};
use proptest::prelude::*;

use super::{Post, Room, WINDOW, beginning, edited, post, shown, story};
use crate::support::mill::words;

/// All posts of the property: copies, an unrelated one, a feed with lines of its own, and a revision of one of them.
fn posts() -> Vec<Post> {
    let (one, two, three) = (story(1), story(2), story(3));
    let own = |words: &str| format!("{words}<p>欢迎订阅本频道的早晚报</p>");
    let mut posts = vec![
        post("a", "1", "渡轮今天停航", &one, 10),
        post("a", "2", "别的消息一则", &two, 11),
        post("a", "3", "第三条消息在此", &three, 12),
        post("b", "4", "江上不见渡轮", &edited(&one, 40), 13),
        post("b", "5", "渡轮简讯一条", &beginning(&one, 2), 9),
        post("b", "6", "别的消息又一则", &two, 15),
        post("c", "7", "停航的渡轮", &own(&edited(&one, 30)), 16),
        // Near the last two of them alone: what is a group by others in between.
        post("c", "8", "第三条消息另说", &own(&edited(&three, 45)), 17),
    ];
    for n in 0..5 {
        let id = format!("c{n}");
        posts.push(post(
            "c",
            &id,
            &format!("频道里的第{n}条"),
            &own(&story(20 + n)),
            20,
        ));
    }
    // The same entry again in other words: after its first, whatever comes between.
    posts.push(post("a", "2", "别的消息一则", &edited(&three, 60), 11));
    // A short one that is near another only without its feed's line.
    let short = words(77);
    posts.push(post("a", "s1", "一条很短的消息", &beginning(&short, 2), 18));
    posts.push(post(
        "c",
        "s2",
        "另一条短的消息",
        &own(&beginning(&short, 2)),
        18,
    ));
    posts
}

/// What must not depend on the order: entries with their words, groups with their roles, pairs with their evidence, and the
/// files: by the digest in each one's name, what is in it; of words that two feeds had, the first to come gave the file.
#[derive(Debug, PartialEq)]
struct Facts {
    articles: BTreeSet<(String, ContentHash)>,
    files: BTreeMap<String, Option<String>>,
    groups: BTreeSet<Vec<String>>,
    roles: BTreeMap<String, [String; 3]>,
    pairs: BTreeSet<(String, String, &'static str, String)>,
}

async fn play(order: &[usize], looks: &[bool]) -> Facts {
    let room = Room::new();
    let archive = room.directory.path().join("archive");
    fs::create_dir(&archive).unwrap();
    let mut press = room.press(shown(Collapse::Exact), &[]);
    press.archive = Some(archive.clone());
    let posts = posts();
    // Of one entry, the first stays the first.
    let mut order = order.to_vec();
    let at = |order: &[usize], wanted: usize| order.iter().position(|n| *n == wanted).unwrap();
    let (first, second) = (at(&order, 1), at(&order, 13));
    if first > second {
        order.swap(first, second);
    }
    let mut grouping = Grouping::open(room.store.clone(), WINDOW).await.unwrap();
    for (n, look) in order.iter().zip(looks.iter().cycle()) {
        room.record(&[posts[*n].clone()]).await;
        if *look {
            grouping.slice().await.unwrap();
            press.publish().await.unwrap();
        }
    }
    press.publish().await.unwrap();
    let proof = verify(&room.store, &archive, &Asked::default()).unwrap();
    assert!(proof.differences.is_empty(), "{:?}", proof.differences);
    // After a restart.
    room.group().await;
    let names = room.names();
    let latest = room.store.since(None, usize::MAX).unwrap().into_iter();
    let latest: BTreeMap<ArticleSeq, ContentHash> =
        latest.map(|a| (a.first_seq, a.article.content)).collect();
    let mut pairs = BTreeSet::new();
    let mut roles = BTreeMap::new();
    for (entry, name) in &names {
        for kin in room.store.kin(*entry).unwrap() {
            let mut two = [names[&kin.a].clone(), names[&kin.b].clone()];
            two.sort();
            let [a, b] = two;
            pairs.insert((a, b, kin.kinship.name(), format!("{:?}", kin.evidence)));
        }
        let members: Vec<_> = room.store.group(*entry).unwrap().members;
        let members: Vec<_> = members.into_iter().map(|(member, ..)| member).collect();
        let of = [
            similar::first(&members),
            similar::fullest(&members),
            similar::shown(&members),
        ];
        roles.insert(
            name.clone(),
            of.map(|m| m.map_or_else(String::new, |m| names[&m.entry].clone())),
        );
    }
    Facts {
        files: files(&archive, &posts),
        articles: latest
            .iter()
            .map(|(entry, content)| (names[entry].clone(), *content))
            .collect(),
        groups: room.groups(),
        roles,
        pairs,
    }
}

/// The files of an archive, each of other words, without the numbers in their names.
fn files(archive: &Path, posts: &[Post]) -> BTreeMap<String, Option<String>> {
    let by_several = posts.iter().filter(|one| {
        posts
            .iter()
            .any(|o| o.words == one.words && o.feed != one.feed)
    });
    let by_several: Vec<&str> = by_several.map(|post| first_words(&post.words)).collect();
    assert_eq!(by_several.len(), 2);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(archive).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("MANIFEST-") {
            continue;
        }
        let (_, digest) = name.split_once('_').unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let alone = !by_several.iter().any(|words| text.contains(words));
        let before = files.insert(digest.to_owned(), alone.then_some(text));
        assert_eq!(before, None, "two files of the same words: {name}");
    }
    files
}

/// The first sentence of a story of made-up words.
fn first_words(story: &str) -> &str {
    let start = story.find("<p>").unwrap() + 3;
    let words: usize = story[start..].chars().take(40).map(char::len_utf8).sum();
    &story[start..start + words]
}

fn run(order: &[usize], looks: &[bool]) -> Facts {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(play(order, looks))
}

#[test]
fn what_the_property_plays_has_groups_in_it() {
    let order: Vec<usize> = (0..posts().len()).collect();
    let facts = run(&order, &[false]);
    let group = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let expected = [
        group(&["a/1", "b/4", "b/5", "c/7"]),
        group(&["a/2", "a/3", "c/8"]),
        group(&["a/s1", "c/s2"]),
    ];
    assert_eq!(facts.groups, BTreeSet::from(expected));
    let short = facts.pairs.iter().find(|(a, ..)| a == "a/s1").unwrap();
    assert!(
        short.3.contains("jaccard: 1.0"),
        "without the feed's line: {short:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_they_come_articles_groups_and_files_are_the_same(
        order in Just((0..posts().len()).collect::<Vec<_>>()).prop_shuffle(),
        looks in prop::collection::vec(any::<bool>(), 1..6),
    ) {
        let usual: Vec<usize> = (0..posts().len()).collect();
        prop_assert_eq!(run(&order, &looks), run(&usual, &[false]));
    }
}
