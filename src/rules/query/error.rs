//! Why a text is no query, and where.

use super::{MAX_BYTES, MAX_CONDITIONS};

/// Why a text is no query.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("column {column}: {why}")]
pub struct QueryError {
    /// The place, in characters from 1.
    pub column: usize,
    /// The place, in bytes.
    pub at: usize,
    /// What is wrong there, and what was expected.
    pub why: Why,
}

/// What is wrong.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Why {
    /// There is nothing in it.
    #[error("expected a word, a \"phrase\" or a field such as title:")]
    Empty,
    /// Nobody types this much.
    #[error("expected at most {MAX_BYTES} bytes")]
    Long,
    /// Nor this many.
    #[error("expected at most {MAX_CONDITIONS} words and fields")]
    Many,
    /// A quote that is not closed.
    #[error("expected a closing {0} for the quote that opens here")]
    Open(char),
    /// A phrase or a field's words with nothing that can be looked for.
    #[error("expected a letter or a digit to look for")]
    Wordless,
    /// A field we do not have.
    #[error(
        "`{0}` is no field: expected title, author, category, source, tag, after or before; in quotes it is words"
    )]
    Field(String),
    /// A field with nothing after its colon.
    #[error("expected {expected} right after `{field}:`")]
    Value {
        /// The field.
        field: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// A day that is none.
    #[error("expected a date such as 2026-01-31, 2026-01 or 2026")]
    Date,
    /// A feed that cannot be one.
    #[error("expected a feed's id: 1 to 40 of a–z, 0–9 and -")]
    Source,
    /// An `OR` without a neighbour.
    #[error("expected a word or a field on both sides of OR")]
    Or,
    /// A bracket where it would matter.
    #[error(
        "brackets do not group: OR joins its neighbours (a b OR c is a and one of b, c); in quotes they are words"
    )]
    Bracket,
    /// A word that may begin nearly everything.
    #[error("expected at least two characters before *")]
    Star,
}
