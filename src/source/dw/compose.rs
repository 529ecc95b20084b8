//! The body of a DW article as the archive has it: one line of HTML (archive format, section 3).

use std::fmt::Write;

use crate::rules::markup::escape;

/// A picture with its caption; either may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// The picture's address at size 303.
    pub url: Option<String>,
    /// Plain text.
    pub caption: String,
}

/// `<div><i>A<br>T</i></div>`; author and time may be empty, the `<br>` stays.
pub fn byline(author: &str, iso: &str) -> String {
    format!("<div><i>{}<br>{iso}</i></div>", escape::text(author))
}

/// Author and time out of the byline a body starts with.
pub fn read_byline(body: &str) -> Option<(&str, &str)> {
    let (byline, _) = body.strip_prefix("<div><i>")?.split_once("</i></div>")?;
    byline.split_once("<br>")
}

/// The picture by way of the image proxy, and its caption's place even where there is none.
pub fn figure(figure: &Figure) -> String {
    let source = figure.url.as_deref().map(weserv).unwrap_or_default();
    format!(
        "<img src=\"{}\" width=\"100%\"><div><small style=\"color: #999;\">{}</small></div>",
        escape::attribute(&source),
        escape::text(&figure.caption)
    )
}

/// A paragraph's HTML as published. It is wrapped where it is only the inside of one.
pub fn paragraph(html: &str) -> String {
    if starts_with_block(html) {
        html.to_owned()
    } else {
        format!("<p>{html}</p>")
    }
}

/// A film, which has no byline and no picture of its own.
pub fn video(url: &str) -> String {
    format!(
        "<video src=\"{}\" controls style=\"width:100%\"></video>",
        escape::attribute(url)
    )
}

/// Every line trimmed, and the lines joined by nothing: that is what makes it one line.
pub fn one_line(html: &str) -> String {
    html.split(['\n', '\r']).map(str::trim).collect()
}

/// The address without its scheme, behind the proxy. One with a query is encoded as a whole, or the proxy would take
/// its parameters for its own.
fn weserv(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, bare)| bare);
    let mut address = "https://images.weserv.nl/?url=".to_owned();
    if bare.contains(['?', '#']) {
        for byte in bare.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                address.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
    } else {
        address.push_str(bare);
    }
    address
}

fn starts_with_block(html: &str) -> bool {
    const BLOCKS: [&str; 14] = [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "blockquote",
        "table",
        "figure",
        "hr",
    ];
    html.trim_start().strip_prefix('<').is_some_and(|tag| {
        let end = tag
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(tag.len());
        let name = tag.get(..end).unwrap_or_default();
        BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_leaves_its_place() {
        assert_eq!(byline("", "T"), "<div><i><br>T</i></div>");
        assert_eq!(read_byline(&byline("", "T")), Some(("", "T")));
        assert_eq!(byline("  甲&乙", "T"), "<div><i>  甲&amp;乙<br>T</i></div>");
        assert_eq!(
            figure(&Figure::default()),
            "<img src=\"\" width=\"100%\"><div><small style=\"color: #999;\"></small></div>"
        );
    }

    #[test]
    fn pictures_go_by_the_proxy() {
        let check = |url, expected: &str| {
            assert_eq!(
                weserv(url),
                format!("https://images.weserv.nl/?url={expected}")
            );
        };
        check(
            "https://static.example/image/1_303.jpg",
            "static.example/image/1_303.jpg",
        );
        check("https://a/b?c=d&e", "a%2Fb%3Fc%3Dd%26e");
    }

    #[test]
    fn paragraphs_are_wrapped_once() {
        let check = |html, expected: &str| assert_eq!(paragraph(html), expected);
        check("甲<b>乙</b>", "<p>甲<b>乙</b></p>");
        check(" <P class=x>甲</P>", " <P class=x>甲</P>");
        check("<pre>", "<p><pre></p>");
        check(" ", "<p> </p>");
    }

    #[test]
    fn lines_are_joined_by_nothing() {
        assert_eq!(one_line(" <p>a \r\n  b</p>\n\n"), "<p>ab</p>");
    }
}
