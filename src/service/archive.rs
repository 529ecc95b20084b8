//! Archive files back into the store, and the store's articles as the files they were.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::model::article::Article;
use crate::model::content::{Content, ContentId, ContentKind};
use crate::model::entry::{Draft, EntryKey};
use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::Verdict;
use crate::model::time::{Timestamp, Zone};
use crate::model::urls::PageUrl;
use crate::output::archive::{self, ArchiveFormat, Label, Sheet, name, text};
use crate::output::files::FileError;
use crate::rules::normalise;
use crate::service::publish;
use crate::store::{ArchivedFile, ImportedArticle, Store, StoreError};

/// Larger files are no archive files.
const LARGEST: u64 = 64 << 20;

/// Files taken in with one transaction.
const BATCH: usize = 256;

/// Why an import, a proof or an export could not run.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or directory.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store has files nobody has measured since there are manifests.
    #[error(
        "the archive was written before there were manifests and has none yet; any command that publishes, such as a fetch, writes them"
    )]
    NoManifests,
}

/// What became of one file of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Import {
    /// It is in the store now, under this number.
    Taken(ArticleSeq),
    /// Its words were there already, under this number.
    Known(ArticleSeq),
    /// It is not one of our files, or holds nothing.
    Refused(String),
}

/// Where imported articles belong, and how their files are to be read.
struct Shelf {
    feed: FeedId,
    zone: Zone,
}

/// Takes the archive files of a directory into the store, in the order of their numbers. A number is kept where it was
/// never given here and is higher than all that were; an id in a name is accepted and recorded, whoever made it. Doing
/// it twice changes nothing.
///
/// `feed` is where the articles belong. Without it, a `hugo` file belongs to the feed it names; any other to the one
/// subscription that is archived in its format, if there is only one.
pub async fn import(
    store: &Store,
    directory: &Path,
    feed: Option<&FeedId>,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<BTreeMap<String, Import>, ArchiveError> {
    let mut outcomes = BTreeMap::new();
    let mut batch: Vec<(FeedId, ImportedArticle)> = Vec::new();
    for (seq, id, file) in named_files(directory)? {
        let read = read(&directory.join(&file));
        let taken = match &read {
            Ok(bytes) => take(bytes, feed, subscriptions, now),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let digest = read.map_or([0; 32], |bytes| *blake3::hash(&bytes).as_bytes());
        let (feed, format, article) = match taken {
            Ok(taken) => taken,
            Err(why) => {
                outcomes.insert(file, Import::Refused(why));
                continue;
            }
        };
        // One transaction holds one feed's files, in the order of their numbers.
        let another = batch.first().is_some_and(|(first, _)| *first != feed);
        if another || batch.len() == BATCH {
            store_batch(store, std::mem::take(&mut batch), now, &mut outcomes).await?;
        }
        batch.push((
            feed,
            ImportedArticle {
                foreign_id: (article.content.short() != id).then_some(id),
                keep_seq: Some(seq),
                file_name: file,
                format: format.to_owned(),
                digest,
                article,
            },
        ));
    }
    store_batch(store, batch, now, &mut outcomes).await?;
    Ok(outcomes)
}

async fn store_batch(
    store: &Store,
    batch: Vec<(FeedId, ImportedArticle)>,
    now: Timestamp,
    outcomes: &mut BTreeMap<String, Import>,
) -> Result<(), ArchiveError> {
    let Some(feed) = batch.first().map(|(feed, _)| feed.clone()) else {
        return Ok(());
    };
    let (names, articles): (Vec<String>, Vec<ImportedArticle>) = batch
        .into_iter()
        .map(|(_, imported)| (imported.file_name.clone(), imported))
        .unzip();
    let answers = store.import(&feed, now, articles).await?;
    outcomes.extend(names.into_iter().zip(answers.into_iter().map(
        |(seq, verdict)| match verdict {
            Verdict::Known(_) => Import::Known(seq),
            _ => Import::Taken(seq),
        },
    )));
    Ok(())
}

/// The files of a directory whose names are those of archive files, by number.
fn named_files(directory: &Path) -> Result<Vec<(ArticleSeq, ContentId, String)>, ArchiveError> {
    let unreadable = |error| ArchiveError::Unreadable {
        path: directory.to_owned(),
        error,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let Ok(name) = entry.map_err(unreadable)?.file_name().into_string() else {
            continue;
        };
        if let Some((seq, id)) = name::parse_file_name(&name) {
            files.push((seq, id, name));
        }
    }
    files.sort();
    Ok(files)
}

/// A regular file's bytes, one more than are allowed where there are too many. A pipe would be waited for without end.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One file as an article, and where it belongs.
fn take(
    bytes: &[u8],
    feed: Option<&FeedId>,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<(FeedId, &'static str, Article), String> {
    if bytes.len() as u64 > LARGEST {
        return Err(format!("over the limit of {LARGEST} bytes"));
    }
    let format = archive::detect(bytes).ok_or("no text in any of our formats")?;
    // The zone is the source's, and the file says at most which source that is: read once to know, once to be right.
    let sheet = format
        .parse(bytes, &Zone::utc())
        .map_err(|bad| bad.to_string())?;
    let shelf = shelf(format, &sheet, feed, subscriptions)?;
    let sheet = format
        .parse(bytes, &shelf.zone)
        .map_err(|bad| bad.to_string())?;
    let article = article(sheet, now)?;
    Ok((shelf.feed, format.name(), article))
}

fn shelf(
    format: &dyn ArchiveFormat,
    sheet: &Sheet,
    feed: Option<&FeedId>,
    subscriptions: &[Subscription],
) -> Result<Shelf, String> {
    let of = |subscription: &Subscription| Shelf {
        feed: subscription.id.clone(),
        zone: subscription.zone.clone(),
    };
    let named = feed.cloned().or_else(|| sheet.label.parse().ok());
    if let Some(id) = named {
        let known = subscriptions
            .iter()
            .find(|subscription| subscription.id == id);
        return Ok(known.map_or(
            Shelf {
                feed: id,
                zone: habitual_zone(format.name()),
            },
            of,
        ));
    }
    let mut alike = subscriptions
        .iter()
        .filter(|subscription| subscription.archive.as_deref() == Some(format.name()));
    match (alike.next(), alike.next()) {
        (Some(only), None) => Ok(of(only)),
        _ => Err(format!(
            "a {} file does not say which feed it belongs to: name one with --feed",
            format.name()
        )),
    }
}

/// The zone of files whose feed is not subscribed to: that of the publisher the format was first seen with.
fn habitual_zone(format: &str) -> Zone {
    let name = match format {
        "hugo" => "Asia/Shanghai",
        "text" => "Asia/Hong_Kong",
        _ => "UTC",
    };
    Zone::parse(name).unwrap_or_else(|_| Zone::utc())
}

/// What a file says, as an article: known by its link, else by its words.
fn article(sheet: Sheet, now: Timestamp) -> Result<Article, String> {
    let title = match sheet.body.kind {
        ContentKind::TextBlocks => text::headline(&sheet.body.text)
            .unwrap_or_default()
            .to_owned(),
        _ => sheet.title,
    };
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let draft = Draft {
        link: PageUrl::parse(&sheet.link).ok(),
        title: filled(title),
        published: sheet.published,
        language: filled(sheet.language),
        summary: filled(sheet.summary).map(Content::plain),
        thumbnail: PageUrl::parse(&sheet.thumbnail).ok(),
        body: Some(sheet.body),
        ..Draft::default()
    };
    let key = match &draft.link {
        Some(link) => EntryKey::Link(link.clone()),
        None => EntryKey::Content(normalise::content_hash(&draft)),
    };
    // A file with an empty body still is a file: its title is what there is.
    normalise::normalise(Some(key), draft, None, now).map_err(|unfit| unfit.to_string())
}

/// What the store makes of a file that was written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing: the article or its words are no longer kept, or the file is an older store's.
    NotKept,
    /// Nothing, for this reason.
    Cannot(String),
}

/// Renders a file of the archive anew, as it was told then.
pub(super) fn again(store: &Store, file: &ArchivedFile) -> Result<Again, StoreError> {
    let Some(article) = store.article(file.seq)? else {
        return Ok(Again::NotKept);
    };
    // Its words are in the file alone, or the file was written when the store that is here now was not: the digest is what
    // there is to prove it by.
    let number = name::parse_file_name(&file.name).map(|(number, _)| number);
    if article.pruned.is_some() || number != Some(file.seq) {
        return Ok(Again::NotKept);
    }
    let rendered = || {
        let format = archive::format(&file.format)
            .ok_or_else(|| format!("no archive format `{}`", file.format))?;
        let zone = Zone::parse(&file.zone).map_err(|bad| bad.to_string())?;
        let label = Label {
            source: article.feed.to_string(),
            language: file.language.clone(),
            zone,
        };
        publish::rendered(format, &article, &label)
    };
    Ok(rendered().map_or_else(Again::Cannot, Again::Bytes))
}

/// The format an article is kept in: that of the file it came from, or what its subscription says.
pub fn format_of(
    article: &Article,
    subscription: Option<&Subscription>,
) -> Option<&'static dyn ArchiveFormat> {
    let name = match (article.body.kind, subscription) {
        (ContentKind::HugoBlocks, _) => "hugo",
        (ContentKind::TextBlocks, _) => "text",
        (ContentKind::Html | ContentKind::Plain, Some(subscription)) => {
            subscription.archive.as_deref()?
        }
        (ContentKind::Html | ContentKind::Plain, None) => "html",
    };
    archive::format(name)
}

/// What a file says of where its article came from.
pub fn label_of(
    feed: &FeedId,
    article: &Article,
    format: &dyn ArchiveFormat,
    subscription: Option<&Subscription>,
) -> Label {
    let language = article
        .language
        .clone()
        .or_else(|| subscription.map(|subscription| subscription.language.clone()));
    Label {
        source: feed.to_string(),
        language: language.unwrap_or_else(|| "zh-CN".to_owned()),
        zone: subscription.map_or_else(
            || habitual_zone(format.name()),
            |subscription| subscription.zone.clone(),
        ),
    }
}
