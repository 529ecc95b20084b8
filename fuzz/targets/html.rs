//! Any text as a publisher's HTML: what is shown is safe, and stays as it is when it is made safe again.

#![no_main]

use feedmill::model::content::Content;
use feedmill::model::urls::PageUrl;
use feedmill::rules::html;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let base = PageUrl::parse("https://news.example.org/2025/1.html").unwrap();
    let safe = html::safe(&text, Some(&base));
    let small = safe.to_ascii_lowercase();
    assert!(!small.contains("<script") && !small.contains("<iframe"), "{safe}");
    let content = Content::html(text.clone().into_owned());
    html::display(&content, Some(&base));
    html::words(&content);
    assert!(html::summary(&content, 200).chars().count() <= 201);
    html::text(&text);
    html::paragraphs(&text);
});
