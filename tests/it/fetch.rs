//! Tests: fetch
