#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::http::{FetchError, FetchOutcome};
use crate::model::time::Timestamp;

fn url(path: &str) -> PageUrl {
    PageUrl::parse(&format!("https://mill.example{path}")).unwrap()
}

fn allows(file: &str, path: &str) -> bool {
    Robots::parse(file.as_bytes()).forbids(&url(path)).is_none()
}

fn check(file: &str, allowed: &[&str], forbidden: &[&str]) {
    for path in allowed {
        assert!(allows(file, path), "{path} by {file:?}");
    }
    for path in forbidden {
        assert!(!allows(file, path), "{path} by {file:?}");
    }
}

#[test]
fn p_164_groups_are_chosen_by_the_whole_name_in_any_case() {
    check(
        "User-Agent: *\nDisallow: /\n\nUSER-AGENT : FeedMill\nAllow: /\n",
        &["/", "/grain/rye.html"],
        &[],
    );
    check("user-agent: feedmill/1.2\ndisallow: /a", &["/b"], &["/a"]);
    for other in [
        "feedmills",
        "feedmill-news",
        "feed",
        "my feedmill",
        "**",
        "",
    ] {
        check(
            &format!("user-agent: {other}\ndisallow: /"),
            &["/", "/a"],
            &[],
        );
    }
    // Ours alone counts where there is one, even without a rule in it.
    check(
        "user-agent: *\ndisallow: /\nuser-agent: feedmill\ndisallow:\n",
        &["/a"],
        &[],
    );
    check("user-agent: *\nuser-agent: feedmill", &["/a"], &[]);
}

#[test]
fn p_164_groups_of_one_name_are_one_group() {
    let file = "user-agent: sieve\nuser-agent: feedmill\nallow: /rye\ndisallow: /\n\n\
                user-agent: hopper\ndisallow: /rye\n\n\
                user-agent: feedmill\nallow: /oats\n";
    check(file, &["/rye", "/oats/rolled"], &["/", "/wheat"]);
    let file =
        "user-agent: *\ndisallow: /a\nuser-agent: x\ndisallow: /b\nuser-agent: *\ndisallow: /c";
    check(file, &["/b"], &["/a", "/c"]);
}

#[test]
fn p_164_what_is_no_rule_stops_no_group() {
    let file = "disallow: /before-any-group\nsitemap: https://mill.example/s.xml\nuser-agent: *\n\
                Crawl-delay: 9\nnonsense\n: /x\nsitemap: https://mill.example/t.xml\ndisallow: /a # all of it\n\
                # disallow: /b\ncrawl-delay: 3\ndisallow /c\ndisallow: d\n";
    check(
        file,
        &["/before-any-group", "/x", "/b", "/c", "/d"],
        &["/a"],
    );
    // Between two names it does not part them either.
    let file = "user-agent: feedmill\nsitemap: /s.xml\nuser-agent: sieve\ndisallow: /a";
    check(file, &["/b"], &["/a"]);
    for end in ["\n", "\r\n", "\r"] {
        let file = [
            "\u{feff}user-agent: *",
            "disallow:\t/a\t",
            "allow: /a/b",
            "",
        ]
        .join(end);
        check(&file, &["/a/b"], &["/a", "/a/c"]);
    }
    check(
        "<html><body>user-agent nothing: /</body></html>",
        &["/"],
        &[],
    );
}

#[test]
fn p_164_the_longest_match_decides_and_of_two_the_one_that_allows() {
    let file =
        "user-agent: *\nallow: /mill/flour/\ndisallow: /mill/flour/price.html\ndisallow: /mill/";
    check(
        file,
        &["/mill", "/mill/flour/", "/mill/flour/rye.html", "/shop"],
        &["/mill/", "/mill/bran", "/mill/flour/price.html"],
    );
    check(
        "user-agent: *\ndisallow: /a\nallow: /a",
        &["/a", "/a/b"],
        &[],
    );
    check(
        "user-agent: *\nallow: /a\ndisallow: /a",
        &["/a", "/a/b"],
        &[],
    );
    check(
        "user-agent: *\nallow: /a\ndisallow: /*.php",
        &["/a"],
        &["/a.php"],
    );
    // As sent the two characters are longer than what is written with more letters.
    check(
        "user-agent: *\ndisallow: /*晨间\nallow: /*abc$",
        &[],
        &["/晨间abc"],
    );
    check(
        "user-agent: *\ndisallow: /",
        &["/robots.txt"],
        &["/", "/robots.txt?a", "/?q"],
    );
}

#[test]
fn p_164_stars_and_dollars() {
    let file = |pattern: &str| format!("user-agent: *\ndisallow: {pattern}");
    let check = |pattern: &str, allowed: &[&str], forbidden: &[&str]| {
        check(&file(pattern), allowed, forbidden);
    };
    check(
        "/bran",
        &["/", "/Bran", "/a/bran"],
        &["/bran", "/bran.html", "/branch/x", "/bran?a=b"],
    );
    check("/bran/", &["/bran"], &["/bran/", "/bran/x"]);
    check(
        "/*.pdf",
        &["/pdf"],
        &["/a.pdf", "/a/b.pdf?c", "/x?y=.pdf.html"],
    );
    check(
        "/*.pdf$",
        &["/a.pdf?c", "/a.pdfs"],
        &["/a.pdf", "/a.pdf.pdf"],
    );
    check(
        "/a*b*c$",
        &["/abcd", "/ac", "/acb"],
        &["/abc", "/a/x/b/y/c", "/abcc"],
    );
    check("/a$", &["/a/", "/a$"], &["/a"]);
    check("/$", &["/a"], &["/"]);
    check("*/print", &["/"], &["/print", "/a/print/b"]);
    check("/a***b", &["/a"], &["/ab", "/axb"]);
    check("*", &[], &["/", "/a"]);
    check("/x$y", &["/x", "/xy"], &["/x$y", "/x%24yz"]);
    // Encoded, they are characters like others.
    check(
        "/price-%2A.html",
        &["/price-1.html"],
        &["/price-*.html", "/price-%2a.html"],
    );
    check("/cost-%24", &["/cost-"], &["/cost-$", "/cost-%24s"]);
}

#[test]
fn p_164_percent_encoding_is_compared_undone() {
    let pairs = [
        ("/meal/粥", "/meal/%E7%B2%A5"),
        ("/meal/%e7%b2%a5", "/meal/粥"),
        ("/meal/%6F%61t", "/meal/oat"),
        ("/meal/oat", "/meal/%6Fat"),
        (
            "/meal?from=https://mill.example",
            "/meal?from=https%3A%2F%2Fmill.example",
        ),
        (
            "/meal?from=https%3A%2F%2Fmill.example",
            "/meal?from=https://mill.example",
        ),
        ("/a%zz", "/a%zz"),
        ("/a%", "/a%"),
    ];
    for (pattern, path) in pairs {
        check(
            &format!("user-agent: *\ndisallow: {pattern}"),
            &["/meal"],
            &[path],
        );
    }
    // Once, and not for ever.
    check(
        "user-agent: *\ndisallow: /a%2541",
        &["/aA", "/a%41"],
        &["/a%2541"],
    );
    // Octets that are no UTF-8 are octets all the same.
    let file = b"user-agent: *\ndisallow: /\xb9\xa6";
    assert!(Robots::parse(file).forbids(&url("/%B9%A6")).is_some());
}

#[test]
fn p_164_half_a_mebibyte_is_read_and_no_half_line() {
    let mut file = b"user-agent: *\n".to_vec();
    while file.len() < PARSED - 20 {
        file.extend_from_slice(b"#\n");
    }
    file.resize(PARSED - 12, b'\n');
    file.extend_from_slice(b"disallow: /a");
    let cut = [file.as_slice(), b"bc/d\ndisallow: /x"].concat();
    let whole = [file.as_slice(), b"\ndisallow: /x"].concat();
    let forbids = |file: &[u8], path| Robots::parse(file).forbids(&url(path)).is_some();
    assert!(!forbids(&cut, "/a") && !forbids(&cut, "/abc/d") && !forbids(&cut, "/x"));
    assert!(forbids(&whole, "/a") && !forbids(&whole, "/x"));
    assert!(forbids(&file, "/a"));
}

#[test]
fn p_164_what_forbids_is_named_and_addresses_have_an_end() {
    let robots = Robots::parse(b"user-agent: *\nDISALLOW: /a*b # why");
    assert_eq!(
        robots.forbids(&url("/axb")).as_deref(),
        Some("disallow: /a*b")
    );
    let long = format!("/{}", "a".repeat(LONGEST));
    assert!(Robots::default().forbids(&url(&long)).is_some());
    assert!(Robots::default().forbids(&url(&long[1..])).is_none());
}

#[test]
fn p_164_an_answer_is_rules_or_none_or_no_answer() {
    let status = |status| {
        Err(FetchError::Status {
            status,
            retry_after: None,
        })
    };
    let limited = |status| {
        Ok(FetchOutcome::RateLimited {
            retry_after: None,
            status,
        })
    };
    let open = Ok(Said::Rules(Robots::default()));
    for code in [400, 401, 403, 404, 410, 418, 451, 499] {
        assert_eq!(Said::of(status(code)), open, "{code}");
    }
    assert_eq!(Said::of(Ok(FetchOutcome::Gone)), open);
    assert_eq!(Said::of(Err(FetchError::Useless("no body".into()))), open);
    assert_eq!(Said::of(Err(FetchError::Redirect("six".into()))), open);
    let host = || "h".to_owned();
    for outcome in [
        status(500),
        status(503),
        status(599),
        limited(503),
        limited(429),
        Err(FetchError::Timeout {
            stage: "first byte",
            host: host(),
            limit: Duration::from_secs(20),
        }),
        Err(FetchError::Incomplete("cut".into())),
        Err(FetchError::TooLarge {
            what: "answer",
            limit: 1,
        }),
    ] {
        assert!(matches!(Said::of(outcome), Ok(Said::Unreachable(_))));
    }
    for nothing in [
        FetchError::Refused("private".into()),
        FetchError::Silenced {
            origin: host(),
            left: Duration::from_secs(1),
            why: "429".into(),
        },
    ] {
        assert_eq!(Said::of(Err(nothing.clone())), Err(nothing.to_string()));
    }
}

#[test]
fn p_164_what_was_said_holds_for_a_day_and_no_answer_for_an_hour() {
    let asked = Timestamp::from_secs(1_790_000_000);
    let check = |said: Said, hours: u64| {
        let kept = Kept {
            origin: "https://mill.example".to_owned(),
            asked,
            said,
        };
        let end = asked.plus(Duration::from_hours(hours));
        let step = Duration::from_millis(1);
        assert!(kept.holds(asked) && kept.holds(end.minus(step)));
        assert!(!kept.holds(end) && !kept.holds(asked.minus(step)));
    };
    check(Said::Rules(Robots::default()), 24);
    check(Said::Unreachable("HTTP status 500".into()), 1);
}

proptest! {
    /// Any bytes are read, and what is kept of them says the same.
    #[test]
    fn p_164_any_bytes_are_a_file(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "(user-agent: ?(\\*|feedmill|x)\n|(dis)?allow: ?[/*$a%24é]{0,8}[ #\r]?\n){0,12}".prop_map(String::into_bytes),
        ],
        path in "/[a*$%2é/?]{0,12}",
    ) {
        let robots = Robots::parse(&bytes);
        let again = Robots::parse(&robots.to_bytes());
        prop_assert_eq!(&again, &robots);
        prop_assert_eq!(again.forbids(&url(&path)), robots.forbids(&url(&path)));
    }

    /// A matcher that tries every place for every star finds the same.
    #[test]
    fn p_164_stars_stand_for_anything(pattern in "/[ab*]{0,8}\\$?", path in "/[ab]{0,10}") {
        fn slow(pattern: &[u8], path: &[u8]) -> bool {
            match pattern.split_first() {
                None => true,
                Some((b'$', [])) => path.is_empty(),
                Some((b'*', rest)) => (0..=path.len()).any(|at| slow(rest, &path[at..])),
                Some((byte, rest)) => path.first() == Some(byte) && slow(rest, &path[1..]),
            }
        }
        prop_assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), slow(pattern.as_bytes(), path.as_bytes()));
    }
}
