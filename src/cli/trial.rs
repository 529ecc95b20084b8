//! `feedmill try FILE#ID|ID|URL`.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::app;
use crate::app::trial::AtHand;
use crate::cli::feeds::{check, pair};
use crate::cli::{Global, Outcome, log, table};
use crate::config::Config;
use crate::config::edit::{Block, FeedsFile};
use crate::model::feed::Subscription;
use crate::model::ids::FeedId;
use crate::model::urls::FeedUrl;
use crate::service::trial::{Entry, Sheet, Step, Trial};

/// What a subscription is called that is none.
const NAME: &str = "try";
/// Pages from files are no larger than those from the net.
const LARGEST: u64 = 20 << 20;

/// Ask a feed once and show what comes of it, storing nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill try feeds.toml#my-site                 a block of this file, enabled or not
  feedmill try my-site                            a block of the usual feeds.toml
  feedmill try https://example.org/feed.xml       a feed nobody subscribed to
  feedmill try https://example.org/news --source scrape --set 'items=ul.news li' --save list.html
  feedmill try feeds.toml#my-site --file list.html    the same page again, without asking

Write selectors with --save and --file: the site is asked once.

Exit status: 0 there are entries, 1 there are none, 2 could not run.")]
pub struct Args {
    /// FILE#ID, ID, or an address
    #[arg(value_name = "FILE#ID|ID|URL")]
    target: String,
    /// Who reads an address: feed, scrape, json, dw, qq or takungpao [default: feed]
    #[arg(long)]
    source: Option<String>,
    /// A key of its block, with an address (see feeds.toml); may come several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Read the list page from this file, and ask nobody
    #[arg(long, value_name = "PAGE")]
    file: Option<PathBuf>,
    /// Read the first entry's own page from this file
    #[arg(long, value_name = "PAGE", requires = "file")]
    entry_file: Option<PathBuf>,
    /// Write the list page, as it came, to this file
    #[arg(long, value_name = "PAGE", conflicts_with = "file")]
    save: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Exit 0 where entries were found, 1 where none were.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let (config, subscription) = self.subscription(global)?;
        let _dial = log::start(config.settings.log.level);
        let at_hand = AtHand {
            list: self.file.as_deref().map(page).transpose()?,
            entry: self.entry_file.as_deref().map(page).transpose()?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let trial = runtime.block_on(app::trial::run(&config, subscription.clone(), at_hand))?;
        if let (Some(path), Some(page)) = (&self.save, &trial.page) {
            fs::write(path, &page.bytes)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&subscription, &trial))?;
            writeln!(out)?;
        } else {
            show(&mut out, &subscription, &trial)?;
        }
        out.flush()?;
        Ok(if trial.entries > 0 {
            Outcome::Well
        } else {
            Outcome::Unwell
        })
    }

    fn subscription(&self, global: &Global) -> anyhow::Result<(Config, Subscription)> {
        let mut places = global.places()?;
        let target = self.target.trim();
        if target.starts_with("http://") || target.starts_with("https://") {
            let file = places.working.join("the command line");
            let mut file = FeedsFile::read(&file)?;
            file.add(&[Block {
                id: NAME.parse()?,
                url: FeedUrl::parse(target)?,
                source: self.source.clone(),
                title: None,
                tags: Vec::new(),
                further: self.set.clone(),
            }])?;
            let config = check(&places, &file)?;
            return chosen(config, &NAME.parse()?);
        }
        if self.source.is_some() || !self.set.is_empty() {
            bail!("--source and --set go with an address; what is in feeds.toml says it itself");
        }
        let id = match target.rsplit_once('#') {
            Some((file, id)) => {
                if !file.is_empty() {
                    places.feeds = Some(PathBuf::from(file));
                }
                id
            }
            None => target,
        };
        let id: FeedId = id.parse().with_context(|| {
            format!("`{target}` is neither an address that begins with http:// or https://, nor FILE#ID, nor the id of a feed")
        })?;
        chosen(app::configuration(&places)?, &id)
    }
}

/// A subscription of a configuration, asked by the clock or not.
fn chosen(config: Config, id: &FeedId) -> anyhow::Result<(Config, Subscription)> {
    let mut all = config.subscriptions.iter().chain(&config.disabled);
    let Some(subscription) = all.find(|own| own.id == *id).cloned() else {
        bail!("no feed `{id}` in {}", config.files.feeds.display());
    };
    Ok((config, subscription))
}

fn page(path: &Path) -> anyhow::Result<Vec<u8>> {
    let told = || format!("{} cannot be read", path.display());
    let length = fs::metadata(path).with_context(told)?.len();
    if length > LARGEST {
        bail!("{} is larger than 20 MiB", path.display());
    }
    fs::read(path).with_context(told)
}

/// One line: what it is about, and what there is to say.
fn line(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{label:<10}{}", table::printable(text))
}

fn show(out: &mut impl Write, subscription: &Subscription, trial: &Trial) -> io::Result<()> {
    let name = format!("{}, source {}", subscription.id, subscription.source);
    line(out, "feed", &name)?;
    show_steps(out, trial, "list")?;
    for looked in &trial.looked {
        line(out, "looked", looked)?;
    }
    for note in &trial.notes {
        line(out, "note", note)?;
    }
    for skipped in &trial.skipped {
        line(
            out,
            "left out",
            &format!("{}: {}", skipped.what, skipped.why),
        )?;
    }
    if let Some(title) = &trial.title {
        line(out, "title", title)?;
    }
    if let Some(why) = &trial.failed {
        return line(out, "nothing", why);
    }
    let have: Vec<String> = trial
        .have
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    let found = format!("{} entries; with {}", trial.entries, have.join(", "));
    line(out, "found", &found)?;
    if let Some(next) = &trial.next {
        line(out, "next page", &format!("{next}, not asked"))?;
    }
    for (place, entry) in trial.first.iter().enumerate() {
        show_entry(out, &format!("entry {}", place + 1), entry)?;
    }
    show_steps(out, trial, "entry")?;
    match &trial.whole {
        Some(Ok(entry)) => show_entry(out, "its page", entry),
        Some(Err(why)) => line(out, "its page", &format!("cannot be had: {why}")),
        None => Ok(()),
    }
}

fn show_steps(out: &mut impl Write, trial: &Trial, what: &str) -> io::Result<()> {
    for step in trial.steps.iter().filter(|step| step.what == what) {
        line(out, what, &format!("{} {}", step.method, step.url))?;
        match &step.answer {
            Ok(sheet) => show_sheet(out, step, sheet)?,
            Err(why) => line(out, "", &format!("no page: {why}"))?,
        }
    }
    Ok(())
}

fn show_sheet(out: &mut impl Write, step: &Step, sheet: &Sheet) -> io::Result<()> {
    if sheet.url != step.url.without_fragment() {
        line(out, "", &format!("answered from {}", sheet.url))?;
    }
    let status = if step.method == "file" { "" } else { "200, " };
    let media_type = sheet.media_type.as_deref().unwrap_or("no type");
    let label = match &sheet.label {
        Some(label) => format!("; charset={label}"),
        None => String::new(),
    };
    let took = if step.method == "file" {
        String::new()
    } else {
        format!(", {} ms", step.took.as_millis())
    };
    let answer = format!("{status}{media_type}{label}, {} bytes{took}", sheet.bytes);
    line(out, "", &answer)?;
    let replaced = match sheet.replaced {
        0 => String::new(),
        count => format!("; {count} places could not be read"),
    };
    let read = format!("read as {} by {}{replaced}", sheet.charset, sheet.evidence);
    line(out, "", &read)
}

fn show_entry(out: &mut impl Write, label: &str, entry: &Entry) -> io::Result<()> {
    let title = if entry.title.is_empty() {
        "no title"
    } else {
        &entry.title
    };
    line(out, label, title)?;
    let link = entry.link.as_ref().map(ToString::to_string);
    line(out, "", link.as_deref().unwrap_or("no link"))?;
    let (date, whose) = &entry.dated;
    let dated = match date {
        Some(date) => format!("dated {date} {whose}"),
        None => format!("no date: {whose}"),
    };
    line(out, "", &dated)?;
    if let Some(id) = &entry.id {
        line(out, "", &format!("id {id}"))?;
    }
    if !entry.authors.is_empty() {
        line(out, "", &format!("by {}", entry.authors.join(", ")))?;
    }
    if let Some(image) = &entry.image {
        line(out, "", &format!("picture {image}"))?;
    }
    if let Some(body) = entry.body {
        line(out, "", &format!("{body} characters of words"))?;
    }
    match &entry.remark {
        Some(remark) => line(out, "", remark),
        None => Ok(()),
    }
}

fn as_json(subscription: &Subscription, trial: &Trial) -> Value {
    let steps = trial.steps.iter().map(|step| {
        let took = u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX);
        let sheet = step.answer.as_ref().ok().map(|sheet| {
            json!({
                "url": sheet.url.as_str(),
                "media_type": sheet.media_type,
                "charset_label": sheet.label,
                "bytes": sheet.bytes,
                "charset": sheet.charset,
                "evidence": sheet.evidence,
                "replaced": sheet.replaced,
            })
        });
        json!({
            "what": step.what,
            "method": step.method,
            "url": step.url.as_str(),
            "ms": took,
            "page": sheet,
            "error": step.answer.as_ref().err(),
        })
    });
    let skipped = trial.skipped.iter();
    let skipped = skipped.map(|skipped| json!({"what": skipped.what, "why": skipped.why}));
    let have: serde_json::Map<String, Value> = trial
        .have
        .iter()
        .map(|(what, count)| ((*what).to_owned(), json!(count)))
        .collect();
    json!({
        "feed": subscription.id.as_str(),
        "source": subscription.source,
        "steps": steps.collect::<Vec<_>>(),
        "looked": trial.looked,
        "notes": trial.notes,
        "skipped": skipped.collect::<Vec<_>>(),
        "title": trial.title,
        "entries": trial.entries,
        "have": have,
        "first": trial.first.iter().map(entry_json).collect::<Vec<_>>(),
        "whole": trial.whole.as_ref().map(|whole| match whole {
            Ok(entry) => entry_json(entry),
            Err(why) => json!({"error": why}),
        }),
        "next": trial.next.as_ref().map(ToString::to_string),
        "error": trial.failed,
    })
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "title": entry.title,
        "link": entry.link.as_ref().map(ToString::to_string),
        "id": entry.id,
        "date": entry.dated.0.map(|date| date.to_string()),
        "dated": entry.dated.1,
        "body_characters": entry.body,
        "authors": entry.authors,
        "image": entry.image.as_ref().map(ToString::to_string),
        "remark": entry.remark,
    })
}
