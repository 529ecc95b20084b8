//! Traditional to Simplified, full-width to half-width, case and punctuation away: for matching only.
