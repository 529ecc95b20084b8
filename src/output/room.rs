//! How much room a file system has, and what we may do in it.

use std::io;
use std::path::Path;

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

/// The room of a file system, for whoever is not root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are free.
    pub bytes: u64,
    /// Files that can still be made; `None` where the file system does not count them.
    pub files: Option<u64>,
    /// Nothing can be written there at all.
    pub read_only: bool,
}

/// The room of the file system this path is on.
pub fn room(path: &Path) -> io::Result<Room> {
    let found = statvfs(path)?;
    Ok(Room {
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        files: (found.f_files > 0).then_some(found.f_favail),
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// Whether this process may make files in a directory.
pub fn may_write(directory: &Path) -> bool {
    access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
