//! Groups of copies whose words differ: found, shown, named, taken apart, and the same in whatever order they came.

mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedmill::model::content::Content;
use feedmill::model::entry::{Draft, EntryKey};
use feedmill::model::feed::Subscription;
use feedmill::model::ids::{ArticleSeq, EntryId};
use feedmill::model::river::{Collapse, CopyPolicy};
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::model::withheld::Reason;
use feedmill::output::atom::Atom;
use feedmill::rules::{normalise, similar};
use feedmill::service::grouping::Grouping;
use feedmill::service::publish::Press;
use feedmill::service::shelf::{Matter, Shelf};
use feedmill::store::Store;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::check_atom;
use crate::support::daemon::{self, Daemon};
use crate::support::mill::{EAGER, Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::record;

const WINDOW: Duration = Duration::from_hours(24 * 90);

/// A story of four hundred characters and more: other words for each number.
fn story(number: u32) -> String {
    (0..4).map(|part| words(number * 10 + part)).collect()
}

/// The same story with one of so many characters changed.
fn edited(story: &str, every: usize) -> String {
    let change = |(place, c): (usize, char)| {
        if place % every == every - 1 && !c.is_ascii() {
            '改'
        } else {
            c
        }
    };
    story.chars().enumerate().map(change).collect()
}

/// The first paragraphs of a story.
fn beginning(story: &str, paragraphs: usize) -> String {
    let parts: Vec<&str> = story.split_inclusive("</p>").take(paragraphs).collect();
    parts.concat()
}

/// A store in a directory of its own.
struct Room {
    store: Store,
    directory: TempDir,
}

/// An entry as its feed has it.
#[derive(Clone, Debug)]
struct Post {
    feed: &'static str,
    id: String,
    title: String,
    words: String,
    hour: i64,
}

fn post(feed: &'static str, id: &str, title: &str, words: &str, hour: i64) -> Post {
    Post {
        feed,
        id: id.to_owned(),
        title: title.to_owned(),
        words: words.to_owned(),
        hour,
    }
}

fn time(hour: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + hour * 3_600)
}

impl Room {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            store: Store::open(&directory.path().join("feedmill.db")).unwrap(),
            directory,
        }
    }

    /// Records a poll with these entries, all of one feed.
    async fn record(&self, posts: &[Post]) {
        let draft = |post: &Post| Draft {
            id: EntryId::new(&post.id),
            link: PageUrl::parse(&format!("https://{}.example.org/{}", post.feed, post.id)).ok(),
            title: Some(post.title.clone()),
            published: Some(time(post.hour)),
            body: Some(Content::html(&*post.words)),
            ..Draft::default()
        };
        let articles = posts.iter().map(|post| {
            let key = EntryId::new(&post.id).map(EntryKey::Id);
            normalise::normalise(key, draft(post), None, time(10_000)).unwrap()
        });
        let at = time(10_000);
        let feed = posts[0].feed.parse().unwrap();
        let poll = record::read(feed, at, articles.collect());
        self.store.record(poll).await.unwrap();
    }

    /// Looks for copies until there are no more articles; says whether a group changed.
    async fn group(&self) -> bool {
        self.group_within(WINDOW).await
    }

    async fn group_within(&self, window: Duration) -> bool {
        let mut grouping = Grouping::open(self.store.clone(), window).await.unwrap();
        let mut changed = false;
        for _ in 0..1_000 {
            let slice = grouping.slice().await.unwrap();
            changed |= slice.changed;
            if !slice.worked {
                return changed;
            }
        }
        panic!("it does not end");
    }

    /// Names of all entries, by the numbers of their first revisions.
    fn names(&self) -> BTreeMap<ArticleSeq, String> {
        let all = self.store.since(None, usize::MAX).unwrap().into_iter();
        all.map(|a| {
            let id = a.article.id.unwrap();
            (a.first_seq, format!("{}/{}", a.feed, id.as_str()))
        })
        .collect()
    }

    /// The groups of two and more, by the names of their members.
    fn groups(&self) -> BTreeSet<Vec<String>> {
        let names = self.names();
        let groups = names.keys().map(|entry| {
            let group = self.store.group(*entry).unwrap().members;
            let mut members: Vec<String> = group
                .iter()
                .map(|(m, ..)| names[&m.entry].clone())
                .collect();
            members.sort();
            members
        });
        groups.filter(|group| !group.is_empty()).collect()
    }

    fn entry(&self, name: &str) -> ArticleSeq {
        let names = self.names();
        *names.iter().find(|(_, known)| *known == name).unwrap().0
    }

    fn press(&self, copies: CopyPolicy, private: &[&str]) -> Press {
        let feeds = ["a", "b", "c"].map(|id| Subscription {
            title: Some(format!("The {id} feed")),
            private: private.contains(&id).then_some(true),
            ..Subscription::new(id.parse().unwrap(), "feed")
        });
        Press {
            sealed: None,
            share: feedmill::rules::share::Share::ALL,
            store: self.store.clone(),
            archive: None,
            feed: self.directory.path().join("feed.atom"),
            entries: 20,
            copies,
            masthead: record::masthead("https://news.example.org/"),
            subscriptions: feeds
                .into_iter()
                .map(|feed| (feed.id.clone(), feed))
                .collect(),
        }
    }

    /// The merged feed: each entry's title, and who is named in it as `feed/near` or `feed/same`.
    fn merged(&self, copies: CopyPolicy, private: &[&str]) -> Vec<(String, Vec<String>)> {
        let atom = self.press(copies, private).render(&Atom).unwrap();
        let atom = String::from_utf8(atom).unwrap();
        assert_eq!(check_atom::check(&atom), Vec::<String>::new());
        entries(&atom)
    }
}

fn entries(atom: &str) -> Vec<(String, Vec<String>)> {
    let document = roxmltree::Document::parse(atom).unwrap();
    let all = document.root_element().children();
    all.filter(|node| node.tag_name().name() == "entry")
        .map(|entry| {
            let named = |name: &'static str| {
                entry
                    .children()
                    .filter(move |node| node.tag_name().name() == name)
            };
            let title = named("title").next().unwrap().text().unwrap().to_owned();
            let carriers = named("carrier").map(|carrier| {
                let words = carrier.attribute("words").unwrap_or("same");
                format!("{}/{words}", carrier.attribute("feed").unwrap())
            });
            let carriers: Vec<String> = carriers.collect();
            let related = named("link").filter(|link| link.attribute("rel") == Some("related"));
            assert_eq!(related.count(), carriers.len(), "{title}");
            (title, carriers)
        })
        .collect()
}

fn shown(collapse: Collapse) -> CopyPolicy {
    CopyPolicy {
        collapse,
        near: true,
    }
}

fn pairs(entries: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    entries
        .iter()
        .map(|(title, named)| ((*title).to_owned(), own(named)))
        .collect()
}

/// Of `a` a story and another one; of `b` the same words under another head; of `c` the story edited, and its summary
/// before everybody.
async fn copies() -> Room {
    let room = Room::new();
    let one = story(1);
    room.record(&[
        post("a", "1", "渡轮今天停航", &one, 10),
        post("a", "2", "别的消息一则", &story(2), 11),
    ])
    .await;
    room.record(&[post("b", "3", "江上不见渡轮", &one, 12)])
        .await;
    room.record(&[
        post("c", "4", "停航的渡轮", &edited(&one, 40), 13),
        post("c", "5", "渡轮简讯一条", &beginning(&one, 2), 9),
    ])
    .await;
    assert!(room.group().await);
    room
}

#[tokio::test(flavor = "current_thread")]
async fn copies_are_grouped_with_their_evidence_and_the_same_again_changes_nothing() {
    let room = copies().await;
    let all = ["a/1", "b/3", "c/4", "c/5"].map(str::to_owned).to_vec();
    assert_eq!(room.groups(), BTreeSet::from([all]));
    let kin = room.store.kin(room.entry("a/1")).unwrap();
    let kinds: Vec<&str> = kin.iter().map(|kin| kin.kinship.name()).collect();
    assert_eq!(
        kinds,
        ["near", "subset"],
        "the same words need no row: {kin:?}"
    );
    let near = &kin[0].evidence;
    assert!((0.7..0.9).contains(&near.jaccard), "{near:?}");
    assert!((near.jaccard - near.estimate).abs() < 0.15, "{near:?}");
    let subset = &kin[1].evidence;
    assert!(
        subset.containment >= 0.85 && subset.lead && !subset.title,
        "{subset:?}"
    );
    let members: Vec<_> = room.store.group(room.entry("b/3")).unwrap().members;
    let members: Vec<_> = members.into_iter().map(|(member, ..)| member).collect();
    let name = |member: Option<&similar::Member>| room.names()[&member.unwrap().entry].clone();
    assert_eq!(name(similar::first(&members)), "c/5", "by date");
    assert_eq!(
        name(similar::shown(&members)),
        "a/1",
        "the first is a part of the others"
    );
    assert!(!room.group().await, "there is nothing to do");
    let before = room.store.kin(room.entry("c/4")).unwrap();
    // From the beginning, by another window and back.
    assert!(room.group_within(WINDOW * 2).await);
    assert!(room.group().await);
    assert_eq!(room.store.kin(room.entry("c/4")).unwrap(), before);
}

#[tokio::test(flavor = "current_thread")]
async fn near_copies_name_each_other_and_collapse_as_ordered() {
    let room = copies().await;
    let exact = room.merged(shown(Collapse::Exact), &[]);
    let of_all: &[&str] = &["b/same", "c/near", "c/near"];
    let expected = pairs(&[
        ("停航的渡轮", &["c/near", "a/near", "b/near"]),
        ("别的消息一则", &[]),
        ("渡轮今天停航", of_all),
        ("渡轮简讯一条", &["a/near", "b/near", "c/near"]),
    ]);
    assert_eq!(exact, expected);
    let near = room.merged(shown(Collapse::Near), &[]);
    assert_eq!(
        near,
        pairs(&[("别的消息一则", &[]), ("渡轮今天停航", of_all)])
    );
    let each = room.merged(shown(Collapse::None), &[]);
    let expected = pairs(&[
        ("停航的渡轮", &["c/near", "a/near", "b/near"]),
        ("江上不见渡轮", &["c/near", "a/same", "c/near"]),
        ("别的消息一则", &[]),
        ("渡轮今天停航", &["c/near", "b/same", "c/near"]),
        ("渡轮简讯一条", &["a/near", "b/near", "c/near"]),
    ]);
    assert_eq!(each, expected);
    let off = CopyPolicy {
        collapse: Collapse::Near,
        near: false,
    };
    let without: Vec<_> = room
        .merged(off, &[])
        .into_iter()
        .flat_map(|(_, named)| named)
        .collect();
    assert_eq!(without, ["b/same"], "as if there were no groups");
}

#[tokio::test(flavor = "current_thread")]
async fn f_63_private_and_withheld_copies_are_neither_named_nor_do_they_join() {
    let room = copies().await;
    let near = room.merged(shown(Collapse::Near), &["a"]);
    // Without the feed that had it first, the same words of another stand for it.
    assert_eq!(near, pairs(&[("江上不见渡轮", &["c/near", "c/near"])]));
    let exact = room.merged(shown(Collapse::Exact), &["c"]);
    assert_eq!(
        exact,
        pairs(&[("别的消息一则", &[]), ("渡轮今天停航", &["b/same"])])
    );
    let entry = room.entry("c/4");
    room.store
        .withhold(vec![entry], Reason::Flood, time(0))
        .await
        .unwrap();
    let exact = room.merged(shown(Collapse::Exact), &[]);
    assert_eq!(
        exact[1],
        pairs(&[("渡轮今天停航", &["b/same", "c/near"])])[0]
    );
    assert_eq!(room.groups().len(), 1, "it is a member all the same");
}

#[tokio::test(flavor = "current_thread")]
async fn who_is_taken_out_stays_out_and_comes_back_by_order_alone() {
    let room = copies().await;
    let entry = room.entry("c/4");
    assert!(room.store.part(entry, Some(time(1))).await.unwrap());
    assert!(!room.store.part(entry, Some(time(2))).await.unwrap());
    let rest = BTreeSet::from([["a/1", "b/3", "c/5"].map(str::to_owned).to_vec()]);
    assert_eq!(room.groups(), rest);
    // Made anew, and with another revision and another copy.
    room.group_within(WINDOW * 2).await;
    room.record(&[post("c", "4", "停航的渡轮", &edited(&story(1), 45), 13)])
        .await;
    room.record(&[post("b", "6", "再说渡轮停航", &edited(&story(1), 41), 14)])
        .await;
    room.group_within(WINDOW * 2).await;
    let rest = BTreeSet::from([["a/1", "b/3", "b/6", "c/5"].map(str::to_owned).to_vec()]);
    assert_eq!(room.groups(), rest);
    let named = room.merged(shown(Collapse::Near), &[]);
    assert_eq!(
        named[0],
        pairs(&[("停航的渡轮", &[])])[0],
        "it is shown by itself"
    );
    assert_eq!(room.store.parted(entry).unwrap(), Some(time(1)));
    assert!(room.store.part(entry, None).await.unwrap());
    assert_eq!(room.groups().first().unwrap().len(), 5);
}

#[tokio::test(flavor = "current_thread")]
async fn a_revision_joins_and_leaves() {
    let room = copies().await;
    room.record(&[post("c", "4", "停航的渡轮", &story(7), 13)])
        .await;
    assert!(room.group().await);
    let rest = BTreeSet::from([["a/1", "b/3", "c/5"].map(str::to_owned).to_vec()]);
    assert_eq!(room.groups(), rest);
    room.record(&[post("a", "2", "别的消息一则", &edited(&story(7), 50), 13)])
        .await;
    assert!(room.group().await);
    let pair = ["a/2", "c/4"].map(str::to_owned).to_vec();
    assert!(room.groups().contains(&pair), "{:?}", room.groups());
}

#[tokio::test(flavor = "current_thread")]
async fn copies_beyond_the_window_are_none_and_late_ones_are_found() {
    let room = Room::new();
    let day = Duration::from_hours(24);
    room.record(&[post("a", "1", "渡轮今天停航", &story(1), 0)])
        .await;
    room.record(&[post("b", "2", "渡轮又一次停航", &edited(&story(1), 40), 25)])
        .await;
    room.group_within(day).await;
    assert_eq!(room.groups(), BTreeSet::new());
    // Weeks later, dated like the first: the index holds neither of them any more.
    room.record(&[post("a", "3", "别的消息一则", &story(3), 1_000)])
        .await;
    room.group_within(day).await;
    room.record(&[
        post("c", "4", "停航的渡轮", &edited(&story(1), 45), 12),
        post("c", "5", "停航那天的渡轮", &edited(&story(1), 50), 20),
    ])
    .await;
    room.group_within(day).await;
    let all = ["a/1", "b/2", "c/4", "c/5"].map(str::to_owned).to_vec();
    assert_eq!(room.groups(), BTreeSet::from([all]));
}

#[tokio::test(flavor = "current_thread")]
async fn f_48_sealed_pages_have_every_copy_and_the_window_one_of_a_group() {
    let room = Room::new();
    let press = room.press(shown(Collapse::Near), &[]);
    let mut shelf = Shelf::new(Some(room.directory.path().join("sealed")));
    let mut frozen: BTreeMap<String, String> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for round in 0_u32..5 {
        let mut own = Vec::new();
        let mut copies = Vec::new();
        for n in 0..30 {
            let number = round * 30 + n;
            let words = words(number + 1);
            let hour = i64::from(number);
            let (title, other) = (format!("消息第{number}条"), format!("转来的第{number}条"));
            own.push(post("a", &format!("a{number}"), &title, &words, hour));
            all.insert(title);
            if n % 3 == 0 {
                copies.push(post(
                    "b",
                    &format!("b{number}"),
                    &other,
                    &words.replacen("</p>", "改动一处</p>", 1),
                    hour + 1,
                ));
                all.insert(other);
            }
        }
        room.record(&own).await;
        room.record(&copies).await;
        room.group().await;
        let filled = shelf.fill(&press).unwrap();
        assert!(!filled.unfinished);
        let (mut window, mut sealed) = (BTreeSet::new(), BTreeSet::new());
        for publication in filled.publications {
            let text = match &publication.matter {
                Matter::Made(made) => String::from_utf8(made.laid.bytes.clone()).unwrap(),
                Matter::Kept(file) => std::fs::read_to_string(file).unwrap(),
                Matter::Coming | Matter::Gone => continue,
            };
            let titles = |text: &str| -> Vec<String> {
                entries(text).into_iter().map(|(title, _)| title).collect()
            };
            if publication.path == "/feed.atom" {
                window.extend(titles(&text));
            } else if publication.path.starts_with("/archive/") {
                sealed.extend(titles(&text));
                for (title, named) in entries(&text) {
                    let is_copy = title.starts_with("转来");
                    assert!(!is_copy || named == ["a/near"], "{title}: {named:?}");
                }
                let before = frozen
                    .entry(publication.path)
                    .or_insert_with(|| text.clone());
                assert_eq!(*before, text, "a sealed page changed");
            }
        }
        assert!(
            !window.iter().any(|title| title.starts_with("转来")),
            "{window:?}"
        );
        let everything: BTreeSet<_> = window.union(&sealed).collect();
        let lost: Vec<_> = all
            .iter()
            .filter(|title| !everything.contains(title))
            .collect();
        assert!(
            lost.iter().all(|title| title.starts_with("转来")),
            "{lost:?}"
        );
        if round == 4 {
            // A hundred and fifty and their fifty copies: two pages.
            assert_eq!((frozen.len(), lost.len()), (2, 0), "{lost:?}");
        }
    }
}

fn page(items: &[(&str, &str, &str)]) -> Reply {
    Reply::ok("application/rss+xml", rss(items)).validated()
}

fn two_feeds() -> (Origin, String) {
    let (one, two) = (story(1), story(2));
    let a = page(&[("one", "渡轮今天停航", &one), ("two", "别的消息一则", &two)]);
    let b = page(&[("copy", "江上不见渡轮", &edited(&one, 40))]);
    let origin = Origin::start([("/a", a), ("/b", b)]);
    let feeds = plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"));
    (origin, feeds)
}

fn group(mill: &Mill, args: &[&str]) -> Value {
    let args: Vec<&str> = ["group", "--json"].iter().chain(args).copied().collect();
    let run = mill.run(&args);
    assert_eq!(run.status, 0, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn the_command_shows_a_group_and_splits_it() {
    let (_origin, feeds) = two_feeds();
    let mill = Mill::new(&feeds);
    mill.fetch(0);
    let number = |title: &str| {
        let list = mill.list();
        list.iter().find(|line| line[4] == title).unwrap()[0].clone()
    };
    let copy = number("江上不见渡轮");
    let shown = group(&mill, &[&copy]);
    let titles: BTreeSet<&str> = shown["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, BTreeSet::from(["江上不见渡轮", "渡轮今天停航"]));
    let pair = &shown["pairs"][0];
    assert_eq!(
        (&pair["kind"], &pair["one_group"]),
        (&"near".into(), &true.into())
    );
    assert!(pair["jaccard"].as_f64().unwrap() > 0.7, "{shown:#}");
    for name in ["https://news.example.org/copy", "copy"] {
        assert_eq!(group(&mill, &[name]), shown, "{name}");
    }
    let table = mill.run(&["group", &copy]).out;
    for part in ["first", "fullest", "one group", "0.79", "江上不见渡轮"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let alone = mill.run(&["group", &number("别的消息一则")]);
    assert!(alone.out.contains("has no copy"), "{alone:?}");
    assert_eq!(mill.run(&["group", "nobody"]).status, 1);
    assert!(mill.feed().contains("words=\"near\""));

    let split = group(&mill, &[&copy, "--split"]);
    assert_eq!(split["members"], Value::Array(Vec::new()));
    assert!(split["split_since"].is_string());
    // Other settings make all of it anew.
    mill.write(
        "feedmill.toml",
        &format!("{EAGER}\n[groups]\nwindow = \"30d\"\n"),
    );
    mill.fetch(0);
    assert!(!mill.feed().contains("words=\"near\""), "{}", mill.feed());
    assert_eq!(group(&mill, &[&copy])["members"], Value::Array(Vec::new()));
    assert_eq!(
        group(&mill, &[&copy, "--join"])["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let settings = format!("{EAGER}\n[feed]\ncollapse = \"near\"\n");
    mill.write("feedmill.toml", &settings);
    mill.fetch(0);
    assert_eq!(mill.feed().matches("<fm:seq>").count(), 2);
    let why = mill.run(&["why", &copy]).out;
    let first = number("渡轮今天停航");
    for part in [
        format!("no: article {first} of a is shown for it: it is a copy in nearly the same words"),
        "1 other copy".to_owned(),
    ] {
        assert!(why.contains(&part), "{part}: {why}");
    }
    mill.write(
        "feedmill.toml",
        &format!("{settings}\n[groups]\nenabled = false\n"),
    );
    mill.fetch(0);
    assert_eq!(mill.feed().matches("<fm:seq>").count(), 3);
}

#[test]
fn the_service_groups_behind_its_polls() {
    let (_origin, feeds) = two_feeds();
    let mill = daemon::mill(&feeds);
    let mut daemon = Daemon::start(&mill, Duration::from_secs(1));
    daemon.wait_for("READY=1");
    daemon.until("named", |_| {
        let file = std::fs::read_to_string(mill.path("data/feed.atom"));
        file.is_ok_and(|feed| feed.contains("words=\"near\""))
    });
    daemon.stop();
}
