//! One picture, asked for and kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::fetch::{Fetch, guard};
use crate::model::feed::Subscription;
use crate::model::http::{Ask, HostSet, Page, Request};
use crate::model::ids::FeedId;
use crate::model::image::ImageCopy;
use crate::model::urls::PageUrl;
use crate::rules::images::{self, Answered, Attempt};
use crate::service::images::room::{Room, Taken};
use crate::service::images::{Bounds, CopyError, off};
use crate::service::poll::Desk;
use crate::service::robots::{Met, Ruling};
use crate::store::{DueImage, Tried};

/// The kinds that are kept, and whatever else there is: a server that has only that may say so.
const IMAGES: &str =
    "image/avif, image/webp, image/jpeg, image/png, image/gif, image/*;q=0.5, */*;q=0.1";

/// What asking takes.
pub(super) struct Hand<W> {
    pub desk: Arc<Desk<W>>,
    pub bounds: Bounds,
    pub orders: Arc<HashMap<FeedId, Subscription>>,
    pub room: Room,
}

/// Where an address is asked.
pub(super) fn host(url: &str) -> String {
    PageUrl::parse(url).map_or_else(|_| String::new(), |url| url.origin())
}

impl<W: Fetch> Hand<W> {
    /// Pictures of one host, one after the other; what came of each, and how many requests that were.
    pub async fn ask_host(
        &self,
        images: Vec<DueImage>,
    ) -> Result<(Vec<(i64, Tried)>, usize), CopyError> {
        let (mut met, mut tried, mut asked) = (Met::new(), Vec::new(), 0);
        let mut silence: Option<(String, Duration)> = None;
        for image in images {
            // Whoever told us to stay away is not asked for the next one.
            let attempt = match &silence {
                Some((why, after)) => Err(Attempt::later(why.clone(), *after)),
                None => self.ask(&image, &mut met, &mut asked).await?,
            };
            if let Err(Attempt::Again {
                why,
                after,
                counts: false,
            }) = &attempt
            {
                silence = Some((why.clone(), *after));
            }
            tried.push((image.number, self.noted(&image, attempt)));
        }
        Ok((tried, asked))
    }

    fn noted(&self, image: &DueImage, attempt: Result<ImageCopy, Attempt>) -> Tried {
        match attempt {
            Ok(copy) => Tried::Copied(copy),
            Err(Attempt::Never(why)) => {
                tracing::debug!(feed.id = %image.feed, url = image.url, why, "a picture is not copied");
                Tried::Never(why)
            }
            Err(Attempt::Again { why, after, counts }) => Tried::Again {
                why,
                due: (self.desk.clock)().plus(after),
                tries: image.tries + u32::from(counts),
            },
        }
    }

    async fn ask(
        &self,
        image: &DueImage,
        met: &mut Met,
        asked: &mut usize,
    ) -> Result<Result<ImageCopy, Attempt>, CopyError> {
        let never = |why: &str| Ok(Err(Attempt::Never(why.to_owned())));
        let Some(order) = self.orders.get(&image.feed) else {
            return never("its feed is not copied any more");
        };
        let Ok(url) = PageUrl::parse(&image.url) else {
            return never("not an address");
        };
        let order = asking(order, &url);
        // An address in place of a name is judged before its robots.txt is asked for.
        if let Err(refused) = guard::admit(&url, &order.allow_hosts) {
            return never(&refused.to_string());
        }
        if let Err(refused) = self.may_ask(&order, &url, image.tries, met).await {
            return Ok(Err(refused));
        }
        *asked += 1;
        let request = Request {
            most: Some(self.bounds.max),
            ..order.request(
                Ask {
                    headers: vec![("Accept", IMAGES.to_owned())],
                    ..Ask::get(url.clone())
                },
                None,
            )
        };
        let outcome = self.desk.web.fetch(request).await;
        let page = match images::settle(outcome, image.tries) {
            Answered::Came(page) => page,
            Answered::Not(attempt) => return Ok(Err(attempt)),
        };
        // What a redirect led to is had before anybody can know where it is; it is not kept where it may not be asked.
        if page.url != url
            && let Err(refused) = self.may_ask(&order, &page.url, image.tries, met).await
        {
            return Ok(Err(refused));
        }
        self.keep(*page, image.tries).await
    }

    /// It is crawling, so robots.txt is obeyed (P-164).
    async fn may_ask(
        &self,
        order: &Subscription,
        url: &PageUrl,
        tries: u32,
        met: &mut Met,
    ) -> Result<(), Attempt> {
        let who = (&self.desk.web, Some(&self.desk.store));
        let now = (self.desk.clock)();
        match self.desk.crawling.ruling(who, order, url, now, met).await {
            Ruling::Allowed => Ok(()),
            Ruling::Forbidden(why) => Err(Attempt::Never(why)),
            Ruling::PutOff(why) => Err(Attempt::failed(why, tries)),
        }
    }

    /// Keeps what came, if it is a picture.
    async fn keep(&self, page: Page, tries: u32) -> Result<Result<ImageCopy, Attempt>, CopyError> {
        let never = |why: &str| Ok(Err(Attempt::Never(why.to_owned())));
        let bytes = page.bytes;
        let Some(kind) = images::kind(&bytes) else {
            return never("no picture of a kind that is kept");
        };
        // It may have been packed.
        if bytes.len() as u64 > self.bounds.max {
            return never("larger than a copy may be");
        }
        let (copy, bytes) = off(move || (ImageCopy::of(kind, &bytes), bytes)).await?;
        match self.room.take(&copy, bytes).await? {
            Taken::In => Ok(Ok(copy)),
            Taken::Never => never("larger than all the room for copies"),
            Taken::NotNow => {
                let why = "no room for it now".to_owned();
                Ok(Err(Attempt::failed(why, tries)))
            }
        }
    }
}

/// The order as it holds for an address that is found in a stranger's words: it brings no credentials, and leads to private
/// addresses only where the feed itself is.
fn asking(order: &Subscription, url: &PageUrl) -> Subscription {
    let home = order.options.url("url").map(|feed| feed.origin());
    let mut order = order.clone();
    order.credentials = None;
    if home != Some(url.origin()) {
        order.allow_hosts = HostSet::default();
    }
    order
}
