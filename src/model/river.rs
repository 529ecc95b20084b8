//! The river: all sources as one list of entries, ready to be written in any format.

use crate::model::article::StoredArticle;
use crate::model::feed::FeedInfo;
use crate::model::ids::FeedId;
use crate::model::image::Copies;
use crate::model::ruling::Marks;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// One immutable snapshot of what is published. The same snapshot gives the same bytes in every output.
#[derive(Clone, Debug, PartialEq)]
pub struct River {
    /// Constant IRI of the feed, independent of where it is served (PUBLISHING F-02).
    pub id: String,
    /// Its title.
    pub title: String,
    /// A line below the title.
    pub subtitle: Option<String>,
    /// Author of the feed as a whole (RFC 4287 §4.1.1).
    pub author: String,
    /// BCP 47 of most entries; entries of another language say so.
    pub language: String,
    /// The HTML page for people (`rel=alternate`); outputs hang their own addresses below it.
    pub home: PageUrl,
    /// When what is published last changed; never the time of rendering (F-08).
    pub updated: Timestamp,
    /// Newest first.
    pub entries: Vec<RiverEntry>,
}

/// One entry of the river.
#[derive(Clone, Debug, PartialEq)]
pub struct RiverEntry {
    /// An IRI: the publisher's id where it is one, else derived from it (F-03).
    pub id: String,
    /// BCP 47 of its words.
    pub language: String,
    /// The article.
    pub article: StoredArticle,
    /// The feed it came from, with id, title and updated always filled in (F-05).
    pub source: FeedInfo,
    /// Other entries that carry the same words, oldest first; then those that carry nearly the same.
    pub carriers: Vec<Carrier>,
    /// Its pictures that are shown from copies of ours.
    pub copies: Copies,
    /// What the operator's rules say of it.
    pub marks: Marks,
}

/// How often the same words are shown where feeds are shown together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collapse {
    /// In each copy.
    None,
    /// Once: in the copy that was seen first.
    #[default]
    Exact,
    /// Once, and of copies whose words differ a little one, too.
    Near,
}

impl Collapse {
    /// All of them, with their names in the settings.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::None, "none"),
        (Self::Exact, "exact"),
        (Self::Near, "near"),
    ];
}

/// What is made of copies where feeds are shown together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyPolicy {
    /// How often they are shown.
    pub collapse: Collapse,
    /// Copies whose words differ a little are known, and name each other.
    pub near: bool,
}

impl Default for CopyPolicy {
    fn default() -> Self {
        Self {
            collapse: Collapse::default(),
            near: true,
        }
    }
}

/// Another entry with the same words, or nearly the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its IRI.
    pub id: String,
    /// Its feed with us.
    pub feed: FeedId,
    /// The name people know that feed by.
    pub source_title: String,
    /// Its page.
    pub link: Option<PageUrl>,
    /// True where it shares even the entry's id: the same entry through another feed (`rel=via`, F-04).
    pub same_id: bool,
    /// True where its words are other ones, of the same article.
    pub near: bool,
}
