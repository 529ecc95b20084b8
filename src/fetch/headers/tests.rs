#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// Header lines as a table.
struct Table<'a>(Vec<(&'a str, &'a [u8])>);

impl Lines for Table<'_> {
    fn lines(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

fn table<'a>(lines: &[(&'a str, &'a str)]) -> Table<'a> {
    Table(
        lines
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect(),
    )
}

const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

fn fresh(lines: &[(&str, &str)]) -> Option<u64> {
    freshness(&table(lines)).0.map(|left| left.as_secs())
}

#[test]
fn p_20_max_age_less_age() {
    let check = |age, left| {
        assert_eq!(
            fresh(&[("cache-control", "max-age=7200"), ("age", age)]),
            left
        );
    };
    check("1800", Some(5400));
    check("7200", None);
    check("9999999", None);
    check("-1", Some(7200));
    check("soon", Some(7200));
}

#[test]
fn p_21_cache_control_is_a_list() {
    let check = |lines: &[&str], left| {
        let lines: Vec<_> = lines.iter().map(|line| ("cache-control", *line)).collect();
        assert_eq!(fresh(&lines), left, "{lines:?}");
    };
    check(&["max-age=60"], Some(60));
    check(&["MAX-AGE=60"], Some(60));
    check(&["max-age=\"60\""], Some(60));
    check(&["public ,\tmax-age = 60 , x"], Some(60));
    check(&["public", "max-age=60"], Some(60));
    check(&["max-age=60, max-age=7200"], Some(60));
    check(&["max-age=7200", "max-age=60"], Some(60));
    check(&["max-age=x, max-age=7200"], Some(7200));
    check(&["ext=\"a, max-age=5, no-store, b\", max-age=60"], Some(60));
    check(&["ext=\"a\\\", max-age=5\", max-age=60"], Some(60));
    check(&["max-age=99999999999999999999"], Some(u64::MAX));
    for absent in [
        "max-age=-1",
        "max-age=1.5",
        "max-age",
        "max-age=",
        "max-age=1 2",
        "",
        ",,",
        "\"",
    ] {
        check(&[absent], None);
    }
}

#[test]
fn p_22_expires_counts_from_the_answers_date() {
    let expires = |value| fresh(&[DATE, ("expires", value)]);
    assert_eq!(expires("Sun, 06 Nov 1994 10:49:37 GMT"), Some(7200));
    assert_eq!(expires("Sunday, 06-Nov-94 10:49:37 GMT"), Some(7200));
    for nothing in [
        "0",
        "-1",
        "soon",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sat, 05 Nov 1994 10:49:37 GMT",
    ] {
        assert_eq!(expires(nothing), None, "{nothing}");
    }
    let later = ("expires", "Sun, 06 Nov 1994 10:49:37 GMT");
    assert_eq!(fresh(&[later]), None, "no Date to count from");
    assert_eq!(
        fresh(&[DATE, later, ("cache-control", "max-age=60")]),
        Some(60)
    );
    assert_eq!(fresh(&[DATE, later, ("cache-control", "max-age=0")]), None);
    assert_eq!(
        fresh(&[DATE, later, ("cache-control", "max-age=-1")]),
        Some(7200)
    );
    assert_eq!(fresh(&[DATE, later, ("age", "200")]), Some(7000));
}

#[test]
fn p_23_and_p_24_what_forbids_and_what_is_ignored() {
    let check = |line, left| assert_eq!(fresh(&[("cache-control", line)]), left, "{line}");
    check("no-store, max-age=60", None);
    check("max-age=60, NO-CACHE", None);
    check("no-cache=\"set-cookie\", max-age=60", Some(60));
    check(
        "no-cache, no-store, must-revalidate, private, max-age=0",
        None,
    );
    check("must-revalidate", None);
    check("private, must-revalidate, max-age=60", Some(60));
    check("s-maxage=1", None);
    check("s-maxage=1, max-age=60, stale-if-error=9", Some(60));
}

#[test]
fn p_30_to_p_32_retry_after() {
    let check = |value, seconds: Option<u64>| {
        let read = retry_after(&table(&[DATE, ("retry-after", value)]));
        assert_eq!(read.map(|wait| wait.as_secs()), seconds, "{value}");
    };
    check("86400", Some(86400));
    check(" 120\t", Some(120));
    check("Sun, 06 Nov 1994 08:59:37 GMT", Some(600));
    check("Sunday, 06-Nov-94 08:59:37 GMT", Some(600));
    check("Sun Nov  6 08:59:37 1994", Some(600));
    check("99999999999999999999999", Some(u64::MAX));
    for none in [
        "soon",
        "0",
        "-5",
        "1.5",
        "",
        "Sun, 06 Nov 1994 08:39:37 GMT",
    ] {
        check(none, None);
    }
    let no_date = table(&[("retry-after", "Sun, 06 Nov 1994 08:59:37 GMT")]);
    assert_eq!(retry_after(&no_date), None);
    let two = table(&[("retry-after", "30"), ("retry-after", "60")]);
    assert_eq!(retry_after(&two), Some(Duration::from_mins(1)));
}

#[test]
fn http_dates_in_their_three_forms() {
    let check = |text: &str, second: Option<i64>| {
        assert_eq!(http_date(text.as_bytes()), second, "{text}");
    };
    check("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
    check("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777));
    check("Sun Nov  6 08:49:37 1994", Some(784_111_777));
    check("Sun, 6 Nov 1994 8:49:37 +0000", Some(784_111_777));
    check("Sat, 21-Nov-26 08:00:00 GMT", Some(1_795_248_000));
    check("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_799));
    check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
    for bad in [
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37:1 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, 06 Nov 19944 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994",
    ] {
        check(bad, None);
    }
}

#[test]
fn media_types_and_charsets() {
    let check = |value: &str, media: Option<&str>, charset: Option<&str>| {
        let (read, read_charset) = content_type(&table(&[("content-type", value)]));
        assert_eq!(
            (read.as_deref(), read_charset.as_deref()),
            (media, charset),
            "{value}"
        );
    };
    check("text/xml", Some("text/xml"), None);
    check("Text/XML; Charset=GB2312", Some("text/xml"), Some("GB2312"));
    check(
        "text/html;a=b;charset=\"utf-8\"",
        Some("text/html"),
        Some("utf-8"),
    );
    check(
        "text/html; x=\"; charset=no\"; charset='big5'",
        Some("text/html"),
        Some("big5"),
    );
    check("text/html; charset=", Some("text/html"), None);
    check("text/html; charset=a b", Some("text/html"), None);
    check("text/html; charset", Some("text/html"), None);
    check("", None, None);
    check(";", None, None);
    assert_eq!(content_type(&table(&[])), (None, None));
}

#[test]
fn p_80_and_p_85_content_codings() {
    let check = |lines: &[&str], codings: Result<Vec<Coding>, &str>| {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("content-encoding", *line))
            .collect();
        assert_eq!(
            content_codings(&table(&lines)),
            codings.map_err(str::to_owned)
        );
    };
    check(&[], Ok(vec![]));
    check(&["identity", ""], Ok(vec![]));
    check(&["X-GZIP"], Ok(vec![Coding::Gzip]));
    check(
        &["gzip, BR", "zstd,deflate"],
        Ok(vec![
            Coding::Gzip,
            Coding::Brotli,
            Coding::Zstd,
            Coding::Deflate,
        ]),
    );
    check(&["gzip, utf-8"], Err("utf-8"));
    check(&["a\u{1b}[1m"], Err("a?[1m"));
}

#[allow(clippy::unnecessary_wraps, reason = "it is what is compared with")]
fn pair(etag: Option<&str>, last_modified: Option<&str>) -> Option<HttpValidators> {
    let bytes = |text: &str| Box::from(text.as_bytes());
    Some(HttpValidators {
        url: PageUrl::parse("http://a.example/").unwrap(),
        etag: etag.map(bytes),
        last_modified: last_modified.map(bytes),
    })
}

fn read_validators(lines: &[(&str, &str)]) -> Option<HttpValidators> {
    validators(&table(lines), &PageUrl::parse("http://a.example/").unwrap())
}

#[test]
fn p_02_and_p_03_validators_are_opaque() {
    for value in [
        "\"a\"",
        "W/\"a\"",
        "\"a-gzip\"",
        "abc",
        "\"a,b c\"",
        "\u{e9}\u{4eba}",
        "Sat, 99 garbage",
    ] {
        assert_eq!(read_validators(&[("etag", value)]), pair(Some(value), None));
        assert_eq!(
            read_validators(&[("last-modified", value)]),
            pair(None, Some(value))
        );
    }
    assert_eq!(
        read_validators(&[("etag", "\"a\""), ("etag", "\"b\"")]),
        None
    );
    assert_eq!(
        read_validators(&[("etag", "\"a\""), ("etag", "\"a\"")]),
        pair(Some("\"a\""), None)
    );
    assert_eq!(
        read_validators(&[("etag", ""), ("last-modified", "t")]),
        pair(None, Some("t"))
    );
    let four = "x".repeat(4096);
    assert!(read_validators(&[("etag", &four)]).is_some());
    assert_eq!(read_validators(&[("etag", &four.repeat(3))]), None);
}

#[test]
fn p_08_a_304_may_renew_validators() {
    let check = |ours, theirs, adopted| {
        let ours: Option<HttpValidators> = ours;
        assert_eq!(adopt(&ours.unwrap(), theirs), adopted);
    };
    let ours = || pair(Some("\"a\""), Some("t1"));
    check(ours(), None, None);
    check(ours(), ours(), None);
    check(
        ours(),
        pair(Some("\"b\""), Some("t1")),
        pair(Some("\"b\""), Some("t1")),
    );
    check(ours(), pair(Some("\"b\""), Some("t9")), None);
    check(
        ours(),
        pair(Some("W/\"a\""), Some("t9")),
        pair(Some("W/\"a\""), Some("t9")),
    );
    check(
        ours(),
        pair(Some("\"b\""), None),
        pair(Some("\"b\""), Some("t1")),
    );
    check(ours(), pair(None, Some("t1")), None);
    check(ours(), pair(None, Some("t9")), None);
    check(
        pair(Some("\"a\""), None),
        pair(Some("\"b\""), Some("t9")),
        None,
    );
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
        for name in ["cache-control", "age", "expires", "date", "retry-after", "content-type", "content-encoding"] {
            let lines = Table(vec![("date", DATE.1.as_bytes()), (name, &value)]);
            let _ = (freshness(&lines), retry_after(&lines), content_type(&lines), content_codings(&lines));
        }
        let _ = http_date(&value);
    }
}

#[test]
fn p_61_link_headers_are_kept_as_they_came_and_bounded() {
    let long = "x".repeat(4097);
    let mut given = vec![("link", long.as_str()), ("link", "</a>; rel=alternate")];
    given.extend([("link", "</b>"); 40]);
    let kept = links(&table(&given));
    assert_eq!(kept.first().unwrap(), "</a>; rel=alternate");
    assert_eq!(kept.len(), 32);
}

#[test]
fn p_23_private_is_about_the_whole_answer() {
    for (lines, expected) in [
        (&["private"][..], true),
        (&["max-age=60, Private"], true),
        (&["no-cache", "private"], true),
        (&["private=\"set-cookie\""], false),
        (&["public, max-age=60"], false),
        (&["x=\"private\""], false),
        (&[], false),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("cache-control", *line)).collect();
        assert_eq!(is_private(&table(&headers)), expected, "{lines:?}");
    }
}

#[test]
fn p_151_the_age_is_the_caches_word_or_what_our_clock_makes_of_its_date_whichever_is_more() {
    let came = Timestamp::from_secs(784_111_777 + 100); // 100 s after DATE
    let check = |lines: &[(&str, &str)], age: Option<u64>| {
        let found = dated(&table(lines)).age(came);
        assert_eq!(found, age.map(Duration::from_secs), "{lines:?}");
    };
    check(&[], None);
    check(&[("age", "7")], Some(7));
    check(&[DATE], Some(100));
    check(&[DATE, ("age", "7")], Some(100));
    check(&[DATE, ("age", "300")], Some(300));
    check(&[("date", "Sun, 06 Nov 1994 09:49:37 GMT")], Some(0));
    check(&[("date", "today"), ("age", "-1")], None);
}
