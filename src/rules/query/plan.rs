//! Query to index terms.

use super::{Clause, Condition, Query, What};
use crate::rules::terms::{self, SearchText, Term};

/// What an index narrows a search down with. Whatever the query matches is among what is found by it; what is found by
/// it need not match. Empty where there is nothing to go by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Terms of articles: of each part one alternative, and of that all terms.
    pub terms: Vec<Vec<Vec<Term>>>,
    /// The same in characters of blocks of articles, for what has no term.
    pub characters: Vec<Vec<Vec<char>>>,
}

pub(super) fn plan(query: &Query) -> Plan {
    Plan {
        terms: narrowed(query, terms::asked),
        characters: narrowed(query, |text, _| terms::characters([text])),
    }
}

/// What `of` makes of each clause; a clause with a condition it makes nothing of narrows nothing down.
fn narrowed<T>(query: &Query, of: impl Fn(&SearchText, bool) -> Vec<T>) -> Vec<Vec<Vec<T>>> {
    let alternative = |condition: &Condition| match &condition.what {
        What::Words(_, needle) if !condition.not => {
            Some(of(&needle.text, needle.prefix)).filter(|terms| !terms.is_empty())
        }
        _ => None,
    };
    let clauses = query.clauses.iter();
    clauses
        .filter_map(|Clause(any)| any.iter().map(alternative).collect())
        .collect()
}
