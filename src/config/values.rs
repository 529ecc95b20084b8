//! Readers of single values. Each returns the value, or why the text is none, in words that follow "`key`: ".

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;
use url::Url;

use crate::config::problems::{guess, shown};
use crate::model::http::HostSet;
use crate::model::urls::PageUrl;
use crate::rules::share::Share;

/// What a reader says when a value is of the wrong type.
fn wanted(what: &str, value: &DeValue<'_>) -> String {
    let kind = match value {
        DeValue::String(_) => "a text in quotes",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    };
    format!("wants {what}, this is {kind}")
}

/// Any text.
fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value
        .as_str()
        .ok_or_else(|| wanted("a text in quotes", value))
}

/// A text on one line, at most 1000 characters, trimmed; may be empty.
pub(super) fn line(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?.trim();
    if text.chars().any(char::is_control) {
        return Err(format!(
            "`{}` has a line break or another control character in it",
            shown(text)
        ));
    }
    if text.chars().count() > 1000 {
        return Err(format!("`{}` is too long", shown(text)));
    }
    Ok(text.to_owned())
}

/// A [`line`] with something in it.
pub(super) fn words(value: &DeValue<'_>) -> Result<String, String> {
    let line = line(value)?;
    if line.is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(line)
}

/// A list of up to 32 words of up to 40 characters each; one that comes again counts once. A slash would cut the
/// address that is made of it.
pub(super) fn tags(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let list = value
        .as_array()
        .ok_or_else(|| wanted("a list of texts, such as [\"world\", \"science\"]", value))?;
    if list.len() > 32 {
        return Err(format!("has {} words, more than 32", list.len()));
    }
    let mut tags: Vec<String> = Vec::new();
    for value in list {
        let tag = words(value.get_ref())?;
        let plain = tag.chars().count() <= 40 && !tag.contains(['/', '\\', '?', '#', '%', ',']);
        if !plain || tag.chars().all(|c| c == '.') {
            return Err(format!(
                "`{}` is no tag: up to 40 characters, without / \\ ? # % or a comma",
                shown(&tag)
            ));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| wanted("true or false, without quotes", value))
}

/// A whole number within a range.
pub(super) fn whole(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let number = value
            .as_integer()
            .ok_or_else(|| wanted("a whole number, without quotes", value))?;
        // A number that does not fit is out of range, too.
        u32::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                format!(
                    "`{}` is not between {} and {}",
                    shown(&number.to_string()),
                    range.start(),
                    range.end()
                )
            })
    }
}

/// A part of a whole, such as 0.25; 1.0 is all of it. Finer than a ten-thousandth nobody means it.
pub(super) fn share(value: &DeValue<'_>) -> Result<Share, String> {
    let text = match value {
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Integer(number) => number.to_string(),
        other => return Err(wanted("a part of one, such as 0.25", other)),
    };
    let parts = text.parse::<f64>().ok().map(|part| part * 10_000.0);
    // What is no number, or out of range, becomes 0 or more than all.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let parts = parts.map(|parts| parts.round() as u32);
    parts.and_then(Share::of).ok_or_else(|| {
        format!(
            "`{}` is no part of one: write 0.25 for a quarter, 1.0 for no limit",
            shown(&text)
        )
    })
}

/// A [`whole`] number of things.
pub(super) fn count(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<usize, String> {
    let whole = whole(range);
    move |value| whole(value).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// One of these words.
pub(super) fn one_of(
    allowed: &[&'static str],
) -> impl Fn(&DeValue<'_>) -> Result<&'static str, String> {
    move |value| {
        let text = text(value)?;
        allowed
            .iter()
            .find(|word| **word == text)
            .copied()
            .ok_or_else(|| {
                format!(
                    "`{}` is none of {}{}",
                    shown(text),
                    allowed.join(", "),
                    guess(text, allowed.iter().copied())
                )
            })
    }
}

/// An `http` or `https` address.
pub(super) fn address(value: &DeValue<'_>) -> Result<PageUrl, String> {
    let line = line(value)?;
    PageUrl::parse(&line).map_err(|error| error.to_string())
}

/// The address outputs are reached at: without query, ending in a slash so that names can be put behind it.
pub(super) fn base_address(value: &DeValue<'_>) -> Result<PageUrl, String> {
    let address = address(value)?;
    let mut url = address.as_url().clone();
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "`{}` has a `?` or `#` part, and names are put behind it",
            shown(url.as_str())
        ));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    PageUrl::parse(url.as_str()).map_err(|error| error.to_string())
}

/// A list of hosts, each in any spelling a URL may have.
pub(super) fn hosts(value: &DeValue<'_>) -> Result<HostSet, String> {
    let what = "a list of hosts, such as [\"127.0.0.1\", \"intranet.example\"]";
    let list = value.as_array().ok_or_else(|| wanted(what, value))?;
    let texts = list.iter().map(|item| line(item.get_ref()));
    let texts = texts.collect::<Result<Vec<String>, String>>()?;
    HostSet::parse(&texts).map_err(|(text, why)| {
        format!(
            "`{}` is no host: {why}; write a name or an address alone, without port and path",
            shown(&text)
        )
    })
}

/// An absolute IRI (RFC 4287 §4.2.6): kept as written, since readers compare it byte for byte.
pub(super) fn iri(value: &DeValue<'_>) -> Result<String, String> {
    let text = words(value)?;
    if text.contains(char::is_whitespace) || Url::parse(&text).is_err() {
        return Err(format!(
            "`{}` is not an IRI: write one such as \"tag:example.org,2026:news\"",
            shown(&text)
        ));
    }
    Ok(text)
}

/// A path of a file or directory.
pub(super) fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    words(value).map(PathBuf::from)
}

/// A number and its unit: `500ms`, `2s`, `5m`, `1h`, `1d`.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    move |value| {
        let what = "a duration in quotes, such as \"2s\"";
        let text = value.as_str().ok_or_else(|| wanted(what, value))?;
        let millis = quantity(text, &UNITS).ok_or_else(|| {
            format!(
                "`{}` is not a duration: write a whole number and one of ms, s, m, h, d, such as \"2s\"",
                shown(text)
            )
        })?;
        let duration = Duration::from_millis(millis);
        if range.contains(&duration) {
            Ok(duration)
        } else {
            Err(format!(
                "`{}` is not between {} and {}",
                shown(text),
                written(*range.start()),
                written(*range.end())
            ))
        }
    }
}

fn written(duration: Duration) -> String {
    let (secs, millis) = (duration.as_secs(), duration.subsec_millis());
    match (secs, millis) {
        (0, 0) => "0s".to_owned(),
        (_, 1..) => format!("{}ms", duration.as_millis()),
        (secs, _) if secs % 86_400 == 0 => format!("{}d", secs / 86_400),
        (secs, _) if secs % 3_600 == 0 => format!("{}h", secs / 3_600),
        (secs, _) if secs % 60 == 0 => format!("{}m", secs / 60),
        (secs, _) => format!("{secs}s"),
    }
}

/// A number of bytes and its unit: `10MiB` (1024 each step) or `10MB` (1000 each step). From 1 KiB to 1 GiB.
pub(super) fn size(value: &DeValue<'_>) -> Result<u64, String> {
    bytes(value, 1 << 30, "1GiB")
}

/// The same for what comes in a day: up to 1 TiB.
pub(super) fn volume(value: &DeValue<'_>) -> Result<u64, String> {
    bytes(value, 1 << 40, "1024GiB")
}

/// The same for what is kept: `0` is none at all.
pub(super) fn room(value: &DeValue<'_>) -> Result<u64, String> {
    let none = match value {
        DeValue::Integer(number) => number.as_str() == "0",
        _ => value.as_str() == Some("0"),
    };
    if none { Ok(0) } else { volume(value) }
}

fn bytes(value: &DeValue<'_>, most: u64, shown_most: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("B", 1),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let text = value
        .as_str()
        .ok_or_else(|| wanted("a size in quotes, such as \"10MiB\"", value))?;
    let bytes = quantity(text, &UNITS).ok_or_else(|| {
        format!(
            "`{}` is not a size: write a whole number and one of B, KiB, MiB, GiB, KB, MB, GB, such as \"10MiB\"",
            shown(text)
        )
    })?;
    if (1 << 10..=most).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!(
            "`{}` is not between 1KiB and {shown_most}",
            shown(text)
        ))
    }
}

/// A whole number and its unit, with or without a blank between them. Case of the unit does not matter.
pub(super) fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = unit.trim_start();
    let (_, each) = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.parse::<u64>().ok()?.checked_mul(*each)
}

/// A language tag in the shape of BCP 47: letters first, then subtags of up to eight letters or digits.
pub(super) fn language(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?.trim();
    is_language(text).then(|| text.to_owned()).ok_or_else(|| {
        let mended = text.replace('_', "-");
        let mended = if is_language(&mended) && mended != text {
            mended
        } else {
            "zh-Hans".to_owned()
        };
        format!(
            "`{}` is not a language tag: write one such as \"{mended}\"",
            shown(text)
        )
    })
}

fn is_language(text: &str) -> bool {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && text.len() <= 35
        && subtags.all(|tag| {
            (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn string(text: &str) -> DeValue<'_> {
        DeValue::String(text.into())
    }

    #[test]
    fn durations_have_a_unit() {
        let any = duration(Duration::ZERO..=Duration::MAX);
        let check = |text: &str, millis: Option<u128>| {
            let read = any(&string(text)).ok().map(|duration| duration.as_millis());
            assert_eq!(read, millis, "{text}");
        };
        check("0s", Some(0));
        check("250ms", Some(250));
        check("2s", Some(2_000));
        check(" 5 m ", Some(300_000));
        check("1H", Some(3_600_000));
        check("1d", Some(86_400_000));
        for bad in [
            "",
            "2",
            "s",
            "-2s",
            "1.5h",
            "1h30m",
            "2 sec",
            "２s",
            "99999999999999999999s",
        ] {
            check(bad, None);
        }
        check(&format!("{}d", u64::MAX), None);
    }

    #[test]
    fn sizes_count_in_their_own_thousands() {
        let check =
            |text: &str, bytes: Option<u64>| assert_eq!(size(&string(text)).ok(), bytes, "{text}");
        check("10MiB", Some(10 << 20));
        check("10 MB", Some(10_000_000));
        check("1kib", Some(1024));
        check("2048B", Some(2048));
        for bad in ["", "10", "MiB", "1000B", "2GiB", "-1MiB", "99999999999GiB"] {
            check(bad, None);
        }
    }

    #[test]
    fn room_may_be_none_at_all() {
        let check = |text: &str, bytes: Option<u64>| {
            assert_eq!(room(&string(text)).ok(), bytes, "{text}");
        };
        check("0", Some(0));
        check("256MiB", Some(256 << 20));
        check("2GiB", Some(2 << 30));
        for bad in ["", "1", "00", "none", "2000GiB"] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        let any = duration(Duration::ZERO..=Duration::MAX);
        for text in ["0s", "1ms", "1500ms", "59s", "90s", "5m", "36h", "7d"] {
            assert_eq!(written(any(&string(text)).unwrap()), text);
        }
    }

    #[test]
    fn languages_look_like_bcp_47() {
        for good in [
            "zh",
            "zh-Hans",
            "zh-Hant-HK",
            "de-CH-1901",
            "yue",
            "zh-x-news",
        ] {
            assert!(is_language(good), "{good}");
        }
        for bad in [
            "",
            "z",
            "zh_CN",
            "zh-",
            "-zh",
            "中文",
            "zh--CN",
            "12",
            "zh-123456789",
        ] {
            assert!(!is_language(bad), "{bad}");
        }
    }

    #[test]
    fn a_base_address_ends_in_a_slash() {
        let check = |text: &str, kept: Option<&str>| {
            let read = base_address(&string(text)).ok();
            assert_eq!(read.as_ref().map(PageUrl::as_str), kept, "{text}");
        };
        check("http://localhost:8080", Some("http://localhost:8080/"));
        check(
            "https://example.org/news",
            Some("https://example.org/news/"),
        );
        check(
            "https://example.org/news/",
            Some("https://example.org/news/"),
        );
        check("https://example.org/?a=b", None);
        check("https://example.org/#a", None);
        check("/news/", None);
    }
}
