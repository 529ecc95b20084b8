//! HTML to the blocks of the archive formats.
