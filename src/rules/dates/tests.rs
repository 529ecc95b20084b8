#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use proptest::prelude::*;

fn read(text: &str, zone: &str) -> Option<String> {
    let fetched = Timestamp::from_secs(1_793_004_800); // 2026-10-26T08:53:20Z
    parse(text, &Zone::parse(zone).unwrap(), Some(fetched)).map(Timestamp::rfc3339)
}

fn check(text: &str, expected: &str) {
    assert_eq!(read(text, "UTC").as_deref(), Some(expected), "{text}");
}

fn check_china(text: &str, expected: &str) {
    assert_eq!(
        read(text, "Asia/Shanghai").as_deref(),
        Some(expected),
        "{text}"
    );
}

#[test]
fn rfc_822_and_its_descendants() {
    for text in [
        "Thu, 01 Jan 2004 19:48:21 GMT",
        "Thu, 01 Jan 04 19:48:21 +0000",
        "Mon, 01 Jan 2004 19:48:21 GMT",
        "Thu,  1 January 2004 19:48:21 -0000 (UTC)",
        "1 Jan 2004 14:48:21 EST",
        "Thursday, 01-Jan-04 19:48:21 GMT",
        "Fri, 02 Jan 2004 03:48:21 +08:00",
        "Thu, 01 Jan 2004 19:48:21 UT",
        "Fri, 02 Jan 2004 03:48:21 HKT",
        "Fri, 02 Jan 2004 03:48:21 GMT+8",
        "Thu Jan  1 19:48:21 2004",
        "Fri Jan 02 03:48:21 HKT 2004",
        "Jan 1, 2004 7:48:21 PM",
        "THU, 01 JAN 2004 19:48:21 gmt",
    ] {
        check(text, "2004-01-01T19:48:21Z");
    }
    check("Thu, 01 Jan 2004 19:48 GMT", "2004-01-01T19:48:00Z");
    check("Thu, 01 Jan 2004", "2004-01-01T00:00:00Z");
    check("01 Jan 99 00:00:00 GMT", "1999-01-01T00:00:00Z");
    check("Sat Oct 03 07:23:11 HKT 2026", "2026-10-02T23:23:11Z");
    check("Sun, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59Z");
}

#[test]
fn iso_8601_and_its_parts() {
    for text in [
        "2003-12-31T10:14:55Z",
        "2003-12-31t10:14:55z",
        "2003-12-31 10:14:55",
        "2003-12-31T18:14:55+08:00",
        "2003-12-31T18:14:55+0800",
        "2003-12-31T18:14:55+08",
        "2003-12-31T10:14:55.999Z",
        "2003/12/31 10:14:55",
        "20031231T101455Z",
        "20031231101455",
        "1072865695",
        "1072865695123",
    ] {
        check(text, "2003-12-31T10:14:55Z");
    }
    check("2003", "2003-01-01T00:00:00Z");
    check("2003-12", "2003-12-01T00:00:00Z");
    check("2003-12-31", "2003-12-31T00:00:00Z");
    check("20031231", "2003-12-31T00:00:00Z");
    check("2003-335", "2003-12-01T00:00:00Z");
    check("2003-12-31T10:14Z", "2003-12-31T10:14:00Z");
    check("2003-12-31T24:00:00Z", "2004-01-01T00:00:00Z");
    check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z");
    check("200312311014", "2003-12-31T10:14:00Z");
}

#[test]
fn chinese_forms_in_the_zone_of_the_source() {
    for text in [
        "2025-02-08 17:34:27",
        "2025年2月8日 17:34:27",
        "2025年2月8日17时34分27秒",
        "2025年02月08日 下午5:34:27",
        "２０２５年２月８日　１７：３４：２７",
        "2025/2/8 17:34:27",
        "民國114年2月8日 17:34:27",
        "周六, 08 2月 2025 17:34:27 +0800",
        "星期六 2025年2月8日 下午05點34分27秒",
        "Sat, 08 Feb 2025 17:34:27 CST",
        "Sat, 08 Feb 2025 17:34:27 XYZT",
        "2025-02-08 17:34:27 北京时间",
        "20250208173427",
    ] {
        check_china(text, "2025-02-08T09:34:27Z");
    }
    check_china("2025年2月8日", "2025-02-07T16:00:00Z");
    check_china("2025年2月8日 24:00", "2025-02-08T16:00:00Z");
    check_china("2025年2月8日 凌晨12:05", "2025-02-07T16:05:00Z");
    check_china("二月 8, 2025 中午12:00", "2025-02-08T04:00:00Z");
    // Shanghai kept summer time from 1986 to 1991.
    check_china("1990-07-01 12:00:00", "1990-07-01T03:00:00Z");
    check("Sat, 08 Feb 2025 17:34:27 CST", "2025-02-08T23:34:27Z");
}

#[test]
fn other_languages_months() {
    check("mer., 14 févr. 2024 10:00:00 +0000", "2024-02-14T10:00:00Z");
    check("14. März 2024 10:00", "2024-03-14T10:00:00Z");
    check("14 octubre 2024", "2024-10-14T00:00:00Z");
    check("14 dicembre 2024", "2024-12-14T00:00:00Z");
    check("14 Mai 2024", "2024-05-14T00:00:00Z");
}

#[test]
fn times_told_from_now() {
    for (text, expected) in [
        ("刚刚", "2026-10-26T08:53:20Z"),
        ("5分钟前", "2026-10-26T08:48:20Z"),
        ("2小時前", "2026-10-26T06:53:20Z"),
        ("半小时前", "2026-10-26T08:23:20Z"),
        ("10 分鐘前", "2026-10-26T08:43:20Z"),
        ("一小时前", "2026-10-26T07:53:20Z"),
        ("兩天前", "2026-10-24T08:53:20Z"),
        ("昨晚 8:30", "2026-10-25T12:30:00Z"),
        ("今早 8时30分", "2026-10-26T00:30:00Z"),
        ("昨日下午3時15分", "2026-10-25T07:15:00Z"),
        ("3天前", "2026-10-23T08:53:20Z"),
        ("2 hours ago", "2026-10-26T06:53:20Z"),
        ("an hour ago", "2026-10-26T07:53:20Z"),
        ("昨天 10:00", "2026-10-25T02:00:00Z"),
        ("前天 下午3:00", "2026-10-24T07:00:00Z"),
        ("今天", "2026-10-25T16:00:00Z"),
        ("10月3日 08:00", "2026-10-03T00:00:00Z"),
        ("12月3日", "2025-12-02T16:00:00Z"),
    ] {
        check_china(text, expected);
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        assert_eq!(
            parse(text, &zone, None),
            None,
            "{text} without a time to tell it from"
        );
    }
}

#[test]
fn each_form_of_feedparsers_table() {
    for (text, expected) in [
        ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
        ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"),
        ("-0312", "2003-12-01T00:00:00Z"),
        ("031231", "2003-12-31T00:00:00Z"),
        ("03-12-31", "2003-12-31T00:00:00Z"),
        ("-03-12", "2003-12-01T00:00:00Z"),
        ("03335", "2003-12-01T00:00:00Z"),
        ("2003-012-31T10:14:55+00:00", "2003-12-31T10:14:55Z"),
        ("Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53Z"),
        ("Thu, 30 Apr 2015 08:57:00 MET", "2015-04-30T07:57:00Z"),
        ("Thu, 30 Apr 2015 08:57:00 MEST", "2015-04-30T06:57:00Z"),
        ("Thu, 01 Jan 0100 00:00:01 +0100", "0099-12-31T23:00:01Z"),
        ("Wed, 19 Aug 2009 18:28:00 Etc/GMT", "2009-08-19T18:28:00Z"),
        (
            "Wed, 19 Feb 2012 22:40:00 GMT-01:01",
            "2012-02-19T23:41:00Z",
        ),
        ("Wed, 19 Feb 2012 22:40:00 -01:01", "2012-02-19T23:41:00Z"),
        ("Mon, 13 Feb, 2012 06:28:00 UTC", "2012-02-13T06:28:00Z"),
        ("Mon, 26 January 2004 16:31:00 AT", "2004-01-26T20:31:00Z"),
        ("Mon, 26 January 2004 16:31:00 ET", "2004-01-26T21:31:00Z"),
        ("Mon, 26 January 2004 16:31:00 CT", "2004-01-26T22:31:00Z"),
        ("Mon, 26 January 2004 16:31:00 MT", "2004-01-26T23:31:00Z"),
        ("Mon, 26 January 2004 16:31:00 PT", "2004-01-27T00:31:00Z"),
        ("Thu Aug 30 2012 17:26:16 +0200", "2012-08-30T15:26:16Z"),
        ("Sun Jan  4 16:29:06 2004", "2004-01-04T16:29:06Z"),
        ("Sun Jul 15 01:16:00 +0000 2012", "2012-07-15T01:16:00Z"),
        ("2004-02-28T18:14:55-08:00", "2004-02-29T02:14:55Z"),
        ("2003-02-28T18:14:55-08:00", "2003-03-01T02:14:55Z"),
    ] {
        check(text, expected);
    }
    for (text, expected) in [
        ("2004-05-25 오후 11:23:17", "2004-05-25T14:23:17Z"),
        ("2004년 05월 28일  01:31:15", "2004-05-27T16:31:15Z"),
    ] {
        assert_eq!(
            read(text, "Asia/Seoul").as_deref(),
            Some(expected),
            "{text}"
        );
    }
    for text in [
        "Sun, 16 Dec 2012 1:2:3:4 GMT",
        "Sun, 16 zzz 2012 11:47:32 GMT",
        "Sun, Dec x 2012 11:47:32 GMT",
        "Sun, 16 Dec zz 11:47:32 GMT",
        "Sun, 99 Jun 2009 12:00:00 GMT",
        "9999-12-31T23:59:59-99:99",
        "2003-12-31T25:14:55Z",
        "2003-12-31T10:61:55Z",
        "2003-12-31T10:14:61Z",
        "013",
        "2013-01-27-01",
    ] {
        assert_eq!(read(text, "UTC"), None, "{text}");
    }
}

#[test]
fn a_number_among_other_words_is_no_date() {
    for text in [
        "記者 2026",
        "2026年度报告",
        "第3版 2026-10",
        "約 1793004800 人",
        "Reporter 2026",
        "March 2026 budget",
        "12 people, 3 dogs",
    ] {
        assert_eq!(read(text, "UTC"), None, "{text}");
    }
    for text in [
        "來源：某報 2026-10-03 07:23",
        "发布时间：2026年10月3日 07:23",
        "记者 某某 10月3日 07:23",
        "Published on Oct 3, 2026 at 07:23",
        "Updated: 3 October 2026 07:23 Uhr",
    ] {
        check(text, "2026-10-03T07:23:00Z");
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        " ",
        "never",
        "0000-00-00 00:00:00",
        "2025-02-30",
        "2025-13-01",
        "03/10/26",
        "10/03/2026",
        "25:00",
        "2025-02-08 25:00:00",
        "2025-02-08 10:00 - 2025-02-09 12:00",
        "99999999999999999999",
        "Thu, GMT",
        "12",
        "5分",
    ] {
        assert_eq!(read(text, "UTC"), None, "{text}");
    }
    assert_eq!(read(&"1".repeat(4000), "UTC"), None);
}

#[test]
fn pages_say_a_time_in_few_forms() {
    for text in [
        "2026-10-03 07:23:11",
        "\u{3000}2026-10-03 07:23:11\n",
        "2026-10-03T07:23:11",
        "2026-10-03T07:23:11+08:00",
        "2026-10-02T23:23:11Z",
        "Fri, 02 Oct 2026 23:23:11 GMT",
        "Sat Oct 03 07:23:11 HKT 2026",
        "Sat Oct 03 07:23:11 CST 2026",
        "Fri Oct 02 16:23:11 PDT 2026",
        "1790983391",
        "1790983391000",
    ] {
        check_china(text, "2026-10-02T23:23:11Z");
    }
    for text in ["2026-10-02T23:23:11.389Z", "1790983391389"] {
        let time = parse(text, &Zone::utc(), None).map(Timestamp::millis);
        assert_eq!(time, Some(1_790_983_391_389), "{text}");
    }
    check_china(" 2026-10-03 07:23 ", "2026-10-02T23:23:00Z");
    for text in ["0", "-5", "", "来源：某報", "0000000000"] {
        assert_eq!(read(text, "Asia/Hong_Kong"), None, "{text}");
    }
}

#[test]
fn numbers_are_seconds_or_milliseconds_by_size() {
    let check = |number, expected: Option<i64>| {
        assert_eq!(epoch(number).map(Timestamp::millis), expected, "{number}");
    };
    check(1_790_983_391, Some(1_790_983_391_000));
    check(1_790_983_391_389, Some(1_790_983_391_389));
    check(99_999_999_999, Some(99_999_999_999_000));
    check(100_000_000_000, Some(100_000_000_000));
    check(0, None);
    check(-5, None);
}

proptest! {
    #[test]
    fn any_text_returns(text in "\\PC{0,170}", zone in prop::sample::select(vec!["UTC", "Asia/Shanghai", "America/New_York"])) {
        let _ = read(&text, zone);
    }

    #[test]
    fn anything_like_a_date_returns(text in "[0-9:.+TZ年月日时分前昨天上下午 adgjmnoprsuv民國/,()-]{0,60}") {
        let _ = read(&text, "Asia/Shanghai");
    }

    #[test]
    fn every_instant_comes_back_from_its_printed_forms(secs in -2_000_000_000_i64..10_000_000_000) {
        let time = Timestamp::from_secs(secs);
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        for form in ["%Y-%m-%dT%H:%M:%S%:z", "%a, %d %b %Y %H:%M:%S %z", "%Y年%m月%d日 %H:%M:%S %z", "%Y%m%dT%H%M%S%z"] {
            prop_assert_eq!(parse(&time.civil(&zone, form), &Zone::utc(), None), Some(time), "{}", form);
        }
    }
}

/// Clocks of twelve hours, in words before the clock or behind it.
#[test]
fn halves_of_the_day() {
    for (text, expected) in [
        ("2026年10月20日 晚间11:30", "2026-10-20T15:30:00Z"),
        ("2026年10月20日 夜间10:15", "2026-10-20T14:15:00Z"),
        ("2026年10月20日晚10:15", "2026-10-20T14:15:00Z"),
        ("2026年10月20日 午后3:10", "2026-10-20T07:10:00Z"),
        ("2026年10月20日 中午12:05", "2026-10-20T04:05:00Z"),
        ("2026年10月20日 凌晨12:30", "2026-10-19T16:30:00Z"),
        // The night goes on past midnight.
        ("2026年10月20日 晚上12:00", "2026-10-20T16:00:00Z"),
        ("2026年10月20日 深夜1:20", "2026-10-19T17:20:00Z"),
        ("昨天凌晨12:30", "2026-10-24T16:30:00Z"),
        ("昨晚12:30", "2026-10-25T16:30:00Z"),
        ("昨晚8:05", "2026-10-25T12:05:00Z"),
        ("Yesterday 11:59 PM", "2026-10-25T15:59:00Z"),
        ("昨天 8:05 PM", "2026-10-25T12:05:00Z"),
        ("today at 12:05 am", "2026-10-25T16:05:00Z"),
        ("昨天 20:05", "2026-10-25T12:05:00Z"),
    ] {
        check_china(text, expected);
    }
    assert_eq!(read("昨天 2026 20:05", "Asia/Shanghai"), None);
}

/// As lists of China and Hong Kong have them.
#[test]
fn forms_without_a_year_in_words_and_with_the_day_first() {
    for (text, expected) in [
        ("10-20 08:00", "2026-10-20T00:00:00Z"),
        ("10-20", "2026-10-19T16:00:00Z"),
        ("12-31 23:00", "2025-12-31T15:00:00Z"),
        ("20/10/2026 17:34", "2026-10-20T09:34:00Z"),
        ("10/20/2026 17:34", "2026-10-20T09:34:00Z"),
        ("10/10/2026", "2026-10-09T16:00:00Z"),
        ("二〇二六年十月二十日", "2026-10-19T16:00:00Z"),
        ("二零二六年十月二十日 八时十五分", "2026-10-20T00:15:00Z"),
        ("十五分钟前", "2026-10-26T08:38:20Z"),
        ("二十分鐘前", "2026-10-26T08:33:20Z"),
        ("5m ago", "2026-10-26T08:48:20Z"),
        ("1 分钟前更新", "2026-10-26T08:52:20Z"),
        ("发布于 5分钟前", "2026-10-26T08:48:20Z"),
    ] {
        check_china(text, expected);
    }
    for text in ["3-2", "10/11/2026", "比分 10-20", "13-45"] {
        assert_eq!(read(text, "Asia/Shanghai"), None, "{text}");
    }
}
