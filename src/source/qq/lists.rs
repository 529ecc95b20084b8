//! The three lists: an author's `{ret, newslist}`, the hot list `{ret, idlist[].newslist}` and a channel `{code, data}`.

use serde_json::Value;

use super::super::page::{MAX_ITEMS, json, label, title};
use super::{canonical, details, is_article_id};
use crate::model::content::Content;
use crate::model::entry::{Draft, Lead, Listing, ReadError, Skipped, Teaser};
use crate::model::feed::Subscription;
use crate::model::http::Page;
use crate::model::ids::EntryId;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;

const PAGE: &str = "the list";

/// Reads a list. Its shape, not the option, decides how.
pub fn read(subscription: &Subscription, page: &Page, text: &str) -> Result<Listing, ReadError> {
    let answer = json::parse(text, "a list of Tencent News")?;
    refusal(&answer)?;
    let mut reading = Reading {
        subscription,
        page,
        listing: Listing::default(),
        passed_over: 0,
    };
    if json::at(&answer, "idlist").is_some() {
        for block in json::list(&answer, "idlist", PAGE)? {
            reading.items(json::list(block, "newslist", PAGE)?)?;
        }
    } else if json::at(&answer, "data").is_some() {
        // The channel's answer is a list; an older one keeps its list one level deeper.
        let path = match json::at(&answer, "data.list") {
            Some(_) => "data.list",
            None => "data",
        };
        reading.items(json::list(&answer, path, PAGE)?)?;
    } else {
        reading.items(json::list(&answer, "newslist", PAGE)?)?;
    }
    if reading.passed_over > 0 {
        reading.listing.notes.push(format!(
            "tips, topics and tags passed over: {}",
            reading.passed_over
        ));
    }
    Ok(reading.listing)
}

/// `{ret:404,msg}` and `{code:99998,desc}` are the publisher's own word that something is wrong.
pub fn refusal(answer: &Value) -> Result<(), ReadError> {
    for (code, words) in [
        ("ret", ["msg", "errmsg", "info"]),
        ("code", ["desc", "message", "msg"]),
    ] {
        if let Some(number) = json::number(answer, code).filter(|number| *number != 0) {
            let words = json::first_text(answer, &words).unwrap_or("no reason given");
            let words: String = words.trim().chars().take(200).collect();
            return Err(ReadError::Refused(format!("{code} {number}: {words}")));
        }
    }
    Ok(())
}

struct Reading<'r> {
    subscription: &'r Subscription,
    page: &'r Page,
    listing: Listing,
    passed_over: usize,
}

impl Reading<'_> {
    fn items(&mut self, items: &[Value]) -> Result<(), ReadError> {
        for item in items {
            // A module is a frame around articles.
            let inner = json::items(item, "sub_item");
            if inner.is_empty() {
                self.item(item);
            } else {
                for item in inner {
                    self.item(item);
                }
            }
            if self.listing.leads.len() > MAX_ITEMS {
                return Err(ReadError::Limit {
                    what: "entries",
                    limit: MAX_ITEMS,
                });
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Value) {
        let kind = json::word(item, "articletype").unwrap_or_default();
        // 560 tips, 100 topics, 123 tags, 525 modules: none of them is an article.
        if matches!(&*kind, "560" | "100" | "123" | "525") {
            self.passed_over += 1;
            return;
        }
        let place = self.listing.leads.len() + self.listing.skipped.len() + self.passed_over;
        match self.teaser(item) {
            Ok(teaser) => self.listing.leads.push(Lead::Teaser(Box::new(teaser))),
            Err(why) => self.listing.skipped.push(Skipped {
                what: label(&[json::first_text(item, &["title", "id"])], place),
                why: why.to_owned(),
            }),
        }
    }

    fn teaser(&self, item: &Value) -> Result<Teaser, &'static str> {
        let id = json::word(item, "id")
            .or_else(|| json::word(item, "cms_id"))
            .ok_or("no id")?;
        if !is_article_id(&id) {
            return Err("its id is not an article's");
        }
        let names = ["title", "longtitle"];
        let summaries = ["abstract", "intro", "desc", "nlpAbstract", "long_summary"];
        let media = [
            "source",
            "chlname",
            "card.chlname",
            "media_info.chl_name",
            "media_name",
        ];
        Ok(Teaser {
            draft: Draft {
                id: EntryId::new(&id),
                link: canonical(&id),
                title: json::first_text(item, &names).and_then(title),
                published: self.date(item),
                authors: json::first_text(item, &media)
                    .and_then(title)
                    .into_iter()
                    .collect(),
                summary: json::first_text(item, &summaries).map(Content::plain),
                thumbnail: thumbnail(item, &self.page.url),
                ..Draft::default()
            },
            details: details(self.subscription, &id),
        })
    }

    /// The instant where it is given, else the wall clock in the publisher's zone.
    fn date(&self, item: &Value) -> Option<Timestamp> {
        ["timestamp", "time", "publish_time"]
            .iter()
            .filter_map(|path| json::at(item, path))
            .find_map(|value| json::time(value, &self.subscription.zone))
    }
}

/// The list picture at 640×360 where it is offered so, else the largest of the usual ones.
pub fn thumbnail(item: &Value, found_on: &PageUrl) -> Option<PageUrl> {
    const PLACES: [&str; 12] = [
        "imgurl_ext.640360",
        "bigImage",
        "thumbnails_big",
        "pic_info.big_img",
        "thumbnails_qqnews_photo",
        "miniProShareImage",
        "thumbnails_qqnews",
        "pic_info.share_img",
        "pic_info.small_img",
        "shareImg",
        "thumbnails",
        "img",
    ];
    let mut offered = PLACES
        .iter()
        .filter_map(|place| json::at(item, place))
        .filter_map(|value| value.as_str().or_else(|| value.get(0)?.as_str()))
        .filter(|text| !text.trim().is_empty());
    let first = offered.clone().next();
    offered
        .find(|text| text.contains("_640360"))
        .or(first)
        .and_then(|text| found_on.join(text).ok())
}
