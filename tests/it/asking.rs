//! What people and commands can make the program ask, and what a publisher's bytes can make it say (POLLING A.5, A.11).

use crate::support::mill::{EAGER, Mill, Run, plain, rss, words};
use crate::support::origin::{Origin, Reply};

fn page(items: &[(&str, &str, &str)]) -> Reply {
    Reply::ok("application/rss+xml", rss(items))
}

fn one() -> (Origin, Mill) {
    let origin = Origin::start([("/a", page(&[("1", "One", &words(1))]).validated())]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    (origin, mill)
}

#[test]
fn p_64_twenty_orders_in_a_row_are_one_request() {
    let (origin, mill) = one();
    mill.write(
        "feedmill.toml",
        &EAGER.replace("user_refresh = \"0s\"", "user_refresh = \"5m\""),
    );
    for click in 0..20 {
        let named = ["fetch", "--once", "--json", "a"];
        let all = ["fetch", "--once", "--json"];
        let run = mill.run(if click % 2 == 0 { &all } else { &named });
        assert_eq!(run.status, 0, "{run:?}");
    }
    assert_eq!(origin.take_log().len(), 1);
    // Without that rest it would be asked each time, and conditionally.
    mill.write("feedmill.toml", EAGER);
    mill.fetch(0);
    let log = origin.take_log();
    assert_eq!(log.len(), 1);
    assert!(log[0].header("if-none-match").is_some());
}

/// There is no unconditional refresh: nobody can order one, confirmed or not.
#[test]
fn p_65_no_command_asks_without_the_validators_there_are() {
    let (origin, mill) = one();
    mill.fetch(0);
    assert!(origin.take_log()[0].header("if-none-match").is_none());
    let help = mill.run(&["--help"]).out;
    let commands: Vec<&str> = help
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.starts_with('-'))
        .collect();
    // Whoever adds a command has to say here whether it asks. `try` does, since it is there to show a page: it stores
    // nothing, so it has no validators to spare, and there is `--save` to ask once.
    assert_eq!(
        commands,
        [
            "run",
            "fetch",
            "list",
            "search",
            "show",
            "diff",
            "status",
            "why",
            "group",
            "try",
            "reextract",
            "release",
            "rules",
            "check",
            "doctor",
            "feeds",
            "opml",
            "archive",
            "prune",
            "backup",
            "completions",
            "man",
            "help"
        ]
    );
    for command in ["run", "fetch"] {
        let help = mill.run(&[command, "--help"]).out.to_lowercase();
        for word in ["--force", "--refresh", "unconditional", "--no-cache"] {
            assert!(!help.contains(word), "{command} has {word}");
        }
    }
    let url = origin.url("/a");
    for args in [
        &["fetch", "--once"][..],
        &["fetch", "--once", "a"],
        &["fetch", "--once", "--json", "a"],
        &["status"],
        &["why", "a"],
        &["diff", "0"],
        &["reextract"],
        &["prune"],
        &["backup"],
        &["check"],
        &["list"],
        &["feeds", "list"],
        &["feeds", "add", &url],
        &["opml", "export"],
    ] {
        mill.run(args);
        for request in origin.take_log() {
            assert!(request.header("if-none-match").is_some(), "{args:?}");
            assert!(request.header("cache-control").is_none(), "{args:?}");
            assert!(request.header("pragma").is_none(), "{args:?}");
        }
    }
}

#[test]
fn p_148_a_disabled_feed_is_not_asked() {
    let origin = Origin::start([
        ("/a", page(&[("1", "One", &words(1))])),
        ("/b", page(&[("2", "Two", &words(2))])),
    ]);
    let disabled = plain("b", &origin.url("/b")).trim_end().to_owned() + "\nenabled = false\n";
    let mill = Mill::new(&(plain("a", &origin.url("/a")) + &disabled));
    mill.fetch(0);
    assert_eq!(mill.run(&["fetch", "--once", "b"]).status, 2);
    let paths: Vec<String> = origin
        .take_log()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(paths, ["/a"]);
}

#[test]
fn p_151_a_poll_is_one_line_with_its_answer_and_the_reason_of_the_next() {
    let (origin, mill) = one();
    let feed = page(&[("1", "One", &words(1))]);
    origin.set("/a", feed.validated().header("Age", "77"));
    let has = |run: &Run, fields: &[&str]| {
        let lines: Vec<&str> = run
            .err
            .lines()
            .filter(|line| line.contains("feed.id=a"))
            .collect();
        assert_eq!(lines.len(), 1, "{}", run.err);
        for field in fields {
            assert!(lines[0].contains(field), "{field}: {}", lines[0]);
        }
    };
    let first = mill.run(&["fetch", "--once"]);
    let whole = [
        "status=200",
        "bytes=",
        "age=77",
        "duration_ms=",
        "next=",
        "why_next=\"",
    ];
    has(&first, &whole);
    let second = mill.run(&["fetch", "--once"]);
    has(&second, &["status=304", "age=77", "why_next=\""]);
    let told = mill.run(&["why", "a", "--json"]).out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["polls"].as_array().unwrap().len(), 2, "{told:#}");
    for poll in told["polls"].as_array().unwrap() {
        assert!(!poll["why_next"].as_str().unwrap().is_empty(), "{told:#}");
    }
}

/// All that a directory says of itself, in commands and in files.
fn all_said(mill: &Mill) -> String {
    let mut said = String::new();
    for args in [
        &["check"][..],
        &["fetch", "--once"],
        &["status"],
        &["status", "--json"],
        &["why", "a"],
        &["list"],
        &["feeds", "list"],
        &["opml", "export"],
    ] {
        let run = mill.run(args);
        said += &run.out;
        said += &run.err;
    }
    said
}

#[test]
fn p_169_credentials_are_in_no_log_output_or_published_link() {
    let secret = "s3cr3t";
    let with = |origin: &Origin, path: &str| {
        let url = origin.url(path);
        url.replacen("http://", &format!("http://user:{secret}@"), 1)
    };
    let origin = Origin::start([("/a", Reply::status(404))]);
    let hidden = with(&origin, "/a");
    // In our orders: split from the address, shown to its server and repeated to nobody.
    let mill = Mill::new(&plain("a", &hidden));
    let said = all_said(&mill);
    assert!(said.contains("/a") && !said.contains(secret), "{said}");
    let log = origin.take_log();
    assert_eq!(log.len(), 1);
    let shown = log[0].header("authorization");
    assert_eq!(shown, Some("Basic dXNlcjpzM2NyM3Q="), "user:s3cr3t");
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    let add = mill.run(&["feeds", "add", &hidden]);
    assert_eq!(add.status, 2, "{add:?}");
    assert!(!format!("{add:?}").contains(secret), "{add:?}");
    assert!(origin.take_log().is_empty());

    // In a redirect, and in what an entry links to.
    origin.set("/a", Reply::status(302).header("Location", &hidden));
    mill.run(&["fetch", "--once"]);
    let said = all_said(&mill);
    assert!(!said.contains(secret), "{said}");
    origin.set("/a", {
        let page = rss(&[("1", "One", &words(1))]);
        let link = with(&origin, "/1");
        Reply::ok(
            "application/rss+xml",
            page.replace("https://news.example.org/1", &link),
        )
    });
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    assert!(mill.feed().contains("One"));
    assert!(!mill.feed().contains(secret), "{}", mill.feed());
    let files = mill.archive();
    assert!(!files.is_empty());
    for (name, bytes) in files {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{name}");
    }
    for request in origin.take_log() {
        assert!(request.header("referer").is_none());
        assert!(request.header("authorization").is_none());
    }
}

#[test]
fn p_170_control_characters_of_strangers_reach_no_terminal() {
    let escape = "\u{1b}]0;gotcha\u{7}\u{1b}[31m";
    let evil = |title: &str| page(&[("1", title, &words(1))]);
    let origin = Origin::start([("/a", evil("red"))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    let check = |what: &str| {
        let mut said = all_said(&mill);
        said += &mill.run(&["show", "0"]).out;
        let bad = said
            .chars()
            .find(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || *c == '\u{202e}');
        assert_eq!(bad, None, "{what}: {said:?}");
        said
    };
    for title in ["red", "&#x9b;31m red \u{202e}der", "\u{1b}[31m red"] {
        origin.set("/a", evil(title));
        assert!(check(title).contains("red"));
    }
    origin.set("/a", Reply::ok("text/plain", format!("{escape} no feed")));
    check("a page that is no feed");
    origin.set(
        "/a",
        Reply::status(302).header("Location", &format!("http://{escape}/")),
    );
    check("a redirect");
    origin.set("/a", evil("red").header("Server", escape));
    check("a server's name");
    origin.set(
        "/a",
        page(&[]).header("Content-Encoding", &format!("x{escape}")),
    );
    check("a coding");
}

/// `private` by the publisher's word: kept and told of, and nowhere in what is published, unless the operator says so.
#[test]
fn p_23_p_172_what_is_marked_private_is_not_published_unless_we_say_so() {
    let with = |control: &str| {
        page(&[("1", "Geheimes", &words(1))])
            .header("Cache-Control", control)
            .validated()
    };
    let origin = Origin::start([
        ("/a", with("private, max-age=0")),
        ("/b", page(&[("2", "Other", &words(2))])),
    ]);
    let feeds = |more: &str| {
        let a = plain("a", &origin.url("/a")).trim_end().to_owned();
        format!("{a}\n{more}\n\n{}", plain("b", &origin.url("/b")))
    };
    let mill = Mill::new(&feeds(""));
    let shown = || {
        let files = mill.archive().into_values();
        let files: Vec<String> = files
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .collect();
        let opml = mill.run(&["opml", "export"]).out;
        assert!(mill.feed().contains("Other"));
        (
            mill.feed().contains("Geheimes"),
            files.iter().any(|file| file.contains("Geheimes")),
            opml.contains(&origin.url("/a")),
        )
    };
    let json =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&mill.run(args).out).unwrap() };
    let run = mill.run(&["fetch", "--once"]);
    assert!(run.err.contains("marked private"), "{}", run.err);
    assert_eq!(mill.list().len(), 2, "it is kept");
    assert_eq!(shown(), (false, false, false));
    let status = json(&["status", "--json"]);
    assert_eq!(
        (&status[0]["withheld"], &status[1]["withheld"]),
        (&true.into(), &false.into())
    );
    assert!(
        status[0]["why"].as_str().unwrap().contains("not published"),
        "{status:#}"
    );
    assert_eq!(json(&["why", "a", "--json"])["private"], true);
    assert!(
        mill.run(&["why", "a"])
            .out
            .contains("nowhere: its answers are marked private")
    );

    // A 304 that does not repeat it changes nothing; nor is it told a second time.
    let run = mill.run(&["fetch", "--once"]);
    assert!(!run.err.contains("marked private"), "{}", run.err);
    assert_eq!(shown(), (false, false, false));

    mill.write("feeds.toml", &feeds("private = false"));
    mill.fetch(0);
    assert!(shown().0, "the operator says so");
    assert_eq!(json(&["status", "--json"])[0]["withheld"], false);
    mill.write("feeds.toml", &feeds("private = true"));
    origin.set("/a", with("max-age=0"));
    mill.fetch(0);
    assert!(!shown().0);

    // Its publisher no longer says so.
    mill.write("feeds.toml", &feeds(""));
    origin.set(
        "/a",
        page(&[("1", "Geheimes", &words(1)), ("3", "Neues", &words(3))]),
    );
    let run = mill.run(&["fetch", "--once"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(shown().0);
}
