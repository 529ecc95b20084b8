//! Content codings, with limits on both sides.
