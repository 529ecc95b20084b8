//! The requests of a trial, each of them a step that is shown.

use std::time::Duration;

use tokio::time::Instant;

use crate::fetch::Fetch;
use crate::model::feed::Subscription;
use crate::model::http::{Ask, FetchOutcome, Method, Page};
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::service::robots::{Crawling, Met, Ruling};
use crate::service::trial::{Order, Sheet, Step, Trial};
use crate::source;

/// What robots.txt says of pages that no order names (P-164).
pub(super) struct Permits<'a, W> {
    web: &'a W,
    subscription: &'a Subscription,
    at: Timestamp,
    crawling: Crawling,
    met: Met,
}

impl<'a, W: Fetch> Permits<'a, W> {
    pub(super) fn new(web: &'a W, subscription: &'a Subscription, at: Timestamp) -> Self {
        let (crawling, met) = (Crawling::default(), Met::new());
        Self {
            web,
            subscription,
            at,
            crawling,
            met,
        }
    }

    /// The page of an entry, where it and the address it is answered from may be asked.
    pub(super) async fn page(
        &mut self,
        order: &Order,
        wanted: &Ask,
        trial: &mut Trial,
    ) -> Result<Page, String> {
        if let Err(why) = self.allow(&wanted.url).await {
            trial.steps.push(Step {
                what: "entry",
                method: "not asked",
                url: wanted.url.clone(),
                took: Duration::ZERO,
                answer: Err(why.clone()),
            });
            return Err(why);
        }
        let page = ask(self.web, order, "entry", wanted.clone(), trial).await?;
        if page.url != wanted.url.without_fragment() {
            self.allow(&page.url).await?;
        }
        Ok(page)
    }

    async fn allow(&mut self, url: &PageUrl) -> Result<(), String> {
        let who = (self.web, None);
        let ruling = self
            .crawling
            .ruling(who, self.subscription, url, self.at, &mut self.met);
        match ruling.await {
            Ruling::Allowed => Ok(()),
            Ruling::Forbidden(why) | Ruling::PutOff(why) => Err(why),
        }
    }
}

pub(super) async fn ask<W: Fetch>(
    web: &W,
    order: &Order,
    what: &'static str,
    ask: Ask,
    trial: &mut Trial,
) -> Result<Page, String> {
    let started = Instant::now();
    let url = ask.url.clone();
    let method = match ask.method {
        Method::Get => "GET",
        Method::PostJson(_) => "POST",
    };
    let outcome = web.fetch(order.subscription.request(ask, None)).await;
    let answer = match outcome {
        Ok(FetchOutcome::Fresh { page, .. }) => Ok(page),
        Ok(FetchOutcome::NotModified { .. }) => Err("HTTP status 304, unasked".to_owned()),
        Ok(FetchOutcome::RateLimited {
            retry_after,
            status,
        }) => Err(match retry_after {
            Some(wait) => format!(
                "HTTP status {status}: to be left alone for {} s",
                wait.as_secs()
            ),
            None => format!("HTTP status {status}: to be left alone"),
        }),
        Ok(FetchOutcome::Gone) => Err("HTTP status 410 (gone for good)".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    trial.steps.push(Step {
        what,
        method,
        url,
        took: started.elapsed(),
        answer: answer
            .as_ref()
            .map(|page| sheet(&order.subscription, page))
            .map_err(Clone::clone),
    });
    answer
}

pub(super) fn at_hand(order: &Order, what: &'static str, page: &Page, trial: &mut Trial) -> Page {
    trial.steps.push(Step {
        what,
        method: "file",
        url: page.url.clone(),
        took: Duration::ZERO,
        answer: Ok(sheet(&order.subscription, page)),
    });
    page.clone()
}

fn sheet(subscription: &Subscription, page: &Page) -> Sheet {
    let decoded = source::decoded(subscription, page);
    Sheet {
        url: page.url.clone(),
        media_type: page.media_type.clone(),
        label: page.charset.clone(),
        bytes: page.bytes.len(),
        charset: decoded.charset,
        evidence: decoded.evidence.name(),
        replaced: decoded.replaced,
    }
}
