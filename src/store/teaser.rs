//! What a feed said of an entry, as JSON: kept beside the entry's pages.

use serde::{Deserialize, Serialize};

use crate::model::content::{Content, ContentKind};
use crate::model::entry::Draft;
use crate::model::ids::EntryId;
use crate::model::time::Timestamp;
use crate::store::shapes::{EnclosureShape, FeedInfoShape, page};

/// A [`Draft`] as JSON.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TeaserShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cms_date: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    /// Kind and text.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    enclosures: Vec<EnclosureShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<FeedInfoShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&Draft> for TeaserShape {
    fn from(draft: &Draft) -> Self {
        let content = |content: &Content| (content.kind.name().to_owned(), content.text.clone());
        Self {
            id: draft.id.as_ref().map(|id| id.as_str().to_owned()),
            link: draft.link.as_ref().map(|link| link.as_str().to_owned()),
            title: draft.title.clone(),
            published: draft.published.map(Timestamp::millis),
            updated: draft.updated.map(Timestamp::millis),
            cms_date: draft.cms_date.map(Timestamp::millis),
            authors: draft.authors.clone(),
            language: draft.language.clone(),
            categories: draft.categories.clone(),
            summary: draft.summary.as_ref().map(content),
            body: draft.body.as_ref().map(content),
            thumbnail: draft
                .thumbnail
                .as_ref()
                .map(|link| link.as_str().to_owned()),
            enclosures: draft.enclosures.iter().map(Into::into).collect(),
            origin: draft.origin.as_ref().map(Into::into),
            note: draft.note.clone(),
        }
    }
}

impl TeaserShape {
    pub(super) fn read(self) -> Result<Draft, String> {
        let link = |text: Option<String>| text.map(|text| page(&text)).transpose();
        let content = |(kind, text): (String, String)| match ContentKind::from_name(&kind) {
            Some(kind) => Ok(Content { kind, text }),
            None => Err(format!("`{kind}` is no kind of content")),
        };
        Ok(Draft {
            id: self.id.as_deref().and_then(EntryId::new),
            link: link(self.link)?,
            title: self.title,
            published: self.published.map(Timestamp::from_millis),
            updated: self.updated.map(Timestamp::from_millis),
            cms_date: self.cms_date.map(Timestamp::from_millis),
            authors: self.authors,
            language: self.language,
            categories: self.categories,
            summary: self.summary.map(content).transpose()?,
            body: self.body.map(content).transpose()?,
            thumbnail: link(self.thumbnail)?,
            enclosures: self
                .enclosures
                .into_iter()
                .map(EnclosureShape::read)
                .collect::<Result<_, _>>()?,
            origin: self.origin.map(FeedInfoShape::read).transpose()?,
            note: self.note,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;
    use crate::model::entry::Enclosure;
    use crate::model::feed::FeedInfo;

    #[test]
    fn a_teaser_comes_back_as_it_was() {
        let url = page("https://example.org/甲?b=1#c").unwrap();
        let full = Draft {
            id: EntryId::new("tag:1"),
            link: Some(url.clone()),
            title: Some(" a\n b ".to_owned()),
            published: Some(Timestamp::from_millis(1)),
            updated: Some(Timestamp::from_millis(-2)),
            cms_date: Some(Timestamp::from_millis(3)),
            authors: vec!["甲".to_owned()],
            language: Some("zh".to_owned()),
            categories: vec!["乙".to_owned(), String::new()],
            summary: Some(Content::plain("")),
            body: Some(Content::html("<p>词")),
            thumbnail: Some(url.clone()),
            enclosures: vec![Enclosure {
                url,
                media_type: None,
                length: Some(7),
            }],
            origin: Some(FeedInfo {
                title: Some("丙".to_owned()),
                ..FeedInfo::default()
            }),
            note: Some("n".to_owned()),
        };
        for draft in [full, Draft::default()] {
            let text = serde_json::to_string(&TeaserShape::from(&draft)).unwrap();
            let read: TeaserShape = serde_json::from_str(&text).unwrap();
            let back = read.read().unwrap();
            assert_eq!(back.raw_hash(), draft.raw_hash());
            assert_eq!(back, draft);
        }
    }
}
