//! Store to outputs to files. Follows a cursor, so it can be run again alone: a crash costs one repeat, never a loss.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::model::article::StoredArticle;
use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::river::CopyPolicy;
use crate::model::urls::PageUrl;
use crate::output::Output;
use crate::output::archive::{ArchiveFormat, Label, name};
use crate::output::atom::Atom;
use crate::output::files::{self, FileError};
use crate::rules::share::Share;
use crate::service::archive as keeping;
use crate::service::manifest;
use crate::service::shelf;
use crate::service::strays::Then;
use crate::store::{ArchivedFile, Store, StoreError};

/// Files written between two moves of the cursor.
const BATCH: usize = 256;

/// What is published, and where.
pub struct Press {
    /// What is read, and where the cursor is kept.
    pub store: Store,
    /// The archive's directory; `None` where there is no archive.
    pub archive: Option<PathBuf>,
    /// Where the service keeps archive documents (RFC 5005), if it ever did.
    pub sealed: Option<PathBuf>,
    /// The merged feed's file.
    pub feed: PathBuf,
    /// Entries in the merged feed at most.
    pub entries: usize,
    /// How much of them, and of a tag's, one source may take.
    pub share: Share,
    /// What becomes of copies in the merged feed and in those of tags.
    pub copies: CopyPolicy,
    /// What the operator says of the merged feed.
    pub masthead: Masthead,
    /// Our orders, by feed.
    pub subscriptions: HashMap<FeedId, Subscription>,
}

/// What the operator says of the merged feed.
#[derive(Clone, Debug)]
pub struct Masthead {
    /// A constant IRI, where one was chosen.
    pub id: Option<String>,
    /// Title.
    pub title: String,
    /// A line below it.
    pub subtitle: Option<String>,
    /// Author.
    pub author: String,
    /// BCP 47.
    pub language: String,
    /// Where it is served.
    pub home: PageUrl,
}

/// What was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Archive files written.
    pub files: usize,
    /// Manifests written.
    pub manifests: usize,
    /// Articles that no file can hold, and why.
    pub unarchivable: Vec<(ArticleSeq, String)>,
    /// Whether the merged feed's bytes changed.
    pub feed_changed: bool,
}

/// Why nothing, or not everything, could be published. What is missing is made up for by the next run.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Press {
    /// Brings the archive and the merged feed up to the store. Touches no file that is right already.
    pub async fn publish(&self) -> Result<Published, PublishError> {
        // The feed first: a file that is in the archive's way must not keep readers from the news.
        let mut published = Published {
            feed_changed: files::write_if_changed(&self.feed, &self.render(&Atom)?)?,
            ..Published::default()
        };
        if let Some(directory) = &self.archive {
            let filed = self.archive_in(directory, &mut published).await;
            // Whatever became of the last files: those that are noted get into their manifests.
            published.manifests = manifest::keep(&self.store, directory).await?;
            filed?;
        }
        Ok(published)
    }

    /// Writes the files of all articles the cursor has not passed, oldest first.
    async fn archive_in(
        &self,
        directory: &Path,
        published: &mut Published,
    ) -> Result<(), PublishError> {
        files::sweep(directory)?;
        let hidden = self.hidden()?;
        let mut then = None;
        loop {
            let articles = self.store.to_archive(self.store.archive_cursor()?, BATCH)?;
            let Some(cursor) = articles.last().map(|(cause, _)| *cause) else {
                return Ok(());
            };
            let mut batch = Vec::with_capacity(articles.len());
            let mut written = Vec::with_capacity(articles.len());
            for (_, article) in &articles {
                match self.file_of(article, &hidden) {
                    Ok(Some((file, bytes))) => {
                        if let Some(file) = self.taken_over(directory, &file, &mut then)? {
                            written.push(file);
                        } else {
                            batch.push((file.name.clone(), bytes));
                            written.push(file);
                        }
                    }
                    Ok(None) => {}
                    Err(why) => published.unarchivable.push((article.seq, why)),
                }
            }
            published.files += files::write_batch(directory, &batch)?;
            self.store.archived(written, cursor).await?;
        }
    }

    /// The file of an article: `None` where it has none, since the same words have one already, or its feed keeps none.
    fn file_of(
        &self,
        article: &StoredArticle,
        hidden: &[FeedId],
    ) -> Result<Option<(ArchivedFile, Vec<u8>)>, String> {
        let subscription = self.subscriptions.get(&article.feed);
        if subscription.is_some() && hidden.contains(&article.feed) {
            return Ok(None);
        }
        let Some(format) = keeping::format_of(&article.article, subscription) else {
            return Ok(None);
        };
        let label = keeping::label_of(&article.feed, &article.article, format, subscription);
        let bytes = rendered(format, article, &label)?;
        let file = ArchivedFile {
            seq: article.seq,
            name: name::file_name(article.seq, article.article.content),
            format: format.name().to_owned(),
            language: label.language,
            zone: label.zone.name().to_owned(),
            digest: *blake3::hash(&bytes).as_bytes(),
            size: Some(bytes.len() as u64),
            foreign: None,
        };
        Ok(Some((file, bytes)))
    }

    /// The file that has these words already, though the store did not know of it: written before an older copy of the
    /// store was put back. It is as it was written, under the number it had then.
    fn taken_over(
        &self,
        directory: &Path,
        file: &ArchivedFile,
        then: &mut Option<Then>,
    ) -> Result<Option<ArchivedFile>, PublishError> {
        let Some((_, content)) = name::parse_file_name(&file.name) else {
            return Ok(None);
        };
        let Some(stray) = self.store.stray(content)? else {
            return Ok(None);
        };
        let Some(bytes) = files::read_if_there(&directory.join(&stray))? else {
            return Ok(None);
        };
        let digest = *blake3::hash(&bytes).as_bytes();
        let then = match then {
            Some(then) => then,
            None => then.insert(Then::read(directory)?),
        };
        let Some(format) = then.format_of(&stray, &bytes, &digest) else {
            tracing::warn!(
                file = stray,
                "it is not as it was written before the store was put back: its words get another file"
            );
            return Ok(None);
        };
        Ok(Some(ArchivedFile {
            name: stray,
            digest,
            size: Some(bytes.len() as u64),
            format: format.to_owned(),
            ..file.clone()
        }))
    }

    /// The merged feed in a format. Depends on the store and the operator's masthead, and on nothing else.
    pub fn render(&self, output: &dyn Output) -> Result<Vec<u8>, PublishError> {
        shelf::merged(self, output)
    }

    /// The feeds that are shown to nobody (F-63): the private ones, and those that were private when they were last
    /// subscribed to. Their articles outlive their subscription, so they are remembered, beside the merged feed.
    pub(super) fn hidden(&self) -> Result<Vec<FeedId>, PublishError> {
        let record = self.feed.with_file_name("private-feeds");
        let before = files::read_if_there(&record)?.unwrap_or_default();
        let mut hidden: BTreeSet<FeedId> = String::from_utf8_lossy(&before)
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        let states = self.store.feed_states()?;
        let states: HashMap<_, _> = states.iter().map(|state| (&state.id, state)).collect();
        for subscription in self.subscriptions.values() {
            let said = states.get(&subscription.id);
            let said = said.is_some_and(|state| state.learned.private);
            if subscription.private.unwrap_or(said) {
                hidden.insert(subscription.id.clone());
            } else {
                hidden.remove(&subscription.id);
            }
        }
        let names: Vec<&str> = hidden.iter().map(FeedId::as_str).collect();
        let now = names.join("\n");
        if now.as_bytes() != before {
            files::write_whole(&record, now.as_bytes())?;
        }
        Ok(hidden.into_iter().collect())
    }
}

/// An article as a file of a format.
pub fn rendered(
    format: &dyn ArchiveFormat,
    article: &StoredArticle,
    label: &Label,
) -> Result<Vec<u8>, String> {
    let sheet = format
        .sheet(article, label)
        .map_err(|why| why.to_string())?;
    format
        .render(&sheet, &label.zone)
        .map_err(|why| why.to_string())
}
