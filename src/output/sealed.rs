//! The archive documents of the merged feed (RFC 5005 §4) as files: written once, never changed (F-49), and dropped from
//! only where a feed is withdrawn (F-50). The directory is the record of what is sealed: `000012-000000003456.atom` is
//! the twelfth, and holds what became of every article up to number 3456. Its twin in gzip lies beside it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::model::ids::{ArticleSeq, FeedId};
use crate::output::files::{FileError, failed, read_if_there, write_whole};

/// A sealed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its number, from 1.
    pub number: u32,
    /// The last article it accounts for.
    pub last: ArticleSeq,
    /// Its file; that of its twin has `.gz` behind it.
    pub file: PathBuf,
}

impl Sealed {
    /// Its address below the home page, without the ending.
    pub fn stem(number: u32) -> String {
        format!("archive/{number}")
    }

    /// The file of the same document in gzip.
    pub fn twin(file: &Path) -> PathBuf {
        file.with_extension("atom.gz")
    }
}

/// Everything sealed in a directory, oldest first. One that is not there has nothing.
pub fn list(dir: &Path) -> Result<Vec<Sealed>, FileError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let file = entry.map_err(failed("list", dir))?.path();
        let name = file.file_name().and_then(|name| name.to_str());
        let parts = name
            .and_then(|name| name.strip_suffix(".atom"))
            .and_then(|name| name.split_once('-'));
        let Some((number, last)) = parts else {
            continue;
        };
        if let (Ok(number), Ok(last)) = (number.parse(), last.parse()) {
            let last = ArticleSeq(last);
            found.push(Sealed { number, last, file });
        }
    }
    found.sort_by_key(|sealed| sealed.number);
    Ok(found)
}

/// Writes a document for good. What has its name already was sealed before and stays.
pub fn seal(dir: &Path, number: u32, last: ArticleSeq, bytes: &[u8]) -> Result<Sealed, FileError> {
    fs::create_dir_all(dir).map_err(failed("make", dir))?;
    let file = dir.join(format!("{number:06}-{:012}.atom", last.0));
    if !file.exists() {
        write(&file, bytes)?;
    }
    Ok(Sealed { number, last, file })
}

/// The twin first: the document is there when its own file is.
fn write(file: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let twin = Sealed::twin(file);
    let packed = gzip(bytes).map_err(failed("compress", &twin))?;
    write_whole(&twin, &packed)?;
    write_whole(file, bytes)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// The list of feeds that were dropped from every document.
const WITHDRAWN: &str = "withdrawn";

/// Drops these feeds from all documents, once (F-50, F-63). Says how many documents changed.
pub fn withdraw(dir: &Path, feeds: &[FeedId]) -> Result<usize, FileError> {
    let sealed = list(dir)?;
    let record = dir.join(WITHDRAWN);
    let before = read_if_there(&record)?.unwrap_or_default();
    let before = String::from_utf8_lossy(&before);
    let known: Vec<&str> = before.lines().collect();
    if sealed.is_empty() || feeds.iter().all(|feed| known.contains(&feed.as_str())) {
        return Ok(0);
    }
    let mut changed = 0;
    for Sealed { file, .. } in sealed {
        let text = fs::read_to_string(&file).map_err(failed("read", &file))?;
        let kept = without(&text, feeds);
        if kept != text {
            write(&file, kept.as_bytes())?;
            changed += 1;
        }
    }
    let mut now: Vec<&str> = feeds.iter().map(FeedId::as_str).collect();
    now.sort_unstable();
    write_whole(&record, (now.join("\n") + "\n").as_bytes())?;
    Ok(changed)
}

/// A document of ours without the entries of these feeds, and without their names in the others. Every `<` of a text is
/// escaped in it, so a tag at the start of a line is one.
fn without(document: &str, feeds: &[FeedId]) -> String {
    const BEGIN: &str = "  <entry";
    const END: &str = "  </entry>\n";
    let mut kept = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(begin) = rest.find(&format!("\n{BEGIN}")).map(|at| at + 1) {
        let (before, from) = rest.split_at(begin);
        kept.push_str(before);
        let Some(end) = from.find(&format!("\n{END}")).map(|at| at + 1 + END.len()) else {
            rest = from;
            break;
        };
        let (entry, behind) = from.split_at(end);
        let is_own = |feed: &FeedId| entry.contains(&format!("\n    <fm:feed>{feed}</fm:feed>\n"));
        if !feeds.iter().any(is_own) {
            kept.push_str(&unnamed(entry, feeds));
        }
        rest = behind;
        // What follows begins a line, as `find` wants to see it.
        if rest.starts_with(BEGIN) {
            kept.pop();
            let at = document.len() - rest.len() - 1;
            rest = document.get(at..).unwrap_or(rest);
        }
    }
    kept + rest
}

/// An entry without these feeds as carriers of its words.
fn unnamed(entry: &str, feeds: &[FeedId]) -> String {
    let names = |line: &&str| {
        line.starts_with("    <fm:carrier ")
            && feeds
                .iter()
                .any(|feed| line.contains(&format!(" feed=\"{feed}\" ")))
    };
    let hrefs: Vec<String> = entry
        .lines()
        .filter(names)
        .filter_map(|line| {
            let (_, from) = line.split_once(" href=\"")?;
            let (address, _) = from.split_once('"')?;
            Some(format!(" href=\"{address}\""))
        })
        .collect();
    let links = |line: &&str| {
        (line.starts_with("    <link rel=\"related\"") || line.starts_with("    <link rel=\"via\""))
            && hrefs.iter().any(|href| line.contains(href))
    };
    entry
        .split_inclusive('\n')
        .filter(|line| !names(line) && !links(line))
        .collect()
}
