//! The manifests of the archive: for each day a list of its files, which names the list before it.
//!
//! A list only ever grows at its end: what it was at any earlier time is a beginning of what it is now.

use crate::model::time::Day;
use crate::output::archive::{BadFile, Fault, bad_file, decoded};

/// What every manifest begins with.
const HEADER: &str = "# feedmill manifest 1, files of ";
const ZONE: &str = " (UTC)";
const FIRST: &str = "# the first manifest";
const SIZE: &str = "# size ";

/// BLAKE3 of a file.
pub type Digest = [u8; 32];

/// The name of a day's manifest.
pub fn file_name(day: Day) -> String {
    format!("MANIFEST-{day}")
}

/// The day whose manifest has this name.
pub fn day_of(name: &str) -> Option<Day> {
    Day::parse(name.strip_prefix("MANIFEST-")?)
}

/// What stands behind the name of a manifest that was set aside when an older store was put back.
pub const BEFORE_RESTORE: &str = "before-restore";

/// Whether this is the name of such a one.
pub fn is_set_aside(name: &str) -> bool {
    let named = name.split_once('.');
    named.is_some_and(|(name, rest)| day_of(name).is_some() && rest.starts_with(BEFORE_RESTORE))
}

/// A digest as it is written: 64 hex digits.
pub fn hex(digest: &Digest) -> String {
    blake3::Hash::from(*digest).to_hex().to_string()
}

/// Reads a digest: 64 lower-case hex digits.
pub fn digest_of(text: &str) -> Option<Digest> {
    let hash = blake3::Hash::from_hex(text).ok()?;
    (hash.to_hex().as_str() == text).then(|| hash.into())
}

/// What a manifest says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its bytes; `None`: nobody knew when the line was written.
    pub size: Option<u64>,
    /// BLAKE3 of its bytes.
    pub digest: Digest,
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its day.
    pub day: Day,
    /// The manifest before it, and its digest; `None`: it is the first.
    pub before: Option<(Day, Digest)>,
    /// The files of its day, by number.
    pub files: Vec<Line>,
}

/// A manifest as it grows.
#[derive(Clone, Debug)]
pub struct Draft {
    text: String,
    /// Where the header ends, and each file after it.
    ends: Vec<usize>,
}

impl Draft {
    /// The manifest of a day, without files. `before` is the last one before it, as it is for good.
    pub fn new(day: Day, before: Option<(Day, Digest)>) -> Self {
        let before = match before {
            Some((day, digest)) => format!("{}  {}", hex(&digest), file_name(day)),
            None => FIRST.to_owned(),
        };
        let text = format!("{HEADER}{day}{ZONE}\n{before}\n");
        Self {
            ends: vec![text.len()],
            text,
        }
    }

    /// Adds the next file.
    pub fn add(&mut self, name: &str, size: Option<u64>, digest: &Digest) {
        let size = size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        for part in [SIZE, &size, "\n", &hex(digest), "  ", name, "\n"] {
            self.text.push_str(part);
        }
        self.ends.push(self.text.len());
    }

    /// How many files it names.
    pub fn files(&self) -> usize {
        self.ends.len() - 1
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// How many files it named when these were its bytes; `None`: they never were.
    pub fn when(&self, bytes: &[u8]) -> Option<usize> {
        let at = self.ends.binary_search(&bytes.len()).ok()?;
        (at > 0 && self.bytes().starts_with(bytes)).then_some(at)
    }

    /// How many files it named when this was its digest; `None`: it never was.
    pub fn when_digest(&self, digest: &Digest) -> Option<usize> {
        let mut hasher = blake3::Hasher::new();
        let mut from = 0;
        self.ends.iter().enumerate().find_map(|(files, end)| {
            hasher.update(self.bytes().get(from..*end)?);
            from = *end;
            (files > 0 && hasher.finalize() == *digest).then_some(files)
        })
    }
}

/// Reads a manifest, strictly: what [`Draft`] would not have written is an error.
pub fn parse(bytes: &[u8]) -> Result<Manifest, BadFile> {
    read(bytes).map_err(|fault| bad_file("manifest", bytes, fault))
}

fn read(bytes: &[u8]) -> Result<Manifest, Fault> {
    let text = decoded(bytes)?;
    let mut at = 0;
    // The next line, and where it begins.
    let mut line = || -> Result<Option<(usize, &str)>, Fault> {
        let rest = text.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let begin = at;
        let (line, _) = rest
            .split_once('\n')
            .ok_or((begin, "the line does not end".to_owned()))?;
        at += line.len() + 1;
        Ok(Some((begin, line)))
    };
    let needed =
        |line: Option<_>, what: &str| line.ok_or((bytes.len(), format!("expected {what}")));

    let (begin, header) = needed(line()?, "a header")?;
    let day = header
        .strip_prefix(HEADER)
        .and_then(|rest| rest.strip_suffix(ZONE))
        .and_then(Day::parse)
        .ok_or((begin, format!("expected `{HEADER}YYYY-MM-DD{ZONE}`")))?;
    let (begin, second) = needed(line()?, "the manifest before")?;
    let before = match entry(second) {
        _ if second == FIRST => None,
        Some((digest, name)) => {
            let before = day_of(name).filter(|before| *before < day);
            let before = before.ok_or((begin, "expected the manifest of an earlier day".into()))?;
            Some((before, digest))
        }
        None => {
            return Err((
                begin,
                format!("expected `DIGEST  MANIFEST-YYYY-MM-DD` or `{FIRST}`"),
            ));
        }
    };
    let mut files = Vec::new();
    while let Some((begin, size)) = line()? {
        let size = match size.strip_prefix(SIZE) {
            Some("-") => None,
            Some(digits) => {
                let size = digits.parse::<u64>().ok();
                let size = size.filter(|size| size.to_string() == digits);
                Some(size.ok_or((begin, "expected a number of bytes".to_owned()))?)
            }
            None => return Err((begin, format!("expected `{SIZE}BYTES`"))),
        };
        let (begin, file) = needed(line()?, "a file")?;
        let (digest, name) = entry(file).ok_or((begin, "expected `DIGEST  NAME`".to_owned()))?;
        files.push(Line {
            name: name.to_owned(),
            size,
            digest,
        });
    }
    if files.is_empty() {
        return Err((bytes.len(), "expected a file".to_owned()));
    }
    Ok(Manifest { day, before, files })
}

/// `DIGEST  NAME`.
fn entry(line: &str) -> Option<(Digest, &str)> {
    let (digest, name) = line.split_once("  ")?;
    (!name.is_empty()).then_some((digest_of(digest)?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Day {
        Day::from_number(number)
    }

    fn draft(before: Option<(Day, Digest)>, files: u8) -> Draft {
        let mut draft = Draft::new(day(20_000), before);
        for n in 0..files {
            let size = (n % 3 != 2).then_some(u64::from(n) * 10);
            draft.add(&format!("{n:03}_abababababababab.txt"), size, &[n; 32]);
        }
        draft
    }

    #[test]
    fn what_is_written_is_read_back() {
        for before in [None, Some((day(19_990), [9; 32]))] {
            let draft = draft(before, 4);
            let read = parse(draft.bytes()).unwrap();
            assert_eq!(
                (read.day, read.before, read.files.len()),
                (day(20_000), before, 4)
            );
            let mut again = Draft::new(read.day, read.before);
            for line in &read.files {
                again.add(&line.name, line.size, &line.digest);
            }
            assert_eq!(again.bytes(), draft.bytes());
        }
    }

    #[test]
    fn an_earlier_state_is_known_by_its_bytes_and_by_its_digest() {
        let whole = draft(None, 5);
        for files in 1..=5 {
            let then = draft(None, files);
            assert_eq!(whole.when(then.bytes()), Some(usize::from(files)));
            let digest = blake3::hash(then.bytes()).into();
            assert_eq!(whole.when_digest(&digest), Some(usize::from(files)));
        }
        let other = draft(Some((day(1), [0; 32])), 2);
        assert_eq!(whole.when(other.bytes()), None);
        assert_eq!(
            whole.when(draft(None, 0).bytes()),
            None,
            "no file, no manifest"
        );
        assert_eq!(whole.when(b""), None);
        let cut = whole.bytes().len() - 1;
        assert_eq!(whole.when(&whole.bytes()[..cut]), None);
        assert_eq!(
            whole.when_digest(&blake3::hash(&whole.bytes()[..cut]).into()),
            None
        );
    }

    /// Whatever byte is another, the reader says so or what it reads is another thing.
    #[test]
    fn no_flipped_bit_goes_unseen() {
        let bytes = draft(Some((day(19_990), [9; 32])), 3).bytes().to_vec();
        let whole = parse(&bytes).unwrap();
        for at in 0..bytes.len() {
            for bit in [1, 4, 32] {
                let mut bad = bytes.clone();
                bad[at] ^= bit;
                assert_ne!(parse(&bad).ok().as_ref(), Some(&whole), "byte {at}");
            }
            assert_ne!(
                parse(&bytes[..at]).ok().as_ref(),
                Some(&whole),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn a_strict_reader_names_the_line() {
        let text =
            String::from_utf8(draft(Some((day(19_990), [9; 32])), 2).bytes().to_vec()).unwrap();
        for (from, to, line) in [
            ("manifest 1", "manifest 2", 1),
            ("2024-10-04", "2024-10-32", 1),
            ("2024-09-24", "2024-10-04", 2),
            ("# size 0", "# size 00", 3),
            ("# size 0", "size 0", 3),
            ("  000_", " 000_", 4),
            ("# size 10\n", "", 5),
            ("001_abababababababab.txt\n", "001_abababababababab.txt", 6),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let error = parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert_eq!(error.line, line, "{from} to {to}: {error}");
        }
        assert!(parse(draft(None, 0).bytes()).is_err());
    }

    #[test]
    fn names_are_of_days() {
        assert_eq!(file_name(day(20_000)), "MANIFEST-2024-10-04");
        assert_eq!(day_of("MANIFEST-2024-10-04"), Some(day(20_000)));
        for other in [
            "MANIFEST-",
            "MANIFEST-2024-10-4",
            "manifest-2024-10-04",
            "MANIFEST-2024-10-04.txt",
        ] {
            assert_eq!(day_of(other), None, "{other}");
        }
        assert_eq!(digest_of(&"A".repeat(64)), None);
        assert_eq!(digest_of(&hex(&[7; 32])), Some([7; 32]));
    }
}
