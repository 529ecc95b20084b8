//! Elements out of publishers' HTML.

use dom_query::{Document, Selection};

use super::looks_like;
use crate::model::entry::ReadError;
use crate::rules::markup::depth;

/// Characters of a title or a name.
const MAX_TEXT: usize = 1_000;

/// The page as a tree, if it is one we dare to build.
pub fn parse(text: &str, expected: &'static str) -> Result<Document, ReadError> {
    if !text.trim_start().starts_with('<') {
        return Err(ReadError::Other {
            expected,
            found: looks_like(text),
        });
    }
    depth::check(text, &depth::PAGE)?;
    Ok(Document::from(text))
}

/// The first element a selector finds, if any.
pub fn first<'d>(document: &'d Document, selector: &str) -> Option<Selection<'d>> {
    let found = document.select_single(selector);
    found.exists().then_some(found)
}

/// The start of its text, unless that is blank. Elements nest, so texts are cut: a page must not come out many times over.
pub fn text(selection: &Selection) -> Option<String> {
    let text = selection.text();
    let cut = text
        .char_indices()
        .nth(MAX_TEXT)
        .map_or(text.len(), |(at, _)| at);
    super::title(text.get(..cut).unwrap_or_default())
}

/// HTML without the pictures that are the site's own furniture: those whose tag holds one of `marks`. Everything else
/// stays as published. One pass.
pub fn without_pictures(html: &str, marks: &[&str]) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<img") {
        let (before, tag) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let Some(end) = tag.find('>') else { break };
        let (tag, after) = tag.split_at_checked(end + 1).unwrap_or((tag, ""));
        kept.push_str(before);
        if !marks.iter().any(|mark| tag.contains(mark)) {
            kept.push_str(tag);
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_pictures_go() {
        let check = |html, expected: &str| {
            assert_eq!(without_pictures(html, &["default-img"]), expected);
        };
        check(
            "a<img src=\"/default-img.png\">b<img src='c'>",
            "ab<img src='c'>",
        );
        check("default-img <img src=\"x\"", "default-img <img src=\"x\"");
    }

    #[test]
    fn a_deep_page_is_refused_before_it_is_built() {
        let deep = "<div>".repeat(100_000);
        assert!(matches!(
            parse(&deep, "an article"),
            Err(ReadError::Limit { .. })
        ));
        assert!(matches!(
            parse("{}", "an article"),
            Err(ReadError::Other { .. })
        ));
    }
}
