//! What the packages are made of is there, and fits together. Building them is `packaging/deb` and `podman build`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use toml::{Table, Value};

use crate::support::daemon::Daemon;
use crate::support::mill::{Mill, plain};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn deb() -> (Table, Table) {
    let manifest: Table = text("Cargo.toml").parse().unwrap();
    let package = manifest["package"].as_table().unwrap().clone();
    let deb = package["metadata"]["deb"].as_table().unwrap().clone();
    (package, deb)
}

fn strings(value: &Value) -> Vec<String> {
    let array = value.as_array().unwrap();
    array
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Files below the root that a path with `*` or `*.x*` in its last part names.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let Some((start, end)) = name.split_once('*') else {
        let path = root().join(pattern);
        return if path.is_file() { vec![path] } else { vec![] };
    };
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            // A second `*` stands for any ending.
            let ends = match end.strip_suffix('*') {
                Some(inside) => name.contains(inside),
                None => name.ends_with(end),
            };
            name.starts_with(start) && ends
        })
        .collect()
}

/// (source, where it goes with its name)
fn assets() -> Vec<(String, String)> {
    let (_, deb) = deb();
    let mut all = Vec::new();
    for asset in deb["assets"].as_array().unwrap() {
        let [from, to, mode] = strings(asset).try_into().unwrap();
        assert!(mode == "644" || to == "usr/bin/", "{from}: {mode}");
        all.push((from, to));
    }
    all
}

/// All that is installed, by path.
fn installed() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (from, to) in assets() {
        let files = if from.starts_with("target/") && !from.contains('*') {
            vec![PathBuf::from(&from)]
        } else if from.starts_with("target/") {
            continue;
        } else {
            matching(&from)
        };
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            all.insert(if to.ends_with('/') {
                format!("/{to}{name}")
            } else {
                format!("/{to}")
            });
        }
    }
    all
}

#[test]
fn every_asset_of_the_debian_package_is_there_or_is_made() {
    let script = text("packaging/deb");
    for (from, _) in assets() {
        match from.strip_prefix("target/") {
            None => assert!(!matching(&from).is_empty(), "nothing is `{from}`"),
            Some("release/feedmill") => assert!(script.contains("--release")),
            Some(made) => {
                let made = made
                    .strip_prefix("package/")
                    .unwrap_or_else(|| panic!("{from}"));
                let by = match made.strip_prefix("feedmill.") {
                    Some(shell) => {
                        assert!(script.contains("\"$made/feedmill.$shell\""));
                        shell
                    }
                    None => made.split('/').next().unwrap(),
                };
                assert!(script.contains(by), "nobody makes {from}");
            }
        }
    }
    let (package, deb) = deb();
    let installed = installed();
    for conffile in strings(&deb["conf-files"]) {
        assert!(installed.contains(&conffile), "{conffile}");
    }
    let etc = installed.iter().filter(|path| path.starts_with("/etc/"));
    assert_eq!(etc.count(), deb["conf-files"].as_array().unwrap().len());
    let version = package["version"].as_str().unwrap();
    let changelog = text(deb["changelog"].as_str().unwrap());
    assert!(
        changelog.starts_with(&format!("feedmill ({version}-")),
        "{changelog}"
    );
    assert!(changelog.contains(deb["maintainer"].as_str().unwrap()));
    // The text of the licence is the licence's.
    let squeezed = |text: &str| {
        text.split_whitespace()
            .filter(|word| *word != ".")
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mit = text("LICENSE-MIT");
    let (_, mit) = mit.split_once("developers").unwrap();
    assert!(squeezed(&text("packaging/debian/copyright")).contains(&squeezed(mit)));
}

#[test]
fn every_unit_is_installed_handled_and_runs_what_is_installed() {
    let (_, deb) = deb();
    let handled: Vec<&str> = deb["systemd-units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["unit-name"].as_str().unwrap())
        .collect();
    let installed = installed();
    let mut units = 0;
    for entry in fs::read_dir(root().join("systemd")).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("service" | "socket" | "timer" | "target")) {
            continue;
        }
        units += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            installed.contains(&format!("/usr/lib/systemd/system/{name}")),
            "{name}"
        );
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(handled.contains(&stem), "{name}: no entry in systemd-units");
        for line in fs::read_to_string(&path).unwrap().lines() {
            let needed = line
                .strip_prefix("ExecStart=")
                .and_then(|command| command.split(' ').next())
                .or_else(|| line.strip_prefix("Documentation=file://"));
            if let Some(needed) = needed {
                assert!(installed.contains(needed), "{name} names {needed}");
            }
        }
    }
    assert!(units >= 2, "no units are found");
    let others = installed
        .iter()
        .filter(|path| path.starts_with("/usr/lib/systemd/"));
    assert_eq!(
        others.count(),
        units,
        "something that is no unit is installed as one"
    );
}

#[test]
fn manual_pages_and_completions_are_made_from_the_command_line() {
    let mill = Mill::new("");
    let run = mill.run(&["man", "--to", "pages"]);
    assert_eq!(run.status, 0, "{run:?}");
    let help = mill.run(&["--help"]).out;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() >= 10, "{help}");
    for command in &commands {
        let page = fs::read_to_string(mill.path(&format!("pages/feedmill-{command}.1")));
        assert!(page.unwrap().contains("SYNOPSIS"), "{command}");
    }
    let page = mill.run(&["man"]).out;
    assert!(
        page.contains(".TH feedmill 1") && page.contains("EXIT") | page.contains("Exit status"),
        "{page}"
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = mill.run(&["completions", shell]).out;
        for command in &commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
        mill.write("script", &script);
        // Whoever has the shell reads the script with it.
        let check = Command::new(shell)
            .arg("-n")
            .arg(mill.path("script"))
            .stderr(Stdio::null())
            .status();
        if let Ok(status) = check {
            assert!(status.success(), "{shell} cannot read its completions");
        }
    }
    assert_eq!(mill.run(&["completions", "cmd"]).status, 2);
}

#[test]
fn the_container_is_built_from_what_is_there_and_runs_as_nobody() {
    let file = text("packaging/Containerfile");
    let ignore = text(".containerignore");
    let allowed: Vec<&str> = ignore
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let lines: Vec<Vec<&str>> = file
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let mut copied = 0;
    for words in &lines {
        let ["COPY", rest @ ..] = words.as_slice() else {
            continue;
        };
        if rest[0].starts_with("--from") {
            continue;
        }
        let (_, sources) = rest.split_last().unwrap();
        for source in sources {
            copied += 1;
            assert!(root().join(source).exists(), "COPY {source}");
            let known = |allowed: &&str| source.starts_with(allowed.trim_end_matches('*'));
            assert!(
                allowed.iter().any(known),
                "{source} is not in .containerignore"
            );
        }
    }
    assert!(copied >= 5, "{file}");
    let (package, _) = deb();
    let rust = package["rust-version"].as_str().unwrap();
    assert!(
        file.contains(&format!("rust:{rust}-")),
        "not the Rust of Cargo.toml"
    );
    let last = |word: &str| {
        lines
            .iter()
            .rfind(|line| line.first() == Some(&word))
            .unwrap()[1]
    };
    assert_eq!(last("USER"), "65532:65532");
    assert_eq!(last("VOLUME"), "/var/lib/feedmill");
    // The command is one we have.
    let command = file.lines().rfind(|line| line.starts_with("CMD ")).unwrap();
    let words: Vec<String> = serde_json::from_str(&command[4..]).unwrap();
    assert_eq!(words, ["run", "--listen", "0.0.0.0:8080"]);
    assert_eq!(last("EXPOSE"), "8080");
    // Elsewhere than the settings say, so that tests need not agree on a port.
    let mill = Mill::new(&plain("a", "http://127.0.0.1:9/nobody"));
    mill.write("feedmill.toml", "[serve]\nlisten = \"192.0.2.1:1\"\n");
    let mut daemon = Daemon::spawn(&mill, mill.command(&["run", "--listen", "127.0.0.1:0"]));
    assert!(daemon.get("/opml").contains("nobody"));
    daemon.stop();
}
