//! Any text as the page of an article.

#![no_main]

use feedmill::model::time::Zone;
use feedmill::model::urls::PageUrl;
use feedmill::rules::extract::{Wanted, extract};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The last byte chooses, so that a document as it is is a document here.
    let Some((last, bytes)) = data.split_last() else {
        return;
    };
    let page = String::from_utf8_lossy(bytes);
    let url = PageUrl::parse("https://news.example.org/2025/1.html").unwrap();
    let zone = Zone::utc();
    let wanted = Wanted {
        selector: (last % 3 == 1).then_some("div.text, #content"),
        words: if last % 3 == 2 { "the words of the story" } else { "" },
        zone: &zone,
    };
    if let Ok(found) = extract(&page, &url, wanted) {
        assert!(found.chars <= found.html.chars().count());
    }
});
