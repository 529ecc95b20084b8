//! HTML to safe HTML and to plain text, behind a depth scan.
