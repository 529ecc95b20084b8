//! `feedmill feeds add URL`.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};

use crate::app::App;
use crate::app::subscribe::{Found, Look, Scout};
use crate::cli::feeds::{address, check, pair, shown};
use crate::cli::{Global, Outcome, log, table, told};
use crate::config::edit::{Block, FeedsFile};
use crate::config::{Config, Places};
use crate::model::feed::Subscription;
use crate::model::ids::FeedId;
use crate::model::urls::{FeedUrl, PageUrl};
use crate::rules::address as typed_address;
use crate::rules::discover::Candidate;
use crate::service::report::Fate;
use crate::store::StoreError;

/// Subscribe to a feed, or to the feed a web page names.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill feeds add https://example.org/feed.xml
  feedmill feeds add example.org --yes            the page's feed, if it names exactly one
  feedmill feeds add https://example.org/feed.xml --id news --title News --tag world
  feedmill feeds add https://rss.dw.com/rdf/rss-chi-all --source dw --set language=zh

A page that names several feeds is answered with their list: add the one you want by its address.")]
pub struct Args {
    /// The feed's address, or that of a page that names its feed
    url: String,
    /// What to call it: 1 to 40 of a–z, 0–9 and - [default: made from its host]
    #[arg(long)]
    id: Option<FeedId>,
    /// The name people see [default: the publisher's own]
    #[arg(long)]
    title: Option<String>,
    /// Who reads it: feed, scrape, json, dw, qq or takungpao [default: feed]
    #[arg(long)]
    source: Option<String>,
    /// A tag; may come several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Another key of its block (see feeds.toml); may come several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Take the one feed a page names without asking
    #[arg(long, short)]
    yes: bool,
    /// Write it down without a request; the next poll is its first
    #[arg(long)]
    no_fetch: bool,
}

/// feeds.toml with the new block in it, as text and as configuration.
struct Draft {
    id: FeedId,
    file: FeedsFile,
    config: Config,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let places = global.places()?;
        let url = match typed_address::typed(&self.url) {
            Ok(address) => {
                for mended in &address.mended {
                    say(&format!("note: {mended}: {}", address.url))?;
                }
                address.url
            }
            Err(why) => bail!("{why}"),
        };
        let draft = self.draft(&places, &url, None)?;
        let _dial = log::start(draft.config.settings.log.level);
        if let Some(outcome) = subscribed(&draft, &url)? {
            return Ok(outcome);
        }
        if self.no_fetch {
            let text = format!("added `{}`: {url}, not asked yet", draft.id);
            return save(&places, draft, &text);
        }
        let app = match App::open(draft.config.clone()) {
            Ok(app) => Some(app),
            Err(error) if in_use(&error) => None,
            Err(error) => return Err(error),
        };
        if let Some(why) = app
            .as_ref()
            .map(|app| app.held(&draft.id))
            .transpose()?
            .flatten()
        {
            let text = format!(
                "added `{}`: {url}, known from before and left alone {why}",
                draft.id
            );
            return save(&places, draft, &text);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(self.ask(&places, url, draft, app))
    }

    /// feeds.toml with a block for this address, checked by the real configuration.
    fn draft(&self, places: &Places, url: &FeedUrl, title: Option<&str>) -> anyhow::Result<Draft> {
        let mut file = FeedsFile::read(&places.feeds_file_to_edit())?;
        let taken = file.ids()?;
        let id = self.id.clone().or_else(|| {
            typed_address::name(url, title, |id| {
                taken.iter().any(|known| known == id.as_str())
            })
        });
        let id = id.context("no name could be made for this feed: give it one with --id")?;
        file.add(&[Block {
            id: id.clone(),
            url: url.clone(),
            source: self.source.clone(),
            title: self.title.clone(),
            tags: self.tags.clone(),
            further: self.set.clone(),
        }])?;
        let config = check(places, &file)?;
        Ok(Draft { id, file, config })
    }

    /// One request for an address; another one only for the feed that is chosen on a page.
    async fn ask(
        self,
        places: &Places,
        mut url: FeedUrl,
        mut draft: Draft,
        mut app: Option<App>,
    ) -> anyhow::Result<Outcome> {
        let scout = Scout::new(&draft.config)?;
        let mut look = look(&scout, &draft).await;
        if let Ok(Look::Page { feeds, excerpt }) = &look {
            let Some(chosen) = self.choose(&url, feeds, excerpt)? else {
                return Ok(Outcome::Unwell);
            };
            url = FeedUrl::from(chosen.url);
            draft = self.draft(places, &url, chosen.title.as_deref())?;
            if let Some(outcome) = subscribed(&draft, &url)? {
                return Ok(outcome);
            }
            if let Some(why) = forbidden(&scout, &draft).await {
                say(&format!(
                    "not added: {url} was found on the page, and {why}; \
                     what you write yourself is asked all the same: feedmill feeds add {url}"
                ))?;
                return Ok(Outcome::Unwell);
            }
            look = self::look(&scout, &draft).await;
        }
        let found = match look {
            Ok(Look::Feed(found)) => *found,
            Ok(Look::Page { excerpt, .. }) => {
                say(&format!("{url} is a page, too, and no feed: {excerpt}"))?;
                return Ok(Outcome::Unwell);
            }
            Err(why) => {
                say(&format!("not added: {}", told(&why)))?;
                return Ok(Outcome::Unwell);
            }
        };
        if let Some(moved) = found
            .moved_to
            .clone()
            .map(FeedUrl::from)
            .filter(|moved| *moved != url)
        {
            say(&format!("note: {url} has moved for good to {moved}"))?;
            url = moved;
        }
        draft = self.draft(places, &url, found.title.as_deref())?;
        if let Some(outcome) = subscribed(&draft, &url)? {
            return Ok(outcome);
        }
        let text = format!(
            "added `{}`: {}, {} entries, {url}",
            draft.id,
            found
                .title
                .as_deref()
                .map_or("without a title".to_owned(), |title| format!(
                    "“{}”",
                    table::short(title, 100)
                )),
            found.entries,
        );
        let (id, config) = (draft.id.clone(), draft.config.clone());
        // Before the block is there for the service to read.
        let taken = app.is_none() && found.hand_over(&config, &id);
        save(places, draft, &text)?;
        if let Some(app) = &mut app {
            app.config = config;
            return store(app, scout, found, &id).await;
        }
        say(if taken {
            "feedmill is at work: it takes this answer as its first poll"
        } else {
            "feedmill is at work: it polls the feed itself, once more"
        })?;
        Ok(Outcome::Well)
    }

    /// The feed of a page that is meant; `None` where that is not clear, and why was said.
    fn choose(
        &self,
        page: &FeedUrl,
        feeds: &[Candidate],
        excerpt: &str,
    ) -> anyhow::Result<Option<Candidate>> {
        match feeds {
            [] => say(&format!(
                "not added: {page} is a page that names no feed, and addresses are not guessed. It begins:\n  {}",
                table::printable(excerpt)
            ))?,
            [one] if self.yes => return Ok(Some(one.clone())),
            [one] if io::stdin().is_terminal() && io::stderr().is_terminal() => {
                let mut err = io::stderr().lock();
                write!(
                    err,
                    "{page} is a page that names one feed:\n{}\nsubscribe to it? [y/N] ",
                    named(one)
                )?;
                err.flush()?;
                let mut answer = String::new();
                io::stdin().lock().read_line(&mut answer)?;
                if matches!(answer.trim(), "y" | "Y" | "yes") {
                    return Ok(Some(one.clone()));
                }
            }
            [one] => say(&format!(
                "not added: {page} is a page that names one feed:\n{}\nsay --yes to subscribe to it, or add it by its address",
                named(one)
            ))?,
            several => {
                let lines: Vec<String> = several.iter().map(named).collect();
                say(&format!(
                    "not added: {page} is a page that names {} feeds:\n{}\nadd the one you want: feedmill feeds add ADDRESS",
                    several.len(),
                    lines.join("\n")
                ))?;
            }
        }
        Ok(None)
    }
}

/// Why robots.txt does not let us ask what the draft's block asks, where it does not.
async fn forbidden(scout: &Scout, draft: &Draft) -> Option<String> {
    let mut all = draft.config.subscriptions.iter();
    let subscription = all.find(|feed| feed.id == draft.id)?;
    scout.forbidden(subscription).await
}

/// One look, at what the draft's block asks.
async fn look(scout: &Scout, draft: &Draft) -> anyhow::Result<Look> {
    let all = draft.config.subscriptions.iter();
    let subscription = all.clone().find(|feed| feed.id == draft.id);
    match subscription {
        Some(subscription) => scout.look(subscription).await,
        None => bail!("`{}` is disabled; add it with --no-fetch", draft.id),
    }
}

/// What to say where another block has this address already (P-79): nothing is asked, nothing is written.
fn subscribed(draft: &Draft, url: &FeedUrl) -> anyhow::Result<Option<Outcome>> {
    let same =
        |given: Option<&str>| given.is_some_and(|given| FeedUrl::parse(given).as_ref() == Ok(url));
    let find = |list: &[Subscription]| {
        let mut others = list.iter().filter(|feed| feed.id != draft.id);
        others
            .find(|feed| same(address(feed)))
            .map(|feed| feed.id.clone())
    };
    if let Some(id) = find(&draft.config.subscriptions) {
        say(&format!(
            "{url} is subscribed to already, as `{id}`: nothing is changed"
        ))?;
        return Ok(Some(Outcome::Well));
    }
    if let Some(id) = find(&draft.config.disabled) {
        say(&format!(
            "{url} is there already, as `{id}`, which is disabled: take its `enabled = false` away"
        ))?;
        return Ok(Some(Outcome::Unwell));
    }
    Ok(None)
}

fn save(places: &Places, draft: Draft, text: &str) -> anyhow::Result<Outcome> {
    let path = shown(places, draft.file.path());
    draft.file.save()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}\nwritten to {path}", table::printable(text))?;
    Ok(Outcome::Well)
}

/// Stores the look as the feed's first poll.
async fn store(app: &App, scout: Scout, found: Found, id: &FeedId) -> anyhow::Result<Outcome> {
    let report = app.first_poll(scout, found, id).await?;
    app.store.close().await?;
    let counts = report.counts;
    let why = report.why();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "first poll: {}, {} new, {} reprints{}{}",
        report.fate.word(),
        counts.new,
        counts.reprints,
        if why.is_empty() { "" } else { ": " },
        table::printable(&why)
    )?;
    let bad = matches!(report.fate, Fate::Failed(_) | Fate::Stopped);
    Ok(if bad { Outcome::Unwell } else { Outcome::Well })
}

fn in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::InUse { .. }))
}

fn named(feed: &Candidate) -> String {
    let url: &PageUrl = &feed.url;
    let kind = feed.media_type.as_deref().unwrap_or("feed");
    let title = feed.title.as_deref().unwrap_or_default();
    format!("  {url}  {kind}  {}", table::printable(title))
}

/// A word to the person beside the result.
fn say(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}
