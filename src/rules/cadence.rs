//! Whether a feed may be asked now, and when it is due next.
