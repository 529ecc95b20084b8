//! The archive's side of the store: which article has which file, how far the archive has come, and what is taken in
//! from files of other programs.

use rusqlite::{Connection, params};

use crate::model::article::Article;
use crate::model::content::ContentId;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::poll::Verdict;
use crate::model::time::Timestamp;
use crate::store::columns::{Cells, number};
use crate::store::error::StoreError;
use crate::store::feeds::number_of;
use crate::store::ledger::Ledger;
use crate::store::press::Press;

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedFile {
    /// The article it holds.
    pub seq: ArticleSeq,
    /// Its name.
    pub name: String,
    /// Its format, a name in `FORMATS`.
    pub format: String,
    /// BCP 47 of its feed when it was written.
    pub language: String,
    /// The zone of its feed when it was written, by IANA name.
    pub zone: String,
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
    /// How many bytes it has. `None`: it was written before that was kept, and nobody has measured it or nobody can.
    pub size: Option<u64>,
    /// The id in the name of the file it was imported from, where another program gave it.
    pub foreign: Option<ContentId>,
}

/// An article read from a file of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedArticle {
    /// The article.
    pub article: Article,
    /// The number in the file's name. Kept where it was never given here and is not below those that were.
    pub keep_seq: Option<ArticleSeq>,
    /// The id in the file's name.
    pub foreign_id: Option<ContentId>,
    /// The file's name.
    pub file_name: String,
    /// Its format.
    pub format: String,
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
}

/// Notes files that are written and synced, and that the archive has dealt with everything up to `cursor`. The same
/// file again is no error: a crash between file and note repeats it.
pub(super) fn archived(
    transaction: &Connection,
    files: &[ArchivedFile],
    cursor: ArticleSeq,
) -> Result<(), StoreError> {
    for file in files {
        keep_file(transaction, file)?;
    }
    transaction.execute(
        "UPDATE meta SET archive_cursor = max(coalesce(archive_cursor, ?1), ?1)",
        [number(cursor)?],
    )?;
    Ok(())
}

const MILLIS_OF_A_DAY: i64 = 86_400_000;

/// -1 is a size that nobody can know any more.
pub(super) fn size_column(size: Option<u64>) -> i64 {
    size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX))
}

/// A row of `archive_file`, with `foreign_id` of `imported`.
pub(super) fn file_of(cells: &Cells<'_, '_>) -> Result<ArchivedFile, StoreError> {
    let foreign = match cells.get::<Option<String>>("foreign_id")? {
        None => None,
        Some(text) => Some(
            ContentId::parse(&text).ok_or_else(|| cells.bad("foreign_id", &"not 16 hex digits"))?,
        ),
    };
    Ok(ArchivedFile {
        seq: cells.seq("seq")?,
        name: cells.get("name")?,
        format: cells.get("format")?,
        language: cells.get("language")?,
        zone: cells.get("zone")?,
        digest: cells.get("digest")?,
        size: cells
            .get::<Option<i64>>("size")?
            .and_then(|size| u64::try_from(size).ok()),
        foreign,
    })
}

fn keep_file(transaction: &Connection, file: &ArchivedFile) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO archive_file (seq, name, format, language, zone, digest, size, place, day)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
                     (SELECT coalesce(max(place), 0) + 1 FROM archive_file),
                     max(coalesce((SELECT (recorded - ((recorded % ?8) + ?8) % ?8) / ?8 FROM article WHERE seq = ?1), 0),
                         coalesce((SELECT max(day) FROM archive_file), -999999)))
             ON CONFLICT (seq) DO UPDATE SET name = excluded.name, format = excluded.format,
                                             language = excluded.language, zone = excluded.zone,
                                             digest = excluded.digest, size = excluded.size",
        )?
        .execute(params![
            number(file.seq)?,
            file.name,
            file.format,
            file.language,
            file.zone,
            file.digest,
            size_column(file.size),
            MILLIS_OF_A_DAY,
        ])?;
    Ok(())
}

/// Takes in articles of other programs' files, all or none. The answers are in the order of `articles`.
pub(super) fn import(
    transaction: &Connection,
    press: &mut Press,
    feed: &FeedId,
    at: Timestamp,
    articles: &[ImportedArticle],
) -> Result<Vec<(ArticleSeq, Verdict)>, StoreError> {
    let feed = number_of(transaction, feed)?;
    let mut ledger = Ledger::open(transaction, press, feed, at)?;
    // By number, or the first file with a high one would cost all lower ones theirs.
    let mut order: Vec<_> = articles.iter().enumerate().collect();
    order.sort_by_key(|(_, imported)| (imported.keep_seq.is_none(), imported.keep_seq));
    let mut answers = Vec::with_capacity(articles.len());
    for (place, imported) in order {
        let (seq, verdict) = ledger.import(&imported.article, imported.keep_seq)?;
        if !matches!(verdict, Verdict::Known(_)) {
            transaction
                .prepare_cached(
                    "INSERT INTO imported (seq, name, format, digest, foreign_id) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    number(seq)?,
                    imported.file_name,
                    imported.format,
                    imported.digest,
                    imported.foreign_id.map(|id| id.to_string()),
                ])?;
        }
        answers.push((place, (seq, verdict)));
    }
    ledger.close()?;
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Every file of the archive, by number.
pub(super) fn files(connection: &Connection) -> Result<Vec<ArchivedFile>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.seq, t.name, t.format, t.language, t.zone, t.digest, t.size, i.foreign_id
           FROM archive_file t LEFT JOIN imported i ON i.seq = t.seq ORDER BY t.seq",
    )?;
    let mut rows = statement.query([])?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        files.push(file_of(&Cells::of(row, "archive_file", "seq")?)?);
    }
    Ok(files)
}
