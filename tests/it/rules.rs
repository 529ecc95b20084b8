//! The operator's rules: what they tag, drop and highlight, in everything that is served; what happens when they change,
//! and when an article does; and that trying one changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use feedmill::model::feed::Subscription;
use feedmill::model::ruling::{Act, Order, RuleText};
use feedmill::model::withheld::Reason;
use feedmill::output::atom::Atom;
use feedmill::rules::ruling::{self, FeedTags, Rule};
use feedmill::service::judge::{Judge, Progress};
use feedmill::service::shelf::Filled;
use nix::sys::signal::Signal;
use roxmltree::Document;
use serde_json::Value;

use crate::shelf::{many, press, shelf, subscription, texts, titles, told, walk};
use crate::support::check_atom;
use crate::support::daemon::{self, Daemon};
use crate::support::mill::{Mill, Run, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::web::{Room, now};

const OURS: &str = "urn:feedmill:ns:1";

fn rule(name: &str, query: &str, acts: &[Act]) -> Rule {
    Rule::new(RuleText {
        name: name.to_owned(),
        query: query.to_owned(),
        acts: acts.to_vec(),
    })
    .unwrap()
}

fn tag(name: &str) -> Act {
    Act::Tag(name.to_owned())
}

fn judge(room: &Room, rules: &[Rule], subscriptions: &[Subscription]) -> Judge {
    let tags: FeedTags = subscriptions
        .iter()
        .map(|own| (own.id.clone(), own.tags.clone()))
        .collect();
    Judge {
        store: room.store.clone(),
        rules: Arc::new(rules.to_vec()),
        tags: Arc::new(tags),
    }
}

fn withheld(room: &Room) -> Vec<u64> {
    let all = room.store.withheld(None).unwrap();
    assert!(all.iter().all(|one| one.why == Reason::Rule));
    all.iter().map(|one| one.entry.0).collect()
}

fn of(filled: &Filled, path: &str) -> String {
    texts(filled)
        .remove(path)
        .unwrap_or_else(|| panic!("no {path}"))
}

/// Titles, in whatever order: entries of one poll are of one date.
fn shown(filled: &Filled, path: &str) -> BTreeSet<String> {
    titles(&of(filled, path)).into_iter().collect()
}

fn these(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

fn orders() -> Vec<Subscription> {
    let mut secret = subscription("secret", &["world"]);
    secret.private = Some(true);
    vec![
        subscription("a", &["world"]),
        subscription("b", &[]),
        secret,
    ]
}

/// Numbers 0 and 1 of `a`, 2 to 4 of `b`, 5 of `secret`: the last of a list has the lowest.
async fn stocked() -> Room {
    let room = Room::new();
    told(&room, "a", &[("1", "选举开始"), ("2", "彩票号码")]).await;
    told(
        &room,
        "b",
        &[("3", "选举结束"), ("4", "天气"), ("5", "彩票大奖")],
    )
    .await;
    told(&room, "secret", &[("6", "选举秘密")]).await;
    room
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_dropped_stays_in_its_own_feed_and_comes_back_with_its_rule() {
    let room = stocked().await;
    let press = press(&room, orders());
    let mut shelf = shelf(&room);
    // In another script, as in every search.
    let rules = [rule("lottery", "title:彩票 -選舉", &[Act::Drop])];
    judge(&room, &rules, &orders()).finish(now()).await.unwrap();
    assert_eq!(withheld(&room), [0, 2]);
    let filled = shelf.fill(&press).unwrap();
    let left = these(&["天气", "选举结束", "选举开始"]);
    assert_eq!(shown(&filled, "/feed.atom"), left);
    assert_eq!(shown(&filled, "/tag/world.atom"), these(&["选举开始"]));
    assert_eq!(titles(&of(&filled, "/source/b.atom")).len(), 3);
    // Nothing is gone from the store.
    assert_eq!(room.titles().len(), 6);

    // Without the rule they are shown again, each under a number of its own, so that archives have them (F-48).
    judge(&room, &[], &orders()).finish(now()).await.unwrap();
    assert_eq!(withheld(&room), Vec::<u64>::new());
    let filled = shelf.fill(&press).unwrap();
    assert_eq!(titles(&of(&filled, "/feed.atom")).len(), 5);
    // The verdicts of rules that are gone are thrown away.
    let rounds = room.store.rounds().unwrap();
    assert!(!rounds.over && rounds.coming.is_none(), "{rounds:?}");
    assert_eq!(
        judge(&room, &[], &orders()).step(now()).await.unwrap(),
        Progress::Done
    );
}

#[tokio::test(flavor = "current_thread")]
async fn f_48_what_was_dropped_is_archived_once_it_is_shown_again() {
    let room = Room::new();
    let orders = [subscription("a", &[])];
    let press = press(&room, orders.to_vec());
    let mut shelf = shelf(&room);
    let rules = [rule("old", "title:x7", &[Act::Drop])];
    let with = judge(&room, &rules, &orders);
    with.finish(now()).await.unwrap();
    for round in 0..3 {
        many(&room, "a", &format!("r{round}-x"), 60).await;
        with.follow(now()).await.unwrap();
        shelf.fill(&press).unwrap();
    }
    let (found, _) = walk(&texts(&shelf.fill(&press).unwrap()));
    assert_eq!(found.len(), 180 - 3, "x7 of each round is nowhere");
    judge(&room, &[], &orders).finish(now()).await.unwrap();
    many(&room, "a", "later-x", 60).await;
    let mut filled = shelf.fill(&press).unwrap();
    while filled.unfinished {
        filled = shelf.fill(&press).unwrap();
    }
    let (found, sealed) = walk(&texts(&filled));
    assert_eq!(found.len(), 240);
    assert!(sealed.values().all(|times| *times == 1), "{sealed:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn f_63_f_68_a_rule_gives_a_tag_a_view_and_takes_it_with_it() {
    let room = stocked().await;
    let press = press(&room, orders());
    let mut shelf = shelf(&room);
    let rules = [
        rule("vote", "选举", &[tag("politics"), tag("world")]),
        rule("only secret", "source:secret", &[tag("geheim")]),
        // Sees what the first one gave, and not what the next one gives.
        rule("important", "tag:politics title:结束", &[Act::Highlight]),
        rule("too early", "tag:late", &[Act::Drop]),
        rule("late", "天气", &[tag("late")]),
    ];
    judge(&room, &rules, &orders()).finish(now()).await.unwrap();
    assert_eq!(withheld(&room), Vec::<u64>::new());
    let filled = shelf.fill(&press).unwrap();
    // Of both feeds, and of the private one nothing.
    assert_eq!(
        titles(&of(&filled, "/tag/politics.atom")),
        ["选举结束", "选举开始"]
    );
    // A tag that a subscription has, too.
    let world = these(&["选举结束", "彩票号码", "选举开始"]);
    assert_eq!(shown(&filled, "/tag/world.atom"), world);
    let all = texts(&filled);
    assert!(
        !all.contains_key("/tag/geheim.atom"),
        "only a private feed has it"
    );
    for (path, text) in &all {
        assert!(
            !text.contains("geheim") && !text.contains("选举秘密"),
            "{path}"
        );
        if path.split('.').next_back() == Some("atom") {
            assert_eq!(check_atom::check(text), Vec::<String>::new(), "{path}");
        }
    }
    assert!(
        all["/"].contains("tag/politics.atom"),
        "it is listed for people"
    );
    let json: Value = serde_json::from_str(&all["/tag/politics.json"]).unwrap();
    assert_eq!(json["items"][0]["_feedmill"]["highlight"], true);

    judge(&room, &rules[2..], &orders())
        .finish(now())
        .await
        .unwrap();
    let after = texts(&shelf.fill(&press).unwrap());
    assert!(!after.contains_key("/tag/politics.atom"));
    assert_eq!(
        titles(&after["/tag/world.atom"]).len(),
        2,
        "that of the subscription stays"
    );
    assert!(
        !after["/feed.json"].contains("highlight"),
        "nobody gives the tag any more"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_words_in_two_feeds_are_one_entry_under_a_tag_of_rules() {
    let room = Room::new();
    told(&room, "a", &[("1", "同一条")]).await;
    told(&room, "b", &[("2", "同一条"), ("3", "别的")]).await;
    let orders = [subscription("a", &[]), subscription("b", &["t"])];
    let press = press(&room, orders.to_vec());
    let rules = [rule("r", "同一条", &[tag("t"), tag("u")])];
    judge(&room, &rules, &orders).finish(now()).await.unwrap();
    let all = texts(&shelf(&room).fill(&press).unwrap());
    assert_eq!(
        titles(&all["/tag/t.atom"]),
        ["别的", "同一条"],
        "the first copy is older"
    );
    assert_eq!(titles(&all["/tag/u.atom"]), ["同一条"]);
    for path in ["/tag/t.atom", "/tag/u.atom"] {
        assert!(
            all[path].contains("title=\"The b feed\""),
            "{path} names the other carrier"
        );
    }
    // Who is dropped owns no words: the copy of the other feed is shown then.
    let rules = [rule("r", "source:a", &[Act::Drop])];
    judge(&room, &rules, &orders).finish(now()).await.unwrap();
    let filled = shelf(&room).fill(&press).unwrap();
    assert_eq!(shown(&filled, "/feed.atom"), these(&["别的", "同一条"]));
    assert!(!of(&filled, "/feed.atom").contains("The a feed"));
}

#[tokio::test(flavor = "current_thread")]
async fn marks_are_in_all_formats_whatever_the_title_holds() {
    let room = Room::new();
    let hostile = "]]><b>&amp;\u{202e}\"';--<script>选举";
    told(&room, "a", &[("1", hostile)]).await;
    told(&room, "a", &[("1", hostile), ("2", "天气")]).await;
    let orders = [subscription("a", &[])];
    let press = press(&room, orders.to_vec());
    let rules = [rule("r", "选举", &[tag("科 学&<"), Act::Highlight])];
    judge(&room, &rules, &orders).finish(now()).await.unwrap();
    let all = texts(&shelf(&room).fill(&press).unwrap());

    let atom = &all["/feed.atom"];
    assert_eq!(check_atom::check(atom), Vec::<String>::new());
    let document = Document::parse(atom).unwrap();
    let entries = document
        .descendants()
        .filter(|node| node.tag_name().name() == "entry");
    let marked: Vec<(bool, Vec<&str>)> = entries
        .map(|entry| {
            let ours = entry
                .children()
                .filter(|node| node.attribute("scheme") == Some(OURS));
            (
                entry
                    .children()
                    .any(|node| node.has_tag_name((OURS, "highlight"))),
                ours.map(|node| node.attribute("term").unwrap()).collect(),
            )
        })
        .collect();
    assert_eq!(marked, [(false, vec![]), (true, vec!["科 学&<"])]);

    let rss = Document::parse(&all["/feed.rss"]).unwrap();
    let count = |name: &str, domain: Option<&str>| {
        let named = rss
            .descendants()
            .filter(|node| node.tag_name().name() == name);
        named
            .filter(|node| node.attribute("domain") == domain)
            .count()
    };
    assert_eq!(
        (count("category", Some(OURS)), count("highlight", None)),
        (1, 1)
    );
    assert!(
        rss.descendants()
            .any(|node| node.has_tag_name((OURS, "highlight")))
    );

    let json: Value = serde_json::from_str(&all["/feed.json"]).unwrap();
    assert_eq!(json["items"][1]["tags"], serde_json::json!(["科 学&<"]));
    assert_eq!(json["items"][1]["_feedmill"]["highlight"], true);
    assert_eq!(json["items"][0]["_feedmill"].get("highlight"), None);

    let page = &all["/"];
    assert_eq!(page.matches("<mark>").count(), 1);
    assert!(page.contains("#科 学&amp;&lt;"), "{page}");
    assert!(!page.contains("<script>"));
    assert!(all.contains_key("/tag/%E7%A7%91%20%E5%AD%A6%26%3C.atom"));
    // Its own feed says it, too.
    assert!(all["/source/a.atom"].contains("<fm:highlight/>"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_revision_is_judged_anew() {
    let room = Room::new();
    let orders = [subscription("a", &[])];
    let press = press(&room, orders.to_vec());
    let mut shelf = shelf(&room);
    let rules = [
        rule("lottery", "title:彩票", &[Act::Drop]),
        rule("vote", "title:选举", &[tag("politics")]),
    ];
    let judge = judge(&room, &rules, &orders);
    judge.finish(now()).await.unwrap();
    let shown = |filled: &Filled, path: &str| {
        let text = texts(filled).remove(path);
        text.map(|text| titles(&text)).unwrap_or_default()
    };
    for (title, merged, tagged) in [
        ("选举", true, true),
        ("彩票", false, false),
        ("天气", true, false),
        ("选举彩票", false, false),
    ] {
        told(&room, "a", &[("1", title)]).await;
        judge.follow(now()).await.unwrap();
        let filled = shelf.fill(&press).unwrap();
        let seen = shown(&filled, "/feed.atom");
        assert_eq!(
            seen,
            if merged {
                vec![title.to_owned()]
            } else {
                vec![]
            },
            "{title}"
        );
        assert_eq!(
            !shown(&filled, "/tag/politics.atom").is_empty(),
            tagged,
            "{title}"
        );
        assert_eq!(withheld(&room).is_empty(), merged, "{title}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_not_judged_yet_is_not_shown_and_not_passed_over() {
    let room = Room::new();
    let orders = [subscription("a", &["t"])];
    let press = press(&room, orders.to_vec());
    let mut shelf = shelf(&room);
    let rules = [rule("lottery", "彩票", &[Act::Drop])];
    let judge = judge(&room, &rules, &orders);
    told(&room, "a", &[("1", "天气")]).await;
    judge.finish(now()).await.unwrap();
    // Enough to seal, and a revision behind them, while nobody judges.
    many(&room, "a", "x", 150).await;
    told(&room, "a", &[("1", "新天气"), ("2", "彩票")]).await;
    let filled = shelf.fill(&press).unwrap();
    for path in ["/feed.atom", "/tag/t.atom", "/source/a.atom"] {
        assert_eq!(titles(&of(&filled, path)), ["新天气"], "{path}");
    }
    assert!(
        !texts(&filled)
            .keys()
            .any(|path| path.starts_with("/archive/"))
    );
    judge.follow(now()).await.unwrap();
    let (found, _) = walk(&texts(&shelf.fill(&press).unwrap()));
    assert_eq!(found.len(), 151);
    assert!(!found.values().any(|title| title == "彩票"));
}

#[tokio::test(flavor = "current_thread")]
async fn other_rules_hold_when_all_is_judged_and_not_before() {
    let room = Room::new();
    let orders = [subscription("a", &[])];
    let press = press(&room, orders.to_vec());
    let old = judge(&room, &[rule("old", "title:old", &[Act::Drop])], &orders);
    let new = judge(&room, &[rule("new", "title:new", &[Act::Drop])], &orders);
    for round in 0..6 {
        many(&room, "a", &format!("x{round}-"), 190).await;
    }
    told(&room, "a", &[("o", "old-1"), ("n", "new-1")]).await;
    old.finish(now()).await.unwrap();
    let shown = || {
        let text = String::from_utf8(press.render(&Atom).unwrap()).unwrap();
        let seen: BTreeSet<String> = titles(&text).into_iter().collect();
        ["old-1", "new-1", "old-2", "new-2"].map(|title| seen.contains(title))
    };
    assert_eq!(shown(), [false, true, false, false]);
    let mut steps = 0;
    loop {
        let progress = new.step(now()).await.unwrap();
        steps += 1;
        if steps == 2 {
            // In the midst of it something comes: it is judged by the old rules, whoever reads the configuration.
            told(&room, "a", &[("o2", "old-2"), ("n2", "new-2")]).await;
            new.follow(now()).await.unwrap();
        }
        if progress == Progress::Stands {
            break;
        }
        assert_eq!(progress, Progress::More);
        assert_eq!(shown(), [false, true, false, steps >= 2], "step {steps}");
        assert!(steps < 20);
    }
    assert!(steps > 3, "it is done in slices: {steps}");
    assert_eq!(shown(), [true, false, true, false]);
    // Rules that are changed back before all was judged leave no trace.
    old.step(now()).await.unwrap();
    assert!(room.store.rounds().unwrap().coming.is_some());
    new.finish(now()).await.unwrap();
    let rounds = room.store.rounds().unwrap();
    assert!(rounds.coming.is_none() && !rounds.over, "{rounds:?}");
    // Late verdicts of a round that is over are not kept.
    let late = Order::Keep {
        round: rounds.standing.unwrap().number + 1,
        judged: Vec::new(),
        cursor: None,
    };
    assert!(!room.store.rule(late, now()).await.unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn f_08_the_same_rules_cost_nothing_and_change_no_byte() {
    let room = stocked().await;
    let press = press(&room, orders());
    let mut shelf = shelf(&room);
    let rules = [rule("vote", "选举", &[tag("politics")])];
    let with = judge(&room, &rules, &orders());
    with.finish(now()).await.unwrap();
    let before = texts(&shelf.fill(&press).unwrap());
    room.later(Duration::from_hours(1));
    assert_eq!(with.step(now()).await.unwrap(), Progress::Done);
    // A new subscription, or other tags where no rule asks for tags, are no reason to judge all anew.
    let mut more = orders();
    more[1].tags = vec!["other".to_owned()];
    more.push(subscription("z", &["world"]));
    assert_eq!(
        judge(&room, &rules, &more).step(now()).await.unwrap(),
        Progress::Done
    );
    assert_eq!(shelf.fill(&press).unwrap().rendered, 0);
    assert_eq!(texts(&shelf.fill(&press).unwrap()), before);
    let asks = [rule("vote", "tag:world", &[tag("politics")])];
    judge(&room, &asks, &orders()).finish(now()).await.unwrap();
    assert_eq!(
        judge(&room, &asks, &more).step(now()).await.unwrap(),
        Progress::More
    );
}

// As people use it.

const RULES: &str = "
[[rule]]
name = \"lottery\"
match = \"title:彩票\"
drop = true

[[rule]]
name = \"vote\"
match = \"选举\"
tag = [\"politics\"]
highlight = true
";

/// Two feeds: three articles.
fn mill(rules: &str) -> (Origin, Mill, String) {
    let bodies = [1, 2, 3].map(words);
    let a = rss(&[
        ("one", "选举之夜", &bodies[0]),
        ("two", "彩票\u{202e}开奖", &bodies[1]),
    ]);
    let b = rss(&[("three", "天气", &bodies[2])]);
    let origin = Origin::start([
        ("/a", Reply::ok("application/rss+xml", a)),
        ("/b", Reply::ok("application/rss+xml", b)),
    ]);
    let feeds = plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"));
    let mill = Mill::new(&format!("{feeds}{rules}"));
    (origin, mill, feeds)
}

fn tried(mill: &Mill, args: &[&str]) -> Run {
    let mut all = vec!["rules", "try"];
    all.extend(args);
    mill.run(&all)
}

fn tried_json(mill: &Mill, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    let run = tried(mill, &all);
    assert!(run.status < 2, "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn rules_are_obeyed_by_a_fetch_listed_and_said_by_why() {
    let (_origin, mill, feeds) = mill(RULES);
    mill.fetch(0);
    let seen: BTreeSet<String> = titles(&mill.feed()).into_iter().collect();
    assert_eq!(seen, ["天气", "选举之夜"].map(str::to_owned).into());
    assert!(mill.feed().contains("<fm:highlight/>"));
    let list = mill.run(&["rules", "list"]);
    for part in ["lottery", "title:彩票", "drop", "tag politics, highlight"] {
        assert!(list.out.contains(part), "{}", list.out);
    }
    let why = |what: &str| -> Value {
        let run = mill.run(&["why", what, "--json"]);
        serde_json::from_str(&run.out).unwrap()
    };
    let dropped = why("https://news.example.org/two");
    assert_eq!(dropped["rules"][0]["rule"], "lottery", "{dropped:#}");
    assert_eq!(dropped["in_merged_feed"], false);
    assert!(
        dropped["why_merged_feed"]
            .as_str()
            .unwrap()
            .contains("a rule drops it")
    );
    let marked = mill.run(&["why", "https://news.example.org/one"]);
    assert!(
        marked.out.contains("`vote` gives it the tag politics"),
        "{}",
        marked.out
    );
    assert!(
        marked.out.contains("`vote` highlights it"),
        "{}",
        marked.out
    );
    // Without the rules everything is as it was.
    mill.write("feeds.toml", &feeds);
    mill.fetch(0);
    assert_eq!(titles(&mill.feed()).len(), 3);
    assert!(!mill.feed().contains("highlight"));
}

#[test]
fn trying_says_what_would_be_and_writes_nothing() {
    let (_origin, mill, feeds) = mill("");
    mill.fetch(0);
    let data = || {
        let store = fs::read(mill.path("data/feedmill.sqlite")).unwrap();
        (
            store,
            mill.feed(),
            fs::read_to_string(mill.path("feeds.toml")).unwrap(),
        )
    };
    let before = data();
    let none = tried(&mill, &[]);
    assert_eq!(none.status, 2);
    assert!(none.err.contains("no [[rule]] block"), "{none:?}");

    let run = tried(&mill, &["--match", "title:彩票", "--drop"]);
    assert_eq!(run.status, 0, "{run:?}");
    for part in [
        "--match: match title:彩票, drop",
        "1 of 3 entries match",
        "title: [彩票",
        "1 would be dropped",
    ] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(
        !run.out.contains('\u{202e}'),
        "nothing of a stranger's turns the terminal round"
    );
    let json = tried_json(
        &mill,
        &["--match", "选举 OR 天气", "--tag", "x", "--highlight"],
    );
    assert_eq!(
        json["feeds"]["a"],
        serde_json::json!({ "match": 1, "of": 2 }),
        "{json:#}"
    );
    assert_eq!(json["newest"].as_array().unwrap().len(), 2);
    assert_eq!(json["merged_feed"]["tagged"]["x"], 2);
    assert_eq!(json["merged_feed"]["highlighted"], 2);
    assert_eq!(json["merged_feed"]["dropped"], serde_json::json!([]));
    let short = tried_json(&mill, &["--match", "选举 OR 天气", "--limit", "1"]);
    assert_eq!(short["newest"].as_array().unwrap().len(), 1);
    let late = tried(&mill, &["--match", "选举", "--since", "2025-11-02"]);
    assert_eq!(
        (late.status, late.out.contains("0 of 0 entries")),
        (1, true),
        "{late:?}"
    );
    assert_eq!(tried(&mill, &["--match", "没有的词"]).status, 1);

    // Of a file, or by name from feeds.toml.
    mill.write("new.toml", RULES);
    let file = tried_json(&mill, &["--file", "new.toml"]);
    assert_eq!(file["rules"].as_array().unwrap().len(), 2);
    assert_eq!(file["newest"].as_array().unwrap().len(), 2);
    assert_eq!(file["merged_feed"]["dropped"].as_array().unwrap().len(), 1);
    assert_eq!(data(), before, "nothing was written");
    mill.write("feeds.toml", &format!("{feeds}{RULES}"));
    let named = tried_json(&mill, &["vote"]);
    assert_eq!(named["newest"][0]["rules"][0]["rule"], "vote");
    assert_eq!(named["merged_feed"]["dropped"], serde_json::json!([]));
    let unknown = tried(&mill, &["nobody"]);
    assert_eq!(unknown.status, 2);
    assert!(
        unknown.err.contains("there are: lottery, vote"),
        "{unknown:?}"
    );
    // A rule that is not written yet sees what those that are give.
    let later = tried_json(&mill, &["--match", "tag:politics", "--drop"]);
    assert_eq!(later["merged_feed"]["dropped"][0]["title"], "选举之夜");
    assert_eq!(data().0, before.0);
}

#[test]
fn a_wrong_query_says_where_it_is_wrong() {
    let (_origin, mill, feeds) = mill("\n[[rule]]\nname = \"r\"\nmatch = 'title:'\ndrop = true\n");
    let line = feeds.lines().count() + 4;
    let run = mill.run(&["check"]);
    assert_eq!(run.status, 2);
    let told = format!("feeds.toml:{line}: `match` in [[rule]] \"r\": column ");
    assert!(run.err.contains(&told), "{told}\n{}", run.err);
    let run = tried(&mill, &["--match", "x"]);
    assert_eq!(run.status, 2, "{run:?}");
    mill.write("feeds.toml", &feeds);
    mill.fetch(0);
    let run = tried(&mill, &["--match", "天气 \"offen", "--drop"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("column 4"), "{}", run.err);
    mill.write(
        "new.toml",
        "[[rule]]\nname = \"x\"\nmatch = \"x\"\n\n[[rule]]\nname = \"x\"\n",
    );
    let run = tried(&mill, &["--file", "new.toml"]);
    for told in [
        "new.toml:1: [[rule]] \"x\": does nothing",
        "new.toml:6: `name`",
        "new.toml:5: [[rule]] \"x\": needs a `match`",
    ] {
        assert!(run.err.contains(told), "{told}: {}", run.err);
    }
}

#[test]
fn a_service_takes_other_rules_at_work_and_refuses_wrong_ones_whole() {
    let (_origin, mill, feeds) = mill(RULES);
    mill.write("feedmill.toml", &daemon::settings(""));
    let mut daemon = Daemon::start(&mill, Duration::from_mins(1));
    daemon.wait_for("READY=1");
    let address = daemon.address();
    let merged = || daemon::get(address, "/feed.atom");
    // Looked at in the file, which comes after what is served: who asks too often is told to wait.
    let file = || fs::read_to_string(mill.path("data/feed.atom")).unwrap_or_default();
    daemon.until("it shows what is not dropped, and never what is", |_| {
        let feed = file();
        assert!(!feed.contains("彩票"), "{feed}");
        feed.contains("天气") && feed.contains("选举之夜") && feed.contains("fm:highlight/")
    });
    let feed = merged();
    assert!(
        feed.contains("fm:highlight/") && !feed.contains("彩票"),
        "{feed}"
    );
    assert!(daemon::get(address, "/tag/politics.atom").contains("选举之夜"));
    // Wrong ones: the old ones stay.
    mill.write(
        "feeds.toml",
        &format!("{feeds}\n[[rule]]\nname = \"r\"\nmatch = \"title:\"\ndrop = true\n"),
    );
    daemon.signal(Signal::SIGHUP);
    daemon.until("refused", |log| log.contains("refused whole"));
    mill.write("feeds.toml", &feeds);
    daemon.signal(Signal::SIGHUP);
    daemon.until("without rules", |_| {
        let feed = file();
        feed.contains("彩票") && !feed.contains("fm:highlight/")
    });
    assert!(merged().contains("彩票"));
    let gone = daemon::get(address, "/tag/politics.atom");
    assert!(gone.starts_with("HTTP/1.1 410"), "{gone}");
    // A trial reads beside it.
    let run = tried(&mill, &["--match", "title:彩票", "--drop"]);
    assert!(run.out.contains("1 would be dropped"), "{run:?}");
    daemon.stop();
}

#[test]
fn what_a_rule_found_is_shown_as_the_article_writes_it() {
    let room = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    room.block_on(async {
        let room = Room::new();
        told(&room, "a", &[("1", "總統選舉揭曉")]).await;
        let stored = &room.store.since(None, 1).unwrap()[0];
        let found = ruling::found(&rule("r", "选举", &[Act::Drop]), stored);
        assert_eq!(found, ["title: 總統[選舉]揭曉"]);
        let found = ruling::found(&rule("r", "source:a -天气", &[Act::Drop]), stored);
        assert_eq!(found, Vec::<String>::new());
    });
}
