//! Start tags that say that end tags before them are missing, and what only looks like one.

/// Fields of an entry that hold words and no elements, or nothing.
const PLAIN: [&str; 12] = [
    "title",
    "link",
    "guid",
    "pubDate",
    "category",
    "comments",
    "author",
    "id",
    "updated",
    "published",
    "dc:date",
    "dc:creator",
];

/// Other fields of an entry, which are no elements of HTML inside those.
const OTHERS: [&str; 6] = [
    "description",
    "enclosure",
    "source",
    "summary",
    "content",
    "content:encoded",
];

/// Whether the field that is open holds nothing of this name, so that it has to be over. `author` holds elements in Atom.
pub(super) fn is_over(open: &str, name: &str) -> bool {
    PLAIN.contains(&open) && (PLAIN.contains(&name) || OTHERS.contains(&name))
}

/// Whether what was taken for the name of a tag is none: the `<` before it is a character of a text.
pub(super) fn is_text(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
}
