//! Files of others, read where they lie beside the project; where they are absent, these tests say so and pass.

use std::fs;
use std::path::{Path, PathBuf};

use feedmill::model::content::Content;
use feedmill::output::archive::detect;
use feedmill::output::archive::name::parse_file_name;
use feedmill::rules::blocks::{Block, Style, blocks};

use super::laws::{holds_l1, mutate};
use super::{imported, label, shanghai, through_the_store};

/// Files of others that may lie beside the project; they are read where they are and never copied.
fn beside(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(folder);
    let Ok(entries) = fs::read_dir(&dir) else {
        println!("skipped: no {folder} beside the project");
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn real_files_come_back_byte_for_byte() {
    let seeds = beside("seeds");
    for path in seeds.iter().chain(&beside("samples/dw/archive")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(path).unwrap();
        let known = detect(&bytes).unwrap();
        assert!(
            holds_l1(known, &bytes),
            "{name}: {:?}",
            known.parse(&bytes, &shanghai()).err()
        );
        assert_eq!(through_the_store(known, &bytes), bytes, "{name}");
        let refused = mutate(known, &bytes, false);
        assert!(refused > 200, "{name}: {refused} mutations refused");
        if seeds.contains(path) {
            assert!(parse_file_name(name).is_some(), "{name}");
        }
    }
}

#[test]
fn a_real_summary_is_the_one_we_would_make() {
    for path in beside("seeds") {
        let bytes = fs::read(&path).unwrap();
        let known = detect(&bytes).unwrap();
        if known.name() == "hugo" {
            let sheet = known.parse(&bytes, &shanghai()).unwrap();
            let mut stored = imported(&sheet);
            stored.article.summary = None;
            assert_eq!(
                known.sheet(&stored, &label()).unwrap().summary,
                sheet.summary,
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn a_real_body_becomes_clean_blocks() {
    for path in beside("samples/qq") {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("origincontent") {
            continue;
        }
        let html = fs::read_to_string(&path).unwrap();
        let all = blocks(&Content::html(html.as_str()), None, Style::Hugo);
        let texts: Vec<&str> = all
            .iter()
            .filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                Block::Image { .. } => None,
            })
            .collect();
        assert_eq!(all.len() - texts.len(), html.matches("<img").count());
        // Every paragraph has words or a picture, and is one block.
        assert_eq!(
            all.len(),
            html.matches("<p>").count() + html.matches("<p ").count()
        );
        let bold = texts
            .iter()
            .filter(|text| text.starts_with("**") && text.ends_with("**"));
        assert_eq!(bold.count(), html.matches("text-big-title").count());
        for text in &texts {
            assert!(
                !text.contains(['<', '>', '\n']) && !text.contains("--"),
                "{text}"
            );
        }
    }
}
