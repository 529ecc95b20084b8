//! The new entries of a feed alone, for clients that merge them into what they have (F-36, F-37).

use std::sync::Arc;
use std::time::Duration;

use feedmill::model::river::RiverEntry;
use feedmill::output::Output;
use feedmill::output::atom::Atom;
use feedmill::output::edition::Edition;
use feedmill::serve::shelve;
use feedmill::service::shelf::{Made, Matter, Publication};

use crate::serve::{House, Reply, changed, clock};
use crate::support::check_atom;
use crate::support::hostile::{entry, river};

const NEWEST: &str = "Accept-Encoding, A-IM, If-None-Match";

/// A version with these entries, in the order given.
async fn publish(house: &House, entries: Vec<RiverEntry>, full: bool) {
    let river = river(entries);
    let edition = Edition::of(&river);
    let laid = Atom.lay(&edition);
    let publication = Publication {
        path: "/feed.atom".to_owned(),
        view: "feed".to_owned(),
        media_type: Atom.media_type(),
        matter: Matter::Made(Arc::new(Made { laid, full })),
        changed: changed(),
        max_age: Duration::from_mins(5),
    };
    assert!(
        shelve(&house.library, vec![publication], clock())
            .await
            .unwrap()
    );
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<RiverEntry> {
    numbers.into_iter().map(entry).collect()
}

/// Asks for what is new since a tag.
async fn since(house: &House, tag: &str, more: &[&str]) -> Reply {
    let condition = format!("If-None-Match: {tag}");
    let mut headers = vec!["A-IM: feed", &condition];
    headers.extend(more);
    house.ask("GET /feed.atom", &headers).await
}

async fn tag(house: &House) -> String {
    let reply = house.ask("GET /feed.atom", &[]).await;
    reply.header("etag").unwrap().to_owned()
}

fn ids(reply: &Reply) -> Vec<String> {
    let text = std::str::from_utf8(&reply.body).unwrap();
    assert_eq!(check_atom::check(text), Vec::<String>::new());
    let document = roxmltree::Document::parse(text).unwrap();
    let id = |node: roxmltree::Node<'_, '_>| {
        let id = node
            .children()
            .find(|child| child.tag_name().name() == "id");
        id.unwrap()
            .text()
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned()
    };
    let entries = document.root_element().children();
    entries
        .filter(|node| node.tag_name().name() == "entry")
        .map(id)
        .collect()
}

#[tokio::test]
async fn f_36_who_merges_gets_the_new_and_the_changed_alone() {
    let house = House::empty(|_| {}).await;
    publish(&house, numbered((1..=30).rev()), true).await;
    let zipped = house
        .ask("GET /feed.atom", &["Accept-Encoding: gzip"])
        .await;
    assert_eq!(zipped.header("vary"), Some(NEWEST));
    let bases = [tag(&house).await, zipped.header("etag").unwrap().to_owned()];
    let mut next = numbered((3..=32).rev());
    next[10].article.article.title = "Changed".to_owned();
    let changed = next[10].article.seq.0.to_string();
    publish(&house, next, true).await;
    for base in &bases {
        let part = since(&house, &format!("\"other\", W/{base}"), &[]).await;
        assert_eq!(part.status, 226, "{}", part.head);
        assert_eq!(ids(&part), ["32", "31", &changed]);
        assert_eq!(part.header("im"), Some("feed"));
        assert_eq!(part.header("delta-base"), Some(base.as_str()));
        assert_eq!(part.header("etag"), Some(&*tag(&house).await));
        assert_eq!(part.header("cache-control"), Some("no-store, im"));
        assert_eq!(part.header("vary"), Some(NEWEST));
        assert_eq!(part.header("content-encoding"), None);
        // What it merged is current from now on.
        let current = part.header("etag").unwrap();
        let same = since(&house, current, &["Accept-Encoding: gzip"]).await;
        assert_eq!((same.status, same.header("im")), (304, None));
    }
    // Of two bases, the newer one.
    let newer = tag(&house).await;
    publish(&house, numbered((4..=33).rev()), true).await;
    let part = since(&house, &format!("{}, {newer}", bases[0]), &[]).await;
    assert_eq!(part.header("delta-base"), Some(&*newer));
    assert_eq!(part.status, 226);
    house.close().await;
}

#[tokio::test]
async fn f_37_whoever_cannot_be_told_in_part_is_told_all() {
    let house = House::empty(|_| {}).await;
    publish(&house, numbered((1..=30).rev()), true).await;
    let base = tag(&house).await;
    publish(&house, numbered((2..=31).rev()), true).await;
    assert_eq!(since(&house, &base, &[]).await.status, 226);
    let condition = format!("If-None-Match: {base}");
    for (headers, why) in [
        (vec![&*condition], "did not ask for a part"),
        (vec!["A-IM: vcdiff", &condition], "merges something else"),
        (vec!["A-IM: feed;q=0", &condition], "refuses it"),
        (vec!["A-IM: feed"], "has nothing"),
        (
            vec!["A-IM: feed", "If-None-Match: \"unknown\""],
            "has what we do not know",
        ),
        (
            vec!["A-IM: feed", "If-None-Match: \"\""],
            "has an empty tag",
        ),
        (
            vec![
                "A-IM: feed",
                "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
            ],
            "has a date alone",
        ),
    ] {
        let reply = house.ask("GET /feed.atom", &headers).await;
        assert_eq!((reply.status, reply.header("im")), (200, None), "{why}");
    }
    house.close().await;
}

#[tokio::test]
async fn f_37_a_withdrawal_and_a_part_that_is_no_smaller_are_told_whole() {
    for (before, after, full, status, why) in [
        (vec![3, 2, 1], vec![4, 3, 2], true, 226, "pushed out"),
        (vec![3, 2, 1], vec![4, 3, 2, 1], false, 226, "more"),
        (
            vec![3, 2, 1],
            vec![4, 3, 2],
            false,
            200,
            "withdrawn at the end",
        ),
        (
            vec![3, 2, 1],
            vec![4, 3, 1],
            true,
            200,
            "withdrawn in the middle",
        ),
        (
            vec![3, 2, 1],
            vec![3, 1, 0],
            true,
            200,
            "withdrawn, and an older one in its place",
        ),
        (vec![3, 2], vec![6, 5], true, 200, "nothing in common"),
        (
            vec![3],
            vec![3, 2],
            true,
            200,
            "older ones came in from behind",
        ),
    ] {
        let house = House::empty(|_| {}).await;
        publish(&house, numbered(before), true).await;
        let base = tag(&house).await;
        publish(&house, numbered(after), full).await;
        let reply = since(&house, &base, &[]).await;
        assert_eq!(reply.status, status, "{why}");
        house.close().await;
    }
    // Compressed, the whole is smaller than one long entry that is not.
    let house = House::empty(|_| {}).await;
    publish(&house, numbered([1]), false).await;
    let base = tag(&house).await;
    publish(&house, numbered((1..=10).rev()), false).await;
    assert_eq!(since(&house, &base, &[]).await.status, 226);
    assert_eq!(
        since(&house, &base, &["Accept-Encoding: br"]).await.status,
        200
    );
    house.close().await;
}

#[tokio::test]
async fn f_36_two_hundred_issues_are_remembered() {
    let house = House::empty(|_| {}).await;
    publish(&house, numbered(1..=3), false).await;
    let first = tag(&house).await;
    for round in 0..201_u64 {
        let mut entries = numbered(1..=3);
        entries[0].article.article.title = format!("Round {round}");
        publish(&house, entries, false).await;
        let status = since(&house, &first, &[]).await.status;
        assert_eq!(status, if round < 200 { 226 } else { 200 }, "{round}");
    }
    house.close().await;
}
