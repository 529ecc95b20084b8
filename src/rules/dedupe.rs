//! New, revised, known or reprint.

use crate::model::article::Article;
use crate::model::ids::ArticleSeq;
use crate::model::poll::{KnownEntry, Verdict};

/// What an article is to what is stored: `entry` is what is known under its key in its feed, `same_words` the first
/// article of any feed with the same content hash.
///
/// The hash as published decides whether an entry changed, not the content hash: a correction of the punctuation alone
/// is a revision too. And an entry that is known is never a reprint, whoever else had its new words first. Whether a
/// revision is stored is for [`revision`](crate::rules::revision) to say.
pub fn judge(
    article: &Article,
    entry: Option<&KnownEntry>,
    same_words: Option<ArticleSeq>,
) -> Verdict {
    match (entry, same_words) {
        (Some(entry), _) if entry.raw == article.raw => Verdict::Known(entry.latest),
        (Some(entry), _) => Verdict::Revised(entry.latest),
        (None, Some(first)) => Verdict::Reprint(first),
        (None, None) => Verdict::New,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;
    use crate::model::content::{CanonicalText, Content, ContentHash, RawHash};
    use crate::model::entry::EntryKey;
    use crate::model::ids::EntryId;
    use crate::model::revision::Temper;
    use crate::model::time::Timestamp;

    fn article(raw: u128, published: Option<i64>, updated: Option<i64>) -> Article {
        let words = CanonicalText::from_folded("words".to_owned());
        Article {
            key: EntryKey::Id(EntryId::new("a").unwrap()),
            id: EntryId::new("a"),
            link: None,
            title: "Title".to_owned(),
            authors: Vec::new(),
            language: None,
            published: published.map(Timestamp::from_secs),
            updated: updated.map(Timestamp::from_secs),
            cms_date: None,
            categories: Vec::new(),
            summary: None,
            body: Content::plain("words"),
            partial: false,
            note: None,
            thumbnail: None,
            enclosures: Vec::new(),
            origin: None,
            content: ContentHash::of(&words, &words, None),
            raw: RawHash(raw),
            teaser: None,
        }
    }

    #[test]
    fn an_article_is_one_of_four_things() {
        let known = KnownEntry {
            latest: ArticleSeq(7),
            raw: RawHash(1),
            teaser: None,
            revised: Timestamp::EPOCH,
            updated: None,
            published: None,
            temper: Temper::default(),
            withdrawn: None,
        };
        let check = |raw, entry, same_words: Option<u64>, expected| {
            let same_words = same_words.map(ArticleSeq);
            assert_eq!(
                judge(&article(raw, None, None), entry, same_words),
                expected
            );
        };
        check(1, None, None, Verdict::New);
        check(1, None, Some(3), Verdict::Reprint(ArticleSeq(3)));
        check(1, Some(&known), Some(7), Verdict::Known(ArticleSeq(7)));
        check(2, Some(&known), None, Verdict::Revised(ArticleSeq(7)));
        // Its own old words with other punctuation, and words another entry had first.
        check(2, Some(&known), Some(7), Verdict::Revised(ArticleSeq(7)));
        check(2, Some(&known), Some(3), Verdict::Revised(ArticleSeq(7)));
    }
}
