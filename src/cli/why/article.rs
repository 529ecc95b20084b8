//! Why an article is what it is, and where it is shown.

use std::collections::HashMap;
use std::fs;

use serde_json::json;

use crate::cli::why::{Answer, Desk, at, feed};
use crate::model::article::StoredArticle;
use crate::model::content::ContentHash;
use crate::model::feed::Subscription;
use crate::model::ids::{ArticleSeq, EntryId, FeedId};
use crate::model::river::Collapse;
use crate::rules::river::entry_iri;
use crate::rules::similar::{self, Member};
use crate::store::{Looked, StoreError};

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
    if article.partial {
        answer.say("words", "a summary only: the publisher gave no more");
    }
    answer.put("note", json!(article.note));
    if let Some(note) = &article.note {
        answer.say("words", note.clone());
    }
    verdict(&mut answer, &stored, &looked);
    let mut group = desk.store.group(stored.first_seq)?.members;
    group.retain(|(member, ..)| !hidden.contains(&member.feed));
    let is_hidden = hidden.contains(&stored.feed);
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
    shown(
        &mut answer,
        desk,
        &stored,
        &looked,
        instead.as_ref(),
        is_hidden,
    );
    file(&mut answer, desk, &stored, &looked)?;
    Ok(Some(answer))
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

/// Whether it stands in the merged feed, and why.
fn shown(
    answer: &mut Answer,
    desk: &Desk<'_>,
    stored: &StoredArticle,
    looked: &Looked,
    instead: Option<&(ArticleSeq, FeedId)>,
    is_hidden: bool,
) {
    let settings = &desk.config.settings.feed;
    let limit = settings.entries as u64;
    let place = looked.before + 1;
    let owner = looked.carrying.first();
    let owner = owner.filter(|_| settings.collapse != Collapse::None);
    let (belongs, why) = match (looked.revisions.last(), owner) {
        _ if is_hidden => (false, "its feed is private".to_owned()),
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
        _ if let Some((seq, feed)) = instead => (
            false,
            format!(
                "article {seq} of {feed} is shown for it: it is a copy in nearly the same words"
            ),
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
