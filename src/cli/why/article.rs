//! Why an article is what it is, and where it is shown.

use std::collections::HashMap;
use std::fs;

use serde_json::json;

use crate::app;
use crate::cli::changes;
use crate::cli::why::{Answer, Desk, at, because, feed};
use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::entry::EntryKey;
use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, EntryId, FeedId};
use crate::model::keep::Pruned;
use crate::model::river::Collapse;
use crate::model::ruling::Act;
use crate::model::withheld::Reason;
use crate::rules::revision::QUIET;
use crate::rules::river::entry_iri;
use crate::rules::share::Share;
use crate::rules::similar::{self, Member};
use crate::store::{Choice, Looked, StoreError};

/// What was decided of an article; `None` where there is none of this number any more.
pub(super) fn of(desk: &Desk<'_>, seq: ArticleSeq) -> Result<Option<Answer>, StoreError> {
    let subscriptions = &desk.config.subscriptions;
    let states = desk.store.feed_states()?;
    let private = |own: &&Subscription| {
        let state = states.iter().find(|state| state.id == own.id);
        own.private
            .unwrap_or(state.is_some_and(|state| state.learned.private))
    };
    let private = subscriptions.iter().filter(private);
    let hidden: Vec<FeedId> = private.map(|own| own.id.clone()).collect();
    let looked = desk.store.looked(seq, &hidden)?;
    let (Some(stored), Some(looked)) = (desk.store.article(seq)?, looked) else {
        return Ok(None);
    };
    let article = &stored.article;
    let mut answer = Answer::default();
    answer.put("kind", "article");
    answer.put("number", seq.0);
    answer.put("content_id", article.content.short().to_string());
    answer.put("feed", stored.feed.as_str());
    answer.put("title", article.title.clone());
    answer.say("article", format!("{seq}, {}", article.title));
    answer.say("feed", stored.feed.to_string());
    named(&mut answer, desk, &stored)?;
    seen(&mut answer, desk, &stored)?;
    if article.partial {
        answer.say("words", "a summary only: the publisher gave no more");
    }
    answer.put("note", json!(article.note));
    if let Some(note) = &article.note {
        answer.say("words", note.clone());
    }
    let pruned = stored.pruned.as_ref().map(Pruned::told);
    answer.put("pruned", json!(pruned));
    if let Some(pruned) = pruned {
        answer.say("words", pruned);
    }
    verdict(&mut answer, &stored, &looked);
    let mut group = desk.store.group(stored.first_seq)?.members;
    group.retain(|(member, ..)| !hidden.contains(&member.feed));
    let others = group.len().saturating_sub(1);
    answer.put("copies", others);
    if others > 0 {
        let copies = if others == 1 { "copy" } else { "copies" };
        answer.say(
            "group",
            format!("{others} other {copies}: `feedmill group {seq}` shows them"),
        );
    }
    let instead = instead(desk, &stored, &group);
    changed(&mut answer, desk, stored.first_seq)?;
    let acts = ruled(&mut answer, desk, &stored)?;
    let mut withheld = desk.store.withheld(Some(&stored.feed))?;
    withheld.retain(|one| one.entry == stored.first_seq);
    let why = withheld.iter().map(|one| one.why).min();
    answer.put("withheld", json!(why.map(Reason::name)));
    shown(
        &mut answer,
        desk,
        &stored,
        &looked,
        &Standing {
            hidden: &hidden,
            why,
            acts: &acts,
            instead,
        },
    )?;
    file(&mut answer, desk, &stored, &looked)?;
    Ok(Some(answer))
}

/// What it is called: its address, its id with us and with its publisher, and other names it came under.
fn named(answer: &mut Answer, desk: &Desk<'_>, stored: &StoredArticle) -> Result<(), StoreError> {
    let article = &stored.article;
    let link = article.link.as_ref().map(ToString::to_string);
    answer.say("link", link.clone().unwrap_or_else(|| "none".to_owned()));
    answer.put("link", json!(link));
    let iri = entry_iri(&stored.feed, &article.key);
    answer.say("entry id", iri.clone());
    answer.put("entry_id", iri.clone());
    let given = article.id.as_ref().map(EntryId::as_str);
    if let Some(given) = given.filter(|given| *given != iri) {
        answer.say("", format!("by the publisher's id {given}"));
    }
    answer.put("original_id", json!(given));
    let others: Vec<String> = desk
        .store
        .other_keys(stored.first_seq)?
        .iter()
        .map(told_key)
        .collect();
    for other in &others {
        answer.say("", format!("it came under another name, too: {other}"));
    }
    answer.put("other_keys", others);
    Ok(())
}

/// When it was seen, and by which poll.
fn seen(answer: &mut Answer, desk: &Desk<'_>, stored: &StoredArticle) -> Result<(), StoreError> {
    let article = &stored.article;
    answer.say("seen", format!("first {}", at(stored.first_seen, desk.now)));
    answer.say(
        "seen",
        format!("this revision {}", at(stored.recorded, desk.now)),
    );
    match article.published {
        Some(date) => answer.say("dated", format!("{} by the publisher", date.rfc3339())),
        None => answer.say(
            "dated",
            "by when it was first seen: it has no date of its own",
        ),
    }
    answer.put("first_seen", stored.first_seen.rfc3339());
    answer.put("recorded", stored.recorded.rfc3339());
    let polls = desk.store.polls(&stored.feed, usize::MAX)?;
    if let Some(poll) = polls.iter().find(|poll| poll.at == stored.recorded) {
        answer.say(
            "brought by",
            format!(
                "the poll of {}: {}",
                poll.at.rfc3339(),
                feed::answered(poll)
            ),
        );
        for note in &poll.notes {
            answer.say("document", note.clone());
        }
    }
    Ok(())
}

fn told_key(key: &EntryKey) -> String {
    match key {
        EntryKey::Id(id) => format!("the id {}", id.as_str()),
        EntryKey::Link(link) => format!("the link {link}"),
        EntryKey::Content(_) => "its words".to_owned(),
    }
}

fn numbers(all: &[ArticleSeq]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

fn verdict(answer: &mut Answer, stored: &StoredArticle, looked: &Looked) {
    let is_revision = stored.first_seq != stored.seq;
    let word = match (is_revision, stored.reprint_of) {
        (true, _) => "revised",
        (false, Some(_)) => "reprint",
        (false, None) => "new",
    };
    let words = match word {
        "revised" => format!(
            "revised: other words of the entry first stored as {}",
            stored.first_seq
        ),
        "reprint" => "a reprint: the entry was new, its words were not".to_owned(),
        _ => "new: neither the entry nor its words were here before".to_owned(),
    };
    answer.say("verdict", words);
    if let Some(first) = stored.reprint_of {
        answer.say(
            "",
            format!("the same words, folded, as article {first}, which had them first"),
        );
    }
    if looked.revisions.len() > 1 {
        answer.say("revisions", numbers(&looked.revisions));
    }
    answer.put("verdict", word);
    answer.put("same_words_as", json!(stored.reprint_of.map(|seq| seq.0)));
    let revisions: Vec<u64> = looked.revisions.iter().map(|seq| seq.0).collect();
    answer.put("revisions", revisions);
}

/// Whether its entry is frozen, and whether it was taken back.
fn changed(answer: &mut Answer, desk: &Desk<'_>, entry: ArticleSeq) -> Result<(), StoreError> {
    let temper = desk.store.temper(entry)?;
    if let Some(held) = &temper.held {
        answer.say("revisions", changes::held(held));
    } else if temper.quiet >= QUIET {
        let words = "no more are stored but dated new words: its publisher changed it";
        answer.say("revisions", format!("{words} {QUIET} times without"));
    }
    answer.put("quiet_changes", temper.quiet);
    answer.put("held", changes::held_json(&temper));
    let withdrawn = desk.store.withdrawal(entry)?;
    if let Some(withdrawn) = &withdrawn {
        answer.say("withdrawn", changes::withdrawn(withdrawn));
    }
    answer.put("withdrawn", changes::withdrawn_json(withdrawn.as_ref()));
    Ok(())
}

/// What the operator's rules do to it.
fn ruled(
    answer: &mut Answer,
    desk: &Desk<'_>,
    stored: &StoredArticle,
) -> Result<Vec<(String, Act)>, StoreError> {
    let acts = desk.store.ruled(stored.first_seq)?;
    for (rule, act) in &acts {
        let does = match act {
            Act::Drop => "drops it from the merged feed and the tags' feeds".to_owned(),
            Act::Highlight => "highlights it".to_owned(),
            Act::Tag(tag) => format!("gives it the tag {tag}"),
        };
        answer.say("rules", format!("`{rule}` {does}"));
    }
    let rounds = desk.store.rounds()?;
    if let Some(coming) = rounds.coming {
        let judged = coming.cursor.map_or(0, |cursor| cursor.0 + 1);
        let all = rounds.last.map_or(0, |last| last.0 + 1);
        answer.say(
            "rules",
            format!("other rules are being judged by, {judged} of {all} numbers so far; these hold until all are"),
        );
    }
    let told = acts
        .iter()
        .map(|(rule, act)| json!({ "rule": rule, "does": act.name(), "tag": act.tag() }));
    answer.put("rules", told.collect::<Vec<_>>());
    Ok(acts)
}

/// The merged feed by numbers, where a source may have its share and no more.
fn fair_window(desk: &Desk<'_>, hidden: &[FeedId]) -> Result<Option<Vec<ArticleSeq>>, StoreError> {
    let settings = &desk.config.settings.feed;
    if settings.fair_share == Share::ALL {
        return Ok(None);
    }
    let feeds = desk.store.feed_states()?.into_iter().map(|state| state.id);
    let choice = Choice::merged(
        feeds.filter(|feed| !hidden.contains(feed)).collect(),
        settings.entries,
        settings.fair_share,
        app::copies(desk.config),
    );
    Ok(Some(desk.store.lineup(&choice)?.articles))
}

/// The copy in other words that is shown for it, where one of a group is shown: its number and feed.
fn instead(
    desk: &Desk<'_>,
    stored: &StoredArticle,
    group: &[(Member, ArticleSeq, ContentHash)],
) -> Option<(ArticleSeq, FeedId)> {
    let settings = &desk.config.settings;
    if settings.feed.collapse != Collapse::Near || !settings.groups.enabled {
        return None;
    }
    // Of the same words the first alone is shown in any case.
    let mut owners: HashMap<&ContentHash, &(Member, ArticleSeq, ContentHash)> = HashMap::new();
    for row in group {
        let owner = owners.entry(&row.2).or_insert(row);
        if row.0.entry < owner.0.entry {
            *owner = row;
        }
    }
    let members: Vec<Member> = owners.values().map(|row| row.0.clone()).collect();
    let shown = similar::shown(&members)?;
    let seq = group.iter().find(|row| row.0 == *shown)?.1;
    (shown.entry != stored.first_seq).then(|| (seq, shown.feed.clone()))
}

/// What an article may stand out of the merged feed for, besides its place.
struct Standing<'a> {
    /// Feeds that are shown to nobody.
    hidden: &'a [FeedId],
    /// Why it is withheld.
    why: Option<Reason>,
    /// What rules do to it.
    acts: &'a [(String, Act)],
    /// Which copy is shown for it.
    instead: Option<(ArticleSeq, FeedId)>,
}

/// Whether it stands in the merged feed, and why.
fn shown(
    answer: &mut Answer,
    desk: &Desk<'_>,
    stored: &StoredArticle,
    looked: &Looked,
    standing: &Standing<'_>,
) -> Result<(), StoreError> {
    let is_hidden = standing.hidden.contains(&stored.feed);
    let dropped = standing.acts.iter().any(|(_, act)| *act == Act::Drop);
    let fair = fair_window(desk, standing.hidden)?;
    let settings = &desk.config.settings.feed;
    let limit = settings.entries as u64;
    let place = looked.before + 1;
    let owner = looked.carrying.first();
    let owner = owner.filter(|_| settings.collapse != Collapse::None);
    let (belongs, why) = match (looked.revisions.last(), owner) {
        _ if is_hidden => (false, "its feed is private".to_owned()),
        _ if dropped => (
            false,
            "a rule drops it; its source's own feed has it".to_owned(),
        ),
        _ if let Some(why) = standing.why => (false, format!("withheld: {}", because(why))),
        (Some(latest), _) if *latest != stored.seq => (
            false,
            format!("superseded by article {latest}, the latest revision of the same entry"),
        ),
        (_, Some(owner)) if owner.latest != stored.seq => (
            false,
            format!(
                "article {} of {} is shown for it: it has the same words and had them first; this one is named there",
                owner.latest, owner.feed
            ),
        ),
        _ if let Some((seq, feed)) = &standing.instead => (
            false,
            format!(
                "article {seq} of {feed} is shown for it: it is a copy in nearly the same words"
            ),
        ),
        _ if fair.as_ref().is_some_and(|fair| fair.contains(&stored.seq)) => (
            true,
            "it is among the newest, and within its source's `fair_share`".to_owned(),
        ),
        _ if fair.is_some() && place <= limit => (
            false,
            "its source has its `fair_share` of the feed, all of later dates".to_owned(),
        ),
        _ if place > limit => (
            false,
            format!(
                "{} entries have later dates, and the feed holds {limit}",
                looked.before
            ),
        ),
        _ => (
            true,
            format!("its place by date is {place} of at most {limit}"),
        ),
    };
    let number = format!("<fm:seq>{}</fm:seq>", stored.seq.0);
    let file = fs::read_to_string(&settings.path).ok();
    let is_there = file.as_ref().map(|file| file.contains(&number));
    let words = match (belongs, is_there) {
        (true, Some(true)) => format!("yes: {why}"),
        (true, Some(false)) => format!(
            "not yet: {why}, but {} was not written since, or is full, or shows another entry under the same id",
            settings.path.display()
        ),
        (true, None) => format!(
            "not yet: {why}, but {} is not there",
            settings.path.display()
        ),
        (false, Some(true)) => format!(
            "not any more: {why}; {} was not written since",
            settings.path.display()
        ),
        (false, _) => format!("no: {why}"),
    };
    answer.say("merged feed", words.clone());
    answer.put("in_merged_feed", belongs && is_there == Some(true));
    answer.put("why_merged_feed", words);
    Ok(())
}

/// Its file in the archive, or why there is none.
fn file(
    answer: &mut Answer,
    desk: &Desk<'_>,
    stored: &StoredArticle,
    looked: &Looked,
) -> Result<(), StoreError> {
    let settings = &desk.config.settings.archive;
    let keeps = desk
        .config
        .subscriptions
        .iter()
        .find(|own| own.id == stored.feed)
        .is_none_or(|own| own.archive.is_some());
    let cursor = desk.store.archive_cursor()?;
    let words = match &looked.file {
        Some((name, format)) => {
            format!("{}, in the format {format}", settings.path.join(name).display())
        }
        None if looked.words != stored.seq => {
            format!("no file of its own: article {} has the same words, and the file", looked.words)
        }
        None if !settings.enabled => "no file: there is no archive by the settings".to_owned(),
        None if !keeps => "no file: feeds.toml keeps this feed out of the archive".to_owned(),
        None if stored.pruned.is_some() => "no file: its words are not there to be written".to_owned(),
        None if cursor < Some(stored.seq) => "no file yet: the next publication writes it".to_owned(),
        None => "no file: none could be made of it, or its feed was kept out of the archive when it came".to_owned(),
    };
    answer.say("archive", words.clone());
    if let Some(name) = &looked.imported {
        answer.say("imported", format!("from {name}"));
    }
    answer.put(
        "archive_file",
        json!(looked.file.as_ref().map(|(name, _)| name)),
    );
    answer.put("why_archive", words);
    Ok(())
}
