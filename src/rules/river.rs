//! What is published: one entry for the same words, newest first, each with an id that never changes.

use std::collections::{BTreeMap, HashMap};

use url::{Host, Url};
use uuid::Uuid;

use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::entry::EntryKey;
use crate::model::feed::FeedInfo;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::Copies;
use crate::model::river::{Carrier, River, RiverEntry};
use crate::model::ruling::Marks;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// Under which ids that are not IRIs become `urn:uuid:` (F-03). Fixed for good: changing it would announce every entry anew.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d0e_c2a3_5f7b_4b0e_9a41_66ee_d6a1_1c01);

/// What the operator says about the merged feed, and what the store adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Constant IRI; `None` takes one from `store_id`.
    pub id: Option<String>,
    /// 16 random bytes, drawn once for the life of a store.
    pub store_id: [u8; 16],
    /// Its title.
    pub title: String,
    /// A line below it.
    pub subtitle: Option<String>,
    /// Its author.
    pub author: String,
    /// BCP 47.
    pub language: String,
    /// Where it is served.
    pub home: PageUrl,
    /// When the store last took something in; `None` before it ever did.
    pub updated: Option<Timestamp>,
}

/// What is known of a feed: the publisher's word, and ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// What its publisher says.
    pub info: FeedInfo,
    /// What our subscription calls it.
    pub title: Option<String>,
    /// The language of its entries.
    pub language: String,
}

/// What is known of each feed.
pub type Feeds = BTreeMap<FeedId, Known>;

/// Whose copy one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyOf {
    /// Of these words, whoever is shown with them.
    Words(ContentHash),
    /// Of the entry with this first number: of its words, or `near` them.
    Entry {
        /// The first number.
        entry: ArticleSeq,
        /// Its words are other ones.
        near: bool,
    },
}

/// Another entry that carries the words of a published one.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherCopy {
    /// Whose copy it is.
    pub of: CopyOf,
    /// The first number of this entry.
    pub first_seq: ArticleSeq,
    /// Its feed.
    pub feed: FeedId,
    /// Its key.
    pub key: EntryKey,
    /// Its page.
    pub link: Option<PageUrl>,
}

/// Puts the river together. `articles` are the latest revisions to publish, one for the same words.
pub fn river(
    head: Head,
    articles: Vec<StoredArticle>,
    copies: Vec<OtherCopy>,
    feeds: &Feeds,
) -> River {
    let mut others: HashMap<ContentHash, Vec<OtherCopy>> = HashMap::new();
    let mut of_entries: HashMap<ArticleSeq, Vec<OtherCopy>> = HashMap::new();
    for copy in copies {
        match copy.of {
            CopyOf::Words(words) => others.entry(words).or_default().push(copy),
            CopyOf::Entry { entry, .. } => of_entries.entry(entry).or_default().push(copy),
        }
    }
    let mut by_id: BTreeMap<String, RiverEntry> = BTreeMap::new();
    let mut oldest_first = articles;
    oldest_first.sort_by_key(|article| article.first_seq);
    for article in oldest_first {
        let id = entry_iri(&article.feed, &article.article.key);
        let mut copies = others.remove(&article.article.content).unwrap_or_default();
        copies.sort_by_key(|copy| copy.first_seq);
        copies.extend(of_entries.remove(&article.first_seq).unwrap_or_default());
        let carriers = copies.into_iter().map(|copy| carrier(&copy, &id, feeds));
        if let Some(owner) = by_id.get_mut(&id) {
            // F-04: two feeds supply one id. Who had it first is shown; the other is named, and so are its copies.
            let other = Carrier {
                id: id.clone(),
                source_title: source_title(&article.feed, feeds.get(&article.feed)),
                feed: article.feed,
                link: article.article.link,
                same_id: true,
                near: false,
            };
            for carrier in std::iter::once(other).chain(carriers) {
                name(&mut owner.carriers, carrier, &id, &owner.article.feed);
            }
            continue;
        }
        let mut named = Vec::new();
        for carrier in carriers {
            name(&mut named, carrier, &id, &article.feed);
        }
        let carriers = named;
        let known = feeds.get(&article.feed);
        let language = article.article.language.clone();
        let language = language.or_else(|| {
            known
                .map(|feed| feed.language.clone())
                .filter(|tag| !tag.is_empty())
        });
        let entry = RiverEntry {
            id: id.clone(),
            language: language.unwrap_or_else(|| head.language.clone()),
            source: source(&article, known),
            article,
            carriers,
            copies: Copies::new(),
            marks: Marks::default(),
        };
        by_id.insert(id, entry);
    }
    let mut entries: Vec<RiverEntry> = by_id.into_values().collect();
    // F-10: newest first; entries of one date by id, so that the order never depends on anything else.
    entries.sort_by(|a, b| {
        b.article
            .date()
            .cmp(&a.article.date())
            .then_with(|| a.id.cmp(&b.id))
    });
    River {
        id: river_iri(head.id.as_deref(), head.store_id),
        title: head.title,
        subtitle: head.subtitle,
        author: head.author,
        language: head.language,
        home: head.home,
        updated: head.updated.unwrap_or(Timestamp::EPOCH),
        entries,
    }
}

/// The entry's IRI: the publisher's id byte for byte where it is one, else a name derived from our feed's id and the
/// entry's key, which a feed that moves to another address keeps (F-03).
pub fn entry_iri(feed: &FeedId, key: &EntryKey) -> String {
    let (kind, name) = match key {
        EntryKey::Id(id) if is_iri(id.as_str()) => return id.as_str().to_owned(),
        EntryKey::Id(id) => ("id", id.as_str().to_owned()),
        EntryKey::Link(link) => ("link", link.as_str().to_owned()),
        EntryKey::Content(hash) => (
            "content",
            blake3::Hash::from_bytes(*hash.as_bytes())
                .to_hex()
                .to_string(),
        ),
    };
    urn(&[feed.as_str(), kind, &name])
}

/// The id of a view of a river: of one source, or of one tag (F-68). It stays when the river moves to another address.
pub fn view_iri(river: &str, kind: &str, name: &str) -> String {
    urn(&["view", river, kind, name])
}

/// The river's own id: the one that was chosen, else one of the store's.
pub fn river_iri(chosen: Option<&str>, store_id: [u8; 16]) -> String {
    chosen.map_or_else(
        || {
            format!(
                "urn:uuid:{}",
                uuid::Builder::from_random_bytes(store_id).into_uuid()
            )
        },
        str::to_owned,
    )
}

fn urn(parts: &[&str]) -> String {
    format!(
        "urn:uuid:{}",
        Uuid::new_v5(&NAMESPACE, parts.join("\n").as_bytes())
    )
}

/// RFC 3987 as far as it matters here: a scheme, a colon, something, and no character an IRI cannot hold.
pub fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let foreign = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    };
    let hierarchical = rest
        .strip_prefix("//")
        .is_none_or(|rest| !rest.starts_with('/') && !rest.is_empty());
    scheme_ok
        && !rest.is_empty()
        && hierarchical
        && !rest.contains(foreign)
        && !is_somebodys_own(text)
}

/// Whether an address names another machine to everybody who reads it, as `localhost` does: what stands below it names
/// nothing in the world. Sites that were set up carelessly write `http://localhost/?p=1`, each of them.
fn is_somebodys_own(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => matches!(name.rsplit('.').next(), Some("localhost" | "local")),
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn carrier(copy: &OtherCopy, owner: &str, feeds: &Feeds) -> Carrier {
    let id = entry_iri(&copy.feed, &copy.key);
    Carrier {
        same_id: id == owner,
        id,
        source_title: source_title(&copy.feed, feeds.get(&copy.feed)),
        feed: copy.feed.clone(),
        link: copy.link.clone(),
        near: matches!(copy.of, CopyOf::Entry { near: true, .. }),
    }
}

/// Names another copy, unless it is the owner itself or named already.
fn name(carriers: &mut Vec<Carrier>, carrier: Carrier, owner: &str, feed: &FeedId) {
    let itself = carrier.id == owner && carrier.feed == *feed;
    let is_it = |known: &&Carrier| known.id == carrier.id && known.feed == carrier.feed;
    if !itself && !carriers.iter().any(|known| is_it(&known)) {
        carriers.push(carrier);
    }
}

/// The name people know a feed by: ours, else its publisher's, else its id.
pub fn source_title(feed: &FeedId, known: Option<&Known>) -> String {
    let title = known.and_then(|known| known.title.clone().or_else(|| known.info.title.clone()));
    title
        .filter(|title| !title.trim().is_empty())
        .unwrap_or_else(|| feed.to_string())
}

/// `atom:source` with its three required children always there (F-05). An entry that came with one keeps it.
fn source(article: &StoredArticle, known: Option<&Known>) -> FeedInfo {
    let own = known.map(|known| known.info.clone()).unwrap_or_default();
    let mut info = article.article.origin.clone().unwrap_or(own);
    info.id = info
        .id
        .filter(|id| is_iri(id))
        .or_else(|| Some(urn(&["feed", article.feed.as_str()])));
    if article.article.origin.is_none() || info.title.is_none() {
        info.title = Some(source_title(&article.feed, known));
    }
    info.updated = info.updated.or(Some(article.revised));
    info
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::ids::EntryId;

    #[test]
    fn f_03_iris_are_kept_and_the_rest_becomes_one() {
        let feed: FeedId = "f".parse().unwrap();
        let iri = |id: &str| entry_iri(&feed, &EntryKey::Id(EntryId::new(id).unwrap()));
        for kept in [
            "tag:example.org,2026:1",
            "https://example.org/?p=1",
            "urn:uuid:1",
            "https://例子.cn/甲",
        ] {
            assert_eq!(iri(kept), kept);
        }
        for made in [
            "20250208A06IK100",
            "a b",
            "1:",
            "http://",
            "https:///x",
            "甲:乙",
            "x:<y>",
            "http://localhost/?p=1",
            "http://127.0.0.1:8080/1",
            "https://192.168.0.7/1",
            "http://[::1]/1",
            "http://blog.local/?p=1",
        ] {
            assert!(iri(made).starts_with("urn:uuid:"), "{made}");
        }
        assert_eq!(iri("12"), iri("12"));
        assert_ne!(iri("12"), iri("13"));
        assert_ne!(
            iri("12"),
            entry_iri(
                &"g".parse().unwrap(),
                &EntryKey::Id(EntryId::new("12").unwrap())
            )
        );
    }
}
