//! The body of an article as published, with its placeholders filled and the page's own machinery taken out.

use serde_json::Value;

use super::super::page::json;
use crate::rules::markup::escape;

/// Comments that steer the page. Pairs (`VERTICAL_CARD_BEGIN_0` … `END`) go, what they enclose stays.
const NOISE: [&str; 8] = [
    "AIPOS",
    "HPOS",
    "EOP",
    "PARAGRAPH",
    "AI_MID_AD",
    "VERTICAL_CARD",
    "SECURE_LINK",
    "MID_AD",
];

/// Fills the body's placeholders from its attributes; `link` is where a film is watched. One pass over the text.
pub fn fill(text: &str, attributes: &Value, link: &str) -> String {
    let mut body = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        let Some((name, after)) = comment.split_once("-->") else {
            break;
        };
        body.push_str(before);
        let name_only = name.trim();
        if name_only.starts_with("IMG_") {
            picture(attributes.get(name_only), &mut body);
        } else if name_only.starts_with("VIDEO_") {
            film(attributes.get(name_only), link, &mut body);
        } else if !NOISE.iter().any(|noise| name_only.starts_with(noise)) {
            body.push_str("<!--");
            body.push_str(name);
            body.push_str("-->");
        }
        rest = after;
    }
    body.push_str(rest);
    without_tail(body)
}

/// A placeholder without its picture leaves nothing.
fn picture(attribute: Option<&Value>, body: &mut String) {
    let Some(url) = attribute.and_then(picture_url) else {
        return;
    };
    let words = attribute.and_then(|value| json::text(value, "desc"));
    push_img(&url, words.unwrap_or_default(), body);
}

/// The film's picture, leading to where it can be watched.
fn film(attribute: Option<&Value>, link: &str, body: &mut String) {
    let Some(attribute) = attribute else { return };
    let words = json::first_text(attribute, &["title", "desc"]).unwrap_or_default();
    let poster = json::text(attribute, "img")
        .map(str::to_owned)
        .or_else(|| picture_url(json::at(attribute, "img")?));
    let Some(poster) = poster else { return };
    body.push_str("<a href=\"");
    body.push_str(&escape::attribute(link));
    body.push_str("\">");
    push_img(&poster, words, body);
    body.push_str("</a>");
}

fn push_img(url: &str, words: &str, body: &mut String) {
    body.push_str("<img src=\"");
    body.push_str(&escape::attribute(&absolute(url)));
    body.push_str("\" alt=\"");
    body.push_str(&escape::attribute(words.trim()));
    body.push_str("\">");
}

/// `//host/…` is common here.
fn absolute(url: &str) -> String {
    let url = url.trim();
    if url.starts_with("//") {
        format!("https:{url}")
    } else {
        url.to_owned()
    }
}

/// The picture at size 1000. Which field holds it is not established, so the one that ends so is taken; the newer image
/// host has the size as its address's last step and serves every picture in it.
fn picture_url(attribute: &Value) -> Option<String> {
    const PLACES: [&str; 11] = [
        "imgurl1000.imgurl",
        "imgurl1000",
        "bigOrigUrl",
        "origUrl",
        "url",
        "imgurl0.imgurl",
        "imgurl0",
        "imgurl641.imgurl",
        "imgurl641",
        "imgurl640.imgurl",
        "imgurl640",
    ];
    let offered: Vec<&str> = PLACES
        .iter()
        .filter_map(|place| json::text(attribute, place))
        .collect();
    if let Some(url) = offered.iter().find(|url| url.trim_end().ends_with("/1000")) {
        return Some((*url).to_owned());
    }
    let url = offered.first()?.trim();
    let resized = url
        .contains("/om_bt/")
        .then(|| url.strip_suffix("/0").or_else(|| url.strip_suffix("/641")))
        .flatten()
        .map(|token| format!("{token}/1000"));
    Some(resized.unwrap_or_else(|| url.to_owned()))
}

/// The editor's style sheet at the end, and the empty box that names the editor.
fn without_tail(mut body: String) -> String {
    cut_last(&mut body, "<style", "</style>", |_| true);
    cut_last(&mut body, "<div powered-by=", "</div>", |inside| {
        blank(inside.split_once('>').map_or("", |(_, words)| words))
    });
    body
}

/// Cuts the last stretch from `open` to `close` where only tags and blanks follow it.
fn cut_last(body: &mut String, open: &str, close: &str, fits: impl Fn(&str) -> bool) {
    let found = body.rfind(open).and_then(|start| {
        let tail = body.get(start + open.len()..)?;
        let (inside, after) = tail.split_once(close)?;
        (fits(inside) && blank(after)).then(|| (start, body.len() - after.len()))
    });
    if let Some((start, end)) = found {
        body.replace_range(start..end, "");
    }
}

/// Whether markup shows nothing: no words and no pictures.
fn blank(markup: &str) -> bool {
    let mut rest = markup;
    while let Some((words, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        if !words.trim().is_empty() || !(tag.starts_with('/') || tag.starts_with("div")) {
            return false;
        }
        rest = after;
    }
    rest.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expected: &str) {
        let attributes = json!({
            "IMG_0": {"url": "//i.example/om_bt/T/641", "desc": "a \"b\" & c"},
            "IMG_1": {"imgurl0": "https://i.example/om_bt/U/0", "imgurl1000": {"imgurl": "https://i.example/om_bt/U/1000"}},
            "VIDEO_0": {"img": {"imgurl640": {"imgurl": "http://i.example/p"}}, "title": "film"},
            "VIDEO_1": {"img": "https://i.example/q"},
        });
        assert_eq!(fill(text, &attributes, "https://x/a"), expected);
    }

    #[test]
    fn placeholders_are_filled() {
        check(
            "<p><!--IMG_0--></p><p>一</p>",
            "<p><img src=\"https://i.example/om_bt/T/1000\" alt=\"a &quot;b&quot; &amp; c\"></p><p>一</p>",
        );
        check(
            "<!--IMG_1-->",
            "<img src=\"https://i.example/om_bt/U/1000\" alt=\"\">",
        );
        check("a<!--IMG_9-->b", "ab");
        check(
            "<!--VIDEO_0-->",
            "<a href=\"https://x/a\"><img src=\"http://i.example/p\" alt=\"film\"></a>",
        );
        check(
            "<!--VIDEO_1-->",
            "<a href=\"https://x/a\"><img src=\"https://i.example/q\" alt=\"\"></a>",
        );
    }

    #[test]
    fn machinery_goes_and_words_stay() {
        check(
            "一<!--AIPOS_0--><!--VERTICAL_CARD_BEGIN_1-->二<!--VERTICAL_CARD_END_1-->三<!--EOP_0--><!-- kept --><!--open",
            "一二三<!-- kept --><!--open",
        );
        check(
            "<div class=\"rich_media_content\"><p>一</p><style>p{}</style></div>",
            "<div class=\"rich_media_content\"><p>一</p></div>",
        );
        check(
            "<div><p>一</p><div powered-by=\"ex-editor\"></div><style>p{}</style></div>",
            "<div><p>一</p></div>",
        );
        check("<style>p{}</style><p>一</p>", "<style>p{}</style><p>一</p>");
        check(
            "<div powered-by=\"ex-editor\"><p>一</p></div>",
            "<div powered-by=\"ex-editor\"><p>一</p></div>",
        );
    }
}
