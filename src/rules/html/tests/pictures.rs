//! Which pictures are shown, and where they are.

use super::{base, check_safe};
use crate::model::content::Content;
use crate::rules::html::{display, safe, text};

#[test]
fn pictures_that_wait_get_their_address_and_counters_go() {
    check_safe(
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAA' data-src=/a.jpg>",
        "<img src=\"https://example.org/a.jpg\">",
    );
    check_safe(
        "<img data-original=/a.jpg alt='x'>",
        "<img src=\"https://example.org/a.jpg\" alt=\"x\">",
    );
    check_safe(
        "<img srcset='/a.jpg 2x'>",
        "<img src=\"https://example.org/a.jpg\" srcset=\"https://example.org/a.jpg 2x\">",
    );
    for pixel in [
        "<img src=https://c.example.org/p width=1 height=1>",
        "<img src=https://c.example.org/p width='1px' height=0>",
        "<img src=https://c.example.org/p style='width: 1px;HEIGHT:1px'>",
        "<img src=''>",
        "<img alt=x>",
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAA'>",
        "<noscript><img src=https://c.example.org/p></noscript>",
    ] {
        check_safe(&format!("a{pixel}b"), "ab");
    }
    check_safe(
        "<img src=/a width=1 height=200>",
        "<img src=\"https://example.org/a\" width=\"1\" height=\"200\">",
    );
    let tiny = "data:image/png;base64,AAAA";
    check_safe(
        &format!("<img src='{tiny}'>"),
        &format!("<img src=\"{tiny}\">"),
    );
    check_safe(&format!("<img src='{tiny}{}'>", "A".repeat(8192)), "");
}

#[test]
fn a_picture_without_an_address_has_it_in_what_stands_around_it() {
    let shown = "<img src=\"https://example.org/a.jpg\">";
    for html in [
        "<img class=lazy src=/static/blank.gif><noscript><img src=/a.jpg></noscript>",
        "<img src='data:image/svg+xml;base64,AA'>\n<noscript><b><img data-src=/a.jpg></b></noscript>",
        "<noscript><img src=/a.jpg></noscript><img src=/loading.gif>",
        "<img data-src=/a.jpg src=/loading.gif><noscript><img src=/a.jpg></noscript>",
        "<img real_src=/a.jpg src=x.jpg>",
        "<image src=/a.jpg>",
        "<amp-img src=/a.jpg></amp-img>",
        "<img src=/a.jpg loading=lazy decoding=async onload=x class=y>",
    ] {
        let found = safe(html, Some(&base()));
        assert_eq!(found.replace('\n', ""), shown, "{html}");
        let settled = safe(&found, Some(&base()));
        assert_eq!(settled, found, "{html}");
    }
    check_safe(
        "<picture><source type=image/webp data-srcset='/a.webp 1x'><source srcset='/b.jpg 2x'><img src='data:image/gif;base64,R0lGODlhAQABAA' alt=x></picture>",
        "<picture><source type=\"image/webp\" srcset=\"https://example.org/a.webp 1x\"><source srcset=\"https://example.org/b.jpg 2x\"><img src=\"https://example.org/b.jpg\" alt=\"x\"></picture>",
    );
    check_safe(
        "<img src=/a.jpg srcset='/blank.gif 1x, /b.jpg 2x'>",
        "<img src=\"https://example.org/a.jpg\" srcset=\"https://example.org/b.jpg 2x\">",
    );
    // What is in the source of a player is no picture.
    for player in [
        "<video><source src=/v>",
        "<picture><source srcset=/v></picture>",
    ] {
        let shown = safe(&format!("{player}<img alt=x>"), Some(&base()));
        assert!(!shown.contains("<img"), "{shown}");
    }
}

#[test]
fn f_64_counters_are_dropped_wherever_they_stand() {
    for html in [
        "<img src=//pixel.wp.com/b.gif>",
        "<img src=https://feeds.feedburner.com/~r/x/~4/y>",
        "<img src=https://c.example.org/p width=0>",
        "<img src=https://c.example.org/p style=display:none>",
        "<img src=/spacer.gif>",
        "<img src=/blank.gif><noscript><img src=https://c.example.org/p width=1 height=1></noscript>",
        "<img src=/blank.gif><noscript><img src=https://stats.example.org/matomo.php?idsite=1></noscript>",
        "<img src=/a.jpg width=0>words<noscript><img src=https://c.example.org/p></noscript>",
        "<img src=/blank.gif>words<noscript><img src=https://c.example.org/p></noscript>",
        "<noscript><img src=https://c.example.org/p></noscript>words<img src=/blank.gif>",
    ] {
        let found = safe(html, Some(&base()));
        assert!(!found.contains("<img"), "{html}: {found}");
    }
}

#[test]
fn what_is_published_asks_for_pictures_without_a_referrer() {
    let shown = |html: &str| display(&Content::html(html), Some(&base()));
    let once =
        shown("<p><img src=/a referrerpolicy=unsafe-url loading=lazy alt=x></p><a href=/b>c</a>");
    assert_eq!(
        once,
        "<p><img src=\"https://example.org/a\" alt=\"x\" referrerpolicy=\"no-referrer\"></p><a href=\"https://example.org/b\">c</a>"
    );
    assert_eq!(shown(&once), once);
}

/// Pictures are no words: whatever is read of them, hashes in stores stay as they are.
#[test]
fn pictures_are_no_words() {
    for html in [
        "甲<img src=/blank.gif><noscript><img src=/a.jpg alt=x>y</noscript>乙",
        "甲<picture><source srcset=/a><img src=b alt=x></picture>乙",
        "甲<amp-img src=/a alt=x></amp-img>乙",
        "甲<img src=/a width=0 title=x>乙",
    ] {
        assert_eq!(text(html), "甲乙", "{html}");
        assert_eq!(text(&safe(html, Some(&base()))), "甲乙", "{html}");
    }
}
