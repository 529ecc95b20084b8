//! What a person types where a feed's address is wanted, and what a feed is called by us.

use xxhash_rust::xxh3::xxh3_64;

use crate::model::ids::FeedId;
use crate::model::urls::{BadUrl, FeedUrl, PageUrl};

/// Why what was typed is not taken for an address. Never repeats a name or password out of it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadAddress {
    /// A blank or control character within.
    #[error(
        "the address has a space or control character in it; in an address a space is written %20"
    )]
    Blank,
    /// No address, or not of the web.
    #[error(transparent)]
    Url(#[from] BadUrl),
}

/// An address and what was mended in it, each thing in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the feed is.
    pub url: FeedUrl,
    /// What was changed.
    pub mended: Vec<String>,
}

/// Reads what was typed (P-66): `http` and `https` alone, no blanks, no credentials; `feed:` and a missing scheme are
/// mended, a host is mapped by IDNA, a fragment dropped, and each of these told.
pub fn typed(text: &str) -> Result<Address, BadAddress> {
    let text = text.trim();
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(BadAddress::Blank);
    }
    let mut mended = Vec::new();
    let whole = with_scheme(text, &mut mended);
    let page = PageUrl::parse(&whole).map_err(without_secret)?;
    if page.as_url().fragment().is_some() {
        mended.push("the part from `#` on is dropped: it never reaches a server".to_owned());
    }
    let host = page.host();
    if host.split('.').any(|label| label.starts_with("xn--"))
        && !whole.to_ascii_lowercase().contains(host)
    {
        mended.push(format!("the host is `{host}` in ASCII, as DNS knows it"));
    }
    Ok(Address {
        url: FeedUrl::from(page),
        mended,
    })
}

fn with_scheme(text: &str, mended: &mut Vec<String>) -> String {
    let scheme = |name: &str| {
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| text.get(name.len()..).unwrap_or_default())
    };
    // `feed://host/…` stands for http, `feed:https://…` for what follows.
    if let Some(rest) = scheme("feed:") {
        mended.push("`feed:` is no address of the web and is taken off".to_owned());
        return match rest.strip_prefix("//") {
            Some(rest) => format!("http://{rest}"),
            None => rest.to_owned(),
        };
    }
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let port = host.split_once(':').map_or("", |(_, port)| port);
    let bare = !text.contains("://")
        && name.contains('.')
        && !host.contains('@')
        && port.bytes().all(|b| b.is_ascii_digit());
    if bare {
        mended.push("`https://` is put in front".to_owned());
        return format!("https://{text}");
    }
    text.to_owned()
}

/// An address that cannot be read may still hold a password; what is said of it does not.
fn without_secret(error: BadUrl) -> BadAddress {
    let hidden = |text: String| match text.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => text,
    };
    BadAddress::Url(match error {
        BadUrl::Unreadable { text, why } => BadUrl::Unreadable {
            text: hidden(text),
            why,
        },
        BadUrl::Scheme { text } => BadUrl::Scheme { text: hidden(text) },
        BadUrl::Credentials { host } => BadUrl::Credentials { host },
    })
}

/// Words of a host or path that say nothing of whose feed it is.
const EMPTY: [&str; 14] = [
    "www",
    "feed",
    "feeds",
    "rss",
    "atom",
    "rdf",
    "xml",
    "json",
    "index",
    "php",
    "html",
    "news-feed",
    "rss2",
    "default",
];
const LONGEST: usize = 40;

/// A name for a feed at this address that is not `taken`: its host; if that is taken, host and title, then host and
/// path, then a number behind the host, then a hash of the address.
pub fn name(url: &FeedUrl, title: Option<&str>, taken: impl Fn(&FeedId) -> bool) -> Option<FeedId> {
    let page = url.page();
    let mut labels: Vec<&str> = page.host().split('.').collect();
    while labels.len() > 2 && labels.first().is_some_and(|first| EMPTY.contains(first)) {
        labels.remove(0);
    }
    let host = match slug(&labels.join(".")) {
        empty if empty.is_empty() => "feed".to_owned(),
        host => host,
    };
    let path = page
        .path()
        .split(['/', '.'])
        .filter(|part| !EMPTY.contains(&part.to_ascii_lowercase().as_str()))
        .collect::<Vec<_>>()
        .join("-");
    let more = [title.map(slug), Some(slug(&path))];
    let longer = more
        .into_iter()
        .flatten()
        .filter(|more| !more.is_empty())
        .map(|more| format!("{host}-{more}"));
    let with_end = |end: String| {
        let room = LONGEST.saturating_sub(end.len());
        format!("{}{end}", host.get(..room).unwrap_or(&host))
    };
    // Thousands of feeds may be at one host, with titles that leave no ASCII; counting on would be slow and say little.
    let numbered = (2..10).map(|n| with_end(format!("-{n}")));
    let hash = xxh3_64(page.as_str().as_bytes());
    let hashed = [format!("-{:08x}", hash >> 32), format!("-{hash:016x}")];
    std::iter::once(host.clone())
        .chain(longer)
        .chain(numbered)
        .chain(hashed.map(with_end))
        .filter_map(|text| {
            let text = text.get(..LONGEST).unwrap_or(&text).trim_matches('-');
            text.parse().ok()
        })
        .find(|id| !taken(id))
}

/// ASCII letters and digits in lower case, everything else one `-`; nothing where there are none.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
    use super::*;

    #[test]
    fn p_66_what_is_typed_is_mended_or_refused() {
        let check = |given: &str, url: &str, told: &str| {
            let address = typed(given).unwrap();
            assert_eq!(address.url.to_string(), url, "{given}");
            let mended = address.mended.join("; ");
            assert!(mended.contains(told), "{given}: {mended}");
            assert_eq!(told.is_empty(), mended.is_empty(), "{given}: {mended}");
        };
        check(" https://x.example/f ", "https://x.example/f", "");
        check("HTTPS://X.example:443/f", "https://x.example/f", "");
        check("feed://x.example/f", "http://x.example/f", "feed:");
        check("FEED:https://x.example/f", "https://x.example/f", "feed:");
        check("x.example/f", "https://x.example/f", "https://");
        check("x.example:8080/f", "https://x.example:8080/f", "https://");
        check("https://x.example/f#top", "https://x.example/f", "#");
        check(
            "https://例え.example/f",
            "https://xn--r8jz45g.example/f",
            "xn--r8jz45g",
        );
        check(
            "https://xn--r8jz45g.example/f",
            "https://xn--r8jz45g.example/f",
            "",
        );
        for (bad, why) in [
            ("https://x.example /", "%20"),
            ("https://x.example/a b", "%20"),
            ("https://x.example/a\u{7}", "%20"),
            ("file:///etc/passwd", "not an http"),
            ("feed:file:///etc/passwd", "not an http"),
            ("ftp://x.example/", "not an http"),
            ("javascript:alert(1)", "not an http"),
            ("https://user:secret@x.example/", "credentials"),
            ("feed://user:secret@x.example/", "credentials"),
            ("ftp://user:secret@x.example/", "not an http"),
            ("https://user:secret@x.example:99999/", "not an address"),
            ("user:secret@x.example/", "not an"),
            ("", "not an address"),
            ("feed:", "not an address"),
            ("word", "not an address"),
        ] {
            let error = typed(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_name_is_the_host_and_unique() {
        let check = |url: &str, title: Option<&str>, taken: &[&str], name_: &str| {
            let url = FeedUrl::parse(url).unwrap();
            let id = name(&url, title, |id| taken.contains(&id.as_str())).unwrap();
            assert_eq!(id.as_str(), name_);
        };
        check("https://www.example.org/feed", None, &[], "example-org");
        check("https://feeds.bbci.co.uk/x", None, &[], "bbci-co-uk");
        check("https://feed.example/x", None, &[], "feed-example");
        check("http://127.0.0.1:9/x", None, &[], "127-0-0-1");
        let taken = ["example-org"];
        check(
            "https://example.org/f",
            Some("Big  News!"),
            &taken,
            "example-org-big-news",
        );
        check(
            "https://example.org/blog/feed.xml",
            Some("新闻"),
            &taken,
            "example-org-blog",
        );
        check(
            "https://example.org/feed",
            Some("新闻"),
            &taken,
            "example-org-2",
        );
        let both = ["example-org", "example-org-2"];
        check("https://example.org/feed", None, &both, "example-org-3");
        let long = format!("https://{}.example/", "a".repeat(60));
        check(&long, None, &[], &"a".repeat(40));
        check(
            &long,
            None,
            &[&"a".repeat(40)],
            &format!("{}-2", "a".repeat(38)),
        );
    }

    #[test]
    fn thousands_of_feeds_at_one_host_have_names() {
        let mut taken = std::collections::HashSet::new();
        for n in 0..5_000 {
            let url = FeedUrl::parse(&format!("https://video.example/feed?channel={n}")).unwrap();
            let id = name(&url, Some("频道"), |id| taken.contains(id)).unwrap();
            taken.insert(id);
        }
        assert_eq!(taken.len(), 5_000);
    }
}
