//! What response headers say: freshness, Retry-After, media type.
