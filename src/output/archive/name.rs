//! The names of archive files: `003_0123456789abcdef.txt`.

use crate::model::content::{ContentHash, ContentId};
use crate::model::ids::ArticleSeq;

/// The file's name: the article's number with at least three digits, and the id of its words.
pub fn file_name(seq: ArticleSeq, content: ContentHash) -> String {
    format!("{seq}_{}.txt", content.short())
}

/// Reads a name. The pairs sort as the archive does, by number: as text, 1000 would come before 999.
pub fn parse_file_name(name: &str) -> Option<(ArticleSeq, ContentId)> {
    let (seq, id) = name.strip_suffix(".txt")?.split_once('_')?;
    let plain = seq.len() >= 3 && seq.bytes().all(|b| b.is_ascii_digit());
    Some((
        ArticleSeq(plain.then(|| seq.parse().ok())??),
        ContentId::parse(id)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_grow() {
        let hash = ContentHash::from_bytes([0xab; 32]);
        for (seq, name) in [
            (0, "000_abababababababab.txt"),
            (999, "999_abababababababab.txt"),
            (1000, "1000_abababababababab.txt"),
            (u64::MAX, "18446744073709551615_abababababababab.txt"),
        ] {
            assert_eq!(file_name(ArticleSeq(seq), hash), name);
            assert_eq!(parse_file_name(name), Some((ArticleSeq(seq), hash.short())));
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "00_abababababababab.txt",
            "000-abababababababab.txt",
            "000_ABABABABABABABAB.txt",
            "000_ababababababab.txt",
            "000_abababababababab.md",
            "000_abababababababab.txt.txt",
            "../000_abababababababab.txt",
            "+00_abababababababab.txt",
            "０００_abababababababab.txt",
            "18446744073709551616_abababababababab.txt",
        ] {
            assert_eq!(parse_file_name(name), None, "{name}");
        }
    }

    #[test]
    fn files_sort_by_number() {
        let mut names = [
            "1000_abababababababab.txt",
            "998_abababababababab.txt",
            "999_abababababababab.txt",
        ];
        names.sort_by_key(|name| parse_file_name(name));
        assert!(
            names[0].starts_with("998") && names[2].starts_with("1000"),
            "{names:?}"
        );
    }
}
