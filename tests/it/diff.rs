//! `feedmill diff`: two revisions side by side. The texts are made up.

use serde_json::Value;

use crate::support::mill::{Mill, plain};
use crate::support::origin::{Origin, Reply};

fn atom(title: &str, author: &str, body: &str) -> Reply {
    Reply::ok(
        "application/atom+xml",
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>tag:news.example.org,2025:feed</id><title>Made-up news</title>\
             <updated>2025-11-01T06:00:00Z</updated><entry><id>tag:news.example.org,2025:1</id><title>{title}</title>\
             <author><name>{author}</name></author><link href=\"https://news.example.org/1\"/>\
             <content type=\"html\"><![CDATA[{body}]]></content></entry></feed>"
        ),
    )
}

/// A mill with an entry of these revisions.
fn revised(revisions: &[(&str, &str, &str)]) -> Mill {
    let origin = Origin::start::<&str>([]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    for (title, author, body) in revisions {
        origin.set("/a", atom(title, author, body));
        mill.fetch(0);
    }
    mill
}

fn two() -> Mill {
    let before = "<p>今天上午，市政府宣布大桥将于周三通车。</p><p>工程历时三年，总投资十二亿元。</p><p>The mayor will open it.</p>\
                  <p>第四段没有变化。</p><p>第五段没有变化。</p><p>第六段没有变化。</p><p>记者张三报道。</p>";
    let after = "<p>今天上午，市政府宣布大桥将于周四通车。</p><p>工程历时三年，总投资约十五亿元。</p><p>The new mayor will open it on Thursday.</p>\
                 <p>第四段没有变化。</p><p>第五段没有变化。</p><p>第六段没有变化。</p><p>预计每天通行车辆五万辆，比旧桥多一倍。</p>";
    revised(&[
        ("大桥周三通车", "Zhang San", before),
        ("大桥周四通车", "Zhang San", after),
    ])
}

/// The times at which they were stored are nobody's to know.
fn timeless(text: &str) -> String {
    let heads = |line: &str| match line.rsplit_once(", ") {
        Some((head, _)) if line.starts_with("--- ") || line.starts_with("+++ ") => {
            format!("{head}, TIME")
        }
        _ => line.to_owned(),
    };
    text.lines().map(|line| heads(line) + "\n").collect()
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../fixtures/cli/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, timeless(text));
    });
}

fn run(mill: &Mill, args: &[&str]) -> String {
    let run = mill.run(&[&["diff"], args].concat());
    assert_eq!(run.status, 0, "{run:?}");
    run.out
}

#[test]
fn a_revision_is_told_by_words() {
    let mill = two();
    let told = run(&mill, &["1"]);
    snapshot("diff", &told);
    for name in ["https://news.example.org/1", "tag:news.example.org,2025:1"] {
        assert_eq!(run(&mill, &[name]), told, "{name}");
    }
    assert_eq!(run(&mill, &["1", "--with", "0", "--unified"]), told);
    let swapped = run(&mill, &["0", "--with", "1"]);
    assert!(swapped.contains("[-四-]{+三+}"), "{swapped}");
}

#[test]
fn two_columns_are_as_wide_as_they_may_be() {
    let mill = two();
    snapshot("diff-60", &run(&mill, &["1", "--width", "60"]));
    snapshot("diff-100", &run(&mill, &["1", "--width", "100"]));
}

#[test]
fn programs_are_told_the_same() {
    let told: Value = serde_json::from_str(&run(&two(), &["1", "--json"])).unwrap();
    assert_eq!(
        (&told["before"]["number"], &told["after"]["number"]),
        (&0.into(), &1.into())
    );
    assert_eq!(told["fields"][0]["name"], "title");
    assert_eq!(
        (&told["same"], &told["markup"]),
        (&false.into(), &false.into())
    );
    let first = &told["paragraphs"][0]["changed"];
    assert_eq!(first[1]["gone"], "三", "{told:#}");
    assert_eq!(first[2]["come"], "四");
    assert_eq!(told["paragraphs"][3]["same"], "第四段没有变化。");
}

#[test]
fn what_is_hidden_in_a_text_is_shown() {
    let mill = revised(&[
        ("One", "A", "<p>Pay to account 12.</p>"),
        (
            "One",
            "B",
            "<p>Pay to account\u{200b} \u{202e}12.\u{9b}31m</p>",
        ),
    ]);
    let told = run(&mill, &["1"]);
    assert!(
        told.contains("\\u{200b}") && told.contains("\\u{202e}"),
        "{told}"
    );
    assert!(told.contains("authors    [-A-]{+B+}"), "{told}");
    let raw = |c: char| matches!(c, '\u{200b}' | '\u{202e}' | '\u{9b}' | '\u{1b}');
    assert!(!told.contains(raw), "{told:?}");
    assert!(!run(&mill, &["1", "--width", "40"]).contains(raw));
}

#[test]
fn where_the_words_are_the_same_the_markup_is_compared() {
    let mill = revised(&[
        ("One", "A", "<p>All <b>the</b> words.</p>"),
        ("One", "A", "<p>All <i>the</i> words.</p>"),
    ]);
    let told = run(&mill, &["1"]);
    assert!(
        told.contains("the words are the same; their markup:"),
        "{told}"
    );
    assert!(told.contains("All <[-b-]{+i+}>"), "{told}");
}

#[test]
fn what_cannot_be_compared_says_why() {
    let mill = two();
    let failed = |args: &[&str]| {
        let run = mill.run(&[&["diff"], args].concat());
        assert_eq!(run.status, 2, "{run:?}");
        run.err
    };
    assert!(failed(&["0"]).contains("the last is 001"));
    assert!(failed(&["7"]).contains("no article has `7`"));
    assert!(failed(&["1", "--with", "7"]).contains("no article has the number 007"));
    let one = revised(&[("One", "A", "<p>words</p>")]).run(&["diff", "0"]);
    assert!(one.err.contains("no revision but this one"), "{one:?}");
}
