//! `feedmill reextract [--feed ID] [--dry-run]`: kept pages read again by today's rules.

use std::io::{self, BufWriter, Write};

use anyhow::Context;
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::cli::{Global, Outcome, table};
use crate::model::article::Article;
use crate::model::ids::FeedId;
use crate::model::poll::Verdict;
use crate::rules::difference::{self, Line};
use crate::rules::normalise;
use crate::service::reextract::{self, Change, Fate};
use crate::store::Store;

/// Read kept pages again by today's rules, and store what is otherwise as revisions; nobody is asked.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill reextract --dry-run          what other selectors or newer rules would change
  feedmill reextract --feed my-site     the same, stored: each change is a revision

Pages are kept as far as the setting `pages` in [store] goes; of each entry the last visit is read.
With --dry-run the store is only read, and a service may be at work; without, it has to be stopped.

Exit status: 0 all well, 1 some pages could not be read, 2 could not run.")]
pub struct Args {
    // Named otherwise than by its id: `--feeds` is everybody's.
    /// Only this feed's
    #[arg(long = "feed", id = "of", value_name = "ID")]
    feed: Option<FeedId>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take over articles that lose more than a fifth of their words, too
    #[arg(long)]
    shorter: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How many there are of each fate.
#[derive(Default)]
struct Tally {
    revised: usize,
    new: usize,
    reprints: usize,
    same: usize,
    worse: usize,
    passed: usize,
    unread: usize,
}

impl Args {
    /// Exit 1 where pages could not be read.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let tally = if self.dry_run {
            let store = Store::open_readonly(&config.settings.store.path)?;
            let order =
                app::reextract::order(&config, store, self.feed.as_ref(), true, self.shorter)?;
            runtime.block_on(self.tell(&order))?
        } else {
            let app = App::open(config)?;
            let order = app::reextract::order(
                &app.config,
                app.store.clone(),
                self.feed.as_ref(),
                false,
                self.shorter,
            )?;
            runtime.block_on(async {
                app.catch_up().await?;
                let tally = self.tell(&order).await?;
                if tally.revised + tally.new + tally.reprints > 0 {
                    app.publish().await?;
                }
                app.store.close().await?;
                anyhow::Ok(tally)
            })?
        };
        Ok(if tally.unread == 0 {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }

    async fn tell(&self, order: &reextract::Reextract) -> anyhow::Result<Tally> {
        let mut out = BufWriter::new(io::stdout().lock());
        let (mut tally, mut told) = (Tally::default(), Vec::new());
        let each = |outcome: &reextract::Outcome| -> anyhow::Result<()> {
            tally.count(&outcome.fate);
            if self.json {
                told.extend(as_json(outcome));
            } else {
                show(&mut out, outcome)?;
            }
            Ok(())
        };
        order.run(each).await?;
        if self.json {
            serde_json::to_writer_pretty(&mut out, &tally.as_json(self.dry_run, &told))?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", tally.in_words(self.dry_run))?;
        }
        out.flush()?;
        Ok(tally)
    }
}

impl Tally {
    fn count(&mut self, fate: &Fate) {
        let counter = match fate {
            Fate::Changed(change) => match verdict(change) {
                "new" => &mut self.new,
                "reprint" => &mut self.reprints,
                _ => &mut self.revised,
            },
            Fate::Same => &mut self.same,
            Fate::Worse(_) => &mut self.worse,
            Fate::Passed => &mut self.passed,
            Fate::Unread(_) => &mut self.unread,
        };
        *counter += 1;
    }

    fn in_words(&self, dry_run: bool) -> String {
        let (revised, new) = if dry_run {
            ("would be revised", "would be new")
        } else {
            ("revised", "new")
        };
        let always = [(self.revised, revised), (self.same, "the same")];
        let rarely = [
            (self.new, new),
            (self.reprints, "reprints"),
            (self.worse, "worse and left alone"),
            (
                self.passed,
                "left alone, as newer words or other orders stand",
            ),
            (self.unread, "could not be read"),
        ];
        let told = always
            .into_iter()
            .chain(rarely.into_iter().filter(|(count, _)| *count > 0))
            .map(|(count, what)| format!("{count} {what}"));
        told.collect::<Vec<_>>().join(", ")
    }

    fn as_json(&self, dry_run: bool, told: &[Value]) -> Value {
        json!({
            "dry_run": dry_run,
            "revised": self.revised,
            "new": self.new,
            "reprints": self.reprints,
            "same": self.same,
            "worse": self.worse,
            "passed": self.passed,
            "unread": self.unread,
            "entries": told,
        })
    }
}

/// What a change is or would be, in one word.
fn verdict(change: &Change) -> &'static str {
    match (&change.stored, &change.before) {
        (Some((_, Verdict::Reprint(_))), _) => "reprint",
        (_, None) => "new",
        _ => "revised",
    }
}

fn show(out: &mut impl Write, outcome: &reextract::Outcome) -> io::Result<()> {
    let mut head = |fate: &str, why: &str| {
        let what = format!("{} {}", outcome.feed, outcome.what);
        writeln!(
            out,
            "{fate:<9}{}{}",
            table::printable(&what),
            table::printable(why)
        )
    };
    match &outcome.fate {
        Fate::Same | Fate::Passed => Ok(()),
        Fate::Worse(why) => head("worse", &format!(": {why}")),
        Fate::Unread(why) => head("unread", &format!(": {why}")),
        Fate::Changed(change) => {
            let before = change.before.as_ref().map(|before| before.seq.to_string());
            let after = change.stored.map(|(seq, _)| seq.to_string());
            let numbers = match (before, after) {
                (Some(before), Some(after)) => format!(", {before} is now {after}"),
                (Some(number), None) => format!(", {number}"),
                (None, Some(after)) => format!(", {after}"),
                (None, None) => String::new(),
            };
            head(verdict(change), &numbers)?;
            for (sign, line) in changes(change) {
                writeln!(out, "  {sign} {}", table::printable(&line))?;
            }
            writeln!(out)
        }
    }
}

fn as_json(outcome: &reextract::Outcome) -> Option<Value> {
    let mut told = json!({ "feed": outcome.feed.as_str(), "entry": outcome.what });
    match &outcome.fate {
        Fate::Same | Fate::Passed => return None,
        Fate::Worse(why) => {
            told["fate"] = json!("worse");
            told["why"] = json!(why);
        }
        Fate::Unread(why) => {
            told["fate"] = json!("unread");
            told["why"] = json!(why);
        }
        Fate::Changed(change) => {
            let lines = |wanted: char| -> Vec<String> {
                let all = changes(change).into_iter();
                all.filter(|(sign, _)| *sign == wanted)
                    .map(|(_, line)| line)
                    .collect()
            };
            told["fate"] = json!(verdict(change));
            told["before"] = json!(change.before.as_ref().map(|before| before.seq.0));
            told["after"] = json!(change.stored.map(|(seq, _)| seq.0));
            told["removed"] = json!(lines('-'));
            told["added"] = json!(lines('+'));
        }
    }
    Some(told)
}

/// Lines that go (`-`) and come (`+`), in the order of the article. Where its words are the same, those of its markup.
fn changes(change: &Change) -> Vec<(char, String)> {
    let before = change.before.as_ref().map(|before| &before.article);
    let compare =
        |of: fn(&Article) -> String| lines(&before.map(of).unwrap_or_default(), &of(&change.after));
    let words = compare(in_lines);
    if words.is_empty() {
        compare(|article| article.body.text.replace('>', ">\n"))
    } else {
        words
    }
}

fn lines(before: &str, after: &str) -> Vec<(char, String)> {
    let lines = difference::lines(before, after).into_iter();
    let signed = lines.map(|line| match line {
        Line::Gone(line) => ('-', line.to_owned()),
        Line::Come(line) => ('+', line.to_owned()),
    });
    signed.collect()
}

/// All of an article that its pages can change, a line each, and its words by paragraph.
fn in_lines(article: &Article) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(name);
            text.push_str(value.trim());
            text.push('\n');
        }
    };
    line("title: ", &article.title);
    line("authors: ", &article.authors.join(", "));
    line("tags: ", &article.categories.join(", "));
    if let Some(link) = &article.link {
        line("link: ", link.as_str());
    }
    if let Some(summary) = &article.summary {
        let words = normalise::words(summary);
        line(
            "summary: ",
            &words.split_whitespace().collect::<Vec<_>>().join(" "),
        );
    }
    if let Some(picture) = &article.thumbnail {
        line("picture: ", picture.as_str());
    }
    for enclosure in &article.enclosures {
        line("attached: ", enclosure.url.as_str());
    }
    for paragraph in normalise::words(&article.body).lines() {
        line("", paragraph.trim());
    }
    text
}
