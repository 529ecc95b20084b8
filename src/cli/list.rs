//! `feedmill list`: what the store holds.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::json;

use crate::cli::{Global, Outcome, table};
use crate::model::article::StoredArticle;
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::revision::How;
use crate::store::{ListQuery, Store};

/// List stored articles.
#[derive(clap::Args)]
pub struct Args {
    /// Only articles with a higher number: the last one seen
    #[arg(long, value_name = "N")]
    since: Option<u64>,
    /// Only articles of this feed
    #[arg(long, id = "of", value_name = "FEED")]
    feed: Option<FeedId>,
    /// At most this many, the newest [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// One line an article with tabs between number, id, date, source, title and link
    #[arg(long, conflicts_with = "json")]
    tsv: bool,
    /// A JSON array
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Number, id, date, source, title, link; oldest number first.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let query = ListQuery {
            since: self.since.map(ArticleSeq),
            feed: self.feed,
            limit: self.limit.unwrap_or(usize::MAX),
        };
        let mut articles = store.list(&query)?;
        articles.reverse();
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.json {
            let gone = store.withdrawn(query.feed.as_ref())?.into_iter();
            let gone = gone.filter(|gone| gone.back.is_none());
            let gone: HashMap<ArticleSeq, How> = gone.map(|gone| (gone.entry, gone.how)).collect();
            let all = articles.iter().map(|article| {
                let mut line = as_json(article);
                line["withdrawn"] = json!(gone.get(&article.first_seq).map(|how| how.name()));
                line
            });
            serde_json::to_writer_pretty(&mut out, &all.collect::<Vec<_>>())?;
            writeln!(out)?;
        } else if self.tsv {
            for article in &articles {
                writeln!(
                    out,
                    "{}",
                    fields(article).map(|field| table::tsv(&field)).join("\t")
                )?;
            }
        } else {
            let rows = articles.iter().map(|article| {
                let [number, id, date, source, title, link] = fields(article);
                vec![number, id, date, source, table::short(&title, 50), link]
            });
            writeln!(
                out,
                "{}",
                table::table(
                    &["number", "id", "date", "source", "title", "link"],
                    &[0],
                    rows
                )
            )?;
        }
        out.flush()?;
        Ok(Outcome::Well)
    }
}

fn fields(article: &StoredArticle) -> [String; 6] {
    [
        article.seq.to_string(),
        article.article.content.short().to_string(),
        article.date().rfc3339(),
        article.feed.to_string(),
        article.article.title.clone(),
        article
            .article
            .link
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}

/// The fields of a list line, by name.
pub fn as_json(article: &StoredArticle) -> serde_json::Value {
    json!({
        "number": article.seq.0,
        "id": article.article.content.short().to_string(),
        "date": article.date().rfc3339(),
        "source": article.feed.as_str(),
        "title": article.article.title,
        "link": article.article.link.as_ref().map(ToString::to_string),
        "revision_of": (article.first_seq != article.seq).then_some(article.first_seq.0),
        "same_words_as": article.reprint_of.map(|seq| seq.0),
    })
}
