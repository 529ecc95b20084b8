//! Any bytes as a feed, through repair and reader to what is stored. The last byte chooses the label of the answer.

#![no_main]

use feedmill::model::entry::Lead;
use feedmill::model::feed::Subscription;
use feedmill::model::http::Page;
use feedmill::model::time::Timestamp;
use feedmill::model::urls::PageUrl;
use feedmill::rules::{identity, normalise};
use feedmill::source::Source;
use feedmill::source::feed::Feed;
use libfuzzer_sys::fuzz_target;

const LABELS: [Option<&str>; 4] = [None, Some("utf-8"), Some("gb2312"), Some("big5")];

fuzz_target!(|data: &[u8]| {
    // The last byte chooses, so that a document as it is is a document here.
    let Some((last, bytes)) = data.split_last() else {
        return;
    };
    let label = LABELS[usize::from(*last) % LABELS.len()];
    let page = Page {
        url: PageUrl::parse("https://news.example.org/feed").unwrap(),
        media_type: Some("application/xml".to_owned()),
        charset: label.map(str::to_owned),
        links: Vec::new(),
        bytes: bytes.to_vec(),
    };
    let subscription = Subscription::new("fuzz".parse().unwrap(), "feed");
    let Ok(listing) = Feed.read(&subscription, &page) else {
        return;
    };
    let keys = identity::keys(&listing.leads, false);
    assert_eq!(keys.len(), listing.leads.len());
    for (lead, key) in listing.leads.into_iter().zip(keys) {
        let draft = match lead {
            Lead::Whole(draft) => *draft,
            Lead::Teaser(teaser) => teaser.draft,
        };
        let now = Timestamp::from_secs(1_760_000_000);
        if let Ok(article) = normalise::normalise(key, draft, None, now) {
            assert!(!article.title.contains(['\n', '\r', '\0']));
        }
    }
});
