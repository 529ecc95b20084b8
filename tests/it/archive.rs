//! Tests: archive
