//! Checks of what the program keeps: store, room, archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::output::archive::manifest;
use crate::output::files;
use crate::output::room::{self, Room};
use crate::service::doctor::{Finding, Kept, Machine};
use crate::store::{Growth, Held, Store, StoreError, held};

/// Less room than this is none: the store cannot even tidy up.
const LEAST: u64 = 100 << 20;

/// Room for so many days is not much.
const DAYS: u64 = 30;

/// What growth is counted over.
const WEEK: Duration = Duration::from_hours(7 * 24);

/// A write-ahead log is emptied long before it is so long.
const LONG_WAL: u64 = 256 << 20;

/// A clock may be off by this.
const SLACK: Duration = Duration::from_mins(5);

pub(super) fn look(machine: &Machine, kept: &Kept, thorough: bool) -> Vec<Finding> {
    let mut found = vec![lock(kept), log(kept)];
    let store = match Store::open_readonly(&kept.store) {
        Ok(store) => store,
        Err(error) => {
            found.push(unopened(&error));
            found.extend(rooms(machine, kept, None));
            return found;
        }
    };
    found.push(integrity(&store, thorough));
    match store.growth(machine.now.minus(WEEK)) {
        Ok(growth) => {
            found.push(last_change(machine, &growth));
            found.extend(rooms(machine, kept, Some(&growth)));
        }
        Err(error) => found.push(unread("store", &error)),
    }
    if let Some(directory) = &kept.archive {
        found.push(manifests(&store, directory).unwrap_or_else(|error| unread("archive", &error)));
    }
    found
}

fn lock(kept: &Kept) -> Finding {
    match held(&kept.store) {
        Ok(Held::Nobody) => Finding::well("lock", "nobody is at work"),
        Ok(Held::By(Some(pid))) => {
            Finding::well("lock", format!("process {pid} is at work; this only reads"))
        }
        Ok(Held::By(None)) => Finding::well("lock", "somebody is at work; this only reads"),
        Err(error) => unread("lock", &error),
    }
}

fn log(kept: &Kept) -> Finding {
    let mut path = kept.store.clone().into_os_string();
    path.push("-wal");
    let size = fs::metadata(PathBuf::from(path)).map_or(0, |found| found.len());
    if size > LONG_WAL {
        let what = format!("the write-ahead log has {}", bytes(size));
        let remedy = "end what reads the store without end (a shell of sqlite3, a backup), or restart the service";
        return Finding::mind("write-ahead log", what, remedy);
    }
    Finding::well("write-ahead log", bytes(size))
}

fn unopened(error: &StoreError) -> Finding {
    let remedy = match error {
        StoreError::Absent { .. } => {
            return Finding::mind("store", error.to_string(), "feedmill fetch --once makes it");
        }
        StoreError::Older { .. } => {
            return Finding::mind(
                "store",
                error.to_string(),
                "restart the service, or feedmill fetch --once",
            );
        }
        StoreError::Newer { .. } | StoreError::Recipe { .. } => {
            "install the feedmill that wrote it, or a newer one"
        }
        StoreError::Damaged { .. } => "stop the service before anything else",
        StoreError::Foreign { .. } => "name another file in [store] `path`",
        _ => "see that this user may read it, and that its disk is well",
    };
    Finding::bad("store", told(error), remedy)
}

fn unread(check: &'static str, error: &StoreError) -> Finding {
    Finding::bad(
        check,
        told(error),
        "see that this user may read the store, and that its disk is well",
    )
}

/// An error and its causes.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn integrity(store: &Store, thorough: bool) -> Finding {
    let (checked, how) = if thorough {
        (store.verify(), "sound, every index compared with its table")
    } else {
        (store.check(), "sound; --thorough compares every index, too")
    };
    match checked {
        Ok(()) => Finding::well("store", how),
        Err(error) => unopened(&error),
    }
}

fn last_change(machine: &Machine, growth: &Growth) -> Finding {
    match growth.latest {
        Some(latest) if latest > machine.now.plus(SLACK) => Finding::bad(
            "last news",
            format!(
                "the store was written at {latest}, and it is {}",
                machine.now
            ),
            "set the clock; if it was ahead then, days of the archive and dates of entries stay so",
        ),
        Some(latest) => Finding::well("last news", format!("stored at {latest}")),
        None => Finding::well("last news", "none yet"),
    }
}

/// The file systems everything lies on, each judged by what comes in a day.
fn rooms(machine: &Machine, kept: &Kept, growth: Option<&Growth>) -> Vec<Finding> {
    let size = fs::metadata(&kept.store).map_or(0, |found| found.len());
    let daily = growth.map_or(0, |growth| {
        let an_article = size / growth.articles.max(1);
        (an_article * growth.recent_articles + growth.recent_file_bytes) / 7
    });
    let mut places = vec![("room for data", kept.data.as_path(), daily)];
    if let Some(archive) = &kept.archive {
        places.push(("room for the archive", archive, daily));
    }
    places.push(("room for temporary files", &machine.temporary, 0));
    let existing = |path: &Path| {
        path.ancestors()
            .find(|path| path.exists())
            .map(Path::to_owned)
    };
    places
        .into_iter()
        .map(|(check, path, daily)| {
            let path = existing(path).unwrap_or_else(|| path.to_owned());
            match room::room(&path) {
                Ok(found) => judge_room(check, &path, found, daily),
                Err(error) => Finding::bad(
                    check,
                    format!("{}: {error}", path.display()),
                    "see what is mounted there",
                ),
            }
        })
        .collect()
}

/// What to say of a file system that gets so many bytes a day.
pub(super) fn judge_room(check: &'static str, path: &Path, room: Room, daily: u64) -> Finding {
    let place = path.display();
    if room.read_only {
        let what = format!("the file system of {place} is mounted for reading only");
        return Finding::bad(
            check,
            what,
            "see the kernel's log for why, then mount it for writing",
        );
    }
    if room.files.is_some_and(|files| files < 1000) {
        let what = format!("{place} can take {} more files", room.files.unwrap_or(0));
        return Finding::bad(
            check,
            what,
            "remove files, or make a file system with more inodes",
        );
    }
    let days = room.bytes.checked_div(daily);
    let what = match days {
        Some(days) => format!(
            "{} free at {place}, {days} days at {} a day",
            bytes(room.bytes),
            bytes(daily)
        ),
        None => format!("{} free at {place}", bytes(room.bytes)),
    };
    if room.bytes < LEAST || days.is_some_and(|days| days < 3) {
        return Finding::bad(
            check,
            what,
            "make room now: what cannot be stored is asked again and again",
        );
    }
    if days.is_some_and(|days| days < DAYS) {
        return Finding::mind(
            check,
            what,
            "make room, or keep fewer pages ([store] `pages`)",
        );
    }
    Finding::well(check, what)
}

/// Whether the archive's last manifest is there, is what was written, and names all files.
fn manifests(store: &Store, directory: &Path) -> Result<Finding, StoreError> {
    let check = "archive";
    if !store.unmeasured(1)?.is_empty() || !store.unfinished_days()?.is_empty() {
        let what = "files are not in their manifests yet";
        let remedy =
            "the next publication (feedmill fetch --once) does it; if that fails, it says why";
        return Ok(Finding::mind(check, what, remedy));
    }
    let Some(last) = store.manifests()?.pop() else {
        return Ok(Finding::well(check, "no files yet"));
    };
    let name = manifest::file_name(last.day);
    Ok(match files::digest_of(&directory.join(&name)) {
        Ok(Some((_, digest))) if digest == last.digest => Finding::well(
            check,
            format!("{name} is the last manifest; feedmill archive verify proves all files"),
        ),
        Ok(found) => {
            let how = found.map_or("is missing", |_| "is not what was written");
            let remedy = "feedmill archive verify names each difference; archive export writes the archive anew";
            Finding::bad(check, format!("{name} {how}"), remedy)
        }
        Err(error) => Finding::bad(
            check,
            told(&error),
            "see that this user may read the archive",
        ),
    })
}

/// A number of bytes as people say it.
fn bytes(count: u64) -> String {
    match count {
        0..0x400 => format!("{count} bytes"),
        0x400..0x10_0000 => format!("{} KiB", count >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", count >> 20),
        _ => format!("{} GiB", count >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Grade;

    #[test]
    fn room_is_judged_by_what_comes_in_a_day() {
        let plenty = Room {
            bytes: 1 << 40,
            files: Some(1 << 20),
            read_only: false,
        };
        let check = |room: Room, daily: u64, grade: Grade| {
            let found = judge_room("room", Path::new("/d"), room, daily);
            assert_eq!(found.grade, grade, "{found:?}");
            assert_eq!(found.remedy.is_empty(), grade == Grade::Well);
        };
        check(plenty, 0, Grade::Well);
        check(plenty, 1 << 30, Grade::Well);
        check(plenty, 1 << 36, Grade::Mind);
        check(plenty, 1 << 39, Grade::Bad);
        check(
            Room {
                files: None,
                ..plenty
            },
            0,
            Grade::Well,
        );
        check(
            Room {
                files: Some(999),
                ..plenty
            },
            0,
            Grade::Bad,
        );
        check(
            Room {
                read_only: true,
                ..plenty
            },
            0,
            Grade::Bad,
        );
        check(
            Room {
                bytes: LEAST - 1,
                ..plenty
            },
            0,
            Grade::Bad,
        );
    }
}
