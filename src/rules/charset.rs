//! Bytes, what HTTP said and what the bytes say, to text, with the evidence kept.
