//! What is stored as JSON: lists and details that are rarely there, each in one column. Released names stay.

use serde::{Deserialize, Serialize};

use crate::model::article::Article;
use crate::model::entry::{Enclosure, Skipped};
use crate::model::feed::FeedInfo;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

/// JSON, or NULL for a value like the default.
pub(super) fn to_json<T: Serialize + Default + PartialEq>(value: &T) -> Option<String> {
    // Only maps with keys that are no text could fail to become JSON, and our shapes have none.
    (*value != T::default())
        .then(|| serde_json::to_string(value).ok())
        .flatten()
}

/// What of an article is rarely there, in its column `more`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct More {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<EnclosureShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<FeedInfoShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl More {
    pub(super) fn of(article: &Article) -> Self {
        Self {
            authors: article.authors.clone(),
            categories: article.categories.clone(),
            language: article.language.clone(),
            thumbnail: article
                .thumbnail
                .as_ref()
                .map(|link| link.as_str().to_owned()),
            enclosures: article.enclosures.iter().map(Into::into).collect(),
            origin: article.origin.as_ref().map(Into::into),
            note: article.note.clone(),
        }
    }
}

/// An [`Enclosure`] as JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnclosureShape {
    url: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
}

impl From<&Enclosure> for EnclosureShape {
    fn from(enclosure: &Enclosure) -> Self {
        Self {
            url: enclosure.url.as_str().to_owned(),
            media_type: enclosure.media_type.clone(),
            length: enclosure.length,
        }
    }
}

impl EnclosureShape {
    pub(super) fn read(self) -> Result<Enclosure, String> {
        Ok(Enclosure {
            url: page(&self.url)?,
            media_type: self.media_type,
            length: self.length,
        })
    }
}

/// A [`FeedInfo`] as JSON.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedInfoShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    self_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
}

impl From<&FeedInfo> for FeedInfoShape {
    fn from(info: &FeedInfo) -> Self {
        let text = |link: &Option<PageUrl>| link.as_ref().map(|link| link.as_str().to_owned());
        Self {
            id: info.id.clone(),
            title: info.title.clone(),
            self_link: text(&info.self_link),
            home: text(&info.home),
            authors: info.authors.clone(),
            rights: info.rights.clone(),
            icon: text(&info.icon),
            language: info.language.clone(),
            updated: info.updated.map(Timestamp::millis),
        }
    }
}

impl FeedInfoShape {
    pub(super) fn read(self) -> Result<FeedInfo, String> {
        let link = |text: Option<String>| text.map(|text| page(&text)).transpose();
        Ok(FeedInfo {
            id: self.id,
            title: self.title,
            self_link: link(self.self_link)?,
            home: link(self.home)?,
            authors: self.authors,
            rights: self.rights,
            icon: link(self.icon)?,
            language: self.language,
            updated: self.updated.map(Timestamp::from_millis),
        })
    }
}

/// An address of ours, as it was written.
pub(super) fn page(text: &str) -> Result<PageUrl, String> {
    PageUrl::parse(text).map_err(|error| error.to_string())
}

/// What a poll left out or mended, in its column `more`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PollNotes {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<(String, String)>,
}

impl PollNotes {
    /// How many of each are kept: they are for people, and a stranger's feed could bring thousands at every poll.
    const KEPT: usize = 20;

    pub(super) fn of(notes: &[String], skipped: &[Skipped]) -> Self {
        Self {
            notes: notes
                .iter()
                .take(Self::KEPT)
                .map(|note| short(note))
                .collect(),
            skipped: skipped
                .iter()
                .take(Self::KEPT)
                .map(|skipped| (short(&skipped.what), short(&skipped.why)))
                .collect(),
        }
    }
}

/// The first 300 characters of a line for people.
pub(super) fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn nothing_takes_no_room() {
        assert_eq!(to_json(&More::default()), None);
        assert_eq!(
            to_json(&FeedInfoShape::from(&FeedInfo {
                title: Some("晨报".to_owned()),
                ..FeedInfo::default()
            }))
            .as_deref(),
            Some(r#"{"title":"晨报"}"#)
        );
    }
}
