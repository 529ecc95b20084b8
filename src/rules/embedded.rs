//! The JSON object a page hides in a script.
