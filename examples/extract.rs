//! Articles out of pages, for scripts/extract.py: a JSON line in, `{"path", "base", "selector"?, "words"?}`, a JSON line
//! out, `{"text", "how"}` or `{"error"}`.
//!
//!     cargo run --example extract -- [--reader feedmill | --reader dom_smoothie]

use std::io::{BufRead, Write, stdin, stdout};

use anyhow::{Context, bail};
use feedmill::model::time::Zone;
use feedmill::model::urls::PageUrl;
use feedmill::rules::charset::{self, Kind};
use feedmill::rules::extract::{Wanted, extract};
use feedmill::rules::html;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let read = match arguments.as_slice() {
        [] | ["--reader", "feedmill"] => feedmill,
        ["--reader", "dom_smoothie"] => dom_smoothie,
        other => bail!("--reader feedmill or --reader dom_smoothie, not {other:?}"),
    };
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let path = asked["path"].as_str().context("no path")?;
        let bytes = std::fs::read(path).with_context(|| path.to_owned())?;
        let page = charset::decode(&bytes, None, Kind::Html).text;
        let base = PageUrl::parse(asked["base"].as_str().context("no base")?)?;
        let answer = match read(&page, &base, &asked) {
            Ok(answer) => answer,
            Err(error) => json!({"error": error.to_string()}),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn feedmill(page: &str, base: &PageUrl, asked: &Value) -> anyhow::Result<Value> {
    let zone = Zone::utc();
    let wanted = Wanted {
        selector: asked["selector"].as_str(),
        words: asked["words"].as_str().unwrap_or_default(),
        zone: &zone,
    };
    let found = extract(page, base, wanted)?;
    Ok(json!({
        "text": html::text(&found.html),
        "title": found.title,
        "how": found.how.name(),
        "next": found.next.as_ref().map(PageUrl::as_str),
    }))
}

fn dom_smoothie(page: &str, base: &PageUrl, _: &Value) -> anyhow::Result<Value> {
    let config = dom_smoothie::Config {
        char_threshold: 150,
        ..dom_smoothie::Config::default()
    };
    let mut reader = dom_smoothie::Readability::new(page, Some(base.as_str()), Some(config))?;
    let article = reader.parse()?;
    Ok(json!({"text": html::text(&article.content), "how": "library"}))
}
