//! What a command costs. The kernel adds up a process's children for it, so each command gets a parent of its own:
//! this same binary, told so by its first argument. Unlike a look at `/proc`, that counts in microseconds and loses
//! nothing of children's children.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The first argument of a process that measures its child.
pub const ROLE: &str = "--measure";

/// What a command cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User and system time of the whole tree of processes.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
    /// The most memory its largest process held, in bytes.
    pub peak: u64,
    /// Its exit code.
    pub code: i32,
}

/// What two commands cost, one after the other.
pub fn both(one: Cost, other: Cost) -> Cost {
    Cost {
        cpu: one.cpu + other.cpu,
        wall: one.wall + other.wall,
        peak: one.peak.max(other.peak),
        code: if one.code == 0 { other.code } else { one.code },
    }
}

/// Runs a command to its end; what it prints goes to a file.
pub fn measure(command: &[OsString], output: &Path) -> Result<Cost> {
    let answer = Command::new(env::current_exe()?)
        .arg(ROLE)
        .arg(output)
        .args(command)
        .output()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let [cpu, wall, peak, code] = numbers[..] else {
        bail!(
            "{} could not be run: {}",
            command[0].display(),
            String::from_utf8_lossy(&answer.stderr)
        );
    };
    Ok(Cost {
        cpu: Duration::from_micros(cpu),
        wall: Duration::from_micros(wall),
        peak,
        code: i32::try_from(code)?,
    })
}

/// The parent of the measured command.
pub fn run(arguments: &[String]) -> Result<()> {
    let [output, program, arguments @ ..] = arguments else {
        bail!("{ROLE} takes a file and a command");
    };
    let output = File::create(output)?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| program.clone())?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let peak = usage.max_rss() * 1024;
    println!(
        "{cpu} {} {peak} {}",
        wall.as_micros(),
        status.code().unwrap_or(255)
    );
    Ok(())
}

/// Bytes that a directory occupies on disk, whole blocks counted.
pub fn occupied(path: &Path) -> u64 {
    let Ok(about) = path.symlink_metadata() else {
        return 0;
    };
    let inside = path.read_dir().into_iter().flatten().flatten();
    about.blocks() * 512 + inside.map(|entry| occupied(&entry.path())).sum::<u64>()
}
