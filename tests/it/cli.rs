//! The command line as people and programs use it: help, lists, the check of the shipped files, the archive's commands,
//! two processes at once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use feedmill::model::content::ContentId;
use feedmill::store::Store;
use serde_json::{Value, json};

use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_help_says_what_there_is() {
    let mill = Mill::new("");
    let commands: &[&[&str]] = &[
        &[],
        &["fetch"],
        &["list"],
        &["show"],
        &["diff"],
        &["status"],
        &["why"],
        &["try"],
        &["reextract"],
        &["release"],
        &["rules", "list"],
        &["rules", "try"],
        &["check"],
        &["feeds"],
        &["feeds", "list"],
        &["feeds", "add"],
        &["feeds", "remove"],
        &["opml", "import"],
        &["opml", "export"],
        &["archive"],
        &["archive", "import"],
        &["archive", "verify"],
        &["prune"],
        &["backup"],
        &["archive", "export"],
        &["doctor"],
        &["completions"],
        &["man"],
    ];
    let mut all = String::new();
    for command in commands {
        let args = [*command, &["--help"]].concat();
        let output = mill.command(&args).env("COLUMNS", "100").output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        all.extend(["$ feedmill ", &args.join(" "), "\n", &text, "\n"]);
    }
    insta::with_settings!({
        snapshot_path => "../fixtures/cli/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("help", all);
    });
}

#[test]
fn a_wrong_order_is_exit_2_and_says_why() {
    let mill = Mill::new(&plain("a", "http://127.0.0.1:9/"));
    for (args, why) in [
        (&[][..], "Usage:"),
        (&["fetch"], "--once"),
        (&["fetch", "--once", "No Such"], "No Such"),
        (&["list", "--since", "-1"], "-1"),
        (&["list", "--tsv", "--json"], "--json"),
        (&["list"], "there is no store"),
        (&["show", "1"], "there is no store"),
        (&["archive", "verify"], "there is no store"),
        (&["archive", "import", "nowhere"], "nowhere"),
        (&["serve"], "serve"),
    ] {
        let run = mill.run(args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(run.err.contains(why), "{args:?}: {}", run.err);
        assert_eq!(run.out, "", "{args:?}");
    }
}

/// A feed of these entries, oldest first; JSON, since it can say every character.
fn json_feed(items: &[(&str, String)]) -> Reply {
    let items: Vec<Value> = items
        .iter()
        .zip(1..)
        .map(|((title, body), n)| {
            json!({"id": format!("e{n}"), "url": format!("https://news.example.org/{n}"), "title": title,
                   "content_html": body, "date_published": format!("2025-11-01T06:{n:02}:00Z")})
        })
        .collect();
    let feed =
        json!({"version": "https://jsonfeed.org/version/1.1", "title": "Made up", "items": items});
    Reply::ok("application/feed+json", feed.to_string()).validated()
}

const HOSTILE: [&str; 8] = [
    "tab\there",
    "line\nbreak\r\nand \u{2028}more",
    "escape \u{1b}[31mred\u{7} bell",
    "abc \u{202e}cba\u{202c} \u{200f}\u{2066}x\u{2069}\u{61c}",
    "大橋通車了 ｱｲｳ ＡＢＣ",
    "back\\slash \\t \\n",
    "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十",
    "e\u{301} 👩\u{200d}👧 \u{85}x",
];

fn hostile_titles() -> (Origin, Mill) {
    let items: Vec<(&str, String)> = HOSTILE
        .iter()
        .zip(1..)
        .map(|(title, n)| (*title, words(n)))
        .collect();
    let origin = Origin::start([("/a", json_feed(&items))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    (origin, mill)
}

/// What is undone by whoever reads `list --tsv`.
fn unescaped(field: &str) -> String {
    let mut out = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        out += before;
        let code = after.strip_prefix("u{").and_then(|hex| hex.split_once('}'));
        let (c, more) = if let Some((hex, more)) = code {
            let code = u32::from_str_radix(hex, 16).unwrap();
            (char::from_u32(code).unwrap(), more)
        } else {
            let c = match after.chars().next().unwrap() {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                other => panic!("no such escape: {other}"),
            };
            (c, &after[1..])
        };
        out.push(c);
        rest = more;
    }
    out + rest
}

/// How many columns a terminal gives it.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' => 0,
            '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{a4cf}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff01}'..='\u{ff60}'
            | '\u{1f300}'..='\u{1faff}' => 2,
            _ => 1,
        })
        .sum()
}

#[test]
fn a_hostile_title_is_one_field_of_one_line_everywhere() {
    let (_origin, mill) = hostile_titles();
    let lines = mill.list();
    let run = mill.run(&["list", "--json"]);
    let objects: Vec<Value> = serde_json::from_str(&run.out).unwrap();
    assert_eq!((lines.len(), objects.len()), (HOSTILE.len(), HOSTILE.len()));
    for ((line, object), n) in lines.iter().zip(&objects).zip(0..) {
        assert_eq!(line.len(), 6, "{line:?}");
        assert_eq!(line[0], format!("{n:03}"));
        assert_eq!(object["number"], n);
        for (field, name) in line
            .iter()
            .zip(["", "id", "date", "source", "title", "link"])
            .skip(1)
        {
            assert_eq!(unescaped(field), object[name].as_str().unwrap());
        }
    }
    assert_eq!(lines[5][4], "back\\\\slash \\\\t \\\\n");

    let table = mill.run(&["list"]);
    let rows: Vec<&str> = table.out.lines().collect();
    assert_eq!(rows.len(), HOSTILE.len() + 1, "{}", table.out);
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(
        rows.iter().all(|row| !row.contains(hidden)),
        "{}",
        table.out
    );
    let column = |row: &str, mark: &str| row.find(mark).map(|at| width(&row[..at]));
    let link = column(rows[0], "link");
    // The family of three code points is drawn by some terminals as one sign and by others as two.
    for row in &rows[1..rows.len() - 1] {
        assert_eq!(column(row, "https://"), link, "{}", table.out);
    }
    for n in 0..HOSTILE.len() {
        let shown = mill.run(&["show", &n.to_string()]);
        assert_eq!(shown.status, 0);
        assert!(
            !shown.out.replace('\n', "").contains(hidden),
            "{}",
            shown.out
        );
    }
}

#[test]
fn a_list_is_cut_to_what_is_asked() {
    let (origin, mill) = hostile_titles();
    origin.set("/b", json_feed(&[("b", words(99))]));
    mill.write(
        "feeds.toml",
        &(plain("a", &origin.url("/a")) + &plain("b", &origin.url("/b"))),
    );
    mill.fetch(0);
    let numbers = |args: &[&str]| -> Vec<String> {
        let run = mill.run(&[&["list", "--tsv"], args].concat());
        assert_eq!(run.status, 0, "{run:?}");
        let first = |line: &str| line.split('\t').next().unwrap().to_owned();
        run.out.lines().map(first).collect()
    };
    assert_eq!(numbers(&["--since", "6"]), ["007", "008"]);
    assert_eq!(numbers(&["--since", "8"]).len(), 0);
    assert_eq!(numbers(&["--since", "18446744073709551615"]).len(), 0);
    assert_eq!(numbers(&["--limit", "2"]), ["007", "008"], "the newest");
    assert_eq!(numbers(&["--limit", "2", "--feed", "a"]), ["006", "007"]);
    assert_eq!(numbers(&["--feed", "b"]), ["008"]);
    assert_eq!(numbers(&["--limit", "0"]).len(), 0);
    assert_eq!(numbers(&["--feed", "nobody"]).len(), 0);
    assert_eq!(mill.run(&["list", "--json", "--limit", "0"]).out, "[]\n");

    let raw = mill.run(&["show", "--raw", "8"]);
    assert_eq!(raw.out, words(99), "the body as published");
    let shown: Value = serde_json::from_str(&mill.run(&["show", "--json", "8"]).out).unwrap();
    assert_eq!(shown["original_id"], "e1");
    assert_eq!(shown["published"], "2025-11-01T06:01:00Z");
    assert_eq!(shown["body"]["kind"], "html");
    let missing = mill.run(&["show", "9"]);
    assert_eq!((missing.status, missing.out.as_str()), (2, ""));
    assert!(missing.err.contains("no article has the number 9"));
    assert_eq!(mill.run(&["show", "18446744073709551615"]).status, 2);
}

#[test]
fn whoever_reads_a_part_only_is_no_failure() {
    let items: Vec<(String, String)> = (0..400).map(|n| (format!("{n}"), words(n))).collect();
    let items: Vec<(&str, String)> = items
        .iter()
        .map(|(title, body)| (title.as_str(), body.clone()))
        .collect();
    let origin = Origin::start([("/a", json_feed(&items[..50]))]);
    let feeds: String = (0..8)
        .map(|n| {
            origin.set(format!("/{n}"), json_feed(&items[n * 50..n * 50 + 50]));
            plain(&format!("f{n}"), &origin.url(&format!("/{n}")))
        })
        .collect();
    let mill = Mill::new(&feeds);
    mill.fetch(0);
    for form in [&["list"][..], &["list", "--tsv"], &["list", "--json"]] {
        let mut child = mill
            .command(form)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stderr)
            ),
            (Some(0), "".into()),
            "{form:?}"
        );
    }
}

/// The options of a file that are commented out: the lines that are one.
fn commented(text: &str) -> Vec<usize> {
    let is_option = |line: &str| {
        line.strip_prefix("# ")
            .and_then(|rest| rest.split_once(" = "))
            .is_some_and(|(name, value)| {
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                    && (value.starts_with('"') || value.starts_with(['t', 'f']))
            })
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| is_option(line))
        .map(|(place, _)| place)
        .collect()
}

fn with_lines(text: &str, options: &[usize]) -> String {
    let line = |(place, line): (usize, &str)| {
        let line = if options.contains(&place) {
            &line[2..]
        } else {
            line
        };
        format!("{line}\n")
    };
    text.lines().enumerate().map(line).collect()
}

#[test]
fn the_shipped_files_are_accepted_and_every_option_they_name() {
    let (feeds, settings) = (shipped("feeds.toml"), shipped("config/feedmill.toml"));
    let mill = Mill::new(&feeds);
    mill.write("feedmill.toml", &settings);
    let check = |what: &str| {
        let run = mill.run(&["check"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{what}");
        run.out
    };
    let out = check("as shipped");
    assert!(
        out.contains("3 feeds, data in ") && out.contains("all well"),
        "{out}"
    );
    assert!(!mill.path("data").exists(), "a check writes nothing");

    // An example is a block whose marks are taken away: its first line, what it cannot be without, and what an option of
    // it needs.
    let lines: Vec<&str> = feeds.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|place| lines[*place] == "# [[feed]]")
        .collect();
    assert_eq!(starts.len(), 3);
    let block = |start: usize, more: &[&str]| -> Vec<usize> {
        let own = lines[start..].iter().take_while(|line| !line.is_empty());
        let needed = |line: &str| {
            let key = line.split(' ').nth(1).unwrap_or_default();
            ["[[feed]]", "id", "source", "url", "items"].contains(&key) || more.contains(&key)
        };
        own.zip(start..)
            .filter(|(line, _)| needed(line))
            .map(|(_, place)| place)
            .collect()
    };
    let example = block(*starts.last().unwrap(), &[]);
    // A rule is a block of its own, and does nothing without all it says.
    let rules: Vec<Vec<usize>> = (0..lines.len())
        .filter(|place| lines[*place] == "# [[rule]]")
        .map(|start| {
            let own = lines[start..].iter().take_while(|line| !line.is_empty());
            (start..).take(own.count()).collect()
        })
        .collect();
    assert_eq!(rules.len(), 2);
    for rule in &rules {
        mill.write("feeds.toml", &with_lines(&feeds, rule));
        check("a rule");
    }
    let options: Vec<usize> = commented(&feeds)
        .into_iter()
        .filter(|place| !rules.iter().any(|rule| rule.contains(place)))
        .filter(|place| {
            !starts
                .iter()
                .any(|start| block(*start, &[]).contains(place))
        })
        .collect();
    assert!(options.len() >= 16, "{options:?}");
    for place in options {
        let line = feeds.lines().nth(place).unwrap();
        let mut options = vec![place];
        if let Some(start) = starts.iter().rfind(|start| **start < place) {
            let more: &[&str] = match line {
                _ if line.starts_with("# page_") => &["page_body"],
                _ if line.starts_with("# date_format") => &["item_date"],
                _ => &[],
            };
            options.extend(block(*start, more));
        }
        mill.write("feeds.toml", &with_lines(&feeds, &options));
        check(line);
    }
    mill.write("feeds.toml", &with_lines(&feeds, &example));
    assert!(check("the example").contains("4 feeds"));
    mill.write(
        "feeds.toml",
        &with_lines(&feeds, &example).replace("list = \"hot\"", "list = \"author\""),
    );
    let run = mill.run(&["check"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("suid"), "{}", run.err);

    mill.write("feeds.toml", &feeds);
    let options = commented(&settings);
    assert_eq!(options.len(), 1);
    mill.write("feedmill.toml", &with_lines(&settings, &options));
    assert!(check("data").contains("/var/lib/feedmill"));
}

fn seeds() -> Option<PathBuf> {
    let seeds = root().join("../shared/seeds");
    if !seeds.is_dir() {
        println!("skipped: no seeds beside the project");
        return None;
    }
    Some(seeds)
}

#[test]
fn the_archive_of_another_program_becomes_ours() {
    let Some(seeds) = seeds() else { return };
    let given: BTreeMap<String, Vec<u8>> = fs::read_dir(&seeds)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    let mill = Mill::new(&shipped("feeds.toml"));
    let import = ["archive", "import", seeds.to_str().unwrap()];
    let run = mill.run(&import);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.out.ends_with("4 taken in, 0 already here, 0 refused\n"),
        "{}",
        run.out
    );

    let list = mill.list();
    let column = |n: usize| -> Vec<&str> { list.iter().map(|line| line[n].as_str()).collect() };
    assert_eq!(column(0), ["000", "001", "002", "004"], "the gap stays");
    assert_eq!(column(3), ["qq", "qq", "dw", "takungpao"]);
    let written = mill.archive();
    assert_eq!(
        written.values().collect::<Vec<_>>(),
        given.values().collect::<Vec<_>>(),
        "byte for byte"
    );
    let names: Vec<String> = list
        .iter()
        .map(|line| format!("{}_{}.txt", line[0], line[1]))
        .collect();
    assert_eq!(
        written.keys().cloned().collect::<Vec<_>>(),
        names,
        "ids are ours"
    );
    {
        let store = Store::open_readonly(&mill.path("data/feedmill.sqlite")).unwrap();
        let foreign: Vec<ContentId> = store
            .archived_files()
            .unwrap()
            .into_iter()
            .map(|file| file.foreign.unwrap())
            .collect();
        let theirs: Vec<ContentId> = given
            .keys()
            .map(|name| ContentId::parse(&name[4..20]).unwrap())
            .collect();
        assert_eq!(foreign, theirs, "and theirs are not forgotten");
    }
    let proof = mill.run(&["archive", "verify"]);
    assert_eq!(proof.status, 0, "{}", proof.out);
    let tail = "\n4 proven, 0 wrong, 0 not ours\n";
    assert!(proof.out.ends_with(tail), "{}", proof.out);

    let before = mill.published();
    let again = mill.run(&import);
    assert_eq!(again.status, 0);
    assert!(
        again
            .out
            .ends_with("0 taken in, 4 already here, 0 refused\n"),
        "{}",
        again.out
    );
    assert_eq!((mill.published(), mill.list()), (before, list));
}

/// Three feeds, one for each format of the archive, with a revision and a reprint.
fn three_formats() -> (Origin, Mill) {
    let rich = "<h2>小标题</h2><p>第一段有<b>粗体</b>与<a href=\"https://example.org/x\">链接</a>，还有很长的文字，足以自己区别于别的文字。</p>\
                <p><img src=\"https://example.org/p.jpg\" alt=\"\"></p><blockquote><p>引用的话，也有一些长度，免得太短。</p></blockquote>\
                <ul><li>甲事</li><li>乙事</li></ul><p>末段&amp;完，再加几个字，使它长于六十四个字符。</p>";
    let origin = Origin::start([
        (
            "/hugo",
            Reply::ok(
                "application/rss+xml",
                rss(&[("h2", "二：\"引号\"", &words(2)), ("h1", "一", rich)]),
            ),
        ),
        (
            "/html",
            Reply::ok(
                "application/rss+xml",
                rss(&[("m1", "三 [括号](x)", &words(3))]),
            ),
        ),
        (
            "/text",
            Reply::ok(
                "application/rss+xml",
                rss(&[("t1", "四", &words(4)), ("t2", "转载", &words(2))]),
            ),
        ),
    ]);
    let feeds: String = ["hugo", "html", "text"]
        .map(|name| {
            let feed = plain(name, &origin.url(&format!("/{name}")));
            format!(
                "{}archive = \"{name}\"\n\n",
                feed.trim_end().to_owned() + "\n"
            )
        })
        .concat();
    let mill = Mill::new(&feeds);
    for name in ["hugo", "html", "text"] {
        assert_eq!(mill.run(&["fetch", "--once", name]).status, 0);
    }
    origin.set(
        "/html",
        Reply::ok(
            "application/rss+xml",
            rss(&[("m1", "三 [括号](x)", &words(5))]),
        ),
    );
    mill.fetch(0);
    (origin, mill)
}

#[test]
fn our_own_archive_comes_back_into_an_empty_store() {
    let (_origin, mill) = three_formats();
    let (list, archive) = (mill.list(), mill.archive());
    assert_eq!(
        (list.len(), archive.len()),
        (6, 5),
        "one is a reprint: {list:?}"
    );
    let other = Mill::new(&fs::read_to_string(mill.path("feeds.toml")).unwrap());
    let directory = mill.path("data/archive");
    let run = other.run(&["archive", "import", directory.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(
        other.archive(),
        archive,
        "names, so numbers and ids, and bytes"
    );
    let back: Vec<Vec<String>> = other.list();
    let kept = |line: &&Vec<String>| archive.contains_key(&format!("{}_{}.txt", line[0], line[1]));
    assert_eq!(back.len(), 5);
    for (line, original) in back.iter().zip(list.iter().filter(kept)) {
        assert_eq!(line[..2], original[..2]);
        assert_eq!(line[3], original[3], "{line:?}");
    }
    let proof = other.run(&["archive", "verify"]);
    assert_eq!(proof.status, 0, "{}", proof.out);
    let again = other.run(&["archive", "import", directory.to_str().unwrap()]);
    assert!(
        again
            .out
            .ends_with("0 taken in, 5 already here, 0 refused\n"),
        "{}",
        again.out
    );

    // And the publishers, asked again, bring nothing that is not there.
    let report = other.fetch(0);
    for feed in report["feeds"].as_array().unwrap() {
        assert_eq!(feed["new"], 0, "{report}");
    }
    assert_eq!(other.archive(), archive);
}

#[test]
fn what_is_wrong_with_an_archive_is_named() {
    let (_origin, mill) = three_formats();
    let directory = mill.path("data/archive");
    let names: Vec<String> = mill.archive().into_keys().collect();
    let well = mill.run(&["archive", "verify"]);
    assert_eq!(well.status, 0, "{}", well.out);
    let lines: Vec<&str> = well.out.lines().collect();
    assert!(
        lines[0].starts_with("1 manifests, the last: MANIFEST-"),
        "{lines:?}"
    );
    assert_eq!(lines[1..], ["5 proven, 0 wrong, 0 not ours"]);

    fs::write(directory.join("notes.md"), "mine").unwrap();
    fs::create_dir(directory.join("folder")).unwrap();
    let foreign = mill.run(&["archive", "verify"]);
    assert_eq!(foreign.status, 0, "named, not judged: {}", foreign.out);
    assert!(foreign.out.contains("notes.md: not written by feedmill"));

    let whole = fs::read(directory.join(&names[0])).unwrap();
    for place in [0, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(directory.join(&names[0]), bytes).unwrap();
        let run = mill.run(&["archive", "verify"]);
        assert_eq!(run.status, 1, "byte {place}");
        assert!(
            run.out.contains(&format!("{}: its bytes", names[0])),
            "{}",
            run.out
        );
        assert!(
            run.out.ends_with("4 proven, 1 wrong, 2 not ours\n"),
            "{}",
            run.out
        );
    }
    fs::remove_file(directory.join(&names[1])).unwrap();
    fs::remove_file(directory.join(&names[2])).unwrap();
    fs::create_dir(directory.join(&names[2])).unwrap();
    let run = mill.run(&["archive", "verify"]);
    assert_eq!(run.status, 1);
    assert!(
        run.out.contains(&format!("{}: missing", names[1])),
        "{}",
        run.out
    );
    assert!(
        run.out.contains(&format!(
            "{}: cannot be read: it is no regular file",
            names[2]
        )),
        "{}",
        run.out
    );
    assert!(
        run.out.ends_with("2 proven, 3 wrong, 2 not ours\n"),
        "{}",
        run.out
    );
}

#[test]
fn a_file_that_cannot_be_taken_in_costs_itself_alone() {
    let (_origin, mill) = three_formats();
    let directory = mill.path("theirs");
    fs::create_dir(&directory).unwrap();
    for (name, bytes) in mill.archive() {
        fs::write(directory.join(name), bytes).unwrap();
    }
    fs::create_dir(directory.join("090_0123456789abcdef.txt")).unwrap();
    fs::write(directory.join("091_0123456789abcdef.txt"), [0xff, 0xfe]).unwrap();
    fs::write(directory.join("092_0123456789abcdef.txt"), "").unwrap();
    fs::write(
        directory.join("093_0123456789abcdef.txt"),
        "---\ntitle: \"broken\"\n",
    )
    .unwrap();
    fs::write(directory.join("094_not_a_name.txt"), "x").unwrap();
    let other = Mill::new(&fs::read_to_string(mill.path("feeds.toml")).unwrap());
    let run = other.run(&["archive", "import", directory.to_str().unwrap()]);
    assert_eq!(run.status, 1, "{run:?}");
    for name in ["090", "091", "092"] {
        assert!(
            run.out
                .contains(&format!("{name}_0123456789abcdef.txt: refused: ")),
            "{}",
            run.out
        );
    }
    assert!(!run.out.contains("094"));
    assert!(other.archive().len() >= 5, "{}", run.out);
    // Two of the formats do not say whose a file is.
    let none = Mill::new(&plain("hugo", "http://127.0.0.1:9/"));
    let run = none.run(&["archive", "import", directory.to_str().unwrap()]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("name one with --feed"), "{}", run.out);
}

#[test]
fn two_processes_never_write_at_once() {
    let slow = Reply::ok("application/rss+xml", rss(&[("1", "一", &words(1))]))
        .after(Duration::from_secs(30));
    let origin = Origin::start([
        (
            "/a",
            Reply::ok("application/rss+xml", rss(&[("2", "二", &words(2))])),
        ),
        ("/slow", slow),
    ]);
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &plain("slow", &origin.url("/slow"))));
    assert_eq!(mill.run(&["fetch", "--once", "a"]).status, 0);
    let mut first = mill
        .command(&["fetch", "--once", "--json", "slow"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The lock file names its holder before anybody is asked.
    let lock = mill.path("data/feedmill.sqlite.lock");
    let holder = format!("{}\n", first.id());
    let deadline = Instant::now() + Duration::from_secs(20);
    while fs::read_to_string(&lock).unwrap_or_default() != holder && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    let import = mill.path("data/archive");
    for args in [
        &["fetch", "--once"][..],
        &["archive", "import", import.to_str().unwrap()],
    ] {
        let second = mill.run(args);
        assert_eq!((second.status, second.out.as_str()), (2, ""), "{second:?}");
        let named = format!("in use by process {}", first.id());
        assert!(second.err.contains(&named), "{}", second.err);
    }
    for args in [
        &["list"][..],
        &["show", "0"],
        &["archive", "verify"],
        &["check"],
    ] {
        assert_eq!(mill.run(args).status, 0, "{args:?}: reading is free");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(
        mill.run(&["fetch", "--once", "a"]).status,
        0,
        "the lock goes with its process"
    );
}

#[test]
fn what_was_polled_is_reported_even_where_it_cannot_be_published() {
    let (_origin, mill) = three_formats();
    let feed = mill.path("data/feed.atom");
    fs::remove_file(&feed).unwrap();
    fs::create_dir(&feed).unwrap();
    let run = mill.run(&["fetch", "--once", "--json"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("feed.atom"), "{}", run.err);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["feeds"][0]["result"], "unchanged", "{report}");
    fs::remove_dir(&feed).unwrap();
    assert_eq!(mill.fetch(0)["feed_changed"], true, "and made up for");
}

#[test]
fn a_feed_that_prints_the_time_of_day_publishes_nothing_anew() {
    let list = rss(&[("1", "一", &words(1))]);
    let at = |time: &str| {
        let built = format!("<lastBuildDate>{time}</lastBuildDate><item>");
        Reply::ok("application/rss+xml", list.replace("<item>", &built))
    };
    let origin = Origin::start([("/a", at("Sat, 01 Nov 2025 07:00:00 GMT"))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    origin.set("/a", at("Sat, 01 Nov 2025 08:00:00 GMT"));
    let report = mill.fetch(0);
    assert_eq!(report["feeds"][0]["known"], 1);
    assert_eq!(report["feed_changed"], false);
}

#[test]
fn a_file_of_ours_that_somebody_edited_can_be_taken_in() {
    let (_origin, mill) = three_formats();
    let theirs = mill.path("theirs");
    fs::create_dir(&theirs).unwrap();
    let archive = mill.archive();
    let (name, bytes) = archive
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"---"))
        .unwrap();
    let edited = str::from_utf8(bytes)
        .unwrap()
        .replace("第一段", "改写的一段");
    assert_ne!(edited.as_bytes(), bytes);
    fs::write(theirs.join(name), edited).unwrap();
    let run = mill.run(&["archive", "import", theirs.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("1 taken in"), "{}", run.out);
}

#[test]
fn what_is_imported_for_a_feed_without_an_archive_is_not_missed() {
    let (_origin, mill) = three_formats();
    let feed = plain("hugo", "http://127.0.0.1:9/");
    let other = Mill::new(&format!("{}\narchive = \"none\"\n", feed.trim_end()));
    let directory = mill.path("data/archive");
    other.run(&[
        "archive",
        "import",
        "--feed",
        "hugo",
        directory.to_str().unwrap(),
    ]);
    let proof = other.run(&["archive", "verify"]);
    assert_eq!(proof.status, 0, "{}", proof.out);
}

#[test]
fn an_ordered_list_has_the_same_words_in_its_file() {
    let body = format!("{}<ol><li>甲事</li><li>乙事</li></ol>", words(1));
    let origin = Origin::start([(
        "/a",
        Reply::ok("application/rss+xml", rss(&[("1", "一", &body)])),
    )]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let other = Mill::new(&plain("a", &origin.url("/a")));
    other.run(&[
        "archive",
        "import",
        mill.path("data/archive").to_str().unwrap(),
    ]);
    assert_eq!(other.archive(), mill.archive());
}

#[test]
fn a_file_in_the_way_does_not_hold_the_merged_feed_back() {
    let undated = rss(&[("1", "一", &words(1))]).replace("pubDate", "made-up");
    let origin = Origin::start([("/a", Reply::ok("application/rss+xml", undated))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    // The database is lost, the archive is not; the undated entry is now dated by another day.
    for entry in fs::read_dir(mill.path("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    thread::sleep(Duration::from_millis(1100));
    mill.run(&["fetch", "--once"]);
    assert!(mill.path("data/feed.atom").exists());
}
