//! Store to outputs to files.
