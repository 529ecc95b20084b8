//! Namespaces, by their URI and never by their prefix (P-100).

/// The vocabularies feeds are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ns {
    /// RSS 0.9x, 1.0 and 2.0: all of them say the same with the same words.
    Rss,
    /// Atom 1.0 and 0.3.
    Atom,
    Rdf,
    Dc,
    DcTerms,
    Content,
    Media,
    Itunes,
    Xhtml,
    Syndication,
    Podcast,
    /// Atom tombstones (RFC 6721).
    Tombstones,
    Other,
}

impl Ns {
    pub fn of(uri: &str) -> Self {
        match uri.trim().trim_end_matches(['/', '#']) {
            "http://www.w3.org/2005/Atom"
            | "http://purl.org/atom/ns"
            | "https://www.w3.org/2005/Atom" => Self::Atom,
            "http://purl.org/rss/1.0"
            | "http://purl.org/net/rss1.1"
            | "http://my.netscape.com/rdf/simple/0.9"
            | "http://my.netscape.com/publish/formats/rss-0.91.dtd"
            | "http://channel.netscape.com/rdf/simple/0.9"
            | "http://backend.userland.com/rss2"
            | "http://backend.userland.com/RSS2"
            | "http://blogs.law.harvard.edu/tech/rss" => Self::Rss,
            "http://www.w3.org/1999/02/22-rdf-syntax-ns" => Self::Rdf,
            "http://purl.org/dc/elements/1.1" | "http://purl.org/dc/elements/1.0" => Self::Dc,
            "http://purl.org/dc/terms" => Self::DcTerms,
            "http://purl.org/rss/1.0/modules/content" => Self::Content,
            "http://purl.org/rss/1.0/modules/syndication" => Self::Syndication,
            "https://podcastindex.org/namespace/1.0"
            | "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md" => {
                Self::Podcast
            }
            "http://purl.org/atompub/tombstones/1.0" => Self::Tombstones,
            "http://www.w3.org/1999/xhtml" => Self::Xhtml,
            "http://search.yahoo.com/mrss" | "https://search.yahoo.com/mrss" => Self::Media,
            uri if uri.eq_ignore_ascii_case("http://www.itunes.com/dtds/podcast-1.0.dtd") => {
                Self::Itunes
            }
            _ => Self::Other,
        }
    }

    /// A prefix nobody declared means what it means everywhere else.
    pub fn by_custom(prefix: &str) -> Self {
        match prefix {
            "atom" | "a10" => Self::Atom,
            "at" => Self::Tombstones,
            "rdf" => Self::Rdf,
            "dc" => Self::Dc,
            "dcterms" => Self::DcTerms,
            "content" => Self::Content,
            "media" => Self::Media,
            "itunes" => Self::Itunes,
            "sy" => Self::Syndication,
            "podcast" => Self::Podcast,
            "xhtml" => Self::Xhtml,
            _ => Self::Other,
        }
    }
}

/// A name of RSS as its specification writes it: CDF shouts (`ITEM`), others write `Title` or `pubdate`.
pub(super) fn rss_name(name: &str) -> &str {
    const NAMES: [&str; 28] = [
        "a",
        "abstract",
        "author",
        "body",
        "category",
        "channel",
        "copyright",
        "description",
        "enclosure",
        "fullitem",
        "guid",
        "image",
        "item",
        "items",
        "language",
        "lastBuildDate",
        "link",
        "logo",
        "managingEditor",
        "pubDate",
        "skipDays",
        "skipHours",
        "source",
        "summary",
        "title",
        "ttl",
        "updated",
        "url",
    ];
    // Most names are written right; only where one cannot be is it looked for.
    let right = name.bytes().all(|b| b.is_ascii_lowercase()) && !name.ends_with("date");
    if right || NAMES.contains(&name) {
        return name;
    }
    NAMES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .unwrap_or(name)
}
