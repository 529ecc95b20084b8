//! Checks of the machine: its clock, its certificates, its units, its permissions. Files are read and nothing is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::model::time::{Timestamp, Zone};
use crate::output::room;
use crate::service::doctor::{Finding, Kept, Machine};

/// No clock that is right shows an earlier time: this was written then (2026-11-30).
const WRITTEN: i64 = 1_795_996_800;

/// Where machines keep their certificate authorities.
const AUTHORITIES: [&str; 6] = [
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "etc/ssl/ca-bundle.pem",
    "etc/ssl/cert.pem",
    "usr/local/share/certs/ca-root-nss.crt",
];

/// Where systemd looks for units, the first that has one.
const UNITS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// A unit file is no longer than this.
const LONGEST: u64 = 1 << 20;

pub(super) fn clock(machine: &Machine) -> Finding {
    let now = machine.now;
    if now < Timestamp::from_secs(WRITTEN) {
        let what = format!("the clock says {now}, which is before this program was written");
        return Finding::bad(
            "clock",
            what,
            "set the clock, and let it be kept (for example by systemd-timesyncd)",
        );
    }
    Finding::well("clock", format!("it is {now}"))
}

pub(super) fn zones() -> Finding {
    match Zone::parse("Asia/Shanghai") {
        Ok(_) => Finding::well("time zones", "known"),
        Err(error) => Finding::bad("time zones", error.to_string(), "install tzdata"),
    }
}

pub(super) fn authorities(machine: &Machine) -> Finding {
    let check = "certificates";
    let filled =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
    if let Some(named) = &machine.authorities {
        if filled(named) {
            return Finding::well(check, format!("in {}", named.display()));
        }
        let what = format!(
            "SSL_CERT_FILE names {}, which is not there or empty",
            named.display()
        );
        return Finding::bad(check, what, "mend or unset SSL_CERT_FILE");
    }
    match AUTHORITIES
        .map(|path| machine.root.join(path))
        .iter()
        .find(|path| filled(path))
    {
        Some(path) => Finding::well(check, format!("in {}", path.display())),
        None => Finding::mind(
            check,
            "this machine has no certificate authorities; the list in the program is used, which ages",
            "install ca-certificates",
        ),
    }
}

/// Reads the units, where there are any: a container has none, and needs none.
pub(super) fn units(machine: &Machine) -> Finding {
    let check = "units";
    let Some((path, text)) = unit(&machine.root, "feedmill.service") else {
        return Finding::well(
            check,
            "feedmill.service is not installed, so nothing starts by it",
        );
    };
    if let Some(program) = program(&text) {
        let below = machine.root.join(program.trim_start_matches('/'));
        let runs = fs::metadata(&below)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
        if !runs {
            let what = format!(
                "{} starts {program}, which is not there or no program",
                path.display()
            );
            return Finding::bad(
                check,
                what,
                "install the program there, or change ExecStart= in a drop-in",
            );
        }
    } else {
        let what = format!("{} has no ExecStart=", path.display());
        return Finding::bad(check, what, "install the unit anew");
    }
    let daemon = is_enabled(&machine.root, "feedmill.service")
        || is_enabled(&machine.root, "feedmill.socket");
    let timer = is_enabled(&machine.root, "feedmill-fetch.timer");
    match (daemon, timer) {
        (true, true) => Finding::mind(
            check,
            "the service and the timer are both enabled; one holds the store, and the other fails",
            "systemctl disable --now feedmill-fetch.timer",
        ),
        (false, false) => Finding::mind(
            check,
            "installed, and neither the service nor the timer starts with the machine",
            "systemctl enable --now feedmill.service",
        ),
        (true, false) => Finding::well(check, "feedmill.service is enabled"),
        (false, true) => Finding::well(check, "feedmill-fetch.timer is enabled"),
    }
}

/// A unit's file and its text.
fn unit(root: &Path, name: &str) -> Option<(PathBuf, String)> {
    UNITS.iter().find_map(|directory| {
        let path = root.join(directory).join(name);
        let short =
            fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= LONGEST);
        let text = short.then(|| fs::read_to_string(&path).ok())??;
        Some((path, text))
    })
}

/// The program a service starts.
fn program(text: &str) -> Option<&str> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ExecStart="));
    let last = lines.map(str::trim).rfind(|command| !command.is_empty())?;
    last.trim_start_matches(['-', '@', ':', '+', '!'])
        .split_whitespace()
        .next()
}

/// Whether a link in a `.wants` directory starts a unit.
fn is_enabled(root: &Path, name: &str) -> bool {
    ["etc/systemd/system", "run/systemd/system"]
        .iter()
        .any(|directory| {
            let all = fs::read_dir(root.join(directory))
                .into_iter()
                .flatten()
                .flatten();
            let mut wants =
                all.filter(|entry| entry.file_name().to_string_lossy().ends_with(".wants"));
            wants.any(|wants| fs::symlink_metadata(wants.path().join(name)).is_ok())
        })
}

pub(super) fn permissions(kept: &Kept) -> Finding {
    let check = "permissions";
    let mut places = vec![kept.data.as_path()];
    places.extend(kept.store.parent());
    places.extend(kept.archive.as_deref());
    for place in places {
        if place.exists() && !room::may_write(place) {
            let what = format!("{} cannot be written by this user", place.display());
            return Finding::bad(
                check,
                what,
                "run as the user of the service, or give the directory to it (chown)",
            );
        }
    }
    match fs::metadata(&kept.data) {
        Ok(found) if found.permissions().mode() & 0o002 != 0 => Finding::bad(
            check,
            format!("{} can be written by everybody", kept.data.display()),
            format!("chmod o-w {}", kept.data.display()),
        ),
        _ => Finding::well(check, format!("{} is ours to write", kept.data.display())),
    }
}

pub(super) fn secrets(kept: &Kept) -> Finding {
    let open = |path: &&PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
    };
    match kept.secrets.iter().find(open) {
        Some(path) => Finding::bad(
            "secrets",
            format!(
                "{} has credentials and can be read by everybody",
                path.display()
            ),
            format!(
                "chmod o-r {}, and change what may have been read",
                path.display()
            ),
        ),
        None => Finding::well("secrets", "none that everybody can read"),
    }
}
