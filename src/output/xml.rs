//! XML that is well-formed whatever the words are.
