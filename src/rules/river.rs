//! What is published: one entry for the same words, newest first.
