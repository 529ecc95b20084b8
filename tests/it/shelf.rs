//! Everything that is served, from a store that was filled by polls: what is in it, what judges say of it, what stays when
//! nothing changes, and what never gets out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use feedmill::model::feed::{Options, Subscription};
use feedmill::model::river::CopyPolicy;
use feedmill::rules::share::Share;
use feedmill::serve::library::{Library, Place, Version};
use feedmill::serve::shelve;
use feedmill::service::publish::Press;
use feedmill::service::shelf::{Filled, Matter, Publication, SEALED, Shelf};
use roxmltree::Document;

use crate::support::check_atom;
use crate::support::record;
use crate::support::web::{Room, Say, now};

const HOME: &str = "https://news.example.org/";

/// A subscription of the room.
pub(crate) fn subscription(id: &str, tags: &[&str]) -> Subscription {
    Subscription {
        title: Some(format!("The {id} feed")),
        language: "zh-CN".to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        options: Options(BTreeMap::from([(
            "url".to_owned(),
            format!("https://lines.example.org/{id}.xml"),
        )])),
        ..Subscription::new(id.parse().unwrap(), "feed")
    }
}

/// A press over the room's store.
pub(crate) fn press(room: &Room, subscriptions: Vec<Subscription>) -> Press {
    Press {
        store: room.store.clone(),
        archive: None,
        sealed: None,
        feed: room.directory.path().join("feed.atom"),
        entries: 20,
        share: Share::ALL,
        copies: CopyPolicy::default(),
        masthead: record::masthead(HOME),
        subscriptions: subscriptions
            .into_iter()
            .map(|subscription| (subscription.id.clone(), subscription))
            .collect(),
    }
}

pub(crate) fn shelf(room: &Room) -> Shelf {
    Shelf::new(Some(room.directory.path().join("sealed")))
}

/// Polls a feed whose list has these titles; an entry's id is the feed's and its place in the list unless it is told.
pub(crate) async fn told(room: &Room, feed: &str, entries: &[(&str, &str)]) {
    let lines: String = entries
        .iter()
        .map(|(id, title)| format!("whole {id} /{feed}/{id} {title}\n"))
        .collect();
    room.web.set(&format!("/{feed}"), Say::Page(lines));
    room.later(Duration::from_mins(10));
    room.poll(feed).await;
}

/// Many entries: `prefix0`, `prefix1`, …
pub(crate) async fn many(room: &Room, feed: &str, prefix: &str, count: usize) {
    let ids: Vec<String> = (0..count).map(|n| format!("{prefix}{n}")).collect();
    let entries: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), id.as_str())).collect();
    told(room, feed, &entries).await;
}

fn bytes(publication: &Publication) -> Option<Vec<u8>> {
    match &publication.matter {
        Matter::Made(made) => Some(made.laid.bytes.clone()),
        Matter::Kept(file) => Some(std::fs::read(file).unwrap()),
        Matter::Coming | Matter::Gone => None,
    }
}

pub(crate) fn texts(filled: &Filled) -> BTreeMap<String, String> {
    let text = |publication: &Publication| {
        let text = String::from_utf8(bytes(publication)?).unwrap();
        Some((publication.path.clone(), text))
    };
    filled.publications.iter().filter_map(text).collect()
}

fn links(document: &str, relation: &str) -> Vec<String> {
    let document = Document::parse(document).unwrap();
    let root = document.root_element();
    root.children()
        .filter(|node| node.attribute("rel") == Some(relation))
        .map(|node| node.attribute("href").unwrap().to_owned())
        .collect()
}

/// Ids and titles of an Atom document, in its order.
fn entries(document: &str) -> Vec<(String, String)> {
    let document = Document::parse(document).unwrap();
    let text = |node: roxmltree::Node<'_, '_>, name: &str| -> String {
        let child = node
            .children()
            .find(|child| child.tag_name().name() == name);
        child.and_then(|child| child.text()).unwrap().to_owned()
    };
    document
        .root_element()
        .children()
        .filter(|node| node.tag_name().name() == "entry")
        .map(|node| (text(node, "id"), text(node, "title")))
        .collect()
}

pub(crate) fn titles(document: &str) -> Vec<String> {
    entries(document)
        .into_iter()
        .map(|(_, title)| title)
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn f_01_f_68_every_view_is_valid_and_says_where_it_is() {
    let room = Room::new();
    told(&room, "a", &[("1", "甲"), ("2", "共")]).await;
    told(&room, "b", &[("3", "共"), ("4", "丁")]).await;
    let press = press(
        &room,
        vec![
            subscription("a", &["科 学", "all"]),
            subscription("b", &["all"]),
        ],
    );
    let texts = texts(&shelf(&room).fill(&press).unwrap());
    let paths: Vec<&str> = texts.keys().map(String::as_str).collect();
    let mut expected = vec!["/", "/.well-known/feeds", "/opml", "/style.css"];
    let views = [
        "feed",
        "source/a",
        "source/b",
        "tag/all",
        "tag/%E7%A7%91%20%E5%AD%A6",
    ];
    let all: Vec<String> = views
        .iter()
        .flat_map(|view| ["atom", "json", "rss"].map(|format| format!("/{view}.{format}")))
        .collect();
    expected.extend(all.iter().map(String::as_str));
    expected.sort_unstable();
    assert_eq!(paths, expected);
    let mut ids = BTreeSet::new();
    for view in views {
        let atom = &texts[&format!("/{view}.atom")];
        assert_eq!(check_atom::check(atom), Vec::<String>::new(), "{view}");
        assert_eq!(links(atom, "self"), [format!("{HOME}{view}.atom")]);
        assert_eq!(links(atom, "prev-archive"), Vec::<String>::new());
        let rss = &texts[&format!("/{view}.rss")];
        assert!(rss.contains(&format!("href=\"{HOME}{view}.rss\"")), "{rss}");
        let json: serde_json::Value =
            serde_json::from_str(&texts[&format!("/{view}.json")]).unwrap();
        assert_eq!(json["feed_url"], format!("{HOME}{view}.json"));
        let of_json: Vec<&str> = json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        let of_atom = entries(atom);
        assert_eq!(
            of_json,
            of_atom.iter().map(|(id, _)| id).collect::<Vec<_>>()
        );
        ids.insert(json["_feedmill"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), views.len(), "each view has an id of its own");
    // The same words once in the merged feed and under their tag, and in each source's own feed all the same.
    let count = |view: &str| {
        let titles = titles(&texts[&format!("/{view}.atom")]);
        titles.iter().filter(|title| *title == "共").count()
    };
    assert_eq!(views.map(count), [1, 1, 1, 1, 1]);
    assert_eq!(titles(&texts["/feed.atom"]).len(), 3);
    assert_eq!(titles(&texts["/source/b.atom"]).len(), 2);
    assert!(
        texts["/feed.atom"].contains("title=\"The b feed\""),
        "the other carrier"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn f_08_f_09_f_67_the_same_store_is_the_same_bytes_and_nothing_is_a_feed_too() {
    let room = Room::new();
    let empty = press(&room, vec![subscription("a", &[])]);
    let texts_of = |press: &Press| texts(&shelf(&room).fill(press).unwrap());
    let nothing = texts_of(&empty);
    for view in ["feed", "source/a"] {
        let atom = &nothing[&format!("/{view}.atom")];
        assert_eq!(check_atom::check(atom), Vec::<String>::new());
        assert!(atom.contains("<updated>1970-01-01T00:00:00"), "{atom}");
    }
    told(&room, "a", &[("1", "甲")]).await;
    let one = texts_of(&empty);
    room.later(Duration::from_hours(1));
    assert_eq!(one, texts_of(&empty));
    assert_ne!(one, nothing);
}

#[tokio::test(flavor = "current_thread")]
async fn f_32_what_did_not_change_is_neither_rendered_nor_compressed_again() {
    let room = Room::new();
    let library = Library::default();
    let press = press(
        &room,
        vec![subscription("a", &["t"]), subscription("b", &[])],
    );
    told(&room, "a", &[("1", "甲")]).await;
    told(&room, "b", &[("2", "乙")]).await;
    let mut shelf = shelf(&room);
    let first = shelf.fill(&press).unwrap();
    assert_eq!(first.rendered, 4);
    assert!(shelve(&library, first.publications, now()).await.unwrap());
    let before = library.latest().borrow().clone().unwrap();
    let again = shelf.fill(&press).unwrap();
    assert_eq!(again.rendered, 0);
    assert!(!shelve(&library, again.publications, now()).await.unwrap());
    told(&room, "b", &[("2", "乙"), ("3", "丙")]).await;
    let more = shelf.fill(&press).unwrap();
    assert_eq!(more.rendered, 2, "the merged feed and that of b");
    assert!(shelve(&library, more.publications, now()).await.unwrap());
    let after = library.latest().borrow().clone().unwrap();
    // The very same memory where nothing changed, and the same date.
    let shown = |version: &Version, path: &str| match version.place(path) {
        Some(Place::Here(shown)) => shown.clone(),
        other => panic!("{path}: {other:?}"),
    };
    for (path, same) in [
        ("/source/a.atom", true),
        ("/tag/t.json", true),
        ("/opml", true),
        ("/feed.atom", false),
        ("/source/b.rss", false),
        ("/", false),
    ] {
        let [old, new] = [&before, &after].map(|version| shown(version, path));
        let shared = std::sync::Arc::ptr_eq(&old.document, &new.document);
        assert_eq!(shared, same, "{path}");
        assert_eq!(old.last_modified == new.last_modified, same, "{path}");
    }
}

/// From the window back to the oldest document: every id with its newest words, and how often it was met in a sealed one.
pub(crate) fn walk(
    texts: &BTreeMap<String, String>,
) -> (HashMap<String, String>, HashMap<String, usize>) {
    let mut newest = HashMap::new();
    let mut sealed: HashMap<String, usize> = HashMap::new();
    let mut path = "/feed.atom".to_owned();
    loop {
        let document = texts.get(&path).unwrap_or_else(|| panic!("no {path}"));
        for (id, title) in entries(document) {
            if path != "/feed.atom" {
                *sealed.entry(id.clone()).or_default() += 1;
            }
            newest.entry(id).or_insert(title);
        }
        match links(document, "prev-archive").first() {
            Some(next) => path = format!("/{}", next.strip_prefix(HOME).unwrap()),
            None => return (newest, sealed),
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn f_48_f_49_every_entry_is_archived_before_it_leaves_and_archives_never_change() {
    let room = Room::new();
    let press = press(&room, vec![subscription("a", &[]), subscription("b", &[])]);
    let mut shelf_of = shelf(&room);
    let mut frozen: BTreeMap<String, String> = BTreeMap::new();
    let mut published = BTreeSet::new();
    for round in 0..12 {
        many(&room, "a", &format!("r{round}x"), 37).await;
        if round == 0 {
            told(&room, "b", &[("copy", "r0x1")]).await;
        }
        if round == 6 {
            // Long after all of them were sealed or passed over: an old entry gets other words; and so does one whose words
            // another has too, who then owns them.
            told(&room, "a", &[("r0x0", "neu"), ("r0x1", "anders")]).await;
        }
        let filled = if round == 7 {
            // After a restart.
            shelf(&room).fill(&press).unwrap()
        } else {
            shelf_of.fill(&press).unwrap()
        };
        assert!(!filled.unfinished);
        let texts = texts(&filled);
        for (path, text) in texts
            .iter()
            .filter(|(path, _)| path.starts_with("/archive/"))
        {
            assert_eq!(
                check_atom::check_archive(text),
                Vec::<String>::new(),
                "{path}"
            );
            assert_eq!(links(text, "current"), [format!("{HOME}feed.atom")]);
            assert_eq!(links(text, "self"), [format!("{HOME}{}", &path[1..])]);
            assert_eq!(links(text, "next-archive"), Vec::<String>::new());
            let before = frozen.entry(path.clone()).or_insert_with(|| text.clone());
            assert_eq!(before, text, "{path} changed");
        }
        assert_eq!(
            check_atom::check(&texts["/feed.atom"]),
            Vec::<String>::new()
        );
        let (newest, sealed) = walk(&texts);
        published.extend(entries(&texts["/feed.atom"]).into_iter().map(|(id, _)| id));
        assert!(
            published.iter().all(|id| newest.contains_key(id)),
            "round {round}"
        );
        let twice: Vec<_> = sealed.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.len() <= 2, "only what was revised: {twice:?}");
        if round >= 6 {
            let words: BTreeSet<&str> = newest.values().map(String::as_str).collect();
            for title in ["neu", "anders", "r0x1"] {
                assert!(words.contains(title), "{title} in round {round}");
            }
            assert!(!words.contains("r0x0"), "the old words are the older copy");
        }
        if round == 11 {
            // All that was ever there: 12 × 37 of a, and the copy of b.
            assert_eq!(newest.len(), 12 * 37 + 1);
        }
    }
    assert_eq!(frozen.len(), (12 * 37) / SEALED);
}

#[tokio::test(flavor = "current_thread")]
async fn f_18_what_is_not_sealed_is_shown_however_old_it_is() {
    let room = Room::new();
    let press = press(&room, vec![subscription("a", &[])]);
    many(&room, "a", "x", 60).await;
    let texts = texts(&shelf(&room).fill(&press).unwrap());
    // The window is of twenty.
    assert_eq!(titles(&texts["/feed.atom"]).len(), 60);
    assert_eq!(titles(&texts["/source/a.atom"]).len(), 20);
}

#[tokio::test(flavor = "current_thread")]
async fn f_48_a_store_that_was_never_sealed_is_sealed_in_turns() {
    let room = Room::new();
    let press = press(&room, vec![subscription("a", &[])]);
    for round in 0..5 {
        many(&room, "a", &format!("r{round}-"), 200).await;
    }
    let mut shelf = shelf(&room);
    assert!(shelf.fill(&press).unwrap().unfinished);
    let mut turns = 1;
    let last = loop {
        let filled = shelf.fill(&press).unwrap();
        turns += 1;
        if !filled.unfinished {
            break filled;
        }
        assert!(turns < 10);
    };
    let (newest, sealed) = walk(&texts(&last));
    assert_eq!((newest.len(), sealed.len()), (1000, 1000));
}

/// A private feed that had words first, another of the same words, and a secret of its own.
async fn secret_room() -> Room {
    let room = Room::new();
    told(&room, "p", &[("p1", "geteilt"), ("p2", "kanarienvogel")]).await;
    told(&room, "a", &[("a1", "geteilt"), ("a2", "offen")]).await;
    room
}

fn secret(public: bool) -> Vec<Subscription> {
    let mut private = subscription("p", &["geheimes", "all"]);
    private.title = Some("Verschwiegen".to_owned());
    private.private = Some(!public);
    vec![private, subscription("a", &["all"])]
}

/// What of the private feed is anywhere in what is served, in file names included.
fn leaks(filled: &Filled, directory: &Path) -> Vec<String> {
    let canaries = [
        "kanarienvogel",
        "Verschwiegen",
        "geheimes",
        "lines.example.org/p",
        ">p<",
        "\"p\"",
        "source/p",
    ];
    let mut found = Vec::new();
    let mut look = |place: &str, text: &str| {
        for canary in canaries {
            if text.contains(canary) {
                found.push(format!("{place}: {canary}"));
            }
        }
    };
    for publication in &filled.publications {
        look("path", &publication.path);
        if let Some(bytes) = bytes(publication) {
            look(&publication.path, &String::from_utf8_lossy(&bytes));
        }
    }
    for file in std::fs::read_dir(directory.join("sealed"))
        .into_iter()
        .flatten()
    {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "atom") {
            look("file", &std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "current_thread")]
async fn f_63_a_private_feed_is_nowhere() {
    let room = secret_room().await;
    let mut press_of = press(&room, secret(false));
    let directory = room.directory.path();
    let filled = shelf(&room).fill(&press_of).unwrap();
    assert_eq!(leaks(&filled, directory), Vec::<String>::new());
    // The words it had first are those of who has them too.
    assert_eq!(titles(&texts(&filled)["/feed.atom"]).len(), 2);
    press_of.publish().await.unwrap();
    let file = std::fs::read_to_string(&press_of.feed).unwrap();
    assert!(!file.contains("kanarienvogel") && file.contains("offen"));
    // Not even when it is no longer subscribed to.
    press_of.subscriptions.retain(|id, _| id.as_str() != "p");
    let filled = shelf(&room).fill(&press_of).unwrap();
    assert_eq!(leaks(&filled, directory), Vec::<String>::new());
    // And once it is public it shows, so the canaries are good ones.
    let public = press(&room, secret(true));
    let filled = shelf(&room).fill(&public).unwrap();
    assert!(leaks(&filled, directory).len() > 10);
}

#[tokio::test(flavor = "current_thread")]
async fn f_50_f_63_f_65_who_is_withdrawn_is_dropped_from_what_was_sealed() {
    let room = secret_room().await;
    many(&room, "a", "x", SEALED).await;
    let directory = room.directory.path();
    let public = press(&room, secret(true));
    let before = shelf(&room).fill(&public).unwrap();
    let sealed = &texts(&before)["/archive/1.atom"];
    assert!(sealed.contains("kanarienvogel"));
    let private = press(&room, secret(false));
    let after = shelf(&room).fill(&private).unwrap();
    assert_eq!(leaks(&after, directory), Vec::<String>::new());
    let rest = &texts(&after)["/archive/1.atom"];
    assert_eq!(check_atom::check_archive(rest), Vec::<String>::new());
    assert_eq!(titles(rest).len(), titles(sealed).len() - 2);
}

#[tokio::test(flavor = "current_thread")]
async fn f_58_f_59_the_subscriptions_are_public_ones_with_their_tags() {
    let room = secret_room().await;
    let filled = shelf(&room).fill(&press(&room, secret(false))).unwrap();
    let texts = texts(&filled);
    assert_eq!(texts["/opml"], texts["/.well-known/feeds"]);
    let document = Document::parse(&texts["/opml"]).unwrap();
    let outlines: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("outline"))
        .map(|node| {
            (
                node.attribute("xmlUrl").unwrap(),
                node.attribute("category"),
            )
        })
        .collect();
    assert_eq!(outlines, [("https://lines.example.org/a.xml", Some("all"))]);
}

#[tokio::test(flavor = "current_thread")]
async fn f_60_f_61_the_page_has_the_entries_and_leads_to_every_feed() {
    let room = Room::new();
    told(&room, "a", &[("1", "<script>alert(1)</script>\"&")]).await;
    let press = press(&room, vec![subscription("a", &["科学"])]);
    let texts = texts(&shelf(&room).fill(&press).unwrap());
    let page = &texts["/"];
    for format in ["atom", "rss", "json"] {
        let address = format!("href=\"{HOME}feed.{format}\"");
        assert!(page.contains(&address), "{page}");
        assert!(page.contains(&format!("{HOME}source/a.{format}")));
        assert!(page.contains(&format!("{HOME}tag/%E7%A7%91%E5%AD%A6.{format}")));
    }
    assert_eq!(page.matches("<article").count(), 1);
    assert!(page.contains("https://lines.example.org/a/1"));
    for never in [
        "<script",
        "javascript:",
        "style=",
        "<style",
        "<img",
        "onload",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(page.contains("&lt;script&gt;"));
    for text in texts.values() {
        assert!(!text.contains("xml-stylesheet"), "{text}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn f_68_a_source_that_is_subscribed_to_no_more_is_gone() {
    let room = Room::new();
    told(&room, "a", &[("1", "甲")]).await;
    let mut press = press(&room, vec![subscription("a", &["t"])]);
    let library = Library::default();
    let mut shelf = shelf(&room);
    let first = shelf.fill(&press).unwrap();
    shelve(&library, first.publications, now()).await.unwrap();
    press.subscriptions.clear();
    let second = shelf.fill(&press).unwrap();
    shelve(&library, second.publications, now()).await.unwrap();
    let version = library.latest().borrow().clone().unwrap();
    for path in ["/source/a.atom", "/tag/t.rss"] {
        assert_eq!(version.place(path), Some(&Place::Gone), "{path}");
    }
    assert_eq!(version.place("/source/other.atom"), None);
    // What it brought is kept for good.
    let Some(Place::Here(feed)) = version.place("/feed.atom") else {
        panic!()
    };
    assert!(String::from_utf8_lossy(&feed.document.identity().bytes).contains("甲"));
}
#[tokio::test]
async fn a_start_has_the_merged_feed_first_and_says_what_else_is_coming() {
    let room = Room::new();
    let press = press(
        &room,
        vec![subscription("a", &["t"]), subscription("b", &[])],
    );
    many(&room, "a", "a", SEALED + 30).await;
    told(&room, "b", &[("1", "甲")]).await;
    let mut first = shelf(&room);
    assert!(!first.fill(&press).unwrap().unfinished);
    let all = first.fill(&press).unwrap();
    // Another start.
    let mut shelf = shelf(&room);
    let front = shelf.front(&press).unwrap();
    assert_eq!((front.rendered, front.unfinished), (1, false));
    let (all, front_texts) = (texts(&all), texts(&front));
    assert!(front_texts.len() < all.len());
    for (path, text) in &front_texts {
        assert_eq!(all.get(path), Some(text), "{path}");
    }
    let coming = front
        .publications
        .iter()
        .filter(|publication| publication.matter == Matter::Coming);
    let coming: Vec<&str> = coming.map(|publication| &*publication.path).collect();
    for path in all.keys() {
        let is_coming = coming.contains(&path.as_str());
        assert_ne!(front_texts.contains_key(path), is_coming, "{path}");
    }
    assert!(coming.contains(&"/source/a.atom") && coming.contains(&"/tag/t.json"));
    assert_eq!(texts(&shelf.fill(&press).unwrap()), all);
}
