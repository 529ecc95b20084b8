//! The configuration: what broken files are told, what the shipped files say, and which files are read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use feedmill::app;
use feedmill::config::{Config, Places, Problems, Settings};
use feedmill::model::feed::{OptionKind, OptionSpec, SourceSpec, Subscription};
use feedmill::source as real;
use proptest::prelude::*;
use tempfile::TempDir;

const fn option(name: &'static str, kind: OptionKind, default: Option<&'static str>) -> OptionSpec {
    OptionSpec {
        name,
        kind,
        required: false,
        default,
        about: "made up",
    }
}

const fn source(name: &'static str, options: &'static [OptionSpec]) -> SourceSpec {
    SourceSpec {
        name,
        about: "made up",
        options,
        language: "zh",
        zone: "Asia/Shanghai",
        archive: "hugo",
    }
}

// Made-up sources with the option names of the real ones.
static FEED: SourceSpec = SourceSpec {
    language: "und",
    zone: "UTC",
    archive: "html",
    ..source(
        "feed",
        &[OptionSpec {
            required: true,
            about: "the address of the feed",
            ..option("url", OptionKind::Url, None)
        }],
    )
};
static QQ: SourceSpec = source(
    "qq",
    &[
        option(
            "list",
            OptionKind::OneOf(&["author", "hot", "channel"]),
            Some("hot"),
        ),
        option("suid", OptionKind::Text, None),
        option("channel", OptionKind::Text, None),
        option("list_base", OptionKind::Url, None),
        option("article_base", OptionKind::Url, None),
        option("view_base", OptionKind::Url, None),
        option("simple_base", OptionKind::Url, None),
        option("pages", OptionKind::Number(1, 9), Some("1")),
    ],
);
static DW: SourceSpec = source(
    "dw",
    &[
        option(
            "route",
            OptionKind::OneOf(&["detail", "fulltext"]),
            Some("detail"),
        ),
        option("url", OptionKind::Url, None),
        option("api", OptionKind::Url, None),
    ],
);
static TAKUNGPAO: SourceSpec = source(
    "takungpao",
    &[
        option("url", OptionKind::Url, None),
        option("column", OptionKind::Text, None),
        option("base", OptionKind::Url, Some("https://www.tkww.hk/")),
    ],
);
static SOURCES: [&SourceSpec; 4] = [&FEED, &QQ, &DW, &TAKUNGPAO];
const FORMATS: [&str; 3] = ["hugo", "html", "text"];

fn author_needs_suid(subscription: &Subscription) -> Result<(), String> {
    let options = &subscription.options;
    if options.get("list") == Some("author") && options.get("suid").is_none() {
        return Err("list \"author\" needs `suid`".to_owned());
    }
    Ok(())
}

fn load(places: &Places) -> Result<Config, Problems> {
    Config::load(places, &SOURCES, &FORMATS, &author_needs_suid)
}

/// A working directory with these files, and a system directory without any.
struct Scratch {
    directory: TempDir,
    places: Places,
}

impl Scratch {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let directory = TempDir::new().unwrap();
        let working = directory.path().join("work");
        fs::create_dir_all(&working).unwrap();
        let scratch = Self {
            places: Places {
                system: directory.path().join("etc"),
                ..Places::below(working)
            },
            directory,
        };
        for (name, bytes) in files {
            scratch.write(&format!("work/{name}"), bytes);
        }
        scratch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

const ONE_FEED: &[u8] = b"[[feed]]\nid = \"a\"\nurl = \"https://example.org/f\"\n";

/// What these feeds are told, a line for each problem.
fn feeds(text: impl AsRef<[u8]>) -> String {
    let scratch = Scratch::with(&[("feeds.toml", text.as_ref())]);
    load(&scratch.places).unwrap_err().to_string()
}

/// What these settings are told.
fn settings(text: &str) -> String {
    let scratch = Scratch::with(&[("feedmill.toml", text.as_bytes()), ("feeds.toml", ONE_FEED)]);
    load(&scratch.places).unwrap_err().to_string()
}

/// A block of a feed named `a`, with these lines from line 4 on.
fn block(lines: &str) -> String {
    format!("[[feed]]\nid = \"a\"\nurl = \"https://example.org/f\"\n{lines}\n")
}

const BLOCK_KEYS: &str = "id, source, title, language, zone, archive, schedule, tags, private, charset, allow_hosts, \
     credentials, robots, fulltext, enabled";

#[test]
fn broken_blocks_are_told_apart() {
    let check = |lines: &str, told: &str| {
        assert_eq!(
            feeds(block(lines)),
            format!("feeds.toml:4: {told}"),
            "{lines}"
        );
    };
    check(
        "urll = \"x\"",
        &format!(
            "unknown key `urll` in [[feed]] \"a\" (did you mean `url`?); allowed: {BLOCK_KEYS}, url"
        ),
    );
    check(
        "title = 7",
        "`title` in [[feed]] \"a\": wants a text in quotes, this is a number",
    );
    check("title = \" \"", "`title` in [[feed]] \"a\": is empty");
    check(
        "title = \"a\\u001bb\"",
        "`title` in [[feed]] \"a\": `a\\u{1b}b` has a line break or another control character in it",
    );
    check(
        "enabled = \"yes\"",
        "`enabled` in [[feed]] \"a\": wants true or false, without quotes, this is a text in quotes",
    );
    check(
        "charset = \"gb\"",
        "`charset` in [[feed]] \"a\": `gb` is no charset feedmill reads: write one such as \"gb18030\", \"big5\", \"shift_jis\" or \"utf-8\"",
    );
    check(
        "allow_hosts = \"127.0.0.1\"",
        "`allow_hosts` in [[feed]] \"a\": wants a list of hosts, such as [\"127.0.0.1\", \"intranet.example\"], this is a text in quotes",
    );
    check(
        "allow_hosts = [\"127.0.0.1\", \"10.0.0.0/8\"]",
        "`allow_hosts` in [[feed]] \"a\": `10.0.0.0/8` is no host: invalid international domain name; write a name or an address alone, without port and path",
    );
    check(
        "allow_hosts = [\"*.example.org\"]",
        "`allow_hosts` in [[feed]] \"a\": `*.example.org` is no host: has a `*`, and hosts are allowed one by one; write a name or an address alone, without port and path",
    );
    check(
        "language = \"zh_CN\"",
        "`language` in [[feed]] \"a\": `zh_CN` is not a language tag: write one such as \"zh-CN\"",
    );
    check(
        "zone = \"Beijing\"",
        "`zone` in [[feed]] \"a\": `Beijing` is not a time zone: write an IANA name such as `Asia/Shanghai` or `UTC`",
    );
    check(
        "archive = \"huog\"",
        "`archive` in [[feed]] \"a\": `huog` is none of hugo, html, text, none (did you mean `hugo`?)",
    );
    check(
        "schedule = \"0 25 * * *\"",
        "`schedule` in [[feed]] \"a\": `25` is no hour: 0 to 23, `*` for every one, \
         a list such as `1,5`, a range such as `1-5`, or a step such as `*/2`",
    );
    check(
        "schedule = \"hourly\"",
        "`schedule` in [[feed]] \"a\": `hourly` has one field where a schedule has five: minute, hour, \
         day of the month, month, weekday, such as \"*/30 * * * *\" for every half hour",
    );
    let within = "`credentials` in [[feed]] \"a\"";
    for (lines, told) in [
        (
            "7",
            format!(
                "{within}: wants a user and a password, such as \
                 {{ user = \"reader\", password_file = \"/etc/feedmill/a\" }}"
            ),
        ),
        (
            "{ user = \"me\" }",
            format!(
                "{within}: wants a `user` and a `password` or `password_file`, or a `token` or `token_file`"
            ),
        ),
        (
            "{ user = \"m:e\", password = \"\" }",
            format!("`user` in {within}: has a colon, which no user name may have (RFC 7617)"),
        ),
        (
            "{ token = \"geh heim\" }",
            format!(
                "`token` in {within}: is no bearer token (RFC 6750): letters, digits and - . _ ~ + / = alone"
            ),
        ),
        (
            "{ token_file = \"secret\" }",
            format!(
                "`token_file` in {within}: `secret` is neither a whole path, from its first slash, nor the name of \
                 a credential of the service"
            ),
        ),
        (
            "{ token_file = \"/nowhere/token\" }",
            format!(
                "`token_file` in {within}: /nowhere/token cannot be read: No such file or directory (os error 2)"
            ),
        ),
    ] {
        check(&format!("credentials = {lines}"), &told);
    }
    check(
        "robots = \"ignored\"",
        "`robots` in [[feed]] \"a\": `ignored` is none of obey, ignore (did you mean `ignore`?)",
    );
    check(
        "private = 1",
        "`private` in [[feed]] \"a\": wants true or false, without quotes, this is a number",
    );
    check(
        "tags = \"world\"",
        "`tags` in [[feed]] \"a\": wants a list of texts, such as [\"world\", \"science\"], this is a text in quotes",
    );
    for bad in ["a/b", "..", "a?b", "a%2f", "a,b"] {
        check(
            &format!("tags = [\"fine\", \"{bad}\"]"),
            &format!(
                "`tags` in [[feed]] \"a\": `{bad}` is no tag: up to 40 characters, without / \\ ? # % or a comma"
            ),
        );
    }
    check(
        "source = \"fead\"",
        "`source` in [[feed]] \"a\": `fead` is none of feed, qq, dw, takungpao (did you mean `feed`?)",
    );
}

#[test]
fn broken_options_are_told_apart() {
    let check = |lines: &str, line: usize, told: &str| {
        let text = format!("[[feed]]\nid = \"a\"\n{lines}\n");
        assert_eq!(feeds(text), format!("feeds.toml:{line}: {told}"), "{lines}");
    };
    check(
        "",
        1,
        "[[feed]] \"a\": source \"feed\" needs `url`: the address of the feed",
    );
    check(
        "url = \"example.org/f\"",
        3,
        "`url` in [[feed]] \"a\": `example.org/f` is not an address: relative URL without a base",
    );
    check(
        "url = \"file:///etc/passwd\"",
        3,
        "`url` in [[feed]] \"a\": `file:///etc/passwd` is not an http or https address",
    );
    check(
        "url = \"https://me:secret@example.org/\"\ncredentials = { token = \"abc\" }",
        4,
        "`credentials` in [[feed]] \"a\": stands beside those in `url`: one is enough",
    );
    check(
        "source = \"qq\"\nlist = \"hto\"",
        4,
        "`list` in [[feed]] \"a\": `hto` is none of author, hot, channel (did you mean `hot`?)",
    );
    check(
        "source = \"qq\"\nchannel = 12",
        4,
        "`channel` in [[feed]] \"a\": wants a text in quotes, this is a number",
    );
    check(
        "source = \"qq\"\npages = 10",
        4,
        "`pages` in [[feed]] \"a\": `10` is not between 1 and 9",
    );
    check(
        "source = \"qq\"\npages = \"3\"",
        4,
        "`pages` in [[feed]] \"a\": wants a whole number, without quotes, this is a text in quotes",
    );
    check(
        "source = \"qq\"\nlist = \"author\"",
        1,
        "[[feed]] \"a\": list \"author\" needs `suid`",
    );
    check(
        "source = \"dw\"\nsuid = \"x\"",
        4,
        &format!("unknown key `suid` in [[feed]] \"a\"; allowed: {BLOCK_KEYS}, route, url, api"),
    );
}

#[test]
fn broken_ids_are_told_apart() {
    let check = |text: &str, told: &str| assert_eq!(feeds(text), told, "{text}");
    check(
        "# a remark\n\n[[feed]]\nurl = \"https://example.org/\"\n",
        "feeds.toml:3: [[feed]] number 1: needs an `id`, the name you give it: 1 to 40 of a–z, 0–9 and -",
    );
    check(
        "[[feed]]\nid = \"DW\"\nurl = \"https://example.org/\"\n",
        "feeds.toml:2: `id` in [[feed]] \"DW\": `DW` is not a feed id: 1 to 40 of a–z, 0–9 and -",
    );
    check(
        &format!("{0}\n{0}", block("")),
        "feeds.toml:7: `id` in [[feed]] \"a\": is already the name of the feed in line 2",
    );
}

#[test]
fn broken_rules_are_told_apart() {
    let check = |lines: &str, line: usize, told: &str| {
        let feed = String::from_utf8(ONE_FEED.to_vec()).unwrap();
        let before = feed.lines().count();
        let text = format!("{feed}\n{lines}");
        let shown = feeds(text).replace(&format!("feeds.toml:{}: ", before + 1 + line), "");
        assert_eq!(shown, told, "{lines}");
    };
    let block = |lines: &str| format!("[[rule]]\nname = \"r\"\n{lines}");
    check(
        "[[rule]]\nmatch = \"x\"\ndrop = true\n",
        1,
        "[[rule]] number 1: needs a `name`, so that one can tell which rule it was",
    );
    check(
        &block("drop = true\n"),
        1,
        "[[rule]] \"r\": needs a `match`: what it looks for, as in `feedmill search`",
    );
    check(
        &block("match = \"x\"\n"),
        1,
        "[[rule]] \"r\": does nothing: write tag = [\"…\"], drop = true or highlight = true",
    );
    check(
        &block(
            "match = \"x\"\ndrop = true\n\n[[rule]]\nname = \"r\"\nmatch = \"y\"\ndrop = true\n",
        ),
        7,
        &format!(
            "`name` in [[rule]] \"r\": is already the name of the rule in line {}",
            String::from_utf8(ONE_FEED.to_vec())
                .unwrap()
                .lines()
                .count()
                + 3
        ),
    );
    check(
        &block("match = \"x\"\ntag = [\"a/b\"]\n"),
        4,
        "`tag` in [[rule]] \"r\": `a/b` is no tag: up to 40 characters, without / \\ ? # % or a comma",
    );
    check(
        &block("match = \"x\"\ndelete = true\ndrop = true\n"),
        4,
        "unknown key `delete` in [[rule]] \"r\"; allowed: name, match, tag, drop, highlight",
    );
    check(
        &block("match = \"x \\\"y\"\ndrop = true\n"),
        3,
        "`match` in [[rule]] \"r\": column 3: expected a closing \" for the quote that opens here",
    );
    check(
        "[rule]\nname = \"r\"\n",
        1,
        "write [[rule]] with two brackets on either side, once for each rule",
    );
    // Rules alone are no feeds.
    assert_eq!(
        feeds("[[rule]]\nname = \"r\"\nmatch = \"x\"\ndrop = true\n"),
        "feeds.toml:1: there is no [[feed]] block in it, so there is nothing to ask"
    );
}

#[test]
fn broken_files_are_told_apart() {
    let check = |bytes: &[u8], told: &str| {
        assert_eq!(feeds(bytes), told, "{}", String::from_utf8_lossy(bytes));
    };
    let nothing = "feeds.toml:1: there is no [[feed]] block in it, so there is nothing to ask";
    check(b"", nothing);
    check(b"\n# a remark\n", nothing);
    check(b"feed = []\n", nothing);
    check(
        b"id = \"a\"\n",
        "feeds.toml:1: unknown key `id` before any section; allowed: [[feed]], [[rule]]",
    );
    check(
        b"\n[[feeds]]\nid = \"a\"\n",
        "feeds.toml:2: unknown section [[feeds]] (did you mean `feed`?); allowed: [[feed]], [[rule]]",
    );
    check(
        b"[feed]\nid = \"a\"\n",
        "feeds.toml:1: write [[feed]] with two brackets on either side, once for each feed",
    );
    check(
        b"feed = [7]\n",
        "feeds.toml:1: `feed` holds something that is no [[feed]] block",
    );
    check(
        b"[[feed]]\nid = \"a\0b\"\n",
        "feeds.toml:2: has a NUL byte in it, so it is not a text file",
    );
    check(
        b"[[feed]]\n\n# \xb4\xf3\xb9\xab\n",
        "feeds.toml:3: is not UTF-8 text: save it as UTF-8",
    );
    check(
        b"\xff\xfe[\0[\0",
        "feeds.toml: is UTF-16 text: save it as UTF-8",
    );
    check(
        &vec![b'#'; (4 << 20) + 1],
        "feeds.toml: is larger than 4 MiB",
    );
}

#[test]
fn an_error_of_toml_shows_its_line_and_caret_once() {
    let check = |text: &str, told: &str| assert_eq!(feeds(text), told, "{text}");
    check(
        "[[feed]]\nid = \"a\nurl = \"b\"\n",
        "feeds.toml:2: invalid basic string, expected `\"`\n  |\n2 | id = \"a\n  |        ^",
    );
    check(
        "[[feed]]\nid = \"a\"\nid = \"b\"\n",
        "feeds.toml:3: duplicate key\n  |\n3 | id = \"b\"\n  | ^^",
    );
    let wide = feeds("[[feed]]\nid = “a”\n");
    assert!(
        wide.contains("feeds.toml:2: ")
            && wide.contains("this line has a `“`; TOML knows only the plain `\"`"),
        "{wide}"
    );
    let in_quotes = feeds("[[feed]]\nid = \"【a】\n");
    assert!(!in_quotes.contains("plain"), "{in_quotes}");
    let escape = feeds("[[feed]]\nid = \u{1b}[31m\n");
    assert!(!escape.contains('\u{1b}'), "{escape}");
    let long = feeds(format!("[[feed]]\nid = \"{}\n", "x".repeat(1000)));
    assert_eq!(long, "feeds.toml:2: invalid basic string, expected `\"`");
}

#[test]
fn broken_settings_are_told_apart() {
    let check = |text: &str, told: &str| assert_eq!(settings(text), told, "{text}");
    let fetch = "max_in_flight, per_host, per_address, host_requests_per_day, host_bytes_per_day, requests_per_day, bytes_per_day, host_delay, independent_hosts, user_refresh, dns_timeout, \
                 connect_timeout, first_byte_timeout, idle_timeout, total_timeout, max_body, max_decoded, max_redirects, details_per_poll, contact";
    check(
        "[fetch]\nper_hosts = 1\n",
        &format!(
            "feedmill.toml:2: unknown key `per_hosts` in [fetch] (did you mean `per_host`?); allowed: {fetch}"
        ),
    );
    check(
        "\n[fetsch]\nper_host = 1\n",
        "feedmill.toml:2: unknown section [fetsch] (did you mean `fetch`?); \
         allowed: data, [fetch], [feed], [archive], [store], [schedule], [serve], [log]",
    );
    check(
        "fetch = 7\n",
        "feedmill.toml:1: `fetch` is a section: write [fetch] on a line of its own",
    );
    check(
        "[[feed]]\nid = \"a\"\n",
        "feedmill.toml:1: [[feed]] blocks belong into feeds.toml; here is one [feed], the merged one",
    );
    check(
        "[fetch]\nhost_delay = \"two seconds\"\n",
        "feedmill.toml:2: `host_delay` in [fetch]: `two seconds` is not a duration: \
         write a whole number and one of ms, s, m, h, d, such as \"2s\"",
    );
    check(
        "[fetch]\nhost_delay = 2\n",
        "feedmill.toml:2: `host_delay` in [fetch]: wants a duration in quotes, such as \"2s\", this is a number",
    );
    check(
        "[fetch]\ntotal_timeout = \"0s\"\n",
        "feedmill.toml:2: `total_timeout` in [fetch]: `0s` is not between 1ms and 1h",
    );
    check(
        "[fetch]\nmax_body = \"10\"\n",
        "feedmill.toml:2: `max_body` in [fetch]: `10` is not a size: \
         write a whole number and one of B, KiB, MiB, GiB, KB, MB, GB, such as \"10MiB\"",
    );
    check(
        "[fetch]\nper_host = 0\n",
        "feedmill.toml:2: `per_host` in [fetch]: `0` is not between 1 and 1000",
    );
    check(
        "[fetch]\nper_host = 99999999999999999999\n",
        "feedmill.toml:2: `per_host` in [fetch]: `99999999999999999999` is not between 1 and 1000",
    );
    check(
        "[feed]\npublic_url = \"news.example.org\"\n",
        "feedmill.toml:2: `public_url` in [feed]: `news.example.org` is not an address: relative URL without a base",
    );
    check(
        "[feed]\nid = \"my news\"\n",
        "feedmill.toml:2: `id` in [feed]: `my news` is not an IRI: write one such as \"tag:example.org,2026:news\"",
    );
    check(
        "[feed]\npath = \"feedmill.sqlite\"\n",
        "feedmill.toml:2: [feed] and [store] have the same `path`, `feedmill.sqlite`",
    );
    check(
        "[log]\nlevel = \"loud\"\n",
        "feedmill.toml:2: `level` in [log]: `loud` is none of error, warn, info, debug, trace",
    );
    for share in ["0.0", "1.01", "-0.5", "nan", "inf", "2"] {
        check(
            &format!("[feed]\nfair_share = {share}\n"),
            &format!(
                "feedmill.toml:2: `fair_share` in [feed]: `{share}` is no part of one: write 0.25 for a quarter, 1.0 for no limit"
            ),
        );
    }
    check(
        "[feed]\nfair_share = \"0.25\"\n",
        "feedmill.toml:2: `fair_share` in [feed]: wants a part of one, such as 0.25, this is a text in quotes",
    );
    check("data = \"\"\n", "feedmill.toml:1: `data`: is empty");
}

#[test]
fn all_problems_of_both_files_are_told_in_the_order_of_their_lines() {
    let feeds = "[[feed]]\nzzz = 1\nid = \"a\"\narchive = \"x\"\nurl = 7\n\n[[feed]]\nid = \"a\"\nsource = \"x\"\n";
    let scratch = Scratch::with(&[
        (
            "config/feedmill.toml",
            b"[log]\nlevel = 1\n[fetch]\nper_host = -1\n",
        ),
        ("feeds.toml", feeds.as_bytes()),
    ]);
    let problems = load(&scratch.places).unwrap_err();
    let places: Vec<String> = problems
        .list()
        .iter()
        .map(|problem| format!("{}:{}", problem.file.display(), problem.line.unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            "config/feedmill.toml:2",
            "config/feedmill.toml:4",
            "feeds.toml:2",
            "feeds.toml:4",
            "feeds.toml:5",
            "feeds.toml:8",
            "feeds.toml:9",
        ]
    );
    assert_eq!(problems.to_string().lines().count(), places.len());
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_shipped_files_have_nothing_wrong() {
    let config = load(&Places::below(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|e| panic!("{e}"));
    let ids: Vec<&str> = config.subscriptions.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["qq", "dw", "takungpao"]);
    assert_eq!(config.disabled, []);
    assert_eq!(config.files.settings, Some(shipped("config/feedmill.toml")));
    assert_eq!(config.files.feeds, shipped("feeds.toml"));
    assert!(
        fs::read_to_string(shipped("feeds.toml"))
            .unwrap()
            .contains("docs/sources.md")
    );
}

/// Every line that is a remark and could be a key, with its `#` taken away.
fn uncommented(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let word = bare.split(' ').next().unwrap_or_default();
        let key = bare.contains(" = ") && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        out.push_str(if key || matches!(bare, "[[feed]]" | "[[rule]]") {
            bare
        } else {
            line
        });
        out.push('\n');
    }
    out
}

#[test]
fn every_remark_of_the_shipped_feeds_works_when_its_mark_is_taken_away() {
    let text = fs::read_to_string(shipped("feeds.toml")).unwrap();
    let bare = uncommented(&text);
    assert_eq!(bare.matches("\n[[feed]]\n").count(), 6);
    assert_eq!(bare.matches("\n[[rule]]\n").count(), 2);
    let scratch = Scratch::with(&[("feeds.toml", bare.as_bytes())]);
    let config = app::configuration(&scratch.places).unwrap_or_else(|e| panic!("{e}"));
    // Each option of each source is shown; an entry's page is the same for both sources that have one.
    let all = || config.subscriptions.iter().chain(&config.disabled);
    for subscription in all() {
        let spec = real::source(&subscription.source).unwrap().spec();
        for option in spec.options {
            let shown = match option.name {
                name if name.starts_with("page_") || name.starts_with("item_") => {
                    all().any(|other| other.options.get(name).is_some())
                }
                "pages" | "date_format" => true,
                name => subscription.options.get(name).is_some(),
            };
            assert!(shown, "{} {}", spec.name, option.name);
        }
    }
    let names: Vec<&str> = config.rules.iter().map(|r| r.text.name.as_str()).collect();
    assert_eq!(names, ["lottery", "elections"]);
    let generic = &config.disabled[0];
    assert_eq!(generic.source, "feed");
    assert!(generic.schedule.is_some() && generic.title.is_some());
}

#[test]
fn the_shipped_settings_are_the_defaults_and_name_every_key() {
    let scratch = Scratch::with(&[("feeds.toml", ONE_FEED)]);
    let defaults = load(&scratch.places).unwrap().settings;
    let text = fs::read(shipped("config/feedmill.toml")).unwrap();
    scratch.write("work/feedmill.toml", &text);
    assert_eq!(load(&scratch.places).unwrap().settings, defaults);

    // What is allowed is what the reader asks for, so ask it.
    let text = String::from_utf8(text).unwrap();
    let allowed = |broken: &str| {
        scratch.write("work/feedmill.toml", broken.as_bytes());
        let problems = load(&scratch.places).unwrap_err();
        problems.list()[0].allowed.clone().unwrap()
    };
    let mut keys = 0;
    for section in allowed("zzz = 1").split(", ") {
        if section == "data" {
            assert!(text.contains("\n# data = "));
            continue;
        }
        let start = text
            .find(&format!("\n{section}\n"))
            .unwrap_or_else(|| panic!("{section}"));
        let body = &text[start + section.len() + 2..];
        let body = body.split("\n[").next().unwrap();
        for key in allowed(&format!("{section}\nzzz = 1")).split(", ") {
            let line = format!("{key} = ");
            assert!(
                body.lines().any(|l| l.starts_with(&line)),
                "{section} {key}"
            );
            keys += 1;
        }
    }
    assert_eq!(keys, 20 + 9 + 2 + 2 + 4 + 3 + 1);
}

#[test]
fn a_block_becomes_a_subscription_with_the_defaults_of_its_source() {
    let text =
        "[[feed]]\nid = \"b\"\nsource = \"qq\"\npages = 3\nschedule = \" 5 8 * * mon-fri \"\n\
                [[feed]]\nid = \"a\"\nurl = \"HTTPS://Example.org/f\"\narchive = \"none\"\n\
                tags = [\"科学\", \" world \", \"world\"]
private = true
robots = \"ignore\"
charset = \"GB2312\"
\
                [[feed]]\nid = \"c\"\nurl = \"https://example.org/g\"\nenabled = false\n";
    let scratch = Scratch::with(&[("feeds.toml", text.as_bytes())]);
    let config = load(&scratch.places).unwrap();
    let [b, a] = &config.subscriptions[..] else {
        panic!("{:?}", config.subscriptions)
    };
    assert_eq!(b.id.as_str(), "b");
    assert_eq!(
        (b.language.as_str(), b.zone.name()),
        ("zh", "Asia/Shanghai")
    );
    assert_eq!(b.archive.as_deref(), Some("hugo"));
    assert_eq!(b.schedule.as_deref(), Some("5 8 * * mon-fri"));
    let options: Vec<(&str, &str)> = b
        .options
        .0
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(options, [("list", "hot"), ("pages", "3")]);
    assert_eq!(
        (a.source.as_str(), a.archive.as_deref(), a.title.as_deref()),
        ("feed", None, None)
    );
    assert_eq!(a.options.get("url"), Some("https://example.org/f"));
    assert_eq!(
        (&*a.tags, a.private),
        (&["科学".to_owned(), "world".to_owned()][..], Some(true))
    );
    assert_eq!((&*b.tags, b.private), (&[][..], None));
    assert_eq!((a.ignore_robots, b.ignore_robots), (true, false));
    assert_eq!((a.charset.as_deref(), &b.charset), (Some("GB2312"), &None));
    assert_eq!(config.disabled.len(), 1);
    assert_eq!(config.files.settings, None);
}

#[test]
fn settings_are_read_and_paths_are_below_the_data_directory() {
    let text = "data = \"d\"\n[fetch]\nhost_delay = \"0s\"\nmax_body = \"1MB\"\nper_host = 2\n\
                contact = \"https://example.org/me\"\n\
                [feed]\npublic_url = \"https://example.org/news\"\npath = \"out/新闻.atom\"\n[store]\npath = \"/x/y.sqlite\"\n";
    let scratch = Scratch::with(&[("feedmill.toml", text.as_bytes()), ("feeds.toml", ONE_FEED)]);
    let settings = load(&scratch.places).unwrap().settings;
    assert_eq!(settings.fetch.host_delay, Duration::ZERO);
    assert_eq!(
        (settings.fetch.max_body, settings.fetch.per_host),
        (1_000_000, 2)
    );
    assert_eq!(
        settings.fetch.contact.unwrap().as_str(),
        "https://example.org/me"
    );
    assert_eq!(
        settings.feed.public_url.as_str(),
        "https://example.org/news/"
    );
    assert_eq!(settings.feed.path, scratch.path("work/d/out/新闻.atom"));
    assert_eq!(settings.archive.path, scratch.path("work/d/archive"));
    assert_eq!(settings.store.path, PathBuf::from("/x/y.sqlite"));
    assert_eq!(
        settings.fetch.max_redirects,
        Settings::default().fetch.max_redirects
    );
}

#[test]
fn the_feed_has_its_own_address() {
    let mut feed = Settings::default().feed;
    assert_eq!(feed.url().as_str(), "http://localhost:8080/feed.atom");
    feed.path = PathBuf::from("/srv/新闻 #1.atom");
    assert_eq!(
        feed.url().as_str(),
        "http://localhost:8080/%E6%96%B0%E9%97%BB%20%231.atom"
    );
}

#[test]
fn the_nearest_files_are_read() {
    let scratch = Scratch::with(&[]);
    let mut places = scratch.places.clone();
    let told = load(&places).unwrap_err().to_string();
    assert_eq!(
        told,
        format!(
            "feeds.toml: not found, neither in {} nor in {}: write one, or name it with --feeds",
            scratch.path("work").display(),
            scratch.path("etc").display()
        )
    );

    let read = |places: &Places| {
        let files = load(places).unwrap_or_else(|e| panic!("{e}")).files;
        let short = |path: &Path| {
            path.strip_prefix(scratch.directory.path())
                .unwrap()
                .display()
                .to_string()
        };
        (files.settings.as_deref().map(short), short(&files.feeds))
    };
    let check = |places: &Places, settings: Option<&str>, feeds: &str| {
        assert_eq!(
            read(places),
            (settings.map(str::to_owned), feeds.to_owned())
        );
    };
    scratch.write("etc/feeds.toml", ONE_FEED);
    check(&places, None, "etc/feeds.toml");
    scratch.write("etc/feedmill.toml", b"");
    check(&places, Some("etc/feedmill.toml"), "etc/feeds.toml");
    scratch.write("work/config/feedmill.toml", b"");
    scratch.write("work/feeds.toml", ONE_FEED);
    check(
        &places,
        Some("work/config/feedmill.toml"),
        "work/feeds.toml",
    );
    scratch.write("work/feedmill.toml", b"");
    check(&places, Some("work/feedmill.toml"), "work/feeds.toml");
    scratch.write("work/mine/s.toml", b"");
    scratch.write("work/mine/f.toml", ONE_FEED);
    places.config = Some(PathBuf::from("mine/s.toml"));
    places.feeds = Some(PathBuf::from("mine/f.toml"));
    check(&places, Some("work/mine/s.toml"), "work/mine/f.toml");

    // A file that was named has to be there.
    places.config = Some(PathBuf::from("absent.toml"));
    places.feeds = Some(PathBuf::from("absent-too.toml"));
    let told = load(&places).unwrap_err().to_string();
    assert_eq!(told, "absent.toml: not found\nabsent-too.toml: not found");

    // A directory is not passed over in favour of the next file.
    fs::remove_file(scratch.path("work/feeds.toml")).unwrap();
    fs::create_dir(scratch.path("work/feeds.toml")).unwrap();
    let told = load(&scratch.places).unwrap_err().to_string();
    assert_eq!(told, "feeds.toml: is a directory, not a file");
}

#[test]
fn the_data_directory_is_said_set_given_by_systemd_or_here() {
    let scratch = Scratch::with(&[("feeds.toml", ONE_FEED)]);
    let mut places = scratch.places.clone();
    let check =
        |places: &Places, path: &Path| assert_eq!(load(places).unwrap().settings.data, path);
    check(&places, &scratch.path("work/data"));
    places.state = Some("".into());
    check(&places, &scratch.path("work/data"));
    places.state = Some("/var/lib/feedmill:/var/lib/other".into());
    check(&places, Path::new("/var/lib/feedmill"));
    scratch.write("work/feedmill.toml", b"data = \"set\"\n");
    check(&places, &scratch.path("work/set"));
    places.data = Some(PathBuf::from("said"));
    check(&places, &scratch.path("work/said"));
}

#[test]
fn files_of_windows_editors_are_read() {
    let text = String::from_utf8(ONE_FEED.to_vec()).unwrap();
    let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let scratch = Scratch::with(&[("feeds.toml", text.as_bytes())]);
    assert_eq!(load(&scratch.places).unwrap().subscriptions.len(), 1);
    let broken = format!("{text}zzz = 1\r\n");
    assert!(feeds(broken).starts_with("feeds.toml:4: unknown key `zzz`"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes in either file return.
    #[test]
    fn any_bytes_return(settings in prop::collection::vec(any::<u8>(), 0..200), feeds in ".{0,200}") {
        let scratch = Scratch::with(&[("feedmill.toml", &settings), ("feeds.toml", feeds.as_bytes())]);
        let _ = load(&scratch.places).map_err(|problems| problems.to_string());
    }

    /// So does anything that looks like TOML, and each problem has a line that the file has.
    #[test]
    fn anything_like_toml_returns(lines in prop::collection::vec(prop_oneof![
        Just("[[feed]]".to_owned()), Just("[feed]".to_owned()), Just("[fetch]".to_owned()), Just(String::new()),
        Just("feed = [{id = \"a\"}]".to_owned()), Just("feed.fetch.id = 1".to_owned()), Just("[[feed.id]]".to_owned()),
        "(id|url|source|zone|schedule|archive|host_delay|title|大) = (\"[a-z0-9 */,-]{0,9}\"|[0-9]{1,3}|true|\\[\\]|\\{\\}|“a”)",
    ], 0..12)) {
        let text = lines.join("\n");
        let scratch = Scratch::with(&[("feedmill.toml", text.as_bytes()), ("feeds.toml", text.as_bytes())]);
        if let Err(problems) = load(&scratch.places) {
            for problem in problems.list() {
                let line = problem.line.unwrap();
                prop_assert!((1..=lines.len().max(1)).contains(&line), "{problem}\n{text}");
            }
        }
    }
}
