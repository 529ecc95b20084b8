//! `[[rule]]` blocks, in feeds.toml: beside the feeds and tags they name. Each becomes a [`Rule`].

use std::collections::HashMap;
use std::path::Path;

use toml::de::DeTable;

use crate::config::parse;
use crate::config::problems::{Problems, shown};
use crate::config::raw::{Block, TomlFile};
use crate::config::values;
use crate::model::ruling::{Act, RuleText};
use crate::rules::ruling::Rule;

/// Each article is asked about each of them.
const MOST: usize = 200;

/// The rules of a file that has nothing else to say, or feeds that are passed over: to be tried before they are saved.
pub fn of_file(path: &Path) -> Result<Vec<Rule>, Problems> {
    let mut found = Vec::new();
    let rules = parse(TomlFile::read(path, path), &mut found, |file, tree| {
        let mut top = Block::top(file, tree);
        top.value("feed");
        let rules = read(file, &mut top);
        if tree.get("rule").is_none() {
            file.report(0, "there is no [[rule]] block in it".to_owned(), None);
        }
        top.finish(|key| format!("[[{key}]]"));
        rules
    });
    if found.is_empty() {
        Ok(rules)
    } else {
        Err(Problems::of(found))
    }
}

/// Reads every block; what is wrong is noted in the file.
pub(super) fn read<'a>(file: &'a TomlFile, top: &mut Block<'a>) -> Vec<Rule> {
    let Some(value) = top.value("rule") else {
        return Vec::new();
    };
    let at = value.span().start;
    let Some(blocks) = value.get_ref().as_array() else {
        let why = "write [[rule]] with two brackets on either side, once for each rule";
        file.report(at, why.to_owned(), None);
        return Vec::new();
    };
    if blocks.len() > MOST {
        let why = format!(
            "there are {} [[rule]] blocks, more than {MOST}",
            blocks.len()
        );
        file.report(at, why, None);
        return Vec::new();
    }
    let (mut rules, mut taken) = (Vec::new(), HashMap::new());
    for (index, value) in blocks.iter().enumerate() {
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            let why = "`rule` holds something that is no [[rule]] block";
            file.report(at, why.to_owned(), None);
            continue;
        };
        rules.extend(rule(file, table, index, at, &mut taken));
    }
    rules
}

/// What a block orders; `None` where something in it was wrong.
fn rule<'a>(
    file: &'a TomlFile,
    table: &'a DeTable<'a>,
    index: usize,
    at: usize,
    taken: &mut HashMap<String, usize>,
) -> Option<Rule> {
    let label = match table.get("name").and_then(|name| name.get_ref().as_str()) {
        Some(name) => format!("[[rule]] \"{}\"", shown(name)),
        None => format!("[[rule]] number {}", index + 1),
    };
    let mut block = Block::new(file, table, label, at);
    let before = file.problems();
    let name = block.get("name", |value| {
        let name = values::words(value)?;
        if name.chars().count() > 60 {
            return Err(format!("`{}` is longer than 60 characters", shown(&name)));
        }
        Ok(name)
    });
    match &name {
        Some(name) => {
            if let Some(line) = taken.get(name) {
                let why = format!("is already the name of the rule in line {line}");
                block.report("name", &why);
            } else {
                taken.insert(name.clone(), file.line(block.at("name")));
            }
        }
        None if block.has("name") => {}
        None => block.report_whole("needs a `name`, so that one can tell which rule it was"),
    }
    let query = block.get("match", values::words);
    if query.is_none() && !block.has("match") {
        block.report_whole("needs a `match`: what it looks for, as in `feedmill search`");
    }
    let tags = block.get("tag", values::tags).unwrap_or_default();
    let drop = block.get("drop", values::flag).unwrap_or_default();
    let highlight = block.get("highlight", values::flag).unwrap_or_default();
    block.finish(str::to_owned);
    let mut acts: Vec<Act> = tags.into_iter().map(Act::Tag).collect();
    acts.extend(drop.then_some(Act::Drop));
    acts.extend(highlight.then_some(Act::Highlight));
    if acts.is_empty() && file.problems() == before {
        block.report_whole("does nothing: write tag = [\"…\"], drop = true or highlight = true");
    }
    let text = RuleText {
        name: name.unwrap_or_default(),
        query: query?,
        acts,
    };
    match Rule::new(text) {
        Ok(rule) => (file.problems() == before).then_some(rule),
        Err(error) => {
            block.report("match", &error.to_string());
            None
        }
    }
}
