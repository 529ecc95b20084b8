//! Tests: feed
