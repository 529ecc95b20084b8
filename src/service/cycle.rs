//! Everything due, concurrently and politely.
