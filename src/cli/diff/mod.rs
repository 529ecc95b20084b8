//! `feedmill diff ARTICLE [--with N]`: two revisions side by side, by words.

mod columns;

use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::{Global, Outcome, table};
use crate::model::article::{Article, StoredArticle};
use crate::model::ids::ArticleSeq;
use crate::model::time::Timestamp;
use crate::rules::difference::{Piece, Row, rows, words};
use crate::rules::normalise;
use crate::rules::river::entry_iri;
use crate::store::Store;

/// Show two revisions of an article side by side, by words.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  feedmill diff 42                what revision 42 changed: against the one before it
  feedmill diff 42 --with 17      against article 17
  feedmill diff https://…         the latest revision of the article with this link

[-words-] are gone, {+words+} are new. Two columns on a terminal, else one.")]
pub struct Args {
    /// A revision's number; or a link, entry id or content id: the latest revision
    #[arg(value_name = "ARTICLE")]
    article: String,
    /// The other one [default: the revision before it]
    #[arg(long, value_name = "N")]
    with: Option<u64>,
    /// One column, on a terminal too
    #[arg(long, conflicts_with_all = ["width", "json"])]
    unified: bool,
    /// Two columns, together so wide [default: the terminal's]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..=1000), conflicts_with = "json")]
    width: Option<u16>,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

/// What differs.
struct Difference<'a> {
    fields: Vec<(&'static str, String, String)>,
    rows: Vec<Row<'a>>,
    /// The words are the same; what is compared is the markup.
    is_markup: bool,
}

impl Args {
    /// Exit 0, whether they differ or not.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let config = global.configuration()?;
        let store = Store::open_readonly(&config.settings.store.path)?;
        let after = find(&store, &self.article)?;
        let before = self.before(&store, &after)?;
        let texts = [&before, &after].map(|one| text(&one.article));
        let mut difference = Difference {
            fields: fields(&before.article, &after.article),
            rows: rows(&texts[0], &texts[1]),
            is_markup: false,
        };
        let markup = [&before, &after].map(|one| one.article.body.text.replace('>', ">\n"));
        if difference.rows.iter().all(is_same) && markup[0] != markup[1] {
            difference.rows = rows(&markup[0], &markup[1]);
            difference.is_markup = true;
        }
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&before, &after, &difference))?;
            writeln!(out)?;
        } else {
            head(&mut out, &before, &after, &difference)?;
            match self.columns() {
                Some(width) => columns::show(&mut out, &difference.rows, width)?,
                None => unified(&mut out, &difference.rows)?,
            }
        }
        out.flush()?;
        Ok(Outcome::Well)
    }

    /// The one to compare with.
    fn before(&self, store: &Store, after: &StoredArticle) -> anyhow::Result<StoredArticle> {
        let seq = if let Some(with) = self.with {
            ArticleSeq(with)
        } else {
            let revisions = store.revisions(after.seq)?;
            let earlier = revisions.iter().rev().find(|seq| **seq < after.seq);
            match (earlier, revisions.last()) {
                (Some(seq), _) => *seq,
                (None, Some(last)) if *last != after.seq => bail!(
                    "article {} is the first revision of its entry; the last is {last}: `feedmill diff {last} --with {}`",
                    after.seq,
                    after.seq
                ),
                _ => bail!("article {} has no revision but this one", after.seq),
            }
        };
        match store.article(seq)? {
            Some(before) => Ok(before),
            None => bail!("no article has the number {seq}"),
        }
    }

    /// How wide two columns may be, where there are to be two.
    fn columns(&self) -> Option<usize> {
        let terminal = || {
            let is_one = io::stdout().is_terminal() && !self.unified;
            let (width, _) = terminal_size::terminal_size().filter(|_| is_one)?;
            Some(usize::from(width.0)).filter(|width| *width >= 40)
        };
        self.width.map(usize::from).or_else(terminal)
    }
}

/// The article of this number, or the latest with this name.
fn find(store: &Store, what: &str) -> anyhow::Result<StoredArticle> {
    let mut found = match what.parse() {
        Ok(number) => store.article(ArticleSeq(number))?,
        Err(_) => None,
    };
    if found.is_none() {
        let mut named = store.find(what)?;
        if named.is_empty() && what.contains(':') {
            named.extend(store.find_key(|feed, key| entry_iri(feed, key) == what)?);
        }
        if let Some(last) = named.last() {
            found = store.article(*last)?;
        }
    }
    match found {
        Some(found) => Ok(found),
        None => bail!(
            "no article has `{}` as its number, link or id",
            table::printable(what)
        ),
    }
}

fn is_same(row: &Row<'_>) -> bool {
    matches!(row, Row::Same(_))
}

/// The words of an article, a line each paragraph.
fn text(article: &Article) -> String {
    normalise::words(&article.body).into_owned()
}

/// What changed besides the words: name, before, after.
fn fields(before: &Article, after: &Article) -> Vec<(&'static str, String, String)> {
    let date = |date: Option<Timestamp>| date.map(Timestamp::rfc3339).unwrap_or_default();
    let all = |article: &Article| {
        let link = article.link.as_ref().map(ToString::to_string);
        let picture = article.thumbnail.as_ref().map(ToString::to_string);
        let summary = article
            .summary
            .as_ref()
            .map(|summary| one_line(&normalise::words(summary)));
        let attached = article.enclosures.iter().map(|one| one.url.to_string());
        [
            ("title", article.title.clone()),
            ("authors", article.authors.join(", ")),
            ("published", date(article.published)),
            ("updated", date(article.updated)),
            ("cms date", date(article.cms_date)),
            ("link", link.unwrap_or_default()),
            ("language", article.language.clone().unwrap_or_default()),
            ("tags", article.categories.join(", ")),
            ("picture", picture.unwrap_or_default()),
            ("attached", attached.collect::<Vec<_>>().join(" ")),
            ("summary", summary.unwrap_or_default()),
            (
                "partial",
                if article.partial { "yes" } else { "" }.to_owned(),
            ),
            ("note", article.note.clone().unwrap_or_default()),
        ]
    };
    let both = all(before).into_iter().zip(all(after));
    both.filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name, old, new))
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who is compared with whom, and what changed besides the words.
fn head(
    out: &mut impl Write,
    before: &StoredArticle,
    after: &StoredArticle,
    difference: &Difference<'_>,
) -> io::Result<()> {
    for (sign, one) in [("---", before), ("+++", after)] {
        writeln!(
            out,
            "{sign} {}, {}, {}",
            one.seq,
            one.feed,
            one.recorded.rfc3339()
        )?;
    }
    for (name, old, new) in &difference.fields {
        let whole = matches!(*name, "published" | "updated" | "cms date");
        let pieces = if whole {
            vec![Piece::Gone(old), Piece::Come(new)]
        } else {
            words(old, new)
        };
        writeln!(out, "{name:<11}{}", marked(&pieces))?;
    }
    let same = difference.rows.iter().all(is_same);
    if same {
        let what = if difference.fields.is_empty() {
            "all is the same"
        } else {
            "the words are the same"
        };
        writeln!(out, "{what}")?;
    } else if difference.is_markup {
        writeln!(out, "the words are the same; their markup:")?;
    }
    Ok(())
}

/// Words that go and come in marks. Empty pieces are none.
fn marked(pieces: &[Piece<'_>]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Gone("") | Piece::Come("") => {}
            Piece::Same(same) => text.push_str(&visible(same)),
            Piece::Gone(gone) => text.extend(["[-", &visible(gone), "-]"]),
            Piece::Come(come) => text.extend(["{+", &visible(come), "+}"]),
        }
    }
    text
}

/// A stranger's text with everything in it that cannot be seen: what differs shall not hide (P-170).
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let mut out = String::with_capacity(text.len());
    for c in table::printable(text).chars() {
        if hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// One column: what changed, with a paragraph around it; how much is left out.
fn unified(out: &mut impl Write, rows: &[Row<'_>]) -> io::Result<()> {
    for part in parts(rows) {
        match part {
            Part::Left(count) => writeln!(out, "  … {}", left(count))?,
            Part::Row(row) => match row {
                Row::Same(text) => writeln!(out, "  {}", visible(text))?,
                Row::Gone(text) => writeln!(out, "- {}", visible(text))?,
                Row::Come(text) => writeln!(out, "+ {}", visible(text))?,
                Row::Changed(pieces) => writeln!(out, "~ {}", marked(pieces))?,
            },
        }
    }
    Ok(())
}

/// What is shown of two texts.
enum Part<'r, 'a> {
    Row(&'r Row<'a>),
    /// So many paragraphs that are the same.
    Left(usize),
}

/// Everything that changed, with the paragraph before it and the one after it. Nothing, where all is the same.
fn parts<'r, 'a>(rows: &'r [Row<'a>]) -> Vec<Part<'r, 'a>> {
    let changed = |place: usize| rows.get(place).is_some_and(|row| !is_same(row));
    let near =
        |place: usize| changed(place) || changed(place + 1) || (place > 0 && changed(place - 1));
    let mut parts = Vec::new();
    if rows.iter().all(is_same) {
        return parts;
    }
    for (place, row) in rows.iter().enumerate() {
        // One that stands alone between two that are shown takes no more room than to say that it is left out.
        let is_alone = near(place + 1) && (place == 0 || near(place - 1));
        if near(place) || is_alone {
            parts.push(Part::Row(row));
        } else if let Some(Part::Left(count)) = parts.last_mut() {
            *count += 1;
        } else {
            parts.push(Part::Left(1));
        }
    }
    parts
}

fn left(count: usize) -> String {
    match count {
        1 => "1 paragraph is the same".to_owned(),
        more => format!("{more} paragraphs are the same"),
    }
}

fn as_json(before: &StoredArticle, after: &StoredArticle, difference: &Difference<'_>) -> Value {
    let one = |one: &StoredArticle| {
        json!({
            "number": one.seq.0,
            "source": one.feed.as_str(),
            "recorded": one.recorded.rfc3339(),
            "updated": one.revised.rfc3339(),
        })
    };
    let pieces = |pieces: &[Piece<'_>]| -> Vec<Value> {
        let told = pieces.iter().map(|piece| match piece {
            Piece::Same(text) => json!({ "same": text }),
            Piece::Gone(text) => json!({ "gone": text }),
            Piece::Come(text) => json!({ "come": text }),
        });
        told.collect()
    };
    let paragraphs = difference.rows.iter().map(|row| match row {
        Row::Same(text) => json!({ "same": text }),
        Row::Gone(text) => json!({ "gone": text }),
        Row::Come(text) => json!({ "come": text }),
        Row::Changed(parts) => json!({ "changed": pieces(parts) }),
    });
    let fields = difference
        .fields
        .iter()
        .map(|(name, old, new)| json!({ "name": name, "before": old, "after": new }));
    json!({
        "before": one(before),
        "after": one(after),
        "same": difference.fields.is_empty() && difference.rows.iter().all(is_same),
        "fields": fields.collect::<Vec<_>>(),
        "markup": difference.is_markup,
        "paragraphs": paragraphs.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let check = |text: &str, shown: &str| assert_eq!(visible(text), shown);
        check("plain 文字", "plain 文字");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check(
            "a\u{202e}b\u{200b}c\u{feff}",
            "a\\u{202e}b\\u{200b}c\\u{feff}",
        );
        check("e\u{301}", "e\u{301}");
    }

    #[test]
    fn what_is_the_same_is_left_out_but_for_what_stands_around_a_change() {
        let rows = rows("a\nb\nc\nd\ne\nf", "a\nb\nc\nx\ne\nf");
        let told: Vec<String> = parts(&rows)
            .iter()
            .map(|part| match part {
                Part::Left(count) => left(*count),
                Part::Row(row) => format!("{row:?}"),
            })
            .collect();
        assert_eq!(
            told,
            [
                "2 paragraphs are the same",
                "Same(\"c\")",
                "Gone(\"d\")",
                "Come(\"x\")",
                "Same(\"e\")",
                "1 paragraph is the same"
            ]
        );
    }
}
