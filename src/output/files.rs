//! Files, whole or absent.
