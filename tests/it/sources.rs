//! Tests: sources
