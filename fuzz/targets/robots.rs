//! Any bytes as a robots.txt, a list of subscriptions, or a page that names its feeds. Rules that were kept forbid what they
//! forbade before.

#![no_main]

use feedmill::model::http::Page;
use feedmill::model::urls::PageUrl;
use feedmill::rules::robots::Robots;
use feedmill::rules::{discover, opml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let rules = Robots::parse(data);
    let kept = Robots::parse(&rules.to_bytes());
    for path in ["", "a/b.html?x=1&y=%2a", "%E4%B8%AD/$*"] {
        let url = PageUrl::parse(&format!("https://news.example.org/{path}")).unwrap();
        assert_eq!(rules.forbids(&url).is_some(), kept.forbids(&url).is_some());
    }
    let _ = opml::read(data);
    discover::feeds(&Page {
        url: PageUrl::parse("https://news.example.org/").unwrap(),
        media_type: None,
        charset: None,
        links: vec![String::from_utf8_lossy(data).into_owned()],
        bytes: data.to_vec(),
    });
});
