//! `feedmill search`: from a made-up page to what a person finds, end to end.

use crate::support::mill::{Mill, Run, plain, rss};
use crate::support::origin::{Origin, Reply};

const RSS: &str = "application/rss+xml";

/// A mill that has read two made-up feeds: `hk` in Traditional script, tagged `weather`; `wire` in English.
fn mill() -> (Origin, Mill) {
    let hk = rss(&[
        (
            "rain",
            "颱風來襲：天文台發佈警報",
            "<p>（本報訊）氣象台預測，明早將有驟雨；市民外出應攜帶雨具。</p><p>航班ＡＢ１２３延誤。</p>",
        ),
        ("sun", "放晴", "<p>天氣轉好，學校復課。</p>"),
        (
            "odd",
            "Robert'); DROP TABLE article;-- \u{202E}\u{200B}𠀀𠀁",
            "<p>quote \" and 'quote' and * and NEAR( and 𠮷野家 ภาษาไทย 한국어뉴스</p>",
        ),
    ]);
    let wire = rss(&[
        (
            "w1",
            "Storm warning for the coast",
            "<p>A typhoon is near. Schools close, iPhone16 sold out.</p>",
        ),
        (
            "w2",
            "Markets",
            "<p>Shares rose. Storms of another kind.</p>",
        ),
    ]);
    let origin = Origin::start([("/hk", Reply::ok(RSS, hk)), ("/wire", Reply::ok(RSS, wire))]);
    let tagged =
        plain("hk", &origin.url("/hk")).trim_end().to_owned() + "\ntags = [\"Weather\"]\n\n";
    let mill = Mill::new(&(tagged + &plain("wire", &origin.url("/wire"))));
    mill.fetch(0);
    (origin, mill)
}

fn search(mill: &Mill, query: &str) -> serde_json::Value {
    let run = mill.run(&["search", "--json", "--", query]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{query}: {run:?}");
    serde_json::from_str(&run.out).unwrap()
}

/// The last parts of the links of what is found, sorted.
fn found(mill: &Mill, query: &str) -> Vec<String> {
    let hits = search(mill, query);
    let hits = hits.as_array().unwrap();
    let name = |hit: &serde_json::Value| {
        hit["link"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let mut names: Vec<String> = hits.iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn words_are_found_in_whatever_script_and_width_they_are_typed() {
    let (_origin, mill) = mill();
    for (query, expected) in [
        ("台风", &["rain"][..]),
        ("颱風", &["rain"]),
        ("骤雨 气象台", &["rain"]),
        ("雨", &["rain"]),
        ("天", &["rain", "sun"]),
        ("天气", &["sun"]),
        ("天 -雨", &["sun"]),
        ("天　－雨", &["sun"]),
        ("AB123", &["rain"]),
        ("ａｂ１２３", &["rain"]),
        ("“雨具”", &["rain"]),
        ("雨具航班", &[]),
        ("storm", &["w1"]),
        ("storm*", &["w1", "w2"]),
        ("STORM OR markets", &["w1", "w2"]),
        ("\"storm warning\"", &["w1"]),
        ("\"warning storm\"", &[]),
        ("iphone", &["w1"]),
        ("title:storm", &["w1"]),
        ("title:typhoon", &[]),
        ("source:wire", &["w1", "w2"]),
        ("source：hk 复课", &["sun"]),
        ("source:wire 雨", &[]),
        ("tag:weather 雨", &["rain"]),
        ("tag:weather storm", &[]),
        ("after:2025-11-01 before:2025-11-02 雨", &["rain"]),
        ("after:2025-11-02 雨", &[]),
        ("before:2025-11 雨", &[]),
        ("𠀀", &["odd"]),
        ("𠀀𠀁", &["odd"]),
        ("𠮷野", &["odd"]),
        ("ไทย", &["odd"]),
        ("뉴스", &["odd"]),
        ("Robert'); DROP TABLE article;--", &["odd"]),
        ("\"NEAR(\" *", &["odd", "w1"]),
        ("drop' OR \"table\"", &["odd"]),
        ("中国", &[]),
    ] {
        assert_eq!(found(&mill, query), expected, "{query}");
    }
    assert_eq!(mill.list().len(), 5, "nothing was dropped");
}

#[test]
fn what_is_shown_is_the_text_as_published() {
    let (_origin, mill) = mill();
    let hits = search(&mill, "骤雨");
    let snippet: Vec<char> = hits[0]["snippet"].as_str().unwrap().chars().collect();
    let hit: Vec<usize> = serde_json::from_value(hits[0]["hits"][0].clone()).unwrap();
    assert_eq!(snippet[hit[0]..hit[1]].iter().collect::<String>(), "驟雨");
    let Run { status, out, .. } = mill.run(&["search", "骤雨"]);
    assert_eq!(status, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].contains("number") && lines[0].contains("title"),
        "{out}"
    );
    assert!(
        lines[1].contains("2025-11-01") && lines[1].contains("hk"),
        "{out}"
    );
    assert!(lines[2].contains("將有驟雨；"), "{out}");
    assert!(!out.contains('\u{1b}'), "not on a terminal: {out}");
    let odd = mill.run(&["search", "robert"]).out;
    assert!(!odd.contains(['\u{202E}', '\0']), "{odd}");
}

#[test]
fn the_newest_come_first_and_a_page_goes_on_where_the_last_one_ended() {
    let (_origin, mill) = mill();
    let numbers = |args: &[&str]| -> Vec<u64> {
        let run = mill.run(&[&["search", "--json", "source:hk"][..], args].concat());
        let hits: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let hits = hits.as_array().unwrap().iter();
        hits.map(|hit| hit["number"].as_u64().unwrap()).collect()
    };
    let all = numbers(&[]);
    assert!(all.len() == 3 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    let first = numbers(&["--limit", "2"]);
    let rest = numbers(&["--limit", "2", "--below", &first[1].to_string()]);
    assert_eq!([first, rest].concat(), all);
}

#[test]
fn a_revision_is_found_by_its_own_words_and_the_old_ones_are_gone() {
    let (origin, mill) = mill();
    assert_eq!(found(&mill, "复课"), ["sun"]);
    let revised = rss(&[(
        "sun",
        "放晴",
        "<p>天氣轉好，學校明日照常上課，不再停課。</p>",
    )]);
    origin.set("/hk", Reply::ok(RSS, revised));
    mill.fetch(0);
    assert_eq!(found(&mill, "复课"), [""; 0]);
    assert_eq!(found(&mill, "照常上课"), ["sun"]);
    assert_eq!(found(&mill, "放晴"), ["sun"]);
}

#[test]
fn a_mistake_in_a_query_is_exit_2_and_marked() {
    let (_origin, mill) = mill();
    let run = mill.run(&["search", "颱風 soruce:hk"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(
        lines[0].contains("column 4") && lines[0].contains("`soruce` is no field"),
        "{}",
        run.err
    );
    assert_eq!(
        lines[1..],
        ["    颱風 soruce:hk", "         ^"],
        "{}",
        run.err
    );
    assert_eq!(mill.run(&["search", "\"open"]).status, 2);
    assert_eq!(mill.run(&["search"]).status, 2);
}

#[test]
fn an_index_that_is_behind_is_brought_up_to_date_or_says_so() {
    let (_origin, mill) = mill();
    let database = mill.path("data/feedmill.sqlite");
    let raw = rusqlite::Connection::open(&database).unwrap();
    let next: i64 = raw
        .query_row("SELECT next FROM search_state", [], |row| row.get(0))
        .unwrap();
    assert_eq!(next, 5, "fetch --once takes in what it brought");
    let forget = || {
        raw.execute_batch("UPDATE search_state SET recipe = 0")
            .unwrap();
    };
    forget();
    assert_eq!(found(&mill, "台风"), ["rain"], "searching takes it in");
    // While another process writes nobody else does.
    forget();
    raw.execute_batch("INSERT INTO search (search) VALUES ('delete-all'); UPDATE search_state SET next = 0, block = 0").unwrap();
    let held = feedmill::store::Store::open(&database).unwrap();
    let run = mill.run(&["search", "--json", "台风"]);
    assert_eq!((run.status, run.out.trim()), (0, "[]"), "{run:?}");
    assert!(
        run.err
            .contains("5 articles are not in the search index yet"),
        "{run:?}"
    );
    drop(held);
    assert_eq!(found(&mill, "台风"), ["rain"]);
}
