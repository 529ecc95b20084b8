//! Keeps the search index up to the articles, in slices: what is derived is never on a poll's path.

use std::collections::BTreeMap;

use tokio::runtime::Handle;

use crate::rules::query::Searchable;
use crate::rules::terms::{self, RECIPE, SearchText};
use crate::store::{Store, StoreError, Terms, Unindexed};

/// Articles of one slice. The writer takes them in at once, and polls wait for that.
const SLICE: usize = 256;

/// Takes one slice of articles into the index, and says whether there is more. Reads and folds, so it is not for an
/// async thread; inside a runtime.
pub fn catch_up(store: &Store) -> Result<bool, StoreError> {
    let runtime = Handle::current();
    if store.index_state()?.recipe != RECIPE {
        runtime.block_on(store.reset_index(RECIPE))?;
    }
    let slice = store.unindexed(SLICE)?;
    if slice.next == slice.state.next {
        // There is time for it now. Without it the index would stay a good deal longer.
        return Ok(store.index_is_scattered()? && runtime.block_on(store.gather_index())?);
    }
    let more = slice.more;
    let taken = runtime.block_on(store.index(terms_of(&slice)))?;
    Ok(more || !taken || store.index_is_scattered()?)
}

/// How many articles are not in the index.
pub fn behind(store: &Store) -> Result<u64, StoreError> {
    store.behind_index(RECIPE)
}

fn terms_of(slice: &Unindexed) -> Terms {
    let mut articles = Vec::with_capacity(slice.articles.len());
    let mut blocks: BTreeMap<u64, Vec<char>> = BTreeMap::new();
    for article in &slice.articles {
        let texts = Searchable::of(&article.article);
        if article.seq.0 >= slice.state.next {
            articles.push((article.seq, terms::terms(texts.texts()).join(" ")));
        }
        if let Some(block) = slice.full_block(article.seq) {
            let all: Vec<&SearchText> = texts.texts().collect();
            blocks
                .entry(block)
                .or_default()
                .extend(terms::characters(all));
        }
    }
    let joined = |mut characters: Vec<char>| {
        characters.sort_unstable();
        characters.dedup();
        let mut text = String::with_capacity(characters.len() * 4);
        for character in characters {
            text.push(character);
            text.push(' ');
        }
        text
    };
    Terms {
        state: slice.state,
        next: slice.next,
        articles,
        blocks: blocks
            .into_iter()
            .map(|(block, characters)| (block, joined(characters)))
            .collect(),
    }
}
