//! `feedmill group`: the copies of an article, why they are taken for copies, and taking one out.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::cli::{Global, Outcome, table};
use crate::model::content::ContentHash;
use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;
use crate::rules::river::entry_iri;
use crate::rules::similar::{self, Member};
use crate::store::{Kin, Store, StoreError};

/// Show the copies of an article, and why they are taken for copies.
#[derive(clap::Args)]
pub struct Args {
    /// The article: its number, link, entry id, content id or archive file
    #[arg(value_name = "NUMBER|LINK|ID|FILE")]
    what: String,
    /// Take it out of its group, for good
    #[arg(long, conflicts_with = "join")]
    split: bool,
    /// Let it back in after a split
    #[arg(long)]
    join: bool,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

/// An entry and all that is known of its copies.
struct Shown {
    entry: ArticleSeq,
    /// By date; empty where it has no copy.
    members: Vec<(Member, ArticleSeq, ContentHash)>,
    /// What the entry and its members were judged to be to others, by the two.
    kin: BTreeMap<(ArticleSeq, ArticleSeq), Kin>,
    parted: Option<Timestamp>,
    /// Copies were not looked for yet.
    waits: bool,
}

impl Args {
    /// Exit 0: it is known; 1: it is not.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        if !self.split && !self.join {
            return self.show(&Store::open_readonly(&config.settings.store.path)?);
        }
        let app = App::open(config)?;
        let Some(entry) = find(&app.store, &self.what)? else {
            return unknown(&self.what);
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let since = self.split.then(app::now);
            app.store.part(entry, since).await?;
            let outcome = self.show(&app.store);
            app.store.close().await?;
            outcome
        })
    }

    fn show(&self, store: &Store) -> anyhow::Result<Outcome> {
        let Some(entry) = find(store, &self.what)? else {
            return unknown(&self.what);
        };
        let shown = Shown::of(store, entry)?;
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &shown.json(store)?)?;
            writeln!(out)?;
        } else {
            shown.write(store, &mut out)?;
        }
        Ok(Outcome::Well)
    }
}

fn unknown(what: &str) -> anyhow::Result<Outcome> {
    writeln!(io::stderr(), "feedmill: no article is called `{what}`")?;
    Ok(Outcome::Unwell)
}

/// The entry that is called this.
fn find(store: &Store, what: &str) -> anyhow::Result<Option<ArticleSeq>> {
    let mut found = Vec::new();
    if let Ok(number) = what.parse() {
        found.extend(
            store
                .article(ArticleSeq(number))?
                .map(|article| article.first_seq),
        );
    }
    if found.is_empty() {
        found = entries(store, store.find(what)?)?;
    }
    if found.is_empty()
        && !what.contains("://")
        && let Some(name) = Path::new(what).file_name().and_then(|name| name.to_str())
    {
        found = entries(store, store.find(name)?)?;
    }
    if found.is_empty() && what.contains(':') {
        let is_it = store.find_key(|feed, key| entry_iri(feed, key) == what)?;
        found = entries(store, is_it.into_iter().collect())?;
    }
    let mut first = found.first().copied();
    // Entries with the same words are called by them, and are one group unless one was taken out.
    for entry in found.iter().skip(1) {
        let group = first.map(|first| store.group(first)).transpose()?;
        let same = group.is_some_and(|group| group.members.iter().any(|(m, ..)| m.entry == *entry));
        if !same {
            bail!("`{what}` is more than one article: {}", numbers(&found));
        }
        first = first.min(Some(*entry));
    }
    Ok(first)
}

fn numbers(all: &[ArticleSeq]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

fn entries(store: &Store, articles: Vec<ArticleSeq>) -> Result<Vec<ArticleSeq>, StoreError> {
    let mut found = Vec::new();
    for seq in articles {
        found.extend(store.article(seq)?.map(|article| article.first_seq));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

impl Shown {
    fn of(store: &Store, entry: ArticleSeq) -> Result<Self, StoreError> {
        let members = store.group(entry)?.members;
        let own = members.iter().map(|(member, ..)| member.entry);
        let mut kin = BTreeMap::new();
        for member in own.chain([entry]) {
            let all = store.kin(member)?.into_iter();
            // Of the others, what joins them; of the entry itself everything.
            let wanted = all.filter(|kin| member == entry || kin.kinship.groups());
            kin.extend(wanted.map(|kin| ((kin.a, kin.b), kin)));
        }
        Ok(Self {
            parted: store.parted(entry)?,
            waits: store.printed(entry)?.is_none(),
            entry,
            members,
            kin,
        })
    }

    fn roles(&self) -> BTreeMap<ArticleSeq, Vec<&'static str>> {
        let members: Vec<Member> = self.members.iter().map(|(m, ..)| m.clone()).collect();
        let mut roles: BTreeMap<ArticleSeq, Vec<&'static str>> = BTreeMap::new();
        for (role, of) in [
            ("first", similar::first(&members)),
            ("fullest", similar::fullest(&members)),
            ("shown", similar::shown(&members)),
        ] {
            if let Some(member) = of {
                roles.entry(member.entry).or_default().push(role);
            }
        }
        roles
    }

    fn is_member(&self, entry: ArticleSeq) -> bool {
        self.members
            .iter()
            .any(|(member, ..)| member.entry == entry)
    }

    fn write(&self, store: &Store, out: &mut impl Write) -> anyhow::Result<()> {
        if let Some(since) = self.parted {
            writeln!(
                out,
                "taken out of its group by an operator, {}",
                since.rfc3339()
            )?;
        } else if self.members.is_empty() {
            let why = if self.waits {
                ": none was looked for yet"
            } else {
                ""
            };
            writeln!(out, "{} has no copy{why}", title(store, self.entry)?)?;
        } else {
            let roles = self.roles();
            let mut rows = Vec::new();
            for (member, seq, words) in &self.members {
                let roles = roles.get(&member.entry).map(|roles| roles.join(", "));
                rows.push(vec![
                    seq.to_string(),
                    member.feed.to_string(),
                    member.date.rfc3339(),
                    member.len.to_string(),
                    words.short().to_string(),
                    roles.unwrap_or_default(),
                    table::short(&title(store, member.entry)?, 60),
                ]);
            }
            let head = [
                "number",
                "feed",
                "date",
                "characters",
                "words",
                "copy",
                "title",
            ];
            writeln!(out, "{}", table::table(&head, &[0, 3], rows))?;
        }
        if self.kin.is_empty() {
            return Ok(());
        }
        let rows = self.kin.values().map(|kin| {
            let evidence = &kin.evidence;
            let number = |share: f64| format!("{share:.2}");
            vec![
                latest(store, kin.a),
                latest(store, kin.b),
                kin.kinship.name().to_owned(),
                number(evidence.jaccard),
                number(evidence.containment),
                number(evidence.estimate),
                keys(kin).join(", "),
                evidence.numbers.map(number).unwrap_or_default(),
                if self.counts(kin) { "one group" } else { "" }.to_owned(),
            ]
        });
        let head = [
            "one",
            "other",
            "is",
            "shared",
            "contained",
            "estimate",
            "same",
            "numbers",
            "so",
        ];
        writeln!(out, "\n{}", table::table(&head, &[0, 1, 3, 4, 5, 7], rows))?;
        Ok(())
    }

    /// Whether a pair makes members of this group of both.
    fn counts(&self, kin: &Kin) -> bool {
        kin.kinship.groups() && self.is_member(kin.a) && self.is_member(kin.b)
    }

    fn json(&self, store: &Store) -> anyhow::Result<Value> {
        let roles = self.roles();
        let mut members = Vec::new();
        for (member, seq, words) in &self.members {
            members.push(json!({
                "number": seq.0,
                "first_number": member.entry.0,
                "feed": member.feed.as_str(),
                "entry_id": member.iri,
                "date": member.date.rfc3339(),
                "characters": member.len,
                "content_id": words.short().to_string(),
                "part": member.part,
                "copy": roles.get(&member.entry).cloned().unwrap_or_default(),
                "title": title(store, member.entry)?,
            }));
        }
        let kin: Vec<Value> = self
            .kin
            .values()
            .map(|kin| {
                let evidence = &kin.evidence;
                json!({
                    "between": [kin.a.0, kin.b.0],
                    "kind": kin.kinship.name(),
                    "jaccard": evidence.jaccard,
                    "containment": evidence.containment,
                    "estimate": evidence.estimate,
                    "same": keys(kin),
                    "numbers": evidence.numbers,
                    "characters": [evidence.lens.0, evidence.lens.1],
                    "one_group": self.counts(kin),
                })
            })
            .collect();
        Ok(json!({
            "first_number": self.entry.0,
            "members": members,
            "pairs": kin,
            "split_since": self.parted.map(Timestamp::rfc3339),
            "looked_for": !self.waits,
        }))
    }
}

fn keys(kin: &Kin) -> Vec<&'static str> {
    let keys = [
        ("title", kin.evidence.title),
        ("first words", kin.evidence.lead),
    ];
    keys.iter()
        .filter(|(_, same)| *same)
        .map(|(name, _)| *name)
        .collect()
}

/// The number people see of an entry.
fn latest(store: &Store, entry: ArticleSeq) -> String {
    let subject = store.subject(entry).ok().flatten();
    subject.map_or(entry, |subject| subject.seq).to_string()
}

fn title(store: &Store, entry: ArticleSeq) -> Result<String, StoreError> {
    let subject = store.subject(entry)?;
    Ok(subject.map_or_else(String::new, |subject| subject.title))
}
