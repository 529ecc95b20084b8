//! `feedmill show N`: one article whole.

use std::io::{self, Write};

use anyhow::{anyhow, bail};
use serde_json::{Value, json};

use crate::cli::{Global, Outcome, changes, list, table};
use crate::model::article::StoredArticle;
use crate::model::content::Content;
use crate::model::ids::{ArticleSeq, EntryId};
use crate::model::time::Timestamp;
use crate::rules::{normalise, river};
use crate::store::Store;

/// Show one article whole.
#[derive(clap::Args)]
pub struct Args {
    /// The article's number
    number: u64,
    /// The body as published, and nothing else
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// What is known of the article, and its words.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let stored = store.article(ArticleSeq(self.number))?;
        let stored = stored.ok_or_else(|| anyhow!("no article has the number {}", self.number))?;
        let article = &stored.article;
        let mut out = io::stdout().lock();
        if self.raw {
            if let Some(pruned) = &stored.pruned {
                bail!(
                    "article {} has no words any more: {}",
                    stored.seq,
                    pruned.told()
                );
            }
            out.write_all(article.body.text.as_bytes())?;
            return Ok(Outcome::Well);
        }
        let temper = store.temper(stored.first_seq)?;
        let withdrawn = store.withdrawal(stored.first_seq)?;
        let iri = river::entry_iri(&stored.feed, &article.key);
        if self.json {
            let mut shown = as_json(&stored, &iri);
            shown["held"] = changes::held_json(&temper);
            shown["withdrawn"] = changes::withdrawn_json(withdrawn.as_ref());
            serde_json::to_writer_pretty(&mut out, &shown)?;
            writeln!(out)?;
            return Ok(Outcome::Well);
        }
        let mut line = |name: &str, value: String| match value.as_str() {
            "" => Ok(()),
            value => writeln!(out, "{name:<11}{}", table::printable(value)),
        };
        line("number", stored.seq.to_string())?;
        line("id", article.content.short().to_string())?;
        line("title", article.title.clone())?;
        line("source", stored.feed.to_string())?;
        line(
            "link",
            article
                .link
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )?;
        line("entry id", iri)?;
        line("authors", article.authors.join(", "))?;
        line("tags", article.categories.join(", "))?;
        line(
            "published",
            article
                .published
                .map(Timestamp::rfc3339)
                .unwrap_or_default(),
        )?;
        line("updated", stored.revised.rfc3339())?;
        line("first seen", stored.first_seen.rfc3339())?;
        line("recorded", stored.recorded.rfc3339())?;
        if stored.first_seq != stored.seq {
            line(
                "revision",
                format!("of the entry first stored as {}", stored.first_seq),
            )?;
        }
        if let Some(first) = stored.reprint_of {
            line(
                "same words",
                format!("as {first}, which has the archive's file"),
            )?;
        }
        if article.partial {
            line("partial", "the publisher gave only a summary".to_owned())?;
        }
        line("note", article.note.clone().unwrap_or_default())?;
        let held = temper.held.as_ref().map(changes::held);
        line("revisions", held.unwrap_or_default())?;
        let withdrawn = withdrawn.as_ref().map(changes::withdrawn);
        line("withdrawn", withdrawn.unwrap_or_default())?;
        if let Some(pruned) = &stored.pruned {
            line("words", pruned.told())?;
        }
        writeln!(out)?;
        paragraphs(&mut out, &article.body)?;
        Ok(Outcome::Well)
    }
}

/// All that is known of an article, by name.
fn as_json(stored: &StoredArticle, iri: &str) -> Value {
    let article = &stored.article;
    let mut shown = list::as_json(stored);
    shown["entry_id"] = json!(iri);
    shown["original_id"] = json!(article.id.as_ref().map(EntryId::as_str));
    shown["authors"] = json!(article.authors);
    shown["categories"] = json!(article.categories);
    shown["language"] = json!(article.language);
    shown["published"] = json!(article.published.map(Timestamp::rfc3339));
    shown["updated"] = json!(stored.revised.rfc3339());
    shown["first_seen"] = json!(stored.first_seen.rfc3339());
    shown["recorded"] = json!(stored.recorded.rfc3339());
    shown["summary"] = json!(article.summary.as_ref().map(|summary| &summary.text));
    shown["body"] = json!({ "kind": article.body.kind.name(), "text": article.body.text });
    shown["partial"] = json!(article.partial);
    shown["note"] = json!(article.note);
    shown["pruned"] = json!(stored.pruned.as_ref().map(|pruned| json!({
        "at": pruned.at.rfc3339(),
        "tier": pruned.tier.name(),
        "rule": pruned.rule,
    })));
    shown
}

/// The words, with a blank line behind each paragraph.
fn paragraphs(out: &mut impl Write, body: &Content) -> io::Result<()> {
    let words = normalise::words(body);
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    for paragraph in lines {
        writeln!(out, "{}\n", table::printable(paragraph))?;
    }
    Ok(())
}
