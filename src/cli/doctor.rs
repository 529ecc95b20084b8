//! `feedmill doctor`: what may keep the program from its work, and what to do about it.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::app;
use crate::cli::{Global, Outcome, table};
use crate::config::Config;
use crate::service::doctor::{self, Finding, Grade, Kept, Machine};

/// Check store, room, clock, permissions, units and archive, and say what to do.
#[derive(clap::Args)]
pub struct Args {
    /// Compare every index of the store with its table, too: slow where there is much
    #[arg(long)]
    thorough: bool,
    /// A JSON array
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Exit 0: nothing is bad, though there may be warnings; 1: something is.
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let machine = Machine {
            now: app::now(),
            root: PathBuf::from("/"),
            temporary: std::env::temp_dir(),
            authorities: std::env::var_os("SSL_CERT_FILE").map(PathBuf::from),
        };
        let mut found = Vec::new();
        match app::configuration(&global.places()?) {
            Ok(config) => {
                let what = format!("read {}", config.files.feeds.display());
                found.push(Finding::well("configuration", what));
                found.extend(doctor::machine(&machine));
                found.extend(doctor::kept(&machine, &kept(&config), self.thorough));
            }
            Err(problems) => {
                let what = problems.to_string().replace('\n', "; ");
                let remedy = "mend it; feedmill check names each file and line";
                found.push(Finding::bad("configuration", what, remedy));
                found.extend(doctor::machine(&machine));
            }
        }
        let mut out = io::stdout().lock();
        if self.json {
            let all: Vec<_> = found.iter().map(as_json).collect();
            serde_json::to_writer_pretty(&mut out, &all)?;
            writeln!(out)?;
        } else {
            let rows = found.iter().map(|finding| {
                vec![
                    finding.grade.word().to_owned(),
                    finding.check.to_owned(),
                    finding.what.clone(),
                    finding.remedy.clone(),
                ]
            });
            writeln!(
                out,
                "{}",
                table::table(&["", "check", "found", "to do"], &[], rows)
            )?;
        }
        let worst = found.iter().map(|finding| finding.grade).max();
        Ok(if worst == Some(Grade::Bad) {
            Outcome::Unwell
        } else {
            Outcome::Well
        })
    }
}

fn kept(config: &Config) -> Kept {
    let settings = &config.settings;
    let all = config.subscriptions.iter().chain(&config.disabled);
    let secret = all.into_iter().any(|feed| feed.credentials.is_some());
    let files = config.files.settings.iter().chain([&config.files.feeds]);
    Kept {
        data: settings.data.clone(),
        store: settings.store.path.clone(),
        archive: settings
            .archive
            .enabled
            .then(|| settings.archive.path.clone()),
        secrets: files
            .filter(|path| secret && fs::read_to_string(path).is_ok_and(|text| has_secret(&text)))
            .cloned()
            .collect(),
    }
}

/// Whether a secret stands in the file itself, and not in another that it names.
fn has_secret(text: &str) -> bool {
    let keys = ["password", "token"].iter().any(|key| {
        let mut behind = text
            .match_indices(key)
            .filter_map(|(at, _)| text.get(at + key.len()..));
        behind.any(|rest| rest.trim_start_matches(['"', ' ', '\t']).starts_with('='))
    });
    let mut hosts = text
        .split("://")
        .skip(1)
        .filter_map(|rest| rest.split(['/', '"', '\n']).next());
    keys || hosts.any(|host| host.contains('@'))
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "check": finding.check,
        "grade": finding.grade.word(),
        "found": finding.what,
        "to_do": Some(&finding.remedy).filter(|remedy| !remedy.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_file_is_told_from_one_elsewhere() {
        for (text, secret) in [
            ("credentials = { user = \"a\", password = \"b\" }", true),
            ("credentials = { token=\"b\" }", true),
            ("url = \"https://a:b@news.example/x\"", true),
            (
                "credentials = { user = \"a\", password_file = \"/b\" }",
                false,
            ),
            ("url = \"https://news.example/@a\"", false),
        ] {
            assert_eq!(has_secret(text), secret, "{text}");
        }
    }
}
