//! `feeds.toml`: which feeds are asked. Each `[[feed]]` block becomes a [`Subscription`].

use std::collections::{BTreeMap, HashMap};

use toml::de::{DeTable, DeValue};

use crate::config::credentials;
use crate::config::keep;
use crate::config::problems::shown;
use crate::config::raw::{Block, TomlFile};
use crate::config::rules;
use crate::config::schedule::schedule;
use crate::config::values;
use crate::model::feed::{FullText, OptionKind, OptionSpec, Options, SourceSpec, Subscription};
use crate::model::ids::{BadFeedId, FeedId};
use crate::model::time::Zone;
use crate::rules::charset;
use crate::rules::extract;
use crate::rules::ruling::Rule;

/// The word for "not in the archive".
const NO_ARCHIVE: &str = "none";

/// A source's own rules over options that are each fine alone (`list = "author"` needs `suid`).
pub type Rules<'a> = &'a dyn Fn(&Subscription) -> Result<(), String>;

/// What blocks are checked against.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) sources: &'a [&'static SourceSpec],
    pub(super) formats: &'a [&'static str],
    pub(super) rules: Rules<'a>,
}

/// The feeds of a file, in its order.
#[derive(Default)]
pub(super) struct Feeds {
    pub(super) enabled: Vec<Subscription>,
    pub(super) disabled: Vec<Subscription>,
    pub(super) rules: Vec<Rule>,
}

/// Reads every block; what is wrong is noted in the file.
pub(super) fn read(file: &TomlFile, tree: &DeTable<'_>, known: Known<'_>) -> Feeds {
    let mut feeds = Feeds::default();
    let mut top = Block::top(file, tree);
    let blocks = top.value("feed").and_then(|value| {
        let blocks = value.get_ref().as_array();
        if blocks.is_none() {
            let why = "write [[feed]] with two brackets on either side, once for each feed";
            file.report(value.span().start, why.to_owned(), None);
        }
        blocks
    });
    let mut taken = HashMap::new();
    for (index, value) in blocks.into_iter().flatten().enumerate() {
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            let why = "`feed` holds something that is no [[feed]] block";
            file.report(at, why.to_owned(), None);
            continue;
        };
        let label = match table.get("id").and_then(|id| id.get_ref().as_str()) {
            Some(id) => format!("[[feed]] \"{}\"", shown(id)),
            None => format!("[[feed]] number {}", index + 1),
        };
        let block = Block::new(file, table, label, at);
        if let Some((subscription, enabled)) = subscription(file, block, known, &mut taken) {
            let list = if enabled {
                &mut feeds.enabled
            } else {
                &mut feeds.disabled
            };
            list.push(subscription);
        }
    }
    feeds.rules = rules::read(file, &mut top);
    let bare = tree.iter().all(|(key, _)| key.get_ref() == "rule");
    let empty = bare || blocks.is_some_and(|blocks| blocks.is_empty());
    top.finish(|key| format!("[[{key}]]"));
    if empty {
        let why = "there is no [[feed]] block in it, so there is nothing to ask";
        file.report(0, why.to_owned(), None);
    }
    feeds
}

/// What a block orders, and whether it is enabled; `None` where something in it was wrong.
fn subscription<'a>(
    file: &'a TomlFile,
    mut block: Block<'a>,
    known: Known<'_>,
    taken: &mut HashMap<FeedId, usize>,
) -> Option<(Subscription, bool)> {
    let before = file.problems();
    let id = block.get("id", id);
    match &id {
        Some(id) => unique(file, &block, id, taken),
        None if block.has("id") => {}
        None => {
            block.report_whole("needs an `id`, the name you give it: 1 to 40 of a–z, 0–9 and -");
        }
    }
    let source = block.get_or("source", Some("feed"), |value| {
        find_source(value, known.sources)
    });
    let title = block.get("title", values::words);
    let language = block.get_or("language", source.map(|s| s.language), values::language);
    let zone = block.get_or("zone", source.map(|s| s.zone), zone);
    let archive = block.get_or("archive", source.map(|s| s.archive), |value| {
        archive(value, known.formats)
    });
    let schedule = block.get("schedule", cron);
    let tags = block.get("tags", values::tags).unwrap_or_default();
    let private = block.get("private", values::flag);
    let charset = block.get("charset", charset);
    let allow_hosts = block.get("allow_hosts", values::hosts).unwrap_or_default();
    let scheme = credentials::scheme(file, &mut block);
    let images = block.get("images", values::one_of(&["link", "copy"]));
    let robots = block.get("robots", values::one_of(&["obey", "ignore"]));
    let fulltext = block.get("fulltext", fulltext).unwrap_or_default();
    let keep = keep::of_feed(file, &mut block).map(Box::new);
    let enabled = block.get("enabled", values::flag).unwrap_or(true);
    // Without its source nobody knows which other keys a block may have.
    let source = source?;
    let options = options(&mut block, source);
    let credentials = credentials::bound(&mut block, scheme, &options);
    block.finish(str::to_owned);
    if file.problems() > before {
        return None;
    }
    let subscription = Subscription {
        id: id?,
        source: source.name.to_owned(),
        title,
        language: language?,
        zone: zone?,
        archive: archive.filter(|format| format != NO_ARCHIVE),
        schedule,
        tags,
        private,
        charset,
        allow_hosts,
        credentials,
        ignore_robots: robots == Some("ignore"),
        copy_images: images == Some("copy"),
        fulltext,
        keep,
        options,
    };
    match (known.rules)(&subscription) {
        Ok(()) => Some((subscription, enabled)),
        Err(why) => {
            block.report_whole(&why);
            None
        }
    }
}

/// Notes an id that another block has already.
fn unique(file: &TomlFile, block: &Block<'_>, id: &FeedId, taken: &mut HashMap<FeedId, usize>) {
    match taken.get(id) {
        Some(line) => {
            let why = format!("is already the name of the feed in line {line}");
            block.report("id", &why);
        }
        None => {
            taken.insert(id.clone(), file.line(block.at("id")));
        }
    }
}

/// The options of a source: every one that was given or has a default.
fn options(block: &mut Block<'_>, source: &'static SourceSpec) -> Options {
    let mut options = BTreeMap::new();
    for option in source.options {
        let given = block.get(option.name, |value| option_value(value, option));
        if option.required && option.default.is_none() && !block.has(option.name) {
            let why = format!(
                "source \"{}\" needs `{}`: {}",
                source.name, option.name, option.about
            );
            block.report_whole(&why);
        }
        if let Some(value) = given.or_else(|| option.default.map(str::to_owned)) {
            options.insert(option.name.to_owned(), value);
        }
    }
    Options(options)
}

fn option_value(value: &DeValue<'_>, option: &OptionSpec) -> Result<String, String> {
    match option.kind {
        // What it carries is asked for elsewhere.
        OptionKind::Url
            if option.name == "url"
                && let Some((address, _)) = value.as_str().and_then(credentials::split) =>
        {
            values::address(&DeValue::String(address.into())).map(|url| url.as_str().to_owned())
        }
        OptionKind::Url => values::address(value).map(|url| url.as_str().to_owned()),
        OptionKind::Text => values::words(value),
        OptionKind::Written(check) => {
            let text = values::words(value)?;
            check(&text).map(|()| text)
        }
        OptionKind::OneOf(words) => values::one_of(words)(value).map(str::to_owned),
        OptionKind::Number(least, most) => {
            values::whole(least..=most)(value).map(|number| number.to_string())
        }
    }
}

fn id(value: &DeValue<'_>) -> Result<FeedId, String> {
    let text = values::line(value)?;
    text.parse().map_err(|error: BadFeedId| error.to_string())
}

fn find_source(
    value: &DeValue<'_>,
    sources: &[&'static SourceSpec],
) -> Result<&'static SourceSpec, String> {
    let names: Vec<&'static str> = sources.iter().map(|source| source.name).collect();
    let name = values::one_of(&names)(value)?;
    sources
        .iter()
        .find(|source| source.name == name)
        .copied()
        .ok_or_else(|| format!("`{name}` is no source"))
}

fn archive(value: &DeValue<'_>, formats: &[&'static str]) -> Result<String, String> {
    let mut words = formats.to_vec();
    words.push(NO_ARCHIVE);
    values::one_of(&words)(value).map(str::to_owned)
}

fn zone(value: &DeValue<'_>) -> Result<Zone, String> {
    let name = values::words(value)?;
    Zone::parse(&name).map_err(|error| error.to_string())
}

fn charset(value: &DeValue<'_>) -> Result<String, String> {
    let label = values::words(value)?;
    match charset::named(&label) {
        Some(_) => Ok(label),
        None => Err(format!(
            "`{}` is no charset feedmill reads: write one such as \"gb18030\", \"big5\", \"shift_jis\" or \"utf-8\"",
            shown(&label)
        )),
    }
}

/// `"feed"`, `"page"` or `{ selector = "…" }`.
fn fulltext(value: &DeValue<'_>) -> Result<FullText, String> {
    let Some(table) = value.as_table() else {
        return Ok(match values::one_of(&["feed", "page"])(value)? {
            "page" => FullText::Page,
            _ => FullText::Feed,
        });
    };
    let selector = table.iter().find(|(key, _)| key.get_ref() == "selector");
    let Some((_, selector)) = selector.filter(|_| table.len() == 1) else {
        return Err("wants { selector = \"…\" } and nothing besides".to_owned());
    };
    let selector = values::words(selector.get_ref())?;
    extract::check_selector(&selector).map_err(|why| format!("`{}` {why}", shown(&selector)))?;
    Ok(FullText::Selector(selector))
}

fn cron(value: &DeValue<'_>) -> Result<String, String> {
    let text = values::words(value)?;
    schedule(&text).map(|_| text)
}
