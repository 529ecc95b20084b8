//! Tests: store
