//! `feedmill rules list` and `try`: the operator's rules, and what one would have done before it is saved.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::app;
use crate::cli::{Global, Outcome, table};
use crate::config::{self, Config};
use crate::model::ids::FeedId;
use crate::model::ruling::{Act, RuleText};
use crate::model::time::{Timestamp, Zone};
use crate::rules::ruling::Rule;
use crate::service::hearing::{Example, Heard, Hearing};
use crate::store::{Choice, Store};

/// List the rules of feeds.toml, or try what one would have done.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the rules of feeds.toml, in the order they are asked
    List {
        /// A JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show what rules would have done over all that is stored, changing nothing
    Try(Try),
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill rules try                                      all rules of feeds.toml
  feedmill rules try lottery                              one of them
  feedmill rules try --match 'title:彩票' --drop            one that is not written yet
  feedmill rules try --file new-rules.toml                those of another file instead

The store is only read, and a service may be at work.

Exit status: 0 something matches, 1 nothing does, 2 could not run.")]
struct Try {
    /// A rule of feeds.toml, by its name [default: all of them]
    #[arg(conflicts_with_all = ["query", "file"])]
    name: Option<String>,
    /// A rule that is not written yet: what it matches. It is asked after those of feeds.toml
    #[arg(long = "match", id = "query", value_name = "QUERY")]
    query: Option<String>,
    /// It drops what it matches
    #[arg(long, requires = "query")]
    drop: bool,
    /// It gives this tag; may come several times
    #[arg(long, value_name = "TAG", requires = "query")]
    tag: Vec<String>,
    /// It marks what it matches
    #[arg(long, requires = "query")]
    highlight: bool,
    /// The rules of this file, in place of those of feeds.toml
    #[arg(long, value_name = "FILE", conflicts_with = "query")]
    file: Option<PathBuf>,
    /// Examples at most, the newest
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Only entries of this day or later
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<Timestamp>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Of `try`, exit 1 where nothing matches.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        match self.command {
            Command::List { json } => list(&config, json),
            Command::Try(order) => order.run(&config),
        }
    }
}

fn day(text: &str) -> Result<Timestamp, String> {
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| "write a day such as 2026-01-31".to_owned())?;
    let midnight = day
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| error.to_string())?;
    Ok(Timestamp::from_millis(
        midnight.timestamp().as_millisecond(),
    ))
}

fn list(config: &Config, json: bool) -> anyhow::Result<Outcome> {
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        let all: Vec<_> = config
            .rules
            .iter()
            .map(|rule| as_json(&rule.text))
            .collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        let rows = config.rules.iter().map(|rule| {
            vec![
                rule.text.name.clone(),
                rule.text.query.clone(),
                does(&rule.text),
            ]
        });
        writeln!(
            out,
            "{}",
            table::table(&["rule", "match", "does"], &[], rows)
        )?;
    }
    out.flush()?;
    Ok(Outcome::Well)
}

/// What a rule does, in words.
fn does(rule: &RuleText) -> String {
    let acts = rule.acts.iter().map(|act| match act {
        Act::Drop => "drop".to_owned(),
        Act::Highlight => "highlight".to_owned(),
        Act::Tag(tag) => format!("tag {tag}"),
    });
    acts.collect::<Vec<_>>().join(", ")
}

fn as_json(rule: &RuleText) -> Value {
    let tags = rule.acts.iter().map(Act::tag);
    json!({
        "name": rule.name,
        "match": rule.query,
        "tag": tags.filter(|tag| !tag.is_empty()).collect::<Vec<_>>(),
        "drop": rule.acts.contains(&Act::Drop),
        "highlight": rule.acts.contains(&Act::Highlight),
    })
}

impl Try {
    fn run(self, config: &Config) -> anyhow::Result<Outcome> {
        let rules = self.rules(config)?;
        let told = |place: usize| {
            let name = rules.get(place).map(|rule: &Rule| rule.text.name.as_str());
            match (&self.query, &self.name) {
                (Some(_), _) => place + 1 == rules.len(),
                (None, Some(wanted)) => name == Some(wanted),
                (None, None) => true,
            }
        };
        let store = Store::open_readonly(&config.settings.store.path)?;
        let hearing = Hearing {
            store: &store,
            rules: &rules,
            told: &told,
            tags: &app::feed_tags(config),
            since: self.since,
            examples: self.limit,
            window: window(config, &store)?,
        };
        let heard = hearing.hold()?;
        let told: Vec<&RuleText> = rules
            .iter()
            .enumerate()
            .filter(|(place, _)| told(*place))
            .map(|(_, rule)| &rule.text)
            .collect();
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &heard_as_json(&told, &heard))?;
            writeln!(out)?;
        } else {
            show(&mut out, &told, &heard)?;
        }
        out.flush()?;
        let matched = heard.feeds.values().any(|(matches, _)| *matches > 0);
        Ok(if matched {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }

    /// All rules that are asked, the one that is not written yet last.
    fn rules(&self, config: &Config) -> anyhow::Result<Vec<Rule>> {
        let mut rules = match &self.file {
            Some(file) => config::rules_of_file(file)?,
            None => config.rules.clone(),
        };
        if let Some(name) = &self.name
            && rules.iter().all(|rule| rule.text.name != *name)
        {
            let known: Vec<&str> = rules.iter().map(|rule| rule.text.name.as_str()).collect();
            bail!(
                "no rule `{}` in feeds.toml; there are: {}",
                table::printable(name),
                known.join(", ")
            );
        }
        if let Some(query) = &self.query {
            let mut acts: Vec<Act> = self.tag.iter().cloned().map(Act::Tag).collect();
            acts.extend(self.drop.then_some(Act::Drop));
            acts.extend(self.highlight.then_some(Act::Highlight));
            let text = RuleText {
                name: "--match".to_owned(),
                query: query.clone(),
                acts,
            };
            let rule = Rule::new(text);
            rules.push(rule.with_context(|| format!("--match `{}`", table::printable(query)))?);
        }
        if rules.is_empty() {
            bail!(
                "there is no [[rule]] block in feeds.toml: try one with --match, see docs/rules.md"
            );
        }
        Ok(rules)
    }
}

/// The merged feed as it is now.
fn window(config: &Config, store: &Store) -> anyhow::Result<Choice> {
    let settings = &config.settings.feed;
    let all = config.subscriptions.iter().chain(&config.disabled);
    let shown = store.feed_states()?.into_iter().filter(|state| {
        let own = all.clone().find(|own| own.id == state.id);
        own.is_none_or(|own| !own.is_private(&state.learned))
    });
    Ok(Choice::merged(
        shown.map(|state| state.id).collect(),
        settings.entries,
        settings.fair_share,
        app::copies(config),
    ))
}

fn show(out: &mut impl Write, rules: &[&RuleText], heard: &Heard) -> io::Result<()> {
    for rule in rules {
        let acts = Some(does(rule)).filter(|acts| !acts.is_empty());
        let acts = acts.unwrap_or_else(|| "nothing yet".to_owned());
        let line = format!("{}: match {}, {acts}", rule.name, rule.query);
        writeln!(out, "{}", table::printable(&line))?;
    }
    let (mut matches, mut all) = (0, 0);
    for (of_feed, of_all) in heard.feeds.values() {
        matches += of_feed;
        all += of_all;
    }
    writeln!(out, "\n{matches} of {all} entries match")?;
    if matches > 0 {
        let rows = heard.feeds.iter().filter(|(_, (matches, _))| *matches > 0);
        let rows = rows.map(|(feed, (matches, all))| {
            vec![feed.to_string(), matches.to_string(), all.to_string()]
        });
        writeln!(
            out,
            "{}",
            table::table(&["feed", "match", "of"], &[1, 2], rows)
        )?;
        writeln!(out, "\nThe newest:")?;
        for example in &heard.newest {
            line(out, example)?;
            for (rule, found) in &example.why {
                let found = if found.is_empty() {
                    "by its source, tags or date, or by what it lacks".to_owned()
                } else {
                    found.join("; ")
                };
                writeln!(
                    out,
                    "      {}",
                    table::printable(&format!("{rule}: {found}"))
                )?;
            }
        }
    }
    writeln!(
        out,
        "\nOf the {} entries of the merged feed now:",
        heard.shown
    )?;
    writeln!(out, "  {} would be dropped", heard.dropped.len())?;
    for example in &heard.dropped {
        write!(out, "  ")?;
        line(out, example)?;
    }
    for (tag, count) in &heard.tagged {
        let words = format!("  {count} would have the tag {tag}");
        writeln!(out, "{}", table::printable(&words))?;
    }
    writeln!(out, "  {} would be highlighted", heard.highlighted)
}

fn line(out: &mut impl Write, example: &Example) -> io::Result<()> {
    let line = format!(
        "{}  {} {}  {}",
        example.date.civil(&Zone::utc(), "%Y-%m-%d %H:%M"),
        example.feed,
        example.seq,
        table::short(&example.title, 100),
    );
    writeln!(out, "  {}", table::printable(&line))
}

fn heard_as_json(rules: &[&RuleText], heard: &Heard) -> Value {
    let of_feed = |(feed, (matches, all)): (&FeedId, &(u64, u64))| {
        (feed.to_string(), json!({ "match": matches, "of": all }))
    };
    let example = |example: &Example| {
        let why = example.why.iter();
        json!({
            "number": example.seq.0,
            "feed": example.feed.as_str(),
            "date": example.date.rfc3339(),
            "title": example.title,
            "rules": why.map(|(rule, found)| json!({ "rule": rule, "found": found })).collect::<Vec<_>>(),
        })
    };
    json!({
        "rules": rules.iter().map(|rule| as_json(rule)).collect::<Vec<_>>(),
        "feeds": heard.feeds.iter().map(of_feed).collect::<serde_json::Map<_, _>>(),
        "newest": heard.newest.iter().map(example).collect::<Vec<_>>(),
        "merged_feed": {
            "entries": heard.shown,
            "dropped": heard.dropped.iter().map(example).collect::<Vec<_>>(),
            "tagged": heard.tagged,
            "highlighted": heard.highlighted,
        },
    })
}
