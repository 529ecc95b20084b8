//! How many requests at once, and how close together per host.
