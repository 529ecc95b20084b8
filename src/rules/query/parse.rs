//! Text to query.

use jiff::civil::Date;

use super::error::{QueryError, Why};
use super::lexer::{Lexer, closing, is_bracket, is_colon, is_minus, is_star, plain};
use super::{Clause, Condition, MAX_BYTES, MAX_CONDITIONS, Needle, Place, Query, What};
use crate::model::time::{Timestamp, Zone};
use crate::rules::terms::{Class, SearchText, class};

/// Fewer characters before a star begin nearly everything.
const LEAST: usize = 2;

#[derive(Clone, Copy)]
enum Field {
    Words(&'static str, Place),
    Source,
    Tag,
    After,
    Before,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "title" => Self::Words("title", Place::Title),
            "author" => Self::Words("author", Place::Author),
            "category" => Self::Words("category", Place::Category),
            "source" => Self::Source,
            "tag" => Self::Tag,
            "after" => Self::After,
            "before" => Self::Before,
            _ => return None,
        })
    }

    /// What is missing where nothing follows.
    fn missing(self) -> Why {
        let (field, expected) = match self {
            Self::Words(field, _) => (field, "a word or a \"phrase\""),
            Self::Source => ("source", "a feed's id"),
            Self::Tag => ("tag", "a tag"),
            Self::After => ("after", "a date"),
            Self::Before => ("before", "a date"),
        };
        Why::Value { field, expected }
    }
}

/// What stands between blanks, after a field's colon or alone.
struct Value {
    at: usize,
    text: String,
    quoted: bool,
    star: bool,
}

pub(super) fn parse(text: &str, zone: &Zone) -> Result<Query, QueryError> {
    let mut lexer = Lexer::new(text);
    if text.len() > MAX_BYTES {
        return Err(lexer.error(0, Why::Long));
    }
    let mut clauses: Vec<Clause> = Vec::new();
    let mut count = 0;
    // An OR that waits for what comes next, and the first of all ORs and brackets.
    let mut or = None;
    let mut joined = false;
    let mut bracket = None;
    loop {
        lexer.take(char::is_whitespace);
        let at = lexer.place();
        if lexer.peek(0).is_none() {
            break;
        }
        if lexer.peek(0).is_some_and(is_bracket) {
            bracket.get_or_insert(at);
        }
        let not = lexer.peek(0).is_some_and(is_minus)
            && lexer.peek(1).is_some_and(|c| !c.is_whitespace());
        lexer.skip(usize::from(not));
        let field = field(&mut lexer)?;
        let value = value(&mut lexer)?;
        let Some(value) = value else {
            return Err(lexer.error(at, field.map_or(Why::Empty, Field::missing)));
        };
        if field.is_none() && !not && !value.quoted && !value.star {
            match plain(&value.text).as_str() {
                "or" if value.text.chars().all(char::is_uppercase) => {
                    if or.is_some() || clauses.is_empty() {
                        return Err(lexer.error(at, Why::Or));
                    }
                    (or, joined) = (Some(at), true);
                    continue;
                }
                "and" if value.text.chars().all(char::is_uppercase) => continue,
                _ => {}
            }
        }
        if !value.quoted && value.text.ends_with(is_bracket) {
            bracket.get_or_insert(at);
        }
        let Some(what) = what(&lexer, field, &value, zone)? else {
            continue;
        };
        count += 1;
        if count > MAX_CONDITIONS {
            return Err(lexer.error(at, Why::Many));
        }
        let condition = Condition { not, what };
        match clauses.last_mut().filter(|_| or.take().is_some()) {
            Some(clause) => clause.0.push(condition),
            None => clauses.push(Clause(vec![condition])),
        }
    }
    if let Some(at) = or {
        return Err(lexer.error(at, Why::Or));
    }
    if let Some(at) = bracket.filter(|_| joined) {
        return Err(lexer.error(at, Why::Bracket));
    }
    if clauses.is_empty() {
        return Err(lexer.error(text.len(), Why::Empty));
    }
    Ok(Query { clauses })
}

/// Reads a field's name and colon, where they are next.
fn field(lexer: &mut Lexer<'_>) -> Result<Option<Field>, QueryError> {
    let at = lexer.place();
    let mut name = String::new();
    let mut length = 0;
    while let Some(char) = lexer
        .peek(length)
        .filter(|c| matches!(c, 'a'..='z' | 'A'..='Z' | 'ａ'..='ｚ' | 'Ａ'..='Ｚ'))
    {
        name.push(char);
        length += 1;
    }
    if !lexer.peek(length).is_some_and(is_colon) {
        return Ok(None);
    }
    let name = plain(&name);
    let field = Field::named(&name);
    let after = lexer.peek(length + 1);
    match field {
        Some(_) => lexer.skip(length + 1),
        // An address, a headline (`Breaking: …`) and `a:b` are words.
        None if length < 2 || after.is_none_or(|c| c.is_whitespace() || c == '/') => {}
        None => {
            let shown = name.chars().take(20).collect();
            return Err(lexer.error(at, Why::Field(shown)));
        }
    }
    Ok(field)
}

/// Reads a phrase in quotes, or what stands before the next blank.
fn value(lexer: &mut Lexer<'_>) -> Result<Option<Value>, QueryError> {
    let at = lexer.place();
    let Some(open) = lexer.peek(0) else {
        return Ok(None);
    };
    if let Some(close) = closing(open) {
        lexer.skip(1);
        let text = lexer.take(|c| !close.contains(&c));
        if lexer.peek(0).is_none() {
            let close = if close.contains(&open) || open == '„' {
                '"'
            } else {
                close.first().copied().unwrap_or(open)
            };
            return Err(lexer.error(at, Why::Open(close)));
        }
        lexer.skip(1);
        let star = lexer.peek(0).is_some_and(is_star);
        lexer.skip(usize::from(star));
        let quoted = true;
        return Ok(Some(Value {
            at,
            text,
            quoted,
            star,
        }));
    }
    let mut text = lexer.take(|c| !c.is_whitespace());
    let star = text.ends_with(is_star);
    text.truncate(text.trim_end_matches(is_star).len());
    let empty = text.is_empty() && !star;
    Ok((!empty).then_some(Value {
        at,
        text,
        quoted: false,
        star,
    }))
}

/// What a field and its value, or words alone, ask for. Punctuation alone asks for nothing.
fn what(
    lexer: &Lexer<'_>,
    field: Option<Field>,
    value: &Value,
    zone: &Zone,
) -> Result<Option<What>, QueryError> {
    let error = |why| Err(lexer.error(value.at, why));
    let time = |value: &Value| {
        midnight(&plain(&value.text), zone).ok_or_else(|| lexer.error(value.at, Why::Date))
    };
    Ok(Some(match field {
        None | Some(Field::Words(..)) => {
            let text = SearchText::of(&value.text);
            if text.is_empty() {
                return if field.is_none() && !value.quoted {
                    Ok(None)
                } else {
                    error(Why::Wordless)
                };
            }
            let mut last = text.as_str().chars().rev().map(class).peekable();
            let kind = last.peek().copied();
            let parted = matches!(kind, Some(Class::Letter | Class::Digit));
            let word = last.take_while(|&c| parted && Some(c) == kind).count();
            if value.star && (1..LEAST).contains(&word) {
                return error(Why::Star);
            }
            let place = match field {
                Some(Field::Words(_, place)) => place,
                _ => Place::Anywhere,
            };
            // Where words are not parted everything is found by its beginning anyway.
            let prefix = value.star && word > 0;
            What::Words(place, Needle { text, prefix })
        }
        Some(Field::Source) => match plain(&value.text).parse() {
            Ok(feed) => What::Source(feed),
            Err(_) => return error(Why::Source),
        },
        Some(Field::Tag) => {
            let tag = plain(value.text.trim());
            if tag.is_empty() {
                return error(Field::Tag.missing());
            }
            What::Tag(tag)
        }
        Some(Field::After) => What::After(time(value)?),
        Some(Field::Before) => What::Before(time(value)?),
    }))
}

/// When a day, a month or a year begins.
fn midnight(text: &str, zone: &Zone) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let mut number = |digits: usize, absent: Option<i16>| match parts.next() {
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<i16>().ok()
        }
        Some(_) => None,
        None => absent,
    };
    let year = number(4, None)?;
    let month = i8::try_from(number(2, Some(1))?).ok()?;
    let day = i8::try_from(number(2, Some(1))?).ok()?;
    if parts.next().is_some() || !(1..=9998).contains(&year) {
        return None;
    }
    let midnight = Date::new(year, month, day)
        .ok()?
        .to_zoned(zone.as_jiff().clone())
        .ok()?;
    Some(midnight.timestamp().into())
}
