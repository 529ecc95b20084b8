//! New, revised, known or reprint.
