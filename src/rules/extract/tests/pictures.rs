//! Pictures of an article and the one that stands for it.

use super::*;
use crate::model::entry::Enclosure;

#[test]
fn a_picture_that_waits_has_the_address_of_the_noscript_beside_it() {
    let check = |picture: &str, expected: &[&str]| {
        let page = around(&format!("<p>{picture}</p>{}", paragraphs(2)));
        let html = read(&page, "", None).unwrap().html;
        let shown: Vec<&str> = html
            .split("src=\"https://news.example.org")
            .skip(1)
            .collect();
        let shown: Vec<&str> = shown
            .iter()
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(shown, expected, "{picture}: {html}");
    };
    let real = "<noscript><img src=/p.jpg></noscript>";
    check(&format!("<img src=data:,x> {real}"), &["/p.jpg"]);
    check(&format!("{real}<img src=/blank.gif>"), &["/p.jpg"]);
    check(&format!("<img src=/q.jpg>{real}"), &["/q.jpg"]);
    check("<img real_src=/q.jpg src=/loading.gif>", &["/q.jpg"]);
    check(&format!("<img src=/blank.gif>甲{real}"), &[]);
    check(real, &[]);
}

#[test]
fn the_feeds_own_picture_comes_before_the_pages() {
    let page = format!(
        "<meta property=og:image content=/lead.jpg>{}",
        around(&paragraphs(2))
    );
    let found = read(&page, "", None).unwrap();
    let merged = |draft: Draft| {
        let merged = merge(draft, found.clone(), found.html.clone());
        merged.thumbnail.unwrap().to_string()
    };
    let url = |text: &str| PageUrl::parse(text).unwrap();
    let enclosure = Enclosure {
        url: url("https://e.org/e.jpg"),
        media_type: None,
        length: None,
    };
    let enclosed = Draft {
        enclosures: vec![enclosure],
        ..Draft::default()
    };
    assert_eq!(merged(enclosed), "https://e.org/e.jpg");
    let logo = Draft {
        thumbnail: Some(url("https://e.org/logo.png")),
        ..Draft::default()
    };
    assert_eq!(merged(logo), "https://news.example.org/lead.jpg");
}

#[test]
fn pictures_are_absolute_and_the_page_names_its_own() {
    let page = around(&format!(
        "<p><img data-src=p.jpg src=data:,></p>{}",
        paragraphs(2)
    ));
    let found = read(&page, "", None).unwrap();
    assert!(
        found
            .html
            .contains("<img src=\"https://news.example.org/2025/1101/p.jpg\">")
    );
    assert_eq!(
        found.image.unwrap().as_str(),
        "https://news.example.org/2025/1101/p.jpg"
    );
    let named = format!("<meta property=og:image content=/lead.jpg>{page}");
    let image = read(&named, "", None).unwrap().image.unwrap();
    assert_eq!(image.as_str(), "https://news.example.org/lead.jpg");
    let logo = format!("<meta property=og:image content=/img/logo.png>{page}");
    let image = read(&logo, "", None).unwrap().image.unwrap();
    assert_eq!(image.as_str(), "https://news.example.org/2025/1101/p.jpg");
}
