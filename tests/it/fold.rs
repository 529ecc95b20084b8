//! Tests: fold
