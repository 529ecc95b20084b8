//! Any words as a file of the archive: what is written is read back and written again as it was (laws L1 and L2); and any
//! bytes as a file: what the parser accepts is written as it was.

#![no_main]

use feedmill::model::content::{Content, ContentKind};
use feedmill::model::time::{Timestamp, Zone};
use feedmill::model::urls::PageUrl;
use feedmill::output::archive::{FORMATS, Sheet, detect};
use feedmill::rules::blocks::{Style, blocks, plain_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let zone = Zone::utc();
    detect(data);
    for format in FORMATS {
        if let Ok(sheet) = format.parse(data, &zone) {
            assert_eq!(format.render(&sheet, &zone).as_deref(), Ok(data), "{}", format.name());
        }
    }
    let text = String::from_utf8_lossy(data);
    let base = PageUrl::parse("https://news.example.org/2025/1.html").unwrap();
    for style in [Style::Hugo, Style::Text] {
        for words in [Content::html(text.clone()), Content::plain(text.clone())] {
            plain_text(&blocks(&words, Some(&base), style));
        }
    }
    let (title, body) = text.split_once('\n').unwrap_or((&text, &text));
    for format in FORMATS {
        for kind in [
            ContentKind::Html,
            ContentKind::HugoBlocks,
            ContentKind::TextBlocks,
        ] {
            let sheet = Sheet {
                label: "fuzz".to_owned(),
                language: "zh".to_owned(),
                title: title.to_owned(),
                published: Some(Timestamp::from_secs(1_760_000_000)),
                summary: title.to_owned(),
                ..Sheet::of(Content {
                    text: body.to_owned(),
                    kind,
                })
            };
            let Ok(bytes) = format.render(&sheet, &zone) else {
                continue;
            };
            if let Ok(again) = format.parse(&bytes, &zone) {
                assert_eq!(format.render(&again, &zone).as_deref(), Ok(&*bytes), "{}", format.name());
            }
        }
    }
});
