//! What of a page has no words: scripts, players, what only scripts would show.

use crate::rules::markup::element::{Layout, Nesting};
use crate::rules::markup::token::{Tag, Token, Tokens};

/// The next token, the insides of scripts and styles left out. HTML ignores the stroke of `<script/>`, but feeds mean it.
pub(super) fn next<'a>(tokens: &mut Tokens<'a>) -> Option<Token<'a>> {
    let token = tokens.next()?;
    if let Token::Start(tag) = &token
        && !tag.self_closing
        && tag.element().nesting == Nesting::Raw
    {
        tokens.skip_raw(tag.name);
    }
    Some(token)
}

/// Whether an element is left out with all it contains.
pub(super) fn is_wordless(tag: &Tag) -> bool {
    // qq ends its articles with `<div powered-by="ex-editor">`.
    let noise = || tag.is("div") && tag.attribute("powered-by").is_some();
    let known = tag.element();
    let wordless = match known.layout {
        Layout::Player => true,
        // Raw ones have lost their insides already; a formula has words.
        Layout::Hidden => known.nesting != Nesting::Raw && !tag.is("math"),
        _ => ["button", "canvas", "head"].iter().any(|name| tag.is(name)),
    };
    !tag.self_closing && (wordless || noise())
}

/// Passes over what an element contains; `false` where it is never closed.
pub(super) fn skip_element(tokens: &mut Tokens, name: &str) -> bool {
    let mut open = 1usize;
    while let Some(token) = next(tokens) {
        match token {
            Token::Start(tag) if tag.is(name) && !tag.self_closing => open += 1,
            Token::End(ended) if ended.is(name) => {
                open -= 1;
                if open == 0 {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}
