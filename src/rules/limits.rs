//! One streaming pass over a feed before any tree parser: depth, elements, entries, attributes.
