//! One poll of one feed.
