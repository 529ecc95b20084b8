//! A busy source has its share of a list and no more, while others fill it; and what it cannot show is archived.

use std::collections::{BTreeMap, BTreeSet};

use feedmill::output::atom::Atom;
use feedmill::rules::share::Share;
use feedmill::service::publish::Press;
use roxmltree::Document;

use crate::shelf::{many, press, shelf, subscription, texts, walk};
use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::web::Room;

fn quarter(press: Press) -> Press {
    Press {
        share: Share::of(2_500).unwrap(),
        ..press
    }
}

/// How many entries of each feed an Atom document has.
fn of_feeds(document: &str) -> BTreeMap<String, usize> {
    let document = Document::parse(document).unwrap();
    let mut counts = BTreeMap::new();
    for node in document.descendants() {
        if node.has_tag_name(("urn:feedmill:ns:1", "feed")) {
            *counts.entry(node.text().unwrap().to_owned()).or_default() += 1;
        }
    }
    counts
}

fn counts(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter()
        .map(|(feed, n)| ((*feed).to_owned(), *n))
        .collect()
}

fn merged(press: &Press) -> BTreeMap<String, usize> {
    of_feeds(&String::from_utf8(press.render(&Atom).unwrap()).unwrap())
}

/// Twenty of `calm` and of `other`, five of `rare`, and then thirty of `busy` and of `hidden`, who is private: newest last.
async fn busy_room() -> Room {
    let room = Room::new();
    for (feed, count) in [
        ("calm", 20),
        ("other", 20),
        ("rare", 5),
        ("busy", 30),
        ("hidden", 30),
    ] {
        many(&room, feed, feed, count).await;
    }
    room
}

fn orders() -> Vec<feedmill::model::feed::Subscription> {
    let mut hidden = subscription("hidden", &["all"]);
    hidden.private = Some(true);
    vec![
        subscription("calm", &["all", "two"]),
        subscription("other", &["all"]),
        subscription("rare", &["all"]),
        subscription("busy", &["all", "two", "alone"]),
        hidden,
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn a_busy_source_leaves_room_for_the_others() {
    let room = busy_room().await;
    // The window is of twenty.
    let unlimited = press(&room, orders());
    assert_eq!(merged(&unlimited), counts(&[("busy", 20)]));
    let fair = quarter(unlimited);
    let expected = counts(&[("busy", 5), ("rare", 5), ("calm", 5), ("other", 5)]);
    assert_eq!(merged(&fair), expected);
    let served = texts(&shelf(&room).fill(&fair).unwrap());
    assert_eq!(of_feeds(&served["/tag/all.atom"]), expected);
    // Two cannot fill it with a quarter each: what is left goes to the newest.
    let two = counts(&[("busy", 15), ("calm", 5)]);
    assert_eq!(of_feeds(&served["/tag/two.atom"]), two);
    // Where it is alone it has all, and so it has in its own feed.
    for alone in ["/tag/alone.atom", "/source/busy.atom"] {
        assert_eq!(of_feeds(&served[alone]), counts(&[("busy", 20)]), "{alone}");
    }
    // The same store, the same bytes.
    assert_eq!(fair.render(&Atom).unwrap(), fair.render(&Atom).unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn its_newest_are_those_that_are_shown() {
    let room = busy_room().await;
    let fair = quarter(press(&room, orders()));
    let document = String::from_utf8(fair.render(&Atom).unwrap()).unwrap();
    for n in 0..5 {
        assert!(
            document.contains(&format!("<title type=\"text\">busy{n}</title>")),
            "{n}"
        );
    }
    assert!(
        !document.contains("busy5<"),
        "a list begins with its newest"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn f_48_what_has_no_place_is_found_in_the_archive() {
    let room = Room::new();
    let fair = quarter(press(
        &room,
        vec![subscription("busy", &[]), subscription("calm", &[])],
    ));
    let mut shelf = shelf(&room);
    let mut published = BTreeSet::new();
    for round in 0..6 {
        many(&room, "calm", &format!("c{round}x"), 3).await;
        many(&room, "busy", &format!("b{round}x"), 45).await;
        published.extend((0..3).map(|n| format!("c{round}x{n}")));
        published.extend((0..45).map(|n| format!("b{round}x{n}")));
        let filled = shelf.fill(&fair).unwrap();
        assert!(!filled.unfinished);
        let served = texts(&filled);
        let (found, sealed) = walk(&served);
        let titles: BTreeSet<String> = found.into_values().collect();
        assert_eq!(titles, published, "round {round}");
        assert!(sealed.values().all(|times| *times == 1));
        // However much `busy` has that is in no archive document yet, the others have what is theirs.
        let shown = of_feeds(&served["/feed.atom"]);
        assert!(
            shown["calm"] >= 5.min(3 * (round + 1)),
            "round {round}: {shown:?}"
        );
    }
}

#[test]
fn it_is_set_in_the_settings() {
    let origin = Origin::start([] as [(&str, Reply); 0]);
    let mut feeds = String::new();
    for (feed, count) in [("calm", 3), ("busy", 9)] {
        let bodies: Vec<(String, String)> = (0..count)
            .map(|n| {
                (
                    format!("{feed}{n}"),
                    words(u32::from(feed.as_bytes()[0]) * 100 + n),
                )
            })
            .collect();
        let items: Vec<(&str, &str, &str)> = bodies
            .iter()
            .map(|(id, body)| (id.as_str(), id.as_str(), body.as_str()))
            .collect();
        let path = format!("/{feed}");
        origin.set(path.as_str(), Reply::ok("application/rss+xml", rss(&items)));
        feeds += &plain(feed, &origin.url(&path));
    }
    let mill = Mill::new(&feeds);
    // One after the other: all dates are the same, and the later numbers come first.
    for feed in ["calm", "busy"] {
        assert_eq!(mill.run(&["fetch", "--once", feed]).status, 0);
    }
    for (share, expected) in [
        ("1.0", counts(&[("busy", 4)])),
        ("0.5", counts(&[("busy", 2), ("calm", 2)])),
        ("0.25", counts(&[("busy", 3), ("calm", 1)])),
        ("0.01", counts(&[("busy", 3), ("calm", 1)])),
    ] {
        mill.write(
            "feedmill.toml",
            &format!("{EAGER}[feed]\nentries = 4\nfair_share = {share}\n"),
        );
        mill.fetch(0);
        assert_eq!(of_feeds(&mill.feed()), expected, "{share}");
    }
}
