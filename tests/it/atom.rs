//! Tests: atom
