//! `feedmill search`: what was read, by its words.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use crate::app;
use crate::cli::list::as_json;
use crate::cli::{Global, Outcome, table};
use crate::config::Config;
use crate::model::article::StoredArticle;
use crate::model::ids::ArticleSeq;
use crate::model::time::Zone;
use crate::rules::html;
use crate::rules::query::{Query, QueryError};
use crate::rules::terms::{Snippet, snippet};
use crate::service::indexing;
use crate::store::{Found, Seek, Store};

/// Characters of a snippet.
const SNIPPET: usize = 80;

/// With fewer articles to take in nobody notices that they are.
const NOTICED: u64 = 2_000;

/// Search stored articles.
#[derive(clap::Args)]
pub struct Args {
    /// Words, "phrases", -not, a OR b, title:, author:, category:, source:, tag:, after:2026-01-31, before:
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// At most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Only articles with a lower number: the last one of the page before
    #[arg(long, value_name = "N")]
    below: Option<u64>,
    /// A JSON array
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Newest first. What is not in the index yet is taken in, where no other process writes to the store.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let asked = self.query.join(" ");
        let query = Query::parse(&asked, &Zone::utc())
            .map_err(|error| anyhow!(explained(&asked, &error)))?;
        let config = global.configuration()?;
        let found = self.find(&config, &query)?;
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            let hits: Vec<Value> = found
                .articles
                .iter()
                .map(|article| with_snippet(article, &query))
                .collect();
            serde_json::to_writer_pretty(&mut out, &hits)?;
            writeln!(out)?;
        } else {
            let bright = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
            show(&mut out, &found, &query, bright)?;
        }
        out.flush()?;
        Ok(Outcome::Well)
    }

    fn find(&self, config: &Config, query: &Query) -> anyhow::Result<Found> {
        let path = &config.settings.store.path;
        let ours = path.exists().then(|| Store::open(path).ok()).flatten();
        let store = match ours {
            Some(store) => {
                take_in(&store)?;
                store
            }
            None => Store::open_readonly(path)?,
        };
        let behind = indexing::behind(&store)?;
        if behind > 0 {
            aside(&format!(
                "{behind} articles are not in the search index yet"
            ))?;
        }
        let tags = app::search::tags(config);
        Ok(store.search(&Seek {
            query,
            tags: &tags,
            shown: None,
            below: self.below.map(ArticleSeq),
            limit: self.limit,
            most: usize::MAX,
        })?)
    }
}

/// What is no result.
fn aside(words: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "feedmill: {words}")
}

fn take_in(store: &Store) -> anyhow::Result<()> {
    let behind = indexing::behind(store)?;
    if behind == 0 {
        return Ok(());
    }
    if behind >= NOTICED && io::stderr().is_terminal() {
        aside(&format!("taking {behind} articles into the search index …"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(app::search::catch_up(store, usize::MAX))?;
    Ok(())
}

fn show(out: &mut impl Write, found: &Found, query: &Query, bright: bool) -> io::Result<()> {
    let rows = found.articles.iter().map(|article| {
        vec![
            article.seq.to_string(),
            article.date().civil(&Zone::utc(), "%Y-%m-%d"),
            article.feed.to_string(),
            table::short(&article.article.title, 60),
        ]
    });
    let table = table::table(&["number", "date", "source", "title"], &[0], rows).to_string();
    let mut lines = table.lines();
    writeln!(out, "{}", lines.next().unwrap_or_default().trim_end())?;
    for (line, article) in lines.zip(&found.articles) {
        writeln!(out, "{}", line.trim_end())?;
        let snippet = snippet_of(article, query);
        if !snippet.text.is_empty() {
            writeln!(out, "    {}", lit(&snippet, bright))?;
        }
    }
    Ok(())
}

fn snippet_of(article: &StoredArticle, query: &Query) -> Snippet {
    snippet(&html::words(&article.article.body), query.wanted(), SNIPPET)
}

/// A snippet with its hits in bold.
fn lit(snippet: &Snippet, bright: bool) -> String {
    let (on, off) = if bright {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    let part = |range| table::printable(snippet.text.get(range).unwrap_or_default());
    let (mut out, mut place) = (String::new(), 0);
    for hit in &snippet.hits {
        out.push_str(&part(place..hit.start));
        out.push_str(on);
        out.push_str(&part(hit.clone()));
        out.push_str(off);
        place = hit.end;
    }
    out.push_str(&part(place..snippet.text.len()));
    out
}

/// The fields of a list line, and the snippet with its hits, from the first character to behind the last.
fn with_snippet(article: &StoredArticle, query: &Query) -> Value {
    let snippet = snippet_of(article, query);
    let characters = |at| {
        snippet
            .text
            .get(..at)
            .map_or(0, |text| text.chars().count())
    };
    let hits: Vec<[usize; 2]> = snippet
        .hits
        .iter()
        .map(|hit| [characters(hit.start), characters(hit.end)])
        .collect();
    let mut fields = as_json(article);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("snippet".to_owned(), json!(snippet.text));
        fields.insert("hits".to_owned(), json!(hits));
    }
    fields
}

/// What is wrong with a query, and a mark below the place.
fn explained(asked: &str, error: &QueryError) -> String {
    let before = table::printable(asked.get(..error.at).unwrap_or_default());
    let line = table::printable(asked);
    if line.chars().count() > 200 {
        return format!("the query cannot be understood: {error}");
    }
    let blanks = " ".repeat(before.chars().map(columns).sum());
    format!("the query cannot be understood: {error}\n    {line}\n    {blanks}^")
}

/// How wide a terminal shows a character: Han, kana, Hangul and full-width forms take two columns.
fn columns(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn a_mistake_is_marked_where_it_is() {
        let asked = "颱風 soruce:a";
        let error = Query::parse(asked, &Zone::utc()).unwrap_err();
        let told = explained(asked, &error);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(&lines[1..], ["    颱風 soruce:a", "         ^"]);
        assert!(lines[0].contains("column 4"), "{told}");
        let long = "\u{1b}x ".repeat(100);
        let error = Query::parse(&long, &Zone::utc()).unwrap_err();
        assert!(!explained(&long, &error).contains('\u{1b}'));
    }

    #[test]
    fn hits_are_lit_and_nothing_else_moves_a_terminal() {
        let snippet = Snippet {
            text: "a\u{1b}[2J颱風\u{202e}b".to_owned(),
            hits: std::iter::once(5..11).collect(),
        };
        assert_eq!(
            lit(&snippet, true),
            "a\\u{1b}[2J\x1b[1m颱風\x1b[0m\\u{202e}b"
        );
        assert_eq!(lit(&snippet, false), "a\\u{1b}[2J颱風\\u{202e}b");
    }
}
