//! How an entry is recognised when it comes again.
