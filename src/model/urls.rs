//! Addresses. Only `http` and `https`, always absolute, as the WHATWG URL parser writes them.

use std::fmt;

use url::Url;

/// Why a text is no address of ours.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadUrl {
    /// Not an absolute URL at all.
    #[error("`{text}` is not an address: {why}")]
    Unreadable {
        /// What was given, shortened.
        text: String,
        /// What the URL parser says.
        why: String,
    },
    /// Something other than the web.
    #[error("`{text}` is not an http or https address")]
    Scheme {
        /// What was given, shortened.
        text: String,
    },
    /// A name or password inside the address, which would end up in logs and outputs.
    #[error(
        "the address of `{host}` carries a user name or password; credentials do not belong in an address"
    )]
    Credentials {
        /// The host, without the secret.
        host: String,
    },
}

fn parse(text: &str, base: Option<&Url>) -> Result<Url, BadUrl> {
    let short = || text.chars().take(200).collect::<String>();
    let url = Url::options()
        .base_url(base)
        .parse(text.trim())
        .map_err(|error| BadUrl::Unreadable {
            text: short(),
            why: error.to_string(),
        })?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(BadUrl::Scheme { text: short() });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::Credentials {
            host: url.host_str().unwrap_or_default().to_owned(),
        });
    }
    Ok(url)
}

/// Where a page is: a list, an article, a picture. Keeps its fragment, since two entries may differ by it alone;
/// requests go without.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageUrl(Url);

/// Where a feed is asked: a [`PageUrl`] without a fragment.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedUrl(PageUrl);

impl PageUrl {
    /// Reads an absolute address.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        parse(text, None).map(Self)
    }

    /// Reads an address found on this page: relative ones resolve against it (RFC 3986 §5).
    pub fn join(&self, text: &str) -> Result<Self, BadUrl> {
        parse(text, Some(&self.0)).map(Self)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, as DNS knows it.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Scheme, host and port: what shares one politeness limit.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The path, from its first slash.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The same page without query and fragment.
    #[must_use]
    pub fn without_query(&self) -> Self {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        Self(url)
    }

    /// The same page without fragment, as it is asked for on the wire.
    #[must_use]
    pub fn without_fragment(&self) -> Self {
        let mut url = self.0.clone();
        url.set_fragment(None);
        Self(url)
    }

    /// The parsed address, for those who need its parts.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FeedUrl {
    /// Reads a feed's address; a fragment is dropped, it never reaches a server.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        PageUrl::parse(text).map(|url| Self(url.without_fragment()))
    }

    /// The address as a page to ask for.
    pub fn page(&self) -> &PageUrl {
        &self.0
    }
}

impl From<PageUrl> for FeedUrl {
    fn from(url: PageUrl) -> Self {
        Self(url.without_fragment())
    }
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "<{}>", self.0)
            }
        }
    )*};
}
as_text!(PageUrl, FeedUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_once_and_kept_as_given() {
        let check =
            |given: &str, kept: &str| assert_eq!(PageUrl::parse(given).unwrap().as_str(), kept);
        check(
            "https://example.org/f?b=2&a=%7e&",
            "https://example.org/f?b=2&a=%7e&",
        );
        check(" HTTPS://Example.ORG:443/a ", "https://example.org/a");
        check(
            "https://example.org/人工：智能？/a-1",
            "https://example.org/%E4%BA%BA%E5%B7%A5%EF%BC%9A%E6%99%BA%E8%83%BD%EF%BC%9F/a-1",
        );
        check("https://example.org/129%/x", "https://example.org/129%/x");
        check("https://example.org/a#b", "https://example.org/a#b");
        assert_eq!(
            FeedUrl::parse("https://example.org/a#b")
                .unwrap()
                .to_string(),
            "https://example.org/a"
        );
    }

    #[test]
    fn only_the_web_is_an_address() {
        for bad in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "//example.org/",
            "ftp://example.org/",
            "http://",
            "gopher:x",
        ] {
            assert!(PageUrl::parse(bad).is_err(), "{bad}");
        }
        let error = FeedUrl::parse("https://user:secret@example.org/")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
