//! What is known of each element: how parsers nest it, and how a page lays it out.

/// What is known of an element by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// How a parser opens and closes it.
    pub nesting: Nesting,
    /// How what is inside stands on the page.
    pub layout: Layout,
}

/// How a parser opens and closes an element (HTML standard, §13.2.6.4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Never has content.
    Void,
    /// Content is no markup.
    Raw,
    /// Inline; left unclosed it goes on in the next block.
    Formatting,
    /// Closes whatever is open inside of it, but not through a wall.
    Block,
    /// Tables and other things that end tags do not reach out of.
    Wall,
    /// SVG or `MathML`, where `/>` closes.
    Foreign,
    /// Anything else: its end tag does not reach through blocks.
    Other,
}

/// How an element parts the words inside of it from those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Not at all.
    Inline,
    /// They stand on a line of their own.
    Block,
    /// By a blank: cells of one row.
    Cell,
    /// They stand on lines of their own, and keep their blanks.
    Verbatim,
    /// A player; its words are for those who have none.
    Player,
    /// They are not shown.
    Hidden,
}

/// Looks an element up, in whatever case it is written.
pub fn element(name: &str) -> Element {
    let mut buffer = [0; 10];
    let is = |nesting, layout| Element { nesting, layout };
    // No name below is longer.
    let Some(lower) = buffer.get_mut(..name.len()) else {
        return is(Nesting::Other, Layout::Inline);
    };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"area" | b"base" | b"basefont" | b"bgsound" | b"col" | b"embed" | b"img" | b"input"
        | b"link" | b"meta" | b"param" | b"source" | b"track" | b"wbr" => {
            is(Nesting::Void, Layout::Inline)
        }
        b"br" | b"hr" => is(Nesting::Void, Layout::Block),
        b"script" | b"style" | b"iframe" | b"noembed" | b"noframes" | b"title" | b"textarea" => {
            is(Nesting::Raw, Layout::Hidden)
        }
        b"xmp" => is(Nesting::Raw, Layout::Verbatim),
        b"a" | b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small"
        | b"strike" | b"strong" | b"tt" | b"u" => is(Nesting::Formatting, Layout::Inline),
        b"p" | b"div" | b"li" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"address"
        | b"article" | b"aside" | b"blockquote" | b"center" | b"dd" | b"details" | b"dialog"
        | b"dir" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
        | b"header" | b"hgroup" | b"main" | b"menu" | b"nav" | b"ol" | b"search" | b"section"
        | b"summary" | b"ul" => is(Nesting::Block, Layout::Block),
        b"pre" | b"listing" => is(Nesting::Block, Layout::Verbatim),
        b"table" | b"thead" | b"tbody" | b"tfoot" | b"tr" | b"caption" | b"form" => {
            is(Nesting::Wall, Layout::Block)
        }
        b"td" | b"th" => is(Nesting::Wall, Layout::Cell),
        b"object" => is(Nesting::Wall, Layout::Player),
        b"select" | b"template" => is(Nesting::Wall, Layout::Hidden),
        b"applet" | b"button" | b"colgroup" | b"marquee" => is(Nesting::Wall, Layout::Inline),
        b"svg" | b"math" => is(Nesting::Foreign, Layout::Hidden),
        b"audio" | b"video" => is(Nesting::Other, Layout::Player),
        // Not raw: whether its content is markup depends on the parser, and ours take it for markup.
        b"noscript" => is(Nesting::Other, Layout::Hidden),
        b"html" | b"head" | b"body" | b"legend" | b"optgroup" | b"option" => {
            is(Nesting::Other, Layout::Block)
        }
        _ => is(Nesting::Other, Layout::Inline),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_length_does_not_hurt() {
        let check = |name: &str, nesting, layout| {
            assert_eq!(element(name), Element { nesting, layout }, "{name}");
        };
        check("BlockQuote", Nesting::Block, Layout::Block);
        check("figcaption", Nesting::Block, Layout::Block);
        check("SCRIPT", Nesting::Raw, Layout::Hidden);
        check("blockquotes", Nesting::Other, Layout::Inline);
        check("字", Nesting::Other, Layout::Inline);
        check("", Nesting::Other, Layout::Inline);
    }
}
