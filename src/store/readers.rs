//! Connections that read, beside the one that writes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::store::error::StoreError;
use crate::store::open::reader;

/// Idle connections kept for the next reader.
const KEPT: usize = 4;

/// A small pool: a reader takes an idle connection or opens one, and never waits for another.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Reads one state of the store: what is committed meanwhile is not seen.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| reader(&self.path), Ok);
        let result = connection.and_then(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let value = read(&snapshot)?;
            snapshot.commit()?;
            // One that failed is not used again.
            self.put_back(connection);
            Ok(value)
        });
        result.map_err(|error| error.in_file(&self.path))
    }

    /// Closes the idle ones, so that the writer can tidy up behind itself.
    pub(super) fn rest(&self) {
        self.idle().clear();
    }

    pub(super) fn put_back(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // Nothing can be half-done in a list of connections.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
